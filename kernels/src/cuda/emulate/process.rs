//! The process that stands for a device. In: allocations, copies, launches. Out: values, or why a launch failed.
//! Never: an address of this process.
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::Error;
use crate::cuda::tape::Clock;

/// In which order threads, warps and blocks run, and what of a tape does not wait for each other: no result may tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The first one first.
    Ascending,
    /// The last one first.
    Descending,
}

/// An address in a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address(u64);

impl Address {
    /// Its number.
    pub(super) fn number(self) -> u64 {
        self.0
    }

    /// The address of that number.
    pub(super) fn of(number: u64) -> Address {
        Address(number)
    }

    /// So many bytes further on.
    #[must_use]
    pub fn at(self, bytes: usize) -> Address {
        Address(self.0.wrapping_add(bytes as u64))
    }
}

/// An argument of a kernel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// `float *` or `const float *`.
    Pointer(Address),
    /// `long long`.
    Size(usize),
    /// `float`.
    Number(f32),
    /// `unsigned int`.
    Site(u32),
    /// `const Clock *`.
    Clock(Address),
}

/// A device that is a process.
#[derive(Debug)]
pub struct Machine {
    child: Child,
    order: Order,
    commands: BufWriter<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// What the process says when it ends: a report of the sanitizer.
    said: File,
}

pub(super) fn start(program: &Path, order: Order) -> Result<Machine, Error> {
    let mut said = tempfile(program)?;
    let mut command = Command::new(program);
    if order == Order::Descending {
        command.arg("descending");
    }
    // What the machine still holds at its end is not lost.
    command.env("ASAN_OPTIONS", "detect_leaks=0").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(said.try_clone()?).spawn()?;
    said.rewind()?;
    match (child.stdin.take(), child.stdout.take()) {
        (Some(commands), Some(answers)) => {
            let (commands, answers) = (BufWriter::new(commands), BufReader::new(answers));
            Ok(Machine { child, order, commands, answers, said })
        }
        _ => Err(Error::Machine("a process without pipes".into())),
    }
}

/// A file without a name beside the program.
fn tempfile(program: &Path) -> Result<File, Error> {
    static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let path = program.with_extension(format!("{}-{number}.log", std::process::id()));
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

impl Machine {
    /// The order that it was started with.
    pub(super) fn order(&self) -> Order {
        self.order
    }

    /// Memory of exactly so many bytes, all of them 0xff: f32 that are not numbers.
    ///
    /// # Errors
    /// Where the process has ended.
    pub fn allocate(&mut self, bytes: usize) -> Result<Address, Error> {
        self.send(&[b"A", &(bytes as u64).to_le_bytes()])?;
        let address = u64::from_le_bytes(self.receive()?);
        if address == 0 {
            Err(Error::Machine(format!("no memory for {bytes} bytes")))
        } else {
            Ok(Address(address))
        }
    }

    /// Gives memory back.
    ///
    /// # Errors
    /// Where the process has ended.
    pub fn free(&mut self, address: Address) -> Result<(), Error> {
        self.send(&[b"F", &address.0.to_le_bytes()])
    }

    /// Copies bytes into memory.
    ///
    /// # Errors
    /// Where the process has ended.
    pub fn write(&mut self, to: Address, bytes: &[u8]) -> Result<(), Error> {
        self.send(&[b"W", &to.0.to_le_bytes(), &(bytes.len() as u64).to_le_bytes(), bytes])
    }

    /// Copies bytes out of memory.
    ///
    /// # Errors
    /// Where the process has ended, perhaps because the memory is not there.
    pub fn read(&mut self, from: Address, bytes: &mut [u8]) -> Result<(), Error> {
        self.send(&[b"R", &from.0.to_le_bytes(), &(bytes.len() as u64).to_le_bytes()])?;
        let read = self.flush().and_then(|()| self.answers.read_exact(bytes));
        read.map_err(|_| self.ended())
    }

    /// As [`write`](Machine::write), of numbers.
    ///
    /// # Errors
    /// As there.
    pub fn write_numbers(&mut self, to: Address, numbers: &[f32]) -> Result<(), Error> {
        let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.write(to, &bytes)
    }

    /// As [`read`](Machine::read), of numbers.
    ///
    /// # Errors
    /// As there.
    pub fn read_numbers(&mut self, from: Address, numbers: &mut [f32]) -> Result<(), Error> {
        let mut bytes = vec![0; 4 * numbers.len()];
        self.read(from, &mut bytes)?;
        for (x, bytes) in numbers.iter_mut().zip(bytes.chunks_exact(4)) {
            *x = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        Ok(())
    }

    /// Writes a clock.
    ///
    /// # Errors
    /// Where the process has ended.
    pub fn write_clock(&mut self, to: Address, clock: Clock) -> Result<(), Error> {
        let Clock { seed, step, first_row } = clock;
        self.write(to, &[seed, step, first_row].map(u64::to_le_bytes).concat())
    }

    /// Runs a kernel over a grid, by its number.
    ///
    /// # Errors
    /// Where the kernel takes other arguments, breaks a rule, or ends the process.
    pub fn launch(
        &mut self,
        kernel: u32,
        blocks: [u32; 3],
        threads: u32,
        arguments: &[Value],
    ) -> Result<(), Error> {
        let mut bytes = vec![b'L'];
        for word in [kernel, blocks[0], blocks[1], blocks[2], threads, arguments.len() as u32] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(arguments.iter().map(|argument| match argument {
            Value::Pointer(_) => b'p',
            Value::Size(_) => b's',
            Value::Number(_) => b'n',
            Value::Site(_) => b'u',
            Value::Clock(_) => b'c',
        }));
        for argument in arguments {
            let word = match *argument {
                Value::Pointer(address) | Value::Clock(address) => address.0,
                Value::Size(size) => size as u64,
                Value::Number(number) => u64::from(number.to_bits()),
                Value::Site(site) => u64::from(site),
            };
            bytes.extend(word.to_le_bytes());
        }
        self.send(&[&bytes])?;
        let length = u32::from_le_bytes(self.receive()?);
        let mut text = vec![0; length as usize];
        self.answers.read_exact(&mut text).map_err(|_| self.ended())?;
        if text.is_empty() { Ok(()) } else { Err(Error::Kernel(String::from_utf8_lossy(&text).into_owned())) }
    }

    fn send(&mut self, parts: &[&[u8]]) -> Result<(), Error> {
        for part in parts {
            if self.commands.write_all(part).is_err() {
                return Err(self.ended());
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.commands.flush()
    }

    fn receive<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        let read = self.flush().and_then(|()| self.answers.read_exact(&mut bytes));
        read.map_err(|_| self.ended())?;
        Ok(bytes)
    }

    /// Why the process has ended.
    fn ended(&mut self) -> Error {
        let status = self.child.wait().map_or("unknown".to_string(), |status| status.to_string());
        let mut text = Vec::new();
        if self.said.seek(SeekFrom::Start(0)).is_ok() {
            let _ = self.said.read_to_end(&mut text); // what can be read of the reason is enough
        }
        Error::Kernel(format!("the emulator ended ({status}): {}", String::from_utf8_lossy(&text)))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // It ends by itself when nobody asks any more; it has nothing to save.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
