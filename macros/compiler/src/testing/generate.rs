//! Random programs: every kind and every row, small sizes, values of order one.
//!
//! In: a seed. Out: a graph that `verify` accepts, with a loss, parameters and inputs. Never: the same program
//! for two seeds on purpose; a jump near a point where an exact and a rounded argument fall on two sides.

mod ending;
mod indices;
mod loops;
mod moves;

use super::Rng;
use crate::graph::*;
use crate::interp::Inputs;
use crate::ops::{Row, rows};
use crate::size::Size;

/// A program and something to run it on.
#[derive(Clone, Debug)]
pub struct Program {
    /// The graph; its last outputs are results and the next value of a state.
    pub graph: Graph,
    /// What it is run on.
    pub inputs: Inputs,
}

impl Program {
    /// Whether derivatives differ from differences: these see through `StopGradient`.
    pub fn is_frozen(&self) -> bool {
        self.graph.nodes.iter().any(|node| node.kind == Kind::StopGradient)
    }
}

/// Rows that jump: their arguments are kept away from round numbers.
const JUMPS: [&str; 10] = ["sign", "floor", "round", "lt", "le", "gt", "ge", "eq", "ne", "select"];

/// The program of a seed: about `steps` random nodes over three inputs, three parameters, one state and one
/// hyperparameter; one `Loss`, one `Metric`, three `Result`s and the state's next value.
pub fn program(seed: u64, steps: usize) -> Program {
    let (graph, pool, indices) = (Graph::default(), Vec::new(), Vec::new());
    let mut make = Maker { rng: Rng(seed), graph, pool, indices, inside: false };
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
    /// Positions: kept apart, because nothing computes with them.
    indices: Vec<NodeId>,
    /// Whether this is the step of a loop, where rows do not meet.
    inside: bool,
}

const BATCH: usize = 3;
const T: usize = 2;
/// The parameter that is a state.
const STATE: usize = 3;

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
            self.graph.inputs.push(InputDecl { name: format!("x{index}"), ty: ty.clone(), index: false });
            let id = self.graph.push(Kind::Input(index), vec![], ty);
            self.pool.push(id);
        }
        for index in 0..4 {
            let ty = Type { rows: vec![], features: self.features() };
            let data = self.data(&ty);
            inputs.params.push(data);
            let path = format!("net.p{index}");
            let param = ParamDecl {
                path,
                network: 0,
                ty: ty.clone(),
                initial: Initial::Normal(1.0),
                state: index == STATE,
            };
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

    /// An argument: rather a late one, so that views of views and sums of products come about.
    fn any(&mut self) -> NodeId {
        let count = match self.rng.below(10) {
            0..=3 => 1,
            4..=6 => 6,
            _ => self.pool.len(),
        };
        let from = self.pool.len().saturating_sub(count);
        let at = from + self.rng.below(self.pool.len() - from);
        self.pool[at]
    }

    fn step(&mut self) -> NodeId {
        match self.rng.below(15) {
            13 | 14 => self.indexed(),
            0..=3 => self.map(),
            4 => self.reduce(),
            5..=7 => self.view(),
            8 | 9 => self.contract(),
            10 => self.leaf(),
            11 => self.scan(),
            _ => {
                let x = self.any();
                match self.rng.below(4) {
                    0 => self.graph.stop_gradient(x),
                    1 => self.graph.identity(x),
                    2 => self.by_hand(x),
                    _ => self.squash(x, (-1.0, 1.0)),
                }
            }
        }
    }

    /// The product of two values, and their sum, with the derivative written out.
    fn by_hand(&mut self, x: NodeId) -> NodeId {
        let ty = self.graph.ty(x).clone();
        let other = self.any();
        let y = self.graph.broadcast_like(other, &ty).unwrap_or(x);
        let (product, sum) = (self.graph.mul(x, y), self.graph.add(x, y));
        let zeros = self.graph.full(0.0, &ty);
        let adjoints = vec![self.graph.identity(zeros), self.graph.identity(zeros)];
        let shares = [y, x].map(|factor| {
            let share = self.graph.mul(adjoints[0], factor);
            self.graph.add(share, adjoints[1])
        });
        let results: Vec<NodeId> = [product, sum].map(|value| self.graph.identity(value)).to_vec();
        let result = self.rng.below(2);
        self.keep(results[1 - result]);
        let result = results[result];
        self.graph.by_hand.push(ByHand { results, args: vec![x, y], adjoints, shares: shares.to_vec() });
        result
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
        let first = usize::from(!self.graph.ty(x).rows.is_empty() && (self.inside || self.rng.chance(0.85)));
        let axes: Vec<usize> = (first..rank).filter(|_| self.rng.chance(0.6)).collect();
        let largest = self.rng.chance(0.3);
        let reduction = if largest { Reduction::Max } else { Reduction::Sum };
        self.graph.reduce(reduction, x, &axes)
    }

    fn leaf(&mut self) -> NodeId {
        let like = self.any();
        let ty = self.graph.ty(like).clone();
        match self.rng.below(6) {
            5 => {
                let size = self.length();
                self.graph.iota(size)
            }
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
}
