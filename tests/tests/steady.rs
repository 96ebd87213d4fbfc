//! A warm training step allocates nothing, on every example.

use std::alloc::System;

use diabolo::data::digits;
use diabolo::prelude::*;
use diabolo::projection::{clip, orthonormal_rows, unit_columns};
use diabolo::{Losses, Optimizers};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[allow(dead_code)]
#[path = "../../examples/adversarial.rs"]
mod adversarial;
#[allow(dead_code)]
#[path = "../../examples/beta.rs"]
mod beta;
#[allow(dead_code)]
#[path = "../../examples/contractive.rs"]
mod contractive;
#[allow(dead_code)]
#[path = "../../examples/convolutional.rs"]
mod convolutional;
#[allow(dead_code)]
#[path = "../../examples/cross_entropy.rs"]
mod cross_entropy;
#[allow(dead_code)]
#[path = "../../examples/deep.rs"]
mod deep;
#[allow(dead_code)]
#[path = "../../examples/denoising.rs"]
mod denoising;
#[allow(dead_code)]
#[path = "../../examples/dictionary.rs"]
mod dictionary;
#[allow(dead_code)]
#[path = "../../examples/energy.rs"]
mod energy;
#[allow(dead_code)]
#[path = "../../examples/first.rs"]
mod first;
#[allow(dead_code)]
#[path = "../../examples/gan.rs"]
mod gan;
#[allow(dead_code)]
#[path = "../../examples/generation.rs"]
mod generation;
#[allow(dead_code)]
#[path = "../../examples/learned_loss.rs"]
mod learned_loss;
#[allow(dead_code)]
#[path = "../../examples/linear_vae.rs"]
mod linear_vae;
#[allow(dead_code)]
#[path = "../../examples/losses.rs"]
mod losses;
#[allow(dead_code)]
#[path = "../../examples/mean_field.rs"]
mod mean_field;
#[allow(dead_code)]
#[path = "../../examples/pathologies.rs"]
mod pathologies;
#[allow(dead_code)]
#[path = "../../examples/pca.rs"]
mod pca;
#[allow(dead_code)]
#[path = "../../examples/recurrent.rs"]
mod recurrent;
#[allow(dead_code)]
#[path = "../../examples/samples.rs"]
mod samples;
#[allow(dead_code)]
#[path = "../../examples/sparse.rs"]
mod sparse;
#[allow(dead_code)]
#[path = "../../examples/tied.rs"]
mod tied;
#[allow(dead_code)]
#[path = "../../examples/vae.rs"]
mod vae;
#[allow(dead_code)]
#[path = "../../examples/wasserstein.rs"]
mod wasserstein;

/// Losses that take turns, states, projections.
mod turns {
    use diabolo::nn::{batch_norm, dense, squared_error};
    use diabolo::prelude::*;

    #[state]
    fn average() -> Tensor<64> {
        zeros()
    }

    #[encoder]
    pub fn encode(x: Tensor<B, 64>) -> Tensor<B, 8> {
        batch_norm(dense(x - average(), 8))
    }

    #[network]
    pub fn basis() -> Tensor<8, 64> {
        param(orthogonal())
    }

    #[loss(trains(encode, basis))]
    pub fn reconstruct(x: Tensor<B, 64>) -> Tensor<B> {
        update(average(), 0.9 * average() + 0.1 * batch_mean(x));
        squared_error(einsum("bk,kd->bd", encode(x), basis()), x)
    }

    #[loss(trains(basis))]
    pub fn small(x: Tensor<B, 64>) -> Tensor<B> {
        sum_squares(einsum("bd,kd->bk", x, basis()))
    }

    /// One's own projection.
    #[function]
    pub fn bounded(w: Tensor<B, 64>) -> Tensor<B, 64> {
        max(min(w, 0.9), -0.9)
    }
}

/// What sorts, chooses and places: a code of few values, and labels.
mod indices {
    use diabolo::nn::{cross_entropy, dense, squared_error};
    use diabolo::prelude::*;

    #[network]
    fn atoms() -> Tensor<200, 64> {
        param(normal_init(0.1))
    }

    #[network]
    fn code(x: Tensor<B, 64>) -> Tensor<B, 200> {
        top_k(relu(dense(x, 200)), 9)
    }

    #[network]
    fn logits(x: Tensor<B, 64>) -> Tensor<B, 10> {
        dense(x, 10)
    }

    #[loss]
    pub fn labelled(x: Tensor<B, 64>, label: Index<B>) -> Tensor<B> {
        let ordered = sum_squares(sort(x)) + sum(sort(batch(sum(x))));
        0.0 * ordered
            + cross_entropy(logits(x), label)
            + squared_error(einsum("bk,kd->bd", code(x), atoms()), x)
    }
}

/// Counts the allocations of every thread.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Allocations of ten warm steps. Two epochs warm it up: the last batch is smaller.
fn allocations<L: Losses, O: Optimizers<L>>(trainer: Trainer<L, O>) -> usize {
    let data = digits().train;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads");
    pool.install(|| {
        let mut training = trainer.batch(64).start(&data).expect("the example trains");
        for _ in 0..2 * training.steps_per_epoch() {
            training.step().expect("a finite loss");
        }
        // A thread allocates when it first takes work; on a busy machine that might be later.
        rayon::broadcast(|_| ());
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
    assert_eq!(allocations(Trainer::new(pca::linear::<8>)), 0, "linear");
    let pca = Trainer::new(pca::pca::<8>).project(pca::basis::<8>, orthonormal_rows);
    assert_eq!(allocations(pca), 0, "pca");
    assert_eq!(allocations(Trainer::new(tied::tied)), 0, "tied");
    assert_eq!(allocations(Trainer::new(tied::untied)), 0, "untied");
    assert_eq!(allocations(Trainer::new(vae::beta_vae)), 0, "vae");
    assert_eq!(allocations(Trainer::new(beta::beta_vae)), 0, "beta");
    assert_eq!(allocations(Trainer::new(linear_vae::linear_vae)), 0, "linear_vae");
    assert_eq!(allocations(Trainer::new(mean_field::mean_field)), 0, "mean_field");
    assert_eq!(allocations(Trainer::new(samples::unit_variance::<4>)), 0, "samples");
    assert_eq!(allocations(Trainer::new(contractive::contractive)), 0, "contractive");
    assert_eq!(allocations(Trainer::new(convolutional::convolutional)), 0, "convolutional");
    assert_eq!(allocations(Trainer::new(losses::plain)), 0, "plain");
    assert_eq!(allocations(Trainer::new(losses::cross_entropy)), 0, "cross_entropy");
    assert_eq!(allocations(Trainer::new(losses::sparse)), 0, "sparse");
    assert_eq!(allocations(Trainer::new(losses::denoising)), 0, "denoising");
    assert_eq!(allocations(Trainer::new(losses::contractive)), 0, "losses::contractive");
    assert_eq!(allocations(Trainer::new(losses::beta_vae)), 0, "losses::beta_vae");
    assert_eq!(allocations(Trainer::new(losses::robust)), 0, "robust");
    assert_eq!(allocations(Trainer::new(losses::ink)), 0, "ink");
    assert_eq!(allocations(Trainer::new(contractive::contractive_deep)), 0, "contractive_deep");
    assert_eq!(allocations(Trainer::new(denoising::denoising)), 0, "denoising::denoising");
    assert_eq!(allocations(Trainer::new(energy::denoising)), 0, "energy::denoising");
    assert_eq!(allocations(Trainer::new(generation::vae)), 0, "generation::vae");
    assert_eq!(allocations(Trainer::new(cross_entropy::cross_entropy)), 0, "cross_entropy::cross_entropy");
    assert_eq!(allocations(Trainer::new(deep::deep_relu)), 0, "deep_relu");
    assert_eq!(allocations(Trainer::new(deep::second_pair)), 0, "second_pair");
    assert_eq!(allocations(dictionary::trainer(0.2, 2.0)), 0, "dictionary");
    assert_eq!(allocations(Trainer::new(pathologies::drowned)), 0, "drowned");
    let bounded = Trainer::new(sparse::sparse).project(sparse::strokes, sparse::bounded);
    assert_eq!(allocations(bounded), 0, "sparse::sparse");
    let turns = Trainer::alternate((turns::reconstruct, turns::small))
        .optimizers((Adam::new(1e-3), RmsProp::new(1e-3)))
        .every((1, 2))
        .clip_norm(1.0)
        .project(turns::basis, orthonormal_rows)
        .project(turns::basis, turns::bounded)
        .project("encode.dense0.weight", unit_columns);
    assert_eq!(allocations(turns), 0, "turns");
    assert_eq!(allocations(Trainer::new(indices::labelled)), 0, "indices");
    let adversary = (adversarial::reconstruct, adversarial::discriminate, adversarial::deceive);
    assert_eq!(allocations(Trainer::alternate(adversary)), 0, "adversarial");
    let gan = (gan::discriminate { penalty: 1.0 }, gan::deceive);
    assert_eq!(allocations(Trainer::alternate(gan).every((1, 2))), 0, "gan");
    let learned = (learned_loss::rebuild { weight: 1.0 }, learned_loss::criticise);
    assert_eq!(allocations(Trainer::alternate(learned)), 0, "learned_loss");
    let wasserstein = Trainer::alternate((wasserstein::criticise, wasserstein::deceive)).every((5, 1));
    assert_eq!(allocations(wasserstein.project(wasserstein::critic, clip(0.1))), 0, "wasserstein");
    assert_eq!(allocations(Trainer::new(recurrent::gated)), 0, "gated");
    assert_eq!(allocations(Trainer::new(recurrent::remembering)), 0, "remembering");
    let region = Region::new(ALLOCATOR);
    drop(std::hint::black_box(vec![1u8; 64]));
    assert_eq!(region.change().allocations, 1, "the counter counts");
}
