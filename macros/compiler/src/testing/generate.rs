//! Random programs: every kind and every row, small sizes, values of order one.
//!
//! In: a seed. Out: a graph that `verify` accepts, with a loss, parameters and inputs. Never: the same program
//! for two seeds on purpose; a jump near a point where an exact and a rounded argument fall on two sides.

use super::Rng;
use crate::graph::*;
use crate::interp::Inputs;
use crate::ops::{Row, rows};
use crate::size::Size;

/// A program and something to run it on.
#[derive(Clone, Debug)]
pub struct Program {
    /// The graph; its last outputs are results.
    pub graph: Graph,
    /// What it is run on.
    pub inputs: Inputs,
}

/// Rows that jump: their arguments are kept away from round numbers.
const JUMPS: [&str; 10] = ["sign", "floor", "round", "lt", "le", "gt", "ge", "eq", "ne", "select"];

/// The program of a seed: about `steps` random nodes over three inputs, three parameters and one
/// hyperparameter; one `Loss`, one `Metric` and three `Result`s.
pub fn program(seed: u64, steps: usize) -> Program {
    let mut make = Maker { rng: Rng(seed), graph: Graph::default(), pool: Vec::new() };
    let inputs = make.leaves();
    for _ in 0..steps {
        let node = make.step();
        make.keep(node);
    }
    make.finish();
    Program { graph: make.graph, inputs }
}

struct Maker {
    rng: Rng,
    graph: Graph,
    pool: Vec<NodeId>,
}

const BATCH: usize = 3;
const T: usize = 2;

impl Maker {
    fn leaves(&mut self) -> Inputs {
        let mut inputs = Inputs {
            symbols: [("B".to_owned(), BATCH), ("T".to_owned(), T)].into(),
            seed: self.rng.bits(),
            step: 3,
            ..Inputs::default()
        };
        let network = NetworkDecl { name: "net".into(), id: "net".into(), routes: Vec::new(), trained: true };
        self.graph.networks.push(network);
        for index in 0..3 {
            let ty = Type { rows: vec![Size::batch()], features: self.features() };
            let data = self.data(&ty);
            inputs.inputs.push(data);
            self.graph.inputs.push(InputDecl { name: format!("x{index}"), ty: ty.clone() });
            let id = self.graph.push(Kind::Input(index), vec![], ty);
            self.pool.push(id);
        }
        for index in 0..3 {
            let ty = Type { rows: vec![], features: self.features() };
            let data = self.data(&ty);
            inputs.params.push(data);
            let path = format!("net.p{index}");
            let param = ParamDecl { path, network: 0, ty: ty.clone(), initial: Initial::Normal(1.0) };
            self.graph.params.push(param);
            let id = self.graph.push(Kind::Param(index), vec![], ty);
            self.pool.push(id);
        }
        self.graph.hypers.push(HyperDecl { name: "lambda".into(), default: Some(0.5) });
        inputs.hypers.push(self.rng.between(0.3, 1.5));
        let id = self.graph.push(Kind::Hyper(0), vec![], Type::scalar());
        self.pool.push(id);
        inputs
    }

    fn length(&mut self) -> Size {
        match self.rng.below(8) {
            0 => Size::known(1),
            1 | 2 => Size::symbol("T"),
            3..=5 => Size::known(3),
            _ => Size::known(2),
        }
    }

    fn features(&mut self) -> Vec<Size> {
        (0..1 + self.rng.below(2)).map(|_| self.length()).collect()
    }

    fn elements(&self, ty: &Type) -> usize {
        ty.elements().evaluate(&|symbol| if symbol == "B" { BATCH } else { T })
    }

    fn data(&mut self, ty: &Type) -> Vec<f64> {
        (0..self.elements(ty)).map(|_| self.rng.between(-1.5, 1.5)).collect()
    }

    /// Keeps small values as arguments of later ones.
    fn keep(&mut self, node: NodeId) {
        if self.elements(self.graph.ty(node)) <= 300 && self.graph.ty(node).rank() <= 5 {
            self.pool.push(node);
        }
    }

    /// An argument: rather a late one.
    fn any(&mut self) -> NodeId {
        let late = self.rng.chance(0.6);
        let from = if late { self.pool.len().saturating_sub(6) } else { 0 };
        let at = from + self.rng.below(self.pool.len() - from);
        self.pool[at]
    }

    fn step(&mut self) -> NodeId {
        match self.rng.below(12) {
            0..=3 => self.map(),
            4 => self.reduce(),
            5..=7 => self.view(),
            8 | 9 => self.contract(),
            10 => self.leaf(),
            _ => {
                let x = self.any();
                match self.rng.below(3) {
                    0 => self.graph.stop_gradient(x),
                    1 => self.graph.identity(x),
                    _ => self.squash(x, (-1.0, 1.0)),
                }
            }
        }
    }

    /// Into an interval, smoothly.
    fn squash(&mut self, x: NodeId, (low, high): (f64, f64)) -> NodeId {
        let unit = self.graph.row("tanh", &[x]);
        let spread = self.graph.scale(unit, 0.5 * (high - low));
        self.graph.offset(spread, 0.5 * (high + low))
    }

    fn map(&mut self) -> NodeId {
        let table: Vec<Row> = rows().collect();
        // Products and sums are what the passes rewrite.
        let row = if self.rng.chance(0.4) {
            let name = *self.rng.pick(&["mul", "add", "sub", "square", "neg", "mul"]);
            Row::named(name).unwrap_or(table[0])
        } else {
            *self.rng.pick(&table)
        };
        let first = self.any();
        let ty = self.graph.ty(first).clone();
        let mut args = vec![first];
        while args.len() < row.arity {
            let other = self.any();
            let fitting = self.graph.broadcast_like(other, &ty);
            args.push(match fitting {
                Some(fitting) => fitting,
                None if self.rng.chance(0.5) => first,
                None => {
                    let number = *self.rng.pick(&[0.0, 1.0, -1.0, 2.0, 0.5, 0.7]);
                    self.graph.full(number, &ty)
                }
            });
        }
        let tame = ["add", "sub", "mul", "neg", "square", "relu", "abs", "max", "min"].contains(&row.name);
        for (arg, domain) in args.iter_mut().zip(row.domain) {
            if !tame || self.rng.chance(0.3) {
                *arg = self.squash(*arg, *domain);
            }
        }
        if JUMPS.contains(&row.name) {
            args[0] = self.graph.offset(args[0], 0.123_456_7);
        }
        self.graph.map(row, &args)
    }

    fn reduce(&mut self) -> NodeId {
        let x = self.any();
        let rank = self.graph.ty(x).rank();
        let first = usize::from(!self.graph.ty(x).rows.is_empty() && self.rng.chance(0.85));
        let axes: Vec<usize> = (first..rank).filter(|_| self.rng.chance(0.6)).collect();
        let largest = self.rng.chance(0.3);
        let reduction = if largest { Reduction::Max } else { Reduction::Sum };
        self.graph.reduce(reduction, x, &axes)
    }

    fn view(&mut self) -> NodeId {
        let x = self.any();
        let ty = self.graph.ty(x).clone();
        let (rows, rank, shape) = (ty.rows.len(), ty.rank(), ty.shape());
        let axis = (rank > rows).then(|| rows + self.rng.below(rank - rows));
        let known = axis.and_then(|axis| shape[axis].value().map(|n| (axis, n)));
        match (self.rng.below(9), known) {
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
                let row = rows > 0 && self.rng.chance(0.3);
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
            (7, _) if rows == 1 => self.graph.batch(x),
            (7 | 8, _) if rows == 0 && shape.first() == Some(&Size::batch()) => self.graph.unbatch(x),
            _ => self.graph.identity(x),
        }
    }

    fn contract(&mut self) -> NodeId {
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
        let batched = args.iter().any(|arg| !self.graph.ty(*arg).rows.is_empty()) && self.rng.chance(0.9);
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

    fn leaf(&mut self) -> NodeId {
        let like = self.any();
        let ty = self.graph.ty(like).clone();
        match self.rng.below(5) {
            0 => self.graph.random(Distribution::Normal, ty),
            1 => self.graph.random(Distribution::Uniform, ty),
            2 => {
                let size = self.length();
                self.graph.delta(size)
            }
            3 => self.graph.size(Size::batch()),
            _ => {
                let number = *self.rng.pick(&[0.0, 1.0, -1.0, 0.3]);
                self.graph.full(number, &ty)
            }
        }
    }

    /// The loss takes the last values into account, each squashed; then every value ever made has a part.
    fn finish(&mut self) {
        let mut loss = self.graph.number(0.0);
        let late: Vec<NodeId> = self.pool.iter().rev().take(8).copied().collect();
        for node in late {
            let calm = self.squash(node, (-1.0, 1.0));
            let rank = self.graph.ty(calm).rank();
            let sum = self.graph.mean(calm, &(0..rank).collect::<Vec<_>>());
            loss = self.graph.add(loss, sum);
        }
        self.graph.outputs.push(Output { role: Role::Loss, node: loss });
        let metric = self.graph.square(loss);
        self.graph.outputs.push(Output { role: Role::Metric("square".into()), node: metric });
        let results: Vec<NodeId> = self.pool.iter().rev().take(3).copied().collect();
        for (index, node) in results.into_iter().enumerate() {
            self.graph.outputs.push(Output { role: Role::Result(index), node });
        }
    }
}
