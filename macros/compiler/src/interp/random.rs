//! Random numbers by counter: the same as those of the kernels.
//!
//! In: seed, step, site, element. Out: a number. Never: state.
//!
//! Element e is lane e % 4 of the Philox4x32-10 block (Salmon et al., 2011) with the counter (e / 4, site,
//! step low, step high) and the key (seed low, seed high). Uniform: (k + ½)·2⁻²³ from the lane's high 23 bits
//! k. Normal: Box-Muller of the uniforms of lanes (0, 1) and (2, 3), the cosine for the even element.

use crate::graph::Distribution;

pub(super) fn draw(distribution: Distribution, seed: u64, step: u64, site: u32, element: u64) -> f64 {
    let counter = [(element / 4) as u32, site, step as u32, (step >> 32) as u32];
    let block = philox(counter, [seed as u32, (seed >> 32) as u32]);
    let lane = (element % 4) as usize;
    let unit = |lane: usize| (f64::from(block[lane] >> 9) + 0.5) / 8_388_608.0;
    match distribution {
        Distribution::Uniform => unit(lane),
        Distribution::Normal => {
            let first = lane & !1;
            let radius = (-2.0 * unit(first).ln()).sqrt();
            // 2πv = (quadrant + t) π/2, exactly, so that values near 0 keep their digits.
            let turns = 4.0 * unit(first + 1);
            let quadrant = turns.round();
            let (sin, cos) = ((turns - quadrant) * std::f64::consts::FRAC_PI_2).sin_cos();
            let (sin, cos) = match quadrant as u32 % 4 {
                0 => (sin, cos),
                1 => (cos, -sin),
                2 => (-sin, -cos),
                _ => (-cos, sin),
            };
            radius * if lane == first { cos } else { sin }
        }
    }
}

fn philox(mut c: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let a = u64::from(c[0]) * 0xD251_1F53;
        let b = u64::from(c[2]) * 0xCD9E_8D57;
        c = [(b >> 32) as u32 ^ c[1] ^ key[0], b as u32, (a >> 32) as u32 ^ c[3] ^ key[1], a as u32];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    c
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_has_the_known_answers_of_its_authors() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([!0; 4], [!0; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let moments = |distribution| {
            let draws: Vec<f64> = (0..20_000).map(|e| draw(distribution, 3, 1, 2, e)).collect();
            let mean = draws.iter().sum::<f64>() / 20_000.0;
            (mean, draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0)
        };
        let (mean, variance) = moments(Distribution::Normal);
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
        let (mean, variance) = moments(Distribution::Uniform);
        assert!((mean - 0.5).abs() < 0.01 && (variance - 1.0 / 12.0).abs() < 0.002, "{mean} {variance}");
    }
}
