//! Vector maths. In: one number, and the instruction set as a type. Out: one number. Each function is
//! inlined into the caller's loop over a block, which LLVM then vectorises: f32 is branch-free
//! polynomials, f64 the standard library and `libm`.
//! All take the instruction set, used or not, so that generated code calls each in the same way.
//! Never: a table, a branch in f32 (but for `lgamma` and `digamma`), or state.
//!
//! The greatest error of the f32 functions, in units in the last place against f64 (`pow` against f64 too): the bound that the
//! tests of this module assert, and what was seen at all 2³² values on AVX-512, AVX2 and the portable path, 2026-11-20:
//!
//! | | exp | expm1 | log | log1p | tanh | sigmoid | softplus | erf | sin, cos | pow |
//! | - | - | - | - | - | - | - | - | - | - | - |
//! | at most | 1.1 | 2 | 1 | 1 | 3 | 3 | 3 | 2 | 2 | 1 |
//! | seen | 1.03 | 1.66 | 0.87 | 0.90 | 2.50 | 2.41 | 2.80 | 1.64 | 1.59 | |
//!
//! sin and cos are for |x| below 2²⁸; beyond, they stay in [-1, 1]. `pow` has two arguments, so samples must do.
use super::float::Float;
use super::isa::Isa;

mod double;
mod gamma;
mod power;
mod single;
#[cfg(test)]
mod tests;

/// The functions that each number type computes in its own way. See the free functions of the same names.
#[allow(missing_docs)] // the free functions below are the documentation
pub trait Elementary: Sized + Copy {
    fn exp<I: Isa>(self) -> Self;
    fn expm1<I: Isa>(self) -> Self;
    fn log<I: Isa>(self) -> Self;
    fn log1p<I: Isa>(self) -> Self;
    fn tanh<I: Isa>(self) -> Self;
    fn sigmoid<I: Isa>(self) -> Self;
    fn softplus<I: Isa>(self) -> Self;
    fn erf<I: Isa>(self) -> Self;
    fn sin<I: Isa>(self) -> Self;
    fn cos<I: Isa>(self) -> Self;
    fn pow<I: Isa>(self, exponent: Self) -> Self;
    fn floor<I: Isa>(self) -> Self;
    fn round<I: Isa>(self) -> Self;
    fn sqrt(self) -> Self;
    fn abs(self) -> Self;
    fn lgamma(self) -> Self;
    fn digamma(self) -> Self;
}

macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[inline(always)]
        pub fn $name<I: Isa, F: Float>(x: F) -> F {
            Elementary::$name::<I>(x)
        }
    )*};
}

unary! {
    /// eˣ.
    exp;
    /// eˣ - 1, exact near 0.
    expm1;
    /// The natural logarithm: -∞ at 0, NaN below.
    log;
    /// log(1 + x), exact near 0.
    log1p;
    /// The hyperbolic tangent.
    tanh;
    /// 1 / (1 + e⁻ˣ).
    sigmoid;
    /// log(1 + eˣ), exact for large x of both signs.
    softplus;
    /// The error function.
    erf;
    /// The sine. In f32 the bound holds for |x| < 2²⁸; beyond, the result only stays within [-1, 1].
    sin;
    /// The cosine. In f32 the bound holds for |x| < 2²⁸; beyond, the result only stays within [-1, 1].
    cos;
    /// The greatest integer not above x.
    floor;
    /// The nearest integer, ties to even.
    round;
}

/// √x.
#[inline(always)]
pub fn sqrt<I: Isa, F: Float>(x: F) -> F {
    Elementary::sqrt(x)
}

/// |x|.
#[inline(always)]
pub fn abs<I: Isa, F: Float>(x: F) -> F {
    Elementary::abs(x)
}

/// x, and 0 in place of a denormal number, with which some processors compute a hundred times slower.
#[inline(always)]
pub fn flush<I: Isa, F: Float>(x: F) -> F {
    if Elementary::abs(x) < F::MIN_POSITIVE { F::ZERO } else { x }
}

/// log |Γ(x)|. A call for each value: not vectorised.
#[inline(always)]
pub fn lgamma<I: Isa, F: Float>(x: F) -> F {
    Elementary::lgamma(x)
}

/// The derivative of log Γ(x). A call for each value: not vectorised.
#[inline(always)]
pub fn digamma<I: Isa, F: Float>(x: F) -> F {
    Elementary::digamma(x)
}

/// xʸ, with the special cases of IEEE 754 (`pow(x, 0)` and `pow(1, y)` are 1).
#[inline(always)]
pub fn pow<I: Isa, F: Float>(x: F, y: F) -> F {
    Elementary::pow::<I>(x, y)
}

/// -1, 0 or 1 (and ±0 or NaN as it is).
#[inline(always)]
pub fn sign<I: Isa, F: Float>(x: F) -> F {
    let x = if x > F::ZERO { F::ONE } else { x };
    if x < F::ZERO { -F::ONE } else { x }
}

/// The smaller; NaN where one is NaN.
#[inline(always)]
#[allow(clippy::eq_op)] // `a != a` is the test for NaN that every Float has
pub fn min<I: Isa, F: Float>(a: F, b: F) -> F {
    let least = if a < b { a } else { b };
    if a != a { a } else { least }
}

/// The larger; NaN where one is NaN.
#[inline(always)]
#[allow(clippy::eq_op)] // as above
pub fn max<I: Isa, F: Float>(a: F, b: F) -> F {
    let most = if a > b { a } else { b };
    if a != a { a } else { most }
}

/// `a` where `condition` is not 0, else `b`.
#[inline(always)]
pub fn select<I: Isa, F: Float>(condition: F, a: F, b: F) -> F {
    if condition != F::ZERO { a } else { b }
}

macro_rules! comparison {
    ($($(#[$doc:meta])* $name:ident $op:tt;)*) => {$(
        $(#[$doc])*
        #[inline(always)]
        pub fn $name<I: Isa, F: Float>(a: F, b: F) -> F {
            if a $op b { F::ONE } else { F::ZERO }
        }
    )*};
}

comparison! {
    /// 1 where a < b, else 0.
    lt <;
    /// 1 where a ≤ b, else 0.
    le <=;
    /// 1 where a > b, else 0.
    gt >;
    /// 1 where a ≥ b, else 0.
    ge >=;
    /// 1 where a = b, else 0.
    eq ==;
    /// 1 where a ≠ b, else 0.
    ne !=;
}
