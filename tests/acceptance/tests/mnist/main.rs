//! The rows that want MNIST: minutes, so that they run only when asked for, and print what `RESULTS.md` has.
//!
//! `cargo test --release -p diabolo-acceptance --test mnist -- --ignored --nocapture --test-threads 1`

mod deep;
mod linear;
mod variational;
