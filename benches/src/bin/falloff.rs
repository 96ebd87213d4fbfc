//! Where it falls off: one training step of width-width-width over batches, as a share of the machine's own peak.
//!
//! In: a number of threads. Out: a table in Markdown, a row a batch, a column a width. Never: a share of a peak that was not
//! measured just before, on as many threads.

use diabolo::nn::{dense, mse};
use diabolo::prelude::*;
use diabolo_benches::{data, peak, pool, steps};

#[encoder]
fn encode<const W: usize>(x: Tensor<B, W>) -> Tensor<B, W> {
    relu(dense(x, W))
}

#[decoder]
fn decode<const W: usize>(z: Tensor<B, W>) -> Tensor<B, W> {
    dense(z, W)
}

#[loss]
fn objective<#[values(64, 256, 1024, 4096)] const W: usize>(x: Tensor<B, W>) -> Tensor<B> {
    mse(decode(encode(x)), x)
}

const WIDTHS: [usize; 4] = [64, 256, 1024, 4096];
const BATCHES: [usize; 5] = [32, 128, 512, 2048, 8192];
/// Seconds for each figure, after which a step that has begun is the last.
const BUDGET: f64 = 1.0;

fn main() -> diabolo::Result<()> {
    let threads = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(2);
    let pool = pool(threads)?;
    // The best of some, because now and then two threads get the speed of one.
    let peaks = (0..5).map(|_| pool.broadcast(|_| peak::gflops()).iter().sum::<f64>());
    let peak = peaks.fold(0.0, f64::max);
    println!("share of the FMA peak of {peak:.0} GFLOP/s, percent (ms a step); {threads} threads\n");
    println!("| batch | {} |", WIDTHS.map(|width| width.to_string()).join(" | "));
    println!("| - |{}", " - |".repeat(WIDTHS.len()));
    for batch in BATCHES {
        print!("| {batch} |");
        for width in WIDTHS {
            let milliseconds = pool.install(|| median(batch, width))?;
            // Two products forward, two for the weights, one for the code.
            let flops = 10.0 * (batch * width * width) as f64;
            let share = flops / (milliseconds * 1e6) / peak;
            print!(" {:.0} ({milliseconds:.3}) |", 100.0 * share);
        }
        println!();
    }
    Ok(())
}

/// Milliseconds of a step.
fn median(batch: usize, width: usize) -> diabolo::Result<f64> {
    let data = data(batch, width, 1.0)?;
    let loss = objective { W: width };
    let mut training = Trainer::new(loss).optimizer(Adam::new(1e-4)).batch(batch).start(&data)?;
    training.step()?;
    let steps = steps(&mut training, BUDGET)?;
    Ok(steps[steps.len() / 2])
}
