//! The CPU kernels. In: slices. Out: numbers. Never: CUDA, graphs, files.
pub mod block;
pub mod buffer;
pub mod chunks;
pub mod crew;
pub mod float;
pub mod isa;
pub mod math;
pub mod matmul;
pub mod products;
pub mod random;
pub mod select;
pub mod stage;
pub mod triangular;
