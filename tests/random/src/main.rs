//! Any number of random programs: emitted code against the interpreter, gradients against differences.
//!
//! ```text
//! cargo run -p diabolo-random -- --from 1000 --count 5000
//! cargo run -p diabolo-random -- --from 1000 --seconds 3600
//! cargo run -p diabolo-random -- 17                       # one program again, made smaller if it differs
//! ```
//!
//! In: a first seed, and a number of programs or of seconds. Out: what was compared; for a program that differs, the
//! smallest one found that still does, both values, and the command that repeats it. Never: a program that its seed
//! does not fix; a stop at the first difference, before the others of its batch are known.

mod batch;
mod shrink;

#[allow(dead_code)] // each of its readers needs a part
#[path = "../../differential/random.rs"]
mod random;

use std::fmt;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use diabolo_compiler::print::print_bare;
use diabolo_compiler::testing::{gradients, steps};
use random::Spec;

/// Programs that are compiled together: as many as in every check.
const BATCH: u64 = 500;
/// Programs of a batch that are made smaller: one fault shows in many, and each takes some twenty compilations.
const SHRUNK: usize = 3;

/// Random programs, compiled and compared.
#[derive(Parser, Clone, Debug)]
#[command(name = "random")]
struct Flags {
    /// Programs by themselves, such as `17`, `17..40` or `17:9:2:14,23.1`, instead of batches.
    programs: Vec<String>,
    /// The seed of the first program; those of every check are 0 to 499.
    #[arg(long, default_value_t = 500)]
    from: u64,
    /// How many programs.
    #[arg(long, default_value_t = BATCH)]
    count: u64,
    /// How long batches are begun, instead of a number of programs.
    #[arg(long)]
    seconds: Option<u64>,
    /// Goes on after a batch with differences.
    #[arg(long)]
    keep_going: bool,
}

/// What was done.
#[derive(Default)]
struct Sums {
    programs: u64,
    nodes: usize,
    elements: usize,
    slopes: usize,
    faults: usize,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    match if flags.programs.is_empty() { batches(&flags) } else { listed(&flags) } {
        Ok(sums) if sums.faults == 0 => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The programs of the command line.
fn listed(flags: &Flags) -> Result<Sums, String> {
    let mut sums = Sums::default();
    emitted(&random::parse(&flags.programs.join(" "))?, &mut sums)?;
    println!("{sums}");
    Ok(sums)
}

/// Batch after batch.
fn batches(flags: &Flags) -> Result<Sums, String> {
    let (start, mut sums, mut seed) = (Instant::now(), Sums::default(), flags.from);
    let more = |seed: u64| match flags.seconds {
        Some(seconds) => start.elapsed() < Duration::from_secs(seconds),
        None => seed < flags.from + flags.count,
    };
    while more(seed) && (flags.keep_going || sums.faults == 0) {
        let end = match flags.seconds {
            Some(_) => seed + BATCH,
            None => (seed + BATCH).min(flags.from + flags.count),
        };
        one(seed, end, &mut sums).map_err(|error| format!("seeds {seed}..{end}: {error}"))?;
        seed = end;
        println!("seeds {}..{seed}: {sums}, {:.0} s", flags.from, start.elapsed().as_secs_f64());
    }
    Ok(sums)
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sums { programs, nodes, elements, slopes, faults } = self;
        write!(
            f,
            "{programs} programs, {nodes} nodes, {elements} elements and {slopes} slopes compared, {faults} differ"
        )
    }
}

/// One batch: differences, then emitted code.
fn one(from: u64, to: u64, sums: &mut Sums) -> Result<(), String> {
    for seed in from..to {
        match gradients(seed, steps(seed)) {
            Ok(slopes) => sums.slopes += slopes,
            Err(fault) => {
                sums.faults += 1;
                slope(seed, &fault);
            }
        }
    }
    emitted(&(from..to).map(Spec::whole).collect::<Vec<_>>(), sums)
}

/// Compiles programs and compares them with the interpreter.
fn emitted(specs: &[Spec], sums: &mut Sums) -> Result<(), String> {
    let mut wrong = Vec::new();
    for (spec, outcome) in specs.iter().zip(batch::run(specs)?) {
        sums.programs += 1;
        match outcome {
            Ok(agreed) => {
                sums.elements += agreed.elements;
                sums.nodes += agreed.nodes;
            }
            Err(fault) => {
                sums.faults += 1;
                println!("{spec}: {fault}");
                wrong.push((spec, fault));
            }
        }
    }
    wrong.into_iter().take(SHRUNK).try_for_each(|(spec, fault)| difference(spec, fault))
}

/// Makes a program that differs smaller, and shows it.
fn difference(spec: &Spec, fault: String) -> Result<(), String> {
    let faults = |specs: &[Spec]| Ok(batch::run(specs)?.into_iter().map(Result::err).collect());
    let (small, fault) = shrink::shrink(spec, fault, faults)?;
    println!("smallest: {fault}\n{}again:", print_bare(&small.graph().0));
    println!(
        "  {}='{small}' cargo test -p diabolo-differential --test emitted random_programs",
        random::VARIABLE
    );
    Ok(())
}

/// Shows the shortest program of a seed whose gradient is not its difference.
fn slope(seed: u64, fault: &str) {
    let shorter = (1..steps(seed)).find_map(|steps| Some((steps, gradients(seed, steps).err()?)));
    let (steps, fault) = shorter.unwrap_or((steps(seed), fault.to_owned()));
    println!("{seed}, gradient, smallest after {steps} steps: {fault}");
    let small = Spec { steps, output: Some(0), ..Spec::whole(seed) };
    println!("{}", print_bare(&small.raw().0));
}
