//! Text through the compiler of CUDA, which needs no GPU. In: CUDA C. Out: what each kernel takes of a processor. Never: a
//! failure where there is no NVRTC; that is said aloud.
use std::collections::BTreeMap;

use diabolo_kernels::cuda::nvrtc::Nvrtc;
use diabolo_kernels::cuda::prelude;

/// The architectures that text is compiled for: A100, H100 and H200.
pub const ARCHITECTURES: [&str; 2] = ["sm_80", "sm_90"];

/// What a kernel takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Registers of a thread.
    pub registers: usize,
    /// Bytes that did not fit into them, and go to memory and back.
    pub spilled: usize,
    /// Bytes of local arrays in memory.
    pub stack: usize,
    /// Bytes of shared memory of a block.
    pub shared: usize,
    /// Instructions for tensor cores.
    pub tensor: usize,
}

/// Compiles a program behind the prelude's functions for each architecture; none where there is no NVRTC.
///
/// # Panics
/// Where it does not compile.
pub fn compile(source: &str) -> Option<Vec<BTreeMap<String, Usage>>> {
    let nvrtc = match Nvrtc::find() {
        Ok(nvrtc) => nvrtc,
        Err(error) => {
            eprintln!("skipped: no NVRTC ({error})");
            return None;
        }
    };
    let text = [prelude::FUNCTIONS, source].concat();
    let compile = |architecture| {
        let compiled = nvrtc.compile(&text, architecture, &["--ptxas-options=-v"]);
        let compiled = compiled.unwrap_or_else(|error| panic!("{architecture}: {error}"));
        let mut all = usage(&compiled.log);
        for (kernel, usage) in &mut all {
            let code = section(&compiled.cubin, &format!(".text.{kernel}")).expect("machine code");
            // 16 bytes an instruction, its operation in the low 12 bits: this one is HMMA.
            usage.tensor = code.chunks_exact(16).filter(|op| number(op, 0, 2) & 0xfff == HMMA).count();
        }
        all
    };
    Some(ARCHITECTURES.into_iter().map(compile).collect())
}

/// The operation of a tensor core's product, on sm_80 to sm_90.
const HMMA: usize = 0x23c;

/// A number of so many bytes, the lowest first.
fn number(bytes: &[u8], at: usize, len: usize) -> usize {
    bytes[at..at + len].iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// A section of an ELF file of 64 bits.
fn section<'a>(elf: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let (headers, size, count, names) =
        (number(elf, 0x28, 8), number(elf, 0x3a, 2), number(elf, 0x3c, 2), number(elf, 0x3e, 2));
    let place = |i: usize| {
        let header = headers + i * size;
        (number(elf, header, 4), number(elf, header + 0x18, 8), number(elf, header + 0x20, 8))
    };
    let (_, texts, _) = place(names);
    (0..count).map(place).find_map(|(label, start, len)| {
        let label = elf[texts + label..].split(|byte| *byte == 0).next()?;
        (label == name.as_bytes()).then(|| &elf[start..start + len])
    })
}

/// What the assembler says of each kernel.
fn usage(log: &str) -> BTreeMap<String, Usage> {
    let mut all: BTreeMap<String, Usage> = BTreeMap::new();
    let mut kernel = None;
    let before = |line: &str, unit: &str| -> Option<usize> {
        line[..line.find(unit)?].split_whitespace().next_back()?.parse().ok()
    };
    for line in log.lines() {
        if let Some((_, name)) = line.split_once("Compiling entry function '") {
            kernel = name.split('\'').next().map(str::to_owned);
        }
        // Functions that are called, not kernels, come by their own names: what they spill counts for the kernel.
        let Some(kernel) = &kernel else { continue };
        let usage = all.entry(kernel.clone()).or_default();
        usage.stack = usage.stack.max(before(line, " bytes stack frame").unwrap_or(0));
        usage.spilled += before(line, " bytes spill stores").unwrap_or(0);
        usage.spilled += before(line, " bytes spill loads").unwrap_or(0);
        usage.registers = usage.registers.max(before(line, " registers").unwrap_or(0));
        usage.shared = usage.shared.max(before(line, " bytes smem").unwrap_or(0));
    }
    all
}

#[test]
fn logs_are_understood() {
    let log = "ptxas info    : Compiling entry function 'one' for 'sm_90'
ptxas info    : Function properties for one
    8 bytes stack frame, 16 bytes spill stores, 24 bytes spill loads
ptxas info    : Used 127 registers, used 1 barriers, 17152 bytes smem
ptxas info    : Compiling entry function 'two' for 'sm_90'
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 12 registers\n";
    let one = Usage { registers: 127, spilled: 40, stack: 8, shared: 17_152, tensor: 0 };
    let two = Usage { registers: 12, ..Usage::default() };
    assert_eq!(usage(log), BTreeMap::from([("one".to_owned(), one), ("two".to_owned(), two)]));
}
