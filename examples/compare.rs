//! Any of the variants over any seeds, beside PCA with a code of as many numbers.
//!
//! Every variant is the example of its name, trained with the same flags; a seed changes first values, order and noise.
//! Look at the mean of the test error and its standard deviation over seeds, and at the bar: PCA with as many numbers.
//! `--variants vae,tied --seeds 3` is a smaller table. Variants whose loss asks for more than a small error (VAEs,
//! penalties, adversaries) pay for it here: this is one figure, not a ranking.

use clap::Args;
use clap::builder::PossibleValuesParser;
use common::{Defaults, Study};
use diabolo::data::{Array, Digits};
use diabolo::program::{IntoRoot, Root};
use diabolo::projection::orthonormal_rows;
use diabolo::report::{Interval, intervals};
use diabolo::{Error, Losses, Optimizers, Result, Trainer, prelude::*};

#[allow(dead_code)]
#[path = "adversarial.rs"]
mod adversarial;
#[allow(dead_code)]
#[path = "compress.rs"]
mod compress;
#[allow(dead_code)]
#[path = "contractive.rs"]
mod contractive;
#[allow(dead_code)]
#[path = "convolutional.rs"]
mod convolutional;
#[allow(dead_code)]
#[path = "cross_entropy.rs"]
mod cross_entropy;
#[allow(dead_code)]
#[path = "deep.rs"]
mod deep;
#[allow(dead_code)]
#[path = "first.rs"]
mod first;
#[allow(dead_code)]
#[path = "learned_loss.rs"]
mod learned_loss;
#[allow(dead_code)]
#[path = "linear_vae.rs"]
mod linear_vae;
#[allow(dead_code)]
#[path = "losses.rs"]
mod losses;
#[allow(dead_code)]
#[path = "pca.rs"]
mod pca;
#[allow(dead_code)]
#[path = "recurrent.rs"]
mod recurrent;
#[allow(dead_code)]
#[path = "sparse.rs"]
mod sparse;
#[allow(dead_code)]
#[path = "tied.rs"]
mod tied;
#[allow(dead_code)]
#[path = "vae.rs"]
mod vae;

/// What is compared: its name, the numbers of its code, and how it is trained.
struct Variant {
    name: &'static str,
    code: usize,
    outputs: fn(&Task) -> Result<Array<f32>>,
}

/// The variants; those called plain are the eight losses over one encoder and decoder.
const VARIANTS: &[Variant] = &[
    variant("first", 8, |task| task.of(first::vanilla, first::reconstruct)),
    variant("deep-relu", 8, |task| task.of(deep::deep_relu, deep::with_relu)),
    variant("deep-tanh", 8, |task| task.of(deep::deep_tanh, deep::with_tanh)),
    variant("deep-sigmoid", 8, |task| task.of(deep::deep_sigmoid, deep::with_sigmoid)),
    variant("convolutional", 8, |task| task.of(convolutional::convolutional, convolutional::reconstruct)),
    variant("gru", 8, |task| task.of(recurrent::gated, recurrent::by_gru)),
    variant("lstm", 8, |task| task.of(recurrent::remembering, recurrent::by_lstm)),
    variant("cross-entropy", 8, |task| task.of(cross_entropy::cross_entropy, cross_entropy::reconstruct)),
    variant("pca", 8, |task| task.centred(|task| task.pca())),
    variant("vae", 8, |task| task.of(vae::beta_vae, vae::reconstruct)),
    variant("linear-vae", 8, |task| task.of(linear_vae::linear_vae, linear_vae::reconstruct)),
    variant("learned-loss", 8, |task| task.learned_loss()),
    variant("adversarial", 2, |task| task.adversarial()),
    variant("tied", 16, |task| task.of(tied::tied, tied::reconstruct)),
    variant("compressor", 16, |task| task.of(compress::compressor::<16>, compress::reconstruct::<16>)),
    variant("plain", 16, |task| task.of(losses::plain, losses::reconstruct)),
    variant("plain-cross-entropy", 16, |task| task.of(losses::cross_entropy, losses::reconstruct)),
    variant("plain-sparse", 16, |task| task.of(losses::sparse, losses::reconstruct)),
    variant("plain-denoising", 16, |task| task.of(losses::denoising, losses::reconstruct)),
    variant("plain-contractive", 16, |task| task.of(losses::contractive, losses::reconstruct)),
    variant("plain-vae", 16, |task| task.of(losses::beta_vae, losses::reconstruct)),
    variant("plain-robust", 16, |task| task.of(losses::robust, losses::reconstruct)),
    variant("plain-ink", 16, |task| task.of(losses::ink, losses::reconstruct)),
    variant("contractive", 32, |task| task.of(contractive::contractive, contractive::reconstruct)),
    variant("sparse", 32, |task| task.sparse()),
];

const fn variant(name: &'static str, code: usize, outputs: fn(&Task) -> Result<Array<f32>>) -> Variant {
    Variant { name, code, outputs }
}

/// One training of one variant.
struct Task<'a> {
    digits: &'a Digits,
    defaults: Defaults,
    seed: u64,
}

impl Task<'_> {
    fn adam(&self) -> Adam {
        Adam::new(self.defaults.lr as f32)
    }

    /// Trains a loss with Adam and reconstructs the test images.
    fn of<L: Loss, I: IntoRoot>(&self, loss: impl IntoRoot<Root = L>, reconstruct: I) -> Result<Array<f32>>
    where
        I::Root: Root<Results<f32> = Array<f32>>,
    {
        self.with(Trainer::new(loss).optimizer(self.adam()), reconstruct)
    }

    /// The same for a trainer with optimizers of its own.
    fn with<L: Losses, O: Optimizers<L>, I: IntoRoot>(
        &self,
        trainer: Trainer<L, O>,
        reconstruct: I,
    ) -> Result<Array<f32>>
    where
        I::Root: Root<Results<f32> = Array<f32>>,
    {
        let Defaults { epochs, batch, .. } = self.defaults;
        let model = trainer.epochs(epochs).batch(batch).seed(self.seed).quiet().fit(&self.digits.train)?;
        model.run(reconstruct, &self.digits.test)
    }

    /// A sparse code whose strokes are bounded.
    fn sparse(&self) -> Result<Array<f32>> {
        let trainer = Trainer::new(sparse::sparse).project(sparse::strokes, sparse::bounded);
        self.with(trainer.optimizer(self.adam()), sparse::reconstruct)
    }

    /// A critic of the reconstructions.
    fn learned_loss(&self) -> Result<Array<f32>> {
        let wary = Adam { b1: 0.5, ..self.adam() };
        let losses = (learned_loss::rebuild { weight: 1.0 }, learned_loss::criticise);
        self.with(Trainer::alternate(losses).optimizers((wary, wary)), learned_loss::reconstruct)
    }

    /// A critic of the code.
    fn adversarial(&self) -> Result<Array<f32>> {
        let own = self.adam();
        let wary = Adam { b1: 0.5, ..own };
        let losses = (adversarial::reconstruct, adversarial::discriminate, adversarial::deceive);
        self.with(Trainer::alternate(losses).optimizers((own, wary, wary)), adversarial::rebuild)
    }

    /// The same on images less their mean, which is added to what comes out.
    fn centred(&self, outputs: impl FnOnce(&Task) -> Result<Array<f32>>) -> Result<Array<f32>> {
        let mean = self.digits.train.mean("x")?;
        let centred = |data: &Data| data.center("x", &mean);
        let (train, test) = (centred(&self.digits.train)?, centred(&self.digits.test)?);
        let digits = Digits { train, test, ..self.digits.clone() };
        pca::with_mean(outputs(&Task { digits: &digits, ..*self })?, &mean)
    }

    fn pca(&self) -> Result<Array<f32>> {
        let trainer = Trainer::new(pca::pca::<8>).optimizer(self.adam());
        self.with(trainer.project(pca::basis::<8>, orthonormal_rows), pca::project::<8>)
    }
}

fn names() -> PossibleValuesParser {
    VARIANTS.iter().map(|variant| variant.name).collect::<Vec<_>>().into()
}

#[derive(Args)]
struct Flags {
    /// Which variants, with commas between [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = names())]
    variants: Vec<String>,
    /// How many seeds, counted up from --seed
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
}

fn main() -> Result<()> {
    let defaults = Defaults { epochs: 150, batch: 64, lr: 2e-3 };
    let (study, flags) = Study::begin_with::<Flags>("compare", defaults)?;
    let asked = &study.trial.flags;
    let defaults = Defaults { epochs: asked.epochs, batch: asked.batch, lr: asked.lr };
    let seeds: Vec<u64> = (0..flags.seeds).map(|i| asked.seed.wrapping_add(i)).collect();
    let file = study.trial.run.path("compare.csv");
    let written = |error: csv::Error| Error::config(format!("{}: {error}", file.display()));
    let mut table = csv::Writer::from_path(&file).map_err(written)?;
    table.write_record(["variant", "code", "seed", "squared error", "PCA"]).map_err(written)?;

    println!("\nsquared error per test image, {} seeds of {} epochs", seeds.len(), defaults.epochs);
    println!("  {:<20} {:>4}  {:>17}  {:>8}", "variant", "code", "mean ± deviation", "PCA");
    let mut lines = Vec::new();
    let chosen = |variant: &&Variant| {
        flags.variants.is_empty() || flags.variants.iter().any(|name| name == variant.name)
    };
    for Variant { name, code, outputs } in VARIANTS.iter().filter(chosen) {
        let pca = study.pca(*code)?.squared_error(&study.digits.test)?;
        let mut errors = Vec::new();
        for seed in &seeds {
            let error =
                study.squared_error(&outputs(&Task { digits: &study.digits, defaults, seed: *seed })?)?;
            let record =
                [name.to_string(), code.to_string(), seed.to_string(), error.to_string(), pca.to_string()];
            table.write_record(record).map_err(written)?;
            errors.push(error);
        }
        let (mean, deviation) = mean_and_deviation(&errors);
        println!("  {name:<20} {code:>4}  {mean:>8.4} ± {deviation:<6.4}  {pca:>8.4}");
        lines.push(Interval { name: format!("{name}, {code}"), mean, deviation, reference: pca });
    }
    table.flush().map_err(|error| written(error.into()))?;
    let title = format!("{}: squared error per test image, {} seeds", study.digits.name, seeds.len());
    intervals(
        study.trial.run.path("compare.png"),
        &title,
        "dots: mean ± deviation; bars: PCA with as many numbers",
        &lines,
    )?;
    println!("\ntable, chart: {}", study.trial.run.folder().display());
    Ok(())
}

/// Over n − 1; of one value, 0.
fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (squares / (values.len() - 1).max(1) as f64).sqrt())
}
