//! The meaning of a graph: a slow, obvious interpreter in f64. Every emitter and every pass is tested
//! against it.
//!
//! In: a graph, sizes, inputs, parameters. Out: the value of every node, each element with its `scale`.
//! Never: speed; a shortcut that an emitter also takes.
//!
//! The *scale* of an element is what its rounding error is measured by: Σ|terms| for sums, and
//! |f| + Σ|∂f/∂xᵢ|·scaleᵢ for maps. The error of a reasonable evaluation is a small multiple of ε · scale.

mod index;
mod product;
mod random;
mod scan;
mod slopes;
mod views;

use std::collections::HashMap;

use crate::graph::*;
use crate::ops::Row;
use crate::size::Size;
use slopes::Slopes;

/// What a program is run on.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The values of the symbols; `B` is the number of rows.
    pub symbols: HashMap<String, usize>,
    /// The arguments, each row-major.
    pub inputs: Vec<Vec<f64>>,
    /// The parameters, each row-major.
    pub params: Vec<Vec<f64>>,
    /// The hyperparameters.
    pub hypers: Vec<f64>,
    /// The seed of the random streams.
    pub seed: u64,
    /// The step of the random streams.
    pub step: u64,
    /// The number of the first row, for the random streams of a part of a batch.
    pub first_row: usize,
}

impl Inputs {
    /// The value of a size.
    pub fn size(&self, size: &Size) -> Result<usize, String> {
        match size.symbols().find(|symbol| !self.symbols.contains_key(*symbol)) {
            Some(symbol) => Err(format!("the size {symbol} has no value")),
            None => Ok(size.evaluate(&|symbol| self.symbols[symbol])),
        }
    }
}

/// The value of a node.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Value {
    /// Rows and features.
    pub shape: Vec<usize>,
    /// The elements, row-major.
    pub data: Vec<f64>,
    /// What each element's rounding error is measured by; never below its magnitude.
    pub scale: Vec<f64>,
}

impl Value {
    fn exact(shape: Vec<usize>, data: Vec<f64>) -> Self {
        let scale = data.iter().map(|x| x.abs()).collect();
        Value { shape, data, scale }
    }

    /// The value of a scalar, or the first element.
    pub fn number(&self) -> f64 {
        self.data.first().copied().unwrap_or(f64::NAN)
    }
}

/// The values of all nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Values(Vec<Value>);

impl std::ops::Index<NodeId> for Values {
    type Output = Value;
    fn index(&self, id: NodeId) -> &Value {
        &self.0[id.index()]
    }
}

/// Evaluates every node.
///
/// # Errors
/// Where an input, a parameter or a symbol is missing, or has another number of elements than its type.
pub fn interpret(graph: &Graph, inputs: &Inputs) -> Result<Values, String> {
    let mut run = Run { inputs, slopes: &mut Slopes::default(), given: None, loops: Vec::new() };
    Ok(Values(run.all(graph)?))
}

/// A graph being evaluated.
struct Run<'a> {
    inputs: &'a Inputs,
    slopes: &'a mut Slopes,
    /// Inside a loop: the values of the step's inputs.
    given: Option<&'a [Value]>,
    loops: Vec<scan::Loop>,
}

impl Run<'_> {
    fn all(&mut self, graph: &Graph) -> Result<Vec<Value>, String> {
        let mut values: Vec<Value> = Vec::with_capacity(graph.nodes.len());
        for id in graph.ids() {
            let value = match (&graph.node(id).kind, self.given) {
                (Kind::Input(index), Some(given)) => {
                    given.get(*index).ok_or("a step lacks an input")?.clone()
                }
                (Kind::Scan { scan, result }, _) => {
                    self.scan(scan, *result, &graph.node(id).args, &values)?
                }
                _ => evaluate(graph, id, self.inputs, &values, self.slopes)?,
            };
            debug_assert_eq!(value.data.len(), elements(&value.shape), "%{}", id.0);
            values.push(value);
        }
        Ok(values)
    }
}

fn evaluate(
    graph: &Graph,
    id: NodeId,
    inputs: &Inputs,
    values: &[Value],
    slopes: &mut Slopes,
) -> Result<Value, String> {
    let node = graph.node(id);
    let shape = node.ty.shape().iter().map(|size| inputs.size(size)).collect::<Result<Vec<_>, _>>()?;
    let args: Vec<&Value> = node.args.iter().map(|arg| &values[arg.index()]).collect();
    let given = |data: Option<&Vec<f64>>, what: &str, index: usize| match data {
        None => Err(format!("{what} {index} is missing")),
        Some(data) if data.len() != elements(&shape) => {
            Err(format!("{what} {index} has {} elements; {} needs {}", data.len(), node.ty, elements(&shape)))
        }
        Some(data) => Ok(Value::exact(shape.clone(), data.clone())),
    };
    Ok(match &node.kind {
        Kind::Input(index) => given(inputs.inputs.get(*index), "input", *index)?,
        Kind::Param(index) => given(inputs.params.get(*index), "parameter", *index)?,
        Kind::Hyper(index) => {
            given(inputs.hypers.get(*index).map(|x| vec![*x]).as_ref(), "hyperparameter", *index)?
        }
        Kind::Const(Constant::Number(x)) => Value::exact(shape, vec![*x]),
        Kind::Const(Constant::Size(size)) => Value::exact(shape, vec![inputs.size(size)? as f64]),
        Kind::Const(Constant::Delta) => {
            let at = |index: &[usize]| f64::from(index[0] == index[1]);
            Value::exact(shape.clone(), indices(&shape).map(|index| at(&index)).collect())
        }
        Kind::Const(Constant::Iota) => {
            let count = elements(&shape);
            Value::exact(shape, (0..count).map(|i| i as f64).collect())
        }
        Kind::Random { distribution, site } => {
            let count = elements(&shape);
            let row = if node.ty.rows.is_empty() { 0 } else { count / shape[0].max(1) };
            let start = (inputs.first_row * row) as u64;
            let draw = |e| random::draw(*distribution, inputs.seed, inputs.step, *site, start + e);
            Value::exact(shape, (0..count as u64).map(draw).collect())
        }
        Kind::Map(row) => map(*row, shape, &args, slopes),
        Kind::Reduce { reduction, axes } => reduce(*reduction, axes, shape, args[0]),
        Kind::View(view) => views::view(view, shape, &args, inputs)?,
        Kind::Contract { inputs, output } => product::contract(inputs, output, shape, &args),
        Kind::TopK { largest } => index::top_k(*largest, shape, args[0]),
        Kind::Gather { shared } => index::gather(*shared, shape, args[0], args[1]),
        Kind::Scatter { shared } => index::scatter(*shared, shape, args[0], args[1]),
        Kind::TriangularFactor => product::triangular_factor(shape, args[0]),
        Kind::StopGradient => args[0].clone(),
        Kind::Scan { .. } => return Err("a loop is run by its graph".into()),
    })
}

/// How much larger than itself the scale of a value is that came about by cancellation.
const CANCELLED: f64 = 1e3;
/// The rounding error of an f32, as a part of its scale.
const ROUNDING: f64 = 1e-6;

fn map(row: Row, shape: Vec<usize>, args: &[&Value], slopes: &mut Slopes) -> Value {
    let mut out = Value { shape, ..Value::default() };
    for e in 0..args[0].data.len() {
        let x: Vec<f64> = args.iter().map(|arg| arg.data[e]).collect();
        let y = (row.eval)(&x);
        let mut scale = y.abs();
        let mut steep = slopes.at(row, &x);
        // Where an argument cancelled, its rounding error is larger than itself, and a slope that happens to be 0
        // at the exact value says nothing: the square of such a zero is the square of an error.
        if x.iter().zip(args).any(|(x, arg)| arg.scale[e] > CANCELLED * x.abs()) {
            let beside: Vec<f64> = x.iter().zip(args).map(|(x, arg)| x + ROUNDING * arg.scale[e]).collect();
            for (slope, near) in steep.iter_mut().zip(slopes.at(row, &beside)) {
                if *slope == 0.0 {
                    *slope = near;
                }
            }
        }
        for (slope, arg) in steep.into_iter().zip(args) {
            // Infinite slopes of exact zeros (√0 of a zero) say nothing about rounding.
            if arg.scale[e] > 0.0 {
                scale += slope.abs() * arg.scale[e];
            }
        }
        out.data.push(y);
        out.scale.push(scale);
    }
    out
}

fn reduce(reduction: Reduction, axes: &[usize], shape: Vec<usize>, arg: &Value) -> Value {
    let count = elements(&shape);
    let start = match reduction {
        Reduction::Sum => 0.0,
        Reduction::Max => f64::NEG_INFINITY,
    };
    let mut out = Value { data: vec![start; count], scale: vec![0.0; count], shape };
    for (e, index) in indices(&arg.shape).enumerate() {
        let kept: Vec<usize> = (0..index.len()).filter(|a| !axes.contains(a)).map(|a| index[a]).collect();
        let to = position(&kept, &out.shape);
        match reduction {
            Reduction::Sum => {
                out.data[to] += arg.data[e];
                out.scale[to] += arg.scale[e];
            }
            Reduction::Max => {
                // A NaN stays.
                if arg.data[e] > out.data[to] || arg.data[e].is_nan() {
                    out.data[to] = arg.data[e];
                }
                out.scale[to] = out.scale[to].max(arg.scale[e]);
            }
        }
    }
    out
}

/// The number of elements of a shape.
fn elements(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// All index tuples of a shape, the last axis fastest.
fn indices(shape: &[usize]) -> impl Iterator<Item = Vec<usize>> + use<> {
    let shape = shape.to_vec();
    (0..elements(&shape)).map(move |mut e| {
        let mut index = vec![0; shape.len()];
        for axis in (0..shape.len()).rev() {
            index[axis] = e % shape[axis];
            e /= shape[axis];
        }
        index
    })
}

/// Where an index tuple lies in row-major order.
fn position(index: &[usize], shape: &[usize]) -> usize {
    index.iter().zip(shape).fold(0, |e, (i, n)| e * n + i)
}
