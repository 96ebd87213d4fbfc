//! Passes: the same meaning, cheaper.
//!
//! In: a graph. Out: a new graph with the same inputs, parameters and outputs. Never: a change of meaning
//! beyond rounding; a look at the machine.

mod contract;
mod simplify;
mod sparse;

pub use contract::contract;
pub use simplify::simplify;
pub use sparse::sparse;

use std::collections::HashMap;

use crate::graph::*;
use crate::print::live;

/// From a graph to one that means the same.
pub type Pass = fn(&Graph) -> Graph;

/// The passes after differentiation, in their order, by name.
pub const ALL: [(&str, Pass); 3] = [("simplify", simplify), ("contract", contract), ("sparse", sparse)];

/// The graph without the nodes that no output needs.
pub fn sweep(graph: &Graph) -> Graph {
    let mut swept = without_nodes(graph);
    let mut moved: HashMap<NodeId, NodeId> = HashMap::new();
    let live = live(graph);
    for id in graph.ids().filter(|id| live[id.index()]) {
        let mut node = graph.node(id).clone();
        node.args.iter_mut().for_each(|arg| *arg = moved[arg]);
        moved.insert(id, NodeId(swept.nodes.len() as u32));
        swept.nodes.push(node);
    }
    swept.outputs.iter_mut().for_each(|output| output.node = moved[&output.node]);
    swept
}

/// Everything but the nodes; the outputs still name the old ones.
fn without_nodes(graph: &Graph) -> Graph {
    Graph {
        nodes: Vec::new(),
        inputs: graph.inputs.clone(),
        params: graph.params.clone(),
        networks: graph.networks.clone(),
        hypers: graph.hypers.clone(),
        outputs: graph.outputs.clone(),
        // No pass after `autodiff` asks how a value is differentiated.
        by_hand: Vec::new(),
        sites: graph.sites,
        origin: graph.origin.clone(),
    }
}
