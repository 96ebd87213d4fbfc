//! The rules of nodes that make, follow or fill by an index.
//!
//! In: such a node. Out: a complaint, or nothing. Never: a look at what an index holds.

use super::{Rule, ensure};
use crate::build::{gathered_type, resized, scattered_type};
use crate::graph::*;

pub(super) fn check(graph: &Graph, node: &Node) -> Rule {
    let should = |ty: Type| ensure(ty == node.ty, || format!("the type should be {ty}"));
    let from = graph.ty(node.args[0]);
    let shared = match node.kind {
        Kind::TopK { .. } => {
            let (Some(n), Some(k)) = (from.features.last(), node.ty.features.last()) else {
                return Err("it needs a feature axis".into());
            };
            ensure(k.value().zip(n.value()).is_none_or(|(k, n)| k <= n), || format!("the first {k} of {n}"))?;
            return should(resized(from, from.rank() - 1, k.clone()));
        }
        Kind::Gather { shared } | Kind::Scatter { shared } => shared,
        _ => return Ok(()),
    };
    ensure(graph.is_index(node.args[1]), || "the second argument is no index".into())?;
    let index = graph.ty(node.args[1]);
    let common = |from: &Type| from.shape().get(..shared) == index.shape().get(..shared);
    let leads = shared >= index.rows.len();
    if matches!(node.kind, Kind::Gather { .. }) {
        ensure(from.rank() > shared && common(from), || format!("{index} does not choose from {from}"))?;
        let rows = match (from.rows.is_empty(), index.rows.is_empty()) {
            (true, false) => shared == 0,
            (false, _) => from.rows == index.rows && leads,
            (true, true) => true,
        };
        ensure(rows, || "rows of a table that are not those of the index".into())?;
        return should(gathered_type(from, index, shared));
    }
    let whole = index.shape();
    ensure(from.rows == index.rows, || "values and index have other rows".into())?;
    ensure(from.shape().get(..whole.len()) == Some(&whole), || format!("{index} does not place {from}"))?;
    ensure(shared <= whole.len() && (shared == 0 || leads), || "rows are partly shared".into())?;
    let Some(n) = node.ty.shape().get(shared).cloned() else { return Err("it has no axis to fill".into()) };
    should(scattered_type(from, index, shared, n))
}
