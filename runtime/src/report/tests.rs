use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::chart::ticks;
use super::progress::{decimals, number};
use super::*;
use crate::data::digits;

/// Width, height and pixels of a PNG file.
fn read(path: &Path) -> (usize, usize, Vec<u8>) {
    let decoder = png::Decoder::new(io::BufReader::new(fs::File::open(path).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    (info.width as usize, info.height as usize, bytes)
}

#[test]
fn a_grid_shows_every_pixel() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grid.png");
    let images: [&[f32]; 3] = [&[0.0, 1.0], &[0.5, f32::NAN], &[-1.0, 2.0]];
    grid(&path, images, [1, 2], 2).unwrap();
    let (width, height, bytes) = read(&path);
    // Two columns of 64 wide, 32 high, gaps of 3, margins of 12.
    assert_eq!((width, height), (12 + 64 + 3 + 64 + 12, 12 + 32 + 3 + 32 + 12));
    let at = |x: usize, y: usize| -> [u8; 3] { bytes[3 * (y * width + x)..][..3].try_into().unwrap() };
    assert_eq!((at(12, 12), at(43, 43), at(44, 12), at(75, 12)), ([0; 3], [0; 3], [255; 3], [255; 3]));
    assert_eq!((at(79, 12), at(111, 12)), ([128; 3], [204, 0, 119]));
    assert_eq!((at(12, 47), at(44, 47)), ([0; 3], [255; 3]));
    assert_eq!(at(11, 12), [255; 3]);
}

#[test]
fn pictures_that_cannot_be_drawn_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.png");
    let line = grid(&path, [&[0.0f32; 3][..]], [2, 2], 1).unwrap_err().to_string();
    assert_eq!(line, format!("picture {}: `image` should be 2 × 2 pixels, but is 3 values", path.display()));
    assert!(grid::<f32>(&path, [], [2, 2], 1).unwrap_err().to_string().ends_with("is empty"));
    assert!(strips::<f32>(&path, &[], [2, 2]).is_err());
    assert!(grid(&path, [&[][..] as &[f32]], [0, 5], 0).is_err());
    assert!(grid(&path, [&[][..] as &[f32]], [usize::MAX, 2], 0).is_err());
    assert!(grid(folder.path().join("none/p.png"), [&[0.0f32; 4][..]], [2, 2], 1).is_err());
    assert!(curve(&path, "t", ["x", "y"], &[]).unwrap_err().to_string().ends_with("is empty"));
    assert!(curve(&path, "t", ["x", "y"], &[("a", vec![(0.0, f64::NAN)])]).is_err());
    assert!(scatter(&path, "t", [&[0.0f32; 3][..]], &[0.0]).is_err());
    assert!(scatter(&path, "t", [&[0.0f32; 2][..]], &[]).is_err());
    assert!(!path.exists());
}

#[test]
fn reconstructions_stand_in_pairs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pairs.png");
    let x = digits().test.take(13).unwrap().array::<f32>("x").unwrap();
    let y = digits().test.array::<f32>("x").unwrap();
    reconstructions(&path, &x, &y, [8, 8]).unwrap();
    let (width, height, _) = read(&path);
    assert_eq!((width, height), (24 + 12 * 67 - 3, 24 + 4 * 67 - 3 + 9));
}

#[test]
fn charts_are_drawn_for_odd_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chart.png");
    for points in [
        vec![(1.0, 1.0)],
        vec![(1.0, 0.0), (2.0, 0.0)],
        vec![(0.0, 1e-8), (1.0, 1e8)],
        vec![(0.0, -9e299), (1.0, 9e299)],
        vec![(0.0, 1e-320), (1.0, 1e299)],
        vec![(0.0, 2e-12), (1.0, 9e299)],
        vec![(0.0, 2e-12), (1.0, 9e287)],
        vec![(f64::MIN, 0.0), (f64::MAX, 1.0), (0.0, f64::MAX), (3.0, 1.0)],
        vec![(1e9, 1.0), (1e9 + 1.0, 1.0 + 1e-14)],
        vec![(0.0, 1.0), (1.0, f64::INFINITY), (2.0, 3.0)],
    ] {
        curve(&path, "loss", ["epoch", "nats"], &[("train", points)]).unwrap();
        assert_eq!(read(&path).0, 960);
    }
    let points: Vec<[f32; 2]> = (0..30u8).map(|i| [f32::from(i).sin(), f32::from(i).cos()]).collect();
    let labels: Vec<f32> = (0..30u8).map(f32::from).collect();
    scatter(&path, "codes", points.iter().map(|p| &p[..]), &labels).unwrap();
    scatter(&path, "one code", [&[1.0f32, 1.0][..]], &[3.0]).unwrap();
    assert_eq!(read(&path).0, 800);
}

#[test]
fn intervals_have_a_line_each() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chart.png");
    let line = |mean: f64| Interval { name: "variant".into(), mean, deviation: 0.1, reference: 2.0 };
    intervals(&path, "error", "squared error", &[line(1.0), line(f64::NAN), line(0.5)]).unwrap();
    let three = read(&path).1;
    let blue = |path: &Path| read(path).2.chunks(3).filter(|p| *p == [0, 114, 178]).count();
    let two_dots = blue(&path);
    intervals(&path, "error", "squared error", &[line(1.0)]).unwrap();
    let one = (read(&path).1, blue(&path));
    assert!(three > one.0 && two_dots > one.1 && one.1 > 50, "{three} {two_dots} {one:?}");
    let none = Interval { reference: f64::NAN, ..line(f64::NAN) };
    intervals(&path, "t", "x", &[none]).unwrap();
    assert!(intervals(&path, "t", "x", &[]).is_err());
}

#[test]
fn what_rounding_leaves_of_a_zero_on_an_axis_is_zero() {
    let wide = ticks(&(-0.6..0.6));
    assert_eq!([wide(&1.11e-16), wide(&0.2), wide(&-0.4)], ["0", "0.2", "-0.4"]);
    let narrow = ticks(&(1e-16..3e-16));
    assert_eq!(narrow(&1.5e-16), "1.5e-16");
}

/// What charts are lettered in must be there: a chart with a title has more ink than one without.
#[test]
fn charts_are_lettered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chart.png");
    let dark = |title: &str| {
        curve(&path, title, ["epoch", "loss"], &[("train", vec![(0.0, 1.0), (1.0, 2.0)])]).unwrap();
        read(&path).2.iter().filter(|v| **v < 100).count()
    };
    assert!(dark("WWWWWWWWWWWW") > dark("w") + 500);
}

#[test]
fn a_run_never_overwrites_another() {
    let out = tempfile::tempdir().unwrap();
    let first = Run::create(out.path(), "vanilla").unwrap();
    first.metrics(1, 1, &[("loss", 0.5), ("kl", f64::NAN)]).unwrap();
    first.metrics(2, 1, &[("loss", 0.25)]).unwrap();
    let second = Run::create(out.path(), "vanilla").unwrap();
    assert_eq!(second.folder(), out.path().join("vanilla-2"));
    let lines = fs::read_to_string(first.path("metrics.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0], serde_json::json!({ "step": 1, "epoch": 1, "loss": 0.5, "kl": null }));
    assert_eq!(lines.len(), 2);

    let again = Run::reuse(out.path(), "vanilla").unwrap();
    assert_eq!(again.folder(), first.folder());
    assert_eq!(fs::read_to_string(again.path("metrics.jsonl")).unwrap(), "");
    for name in ["", "..", "a/b", "/tmp", "a/"] {
        assert!(Run::create(out.path(), name).is_err(), "{name}");
        assert!(Run::reuse(out.path(), name).is_err(), "{name}");
    }
    fs::write(out.path().join("file"), "").unwrap();
    let line = Run::create(out.path().join("file"), "a").unwrap_err().to_string();
    assert!(line.starts_with("cannot create "), "{line}");
}

#[test]
fn a_run_records_what_it_takes_to_repeat_it() {
    let out = tempfile::tempdir().unwrap();
    let run = Run::create(out.path(), "vanilla").unwrap();
    run.config(&serde_json::json!({ "epochs": 3 }), Settings { seed: 7, threads: 2 }).unwrap();
    let config: serde_json::Value =
        serde_json::from_slice(&fs::read(run.path("config.json")).unwrap()).unwrap();
    assert_eq!(
        (&config["seed"], &config["threads"], &config["config"]["epochs"]),
        (&7.into(), &2.into(), &3.into())
    );
    assert!(config["instruction_set"].is_string() && config["version"].is_string());
    run.figures(&Figures::new("error").row("model", 1.5)).unwrap();
    let figures: serde_json::Value =
        serde_json::from_slice(&fs::read(run.path("figures.json")).unwrap()).unwrap();
    assert_eq!(figures["rows"][0], serde_json::json!({ "name": "model", "value": 1.5 }));
}

#[test]
fn figures_mark_the_best() {
    let lower = Figures::new("error").row("autoencoder", 12.31).row("PCA", 14.0).row("broken", f64::NAN);
    assert_eq!(
        lower.to_string(),
        "error\n  autoencoder   12.310  best\n  PCA           14.000  × 1.14\n  broken           NaN"
    );
    let higher = Figures::new("log-likelihood").higher_is_better().row("a", -104.0).row("b", -98.5);
    assert_eq!(higher.to_string(), "log-likelihood\n  a   -104.000\n  b    -98.500  best");
    assert_eq!(Figures::new("nothing").to_string(), "nothing");
    assert_eq!(
        Figures::new("exact").row("a", 0.0).row("b", 2.0).to_string(),
        "exact\n  a   0  best\n  b   2"
    );
}

/// A writer that can be read afterwards.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn many_epochs_share_their_lines() {
    let page = Page::default();
    let mut progress = Progress::lines("long", 300, Box::new(page.clone()));
    (0..300).for_each(|_| progress.epoch(10, &[("loss", 1.0)]));
    let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
    let epochs: Vec<&str> = text.lines().filter_map(|line| line.get(6..19)).collect();
    let some = (epochs.len(), epochs[0], epochs[1], epochs[20]);
    assert_eq!(some, (21, "epoch   1/300", "epoch  15/300", "epoch 300/300"), "{text}");
}

#[test]
fn epochs_are_lines_whose_columns_stand() {
    let page = Page::default();
    let mut progress = Progress::lines("beta", 10, Box::new(page.clone()));
    for (loss, kl) in [(212.4, 0.0213), (98.7, 1.25), (7.31, 13.5)] {
        progress.step();
        progress.epoch(1000, &[("loss", loss), ("kl", kl)]);
    }
    progress.finish();
    let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("beta  epoch  1/10  loss    212.40  kl  0.021300  "), "{text}");
    assert!(lines[1].starts_with("beta  epoch  2/10  loss     98.70  kl  1.250000  "), "{text}");
    assert!(lines[2].starts_with("beta  epoch  3/10  loss      7.31  kl 13.500000  "), "{text}");
    assert!(lines[0].ends_with(" rows/s"));
    assert!(lines[3].starts_with("beta  3 epochs in "), "{text}");
}

#[test]
fn numbers_keep_five_digits() {
    for (value, text) in [
        (212.4, "212.40"),
        (0.0213, "0.021300"),
        (0.0, "0"),
        (123456.7, "123457"),
        (-3.25, "-3.2500"),
        (1e9, "1.000e9"),
        (1.5e-12, "1.500e-12"),
        (f64::INFINITY, "inf"),
    ] {
        assert_eq!(number(value, decimals(value)), text);
    }
}

#[test]
fn a_silent_progress_says_nothing_and_costs_nothing() {
    let mut progress = Progress::silent();
    progress.step();
    progress.epoch(10, &[("loss", 1.0)]);
    progress.finish();
}
