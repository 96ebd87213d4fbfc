//! One training step of a workload, timed: `step W2 2` prints one line of JSON, milliseconds a step.
//!
//! In: a workload, a number of threads, seconds to spend (1.5), a factor of the data (1; with 1e-40 the inputs and the
//! gradients of the first layer are denormal). Out: median, minimum, 10th and 90th
//! percentile over single steps, the time from `main` to the end of the first step, and the most memory of the process
//! in MB. Never: a step without its gather, its optimizer or its loss.

use std::time::Instant;

use diabolo::prelude::*;
use diabolo_benches::{data, w1, w2, w3, w4, w5, w5g, w6, w7};

fn main() -> diabolo::Result<()> {
    let begin = Instant::now();
    let mut arguments = std::env::args().skip(1);
    let workload = arguments.next().unwrap_or_else(|| "W2".to_owned());
    let threads = arguments.next().and_then(|t| t.parse().ok()).unwrap_or(2);
    let budget = arguments.next().and_then(|t| t.parse().ok()).unwrap_or(1.5);
    let scale = arguments.next().and_then(|t| t.parse().ok()).unwrap_or(1.0);
    let time =
        |pool: &rayon::ThreadPool| match workload.as_str() {
            "W1" => {
                pool.install(|| time(Trainer::new(w1::objective).batch(64), 64, 64, (budget, scale), begin))
            }
            "W2" => pool
                .install(|| time(Trainer::new(w2::objective).batch(128), 128, 784, (budget, scale), begin)),
            "W3" => pool
                .install(|| time(Trainer::new(w3::objective).batch(128), 128, 784, (budget, scale), begin)),
            "W4" => pool
                .install(|| time(Trainer::new(w4::objective).batch(1024), 1024, 784, (budget, scale), begin)),
            "W5" => pool
                .install(|| time(Trainer::new(w5::objective).batch(128), 128, 784, (budget, scale), begin)),
            "W5g" => pool
                .install(|| time(Trainer::new(w5g::objective).batch(128), 128, 784, (budget, scale), begin)),
            "W6" => pool
                .install(|| time(Trainer::new(w6::objective).batch(1024), 1024, 512, (budget, scale), begin)),
            "W6k" => pool.install(|| {
                time(Trainer::new(w6::of_the_largest).batch(1024), 1024, 512, (budget, scale), begin)
            }),
            "W7" => pool
                .install(|| time(Trainer::new(w7::objective).batch(128), 128, 784, (budget, scale), begin)),
            other => Err(diabolo::Error::Config { what: format!("no workload named {other}") }),
        };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|e| diabolo::Error::Config { what: e.to_string() })?;
    let (first, steps) = time(&pool)?;
    let at = |share: f64| steps[((share * steps.len() as f64) as usize).min(steps.len() - 1)];
    println!(
        r#"{{"peer":"diabolo","w":"{workload}","nt":{threads},"n":{},"med":{:.5},"min":{:.5},"p10":{:.5},"p90":{:.5},"first":{first:.3},"memory":{:.1},"isa":"{}"}}"#,
        steps.len(),
        at(0.5),
        at(0.0),
        at(0.1),
        at(0.9),
        memory(),
        diabolo_kernels::isa_name(),
    );
    Ok(())
}

/// The most memory that the process ever held, in MB; 0 where the system does not say.
fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or_default() / 1024.0
}

/// Milliseconds from `start` to the end of the first step, and of single steps, ascending.
fn time<L: Loss>(
    trainer: Trainer<L>,
    rows: usize,
    width: usize,
    (budget, scale): (f64, f32),
    start: Instant,
) -> diabolo::Result<(f64, Vec<f64>)> {
    let data = data(rows, width, scale)?;
    let mut training = trainer.optimizer(Adam::new(1e-3)).start(&data)?;
    training.step()?;
    let first = start.elapsed().as_secs_f64() * 1e3;
    // Warm: a fifth of the time or twenty steps, whichever is less.
    let begin = Instant::now();
    for _ in 0..20 {
        training.step()?;
        if begin.elapsed().as_secs_f64() > 0.2 * budget {
            break;
        }
    }
    let mut steps = Vec::with_capacity(200_000);
    let begin = Instant::now();
    while begin.elapsed().as_secs_f64() < budget && steps.len() < steps.capacity() {
        let start = Instant::now();
        training.step()?;
        steps.push(start.elapsed().as_secs_f64() * 1e3);
    }
    steps.sort_by(f64::total_cmp);
    Ok((first, steps))
}
