//! Values of whole programs, through the interpreter, against formulas written by hand.

use super::*;

const X: [f64; 6] = [0.3, -1.2, 0.8, 2.0, 0.1, -0.4];
const Y: [f64; 6] = [0.9, 0.2, 0.5, 0.7, 0.1, 0.4];

/// Two rows of three features, twice.
fn two() -> Given<'static> {
    Given { rows: 2, inputs: &[&X, &Y], ..Given::default() }
}

/// A function of two values `x` and `y` of type `Tensor<B, 3>`.
fn of_two(body: &str, output: &str) -> String {
    format!("#[function] fn f(x: Tensor<B, 3>, y: Tensor<B, 3>) -> {output} {{ {body} }}")
}

/// Σ over the three features of a row.
fn rows(of: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    (0..2).map(|r| (0..3).map(|i| of(X[3 * r + i], Y[3 * r + i])).sum()).collect()
}

#[test]
fn the_library_says_what_its_formulas_say() {
    let log_2pi = (2.0 * std::f64::consts::PI).ln();
    let sigmoid = |l: f64| 1.0 / (1.0 + (-l).exp());
    let bce = |p: f64, x: f64| -x * p.ln() - (1.0 - x) * (1.0 - p).ln();
    let normal = move |x: f64, m: f64, v: f64| -0.5 * (log_2pi + v + (x - m).powi(2) / v.exp());
    let cases: Vec<(&str, Vec<f64>)> = vec![
        ("squared_error(x, y)", rows(|x, y| (x - y).powi(2))),
        ("mse(x, y)", rows(|x, y| (x - y).powi(2) / 3.0)),
        ("l1(x, y)", rows(|x, y| (x - y).abs())),
        ("l1(x)", rows(|x, _| x.abs())),
        ("bce_with_logits(x, y)", rows(|x, y| bce(sigmoid(x), y))),
        ("bce(sigmoid(x), y)", rows(|x, y| bce(sigmoid(x), y))),
        ("log_bernoulli(x, y)", rows(|x, y| -bce(sigmoid(x), y))),
        ("log_normal(x)", rows(|x, _| normal(x, 0.0, 0.0))),
        ("log_normal(x, mean = y)", rows(|x, y| normal(x, y, 0.0))),
        ("log_normal(x, logvar = y, mean = 0.5)", rows(|x, y| normal(x, 0.5, y))),
        ("gaussian_nll(x, y, logvar = x)", rows(|x, y| -normal(y, x, x))),
        ("kl_normal(x, y)", rows(|m, v| 0.5 * (v.exp() - 1.0 - v + m * m))),
        (
            "huber(x, y, delta = 0.7)",
            rows(|x, y| {
                let r = (x - y).abs();
                if r <= 0.7 { 0.5 * r * r } else { 0.7 * (r - 0.35) }
            }),
        ),
        ("sum(squared_error_each(x, y))", rows(|x, y| (x - y).powi(2))),
    ];
    for (body, expected) in cases {
        check(&of_two(body, "Tensor<B>"), &two(), &expected);
    }
}

#[test]
fn reductions_and_softmax() {
    let lse = |r: usize| X[3 * r..3 * r + 3].iter().map(|x| x.exp()).sum::<f64>().ln();
    check(&of_two("logsumexp(x)", "Tensor<B>"), &two(), &[lse(0), lse(1)]);
    check(&of_two("logsumexp(x + 1000.0) - 1000.0", "Tensor<B>"), &two(), &[lse(0), lse(1)]);
    check(&of_two("dot(x, y)", "Tensor<B>"), &two(), &rows(|x, y| x * y));
    check(&of_two("max(x) - min(x)", "Tensor<B>"), &two(), &[2.0, 2.4]);
    check(&of_two("sum(softmax(x))", "Tensor<B>"), &two(), &[1.0, 1.0]);
    let log: Vec<f64> = (0..6).map(|i| X[i] - lse(i / 3)).collect();
    check(&of_two("log_softmax(x)", "Tensor<B, 3>"), &two(), &log);
    check(&of_two("log(softmax(x, axis = 1))", "Tensor<B, 3>"), &two(), &log);
    let mean: Vec<f64> = (0..3).map(|i| 0.5 * (X[i] + X[i + 3])).collect();
    check(&of_two("batch_mean(x)", "Tensor<3>"), &two(), &mean);
    let doubled: Vec<f64> = rows(|x, _| x);
    check(&of_two("sum(mean(repeat(x, 5), axis = rows))", "Tensor<B>"), &two(), &doubled);
}

#[test]
fn operators_and_numbers_known_at_compile_time() {
    let text = "
        #[constant] const QUARTERS: f32 = 2.0 * 0.25;
        #[function] fn f(x: Tensor<B, 3>, y: Tensor<B, 3>) -> Tensor<B> {
            let mut total: Tensor<B> = zeros();
            for i in 1..=3 {
                if i % 2 == 1 && !(i > 4) { total += 1.0 / i * sum(x); } else { total -= sum(-y); }
            }
            let (a, b) = (total, { let c = 3 - 1; c * HALF });
            let scaled = |v| v * b;
            scaled(a) + log(exp(1.0)) + 7 / 7
        }
        #[constant] const HALF: f32 = QUARTERS;";
    let expected: Vec<f64> = rows(|x, y| x + x / 3.0 + y).iter().map(|t| t + 2.0).collect();
    check(text, &two(), &expected);
}

#[test]
fn comparisons_choose_element_by_element() {
    check(&of_two("sum(select(x < y, x, y))", "Tensor<B>"), &two(), &rows(f64::min));
    check(&of_two("sum(min(x, y) + (x >= y) * (x - y))", "Tensor<B>"), &two(), &rows(|x, _| x));
}

#[test]
fn products_by_label() {
    let text = of_two("einsum(\"bi,bj,bi->bj\", x, y, x)", "Tensor<B, 3>");
    let expected: Vec<f64> =
        (0..6).map(|e| (0..3).map(|i| X[e / 3 * 3 + i].powi(2)).sum::<f64>() * Y[e]).collect();
    check(&text, &two(), &expected);
    let trace = of_two("einsum(\"bii->b\", einsum(\"bi,bj->bij\", x, y))", "Tensor<B>");
    check(&trace, &two(), &rows(|x, y| x * y));
    // The label of the rows stands for all of them.
    let mapped = "#[function] fn g(x: Tensor<B, 3>, y: Tensor<B, 3>) -> Tensor<B> { einsum(\"bi,bi->b\", x, y) }
        #[function] fn f(x: Tensor<B, 3>, y: Tensor<B, 3>) -> Tensor<B> { sum(g(repeat(x, 4), repeat(y, 4)), axis = rows) }";
    check(mapped, &two(), &rows(|x, y| 4.0 * x * y));
}

#[test]
fn derivatives_are_values() {
    let cube: Vec<f64> = X.iter().map(|x| 3.0 * x * x).collect();
    check(&of_two("grad(|v| sum(v * v * v), x)", "Tensor<B, 3>"), &two(), &cube);
    // What a closure captures stays constant: d/dv (v · x²) at v = x is x², not 3 x².
    let square: Vec<f64> = X.iter().map(|x| x * x).collect();
    check(&of_two("grad(|v| sum(v * x * x), x)", "Tensor<B, 3>"), &two(), &square);
    // Twice.
    let six: Vec<f64> = X.iter().map(|x| 6.0 * x).collect();
    check(&of_two("grad(|w| sum(grad(|v| sum(v * v * v), w)), x)", "Tensor<B, 3>"), &two(), &six);
    // Words and rows are functions too.
    let outer: Vec<f64> =
        (0..18).map(|e| if e / 3 % 3 == e % 3 { 2.0 * X[e / 9 * 3 + e % 3] } else { 0.0 }).collect();
    check(&of_two("jacobian(square, x)", "Tensor<B, 3, 3>"), &two(), &outer);
    check(&of_two("grad(sum_squares, x)", "Tensor<B, 3>"), &two(), &X.map(|x| 2.0 * x));
    check(
        &of_two("sum(grad(|v| sum(straight_through(round(v), v * v)), x))", "Tensor<B>"),
        &two(),
        &rows(|x, _| 2.0 * x),
    );
    check(&of_two("sum(straight_through(round(x), x))", "Tensor<B>"), &two(), &rows(|x, _| x.round()));
    check(&of_two("sum(grad(|v| sum(v * stop_gradient(v)), x))", "Tensor<B>"), &two(), &rows(|x, _| x));
}

#[test]
fn the_contractive_penalty_is_the_closed_form_of_one_sigmoid_layer() {
    let text = "#[encoder] fn encode(x: Tensor<B, 3>) -> Tensor<B, 2> { sigmoid(dense(x, 2)) }
        #[loss] fn f(x: Tensor<B, 3>, y: Tensor<B, 3>) -> Tensor<B> { sum_squares(jacobian(encode, x)) }";
    let (w, b) = ([0.5, -0.3, 0.2, 0.9, -0.7, 0.4], [0.1, -0.2]);
    let row = |r: usize| -> f64 {
        let unit = |k: usize| {
            let pre: f64 = (0..3).map(|i| X[3 * r + i] * w[2 * i + k]).sum::<f64>() + b[k];
            let h = 1.0 / (1.0 + (-pre).exp());
            (h * (1.0 - h)).powi(2) * (0..3).map(|i| f64::powi(w[2 * i + k], 2)).sum::<f64>()
        };
        unit(0) + unit(1)
    };
    let given = Given { params: &[&w, &b], ..two() };
    check(text, &given, &[0.5 * (row(0) + row(1))]);
}

#[test]
fn hessian_vector_products_of_a_linear_autoencoder() {
    // Σ ‖x − abx‖² in a: the Hessian applied to v is 2 v (b S bᵀ), S = Σ x xᵀ / B.
    let text = "
        #[function] fn linear_loss(a: Tensor<2, 1>, b: Tensor<1, 2>, x: Tensor<B, 2>) -> Scalar {
            let code = einsum(\"bi,ki->bk\", x, b);
            batch_mean(sum_squares(einsum(\"bk,ok->bo\", code, a) - x))
        }
        #[function] fn f(a: Tensor<2, 1>, b: Tensor<1, 2>, v: Tensor<2, 1>, x: Tensor<B, 2>) -> Tensor<2, 1> {
            grad(|w| dot(grad(|w| linear_loss(w, b, x), w), v), a)
        }";
    let (a, b, v, x) = ([0.3, -0.8], [0.5, 1.5], [2.0, -1.0], [1.0, 2.0, -0.5, 0.25, 3.0, 1.0]);
    let code = (0..3).map(|r| f64::powi(b[0] * x[2 * r] + b[1] * x[2 * r + 1], 2)).sum::<f64>() / 3.0;
    check(
        text,
        &Given { rows: 3, inputs: &[&a, &b, &v, &x], ..Given::default() },
        &v.map(|v| 2.0 * v * code),
    );
}

#[test]
fn the_kernel_mean_over_the_batch() {
    let text = of_two("mmd(x, y, width = 2.0)", "Scalar");
    let kernel =
        |a: &[f64], b: &[f64]| (-a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / 8.0).exp();
    let both = |a: &[f64], b: &[f64]| {
        let pairs = a.chunks(3).flat_map(|a| b.chunks(3).map(move |b| kernel(a, b)));
        pairs.sum::<f64>() / 4.0
    };
    check(&text, &two(), &[both(&X, &X) + both(&Y, &Y) - 2.0 * both(&X, &Y)]);
}

#[test]
fn a_loss_is_the_mean_over_the_batch_and_so_are_its_parts() {
    let text = "
        #[loss] fn inner(x: Tensor<B, 3>, #[default(0.5)] weight: f32) -> Tensor<B> {
            let recon = sum(x);
            let _quiet = sum(x);
            weight * recon
        }
        #[loss] fn f(x: Tensor<B, 3>, y: Tensor<B, 3>, #[default(2.0)] beta: f32) -> Tensor<B> {
            let part = sum(y);
            let wide = x + y;
            inner(x) + inner(y, weight = beta) + part
        }";
    let graph = graph(text, "f");
    let given = Given { hypers: &[3.0], ..two() };
    let mean = |of: fn(f64, f64) -> f64| rows(of).iter().sum::<f64>() / 2.0;
    near(&given.run(&graph, &Role::Loss), &[mean(|x, y| 0.5 * x + 4.0 * y)]);
    let metric = |name: &str| given.run(&graph, &Role::Metric(name.to_owned()))[0];
    near(
        &[metric("part"), metric("inner.recon"), metric("inner1.recon")],
        &[mean(|_, y| y), mean(|x, _| x), mean(|_, y| y)],
    );
    let names: Vec<_> = graph.outputs.iter().map(|o| format!("{:?}", o.role)).collect();
    assert_eq!(names.len(), 4, "{names:?}");
    assert_eq!(graph.hypers.len(), 1);
    assert_eq!(graph.hypers[0].default, Some(2.0));
}

#[test]
fn dropout_and_training_follow_the_mode() {
    let text = "#[function] fn f(x: Tensor<B, 3>, y: Tensor<B, 3>) -> Tensor<B, 3> { dropout(x, 0.5) }";
    let train = lowered(text, "f", Mode::Train);
    let evaluate = lowered(text, "f", Mode::Evaluate);
    assert!(train.depends_on_mode && evaluate.depends_on_mode);
    near(&two().run(&evaluate.graph, &Role::Result(0)), &X);
    let kept = two().run(&train.graph, &Role::Result(0));
    assert!(kept.iter().zip(X).all(|(k, x)| *k == 0.0 || (k - 2.0 * x).abs() < 1e-12), "{kept:?}");
    assert!(!lowered(&of_two("x", "Tensor<B, 3>"), "f", Mode::Train).depends_on_mode);
}

#[test]
fn every_call_path_of_a_random_word_draws_its_own_numbers() {
    let text = "#[function] fn noisy(x: Tensor<B, 3>) -> Tensor<B, 3> { x + normal_like(x) }
        #[function] fn f(x: Tensor<B, 3>, y: Tensor<B, 3>) -> Tensor<B, 3> { noisy(x) - noisy(x) }";
    let graph = graph(text, "f");
    assert_eq!(graph.sites, 2);
    assert!(two().run(&graph, &Role::Result(0)).iter().all(|d| *d != 0.0));
}

#[test]
fn several_results_and_inspected_values_are_outputs() {
    let text = of_two(
        "let h = inspect(\"h\", x * y); (sum(h), (x, y))",
        "(Tensor<B>, (Tensor<B, 3>, Tensor<B, 3>))",
    );
    let graph = graph(&text, "f");
    near(&two().run(&graph, &Role::Inspect("h".into())), &std::array::from_fn::<f64, 6, _>(|i| X[i] * Y[i]));
    near(&two().run(&graph, &Role::Result(0)), &rows(|x, y| x * y));
    near(&two().run(&graph, &Role::Result(2)), &Y);
}

#[test]
fn sizes_known_at_run_time() {
    let text = "#[function] fn f(x: Tensor<B, T>) -> Tensor<B> { sum(x) / T + batch_mean(0.0 * sum(x)) / B }";
    let given = Given { rows: 2, inputs: &[&X], symbols: &[("T", 3)], ..Given::default() };
    check(text, &given, &rows(|x, _| x / 3.0));
}
