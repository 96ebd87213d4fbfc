//! The workloads that Diabolo measures itself on, each one training step of a published shape.
//!
//! In: nothing. Out: losses in the language, data of the right shape, single steps. Never: a step without its optimizer.

#![allow(missing_docs)] // the functions are named by their workload; the table in README.md explains each

pub mod peak;

use std::time::Instant;

use diabolo::data::Data;
use diabolo::prelude::*;
use diabolo::{Error, Training};

/// W1: 64-32-8-32-64, ReLU, cross-entropy from logits, batch 64.
pub mod w1 {
    use diabolo::nn::{bce_with_logits, dense};
    use diabolo::prelude::*;

    #[encoder]
    fn encode(x: Tensor<B, 64>) -> Tensor<B, 8> {
        relu(dense(relu(dense(x, 32)), 8))
    }

    #[decoder]
    fn decode(z: Tensor<B, 8>) -> Tensor<B, 64> {
        dense(relu(dense(z, 32)), 64)
    }

    #[loss]
    pub fn objective(x: Tensor<B, 64>) -> Tensor<B> {
        bce_with_logits(decode(encode(x)), x)
    }
}

/// W2: 784-256-64-256-784, ReLU, cross-entropy from logits, batch 128.
pub mod w2 {
    use diabolo::nn::{bce_with_logits, dense};
    use diabolo::prelude::*;

    #[encoder]
    fn encode(x: Tensor<B, 784>) -> Tensor<B, 64> {
        relu(dense(relu(dense(x, 256)), 64))
    }

    #[decoder]
    fn decode(z: Tensor<B, 64>) -> Tensor<B, 784> {
        dense(relu(dense(z, 256)), 784)
    }

    #[loss]
    pub fn objective(x: Tensor<B, 784>) -> Tensor<B> {
        bce_with_logits(decode(encode(x)), x)
    }
}

/// W3: a VAE, 784-400-(20, 20)-400-784, batch 128.
pub mod w3 {
    use diabolo::nn::{bce_with_logits, dense, kl_normal};
    use diabolo::prelude::*;

    #[encoder]
    fn encode(x: Tensor<B, 784>) -> (Tensor<B, 20>, Tensor<B, 20>) {
        let h = relu(dense(x, 400));
        (dense(h, 20), dense(h, 20))
    }

    #[decoder]
    fn decode(z: Tensor<B, 20>) -> Tensor<B, 784> {
        dense(relu(dense(z, 400)), 784)
    }

    #[loss]
    pub fn objective(x: Tensor<B, 784>) -> Tensor<B> {
        let (mean, logvar) = encode(x);
        let z = mean + exp(0.5 * logvar) * normal_like(mean);
        bce_with_logits(decode(z), x) + kl_normal(mean, logvar)
    }
}

/// W4: 784-1024-512-64-512-1024-784, squared error, batch 1024.
pub mod w4 {
    use diabolo::nn::{dense, squared_error};
    use diabolo::prelude::*;

    #[encoder]
    fn encode(x: Tensor<B, 784>) -> Tensor<B, 64> {
        relu(dense(relu(dense(relu(dense(x, 1024)), 512)), 64))
    }

    #[decoder]
    fn decode(z: Tensor<B, 64>) -> Tensor<B, 784> {
        dense(relu(dense(relu(dense(z, 512)), 1024)), 784)
    }

    #[loss]
    pub fn objective(x: Tensor<B, 784>) -> Tensor<B> {
        squared_error(decode(encode(x)), x)
    }
}

/// W5: 784-256-784, sigmoid, squared error and the contractive penalty of one layer, batch 128.
pub mod w5 {
    use diabolo::nn::{dense, squared_error};
    use diabolo::prelude::*;

    #[encoder]
    fn encode(x: Tensor<B, 784>) -> Tensor<B, 256> {
        sigmoid(dense(x, 256))
    }

    #[decoder]
    fn decode(z: Tensor<B, 256>) -> Tensor<B, 784> {
        sigmoid(dense(z, 784))
    }

    #[loss]
    pub fn objective(x: Tensor<B, 784>) -> Tensor<B> {
        squared_error(decode(encode(x)), x) / 784.0 + 0.0001 * sum_squares(jacobian(encode, x))
    }
}

/// W5g: 784-128-32 tanh and its mirror, squared error and the penalty of two layers, batch 128.
pub mod w5g {
    use diabolo::nn::{dense, squared_error};
    use diabolo::prelude::*;

    #[encoder]
    fn encode(x: Tensor<B, 784>) -> Tensor<B, 32> {
        tanh(dense(tanh(dense(x, 128)), 32))
    }

    #[decoder]
    fn decode(z: Tensor<B, 32>) -> Tensor<B, 784> {
        sigmoid(dense(tanh(dense(z, 128)), 784))
    }

    #[loss]
    pub fn objective(x: Tensor<B, 784>) -> Tensor<B> {
        squared_error(decode(encode(x)), x) / 784.0 + 0.0001 * sum_squares(jacobian(encode, x))
    }
}

/// W6: a sparse autoencoder 512-8192-512, rectified code, mean squared error and L1, batch 1024.
pub mod w6 {
    use diabolo::nn::{dense, l1, mse};
    use diabolo::prelude::*;

    #[network]
    fn centre() -> Tensor<512> {
        param(zeros())
    }

    #[encoder]
    fn encode(x: Tensor<B, 512>) -> Tensor<B, 8192> {
        relu(dense(x - centre(), 8192))
    }

    #[decoder]
    fn decode(z: Tensor<B, 8192>) -> Tensor<B, 512> {
        let features: Tensor<8192, 512> = param(fan_in(8192));
        einsum("bk,kd->bd", z, features) + centre()
    }

    #[loss]
    pub fn objective(x: Tensor<B, 512>) -> Tensor<B> {
        let code = encode(x);
        mse(decode(code), x) + 0.001 * l1(code)
    }

    /// W6k: the 32 largest of the code alone, and no penalty.
    #[loss]
    pub fn of_the_largest(x: Tensor<B, 512>) -> Tensor<B> {
        mse(decode(top_k(encode(x), 32)), x)
    }
}

/// A sparse autoencoder of the size that language models ask for: 4096 to 131,072, of which 64 are kept; batch 8192.
pub mod sparse {
    use diabolo::nn::{dense, mse};
    use diabolo::prelude::*;

    #[network]
    fn centre() -> Tensor<4096> {
        param(zeros())
    }

    #[encoder]
    fn encode(x: Tensor<B, 4096>) -> Tensor<B, 131072> {
        top_k(relu(dense(x - centre(), 131072)), 64)
    }

    #[decoder]
    fn decode(z: Tensor<B, 131072>) -> Tensor<B, 4096> {
        let features: Tensor<131072, 4096> = param(fan_in(131072));
        einsum("bk,kd->bd", z, features) + centre()
    }

    #[loss]
    pub fn objective(x: Tensor<B, 4096>) -> Tensor<B> {
        mse(decode(encode(x)), x)
    }
}

/// W7: 28 × 28, convolutions 1-16-32 (3 × 3, stride 2), mirrored, sigmoid, mean squared error, batch 128.
pub mod w7 {
    use diabolo::nn::{conv, conv_transpose, mse};
    use diabolo::prelude::*;

    #[encoder]
    fn encode(x: Tensor<B, 784>) -> Tensor<B, 32, 7, 7> {
        let h = relu(conv(reshape(x, 1, 28, 28), channels = 16, kernel = 3, stride = 2, padding = 1));
        relu(conv(h, channels = 32, kernel = 3, stride = 2, padding = 1))
    }

    #[decoder]
    fn decode(z: Tensor<B, 32, 7, 7>) -> Tensor<B, 784> {
        let h = conv_transpose(z, channels = 16, kernel = 3, stride = 2, padding = 1, output_padding = 1);
        let y =
            conv_transpose(relu(h), channels = 1, kernel = 3, stride = 2, padding = 1, output_padding = 1);
        sigmoid(flatten(y))
    }

    #[loss]
    pub fn objective(x: Tensor<B, 784>) -> Tensor<B> {
        mse(decode(encode(x)), x)
    }
}

/// A workload: what is trained, on how many rows of how many values.
pub struct Workload {
    /// As on the command line.
    pub name: &'static str,
    /// In words.
    pub title: &'static str,
    /// Rows of a step.
    pub batch: usize,
    /// Values of a row.
    pub width: usize,
    /// Additions and multiplications of the products of a step.
    pub flops: f64,
    start: fn(&Data, usize) -> diabolo::Result<Training<'_>>,
    plan: fn() -> String,
}

macro_rules! workloads {
    ($($name:literal $title:literal, $batch:literal by $width:literal, $loss:path, $flops:expr;)*) => {
        /// All of them.
        pub static WORKLOADS: &[Workload] = &[$(Workload {
            name: $name,
            title: $title,
            batch: $batch,
            width: $width,
            flops: 2.0 * $batch as f64 * ($flops) as f64,
            start: |data, batch| Trainer::new($loss).optimizer(Adam::new(1e-3)).batch(batch).start(data),
            plan: || Trainer::new($loss).plan(),
        }),*];
    };
}

/// Multiplications of a row: each layer has three products, the first two, because the data need no gradient.
const fn layers(layers: &[(usize, usize)]) -> usize {
    let mut sum = 0;
    let mut i = 0;
    while i < layers.len() {
        sum += if i == 0 { 2 } else { 3 } * layers[i].0 * layers[i].1;
        i += 1;
    }
    sum
}

workloads! {
    "W1" "64-32-8-32-64, batch 64", 64 by 64, w1::objective,
        layers(&[(64, 32), (32, 8), (8, 32), (32, 64)]);
    "W2" "784-256-64-256-784, batch 128", 128 by 784, w2::objective,
        layers(&[(784, 256), (256, 64), (64, 256), (256, 784)]);
    "W3" "VAE 784-400-20, batch 128", 128 by 784, w3::objective,
        layers(&[(784, 400), (400, 20), (400, 20), (20, 400), (400, 784)]);
    "W4" "784-1024-512-64, mirrored, batch 1024", 1024 by 784, w4::objective,
        layers(&[(784, 1024), (1024, 512), (512, 64), (64, 512), (512, 1024), (1024, 784)]);
    "W5" "contractive, one layer, batch 128", 128 by 784, w5::objective, layers(&[(784, 256), (256, 784)]);
    // With the Gram matrix W'W: its own two products, and those of 32 rows F for each row, F W'W and F'F.
    "W5g" "contractive, two layers, batch 128", 128 by 784, w5g::objective,
        layers(&[(784, 128), (128, 32), (32, 128), (128, 784)]) + 2 * 128 * (784 * 128 / 128 + 32 * 128);
    "W6" "512-8192-512, L1, batch 1024", 1024 by 512, w6::objective, layers(&[(512, 8192), (8192, 512)]);
    // Dense only forward; 32 rows of a weight for each of the other four.
    "W6k" "the same, 32 largest", 1024 by 512, w6::of_the_largest, 512 * (8192 + 4 * 32);
    // A pixel of the result takes 3 × 3 of each channel; transposed, a pixel of the input gives them.
    "W7" "convolutions 1-16-32, batch 128", 128 by 784, w7::objective,
        layers(&[(9, 16 * 196), (16 * 9, 32 * 49), (32 * 49, 16 * 9), (16 * 196, 9)]);
}

impl Workload {
    /// The workload of this name.
    ///
    /// # Errors
    /// Where there is none.
    pub fn named(name: &str) -> diabolo::Result<&'static Workload> {
        let found = WORKLOADS.iter().find(|workload| workload.name == name);
        found.ok_or_else(|| Error::Config { what: format!("no workload named {name}") })
    }

    /// One batch of its data, times `scale`.
    ///
    /// # Errors
    /// None for the workloads here.
    pub fn data(&self, scale: f32) -> diabolo::Result<Data> {
        data(self.batch, self.width, scale)
    }

    /// Its training with Adam, in the pool that this is called in.
    ///
    /// # Errors
    /// Where the data are not its own.
    pub fn start<'d>(&self, data: &'d Data) -> diabolo::Result<Training<'d>> {
        (self.start)(data, self.batch)
    }

    /// The plan of its step.
    pub fn plan(&self) -> String {
        (self.plan)()
    }
}

/// Milliseconds of single steps, ascending, for so many seconds, and of three steps at least.
///
/// # Errors
/// Where a loss is not finite.
pub fn steps(training: &mut Training<'_>, seconds: f64) -> diabolo::Result<Vec<f64>> {
    let mut steps = Vec::with_capacity(200_000);
    let begin = Instant::now();
    while steps.len() < 3 || begin.elapsed().as_secs_f64() < seconds && steps.len() < steps.capacity() {
        let start = Instant::now();
        training.step()?;
        steps.push(start.elapsed().as_secs_f64() * 1e3);
    }
    steps.sort_by(f64::total_cmp);
    Ok(steps)
}

/// A pool of so many threads.
///
/// # Errors
/// Where they cannot be started.
pub fn pool(threads: usize) -> diabolo::Result<rayon::ThreadPool> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|e| Error::Config { what: e.to_string() })
}

/// Rows of values in [0, 1) times `scale`, the same at every call.
///
/// # Errors
/// None for sizes above 0.
pub fn data(rows: usize, width: usize, scale: f32) -> diabolo::Result<Data> {
    let mut state = 12345u32;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        scale * (state as f32 / u32::MAX as f32)
    };
    Data::new().with("x", &[width], (0..rows * width).map(|_| draw()).collect::<Vec<f32>>())
}
