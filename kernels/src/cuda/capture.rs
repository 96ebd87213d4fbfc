//! What follows what in the graph that a stream captures.
//!
//! In: steps, by number. Out: the same for the driver, which knows nodes. Never: an event or a second stream: the stream is told what
//! its next launch follows.

use cudarc::driver::sys;

use super::blas::SCRATCHES;
use super::error::{Result, check};

/// A node of a graph, and how what comes next follows it.
type Edge = (sys::CUgraphNode, sys::CUgraphEdgeData);

/// What is known of the graph that is captured.
#[derive(Default)]
pub(super) struct Capture {
    /// The ends of each step that is over.
    ends: Vec<Vec<Edge>>,
    /// Whether a step is not over.
    within: bool,
    /// The ends of the last product with each scratch of the library's.
    products: [Vec<Edge>; SCRATCHES],
}

impl Capture {
    /// Begins a step that follows these alone. The context of the stream is bound, as in all that follow.
    pub fn follow(&mut self, stream: sys::CUstream, steps: &[usize]) -> Result<()> {
        if std::mem::replace(&mut self.within, true) {
            self.ends.push(ends(stream)?);
        }
        after(stream, steps.iter().filter_map(|step| self.ends.get(*step)).flatten())
    }

    /// Before a product of the library's: steps beside each other share no scratch; of products that do, the later one waits.
    pub fn before(&self, stream: sys::CUstream, scratch: Option<usize>) -> Result<()> {
        match scratch.map(|scratch| &self.products[scratch]) {
            Some(others) if self.within && !others.is_empty() => {
                after(stream, ends(stream)?.iter().chain(others))
            }
            _ => Ok(()),
        }
    }

    /// Behind it.
    pub fn behind(&mut self, stream: sys::CUstream, scratch: Option<usize>) -> Result<()> {
        if let Some(scratch) = scratch.filter(|_| self.within) {
            self.products[scratch] = ends(stream)?;
        }
        Ok(())
    }
}

/// What the next launch that is captured would follow.
fn ends(stream: sys::CUstream) -> Result<Vec<Edge>> {
    use sys::CUstreamCaptureStatus::{CU_STREAM_CAPTURE_STATUS_ACTIVE, CU_STREAM_CAPTURE_STATUS_NONE};
    let mut status = CU_STREAM_CAPTURE_STATUS_NONE;
    let (mut nodes, mut data, mut count) = (std::ptr::null(), std::ptr::null(), 0usize);
    let (id, graph) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: the stream lives; what is asked for has room. Without the second list an edge of a kind of its own were an error.
    let asked = unsafe {
        sys::cuStreamGetCaptureInfo_v3(stream, &mut status, id, graph, &mut nodes, &mut data, &mut count)
    };
    check("cuStreamGetCaptureInfo", asked.result())?;
    if status != CU_STREAM_CAPTURE_STATUS_ACTIVE || nodes.is_null() {
        return Ok(Vec::new());
    }
    let plain = sys::CUgraphEdgeData { from_port: 0, to_port: 0, type_: 0, reserved: [0; 5] };
    // SAFETY: the driver's own lists of `count`, valid until its next call; the second may be missing.
    let edge = |i: usize| unsafe { (*nodes.add(i), if data.is_null() { plain } else { *data.add(i) }) };
    Ok((0..count).map(edge).collect())
}

/// Lets the next launch that is captured follow these alone; where there are none, what it would follow anyway.
fn after<'e>(stream: sys::CUstream, edges: impl IntoIterator<Item = &'e Edge>) -> Result<()> {
    let (mut nodes, mut data) = (Vec::new(), Vec::new());
    for (node, of) in edges {
        if !nodes.contains(node) {
            nodes.push(*node);
            data.push(*of);
        }
    }
    if nodes.is_empty() {
        return Ok(());
    }
    let how = sys::CUstreamUpdateCaptureDependencies_flags::CU_STREAM_SET_CAPTURE_DEPENDENCIES as u32;
    let (list, of) = (nodes.as_mut_ptr(), data.as_ptr());
    // SAFETY: the stream lives; the nodes are of the graph that it captures; both lists have as many elements.
    let set = unsafe { sys::cuStreamUpdateCaptureDependencies_v2(stream, list, of, nodes.len(), how) };
    check("cuStreamUpdateCaptureDependencies", set.result())
}
