//! Parameters are called after their network.
use diabolo::prelude::*;

mod first {
    use diabolo::nn::dense;
    use diabolo::prelude::*;

    #[encoder]
    pub fn encode(x: Tensor<B, 8>) -> Tensor<B, 4> {
        dense(x, 4)
    }
}

mod second {
    use diabolo::nn::dense;
    use diabolo::prelude::*;

    #[encoder]
    pub fn encode(x: Tensor<B, 8>) -> Tensor<B, 4> {
        dense(x, 4)
    }
}

#[loss]
fn distance(x: Tensor<B, 8>) -> Tensor<B> {
    sum_squares(first::encode(x) - second::encode(x))
}

fn main() {}
