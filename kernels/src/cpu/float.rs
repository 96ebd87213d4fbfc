//! The number types. In: f32 and f64. Out: one trait over both, which also picks the type's maths.
//! Never: other types; the trait is closed.
use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// `f32` or `f64`: the numbers that kernels and generated code are generic over.
pub trait Float:
    Copy
    + Send
    + Sync
    + Default
    + PartialOrd
    + Debug
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + super::math::Elementary
    + super::random::Transform
    + super::matmul::Scalar
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The distance from 1 to the next number.
    const EPSILON: Self;
    /// The least positive number that is not denormal.
    const MIN_POSITIVE: Self;
    /// "f32" or "f64".
    const NAME: &'static str;

    /// The nearest number to `x`.
    fn from_f64(x: f64) -> Self;
    /// The same number as an `f64`.
    fn to_f64(self) -> f64;
    /// The nearest number to `n`.
    fn from_usize(n: usize) -> Self;
    /// The whole number that it holds; 0 for NaN and below 0.
    fn to_usize(self) -> usize;
    /// `self · b + c`, rounded once. Slow without the instruction: generated code calls [`crate::Isa::fma`].
    fn mul_add(self, b: Self, c: Self) -> Self;
}

macro_rules! float {
    ($type:ident) => {
        impl Float for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const EPSILON: Self = $type::EPSILON;
            const MIN_POSITIVE: Self = $type::MIN_POSITIVE;
            const NAME: &'static str = stringify!($type);

            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $type
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn from_usize(n: usize) -> Self {
                n as $type
            }
            #[inline(always)]
            fn to_usize(self) -> usize {
                self as usize
            }
            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                $type::mul_add(self, b, c)
            }
        }
    };
}

float!(f32);
float!(f64);
