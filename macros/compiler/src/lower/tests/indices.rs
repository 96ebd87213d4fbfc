//! Words that order, choose and place, and what positions may not do.

use super::*;

/// Two rows of five, with ties and NaN.
const X: [f64; 10] = [0.5, 2.0, -1.0, 2.0, 0.5, 1.0, f64::NAN, 3.0, -0.0, 0.0];

#[track_caller]
fn of_x(body: &str, output: &str, expected: &[f64]) {
    let text = format!("#[function] fn f(x: Tensor<B, 5>) -> {output} {{ {body} }}");
    check_bits(&text, &Given { rows: 2, inputs: &[&X], ..Given::default() }, expected);
}

#[track_caller]
fn check_bits(text: &str, given: &Given, expected: &[f64]) {
    let found = given.run(&graph(text, "f"), &Role::Result(0));
    let same = found.iter().zip(expected).all(|(a, b)| a == b || a.is_nan() && b.is_nan());
    assert!(found.len() == expected.len() && same, "found {found:?}\nexpected {expected:?}");
}

const NAN: f64 = f64::NAN;

#[test]
fn ties_go_to_the_lowest_and_nan_is_the_largest() {
    of_x("argmax(x)", "Index<B>", &[1.0, 1.0]);
    of_x("argmin(x, axis = 1)", "Index<B>", &[2.0, 3.0]);
    of_x("argsort(x)", "Index<B, 5>", &[2.0, 0.0, 4.0, 1.0, 3.0, 3.0, 4.0, 0.0, 2.0, 1.0]);
    let down = [1.0, 3.0, 0.0, 4.0, 2.0, 1.0, 2.0, 0.0, 3.0, 4.0];
    of_x("argsort(x, descending = true)", "Index<B, 5>", &down);
    of_x("sort(x)", "Tensor<B, 5>", &[-1.0, 0.5, 0.5, 2.0, 2.0, 0.0, 0.0, 1.0, 3.0, NAN]);
    of_x("top_k_indices(x, 2)", "Index<B, 2>", &[1.0, 3.0, 1.0, 2.0]);
    of_x("top_k(x, 3)", "Tensor<B, 5>", &[0.5, 2.0, 0.0, 2.0, 0.0, 1.0, NAN, 3.0, 0.0, 0.0]);
    of_x("top_k(x, 5)", "Tensor<B, 5>", &X);
    of_x("top_k(x, 1)", "Tensor<B, 5>", &[0.0, 2.0, 0.0, 0.0, 0.0, 0.0, NAN, 0.0, 0.0, 0.0]);
}

#[test]
fn other_axes_are_sorted_in_their_place() {
    let x = [3.0, 1.0, 2.0, 4.0, 1.0, 5.0];
    let given = Given { rows: 1, inputs: &[&x], ..Given::default() };
    let of = |body: &str, output: &str, expected: &[f64]| {
        let text = format!("#[function] fn f(x: Tensor<B, 3, 2>) -> {output} {{ {body} }}");
        check_bits(&text, &given, expected);
    };
    of("sort(x, axis = 1)", "Tensor<B, 3, 2>", &[1.0, 1.0, 2.0, 4.0, 3.0, 5.0]);
    of("argmax(x, axis = 1)", "Index<B, 2>", &[0.0, 2.0]);
    of("argmin(x)", "Index<B, 3>", &[1.0, 0.0, 0.0]);
    of("top_k(x, 1, axis = 1)", "Tensor<B, 3, 2>", &[3.0, 0.0, 0.0, 0.0, 0.0, 5.0]);
    of("top_k_indices(x, 2, axis = 1)", "Index<B, 2, 2>", &[0.0, 2.0, 1.0, 1.0]);
}

#[test]
fn tables_of_all_rows_and_of_each_row() {
    let table = [0.0, 1.0, 10.0, 11.0, 20.0, 21.0];
    let (label, x) = ([2.0, 0.0], [5.0, 6.0, 7.0, 8.0, 9.0, 10.0]);
    let given = Given { rows: 2, inputs: &[&label, &table, &x], ..Given::default() };
    let of = |body: &str, output: &str, expected: &[f64]| {
        let text = format!(
            "#[function] fn f(i: Index<B>, table: Tensor<3, 2>, x: Tensor<B, 3>) -> {output} {{ {body} }}"
        );
        check_bits(&text, &given, expected);
    };
    of("gather(table, i)", "Tensor<B, 2>", &[20.0, 21.0, 0.0, 1.0]);
    of("gather(x, i)", "Tensor<B>", &[7.0, 8.0]);
    of(
        "let j = argsort(table, axis = 1, descending = true); gather(x, slice(j, axis = 2, end = 1))",
        "Tensor<B, 3, 1>",
        &[7.0, 6.0, 5.0, 10.0, 9.0, 8.0],
    );
    of("one_hot(i, 3)", "Tensor<B, 3>", &[0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    of("number(i) * 2.0", "Tensor<B>", &[4.0, 0.0]);
    of("range(3) + 0.0 * x", "Tensor<B, 3>", &[0.0, 1.0, 2.0, 0.0, 1.0, 2.0]);
    of("gather(argsort(x, descending = true), i)", "Index<B>", &[0.0, 2.0]);
}

#[test]
fn the_library_follows_labels() {
    let (x, label) = ([0.1, 0.7, -0.3, 2.0, 0.0, 1.0], [1.0, 2.0]);
    let given = Given { rows: 2, inputs: &[&x, &label], ..Given::default() };
    let nats =
        |r: usize| x[3 * r..][..3].iter().map(|l| l.exp()).sum::<f64>().ln() - x[3 * r + label[r] as usize];
    let text = "#[loss] fn f(x: Tensor<B, 3>, label: Index<B>) -> Tensor<B> { cross_entropy(x, label) }";
    check(text, &given, &[(nats(0) + nats(1)) / 2.0]);
    let points = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0];
    let far = |r: usize, n: usize| (0..3).map(|d| (x[3 * r + d] - points[3 * n + d]).powi(2)).sum::<f64>();
    let given = Given { rows: 1, inputs: &[&x, &points], ..Given::default() };
    let text =
        "#[function] fn f(x: Tensor<B, 2, 3>, y: Tensor<2, 3>) -> Tensor<B, 2, 2> { pairwise_squares(x, y) }";
    check(text, &given, &[far(0, 0), far(0, 1), far(1, 0), far(1, 1)]);
}

/// The message of a function of labels and numbers, in one line.
#[track_caller]
fn refused(body: &str, output: &str) -> String {
    mistakes(
        &format!("#[function] fn f(i: Index<B>, x: Tensor<B, 4>, w: Tensor<6, 2>) -> {output} {{ {body} }}"),
        "f",
    )
}

#[test]
fn positions_are_not_numbers() {
    let cases: &[(&str, &str, &str)] = &[
        (
            "i + 1.0",
            "Tensor<B>",
            "`+` needs numbers, and `i` is Index<B>: positions, which nothing computes with.",
        ),
        ("-i", "Tensor<B>", "`-` needs numbers, and `i` is Index<B>"),
        ("i == argmax(x)", "Tensor<B>", "`==` needs numbers"),
        ("relu(i)", "Tensor<B>", "`relu` needs numbers"),
        ("sum(repeat(i, 2), axis = rows)", "Tensor<B>", "`sum` needs numbers"),
        ("einsum(\"b,bi->bi\", i, x)", "Tensor<B, 4>", "`einsum` needs numbers"),
        ("sort(unsqueeze(i, 1))", "Tensor<B, 1>", "`sort` needs numbers"),
        ("concat(unsqueeze(i, 1), x)", "Tensor<B, 5>", "positions and numbers do not follow each other"),
        (
            "i",
            "Tensor<B>",
            "`f` returns Tensor<B>, but this is Index<B>: positions, where numbers are wanted",
        ),
        (
            "sum(x)",
            "Index<B>",
            "`f` returns Index<B>, but this is Tensor<B>: numbers, where positions are wanted",
        ),
        (
            "let j: Index<B> = x; gather(w, j)",
            "Tensor<B, 2>",
            "this is declared as Index<B>, but it is Tensor<B, 4>",
        ),
        ("grad(|i| sum(gather(w, i)), i)", "Tensor<B>", "`grad` needs numbers"),
        ("jacobian(|x| argmax(x), x)", "Tensor<B, 4>", "`jacobian`: positions have no derivative"),
        ("gather(w, x)", "Tensor<B, 4, 2>", "`gather` takes an index here, and this is Tensor<B, 4>"),
        ("gather(w, 3)", "Tensor<2>", "a place known now is `slice("),
        (
            "gather(sum(x), i)",
            "Tensor<B>",
            "`gather` takes places along the first feature axis of a table, and Tensor<B> has none",
        ),
        (
            "gather(x, repeat(i, 3))",
            "Tensor<B>",
            "is taken row by row, so its index has the same rows, and this is Index<Rows<B, 3>>",
        ),
        ("top_k(x, 5)", "Tensor<B, 4>", "`top_k` cannot keep 5 of 4: the axis of Tensor<B, 4> is shorter"),
        ("top_k(transpose(batch(x)), 2)", "Tensor<4, N>", "nothing says before the program runs"),
        ("argmax(sum(x))", "Index<B>", "`argmax` works along a feature axis, and Tensor<B> has none"),
        ("argmax(x, axis = 2)", "Index<B>", "Tensor<B, 4> has axis 1 alone, not 2"),
        ("sort(x, axis = rows)", "Tensor<B, 4>", "not along rows"),
        (
            "sort(x, descending = 1.0)",
            "Tensor<B, 4>",
            "`descending` is true or false, and this is the number 1",
        ),
        (
            "one_hot(i, 20_000_000)",
            "Tensor<B, 20_000_000>",
            "an index counts to 16777216 exactly, and this axis has 20000000 places",
        ),
        ("one_hot(x, 3)", "Tensor<B, 3>", "`one_hot` takes an index here"),
    ];
    for (body, output, text) in cases {
        let found = refused(body, output);
        assert!(found.contains(text), "{body}: this misses \"{text}\":\n{found}");
    }
    let found = mistakes("#[loss] fn f(x: Tensor<B, 3>) -> Tensor<B> { argmax(x) }", "f");
    assert!(found.contains("returns Tensor<B>, but this is Index<B>"), "{found}");
}

#[test]
fn a_step_may_choose_and_positions_do_not_pass_on() {
    // Each step adds the row of a table that its largest element names, and one that stays the same.
    let text = "#[function] fn f(x: Tensor<B, T, 3>, table: Tensor<3, 2>, i: Index<B>) -> Tensor<B, T, 2> {
        scan(|h, x_t| h + gather(table, argmax(x_t)) + gather(table, i) + 0.0 * gather(top_k(h, 1), i), zeros(), x) }";
    let (x, table) = ([1.0, 2.0, 0.0, 5.0, 0.0, 0.0], [1.0, 2.0, 10.0, 20.0, 100.0, 200.0]);
    let given = Given { rows: 1, inputs: &[&x, &table, &[1.0]], symbols: &[("T", 2)], ..Given::default() };
    let text = text.replace("gather(top_k(h, 1), i)", "unsqueeze(gather(top_k(h, 1), i), 1)");
    check_bits(&text, &given, &[20.0, 40.0, 31.0, 62.0]);
    let found = refused("scan(|h, j| h + gather(w, j), zeros(), unsqueeze(i, 1))", "Tensor<B, 1, 2>");
    assert!(found.contains("`scan` needs numbers"), "{found}");
    let found = refused("let mut j = i;\nfor t in 0..100 { j = argmax(x); }\ngather(w, j)", "Tensor<B, 2>");
    assert!(found.contains("what passes from step to step needs numbers"), "{found}");
}
