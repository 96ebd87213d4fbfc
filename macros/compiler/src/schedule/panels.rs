//! Weights in panels: right factors that all tiles of a stage multiply by, copied before it in the order in which
//! products read them.
//!
//! In: a schedule. Out: the same, where such products name the copy that they read, with the result's rows along the
//! batch; and what is to be copied before which stage. Never: another value; a decision about the number of rows,
//! which only a run knows: `kernels::panels` says there whether a copy pays.

use crate::size::Size;

use super::{Axis, Home, Panels, Place, Product, Rows, Schedule, Segment, Source, Stage, Step};

/// Smaller factors stay near in any order.
const LEAST: usize = 1 << 14;
/// Fewer columns than this leave registers empty: the factors are better the other way round.
const COLUMNS: usize = 32;

/// The schedule with panels.
pub(super) fn panels(schedule: &Schedule) -> Schedule {
    let mut changed = schedule.clone();
    let mut segments = std::mem::take(&mut changed.segments);
    for segment in &mut segments {
        if let Segment::Stage(stage) = segment
            && stage.over == Size::batch()
            && !stage.abreast
        {
            let mut steps = std::mem::take(&mut stage.steps);
            walk(&mut changed, stage, &mut steps, &Size::batch());
            stage.steps = steps;
        }
    }
    changed.segments = segments;
    changed
}

/// Looks at the products of steps that are done for so many rows.
fn walk(schedule: &mut Schedule, stage: &mut Stage, steps: &mut [Step], rows: &Size) {
    for step in steps {
        match step {
            Step::Product(p) => {
                let ways = [p.clone(), turned(p)];
                if let Some(mut way) = ways.into_iter().find(|p| fits(schedule, stage, p)) {
                    way.panels = Some(number(schedule, stage, &way, rows));
                    *p = way;
                }
            }
            Step::Scan(turns) => walk(schedule, stage, &mut turns.steps, &(rows * &turns.count)),
            Step::Loop(_) | Step::Select(_) | Step::Factor(_) => {}
        }
    }
}

/// The transposed product: cᵀ = bᵀ·aᵀ.
fn turned(p: &Product) -> Product {
    let turn = |axes: &[Axis]| -> Vec<Axis> {
        axes.iter().map(|axis| Axis { a: axis.b.clone(), b: axis.a.clone(), ..axis.clone() }).collect()
    };
    let (outer, m, n, k) = (turn(&p.outer), turn(&p.n), turn(&p.m), turn(&p.k));
    Product { outer, m, n, k, a: p.b.clone(), b: p.a.clone(), ..p.clone() }
}

/// Whether a product is one of rows of the batch, contiguous ones, and a matrix that is the same for all of them.
fn fits(schedule: &Schedule, stage: &Stage, p: &Product) -> bool {
    let ([m], [n], [k]) = (p.m.as_slice(), p.n.as_slice(), p.k.as_slice()) else { return false };
    let plain = p.outer.is_empty() && p.rows == Rows::Plain;
    let large = |n: usize, k: usize| n >= COLUMNS && n * k >= LEAST;
    plain
        && m.extent.rows
        && !n.extent.rows
        && !k.extent.rows
        && n.extent.size.value().zip(k.extent.size.value()).is_some_and(|(n, k)| large(n, k))
        && n.c.is_one()
        && k.a.is_one()
        && [&n.b, &k.b].iter().all(|stride| stride.value().is_some())
        && (n.b.is_one() || k.b.is_one())
        && shared(schedule, stage, &p.b)
}

/// Whether a place is the same for all rows, and written before the stage.
fn shared(schedule: &Schedule, stage: &Stage, place: &Place) -> bool {
    let lasts = match place.source {
        Source::Param(_) => true,
        Source::Input(i) => schedule.graph.inputs[i].ty.rows.is_empty(),
        Source::Buffer(i) => {
            let buffer = &schedule.buffers[i];
            !buffer.rows && matches!(buffer.home, Home::Slot(_)) && !stage.local.contains(&i)
        }
        Source::Hyper(_) => false,
    };
    lasts && place.row.is_zero() && place.offset.value().is_some()
}

/// The number of the copy that a product reads: one that there is, or a new one before this stage.
fn number(schedule: &mut Schedule, stage: &mut Stage, p: &Product, rows: &Size) -> usize {
    let rows = rows * &p.m[0].extent.size;
    let [n, k] = [&p.n[0], &p.k[0]].map(|axis| (axis.extent.size.clone(), axis.b.clone()));
    let known = schedule.panels.iter().position(|known| known.b == p.b && known.n == n && known.k == k);
    if let Some(number) = known {
        let known = &mut schedule.panels[number];
        known.rows = &known.rows + &rows;
        return number;
    }
    schedule.panels.push(Panels { node: p.node, rows, b: p.b.clone(), n, k });
    stage.panels.push(schedule.panels.len() - 1);
    schedule.panels.len() - 1
}
