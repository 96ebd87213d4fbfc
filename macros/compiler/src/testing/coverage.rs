//! Names for what a graph can contain, so that tests can ask whether random programs contain it.
//!
//! In: a graph. Out: the names of its kinds and rows, those inside of loops too. Never: a wildcard; a new kind does not
//! compile until it has a name here.

use std::collections::BTreeMap;

use crate::graph::*;
use crate::ops::rows;

/// How many nodes of each name.
pub type Counts = BTreeMap<String, usize>;

/// A function from a kind to its name, and the list of all names but those of rows.
macro_rules! names {
    ($($name:literal => $kind:pat $(if $guard:expr)?,)*) => {
        /// All names of kinds but `Map`, in the order of `graph.rs`.
        pub const KINDS: &[&str] = &[$($name),*];

        fn name(kind: &Kind) -> &'static str {
            match kind {
                $($kind $(if $guard)? => $name,)*
                Kind::Map(row) => row.name,
            }
        }
    };
}

names! {
    "an input" => Kind::Input(_),
    "a parameter" => Kind::Param(_),
    "a hyperparameter" => Kind::Hyper(_),
    "a number" => Kind::Const(Constant::Number(_)),
    "a size" => Kind::Const(Constant::Size(_)),
    "an identity matrix" => Kind::Const(Constant::Delta),
    "places in order" => Kind::Const(Constant::Iota),
    "normal numbers" => Kind::Random { distribution: Distribution::Normal, .. },
    "uniform numbers" => Kind::Random { distribution: Distribution::Uniform, .. },
    "a sum" => Kind::Reduce { reduction: Reduction::Sum, .. },
    "a largest" => Kind::Reduce { reduction: Reduction::Max, .. },
    "a cut" => Kind::View(View::Identity),
    "a reshape" => Kind::View(View::Reshape),
    "a permutation" => Kind::View(View::Permute(_)),
    "a broadcast" => Kind::View(View::Broadcast(_)),
    "a slice from a size" => Kind::View(View::Slice { start, .. }) if start.value().is_none(),
    "a slice" => Kind::View(View::Slice { .. }),
    "a padding by a size" => Kind::View(View::Pad { before, .. }) if before.value().is_none(),
    "a padding" => Kind::View(View::Pad { .. }),
    "a concatenation" => Kind::View(View::Concat { .. }),
    "a window with strides" => Kind::View(View::Window { stride: 2.., .. }),
    "a window with dilation" => Kind::View(View::Window { dilation: 2.., .. }),
    "a window" => Kind::View(View::Window { .. }),
    "a fold with strides" => Kind::View(View::Fold { stride: 2.., .. }),
    "a fold with dilation" => Kind::View(View::Fold { dilation: 2.., .. }),
    "a fold" => Kind::View(View::Fold { .. }),
    "the batch as a feature" => Kind::View(View::Batch),
    "a feature as the batch" => Kind::View(View::Unbatch),
    "positions as numbers" => Kind::View(View::Number),
    "a diagonal" => Kind::Contract { inputs, .. } if inputs.iter().any(|list| repeats(list)),
    "a product of one" => Kind::Contract { inputs, .. } if inputs.len() == 1,
    "a product of two" => Kind::Contract { inputs, .. } if inputs.len() == 2,
    "a product of more" => Kind::Contract { .. },
    "the places of the largest" => Kind::TopK { largest: true },
    "the places of the smallest" => Kind::TopK { largest: false },
    "a choice from one table" => Kind::Gather { shared: 0 },
    "a choice from many tables" => Kind::Gather { .. },
    "a sum by index into one table" => Kind::Scatter { shared: 0 },
    "a sum by index into many tables" => Kind::Scatter { .. },
    "a triangular factor" => Kind::TriangularFactor,
    "a stopped gradient" => Kind::StopGradient,
    "a backward loop's steps" => Kind::Scan { scan, result: ScanResult::Stacked(_) } if scan.reverse,
    "a loop's steps" => Kind::Scan { result: ScanResult::Stacked(_), .. },
    "a loop's carries" => Kind::Scan { result: ScanResult::Previous(_), .. },
    "a loop's end" => Kind::Scan { result: ScanResult::Last(_), .. },
}

fn repeats(labels: &[u32]) -> bool {
    labels.iter().enumerate().any(|(at, label)| labels[..at].contains(label))
}

/// Counts the nodes that are `wanted`, by their index, and those of the steps of loops as "… in a step".
pub fn count(graph: &Graph, wanted: impl Fn(usize) -> bool, counts: &mut Counts) {
    for (_, node) in graph.nodes.iter().enumerate().filter(|(at, _)| wanted(*at)) {
        *counts.entry(name(&node.kind).to_owned()).or_default() += 1;
        if let Kind::Scan { scan, .. } = &node.kind {
            let mut inside = Counts::new();
            let every: fn(usize) -> bool = |_| true;
            count(&scan.body, every, &mut inside);
            for (name, number) in inside {
                *counts.entry(format!("{name} in a step")).or_default() += number;
            }
        }
    }
}

/// The names of all kinds and all rows.
pub fn all() -> Vec<&'static str> {
    KINDS.iter().copied().chain(rows().map(|row| row.name)).collect()
}
