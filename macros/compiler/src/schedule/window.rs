//! Sums over the whole batch through an index, shared by all threads.
//!
//! In: a loop that adds values where an index says, into a target too large for lanes. Out: a stage over the
//! target's own rows: each tile of them walks over the whole batch in order, and takes what belongs to it. Never: an
//! order of sums that depends on the threads; a tile that writes elsewhere.
//!
//! The index is read once for each tile, which costs little beside the values; these are read once in all. The
//! tile stays in the cache while it grows.

use crate::size::Size;

use super::assemble::Context;
use super::fuse::DraftLoop;
use super::{Extent, Op, Segment, Stage, Step};

/// Additions for each element of the target that costs assume: the fill, and a share of the batch.
const SHARE: usize = 64;

impl Context<'_> {
    /// Emits the loop as a stage over what it fills.
    pub(super) fn window(&mut self, l: &DraftLoop, segments: &mut Vec<Segment>) {
        let (mut this, _) = self.fused(l, false);
        let mut target = None;
        for op in &mut this.body {
            if let Op::Reduce { into, follow: Some(follow), .. } = op {
                follow.window = true;
                target = Some((into.place.source, follow.bound.clone(), follow.step.clone()));
            }
        }
        let Some((source, over, width)) = target else { return };
        let super::Source::Buffer(buffer) = source else { return };
        for (filled, extent, _) in &mut this.fills {
            if *filled == source {
                *extent = Extent { rows: true, size: width.clone() };
            }
        }
        segments.push(Segment::Stage(Stage {
            over,
            local: vec![buffer],
            steps: vec![Step::Loop(this)],
            scratch: Vec::new(),
            lane: Size::default(),
            row_flops: &width * &Size::known(SHARE),
            row_elements: width,
            full: vec![buffer],
            abreast: false,
            panels: Vec::new(),
            turned: None,
        }));
    }
}
