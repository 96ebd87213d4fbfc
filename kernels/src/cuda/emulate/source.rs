//! Text to a program of this machine. In: CUDA C of many programs. Out: an executable, kept for the next time, and the
//! kernels that it has. Never: two compilations of one text.
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::prelude;
use super::kernels::{is_plain, kernels};
use super::process::{Machine, Order};
use super::{Error, process};

/// Programs of CUDA C, compiled for this machine.
#[derive(Clone, Debug)]
pub struct Emulator {
    program: PathBuf,
    /// The numbers of kernels: by the program (none: the prelude) and the name.
    kernels: BTreeMap<(Option<usize>, String), u32>,
}

impl Emulator {
    /// Compiles programs, each behind the prelude, into one; with `sanitize` under the address and undefined-behaviour
    /// sanitizers.
    ///
    /// # Errors
    /// Without a C++ compiler, and where it refuses the text.
    pub fn new(programs: &[&str], sanitize: bool) -> Result<Emulator, Error> {
        let prelude = prelude::FUNCTIONS.to_owned() + &prelude::KERNELS.concat();
        let mut text = String::from(include_str!("emulator.h"));
        let (mut kernels, mut entries, mut count) = (BTreeMap::new(), String::new(), 0);
        // Kernels that are one text are compiled once, whatever program they are of.
        let mut known: HashMap<String, u32> = HashMap::new();
        let mut add = |program: Option<usize>, source: &str, text: &mut String| {
            let space = program.map_or(String::new(), |i| format!("program{i}"));
            let label = program.map_or("prelude".into(), |i| format!("program {i}"));
            // Kernels are of one file; names of different programs may be the same.
            let source = source.replace("extern \"C\" __global__", "__global__");
            let alone = program.is_some() && is_plain(&source);
            let mut body = String::new();
            for kernel in self::kernels(&source) {
                let same = if alone {
                    known.entry(kernel.body())
                } else {
                    known.entry(format!("{space}::{}", kernel.name))
                };
                let number = *same.or_insert_with(|| {
                    entries +=
                        &format!("    EMULATOR_ENTRY(\"{label}\", \"{0}\", {space}::{0}),\n", kernel.name);
                    if alone {
                        body += &format!("#line {} \"{label}\"\n{}\n", kernel.line + 1, kernel.text);
                    }
                    count += 1;
                    count - 1
                });
                kernels.insert((program, kernel.name.to_owned()), number);
            }
            if !alone {
                body = format!("#line 1 \"{label}\"\n{source}\n");
            }
            *text += &if program.is_some() { format!("namespace {space} {{\n{body}}}\n") } else { body };
        };
        add(None, &prelude, &mut text);
        for (i, source) in programs.iter().enumerate() {
            add(Some(i), source, &mut text);
        }
        text += &format!(
            "static const emulator::Entry emulator_entries[] = {{\n{entries}}};\nint main(int count, char **) {{\n    \
             return emulator::serve(emulator_entries, {count}, count > 1);\n}}\n"
        );
        Ok(Emulator { program: compile(&text, sanitize)?, kernels })
    }

    /// The number of a kernel of a program, or of the prelude.
    pub fn kernel(&self, program: usize, name: &str) -> Option<u32> {
        let of = |program| self.kernels.get(&(program, name.to_string())).copied();
        of(Some(program)).or_else(|| of(None))
    }

    /// Starts a machine that knows these kernels, with no memory yet.
    ///
    /// # Errors
    /// Where no process can be started.
    pub fn start(&self, order: Order) -> Result<Machine, Error> {
        process::start(&self.program, order)
    }
}

/// Where executables are kept: beside the test that makes them.
fn folder() -> Result<PathBuf, Error> {
    let exe = std::env::current_exe()?;
    let folder = exe.parent().unwrap_or(Path::new(".")).join("emulator");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn compile(text: &str, sanitize: bool) -> Result<PathBuf, Error> {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".into());
    let mut flags = vec!["-std=c++17", "-O1", "-ffp-contract=off", "-fno-strict-aliasing", "-w", "-x", "c++"];
    if cfg!(target_arch = "x86_64") && fused() {
        flags.push("-mfma"); // else each fused product is a call
    }
    if sanitize {
        flags.extend(["-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
    }
    let mut hasher = DefaultHasher::new();
    (text, &compiler, &flags).hash(&mut hasher);
    let folder = folder()?;
    let to = folder.join(format!("{:016x}", hasher.finish()));
    if to.exists() {
        return Ok(to);
    }
    // Tests of one process and of many may want the same: each writes its own, and the last one stays.
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let unique = format!("{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let (source, made) = (folder.join(format!("{unique}.cpp")), folder.join(&unique));
    let version =
        Command::new(&compiler).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        return Err(Error::NoCompiler(format!("`{compiler}` does not run")));
    }
    if sanitize {
        std::fs::write(&source, "int main() { return 0; }\n")?;
        let tried = Command::new(&compiler).args(&flags).arg(&source).arg("-o").arg(&made).output()?;
        if !tried.status.success() {
            return Err(Error::NoCompiler(format!("`{compiler}` has no sanitizers")));
        }
    }
    std::fs::write(&source, text)?;
    let output = Command::new(&compiler).args(&flags).arg(&source).arg("-o").arg(&made).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::Text(format!("{}\n{said}", source.display())));
    }
    std::fs::rename(&made, &to)?;
    std::fs::rename(&source, to.with_extension("cpp"))?;
    Ok(to)
}

#[cfg(target_arch = "x86_64")]
fn fused() -> bool {
    is_x86_feature_detected!("fma")
}
#[cfg(not(target_arch = "x86_64"))]
fn fused() -> bool {
    false
}
