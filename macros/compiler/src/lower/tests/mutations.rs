//! Programs with random mistakes: lowering never panics, and what it accepts is well-formed.

use super::golden::PROGRAMS;
use super::*;
use crate::testing::Rng;

/// A program with a few words, numbers and signs exchanged.
fn mutated(text: &str, rng: &mut Rng) -> String {
    let mut tokens: Vec<String> = Vec::new();
    for c in text.lines().flat_map(|line| line.split("//").next().unwrap_or("").chars().chain(['\n'])) {
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        match tokens.last_mut() {
            Some(last) if word(c) && last.ends_with(word) => last.push(c),
            _ => tokens.push(c.to_string()),
        }
    }
    let pool: Vec<String> = tokens.iter().filter(|t| t.starts_with(char::is_alphanumeric)).cloned().collect();
    const NUMBERS: [&str; 9] =
        ["0", "1", "2", "64", "0.0", "1e300", "9007199254740993", "1099511627776", "K"];
    const WORDS: [&str; 24] = [
        "x",
        "B",
        "T",
        "sum",
        "max",
        "grad",
        "jacobian",
        "einsum",
        "batch",
        "repeat",
        "param",
        "normal",
        "zeros",
        "rows",
        "reshape",
        "squeeze",
        "unsqueeze",
        "concat",
        "slice",
        "identity",
        "bernoulli",
        "stop_gradient",
        "softmax",
        "select",
    ];
    for _ in 0..=rng.below(3) {
        let at = rng.below(tokens.len());
        let new = match tokens[at].chars().next() {
            Some(c) if c.is_ascii_digit() => (*rng.pick(&NUMBERS)).to_owned(),
            Some(c) if c.is_alphabetic() && rng.chance(0.5) => rng.pick(&pool).clone(),
            Some(c) if c.is_alphabetic() => (*rng.pick(&WORDS)).to_owned(),
            Some('+' | '-' | '*' | '/' | '<') => {
                (*rng.pick(&["+", "-", "*", "/", "%", "<", "=="])).to_owned()
            }
            _ => continue,
        };
        tokens[at] = new;
    }
    tokens.concat()
}

#[test]
fn mistakes_never_panic() {
    let count = std::env::var("DIABOLO_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    let (mut rng, mut accepted, mut refused) = (Rng(11), 0, 0);
    for _ in 0..count {
        let (text, root) = *rng.pick(&PROGRAMS);
        let text = mutated(text, &mut rng);
        let files = [&[("example.rs", text.as_str())], &NN[..]].concat();
        let Ok(linked) = from_source(&files, root) else { continue };
        for mode in [Mode::Train, Mode::Evaluate] {
            let result = std::panic::catch_unwind(|| lower(&linked, mode));
            match result.unwrap_or_else(|_| panic!("a panic on\n{text}")) {
                Ok(lowered) => {
                    let sound = crate::verify::verify(&lowered.graph, "lower");
                    assert!(sound.is_ok() && !lowered.graph.outputs.is_empty(), "{sound:?}\n{text}");
                    accepted += 1;
                }
                Err(errors) => {
                    assert!(
                        errors.0.iter().all(|e| !e.message.contains('?') || e.message.contains("does a")),
                        "{}\n{text}",
                        messages(&errors)
                    );
                    refused += 1;
                }
            }
        }
    }
    assert!(accepted > 0 && refused > 0, "{accepted} accepted, {refused} refused");
}
