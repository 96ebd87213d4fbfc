//! What a mistake looks like: messages, and where they point.

use super::*;

const NETWORKS: &str = "
#[network] fn encode(x: Tensor<B, 4>) -> Tensor<B, 2> { dense(x, 2) }
#[network] fn decode(z: Tensor<B, 2>) -> Tensor<B, 4> { dense(z, 4) }
#[function] fn centred(x: Tensor<B, 4>) -> Tensor<B, 4> { x - batch_mean(x) }
";

/// The messages of a function of `x: Tensor<B, 4>`, each after its line; its body is in line 6.
#[track_caller]
fn refused(body: &str, output: &str) -> String {
    mistakes(&format!("{NETWORKS}#[function] fn f(x: Tensor<B, 4>) -> {output} {{\n{body}\n}}"), "f")
}

/// Every text stands in the messages.
#[track_caller]
fn says(found: &str, texts: &[&str]) {
    for text in texts {
        assert!(found.contains(text), "this misses \"{text}\":\n{found}");
    }
}

#[test]
fn the_example_of_the_guide() {
    let text = "#[encoder] fn encode(x: Tensor<B, 784>) -> Tensor<B, 20> { dense(x, 20) }

#[decoder] fn decode(z: Tensor<B, 32>) -> Tensor<B, 784> { dense(z, 784) }
#[loss] fn f(x: Tensor<B, 784>) -> Tensor<B> {
    let mean = encode(x);
    let z = mean + exp(0.5 * mean) * normal_like(mean);
    let recon = bce_with_logits(decode(z), x);
    recon
}";
    let errors = lower(&linked(text, "f"), Mode::Train).expect_err("20 is not 32");
    assert_eq!(
        messages(&errors),
        "7: `decode` takes Tensor<B, 32>, but this is Tensor<B, 20>: 20 where 32 is expected (axis 1).\n\
         `z` gets its shape from `encode`, example.rs:1. `decode` is declared at example.rs:3."
    );
    assert_eq!(errors.0[0].span.start().column, "    let recon = bce_with_logits(decode(".len());
}

#[test]
fn broadcasting_is_visible() {
    says(
        &refused("let s = sum(x);\ns * x", "Tensor<B, 4>"),
        &[
            "7: `*` of Tensor<B> and Tensor<B, 4>: they have different numbers of axes, and axes never appear by themselves.",
            "\n`unsqueeze(s, 1)` is Tensor<B, 1>, whose axis of size 1 repeats: write that in the place of `s`.",
        ],
    );
    says(
        &refused("let y = reshape(x, 2, 2);\ny + encode(x)", "Tensor<B, 2, 2>"),
        &["`unsqueeze(encode(…), 1)` is Tensor<B, 1, 2>"],
    );
    says(
        &refused("let y: Tensor<B, 4, 7> = zeros();\ny * x", "Tensor<B, 4, 7>"),
        &["`unsqueeze(x, 2)` is Tensor<B, 4, 1>"],
    );
    says(
        &refused("x + repeat(x, 5)", "Tensor<B, 4>"),
        &[
            "`+` of Tensor<B, 4> and Tensor<Rows<B, 5>, 4>: the row axes differ",
            "`repeat(x, 5)` adds the row axis.",
        ],
    );
    says(
        &refused("x + encode(x)", "Tensor<B, 4>"),
        &[
            "4 against 2 in axis 1; only an axis of size 1 repeats.",
            "`x` gets its shape from its declaration, example.rs:5.",
        ],
    );
}

#[test]
fn rows_are_independent_until_a_word_says_otherwise() {
    says(
        &refused("centred(repeat(x, 5))", "Tensor<Rows<B, 5>, 4>"),
        &[
            "`batch_mean` crosses the rows of the batch, so it cannot be mapped over the further rows of Tensor<Rows<B, 5>, 4>",
            "\nThis is inside `centred`, example.rs:4.",
        ],
    );
    says(
        &refused("jacobian(centred, x)", "Tensor<B, 4, 4>"),
        &["`jacobian` is taken row by row, so its function cannot cross the rows", "example.rs:4 batch_mean"],
    );
    says(&refused("jacobian(|v| batch(v), x)", "Tensor<B, 4>"), &["it turns Tensor<B, 4> into Tensor<N, 4>"]);
    says(
        &refused("einsum(\"bd,bk->dk\", x, x)", "Tensor<4, 4>"),
        &["`b` labels the rows, so the result starts with it too"],
    );
    says(
        &refused("sum(x, axis = rows)", "Tensor<B>"),
        &[
            "`axis = rows` is the row axis that `repeat` added last, and Tensor<B, 4> has none. `batch_mean(x)`",
        ],
    );
}

#[test]
fn calls_are_checked_against_the_signature() {
    let signature = "\nIt is declared as `kl_normal(mean: Tensor<B, _>, logvar: Tensor<B, _>, prior_mean: Tensor<B, _> = 0, prior_logvar: Tensor<B, _> = 0) -> Tensor<B>`.";
    says(&refused("kl_normal(x)", "Tensor<B>"), &["`kl_normal` also needs `logvar`.", signature]);
    says(
        &refused("kl_normal(x, logvr = x)", "Tensor<B>"),
        &["`kl_normal` has no argument `logvr`.", signature],
    );
    says(
        &refused("kl_normal(x, x, logvar = x)", "Tensor<B>"),
        &["`kl_normal` is given `logvar` twice.", signature],
    );
    says(&refused("encode(x, 3)", "Tensor<B, 2>"), &["`encode` takes one argument, and is given 2."]);
    says(
        &refused("sum(x, axes = 1)", "Tensor<B>"),
        &["`sum` has no argument `axes`.\nIt is written `sum(x), sum(x, axis = 1)"],
    );
    says(
        &refused("relu(x, x)", "Tensor<B, 4>"),
        &["`relu` takes one argument, and is given 2.\nIt is written `relu(a)`."],
    );
    says(
        &refused("huber(x, x, delta = x)", "Tensor<B>"),
        &["`huber` takes f32 as `delta`, but this is Tensor<B, 4>."],
    );
    says(
        &refused("let add = |v, w| v + w;\nadd(x)", "Tensor<B, 4>"),
        &["this closure takes 2 arguments, and is given 1"],
    );
    says(
        &refused("let mean = mean(x);\nmean(x)", "Tensor<B>"),
        &["`mean` is Tensor<B>, and cannot be called; this local name hides the word"],
    );
    says(&refused("let y = x;\ny(x)", "Tensor<B, 4>"), &["`y` is Tensor<B, 4>, and cannot be called"]);
}

#[test]
fn declared_types_are_kept() {
    says(
        &refused("x", "Tensor<B, 5>"),
        &["6: `f` returns Tensor<B, 5>, but this is Tensor<B, 4>: 4 where 5 is expected (axis 1)."],
    );
    says(
        &refused("let y: Tensor<B, 5> = x;\nx", "Tensor<B, 4>"),
        &["6: this is declared as Tensor<B, 5>, but it is Tensor<B, 4>"],
    );
    says(
        &refused("let (a, b) = x;\na + b", "Tensor<B, 4>"),
        &["this names 2 values, but the value is Tensor<B, 4>"],
    );
    says(
        &refused("log_normal(x, mean = encode(x))", "Tensor<B>"),
        &[
            "`log_normal` takes Tensor<B, _> as `mean`, but this is Tensor<B, 2>: 2 where 4 is expected (axis 1).",
        ],
    );
    let text = "#[function] fn f(x: Tensor<B, K>) -> Tensor<B, 4> { x }";
    says(
        &mistakes(text, "f"),
        &["`f` returns Tensor<B, 4>, but this is Tensor<B, K>: K where 4 is expected"],
    );
    let text = "#[loss] fn f(x: Tensor<B, 4>) -> Tensor<B, 4> { x }";
    says(
        &mistakes(text, "f"),
        &["a loss returns `Tensor<B>`, one value per sample, or `Scalar`; `f` returns `Tensor<B, 4>`"],
    );
}

#[test]
fn what_is_known_at_compile_time() {
    says(
        &refused("if sum(x) > 0.0 { x } else { -x }", "Tensor<B, 4>"),
        &[
            "`if` asks for something known at compile time, and this is Tensor<B>",
            "`select(condition, a, b)`",
        ],
    );
    says(&refused("x * (7 / 2)", "Tensor<B, 4>"), &["`7 / 2` is not whole; as numbers, write `7.0 / 2.0`"]);
    says(&refused("x / (1 / 0)", "Tensor<B, 4>"), &["`1 / 0` divides by 0"]);
    says(&refused("x * log(-1.0)", "Tensor<B, 4>"), &["`log` of [-1.0] is not a number"]);
    let text = "#[layer] fn f(x: Tensor<B, _>, out: usize) -> Tensor<B, _> { x }";
    says(
        &mistakes(text, "f"),
        &["`f` cannot be run by itself: its argument `x` is any axes, which only a call fixes"],
    );
}

#[test]
fn words_say_what_they_take() {
    for (body, text) in [
        (
            "grad(encode, x)",
            "`grad` differentiates one value per row, and this function returns Tensor<B, 2>: reduce its features",
        ),
        ("grad(x, x)", "`grad(f, x)` differentiates a function, and this is Tensor<B, 4>"),
        (
            "sum(x, axis = 0)",
            "feature axes count from 1, after the rows: Tensor<B, 4> has axis 1 alone, not 0",
        ),
        (
            "einsum(\"bd,kd->bk\", x, x)",
            "the rows are labelled `b` and, of Tensor<B, 4>, `k`: give them one label",
        ),
        ("einsum(\"bd,bd->q\", x, x)", "`b` labels the rows"),
        ("einsum(\"bd,bd->bq\", x, x)", "label `q` of the result labels no feature axis of an argument"),
        ("einsum(\"bde->b\", x)", "3 labels for Tensor<B, 4>, which has 2 axes (rows count as one)"),
        ("einsum(\"bd,bd->b\", x, encode(x))", "label `d` is 4 before and 2 here, in Tensor<B, 2>"),
        ("einsum(\"bd\", x)", "has no `->`"),
        ("einsum(\"bd,bd->b\", x)", "has labels for 2 values, and 1 are given"),
        ("reshape(x, 3, 2)", "`reshape` keeps the elements: Tensor<B, 4> has 4 a row, Tensor<B, 3, 2> has 6"),
        ("repeat(x, 0)", "how often `repeat` repeats is an integer of 1 or more, and this is the number 0"),
        ("permute(x, 1, 1)", "`permute` names every feature axis of Tensor<B, 4> once: 1, in any order"),
        ("transpose(x)", "`transpose` exchanges two feature axes, and this is Tensor<B, 4>"),
        ("squeeze(x)", "`squeeze` drops the axes of size 1, and Tensor<B, 4> has none"),
        ("unsqueeze(x, 3)", "the new axis can be 1 to 2 here, counted after the rows, not 3"),
        ("slice(x, start = 2, end = 5)", "elements 2 to 5 are not inside an axis of 4"),
        ("concat(x, sum(x))", "`concat` along axis 1 of Tensor<B, 4> and Tensor<B>: the other axes differ"),
        ("param(x)", "`param` takes how the parameter starts, and this is Tensor<B, 4>"),
        ("param(zeros()) * x", "`f` is a function without parameters, so `param` would have no owner"),
        (
            "dense(x, 2)",
            "`dense` makes parameters, and `f` is a function without parameters: nobody would own them.",
        ),
        ("let w = normal();\nsum(w) + sum(x)", "annotate it, as in `let w: Tensor<B, 8> = normal(…);`"),
        ("inspect(x, x)", "`inspect(\"name\", x)` starts with a name, and this is Tensor<B, 4>"),
    ] {
        says(&refused(body, "Tensor<B>"), &[text]);
    }
}

#[test]
fn several_mistakes_are_reported_together_and_each_once() {
    let found = refused(
        "let a = encode(encode(x));\nlet b = decode(x);\nlet c = a * b + sum(x, axis = 7);\nx + relu(a)",
        "Tensor<B, 4>",
    );
    says(&found, &["6: `encode` takes", "7: `decode` takes", "8: feature axes count from 1"]);
    assert_eq!(found.matches("---").count(), 2, "{found}");
    // A mistake inside a function that is called twice in one place is one mistake.
    let text = "#[function] fn bad(x: Tensor<B, 4>) -> Tensor<B, 4> { x + sum(x) }
        #[function] fn f(x: Tensor<B, 4>) -> Tensor<B, 4> { let twice = |v| bad(bad(v)); twice(x) }";
    assert_eq!(mistakes(text, "f").matches("This is inside `bad`, example.rs:1.").count(), 1);
}

#[test]
fn endless_and_enormous_programs_end() {
    says(&refused("let w = |f| f(f);\nw(w)", "Tensor<B, 4>"), &["nested more than"]);
    let level = |n: usize| {
        format!("#[function] fn g{n}(x: Tensor<B, 4>) -> Tensor<B, 4> {{ g{0}(g{0}(g{0}(g{0}(x)))) }}", n + 1)
    };
    let mut text: String = (0..12).map(level).collect();
    text += "#[function] fn g12(x: Tensor<B, 4>) -> Tensor<B, 4> { relu(x) }";
    says(&mistakes(&text, "g0"), &["this program is too large"]);
    let level =
        |n: usize| format!("#[function] fn g{n}(x: Tensor<B, 4>) -> Tensor<B, 4> {{ g{}(x) }}", n + 1);
    let mut text: String = (0..300).map(level).collect();
    text += "#[function] fn g300(x: Tensor<B, 4>) -> Tensor<B, 4> { relu(x) }";
    says(&mistakes(&text, "g0"), &["nested more than 200 deep"]);
    let sum = vec!["x"; 300].join(" + ");
    let graph = graph(&format!("#[function] fn f(x: Tensor<B, 4>) -> Tensor<B, 4> {{ {sum} }}"), "f");
    assert_eq!(graph.nodes.len(), 300);
}
