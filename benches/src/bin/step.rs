//! One training step of a workload, timed: `step W2 2` prints one line of JSON, milliseconds a step.
//!
//! In: a workload, a number of threads, seconds to spend (1.5), a factor of the data (1; with 1e-40 the inputs and the
//! gradients of the first layer are denormal). Out: median, minimum, 10th and 90th
//! percentile over single steps, the time from `main` to the end of the first step, and the most memory of the process
//! in MB. Never: a step without its gather, its optimizer or its loss.

use std::time::Instant;

use diabolo_benches::{Workload, pool, steps};

fn main() -> diabolo::Result<()> {
    let begin = Instant::now();
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_else(|| "W2".to_owned());
    let threads = arguments.next().and_then(|t| t.parse().ok()).unwrap_or(2);
    let budget = arguments.next().and_then(|t| t.parse().ok()).unwrap_or(1.5);
    let scale = arguments.next().and_then(|t| t.parse().ok()).unwrap_or(1.0);
    let workload = Workload::named(&name)?;
    let (first, steps) = pool(threads)?.install(|| -> diabolo::Result<(f64, Vec<f64>)> {
        let data = workload.data(scale)?;
        let mut training = workload.start(&data)?;
        training.step()?;
        let first = begin.elapsed().as_secs_f64() * 1e3;
        // Warm: a fifth of the time or twenty steps, whichever is less.
        let warm = Instant::now();
        for _ in 0..20 {
            training.step()?;
            if warm.elapsed().as_secs_f64() > 0.2 * budget {
                break;
            }
        }
        Ok((first, steps(&mut training, budget)?))
    })?;
    let at = |share: f64| steps[((share * steps.len() as f64) as usize).min(steps.len() - 1)];
    println!(
        r#"{{"peer":"diabolo","w":"{name}","nt":{threads},"n":{},"med":{:.5},"min":{:.5},"p10":{:.5},"p90":{:.5},"first":{first:.3},"memory":{:.1},"isa":"{}"}}"#,
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
