//! A template says that it cannot be trained or run by itself.
use diabolo::nn::dense;
use diabolo::prelude::*;

fn main() -> diabolo::Result<()> {
    let data = diabolo::data::digits();
    Trainer::new(dense).fit(&data.train)?;
    Ok(())
}
