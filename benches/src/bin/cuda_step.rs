//! Training steps of a workload on a GPU, timed: `cuda_step W3 4096 tf32` prints one line of JSON, microseconds a step.
//!
//! In: a workload (W1…W7, `sparse`), rows a batch, a precision (`f32`, `tf32`, `bf16`), epochs (12). Out: median, minimum and
//! maximum over epochs of up to 64 steps, each with its new order of rows, without a look at the loss before the epoch is
//! over, as `fit` trains; the device, its driver and its clock. Never: a number where there is no GPU: it says so.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use diabolo::device::Precision;
use diabolo::prelude::*;
use diabolo_benches::{data, sparse, w1, w2, w3, w4, w5, w5g, w6, w7};

/// The most steps of an epoch.
const STEPS: usize = 64;
/// The most elements of data.
const ELEMENTS: usize = 1 << 28;

fn main() -> diabolo::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let workload = arguments.next().unwrap_or_else(|| "W3".to_owned());
    let batch = arguments.next().and_then(|rows| rows.parse().ok()).unwrap_or(128);
    let named = arguments.next().unwrap_or_else(|| "f32".to_owned());
    let epochs = arguments.next().and_then(|epochs| epochs.parse().ok()).unwrap_or(12);
    let precision = match named.as_str() {
        "f32" => Precision::Float32,
        "tf32" => Precision::Tf32,
        "bf16" => Precision::Bf16,
        other => return Err(diabolo::Error::config(format!("no precision named {other}"))),
    };
    let device = match Device::cuda(0) {
        Ok(device) => device.precision(precision),
        Err(error) => {
            println!("skipped: no CUDA device ({error})");
            return Ok(());
        }
    };
    let how = (batch, epochs, &device);
    let times = match workload.as_str() {
        "W1" => time(Trainer::new(w1::objective), 64, how),
        "W2" => time(Trainer::new(w2::objective), 784, how),
        "W3" => time(Trainer::new(w3::objective), 784, how),
        "W4" => time(Trainer::new(w4::objective), 784, how),
        "W5" => time(Trainer::new(w5::objective), 784, how),
        "W5g" => time(Trainer::new(w5g::objective), 784, how),
        "W6" => time(Trainer::new(w6::objective), 512, how),
        "W6k" => time(Trainer::new(w6::of_the_largest), 512, how),
        "W7" => time(Trainer::new(w7::objective), 784, how),
        "sparse" => time(Trainer::new(sparse::objective), 4096, how),
        other => Err(diabolo::Error::config(format!("no workload named {other}"))),
    }?;
    let [median, least, most] = [times[times.len() / 2], times[0], times[times.len() - 1]];
    println!(
        r#"{{"peer":"diabolo","w":"{workload}","batch":{batch},"precision":"{named}","med":{median:.2},"min":{least:.2},"max":{most:.2},"epochs":{},"device":"{device}","clock":"{}"}}"#,
        times.len(),
        clock(),
    );
    Ok(())
}

/// Driver and clocks as NVIDIA's tool says them, where it is there.
fn clock() -> String {
    let query = "--query-gpu=driver_version,clocks.sm,clocks.max.sm,clocks.mem";
    let output =
        std::process::Command::new("nvidia-smi").args([query, "--format=csv,noheader", "--id=0"]).output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

/// Microseconds a step of each epoch but the first two, ascending.
fn time<L: Loss>(
    trainer: Trainer<L>,
    width: usize,
    (batch, epochs, device): (usize, usize, &Device),
) -> diabolo::Result<Vec<f64>> {
    let steps = (ELEMENTS / (width * batch.max(1))).clamp(1, STEPS);
    let data = data(batch * steps, width, 1.0)?;
    let ends = Arc::new(Mutex::new(vec![Instant::now()]));
    let seen = ends.clone();
    let end = move |_: &diabolo::EpochReport| {
        if let Ok(mut ends) = seen.lock() {
            ends.push(Instant::now());
        }
    };
    let trainer = trainer.optimizer(Adam::new(1e-3)).batch(batch).epochs(epochs.max(4)).quiet();
    trainer.device(device.clone()).on_epoch(end).fit(&data)?;
    let ends = ends.lock().map(|ends| ends.clone()).unwrap_or_default();
    let mut times: Vec<f64> =
        ends.windows(2).skip(2).map(|pair| (pair[1] - pair[0]).as_secs_f64() * 1e6 / steps as f64).collect();
    times.sort_by(f64::total_cmp);
    Ok(times)
}
