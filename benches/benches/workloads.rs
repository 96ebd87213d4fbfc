//! Criterion over the workloads: one training step each (gather, forward, backward, Adam), float32.
//!
//! In: the workloads. Out: criterion's report. Never: a step without its optimizer.

use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use diabolo_benches::WORKLOADS;

fn workloads(criterion: &mut Criterion) {
    for workload in WORKLOADS {
        let data = workload.data(1.0).expect("the workload's data");
        let mut training = workload.start(&data).expect("the workload trains");
        criterion.bench_function(&format!("{} {}", workload.name, workload.title), |bencher| {
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
}

criterion_group!(benches, workloads);
criterion_main!(benches);
