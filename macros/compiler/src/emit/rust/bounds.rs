//! What the runtime must know of the indices that it is given.
//!
//! In: the graphs of a root. Out: for each input, the lengths of the axes that it is followed along. Never: a look
//! at computed positions; these are inside by what they are, or mean the last place.

use crate::graph::*;
use crate::size::Size;

/// For each input, every bound once.
pub(super) fn bounds<'g>(graphs: impl Iterator<Item = &'g Graph>) -> Vec<Vec<Size>> {
    let mut bounds: Vec<Vec<Size>> = Vec::new();
    for graph in graphs {
        bounds.resize(bounds.len().max(graph.inputs.len()), Vec::new());
        for node in &graph.nodes {
            let size = match node.kind {
                Kind::Gather { shared } => graph.ty(node.args[0]).shape().get(shared).cloned(),
                Kind::Scatter { shared } => node.ty.shape().get(shared).cloned(),
                _ => continue,
            };
            let Some(size) = size else { continue };
            follow(graph, node.args[1], &mut |input| {
                if let Some(known) = bounds.get_mut(input).filter(|known| !known.contains(&size)) {
                    known.push(size.clone());
                }
            });
        }
    }
    bounds
}

/// The inputs that positions come from.
fn follow(graph: &Graph, id: NodeId, found: &mut dyn FnMut(usize)) {
    let node = graph.node(id);
    match &node.kind {
        Kind::Input(input) => found(*input),
        Kind::View(View::Concat { .. }) => node.args.iter().for_each(|arg| follow(graph, *arg, found)),
        Kind::View(_) | Kind::StopGradient | Kind::Gather { .. } => follow(graph, node.args[0], found),
        _ => {}
    }
}
