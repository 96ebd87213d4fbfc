//! Who owns which parameter, and what it is called.

use super::*;

fn paths(text: &str, root: &str) -> Vec<String> {
    graph(text, root).params.into_iter().map(|p| format!("{}: {}", p.path, p.ty)).collect()
}

const TWO: &str = r#"
#[layer]
fn block(x: Tensor<B, I>) -> Tensor<B, I> { x + dense(relu(dense(x, {2 * I})), I) }
#[layer]
fn scale(x: Tensor<B, I>) -> Tensor<B, I> { let factor: Tensor<I> = param(ones()); factor * x }
#[encoder]
fn encode(x: Tensor<B, 4>) -> Tensor<B, 2> {
    let mut h = x;
    for _ in 0..2 { h = block(h); }
    let h = scale(h);
    dense(h, 2)
}
#[loss]
fn twice(x: Tensor<B, 4>) -> Tensor<B> { sum(encode(x) + encode(2.0 * x)) }
"#;

#[test]
fn layers_are_numbered_by_name_within_their_owner() {
    let text = TWO.replace("{2 * I}", "2 * I");
    let found = paths(&text, "encode");
    assert_eq!(
        found,
        [
            "encode.block0.dense0.weight: Tensor<4, 8>",
            "encode.block0.dense0.bias: Tensor<8>",
            "encode.block0.dense1.weight: Tensor<8, 4>",
            "encode.block0.dense1.bias: Tensor<4>",
            "encode.block1.dense0.weight: Tensor<4, 8>",
            "encode.block1.dense0.bias: Tensor<8>",
            "encode.block1.dense1.weight: Tensor<8, 4>",
            "encode.block1.dense1.bias: Tensor<4>",
            "encode.scale0.factor: Tensor<4>",
            "encode.dense0.weight: Tensor<4, 2>",
            "encode.dense0.bias: Tensor<2>",
        ]
    );
    // The same network called twice has the same parameters.
    assert_eq!(paths(&text, "twice"), found);
}

#[test]
fn a_returned_parameter_takes_the_functions_place_and_names_repeat_with_a_number() {
    let text = r#"
#[network]
fn basis() -> Tensor<16, 64> { param(orthogonal()) }
#[network]
fn many(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let mut y = x;
    for _ in 0..2 { let w: Tensor<4> = param(ones()); y = y * w; }
    let (a, b): (Tensor<4>, Tensor<4>) = (param(zeros()), param(constant(0.5)));
    y * a + b
}
"#;
    assert_eq!(paths(text, "basis"), ["basis.weight: Tensor<16, 64>"]);
    let graph = graph(text, "many");
    let found: Vec<_> = graph.params.iter().map(|p| p.path.as_str()).collect();
    assert_eq!(found, ["many.w", "many.w1", "many.a", "many.b"]);
    assert_eq!(graph.params[3].initial, crate::graph::Initial::Constant(0.5));
}

#[test]
fn networks_of_one_name_are_never_merged() {
    let a = "#[network] fn encode(x: Tensor<B, 4>) -> Tensor<B, 2> { dense(x, 2) }
             #[function] fn first(x: Tensor<B, 4>) -> Tensor<B, 2> { encode(x) }";
    let b = "#[network] fn encode(x: Tensor<B, 4>) -> Tensor<B, 2> { dense(x, 2) }
             #[loss] fn f(x: Tensor<B, 4>) -> Tensor<B> { sum(encode(x) + first(x)) }";
    let files = [&[("b.rs", b), ("a.rs", a)], &NN[..]].concat();
    let linked = from_source(&files, "f").unwrap_or_else(|e| panic!("{}", messages(&e)));
    let text = messages(&lower(&linked, Mode::Train).expect_err("two networks of one name"));
    assert!(text.contains("two networks are called `encode` here: b.rs:1 and a.rs:1"), "{text}");
}

#[test]
fn a_loss_says_which_networks_it_trains_and_how_they_are_reached() {
    let text = r#"
#[network] fn encode(x: Tensor<B, 4>) -> Tensor<B, 2> { dense(x, 2) }
#[network] fn critic(z: Tensor<B, 2>) -> Tensor<B> { squeeze(dense(z, 1)) }
#[function] fn inner(x: Tensor<B, 4>) -> Tensor<B> { critic(encode(x)) }
#[loss(trains(encode))]
fn f(x: Tensor<B, 4>) -> Tensor<B> { inner(x) + sum(encode(x)) }
"#;
    let graph = graph(text, "f");
    let found: Vec<_> =
        graph.networks.iter().map(|n| (n.name.as_str(), n.trained, n.routes.clone())).collect();
    assert_eq!(found, [("encode", true, vec![vec![1], vec![0, 1]]), ("critic", false, vec![vec![0, 0]])]);
    // What a trained network calls is trained with it.
    let tied = "#[network] fn w() -> Tensor<4, 4> { param(zeros()) }
        #[network] fn g(x: Tensor<B, 4>) -> Tensor<B, 4> { einsum(\"bi,io->bo\", x, w()) }
        #[loss(trains(g))] fn f(x: Tensor<B, 4>) -> Tensor<B> { sum(g(x)) }";
    assert!(self::graph(tied, "f").networks.iter().all(|network| network.trained));
    let never = text.replace("trains(encode)", "trains(unused)")
        + "#[network] fn unused() -> Tensor<2> { param(zeros()) }";
    assert!(mistakes(&never, "f").contains("`f` never calls `unused`, so it cannot train it"));
}

#[test]
fn parameters_need_a_network_and_known_sizes() {
    let loss = "#[loss] fn f(x: Tensor<B, 4>) -> Tensor<B> { sum(dense(x, 2)) }";
    let text = mistakes(loss, "f");
    assert!(text.contains("`dense` makes parameters, and `f` is a loss: nobody would own them"), "{text}");
    let run_time = "#[network] fn f(x: Tensor<B, T>) -> Tensor<B, 2> { dense(x, 2) }";
    let text = mistakes(run_time, "f");
    assert!(
        text.contains(
            "the parameter `f.dense0.weight` is Tensor<T, 2>, and T is only known when the program runs"
        ),
        "{text}"
    );
    let rows =
        "#[network] fn f(x: Tensor<B, 4>) -> Tensor<B, 4> { let w: Tensor<B, 4> = param(zeros()); x * w }";
    assert!(mistakes(rows, "f").contains("a parameter has no rows: declare it as Tensor<4>"));
    let huge = "#[network] fn f(x: Tensor<B, 1000000>) -> Tensor<B, 2000000> { dense(x, 2000000) }";
    assert!(mistakes(huge, "f").contains("which no memory holds"));
    let open = "#[network] fn f(x: Tensor<B, 4>) -> Tensor<B> { let w = param(zeros()); sum(x) }";
    let text = mistakes(open, "f");
    assert!(text.contains("nothing fixes the shape of `param(…)` here: annotate it, as in `let w: Tensor<784, 32> = param(…);`"), "{text}");
}

#[test]
fn a_closure_makes_parameters_for_the_function_that_wrote_it() {
    let text = r#"
#[layer] fn twice(f: Function, x: Tensor<B, I>) -> Tensor<B, I> { f(f(x)) }
#[network] fn encode(x: Tensor<B, 4>) -> Tensor<B, 4> { twice(|v| dense(v, 4, bias = false), x) }
"#;
    let found = paths(text, "encode");
    assert_eq!(found, ["encode.dense0.weight: Tensor<4, 4>", "encode.dense1.weight: Tensor<4, 4>"]);
}
