//! The fused loops of a whole training step must become vector instructions: counted in this test's own machine code with
//! objdump (skipped, with a word, where there is none).
#![cfg(target_arch = "x86_64")]

use diabolo::data::digits;
use diabolo::nn::{bce_with_logits, dense, kl_normal};
use diabolo::prelude::*;

#[path = "../../../kernels/tests/code/mod.rs"]
mod code;

#[encoder]
fn encode(x: Tensor<B, 64>) -> (Tensor<B, 16>, Tensor<B, 16>) {
    let h = tanh(dense(x, 64));
    (dense(h, 16), dense(h, 16))
}

#[decoder]
fn decode(z: Tensor<B, 16>) -> Tensor<B, 64> {
    dense(gelu(dense(z, 64)), 64)
}

#[loss]
fn vae(x: Tensor<B, 64>) -> Tensor<B> {
    let (mean, logvar) = encode(x);
    let z = mean + exp(0.5 * logvar) * normal_like(mean);
    let recon = bce_with_logits(decode(z), x);
    let kl = kl_normal(mean, logvar);
    recon + kl
}

#[test]
fn the_fused_loops_of_a_step_are_vector_instructions() {
    // Keeps the step in this binary.
    Trainer::new(vae).epochs(1).quiet().fit(&digits().test).expect("trains");
    let Some(output) = code::disassembly() else { return };
    for (set, register) in [("avx512", "zmm"), ("avx2", "ymm")] {
        // The library's functions for the set. The longest are products, whose edges are scalar; the shortest have no loop.
        let bodies: Vec<&str> = output
            .split("\n\n")
            .filter(|code| code.lines().next().is_some_and(|name| name.contains("isa") && name.contains(set)))
            .filter(|code| (150..2000).contains(&code.lines().count()))
            .collect();
        assert!(bodies.len() >= 12, "{set}: only {} loops found", bodies.len());
        for code in &bodies {
            let count = |what: &dyn Fn(&str) -> bool| code.lines().filter(|line| what(line)).count();
            let wide = count(&|line| line.contains(register));
            let scalar = count(&|line| {
                ["addss", "subss", "mulss", "divss", "maxss"].iter().any(|op| line.contains(op))
            });
            let name = code.lines().next().unwrap_or_default();
            // The sum of 64 lanes at a row's end takes 31 or 63.
            assert!(
                wide >= 24 && scalar <= 70,
                "{set}: {wide} vector instructions, {scalar} scalar, in {name}"
            );
            // By its name, where objdump has one: addresses are letters and digits as well.
            let name_of = |line: &str| line.split_once('<').map(|(_, name)| name.to_owned());
            let mathematics = |name: &String| {
                name.contains("f32") || ["exp", "tanh", "erf", "log"].iter().any(|of| name.starts_with(of))
            };
            let calls = code.lines().filter(|line| line.contains("call"));
            let called = calls.filter_map(name_of).find(mathematics);
            assert_eq!(called, None, "{set}: a function for each number, in {name}");
        }
        let with = |what: &str| {
            let both = |line: &str| line.contains(what) && line.contains(register);
            bodies.iter().filter(|code| code.lines().any(both)).count()
        };
        // tanh, gelu and the cross-entropy forward, and their slopes.
        assert!(with("vdivps") >= 3, "{set}: {} loops with vector division", with("vdivps"));
        assert!(with("vfmadd") >= 6, "{set}: {} loops with fused vector arithmetic", with("vfmadd"));
    }
}
