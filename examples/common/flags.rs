//! The command line of every example.
//!
//! In: words. Out: what the example was asked to do, and its data where it learns digits. Never: a panic; a mistake is one line and a status.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::exit;

use clap::error::ErrorKind;
use clap::{Args, Command, FromArgMatches};
use diabolo::data::{self, Digits};
use diabolo::error::Result;
use diabolo::report::{Run, Settings};

use crate::small::eight_by_eight;

/// The rows of a smoke run.
const SMOKE_ROWS: usize = 256;

/// What an example was asked to do.
#[derive(Clone, Debug)]
pub struct Flags {
    /// The name of the example.
    pub name: String,
    /// A folder with MNIST in IDX files; the embedded digits if there is none.
    pub data: Option<PathBuf>,
    /// Passes over the training rows.
    pub epochs: usize,
    /// Rows a step.
    pub batch: usize,
    /// The learning rate.
    pub lr: f64,
    /// The seed of everything random.
    pub seed: u64,
    /// The threads to run on.
    pub threads: usize,
    /// The folder that holds the folders of runs.
    pub out: PathBuf,
    /// Whether this only shows that the example works.
    pub smoke: bool,
}

/// What holds where the command line is silent.
#[derive(Clone, Copy, Debug)]
pub struct Defaults {
    /// Passes over the training rows.
    pub epochs: usize,
    /// Rows a step.
    pub batch: usize,
    /// The learning rate.
    pub lr: f64,
}

impl Default for Defaults {
    fn default() -> Defaults {
        Defaults { epochs: 20, batch: 128, lr: 1e-3 }
    }
}

/// The flag of examples that learn digits.
#[derive(Args, Default)]
struct Source {
    /// Folder with the IDX files of MNIST, packed or not, reduced to 8 × 8 [default: the embedded digits]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

/// An example without flags of its own.
#[derive(Args, Clone, Debug)]
pub struct NoMore {}

/// The command line itself; doc comments are its help.
#[derive(Args)]
struct CommandLine {
    /// Passes over the training rows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    epochs: Option<u32>,
    /// Rows a step
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    batch: Option<u32>,
    /// Learning rate
    #[arg(long, value_name = "RATE", value_parser = positive)]
    lr: Option<f64>,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 7)]
    seed: u64,
    /// Threads to run on [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Folder for the folders of runs
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    out: PathBuf,
    /// One epoch over a few rows, to see that it works
    #[arg(long)]
    smoke: bool,
}

/// A number above zero, for a `value_parser`.
///
/// # Errors
/// Where it is none.
pub fn positive(text: &str) -> Result<f64, String> {
    number(text, |number| number > 0.0, "a positive number is needed")
}

/// A number of zero or more, for a `value_parser`.
///
/// # Errors
/// Where it is none.
pub fn non_negative(text: &str) -> Result<f64, String> {
    number(text, |number| number >= 0.0, "a number of 0 or more is needed")
}

fn number(text: &str, allowed: fn(f64) -> bool, wanted: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|number: &f64| number.is_finite() && allowed(*number))
        .ok_or_else(|| wanted.into())
}

impl Flags {
    /// Reads the command line of an example that learns digits, with the flags `E` of its own, and sets the number of
    /// threads, or ends the program: with help where it was asked for, with one line and a status other than zero where
    /// something is wrong.
    pub fn of_digits<E: Args>(name: &'static str, defaults: Defaults) -> (Flags, E) {
        Flags::or_exit(name, Flags::parse(name, defaults, true, std::env::args_os()))
    }

    /// The same of an example that makes its data itself: without `--data`.
    pub fn alone<E: Args>(name: &'static str, defaults: Defaults) -> (Flags, E) {
        Flags::or_exit(name, Flags::parse(name, defaults, false, std::env::args_os()))
    }

    fn or_exit<E>(name: &str, parsed: Result<(Flags, E), (i32, String)>) -> (Flags, E) {
        let (flags, more) = parsed.unwrap_or_else(|(status, words)| {
            match status {
                0 => println!("{words}"),
                _ => eprintln!("{words}"),
            }
            exit(status)
        });
        if let Err(error) = rayon::ThreadPoolBuilder::new().num_threads(flags.threads).build_global() {
            eprintln!("{name}: cannot start {} threads: {error}", flags.threads);
            exit(1);
        }
        (flags, more)
    }

    /// The flags, or the status to end with and the words to say.
    fn parse<E: Args>(
        name: &'static str,
        defaults: Defaults,
        digits: bool,
        arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> Result<(Flags, E), (i32, String)> {
        let about = format!(
            "Unless given: --epochs {}, --batch {}, --lr {}",
            defaults.epochs, defaults.batch, defaults.lr
        );
        let command = Command::new(name).after_help(about);
        let command = if digits { Source::augment_args(command) } else { command };
        let matches = CommandLine::augment_args(E::augment_args(command)).try_get_matches_from(arguments);
        let read = matches.and_then(|matches| {
            let source = if digits { Source::from_arg_matches(&matches)? } else { Source::default() };
            Ok((source, CommandLine::from_arg_matches(&matches)?, E::from_arg_matches(&matches)?))
        });
        let (source, line, more) = read.map_err(|error| {
            let words = error.to_string();
            match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => (0, words.trim_end().into()),
                _ => (2, format!("{name}: {} (--help lists the flags)", one_line(&words))),
            }
        })?;
        let threads = line
            .threads
            .map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
        let flags = Flags {
            name: name.into(),
            data: source.data,
            epochs: if line.smoke { 1 } else { line.epochs.map_or(defaults.epochs, |n| n as usize) },
            batch: line.batch.map_or(defaults.batch, |n| n as usize),
            lr: line.lr.unwrap_or(defaults.lr),
            seed: line.seed,
            threads,
            out: line.out,
            smoke: line.smoke,
        };
        Ok((flags, more))
    }

    /// The data asked for: MNIST at 8 × 8 pixels, or the digits inside the crate; a few rows in a smoke run.
    pub fn digits(&self) -> Result<Digits> {
        let mut digits = match &self.data {
            Some(folder) => eight_by_eight(&data::mnist(folder)?)?,
            None => data::digits(),
        };
        if self.smoke {
            digits.train = digits.train.take(SMOKE_ROWS)?;
            digits.test = digits.test.take(SMOKE_ROWS)?;
        }
        Ok(digits)
    }

    /// A fresh folder for this run, with `config.json` in it.
    pub fn run(&self) -> Result<Run> {
        let run = Run::create(&self.out, &self.name)?;
        let config = [
            (
                "data",
                self.data.as_ref().map_or("embedded digits".into(), |folder| folder.display().to_string()),
            ),
            ("epochs", self.epochs.to_string()),
            ("batch", self.batch.to_string()),
            ("lr", self.lr.to_string()),
            ("smoke", self.smoke.to_string()),
        ];
        run.config(
            &std::collections::BTreeMap::from(config),
            Settings { seed: self.seed, threads: self.threads },
        )?;
        Ok(run)
    }
}

/// The message of clap as one line, without its "error:", its usage and its tips, which follow a blank line.
fn one_line(words: &str) -> String {
    let lines: Vec<&str> = words.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let line = lines.join(" ");
    line.strip_prefix("error: ").map(str::to_owned).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Flags, (i32, String)> {
        parse_as(words, true).map(|(flags, NoMore {})| flags)
    }

    fn parse_as<E: Args>(words: &str, digits: bool) -> Result<(Flags, E), (i32, String)> {
        let arguments = ["vanilla"].into_iter().chain(words.split_whitespace());
        Flags::parse("vanilla", Defaults::default(), digits, arguments)
    }

    #[derive(Args)]
    struct Beta {
        /// The weight
        #[arg(long, default_value_t = 1.0)]
        beta: f32,
        /// What it weighs
        #[arg(long, requires = "epochs", value_parser = ["kl", "recon"])]
        of: Option<String>,
    }

    #[test]
    fn an_example_may_have_flags_of_its_own_and_no_digits() {
        let (flags, beta) = parse_as::<Beta>("--beta 4 --seed 3 --data there", true).unwrap();
        assert_eq!((beta.beta, flags.seed, flags.data), (4.0, 3, Some("there".into())));
        let (flags, beta) = parse_as::<Beta>("--seed 3", false).unwrap();
        assert_eq!((beta.beta, flags.seed, flags.data), (1.0, 3, None));
        for (words, expected) in [
            ("--of kl", "the following required arguments were not provided: --epochs <N>"),
            ("--of x", "invalid value 'x' for '--of <OF>' [possible values: kl, recon]"),
        ] {
            let refused = parse_as::<Beta>(words, true).err().unwrap();
            assert_eq!(refused, (2, format!("vanilla: {expected} (--help lists the flags)")));
        }
        let refused = parse_as::<Beta>("--data there", false).err().unwrap();
        let expected = "vanilla: unexpected argument '--data' found (--help lists the flags)";
        assert_eq!(refused, (2, expected.into()));
    }

    #[test]
    fn flags_override_defaults() {
        let flags = parse("").unwrap();
        assert_eq!((flags.epochs, flags.batch, flags.lr, flags.seed), (20, 128, 1e-3, 7));
        assert_eq!(flags.out, PathBuf::from("runs"));
        let flags =
            parse("--epochs 3 --batch 32 --lr 0.01 --seed 1 --threads 2 --out here --data there").unwrap();
        assert_eq!((flags.epochs, flags.batch, flags.lr, flags.seed, flags.threads), (3, 32, 0.01, 1, 2));
        assert_eq!((flags.out, flags.data), ("here".into(), Some("there".into())));
    }

    #[test]
    fn a_mistake_is_one_line_and_a_status() {
        for (words, expected) in [
            ("--epoch 3", "vanilla: unexpected argument '--epoch' found (--help lists the flags)"),
            (
                "--epochs 0",
                "vanilla: invalid value '0' for '--epochs <N>': 0 is not in 1..=4294967295 (--help lists the flags)",
            ),
            ("--lr -1", "vanilla: unexpected argument '-1' found (--help lists the flags)"),
            (
                "--lr=nan",
                "vanilla: invalid value 'nan' for '--lr <RATE>': a positive number is needed (--help lists the flags)",
            ),
            ("more", "vanilla: unexpected argument 'more' found (--help lists the flags)"),
        ] {
            assert_eq!(parse(words).unwrap_err(), (2, expected.into()));
        }
        let (status, help) = parse("--help").unwrap_err();
        assert_eq!(status, 0);
        assert!(help.contains("--smoke") && help.contains("--epochs 20"), "{help}");
    }

    #[test]
    fn a_smoke_run_is_short() {
        let flags = parse("--smoke --epochs 50").unwrap();
        let digits = flags.digits().unwrap();
        assert_eq!((flags.epochs, digits.train.rows(), digits.test.rows()), (1, SMOKE_ROWS, SMOKE_ROWS));
    }
}
