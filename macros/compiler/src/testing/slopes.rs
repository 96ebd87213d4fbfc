//! The gradients of random programs against central differences.
//!
//! In: a seed. Out: how many slopes agree, or the first that does not. Never: a program with `StopGradient`, through which
//! differences see.

use super::{is_slope, program};
use crate::autodiff::differentiate_loss;
use crate::graph::Role;
use crate::interp::interpret;
use crate::verify::verify;

/// The elements of a gradient that are compared.
const ELEMENTS: usize = 3;

/// Compares the gradient of the loss of a seed for some elements of each parameter; how many.
///
/// # Errors
/// The first slope that is not its difference; a graph that `verify` refuses.
pub fn gradients(seed: u64, steps: usize) -> Result<usize, String> {
    let made = program(seed, steps);
    verify(&made.graph, "generate")?;
    let mut graph = made.graph.clone();
    differentiate_loss(&mut graph);
    verify(&graph, "autodiff")?;
    let loss = graph.outputs.iter().find(|output| output.role == Role::Loss).map(|output| output.node);
    let Some(loss) = loss.filter(|_| !made.is_frozen()) else { return Ok(0) };
    let values = interpret(&graph, &made.inputs)?;
    let mut compared = 0;
    for output in &graph.outputs {
        let Role::Gradient(param) = output.role else { continue };
        let gradient = &values[output.node];
        for e in 0..gradient.data.len().min(ELEMENTS) {
            let (slope, scale) = (gradient.data[e], gradient.scale[e]);
            // The program without its gradient has the same loss, and is less work.
            is_slope(&made.graph, &made.inputs, loss, slope, scale, |inputs| &mut inputs.params[param][e])
                .map_err(|error| format!("parameter {param}, element {e}: {error}"))?;
            compared += 1;
        }
    }
    Ok(compared)
}
