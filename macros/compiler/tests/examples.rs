//! The examples as golden texts: what the whole pipeline makes of the functions that ship.
//!
//! `DIABOLO_BLESS=1 cargo test -p diabolo-compiler --test examples` rewrites the texts.

use std::path::Path;

use diabolo_compiler::graph::Graph;
use diabolo_compiler::link::from_source;
use diabolo_compiler::lower::Mode;
use diabolo_compiler::pipeline;
use diabolo_compiler::print::print_bare;
use diabolo_compiler::schedule::print::print as plan;
use diabolo_compiler::schedule::{Op, Rows, Segment, Source, Step, abreast, schedule};
use diabolo_compiler::size::Size;

macro_rules! files {
    ($($file:literal)*) => {
        [$(($file, include_str!(concat!("../../../", $file)))),*]
    };
}

const FILES: [(&str, &str); 9] = files!(
    "runtime/src/nn/convolution.rs"
    "runtime/src/nn/densities.rs" "runtime/src/nn/errors.rs" "runtime/src/nn/kernels.rs" "runtime/src/nn/layers.rs"
    "examples/contractive.rs" "examples/convolutional.rs" "examples/first.rs" "examples/vae.rs"
);

/// The training graph of a loss in a file.
fn graph(file: &str, loss: &str) -> Graph {
    let seen: Vec<(&str, &str)> =
        FILES.iter().filter(|(name, _)| name.contains("/nn/") || *name == file).copied().collect();
    let linked = from_source(&seen, loss).unwrap_or_else(|e| panic!("{:?}", e.0));
    pipeline::graph(&linked, Mode::Train, true, &mut |_, _| ()).unwrap_or_else(|e| panic!("{:?}", e.0))
}

/// Compares the graph and its plan with the text that is kept.
#[track_caller]
fn check(name: &str, graph: &Graph) {
    let schedule = schedule(graph).unwrap_or_else(|e| panic!("{e}"));
    let found = format!("{}\n{}", print_bare(graph), plan(&schedule));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("example_{name}.txt"));
    if std::env::var_os("DIABOLO_BLESS").is_some() {
        std::fs::write(&path, &found).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == kept, "{} differs; DIABOLO_BLESS=1 rewrites it\n{found}", path.display());
}

#[test]
fn the_first_autoencoder() {
    check("first", &graph("examples/first.rs", "vanilla"));
}

#[test]
fn the_variational_autoencoder() {
    check("vae", &graph("examples/vae.rs", "beta_vae"));
}

/// The penalty of one sigmoid layer becomes Σₖ (hₖ(1−hₖ))² ‖Wₖ‖², in value and gradient, with the norms computed once
/// without rows: no value of a row has more elements than the row itself.
#[test]
fn the_contractive_autoencoder_reaches_its_closed_form() {
    let graph = graph("examples/contractive.rs", "contractive");
    let widest = |node: &diabolo_compiler::graph::Node| match node.ty.rows.is_empty() {
        true => 0,
        false => node.ty.features.iter().map(|size| size.value().expect("a known size")).product(),
    };
    assert_eq!(graph.nodes.iter().map(widest).max(), Some(64));
    check("contractive", &graph);
}

#[test]
fn the_convolutional_autoencoder() {
    check("convolutional", &graph("examples/convolutional.rs", "convolutional"));
}

/// Neither forward nor backward is there a value in memory with an element for each element of each piece: windows and
/// folds are strides of the products that read and write them. The largest values are padded images.
#[test]
fn convolutions_store_no_pieces() {
    let text = "
        #[encoder] fn encode(x: Tensor<B, 1, 28, 28>) -> Tensor<B, 32, 7, 7> {
            let h = relu(conv(x, channels = 16, kernel = 3, stride = 2, padding = 1));
            relu(conv(h, channels = 32, kernel = 3, stride = 2, padding = 1))
        }
        #[decoder] fn decode(z: Tensor<B, 32, 7, 7>) -> Tensor<B, 1, 28, 28> {
            let h = conv_transpose(z, channels = 16, kernel = 3, stride = 2, padding = 1, output_padding = 1);
            conv_transpose(relu(h), channels = 1, kernel = 3, stride = 2, padding = 1, output_padding = 1)
        }
        #[loss] fn f(x: Tensor<B, 1, 28, 28>) -> Tensor<B> { mse(decode(encode(x)), x) }";
    let files: Vec<(&str, &str)> = FILES.iter().filter(|(name, _)| name.contains("/nn/")).copied().collect();
    let linked = from_source(&[&[("text.rs", text)], &files[..]].concat(), "f")
        .unwrap_or_else(|e| panic!("{:?}", e.0));
    let graph =
        pipeline::graph(&linked, Mode::Train, true, &mut |_, _| ()).unwrap_or_else(|e| panic!("{:?}", e.0));
    let schedule = schedule(&graph).unwrap_or_else(|e| panic!("{e}"));
    let rows = schedule.buffers.iter().filter(|buffer| buffer.rows);
    let largest = rows.map(|buffer| buffer.elements.value().expect("a known size")).max();
    // Pieces would be 16 · 3 · 3 · 7 · 7 = 7056 elements.
    assert_eq!(largest, Some(16 * 16 * 16), "{}", plan(&schedule));
    check("images", &graph);

    // On a CPU rows lie side by side: every product is one for each row, or summed over them; inputs are turned once.
    let turned = abreast(&schedule);
    let stages = turned.segments.iter().filter_map(Segment::stage);
    let stages: Vec<_> = stages.collect();
    let [stage] = stages.as_slice() else { panic!("{} stages", stages.len()) };
    let of = |rows: Rows| {
        stage.steps.iter().filter(|step| matches!(step, Step::Product(p) if p.rows == rows)).count()
    };
    assert!(stage.abreast);
    assert_eq!([Rows::Each, Rows::Over, Rows::Plain].map(of), [7, 4, 0]);
    let from_input = |op: &Op| matches!(op, Op::Load(a) if matches!(a.place.source, Source::Input(_)) && a.place.row != Size::default());
    let loops = stage.steps.iter().filter_map(|s| if let Step::Loop(l) = s { Some(l) } else { None });
    assert_eq!(loops.flat_map(|l| &l.body).filter(|op| from_input(op)).count(), 1);
}

/// What may run on a single row, or has nothing that slides, stays as it is.
#[test]
fn other_rows_are_not_put_side_by_side() {
    let dense = graph("examples/first.rs", "vanilla");
    let files: Vec<(&str, &str)> = FILES.iter().filter(|(name, _)| name.contains("/nn/")).copied().collect();
    let all =
        [&[("convolutional.rs", include_str!("../../../examples/convolutional.rs"))], &files[..]].concat();
    let linked = from_source(&all, "convolutional").unwrap_or_else(|e| panic!("{:?}", e.0));
    let evaluated = pipeline::graph(&linked, Mode::Evaluate, false, &mut |_, _| ())
        .unwrap_or_else(|e| panic!("{:?}", e.0));
    for graph in [dense, evaluated] {
        let turned = abreast(&schedule(&graph).unwrap_or_else(|e| panic!("{e}")));
        assert!(!turned.segments.iter().any(|s| matches!(s, Segment::Stage(stage) if stage.abreast)));
    }
}
