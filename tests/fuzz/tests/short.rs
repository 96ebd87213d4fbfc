//! A short run of every target, and a check that the supervisor sees what goes wrong.
use std::process::Command;

fn fuzz(arguments: &[&str]) -> (bool, String) {
    let out = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_diabolo-fuzz"))
        .args(arguments)
        .arg("--out")
        .arg(out.path())
        .output()
        .expect("the fuzzer runs");
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.success(), text)
}

#[test]
fn no_input_breaks_anything() {
    for (target, cases) in [("tokens", "2000"), ("programs", "60"), ("files", "1500")] {
        let (good, text) = fuzz(&[target, "--cases", cases]);
        assert!(good, "{text}");
        assert!(text.contains(&format!("{cases} cases")), "{text}");
        // Inputs that are all refused at once would test nothing.
        assert!(!text.contains(" 0 of them accepted"), "{text}");
    }
}
