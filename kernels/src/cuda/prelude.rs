//! The text that kernels of every program stand on, and the kernels that every program may launch.
//!
//! In: nothing. Out: CUDA C. Never: a function of the toolkit's mathematics, a header, or a float that is rounded in another
//! way than on the CPU: the twins of `cpu/` give the same bits as its instruction sets that fuse, but for `lgamma` and
//! `digamma` (one unit in the last place above 0) and for the order of sums. To be compiled with `-fmad=false`.

/// What generated kernels call: the number type, element-wise functions, random numbers, sums over threads.
pub const FUNCTIONS: &str = concat!(
    include_str!("prelude/base.cuh"),
    include_str!("prelude/math.cuh"),
    include_str!("prelude/power.cuh"),
    include_str!("prelude/gamma.cuh"),
    include_str!("prelude/random.cuh"),
    include_str!("prelude/reduce.cuh"),
);

/// What every program may launch: `fill`, `copy`, `sum_parts`, `max_parts`, `top_k`, and the products of
/// [`super::product`]. Stands behind [`FUNCTIONS`]; compiled once for all programs.
pub const KERNELS: &str = concat!(
    include_str!("prelude/values.cuh"),
    include_str!("prelude/select.cuh"),
    include_str!("prelude/product.cuh"),
    include_str!("prelude/tensor.cuh"),
);

/// The whole text of one module: functions, kernels, and those of a program.
pub fn module(source: &str) -> String {
    [FUNCTIONS, KERNELS, source].concat()
}
