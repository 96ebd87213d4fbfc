//! Functions as values, and functions with sizes.

use super::*;

const X: [f64; 6] = [0.3, -1.2, 0.8, 2.0, 0.1, -0.4];

fn rows() -> Given<'static> {
    Given { rows: 2, inputs: &[&X], ..Given::default() }
}

const HELPERS: &str = "
#[function] fn double(x: Tensor<B, _>) -> Tensor<B, _> { 2.0 * x }
#[function] fn shift(x: Tensor<B, _>, #[default(1.0)] by: f32) -> Tensor<B, _> { x + by }
#[layer] fn apply(f: impl Fn(Tensor) -> Tensor, x: Tensor<B, _>) -> Tensor<B, _> { f(x) }
#[layer] fn twice(f: impl Fn(Tensor) -> Tensor, x: Tensor<B, _>) -> Tensor<B, _> { apply(f, apply(|y| f(y), x)) }
";

fn of_x(body: &str) -> String {
    format!("{HELPERS}#[function] fn f(x: Tensor<B, 3>) -> Tensor<B, 3> {{ {body} }}")
}

#[test]
fn a_function_is_a_value() {
    let each = |of: &dyn Fn(f64) -> f64| X.iter().map(|x| of(*x)).collect::<Vec<_>>();
    let relu = |x: f64| x.max(0.0);
    let cases: &[(&str, &dyn Fn(f64) -> f64)] = &[
        ("let f = double; f(x)", &|x| 2.0 * x),
        ("let f = double; let g = f; g(g(x))", &|x| 4.0 * x),
        ("let f = shift; f(x, by = 3.0)", &|x| x + 3.0),
        ("let f = relu; f(x)", &relu),
        ("let (f, g) = (double, shift); g(f(x))", &|x| 2.0 * x + 1.0),
        ("let f = if training() { double } else { shift }; f(x)", &|x| 2.0 * x),
        ("let mut f = double; f = shift; f(x)", &|x| x + 1.0),
        ("apply(relu, x)", &relu),
        ("twice(double, x)", &|x| 4.0 * x),
        ("let f = double; twice(f, x)", &|x| 4.0 * x),
        ("let by = sum(x); let f = |y| y + 0.0 * unsqueeze(by, 1) + x; twice(f, x)", &|x| 3.0 * x),
        ("let f = |g, y| g(g(y)); f(double, x)", &|x| 4.0 * x),
        ("let f = |g, y| g(g(y)); let h = |y| f(double, y); f(h, x)", &|x| 16.0 * x),
        ("let f = |g| |y| g(y) + 1.0; let h = f(double); h(x)", &|x| 2.0 * x + 1.0),
        ("let f = double; grad(|x| { let g = |y| f(y) * y; sum(g(x)) }, x)", &|x| 4.0 * x),
        ("let f = |y| y * y; let slope = |y| grad(|y| sum(f(y)), y); slope(slope(x))", &|x| 4.0 * x),
    ];
    for (body, expected) in cases {
        check(&of_x(body), &rows(), &each(expected));
    }
}

#[test]
fn what_a_name_stands_for_is_linked_as_it_is_used() {
    use crate::link::free::{Usage, paths};
    let usage = |body: &str| -> Vec<(String, Usage)> {
        let text: proc_macro2::TokenStream =
            format!("fn f(x: Tensor<B>) -> Tensor<B> {{ {body} }}").parse().expect("tokens");
        let item = crate::parse::item("function", Default::default(), text).expect("an item");
        paths(&item).into_iter().map(|free| (free.path.text, free.usage)).collect()
    };
    assert_eq!(usage("let f = g; f(x)"), [("g".into(), Usage::Function)]);
    assert_eq!(usage("let f = g; grad(f, x)"), [("g".into(), Usage::Function)]);
    assert_eq!(usage("let d = grad; d(g, x)")[0], ("g".into(), Usage::Function));
    assert_eq!(usage("let f = g::<8>; x")[0], ("g".into(), Usage::Function));
    assert_eq!(usage("let h = |f, y| f(y); h(g, x)"), [("g".into(), Usage::Function)]);
    // A misspelt local stays our own mistake.
    assert_eq!(usage("let y = xx; y + x"), [("xx".into(), Usage::Value)]);
    assert_eq!(usage("let h = |y, z| y * z; h(xx, x)")[0].0, "xx");
    assert!(!matches!(usage("let h = |y, z| y * z; h(xx, x)")[0].1, Usage::Function));
    assert!(matches!(usage("let f = g; apply(f, x)")[0].1, Usage::Argument(_)));
}

const SIZED: &str = "
#[constant] const WIDE: usize = 3;
#[network] fn net<const K: usize>(x: Tensor<B, 3>) -> Tensor<B, K> {
    let w: Tensor<3, K> = param(ones());
    einsum(\"bi,ik->bk\", x, w)
}
#[network] fn back<const K: usize>(z: Tensor<B, K>) -> Tensor<B, 3> {
    let w: Tensor<K, 3> = param(ones());
    einsum(\"bk,ki->bi\", z, w)
}
#[function] fn ends<const K: usize>(x: Tensor<B, _>) -> Tensor<B, K> { slice(x, start = 0, end = K) }
";

fn sized(body: &str) -> String {
    format!("{SIZED}#[loss] fn f(x: Tensor<B, 3>) -> Tensor<B> {{ {body} }}")
}

#[track_caller]
fn networks(body: &str, expected: &[&str]) {
    let graph = graph(&sized(body), "f");
    let names: Vec<_> = graph.networks.iter().map(|n| n.name.as_str()).collect();
    assert_eq!(names, expected);
    assert!(graph.networks.iter().all(|n| !n.routes.is_empty()), "each is reached");
}

#[test]
fn sizes_are_written_found_or_declared() {
    networks("sum(net::<2>(x))", &["net<2>"]);
    networks("sum(net::<{ 2 * WIDE }>(x))", &["net<6>"]);
    networks("let z: Tensor<B, 5> = net(x); sum(z)", &["net<5>"]);
    networks("sum(back(net::<2>(x))) + sum(back(x))", &["net<2>", "back<2>", "back<3>"]);
    networks("sum(net::<2>(x)) + sum(net::<4>(x)) + sum(net::<2>(x))", &["net<2>", "net<4>"]);
    networks("let f = net::<2>; sum(f(x)) + sum_squares(jacobian(f, x))", &["net<2>"]);
    networks(
        "sum(grad(|x| sum(net::<2>(x)), x)) + sum(jacobian(net::<4>, x), axis = (1, 2))",
        &["net<2>", "net<4>"],
    );
    networks("sum(ends::<2>(net::<WIDE>(x)))", &["net<3>"]);
    let graph = graph(&sized("sum(net::<2>(x))"), "f");
    assert_eq!(graph.params[0].path, "net<2>.w");
}

#[test]
fn sizes_that_do_not_fit_say_why() {
    let says = |body: &str, text: &str| {
        let found = mistakes(&sized(body), "f");
        assert!(found.contains(text), "this misses \"{text}\":\n{found}");
    };
    says(
        "sum(net(x))",
        "`net` is one network for each `K`, and nothing says which one this is: `net::<8>(…)`",
    );
    says(
        "sum(net::<2, 3>(x))",
        "`net` is declared with `<const K: usize>` at example.rs:3, and is given 2 here",
    );
    says("let f = net::<2>; sum(f::<3>(x))", "`f` has its sizes already");
    says("sum(relu::<3>(x))", "only an annotated function has sizes, so `relu::<…>` has no meaning");
    says("sum(net::<{ 3 / 2 }>(x))", "`3 / 2` is not whole");
    says("sum(ends::<5>(x))", "elements 0 to 5 are not inside an axis of 3");
    says("let z: Tensor<B, 4> = net::<2>(x); sum(z)", "2 where 4 is expected");
    says("sum(back::<2>(x))", "3 where 2 is expected (axis 1); `K` comes from the sizes of the call");
}

#[test]
fn a_root_with_values_is_lowered_for_each() {
    let text = "#[encoder] fn f<#[values(4, 2)] const K: usize>(x: Tensor<B, 3>) -> Tensor<B, K> {
        let w: Tensor<3, K> = param(ones());
        einsum(\"bi,ik->bk\", x, w)
    }";
    let linked = linked(text, "f");
    let sizes = linked.programs();
    assert_eq!(sizes, [[("K".to_owned(), 2)], [("K".to_owned(), 4)]]);
    for (sizes, shape) in sizes.into_iter().zip(["Tensor<3, 2>", "Tensor<3, 4>"]) {
        let name = format!("f<{}>", sizes[0].1);
        let graph = lower(&Linked { sizes, ..linked.clone() }, Mode::Train).expect("lowered").graph;
        assert_eq!((graph.params[0].ty.to_string(), graph.networks[0].name.clone()), (shape.into(), name));
    }
}

#[test]
fn an_initialiser_is_an_argument() {
    let text = |body: &str| {
        format!(
            "#[layer] fn scale(x: Tensor<B, I>, #[default(normal_init(1.0 / I))] init: Initial) -> Tensor<B, I> {{
                let scale: Tensor<I> = param(init);
                x * scale
            }}
            #[network] fn f(x: Tensor<B, 4>) -> Tensor<B, 4> {{ {body} }}"
        )
    };
    let initial = |body: &str| graph(&text(body), "f").params[0].initial.clone();
    assert_eq!(initial("scale(x)"), crate::graph::Initial::Normal(0.25));
    assert_eq!(initial("scale(x, init = ones())"), crate::graph::Initial::Constant(1.0));
    assert_eq!(initial("dense(x, 4, init = orthogonal())"), crate::graph::Initial::Orthogonal);
    assert_eq!(initial("dense(x, 4)"), crate::graph::Initial::FanIn(crate::size::Size::known(4)));
    let found = mistakes(&text("dense(x, 4, init = x)"), "f");
    assert!(found.contains("`dense` takes Initial as `init`, but this is Tensor<B, 4>"), "{found}");
}

#[test]
fn parameters_do_not_depend_on_the_mode() {
    let text = |body: &str| {
        format!(
            "#[network] fn net(x: Tensor<B, 4>) -> Tensor<B, 4> {{ {body} }}
            #[loss] fn f(x: Tensor<B, 4>) -> Tensor<B> {{ sum_squares(net(x)) }}"
        )
    };
    let refused = text("let y = if training() { dense(x, 4) } else { x }; dense(y, 4)");
    for root in ["f", "net"] {
        let found = mistakes(&refused, root);
        let says = "`net` has other parameters while it trains than when it runs (`net.dense1.weight`)";
        assert!(found.contains(says), "{found}");
    }
    graph(&text("let y = dense(x, 4); let z = if training() { y } else { x }; dense(z, 4)"), "f");
}
