//! One training step of a workload in candle: `candle-step W2 2 SECONDS`.
//!
//! In: a workload, a number of threads, seconds. Out: one line of JSON. Never: a workload that candle cannot say: one line says so.
//! The penalty of W5g takes a derivative of a derivative, which candle gives where `CANDLE_GRAD_DO_NOT_DETACH=1` is set.

#[path = "../../clock.rs"]
mod clock;

use std::process::ExitCode;

use candle_core::{D, DType, Device, Result, Tensor, Var};
use candle_nn::{AdamW, Init, Linear, Module, Optimizer, ParamsAdamW, VarBuilder, VarMap, ops::sigmoid};

/// Of Cargo.lock.
const VERSION: &str = "0.11.1";

/// The weights of a workload, in the order of use.
struct Net {
    dense: Vec<Linear>,
    /// Kernels and biases, each of the shape that its convolution takes.
    kernels: Vec<(Tensor, Tensor)>,
}

fn main() -> ExitCode {
    clock::end(run())
}

fn run() -> std::result::Result<(), String> {
    let asked = clock::Asked::parse()?;
    // Where it is not set, candle would differentiate once and leave the rest out without a word.
    if asked.workload == "W5g" && std::env::var("CANDLE_GRAD_DO_NOT_DETACH").as_deref() != Ok("1") {
        return Err("candle differentiates W5g twice only with CANDLE_GRAD_DO_NOT_DETACH=1".to_owned());
    }
    train(&asked).map_err(|error| error.to_string())
}

fn train(asked: &clock::Asked) -> Result<()> {
    let workload = asked.workload.as_str();
    let (widths, rows): (&[usize], _) = match workload {
        "W1" => (&[64, 32, 8, 32, 64], 64),
        "W2" => (&[784, 256, 64, 256, 784], 128),
        "W3" => (&[784, 400, 20, 400, 784], 128),
        "W4" => (&[784, 1024, 512, 64, 512, 1024, 784], 1024),
        "W5" => (&[784, 256, 784], 128),
        "W5g" | "W5gram" => (&[784, 128, 32, 128, 784], 128),
        "W6" | "W6k" => (&[512, 8192, 512], 1024),
        "W7" => (&[784], 128),
        other => candle_core::bail!("no workload named {other}"),
    };
    let device = Device::Cpu;
    let variables = VarMap::new();
    let builder = VarBuilder::from_varmap(&variables, DType::F32, &device);
    let net = Net::new(workload, widths, &builder)?;
    let x = Tensor::rand(0f32, 1f32, (rows, widths[0]), &device)?;
    // Adam: AdamW without its decay.
    let adam = ParamsAdamW { lr: 1e-3, weight_decay: 0.0, ..Default::default() };
    let mut optimizer = AdamW::new(variables.all_vars(), adam)?;
    asked.measure("candle", VERSION, || {
        let loss = net.loss(workload, &x)?;
        optimizer.backward_step(&loss)?;
        loss.to_scalar::<f32>()
    })
}

impl Net {
    /// Weights and biases uniform within 1/√(values of an input), as Torch draws them.
    fn new(workload: &str, widths: &[usize], builder: &VarBuilder) -> Result<Net> {
        let uniform = |name: String, shape: &[usize], inputs: usize| {
            let bound = (inputs as f64).powf(-0.5);
            builder.get_with_hints(shape, &name, Init::Uniform { lo: -bound, up: bound })
        };
        let mut sizes: Vec<_> = widths.windows(2).map(|pair| (pair[0], pair[1])).collect();
        if workload == "W3" {
            // The logarithm of the variance, beside the mean.
            sizes.insert(1, sizes[1]);
        }
        let dense = sizes.iter().enumerate().map(|(i, &(inputs, outputs))| {
            let weight = uniform(format!("w{i}"), &[outputs, inputs], inputs)?;
            Ok(Linear::new(weight, Some(uniform(format!("b{i}"), &[outputs], inputs)?)))
        });
        // Inputs, outputs, and whether it is transposed: its kernel is then the other way round.
        let convolutions: &[_] = if workload == "W7" {
            &[(1, 16, false), (16, 32, false), (32, 16, true), (16, 1, true)]
        } else {
            &[]
        };
        let kernels = convolutions.iter().enumerate().map(|(i, &(inputs, outputs, transposed))| {
            let shape = if transposed { [inputs, outputs, 3, 3] } else { [outputs, inputs, 3, 3] };
            let kernel = uniform(format!("k{i}"), &shape, shape[1] * 9)?;
            Ok((kernel, uniform(format!("c{i}"), &[1, outputs, 1, 1], shape[1] * 9)?))
        });
        Ok(Net { dense: dense.collect::<Result<_>>()?, kernels: kernels.collect::<Result<_>>()? })
    }

    fn loss(&self, workload: &str, x: &Tensor) -> Result<Tensor> {
        match workload {
            "W1" | "W2" => bce(&self.rectified(x)?, x)?.mean_all(),
            "W3" => self.vae(x),
            "W4" => mse(&self.rectified(x)?, x),
            "W5" => self.contractive(x),
            "W5g" | "W5gram" => self.contractive2(x, workload == "W5gram"),
            "W6" | "W6k" => self.sparse(x, if workload == "W6k" { Some(32) } else { None }),
            _ => self.convolutional(x),
        }
    }

    /// All layers, rectified but for the last.
    fn rectified(&self, x: &Tensor) -> Result<Tensor> {
        let mut h = self.dense[0].forward(x)?;
        for layer in &self.dense[1..] {
            h = layer.forward(&h.relu()?)?;
        }
        Ok(h)
    }

    fn vae(&self, x: &Tensor) -> Result<Tensor> {
        let [hidden, to_mean, to_logvar, up, out] = self.dense.as_slice() else {
            candle_core::bail!("five layers")
        };
        let h = hidden.forward(x)?.relu()?;
        let (mean, logvar) = (to_mean.forward(&h)?, to_logvar.forward(&h)?);
        let z = (&mean + (mean.randn_like(0.0, 1.0)? * (&logvar * 0.5)?.exp()?)?)?;
        let recon = bce(&out.forward(&up.forward(&z)?.relu()?)?, x)?.sum_all()?;
        let kl = (((&logvar + 1.0)? - mean.sqr()?)? - logvar.exp()?)?.sum_all()?;
        (recon - (kl * 0.5)?)? / x.dim(0)? as f64
    }

    /// One sigmoid layer; the penalty in its closed form.
    fn contractive(&self, x: &Tensor) -> Result<Tensor> {
        let h = sigmoid(&self.dense[0].forward(x)?)?;
        let slope = (&h * h.affine(-1.0, 1.0)?)?.sqr()?;
        let penalty = slope.matmul(&self.dense[0].weight().sqr()?.sum_keepdim(1)?)?.mean_all()?;
        mse(&sigmoid(&self.dense[1].forward(&h)?)?, x)? + (penalty * 1e-4)?
    }

    /// Two tanh layers; the penalty by derivatives, or by the Gram matrix of the first layer.
    fn contractive2(&self, x: &Tensor, gram: bool) -> Result<Tensor> {
        let [first, second, third, last] = self.dense.as_slice() else { candle_core::bail!("four layers") };
        let h = first.forward(x)?.tanh()?;
        let code = second.forward(&h)?.tanh()?;
        let (rows, codes) = code.dims2()?;
        let squares = if gram {
            let (inner, outer) = (h.sqr()?.affine(-1.0, 1.0)?, code.sqr()?.affine(-1.0, 1.0)?);
            let factor = outer.unsqueeze(2)?.broadcast_mul(&second.weight().unsqueeze(0)?)?;
            let factor = factor.broadcast_mul(&inner.unsqueeze(1)?)?.reshape((rows * codes, ()))?;
            (factor.matmul(&first.weight().matmul(&first.weight().t()?)?)? * &factor)?.sum_all()?
        } else {
            // Without a map over rows: each row once for every value of its code, so that one pass gives the whole Jacobian.
            let all = Var::from_tensor(&x.repeat((codes, 1))?)?;
            let code = second.forward(&first.forward(&all)?.tanh()?)?.tanh()?;
            let own = Tensor::eye(codes, DType::F32, x.device())?
                .unsqueeze(1)?
                .broadcast_as((codes, rows, codes))?;
            let slopes = (code.reshape((codes, rows, codes))? * own)?.sum_all()?.backward()?;
            slopes
                .get(&all)
                .ok_or_else(|| candle_core::Error::msg("no derivative of the code"))?
                .sqr()?
                .sum_all()?
        };
        let images = sigmoid(&last.forward(&third.forward(&code)?.tanh()?)?)?;
        mse(&images, x)? + (squares * (1e-4 / rows as f64))?
    }

    fn sparse(&self, x: &Tensor, largest: Option<usize>) -> Result<Tensor> {
        let [encode, decode] = self.dense.as_slice() else { candle_core::bail!("two layers") };
        let centre = decode.bias().ok_or_else(|| candle_core::Error::msg("no bias"))?;
        let code = encode.forward(&x.broadcast_sub(centre)?)?.relu()?;
        let Some(largest) = largest else {
            return mse(&decode.forward(&code)?, x)? + (code.abs()?.sum(1)?.mean_all()? * 1e-3)?;
        };
        // candle has no selection: all of a row is sorted.
        let places = code.detach().arg_sort_last_dim(false)?.narrow(1, 0, largest)?.contiguous()?;
        let kept = code.zeros_like()?.scatter(&places, &code.gather(&places, D::Minus1)?, D::Minus1)?;
        mse(&decode.forward(&kept)?, x)
    }

    fn convolutional(&self, x: &Tensor) -> Result<Tensor> {
        let [a, b, c, d] = self.kernels.as_slice() else { candle_core::bail!("four kernels") };
        let x = x.reshape(((), 1, 28, 28))?;
        let h = x.conv2d(&a.0, 1, 2, 1, 1)?.broadcast_add(&a.1)?.relu()?;
        let h = h.conv2d(&b.0, 1, 2, 1, 1)?.broadcast_add(&b.1)?.relu()?;
        let h = h.conv_transpose2d(&c.0, 1, 1, 2, 1)?.broadcast_add(&c.1)?.relu()?;
        mse(&sigmoid(&h.conv_transpose2d(&d.0, 1, 1, 2, 1)?.broadcast_add(&d.1)?)?, &x)
    }
}

/// Cross-entropy from logits, element by element: max(z, 0) − x z + log(1 + exp(−|z|)), which no z overflows.
fn bce(logits: &Tensor, x: &Tensor) -> Result<Tensor> {
    (logits.relu()? - (x * logits)?)? + (logits.abs()?.neg()?.exp()? + 1.0)?.log()?
}

fn mse(y: &Tensor, x: &Tensor) -> Result<Tensor> {
    (y - x)?.sqr()?.mean_all()
}
