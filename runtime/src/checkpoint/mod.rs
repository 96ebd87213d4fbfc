//! Checkpoints: named parameters in one safetensors file.
//!
//! In: names, shapes and values; or a file, possibly damaged. Out: a whole file, or the [`Checkpoint`] it
//! holds. Never: half a file under the final name, memory beyond what the file's size justifies.

mod replace;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::error::{Error, Result};

pub(crate) use replace::replace;

/// The key under which our own metadata stand, as one JSON object: the format keeps no order among keys, and
/// equal models should give equal files.
const METADATA: &str = "diabolo";

/// The values of one parameter, borrowed for [`save`], owned after [`load`].
#[derive(Clone, Debug, PartialEq)]
pub enum Values<'a> {
    /// Single precision.
    F32(Cow<'a, [f32]>),
    /// Double precision.
    F64(Cow<'a, [f64]>),
}

impl Values<'_> {
    /// The number of values.
    pub fn len(&self) -> usize {
        match self {
            Values::F32(values) => values.len(),
            Values::F64(values) => values.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Values::F32(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Values::F64(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        }
    }

    fn dtype(&self) -> Dtype {
        match self {
            Values::F32(_) => Dtype::F32,
            Values::F64(_) => Dtype::F64,
        }
    }
}

impl<'a> From<&'a [f32]> for Values<'a> {
    fn from(values: &'a [f32]) -> Values<'a> {
        Values::F32(values.into())
    }
}

impl<'a> From<&'a [f64]> for Values<'a> {
    fn from(values: &'a [f64]) -> Values<'a> {
        Values::F64(values.into())
    }
}

/// One parameter of a checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its shape, row-major.
    pub shape: Vec<usize>,
    /// Its values, as many as the shape says.
    pub values: Values<'static>,
}

/// What a checkpoint file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint {
    /// The parameters by name.
    pub parameters: BTreeMap<String, Parameter>,
    /// Words stored beside them.
    pub metadata: BTreeMap<String, String>,
}

/// Writes parameters to `path`, whole or not at all: whatever goes wrong, a file that was there stays
/// as it was. Equal contents give equal bytes.
pub fn save<'a>(
    path: impl AsRef<Path>,
    entries: impl IntoIterator<Item = (&'a str, &'a [usize], Values<'a>)>,
    metadata: &BTreeMap<String, String>,
) -> Result<()> {
    let path = path.as_ref();
    let bytes = encode(entries, metadata).map_err(|what| Error::Checkpoint { path: path.into(), what })?;
    replace(path, |file| file.write_all(&bytes))
}

/// Reads a checkpoint, ours or any safetensors file of f32 and f64.
pub fn load(path: impl AsRef<Path>) -> Result<Checkpoint> {
    let path = path.as_ref();
    let bytes = fs::read(path).map_err(Error::io(path, "read"))?;
    decode(&bytes).map_err(|what| Error::Checkpoint { path: path.into(), what })
}

fn encode<'a>(
    entries: impl IntoIterator<Item = (&'a str, &'a [usize], Values<'a>)>,
    metadata: &BTreeMap<String, String>,
) -> Result<Vec<u8>, String> {
    let parts: Vec<_> =
        entries.into_iter().map(|(name, shape, v)| (name, shape, v.dtype(), v.bytes())).collect();
    let mut names = BTreeSet::new();
    let mut views = Vec::with_capacity(parts.len());
    for (name, shape, dtype, bytes) in &parts {
        if !names.insert(*name) || *name == "__metadata__" {
            return Err(format!("the name `{name}` cannot be used twice, nor for the format's own"));
        }
        let view = TensorView::new(*dtype, shape.to_vec(), bytes)
            .map_err(|_| format!("`{name}` of shape {shape:?} is given {} bytes", bytes.len()))?;
        views.push((*name, view));
    }
    let metadata = match metadata.is_empty() {
        true => None,
        false => {
            let words = serde_json::to_string(metadata).map_err(|e| e.to_string())?;
            Some(HashMap::from([(METADATA.to_string(), words)]))
        }
    };
    safetensors::serialize(views, metadata).map_err(|e| e.to_string())
}

fn decode(bytes: &[u8]) -> Result<Checkpoint, String> {
    let damaged = |e: safetensors::SafeTensorError| format!("is not a whole safetensors file ({e})");
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let mut metadata: BTreeMap<String, String> =
        header.metadata().clone().unwrap_or_default().into_iter().collect();
    if let Some(words) = metadata.remove(METADATA) {
        let ours: BTreeMap<String, String> =
            serde_json::from_str(&words).map_err(|e| format!("has unreadable metadata ({e})"))?;
        metadata.extend(ours);
    }
    let mut parameters = BTreeMap::new();
    for (name, view) in SafeTensors::deserialize(bytes).map_err(damaged)?.iter() {
        let values = match view.dtype() {
            Dtype::F32 => Values::F32(words(view.data(), f32::from_le_bytes)),
            Dtype::F64 => Values::F64(words(view.data(), f64::from_le_bytes)),
            other => return Err(format!("`{name}` is {other:?}; only F32 and F64 can be read")),
        };
        parameters.insert(name.to_string(), Parameter { shape: view.shape().to_vec(), values });
    }
    Ok(Checkpoint { parameters, metadata })
}

fn words<const N: usize, T: Clone>(bytes: &[u8], word: fn([u8; N]) -> T) -> Cow<'static, [T]> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| word(*chunk)).collect()
}

#[cfg(test)]
mod tests;
