//! Criterion over the workloads: one training step each (gather, forward, backward, Adam), float32.
//!
//! In: the workloads. Out: criterion's report. Never: a step without its optimizer.

use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use diabolo::prelude::*;
use diabolo_benches::{data, w1, w2, w3, w4, w5, w5g, w6, w7};

fn step<L: Loss>(criterion: &mut Criterion, name: &str, trainer: Trainer<L>, rows: usize, width: usize) {
    let data = data(rows, width, 1.0).expect("the workload's data");
    let mut training = trainer.batch(rows).start(&data).expect("the workload trains");
    criterion.bench_function(name, |bencher| {
        bencher.iter_custom(|steps| {
            // Inside the pool, as `fit` does it: a fork from outside costs more than a small step.
            rayon::scope(|_| {
                let begin = Instant::now();
                for _ in 0..steps {
                    training.step().expect("a finite loss");
                }
                begin.elapsed()
            })
        });
    });
}

fn workloads(criterion: &mut Criterion) {
    step(criterion, "W1 64-32-8-32-64, batch 64", Trainer::new(w1::objective), 64, 64);
    step(criterion, "W2 784-256-64-256-784, batch 128", Trainer::new(w2::objective), 128, 784);
    step(criterion, "W3 VAE 784-400-20, batch 128", Trainer::new(w3::objective), 128, 784);
    step(criterion, "W4 784-1024-512-64, mirrored, batch 1024", Trainer::new(w4::objective), 1024, 784);
    step(criterion, "W5 contractive, one layer, batch 128", Trainer::new(w5::objective), 128, 784);
    step(criterion, "W5g contractive, two layers, batch 128", Trainer::new(w5g::objective), 128, 784);
    step(criterion, "W6 512-8192-512, L1, batch 1024", Trainer::new(w6::objective), 1024, 512);
    step(criterion, "W6k the same, 32 largest", Trainer::new(w6::of_the_largest), 1024, 512);
    step(criterion, "W7 convolutions 1-16-32, batch 128", Trainer::new(w7::objective), 128, 784);
}

criterion_group!(benches, workloads);
criterion_main!(benches);
