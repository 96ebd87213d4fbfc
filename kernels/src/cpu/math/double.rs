//! f64 maths: the standard library, and `libm` for what it lacks. In: f64. Out: f64. Never vectorised.
use super::Elementary;
use crate::cpu::isa::Isa;

impl Elementary for f64 {
    #[inline(always)]
    fn exp<I: Isa>(self) -> Self {
        f64::exp(self)
    }
    #[inline(always)]
    fn expm1<I: Isa>(self) -> Self {
        f64::exp_m1(self)
    }
    #[inline(always)]
    fn log<I: Isa>(self) -> Self {
        f64::ln(self)
    }
    #[inline(always)]
    fn log1p<I: Isa>(self) -> Self {
        f64::ln_1p(self)
    }
    #[inline(always)]
    fn tanh<I: Isa>(self) -> Self {
        f64::tanh(self)
    }
    #[inline(always)]
    fn sigmoid<I: Isa>(self) -> Self {
        let e = f64::exp(-self.abs());
        (if self >= 0.0 { 1.0 } else { e }) / (1.0 + e)
    }
    #[inline(always)]
    fn softplus<I: Isa>(self) -> Self {
        let tail = f64::ln_1p(f64::exp(-self.abs()));
        if self > 0.0 { self + tail } else { tail }
    }
    #[inline(always)]
    fn erf<I: Isa>(self) -> Self {
        libm::erf(self)
    }
    #[inline(always)]
    fn sin<I: Isa>(self) -> Self {
        f64::sin(self)
    }
    #[inline(always)]
    fn cos<I: Isa>(self) -> Self {
        f64::cos(self)
    }
    #[inline(always)]
    fn pow<I: Isa>(self, exponent: Self) -> Self {
        f64::powf(self, exponent)
    }
    #[inline(always)]
    fn floor<I: Isa>(self) -> Self {
        f64::floor(self)
    }
    #[inline(always)]
    fn round<I: Isa>(self) -> Self {
        f64::round_ties_even(self)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        f64::abs(self)
    }
    #[inline(always)]
    fn lgamma(self) -> Self {
        super::gamma::lgamma(self)
    }
    #[inline(always)]
    fn digamma(self) -> Self {
        super::gamma::digamma(self)
    }
}
