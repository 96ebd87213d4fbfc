//! A function called like a macro.
use diabolo::nn::dense;

fn main() {
    dense!(3);
}
