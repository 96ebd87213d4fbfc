//! A warm training step allocates nothing, on every example.

use std::alloc::System;

use diabolo::data::digits;
use diabolo::prelude::*;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[allow(dead_code)]
#[path = "../../examples/contractive.rs"]
mod contractive;
#[allow(dead_code)]
#[path = "../../examples/first.rs"]
mod first;
#[allow(dead_code)]
#[path = "../../examples/losses.rs"]
mod losses;
#[allow(dead_code)]
#[path = "../../examples/pca.rs"]
mod pca;
#[allow(dead_code)]
#[path = "../../examples/vae.rs"]
mod vae;

/// Counts the allocations of every thread.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Allocations of ten warm steps. Two epochs warm it up: the last batch is smaller.
fn allocations<L: Loss>(trainer: Trainer<L>) -> usize {
    let data = digits().train;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads");
    pool.install(|| {
        let mut training = trainer.batch(64).start(&data).expect("the example trains");
        for _ in 0..2 * training.steps_per_epoch() {
            training.step().expect("a finite loss");
        }
        let region = Region::new(ALLOCATOR);
        for _ in 0..10 {
            training.step().expect("a finite loss");
        }
        let change = region.change();
        change.allocations + change.reallocations
    })
}

/// One test, so that nothing else allocates meanwhile.
#[test]
fn a_warm_step_allocates_nothing() {
    assert_eq!(allocations(Trainer::new(first::vanilla)), 0, "first");
    assert_eq!(allocations(Trainer::new(pca::linear)), 0, "pca");
    assert_eq!(allocations(Trainer::new(vae::beta_vae)), 0, "vae");
    assert_eq!(allocations(Trainer::new(contractive::contractive)), 0, "contractive");
    assert_eq!(allocations(Trainer::new(losses::plain)), 0, "plain");
    assert_eq!(allocations(Trainer::new(losses::cross_entropy)), 0, "cross_entropy");
    assert_eq!(allocations(Trainer::new(losses::sparse)), 0, "sparse");
    assert_eq!(allocations(Trainer::new(losses::denoising)), 0, "denoising");
    assert_eq!(allocations(Trainer::new(losses::contractive)), 0, "losses::contractive");
    assert_eq!(allocations(Trainer::new(losses::beta_vae)), 0, "losses::beta_vae");
    assert_eq!(allocations(Trainer::new(losses::robust)), 0, "robust");
    assert_eq!(allocations(Trainer::new(losses::ink)), 0, "ink");
    let region = Region::new(ALLOCATOR);
    drop(std::hint::black_box(vec![1u8; 64]));
    assert_eq!(region.change().allocations, 1, "the counter counts");
}
