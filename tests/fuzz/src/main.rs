//! Throws arbitrary tokens, mutated programs and damaged files at Diabolo.
//!
//! ```text
//! cargo run -p diabolo-fuzz -- --seconds 60              # every target for a minute, all at once
//! cargo run -p diabolo-fuzz -- programs --seed 7 --from 1234 --cases 1   # one case again
//! ```
//!
//! In: a seed, a number of cases or of seconds. Out: what was tried, and the first case that panicked, hung,
//! overflowed the stack or allocated beyond what its input justifies, with the command that repeats it and
//! its input in a file. Never: a case that depends on anything but target, seed and number.
//!
//! Cases run in a child process (`worker`), because a stack overflow or a refused allocation ends a process.

mod files;
mod mutate;
mod programs;
mod supervise;
mod tokens;
mod worker;

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// Arbitrary token streams for every attribute, and for the exchange of hidden macros.
    Tokens,
    /// The examples and the library with random changes, through the whole compiler.
    Programs,
    /// Every file reader on damaged files.
    Files,
}

/// Random and damaged input for the compiler and for every file reader.
#[derive(Parser, Clone, Debug)]
#[command(name = "fuzz")]
pub struct Flags {
    /// What to try; everything where none is given.
    pub targets: Vec<Target>,
    /// The seed of all cases.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The number of the first case.
    #[arg(long, default_value_t = 0)]
    pub from: u64,
    /// How many cases of each target.
    #[arg(long, default_value_t = 1000)]
    pub cases: u64,
    /// How long each target is tried, instead of a number of cases.
    #[arg(long)]
    pub seconds: Option<u64>,
    /// Seconds after which one case counts as hanging.
    #[arg(long, default_value_t = 60)]
    pub patience: u64,
    /// Where the input of a failing case is written.
    #[arg(long, default_value = "fuzz-failures")]
    pub out: PathBuf,
    /// Runs cases here instead of watching a child that does.
    #[arg(long, hide = true)]
    pub worker: bool,
}

impl Flags {
    fn limit(&self) -> Option<Duration> {
        self.seconds.map(Duration::from_secs)
    }
}

fn main() -> ExitCode {
    let mut flags = Flags::parse();
    if flags.targets.is_empty() {
        flags.targets = Target::value_variants().to_vec();
    }
    if flags.worker {
        return worker::run(&flags);
    }
    // All at once: each watches a child of its own.
    let watched = thread::scope(|scope| {
        let watch = |target: &Target| {
            let (flags, target) = (&flags, *target);
            scope.spawn(move || supervise::target(flags, target))
        };
        let watches: Vec<_> = flags.targets.iter().map(watch).collect();
        watches
            .into_iter()
            .map(|watch| watch.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect::<Vec<_>>()
    });
    let mut failed = false;
    for summary in watched {
        match summary {
            Ok(summary) => println!("{summary}"),
            Err(failure) => {
                eprintln!("{failure}");
                failed = true;
            }
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
