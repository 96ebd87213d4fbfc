//! Memory for numbers. In: how many. Out: as many, zeros at first, from a boundary of 64 bytes on. Never: less memory
//! than before.
//!
//! A vector of 64 bytes that lies across two cache lines takes two accesses: where a usual allocation begins 16 bytes after
//! a boundary, all do (a tenth of a small step). Large buffers ask the system for huge pages.
use super::float::Float;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// A cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// The size of a huge page.
#[cfg(all(target_os = "linux", not(miri)))]
const HUGE: usize = 2 << 20;

/// A growing slice of numbers that suits vectors.
#[derive(Clone)]
pub struct Buffer<F> {
    lines: Vec<Line>,
    len: usize,
    numbers: PhantomData<F>,
}

impl<F: Float> Buffer<F> {
    /// So many zeros.
    #[must_use]
    pub fn zeros(len: usize) -> Self {
        let mut buffer = Buffer { lines: Vec::new(), len: 0, numbers: PhantomData };
        buffer.grow(len);
        buffer
    }

    /// Makes it `len` long, unless it is longer. What is new is 0; what it held, it holds.
    pub fn grow(&mut self, len: usize) {
        let lines = (len * size_of::<F>()).div_ceil(size_of::<Line>());
        let new = lines.saturating_sub(self.lines.len());
        if new > self.lines.capacity() - self.lines.len() {
            // Not in place: what is copied to pages before they are asked for lies on small ones.
            let mut larger = Vec::with_capacity(lines.max(2 * self.lines.capacity()));
            ask_for_huge_pages(&larger);
            larger.extend_from_slice(&self.lines);
            self.lines = larger;
        }
        if new > 0 {
            self.lines.resize(lines, Line([0; 64]));
        }
        self.len = self.len.max(len);
    }

    /// Adds numbers at the end.
    pub fn extend_from_slice(&mut self, numbers: &[F]) {
        let start = self.len;
        self.grow(start + numbers.len());
        self[start..].copy_from_slice(numbers);
    }
}

/// Before it is touched.
fn ask_for_huge_pages(lines: &Vec<Line>) {
    #[cfg(all(target_os = "linux", not(miri)))]
    {
        let start = lines.as_ptr() as usize;
        let end = (start + lines.capacity() * size_of::<Line>()) / HUGE * HUGE;
        let start = start.next_multiple_of(HUGE);
        if start < end {
            // SAFETY: a hint about whole pages inside of one allocation, which changes no content. Where it is refused,
            // pages are small.
            unsafe { libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_HUGEPAGE) };
        }
    }
    #[cfg(not(all(target_os = "linux", not(miri))))]
    let _ = lines;
}

impl<F: Float> Deref for Buffer<F> {
    type Target = [F];
    fn deref(&self) -> &[F] {
        // SAFETY: `len` numbers lie in the lines, which are aligned to more than a number, and of which all bits are
        // numbers: Float is f32 or f64.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl<F: Float> DerefMut for Buffer<F> {
    fn deref_mut(&mut self) -> &mut [F] {
        // SAFETY: as above; borrowed as long as the result.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

impl<F: Float> Default for Buffer<F> {
    fn default() -> Self {
        Buffer::zeros(0)
    }
}

impl<F: Float> fmt::Debug for Buffer<F> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lie_on_lines_and_stay() {
        let mut buffer = Buffer::<f32>::default();
        assert!(buffer.is_empty());
        for n in [1, 15, 16, 17, 1000, 1 << 21] {
            buffer.extend_from_slice(&[n as f32; 3]);
            buffer.grow(n);
            assert!(buffer.as_ptr().addr().is_multiple_of(64));
            assert_eq!(buffer[..3], [1.0; 3]);
        }
        let first: Vec<f32> = buffer.iter().copied().filter(|x| *x != 0.0).collect();
        assert_eq!(first.len(), 18);
        let copy = buffer.clone();
        assert!(copy.as_ptr().addr().is_multiple_of(64) && copy[..] == buffer[..]);
        let mut double = Buffer::zeros(1);
        double.extend_from_slice(&[1.5_f64, 2.5]);
        assert_eq!(double[..], [0.0, 1.5, 2.5]);
    }
}
