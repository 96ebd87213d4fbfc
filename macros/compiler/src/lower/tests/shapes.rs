//! Shapes by unification: what fixes a size, and from where.

use super::*;

/// The type of the result, in the user's words.
#[track_caller]
fn result(text: &str) -> String {
    let graph = graph(text, "f");
    graph.ty(graph.outputs.first().expect("a result").node).to_string()
}

#[test]
fn functions_map_over_further_rows() {
    let text = "#[network] fn g(z: Tensor<B, 8>) -> Tensor<B, 3> { dense(z, 3) }
                #[function] fn f(z: Tensor<B, 8>) -> Tensor<Rows<B, 50>, 3> { g(repeat(z, 50)) }";
    assert_eq!(result(text), "Tensor<Rows<B, 50>, 3>");
}

#[test]
fn rows_may_be_none() {
    let text = "#[network] fn w() -> Tensor<8> { param(zeros()) }
                #[function] fn norm(x: Tensor<B, _>) -> Tensor<B> { sum_squares(x) }
                #[function] fn pair(x: Tensor<B, D>) -> Tensor<B> { einsum(\"bd,bd->b\", x, x) }
                #[function] fn f(x: Tensor<B, 8>) -> Scalar { norm(w()) + pair(w()) }";
    assert_eq!(result(text), "Scalar");
    let dense = "#[network] fn f(x: Tensor<3, 8>) -> Tensor<3, 2> { dense(x, 2) }";
    assert_eq!(result(dense), "Tensor<3, 2>");
}

#[test]
fn any_axes_are_kept() {
    let text = "#[network] fn f(x: Tensor<B, 5, 7, 8>) -> Tensor<B, 5, 7, 2> { dense(x, 2) }";
    assert_eq!(result(text), "Tensor<B, 5, 7, 2>");
}

#[test]
fn a_parameters_shape_comes_from_its_use() {
    // From the labels of an einsum and the annotated result.
    let text = "#[network] fn f(x: Tensor<B, 8>) -> Tensor<B, 3> { let w = param(xavier()); let h: Tensor<B, 3> = einsum(\"bi,io->bo\", x, w); h }";
    assert_eq!(graph(text, "f").params[0].ty.to_string(), "Tensor<8, 3>");
    // From the function's result alone.
    let text =
        "#[network] fn f(x: Tensor<B, 8>) -> Tensor<B, 3> { einsum(\"bi,io->bo\", x, param(xavier())) }";
    assert_eq!(graph(text, "f").params[0].ty.to_string(), "Tensor<8, 3>");
    // From a use far behind: an unknown size that a later call fixes.
    let text = "#[function] fn three(x: Tensor<B, 3>) -> Tensor<B> { sum(x) }
                #[network] fn f(x: Tensor<B, 8>) -> Tensor<B> { let w = param(xavier()); let h = relu(einsum(\"bi,io->bo\", x, w)); three(h) }";
    assert_eq!(graph(text, "f").params[0].ty.to_string(), "Tensor<8, 3>");
    // From an operator, without the rows.
    let text = "#[network] fn f(x: Tensor<B, 8>) -> Tensor<B, 8> { x * param(ones()) + param(zeros()) }";
    assert_eq!(graph(text, "f").params[1].ty.to_string(), "Tensor<8>");
    // A letter of a layer's result, fixed by the annotation of the caller.
    let text = "#[layer] fn to(x: Tensor<B, I>) -> Tensor<B, O> { einsum(\"bi,io->bo\", x, param(xavier())) }
                #[network] fn f(x: Tensor<B, 8>) -> Tensor<B, 5> { let h: Tensor<B, 6> = to(x); to(h) }";
    assert_eq!(graph(text, "f").params[0].ty.to_string(), "Tensor<8, 6>");
    assert_eq!(graph(text, "f").params[1].ty.to_string(), "Tensor<6, 5>");
}

#[test]
fn draws_and_fills_take_the_shape_of_their_use() {
    for (text, expected) in [
        ("#[function] fn f(x: Tensor<B, 8>) -> Tensor<B, 8> { x + 0.1 * normal() }", "Tensor<B, 8>"),
        (
            "#[function] fn f(x: Tensor<B, 8>) -> Tensor<B, 3> { let y: Tensor<B, 3> = 2.0 * uniform() - 1.0; y }",
            "Tensor<B, 3>",
        ),
        ("#[function] fn f(x: Tensor<B, 8>) -> Tensor<B, 3> { normal() }", "Tensor<B, 3>"),
        (
            "#[network] fn g(z: Tensor<B, 4>) -> Tensor<B> { sum(z) } #[function] fn f(x: Tensor<B, 8>) -> Tensor<B> { g(normal()) }",
            "Tensor<B>",
        ),
        (
            "#[function] fn prior() -> Tensor<B, 4> { normal() } #[function] fn f(x: Tensor<B, 8>) -> Tensor<Rows<B, 5>, 4> { repeat(prior(), 5) }",
            "Tensor<Rows<B, 5>, 4>",
        ),
        ("#[function] fn f(x: Tensor<B, 2, 3>) -> Tensor<3, 3> { identity() }", "Tensor<3, 3>"),
    ] {
        assert_eq!(result(text), expected, "{text}");
    }
}

#[test]
fn size_arithmetic_constants_and_letters() {
    let text = "#[constant] const LATENT: usize = 2 * HALF;
                #[constant] const HALF: usize = 16;
                #[network] fn f(x: Tensor<B, K>) -> Tensor<B, 96> { let w: Tensor<B, {LATENT + 64}> = zeros(); w }";
    assert_eq!(result(text), "Tensor<B, 96>");
    let text = "#[function] fn halves(x: Tensor<B, {2 * K}>) -> (Tensor<B, K>, Tensor<B, {3 * K}>) { (slice(x, axis = 1, start = 0, end = K), concat(x, slice(x, end = K))) }
                #[function] fn f(x: Tensor<B, 10>) -> Tensor<B, 15> { let (_, b) = halves(x); b }";
    assert_eq!(result(text), "Tensor<B, 15>");
    let text = "#[function] fn first<const K: usize>(x: Tensor<B, D>) -> Tensor<B, K> { slice(x, end = K) }
                #[function] fn f(x: Tensor<B, 10>) -> Tensor<B, 3> { let y: Tensor<B, 3> = first(x); y }";
    assert_eq!(result(text), "Tensor<B, 3>");
    let text = "#[layer] fn shrink(x: Tensor<B, I>) -> Tensor<B, {I / 2}> { dense(x, I / 2) }
                #[network] fn f(x: Tensor<B, 8>) -> Tensor<B, 2> { shrink(shrink(x)) }";
    assert_eq!(result(text), "Tensor<B, 2>");
}

#[test]
fn words_move_axes() {
    for (body, expected) in [
        ("flatten(x)", "Tensor<B, 24>"),
        ("permute(x, 3, 1, 2)", "Tensor<B, 4, 2, 3>"),
        ("reshape(x, 6, 4)", "Tensor<B, 6, 4>"),
        ("sum(x, axis = 2)", "Tensor<B, 2, 4>"),
        ("mean(x, axis = (1, 3))", "Tensor<B, 3>"),
        ("max(x)", "Tensor<B>"),
        ("unsqueeze(x, axis = 4)", "Tensor<B, 2, 3, 4, 1>"),
        ("squeeze(unsqueeze(x, 1))", "Tensor<B, 2, 3, 4>"),
        ("concat(x, x, axis = 2)", "Tensor<B, 2, 6, 4>"),
        ("slice(x, axis = 3, start = 1, end = 3)", "Tensor<B, 2, 3, 2>"),
        ("transpose(slice(reshape(x, 6, 4), axis = 1, end = 2))", "Tensor<B, 4, 2>"),
        ("sum(repeat(x, 7), axis = rows)", "Tensor<B, 2, 3, 4>"),
        ("batch(x)", "Tensor<B, 2, 3, 4>"),
        ("einsum(\"b...i,b...j->b...ij\", x, x)", "Tensor<B, 2, 3, 4, 4>"),
        ("softmax(x, axis = 3) * max(x, 0.5)", "Tensor<B, 2, 3, 4>"),
        ("jacobian(|v| sum(v, axis = 1), x)", "Tensor<B, 3, 4, 2, 3, 4>"),
        ("grad(|v| sum(v * v), x)", "Tensor<B, 2, 3, 4>"),
    ] {
        let output = if body.starts_with("batch") { "Tensor<N, 2, 3, 4>" } else { expected };
        assert_eq!(
            result(&format!("#[function] fn f(x: Tensor<B, 2, 3, 4>) -> {output} {{ {body} }}")),
            expected,
            "{body}"
        );
    }
}
