//! Fake libraries for tests.
//!
//! In: C. Out: a shared library of it. Never: a failure where there is no C compiler: the test says that it is skipped.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A folder of this process that a test may fill.
pub(super) fn folder(name: &str) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("diabolo-{}-{count}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A shared library of `code` under that file name, or nothing where no C compiler is.
pub(super) fn shared_library(name: &str, code: &str) -> Option<PathBuf> {
    let folder = folder("library");
    let (source, path) = (folder.join("fake.c"), folder.join(name));
    std::fs::write(&source, code).unwrap();
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let output =
        Command::new(&compiler).args(["-shared", "-fPIC", "-w", "-o"]).arg(&path).arg(&source).output();
    match output {
        Err(_) => {
            eprintln!("skipped: no C compiler (`{compiler}` does not start)");
            None
        }
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(path)
        }
    }
}
