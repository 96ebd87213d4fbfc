//! Watches a child that runs cases.
//!
//! In: flags and a target. Out: a summary, or what the failing case did and how to repeat it. Never: a case
//! run in this process.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::{Flags, Target};

/// Runs a target in a child.
///
/// # Errors
/// The first case that panicked, hung or ended the process, in words.
pub fn target(flags: &Flags, target: Target) -> Result<String, String> {
    let name = target.to_possible_value().map_or_else(String::new, |v| v.get_name().to_owned());
    let start = Instant::now();
    let (mut child, lines) =
        spawn(flags, &name).map_err(|e| format!("{name}: cannot start a worker: {e}"))?;
    let (mut case, mut done, mut said) = (flags.from, 0u64, String::new());
    let fault = loop {
        match lines.recv_timeout(Duration::from_secs(flags.patience)) {
            Ok(line) => match line.strip_prefix("case ").map(str::parse) {
                Some(Ok(number)) => (case, done) = (number, done + 1),
                _ => said = line,
            },
            Err(RecvTimeoutError::Timeout) => break Some(format!("took more than {} s", flags.patience)),
            Err(RecvTimeoutError::Disconnected) => break None,
        }
    };
    if fault.is_some() {
        // Nothing more is wanted of it; that it may have ended by itself does not matter.
        child.kill().ok();
    }
    let status = child.wait().map_err(|e| format!("{name}: {e}"))?;
    let fault = fault.or_else(|| (!status.success()).then(|| format!("ended the process ({status})")));
    match fault {
        None => Ok(format!("{name}: {done} cases in {:.0} s{said}", start.elapsed().as_secs_f64())),
        Some(fault) => Err(format!(
            "{name}: case {case} {fault}. Again:\n  cargo run -p diabolo-fuzz -- {name} --seed {} --from {case} --cases 1\n\
             Its input is in {}",
            flags.seed,
            flags.out.display()
        )),
    }
}

fn spawn(flags: &Flags, name: &str) -> std::io::Result<(Child, Receiver<String>)> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(name).arg("--worker").arg("--out").arg(&flags.out);
    for (flag, value) in [("--seed", flags.seed), ("--from", flags.from), ("--cases", flags.cases)] {
        command.arg(flag).arg(value.to_string());
    }
    if let Some(seconds) = flags.seconds {
        command.arg("--seconds").arg(seconds.to_string());
    }
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let (sender, lines) = mpsc::channel();
    if let Some(output) = child.stdout.take() {
        std::thread::spawn(move || {
            // Ends with the child's output, or with the receiver.
            BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
    }
    Ok((child, lines))
}
