//! Constructors of nodes: they infer the type, and leave out what changes nothing.
//!
//! In: nodes whose shapes fit (the caller has checked them; `verify` checks again). Out: appended nodes.
//! Never: a user's mistake found here; a rewrite that looks further than the arguments.

mod arithmetic;
mod index;

use crate::graph::*;
use crate::size::Size;

/// Constants and random numbers.
impl Graph {
    /// A number, as a scalar.
    pub fn number(&mut self, value: f64) -> NodeId {
        self.push(Kind::Const(Constant::Number(value)), vec![], Type::scalar())
    }

    /// A size, as a scalar: a number where it is known.
    pub fn size(&mut self, size: Size) -> NodeId {
        match size.value() {
            Some(n) => self.number(n as f64),
            None => self.push(Kind::Const(Constant::Size(size)), vec![], Type::scalar()),
        }
    }

    /// The identity matrix of `n` rows.
    pub fn delta(&mut self, n: Size) -> NodeId {
        let ty = Type { rows: vec![], features: vec![n.clone(), n] };
        self.push(Kind::Const(Constant::Delta), vec![], ty)
    }

    /// Every element `value`.
    pub fn full(&mut self, value: f64, ty: &Type) -> NodeId {
        let number = self.number(value);
        self.broadcast(number, vec![None; ty.rank()], ty.clone())
    }

    /// Every element `value`, in the type of `x`.
    pub fn full_like(&mut self, value: f64, x: NodeId) -> NodeId {
        let ty = self.ty(x).clone();
        self.full(value, &ty)
    }

    /// The number that every element of `x` is, where the graph says so.
    pub fn as_number(&self, x: NodeId) -> Option<f64> {
        match &self.node(x).kind {
            Kind::Const(Constant::Number(value)) => Some(*value),
            Kind::View(View::Broadcast(_) | View::Reshape | View::Permute(_)) => {
                self.as_number(self.node(x).args[0])
            }
            _ => None,
        }
    }

    /// New random numbers: a site of their own.
    pub fn random(&mut self, distribution: Distribution, ty: Type) -> NodeId {
        let site = self.sites;
        self.sites += 1;
        self.push(Kind::Random { distribution, site }, vec![], ty)
    }
}

/// Reductions, views and products.
impl Graph {
    /// Drops axes (any order). Where the batch's axis goes, the row axes that stay become features.
    pub fn reduce(&mut self, reduction: Reduction, x: NodeId, axes: &[usize]) -> NodeId {
        if axes.is_empty() {
            return x;
        }
        let mut axes = axes.to_vec();
        axes.sort_unstable();
        axes.dedup();
        let ty = reduced_type(self.ty(x), &axes);
        self.push(Kind::Reduce { reduction, axes }, vec![x], ty)
    }

    /// The sum over axes.
    pub fn sum(&mut self, x: NodeId, axes: &[usize]) -> NodeId {
        self.reduce(Reduction::Sum, x, axes)
    }

    /// The largest along axes.
    pub fn max(&mut self, x: NodeId, axes: &[usize]) -> NodeId {
        self.reduce(Reduction::Max, x, axes)
    }

    /// The mean over axes: their sum divided by the number of elements.
    pub fn mean(&mut self, x: NodeId, axes: &[usize]) -> NodeId {
        let shape = self.ty(x).shape();
        let count = Size::product(axes.iter().map(|axis| &shape[*axis]));
        let sum = self.sum(x, axes);
        let ty = self.ty(sum).clone();
        let count = self.size(count);
        let count = self.broadcast(count, vec![None; ty.rank()], ty);
        self.div(sum, count)
    }

    /// A view, unless it is the value itself.
    pub fn view(&mut self, view: View, x: NodeId, ty: Type) -> NodeId {
        self.push(Kind::View(view), vec![x], ty)
    }

    /// The same value under a new identity.
    pub fn identity(&mut self, x: NodeId) -> NodeId {
        let ty = self.ty(x).clone();
        self.view(View::Identity, x, ty)
    }

    /// The same elements under other axes; the rows stay.
    pub fn reshape(&mut self, x: NodeId, ty: Type) -> NodeId {
        if *self.ty(x) == ty { x } else { self.view(View::Reshape, x, ty) }
    }

    /// Output axis `i` is axis `axes[i]` of `x`; the first `rows` of the result are rows.
    pub fn permute(&mut self, x: NodeId, axes: &[usize], rows: usize) -> NodeId {
        let shape = self.ty(x).shape();
        let ty = typed(axes.iter().map(|axis| shape[*axis].clone()).collect(), rows);
        if *self.ty(x) == ty && axes.iter().copied().eq(0..axes.len()) {
            return x;
        }
        self.view(View::Permute(axes.to_vec()), x, ty)
    }

    /// Repeats `x` along new axes: `axes[i]` is the axis of `x` that axis `i` of `ty` takes, `None` a new one.
    pub fn broadcast(&mut self, x: NodeId, axes: Vec<Option<usize>>, ty: Type) -> NodeId {
        if *self.ty(x) == ty && axes.iter().copied().eq((0..ty.rank()).map(Some)) {
            return x;
        }
        self.view(View::Broadcast(axes), x, ty)
    }

    /// Repeats `x` to another type by the visible rules: a scalar to anything, a value without rows to rows,
    /// an axis of size 1 to any size. `None` where these do not lead there.
    pub fn broadcast_like(&mut self, x: NodeId, ty: &Type) -> Option<NodeId> {
        let from = self.ty(x).clone();
        if from.rank() == 0 {
            return Some(self.broadcast(x, vec![None; ty.rank()], ty.clone()));
        }
        if from.features.len() != ty.features.len() {
            return None;
        }
        let mut axes = Vec::with_capacity(ty.rank());
        if from.rows.is_empty() {
            axes.resize(ty.rows.len(), None);
        } else if from.rows.len() != ty.rows.len() {
            return None;
        }
        let targets = ty.shape();
        for (axis, size) in from.shape().iter().enumerate() {
            axes.push(match &targets[axes.len()] {
                target if target == size => Some(axis),
                _ if size.is_one() => None,
                _ => return None,
            });
        }
        Some(self.broadcast(x, axes, ty.clone()))
    }

    /// `len` elements from `start` along an axis.
    pub fn slice(&mut self, x: NodeId, axis: usize, start: impl Into<Size>, len: Size) -> NodeId {
        let start = start.into();
        let ty = resized(self.ty(x), axis, len);
        if start == Size::default() && *self.ty(x) == ty {
            return x;
        }
        self.view(View::Slice { axis, start }, x, ty)
    }

    /// The last element along feature axis 0. Of a loop's stack, it is the carry after the last step: so nothing
    /// is stacked for its sake.
    pub fn last(&mut self, x: NodeId) -> NodeId {
        let Node { kind, args, ty, .. } = self.node(x).clone();
        let (rows, inner) = (ty.rows.len(), Type { rows: ty.rows, features: ty.features[1..].to_vec() });
        if let Kind::Scan { scan, result: ScanResult::Stacked(carry) } = kind
            && carry < scan.carries
            && !scan.reverse
        {
            return self.push(Kind::Scan { scan, result: ScanResult::Last(carry) }, args, inner);
        }
        let one = Size::known(1);
        let start = &self.ty(x).features[0] - &one;
        let part = self.slice(x, rows, start, one);
        self.reshape(part, inner)
    }

    /// Zeros along an axis: `before` ahead of the elements, the rest up to `len` behind them.
    pub fn pad(&mut self, x: NodeId, axis: usize, before: impl Into<Size>, len: Size) -> NodeId {
        let before = before.into();
        let ty = resized(self.ty(x), axis, len);
        if before == Size::default() && *self.ty(x) == ty {
            return x;
        }
        self.view(View::Pad { axis, before }, x, ty)
    }

    /// The arguments one after the other along an axis.
    pub fn concat(&mut self, args: &[NodeId], axis: usize) -> NodeId {
        if let [one] = args {
            return *one;
        }
        let len = args.iter().fold(Size::default(), |sum, arg| &sum + &self.ty(*arg).shape()[axis]);
        let ty = resized(self.ty(args[0]), axis, len);
        self.push(Kind::View(View::Concat { axis }), args.to_vec(), ty)
    }

    /// Overlapping pieces of an axis: see [`View::Window`]. `None` where no piece fits, or where the number of
    /// pieces is not known for every value of the symbols.
    pub fn window(
        &mut self,
        x: NodeId,
        axis: usize,
        kernel: usize,
        stride: usize,
        dilation: usize,
    ) -> Option<NodeId> {
        let ty = windowed_type(self.ty(x), axis, kernel, stride, dilation)?;
        Some(self.view(View::Window { axis, kernel, stride, dilation }, x, ty))
    }

    /// The transpose of [`Graph::window`]: sums of overlapping pieces in an axis of `len` elements.
    pub fn fold(&mut self, x: NodeId, axis: usize, stride: usize, dilation: usize, len: Size) -> NodeId {
        let ty = folded_type(self.ty(x), axis, len);
        self.view(View::Fold { axis, stride, dilation }, x, ty)
    }

    /// The rows of the whole batch as feature axis 0, seen by every row.
    pub fn batch(&mut self, x: NodeId) -> NodeId {
        let ty = Type { rows: vec![], features: self.ty(x).shape() };
        self.view(View::Batch, x, ty)
    }

    /// Row `b` takes element `b` of feature axis 0.
    pub fn unbatch(&mut self, x: NodeId) -> NodeId {
        let ty = typed(self.ty(x).features.clone(), 1);
        self.view(View::Unbatch, x, ty)
    }

    /// The triangular factors of matrices without rows, `[s…, m, n]`.
    pub fn triangular_factor(&mut self, x: NodeId) -> NodeId {
        let ty = factor_type(self.ty(x));
        self.push(Kind::TriangularFactor, vec![x], ty)
    }

    /// The value, without its derivative.
    pub fn stop_gradient(&mut self, x: NodeId) -> NodeId {
        let ty = self.ty(x).clone();
        self.push(Kind::StopGradient, vec![x], ty)
    }

    /// An einsum; the first `rows` labels of `output` are rows of the result.
    pub fn contract(
        &mut self,
        inputs: Vec<Vec<u32>>,
        args: &[NodeId],
        output: Vec<u32>,
        rows: usize,
    ) -> NodeId {
        let size = |label: &u32| {
            let place = inputs.iter().zip(args).find_map(|(labels, arg)| {
                labels.iter().position(|l| l == label).map(|axis| self.ty(*arg).shape()[axis].clone())
            });
            place.unwrap_or_else(|| unreachable!("label {label} of the result is in no argument"))
        };
        let ty = typed(output.iter().map(size).collect(), rows);
        self.push(Kind::Contract { inputs, output }, args.to_vec(), ty)
    }
}

pub use index::{gathered_type, scattered_type};

/// A shape whose first `rows` axes are rows.
pub fn typed(mut shape: Vec<Size>, rows: usize) -> Type {
    let features = shape.split_off(rows);
    Type { rows: shape, features }
}

/// The type of the triangular factors of matrices.
pub fn factor_type(ty: &Type) -> Type {
    let mut ty = ty.clone();
    if let [.., m, n] = ty.features.as_mut_slice() {
        *m = n.clone();
    }
    ty
}

/// The type with another size of one axis.
pub fn resized(ty: &Type, axis: usize, len: Size) -> Type {
    let mut shape = ty.shape();
    shape[axis] = len;
    typed(shape, ty.rows.len())
}

/// How many pieces of `kernel` elements, `dilation` apart, fit into `n` elements, one every `stride`. `None` where
/// none does, or where symbols leave it open.
pub fn pieces(n: &Size, kernel: usize, stride: usize, dilation: usize) -> Option<Size> {
    let span = dilation.checked_mul(kernel.checked_sub(1)?)?.checked_add(1)?;
    match n.value() {
        Some(n) => Some(Size::known(n.checked_sub(span)?.checked_div(stride)? + 1)),
        None => {
            let rest = n - &Size::known(span);
            Some(&rest.floor_divided(i64::try_from(stride).ok()?)? + &Size::known(1))
        }
    }
}

/// The type of a `Window`.
pub fn windowed_type(ty: &Type, axis: usize, kernel: usize, stride: usize, dilation: usize) -> Option<Type> {
    let mut shape = ty.shape();
    let out = pieces(&shape[axis], kernel, stride, dilation)?;
    shape.splice(axis..=axis, [out, Size::known(kernel)]);
    Some(typed(shape, ty.rows.len()))
}

/// The type of a `Fold` into `len` elements.
pub fn folded_type(ty: &Type, axis: usize, len: Size) -> Type {
    let mut shape = ty.shape();
    shape.splice(axis..=axis + 1, [len]);
    typed(shape, ty.rows.len())
}

/// The type without `axes`; without the batch's axis there are no rows.
pub fn reduced_type(ty: &Type, axes: &[usize]) -> Type {
    let keep = |axis: &usize| !axes.contains(axis);
    let rows = if axes.contains(&0) { 0 } else { (0..ty.rows.len()).filter(keep).count() };
    let shape = ty.shape();
    typed((0..shape.len()).filter(keep).map(|axis| shape[axis].clone()).collect(), rows)
}
