//! MNIST and its relatives, from IDX files.
//!
//! In: a folder with the four files, packed with gzip or not. Out: [`Digits`]. Never: memory for what a
//! header claims before the file can hold it, a guess where bytes are missing.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use super::{Data, Digits};
use crate::error::{Error, Result};

/// Deflate packs at most 1032 bytes into one, so a claim beyond that is false.
const MAX_RATIO: u64 = 1032;
const MAX_SIDE: u64 = 4096;

/// Reads MNIST, or any set of the same form (Fashion-MNIST, KMNIST), from a folder with
/// `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
/// `t10k-labels-idx1-ubyte`, each also as `.gz`.
pub fn mnist(folder: impl AsRef<Path>) -> Result<Digits> {
    let folder = folder.as_ref();
    if !folder.is_dir() {
        return Err(Error::DataFile { path: folder.into(), what: "is not a folder".into() });
    }
    let (train, shape) = part(folder, "train")?;
    let (test, test_shape) = part(folder, "t10k")?;
    if shape != test_shape {
        return Err(Error::DataFile {
            path: folder.into(),
            what: format!("train images are {shape:?}, but test images are {test_shape:?}"),
        });
    }
    Ok(Digits { name: "mnist".into(), shape, train, test })
}

fn part(folder: &Path, name: &str) -> Result<(Data, [usize; 2])> {
    let images = Idx::<3>::read(&find(folder, &format!("{name}-images-idx3-ubyte"))?)?;
    let labels = Idx::<1>::read(&find(folder, &format!("{name}-labels-idx1-ubyte"))?)?;
    let [rows, height, width] = images.shape;
    if labels.shape[0] != rows {
        let what = format!("{} labels, but {} has {rows} images", labels.shape[0], images.path.display());
        return Err(labels.fault(what));
    }
    if let Some(i) = labels.bytes.iter().position(|label| *label > 9) {
        return Err(labels.fault(format!("label {i} is {}, not 0 to 9", labels.bytes[i])));
    }
    let x = images.bytes.iter().map(|v| f32::from(*v) / 255.0).collect();
    let label = labels.bytes.iter().map(|v| f32::from(*v)).collect();
    let data = Data::new().with("x", &[height * width], x)?.with("label", &[], label)?;
    Ok((data, [height, width]))
}

/// The file itself, or its `.gz`.
fn find(folder: &Path, name: &str) -> Result<PathBuf> {
    let packed = format!("{name}.gz");
    [name, &packed].map(|name| folder.join(name)).into_iter().find(|path| path.is_file()).ok_or_else(|| {
        Error::DataFile { path: folder.into(), what: format!("contains neither {name} nor {packed}") }
    })
}

/// An IDX file of unsigned bytes with `N` axes.
struct Idx<const N: usize> {
    path: PathBuf,
    shape: [usize; N],
    bytes: Vec<u8>,
}

impl<const N: usize> Idx<N> {
    fn read(path: &Path) -> Result<Idx<N>> {
        let mut idx = Idx { path: path.into(), shape: [0; N], bytes: Vec::new() };
        let file = File::open(path).map_err(Error::io(path, "open"))?;
        let length = fs::metadata(path).map_err(Error::io(path, "read"))?.len();
        if path.extension().is_some_and(|extension| extension == "gz") {
            let room = length.saturating_mul(MAX_RATIO);
            idx.fill(GzDecoder::new(io::BufReader::new(file)), room)?;
        } else {
            idx.fill(file, length)?;
        }
        Ok(idx)
    }

    /// Reads header and values from `source`, which can yield at most `room` bytes.
    fn fill(&mut self, mut source: impl Read, room: u64) -> Result<()> {
        let word = |source: &mut dyn Read| {
            let mut bytes = [0; 4];
            source.read_exact(&mut bytes).map(|()| u32::from_be_bytes(bytes))
        };
        let magic = word(&mut source).map_err(|e| self.broken(e))?;
        // 0x08: unsigned bytes; the last byte counts the axes.
        if magic != 0x0800 + N as u32 {
            return Err(self.fault(format!("begins with {magic:#010x}, not with {:#010x}", 0x0800 + N)));
        }
        let mut count = 1u64;
        for axis in 0..N {
            let size = u64::from(word(&mut source).map_err(|e| self.broken(e))?);
            if size == 0 || (axis > 0 && size > MAX_SIDE) {
                return Err(self.fault(format!("claims size {size} along axis {axis}")));
            }
            self.shape[axis] = size as usize;
            // 2³² rows of 2¹² by 2¹² do not overflow 64 bits.
            count *= size;
        }
        if count > room {
            return Err(self.fault(format!("claims {count} values, more than a file of its size can hold")));
        }
        // Grows as bytes arrive: a packed file may claim a thousand times its size.
        source.by_ref().take(count + 1).read_to_end(&mut self.bytes).map_err(|e| self.broken(e))?;
        match self.bytes.len() as u64 {
            n if n < count => Err(self.fault(format!("ends after {n} of {count} values"))),
            n if n > count => Err(self.fault(format!("goes on after the {count} values it claims"))),
            _ => Ok(()),
        }
    }

    fn broken(&self, error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => self.fault("ends too early".into()),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                self.fault(format!("is damaged: {error}"))
            }
            _ => Error::Io { path: self.path.clone(), doing: "read", source: error },
        }
    }

    fn fault(&self, what: String) -> Error {
        Error::DataFile { path: self.path.clone(), what }
    }
}

#[cfg(test)]
mod tests;
