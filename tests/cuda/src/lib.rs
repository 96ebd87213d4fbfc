//! What the tests of CUDA text share. In: kernels as text. Out: what they leave in memory, played on the CPU: without and
//! with sanitizers, the first thread first and the last thread first; and on a GPU where there is one. Never: a failure where there is none.
pub mod examples;
mod gpu;
pub mod nvrtc;

pub use gpu::{gpu, play_on};

use diabolo_kernels::cuda::emulate::{Emulator, Error, Memory, Order};
use diabolo_kernels::cuda::{Command, Launch, Tape};

/// An emulator of programs; none where this machine has no C++ compiler, which is said aloud.
///
/// # Panics
/// Where the text does not compile.
pub fn emulator(programs: &[&str], sanitize: bool) -> Option<Emulator> {
    match Emulator::new(programs, sanitize) {
        Ok(emulator) => Some(emulator),
        Err(Error::NoCompiler(reason)) => {
            eprintln!("skipped: no C++ compiler ({reason})");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Plays a tape of the first program in both orders of threads; what it leaves must be the same.
///
/// # Panics
/// Where it is not, or a kernel breaks a rule.
pub fn play(emulator: &Emulator, tape: &Tape, memory: &Memory) -> Memory {
    let run = |order| {
        let mut memory = memory.clone();
        let shown = emulator.play(0, tape, &mut memory, order).unwrap_or_else(|error| panic!("{error}"));
        (memory, shown)
    };
    let (first, last) = (run(Order::Ascending), run(Order::Descending));
    for (space, values) in &first.0.spaces {
        assert!(same(values, &last.0.spaces[space]), "{space:?} depends on the order of threads");
    }
    first.0
}

/// Whether two runs of values have the same bits; one NaN is as good as another.
pub fn same(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan())
}

/// A tape of launches.
pub fn tape(launches: Vec<Launch>) -> Tape {
    Tape { commands: launches.into_iter().map(Command::Launch).collect(), ..Tape::default() }
}
