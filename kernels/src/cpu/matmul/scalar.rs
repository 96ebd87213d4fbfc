//! Which registers a kernel has for a number type and an instruction set. In: the type `I`. Out: the kernel's call.
//! Never: a choice by anything else.
use super::abreast::{Abreast, Each, Over};
use super::kernel::BothPacked;
use super::panels::ByPanels;
use super::sliding::Sliding;
use super::strided::Strided;
use super::transpose::Transpose;
use super::vector::{Four, Vector};
use super::{Apart, MatMut, MatRef};
#[cfg(target_arch = "aarch64")]
use std::arch::aarch64::{float32x4_t, float64x2_t};
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{__m256, __m256d, __m512, __m512d};
use std::marker::PhantomData;

use crate::cpu::isa::{Isa, IsaKind, dispatch};

/// What is done with vectors `V` and tiles of `MR` rows.
pub(super) trait Work<F>: Sized {
    /// What comes of it.
    type Output;

    /// Columns of the result, where half a vector will do for few of them; any large number where not.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "half a vector of NEON is none"))]
    #[inline(always)]
    fn columns(&self) -> usize {
        usize::MAX
    }

    /// Does it.
    ///
    /// # Safety
    /// V's instruction set is enabled.
    unsafe fn run<V: Vector<F>, const MR: usize>(self) -> Self::Output;
}

/// What each number type needs of the product kernels.
#[allow(private_bounds)] // the trait is closed
pub trait Scalar: Transpose + Strided + Abreast {
    /// The product of this type: see [`crate::matmul`].
    fn matmul(c: MatMut<'_, Self>, a: MatRef<'_, Self>, b: MatRef<'_, Self>, accumulate: bool);

    /// See [`super::matmul_panels`]. As those below it is compiled here, once for each type, and not in every crate that
    /// multiplies, which takes seconds; and by itself, so that a program has those that it calls.
    #[doc(hidden)]
    #[allow(private_interfaces)] // the trait is closed: nobody outside can call it
    fn by_panels(product: ByPanels<'_, Self>);

    /// See [`super::matmul_sliding`].
    #[doc(hidden)]
    #[allow(private_interfaces)] // as above
    fn sliding(product: Sliding<'_, Self>);

    /// See [`super::matmul_each`].
    #[doc(hidden)]
    #[allow(private_interfaces)] // as above
    fn for_each(product: Each<'_, Self>);

    /// See [`super::matmul_over`].
    #[doc(hidden)]
    #[allow(private_interfaces)] // as above
    fn over_rows(product: Over<'_, Self>);

    /// See `matmul_part`.
    ///
    /// # Safety
    /// What [`BothPacked`] asks for.
    #[doc(hidden)]
    #[allow(private_interfaces)] // as above
    unsafe fn part(product: BothPacked<Self>);

    /// Work with the registers of a set: as many rows in a tile as leave three vectors of sums, three of b and one
    /// of a in them.
    ///
    /// # Safety
    /// `I` is enabled.
    #[doc(hidden)]
    #[allow(private_bounds, private_interfaces)] // the trait is closed: nobody outside can name or call it
    unsafe fn work<I: Isa, W: Work<Self>>(work: W) -> W::Output;
}

macro_rules! scalar {
    ($type:ty, $avx512:ident, $avx2:ident, $neon:ident) => {
        impl Scalar for $type {
            fn matmul(c: MatMut<'_, Self>, a: MatRef<'_, Self>, b: MatRef<'_, Self>, accumulate: bool) {
                super::any(c, a, b, accumulate);
            }

            #[allow(private_interfaces)] // as in the trait
            fn by_panels(product: ByPanels<'_, Self>) {
                dispatch(product);
            }

            #[allow(private_interfaces)] // as in the trait
            fn sliding(product: Sliding<'_, Self>) {
                product.run();
            }

            #[allow(private_interfaces)] // as in the trait
            fn for_each(product: Each<'_, Self>) {
                dispatch(product);
            }

            #[allow(private_interfaces)] // as in the trait
            fn over_rows(product: Over<'_, Self>) {
                dispatch(product);
            }

            #[allow(private_interfaces)] // as in the trait
            unsafe fn part(product: BothPacked<Self>) {
                dispatch(Apart(product, PhantomData));
            }

            #[inline(always)]
            #[allow(private_bounds, private_interfaces)] // the trait is closed: nobody outside can name or call it
            unsafe fn work<I: Isa, W: Work<Self>>(work: W) -> W::Output {
                // SAFETY: the caller's; each register type goes with its own set.
                unsafe {
                    match I::KIND {
                        // Half vectors where a whole one would be half empty; AVX-512 VL has 32 of them too.
                        #[cfg(target_arch = "x86_64")]
                        IsaKind::Avx512 if work.columns() <= 32 / size_of::<$type>() => {
                            work.run::<$avx2, 8>()
                        }
                        #[cfg(target_arch = "x86_64")]
                        IsaKind::Avx512 => work.run::<$avx512, 8>(),
                        #[cfg(target_arch = "x86_64")]
                        IsaKind::Avx2 => work.run::<$avx2, 4>(),
                        #[cfg(target_arch = "aarch64")]
                        IsaKind::Neon => work.run::<$neon, 8>(),
                        _ => work.run::<Four<$type>, 4>(),
                    }
                }
            }
        }
    };
}

scalar!(f32, __m512, __m256, float32x4_t);
scalar!(f64, __m512d, __m256d, float64x2_t);
