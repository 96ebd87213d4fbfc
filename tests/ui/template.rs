//! A template cannot be run by itself.
use diabolo::nn::dense;
use diabolo::prelude::*;

fn run(_: impl Root) {}

fn main() {
    run(dense());
}
