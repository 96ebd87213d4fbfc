//! Statistics: what samples are, and what they could be by chance.
//!
//! In: samples. Out: moments, distances, probabilities. Never: a random number without a seed.

use diabolo::kernels::random::{self, Stream};
use statrs::distribution::{ContinuousCDF, Normal};

/// The mean and the variance (over n).
pub fn mean_and_variance(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64)
}

/// Means, and the covariance (over n) row by row, of rows of so many values.
pub fn moments(values: &[f64], width: usize) -> (Vec<f64>, Vec<f64>) {
    let rows = values.len() / width;
    let mut mean = vec![0.0; width];
    for row in values.chunks_exact(width) {
        mean.iter_mut().zip(row).for_each(|(m, v)| *m += v / rows as f64);
    }
    let mut covariance = vec![0.0; width * width];
    for row in values.chunks_exact(width) {
        for i in 0..width {
            for j in 0..width {
                covariance[i * width + j] += (row[i] - mean[i]) * (row[j] - mean[j]) / rows as f64;
            }
        }
    }
    (mean, covariance)
}

/// P(N(0, 1) ≤ x).
pub fn normal_cdf(x: f64) -> f64 {
    Normal::standard().cdf(x)
}

/// Standard normal numbers of a seed.
pub fn normals(count: usize, seed: u64) -> Vec<f64> {
    let mut values = vec![0.0; count];
    random::normal(Stream { seed, step: 0, site: 0 }, 0, &mut values);
    values
}

/// Numbers of a seed, uniform on [0, 1).
pub fn uniforms(count: usize, seed: u64) -> Vec<f64> {
    let mut values = vec![0.0; count];
    random::uniform(Stream { seed, step: 0, site: 0 }, 0, &mut values);
    values
}

/// The one-sample statistic of Kolmogorov and Smirnov, and its probability in the limit of large samples.
pub fn kolmogorov_smirnov(samples: &[f64], cdf: impl Fn(f64) -> f64) -> (f64, f64) {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let distance = sorted.iter().enumerate().fold(0.0f64, |largest, (i, x)| {
        let p = cdf(*x);
        largest.max(p - i as f64 / n).max((i + 1) as f64 / n - p)
    });
    (distance, kolmogorov(distance * n.sqrt()))
}

/// P(K > t) of Kolmogorov's distribution: 2 Σ (−1)^(k−1) exp(−2 k² t²).
fn kolmogorov(t: f64) -> f64 {
    if t < 0.2 {
        return 1.0; // to 12 digits
    }
    let term = |k: i32| f64::from(2 * (k % 2) - 1) * (-2.0 * f64::from(k * k) * t * t).exp();
    (2.0 * (1..=100).map(term).sum::<f64>()).clamp(0.0, 1.0)
}

/// The permutation test of the maximum mean discrepancy between two samples of rows (Gretton et al. 2012, section 5, with
/// the Gaussian kernel of the median distance): the share of `rounds` random splits that are no nearer than this one.
pub fn discrepancy_test(x: &[f64], y: &[f64], width: usize, rounds: usize, seed: u64) -> f64 {
    let rows: Vec<&[f64]> = x.chunks_exact(width).chain(y.chunks_exact(width)).collect();
    let (n, first) = (rows.len(), x.len() / width);
    let square = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum() };
    let squares: Vec<f64> = (0..n * n).map(|at| square(rows[at / n], rows[at % n])).collect();
    let mut apart: Vec<f64> =
        (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| squares[i * n + j]).collect();
    let middle = apart.len() / 2;
    let median = *apart.select_nth_unstable_by(middle, f64::total_cmp).1;
    let kernel: Vec<f64> = squares.iter().map(|s| (-s / median).exp()).collect();
    let statistic = |order: &[usize]| -> f64 {
        // The weights 1/n₁ and −1/n₂ make all three means one quadratic form.
        let weight = |i: usize| if i < first { 1.0 / first as f64 } else { -1.0 / (n - first) as f64 };
        let mut weights = vec![0.0; n];
        order.iter().enumerate().for_each(|(i, row)| weights[*row] = weight(i));
        kernel
            .chunks_exact(n)
            .zip(&weights)
            .map(|(k, w)| w * k.iter().zip(&weights).map(|(k, w)| k * w).sum::<f64>())
            .sum()
    };
    let mut order: Vec<usize> = (0..n).collect();
    let found = statistic(&order);
    let mut further = 1;
    for round in 0..rounds {
        for (i, u) in uniforms(n, seed.wrapping_add(round as u64)).into_iter().enumerate().skip(1) {
            order.swap(i, (u * (i + 1) as f64) as usize);
        }
        further += usize::from(statistic(&order) >= found);
    }
    further as f64 / (rounds + 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_distributions_are_not_told_apart_and_others_are() {
        let x = normals(2000, 1);
        let (mean, variance) = mean_and_variance(&x);
        assert!(mean.abs() < 0.05 && (variance - 1.0).abs() < 0.1, "{mean} {variance}");
        assert!(kolmogorov_smirnov(&x, normal_cdf).1 > 0.01);
        assert!(kolmogorov_smirnov(&x, |x| normal_cdf(x - 0.1)).1 < 1e-3);
        let shifted: Vec<f64> = normals(400, 2).iter().map(|v| v + 0.5).collect();
        assert!(discrepancy_test(&x[..400], &normals(400, 3), 2, 199, 0) > 0.05);
        assert!(discrepancy_test(&x[..400], &shifted, 2, 199, 0) < 0.01);
    }

    #[test]
    fn kolmogorov_s_distribution() {
        // P(K > 1.3581) = 0.05 (Smirnov 1948).
        assert!((kolmogorov(1.3581) - 0.05).abs() < 1e-4 && (kolmogorov(0.2) - 1.0).abs() < 1e-10);
    }
}
