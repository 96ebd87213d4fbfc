//! Products of values whose rows lie abreast: each element is a group of [`ABREAST`] numbers, one of each row. In:
//! strides along several axes. Out: c = a·b or c += a·b, for every row (`each`) or summed over rows (`over`). Never:
//! a copy of b, allocation, or an order of sums that depends on anything but the shape.
//!
//! So a convolution of many small images needs no pieces gathered: whatever the windows and steps are, what a place
//! holds of sixteen images is one or two registers, and every register is full (the layout NHWC with images in
//! place of channels; Georganas et al., "Anatomy of high-performance deep learning convolutions", 2018).
use super::sliding::{Axes, SlideMut, SlideRef};
use super::vector::Four;
use crate::cpu::float::Float;
use crate::cpu::isa::{Isa, IsaKind};
pub(super) use each::Each;
pub(super) use over::Over;

mod each;
mod over;
#[cfg(test)]
mod tests;

/// The numbers of a group.
pub const ABREAST: usize = 16;

/// Rows, and terms, of a block of a that is copied: 48 KiB of f32.
const HEIGHT: usize = 64;
const DEPTH: usize = 192;
/// Groups of columns whose places are known at a time.
const WIDTH: usize = 64;

/// For every row `c = a·b`, or `c += a·b`, where a's elements are numbers and those of b and c groups of [`ABREAST`]
/// numbers that lie side by side. Places of c may be shared where it accumulates. The bits depend on the shapes, the
/// strides and the instruction set only.
///
/// # Panics
/// Where the shapes do not match, or a group reaches beyond its slice.
pub fn matmul_each<F: Float>(c: SlideMut<'_, F>, a: SlideRef<'_, F>, b: SlideRef<'_, F>, accumulate: bool) {
    check(&c, &a, &b);
    assert!(c.room() >= ABREAST && b.room() >= ABREAST, "a group beyond its slice: internal error");
    F::for_each(Each { c, a, b, accumulate });
}

/// The sum over rows of `a·b`, in `c` or added to it, where the elements of a and b are groups of [`ABREAST`] numbers, of
/// which the first `rows` count, and those of c are numbers. The bits depend on the shapes, the strides and the
/// instruction set only.
///
/// # Panics
/// Where the shapes do not match, a group reaches beyond its slice, or there are more rows.
pub fn matmul_over<F: Float>(
    c: SlideMut<'_, F>,
    a: SlideRef<'_, F>,
    b: SlideRef<'_, F>,
    rows: usize,
    accumulate: bool,
) {
    check(&c, &a, &b);
    assert!(a.room() >= ABREAST && b.room() >= ABREAST, "a group beyond its slice: internal error");
    assert!(rows <= ABREAST, "{rows} rows abreast: internal error");
    F::over_rows(Over { c, a, b, rows, accumulate });
}

fn check<F: Float>(c: &SlideMut<'_, F>, a: &SlideRef<'_, F>, b: &SlideRef<'_, F>) {
    let fits = a.rows.len() == c.rows.len() && a.cols.len() == b.rows.len() && b.cols.len() == c.cols.len();
    assert!(fits, "shapes of a product: internal error");
}

/// What each number type needs here.
pub(super) trait Abreast: Sized {
    /// # Safety
    /// All elements and groups lie in their slices, and `I` is enabled.
    unsafe fn each<I: Isa>(product: Each<'_, Self>);
    /// # Safety
    /// As for [`Abreast::each`].
    unsafe fn over<I: Isa>(product: Over<'_, Self>);
}

macro_rules! abreast {
    ($type:ty, $avx512:ident, $avx2:ident, $neon:ident) => {
        impl Abreast for $type {
            #[inline(always)]
            unsafe fn each<I: Isa>(product: Each<'_, Self>) {
                // SAFETY: the caller's; each register type goes with its own set. Of 16 registers, three columns of
                // sums would take all: one would wait in memory.
                unsafe {
                    match I::KIND {
                        #[cfg(target_arch = "x86_64")]
                        IsaKind::Avx512 => product.all::<std::arch::x86_64::$avx512, 8, 3>(),
                        #[cfg(target_arch = "x86_64")]
                        IsaKind::Avx2 => product.all::<std::arch::x86_64::$avx2, 4, 2>(),
                        #[cfg(target_arch = "aarch64")]
                        IsaKind::Neon => product.all::<std::arch::aarch64::$neon, 8, 3>(),
                        _ => product.all::<Four<$type>, 4, 3>(),
                    }
                }
            }
            #[inline(always)]
            unsafe fn over<I: Isa>(product: Over<'_, Self>) {
                // SAFETY: as above.
                unsafe {
                    match I::KIND {
                        #[cfg(target_arch = "x86_64")]
                        IsaKind::Avx512 => product.all::<std::arch::x86_64::$avx512, 8>(),
                        #[cfg(target_arch = "x86_64")]
                        IsaKind::Avx2 => product.all::<std::arch::x86_64::$avx2, 4>(),
                        #[cfg(target_arch = "aarch64")]
                        IsaKind::Neon => product.all::<std::arch::aarch64::$neon, 8>(),
                        _ => product.all::<Four<$type>, 4>(),
                    }
                }
            }
        }
    };
}
abreast!(f32, __m512, __m256, float32x4_t);
abreast!(f64, __m512d, __m256d, float64x2_t);

/// Even pieces of `n`, of at most `most`: where each begins, and how long it is.
fn pieces(n: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = n.div_ceil(most);
    (0..count).map(move |i| (n * i / count, n * (i + 1) / count - n * i / count))
}

/// Fills in the places of some elements.
fn places<'a>(axes: &Axes, (start, len): (usize, usize), to: &'a mut [usize]) -> &'a [usize] {
    let to = &mut to[..len];
    if len > 0 {
        axes.fill(start, to);
    }
    to
}
