//! Tapes on the emulator. In: a tape, values of the spaces. Out: the spaces afterwards, and what was shown.
//! Never: memory between two spaces; each is an allocation of its exact size.
use std::collections::BTreeMap;

use super::process::{Address, Machine, Order, Value};
use super::{Emulator, Error};
use crate::cuda::order::{Memory as Places, Span, Touched, against, waits};
use crate::cuda::product;
use crate::cuda::tape::{Argument, Clock, Command, Launch, Pointer, Space, Tape};

/// What lies in the spaces of a tape, and its clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// Values of each space but `Work`.
    pub spaces: BTreeMap<Space, Vec<f32>>,
    /// What random streams depend on.
    pub clock: Clock,
}

impl Emulator {
    /// Plays a tape of a program; returns what it shows: the index of the word, and the values.
    ///
    /// # Errors
    /// Where a kernel is missing or breaks a rule, or the tape names memory that is not there.
    pub fn play(
        &self,
        program: usize,
        tape: &Tape,
        memory: &mut Memory,
        order: Order,
    ) -> Result<Vec<(usize, Vec<f32>)>, Error> {
        self.play_in(&mut self.start(order)?, program, tape, memory)
    }

    /// As [`play`](Emulator::play), in a machine that was [started](Emulator::start) and may be used again unless this fails.
    ///
    /// # Errors
    /// As there.
    pub fn play_in(
        &self,
        machine: &mut Machine,
        program: usize,
        tape: &Tape,
        memory: &mut Memory,
    ) -> Result<Vec<(usize, Vec<f32>)>, Error> {
        let player = Player::new(self, program, machine, tape, memory)?;
        let shown = player.run(machine, tape)?;
        for (space, values) in &mut memory.spaces {
            if let Some((address, _)) = player.spaces.get(space) {
                machine.read_numbers(*address, values)?;
            }
        }
        for (address, _) in player.spaces.values() {
            machine.free(*address)?;
        }
        machine.free(player.clock)?;
        Ok(shown)
    }
}

struct Player<'a> {
    emulator: &'a Emulator,
    program: usize,
    /// Where each space lies, and its elements.
    spaces: BTreeMap<Space, (Address, usize)>,
    clock: Address,
    /// Where products may put parts.
    scratch: Pointer,
}

impl<'a> Player<'a> {
    fn new(
        emulator: &'a Emulator,
        program: usize,
        machine: &mut Machine,
        tape: &Tape,
        memory: &Memory,
    ) -> Result<Self, Error> {
        let mut spaces = BTreeMap::new();
        for (space, values) in &memory.spaces {
            let address = machine.allocate(4 * values.len())?;
            machine.write_numbers(address, values)?;
            spaces.insert(*space, (address, values.len()));
        }
        let scratch = tape.commands.iter().map(|command| match command {
            Command::Product(product) => product::scratch(product),
            _ => 0,
        });
        let work = tape.work + scratch.max().unwrap_or(0);
        spaces.insert(Space::Work, (machine.allocate(4 * work)?, work));
        let clock = machine.allocate(size_of::<Clock>())?;
        machine.write_clock(clock, memory.clock)?;
        let scratch = Pointer { space: Space::Work, start: tape.work };
        Ok(Player { emulator, program, spaces, clock, scratch })
    }

    fn run(&self, machine: &mut Machine, tape: &Tape) -> Result<Vec<(usize, Vec<f32>)>, Error> {
        let commands = &tape.commands;
        let order = match machine.order() {
            Order::Ascending => (0..commands.len()).collect(),
            // What a graph may do side by side, the other way round.
            Order::Descending => {
                let touched = commands.iter().map(|command| self.touched(command, tape));
                let touched = touched.collect::<Result<Vec<Touched>, Error>>()?;
                against(&waits(touched.iter()))
            }
        };
        let mut shown = BTreeMap::new();
        for number in order {
            match &commands[number] {
                Command::Launch(launch) => self.launch(machine, launch)?,
                Command::Product(product) => {
                    for launch in product::plan(product, self.scratch) {
                        self.launch(machine, &launch)?;
                    }
                }
                Command::Inspect(index, at, elements) => {
                    let mut values = vec![0.0; *elements];
                    machine.read_numbers(self.address(*at, *elements)?, &mut values)?;
                    shown.insert(number, (*index, values));
                }
            }
        }
        Ok(shown.into_values().collect())
    }

    fn touched(&self, command: &Command, tape: &Tape) -> Result<Touched, Error> {
        match command {
            Command::Launch(launch) => Touched::of_launch(launch, tape, self),
            Command::Product(product) => {
                let mut touched = Touched::of_product(product, self)?;
                let scratch = product::scratch(product);
                touched.writes.push(self.span(self.scratch, scratch)?);
                Ok(touched)
            }
            Command::Inspect(_, at, elements) => {
                Ok(Touched { reads: vec![self.span(*at, *elements)?], writes: Vec::new() })
            }
        }
    }

    fn launch(&self, machine: &mut Machine, launch: &Launch) -> Result<(), Error> {
        let Launch { kernel, blocks, threads, arguments } = launch;
        let number = self.emulator.kernel(self.program, kernel);
        let number = number.ok_or_else(|| Error::Tape(format!("no kernel `{kernel}`")))?;
        let values = arguments.iter().map(|argument| {
            Ok(match *argument {
                Argument::Pointer(pointer) | Argument::Output(pointer) => {
                    Value::Pointer(self.address(pointer, 0)?)
                }
                Argument::Size(size) => Value::Size(size),
                Argument::Number(number) => Value::Number(number),
                Argument::Site(site) => Value::Site(site),
                Argument::Clock => Value::Clock(self.clock),
            })
        });
        let values = values.collect::<Result<Vec<_>, Error>>()?;
        machine.launch(number, *blocks, *threads, &values).map_err(|error| match error {
            Error::Kernel(text) => Error::Kernel(format!("{kernel}: {text}")),
            other => other,
        })
    }

    /// The address of a pointer to so many elements.
    fn address(&self, pointer: Pointer, elements: usize) -> Result<Address, Error> {
        let Pointer { space, start } = pointer;
        match self.spaces.get(&space) {
            Some((address, size)) if start + elements <= *size => Ok(address.at(4 * start)),
            Some((_, size)) => {
                Err(Error::Tape(format!("elements {start}… + {elements} of {space:?}, which has {size}")))
            }
            None => Err(Error::Tape(format!("no space {space:?}"))),
        }
    }
}

impl Places for Player<'_> {
    type Error = Error;

    fn elements(&self, space: Space) -> Result<usize, Error> {
        let none = || Error::Tape(format!("no space {space:?}"));
        self.spaces.get(&space).map(|(_, elements)| *elements).ok_or_else(none)
    }

    fn span(&self, pointer: Pointer, elements: usize) -> Result<Span, Error> {
        Ok(Span::new(self.address(pointer, elements)?.number(), elements))
    }

    fn clock(&self) -> Result<Span, Error> {
        Ok(Span::new(self.clock.number(), size_of::<Clock>() / 4))
    }
}
