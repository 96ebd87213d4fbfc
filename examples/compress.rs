//! The autoencoder as a compressor: digits in a file of a few bytes each.
//!
//! Loss: ‖x − D(⌊c⌉)‖² + λ · bits(c), codes rounded to whole numbers with the slope of the identity, bits under a learned
//! logistic prior of c + u, u uniform on ±½ in the place of rounding (Ballé, Laparra and Simoncelli 2017; Theis et al. 2017).
//! The file has the rounded codes, entropy-coded; only that file and the model are needed to read it. Look at the three
//! figures beside each other: bits measured, the entropy of the levels, and R(D) of a Gaussian source with the same
//! covariance at the squared error that was measured. A larger λ is a smaller file.

use std::path::PathBuf;

use clap::Args;
use common::{Defaults, Quantised, Study, gaussian_rate, positive};
use diabolo::nn::{dense, squared_error};
use diabolo::prelude::*;
use diabolo::{Error, Result, report};

#[encoder]
pub fn encode<#[values(4, 8, 16, 32)] const K: usize>(x: Tensor<B, 64>) -> Tensor<B, K> {
    dense(relu(dense(x, 128)), K)
}

#[decoder]
pub fn decode<#[values(4, 8, 16, 32)] const K: usize>(c: Tensor<B, K>) -> Tensor<B, 64> {
    dense(relu(dense(c, 128)), 64)
}

/// −log₂ of the probability of the cell of width 1 around c, of logistic variables whose centre and width are learned.
#[network]
fn bits<const K: usize>(c: Tensor<B, K>) -> Tensor<B> {
    let centre: Tensor<K> = param(zeros());
    let sharpness: Tensor<K> = param(zeros());
    let scale = exp(sharpness);
    let (low, high) = ((c - centre - 0.5) * scale, (c - centre + 0.5) * scale);
    // log (σ(high) − σ(low)), without the difference of two numbers near 1.
    let nats = softplus(-high) + softplus(low) - log(-expm1(-scale));
    sum(nats) / log(2.0)
}

#[loss]
pub fn compressor<#[values(4, 8, 16, 32)] const K: usize>(
    x: Tensor<B, 64>,
    #[default(0.02)] lambda: f32,
) -> Tensor<B> {
    let c = encode::<K>(x);
    let distortion = squared_error(decode(straight_through(round(c), c)), x);
    let rate = bits(c + uniform_like(c) - 0.5);
    distortion + lambda * rate
}

/// What whole codes say.
#[function]
pub fn reconstruct<#[values(4, 8, 16, 32)] const K: usize>(x: Tensor<B, 64>) -> Tensor<B, 64> {
    decode(round(encode::<K>(x)))
}

#[derive(Args)]
struct Flags {
    /// Numbers of a code: 4, 8, 16 or 32
    #[arg(long, value_name = "K", default_value_t = 16)]
    code: usize,
    /// What a bit costs, in squared error
    #[arg(long, value_name = "λ", default_value_t = 0.02, value_parser = positive)]
    lambda: f64,
    /// Reads this file of codes in the place of making one; needs --model
    #[arg(long, value_name = "FILE", requires = "model")]
    unpack: Option<PathBuf>,
    /// A trained model, in the place of training one
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

fn main() -> Result<()> {
    let defaults = Defaults { epochs: 150, batch: 64, lr: 2e-3 };
    let (study, flags) = Study::begin_with::<Flags>("compress", defaults)?;
    let k = flags.code;
    let model_file = match &flags.model {
        Some(file) => file.clone(),
        None => {
            study.train(compressor { K: k, lambda: flags.lambda as f32 })?;
            study.trial.run.path(&format!("compressor-{k}.safetensors"))
        }
    };
    let model = Model::load(&model_file)?;
    if let Some(file) = flags.unpack {
        let codes = Quantised::unpack(&read(&file)?)?.codes()?;
        let images = model.run(decode { K: k }, &codes)?;
        let picture = study.trial.run.path("unpacked.png");
        report::grid(&picture, &images, study.digits.shape, 24)?;
        println!("{} images: {}", images.rows(), picture.display());
        return Ok(());
    }

    let quantised = Quantised::new(&model.run(encode { K: k }, &study.digits.test)?, 1.0)?;
    let packed = quantised.pack()?;
    let file = study.trial.run.path("digits.dblc");
    std::fs::write(&file, &packed.bytes).map_err(Error::io(&file, "write"))?;

    // From here on there is only the file and the model.
    let again = Quantised::unpack(&read(&file)?)?;
    let images = Model::load(&model_file)?.run(decode { K: k }, &again.codes()?)?;
    if again != quantised || images != model.run(decode { K: k }, &quantised.codes()?)? {
        return Err(Error::config(format!("{} was not read back as it was written", file.display())));
    }
    study.picture("reconstructions", &images)?;
    let rows = images.rows() as f64;
    let error = study.squared_error(&images)?;
    println!(
        "\n{}: {} bytes, {} of them levels and counts",
        file.display(),
        packed.bytes.len(),
        packed.bytes.len() - packed.payload
    );
    println!("read back bit for bit: {} rows of {k} codes, and their images\n", images.rows());
    println!("bits an image, at a squared error of {error:.3}");
    println!("  raw pixels (0 to 16)        {:8.2}", 64.0 * 17f64.log2());
    println!("  measured, with its table    {:8.2}", 8.0 * packed.bytes.len() as f64 / rows);
    println!("  measured, codes alone       {:8.2}", 8.0 * packed.payload as f64 / rows);
    println!("  entropy of the levels       {:8.2}", quantised.entropy() / rows);
    println!("  R(D), Gaussian              {:8.2}", gaussian_rate(study.pca(64)?.eigenvalues(), error));
    study.conclude(&[(&format!("compressor, {k} codes"), error)], k)
}

fn read(file: &std::path::Path) -> Result<Vec<u8>> {
    std::fs::read(file).map_err(Error::io(file, "read"))
}
