//! Random views and products.
//!
//! In: the values so far. Out: one more that moves or multiplies some of them. Never: a view that `verify`
//! refuses.

use super::Maker;
use crate::graph::*;
use crate::size::Size;

impl Maker {
    /// Some view that fits some value.
    pub(super) fn view(&mut self) -> NodeId {
        (0..4).find_map(|_| self.some_view()).unwrap_or_else(|| {
            let x = self.any();
            self.graph.identity(x)
        })
    }

    fn some_view(&mut self) -> Option<NodeId> {
        let x = self.any();
        let ty = self.graph.ty(x).clone();
        let (rows, rank, shape) = (ty.rows.len(), ty.rank(), ty.shape());
        let axis = (rank > rows).then(|| rows + self.rng.below(rank - rows));
        let known = axis.and_then(|axis| shape[axis].value().map(|n| (axis, n)));
        let open = axis.filter(|axis| shape[*axis] == Size::symbol("T"));
        Some(match (self.rng.below(15), known) {
            (0, _) => {
                let flat = Type { rows: ty.rows.clone(), features: vec![Size::product(&ty.features)] };
                self.graph.reshape(x, flat)
            }
            (1, _) if !ty.features.is_empty() => {
                let mut features = ty.features.clone();
                features.insert(self.rng.below(features.len() + 1), Size::known(1));
                self.graph.reshape(x, Type { rows: ty.rows, features })
            }
            (2, _) => {
                let mut axes: Vec<usize> = (0..rank).collect();
                for i in (rows + 1..rank).rev() {
                    axes.swap(i, rows + self.rng.below(i - rows + 1));
                }
                self.graph.permute(x, &axes, rows)
            }
            (3, _) => {
                // Repeat along a new axis: a feature, or a row behind the batch.
                let size = self.length();
                let row = rows > 0 && self.rng.chance(0.4);
                let at = if row { rows } else { rows + self.rng.below(rank - rows + 1) };
                let mut shape = shape;
                shape.insert(at, size);
                let axes = (0..=rank).map(|i| if i == at { None } else { Some(i - usize::from(i > at)) });
                let wide = crate::build::typed(shape, rows + usize::from(row));
                self.graph.broadcast(x, axes.collect(), wide)
            }
            (4, Some((axis, n))) if n > 1 => {
                let start = self.rng.below(n);
                let len = 1 + self.rng.below(n - start);
                self.graph.slice(x, axis, start, Size::known(len))
            }
            (5, Some((axis, n))) => {
                let before = self.rng.below(2);
                let after = self.rng.below(2);
                self.graph.pad(x, axis, before, Size::known(before + n + after))
            }
            (6, Some((axis, _))) => {
                let y = self.any();
                if *self.graph.ty(y) == ty {
                    self.graph.concat(&[x, y], axis)
                } else {
                    self.graph.concat(&[x, x], axis)
                }
            }
            (9 | 11, Some((axis, n))) if n > 1 => {
                let (kernel, dilation) = (1 + self.rng.below(n.min(3)), 1 + self.rng.below(2));
                let stride = 1 + self.rng.below(2);
                let dilation = if dilation * (kernel - 1) < n { dilation } else { 1 };
                return self.graph.window(x, axis, kernel, stride, dilation);
            }
            (9 | 10, _) if axis.is_some_and(|axis| axis + 1 < rank && shape[axis + 1].value().is_some()) => {
                self.folded(x, axis.unwrap_or(rows))
            }
            (12, _) if open.is_some() => {
                let start = &shape[axis?] - &Size::known(1);
                self.graph.slice(x, axis?, start, Size::known(1))
            }
            (13, _) if axis.is_some() && shape[axis?] != Size::batch() => {
                let after = Size::known(self.rng.below(2));
                let len = &(&Size::symbol("T") + &shape[axis?]) + &after;
                self.graph.pad(x, axis?, Size::symbol("T"), len)
            }
            (7, _) if rows == 1 && !self.inside => self.graph.batch(x),
            (7 | 8, _) if !self.inside => {
                let turned = |id: &NodeId| {
                    let ty = self.graph.ty(*id);
                    ty.rows.is_empty() && ty.features.first() == Some(&Size::batch())
                };
                let found: Vec<NodeId> = self.pool.iter().copied().filter(turned).collect();
                self.graph.unbatch(*found.last()?)
            }
            (14, _) if self.rng.chance(0.3) => self.graph.identity(x),
            _ => return None,
        })
    }

    /// Axes taken for pieces, which need not come from a window.
    fn folded(&mut self, x: NodeId, axis: usize) -> NodeId {
        let shape = self.graph.ty(x).shape();
        let kernel = shape[axis + 1].value().unwrap_or(1);
        let (stride, dilation) = (1 + self.rng.below(3), 1 + self.rng.below(2));
        let more = self.rng.below(stride);
        let last = &(&shape[axis] - &Size::known(1)) * &Size::known(stride);
        let len = &last + &Size::known(dilation * (kernel - 1) + 1 + more);
        self.graph.fold(x, axis, stride, dilation, len)
    }

    pub(super) fn contract(&mut self) -> NodeId {
        let mut inputs = Vec::new();
        let mut args = Vec::new();
        let mut labels: Vec<(u32, Size)> = Vec::new();
        for _ in 0..1 + self.rng.below(3) {
            let arg = self.any();
            let ty = self.graph.ty(arg).clone();
            let mut own = Vec::new();
            for (axis, size) in ty.shape().into_iter().enumerate() {
                if axis == 0 && !ty.rows.is_empty() {
                    own.push(0);
                    continue;
                }
                let shared: Vec<u32> = labels.iter().filter(|(_, s)| *s == size).map(|(l, _)| *l).collect();
                if !shared.is_empty() && self.rng.chance(0.7) {
                    own.push(*self.rng.pick(&shared));
                } else {
                    labels.push((labels.len() as u32 + 1, size));
                    own.push(labels.len() as u32);
                }
            }
            inputs.push(own);
            args.push(arg);
        }
        let mut output: Vec<u32> = Vec::new();
        let batched = args.iter().any(|arg| !self.graph.ty(*arg).rows.is_empty())
            && (self.inside || self.rng.chance(0.9));
        if batched {
            output.push(0);
        }
        for (label, _) in &labels {
            if output.len() < 4 && self.rng.chance(0.5) {
                let at = usize::from(batched) + self.rng.below(output.len() + 1 - usize::from(batched));
                output.insert(at, *label);
            }
        }
        self.graph.contract(inputs, &args, output, usize::from(batched))
    }
}
