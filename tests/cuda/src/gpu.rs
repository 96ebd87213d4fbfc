//! Tapes on a device through its driver. In: a text, a tape, memory. Out: what is left in memory, and what was shown. Never: a
//! test that fails where no GPU is: it says so.
use std::sync::{Arc, OnceLock};

use diabolo_kernels::cuda::arena::{Arena, Layout};
use diabolo_kernels::cuda::copies::Copies;
use diabolo_kernels::cuda::driver::{Precision, Shared};
use diabolo_kernels::cuda::emulate::Memory;
use diabolo_kernels::cuda::gpu::Gpu;
use diabolo_kernels::cuda::play::{Loaded, Places, actions, play};
use diabolo_kernels::cuda::{Command, Error, Space, Tape, prelude, product};

/// The GPU of this machine; where there is none it is said aloud, once.
pub fn gpu() -> Option<&'static Shared> {
    static FOUND: OnceLock<Option<Shared>> = OnceLock::new();
    let open = || match Gpu::open(0) {
        Ok(gpu) => Some(Shared::new(gpu)),
        Err(error) => {
            eprintln!("skipped: no CUDA device ({error})");
            None
        }
    };
    FOUND.get_or_init(open).as_ref()
}

/// Plays a tape of a program on a device, as [`Emulator::play`](diabolo_kernels::cuda::emulate::Emulator::play) does on
/// the processor.
///
/// # Errors
/// Where the device fails, or the tape names memory that is not there.
pub fn play_on(
    driver: &Shared,
    source: &str,
    tape: &Tape,
    memory: &mut Memory,
) -> Result<Vec<(usize, Vec<f32>)>, Error> {
    let mut layout = Layout::default();
    let scratch = tape.commands.iter().map(|command| match command {
        Command::Product(product) => product::scratch(product),
        Command::Launch(_) | Command::Inspect(..) => 0,
    });
    let mut places = Places {
        work: layout.add(tape.work + scratch.max().unwrap_or(0))?,
        clock: layout.add(6)?,
        ..Places::default()
    };
    let mut ranges = Vec::new();
    for (space, values) in &memory.spaces {
        let range = layout.add(values.len())?;
        ranges.push((*space, range));
        match space {
            Space::Work => places.work = range,
            Space::Inputs => places.inputs = range,
            // In the order of their numbers, as the map has them.
            Space::Param(_) => places.params.push(range),
            Space::Hypers => places.hypers = range,
            Space::Gradients => places.gradients = range,
            Space::States => places.states = range,
            Space::Outputs => places.outputs = range,
            Space::Metrics => places.metrics = range,
        }
    }
    let loaded = Loaded::new(driver, &prelude::module(source, prelude::launched(tape, Precision::Float32)))?;
    let arena = Arc::new(Arena::new(driver, &layout)?);
    for ((_, range), values) in ranges.iter().zip(memory.spaces.values()) {
        arena.write(*range, values)?;
    }
    let clock = memory.clock;
    let words =
        [clock.seed, clock.step, clock.first_row].map(|number| [number as u32, (number >> 32) as u32]);
    arena.write(places.clock, words.as_flattened())?;
    let mut shown = Vec::new();
    let plain = (Precision::Float32, &Copies::default());
    let actions = actions(tape, loaded.module(), &places, &arena, plain)?;
    play(&arena, &[&loaded], &actions, |index, values| shown.push((index, values.to_vec())))?;
    for ((_, range), values) in ranges.iter().zip(memory.spaces.values_mut()) {
        arena.read(*range, values)?;
    }
    Ok(shown)
}
