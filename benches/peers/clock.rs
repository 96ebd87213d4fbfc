//! What burn's and candle's steps share: the command line, the clock, the line of JSON.
//!
//! In: `WORKLOAD THREADS SECONDS`, and a function that makes a step and returns its loss. Out: one line of JSON, milliseconds a
//! step. Never: a step without its optimizer, or one that returns before it is done.

use std::process::ExitCode;
use std::time::Instant;

/// The end of `main`: what cannot be said is a line on stderr.
pub fn end(result: Result<(), String>) -> ExitCode {
    result.map_or_else(
        |reason| {
            eprintln!("{reason}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

/// What the command line asks for.
pub struct Asked {
    pub workload: String,
    threads: usize,
    seconds: f64,
    begin: Instant,
}

impl Asked {
    /// The command line; the pool of threads that products and loops run in is started by it.
    pub fn parse() -> Result<Asked, String> {
        let begin = Instant::now();
        let usage = || "usage: WORKLOAD THREADS SECONDS".to_owned();
        let mut arguments = std::env::args().skip(1);
        let workload = arguments.next().ok_or_else(usage)?;
        let threads = arguments.next().and_then(|text| text.parse().ok()).ok_or_else(usage)?;
        let seconds = arguments.next().and_then(|text| text.parse().ok()).ok_or_else(usage)?;
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().map_err(|e| e.to_string())?;
        Ok(Asked { workload, threads, seconds, begin })
    }

    /// Times single steps for about the seconds asked for, after a fifth of them to warm up, as `step.py` does.
    pub fn measure<E>(
        &self,
        peer: &str,
        version: &str,
        mut step: impl FnMut() -> Result<f32, E>,
    ) -> Result<(), E> {
        let first_loss = step()?;
        let first = 1e3 * self.begin.elapsed().as_secs_f64();
        let warm = Instant::now();
        while warm.elapsed().as_secs_f64() < 0.2 * self.seconds {
            step()?;
        }
        let (mut times, mut loss, begin) = (Vec::new(), first_loss, Instant::now());
        while begin.elapsed().as_secs_f64() < self.seconds || times.len() < 5 {
            let start = Instant::now();
            loss = step()?;
            times.push(1e3 * start.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[((share * times.len() as f64) as usize).min(times.len() - 1)];
        println!(
            r#"{{"peer":"{peer}","w":"{}","nt":{},"n":{},"med":{:.5},"min":{:.5},"p10":{:.5},"p90":{:.5},"first":{first:.3},"memory":{:.1},"losses":[{first_loss},{loss}],"version":"{version}"}}"#,
            self.workload,
            self.threads,
            times.len(),
            at(0.5),
            at(0.0),
            at(0.1),
            at(0.9),
            memory(),
        );
        Ok(())
    }
}

/// The most memory that the process ever held, in MB; 0 where the system does not say.
fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or_default() / 1024.0
}
