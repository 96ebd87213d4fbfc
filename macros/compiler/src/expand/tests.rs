//! The exchange between hidden macros, played without rustc: what each item asks, what it answers, and how
//! large the answers get.

use std::collections::HashMap;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::quote;

/// Items expanded so far: the answer of each hidden macro, by the item's name.
#[derive(Default)]
struct Crate(HashMap<String, TokenStream>);

/// What an item expanded to in the end.
struct Expanded {
    errors: Vec<String>,
    questions: usize,
    text: String,
}

impl Crate {
    /// Expands an item, letting the hidden macros that are known answer.
    fn item(&mut self, attribute: &str, arguments: &str, item: &str) -> Expanded {
        let (arguments, item) = (arguments.parse().expect("tokens"), item.parse().expect("tokens"));
        let mut out = super::attribute(attribute, arguments, item);
        let mut expanded = Expanded { errors: Vec::new(), questions: 0, text: String::new() };
        loop {
            expanded.text.push_str(&out.to_string());
            let tokens: Vec<_> = out.into_iter().collect();
            expanded.errors.extend(errors(&tokens));
            if let Some((name, answer)) = answer(&tokens) {
                self.0.insert(name, answer);
            }
            let Some((callee, state)) = question(&tokens) else { return expanded };
            expanded.questions += 1;
            let Some(answer) = self.0.get(&callee) else { panic!("cannot find macro `{callee}`") };
            out = super::link(quote!({ #answer } #state));
        }
    }

    fn good(&mut self, attribute: &str, item: &str) -> Expanded {
        let expanded = self.item(attribute, "", item);
        assert_eq!(expanded.errors, [""; 0], "{item}");
        expanded
    }
}

/// `callee ! { @link 1 { … } state }`: the callee's last name, and the state.
fn question(tokens: &[TokenTree]) -> Option<(String, TokenStream)> {
    let at = tokens
        .iter()
        .position(|t| matches!(t, TokenTree::Group(g) if g.stream().to_string().starts_with("@ link")))?;
    let TokenTree::Group(group) = &tokens[at] else { return None };
    Some((tokens[at - 2].to_string(), group.stream().into_iter().skip(4).collect()))
}

/// `macro_rules! hidden { (…) => { … { { answer } … } } … }` followed by `use hidden as name`.
fn answer(tokens: &[TokenTree]) -> Option<(String, TokenStream)> {
    let at = tokens.iter().position(|t| matches!(t, TokenTree::Ident(i) if i == "macro_rules"))?;
    let TokenTree::Group(rules) = &tokens[at + 3] else { return None };
    let body = rules.stream().into_iter().find_map(|t| match t {
        TokenTree::Group(g) if g.delimiter() == Delimiter::Brace => Some(g.stream()),
        _ => None,
    })?;
    let TokenTree::Group(reply) = body.into_iter().last()? else { return None };
    let TokenTree::Group(answer) = reply.stream().into_iter().next()? else { return None };
    let alias = tokens[at..].iter().position(|t| matches!(t, TokenTree::Ident(i) if i == "as"))?;
    Some((tokens[at + alias + 1].to_string(), answer.stream()))
}

fn errors(tokens: &[TokenTree]) -> Vec<String> {
    let at =
        tokens.iter().enumerate().filter(|(_, t)| matches!(t, TokenTree::Ident(i) if i == "compile_error"));
    at.map(|(i, _)| tokens[i + 2].to_string()).collect()
}

fn count(tokens: TokenStream) -> usize {
    tokens.into_iter().map(|t| if let TokenTree::Group(g) = t { 1 + count(g.stream()) } else { 1 }).sum()
}

#[test]
fn a_diamond_of_thirty_levels_grows_linearly() {
    let mut krate = Crate::default();
    krate.good("layer", "fn a0(x: Tensor<B, 4>) -> Tensor<B, 4> { x }");
    krate.good("layer", "fn b0(x: Tensor<B, 4>) -> Tensor<B, 4> { x }");
    let mut sizes = Vec::new();
    for level in 1..=30 {
        let below = level - 1;
        for name in ["a", "b"] {
            let item = format!(
                "fn {name}{level}(x: Tensor<B, 4>) -> Tensor<B, 4> {{ a{below}(x) + b{below}(x) + a{below}(x) }}"
            );
            let expanded = krate.good("layer", &item);
            assert_eq!(expanded.questions, 2, "each callee is asked once");
        }
        sizes.push(count(krate.0[&format!("a{level}")].clone()));
    }
    let steps: Vec<_> = sizes.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(steps.iter().all(|step| step.abs_diff(steps[5]) < 8), "{steps:?}");
}

#[test]
fn a_callee_is_asked_only_for_what_must_be_a_function() {
    let mut krate = Crate::default();
    krate.good("constant", "const LATENT: usize = 4;");
    krate.good(
        "layer",
        "fn twice(f: impl Fn(Tensor<B, _>) -> Tensor<B, _>, x: Tensor<B, _>) -> Tensor<B, _> { f(f(x)) }",
    );
    krate.good("layer", "fn same(x: Tensor<B, _>) -> Tensor<B, _> { x }");
    let one = krate.good("function", "fn one(x: Tensor<B, LATENT>) -> Tensor<B, LATENT> { twice(same, x) }");
    assert_eq!(one.questions, 3);
    let typo = krate.item("function", "", "fn three(x: Tensor<B, 4>) -> Tensor<B, 4> { same(xx) }");
    assert!(typo.errors.len() == 1 && typo.errors[0].contains("`xx` is not known here"), "{:?}", typo.errors);
    let typo = krate.item("function", "", "fn four(x: Tensor<B, 4>) -> Tensor<B, 4> { exp(xx) }");
    assert!(typo.errors.len() == 1 && typo.questions == 0, "{:?}", typo.errors);
}

#[test]
fn who_links_a_failed_function_stays_silent_and_so_do_its_callers() {
    let mut krate = Crate::default();
    let failed = krate.item("layer", "", "fn failed(x: Tensor<B, 4>) -> Tensor<B, 4> { x.relu() }");
    assert_eq!(failed.errors.len(), 1);
    assert!(failed.text.contains("struct failed"));
    for (name, callee) in [("first", "failed"), ("second", "first")] {
        let item = format!("fn {name}(x: Tensor<B, 4>) -> Tensor<B> {{ sum({callee}(x)) }}");
        let expanded = krate.good("loss", &item);
        assert!(expanded.text.contains("Root for"), "the traits stand all the same");
    }
}

#[test]
fn what_cannot_be_linked_is_one_error() {
    let mut krate = Crate::default();
    for call in ["f", "self::f"] {
        let item = format!("fn f(x: Tensor<B, 4>) -> Tensor<B, 4> {{ {call}(x) }}");
        let itself = krate.item("layer", "", &item);
        assert!(itself.errors.len() == 1 && itself.errors[0].contains("calls itself"), "{:?}", itself.errors);
    }
    let calls: Vec<_> = (0..61).map(|i| format!("f{i}(x)")).collect();
    let item = format!("fn many(x: Tensor<B, 4>) -> Tensor<B, 4> {{ {} }}", calls.join(" + "));
    let many = krate.item("layer", "", &item);
    assert!(many.errors.len() == 1 && many.errors[0].contains("61 functions"), "{:?}", many.errors);
    let other = super::link(quote!({ "id" { } } { something else }));
    assert!(other.to_string().contains("two versions of Diabolo"));
}

#[test]
fn nothing_an_attribute_is_given_makes_it_panic() {
    for attribute in ["network", "loss", "constant", "state", "optimizer"] {
        for item in
            ["", "struct S;", "fn", "mod m {}", "const X: usize = 3;", "fn f();", "1 + 1", "fn f() {}"]
        {
            let out = super::attribute(attribute, quote!(), item.parse().expect("tokens"));
            assert!(
                attribute == "constant" || out.to_string().contains("compile_error"),
                "{attribute} {item}"
            );
        }
    }
    for input in ["", "{}", "{} {}", "{ poison }", "{ \"a\" {} } {} {} {} {}", "x"] {
        super::link(input.parse().expect("tokens"));
    }
}

#[test]
fn an_expansion_has_no_path_of_this_machine_and_is_the_same_twice() {
    let item: TokenStream = "fn f(x: Tensor<B, 4>) -> Tensor<B, 4> { x }".parse().expect("tokens");
    let text = || super::attribute("layer", quote!(), item.clone()).to_string();
    let (one, two) = (text(), text());
    assert!(!one.contains(env!("CARGO_MANIFEST_DIR")) && !one.contains("/home"));
    // The second time at the same place is another item, and only its id differs.
    let id = |t: &str| t.split("__diabolo_f_").nth(1).expect("hidden")[..16].to_owned();
    assert_ne!(id(&one), id(&two));
    assert_eq!(one.replace(&id(&one), ""), two.replace(&id(&two), ""));
}

#[test]
fn documentation_and_attributes_move_to_the_struct() {
    let item = "/// A layer.\n///\n/// ```\n/// assert!(true);\n/// ```\n#[deprecated] fn f(x: Tensor<B, 4>) -> Tensor<B, 4> { x }";
    let text = Crate::default().good("layer", item).text;
    let before = text.split("struct f").next().expect("struct");
    for kept in [" A layer.", "assert!(true)", "deprecated", "`fn f(x: Tensor<B, 4>) -> Tensor<B, 4>`"] {
        assert!(before.contains(kept), "{kept}: {before}");
    }
}
