//! Replacing a file whole or not at all.
//!
//! In: a path and who writes. Out: the new file under that path, on the disk. Never: a moment at which the
//! path holds anything but the old file or the new one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::error::{Error, Result};

/// Writes a file through a temporary one beside it, which takes its name once it is whole.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    // A link keeps pointing where it does; what it points to is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    if target.exists() && !target.is_file() {
        let kind = if target.is_dir() { "a folder" } else { "not a file" };
        return Err(Error::Io {
            path: path.into(),
            doing: "write",
            source: io::Error::other(format!("it is {kind}")),
        });
    }
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut beside = tempfile::Builder::new();
    beside.prefix(".diabolo-").suffix(".part");
    // Readable as any new file is, not by its owner alone; the umask still applies.
    #[cfg(unix)]
    beside.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // Removed when dropped, on every way out but the last.
    let mut file = beside.tempfile_in(folder).map_err(Error::io(path, "write"))?;
    write(file.as_file_mut()).map_err(Error::io(path, "write"))?;
    file.as_file().sync_all().map_err(Error::io(path, "write"))?;
    file.persist(&target).map_err(|e| Error::io(path, "write")(e.error))?;
    // The name too should survive a power cut. Not every file system can promise it; the file is whole anyway.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}
