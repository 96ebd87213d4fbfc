//! The rules of a loop.
//!
//! In: a scan and its arguments. Out: a complaint. Never: a rule of the nodes inside; those are the graph's.

use super::{Rule, ensure};
use crate::graph::*;

/// Whether the body is a step of these arguments, and rows do not meet in it.
pub(super) fn check_scan(graph: &Graph, node: &Node, scan: &Scan, result: ScanResult) -> Rule {
    let body = &scan.body;
    let given = scan.carries + scan.sequences;
    ensure(given <= body.inputs.len() && scan.carries <= body.outputs.len(), || {
        "the step lacks an input or an output".into()
    })?;
    for (at, (input, arg)) in body.inputs.iter().zip(&node.args).enumerate() {
        let sequence = (scan.carries..given).contains(&at);
        let ty = if sequence { scan.stacked(&input.ty) } else { input.ty.clone() };
        ensure(ty == *graph.ty(*arg), || format!("argument {at} is {}, and should be {ty}", graph.ty(*arg)))?;
    }
    for (at, output) in body.outputs.iter().enumerate() {
        ensure(output.role == Role::Result(at), || format!("output {at} of the step is {:?}", output.role))?;
    }
    for (input, output) in body.inputs.iter().zip(&body.outputs).take(scan.carries) {
        let next = body.ty(output.node);
        ensure(*next == input.ty, || format!("a carry changes from {} to {next}", input.ty))?;
    }
    let outside = body
        .nodes
        .iter()
        .find(|step| matches!(step.kind, Kind::Param(_) | Kind::Hyper(_) | Kind::Random { .. }));
    ensure(outside.is_none(), || "a step has a parameter or a random number of its own".into())?;
    crate::verify::verify(body, "a step of the loop")?;
    rows_stay(scan)?;
    let ty = scan.result_type(result).ok_or("the loop has no such result")?;
    ensure(ty == node.ty, || format!("the type should be {ty}"))
}

/// What depends on a carry has rows where the carries have them, and none where they have none.
fn rows_stay(scan: &Scan) -> Rule {
    let body = &scan.body;
    let has_rows = |ty: &Type| !ty.rows.is_empty();
    let carries = &body.inputs[..scan.carries];
    let rows = carries.iter().any(|input| has_rows(&input.ty));
    ensure(carries.iter().all(|input| has_rows(&input.ty) == rows), || {
        "some carries have rows, and some have none".into()
    })?;
    let mut carried: Vec<bool> = Vec::with_capacity(body.nodes.len());
    for step in &body.nodes {
        carried.push(match step.kind {
            Kind::Input(index) => index < scan.carries,
            _ => step.args.iter().any(|arg| carried[arg.index()]),
        });
        let crosses = carried.last() == Some(&true) && has_rows(&step.ty) != rows;
        ensure(!crosses, || format!("rows meet in a step, in {:?}", step.kind))?;
    }
    Ok(())
}
