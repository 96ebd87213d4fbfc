//! As much linking as is allowed: thirty levels of functions that each call both of the level below, where what
//! they export must not grow with the number of paths, which is 2³⁰; and one function that calls sixty.

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
    assert_eq!(b00().spec().unwrap().inputs.len(), 1);
}

macro_rules! many {
    ($($name:ident)*) => {
        $(
            #[function]
            fn $name(x: Tensor<B, 4>) -> Tensor<B, 4> { exp(x) }
        )*

        #[function]
        fn all(x: Tensor<B, 4>) -> Tensor<B, 4> { x $(+ $name(x))* }
    };
}

many!(f00 f01 f02 f03 f04 f05 f06 f07 f08 f09 f10 f11 f12 f13 f14 f15 f16 f17 f18 f19 f20 f21 f22
      f23 f24 f25 f26 f27 f28 f29 f30 f31 f32 f33 f34 f35 f36 f37 f38 f39 f40 f41 f42 f43 f44 f45
      f46 f47 f48 f49 f50 f51 f52 f53 f54 f55 f56 f57 f58 f59);

#[test]
fn sixty_callees_stay_within_the_recursion_limit() {
    assert_eq!(all().spec().unwrap().outputs.len(), 1);
}
