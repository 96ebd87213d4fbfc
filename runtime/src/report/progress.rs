//! What the terminal shows while a model trains.
//!
//! In: steps, and the named parts of the loss at the end of an epoch. Out: a bar on a terminal, one line an epoch
//! elsewhere, on standard error. Never: an allocation in a step that draws nothing.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Where there is no terminal, more epochs than this share their lines.
const LINES: usize = 20;

/// The progress of one training run.
pub struct Progress {
    name: String,
    epochs: usize,
    epoch: usize,
    rows: usize,
    started: Instant,
    epoch_started: Instant,
    /// For each named part, the digits behind its point: kept from epoch to epoch, so that the columns stand.
    places: Vec<usize>,
    sink: Sink,
}

enum Sink {
    Bar(ProgressBar),
    Lines(Box<dyn Write + Send>),
    Silent,
}

impl Progress {
    /// A bar if standard error is a terminal, plain lines if not.
    pub fn new(name: &str, epochs: usize, steps_per_epoch: usize) -> Progress {
        if !io::stderr().is_terminal() {
            return Progress::lines(name, epochs, Box::new(io::stderr()));
        }
        let bar = ProgressBar::with_draw_target(
            Some(epochs.saturating_mul(steps_per_epoch) as u64),
            ProgressDrawTarget::stderr_with_hz(10),
        );
        // The template is a constant: a test builds it.
        let style = ProgressStyle::with_template("{prefix}  {bar:24.cyan/dim}  {msg}  {eta:>4} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━━╌"));
        let progress = Progress::with(name, epochs, Sink::Bar(bar));
        if let Sink::Bar(bar) = &progress.sink {
            bar.set_prefix(progress.head(1));
        }
        progress
    }

    /// Plain lines to wherever they are wanted.
    pub fn lines(name: &str, epochs: usize, to: Box<dyn Write + Send>) -> Progress {
        Progress::with(name, epochs, Sink::Lines(to))
    }

    /// Shows nothing.
    pub fn silent() -> Progress {
        Progress::with("", 0, Sink::Silent)
    }

    fn with(name: &str, epochs: usize, sink: Sink) -> Progress {
        let now = Instant::now();
        let name = name.to_string();
        Progress {
            name,
            epochs,
            epoch: 0,
            rows: 0,
            started: now,
            epoch_started: now,
            places: Vec::new(),
            sink,
        }
    }

    /// A step is done.
    pub fn step(&self) {
        if let Sink::Bar(bar) = &self.sink {
            bar.inc(1);
        }
    }

    /// An epoch over `rows` rows is done, with these means of the loss and its named parts.
    pub fn epoch(&mut self, rows: usize, parts: &[(&str, f64)]) {
        let seconds = self.epoch_started.elapsed();
        self.epoch_started = Instant::now();
        self.epoch += 1;
        self.rows += rows;
        if matches!(self.sink, Sink::Silent) {
            return;
        }
        let words = format!("{}  {:>6} rows/s", self.parts(parts), rate(rows, seconds));
        let head = self.head(self.epoch);
        let next = self.head((self.epoch + 1).min(self.epochs));
        match &mut self.sink {
            Sink::Bar(bar) => {
                bar.set_prefix(next);
                bar.set_message(words);
            }
            // A closed pipe is no reason to stop training.
            Sink::Lines(to) if due(self.epoch, self.epochs) => drop(writeln!(to, "{head}  {words}")),
            Sink::Lines(_) | Sink::Silent => {}
        }
    }

    /// Training is over: leaves one line about the whole of it.
    pub fn finish(&mut self) {
        let time = self.started.elapsed();
        let epochs = if self.epoch == 1 { "epoch" } else { "epochs" };
        let rate = rate(self.rows, time);
        let line = format!("{}  {} {epochs} in {}, {rate} rows/s", self.name, self.epoch, duration(time));
        match &mut self.sink {
            Sink::Bar(bar) => {
                let last = bar.message();
                bar.finish_and_clear();
                drop(writeln!(io::stderr(), "{line}\n{:1$}  {last}", "", self.name.chars().count()));
            }
            Sink::Lines(to) => drop(writeln!(to, "{line}")),
            Sink::Silent => {}
        }
    }

    /// `vanilla  epoch  3/20`.
    fn head(&self, epoch: usize) -> String {
        let width = self.epochs.to_string().len();
        format!("{}  epoch {epoch:>width$}/{}", self.name, self.epochs)
    }

    /// `loss 12.310  kl 1.2031`, every value as wide as in the epochs before.
    fn parts(&mut self, parts: &[(&str, f64)]) -> String {
        self.places.resize(parts.len().max(self.places.len()), 0);
        let mut words = String::new();
        for ((name, value), places) in parts.iter().zip(&mut self.places) {
            // A part that shrinks gets more digits only when it would have lost three.
            let needed = decimals(*value);
            if *places == 0 || needed > *places + 2 {
                *places = needed;
            }
            // Before the first value that is not 0, there is nothing to go by.
            let shown = if *value == 0.0 { (*places).max(1) } else { *places };
            let gap = if words.is_empty() { "" } else { "  " };
            words.push_str(&format!("{gap}{name} {:>9}", number(*value, shown)));
        }
        words
    }
}

/// Whether an epoch gets a line of its own: the first, the last, and about twenty on the way.
fn due(epoch: usize, epochs: usize) -> bool {
    epoch == 1 || epoch == epochs || epoch.is_multiple_of(epochs.div_ceil(LINES).max(1))
}

/// The digits behind the point that show five significant ones.
pub(super) fn decimals(value: f64) -> usize {
    let size = value.abs();
    if !size.is_finite() || size == 0.0 {
        return 0;
    }
    (4 - size.log10().floor() as i64).clamp(0, 9) as usize
}

/// A value in a column with `places` digits behind the point; very large ones as powers of ten.
pub(super) fn number(value: f64, places: usize) -> String {
    match value.abs() {
        size if size >= 1e7 || (size > 0.0 && size < 1e-6) => format!("{value:.3e}"),
        _ => format!("{value:.places$}"),
    }
}

/// `950`, `48.2k`, `1.25M`.
fn rate(rows: usize, time: Duration) -> String {
    let rate = rows as f64 / time.as_secs_f64().max(1e-9);
    match rate {
        r if r >= 1e6 => format!("{:.2}M", r / 1e6),
        r if r >= 1e3 => format!("{:.1}k", r / 1e3),
        r => format!("{r:.0}"),
    }
}

/// `0.8 s`, `42 s`, `3 min 20 s`.
fn duration(time: Duration) -> String {
    match time.as_secs_f64() {
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 120.0 => format!("{s:.0} s"),
        s => format!("{} min {:02} s", s as u64 / 60, s as u64 % 60),
    }
}
