//! The generated Rust of small programs as golden texts: what a user sees who looks. `DIABOLO_BLESS=1` writes them anew.
//!
//! In: small losses. Out: `tests/golden/rust_*.rs`, formatted. Never: the library's files as they stand; a line moved
//! there would change texts here.

use std::collections::BTreeSet;
use std::path::Path;

use diabolo_compiler::emit::rust::host;
use diabolo_compiler::link::from_source;
use diabolo_compiler::pipeline::{self, Context};
use quote::{format_ident, quote};

/// A dense layer, a recurrent network, a convolution, and a stack of layers.
const PROGRAMS: &str = r#"
#[layer]
fn dense(x: Tensor<B, I>, out: usize) -> Tensor<B, out> {
    let weight: Tensor<I, out> = param(fan_in(I));
    let bias: Tensor<out> = param(fan_in(I));
    let y = einsum("bi,io->bo", x, weight);
    y + expand_like(bias, y)
}

#[network]
fn encode(x: Tensor<B, 20>) -> Tensor<B, 20> {
    relu(dense(x, 20))
}

#[loss]
fn linear(x: Tensor<B, 20>) -> Tensor<B> {
    sum_squares(encode(x) - x)
}

#[network]
fn remember(x: Tensor<B, T, 3>) -> Tensor<B, T, 8> {
    scan(|h, x_t| tanh(dense(x_t, 8) + dense(h, 8)), zeros(), x)
}

#[loss]
fn recurrent(x: Tensor<B, T, 3>, y: Tensor<B, T, 8>) -> Tensor<B> {
    sum_squares(remember(x) - y)
}

#[network]
fn filter(x: Tensor<B, 1, 10>) -> Tensor<B, 4, 8> {
    let kernel: Tensor<4, 1, 3> = param(fan_in(3));
    einsum("bcpk,ock->bop", window(x, axis = 2, kernel = 3), kernel)
}

#[loss]
fn convolution(x: Tensor<B, 1, 10>, y: Tensor<B, 4, 8>) -> Tensor<B> {
    sum_squares(filter(x) - y)
}

#[network]
fn deep(x: Tensor<B, 20>) -> Tensor<B, 20> {
    let mut h = x;
    for _ in 0..LAYERS {
        h = tanh(dense(h, 20));
    }
    h
}

#[loss]
fn stack(x: Tensor<B, 20>) -> Tensor<B> {
    sum_squares(deep(x) - x)
}

#[network]
fn shaken(x: Tensor<B, 20>) -> Tensor<B, 20> {
    let mut h = x;
    for _ in 0..LAYERS {
        h = tanh(dense(h + normal_like(h), 20));
    }
    h
}

#[loss]
fn noisy(x: Tensor<B, 20>) -> Tensor<B> {
    sum_squares(shaken(x) - x)
}
"#;

/// The formatted code of a loss.
fn code(name: &str, layers: usize) -> String {
    let text = PROGRAMS.replace("LAYERS", &layers.to_string());
    let linked = from_source(&[("model.rs", text.as_str())], name).unwrap_or_else(|e| panic!("{:?}", e.0));
    let context = Context { krate: quote!(::diabolo), name: format_ident!("{name}"), trains: true };
    let tokens = pipeline::compile(&linked, &context).unwrap_or_else(|e| panic!("{:?}", e.0));
    prettyplease::unparse(&syn::parse2(host(tokens)).unwrap_or_else(|e| panic!("{e}")))
}

/// Compares the code with the text that is kept.
#[track_caller]
fn golden(name: &str) {
    let found = code(name, 1);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("rust_{name}.rs"));
    if std::env::var_os("DIABOLO_BLESS").is_some() {
        std::fs::write(&path, &found).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == kept, "{} differs; DIABOLO_BLESS=1 rewrites it\n{found}", path.display());
}

#[test]
fn a_dense_layer_with_its_gradient() {
    golden("linear");
}

#[test]
fn a_recurrent_network() {
    golden("recurrent");
}

#[test]
fn a_convolution() {
    golden("convolution");
}

/// Equal layers share their loops: depth adds calls, and no struct.
#[test]
fn depth_adds_no_loop() {
    let structs = |layers| code("stack", layers).matches("struct Loop").count();
    assert_eq!(structs(5), structs(12));
    // The first and the last layer differ from those between.
    assert!(structs(5) < 14, "{}", structs(5));
}

/// Loops that draw random numbers are shared too, and each caller says which numbers are its own.
#[test]
fn shared_loops_draw_different_numbers() {
    let (few, many) = (code("noisy", 4), code("noisy", 8));
    let draws = |code: &str| code.matches("normal_block").count();
    assert_eq!(draws(&few), draws(&many), "{many}");
    let given = |line: &str| {
        let (field, value) = line.trim().strip_prefix("site")?.split_once(": ")?;
        let number: u32 = value.trim_end_matches(',').parse().ok()?;
        field.parse::<u32>().is_ok().then_some(number)
    };
    let numbers: BTreeSet<u32> = many.lines().filter_map(given).collect();
    assert_eq!(numbers.len(), 8, "{numbers:?}");
}
