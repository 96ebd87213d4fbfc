//! Update rules against their formulas.

use super::*;
use crate::lower::{OptimizerGraph, SlotKind, optimizer};

fn rule(text: &str, root: &str) -> OptimizerGraph {
    let rule = optimizer(&linked(text, root)).unwrap_or_else(|e| panic!("{}", messages(&e)));
    crate::verify::verify(&rule.graph, "lower").unwrap_or_else(|e| panic!("{e}"));
    rule
}

/// Runs a rule on three weights: the new weight and moments.
fn step(rule: &OptimizerGraph, slots: &[&[f64]], hypers: &[f64]) -> Vec<Vec<f64>> {
    let given = Given { inputs: slots, hypers, symbols: &[("N", 3)], ..Given::default() };
    (0..rule.graph.outputs.len()).map(|i| given.run(&rule.graph, &Role::Result(i))).collect()
}

const W: [f64; 3] = [1.0, -2.0, 0.5];
const G: [f64; 3] = [0.1, -0.4, 3.0];
const M: [f64; 3] = [0.2, 0.0, -1.0];
const V: [f64; 3] = [0.3, 0.01, 4.0];

fn each(of: impl Fn(usize) -> f64) -> Vec<f64> {
    (0..3).map(of).collect()
}

#[test]
fn sgd_adam_and_adamw() {
    let sgd = rule("", "sgd");
    let kinds: Vec<_> = sgd.slots.iter().map(|s| s.kind).collect();
    assert_eq!(kinds, [SlotKind::Weight, SlotKind::Gradient, SlotKind::Moment]);
    let found = step(&sgd, &[&W, &G, &M], &[0.1, 0.9]);
    near(&found[1], &each(|i| 0.9 * M[i] + G[i]));
    near(&found[0], &each(|i| W[i] - 0.1 * (0.9 * M[i] + G[i])));

    for (name, hypers, decay) in
        [("adam", &[0.01, 0.9, 0.999, 1e-8][..], 0.0), ("adamw", &[0.01, 0.9, 0.999, 1e-8, 0.1], 0.1)]
    {
        let adam = rule("", name);
        assert_eq!(adam.graph.hypers[0].default, None);
        assert_eq!(adam.graph.hypers[1].default, Some(0.9));
        let found = step(&adam, &[&W, &G, &M, &V, &[3.0]], hypers);
        let (m, v) = (each(|i| 0.9 * M[i] + 0.1 * G[i]), each(|i| 0.999 * V[i] + 0.001 * G[i] * G[i]));
        let (c1, c2) = (1.0 - 0.9f64.powi(3), 1.0 - 0.999f64.powi(3));
        near(&found[0], &each(|i| W[i] - 0.01 * (m[i] / c1 / ((v[i] / c2).sqrt() + 1e-8) + decay * W[i])));
        near(&found[1], &m);
        near(&found[2], &v);
    }
}

#[test]
fn nesterov_rmsprop_and_lion() {
    let found = step(&rule("", "nesterov"), &[&W, &G, &M], &[0.1, 0.9]);
    let m = each(|i| 0.9 * M[i] + G[i]);
    near(&found[1], &m);
    near(&found[0], &each(|i| W[i] - 0.1 * (G[i] + 0.9 * m[i])));

    let found = step(&rule("", "rmsprop"), &[&W, &G, &V], &[0.1, 0.8, 1e-3]);
    let v = each(|i| 0.8 * V[i] + 0.2 * G[i] * G[i]);
    near(&found[1], &v);
    near(&found[0], &each(|i| W[i] - 0.1 * G[i] / (v[i].sqrt() + 1e-3)));

    let lion = rule("", "lion");
    assert_eq!(lion.graph.hypers[3].default, Some(0.0));
    let found = step(&lion, &[&W, &G, &M], &[0.5, 0.9, 0.99, 0.1]);
    near(&found[0], &each(|i| W[i] - 0.5 * ((0.9 * M[i] + 0.1 * G[i]).signum() + 0.1 * W[i])));
    near(&found[1], &each(|i| 0.99 * M[i] + 0.01 * G[i]));
}

#[test]
fn ones_own_rule() {
    let text = "#[optimizer]
        fn signum(w: Weight, g: Gradient, m: Moment, lr: f32, #[default(0.9)] b: f32) -> (Weight, Moment) {
            let m = b * m + (1.0 - b) * g;
            (w - lr * sign(m), m)
        }";
    let found = step(&rule(text, "signum"), &[&W, &G, &M], &[0.5, 0.9]);
    near(&found[0], &each(|i| W[i] - 0.5 * (0.9 * M[i] + 0.1 * G[i]).signum()));
}

#[test]
fn what_an_optimizer_is_not() {
    let wrong = |body: &str, output: &str| {
        let text =
            format!("#[optimizer] fn f(w: Weight, g: Gradient, m: Moment, lr: f32) -> {output} {{ {body} }}");
        messages(&optimizer(&linked(&text, "f")).expect_err(body))
    };
    let text = wrong("(w - lr * g / sqrt(sum_squares(g)), m)", "(Weight, Moment)");
    assert!(
        text.contains("`f` is an optimizer, which works element by element, and `sum_squares` does not"),
        "{text}"
    );
    let text = wrong("w - lr * g", "Weight");
    assert!(text.contains("`f` returns 1 value; it should return the weight and its moment (`m`)"), "{text}");
}
