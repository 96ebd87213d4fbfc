//! One training step of a workload in burn, on its quickest backend of the CPU: `burn-step W2 2 SECONDS`.
//!
//! In: a workload, a number of threads, seconds. Out: one line of JSON. Never: a workload that burn cannot say: one line says so.

#[path = "../../clock.rs"]
mod clock;

use std::process::ExitCode;

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::activation::{log_sigmoid, relu, sigmoid, tanh};
use burn::tensor::{Device, Distribution, IndexingUpdateOp, Tensor};

/// Of Cargo.lock.
const VERSION: &str = "0.22.1";

/// The weights of a workload, in the order of use.
#[derive(Module, Debug)]
struct Net {
    dense: Vec<Linear>,
    down: Vec<Conv2d>,
    up: Vec<ConvTranspose2d>,
}

fn main() -> ExitCode {
    clock::end(run())
}

fn run() -> Result<(), String> {
    let asked = clock::Asked::parse()?;
    let workload = asked.workload.as_str();
    let (widths, rows): (&[usize], _) = match workload {
        "W1" => (&[64, 32, 8, 32, 64], 64),
        "W2" => (&[784, 256, 64, 256, 784], 128),
        "W3" => (&[784, 400, 20, 400, 784], 128),
        "W4" => (&[784, 1024, 512, 64, 512, 1024, 784], 1024),
        "W5" => (&[784, 256, 784], 128),
        "W5g" => return Err("burn differentiates once: W5g has no naive form in it".to_owned()),
        "W5gram" => (&[784, 128, 32, 128, 784], 128),
        "W6" | "W6k" => (&[512, 8192, 512], 1024),
        "W7" => (&[784], 128),
        other => return Err(format!("no workload named {other}")),
    };
    let device = Device::flex().autodiff();
    let x = Tensor::<2>::random([rows, widths[0]], Distribution::Uniform(0.0, 1.0), &device);
    let mut net = Net::new(workload, widths, &device);
    let mut optimizer = AdamConfig::new().with_epsilon(1e-8).init();
    asked.measure("burn", VERSION, || {
        let loss = net.loss(workload, x.clone(), &device);
        let slopes = GradientsParams::from_grads(loss.backward(), &net);
        net = optimizer.step(1e-3, net.clone(), slopes);
        let loss = loss.into_data().try_to_vec::<f32>().map_err(|error| format!("{error:?}"))?[0];
        device.sync().map_err(|error| format!("{error:?}"))?;
        Ok(loss)
    })
}

impl Net {
    /// burn's own initialisation: weights and biases uniform within 1/√(values of an input).
    fn new(workload: &str, widths: &[usize], device: &Device) -> Net {
        let mut sizes: Vec<_> = widths.windows(2).map(|pair| (pair[0], pair[1])).collect();
        if workload == "W3" {
            // The logarithm of the variance, beside the mean.
            sizes.insert(1, sizes[1]);
        }
        let dense =
            sizes.iter().map(|&(inputs, outputs)| LinearConfig::new(inputs, outputs).init(device)).collect();
        let down = |channels| {
            let padding = PaddingConfig2d::Explicit(1, 1, 1, 1);
            Conv2dConfig::new(channels, [3, 3]).with_stride([2, 2]).with_padding(padding).init(device)
        };
        let up = |channels| {
            let half = ConvTranspose2dConfig::new(channels, [3, 3]).with_stride([2, 2]);
            half.with_padding([1, 1]).with_padding_out([1, 1]).init(device)
        };
        if workload == "W7" {
            return Net {
                dense,
                down: vec![down([1, 16]), down([16, 32])],
                up: vec![up([32, 16]), up([16, 1])],
            };
        }
        Net { dense, down: Vec::new(), up: Vec::new() }
    }

    fn loss(&self, workload: &str, x: Tensor<2>, device: &Device) -> Tensor<1> {
        match workload {
            "W1" | "W2" => bce(self.rectified(x.clone()), x).mean(),
            "W3" => self.vae(x, device),
            "W4" => mse(self.rectified(x.clone()), x),
            "W5" => self.contractive(x),
            "W5gram" => self.contractive2(x),
            "W6" => self.sparse(x, None),
            "W6k" => self.sparse(x, Some(32)),
            _ => self.convolutional(x),
        }
    }

    /// All layers, rectified but for the last.
    fn rectified(&self, x: Tensor<2>) -> Tensor<2> {
        let first = self.dense[0].forward(x);
        self.dense[1..].iter().fold(first, |h, layer| layer.forward(relu(h)))
    }

    fn vae(&self, x: Tensor<2>, device: &Device) -> Tensor<1> {
        let rows = x.dims()[0];
        let h = relu(self.dense[0].forward(x.clone()));
        let (mean, logvar) = (self.dense[1].forward(h.clone()), self.dense[2].forward(h));
        let noise = Tensor::<2>::random(mean.dims(), Distribution::Normal(0.0, 1.0), device);
        let z = mean.clone() + noise * (logvar.clone() * 0.5).exp();
        let recon = bce(self.dense[4].forward(relu(self.dense[3].forward(z))), x).sum();
        let kl = (logvar.clone() + 1.0 - mean.clone() * mean - logvar.exp()).sum();
        (recon - kl * 0.5) / rows as f64
    }

    /// One sigmoid layer; the penalty in its closed form.
    fn contractive(&self, x: Tensor<2>) -> Tensor<1> {
        let h = sigmoid(self.dense[0].forward(x.clone()));
        let slope = square(h.clone() * (-h.clone() + 1.0));
        let penalty = slope.matmul(square(self.dense[0].weight.val()).sum_dim(0).transpose()).mean();
        mse(sigmoid(self.dense[1].forward(h)), x) + penalty * 1e-4
    }

    /// Two tanh layers; the penalty by the Gram matrix of the first layer. burn keeps weights as inputs by outputs.
    fn contractive2(&self, x: Tensor<2>) -> Tensor<1> {
        let (first, second) = (self.dense[0].weight.val(), self.dense[1].weight.val().transpose());
        let h = tanh(self.dense[0].forward(x.clone()));
        let code = tanh(self.dense[1].forward(h.clone()));
        let ([rows, codes], [_, hidden]) = (code.dims(), h.dims());
        let (inner, outer) = (-square(h) + 1.0, -square(code.clone()) + 1.0);
        let factor =
            outer.reshape([rows, codes, 1]) * second.unsqueeze::<3>() * inner.reshape([rows, 1, hidden]);
        let factor = factor.reshape([rows * codes, hidden]);
        let penalty =
            (factor.clone().matmul(first.clone().transpose().matmul(first)) * factor).sum() / rows as f64;
        let images = sigmoid(self.dense[3].forward(tanh(self.dense[2].forward(code))));
        mse(images, x) + penalty * 1e-4
    }

    fn sparse(&self, x: Tensor<2>, largest: Option<usize>) -> Tensor<1> {
        // The decoder's bias is the centre of the data, which the encoder subtracts; `LinearConfig` makes one.
        let centre = self.dense[1].bias.as_ref().map(|bias| bias.val().unsqueeze::<2>());
        let code = relu(self.dense[0].forward(centre.into_iter().fold(x.clone(), |x, centre| x - centre)));
        let Some(largest) = largest else {
            let penalty = code.clone().abs().sum_dim(1).mean();
            return mse(self.dense[1].forward(code), x) + penalty * 1e-3;
        };
        let (values, places) = code.clone().topk_with_indices(largest, 1);
        let kept = code.zeros_like().scatter(1, places, values, IndexingUpdateOp::Add);
        mse(self.dense[1].forward(kept), x)
    }

    fn convolutional(&self, x: Tensor<2>) -> Tensor<1> {
        let rows = x.dims()[0];
        let h =
            self.down.iter().fold(x.clone().reshape([rows, 1, 28, 28]), |h, layer| relu(layer.forward(h)));
        let y = self.up[1].forward(relu(self.up[0].forward(h)));
        mse(sigmoid(y).reshape([rows, 784]), x)
    }
}

/// Cross-entropy from logits, element by element, as burn's own loss computes it.
fn bce(logits: Tensor<2>, x: Tensor<2>) -> Tensor<2> {
    (-x + 1.0) * logits.clone() - log_sigmoid(logits)
}

fn mse(y: Tensor<2>, x: Tensor<2>) -> Tensor<1> {
    square(y - x).mean()
}

fn square(x: Tensor<2>) -> Tensor<2> {
    x.clone() * x
}
