//! Compiled kernels on disk, so that a program is compiled once on a machine.
//!
//! In: text, architecture, options, compiler. Out: a cubin. Never: an error of its own: what cannot be read is compiled
//! again, what cannot be written is said once; a file that another process sees half written.
//!
//! A file is named by the SHA-256 of all that the machine code depends on, and holds a line with the format, the SHA-256 of
//! what follows, and the cubin. The folder is `DIABOLO_CACHE` where it is set, else `diabolo` in the user's cache.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use super::error::Result;
use super::nvrtc::{Nvrtc, all_options};

/// The first line of a file, and part of every name.
const FORMAT: &[u8] = b"diabolo cubin 1\n";

/// Where compiled kernels lie; without a folder nothing is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    /// The user's.
    pub fn of_user() -> Cache {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Cache { folder: folder(set, std::env::consts::OS) }
    }

    /// In that folder, which need not be there yet.
    pub fn at(folder: impl Into<PathBuf>) -> Cache {
        Cache { folder: Some(folder.into()) }
    }

    /// The machine code of a text: from disk, or compiled and put there.
    ///
    /// # Errors
    /// Where it does not compile.
    pub fn cubin(&self, nvrtc: &Nvrtc, text: &str, architecture: &str, options: &[&str]) -> Result<Vec<u8>> {
        let name = name(nvrtc, text, architecture, options);
        self.get(&name, || Ok(nvrtc.compile(text, architecture, options)?.cubin))
    }

    /// What is kept under a name, or what `make` makes.
    fn get(&self, name: &str, make: impl FnOnce() -> Result<Vec<u8>>) -> Result<Vec<u8>> {
        let Some(folder) = &self.folder else { return make() };
        let path = folder.join(name);
        match std::fs::read(&path) {
            Ok(bytes) => match contents(&bytes) {
                Some(cubin) => return Ok(cubin.to_vec()),
                None => warn(&format!("{} is damaged; compiling again", path.display())),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => warn(&format!("cannot read {}: {error}; compiling again", path.display())),
        }
        let cubin = make()?;
        if let Err(error) = write(folder, &path, &cubin) {
            warn(&format!("cannot keep compiled kernels in {}: {error}", folder.display()));
        }
        Ok(cubin)
    }
}

/// The folder by the variables that an operating system has for it.
fn folder(set: impl Fn(&str) -> Option<PathBuf>, system: &str) -> Option<PathBuf> {
    let user = || match system {
        "windows" => set("LOCALAPPDATA"),
        "macos" => set("HOME").map(|home| home.join("Library/Caches")),
        // The specification has relative paths ignored.
        _ => set("XDG_CACHE_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| set("HOME").map(|home| home.join(".cache"))),
    };
    set("DIABOLO_CACHE").or_else(|| user().map(|folder| folder.join("diabolo").join("cubin")))
}

/// All that the machine code depends on, hashed; each part with its length, so that none runs into the next.
fn name(nvrtc: &Nvrtc, text: &str, architecture: &str, options: &[&str]) -> String {
    let version = nvrtc.version.to_string();
    let options = all_options(architecture, options);
    let mut parts: Vec<&[u8]> = vec![FORMAT, version.as_bytes(), architecture.as_bytes(), text.as_bytes()];
    parts.extend(options.iter().map(|option| option.as_bytes()));
    format!("{}.cubin", digest(&parts))
}

fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The cubin in a file, where it is whole.
fn contents(bytes: &[u8]) -> Option<&[u8]> {
    let (sum, cubin) = bytes.strip_prefix(FORMAT)?.split_at_checked(32)?;
    (Sha256::digest(cubin)[..] == *sum).then_some(cubin)
}

/// Writes beside the place and renames: who reads sees all or nothing, and of two who write the last one wins.
fn write(folder: &Path, path: &Path, cubin: &[u8]) -> std::io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    std::fs::create_dir_all(folder)?;
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let beside = path.with_extension(format!("{}-{count}.part", std::process::id()));
    let written = (|| {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&beside)?;
        file.write_all(FORMAT)?;
        file.write_all(&Sha256::digest(cubin))?;
        file.write_all(cubin)?;
        file.sync_all()?;
        drop(file);
        std::fs::rename(&beside, path)
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// Says it on standard error, the first time in a process.
fn warn(what: &str) {
    static SAID: AtomicBool = AtomicBool::new(false);
    if !SAID.swap(true, Ordering::Relaxed) {
        eprintln!("warning: {what}");
    }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
