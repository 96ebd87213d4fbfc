//! CUDA: a program as one text of kernels, and as a function that records what to launch.
//!
//! In: a schedule, the same that `rust` emits. Out: CUDA C that stands behind the prelude of `kernels::cuda`, and a
//! [`Recording`]: launches and products for values of the symbols. Never: a shape in a decision that a symbol's value
//! would change; one text serves every batch.
//!
//! On a device the whole batch is one tile: each step of a stage is one kernel over all rows, or a few.
//!
//! | file | what |
//! | - | - |
//! | `memory` | where buffers lie; accumulators that are gradients at once |
//! | `loops` | a fused loop as kernels, by what its sums drop |
//! | `kernel` | the text of one: its walk, its statements, its addresses |
//! | `distinct` | whether positions share places |
//! | `product` | products, one after the other where places are shared |
//! | `layer` | products with a bias behind them, which a library may add |
//! | `shared` | equal kernels are one text |
//! | `recording`, `tokens` | what is launched, as data and as Rust |
//! | `optimizer` | an update rule as one kernel |

mod distinct;
mod kernel;
mod layer;
mod loops;
mod memory;
mod optimizer;
mod product;
mod recording;
mod shared;
mod tokens;

use proc_macro2::TokenStream;

use super::rust::Names;
use crate::lower::OptimizerGraph;
use crate::schedule::{Factor, Schedule, Segment, Stage, Step};
use crate::size::Size;
pub use layer::Layer;
use memory::Scope;
pub use optimizer::optimizer;
pub use recording::{Argument, Command, Place, Product, Reach, Recording, Space, Sum, Walk};
use shared::Kernels;
pub(crate) use tokens::constant;

/// A program for a device.
#[derive(Clone, Debug)]
pub struct Text {
    /// CUDA C: its kernels.
    pub source: String,
    /// What to launch.
    pub recording: Recording,
}

/// A program's kernels, their names beginning with its prefix, and what to launch.
pub fn text(names: &Names<'_>, schedule: &Schedule) -> Text {
    let mut kernels = Kernels::new(names.prefix);
    let (scope, work) = Scope::of(schedule);
    let mut commands = Vec::new();
    for segment in &schedule.segments {
        match segment {
            Segment::Alone(list) => steps(&scope, list, &mut kernels, &mut commands),
            Segment::Wide(list) => list.iter().for_each(|p| product::product(&scope, p, &mut commands)),
            Segment::Stage(stage) => self::stage(&scope, stage, &mut kernels, &mut commands),
            Segment::Inspect(index, buffer) => {
                let this = &schedule.buffers[*buffer];
                let rows = if this.rows { Size::batch() } else { Size::known(1) };
                let from = scope.place(crate::schedule::Source::Buffer(*buffer));
                commands.push(Command::Inspect { index: *index, from, count: &rows * &this.elements });
            }
        }
    }
    let totals =
        totals(&commands).then(|| ["sum", "max"].map(|what| format!("{}_{what}_of_blocks", names.prefix)));
    let mut source = kernels.source();
    if let Some(totals) = &totals {
        source += &of_blocks(totals);
    }
    let recording = Recording {
        symbols: names.symbols.clone(),
        work,
        gradients: memory::gradients(schedule),
        commands,
        totals: totals.unwrap_or_default(),
    };
    Text { source, recording }
}

/// The items of a program: `<PREFIX>_CUDA`, to be used by Rust that runs it. In a place where the crate `diabolo` is at
/// the path that the names know.
pub fn program(names: &Names<'_>, schedule: &Schedule) -> TokenStream {
    tokens::program(names, &text(names, schedule))
}

/// The items of an update rule: `UPDATE_CUDA`.
///
/// # Errors
/// A fault of the compiler.
pub fn update(krate: &TokenStream, name: &str, rule: &OptimizerGraph) -> Result<TokenStream, String> {
    let text = optimizer(name, rule)?;
    let names = Names { krate, prefix: "update", symbols: text.recording.symbols.clone() };
    Ok(tokens::program(&names, &text))
}

fn stage(scope: &Scope<'_>, stage: &Stage, kernels: &mut Kernels, out: &mut Vec<Command>) {
    let mut scope = scope.clone();
    scope.over = stage.over.clone();
    for index in scope.joined(stage) {
        let to = scope.place(crate::schedule::Source::Buffer(index));
        out.push(Command::Fill { to, count: scope.schedule.buffers[index].elements.clone(), value: 0.0 });
    }
    steps(&scope, &stage.steps, kernels, out);
}

fn steps(scope: &Scope<'_>, list: &[Step], kernels: &mut Kernels, out: &mut Vec<Command>) {
    let mut before: Option<(usize, &crate::schedule::Product)> = None;
    for step in list {
        let start = out.len();
        match step {
            Step::Loop(l) => {
                loops::fused(scope, l, kernels, out);
                // One command for each of them.
                if let Some((first, p)) = before
                    && let [Command::Product(_), Command::Each { .. }] = &out[first..]
                    && let Some(layer) = layer::layer(scope, p, l)
                {
                    out.push(Command::Layer(layer));
                }
            }
            Step::Product(p) => product::product(scope, p, out),
            Step::Select(s) => {
                let place = |place: &crate::schedule::Place| scope.place(place.source).at(&place.offset);
                let sizes = [loops::whole(scope, &s.outer), s.n.clone(), s.k.clone()];
                let (into, from) = (place(&s.into), place(&s.from));
                out.push(Command::Select { into, from, sizes, largest: s.largest });
            }
            Step::Factor(f) => {
                let place = |place: &crate::schedule::Place| scope.place(place.source).at(&place.offset);
                let memory = (place(&f.into), Factor::memory(&f.count, &f.n));
                let sizes = [f.count.clone(), f.m.clone(), f.n.clone()];
                let strides = f.strides.clone();
                out.push(Command::Factor { memory, from: place(&f.from), sizes, strides });
            }
            Step::Scan(turns) => {
                let mut inside = scope.clone();
                inside.counters.push(turns.counter.clone());
                let mut commands = Vec::new();
                steps(&inside, &turns.steps, kernels, &mut commands);
                let (counter, count) = (turns.counter.clone(), turns.count.clone());
                out.push(Command::Turns { counter, count, reverse: turns.reverse, commands });
            }
        }
        before = if let Step::Product(p) = step { Some((start, p)) } else { None };
    }
}

/// Whether a kernel sums over everything, so that values of blocks are put together.
fn totals(commands: &[Command]) -> bool {
    commands.iter().any(|command| match command {
        Command::Sums { sums, .. } => sums.iter().any(|sum| sum.whole),
        Command::Turns { commands, .. } => totals(commands),
        _ => false,
    })
}

/// The kernels of one block that put values of blocks together.
fn of_blocks(names: &[String; 2]) -> String {
    let one = |name: &str, start: &str, join: &str, of: &str, what: &str| {
        format!(
            "\n// {what} of the values of many blocks.\n\
             extern \"C\" __global__ void {name}(T *into, const T *values, long long count) {{\n    \
             T all = {start};\n    \
             for (long long at = threadIdx.x; at < count; at += blockDim.x) {{\n        {join}\n    }}\n    \
             all = {of}(all);\n    \
             if (blockIdx.x == 0 && threadIdx.x == 0) {{\n        into[0] = all;\n    }}\n}}\n"
        )
    };
    one(&names[0], "T(0)", "all += values[at];", "block_sum", "The sum")
        + &one(
            &names[1],
            "__uint_as_float(0xff800000u)",
            "all = math_max(all, values[at]);",
            "block_max",
            "The largest",
        )
}
