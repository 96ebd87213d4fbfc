//! What a program declares: its parameters, networks and arguments, and what it hands out.
//!
//! In: nothing. Out: names and types. Never: a value.

use super::{NodeId, Type};
use crate::size::Size;

/// How a parameter starts. Values are drawn by a stream seeded by (seed, path), so no order matters.
#[derive(Clone, Debug, PartialEq)]
pub enum Initial {
    /// Every element this value.
    Constant(f64),
    /// Normal with this standard deviation.
    Normal(f64),
    /// Uniform on (-a, a).
    Uniform(f64),
    /// He et al. 2015: uniform on ±√(6 / fan_in), fan_in the product of all axes but the last.
    Kaiming,
    /// Glorot and Bengio 2010: uniform on ±√(6 / (fan_in + fan_out)).
    Xavier,
    /// The default of dense layers: uniform on ±1/√fan_in of the layer's input.
    FanIn(Size),
    /// Orthonormal rows or columns (Saxe et al. 2014).
    Orthogonal,
}

/// A parameter of the program.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamDecl {
    /// The checkpoint's name: `encode.dense0.weight`.
    pub path: String,
    /// The network that owns it: an index into `Graph::networks`.
    pub network: usize,
    /// Its shape; no rows.
    pub ty: Type,
    /// Its first values.
    pub initial: Initial,
    /// Whether it is a state: no loss trains it, and `Role::State` replaces it after a step.
    pub state: bool,
}

/// A network that the program uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkDecl {
    /// Its name, the first part of its parameters' paths.
    pub name: String,
    /// The identity of the item that declares it.
    pub id: String,
    /// How the generated code reaches its type: callee positions from the root, e.g. `[0, 2]`. Every way
    /// there, shortest first, at most 32.
    pub routes: Vec<Vec<usize>>,
    /// Whether the loss trains it.
    pub trained: bool,
}

/// An argument of the root.
#[derive(Clone, Debug, PartialEq)]
pub struct InputDecl {
    /// The name: a column of the data.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Whether its values are positions, not numbers.
    pub index: bool,
}

/// A scalar argument of the root.
#[derive(Clone, Debug, PartialEq)]
pub struct HyperDecl {
    /// The name: a field of the generated struct.
    pub name: String,
    /// Its default, where it has one.
    pub default: Option<f64>,
}

/// What the program hands out.
#[derive(Clone, Debug, PartialEq)]
pub enum Role {
    /// The loss: the mean over the batch, a `Scalar`.
    Loss,
    /// A named part of the loss: the mean over the batch, a `Scalar`.
    Metric(String),
    /// Element `index` of the returned tuple.
    Result(usize),
    /// The gradient of `Loss` for parameter `index`.
    Gradient(usize),
    /// What state `index` (a parameter) is after the step.
    State(usize),
    /// A value that `inspect` prints; the name.
    Inspect(String),
}

/// One output.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// What it is for.
    pub role: Role,
    /// Its value.
    pub node: NodeId,
}
