//! The text that kernels of every program stand on, and the kernels that every program may launch.
//!
//! In: nothing. Out: CUDA C. Never: a function of the toolkit's mathematics, a header, or a float that is rounded in another
//! way than on the CPU: the twins of `cpu/` give the same bits as its instruction sets that fuse, but for `lgamma` and
//! `digamma` (one unit in the last place above 0) and for the order of sums. To be compiled with `-fmad=false`.
use std::collections::BTreeSet;

use super::driver::Precision;
use super::product;
use super::tape::{Command, Pointer, Space, Tape};

/// What generated kernels call: the number type, element-wise functions, random numbers, sums over threads.
pub const FUNCTIONS: &str = concat!(
    include_str!("prelude/base.cuh"),
    include_str!("prelude/math.cuh"),
    include_str!("prelude/power.cuh"),
    include_str!("prelude/gamma.cuh"),
    include_str!("prelude/random.cuh"),
    include_str!("prelude/reduce.cuh"),
);

const VALUES: &str = include_str!("prelude/values.cuh");
const SELECT: &str = include_str!("prelude/select.cuh");
const TRIANGULAR: &str = include_str!("prelude/triangular.cuh");
const PRODUCT: &str = include_str!("prelude/product.cuh");
const TENSOR: &str = include_str!("prelude/tensor.cuh");

/// What every program may launch: `fill`, `copy`, `sum_parts`, `max_parts`, `top_k`, the two kernels of a triangular factor,
/// and the products of [`super::product`]. Stands behind [`FUNCTIONS`].
pub const KERNELS: [&str; 5] = [VALUES, SELECT, TRIANGULAR, PRODUCT, TENSOR];

/// The text of a module for a program that launches kernels of these names: functions, what it needs of [`KERNELS`], which
/// take NVRTC seconds, and its own.
pub fn module<'n>(source: &str, launched: impl IntoIterator<Item = &'n str>) -> String {
    let names: BTreeSet<String> = launched.into_iter().map(|name| format!(" {name}(")).collect();
    let needs = |part: &str| names.iter().any(|name| part.contains(name));
    let mut text = String::from(FUNCTIONS) + VALUES;
    if needs(SELECT) {
        text += SELECT;
    }
    if needs(TRIANGULAR) {
        text += TRIANGULAR;
    }
    // Those on tensor cores stand on the others.
    if needs(PRODUCT) || needs(TENSOR) {
        text += PRODUCT;
    }
    if needs(TENSOR) {
        text += TENSOR;
    }
    text + source
}

/// The names of all kernels that a tape launches, with those of its products.
pub fn launched(tape: &Tape, precision: Precision) -> BTreeSet<&'static str> {
    let mut names = BTreeSet::new();
    for command in &tape.commands {
        match command {
            Command::Launch(launch) => drop(names.insert(launch.kernel)),
            Command::Product(product) => {
                let launches = product::plan_in(product, Pointer::new(Space::Work), precision);
                names.extend(launches.iter().map(|launch| launch.kernel));
            }
            Command::Inspect(..) => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_has_what_is_launched() {
        let of = |names: &[&str]| module("own", names.iter().copied());
        let defines = |text: &str, name: &str| text.contains(&format!(" {name}("));
        let kernels = ["fill", "top_k", "product_small", "product_parts", "product_tf32_small"];
        for (names, has) in [
            (&["train_add", "fill"][..], [true, false, false, false, false]),
            (&["top_k"], [true, true, false, false, false]),
            (&["product_small"], [true, false, true, true, false]),
            (&["product_parts", "product_tf32_large"], [true, false, true, true, true]),
        ] {
            let text = of(names);
            assert!(text.starts_with(FUNCTIONS) && text.ends_with("own"));
            assert_eq!(kernels.map(|kernel| defines(&text, kernel)), has, "{names:?}");
        }
        let whole = of(&["top_k", "triangular_gram", "product_bf16_large"]);
        assert_eq!(whole.len(), FUNCTIONS.len() + KERNELS.concat().len() + 3);
    }
}
