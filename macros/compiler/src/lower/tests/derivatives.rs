//! Derivatives as expressions: by hand, along a direction, of second order.

use super::*;
use crate::testing::is_slope;

const X: [f64; 6] = [0.3, -1.2, 0.8, 2.0, 0.1, -0.4];
const V: [f64; 6] = [0.9, 0.2, -0.5, 0.7, 1.1, 0.4];

/// Two rows of three features, twice.
fn two() -> Given<'static> {
    Given { rows: 2, inputs: &[&X, &V], ..Given::default() }
}

/// A square whose derivative by hand is three times too large, so that it can be told apart.
const TRIPLE: &str = "
#[function(backward = triple)] fn f_square(x: Tensor<B, _>) -> Tensor<B, _> { x * x }
#[function] fn triple(x: Tensor<B, _>, slope: Tensor<B, _>) -> Tensor<B, _> { 6.0 * x * slope }
";

fn with_triple(body: &str, output: &str) -> String {
    format!("{TRIPLE}#[function] fn f(x: Tensor<B, 3>, v: Tensor<B, 3>) -> {output} {{ {body} }}")
}

fn each(of: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    X.iter().zip(V).map(|(x, v)| of(*x, v)).collect()
}

#[test]
fn a_derivative_by_hand_is_used_and_leaves_the_value_alone() {
    check(&with_triple("f_square(x)", "Tensor<B, 3>"), &two(), &each(|x, _| x * x));
    check(
        &with_triple("grad(|x| sum(v * f_square(x)), x)", "Tensor<B, 3>"),
        &two(),
        &each(|x, v| 6.0 * x * v),
    );
    // Of second order, the derivative is that of what was written.
    check(
        &with_triple("grad(|x| sum(grad(|x| sum(v * f_square(x)), x)), x)", "Tensor<B, 3>"),
        &two(),
        &each(|_, v| 6.0 * v),
    );
    check(&with_triple("jvp(f_square, x, v)", "Tensor<B, 3>"), &two(), &each(|x, v| 6.0 * x * v));
    check(&with_triple("hvp(|x| sum(f_square(x)), x, v)", "Tensor<B, 3>"), &two(), &each(|_, v| 6.0 * v));
    let mut diagonal = vec![0.0; 18];
    for (i, x) in X.iter().enumerate() {
        diagonal[i / 3 * 9 + i % 3 * 4] = 6.0 * x;
    }
    check(&with_triple("jacobian(f_square, x)", "Tensor<B, 3, 3>"), &two(), &diagonal);
    // Under further rows, and beside its ordinary derivative.
    let sum = "grad(|x| sum(sum(f_square(repeat(x, 5)), axis = rows)) + sum(x * x), x)";
    check(&with_triple(sum, "Tensor<B, 3>"), &two(), &each(|x, _| 32.0 * x));
}

#[test]
fn a_derivative_by_hand_need_not_be_linear_and_sees_all_adjoints_at_once() {
    let text = "
        #[function(backward = clipped)]
        fn same(x: Tensor<B, _>) -> Tensor<B, _> { x }
        #[function]
        fn clipped(x: Tensor<B, _>, slope: Tensor<B, _>) -> Tensor<B, _> { min(max(slope, -1.0), 1.0) }
        #[function] fn f(x: Tensor<B, 3>, v: Tensor<B, 3>) -> Tensor<B, 3> {
            grad(|x| { let y = same(x); sum(2.0 * v * y) + sum(v * y) }, x)
        }";
    check(text, &two(), &each(|_, v| (3.0 * v).clamp(-1.0, 1.0)));
    let text = "
        #[function(backward = both)]
        fn parts(x: Tensor<B, _>, by: Tensor<_>, scale: f32) -> (Tensor<B, _>, Tensor<B>) { (scale * x * by, sum(x)) }
        #[function]
        fn both(x: Tensor<B, _>, by: Tensor<_>, scale: f32, a: Tensor<B, _>, s: Tensor<B>) -> (Tensor<B, _>, Tensor<_>) {
            (scale * a * by * expand(s, a), B * batch_mean(x * a))
        }
        #[layer] fn expand(s: Tensor<B>, a: Tensor<B, _>) -> Tensor<B, _> { unsqueeze(s, 1) + 0.0 * a }
        #[function] fn f(x: Tensor<B, 3>, v: Tensor<B, 3>) -> Tensor<B, 3> {
            let by: Tensor<3> = constant(2.0);
            grad(|x| { let (a, s) = parts(x, by, 5.0); sum(v * a) + 7.0 * s }, x)
                + grad(|by| batch_mean(sum(v * first(x, by))), by)
        }
        #[layer] fn first(x: Tensor<B, _>, by: Tensor<_>) -> Tensor<B, _> { let (a, _) = parts(x, by, 5.0); a }";
    let by = |i: usize| (X[i % 3] * V[i % 3] + X[i % 3 + 3] * V[i % 3 + 3]) / 2.0;
    let expected: Vec<f64> = (0..6).map(|i| 5.0 * 2.0 * 7.0 * V[i] + by(i)).collect();
    check(text, &two(), &expected);
}

#[test]
fn a_derivative_by_hand_works_inside_another_and_in_a_loss() {
    // The outer one calls the inner one on the adjoint, under a Jacobian: its copies keep their derivative.
    let text = &format!(
        "{TRIPLE}
        #[function(backward = outer)] fn once(x: Tensor<B, _>) -> Tensor<B, _> {{ x }}
        #[function] fn outer(x: Tensor<B, _>, a: Tensor<B, _>) -> Tensor<B, _> {{ f_square(a) * x }}
        #[function] fn f(x: Tensor<B, 3>, v: Tensor<B, 3>) -> Tensor<B, 3> {{
            grad(|v| sum(jacobian(|x| once(v * x), x)), v)
        }}"
    );
    // jacobian = δ · (1² · v x) v, row k of the seed δ; ∂/∂v of v² x is 2 v x: nothing here squares what depends on v.
    check(text, &two(), &each(|x, v| 2.0 * v * x));
    let text = &format!(
        "{TRIPLE}
        #[function(backward = outer)] fn once(x: Tensor<B, _>) -> Tensor<B, _> {{ x }}
        #[function] fn outer(x: Tensor<B, _>, a: Tensor<B, _>) -> Tensor<B, _> {{ f_square(a) }}
        #[function] fn f(x: Tensor<B, 3>, v: Tensor<B, 3>) -> Tensor<B, 3> {{
            grad(|v| sum(jacobian(|x| v * once(x), x)), v)
        }}"
    );
    // The adjoint at `once` is δ v, so the row is (δ v)², whose derivative by hand is 6 δ v · δ.
    check(text, &two(), &each(|_, v| 6.0 * v));
    let text = &format!(
        "{TRIPLE}
        #[network] fn net(x: Tensor<B, 3>) -> Tensor<B, 3> {{ let w: Tensor<3> = param(ones()); x * w }}
        #[loss] fn f(x: Tensor<B, 3>) -> Tensor<B> {{ sum(f_square(net(x))) }}"
    );
    let mut graph = graph(text, "f");
    crate::autodiff::differentiate_loss(&mut graph);
    for (name, pass) in crate::passes::ALL {
        graph = pass(&graph);
        crate::verify::verify(&graph, name).expect("well-formed");
    }
    let given = Given { rows: 2, inputs: &[&X], params: &[&[1.0; 3]], ..Given::default() };
    let expected: Vec<f64> = (0..3).map(|i| 3.0 * (X[i].powi(2) + X[i + 3].powi(2))).collect();
    near(&given.run(&graph, &Role::Gradient(0)), &expected);
}

/// `(φ(t), dφ/dt)` of `x + t v`: the second is what a word says, the first is differenced.
fn slopes(functions: [&str; 2], ty: &str, mean: &str) -> Vec<String> {
    let [map, number] = functions;
    let pairs = [
        (format!("let h = {map}; dot(w, h(y))"), format!("dot(w, jvp({map}, y, v))")),
        (format!("dot(w, grad({number}, y))"), format!("dot(w, hvp({number}, y, v))")),
        // Differentiable again.
        (format!("dot(w, jvp({map}, y, v))"), format!("dot(v, grad(|x| dot(w, jvp({map}, x, v)), y))")),
        (format!("dot(w, hvp({number}, y, v))"), format!("dot(v, grad(|x| dot(w, hvp({number}, x, v)), y))")),
    ];
    let text = |(value, slope)| {
        format!(
            "#[layer] fn wide(s: Tensor<B>, a: Tensor<B, _>) -> Tensor<B, _> {{ unsqueeze(s, 1) + 0.0 * a }}
            #[function] fn f(x: {ty}, v: {ty}, w: {ty}, t: Scalar) -> (Scalar, Scalar) {{
                let y = x + t * v;
                ({mean}({{ {value} }}), {mean}({{ {slope} }}))
            }}"
        )
    };
    pairs.into_iter().map(text).collect()
}

#[test]
fn along_a_direction_and_of_second_order_against_differences() {
    let row_wise = ["|x| tanh(x) * wide(sum(x * x), x)", "|x| sum(sin(x) * exp(0.3 * x)) * logsumexp(x)"];
    let crossing = ["|x| softmax(x) * batch_mean(x)", "|x| sum(square(x - batch_mean(x)) * x)"];
    let alone = ["|x| tanh(x) * sum(x * x)", "|x| sum(sin(x)) * sum(exp(0.3 * x))"];
    let cases = [
        slopes(row_wise, "Tensor<B, 3>", "batch_mean"),
        slopes(crossing, "Tensor<B, 3>", "batch_mean"),
        slopes(alone, "Tensor<6>", ""),
    ];
    const W: [f64; 6] = [1.0, -0.5, 0.3, 0.8, 0.6, -0.9];
    for text in cases.concat() {
        let graph = graph(&text, "f");
        let inputs = Given { rows: 2, inputs: &[&X, &V, &W, &[0.1]], ..Given::default() }.inputs();
        let values = interpret(&graph, &inputs).expect("interpreted");
        let node = |role| graph.outputs.iter().find(|o| o.role == role).expect("an output").node;
        let (value, slope) = (node(Role::Result(0)), &values[node(Role::Result(1))]);
        assert!(slope.number().abs() > 1e-3, "{text}");
        is_slope(&graph, &inputs, value, slope.number(), slope.scale[0], |i| &mut i.inputs[3][0])
            .unwrap_or_else(|e| panic!("{e}\n{text}"));
    }
}

#[test]
fn the_nested_gradient_of_the_guide_is_the_product_with_the_hessian() {
    let text = |body: &str| {
        format!(
            "#[function] fn linear_loss(a: Tensor<3, 2>, x: Tensor<B, 3>) -> Scalar {{
                batch_mean(sum(tanh(einsum(\"bi,ik->bk\", x, a))))
            }}
            #[function] fn f(a: Tensor<3, 2>, v: Tensor<3, 2>, x: Tensor<B, 3>) -> Tensor<3, 2> {{ {body} }}"
        )
    };
    let given = Given { rows: 2, inputs: &[&X, &V, &[0.4, 1.0, -0.7, 0.2, 0.9, -1.1]], ..Given::default() };
    let nested = "grad(|w| dot(grad(|w| linear_loss(w, x), w), v), a)";
    let found = given.run(&graph(&text(nested), "f"), &Role::Result(0));
    check(&text("hvp(|w| linear_loss(w, x), a, v)"), &given, &found);
    assert!(found.iter().any(|v| v.abs() > 1e-3));
}

/// What a derivative by hand is refused for.
#[track_caller]
fn refused(rule: &str, texts: &[&str]) {
    let text = format!(
        "#[network] fn net(x: Tensor<B, 3>) -> Tensor<B, 3> {{ dense(x, 3) }}
        {rule}
        #[function] fn f(x: Tensor<B, 3>) -> Tensor<B, 3> {{ grad(|x| sum(h(x)), x) }}"
    );
    let found = mistakes(&text, "f");
    texts.iter().for_each(|text| assert!(found.contains(text), "this misses \"{text}\":\n{found}"));
}

#[test]
fn a_derivative_by_hand_that_does_not_fit_says_why() {
    let with = |rule: &str| {
        format!("#[function(backward = g)] fn h(x: Tensor<B, 3>) -> Tensor<B, 3> {{ 2.0 * x }}\n{rule}")
    };
    refused(
        &with("#[function] fn g(x: Tensor<B, 3>) -> Tensor<B, 3> { x }"),
        &[
            "`g` is the derivative of `h` by hand, so it takes the arguments of `h`, then the adjoint of each result: \
           `g(x: Tensor<B, 3>, adjoint: Tensor<B, 3>)`.\nIt is declared as `g(x: Tensor<B, 3>) -> Tensor<B, 3>`.",
        ],
    );
    refused(
        &with("#[function] fn g(x: Tensor<B, 3>, a: Tensor<B, 4>) -> Tensor<B, 3> { x }"),
        &[
            "`g` takes Tensor<B, 4> as `a`, but this is Tensor<B, 3>: 3 where 4 is expected (axis 1).",
            "shape from the result of `h`, example.rs:2",
        ],
    );
    refused(
        &with("#[function] fn g(x: Tensor<B, 3>, a: Tensor<B, 3>) -> Tensor<B> { sum(a) }"),
        &[
            "`g` returns Tensor<B> as the adjoint of `x`, which is Tensor<B, 3>: an adjoint has the type of what it belongs to.",
            "`g` is declared at example.rs:3.",
        ],
    );
    refused(
        &with("#[function] fn g(x: Tensor<B, 3>, a: Tensor<B, 3>) -> Tensor<3> { batch_mean(a) }"),
        &["`g` returns Tensor<3> as the adjoint of `x`, which is Tensor<B, 3>"],
    );
    refused(
        &with(
            "#[function] fn g(x: Tensor<B, 3>, a: Tensor<B, 3>) -> (Tensor<B, 3>, Tensor<B, 3>) { (a, a) }",
        ),
        &[
            "`g` returns (Tensor<B, 3>, Tensor<B, 3>), and the derivative of `h` by hand returns one adjoint for each \
           tensor that `h` takes: `x`.",
        ],
    );
    let network = "#[network] fn g(x: Tensor<B, 3>, a: Tensor<B, 3>) -> Tensor<B, 3> { a }";
    refused(&with(network), &["`g` is a network; the derivative of `h` by hand is a `#[function]`"]);
    let loss = "#[loss] fn g(x: Tensor<B, 3>, a: Tensor<B, 3>) -> Tensor<B> { sum(a) }";
    refused(&with(loss), &["`g` is a loss; "]);
    refused(
        &with("#[function] fn g(x: Tensor<B, 3>, a: Tensor<B, 3>) -> Tensor<B, 3> { inspect(\"a\", a) }"),
        &["`g` is a derivative by hand, in which nothing can be inspected"],
    );
    refused(
        "#[function(backward = g)] fn h(x: Tensor<B, 3>) -> Tensor<B, 3> { net(x) }
         #[function] fn g(x: Tensor<B, 3>, a: Tensor<B, 3>) -> Tensor<B, 3> { a }",
        &["it calls the network `net`, whose parameters would get no gradient: call `net` outside"],
    );
    refused(
        "#[function] fn h(x: Tensor<B, 3>) -> Tensor<B, 3> { with(|y| x * y, x) }
         #[function(backward = g)] fn with(f: impl Fn(Tensor) -> Tensor, x: Tensor<B, 3>) -> Tensor<B, 3> { f(x) }
         #[function] fn g(x: Tensor<B, 3>, a: Tensor<B, 3>) -> Tensor<B, 3> { a }",
        &["says nothing of what the function `f` captures"],
    );
}

#[test]
fn a_function_with_a_wrong_derivative_is_refused_where_it_is_declared() {
    let text = "#[function(backward = g)] fn f(x: Tensor<B, 3>) -> Tensor<B, 3> { x }
                #[function] fn g(x: Tensor<B, 3>) -> Tensor<B, 3> { x }";
    assert!(mistakes(text, "f").starts_with("1: `g` is the derivative of `f` by hand"));
}

#[test]
fn a_direction_has_the_type_of_what_moves_along_it() {
    let of = |body: &str| mistakes(&of_x(body), "f");
    let found = of("jvp(|x| x * x, x, sum(x))");
    assert!(
        found.contains(
            "`jvp` goes from Tensor<B, 3> along a direction of the same type, and this is Tensor<B>"
        ),
        "{found}"
    );
    let found = of("hvp(|x| x * x, x, x)");
    assert!(
        found.contains("`hvp` differentiates one value per row, and this function returns Tensor<B, 3>"),
        "{found}"
    );
    // A direction without a shape of its own takes that of `x`.
    check(&of_x("jvp(|x| x * x, x, ones())"), &two(), &each(|x, _| 2.0 * x));
    check(&of_x("hvp(|x| sum(x * x * x), x, 2.0)"), &two(), &each(|x, _| 12.0 * x));
}

fn of_x(body: &str) -> String {
    format!("#[function] fn f(x: Tensor<B, 3>, v: Tensor<B, 3>) -> Tensor<B, 3> {{ {body} }}")
}

#[test]
fn a_jacobian_refuses_rows_that_meet_behind_a_derivative_by_hand() {
    let text = |value: &str, share: &str| {
        format!(
            "#[function(backward = g)] fn h(x: Tensor<B, 3>) -> Tensor<B, 3> {{ {value} }}
            #[function] fn g(x: Tensor<B, 3>, a: Tensor<B, 3>) -> Tensor<B, 3> {{ {share} }}
            #[function] fn f(x: Tensor<B, 3>) -> Tensor<B, 3, 3> {{ jacobian(h, x) }}"
        )
    };
    for (value, share) in [("x - batch_mean(x)", "a"), ("x", "a - batch_mean(a)")] {
        let found = mistakes(&text(value, share), "f");
        assert!(found.contains("cannot cross the rows of the batch"), "{found}");
    }
    // What only the values cross is no derivative.
    graph(&text("x - stop_gradient(batch_mean(x))", "a * sum(stop_gradient(batch_mean(x)))"), "f");
}
