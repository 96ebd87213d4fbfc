//! Hyperparameters are fields, by name.
use diabolo::prelude::*;

#[function]
fn shifted(x: Tensor<B, 2>, sigma: f32, #[default(0.5)] step: f32) -> Tensor<B, 2> {
    x + step * sigma
}

fn main() {
    let _ = shifted { sigma: 0.1, width: 2.0 };
    let _ = shifted { step: 0.1 };
    let _ = shifted { sigma: "0.1", step: 0.1 };
}
