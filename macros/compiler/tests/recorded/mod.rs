//! Plays a recording for values of its symbols, and looks at every place that it touches.
//!
//! In: a program's text and recording, a graph, values of the symbols. Out: the tape, as the emitted function would record
//! it; or the first fault. Never: an element computed.

#![allow(dead_code)] // each of its readers needs a part

use std::collections::{BTreeMap, HashMap, HashSet};

use diabolo_compiler::emit::cuda::{Argument, Command, Place, Reach, Recording, Space, Text, Walk};
use diabolo_compiler::graph::{Graph, Role};
use diabolo_compiler::size::Size;
use diabolo_kernels::cuda::{self as device, Pointer, Recorder, Tape};

/// Values of symbols, counters among them.
pub type Values = HashMap<String, usize>;

/// The tape of a text for values of its symbols.
///
/// # Errors
/// A place outside of its space, a kernel that does not exist, an argument of another kind, a place written twice by one
/// product.
pub fn tape(text: &Text, graph: &Graph, values: &Values) -> Result<Tape, String> {
    let recording = &text.recording;
    let mut to = Recorder::default();
    let size = |of: &Size| of.evaluate(&|name| values.get(name).copied().unwrap_or(0));
    let counts: Vec<usize> =
        recording.work.iter().map(|sizes| sizes.iter().map(size).max().unwrap_or(0)).collect();
    let work = counts.iter().map(|count| to.work(*count)).collect();
    to.gradients(&recording.gradients.iter().map(size).collect::<Vec<_>>());
    let mut player =
        Player { recording, to, work, counts, spaces: spaces(graph, values), values: values.clone() };
    player.play(&recording.commands)?;
    let tape = player.to.finish();
    check_source(&text.source)?;
    check(&text.source, &tape)?;
    Ok(tape)
}

/// The elements of each space that a caller brings.
pub fn spaces(graph: &Graph, values: &Values) -> BTreeMap<device::Space, usize> {
    let size = |of: &Size| of.evaluate(&|name| values.get(name).copied().unwrap_or(0));
    let of = |pick: &dyn Fn(&Role) -> bool| {
        let outputs = graph.outputs.iter().filter(|output| pick(&output.role));
        outputs.map(|output| size(&graph.ty(output.node).elements())).sum::<usize>()
    };
    let params = graph.params.iter().enumerate();
    let params = params.map(|(i, param)| (device::Space::Param(i), size(&param.ty.elements())));
    params
        .chain([
            (device::Space::Inputs, graph.inputs.iter().map(|input| size(&input.ty.elements())).sum()),
            (device::Space::Hypers, graph.hypers.len()),
            (device::Space::Gradients, of(&|role| matches!(role, Role::Gradient(_)))),
            (device::Space::States, of(&|role| matches!(role, Role::State(_)))),
            (device::Space::Outputs, of(&|role| matches!(role, Role::Result(_)))),
            (device::Space::Metrics, of(&|role| matches!(role, Role::Loss | Role::Metric(_)))),
        ])
        .collect()
}

struct Player<'a> {
    recording: &'a Recording,
    to: Recorder,
    work: Vec<Pointer>,
    counts: Vec<usize>,
    spaces: BTreeMap<device::Space, usize>,
    values: Values,
}

impl Player<'_> {
    fn play(&mut self, commands: &[Command]) -> Result<(), String> {
        commands.iter().try_for_each(|command| self.command(command))
    }

    fn size(&self, of: &Size) -> usize {
        of.evaluate(&|name| self.values.get(name).copied().unwrap_or(0))
    }

    fn command(&mut self, command: &Command) -> Result<(), String> {
        match command {
            Command::Each { kernel, count, arguments } => {
                let count = self.size(count);
                let arguments = self.arguments(kernel, arguments)?;
                self.to.each(named(kernel), count, &arguments);
            }
            Command::Places { kernel, count, arguments } => {
                let count = self.size(count);
                let arguments = self.arguments(kernel, arguments)?;
                self.to.places(named(kernel), count, &arguments);
            }
            Command::Sums { kernel, walk, even, results, count, sums, arguments } => {
                let walk = match walk {
                    Walk::Elements => device::Walk::Elements,
                    Walk::Threads => device::Walk::Threads,
                    Walk::Warps => device::Walk::Warps,
                    Walk::Blocks => device::Walk::Blocks,
                    Walk::Columns(columns) => device::Walk::Columns(*columns),
                };
                let list = sums.iter().map(|sum| {
                    self.inside(kernel, &sum.into, &sum.reach)?;
                    let into = self.place(&sum.into);
                    Ok(device::Sum { into, largest: sum.largest, whole: sum.whole })
                });
                let list = list.collect::<Result<Vec<_>, String>>()?;
                let counts = [self.size(results), self.size(count)];
                let arguments = self.arguments(kernel, arguments)?;
                let totals = [&self.recording.totals[0], &self.recording.totals[1]].map(|name| named(name));
                self.to.sums((named(kernel), walk, *even), counts, &list, &arguments, totals);
            }
            Command::Fill { to, count, value } => {
                self.inside("fill", to, &vec![(count.clone(), Size::known(1))])?;
                let (at, count) = (self.place(to), self.size(count));
                self.to.fill(at, count, *value as f32);
            }
            Command::Select { into, from, sizes, largest } => {
                let [outer, n, k] = sizes;
                self.inside("top_k", into, &vec![(outer.clone(), k.clone()), (k.clone(), Size::known(1))])?;
                self.inside("top_k", from, &vec![(outer.clone(), n.clone()), (n.clone(), Size::known(1))])?;
                let ends = [self.place(into), self.place(from)];
                let sizes = sizes.clone().map(|of| self.size(&of));
                self.to.select(ends, sizes, *largest);
            }
            Command::Factor { memory: (memory, whole), from, sizes, strides } => {
                self.inside("a factor", memory, &vec![(whole.clone(), Size::known(1))])?;
                let reach = sizes.iter().cloned().zip(strides.iter().cloned());
                self.inside("a factor", from, &reach.collect())?;
                let ends = [self.place(memory), self.place(from)];
                let [sizes, strides] = [sizes, strides].map(|list| list.clone().map(|of| self.size(&of)));
                self.to.factor(ends, sizes, strides);
            }
            Command::Product(p) => {
                for (end, stride) in p.ends.iter().zip(1..) {
                    let result = stride == 3;
                    let kept = p.counts.iter().sum::<usize>();
                    let axes = p.axes.iter().take(if result { kept } else { p.axes.len() });
                    let reach: Reach = axes.map(|axis| (axis[0].clone(), axis[stride].clone())).collect();
                    self.inside("a product", end, &reach)?;
                    if result {
                        self.apart(&reach)?;
                    }
                }
                let ends = p.ends.clone().map(|end| self.place(&end));
                let axes: Vec<[usize; 4]> =
                    p.axes.iter().map(|axis| axis.clone().map(|of| self.size(&of))).collect();
                self.to.multiply(ends, p.counts, &axes, p.accumulate);
            }
            Command::Layer(layer) => {
                let [bias, to] = [&layer.bias, &layer.to].map(|place| self.place(place));
                self.to.layer([bias, to], layer.relu);
            }
            Command::Inspect { index, from, count } => {
                self.inside("inspect", from, &vec![(count.clone(), Size::known(1))])?;
                let (at, count) = (self.place(from), self.size(count));
                self.to.inspect(*index, at, count);
            }
            Command::Turns { counter, count, reverse, commands } => {
                let count = self.size(count);
                for turn in 0..count {
                    let turn = if *reverse { count - 1 - turn } else { turn };
                    self.values.insert(counter.clone(), turn);
                    self.play(commands)?;
                }
                self.values.remove(counter);
            }
        }
        Ok(())
    }

    fn place(&self, place: &Place) -> Pointer {
        let start = place.start.iter().map(|part| self.size(part)).sum();
        let space = match place.space {
            Space::Work(slot) => return self.work[slot].at(start),
            Space::Inputs => device::Space::Inputs,
            Space::Param(index) => device::Space::Param(index),
            Space::Hypers => device::Space::Hypers,
            Space::Gradients => device::Space::Gradients,
            Space::States => device::Space::States,
            Space::Outputs => device::Space::Outputs,
            Space::Metrics => device::Space::Metrics,
        };
        device::at(space, start)
    }

    /// Whether all that is touched lies in the space, or in its slot of scratch.
    fn inside(&self, who: &str, place: &Place, reach: &Reach) -> Result<(), String> {
        let steps: Vec<(usize, usize)> =
            reach.iter().map(|(extent, stride)| (self.size(extent), self.size(stride))).collect();
        if steps.iter().any(|(extent, _)| *extent == 0) {
            return Ok(());
        }
        let start: usize = place.start.iter().map(|part| self.size(part)).sum();
        let last = start + steps.iter().map(|(extent, stride)| (extent - 1) * stride).sum::<usize>();
        let room = match place.space {
            Space::Work(slot) => self.counts[slot],
            _ => self.spaces.get(&self.place(place).space).copied().unwrap_or(0),
        };
        match last < room {
            true => Ok(()),
            false => Err(format!("{who} touches element {last} of {:?}, which has {room}", place.space)),
        }
    }

    /// Whether all positions of a product's result have places of their own.
    fn apart(&self, reach: &Reach) -> Result<(), String> {
        let mut places = vec![0];
        for (extent, stride) in reach {
            let (extent, stride) = (self.size(extent), self.size(stride));
            places = places.iter().flat_map(|at| (0..extent).map(move |i| at + i * stride)).collect();
        }
        let count = places.len();
        match places.into_iter().collect::<HashSet<_>>().len() == count {
            true => Ok(()),
            false => Err("positions of a product share a place".into()),
        }
    }

    fn arguments(&self, kernel: &str, arguments: &[Argument]) -> Result<Vec<device::Argument>, String> {
        let one = |argument: &Argument| {
            Ok(match argument {
                Argument::Pointer(place, reaches, written) => {
                    reaches.iter().try_for_each(|reach| self.inside(kernel, place, reach))?;
                    let place = self.place(place);
                    if *written { device::Argument::Output(place) } else { device::Argument::Pointer(place) }
                }
                Argument::Size(of) => device::Argument::Size(self.size(of)),
                Argument::Site(site) => device::Argument::Site(*site),
                Argument::Clock => device::Argument::Clock,
            })
        };
        arguments.iter().map(one).collect()
    }
}

/// A name that lives as long as a program's.
fn named(name: &str) -> &'static str {
    Box::leak(name.to_owned().into_boxed_str())
}

/// What a kernel takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Pointer,
    Output,
    Size,
    Number,
    Site,
    Clock,
}

/// The kernels of the prelude that recordings launch.
const PRELUDE: &[(&str, &str)] = &[
    ("fill", "T *to, long long count, float value"),
    ("copy", "T *to, const T *from, long long count"),
    ("sum_parts", "T *a, const T *b, long long c, long long d, long long e, long long f"),
    ("max_parts", "T *a, const T *b, long long c, long long d, long long e, long long f"),
    ("top_k", "T *a, const T *b, long long c, long long d, long long e, long long f"),
    ("triangular_gram", "T *a, const T *b, long long c, long long d, long long e, long long f, long long g"),
    ("triangular_factor", "T *a, T *b, long long c, long long d"),
];

fn kinds(parameters: &str) -> Result<Vec<Kind>, String> {
    let of = |parameter: &str| {
        let parameter = parameter.replace("__restrict__ ", "");
        let (ty, _) = parameter.trim().rsplit_once([' ', '*']).ok_or("a parameter without a name")?;
        Ok(match (parameter.contains('*'), ty.trim()) {
            (true, "const Clock" | "const Clock *") => Kind::Clock,
            (true, "const T" | "const T *") => Kind::Pointer,
            (true, _) => Kind::Output,
            (false, "long long") => Kind::Size,
            (false, "float") => Kind::Number,
            (false, "unsigned int") => Kind::Site,
            (false, other) => return Err(format!("a parameter of type {other}")),
        })
    };
    parameters.split(',').filter(|text| !text.trim().is_empty()).map(of).collect()
}

/// The parameters of each kernel of a source.
fn kernels(source: &str) -> Result<BTreeMap<String, Vec<Kind>>, String> {
    let mut found = BTreeMap::new();
    let parts = source.split("extern \"C\" __global__ void ").skip(1);
    for (name, parameters) in PRELUDE {
        found.insert((*name).to_owned(), kinds(parameters)?);
    }
    for part in parts {
        let part = part.strip_prefix("__launch_bounds__(512, 2) ").unwrap_or(part);
        let (name, rest) = part.split_once('(').ok_or("a kernel without parameters")?;
        let (parameters, _) = rest.split_once(") {").ok_or("a kernel without a body")?;
        if found.insert(name.to_owned(), kinds(parameters)?).is_some() {
            return Err(format!("two kernels are called {name}"));
        }
    }
    Ok(found)
}

/// Whether what is opened is closed.
fn check_source(source: &str) -> Result<(), String> {
    for pair in ["()", "{}", "[]"] {
        let count = |of: &str| source.matches(of).count();
        let (open, close) = pair.split_at(1);
        if count(open) != count(close) {
            return Err(format!("{} {open} and {} {close}", count(open), count(close)));
        }
    }
    Ok(())
}

/// Whether every launch is of a kernel that is there, with arguments of the right kinds, and of a shape that a device has.
fn check(source: &str, tape: &Tape) -> Result<(), String> {
    let kernels = kernels(source)?;
    for command in &tape.commands {
        let device::Command::Launch(launch) = command else { continue };
        let name = launch.kernel;
        let wanted = kernels.get(name).ok_or_else(|| format!("there is no kernel {name}"))?;
        let given: Vec<Kind> = launch
            .arguments
            .iter()
            .map(|argument| match argument {
                device::Argument::Pointer(_) => Kind::Pointer,
                device::Argument::Output(_) => Kind::Output,
                device::Argument::Size(_) => Kind::Size,
                device::Argument::Number(_) => Kind::Number,
                device::Argument::Site(_) => Kind::Site,
                device::Argument::Clock => Kind::Clock,
            })
            .collect();
        if *wanted != given {
            return Err(format!("{name} takes {wanted:?} and gets {given:?}"));
        }
        let shaped = launch.threads % 32 == 0 && (32..=1024).contains(&launch.threads);
        if !shaped
            || launch.blocks.contains(&0)
            || launch.blocks[1] > 65_535
            || launch.arguments.len() * 8 > 4096
        {
            return Err(format!("{name} cannot be launched: {launch:?}"));
        }
    }
    Ok(())
}
