//! The folder of a run: its configuration, its metrics, its pictures.
//!
//! In: a name, settings, named numbers. Out: `config.json`, `metrics.jsonl`, `figures.json`. Never: a file of an
//! earlier run overwritten, unless [`Run::reuse`] was asked for.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Figures;
use crate::error::{Error, Result};

/// The folder of a run.
#[derive(Clone, Debug)]
pub struct Run {
    name: String,
    folder: PathBuf,
    metrics: Arc<File>,
}

/// What besides the configuration decides the numbers of a run.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The seed of everything random.
    pub seed: u64,
    /// The threads it runs on (which decide its time, not its numbers).
    pub threads: usize,
}

impl Run {
    /// A fresh folder `out/name`; if that is taken, `out/name-2`, `out/name-3` and so on.
    pub fn create(out: impl AsRef<Path>, name: &str) -> Result<Run> {
        let out = folder(out.as_ref(), name)?;
        for number in 1u32.. {
            let path = out.join(if number == 1 { name.to_string() } else { format!("{name}-{number}") });
            // Creating is the test: two runs started at once get two folders.
            match fs::create_dir(&path) {
                Ok(()) => return Run::open(path, name),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(Error::io(path, "create")(e)),
            }
        }
        Err(Error::config(format!("{} has no number left for another `{name}`", out.display())))
    }

    /// The folder `out/name`, even if it is there; its metrics begin anew.
    pub fn reuse(out: impl AsRef<Path>, name: &str) -> Result<Run> {
        let path = folder(out.as_ref(), name)?.join(name);
        fs::create_dir_all(&path).map_err(Error::io(&path, "create"))?;
        Run::open(path, name)
    }

    fn open(folder: PathBuf, name: &str) -> Result<Run> {
        let path = folder.join("metrics.jsonl");
        let metrics = File::create(&path).map_err(Error::io(path, "create"))?;
        Ok(Run { name: name.into(), folder, metrics: Arc::new(metrics) })
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The place of a file in it.
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// Writes `config.json`: the configuration, and what is needed to get the same numbers again.
    pub fn config(&self, config: &impl Serialize, settings: Settings) -> Result<()> {
        let config = serde_json::to_value(config).map_err(|e| Error::config(format!("config.json: {e}")))?;
        self.write(
            "config.json",
            &json!({
                "name": self.name,
                "version": env!("CARGO_PKG_VERSION"),
                "seed": settings.seed,
                "threads": settings.threads,
                "instruction_set": diabolo_kernels::isa_name(),
                "config": config,
            }),
        )
    }

    /// Adds a line to `metrics.jsonl`: the step, the epoch and each named part. JSON has no NaN: it becomes `null`.
    pub fn metrics(&self, step: u64, epoch: usize, parts: &[(&str, f64)]) -> Result<()> {
        let mut line = Map::new();
        line.insert("step".into(), step.into());
        line.insert("epoch".into(), epoch.into());
        line.extend(parts.iter().map(|(name, value)| (name.to_string(), Value::from(*value))));
        let mut line = Value::from(line).to_string();
        line.push('\n');
        // One write a line: a run that is stopped leaves whole lines.
        (&*self.metrics).write_all(line.as_bytes()).map_err(Error::io(self.path("metrics.jsonl"), "write"))
    }

    /// Writes `figures.json`.
    pub fn figures(&self, figures: &Figures) -> Result<()> {
        self.write("figures.json", &figures.json())
    }

    fn write(&self, file: &str, value: &Value) -> Result<()> {
        let path = self.path(file);
        fs::write(&path, format!("{value:#}\n")).map_err(Error::io(path, "write"))
    }
}

/// Creates `out`, if `name` is the name of one folder inside it.
fn folder<'a>(out: &'a Path, name: &str) -> Result<&'a Path> {
    let plain = Path::new(name).file_name().is_some_and(|last| last == name);
    if !plain {
        return Err(Error::config(format!("`{name}` cannot name the folder of a run")));
    }
    fs::create_dir_all(out).map_err(Error::io(out, "create"))?;
    Ok(out)
}
