//! `scan`, `last` and long `for` loops: values against recurrences written by hand, and what mistakes look like.

use super::*;
use crate::graph::Kind;

/// Two rows of three steps of two features.
const X: [f64; 12] = [0.3, -1.2, 0.8, 2.0, 0.1, -0.4, 0.9, 0.2, 0.5, 0.7, 0.1, 0.4];

fn given(symbols: &'static [(&'static str, usize)]) -> Given<'static> {
    Given { rows: 2, inputs: &[&X], symbols, ..Given::default() }
}

/// A function of `x: Tensor<B, T, 2>` or `Tensor<B, 3, 2>`.
fn of(time: &str, body: &str, output: &str) -> String {
    format!("#[function] fn f(x: Tensor<B, {time}, 2>) -> {output} {{ {body} }}")
}

/// Every state of `s' = step(s, x)`, row by row, for one feature of each of three steps.
fn states(step: impl Fn(f64, f64) -> f64, start: f64, reverse: bool) -> Vec<f64> {
    let mut all = vec![0.0; 12];
    for row in 0..2 {
        for feature in 0..2 {
            let mut state = start;
            for turn in 0..3 {
                let time = if reverse { 2 - turn } else { turn };
                let at = 6 * row + 2 * time + feature;
                state = step(state, X[at]);
                all[at] = state;
            }
        }
    }
    all
}

fn lasts(states: &[f64]) -> Vec<f64> {
    [&states[4..6], &states[10..12]].concat()
}

#[test]
fn a_scan_is_its_recurrence() {
    let smooth = states(|s, x| 0.9 * s + x, 0.0, false);
    for time in ["T", "3"] {
        let given = given(&[("T", 3)]);
        let stacked = format!("Tensor<B, {time}, 2>");
        let check =
            |body: &str, output: &str, expected: &[f64]| check(&of(time, body, output), &given, expected);
        check("scan(|s, x_t| 0.9 * s + x_t, zeros(), x)", &stacked, &smooth);
        check("last(scan(|s, x_t| 0.9 * s + x_t, zeros(), x))", "Tensor<B, 2>", &lasts(&smooth));
        check("last(x)", "Tensor<B, 2>", &lasts(&X));
        // A first value that is a number, or another tensor.
        let powers = states(|s, x| s * x, 2.0, false);
        check("scan(|s, x_t| s * x_t, 2.0, x)", &stacked, &powers);
        check("let s: Tensor<B, 2> = constant(2.0); scan(|s, x_t| s * x_t, s, x)", &stacked, &powers);
        check("let s: Tensor<2> = constant(2.0); scan(|s, x_t| s * x_t, s, x)", &stacked, &powers);
        let back = states(|s, x| 0.9 * s + x, 0.0, true);
        check("scan(|s, x_t| 0.9 * s + x_t, zeros(), x, reverse = true)", &stacked, &back);
        // The last element in time, not in the order of the steps.
        check(
            "last(scan(|s, x_t| 0.9 * s + x_t, zeros(), x, reverse = true))",
            "Tensor<B, 2>",
            &lasts(&back),
        );
        // A tuple, of which one part does not have rows, and several sequences.
        let body = "let (a, n) = scan(|(a, n), (x_t, y_t)| (a + n * x_t - y_t + x_t, 0.5 * n), (zeros(), 1.0), (x, x)); a + 0.0 * last(n)";
        let expected: Vec<f64> = (0..12)
            .map(|at| {
                let (row, time, feature) = (at / 6, at / 2 % 3, at % 2);
                (0..=time).map(|t| X[6 * row + 2 * t + feature] * 0.5_f64.powi(t as i32)).sum()
            })
            .collect();
        check(body, &stacked, &expected);
    }
}

#[test]
fn nothing_is_stacked_for_the_last_state() {
    let text = of("T", "last(scan(|s, x_t| tanh(s + x_t), zeros(), x))", "Tensor<B, 2>");
    let simple = crate::passes::simplify(&graph(&text, "f"));
    let results: Vec<_> = simple.nodes.iter().filter(|n| matches!(n.kind, Kind::Scan { .. })).collect();
    assert_eq!(results.len(), 1);
    assert_eq!(results[0].ty.to_string(), "Tensor<B, 2>");
}

#[test]
fn every_step_draws_its_own_numbers_and_a_number_from_outside_is_drawn_once() {
    let run =
        |body: &str| given(&[("T", 3)]).run(&graph(&of("T", body, "Tensor<B, T, 2>"), "f"), &Role::Result(0));
    let fresh = run("scan(|s, x_t| 0.0 * s + uniform_like(x_t), zeros(), x)");
    let mut sorted = fresh.clone();
    sorted.sort_by(f64::total_cmp);
    assert!(sorted.windows(2).all(|pair| pair[0] < pair[1]), "{fresh:?}");
    let once = run("let u: Tensor<B, 2> = uniform(); scan(|s, x_t| 0.0 * s + 0.0 * x_t + u, zeros(), x)");
    let pending = run("let u = uniform(); scan(|s, x_t| 0.0 * s + 0.0 * x_t + u, zeros(), x)");
    for numbers in [once, pending] {
        assert!(numbers[..2] == numbers[2..4] && numbers[..2] == numbers[4..6], "{numbers:?}");
        assert_ne!(numbers[..2], numbers[6..8]);
    }
}

#[test]
fn parameters_of_a_step_are_made_once() {
    let text = "#[network] fn f(x: Tensor<B, T, 2>) -> Tensor<B, T, 4> { gru(x, 4) }";
    let graph = graph(text, "f");
    let paths: Vec<&str> = graph.params.iter().map(|param| param.path.as_str()).collect();
    let expected = ["dense0.weight", "dense0.bias", "dense1.weight", "dense1.bias"];
    assert_eq!(paths, expected.map(|name| format!("f.gru0.gru_cell0.{name}")));
}

#[test]
fn a_long_loop_is_its_turns() {
    let body = |turns: &str| {
        format!(
            "let mut a = last(x); let mut n = 0.0; let mut s: Tensor<2> = ones();
             for turn in {turns} {{ let old = a; a = 0.99 * a + 0.01 * sin(a * turn) + 0.001 * s; n = n + turn; s = 0.5 * s + mean(s); a = a + 0.001 * old; }}
             a + 0.001 * n + s"
        )
    };
    // Thirty turns and forty are unrolled, seventy are not.
    let long = of("3", &body("0..70"), "Tensor<B, 2>");
    let text = body("0..30").replace("\n             a + ", "\n             for turn in 30..70 { let old = a; a = 0.99 * a + 0.01 * sin(a * turn) + 0.001 * s; n = n + turn; s = 0.5 * s + mean(s); a = a + 0.001 * old; }\n             a + ");
    let short = of("3", &text, "Tensor<B, 2>");
    let (long, short) = (graph(&long, "f"), graph(&short, "f"));
    let loops = |graph: &Graph| graph.nodes.iter().filter(|n| matches!(n.kind, Kind::Scan { .. })).count();
    assert!(loops(&long) > 0 && loops(&short) == 0);
    near(&given(&[]).run(&long, &Role::Result(0)), &given(&[]).run(&short, &Role::Result(0)));
}

/// The messages of a function of `x: Tensor<B, 3, 2>`.
#[track_caller]
fn refused(body: &str, output: &str) -> String {
    mistakes(&of("3", body, output), "f")
}

#[track_caller]
fn says(found: &str, text: &str) {
    assert!(found.contains(text), "this misses \"{text}\":\n{found}");
    // One mistake, one message.
    assert!(!found.contains("---"), "{found}");
}

#[test]
fn mistakes_in_loops_are_explained() {
    let (stacked, one) = ("Tensor<B, 3, 2>", "Tensor<B, 2>");
    let says = |body: &str, output: &str, text: &str| says(&refused(body, output), text);
    says(
        "let s: Tensor<B, 5> = zeros(); scan(|s, x_t| x_t, s, x)",
        stacked,
        "the state of `scan` keeps its shape from step to step, and here it is Tensor<B, 5> before a step and Tensor<B, 2> after it",
    );
    says(
        "scan(|s, x_t| s + x_t - batch_mean(s), zeros(), x)",
        stacked,
        "cannot let the rows of the batch meet",
    );
    says(
        "let mut s: Tensor<2> = zeros(); for i in 0..99 { s = 0.5 * s + batch_mean(last(x) * s); } s + last(x)",
        one,
        "a step of this loop of 99 turns cannot let the rows of the batch meet",
    );
    says("scan(|s, x_t| s + x_t, zeros(), sum(x))", stacked, "and Tensor<B> has no feature axis");
    says(
        "let y: Tensor<B, 4, 2> = zeros(); scan(|s, (x_t, y_t)| s + x_t + y_t, zeros(), (x, y))",
        stacked,
        "the sequences of a `scan` have equally many steps, and Tensor<B, 3, 2> has 3 where Tensor<B, 4, 2> has 4",
    );
    says("scan(|s| s, zeros(), x)", stacked, "this closure takes 1 argument, and is given 2");
    says(
        "scan(x, zeros(), x)",
        stacked,
        "`scan(f, init, x)` runs a function over the steps of x, and this is Tensor<B, 3, 2>",
    );
    says(
        "let (a, b) = scan(|(a, b), x_t| a + x_t, (zeros(), zeros()), x); a",
        stacked,
        "the state of this `scan` is 2 values, and its function returns",
    );
    says("scan(|s, x_t| inspect(\"s\", s + x_t), zeros(), x)", stacked, "`inspect` shows a value once");
    let text = of("3", "scan(|s, x_t| s + RATE * x_t, zeros(), x)", stacked);
    super::loops::says(
        &mistakes(&format!("#[constant] const RATE: f32 = 1.0 / (1.0 - 1.0);\n{text}"), "f"),
        "divides by 0",
    );
    says(
        "last(sum(x))",
        "Tensor<B>",
        "`last` takes the last element along the first feature axis, and Tensor<B> has none",
    );
    says("scan(|s, x_t| s + x_t, zeros(), x, reverse = 1)", stacked, "`reverse` is true or false");
    says(
        "let mut a = last(x); for i in 0..65 { a = dense(a, 2); } a",
        one,
        "this loop of 65 turns is too long to unroll, so it has no parameters of its own",
    );
    says(
        "let mut f = relu; let mut a = last(x); for i in 0..65 { f = tanh; a = 0.5 * a; } a",
        one,
        "`f` is the function `relu`",
    );
}
