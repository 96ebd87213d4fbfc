//! What a program costs its user to compile: `compile_time [runs [program…]]` prints a table.
//!
//! In: the programs in `benches/compile`. Out: for each, the seconds of the compiler alone (unoptimised, as
//! cargo builds macros; the best of the runs of `dump`, which starts a process), and the median seconds of `cargo build` after an edit,
//! debug and release, dependencies built before: wall clock, and processor time after the slash, which other work on
//! the machine disturbs less (Linux; elsewhere it is not known). Never: a build of a dependency inside a time.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use std::{env, fmt, fs, io};

/// The programs: name, text, the loss, and how many layers.
const PROGRAMS: [(&str, &str, &str, usize); 7] = [
    ("small", include_str!("../../compile/small.rs"), "vanilla", 4),
    ("convolutional", include_str!("../../compile/convolutional.rs"), "convolutional", 6),
    ("deep5", include_str!("../../compile/deep.rs"), "deep", 5),
    ("deep10", include_str!("../../compile/deep.rs"), "deep", 10),
    ("deep20", include_str!("../../compile/deep.rs"), "deep", 20),
    ("deep30", include_str!("../../compile/deep.rs"), "deep", 30),
    ("deep60", include_str!("../../compile/deep.rs"), "deep", 60),
];

fn main() -> io::Result<()> {
    let runs = env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(3);
    let chosen: Vec<String> = env::args().skip(2).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let work = root.join("target/compile-time");
    run(cargo(&root).args(["build", "-q", "-p", "diabolo-compiler", "--example", "dump"]))?;
    println!(
        "| program | layers | compiler, s | emitted, kB | debug, s | release, s |\n| - | - | - | - | - | - |"
    );
    let wanted = |name: &str| chosen.is_empty() || chosen.iter().any(|one| one == name);
    for (name, text, loss, layers) in PROGRAMS.into_iter().filter(|(name, ..)| wanted(name)) {
        let text = text.replace("LAYERS", &layers.to_string());
        let project = project(&root, &work, name, &text)?;
        let (compiler, emitted) = compiler(&root, &project, loss, runs)?;
        let [debug, release] =
            [&[][..], &["--release"]].map(|flags| rebuild(&project, &work, flags, &text, runs));
        let (debug, release) = (debug?, release?);
        println!("| {name} | {layers} | {compiler} | {:.0} | {debug} | {release} |", emitted as f64 / 1e3);
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

/// What a command took, in seconds.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    /// Of all processors, with the processes that it started.
    processor: f64,
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} / {:.2}", self.wall, self.processor)
    }
}

/// Processor seconds of all processes that this one started and that have ended: the fields `cutime` and `cstime` of
/// `/proc/self/stat` (proc(5)), in the 100 ticks a second that Linux shows.
fn spent() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the process, in parentheses, may contain spaces.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: Vec<f64> = fields.skip(13).take(2).filter_map(|field| field.parse().ok()).collect();
    if ticks.len() == 2 { ticks.iter().sum::<f64>() / 100.0 } else { f64::NAN }
}

/// What a task costs, and what it gives.
fn cost<T>(task: impl FnOnce() -> io::Result<T>) -> io::Result<(Cost, T)> {
    let (begin, before) = (Instant::now(), spent());
    let value = task()?;
    Ok((Cost { wall: begin.elapsed().as_secs_f64(), processor: spent() - before }, value))
}

/// The best time of the compiler by itself, and the bytes of what it emits.
fn compiler(root: &Path, project: &Path, loss: &str, runs: usize) -> io::Result<(Cost, usize)> {
    let (mut best, mut bytes) = (Cost { wall: f64::INFINITY, processor: f64::INFINITY }, 0);
    for _ in 0..runs {
        let mut dump = Command::new(root.join("target/debug/examples/dump"));
        dump.arg(project.join("src/main.rs")).arg(loss).args(["--stage", "tokens"]);
        for file in fs::read_dir(root.join("runtime/src/nn"))? {
            dump.arg("--with").arg(file?.path());
        }
        let (this, output) = cost(|| dump.stderr(Stdio::inherit()).output())?;
        best = Cost { wall: best.wall.min(this.wall), processor: best.processor.min(this.processor) };
        if !output.status.success() {
            return Err(io::Error::other(format!("the compiler refuses {}", project.display())));
        }
        bytes = output.stdout.len();
    }
    Ok((best, bytes))
}

/// The median cost of a build after an edit.
fn rebuild(project: &Path, work: &Path, flags: &[&str], text: &str, runs: usize) -> io::Result<Cost> {
    let mut build = cargo(project);
    build.args(["build", "-q"]).args(flags).env("CARGO_TARGET_DIR", work.join("target"));
    run(&mut build)?;
    let mut times = Vec::with_capacity(runs);
    for turn in 0..runs {
        // An edit that every step of the compiler has to look at.
        fs::write(project.join("src/main.rs"), format!("// {turn}\n{text}"))?;
        times.push(cost(|| run(&mut build))?.0);
    }
    let median = |of: fn(&Cost) -> f64| {
        let mut seconds: Vec<f64> = times.iter().map(of).collect();
        seconds.sort_by(f64::total_cmp);
        seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN)
    };
    Ok(Cost { wall: median(|cost| cost.wall), processor: median(|cost| cost.processor) })
}
