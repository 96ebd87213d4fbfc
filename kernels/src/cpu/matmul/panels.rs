//! Right factors that many products share: weights, which all tiles of a step multiply by. In: a matrix. Out: its copy
//! in the order in which the kernel reads it; products with that. Never: allocation, or a copy that does not pay.
//!
//! A product that packs for itself copies a matrix once for every tile, and finds it where a machine's caches are
//! slowest: 128 rows times 512 × 8192 numbers reached 72 % of the peak so, and 91 % with panels. Where rows of the
//! result follow each other, the left factor is read where it lies.
use std::marker::PhantomData;
use std::ops::Range;

use super::kernel::{Factors, OfPanels, Panelled};
use super::pack::{STRIP, View, pack};
use super::scalar::Work;
use super::vector::Vector;
use super::{Apart, MatMut, MatRef, view, view_mut};
use crate::cpu::crew::{Parts, item_of, share};
use crate::cpu::float::Float;
use crate::cpu::isa::{Body, Isa, again, dispatch};

/// Products with fewer rows, all tiles together, do not repay a copy of their right factor: with 128 a step took 4 to 5 % more,
/// so that some 256 are level.
const REPAID: usize = 512;
/// Columns of the whole: vectors of every instruction set and type divide it.
const WHOLE: usize = 16;
/// Panels that are copied together, a strip of rows of each in turn.
const GROUP: usize = 8;
/// Fewer elements than this are copied by the calling thread: some 10 µs.
const SHARED: usize = 1 << 15;

/// The elements that the panels of a k × n matrix need, if products of `rows` rows by it, all together, repay them; 0 if not.
pub fn panels(rows: usize, k: usize, n: usize) -> usize {
    if rows < REPAID { 0 } else { whole(k, n) }
}

/// A matrix, and the memory for its panels: as much as [`panels`] says, or none.
#[derive(Debug)]
pub struct Panels<'a, F> {
    /// Where to.
    pub to: &'a mut [F],
    /// The matrix.
    pub b: MatRef<'a, F>,
}

/// Copies matrices to their panels, on all threads where there is enough of them.
///
/// # Panics
/// Where the memory of a matrix is neither empty nor as long as it should be.
pub fn pack_panels<F: Float, const N: usize>(list: [Panels<'_, F>; N]) {
    dispatch(PackAll(list));
}

struct PackAll<'a, F, const N: usize>([Panels<'a, F>; N]);

impl<F: Float, const N: usize> Body for PackAll<'_, F, N> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let tasks = self.0.map(|Panels { to, b }| {
            assert!(to.is_empty() || to.len() == whole(b.rows, b.cols), "memory of panels: internal error");
            // SAFETY: the instruction set is the one that `run` was called for, hence enabled.
            let panelled = unsafe { F::work::<I, _>(Cut(b.cols)) };
            // Rows that are contiguous are read in long pieces.
            let group = if b.col_stride == 1 { GROUP } else { 1 };
            let count = if to.is_empty() { 0 } else { panelled.count().div_ceil(group) };
            Task { count, group, panelled, elements: to.len(), to: Parts::of(to), b }
        });
        let (items, elements) = tasks.iter().fold((0, 0), |(i, n), task| (i + task.count, n + task.elements));
        let one = |i: usize| {
            if let Some((task, group)) = item_of(&tasks, i, |task| task.count) {
                again::<I, _>(Apart(task.group(group), PhantomData));
            }
        };
        if elements < SHARED { (0..items).for_each(one) } else { share(items, &one) }
    }
}

fn whole(k: usize, n: usize) -> usize {
    k * n.next_multiple_of(WHOLE)
}

struct Task<'a, F> {
    /// Groups of panels.
    count: usize,
    group: usize,
    panelled: Panelled,
    elements: usize,
    to: Parts<'a, F>,
    b: MatRef<'a, F>,
}

impl<F: Float> Task<'_, F> {
    /// The copy of one group, to be made once.
    fn group(&self, group: usize) -> Pack<F> {
        let (k, n, panelled) = (self.b.rows, self.b.cols, self.panelled);
        let panels = group * self.group..((group + 1) * self.group).min(panelled.count());
        let (start, end) = (panelled.start(panels.start), panelled.start(panels.end));
        // SAFETY: groups do not overlap, and each is visited once.
        let to = unsafe { self.to.part(start * k, (end - start) * k) };
        Pack { to: to.as_mut_ptr(), from: view(self.b), k, n, panelled, panels }
    }
}

/// How columns are cut for the instruction set that is used.
struct Cut(usize);

impl<F: Float> Work<F> for Cut {
    type Output = Panelled;

    #[inline(always)]
    unsafe fn run<V: Vector<F>, const MR: usize>(self) -> Panelled {
        Panelled::new(self.0, V::LANES)
    }
}

/// The copy of panels. Who makes one promises that `to` has room for all their numbers and that the k × n matrix lies in a
/// live slice.
struct Pack<F> {
    to: *mut F,
    from: View<F>,
    k: usize,
    n: usize,
    panelled: Panelled,
    panels: Range<usize>,
}

impl<F: Float> Work<F> for Pack<F> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<F>, const MR: usize>(self) {
        let Pack { to, from, k, n, panelled, panels } = self;
        let first = panelled.start(panels.start);
        for p in (0..k).step_by(STRIP) {
            for panel in panels.clone() {
                let (start, end) = (panelled.start(panel), panelled.start(panel + 1));
                let (depth, width, padded) = (STRIP.min(k - p), end.min(n) - start, end - start);
                // SAFETY: the maker's promise, and the caller's set.
                unsafe {
                    let to = to.add((start - first) * k + p * padded);
                    pack::<F, V>(to, from.at(p, start), depth, width, padded, V::AVX);
                }
            }
        }
    }
}

/// `c = a·b`, or `c += a·b`, with the panels of b, if it has any; a product like another, if not.
///
/// # Panics
/// Where the shapes do not match, or these are not the panels of a matrix like b.
pub fn matmul_panels<F: Float>(
    c: MatMut<'_, F>,
    a: MatRef<'_, F>,
    b: MatRef<'_, F>,
    panels: &[F],
    accumulate: bool,
) {
    if panels.is_empty() || c.rows == 0 || c.cols == 0 || a.cols == 0 {
        return super::matmul(c, a, b, accumulate);
    }
    assert!((a.rows, b.cols, b.rows) == (c.rows, c.cols, a.cols), "shapes of a product: internal error");
    assert!(panels.len() == whole(b.rows, b.cols), "panels of another matrix: internal error");
    F::by_panels(ByPanels { c, a, panels, accumulate });
}

/// A product by panels that fit.
pub(super) struct ByPanels<'a, F> {
    c: MatMut<'a, F>,
    a: MatRef<'a, F>,
    panels: &'a [F],
    accumulate: bool,
}

impl<F: Float> Body for ByPanels<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let ByPanels { c, a, panels, accumulate } = self;
        let shape = (c.rows, c.cols, a.cols);
        let c = view_mut(c);
        let b = View { data: panels.as_ptr().cast_mut(), row: 0, col: 0 };
        // SAFETY: the slices live to the end of this call, c's exclusively, and the panels are whole; the instruction
        // set is the one that `run` was called for, hence enabled.
        unsafe { F::work::<I, _>(OfPanels(Factors { shape, c, a: view(a), b, accumulate })) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::isa::{IsaKind, run_on};
    use crate::cpu::matmul::Blocked;
    use crate::cpu::matmul::tests::random;

    /// One shape on every instruction set, against the product by the matrix itself.
    fn check<F: Float>(m: usize, n: usize, k: usize, turned: bool) {
        let to = |v: Vec<f64>| -> Vec<F> { v.into_iter().map(F::from_f64).collect() };
        let (a, b, c) = (to(random(m * k, 1)), to(random(k * n, 2)), to(random(m * n, 3)));
        let a = || MatRef::rows_of(&a, m, k);
        let b = || if turned { MatRef::new(&b, k, n, 1, k) } else { MatRef::rows_of(&b, k, n) };
        for kind in IsaKind::ALL.into_iter().filter(|kind| kind.available()) {
            let mut memory = vec![F::from_f64(f64::NAN); panels(REPAID, k, n)];
            run_on(kind, PackAll([Panels { to: &mut memory, b: b() }]));
            for accumulate in [false, true] {
                let (mut got, mut expect) = (c.clone(), c.clone());
                let into = MatMut::rows_of(&mut got, m, n);
                run_on(kind, ByPanels { c: into, a: a(), panels: &memory, accumulate });
                let into = MatMut::rows_of(&mut expect, m, n);
                run_on(kind, Blocked { c: into, a: a(), b: b(), accumulate });
                for (got, expect) in got.iter().zip(&expect) {
                    let error = (got.to_f64() - expect.to_f64()).abs();
                    let most = F::EPSILON.to_f64() * k as f64;
                    assert!(error <= most, "{m}×{n}×{k} {kind:?}: {got:?}, not {expect:?}");
                }
            }
        }
    }

    #[test]
    fn products_by_panels_are_those_by_the_matrix() {
        for turned in [false, true] {
            // One panel and several, none of whole vectors; one block of k and several.
            for (m, n, k) in [(2, 2, 3), (7, 50, 300), (40, 16, 9), (13, 200, 257), (32, 49, 1)] {
                check::<f32>(m, n, k, turned);
                check::<f64>(m, n, k, turned);
            }
        }
    }

    #[test]
    fn without_panels_it_is_a_product_like_another() {
        let (a, b) = ([1.0_f32, 2.0], [3.0_f32, 4.0, 5.0, 6.0]);
        let mut c = [0.0_f32; 2];
        assert_eq!(panels(REPAID - 1, 2, 2), 0);
        let b = || MatRef::rows_of(&b, 2, 2);
        pack_panels([Panels { to: &mut [], b: b() }]);
        matmul_panels(MatMut::rows_of(&mut c, 1, 2), MatRef::rows_of(&a, 1, 2), b(), &[], false);
        assert_eq!(c, [13.0, 16.0]);
    }
}
