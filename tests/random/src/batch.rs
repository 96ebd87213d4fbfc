//! Compiles random programs together and compares what they compute.
//!
//! In: specifications. Out: for each, what agreed or what went wrong. Never: a batch given up because of one program;
//! what rustc refuses is found and left out.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use crate::random::{Spec, VARIABLE};

/// What agreed.
#[derive(Clone, Copy, Debug)]
pub struct Agreed {
    /// Elements that were compared.
    pub elements: usize,
    /// Nodes of the graph.
    pub nodes: usize,
}

/// What each program did, in their order.
///
/// # Errors
/// Where cargo cannot be run.
pub fn run(specs: &[Spec]) -> Result<Vec<Result<Agreed, String>>, String> {
    if specs.is_empty() {
        return Ok(Vec::new());
    }
    let (report, said) = compile(specs)?;
    if let Some(report) = report {
        let lines: HashMap<&str, &str> = report.lines().filter_map(|line| line.split_once(' ')).collect();
        let outcome = |spec: &Spec| read(lines.get(&*spec.to_string()).copied().unwrap_or("is missing"));
        return Ok(specs.iter().map(outcome).collect());
    }
    let refused: Vec<bool> =
        specs.iter().map(|spec| said.contains(&format!("/{}.rs:", spec.name()))).collect();
    if !refused.contains(&true) {
        // It ended without a word: a stack overflow, or memory.
        let Some((left, right)) =
            specs.split_at_checked(specs.len() / 2).filter(|(left, _)| !left.is_empty())
        else {
            return Ok(vec![Err(format!("ended the process: {}", end(&said)))]);
        };
        return Ok([run(left)?, run(right)?].concat());
    }
    let rest: Vec<Spec> =
        specs.iter().zip(&refused).filter(|(_, refused)| !**refused).map(|(s, _)| s.clone()).collect();
    let mut others = run(&rest)?.into_iter();
    let outcome = |refused: bool| match refused {
        true => Err(format!("does not compile: {}", first_error(&said))),
        false => others.next().unwrap_or_else(|| Err("is missing".into())),
    };
    Ok(refused.into_iter().map(outcome).collect())
}

/// The report of the test, where it got that far; and all that was said.
fn compile(specs: &[Spec]) -> Result<(Option<String>, String), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let report = std::env::temp_dir().join(format!("diabolo-random-{}", std::process::id()));
    let list: Vec<String> = specs.iter().map(Spec::to_string).collect();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "test",
            "-q",
            "--color=never",
            "-p",
            "diabolo-differential",
            "--test",
            "emitted",
            "random_programs",
        ])
        .env(VARIABLE, list.join(" "))
        .env("DIABOLO_RANDOM_REPORT", &report)
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    let text = std::fs::read_to_string(&report).ok();
    std::fs::remove_file(&report).ok();
    let said = [output.stdout, output.stderr].concat();
    Ok((text, String::from_utf8_lossy(&said).into_owned()))
}

/// A line of the report, after the program's name.
fn read(line: &str) -> Result<Agreed, String> {
    let mut words = line.split(' ');
    let mut number = || words.next().and_then(|word| word.parse().ok());
    match line.strip_prefix("agrees ") {
        None => Err(line.strip_prefix("differs ").unwrap_or(line).to_owned()),
        Some(_) => {
            number();
            number()
                .zip(number())
                .map(|(elements, nodes)| Agreed { elements, nodes })
                .ok_or_else(|| line.to_owned())
        }
    }
}

fn first_error(said: &str) -> String {
    said.lines().skip_while(|line| !line.starts_with("error")).take(6).collect::<Vec<_>>().join("\n")
}

fn end(said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}
