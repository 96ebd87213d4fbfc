//! Shared libraries, by name or path.
//!
//! In: names. Out: functions of the type that the caller says. Never: a panic for a library or function that is missing;
//! an unloading: what a library started may outlive who asked.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::error::{Error, Result};

/// A loaded library.
pub(super) struct Library {
    what: &'static str,
    /// The name or path under which it was found.
    pub name: PathBuf,
    inner: std::mem::ManuallyDrop<libloading::Library>,
}

impl Library {
    /// The library of that name or path.
    pub fn open(what: &'static str, name: &OsStr) -> Result<Library> {
        // SAFETY: the libraries asked for are the driver, NVRTC, cuBLASLt and what a user names in their place; their
        // initialisers are as trustworthy as any library's that the system loads.
        match unsafe { libloading::Library::new(name) } {
            Ok(inner) => Ok(Library { what, name: name.into(), inner: std::mem::ManuallyDrop::new(inner) }),
            Err(error) => Err(Error::Missing { what, reason: first_line(&error.to_string()) }),
        }
    }

    /// The first of several that can be loaded.
    pub fn first(what: &'static str, names: &[OsString]) -> Result<Library> {
        names.iter().find_map(|name| Library::open(what, name).ok()).ok_or_else(|| Error::Missing {
            what,
            reason: match names {
                [only] => format!("{} cannot be loaded", only.display()),
                names => {
                    let names: Vec<String> = names.iter().map(|name| name.display().to_string()).collect();
                    format!("none of {} can be loaded", names.join(", "))
                }
            },
        })
    }

    /// Whether it has a function of that name.
    pub fn has(&self, name: &str) -> bool {
        // SAFETY: an address is looked up, and not used.
        unsafe { self.inner.get::<unsafe extern "C" fn()>(name).is_ok() }
    }

    /// A function.
    ///
    /// # Safety
    /// `F` is the type of the function of that name: an `extern "C"` function pointer.
    pub unsafe fn function<F: Copy>(&self, name: &'static str) -> Result<F> {
        // SAFETY: the caller's promise.
        match unsafe { self.inner.get::<F>(name) } {
            Ok(symbol) => Ok(*symbol),
            Err(_) => Err(Error::Missing {
                what: self.what,
                reason: format!("{} has no `{name}`", self.name.display()),
            }),
        }
    }
}

/// Loads every library of a folder whose name begins so, that those which name it find it.
pub(super) fn preload(folder: &Path, prefix: &str) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix)));
    paths.sort();
    for path in paths {
        let _ = Library::open("a library", path.as_os_str());
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
