//! The plan in words: what `Spec::plan` shows and golden tests hold.
//!
//! In: a schedule. Out: a few lines a stage: products as m × n × k, loops with their fused functions, and where
//! they read and write. Never: a number that depends on the machine that runs it.
//!
//! Names: inputs and parameters by theirs; `s0` a scratch slot of the tile, `w0` a slot of the arena, `lane0` a
//! place among the accumulators, `grad …`, `result0`, and metrics by name.

use std::fmt::Write;

use super::{
    ABREAST, Axis, Buffer, Extent, Factor, Home, Loop, Op, Place, Product, Schedule, Segment, Select, Source,
    Stage, Step,
};
use crate::graph::{NodeId, Role};
use crate::size::Size;

/// The text of a schedule.
pub fn print(schedule: &Schedule) -> String {
    let mut text = String::from("costs assume B = 128, and 32 for other sizes that only a run fixes\n");
    let mut stages = 0;
    let planned = super::aside::aside(schedule);
    // Rows side by side are the CPU's business: which stages, but not how. Panels read as what they are copies of.
    let schedule = &super::laid_out(&planned);
    for (segment, run) in planned.segments.iter().zip(&schedule.segments) {
        match segment {
            Segment::Alone(steps) => {
                text.push_str("on one thread\n");
                steps.iter().for_each(|step| line(&mut text, schedule, step));
            }
            Segment::Wide(list) => {
                text.push_str("on all threads, over the whole batch\n");
                list.iter().for_each(|product| product_line(&mut text, schedule, product));
            }
            Segment::Stage(stage) => {
                stages += 1;
                let (abreast, stage) = match run {
                    Segment::Stage(run) if !run.abreast => (false, run),
                    _ => (true, stage),
                };
                head(&mut text, stages, stage, abreast);
                stage.steps.iter().for_each(|step| line(&mut text, schedule, step));
                if let Some(turned) = &stage.turned {
                    let [from, into] = [turned.from, turned.into].map(|index| buffer_name(schedule, index));
                    writeln!(text, "  each tile turned: {from} -> columns of {into}").ok();
                }
            }
            Segment::Inspect(_, buffer) => {
                writeln!(text, "inspect {}", buffer_name(schedule, *buffer)).ok();
            }
        }
    }
    for (i, slot) in schedule.slots.iter().enumerate().filter(|(_, slot)| !slot.elements.is_zero()) {
        let rows = if slot.rows { "B × " } else { "" };
        writeln!(text, "w{i}: {rows}{}", slot.elements).ok();
    }
    text
}

fn head(text: &mut String, number: usize, stage: &Stage, abreast: bool) {
    let list = |sizes: &[Size]| sizes.iter().map(Size::to_string).collect::<Vec<_>>().join(", ");
    let rows = match stage.over == Size::batch() {
        true if abreast => format!("{ABREAST} rows side by side"),
        true => "rows".to_owned(),
        false => format!("{} rows without a batch", stage.over),
    };
    writeln!(
        text,
        "stage {number}, by tiles of {rows}: a row keeps {} elements (scratch {}) and takes {} flops; a lane sums {}",
        stage.row_elements,
        if stage.scratch.is_empty() { "none".to_owned() } else { list(&stage.scratch) },
        stage.row_flops,
        stage.lane,
    )
    .ok();
}

fn line(text: &mut String, schedule: &Schedule, step: &Step) {
    match step {
        Step::Product(product) => product_line(text, schedule, product),
        Step::Loop(l) => loop_line(text, schedule, l),
        Step::Select(select) => select_line(text, schedule, select),
        Step::Factor(factor) => factor_line(text, schedule, factor),
        Step::Scan(turns) => {
            let backwards = if turns.reverse { ", backwards" } else { "" };
            let what = format!("  {} turns, one after the other{backwards}", turns.count);
            comment(text, schedule, what, &[turns.node]);
            let mut inside = String::new();
            turns.steps.iter().for_each(|step| line(&mut inside, schedule, step));
            inside.lines().for_each(|line| text.push_str(&format!("  {line}\n")));
        }
    }
}

fn product_line(text: &mut String, schedule: &Schedule, p: &Product) {
    let outer: String = p.outer.iter().map(|axis| format!("{} of ", extent(&axis.extent))).collect();
    let size = |axes: &[Axis]| axes.iter().map(|a| extent(&a.extent)).collect::<Vec<_>>().join("·");
    let name = |place: &Place| source_name(schedule, place.source);
    let sign = if p.accumulate { "+=" } else { "=" };
    let panels = if p.panels.is_some() { " in panels" } else { "" };
    let what = format!(
        "  product {outer}{} × {} × {}: {} {sign} {} · {}{panels}",
        size(&p.m),
        size(&p.n),
        size(&p.k),
        name(&p.c),
        name(&p.a),
        name(&p.b)
    );
    comment(text, schedule, what, &[p.node]);
}

fn select_line(text: &mut String, schedule: &Schedule, s: &Select) {
    let order = if s.largest { "largest" } else { "smallest" };
    let name = |place: &Place| source_name(schedule, place.source);
    let what = format!(
        "  {order} {} of {} × {}: {} -> {}",
        s.k,
        extent(&s.outer),
        s.n,
        name(&s.from),
        name(&s.into)
    );
    comment(text, schedule, what, &[s.node]);
}

fn factor_line(text: &mut String, schedule: &Schedule, f: &Factor) {
    let many = if f.count.is_one() { String::new() } else { format!("{} of ", f.count) };
    let (from, into) = (source_name(schedule, f.from.source), source_name(schedule, f.into.source));
    let what = format!("  triangular factor {many}{} × {}: {from} -> {into}", f.m, f.n);
    comment(text, schedule, what, &[f.node]);
}

fn loop_line(text: &mut String, schedule: &Schedule, l: &Loop) {
    let space: Vec<String> = l.space.iter().map(extent).collect();
    let mut reads: Vec<String> = Vec::new();
    let mut maps: Vec<&str> = Vec::new();
    let mut writes: Vec<String> = Vec::new();
    for op in &l.body {
        match op {
            Op::Load(access) => {
                let name = source_name(schedule, access.place.source);
                if !reads.contains(&name) {
                    reads.push(name);
                }
            }
            Op::Choose(access, follow) => {
                let Some(Op::Load(index)) = l.body.get(follow.index) else { continue };
                let (table, index) = (access.place.source, index.place.source);
                let name = format!("{}[{}]", source_name(schedule, table), source_name(schedule, index));
                if !reads.contains(&name) {
                    reads.push(name);
                }
            }
            Op::Count(_) => maps.push("count"),
            Op::Map(row, _) => maps.push(row.name),
            Op::Random { .. } => maps.push("random"),
            Op::Store(access, _) => writes.push(source_name(schedule, access.place.source)),
            Op::Reduce { reduction, into, follow, .. } => {
                let target = source_name(schedule, into.place.source);
                let place = follow.as_ref().and_then(|follow| match l.body.get(follow.index) {
                    Some(Op::Load(index)) => Some(format!("[{}]", source_name(schedule, index.place.source))),
                    _ => None,
                });
                let name = format!("{reduction:?} {target}{}", place.unwrap_or_default());
                writes.push(name.to_lowercase());
            }
            Op::Number(_) | Op::Extent(_) => {}
        }
    }
    let maps = if maps.is_empty() { "copy".to_owned() } else { maps.join(" ") };
    let what =
        format!("  loop {}: {maps} ({}) -> {}", space.join(" × "), reads.join(", "), writes.join(", "));
    comment(text, schedule, what, &l.nodes);
}

/// The user's words for what a line computes.
fn comment(text: &mut String, schedule: &Schedule, what: String, nodes: &[NodeId]) {
    let mut labels: Vec<&str> = Vec::new();
    for node in nodes {
        let label = &*schedule.graph.node(*node).origin.label;
        if !label.is_empty() && !labels.contains(&label) {
            labels.push(label);
        }
    }
    if labels.is_empty() {
        writeln!(text, "{what}").ok();
    } else {
        writeln!(text, "{what:<60} // {}", labels.join(", ")).ok();
    }
}

fn extent(extent: &Extent) -> String {
    match (extent.rows, extent.size.is_one()) {
        (true, true) => "rows".to_owned(),
        (true, false) => format!("rows * {}", extent.size),
        (false, _) => extent.size.to_string(),
    }
}

fn source_name(schedule: &Schedule, source: Source) -> String {
    let graph = &schedule.graph;
    match source {
        Source::Input(i) => graph.inputs[i].name.clone(),
        Source::Param(i) => graph.params[i].path.clone(),
        Source::Hyper(i) => graph.hypers[i].name.clone(),
        Source::Buffer(i) => buffer_name(schedule, i),
    }
}

/// What the plan calls a buffer: a place of its own, or `grad …`, `loss`, whose memory is handed in.
pub(crate) fn buffer_name(schedule: &Schedule, index: usize) -> String {
    let Buffer { home, writer, .. } = &schedule.buffers[index];
    match home {
        Home::Slot(i) => format!("w{i}"),
        Home::Scratch(i) => format!("s{i}"),
        Home::Lane(_) => {
            let same = |other: &&Buffer| matches!(other.home, Home::Lane(_)) && other.writer == *writer;
            format!("lane{}", schedule.buffers[..index].iter().filter(same).count())
        }
        Home::Gradient(i) => format!("grad {}", path_of(schedule, *i, super::legal::gradient)),
        Home::State(i) => format!("new {}", path_of(schedule, *i, super::legal::state)),
        Home::Result(i) => format!("result{i}"),
        Home::Metric(0) => "loss".to_owned(),
        Home::Metric(i) => {
            let mut metrics = schedule.homes.iter().filter_map(|role| match role {
                Role::Metric(name) => Some(name.clone()),
                _ => None,
            });
            metrics.nth(i - 1).unwrap_or_default()
        }
    }
}

/// The path of the `i`-th parameter among those that outputs of one role are for.
fn path_of(schedule: &Schedule, i: usize, pick: fn(&Role) -> Option<usize>) -> &str {
    let mut indices: Vec<usize> = schedule.homes.iter().filter_map(pick).collect();
    indices.sort_unstable();
    indices.get(i).map_or("?", |param| &schedule.graph.params[*param].path)
}
