//! Every file reader on damaged files.
//!
//! In: a folder to write in, a generator. Out: cases. Never: a reader that trusts what it reads.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use diabolo::Model;
use diabolo::checkpoint::{self, Values};
use diabolo::data;
use diabolo_compiler::testing::Rng;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::mutate;
use crate::worker::Case;

/// One case: a whole file of one kind, damaged.
pub fn case(folder: &Path, rng: &mut Rng) -> Case {
    let folder = folder.to_path_buf();
    match rng.below(4) {
        0 => {
            let mut bytes = checkpoint_bytes(&folder);
            mutate::bytes(rng, &mut bytes);
            let path = folder.join("model.safetensors");
            let input = bytes.clone();
            let run = move || {
                write(&path, &bytes)
                    && (checkpoint::load(&path).is_ok()
                        | Model::<f32>::load(&path).is_ok()
                        | Model::<f64>::load(&path).is_ok())
            };
            Case { input, run: Box::new(run) }
        }
        1 => {
            let mut bytes = b"a,b,label\n1,2,0\n3.5,-4e3,1\n5,6,2\n".to_vec();
            mutate::bytes(rng, &mut bytes);
            let path = folder.join("table.csv");
            let input = bytes.clone();
            let run = move || {
                write(&path, &bytes) && (data::csv(&path, &["label"]).is_ok() | data::csv(&path, &[]).is_ok())
            };
            Case { input, run: Box::new(run) }
        }
        kind => {
            let packed = kind == 3;
            let names = [
                "train-images-idx3-ubyte",
                "train-labels-idx1-ubyte",
                "t10k-images-idx3-ubyte",
                "t10k-labels-idx1-ubyte",
            ];
            let damaged = rng.below(names.len());
            let mut files = Vec::new();
            for (at, name) in names.iter().enumerate() {
                let mut bytes = if at % 2 == 0 { idx(&[3, 4, 4]) } else { idx(&[3]) };
                // Damage below the packing, above it, or both.
                if at == damaged && (!packed || rng.chance(0.6)) {
                    mutate::bytes(rng, &mut bytes);
                }
                if packed {
                    bytes = gzip(&bytes);
                    if at == damaged && rng.chance(0.5) {
                        mutate::bytes(rng, &mut bytes);
                    }
                }
                files.push((format!("{name}{}", if packed { ".gz" } else { "" }), bytes));
            }
            let input = files[damaged].1.clone();
            let folder = folder.join(if packed { "packed" } else { "plain" });
            let run = move || {
                std::fs::create_dir_all(&folder).is_ok()
                    && files.iter().all(|(name, bytes)| write(&folder.join(name), bytes))
                    && data::mnist(&folder).is_ok()
            };
            Case { input, run: Box::new(run) }
        }
    }
}

fn write(path: &Path, bytes: &[u8]) -> bool {
    std::fs::write(path, bytes).is_ok()
}

/// An IDX file of zeros: bytes, with these axes.
fn idx(shape: &[u32]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, shape.len() as u8];
    bytes.extend(shape.iter().flat_map(|n| n.to_be_bytes()));
    bytes.resize(bytes.len() + shape.iter().product::<u32>() as usize, 0);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory fails only where memory ends.
    encoder.write_all(bytes).ok();
    encoder.finish().unwrap_or_default()
}

fn checkpoint_bytes(folder: &Path) -> Vec<u8> {
    let path = folder.join("whole.safetensors");
    let (a, b) = ([1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0], [0.5f64, 0.25]);
    let entries: [(&str, &[usize], Values<'_>); 2] =
        [("encode.dense0.weight", &[2, 3], a[..].into()), ("encode.dense0.bias", &[2], b[..].into())];
    let metadata = BTreeMap::from([("seed".to_owned(), "7".to_owned())]);
    checkpoint::save(&path, entries, &metadata).ok();
    std::fs::read(&path).unwrap_or_default()
}
