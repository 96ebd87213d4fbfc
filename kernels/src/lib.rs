//! The kernels of Diabolo: what the loops of generated code call.
//!
//! In: slices, strides, shapes. Out: numbers, the same bits for every number of threads.
//! Never: graphs, models, files, or a decision taken by timing.
//!
//! | Room | What |
//! | - | - |
//! | [`Float`], [`Isa`], [`dispatch`] | the number types, and the instruction set chosen at run time |
//! | [`math`], [`block`] | vector maths and the blocks of values that generated loops work on |
//! | [`random`] | Philox4x32-10: uniform and normal numbers by (seed, step, site, element) |
//! | [`matmul`], [`products`] | one matrix product on one thread; a list of wide ones on all |
//! | [`pack_panels`], [`matmul_panels`] | weights in the order in which products read them, once a step |
//! | [`top_k`] | the first of many, in order: sorting and selection without allocation |
//! | [`triangular_factors`] | R with RᵀR = AᵀA: what a sum of squares of a product needs of a tall factor |
//! | [`copy_transposed`] | a matrix that is to lie the other way |
//! | [`matmul_sliding`] | a product over several axes: a convolution, and its transpose |
//! | [`stage`], [`stage_turned`], [`chunks`], [`sum`] | row tiles, element-wise work and sums over the threads |
//! | [`Buffer`] | memory for numbers, aligned for vectors |
//! | [`together`] | the threads of a pool, kept awake for a step |
//! | [`cuda`] | the other machine |
#![allow(clippy::needless_range_loop)] // indices over arrays of one length are the form that vectorises
mod cpu;
pub mod cuda;

pub use cpu::buffer::Buffer;
pub use cpu::chunks::{chunks, sum, sum_squares};
pub use cpu::crew::together;
pub use cpu::float::Float;
pub use cpu::isa::{
    Avx2, Avx512, Body, Isa, IsaKind, IsaMissing, Neon, Portable, dispatch, force_isa, isa, isa_name,
};
pub use cpu::matmul::{
    ABREAST, Axes, MatMut, MatRef, Panels, SlideMut, SlideRef, copy_transposed, matmul, matmul_each,
    matmul_over, matmul_panels, matmul_sliding, pack_panels, panels,
};
pub use cpu::products::{Product, products};
pub use cpu::select::top_k;
pub use cpu::stage::{Tile, Tiling, stage, stage_turned};
pub use cpu::triangular::triangular_factors;
pub use cpu::{block, math, random};
