//! Runs cases, one after the other, in a process that may die of them.
//!
//! In: flags and one target. Out: the number of each case before it starts, on standard output; the case's
//! input in a file while it runs. Never: a caught panic forgotten.

use std::alloc::System;
use std::fs;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use cap::Cap;
use diabolo_compiler::testing::Rng;

use crate::{Flags, Target, files, programs, tokens};

#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

/// Bytes that any case may hold on to: the parsed library is part of every program.
const BASE: usize = 256 << 20;
/// Bytes for each byte of input: a token and its tree take some hundred.
const FACTOR: usize = 4096;
/// The stack of a thread as Rust starts them; rustc gives macros more.
const STACK: usize = 2 << 20;

/// What a case tries.
pub struct Case {
    /// What is written down if it fails.
    pub input: Vec<u8>,
    /// Tries it; whether the input was accepted.
    pub run: Box<dyn FnOnce() -> bool + Send>,
}

/// Runs the cases of the first target.
pub fn run(flags: &Flags) -> ExitCode {
    let Some(target) = flags.targets.first().copied() else { return ExitCode::FAILURE };
    let work = {
        let flags = flags.clone();
        move || cases(&flags, target)
    };
    // A thread of the size that a user's build gives to a macro at least.
    let ended = std::thread::Builder::new().stack_size(STACK).spawn(work).map(std::thread::JoinHandle::join);
    match ended {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn cases(flags: &Flags, target: Target) -> bool {
    let start = Instant::now();
    let corpus = programs::Corpus::read();
    let scratch = match tempfile::tempdir() {
        Ok(scratch) => scratch,
        Err(error) => {
            eprintln!("no folder to work in: {error}");
            return false;
        }
    };
    let (mut number, mut accepted) = (flags.from, 0u64);
    let more = |number: u64| match flags.limit() {
        Some(limit) => start.elapsed() < limit,
        None => number < flags.from + flags.cases,
    };
    while more(number) {
        let mut rng =
            Rng(flags.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ number.wrapping_mul(0xD1B5_4A32_D192_ED03));
        let case = match target {
            Target::Tokens => tokens::case(&mut rng),
            Target::Programs => programs::case(&corpus, &mut rng),
            Target::Files => files::case(scratch.path(), &mut rng),
        };
        println!("case {number}");
        std::io::stdout().flush().ok();
        if !one(flags, number, case, &mut accepted) {
            return false;
        }
        number += 1;
    }
    println!(", {accepted} of them accepted");
    true
}

/// Runs one case; false where it panicked.
fn one(flags: &Flags, number: u64, case: Case, accepted: &mut u64) -> bool {
    let name = flags.targets.first().map_or_else(String::new, |target| format!("{target:?}").to_lowercase());
    let place = flags.out.join(format!("{name}-{number}"));
    let Case { input, run } = case;
    let keep = || fs::create_dir_all(&flags.out).and_then(|()| fs::write(&place, &input));
    // Written before, because a process that dies writes nothing.
    if let Err(error) = keep() {
        eprintln!("{}: {error}", place.display());
        return false;
    }
    let limit = MEMORY.allocated().saturating_add(BASE + FACTOR * input.len());
    if MEMORY.set_limit(limit).is_err() {
        return false;
    }
    let outcome = catch_unwind(AssertUnwindSafe(run));
    if MEMORY.set_limit(usize::MAX).is_err() {
        return false;
    }
    match outcome {
        Ok(was_accepted) => {
            *accepted += u64::from(was_accepted);
            fs::remove_file(&place).ok();
            true
        }
        Err(_) => false,
    }
}
