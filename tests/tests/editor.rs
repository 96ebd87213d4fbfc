//! What an editor shows of annotated functions: hover, go to definition, syntax errors, through rust-analyzer
//! itself. Skipped, and says so, where there is none (`rust-analyzer` on the path, or `RUST_ANALYZER`).

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const PROGRAM: &str = "use diabolo::nn::{bce_with_logits, dense};
use diabolo::prelude::*;

/// Makes a code.
#[encoder]
fn encode(x: Tensor<B, 784>) -> Tensor<B, 32> {
    dense(relu(dense(x, 256)), 32)
}

#[decoder]
fn decode(z: Tensor<B, 32>) -> Tensor<B, 784> {
    dense(relu(dense(z, 256)), 784)
}

#[loss]
pub fn vanilla(x: Tensor<B, 784>) -> Tensor<B> {
    let code = encode(x);
    bce_with_logits(decode(code), x)
}

fn main() {
    let _ = (vanilla, encode);
}
";

/// How long the analysis of the project may take: it builds the macros first.
const PATIENCE: Duration = Duration::from_secs(900);

/// The server's program, if it is one: rustup leaves stand-ins that only say what is missing.
fn rust_analyzer() -> Option<PathBuf> {
    let path =
        std::env::var_os("RUST_ANALYZER").map_or_else(|| PathBuf::from("rust-analyzer"), PathBuf::from);
    let output = Command::new(&path).arg("--version").output().ok()?;
    output.status.success().then_some(path)
}

#[test]
fn hover_and_definitions_reach_every_function() {
    let Some(server) = rust_analyzer() else {
        println!("skipped: no rust-analyzer here");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    write_project(folder.path());
    let mut editor = Editor::open(&server, folder.path());

    // Every function that a body calls, and not only the first.
    for (place, declared) in [("encode(x);", "fn encode"), ("decode(code)", "fn decode")] {
        let hover = editor.hover(place);
        assert!(hover.contains(declared), "{place}: {hover}");
        let name = declared.trim_start_matches("fn ");
        let lines = editor.definitions(place);
        assert!(lines.contains(&line_of(&format!("fn {name}("))), "{place}: {lines:?}");
    }
    for place in ["dense(relu", "bce_with_logits(decode"] {
        let hover = editor.hover(place);
        assert!(hover.contains("Tensor"), "{place}: {hover}");
    }
    assert!(editor.hover("encode(x);").contains("Makes a code."), "{}", editor.hover("encode(x);"));
    assert_eq!(editor.diagnostics(), json!([]), "a program without mistakes");

    // While something is being typed, the mistake is at its place, and it is the only one.
    editor.change(&PROGRAM.replace("= encode(x);", "= encode(x.);"));
    let found = editor.diagnostics();
    let lines: Vec<Option<u64>> = found.as_array().expect("a list").iter().map(start).collect();
    assert_eq!(lines, [Some(line_of("let code"))], "{found}");
}

fn start(diagnostic: &Value) -> Option<u64> {
    diagnostic["range"]["start"]["line"].as_u64()
}

/// The line, from 0, on which a text stands first.
fn line_of(text: &str) -> u64 {
    let at = PROGRAM.find(text).expect("the program has it");
    PROGRAM[..at].matches('\n').count() as u64
}

fn write_project(folder: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace");
    let manifest = format!(
        "[package]\nname = \"edited\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n\
         [dependencies]\ndiabolo = {{ path = {:?} }}\n",
        root.join("runtime")
    );
    std::fs::create_dir_all(folder.join("src")).expect("a folder");
    std::fs::write(folder.join("Cargo.toml"), manifest).expect("written");
    std::fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).expect("copied");
    std::fs::write(folder.join("src/main.rs"), PROGRAM).expect("written");
}

/// A connection to the server, with one file open.
struct Editor {
    server: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    uri: String,
    requests: u64,
    version: u64,
}

impl Drop for Editor {
    fn drop(&mut self) {
        // It may have ended already.
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

impl Editor {
    fn open(server: &Path, folder: &Path) -> Self {
        let mut server = Command::new(server)
            .current_dir(folder)
            .env("CARGO_TARGET_DIR", folder.join("target"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it started before");
        let input = server.stdin.take().expect("piped");
        let output = BufReader::new(server.stdout.take().expect("piped"));
        let (sender, messages) = mpsc::channel();
        std::thread::spawn(move || read(output, &sender));
        let uri = format!("file://{}", folder.join("src/main.rs").display());
        let mut editor = Editor { server, input, messages, uri, requests: 0, version: 1 };
        editor.ask(
            "initialize",
            json!({
                "processId": null,
                "rootUri": format!("file://{}", folder.display()),
                "capabilities": {
                    "experimental": { "serverStatusNotification": true },
                    "textDocument": { "hover": { "contentFormat": ["plaintext"] } }
                },
                "initializationOptions": { "checkOnSave": false, "cachePriming": { "enable": false } }
            }),
        );
        editor.tell("initialized", json!({}));
        let document = json!({ "uri": editor.uri, "languageId": "rust", "version": 1, "text": PROGRAM });
        editor.tell("textDocument/didOpen", json!({ "textDocument": document }));
        editor.wait(|message| {
            let done =
                message["method"] == "experimental/serverStatus" && message["params"]["quiescent"] == true;
            done.then(|| message.clone())
        });
        editor
    }

    fn hover(&mut self, place: &str) -> String {
        let answer = self.at("textDocument/hover", place);
        answer["contents"]["value"].as_str().unwrap_or_default().to_owned()
    }

    /// The lines of this file that something is defined at.
    fn definitions(&mut self, place: &str) -> Vec<u64> {
        let answer = self.at("textDocument/definition", place);
        let here =
            answer.as_array().into_iter().flatten().filter(|target| target["uri"] == self.uri.as_str());
        here.filter_map(start).collect()
    }

    fn diagnostics(&mut self) -> Value {
        let answer = self.ask("textDocument/diagnostic", json!({ "textDocument": { "uri": self.uri } }));
        answer["items"].clone()
    }

    fn change(&mut self, text: &str) {
        self.version += 1;
        let document = json!({ "uri": self.uri, "version": self.version });
        let changes = json!([{ "text": text }]);
        self.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
    }

    fn at(&mut self, method: &str, place: &str) -> Value {
        let at = PROGRAM.find(place).expect("the program has it");
        let column = at - PROGRAM[..at].rfind('\n').map_or(0, |end| end + 1);
        let position = json!({ "line": line_of(place), "character": column });
        self.ask(method, json!({ "textDocument": { "uri": self.uri }, "position": position }))
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.requests += 1;
        let id = self.requests;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        self.wait(|message| {
            let answers = message["id"] == id && message.get("method").is_none();
            answers.then(|| message["result"].clone())
        })
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).expect("the server listens");
        self.input.flush().expect("the server listens");
    }

    /// The first message that `wanted` takes; the server's own questions are answered with nothing.
    fn wait(&mut self, wanted: impl Fn(&Value) -> Option<Value>) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let message = self.messages.recv_timeout(left).expect("an answer in time");
            if message.get("method").is_some() && message.get("id").is_some() {
                self.send(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": null }));
            }
            if let Some(found) = wanted(&message) {
                return found;
            }
        }
    }
}

/// Messages, each after its length, until the server ends.
fn read(mut output: impl BufRead, sender: &mpsc::Sender<Value>) {
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            match output.read_line(&mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) if line.trim().is_empty() => break,
                Ok(_) => {
                    length = line.rsplit(' ').next().and_then(|n| n.trim().parse().ok()).unwrap_or(length)
                }
            }
        }
        let mut text = vec![0; length];
        let message = output.read_exact(&mut text).ok().and_then(|()| serde_json::from_slice(&text).ok());
        let Some(message) = message else { return };
        if sender.send(message).is_err() {
            return;
        }
    }
}
