//! Throws arbitrary tokens, mutated programs and damaged files at Diabolo.
//!
//! ```text
//! cargo run -p diabolo-fuzz -- --seconds 60              # every target, a minute each
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

use std::path::PathBuf;
use std::process::ExitCode;
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
    let mut failed = false;
    for target in flags.targets.clone() {
        match supervise::target(&flags, target) {
            Ok(summary) => println!("{summary}"),
            Err(failure) => {
                eprintln!("{failure}");
                failed = true;
            }
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
