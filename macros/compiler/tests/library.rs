//! Every function of the library against central differences, first and second order.

use diabolo_compiler::graph::Role;
use diabolo_compiler::interp::{Inputs, interpret};
use diabolo_compiler::link::from_source;
use diabolo_compiler::lower::Mode;
use diabolo_compiler::pipeline;
use diabolo_compiler::testing::{Rng, is_slope};

macro_rules! library {
    ($($file:literal)*) => {
        [$(($file, include_str!(concat!("../../../runtime/src/nn/", $file)))),*]
    };
}

/// The library, as files.
const NN: [(&str, &str); 10] = library!(
    "adversarial.rs" "complex.rs" "convolution.rs" "densities.rs" "errors.rs" "kernels.rs" "layers.rs" "norms.rs" "recurrent.rs"
    "transformer.rs"
);

/// A call of each function of the library, of `u` and `v`, both `Tensor<B, 3>`, `v` between 0 and 1.
const CALLS: &[(&str, &str)] = &[
    ("attention", "attention(unsqueeze(u, 2), unsqueeze(v, 2), unsqueeze(u * v, 2))"),
    ("average_pool", "square(average_pool(images(u), kernel = (2, 1), stride = 1))"),
    ("average_pool1d", "square(average_pool1d(unsqueeze(u, 1), kernel = 2, stride = 1))"),
    ("batch_norm", "square(batch_norm(u) - v)"),
    ("bce", "bce(v, sigmoid(u))"),
    ("bce_each", "bce_each(v, sigmoid(u))"),
    ("bce_with_logits", "bce_with_logits(u, v)"),
    ("bce_with_logits_each", "bce_with_logits_each(u, v)"),
    ("complex_conj", "complex_sum_squares(complex_mul(complex_conj((u, v)), (v, u)))"),
    ("complex_dense", "complex_sum_squares(complex_dense((u, v), 2))"),
    ("complex_mul", "complex_sum_squares(complex_mul((u, v), (v, square(u))))"),
    ("complex_sum_squares", "complex_sum_squares((u, v))"),
    ("conv", "square(conv(images(u), channels = 2, kernel = 2, padding = (1, 0), stride = (2, 1)))"),
    (
        "conv1d",
        "square(conv1d(unsqueeze(u, 1), channels = 2, kernel = 2, padding = 1, stride = 2, dilation = 2))",
    ),
    ("conv_transpose", "square(conv_transpose(images(u), channels = 1, kernel = 2, stride = (2, 1)))"),
    (
        "conv_transpose1d",
        "square(conv_transpose1d(unsqueeze(u, 1), channels = 2, kernel = 3, stride = 2, padding = 1))",
    ),
    ("cross_entropy", "cross_entropy(u, argmax(v))"),
    ("dense", "dense(u, 2)"),
    ("discrepancy", "discrepancy(|x, y| rbf(x, y), u, v)"),
    ("discriminator_loss", "discriminator_loss(sum(u), sum(v))"),
    ("dropout", "square(dropout(u, 0.4))"),
    ("embedding", "square(sum(embedding(argsort(v), 3, 3), axis = 2) + u)"),
    ("gaussian_nll", "gaussian_nll(u, v, logvar = u * v)"),
    ("gradient_penalty", "gradient_penalty(|y| sum(y * y * y), u, v)"),
    ("gru", "gru(unsqueeze(u, 2), 2)"),
    ("gru_cell", "gru_cell(u, v)"),
    ("huber", "huber(u, v, delta = 0.7)"),
    ("huber_each", "huber_each(u, v, delta = 0.7)"),
    ("imq", "imq(u, batch(v), 2.0)"),
    ("jensen_shannon", "jensen_shannon(sigmoid(u), v)"),
    ("kl_categorical", "kl_categorical(sigmoid(u), v)"),
    ("kl_normal", "kl_normal(u, v)"),
    ("kl_normal_each", "kl_normal_each(u, v)"),
    ("l1", "l1(square(u) + v, u)"),
    ("layer_norm", "square(layer_norm(u) + v)"),
    ("log_bernoulli", "log_bernoulli(u, v)"),
    ("log_bernoulli_each", "log_bernoulli_each(u, v)"),
    ("log_normal", "log_normal(u, mean = v, logvar = u * v)"),
    ("log_normal_each", "log_normal_each(u, mean = v, logvar = u * v)"),
    ("lstm", "lstm(unsqueeze(u, 2), 2)"),
    ("lstm_cell", "{ let (h, c) = lstm_cell(u, v, u * v); h * c }"),
    ("max_pool", "square(max_pool(images(u), kernel = (1, 2), stride = 1))"),
    ("max_pool1d", "square(max_pool1d(unsqueeze(u, 1), kernel = 2, stride = 1))"),
    ("mmd", "mmd(u, v)"),
    ("mmd_imq", "mmd_imq(u, v, 2.0)"),
    ("mse", "mse(u, v)"),
    ("non_saturating_loss", "non_saturating_loss(sum(u * v))"),
    ("pairwise_squares", "pairwise_squares(u, batch(v))"),
    ("rbf", "rbf(u, batch(v))"),
    ("self_attention", "self_attention(unsqueeze(u, 2), 2, 2, 3)"),
    ("squared_error", "squared_error(u, v)"),
    ("squared_error_each", "squared_error_each(u, v)"),
    ("total_correlation", "total_correlation(u, v, u * v, 1000.0)"),
    ("upsample", "square(upsample(images(u), 2))"),
    ("upsample1d", "square(upsample1d(unsqueeze(u, 1), 2))"),
    ("wasserstein_critic_loss", "wasserstein_critic_loss(sum(u), sum(square(v)))"),
    ("wasserstein_generator_loss", "wasserstein_generator_loss(sum(square(u)))"),
];

/// Those in which rows meet.
const CROSSING: [&str; 4] = ["discrepancy", "mmd", "mmd_imq", "total_correlation"];

/// Whether a function returns one value for the whole batch.
fn is_scalar(name: &str) -> bool {
    CROSSING.contains(&name) && name != "total_correlation"
}

/// The names of the annotated functions that the files make public.
fn public() -> Vec<String> {
    let mut names: Vec<String> = NN
        .iter()
        .flat_map(|(name, text)| syn::parse_file(text).unwrap_or_else(|e| panic!("{name}: {e}")).items)
        .filter_map(|item| match item {
            syn::Item::Fn(f) if matches!(f.vis, syn::Visibility::Public(_)) => Some(f.sig.ident.to_string()),
            _ => None,
        })
        .collect();
    names.sort();
    names
}

#[test]
fn every_public_function_is_called() {
    let called: Vec<&str> = CALLS.iter().map(|(name, _)| *name).collect();
    assert_eq!(public(), called);
}

/// Compares the gradient of a loss for each of its parameters with central differences.
fn check(name: &str, text: &str) {
    let files = [&[("example.rs", text)], &NN[..]].concat();
    let messages = |errors: diabolo_compiler::error::Errors| -> String {
        let lines: Vec<String> = errors.0.into_iter().map(|error| error.message).collect();
        format!("{name}: {}\n{text}", lines.join("\n"))
    };
    let linked = from_source(&files, "checked").unwrap_or_else(|e| panic!("{}", messages(e)));
    let graph = pipeline::graph(&linked, Mode::Train, true, &mut |_, _| ())
        .unwrap_or_else(|e| panic!("{}", messages(e)));
    let mut rng = Rng(11);
    let mut draw =
        |n: usize, low: f64, high: f64| -> Vec<f64> { (0..n).map(|_| rng.between(low, high)).collect() };
    let sizes = graph.params.iter().map(|p| p.ty.elements().value().expect("a known size"));
    let inputs = Inputs {
        symbols: [("B".to_owned(), 4)].into(),
        params: sizes.map(|n| draw(n, 0.4, 1.3)).collect(),
        inputs: vec![draw(12, -1.0, 1.0)],
        seed: 3,
        ..Inputs::default()
    };
    let values = interpret(&graph, &inputs).unwrap_or_else(|e| panic!("{name}: {e}"));
    let loss = graph.outputs.iter().find(|o| o.role == Role::Loss).expect("a loss").node;
    let mut moved = false;
    for output in &graph.outputs {
        let Role::Gradient(param) = output.role else { continue };
        let gradient = &values[output.node];
        for e in 0..gradient.data.len() {
            moved |= gradient.data[e] != 0.0;
            is_slope(&graph, &inputs, loss, gradient.data[e], gradient.scale[e], |i| &mut i.params[param][e])
                .unwrap_or_else(|what| panic!("{name}, {}, element {e}: {what}", graph.params[param].path));
        }
    }
    assert!(moved, "{name}: no gradient");
}

/// A loss over `u` and `v`, which depend on parameters, and on what `called` makes of them.
fn program(name: &str, call: &str, output: &str, body: &str) -> String {
    let called = if is_scalar(name) { "Scalar" } else { "Tensor<B>" };
    format!(
        "#[network] fn scale() -> Tensor<3> {{ param(normal_init(1.0)) }}
         #[network] fn shift() -> Tensor<3> {{ param(normal_init(1.0)) }}
         #[function] fn images(u: Tensor<B, 3>) -> Tensor<B, 1, 2, 3> {{ reshape(concat(u, square(u)), 1, 2, 3) }}
         #[network] fn called(u: Tensor<B, 3>, v: Tensor<B, 3>) -> {called} {{ sum({call}) }}
         #[loss] fn checked(x: Tensor<B, 3>) -> {output} {{
             let u = scale() * x;
             let v = sigmoid(shift() + x);
             {body}
         }}"
    )
}

#[test]
fn first_order() {
    for (name, call) in CALLS {
        let body = if is_scalar(name) { "called(u, v)" } else { "batch_mean(called(u, v))" };
        check(name, &program(name, call, "Scalar", body));
    }
}

#[test]
fn second_order() {
    for (name, call) in CALLS {
        // `batch` does not stand under a derivative by rows.
        if !call.contains("batch") && !CROSSING.contains(name) {
            check(
                name,
                &program(name, call, "Tensor<B>", "sum_squares(grad(|u| called(u, v), u) + 0.3 * u)"),
            );
        }
    }
}
