//! Programs as CUDA: every one of the zoo and every random one is emitted, and nothing that it launches lies outside.
//!
//! In: the programs that `tests/differential` runs. Out: faults. Never: a kernel run; `tests/cuda` does that.

use std::path::Path;

use diabolo_compiler::emit::{cuda, rust};
use diabolo_compiler::graph::Graph;
use diabolo_compiler::link::from_source;
use diabolo_compiler::lower::Mode;
use diabolo_compiler::schedule::schedule;
use diabolo_compiler::{pipeline, testing};
use quote::quote;
use recorded::{Values, tape};

#[allow(dead_code)] // each of its readers needs a part
#[path = "../../../tests/differential/graphs.rs"]
mod graphs;
#[allow(dead_code)]
#[path = "../../../tests/differential/random.rs"]
mod random;
mod recorded;

/// The text of a program, and its tape for a batch.
fn check(name: &str, graph: &Graph, batch: usize, steps: usize) -> Result<(), String> {
    let plan = schedule(graph)?;
    let krate = quote!(diabolo);
    let names = rust::Names::of(&krate, name, &plan);
    let text = cuda::text(&names, &plan);
    let mut values: Values = names.symbols.iter().map(|symbol| (symbol.clone(), steps)).collect();
    values.insert("B".into(), batch);
    tape(&text, graph, &values).map(|_| ()).map_err(|error| format!("{name}, batch {batch}: {error}"))
}

fn report(mistakes: Vec<String>) {
    assert!(mistakes.is_empty(), "{} are wrong:\n{}", mistakes.len(), mistakes.join("\n"));
}

#[test]
fn the_zoo_touches_its_own_memory() {
    let all = graphs::ZOO.iter().flat_map(|name| {
        let graph = graphs::zoo(name);
        [3, 0, 1, 64, 130].into_iter().filter_map(move |batch| check(name, &graph, batch, 11).err())
    });
    report(all.collect());
}

#[test]
fn random_programs_touch_their_own_memory() {
    let mut mistakes = Vec::new();
    for seed in testing::SEEDS.chain(testing::FOUND) {
        let spec = random::Spec::whole(seed);
        let (graph, given) = spec.graph();
        let steps = given.symbols.get("T").copied().unwrap_or(5);
        for batch in [3, 0, 130] {
            mistakes.extend(check(&spec.name(), &graph, batch, steps).err());
        }
    }
    report(mistakes);
}

/// A variational autoencoder, a convolution, a recurrent network, a sparse code: without the library, where a line moved
/// would change texts here.
const PROGRAMS: &str = r#"
#[layer]
fn dense(x: Tensor<B, I>, out: usize) -> Tensor<B, out> {
    let weight: Tensor<I, out> = param(fan_in(I));
    let bias: Tensor<out> = param(fan_in(I));
    let y = einsum("bi,io->bo", x, weight);
    y + expand_like(bias, y)
}

#[encoder]
fn encode(x: Tensor<B, 20>) -> (Tensor<B, 6>, Tensor<B, 6>) {
    let h = relu(dense(x, 40));
    (dense(h, 6), dense(h, 6))
}

#[decoder]
fn decode(z: Tensor<B, 6>) -> Tensor<B, 20> {
    dense(z, 20)
}

#[loss]
fn variational(x: Tensor<B, 20>) -> Tensor<B> {
    let (mean, logvar) = encode(x);
    let z = mean + exp(0.5 * logvar) * normal_like(mean);
    let recon = sum_squares(decode(z) - x);
    recon - 0.5 * sum(1 + logvar - square(mean) - exp(logvar))
}

#[network]
fn filter(x: Tensor<B, 1, 10>) -> Tensor<B, 4, 8> {
    let kernel: Tensor<4, 1, 3> = param(fan_in(3));
    einsum("bcpk,ock->bop", window(x, axis = 2, kernel = 3), kernel)
}

#[loss]
fn convolution(x: Tensor<B, 1, 10>, y: Tensor<B, 4, 8>) -> Tensor<B> {
    sum_squares(filter(tanh(x)) - y)
}

#[network]
fn remember(x: Tensor<B, T, 3>) -> Tensor<B, T, 8> {
    scan(|h, x_t| tanh(dense(x_t, 8) + dense(h, 8)), zeros(), x)
}

#[loss]
fn recurrent(x: Tensor<B, T, 3>, y: Tensor<B, T, 8>) -> Tensor<B> {
    sum_squares(remember(x) - y)
}

#[loss]
fn sparse(x: Tensor<B, 20>) -> Tensor<B> {
    let (mean, _) = encode(x);
    sum_squares(decode(top_k(mean, 2)) - x)
}
"#;

/// The kernels of a loss, and what it records, formatted.
fn written(name: &str) -> String {
    let linked = from_source(&[("model.rs", PROGRAMS)], name).unwrap_or_else(|e| panic!("{:?}", e.0));
    let graph =
        pipeline::graph(&linked, Mode::Train, true, &mut |_, _| ()).unwrap_or_else(|e| panic!("{:?}", e.0));
    let plan = schedule(&graph).unwrap_or_else(|e| panic!("{e}"));
    let krate = quote!(::diabolo);
    let names = rust::Names::of(&krate, "train", &plan);
    let file = syn::parse2(cuda::program(&names, &plan)).unwrap_or_else(|e| panic!("{e}"));
    let rust = prettyplease::unparse(&file);
    let record = rust.split("/// What the program does").next().unwrap_or_default();
    format!("{}\n{record}", cuda::text(&names, &plan).source)
}

/// Compares a text with the one that is kept.
#[track_caller]
fn golden(name: &str) {
    let found = written(name);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("cuda_{name}.txt"));
    if std::env::var_os("DIABOLO_BLESS").is_some() {
        std::fs::write(&path, &found).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == kept, "{} differs; DIABOLO_BLESS=1 rewrites it\n{found}", path.display());
}

#[test]
fn a_variational_autoencoder() {
    golden("variational");
}

#[test]
fn a_convolution() {
    golden("convolution");
}

#[test]
fn a_recurrent_network() {
    golden("recurrent");
}

#[test]
fn a_sparse_code() {
    golden("sparse");
}

/// What a network of 20 numbers records to train it, where it stands in a loss.
fn recorded(layers: &str, body: &str) -> cuda::Recording {
    let text = format!(
        "{PROGRAMS}\n{layers}\n#[network] fn body(x: Tensor<B, 20>) -> Tensor<B, 20> {{ {body} }}\n\
         #[loss] fn stack(x: Tensor<B, 20>) -> Tensor<B> {{ sum_squares(body(x) - x) }}"
    );
    let linked = from_source(&[("model.rs", text.as_str())], "stack").unwrap_or_else(|e| panic!("{:?}", e.0));
    let graph =
        pipeline::graph(&linked, Mode::Train, true, &mut |_, _| ()).unwrap_or_else(|e| panic!("{:?}", e.0));
    let plan = schedule(&graph).unwrap_or_else(|e| panic!("{e}"));
    let krate = quote!(::diabolo);
    cuda::text(&rust::Names::of(&krate, "train", &plan), &plan).recording
}

/// A product with a bias, or with a rectified one, is a layer; what else reads the product, is shown it or is done to it, ends that.
#[test]
fn layers_are_products_with_a_bias_alone() {
    let layers = |layers: &str, body: &str| {
        let found = recorded(layers, body).commands.into_iter().filter_map(|command| match command {
            cuda::Command::Layer(layer) => Some(layer.relu),
            _ => None,
        });
        found.collect::<Vec<bool>>()
    };
    let own = |end: &str| {
        format!(
            "#[layer] fn own(x: Tensor<B, I>, out: usize) -> Tensor<B, out> {{\n\
             let weight: Tensor<I, out> = param(fan_in(I));\nlet bias: Tensor<out> = param(fan_in(I));\n\
             let y = einsum(\"bi,io->bo\", x, weight);\n{end}\n}}"
        )
    };
    for (end, body, found) in [
        ("relu(y + expand_like(bias, y))", "dense(own(x, 40), 20)", &[true][..]),
        ("relu(expand_like(bias, y) + y)", "dense(own(own(x, 40), 30), 20)", &[true, true]),
        ("y + expand_like(bias, y)", "dense(own(x, 40), 20)", &[false]),
        ("tanh(y + expand_like(bias, y))", "dense(own(x, 40), 20)", &[]),
        ("relu(y - expand_like(bias, y))", "dense(own(x, 40), 20)", &[]),
        ("relu(y) + expand_like(bias, y)", "dense(own(x, 40), 20)", &[]),
        ("relu(y + expand_like(bias, y)) * y", "dense(own(x, 40), 20)", &[]),
        ("relu(inspect(\"y\", y) + expand_like(bias, y))", "dense(own(x, 40), 20)", &[]),
        ("relu(y + expand_like(sum(bias), y))", "dense(own(x, 40), 20)", &[]),
    ] {
        assert_eq!(layers(&own(end), body), found, "{end}");
    }
}

/// Equal layers share their kernels.
#[test]
fn depth_adds_no_kernel() {
    let kernels = |layers: usize| {
        let body = format!("let mut h = x; {} h", "h = tanh(dense(h, 20));".repeat(layers));
        let launched = recorded("", &body).commands.into_iter().filter_map(|command| match command {
            cuda::Command::Each { kernel, .. } | cuda::Command::Sums { kernel, .. } => Some(kernel),
            _ => None,
        });
        launched.collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!(kernels(5), kernels(12));
}
