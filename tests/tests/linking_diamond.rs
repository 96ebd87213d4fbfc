//! Thirty levels of functions that each call both of the level below: what they export must not grow with the
//! number of paths, which is 2³⁰.

use diabolo::prelude::*;
use diabolo::program::Root;

macro_rules! levels {
    ($a:ident $b:ident) => {
        #[layer]
        fn $a(x: Tensor<B, 4>) -> Tensor<B, 4> { exp(x) }
        #[function]
        fn $b(x: Tensor<B, 4>) -> Tensor<B, 4> { tanh(x) }
    };
    ($a:ident $b:ident $c:ident $d:ident $($rest:ident)*) => {
        // Each level names both functions below; only one of them is called with a value.
        #[layer]
        fn $a(x: Tensor<B, 4>) -> Tensor<B, 4> { if true { $c(x) } else { $d(x) } }
        #[function]
        fn $b(x: Tensor<B, 4>) -> Tensor<B, 4> { if false { $c(x) } else { $d(x) } }
        levels!($c $d $($rest)*);
    };
}

levels!(a00 b00 a01 b01 a02 b02 a03 b03 a04 b04 a05 b05 a06 b06 a07 b07 a08 b08 a09 b09
        a10 b10 a11 b11 a12 b12 a13 b13 a14 b14 a15 b15 a16 b16 a17 b17 a18 b18 a19 b19
        a20 b20 a21 b21 a22 b22 a23 b23 a24 b24 a25 b25 a26 b26 a27 b27 a28 b28 a29 b29);

#[test]
fn a_diamond_of_thirty_levels_compiles() {
    assert_eq!(b00::spec().inputs.len(), 1);
}
