//! Whether a program can be evaluated in pieces.
//!
//! In: the graph of evaluation. Out: whether the mean of its pieces is the whole's. Never: a look at numbers.

use crate::graph::*;

/// What a value knows of other rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Knows {
    /// Its own row at most.
    Itself,
    /// Sums over all rows, linearly: pieces add up.
    Sums,
    /// Other rows.
    Others,
}

/// Whether rows meet in more than the means of the loss and its parts.
pub(super) fn crosses(graph: &Graph) -> bool {
    let mut known: Vec<Knows> = Vec::with_capacity(graph.nodes.len());
    for id in graph.ids() {
        let knows = knows(graph, id, &known);
        known.push(knows);
    }
    graph.outputs.iter().any(|output| {
        let limit =
            if matches!(output.role, Role::Loss | Role::Metric(_)) { Knows::Sums } else { Knows::Itself };
        known[output.node.index()] > limit
    })
}

fn knows(graph: &Graph, id: NodeId, known: &[Knows]) -> Knows {
    let node = graph.node(id);
    let args: Vec<Knows> = node.args.iter().map(|arg| known[arg.index()]).collect();
    let most = args.iter().copied().max().unwrap_or(Knows::Itself);
    let sums = args.iter().filter(|knows| **knows == Knows::Sums).count();
    let rows = |id: &NodeId| !graph.ty(*id).rows.is_empty();
    let drops_rows = node.ty.rows.is_empty() && node.args.iter().any(rows);
    match &node.kind {
        Kind::View(View::Batch | View::Unbatch) => Knows::Others,
        Kind::Reduce { reduction: Reduction::Sum, .. } | Kind::Contract { .. } | Kind::Scatter { .. }
            if drops_rows =>
        {
            if most == Knows::Itself {
                Knows::Sums
            } else {
                Knows::Others
            }
        }
        Kind::Reduce { .. } if drops_rows => Knows::Others,
        _ if most == Knows::Itself || most == Knows::Others => most,
        // From here on some argument is a sum over all rows.
        _ if !node.ty.rows.is_empty() => Knows::Others,
        Kind::Map(row) => match row.name {
            "add" | "sub" | "neg" => Knows::Sums,
            "mul" if sums == 1 => Knows::Sums,
            "div" if args[1] == Knows::Itself => Knows::Sums,
            _ => Knows::Others,
        },
        Kind::Contract { .. } if sums == 1 => Knows::Sums,
        Kind::Reduce { reduction: Reduction::Sum, .. } | Kind::View(_) | Kind::StopGradient => Knows::Sums,
        _ => Knows::Others,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::size::Size;

    /// The verdict on a program over `x: Tensor<B, 3>` with this output.
    fn verdict(role: Role, make: impl FnOnce(&mut Graph, NodeId) -> NodeId) -> bool {
        let mut graph = Graph::default();
        let ty = Type { rows: vec![Size::batch()], features: vec![Size::known(3)] };
        let x = graph.push(Kind::Input(0), vec![], ty);
        let node = make(&mut graph, x);
        graph.outputs.push(Output { role, node });
        crosses(&graph)
    }

    #[test]
    fn means_add_up_and_what_is_made_of_them_does_not() {
        assert!(!verdict(Role::Loss, |g, x| g.mean(x, &[0, 1])));
        assert!(!verdict(Role::Result(0), |g, x| g.square(x)));
        assert!(verdict(Role::Result(0), |g, x| g.mean(x, &[0, 1])));
        assert!(verdict(Role::Result(0), |g, x| g.batch(x)));
        assert!(verdict(Role::Loss, |g, x| g.max(x, &[0, 1])));
        let squared = |g: &mut Graph, x| {
            let mean = g.mean(x, &[0, 1]);
            g.square(mean)
        };
        assert!(verdict(Role::Loss, squared));
        let scaled = |g: &mut Graph, x| {
            let mean = g.mean(x, &[0, 1]);
            g.scale(mean, 3.0)
        };
        assert!(!verdict(Role::Loss, scaled));
        let centred = |g: &mut Graph, x| {
            let (mean, ty) = (g.mean(x, &[0]), g.ty(x).clone());
            let mean = g.broadcast(mean, vec![None, Some(0)], ty);
            let rest = g.sub(x, mean);
            g.mean(rest, &[0, 1])
        };
        assert!(verdict(Role::Loss, centred));
    }
}
