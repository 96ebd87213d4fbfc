//! A function that fails is an error once: not where it is called, trained, run or named.
use diabolo::prelude::*;

#[encoder]
fn encode(x: Tensor<B, 64>) -> Tensor<B, 8> {
    return x;
}

#[loss]
fn first(x: Tensor<B, 64>, #[default(0.5)] beta: f32) -> Tensor<B> {
    beta * sum_squares(encode(x))
}

#[loss]
fn second(x: Tensor<B, 64>) -> Tensor<B> {
    first(x)
}

fn main() -> diabolo::Result<()> {
    let data = diabolo::data::digits();
    let model = Trainer::new(first { beta: 0.1 }).fit(&data.train)?;
    Trainer::new(second).fit(&data.train)?;
    model.run(encode, &data.test)?;
    Ok(())
}
