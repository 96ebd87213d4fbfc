//! A function that another version of Diabolo compiled: one error, and none in what calls the caller.
use diabolo::prelude::*;

/// As the hidden macro of version 0.0.9 would have it.
mod old {
    macro_rules! __diabolo_encode {
        (@link "0.0.9" { $($link:tt)* } $($state:tt)*) => { $($link)*! { { "encode" { } } $($state)* } };
        (@link $version:tt { $($link:tt)* } $($state:tt)*) => {
            ::core::compile_error! { "two versions of Diabolo meet in this build: …" }
            $($link)*! { { poison } $($state)* }
        };
    }
    pub(crate) use __diabolo_encode as encode;
}

#[function]
fn f(x: Tensor<B, 8>) -> Tensor<B, 8> {
    old::encode(x)
}

#[loss]
fn total(x: Tensor<B, 8>) -> Tensor<B> {
    sum(f(x))
}

mod new {
    use diabolo::prelude::*;

    #[function]
    pub fn double(x: Tensor<B, 8>) -> Tensor<B, 8> {
        2.0 * x
    }
}

macro_rules! older {
    ($($answer:tt)*) => {};
}

// What an older version would ask.
new::double! { @link "0.0.9" { older } { } }

fn main() {}
