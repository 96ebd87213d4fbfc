//! Philox against the published vectors, the numbers' moments, and their independence of everything else.
use super::*;
use crate::cpu::isa::{IsaKind, run_on};

/// Known answers of Random123 (kat_vectors, philox4x32 10).
#[test]
fn philox_known_answers() {
    let zero = philox4x32([0; 4], [0; 2]);
    assert_eq!(zero, [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
    let ones = philox4x32([!0; 4], [!0; 2]);
    assert_eq!(ones, [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
    let pi = philox4x32([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]);
    assert_eq!(pi, [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]);
}

const STREAM: Stream = Stream { seed: 0x0123_4567_89ab_cdef, step: 0x1_0000_0007, site: 42 };

#[test]
fn elements_are_lanes_of_counter_blocks() {
    let mut out = [0.0_f32; 300];
    uniform(STREAM, 0, &mut out);
    for (e, &x) in out.iter().enumerate() {
        let counter = [(e / 4) as u32, STREAM.site, STREAM.step as u32, (STREAM.step >> 32) as u32];
        let word = philox4x32(counter, [STREAM.seed as u32, (STREAM.seed >> 32) as u32])[e % 4];
        assert_eq!(f64::from(x), (f64::from(word >> 9) + 0.5) / 8_388_608.0);
    }
}

fn fill<F: Float, const NORMAL: bool>(kind: IsaKind, start: u64, len: usize) -> Vec<F> {
    let mut out = vec![F::ZERO; len];
    run_on(kind, Fill::<F, NORMAL> { stream: STREAM, start, out: &mut out });
    out
}

#[test]
fn same_bits_on_every_instruction_set() {
    for kind in IsaKind::ALL.into_iter().filter(|kind| kind.available()) {
        let p = IsaKind::Portable;
        assert!(fill::<f32, false>(kind, 0, 100_003) == fill::<f32, false>(p, 0, 100_003));
        assert!(fill::<f32, true>(kind, 0, 100_003) == fill::<f32, true>(p, 0, 100_003));
        assert!(fill::<f64, true>(kind, 0, 100_003) == fill::<f64, true>(p, 0, 100_003));
    }
}

/// A change of these numbers breaks every stored experiment and the agreement with other devices.
#[test]
fn the_numbers_are_fixed() {
    let numbers = fill::<f32, true>(IsaKind::Portable, 0, 4096);
    assert_eq!(numbers[..4], [0.656_709_2, -1.053_265_9, -0.651_126_2, 0.035_957_497]);
    // FNV-1a of all bits.
    let hash = numbers.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, x| {
        (hash ^ u64::from(x.to_bits())).wrapping_mul(0x0100_0000_01b3)
    });
    assert_eq!(hash, 0xcfea_af31_e8ae_81cb, "{hash:#x}");
}

#[test]
fn fills_do_not_depend_on_their_pieces() {
    let whole = fill::<f32, true>(IsaKind::Portable, 0, 2000);
    for piece in [1, 3, 4, 63, 64, 65, 100, 257] {
        let mut out = vec![0.0_f32; 2000];
        for (i, part) in out.chunks_mut(piece).enumerate() {
            normal(STREAM, (i * piece) as u64, part);
        }
        assert!(out == whole, "pieces of {piece}");
    }
    for start in [0, 1, 2, 3, 64, 70] {
        let block = normal_block::<crate::Portable, f32>(STREAM, start);
        assert!(block == whole[start as usize..][..BLOCK], "block at {start}");
        let block = uniform_block::<crate::Portable, f64>(STREAM, start);
        assert!(block == fill::<f64, false>(IsaKind::Portable, start, BLOCK)[..]);
    }
}

#[test]
fn both_precisions_agree() {
    let kind = crate::isa();
    let (u32s, u64s) = (fill::<f32, false>(kind, 0, 100_000), fill::<f64, false>(kind, 0, 100_000));
    assert!(u32s.iter().zip(&u64s).all(|(&a, &b)| f64::from(a) == b));
    let (n32, n64) = (fill::<f32, true>(kind, 0, 1_000_000), fill::<f64, true>(kind, 0, 1_000_000));
    for (&a, &b) in n32.iter().zip(&n64) {
        assert!((f64::from(a) - b).abs() < 4e-7 * b.abs().max(0.5), "{a} and {b}");
    }
}

#[test]
fn doubles_are_accurate() {
    for i in 1..20_000 {
        let (u, v) = (f64::from(i) / 20_000.0, f64::from(i * 7 % 20_000) / 20_000.0 + 1e-7);
        let (c, s) = f64::normal_pair(u, v);
        let radius = (-2.0 * u.ln()).sqrt();
        let angle = std::f64::consts::TAU * v;
        assert!((c - radius * angle.cos()).abs() < 4e-15 * radius.max(1.0));
        assert!((s - radius * angle.sin()).abs() < 4e-15 * radius.max(1.0));
    }
}

#[test]
fn moments() {
    const N: usize = 1 << 20;
    let kind = crate::isa();
    let moment = |x: &[f32], power: i32| x.iter().map(|&x| f64::from(x).powi(power)).sum::<f64>() / N as f64;
    // Five standard errors each.
    let error = |variance: f64| 5.0 * (variance / N as f64).sqrt();

    let x = fill::<f32, false>(kind, 0, N);
    assert!(x.iter().all(|&x| x > 0.0 && x < 1.0));
    assert!((moment(&x, 1) - 0.5).abs() < error(1.0 / 12.0));
    assert!((moment(&x, 2) - 1.0 / 3.0).abs() < error(4.0 / 45.0));

    let x = fill::<f32, true>(kind, 0, N);
    assert!(moment(&x, 1).abs() < error(1.0));
    assert!((moment(&x, 2) - 1.0).abs() < error(2.0));
    assert!(moment(&x, 3).abs() < error(15.0));
    assert!((moment(&x, 4) - 3.0).abs() < error(96.0));
    let neighbours: f64 = x.windows(2).map(|w| f64::from(w[0]) * f64::from(w[1])).sum::<f64>() / N as f64;
    assert!(neighbours.abs() < error(1.0));
    let tail = x.iter().filter(|x| x.abs() > 3.0).count() as f64 / N as f64;
    assert!((tail - 0.002_699_8).abs() < error(0.002_7));
}

#[test]
fn streams_differ() {
    let first = |stream| {
        let mut out = [0.0_f32; 8];
        uniform(stream, 0, &mut out);
        out
    };
    let here = first(STREAM);
    assert!(here != first(Stream { seed: STREAM.seed ^ 1 << 63, ..STREAM }));
    assert!(here != first(Stream { step: STREAM.step ^ 1 << 63, ..STREAM }));
    assert!(here != first(Stream { site: STREAM.site + 1, ..STREAM }));
}
