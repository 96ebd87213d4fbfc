//! States: who owns them, what replaces them, and what may not.

use super::*;

const USAGE: &str = "
#[state] fn usage() -> Tensor<2> { zeros() }
#[network] fn encode(x: Tensor<B, 2>) -> Tensor<B, 2> { dense(x, 2) }
#[layer] fn average(x: Tensor<B, I>) -> Tensor<B, I> {
    let mean: Tensor<I> = state(constant(0.5));
    update(mean, 0.75 * mean + 0.25 * batch_mean(x));
    x - mean
}
#[network] fn centred(x: Tensor<B, 2>) -> Tensor<B, 2> { average(average(x)) }
";

fn program(body: &str) -> String {
    format!("{USAGE}#[loss] fn f(x: Tensor<B, 2>) -> Tensor<B> {{\n{body}\n}}")
}

fn refused(body: &str) -> String {
    mistakes(&program(body), "f")
}

/// The parameters that are states, and those that have a new value.
fn states(graph: &Graph) -> (Vec<String>, Vec<String>) {
    let declared = graph.params.iter().filter(|param| param.state).map(|param| param.path.clone());
    let updated = graph.outputs.iter().filter_map(|output| match output.role {
        Role::State(param) => Some(graph.params[param].path.clone()),
        _ => None,
    });
    (declared.collect(), updated.collect())
}

#[test]
fn a_state_is_read_as_it_was_and_written_after_the_step() {
    let text = program("update(usage(), 0.75 * usage() + 0.25 * batch_mean(x));\nsum(x * usage())");
    let graph = graph(&text, "f");
    assert_eq!(states(&graph), (vec!["usage".to_owned()], vec!["usage".to_owned()]));
    let given =
        Given { rows: 2, inputs: &[&[1.0, 2.0, 3.0, 8.0]], params: &[&[4.0, -4.0]], ..Given::default() };
    near(&given.run(&graph, &Role::State(0)), &[3.0 + 0.5, -3.0 + 1.25]);
    near(&given.run(&graph, &Role::Loss), &[(4.0 - 8.0 + 12.0 - 32.0) / 2.0]);
}

#[test]
fn a_number_fills_a_state_and_a_scalar_is_one() {
    let text = "#[state] fn count() -> Scalar { zeros() }
        #[state] fn seen() -> Tensor<3> { ones() }
        #[loss] fn f(x: Tensor<B, 2>) -> Tensor<B> { update(count(), count() + 1.0); update(seen(), 7.0); sum(x) }";
    let graph = graph(text, "f");
    let given = Given { rows: 1, inputs: &[&[1.0, 2.0]], params: &[&[4.0], &[0.0; 3]], ..Given::default() };
    near(&given.run(&graph, &Role::State(0)), &[5.0]);
    near(&given.run(&graph, &Role::State(1)), &[7.0; 3]);
}

#[test]
fn states_of_layers_are_named_like_parameters_and_have_no_gradient() {
    let text = program("sum(square(centred(encode(x))))");
    let mut graph = graph(&text, "f");
    let paths = ["centred.average0.mean", "centred.average1.mean"].map(str::to_owned);
    assert_eq!(states(&graph), (paths.to_vec(), paths.to_vec()));
    let mean = graph.params.iter().find(|param| param.state).unwrap();
    assert_eq!(
        (mean.ty.to_string(), &mean.initial),
        ("Tensor<2>".into(), &crate::graph::Initial::Constant(0.5))
    );
    crate::autodiff::differentiate_loss(&mut graph);
    let trained: Vec<&str> = graph
        .outputs
        .iter()
        .filter_map(|output| match output.role {
            Role::Gradient(param) => Some(graph.params[param].path.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(trained, ["encode.dense0.weight", "encode.dense0.bias"]);
}

#[test]
fn evaluation_replaces_nothing() {
    let text = program("sum(centred(x))");
    let lowered = lowered(&text, "f", Mode::Evaluate);
    assert_eq!(states(&lowered.graph).1, Vec::<String>::new());
    assert!(lowered.depends_on_mode);
}

#[test]
fn what_an_update_is_not() {
    for (body, wanted) in [
        (
            "update(usage(), x);\nsum(x)",
            "`usage` is Tensor<2>, without rows, and its new value is Tensor<B, 2>",
        ),
        (
            "update(usage(), batch_mean(sum(x)) * ones3());\nsum(x)",
            "`usage` is Tensor<2>, and its new value is Tensor<3>",
        ),
        ("update(x, x);\nsum(x)", "`update` replaces a state, and this is Tensor<B, 2>"),
        ("update(2.0 * usage(), usage());\nsum(x)", "`update` replaces a state, and this is Tensor<2>"),
        (
            "update(weight(), weight());\nsum(x)",
            "`weight.weight` is a parameter, which the optimizer changes",
        ),
        (
            "update(usage(), usage());\nupdate(usage(), 2.0 * usage());\nsum(x)",
            "12: `usage` is updated twice in one step",
        ),
        ("sum(centred(x) + centred(2.0 * x))", "`centred.average0.mean` is updated twice in one step"),
        ("sum_squares(grad(|y| sum(centred(y)), x))", "`centred.average0.mean` is updated under `grad`"),
        ("sum_squares(jacobian(centred, x))", "`centred.average0.mean` is updated under `jacobian`"),
        ("let y: Tensor<B, 2> = average(x);\nsum(y)", "`average` makes parameters, and `f` is a loss"),
        ("let s: Tensor<2> = state(zeros());\nsum(x)", "`f` is a loss, so `state` would have no owner"),
    ] {
        let extra = "#[network] fn weight() -> Tensor<2> { param(zeros()) }\n#[function] fn ones3() -> Tensor<3> { ones() }\n";
        let text = format!("{}\n{extra}", program(body));
        let found = mistakes(&text, "f");
        assert!(found.contains(wanted), "{body}\nmisses \"{wanted}\":\n{found}");
    }
    let found = refused("update(encode(x));\nsum(x)");
    assert!(found.contains("`update`"), "{found}");
}

#[test]
fn what_a_state_is_not() {
    let state = |text: &str| {
        let text = format!("{text}\n#[loss] fn f(x: Tensor<B, 2>) -> Tensor<B> {{ sum(x * usage()) }}");
        match from_source(&[("example.rs", &text)], "f") {
            Ok(linked) => messages(&lower(&linked, Mode::Train).expect_err(&text)),
            Err(errors) => messages(&errors),
        }
    };
    for (text, wanted) in [
        ("#[state] fn usage() -> Tensor<2> { 3.0 * ones() }", "the body of a state says how it starts"),
        ("#[state] fn usage(n: usize) -> Tensor<2> { zeros() }", "takes no arguments"),
        ("#[state] fn usage() -> Tensor<B, 2> { zeros() }", "one value for the whole batch, without rows"),
        (
            "#[state] fn usage() -> (Scalar, Scalar) { zeros() }",
            "it is one `Tensor<…>` without rows, or a `Scalar`",
        ),
    ] {
        let found = state(text);
        assert!(found.contains(wanted), "{text}\nmisses \"{wanted}\":\n{found}");
    }
}

#[test]
fn a_derivative_by_hand_updates_nothing() {
    let text = "#[state] fn seen() -> Scalar { zeros() }
        #[function(backward = slope)] fn twice(x: Tensor<B, 2>) -> Tensor<B, 2> { 2.0 * x }
        #[function] fn slope(x: Tensor<B, 2>, g: Tensor<B, 2>) -> Tensor<B, 2> { update(seen(), 1.0); 2.0 * g }
        #[loss] fn f(x: Tensor<B, 2>) -> Tensor<B> { sum(twice(x)) }";
    let found = mistakes(text, "f");
    assert!(found.contains("`slope` is a derivative by hand, in which no state can be updated"), "{found}");
}
