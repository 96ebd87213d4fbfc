//! From a graph to what a machine does: stages over row tiles, fused loops, products, buffers with places.
//!
//! In: a verified, simplified graph with its gradients. Out: a [`Schedule`]: segments in order, each loop
//! with its loads, operations and stores, each product with its strides, each buffer with its slot.
//! Never: a language; a decision that looks at anything but shapes.
//!
//! | room | what |
//! | - | - |
//! | `gather` | products with a common factor become one |
//! | `legal` | the graph that the rest expects: two factors a product, a copy for each output without a home |
//! | `region` | loops over steps, flattened into the legal graph |
//! | `view`, `written` | views folded into strides: of what is read, and of what is written |
//! | `product` | an einsum as m × n × k with strides, or as a loop |
//! | `level` | which segment a node belongs to |
//! | `fuse`, `turns`, `recompute` | loops with their items; loops over steps; what is cheaper computed again than stored |
//! | `lives`, `place` | buffers: liveness; slots, lanes |
//! | `assemble`, `collapse`, `interchange` | the final loops and products |
//! | `window` | sums over the batch through an index, as stages over what they fill |
//! | `spread` | large loops without rows as stages over their first axis |
//! | `aside` | matrices that are filled row by row and wanted the other way |
//! | `abreast` | rows of small images side by side |
//! | `panels` | weights in the order in which products read them |
//! | `kept` | products that write where the loop after them keeps the result |
//! | `touched` | what steps read and write |
//! | `print` | the plan in words |

mod abreast;
mod aside;
mod assemble;
mod body;
mod collapse;
mod fuse;
mod gather;
mod interchange;
mod ir;
mod items;
mod kept;
mod legal;
mod level;
mod lives;
mod panels;
mod place;
pub mod print;
mod product;
mod recompute;
mod region;
mod spread;
mod touched;
mod turns;
mod view;
mod window;
mod written;

pub(crate) use abreast::whole;
pub use abreast::{ABREAST, Rows, abreast};
pub(crate) use collapse::collapse;
pub use ir::*;

use crate::graph::Graph;

/// Weight gradients with fewer elements than this are summed in lanes; others are products over the batch.
const WIDE: f64 = 4096.0;
/// Other sums over the batch may have up to this many elements in a lane.
const LANE: f64 = 262_144.0;

/// Sums of products that all threads cannot share, as weights of convolutions are, up to this many: two lanes of them
/// still fit.
const SUMS: f64 = 2_097_152.0;

/// The schedule as the CPU runs it: sparse gradients turned where they are summed, rows of small images side by side,
/// weights in panels.
pub fn on_cpu(schedule: &Schedule) -> Schedule {
    laid_out(&aside::aside(schedule))
}

/// What [`on_cpu`] does after the segments stand.
fn laid_out(schedule: &Schedule) -> Schedule {
    kept::kept(&panels::panels(&abreast(schedule)))
}

/// Plans a graph. The message of an error is an internal one: a verified graph has none.
pub fn schedule(graph: &Graph) -> Result<Schedule, String> {
    let legal = legal::legalise(&gather::gather(graph))?;
    let views = view::Views::of(&legal.graph, &legal.written);
    let levels = level::Levels::of(&legal, &views);
    let mut draft = fuse::fuse(&legal, &views, &levels)?;
    recompute::recompute(&legal, &views, &mut draft);
    let stored = recompute::sweep(&legal, &views, &mut draft);
    let places = place::place(&legal, &views, &draft, &stored);
    let homes = graph.outputs.iter().map(|output| output.role.clone()).collect();
    Ok(Schedule { homes, ..assemble::assemble(legal, &views, &draft, places) })
}
