//! The machine code of a test itself, for tests that count instructions. In: nothing. Out: what objdump says of the running
//! program. Never: a failure where there is no objdump, only a word.

/// The program's functions in assembly, an empty line between two.
pub fn disassembly() -> Option<String> {
    let exe = std::env::current_exe().expect("a path");
    match std::process::Command::new("objdump").args(["-d", "--no-show-raw-insn"]).arg(exe).output() {
        Ok(output) if output.status.success() => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        _ => {
            eprintln!("skipped: no objdump");
            None
        }
    }
}
