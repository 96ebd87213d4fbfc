//! What more cores would give: a model of a training step, fitted on one thread, checked on two, asked for 16 and 64.
//!
//! In: nothing but this machine. Out: a table in Markdown. Never: a figure for more cores that is called measured.
//!
//! A step is stages of row tiles, cut into lanes; products over the whole batch, which all threads share; the sum of the
//! lanes; the optimizer; and forks. With `n` threads a stage of `l` lanes takes ⌈l / n⌉ turns of `l`; shared work takes one
//! `n`th; the lanes' sums and the optimizer move bytes, at most as fast as memory allows where they do not fit in caches; and
//! a fork with its join takes a microsecond for every doubling of the threads.

use diabolo_benches::{WORKLOADS, Workload, peak, pool, steps};
use diabolo_kernels::Tiling;

/// Microseconds of a fork and join for every doubling of threads (DESIGN: under 1 µs from inside the pool, on two).
const FORK: f64 = 1.0;
/// Bytes of a weight that Adam reads and writes.
const ADAM: f64 = 28.0;
/// What the last level of cache of one core complex holds; beyond, memory is the limit.
const CACHE: f64 = 32e6;
/// Cores that saturate the memory of one socket, each with as much as one thread reads here.
const SATURATED: f64 = 8.0;

/// What a step does, from its plan.
#[derive(Default)]
struct Work {
    /// Operations of each stage, and its lanes.
    stages: Vec<(f64, usize)>,
    /// Operations that all threads share.
    shared: f64,
    /// Bytes of all lanes' sums.
    lanes: f64,
    /// Bytes that the optimizer moves.
    optimizer: f64,
}

fn main() -> diabolo::Result<()> {
    let memory = peak::reading(256 << 20);
    println!("memory: {memory:.0} GB/s a thread; measured on 1 and 2 threads, the rest is the model\n");
    println!(
        "| | lanes | 1, ms | 2, ms | 2, model | 16, model | 64, model | what bounds 64 |\n{}",
        "| - ".repeat(8) + "|"
    );
    for workload in WORKLOADS {
        let work = work(workload);
        let [one, two] = [1, 2].map(|threads| median(workload, threads));
        let (one, two) = (one?, two?);
        // What is left of one thread's time for arithmetic gives its rate.
        let moved = (work.lanes + work.optimizer) / (memory * 1e6);
        let rate = work.operations() / (one - moved).max(one / 2.0);
        let model = |threads: usize| work.time(threads, rate, memory);
        let lanes: Vec<String> = work.stages.iter().map(|(_, lanes)| lanes.to_string()).collect();
        let [on_two, on_16, on_64] =
            [2, 16, 64].map(|threads| model(threads).iter().map(|part| part.1).sum::<f64>());
        let parts = model(64);
        let bound = parts.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or("", |part| part.0);
        println!(
            "| {} | {} | {one:.3} | {two:.3} | {on_two:.3} | {on_16:.3} ({:.1}×) | {on_64:.3} ({:.1}×) | {bound} |",
            workload.name,
            lanes.join(", "),
            one / on_16,
            one / on_64,
        );
    }
    Ok(())
}

impl Work {
    fn operations(&self) -> f64 {
        self.shared + self.stages.iter().map(|(flops, _)| flops).sum::<f64>()
    }

    /// Milliseconds of each part on so many threads.
    fn time(&self, threads: usize, rate: f64, memory: f64) -> [(&'static str, f64); 4] {
        let n = threads as f64;
        let stages = self.stages.iter().map(|(flops, lanes)| {
            let turns = lanes.div_ceil(threads) as f64 / *lanes as f64;
            flops / rate * turns
        });
        let bandwidth = |bytes: f64| if bytes > CACHE { memory * n.min(SATURATED) } else { memory * n };
        let moved = |bytes: f64| bytes / (bandwidth(bytes) * 1e6);
        // A stage, the sum of its lanes, the shared products, the optimizer.
        let forks = 2 * self.stages.iter().filter(|(_, lanes)| *lanes > 1).count() + 2;
        let forks = if threads == 1 || self.stages.iter().all(|(_, lanes)| *lanes == 1) { 0 } else { forks };
        [
            ("lanes of the stages", stages.sum()),
            ("shared products", self.shared / rate / n),
            ("memory: sums of lanes, optimizer", moved(self.lanes) + moved(self.optimizer)),
            ("forks", forks as f64 * FORK * n.log2() / 1e3),
        ]
    }
}

/// Reads the plan.
fn work(workload: &Workload) -> Work {
    let mut work = Work::default();
    let mut shared = false;
    let rows = workload.batch;
    let number_before = |line: &str, word: &str| -> Option<usize> {
        let (before, _) = line.split_once(word)?;
        before.split_whitespace().next_back()?.replace('B', "1").parse().ok()
    };
    for line in workload.plan().lines() {
        if line.starts_with("stage") {
            shared = false;
            let elements = line.split("keeps ").nth(1).and_then(|rest| number_before(rest, " elements"));
            let flops = number_before(line, " flops").unwrap_or(0);
            let lane = line.rsplit(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
            let over = line.split("tiles of ").nth(1).and_then(|rest| number_before(rest, " rows without"));
            let over = over.unwrap_or(rows);
            let tiling = Tiling::plan(over, 4 * elements.unwrap_or(0), flops, 4 * lane);
            work.stages.push(((over * flops) as f64, tiling.lanes));
            work.lanes += (4 * lane * tiling.lanes) as f64;
        } else if line.starts_with("on ") {
            shared = line.starts_with("on all");
        } else if shared && let Some(product) = line.trim().strip_prefix("product ") {
            let extents = product.split(':').next().unwrap_or_default();
            let extents = extents.split(" × ").map(|n| n.trim().parse().unwrap_or(rows));
            work.shared += 2.0 * extents.product::<usize>() as f64;
        }
    }
    work.optimizer = ADAM * weights(workload) as f64;
    work
}

/// Elements of all parameters.
fn weights(workload: &Workload) -> usize {
    let Ok(data) = workload.data(1.0) else { return 0 };
    let Ok(training) = workload.start(&data) else { return 0 };
    let Ok(model) = training.model() else { return 0 };
    model.parameters().map(|(_, shape)| shape.iter().product::<usize>()).sum()
}

/// Milliseconds of a step.
fn median(workload: &Workload, threads: usize) -> diabolo::Result<f64> {
    pool(threads)?.install(|| {
        let data = workload.data(1.0)?;
        let mut training = workload.start(&data)?;
        training.step()?;
        let steps = steps(&mut training, 0.7)?;
        Ok(steps[steps.len() / 2])
    })
}
