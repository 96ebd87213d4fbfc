//! What can go wrong, as facts.
//!
//! In: the thing, the place and the reason, from the module that found the fault. Out: one clear line
//! a person can act on. Never: a panic, a message without the name of the thing it is about.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// The result of everything in Diabolo that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong at run time.
///
/// `Debug` prints the same line as `Display`, because that is what `fn main() -> diabolo::Result<()>`
/// shows its user.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A data file is not what it should be.
    #[error("{}: {what}", path.display())]
    DataFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },

    /// A column of data cannot be used.
    #[error("column `{column}`: {what}")]
    Column {
        /// The column.
        column: String,
        /// What is wrong with it.
        what: String,
    },

    /// A shape differs from the one asked for.
    #[error("{place}: `{thing}` should be {expected}, but is {found}")]
    Shape {
        /// The parameter, input or column.
        thing: String,
        /// The shape asked for.
        expected: String,
        /// The shape there is.
        found: String,
        /// Who asks: the function and its `file:line`, or the operation.
        place: String,
    },

    /// Something asked for by name is not there.
    #[error("no {kind} named `{name}`{}", listing(known))]
    Missing {
        /// What kind of thing: column, parameter, input.
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },

    /// Something given by name that nothing asks for.
    #[error("unknown {kind} `{name}`{}", listing(known))]
    Unknown {
        /// What kind of thing: hyperparameter, parameter, input.
        kind: &'static str,
        /// The name given.
        name: String,
        /// The names that would be understood.
        known: Vec<String>,
    },

    /// A function was compiled for other sizes.
    #[error("`{name}` is compiled for {known}, not for {given}; `#[values(…)]` lists the sizes")]
    Sizes {
        /// The function.
        name: String,
        /// The sizes given: `K = 9`.
        given: String,
        /// The sizes there are: `K = 8, 16, 32`.
        known: String,
    },

    /// A value is NaN or infinite.
    #[error("{what} is not finite: {place}")]
    NonFinite {
        /// The column or parameter.
        what: String,
        /// The row and index, and the value there.
        place: String,
    },

    /// A value that should be a position is none.
    #[error("{place}: `{column}`, row {row}, is {value}, and should be a whole number {range}")]
    Index {
        /// The column or input.
        column: String,
        /// Its row, counted from 0.
        row: usize,
        /// What is there.
        value: f64,
        /// What would be right: from 0 to the last place.
        range: String,
        /// Who asks: the function and its `file:line`.
        place: String,
    },

    /// Nothing is left to work on.
    #[error("{what} is empty")]
    Empty {
        /// What is empty.
        what: String,
    },

    /// A checkpoint cannot be written or read.
    #[error("checkpoint {}: {what}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },

    /// The operating system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// A verb: "open", "write", "create".
        doing: &'static str,
        /// Its own words.
        source: io::Error,
    },

    /// A picture cannot be drawn.
    #[error("picture {}: {what}", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },

    /// Training left the numbers.
    #[error("training diverged at step {step}: `{name}` is {value}")]
    Diverged {
        /// The step, counted from 1.
        step: u64,
        /// The loss or named part that is no longer finite.
        name: String,
        /// Its value.
        value: f64,
    },

    /// Two different networks go by one name.
    #[error("two networks are named `{name}`: {first} and {second}; their parameters would be confused")]
    Identity {
        /// The shared name.
        name: String,
        /// The type of the one.
        first: String,
        /// The type of the other.
        second: String,
    },

    /// A device is not there, has too little memory, or is lost.
    #[error("{0}")]
    Device(diabolo_kernels::cuda::Error),

    /// A setting makes no sense.
    #[error("{what}")]
    Config {
        /// Which, and why.
        what: String,
    },
}

impl Error {
    /// An [`Error::Io`] about `path`, for `map_err`.
    pub fn io(path: impl Into<PathBuf>, doing: &'static str) -> impl FnOnce(io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { path, doing, source }
    }

    /// An [`Error::Sizes`]: for each size of the function `name` its letter, the value given, the values there are.
    #[doc(hidden)]
    pub fn sizes(name: &str, sizes: &[(&str, usize, &[usize])]) -> Error {
        let joined = |parts: Vec<String>| parts.join(" and ");
        let list = |values: &[usize]| values.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        Error::Sizes {
            name: name.to_owned(),
            given: joined(sizes.iter().map(|(letter, given, _)| format!("{letter} = {given}")).collect()),
            known: joined(sizes.iter().map(|(letter, _, all)| format!("{letter} = {}", list(all))).collect()),
        }
    }

    /// An [`Error::Config`].
    pub fn config(what: impl Into<String>) -> Error {
        Error::Config { what: what.into() }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `; there are: x, label`, or nothing when there is nothing to list.
fn listing(known: &[String]) -> String {
    match known {
        [] => String::new(),
        [one] => format!("; there is only `{one}`"),
        _ => format!(
            "; there are {}",
            known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_one_line_that_names_the_thing() {
        let cases: Vec<(Error, &str)> = vec![
            (
                Error::Missing { kind: "column", name: "y".into(), known: vec!["x".into(), "label".into()] },
                "no column named `y`; there are `x`, `label`",
            ),
            (
                Error::Unknown { kind: "parameter", name: "w".into(), known: vec!["v".into()] },
                "unknown parameter `w`; there is only `v`",
            ),
            (
                Error::Shape {
                    thing: "x".into(),
                    expected: "[B, 784]".into(),
                    found: "[B, 64]".into(),
                    place: "encode (src/main.rs:4)".into(),
                },
                "encode (src/main.rs:4): `x` should be [B, 784], but is [B, 64]",
            ),
            (
                Error::Io { path: "a/b".into(), doing: "open", source: io::Error::other("no such thing") },
                "cannot open a/b: no such thing",
            ),
            (
                Error::Diverged { step: 12, name: "kl".into(), value: f64::NAN },
                "training diverged at step 12: `kl` is NaN",
            ),
            (Error::Empty { what: "validation part".into() }, "validation part is empty"),
            (
                Error::sizes("encode", &[("K", 9, &[8, 16]), ("H", 4, &[4])]),
                "`encode` is compiled for K = 8, 16 and H = 4, not for K = 9 and H = 4; `#[values(…)]` lists the sizes",
            ),
        ];
        for (error, line) in cases {
            assert_eq!(error.to_string(), line);
            assert_eq!(format!("{error:?}"), line);
        }
    }
}
