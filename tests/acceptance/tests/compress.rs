//! Row 35: the autoencoder as a compressor.
//!
//! | mutation | test | what it gave |
//! | - | - | - |
//! | levels at the middle of their cells | `bits_are_the_entropy…` | 0.2722 bits a code above R(D) at step 0.5, not 0.2546 |
//! | every level as frequent as any other | both | 4.209 bits a code, not 3.062; 44.4 bits an image, not 32.8 |
//! | `c` for `straight_through(round(c), c)` | `digits_are_read_back…` | codes shrink to 2.2 bits an image, 6.1 by the prior |
//! | the prior without the width of its cell | `digits_are_read_back…` | 46.0 bits an image, 29.5 by the prior |

use common::{Quantised, gaussian_rate};
use diabolo::baseline::Pca;
use diabolo::data::{Array, Data, digits};
use diabolo::nn::squared_error;
use diabolo::prelude::*;
use diabolo_acceptance::statistics::{normal_cdf, normals};

#[allow(dead_code)]
#[path = "../../../examples/compress.rs"]
mod compress;

const CODES: usize = 4;
/// Orthonormal rows, so that squared errors of codes are those of images.
#[network]
fn basis() -> Tensor<4, 8> {
    param(orthogonal())
}

#[function]
fn encode(x: Tensor<B, 8>) -> Tensor<B, 4> {
    einsum("bd,kd->bk", x, basis())
}

#[function]
fn decode(c: Tensor<B, 4>) -> Tensor<B, 8> {
    einsum("bk,kd->bd", c, basis())
}

#[loss]
fn linear(x: Tensor<B, 8>) -> Tensor<B> {
    squared_error(decode(encode(x)), x)
}

/// Rows of a Gaussian whose codes are independent, of variance 1.
fn planted(model: &Model<f32>, rows: usize, seed: u64) -> Data {
    let codes = normals(rows * CODES, seed).iter().map(|z| *z as f32).collect();
    let codes = Array::new(&[rows, CODES], codes).unwrap();
    Data::from_array("x", model.run(decode, &codes).unwrap()).unwrap()
}

/// Of a standard normal number rounded to multiples of a step: the entropy in bits, and how far that is above
/// R(D) = −½ log₂ D at the error D of decoding to the means of cells.
fn theory(step: f64) -> (f64, f64) {
    let density = |x: f64| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
    let (mut entropy, mut kept) = (0.0, 0.0);
    for k in -200..=200 {
        let (low, high) = ((f64::from(k) - 0.5) * step, (f64::from(k) + 0.5) * step);
        let p = normal_cdf(high) - normal_cdf(low);
        if p > 0.0 {
            entropy -= p * p.log2();
            kept += (density(low) - density(high)).powi(2) / p;
        }
    }
    (entropy, entropy + 0.5 * (1.0 - kept).log2())
}

fn error(x: &Array<f32>, y: &Array<f32>) -> f64 {
    let square = |(x, y): (&f32, &f32)| f64::from(x - y).powi(2);
    x.values().iter().zip(y.values()).map(square).sum::<f64>() / x.rows() as f64
}

struct Measured {
    /// Bits a code, as measured in the file, and of its levels.
    bits: f64,
    levels: f64,
    /// Bits a code above R(D) at the error measured.
    above: f64,
}

fn measure(rows: usize, step: f64, seed: u64) -> Measured {
    let model = Model::<f32>::untrained(linear, 3).unwrap();
    let data = planted(&model, rows, seed);
    let quantised = Quantised::new(&model.run(encode, &data).unwrap(), step as f32).unwrap();
    let packed = quantised.pack().unwrap();
    let again = Quantised::unpack(&packed.bytes).unwrap();
    assert_eq!(again, quantised);
    let images = model.run(decode, &again.codes().unwrap()).unwrap();
    let distortion = error(&data.array("x").unwrap(), &images);
    // Of the variances of these rows: those that were planted differ by what chance makes of them.
    let variances = Pca::fit(&data, "x", CODES).unwrap();
    let codes = (rows * CODES) as f64;
    let bits = 8.0 * packed.payload as f64 / codes;
    let least = gaussian_rate(&variances.eigenvalues()[..CODES], distortion) / CODES as f64;
    Measured { bits, levels: quantised.entropy() / codes, above: bits - least }
}

/// Over 20 seeds of 10⁵ rows: bits within 0.53 % of theory at the widest step and 0.11 % at the finest, above R(D) by what
/// theory says ± 0.0028.
#[test]
fn bits_are_the_entropy_and_near_the_rate_of_the_distortion() {
    for step in [0.5, 1.0, 2.0, 3.0] {
        let (entropy, gap) = theory(step);
        assert!(gap < 0.255, "step {step}: {gap}");
        let Measured { bits, levels, above } = measure(100_000, step, 11);
        assert!((bits / entropy - 1.0).abs() < 0.01, "step {step}: {bits} bits a code, {entropy} in theory");
        assert!(bits / levels - 1.0 < 1e-3, "step {step}: {bits} bits a code, {levels} of its levels");
        assert!((above - gap).abs() < 0.005, "step {step}: {above} bits a code above R(D), {gap} in theory");
    }
    // Theory leaves 0.0004 to the bound at small steps; here it is 0.0038, and chance a fifth of that.
    let Measured { above, .. } = measure(1_000_000, 2.0, 12);
    assert!(above > 0.0 && above < 0.255, "{above} bits a code above R(D)");
}

#[test]
#[ignore = "looks at the spread over seeds"]
fn over_twenty_seeds() {
    for step in [0.5, 1.0, 2.0, 3.0] {
        let (entropy, gap) = theory(step);
        let found: Vec<Measured> = (0..20).map(|seed| measure(100_000, step, 100 + seed)).collect();
        let largest = |of: &dyn Fn(&Measured) -> f64| found.iter().map(of).fold(0.0, f64::max);
        let (bits, above) =
            (largest(&|m| (m.bits / entropy - 1.0).abs()), largest(&|m| (m.above - gap).abs()));
        println!(
            "step {step}: bits within {bits:.4} of {entropy:.4}, above R(D) within {above:.4} of {gap:.4}"
        );
    }
}

#[test]
fn digits_are_read_back_and_take_the_bits_that_training_saw() {
    let digits = digits();
    let loss = compress::compressor { K: 16, lambda: 0.02 };
    let trainer = Trainer::new(loss).optimizer(Adam::new(2e-3)).batch(64).epochs(40).seed(7).quiet();
    let model = trainer.fit(&digits.train).unwrap();
    let quantised = Quantised::new(&model.run(compress::encode::<16>, &digits.test).unwrap(), 1.0).unwrap();
    let packed = quantised.pack().unwrap();
    assert_eq!(Quantised::unpack(&packed.bytes).unwrap(), quantised);

    // The learned prior is of other rows than these, and knows nothing of their frequencies.
    let rows = digits.test.rows() as f64;
    let learned =
        model.mean(compress::compressor { K: 16, lambda: 0.02 }, &digits.test).unwrap().part("rate").unwrap();
    let measured = 8.0 * packed.payload as f64 / rows;
    assert!((measured / learned - 1.0).abs() < 0.05, "{measured} bits an image, {learned} by the prior");

    // PCA with as many numbers, whole, is no better than these bits.
    let images = model.run(compress::decode::<16>, &quantised.codes().unwrap()).unwrap();
    let reached = error(&digits.test.array("x").unwrap(), &images);
    let pca = Pca::fit(&digits.train, "x", 16).unwrap().squared_error(&digits.test).unwrap();
    assert!(reached < 1.1 * pca, "{reached}, {pca} by PCA");
}
