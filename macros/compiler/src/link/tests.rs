//! Linking from files: what is reached, in which order, and what is refused.

use super::*;

const CODE: &str = r#"
    #[constant] const LATENT: usize = 32;
    #[layer] fn dense(x: Tensor<B, _, I>, out: usize) -> Tensor<B, _, out> {
        let w: Tensor<I, out> = param(kaiming());
        einsum("bi,io->bo", x, w)
    }
    #[encoder] fn encode(x: Tensor<B, 784>) -> Tensor<B, LATENT> { dense(relu(dense(x, 256)), LATENT) }
    #[network] fn critic(z: Tensor<B, LATENT>) -> Tensor<B> { squeeze(dense(z, 1)) }
    #[loss(trains(encode))] fn total(x: Tensor<B, 784>, #[default(0.1)] lambda: f32) -> Tensor<B> {
        let e = nets::encode(x);
        let dense = e + 1.0;
        for i in 0..3 { inspect("i", i); }
        lambda * sum_squares(jacobian(encode, x)) + sum_squares(grad(|w| w, dense)) - critic(e)
    }
"#;

fn callees<'a>(linked: &'a Linked, name: &str) -> Vec<&'a str> {
    let item = linked.items.values().find(|i| i.item.name().text == name).expect("linked");
    item.callees.iter().map(|c| c.path.as_str()).collect()
}

#[test]
fn free_names_are_linked_in_order_and_local_ones_are_not() {
    let linked = from_source(&[("net.rs", CODE)], "total").expect("links");
    assert_eq!(linked.name(), "total");
    assert_eq!(callees(&linked, "total"), ["nets::encode", "encode", "critic"]);
    assert_eq!(callees(&linked, "encode"), ["LATENT", "dense"]);
    assert_eq!(callees(&linked, "dense"), [""; 0]);
    assert_eq!(linked.items.len(), 5);
    assert_eq!(linked.resolve(&linked.root, "critic").expect("resolved").place.to_string(), "net.rs:8");
}

fn message(code: &str, root: &str) -> String {
    from_source(&[("net.rs", code)], root).expect_err("refused").0[0].message.clone()
}

#[test]
fn what_reaches_itself_is_refused() {
    let one = "#[function] fn f(x: Tensor<B>) -> Tensor<B> { f(x) }";
    assert!(message(one, "f").starts_with("`f` calls itself"));
    let two = "#[function] fn f(x: Tensor<B>) -> Tensor<B> { g(x) }
               #[function] fn g(x: Tensor<B>) -> Tensor<B> { f(x) }
               #[function] fn h(x: Tensor<B>) -> Tensor<B> { f(x) }";
    assert!(message(two, "h").starts_with("`f` reaches itself: f → g → f"));
}

#[test]
fn an_unknown_name_says_how_to_declare_it() {
    let code = "#[function] fn f(x: Tensor<B, LATENT>) -> Tensor<B> { dense(x) }";
    let errors = from_source(&[("net.rs", code)], "f").expect_err("refused").0;
    assert!(errors[0].message.contains("#[constant] const LATENT: usize"));
    assert!(errors[1].message.contains("`dense` is not known here"));
}
