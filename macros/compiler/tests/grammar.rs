//! The guide's page of grammar is true: each rule's programs are accepted or refused as it says, and the list of words
//! is that of the compiler.
//!
//! `DIABOLO_BLESS=1 cargo test -p diabolo-compiler --test grammar` rewrites the messages and the words; read the difference.

use std::fmt::Write;
use std::path::PathBuf;

use diabolo_compiler::error::Errors;
use diabolo_compiler::link::from_source;
use diabolo_compiler::lower::Mode;
use diabolo_compiler::{ops, parse, pipeline, words};

const NN: [(&str, &str); 2] = [
    ("nn/layers.rs", include_str!("../../../runtime/src/nn/layers.rs")),
    ("nn/errors.rs", include_str!("../../../runtime/src/nn/errors.rs")),
];

fn page(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide").join(name)
}

fn blesses() -> bool {
    std::env::var_os("DIABOLO_BLESS").is_some()
}

/// A rule of the page.
#[derive(Default)]
struct Rule<'p> {
    name: &'p str,
    accepted: Vec<&'p str>,
    /// Programs with the message below each.
    refused: Vec<(&'p str, Option<&'p str>)>,
}

fn rules(page: &str) -> Vec<Rule<'_>> {
    let mut rules: Vec<Rule<'_>> = Vec::new();
    for part in page.split("\n### ").skip(1) {
        let mut rule = Rule { name: part.lines().next().unwrap_or_default(), ..Rule::default() };
        let mut fences = part.split("```");
        fences.next();
        while let (Some(inside), _) = (fences.next(), fences.next()) {
            let (head, text) = inside.split_once('\n').unwrap_or_default();
            match head {
                "rust accepted" => rule.accepted.push(text),
                "rust rejected" => rule.refused.push((text, None)),
                "text" => {
                    let last =
                        rule.refused.last_mut().unwrap_or_else(|| panic!("{}: a text alone", rule.name));
                    last.1 = Some(text.trim_end());
                }
                other => panic!("{}: a block of {other:?}", rule.name),
            }
        }
        rules.push(rule);
    }
    rules
}

/// Every program that the items of a text make: those that run by themselves, each in both modes.
fn compile(text: &str) -> Result<usize, Errors> {
    let files = [&[("page.rs", text)], &NN[..]].concat();
    let parsed = syn::parse_file(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let mut count = 0;
    for item in &parsed.items {
        let syn::Item::Fn(function) = item else { continue };
        let linked = from_source(&files, &function.sig.ident.to_string())?;
        let attribute = function.attrs.first().and_then(|a| a.path().get_ident()).map(ToString::to_string);
        let runs = match &linked.root().item {
            diabolo_compiler::ast::Item::Function(f) => diabolo_compiler::lower::is_template(f).is_none(),
            diabolo_compiler::ast::Item::Constant { .. } => false,
        };
        if !runs || attribute.as_deref() == Some("layer") {
            continue;
        }
        for sizes in linked.programs() {
            let linked = diabolo_compiler::link::Linked { sizes, ..linked.clone() };
            for mode in [Mode::Train, Mode::Evaluate] {
                let trains = attribute.as_deref() == Some("loss") && mode == Mode::Train;
                pipeline::graph(&linked, mode, trains, &mut |_, _| ())?;
                count += 1;
            }
        }
    }
    Ok(count)
}

/// The messages of a text, each after its line.
fn messages(text: &str) -> Option<String> {
    let errors = compile(text).err()?;
    let said = errors.0.iter().map(|e| format!("{}: {}", e.span.start().line, e.message));
    Some(said.collect::<Vec<_>>().join("\n"))
}

#[test]
fn every_rule_is_as_it_says() {
    let path = page("grammar.md");
    let text = std::fs::read_to_string(&path).expect("the page");
    let mut now = text.clone();
    let rules = rules(&text);
    assert!(rules.len() >= 15, "{} rules", rules.len());
    for Rule { name, accepted, refused } in rules {
        assert!(!accepted.is_empty() && !refused.is_empty(), "\"{name}\" has programs of both kinds");
        for program in accepted {
            match compile(program) {
                Ok(count) => assert!(count > 0, "\"{name}\": nothing runs in\n{program}"),
                Err(errors) => panic!("\"{name}\": {:?} in\n{program}", errors.0),
            }
        }
        for (program, said) in refused {
            let found = messages(program).unwrap_or_else(|| panic!("\"{name}\" accepts\n{program}"));
            match said {
                Some(said) if blesses() => now = now.replace(said, &found),
                said => assert_eq!(Some(found.as_str()), said, "\"{name}\" in\n{program}"),
            }
        }
    }
    if blesses() {
        std::fs::write(&path, now).expect("the page is written");
    }
}

/// The page of words.
fn listed() -> String {
    let mut page = String::from(
        "# The words of the language\n\n\
         Written by `DIABOLO_BLESS=1 cargo test -p diabolo-compiler --test grammar` from `words.rs` and the table of `ops/`.\n\n\
         A word is no item: it needs no `use`, and no item can have its name. So **a new word breaks a program that declares \
         an item of this name**, with an error at the declaration; a local name hides a word, and goes on to mean what it \
         did. Until version 1.0 a new minor version may add words, and lists them under \"Words\" in `CHANGELOG.md`; after it, \
         only a new major version. A word is never removed or given another meaning within the same bounds.\n\n\
         | Word | What it is |\n| - | - |\n",
    );
    let cell = |text: &str| text.replace('|', "\\|");
    for word in words::WORDS {
        writeln!(page, "| `{}` | {} |", cell(word.signature), cell(word.doc)).expect("text");
    }
    page.push_str("\n## Element by element\n\nThese keep the shape; several arguments broadcast.\n");
    for (heading, rows) in ops::GROUPS {
        writeln!(page, "\n### {heading}\n\n| Word | What it is |\n| - | - |").expect("text");
        for row in *rows {
            let args = ["a", "b", "c"][..row.arity].join(", ");
            writeln!(page, "| `{}({args})` | {} |", row.name, cell(row.doc)).expect("text");
        }
    }
    page
}

#[test]
fn the_list_of_words_is_that_of_the_compiler() {
    let path = page("words.md");
    let now = listed();
    if blesses() {
        std::fs::write(&path, &now).expect("the page is written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == now, "{} is stale: DIABOLO_BLESS=1 writes it anew", path.display());
}

#[test]
fn every_attribute_stands_in_the_grammar() {
    let text = std::fs::read_to_string(page("grammar.md")).expect("the page");
    for name in ["network", "encoder", "decoder", "layer", "function", "loss", "optimizer", "constant"] {
        assert!(parse::Attribute::named(name).is_some(), "{name}");
        assert!(text.contains(&format!("#[{name}]")), "`#[{name}]` is not in the grammar");
    }
}
