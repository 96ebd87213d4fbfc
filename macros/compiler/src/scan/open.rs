//! A loop's step in the graph around it.
//!
//! In: a scan and its arguments. Out: the step's values on fresh places. Never: a loop; `build` makes one again.

use crate::graph::*;

/// A step on places of its own.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The first node that was made for it.
    pub first: NodeId,
    /// What stands for each carry.
    pub carries: Vec<NodeId>,
    /// What stands for a slice of each sequence.
    pub slices: Vec<NodeId>,
    /// The outputs of the step.
    pub outputs: Vec<NodeId>,
}

/// A node that nothing else is like: it stands for a value of this type.
pub fn place(graph: &mut Graph, ty: &Type) -> NodeId {
    let zeros = graph.full(0.0, ty);
    graph.identity(zeros)
}

/// Appends a step, with `constants` for what is the same in every step.
pub fn open(graph: &mut Graph, scan: &Scan, constants: &[NodeId]) -> Opened {
    let first = NodeId(graph.nodes.len() as u32);
    let given = scan.carries + scan.sequences;
    let mut inputs: Vec<NodeId> =
        scan.body.inputs.iter().take(given).map(|input| place(graph, &input.ty)).collect();
    inputs.extend(constants);
    let origin = graph.origin.clone();
    let mut map: Vec<NodeId> = Vec::with_capacity(scan.body.nodes.len());
    for node in &scan.body.nodes {
        graph.origin = node.origin.clone();
        map.push(match node.kind {
            Kind::Input(index) => inputs[index],
            _ => {
                let args = node.args.iter().map(|arg| map[arg.index()]).collect();
                graph.push(node.kind.clone(), args, node.ty.clone())
            }
        });
    }
    graph.origin = origin;
    let outputs = scan.body.outputs.iter().map(|output| map[output.node.index()]).collect();
    inputs.truncate(given);
    let slices = inputs.split_off(scan.carries);
    Opened { first, carries: inputs, slices, outputs }
}
