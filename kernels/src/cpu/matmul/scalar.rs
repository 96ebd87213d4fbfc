//! Which kernel runs for which number type and instruction set. In: the type `I`. Out: the kernel's call.
//! Never: a choice by anything else.
use super::abreast::Abreast;
use super::kernel::{large_product, product};
use super::pack::View;
use super::strided::Strided;
use super::transpose::Transpose;
use super::vector::Four;
use super::{MatMut, MatRef};
#[cfg(target_arch = "aarch64")]
use std::arch::aarch64::{float32x4_t, float64x2_t};
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{__m256, __m256d, __m512, __m512d};

use crate::cpu::isa::{Isa, IsaKind};

/// What each number type needs of the product kernels.
#[allow(private_bounds)] // the trait is closed
pub trait Scalar: Transpose + Strided + Abreast {
    /// The product of this type: see [`crate::matmul`].
    fn matmul(c: MatMut<'_, Self>, a: MatRef<'_, Self>, b: MatRef<'_, Self>, accumulate: bool);

    /// The blocked product of this type.
    ///
    /// # Safety
    /// As for `kernel::product`, with `I` enabled.
    #[doc(hidden)]
    #[allow(private_interfaces)] // the trait is closed: nobody outside can name or call it
    unsafe fn product<I: Isa>(
        shape: (usize, usize, usize),
        c: View<Self>,
        a: View<Self>,
        b: View<Self>,
        accumulate: bool,
    );

    /// The same of a large product.
    ///
    /// # Safety
    /// As for [`Scalar::product`].
    #[doc(hidden)]
    #[allow(private_interfaces)] // as above
    unsafe fn large_product<I: Isa>(
        shape: (usize, usize, usize),
        c: View<Self>,
        a: View<Self>,
        b: View<Self>,
        accumulate: bool,
    );
}

macro_rules! scalar {
    ($type:ty, $avx512:ident, $avx2:ident, $neon:ident) => {
        impl Scalar for $type {
            fn matmul(c: MatMut<'_, Self>, a: MatRef<'_, Self>, b: MatRef<'_, Self>, accumulate: bool) {
                super::any(c, a, b, accumulate);
            }

            #[inline(always)]
            #[allow(private_interfaces)] // as above
            unsafe fn product<I: Isa>(
                shape: (usize, usize, usize),
                c: View<Self>,
                a: View<Self>,
                b: View<Self>,
                accumulate: bool,
            ) {
                // SAFETY: the caller's; each register type goes with its own set. Rows of a tile: as many as
                // leave three vectors of sums, three of b and one of a in the set's registers.
                unsafe {
                    match I::KIND {
                        // Half vectors where a whole one would be half empty; AVX-512 VL has 32 of them too.
                        #[cfg(target_arch = "x86_64")]
                        IsaKind::Avx512 if shape.1 <= 32 / size_of::<$type>() => {
                            product::<_, $avx2, 8>(shape, c, a, b, accumulate)
                        }
                        #[cfg(target_arch = "x86_64")]
                        IsaKind::Avx512 => product::<_, $avx512, 8>(shape, c, a, b, accumulate),
                        #[cfg(target_arch = "x86_64")]
                        IsaKind::Avx2 => product::<_, $avx2, 4>(shape, c, a, b, accumulate),
                        #[cfg(target_arch = "aarch64")]
                        IsaKind::Neon => product::<_, $neon, 8>(shape, c, a, b, accumulate),
                        _ => product::<_, Four<$type>, 4>(shape, c, a, b, accumulate),
                    }
                }
            }

            #[inline(always)]
            #[allow(private_interfaces)] // as above
            unsafe fn large_product<I: Isa>(
                shape: (usize, usize, usize),
                c: View<Self>,
                a: View<Self>,
                b: View<Self>,
                accumulate: bool,
            ) {
                // SAFETY: as above.
                unsafe {
                    match I::KIND {
                        #[cfg(target_arch = "x86_64")]
                        IsaKind::Avx512 => large_product::<_, $avx512, 8>(shape, c, a, b, accumulate),
                        #[cfg(target_arch = "x86_64")]
                        IsaKind::Avx2 => large_product::<_, $avx2, 4>(shape, c, a, b, accumulate),
                        #[cfg(target_arch = "aarch64")]
                        IsaKind::Neon => large_product::<_, $neon, 8>(shape, c, a, b, accumulate),
                        _ => large_product::<_, Four<$type>, 4>(shape, c, a, b, accumulate),
                    }
                }
            }
        }
    };
}

scalar!(f32, __m512, __m256, float32x4_t);
scalar!(f64, __m512d, __m256d, float64x2_t);
