//! Criterion over the workloads: one training step each (gather, forward, backward, Adam), float32, on all threads; with the
//! arithmetic of its products as a share of what the machine was seen to do at the start.
//!
//! In: the workloads. Out: criterion's report. Never: a step without its optimizer, a share of a peak from a table.

use std::time::Instant;

use beside::BesidePeak;
use criterion::{Criterion, Throughput};
use diabolo_benches::{WORKLOADS, peak};

mod beside;

fn main() {
    let threads = rayon::current_num_threads();
    // The best of some, because now and then two threads get the speed of one.
    let rates = (0..5).map(|_| rayon::broadcast(|_| peak::gflops()).iter().sum::<f64>());
    let peak = BesidePeak { flops: rates.fold(0.0, f64::max), bytes: peak::reading(1 << 28) };
    println!("{threads} threads, {}: {:.1} GFLOP/s", diabolo_kernels::isa_name(), peak.flops);
    let mut criterion = Criterion::default().with_measurement(peak).configure_from_args();
    let mut group = criterion.benchmark_group("step");
    for workload in WORKLOADS {
        let data = workload.data(1.0).expect("the workload's data");
        let mut training = workload.start(&data).expect("the workload trains");
        group.throughput(Throughput::Elements(workload.flops as u64));
        group.bench_function(format!("{} {}", workload.name, workload.title), |bencher| {
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
    group.finish();
    criterion.final_summary();
}
