//! Accuracy of the f32 functions against f64, on every instruction set of this machine. Each test looks at some four
//! million values; `cargo test --release -p diabolo-kernels whole_range -- --ignored --nocapture` looks at all 2³².
use rayon::prelude::*;

use super::*;
use crate::cpu::isa::{Body, IsaKind, run_on};
use crate::cpu::math;

/// The distance in units in the last place of f32, from the exact value.
fn ulps(got: f32, exact: f64) -> f64 {
    let nearest = exact as f32;
    if got == nearest || (got.is_nan() && exact.is_nan()) {
        return 0.0;
    }
    if !got.is_finite() || !nearest.is_finite() {
        return f64::INFINITY;
    }
    let exponent = exact.abs().log2().floor().max(-126.0);
    (f64::from(got) - exact).abs() / (exponent - 23.0).exp2()
}

struct Apply<'a, G>(&'a [f32], G);

trait Function: Copy {
    fn at<I: Isa>(self, x: f32) -> f32;
}

impl<G: Function> Body for Apply<'_, G> {
    type Output = Vec<f32>;
    #[inline(always)]
    fn run<I: Isa>(self) -> Vec<f32> {
        self.0.iter().map(|&x| self.1.at::<I>(x)).collect()
    }
}

/// Every 997th f32, and all near the special points.
fn sample() -> Vec<f32> {
    let special =
        [0.0, f32::MIN_POSITIVE, 1e-8, 0.5, 0.693, 0.9277, 1.0, 1.41, 2.0, 4.0, 9.0, 17.0, 88.72, 104.0];
    let near = special.iter().flat_map(|x: &f32| (0..4000).map(|i| f32::from_bits(x.to_bits() + i)));
    let below =
        special.iter().flat_map(|x: &f32| (0..4000).map(|i| f32::from_bits(x.to_bits().saturating_sub(i))));
    let all = (0..=u32::MAX / 997).map(|i| f32::from_bits(i * 997)).filter(|x| x.is_finite());
    all.chain(near.clone()).chain(below.clone()).chain(near.map(|x| -x)).chain(below.map(|x| -x)).collect()
}

macro_rules! accuracy {
    ($($name:ident $bound:literal $domain:expr, $exact:expr;)*) => {$(
        mod $name {
            use super::*;

            #[derive(Clone, Copy)]
            struct This;
            impl Function for This {
                #[inline(always)]
                fn at<I: Isa>(self, x: f32) -> f32 {
                    math::$name::<I, f32>(x)
                }
            }
            const CHECK: Check<This> = Check {
                name: stringify!($name), bound: $bound, function: This, domain: $domain, exact: $exact,
            };

            #[test]
            fn of_a_sample() {
                CHECK.of_a_sample();
                CHECK.of_special_values();
            }

            #[test]
            #[ignore = "all 2³² values take minutes in release"]
            fn of_the_whole_range() {
                CHECK.of_the_whole_range();
            }
        }
    )*};
}

/// A function, what it should be, and how far off it may be.
struct Check<G> {
    name: &'static str,
    /// In units in the last place.
    bound: f64,
    function: G,
    domain: fn(f32) -> bool,
    exact: fn(f64) -> f64,
}

/// The greatest error, where, and what came instead.
type Worst = (f64, f32, f32);

impl<G: Function + Sync> Check<G> {
    fn of_a_sample(&self) {
        self.judge(&self.worst(&sample()));
    }

    fn of_special_values(&self) {
        for kind in IsaKind::ALL.into_iter().filter(|kind| kind.available()) {
            for x in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0] {
                let y = run_on(kind, Apply(&[x], self.function))[0];
                let expect = (self.exact)(f64::from(x)) as f32;
                let same = y == expect && (y != 0.0 || y.is_sign_negative() == expect.is_sign_negative());
                assert!(same || y.is_nan() && expect.is_nan(), "{} of {x}: {y}", self.name);
            }
        }
    }

    fn of_the_whole_range(&self) {
        let none = || vec![(0.0, 0.0, 0.0); IsaKind::ALL.len()];
        let block = |high: u32| {
            let values: Vec<f32> = (0..=0xffff).map(|low| f32::from_bits(high << 16 | low)).collect();
            self.worst(&values)
        };
        let join = |a: Vec<Worst>, b: Vec<Worst>| {
            a.into_iter().zip(b).map(|(a, b)| if b.0 > a.0 { b } else { a }).collect()
        };
        let all = (0..0x1_0000_u32).into_par_iter().map(block).reduce(none, join);
        self.judge(&all);
    }

    /// For each instruction set.
    fn worst(&self, values: &[f32]) -> Vec<Worst> {
        let inside: Vec<f32> =
            values.iter().copied().filter(|&x| x.is_finite() && (self.domain)(x)).collect();
        let exact: Vec<f64> = inside.iter().map(|&x| (self.exact)(f64::from(x))).collect();
        let of = |kind: IsaKind| {
            if !kind.available() {
                return (0.0, 0.0, 0.0);
            }
            let got = run_on(kind, Apply(&inside, self.function));
            let errors = inside.iter().zip(&got).zip(&exact).map(|((&x, &y), &exact)| (ulps(y, exact), x, y));
            errors.fold((0.0, 0.0, 0.0), |worst, this| if this.0 > worst.0 { this } else { worst })
        };
        IsaKind::ALL.map(of).to_vec()
    }

    fn judge(&self, worst: &[Worst]) {
        for (kind, (error, x, y)) in IsaKind::ALL.into_iter().zip(worst).filter(|(kind, _)| kind.available())
        {
            println!("{:9} {:9} {error:.3} at {x:e}", self.name, kind.name());
            assert!(*error <= self.bound, "{} on {}: {error} ulp, {y:e} at {x:e}", self.name, kind.name());
        }
    }
}

fn anywhere(_: f32) -> bool {
    true
}

accuracy! {
    exp 1.1 anywhere, f64::exp;
    expm1 2.0 anywhere, f64::exp_m1;
    log 1.0 anywhere, f64::ln;
    log1p 1.0 anywhere, f64::ln_1p;
    tanh 3.0 anywhere, f64::tanh;
    sigmoid 3.0 anywhere, |x| 1.0 / (1.0 + (-x).exp());
    softplus 3.0 anywhere, |x| x.max(if x.is_nan() { x } else { 0.0 }) + (-x.abs()).exp().ln_1p();
    erf 2.0 anywhere, libm::erf;
    sin 2.0 |x| x.abs() < 268_435_456.0, f64::sin;
    cos 2.0 |x| x.abs() < 268_435_456.0, f64::cos;
    floor 0.0 anywhere, f64::floor;
    round 0.0 anywhere, f64::round_ties_even;
}

#[test]
fn circle_functions_stay_in_range_far_out() {
    for x in [3e8_f32, 1e10, 1e20, f32::MAX, -f32::MAX] {
        for y in [super::sin::<crate::Portable, f32>(x), super::cos::<crate::Portable, f32>(x)] {
            assert!(y.abs() <= 1.0, "{x}: {y}");
        }
    }
}

struct Powers<'a>(&'a [(f32, f32)]);
impl Body for Powers<'_> {
    type Output = Vec<f32>;
    #[inline(always)]
    fn run<I: Isa>(self) -> Vec<f32> {
        self.0.iter().map(|&(x, y)| super::pow::<I, f32>(x, y)).collect()
    }
}

#[test]
fn pow() {
    let mut pairs = Vec::new();
    // A walk through bases and exponents, in and out of range.
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state
    };
    for _ in 0..300_000 {
        let x = f32::from_bits(next());
        let y = f32::from_bits((next() & 0x83ff_ffff).wrapping_add(0x3e00_0000));
        pairs.push((x, y));
        pairs.push((x, 2.0));
        pairs.push((f32::from_bits(0x3f00_0000 | (next() & 0x00ff_ffff)), (next() % 2000) as f32 - 1000.0));
    }
    let ends = [0.0, 0.5, 1.0, 2.0, 3.0, 2.5, 1e30, 16_777_217.0, f32::INFINITY, f32::NAN, 1e-40];
    let ends: Vec<f32> = ends.iter().flat_map(|&x: &f32| [x, -x]).collect();
    for &x in &ends {
        pairs.extend(ends.iter().map(|&y| (x, y)));
    }
    for kind in IsaKind::ALL.into_iter().filter(|kind| kind.available()) {
        let mut worst = 0.0_f64;
        for (&(x, y), &got) in pairs.iter().zip(&run_on(kind, Powers(&pairs))) {
            let exact = f64::from(x).powf(f64::from(y));
            let error = ulps(got, exact);
            worst = worst.max(error);
            assert!(error <= 1.0, "pow({x:e}, {y:e}) = {got:e}, not {exact:e} ({error} ulp)");
            assert!(
                got != 0.0 || got.is_sign_negative() == exact.is_sign_negative(),
                "sign of pow({x}, {y})"
            );
        }
        println!("pow {:9} {worst:.3}", kind.name());
    }
}

#[test]
fn comparisons_and_choices() {
    use crate::Portable as P;
    let nan = f32::NAN;
    let all = |a: f32, b: f32| {
        [
            lt::<P, _>(a, b),
            le::<P, _>(a, b),
            gt::<P, _>(a, b),
            ge::<P, _>(a, b),
            eq::<P, _>(a, b),
            ne::<P, _>(a, b),
        ]
    };
    assert_eq!(all(1.0, 2.0), [1.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    assert_eq!(all(2.0, 2.0), [0.0, 1.0, 0.0, 1.0, 1.0, 0.0]);
    assert_eq!(all(nan, 0.0), [0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    assert_eq!([-3.0, 0.0, 2.0].map(sign::<P, f32>), [-1.0, 0.0, 1.0]);
    assert!(sign::<P, _>(nan).is_nan());
    assert_eq!([select::<P, _>(1.0, 2.0, 3.0), select::<P, _>(0.0, 2.0, 3.0)], [2.0, 3.0]);
    assert_eq!([min::<P, _>(1.0, 2.0), max::<P, _>(1.0, 2.0)], [1.0, 2.0]);
    for (a, b) in [(nan, 1.0), (1.0, nan)] {
        assert!(min::<P, _>(a, b).is_nan() && max::<P, _>(a, b).is_nan());
    }
}

#[test]
fn double_functions_are_the_standard_ones() {
    use crate::Portable as P;
    for i in -400..400 {
        let x = f64::from(i) * 0.37;
        assert_eq!(super::exp::<P, f64>(x), x.exp());
        assert!((super::sigmoid::<P, f64>(x) - 1.0 / (1.0 + (-x).exp())).abs() < 1e-15);
        assert!((super::softplus::<P, f64>(x) - (x.max(0.0) + (-x.abs()).exp().ln_1p())).abs() < 1e-13);
        assert!((super::erf::<P, f64>(x) + super::erf::<P, f64>(-x)).abs() < 1e-16);
    }
    assert_eq!(super::lgamma::<P, f32>(5.0), 24_f32.ln());
    assert_eq!(super::digamma::<P, f32>(1.0), -0.577_215_7);
}
