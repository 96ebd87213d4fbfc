//! What a program costs its user to compile: `compile_time [runs]` prints a table.
//!
//! In: the programs in `benches/compile`. Out: for each, the seconds of the compiler alone (unoptimised, as
//! cargo builds macros; the best of the runs of `dump`, which starts a process), and the median seconds of `cargo build` after an edit,
//! debug and release, dependencies built before. Never: a build of a dependency inside a time.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use std::{env, fs, io};

/// The programs: name, text, the loss, and how many layers.
const PROGRAMS: [(&str, &str, &str, usize); 6] = [
    ("small", include_str!("../../compile/small.rs"), "vanilla", 4),
    //CONV ("convolutional", include_str!("../../compile/convolutional.rs"), "convolutional", 6),
    ("deep5", include_str!("../../compile/deep.rs"), "deep", 5),
    ("deep10", include_str!("../../compile/deep.rs"), "deep", 10),
    ("deep20", include_str!("../../compile/deep.rs"), "deep", 20),
    ("deep30", include_str!("../../compile/deep.rs"), "deep", 30),
    ("deep60", include_str!("../../compile/deep.rs"), "deep", 60),
];

fn main() -> io::Result<()> {
    let runs = env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(3);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let work = root.join("target/compile-time");
    run(cargo(&root).args(["build", "-q", "-p", "diabolo-compiler", "--example", "dump"]))?;
    println!(
        "| program | layers | compiler, s | emitted, kB | debug, s | release, s |\n| - | - | - | - | - | - |"
    );
    for (name, text, loss, layers) in PROGRAMS {
        let text = text.replace("LAYERS", &layers.to_string());
        let project = project(&root, &work, name, &text)?;
        let (compiler, emitted) = compiler(&root, &project, loss, runs)?;
        let [debug, release] =
            [&[][..], &["--release"]].map(|flags| rebuild(&project, &work, flags, &text, runs));
        let (debug, release) = (debug?, release?);
        println!(
            "| {name} | {layers} | {compiler:.2} | {:.0} | {debug:.1} | {release:.1} |",
            emitted as f64 / 1e3
        );
    }
    Ok(())
}

fn cargo(place: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(place);
    cargo
}

fn run(command: &mut Command) -> io::Result<()> {
    let status = command.stdout(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{command:?} failed"))) }
}

/// A package of its own, with the profile that the README recommends.
fn project(root: &Path, work: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
    let place = work.join(name);
    fs::create_dir_all(place.join("src"))?;
    let runtime = root.join("runtime");
    fs::write(
        place.join("Cargo.toml"),
        format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n\
             [dependencies]\ndiabolo = {{ path = {runtime:?} }}\n[profile.dev]\nopt-level = 2\n"
        ),
    )?;
    fs::copy(root.join("Cargo.lock"), place.join("Cargo.lock"))?;
    fs::write(place.join("src/main.rs"), text)?;
    Ok(place)
}

/// The best time of the compiler by itself, and the bytes of what it emits.
fn compiler(root: &Path, project: &Path, loss: &str, runs: usize) -> io::Result<(f64, usize)> {
    let (mut best, mut bytes) = (f64::INFINITY, 0);
    for _ in 0..runs {
        let mut dump = Command::new(root.join("target/debug/examples/dump"));
        dump.arg(project.join("src/main.rs")).arg(loss).args(["--stage", "rust"]);
        for file in fs::read_dir(root.join("runtime/src/nn"))? {
            dump.arg("--with").arg(file?.path());
        }
        let begin = Instant::now();
        let output = dump.stderr(Stdio::inherit()).output()?;
        best = best.min(begin.elapsed().as_secs_f64());
        if !output.status.success() {
            return Err(io::Error::other(format!("the compiler refuses {}", project.display())));
        }
        bytes = output.stdout.len();
    }
    Ok((best, bytes))
}

/// The median time of a build after an edit.
fn rebuild(project: &Path, work: &Path, flags: &[&str], text: &str, runs: usize) -> io::Result<f64> {
    let mut build = cargo(project);
    build.args(["build", "-q"]).args(flags).env("CARGO_TARGET_DIR", work.join("target"));
    run(&mut build)?;
    let mut times = Vec::with_capacity(runs);
    for turn in 0..runs {
        // An edit that every step of the compiler has to look at.
        fs::write(project.join("src/main.rs"), format!("// {turn}\n{text}"))?;
        let begin = Instant::now();
        run(&mut build)?;
        times.push(begin.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(times.get(times.len() / 2).copied().unwrap_or(f64::NAN))
}
