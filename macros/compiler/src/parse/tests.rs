//! What parses, what is refused and where, and that no tokens make the parser panic.

use quote::quote;

use super::*;
use crate::ast::*;

fn parse(attribute: &str, code: &str) -> Result<crate::ast::Item> {
    item(attribute, TokenStream::new(), code.parse().expect("tokens"))
}

fn function(code: &str) -> Function {
    match parse("loss", code) {
        Ok(Item::Function(function)) => function,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_signature_keeps_rows_features_sizes_and_defaults() {
    let f = function(
        "fn f<const K: usize>(x: Tensor<Rows<B, 50>, _, {2 * K}>, w: Tensor<16, LATENT>, #[default(-0.5)] lambda: f32,
            n: usize, g: impl Fn(Tensor<B>) -> Tensor<B>, on: bool) -> (Tensor<B>, Scalar) { (x, w) }",
    );
    let TypeExpr::Tensor { rows: Some(rows), features, .. } = &f.params[0].ty else { panic!() };
    assert!(matches!(rows.as_slice(), [SizeExpr::Literal(50, _)]));
    assert!(matches!(
        features.as_slice(),
        [FeatureExpr::Any(_), FeatureExpr::Size(SizeExpr::Binary('*', ..))]
    ));
    let TypeExpr::Tensor { rows: None, features, .. } = &f.params[1].ty else { panic!() };
    assert!(matches!(&features[1], FeatureExpr::Size(SizeExpr::Name(n)) if n.text == "LATENT"));
    assert!(matches!(&f.params[2].default.as_ref().expect("default").kind, ExprKind::Unary("-", _)));
    assert!(matches!(f.params[4].ty, TypeExpr::Function(_)));
    assert!(matches!(&f.output, TypeExpr::Tuple(parts, _) if parts.len() == 2));
}

#[test]
fn a_body_keeps_statements_and_named_arguments() {
    let f = function(
        "fn f(x: Tensor<B, 2>) -> Tensor<B> {
            let (a, _) = split(x, axis = 1);
            let mut y: Tensor<B, 2> = zeros();
            for i in 0..=3 { y += nn::dense(a, i) * 2_000; }
            if training() { update(y, x); }
            grad(|w| if on { -w } else { w }, y)
        }",
    );
    assert!(
        matches!(&f.body.statements[0], Statement::Let { pattern: Pattern::Tuple(parts, _), .. } if parts.len() == 2)
    );
    let Statement::For { body, inclusive: true, .. } = &f.body.statements[2] else { panic!() };
    let Statement::Assign(name, value) = &body.statements[0] else { panic!() };
    assert!(name.text == "y" && matches!(value.kind, ExprKind::Binary("+", ..)));
    assert!(matches!(&f.body.statements[3], Statement::Expr(Expr { kind: ExprKind::If(_, _, None), .. })));
    assert!(f.body.value.is_some());
}

#[test]
fn imported_items_take_the_span_of_the_call_and_keep_their_lines() {
    let here: TokenStream = "\n\n\n   here".parse().expect("tokens");
    let here = here.into_iter().next().expect("token").span();
    let arguments = Arguments::parse("function", quote!()).expect("arguments");
    let code = "fn f(x: Tensor<B>) -> Tensor<B> {\n exp(x)\n}".parse().expect("tokens");
    let Ok(Item::Function(f)) = imported(&arguments, code, here) else { panic!() };
    let value = f.body.value.expect("value");
    assert_eq!((value.span.start().line, value.line), (4, 2));
    assert_eq!(f.name.span.start().line, 4);
}

/// One line of a body, and what its error must say; each is exactly one error.
#[rustfmt::skip]
const REFUSED: &[(&str, &str)] = &[
    ("x.relu()", "write `relu(x)`"),
    ("x.sum(1)", "write `sum(x, …)`"),
    ("match x { _ => x }", "`match` is not part"),
    ("while true { } x", "`for i in 0..4"),
    ("loop { } x", "`for i in 0..4"),
    ("return x", "the last expression is the value"),
    ("&x", "needs no `&`"),
    ("*x", "needs no `*`"),
    ("x[0]", "`slice`"),
    ("x.0", "let (a, b)"),
    ("x as f32", "needs no `as`"),
    ("[x, x]", "a tuple"),
    ("vanilla { beta: 1.0 }", "`vanilla(x, name = 0.2)`"),
    ("x?", "can fail"),
    ("println!(\"{x}\"); x", "inspect"),
    ("vec![x]", "macros such as `vec!`"),
    ("unsafe { x }", "`unsafe`"),
    ("x & x", "this operator"),
    ("f(axis = 1, x)", "come last"),
    ("f(x, a = 1, a = 2)", "`a` twice"),
    ("a::<3>::f(x)", "`::<…>` gives sizes to a function"),
    ("f::<-1>(x)", "a size is"),
    ("f::<'a'>(x)", "a size is"),
    ("(|y| y)(x)", "by the word it is given to"),
    ("let y; x", "needs a value"),
    ("let Some(y) = x; x", "a pattern is"),
    ("let y = x else { x }; x", "let … else"),
    ("fn g() {} x", "define it outside"),
    ("#[cfg(test)] let y = x; x", "attributes inside"),
    ("x + x; x", "not used"),
    ("for i in x { } x", "a range of constants"),
    ("x.y = x; x", "only a name made by"),
    ("let y = x;", "ends without a value"),
    ("'c'", "a literal of Diabolo"),
    ("move |y| y", "no `move`"),
    ("let y: &Tensor<B> = x; x", "needs no `&`"),
    ("let y: Vec<f32> = x; x", "`Vec<…>` is not a type"),
    ("let y: Tensor<3, B> = x; x", "stands first"),
    ("let y: Tensor<B, _, _> = x; x", "one is enough"),
    ("let y: Tensor = x; x", "says its axes"),
    ("let y: Tensor<Rows<N>, 2> = x; x", "starts with `B`"),
    ("let y: Tensor<B, -1> = x; x", "a size is"),
];

#[test]
fn each_construct_that_is_not_diabolo_is_one_error_at_its_place() {
    for (line, expected) in REFUSED {
        let code = format!("fn f(x: Tensor<B>) -> Tensor<B> {{\n{line}\n}}");
        let errors = parse("loss", &code).map(|_| ()).expect_err(line).0;
        assert_eq!(errors.len(), 1, "{line}: {errors:?}");
        assert!(errors[0].message.contains(expected), "{line}: {}", errors[0].message);
        assert_eq!(errors[0].span.start().line, 2, "{line}");
    }
}

/// An item, its attribute, and what its error must say.
#[rustfmt::skip]
const REFUSED_ITEMS: &[(&str, &str, &str)] = &[
    ("loss", "fn f(x: Tensor<B>) { x }", "does not say what it returns"),
    ("loss", "fn relu(x: Tensor<B>) -> Tensor<B> { x }", "a word of Diabolo"),
    ("loss", "fn vec(x: Tensor<B>) -> Tensor<B> { x }", "already the name"),
    ("loss", "fn f<T>(x: Tensor<B>) -> Tensor<B> { x }", "only sizes can be generic"),
    ("loss", "fn f<const LONG: usize>(x: Tensor<B>) -> Tensor<B> { x }", "one capital letter"),
    ("loss", "fn f<#[values()] const K: usize>(x: Tensor<B>) -> Tensor<B> { x }", "`#[values(8, 16, 32)]`"),
    ("loss", "fn f<#[values(8, 8)] const K: usize>(x: Tensor<B>) -> Tensor<B> { x }", "each once"),
    ("loss", "fn f<#[values(0)] const K: usize>(x: Tensor<B>) -> Tensor<B> { x }", "1 or more"),
    ("loss", "fn f<#[size(8)] const K: usize>(x: Tensor<B>) -> Tensor<B> { x }", "a size takes `#[values"),
    ("loss", "fn f<#[values(8)] const K: usize, const H: usize>(x: Tensor<B>) -> Tensor<B> { x }", "`H` lists no values"),
    ("layer", "fn f<#[values(8)] const K: usize>(x: Tensor<B>) -> Tensor<B> { x }", "this one never does"),
    (
        "loss",
        "fn f<#[values(1, 2, 3, 4, 5)] const K: usize, #[values(1, 2, 3, 4)] const H: usize>(x: Tensor<B>) -> Tensor<B> { x }",
        "20 programs, each compiled by itself, and 16 are the most",
    ),
    ("loss", "fn f((a, b): Tensor<B>) -> Tensor<B> { a }", "an argument has one name"),
    ("loss", "fn f(x: Tensor<B>, x: Tensor<B>) -> Tensor<B> { x }", "two arguments"),
    ("loss", "fn f(x: Tensor<B>, w: Weight) -> Tensor<B> { x }", "`#[optimizer]` only"),
    ("loss", "fn f(#[default(1.0)] x: Tensor<B>) -> Tensor<B> { x }", "has no default"),
    ("loss", "fn f(#[default(g(1))] x: f32) -> Tensor<B> { x }", "a default is made of"),
    ("loss", "fn f(&self) -> Tensor<B> { x }", "no `self`"),
    ("loss", "async fn f(x: Tensor<B>) -> Tensor<B> { x }", "a plain `fn"),
    ("loss", "struct S;", "stands over a function"),
    ("loss", "const N: f32 = 1.0;", "takes `#[constant]`"),
    ("constant", "fn f() {}", "stands over a constant"),
    ("constant", "const K: usize = 3;", "a size variable"),
    ("constant", "const latent: usize = 3;", "in capitals"),
    ("constant", "const LATENT: u8 = 3;", "a size (`usize`)"),
    ("constant", "const LATENT: usize = f(3);", "made of numbers"),
];

#[test]
fn each_wrong_item_is_one_error() {
    for (attribute, code, expected) in REFUSED_ITEMS {
        let errors = parse(attribute, code).map(|_| ()).expect_err(code).0;
        assert_eq!(errors.len(), 1, "{code}: {errors:?}");
        assert!(errors[0].message.contains(expected), "{code}: {}", errors[0].message);
    }
}

#[test]
fn several_mistakes_are_reported_together() {
    let code = "fn f(x: Vec<f32>) -> Tensor<B> { let y = x.relu(); match y { _ => x[0] } }";
    assert_eq!(parse("loss", code).map(|_| ()).expect_err("refused").0.len(), 3);
}

#[test]
fn arguments_of_attributes_are_checked() {
    let read = |name: &str, text: &str| Arguments::parse(name, text.parse().expect("tokens"));
    let loss = read("loss", "trains(encode, nn::decode), crate = ::renamed").expect("arguments");
    assert_eq!(loss.trains.expect("trains")[1].text, "nn::decode");
    assert_eq!(loss.krate.expect("crate").to_string(), ":: renamed");
    assert_eq!(read("function", "backward = g").expect("arguments").backward.expect("backward").text, "g");
    for (name, text) in
        [("loss", "backward = g"), ("encoder", "trains(a)"), ("loss", "trains()"), ("loss", "1 2 3")]
    {
        assert_eq!(read(name, text).map(|_| ()).expect_err(text).0.len(), 1, "{text}");
    }
}

#[test]
fn invisible_groups_of_a_users_macro_are_parentheses() {
    use proc_macro2::{Delimiter, Group, TokenTree};
    let hide = |inner: TokenStream| TokenTree::Group(Group::new(Delimiter::None, inner));
    let (size, value, vis) = (hide(quote!(3 + 4)), hide(quote!(x + 1.0)), hide(quote!(pub(crate))));
    let tokens = quote!(#vis fn f(x: Tensor<B, { #size }>) -> Tensor<B, 7> { 2.0 * #value });
    let Ok(Item::Function(f)) = item("function", quote!(), tokens) else { panic!() };
    assert!(matches!(f.body.value.expect("value").kind, ExprKind::Binary("*", ..)));
}

#[test]
fn chains_that_would_overflow_the_stack_are_refused() {
    let n = 20_000;
    let bodies = [
        format!("{}x{}", "(".repeat(n), ")".repeat(n)),
        format!("{}x", "-".repeat(n)),
        format!("x{}", " + x".repeat(n)),
        format!("x{}", ".f()".repeat(n)),
        format!("{}x", "|a, b| ".repeat(n)),
        format!("{}x{}", "f(a, ".repeat(n), ")".repeat(n)),
        format!("{}x", "x = ".repeat(n)),
        format!("x{}", " as f32".repeat(n)),
        format!("let y: {}X{} = x; x", "Tensor<B, ".repeat(n), ">".repeat(n)),
        format!("if a {{ x }} {} else {{ x }}", "else if a { x }".repeat(n)),
        format!("x{}", " + { x }".repeat(n)),
        format!("{}x", "return ".repeat(n)),
        format!("{}x{}", "{".repeat(n), "}".repeat(n)),
        format!("{}x", "match x { _ => ".repeat(n)) + &"}".repeat(n),
        format!("{}x", "&mut ".repeat(n)),
        format!("let {}y = x; x", "&".repeat(n)),
        format!("x{}", "?".repeat(n)),
        format!("x{}", "..x".repeat(n)),
        format!("{}x", "'a: loop ".repeat(n)),
    ];
    for body in bodies {
        let code = format!("fn f(x: Tensor<B>) -> Tensor<B> {{ {body} }}");
        let Ok(tokens) = code.parse::<TokenStream>() else { continue };
        let message = item("loss", quote!(), tokens).map(|_| ()).expect_err("refused").0.remove(0).message;
        assert!(message.contains("nests too deep"), "{}: {message}", &code[..60]);
    }
    // What people write by hand stays far below the limit.
    let sum = format!("x{}", " + x * 2.0".repeat(100));
    let calls = format!("{}x{}", "f(".repeat(40), ")".repeat(40));
    for body in [sum, calls] {
        let code = format!("#[function] fn f(x: Tensor<B>) -> Tensor<B> {{ {body} }}");
        let code = format!(
            "{code} #[function] fn g(x: Tensor<B>) -> Tensor<B> {{ {} }}",
            body.replace("f(", "exp(")
        );
        let linked = crate::link::from_source(&[("deep.rs", code.as_str())], "g").expect("fits");
        crate::lower::lower(&linked, crate::lower::Mode::Evaluate).expect("fits");
    }
}

/// Programs whose tokens the next test mutates.
const SEEDS: &[&str] = &[
    "fn f<const K: usize>(x: Tensor<Rows<B, 50>, _, {2 * K}>, #[default(-0.5)] lambda: f32) -> (Tensor<B>, Scalar) {
        let (a, _) = split(x, axis = 1); let mut y: Tensor<B, 2> = zeros();
        for i in 0..=3 { y += nn::dense(a, i) * 2_000; }
        if training() { update(y, x); } else { inspect(\"h\", x); }
        grad(|w, v| if on { -w } else { w }, y) - [1, 2][0].f(x as f32)?
    }",
    "const LATENT: usize = 32 * OTHER;",
    "pub(crate) async unsafe fn g(&self, w: Weight, f: impl Fn(&T) -> T) where T: X { match x { A => 1, _ => loop {} } }",
];

#[test]
fn no_tokens_make_the_parser_panic() {
    let mut random = 0x9E37_79B9_7F4A_7C15u64;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below.max(1) as u64) as usize
    };
    let pool: Vec<_> = SEEDS.iter().flat_map(|s| flat(s.parse().expect("tokens"))).collect();
    for turn in 0..6000 {
        let seed: TokenStream = SEEDS[turn % SEEDS.len()].parse().expect("tokens");
        let mut mutated = seed;
        for _ in 0..1 + next(4) {
            let total = flat(mutated.clone()).len();
            let (at, what) = (next(total), next(4));
            mutated = mutate(mutated, &mut (at as isize), what, &pool[next(pool.len())]);
        }
        let attribute = ["loss", "function", "constant", "encoder", "optimizer"][next(5)];
        let _ = item(attribute, quote!(), mutated.clone());
        let _ = Arguments::parse(attribute, mutated);
    }
}

fn flat(tokens: TokenStream) -> Vec<proc_macro2::TokenTree> {
    use proc_macro2::TokenTree;
    let inner = |t: &TokenTree| if let TokenTree::Group(g) = t { flat(g.stream()) } else { Vec::new() };
    tokens.into_iter().flat_map(|t| std::iter::once(t.clone()).chain(inner(&t)).collect::<Vec<_>>()).collect()
}

/// At token number `at`: drops it, doubles it, replaces it, or empties its group.
fn mutate(tokens: TokenStream, at: &mut isize, what: usize, other: &proc_macro2::TokenTree) -> TokenStream {
    use proc_macro2::{Group, TokenTree};
    let mut out = Vec::new();
    for token in tokens {
        let hit = *at == 0;
        *at -= 1;
        match (hit, what, token) {
            (true, 0, _) => {}
            (true, 1, token) => out.extend([token.clone(), token]),
            (true, 2, _) => out.push(other.clone()),
            (true, _, TokenTree::Group(g)) => out.push(Group::new(g.delimiter(), TokenStream::new()).into()),
            (_, _, TokenTree::Group(g)) => {
                out.push(Group::new(g.delimiter(), mutate(g.stream(), at, what, other)).into());
            }
            (_, _, token) => out.push(token),
        }
    }
    out.into_iter().collect()
}
