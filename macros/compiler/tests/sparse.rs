//! Sparse codes stay sparse: what the pass makes of them, and that each of its rules means the same.
//!
//! `DIABOLO_BLESS=1 cargo test -p diabolo-compiler --test sparse` rewrites the text.

use std::path::Path;

use diabolo_compiler::autodiff::vjp;
use diabolo_compiler::graph::*;
use diabolo_compiler::interp::{Inputs, interpret};
use diabolo_compiler::link::from_source;
use diabolo_compiler::lower::Mode;
use diabolo_compiler::passes::{contract, simplify, sparse};
use diabolo_compiler::pipeline;
use diabolo_compiler::print::{print_bare, print_live};
use diabolo_compiler::schedule::print::print as plan;
use diabolo_compiler::schedule::schedule;
use diabolo_compiler::size::Size;
use diabolo_compiler::testing::{Rng, is_slope, same_meaning};
use diabolo_compiler::verify::verify;

const AUTOENCODER: &str = "
#[network]
fn features() -> Tensor<8192, 512> { param(normal_init(0.02)) }

#[network]
fn centre() -> Tensor<512> { param(zeros()) }

#[encoder]
fn encode(x: Tensor<B, 512>) -> Tensor<B, 8192> { top_k(relu(dense(x - centre(), 8192)), 32) }

#[decoder]
fn decode(z: Tensor<B, 8192>) -> Tensor<B, 512> { einsum(\"bk,kd->bd\", z, features()) + centre() }

#[loss]
fn sparse(x: Tensor<B, 512>) -> Tensor<B> { squared_error(decode(encode(x)), x) }
";

fn lowered(text: &str, root: &str) -> Graph {
    let files = [
        ("sparse.rs", text),
        ("layers.rs", include_str!("../../../runtime/src/nn/layers.rs")),
        ("errors.rs", include_str!("../../../runtime/src/nn/errors.rs")),
    ];
    let linked = from_source(&files, root).unwrap_or_else(|e| panic!("{:?}", e.0));
    pipeline::graph(&linked, Mode::Train, true, &mut |_, _| ()).unwrap_or_else(|e| panic!("{:?}", e.0))
}

/// 512 → 8192, k = 32: the encoder's product is all that is computed for each of the 8192 places; no decoder product
/// and no gradient of a weight is.
#[test]
fn the_sparse_autoencoder_computes_with_the_places_alone() {
    let graph = lowered(AUTOENCODER, "sparse");
    let dense: Vec<usize> = (0..graph.nodes.len())
        .filter(|at| {
            let node = &graph.nodes[*at];
            let wide = |ty: &Type| ty.rows == [Size::batch()] && ty.features.contains(&Size::known(8192));
            matches!(node.kind, Kind::Contract { .. })
                && (wide(&node.ty) || node.args.iter().any(|arg| wide(graph.ty(*arg))))
        })
        .collect();
    assert_eq!(dense.len(), 1, "{}", print_bare(&graph));
    let schedule = schedule(&graph).unwrap_or_else(|e| panic!("{e}"));
    let found = format!("{}\n{}", print_bare(&graph), plan(&schedule));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/sparse_autoencoder.txt");
    if std::env::var_os("DIABOLO_BLESS").is_some() {
        std::fs::write(&path, &found).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == kept, "{} differs; DIABOLO_BLESS=1 rewrites it\n{found}", path.display());
}

/// A function of `x: Tensor<B, 40>` and of tables: what its graph must not have after the pass, and a loss.
const CASES: &[(&str, &str)] = &[
    ("a product over the places", "sum(einsum(\"bn,nd->bd\", top_k(x, 4), w))"),
    ("a product over the places, turned", "sum(einsum(\"bn,dn->bd\", top_k(x, 4), transpose(w)))"),
    ("a product with a table of each row", "sum(einsum(\"bn,bn->b\", top_k(x, 4), tanh(x)) * v)"),
    ("rows squared", "sum(square(top_k(x, 4)))"),
    ("rows multiplied", "sum(top_k(x, 4) * tanh(x))"),
    ("rows of two codes", "sum_squares(top_k(x, 4) - 0.5 * top_k(x, 4))"),
    (
        "further row axes",
        "sum(mean(einsum(\"bn,nd->bd\", top_k(repeat(x, 3) * normal_like(repeat(x, 3)), 4), w), axis = rows))",
    ),
    ("further feature axes", "sum(einsum(\"bgn,nd->bgd\", top_k(reshape(concat(x, x), 2, 40), 4), w))"),
    ("chosen of a product", "sum(gather(einsum(\"bn,nm->bm\", x, wide), top_k_indices(x, 4)))"),
    ("chosen of a row", "sum(gather(tanh(x), top_k_indices(x, 4)))"),
    ("what occurs twice", "sum_squares(einsum(\"bn,nd->bd\", one_hot(argmax(x), 40), w))"),
];

fn case(body: &str) -> Graph {
    let text = format!(
        "#[network] fn tables() -> (Tensor<40, 6>, Tensor<B>, Tensor<40, 40>) {{ \
            let w: Tensor<40, 6> = param(normal_init(1.0)); \
            let v: Tensor<1> = param(normal_init(1.0)); \
            let wide: Tensor<40, 40> = param(normal_init(1.0)); \
            (w, v, wide) }} \
         #[network] fn first(x: Tensor<B, 40>) -> Tensor<B, 40> {{ dense(x, 40) }} \
         #[loss] fn f(x: Tensor<B, 40>) -> Tensor<B> {{ let (w, v, wide) = tables(); let x = first(x); {body} }}"
    )
    .replace("Tensor<B>, Tensor<40, 40>)", "Tensor<1>, Tensor<40, 40>)")
    .replace(" * v)", " * sum(v))");
    let files = [("case.rs", &*text), ("layers.rs", include_str!("../../../runtime/src/nn/layers.rs"))];
    let linked = from_source(&files, "f").unwrap_or_else(|e| panic!("{body}: {:?}", e.0));
    let lowered = diabolo_compiler::lower::lower(&linked, Mode::Train);
    let mut graph = lowered.unwrap_or_else(|e| panic!("{body}: {:?}", e.0)).graph;
    diabolo_compiler::autodiff::differentiate_loss(&mut graph);
    graph
}

fn inputs(graph: &Graph, rows: usize) -> Inputs {
    let mut rng = Rng(11);
    let mut inputs = Inputs { seed: 3, symbols: [("B".to_owned(), rows)].into(), ..Inputs::default() };
    let mut draw = |ty: &Type, inputs: &Inputs| {
        let count = inputs.size(&ty.elements()).unwrap();
        (0..count).map(|_| rng.between(-1.0, 1.0)).collect::<Vec<f64>>()
    };
    inputs.params = graph.params.iter().map(|param| draw(&param.ty, &inputs)).collect();
    inputs.inputs = graph.inputs.iter().map(|input| draw(&input.ty, &inputs)).collect();
    inputs
}

#[test]
fn every_rule_means_the_same_and_leaves_no_zeros_in_a_product() {
    for (name, body) in CASES {
        let graph = case(body);
        verify(&graph, "lower").unwrap_or_else(|e| panic!("{name}: {e}"));
        let given = inputs(&graph, 5);
        let before = contract(&simplify(&graph));
        let after = sparse(&before);
        verify(&after, "sparse").unwrap_or_else(|e| panic!("{name}: {e}"));
        same_meaning(&graph, &after, &given, 1e-12).unwrap_or_else(|e| {
            panic!("{name}: {e}\n{}\nbecame\n{}", print_live(&before), print_bare(&after))
        });
        // No product reads what was placed, nothing is chosen of a product, and a placed value is an end.
        for node in &after.nodes {
            let placed = |id: &NodeId| matches!(after.node(*id).kind, Kind::Scatter { .. });
            let wrong = match node.kind {
                Kind::Contract { .. } => {
                    node.args.iter().any(|id| placed(id) && !after.ty(*id).rows.is_empty())
                }
                Kind::Map(row) if row.name != "add" => node.args.iter().any(placed),
                Kind::Reduce { .. } => placed(&node.args[0]),
                _ => false,
            };
            let ends = node.ty.rows.is_empty();
            assert!(!wrong || ends, "{name}:\n{}", print_bare(&after));
        }
    }
}

/// Derivatives of what is chosen and placed, the indices held, to the second order.
#[test]
fn second_derivatives_follow_the_index() {
    let vector = |n| Type { rows: vec![], features: vec![Size::known(n)] };
    let mut graph = Graph::default();
    for (name, ty, index) in [("x", vector(5), false), ("i", vector(3), true)] {
        graph.inputs.push(InputDecl { name: name.into(), ty, index });
    }
    let x = graph.push(Kind::Input(0), vec![], vector(5));
    let i = graph.push(Kind::Input(1), vec![], vector(3));
    // Σ (place(exp(x)[i], i))³, with a place that occurs twice and one beyond the end.
    let exp = graph.exp(x);
    let chosen = graph.gather(exp, i, 0);
    let placed = graph.scatter(chosen, i, 0, Size::known(4));
    let square = graph.square(placed);
    let cube = graph.mul(square, placed);
    let f = graph.sum(cube, &[0]);
    let one = graph.number(1.0);
    let first = vjp(&mut graph, f, one, &[x])[0];
    let squared = graph.square(first);
    let norm = graph.sum(squared, &[0]);
    let second = vjp(&mut graph, norm, one, &[x])[0];
    verify(&graph, "vjp of vjp").unwrap();
    let given =
        Inputs { inputs: vec![vec![0.3, -0.2, 0.4, 0.1, 0.2], vec![2.0, 2.0, 9.0]], ..Inputs::default() };
    let values = interpret(&graph, &given).unwrap();
    assert!(values[first].data[0] == 0.0 && values[first].data[4] != 0.0, "{:?}", values[first].data);
    for e in 0..5 {
        for (of, slope) in [(f, first), (norm, second)] {
            let (d, scale) = (values[slope].data[e], values[slope].scale[e]);
            is_slope(&graph, &given, of, d, scale, |inputs| &mut inputs.inputs[0][e]).unwrap();
        }
    }
}

#[test]
fn a_position_beyond_the_end_is_the_last_one_in_every_form() {
    let vector = |n| Type { rows: vec![], features: vec![Size::known(n)] };
    let mut graph = Graph::default();
    graph.inputs.push(InputDecl { name: "i".into(), ty: vector(3), index: true });
    let i = graph.push(Kind::Input(0), vec![], vector(3));
    let row = graph.iota(Size::known(4));
    let chosen = graph.gather(row, i, 0);
    let placed = graph.scatter(chosen, i, 0, Size::known(5));
    let again = graph.gather(placed, i, 0);
    for (index, node) in [chosen, placed, again].into_iter().enumerate() {
        graph.outputs.push(Output { role: Role::Result(index), node });
    }
    let given = Inputs { inputs: vec![vec![1.0, 9.0, 7.0]], ..Inputs::default() };
    let values = interpret(&graph, &given).unwrap();
    assert_eq!(values[chosen].data, [1.0, 3.0, 3.0]);
    assert_eq!(values[placed].data, [0.0, 1.0, 0.0, 0.0, 6.0]);
    assert_eq!(values[again].data, [1.0, 6.0, 6.0]);
    for pass in [simplify, sparse] {
        same_meaning(&graph, &pass(&graph), &given, 0.0).unwrap();
    }
}
