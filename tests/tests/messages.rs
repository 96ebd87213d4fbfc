//! What mistakes look like: each file of `ui/` does not compile, and says why as the file beside it has it.
//!
//! After a change of words, `TRYBUILD=overwrite cargo test -p diabolo-tests --test messages` writes them anew.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use syn::spanned::Spanned;

#[test]
fn mistakes_look_as_written() {
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}

/// What rustc says by itself, with words of its own: a macro that is called, a trait that is missing, a macro of
/// another version.
const RUSTC: [&str; 6] =
    ["as_a_macro", "not_a_loss", "reserved", "template", "template_with_sizes", "two_versions"];

#[test]
fn messages_name_nothing_internal() {
    const INTERNAL: [&str; 6] = [
        "__diabolo",
        "__link",
        "diabolo_compiler",
        "macro-backtrace",
        "in this macro invocation",
        "/macros/",
    ];
    for case in cases() {
        let text =
            std::fs::read_to_string(case.with_extension("stderr")).expect("every case has its message");
        let name = case.file_stem().and_then(|name| name.to_str()).expect("a name");
        for word in INTERNAL.iter().filter(|word| text.contains(**word)) {
            assert!(RUSTC.contains(&name), "{name}: `{word}` in\n{text}");
        }
    }
}

/// The caret of an error of ours stands inside a function that the user wrote, on something of it.
#[test]
fn carets_stand_in_the_users_text() {
    let mut seen = 0;
    for case in cases() {
        let text = std::fs::read_to_string(&case).expect("a case");
        let file = syn::parse_file(&text).expect("every case parses");
        let items: Vec<RangeInclusive<usize>> = file.items.iter().flat_map(lines).collect();
        let said = std::fs::read_to_string(case.with_extension("stderr")).expect("its message");
        for (line, column) in places(&said) {
            let inside = items.iter().any(|item| item.contains(&line));
            assert!(inside, "{}: an error at line {line}, outside every item\n{said}", case.display());
            let start = text.lines().nth(line - 1).and_then(|line| line.chars().nth(column - 1));
            assert!(start.is_some_and(|c| !c.is_whitespace()), "{}:{line}:{column} is blank", case.display());
            seen += 1;
        }
    }
    assert!(seen >= cases().len(), "{seen} errors in {} cases", cases().len());
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let files = std::fs::read_dir(folder).expect("the cases").map(|entry| entry.expect("a file").path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The lines of an item, or of those in a module.
fn lines(item: &syn::Item) -> Vec<RangeInclusive<usize>> {
    match item {
        syn::Item::Mod(module) => {
            module.content.iter().flat_map(|(_, items)| items).flat_map(lines).collect()
        }
        other => vec![other.span().start().line..=other.span().end().line],
    }
}

/// Line and column of every error (not of notes and warnings).
fn places(said: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut waiting = false;
    for line in said.lines() {
        if line.starts_with("error") || line.starts_with("warning") {
            waiting = line.starts_with("error");
        }
        if let Some(place) = line.trim_start().strip_prefix("--> ").filter(|_| waiting) {
            let mut parts = place.rsplit(':').map(str::parse);
            if let (Some(Ok(column)), Some(Ok(line))) = (parts.next(), parts.next()) {
                found.push((line, column));
                waiting = false;
            }
        }
    }
    found
}
