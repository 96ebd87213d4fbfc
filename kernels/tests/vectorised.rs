//! A loop as the compiler emits it must become vector instructions: counted in this test's own machine
//! code with objdump (skipped, with a word, where there is none).
use diabolo_kernels::*;

#[cfg(target_arch = "x86_64")]
mod code;
#[path = "../examples/loops/mod.rs"]
mod loops;

#[test]
fn the_fused_loop_is_right() {
    let (rows, width) = (3, 100);
    let mut z = vec![0.0_f32; rows * width];
    let mut x = z.clone();
    random::normal(random::Stream { seed: 1, step: 0, site: 0 }, 0, &mut z);
    random::uniform(random::Stream { seed: 1, step: 0, site: 1 }, 0, &mut x);
    let bias: Vec<f32> = (0..width).map(|i| i as f32 / 100.0).collect();
    let (mut gradient, mut loss) = (vec![0.0; rows * width], vec![0.0; rows]);
    dispatch(loops::Bce::<_, 64> { z: &z, bias: &bias, x: &x, gradient: &mut gradient, loss: &mut loss });
    for r in 0..rows {
        let mut expect = 0.0;
        for c in 0..width {
            let (z, x) = (f64::from(z[r * width + c] + bias[c]), f64::from(x[r * width + c]));
            expect += (1.0 + z.exp()).ln() - z * x;
            let slope = 1.0 / (1.0 + (-z).exp()) - x;
            assert!((f64::from(gradient[r * width + c]) - slope).abs() < 1e-6);
        }
        assert!((f64::from(loss[r]) - expect).abs() < 1e-4);
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_fused_loop_is_vector_instructions() {
    // Keeps both copies of the loop in the binary.
    dispatch(loops::Bce::<f32, 64> { z: &[], bias: &[0.0], x: &[], gradient: &mut [], loss: &mut [] });
    let Some(output) = code::disassembly() else { return };
    for (set, register) in [("avx512", "zmm"), ("avx2", "ymm")] {
        // Of the library's functions for the set, the one with a division is the loop's.
        let code = output
            .split("\n\n")
            .filter(|code| code.lines().take(2).any(|line| line.contains("isa") && line.contains(set)))
            .find(|code| code.lines().any(|line| line.contains("vdivps") && line.contains(register)))
            .unwrap_or_else(|| panic!("no {set} loop with vector division: it was not vectorised"));
        let count = |what: &dyn Fn(&str) -> bool| code.lines().filter(|line| what(line)).count();
        let wide = count(&|line| line.contains(register));
        let scalar = count(&|line| {
            ["addss", "mulss", "divss", "maxss"].iter().any(|op| line.contains(op))
                || line.contains("vfm") && line.contains("ss ")
        });
        println!("{set}: {wide} vector instructions, {scalar} scalar ones");
        assert!(wide > 150, "{set}: only {wide} vector instructions");
        // The sum of 64 lanes at a row's end takes some.
        assert!(scalar < 40, "{set}: {scalar} scalar instructions");
        assert_eq!(count(&|line| line.contains("call") && line.contains("exp")), 0, "{set}: calls exp");
    }
}
