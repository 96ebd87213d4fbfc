//! A loss and an optimizer by hand, on the processor and on a device: as generated code is, small enough to read.
//!
//! In: rows of four. Out: mean over rows of Σ (w (x + 0.1 n) - x)² + λ Σ w², its gradient, a state that counts steps.

use std::any::TypeId;

use diabolo::kernels::Float;
use diabolo::kernels::cuda::{Argument, Pointer, Program, Recorder, Space};
use diabolo::kernels::random::{self, Stream};
use diabolo::program::*;

pub const WIDTH: usize = 4;

/// The loss.
#[derive(Clone, Copy)]
pub struct Denoise {
    pub lambda: f32,
    /// Whether it has kernels for a device.
    pub kernels: bool,
}

/// The same networks in another loss, without noise and without a state.
#[derive(Clone, Copy)]
pub struct Shrink;

fn network() -> Vec<Identity> {
    vec![Identity { type_id: TypeId::of::<Denoise>(), place: "model.rs" }]
}

const WEIGHT: ParamSpec = ParamSpec {
    path: "scale.weight",
    network: 0,
    shape: &[WIDTH],
    initial: Initial::Normal(0.5),
    state: false,
};
const COUNT: ParamSpec =
    ParamSpec { path: "scale.count", network: 0, shape: &[1], initial: Initial::Constant(0.0), state: true };

static DENOISE: Spec = Spec {
    name: "denoise",
    file: "model.rs",
    line: 1,
    symbols: &["B"],
    least: &[],
    inputs: &[SlotSpec { name: "x", rows: true, shape: &[Axis::Known(WIDTH)], index: None }],
    outputs: &[],
    hypers: &[HyperSpec { name: "lambda" }],
    params: &[WEIGHT, COUNT],
    networks: &[NetworkSpec { name: "scale", identities: network }],
    metrics: &["error"],
    trained: &[0],
    states: &[1],
    inspects: &[("weights", "model.rs:1")],
    crosses_rows: false,
    random: true,
    plan: "",
};

static SHRINK: Spec = Spec {
    name: "shrink",
    hypers: &[],
    params: &[WEIGHT],
    metrics: &[],
    states: &[],
    inspects: &[],
    random: false,
    ..DENOISE
};

/// The loss on the processor: with noise or without.
fn run<F: Float>(env: Env<'_, F>, noisy: bool, lambda: F) {
    let rows = env.dims[0];
    let w = &env.params[env.offsets[0]..][..WIDTH];
    let mut noise = vec![F::ZERO; rows * WIDTH];
    if noisy {
        let stream = Stream { seed: env.seed, step: env.step, site: 0 };
        random::normal(stream, (env.first_row * WIDTH) as u64, &mut noise);
    }
    let (batch, two, tenth) = (F::from_f64(rows as f64), F::from_f64(2.0), F::from_f64(0.1));
    let (mut error, mut squares) = (F::ZERO, F::ZERO);
    for j in 0..WIDTH {
        let mut gradient = F::ZERO;
        for row in 0..rows {
            let x = env.inputs[row * WIDTH + j];
            let input = x + tenth * noise[row * WIDTH + j];
            let difference = w[j] * input - x;
            error += difference * difference;
            gradient += two * difference * input;
        }
        squares += w[j] * w[j];
        if let Some(to) = env.grads.get_mut(j) {
            *to = gradient / batch + two * lambda * w[j];
        }
    }
    env.metrics[0] = error / batch + lambda * squares;
    if let Some(metric) = env.metrics.get_mut(1) {
        *metric = error / batch;
    }
    if let Some(state) = env.states.first_mut() {
        *state = env.params[env.offsets[1]] + F::from_f64(1.0);
    }
    (env.inspect)(0, w);
}

fn denoise<F: Float>(env: Env<'_, F>) {
    let lambda = env.hypers[0];
    run(env, true, lambda);
}

fn reconstruct<F: Float>(env: Env<'_, F>) {
    let lambda = env.hypers[0];
    run(env, false, lambda);
}

fn shrink<F: Float>(env: Env<'_, F>) {
    run(env, false, F::from_f64(0.5));
}

/// The kernels of both losses: a thread for each weight, then one for the sums.
pub const SOURCE: &str = r#"
extern "C" __global__ void gradient(T *into, T *errors, const T *x, const T *w, const Clock *clock, long long rows,
                                    T noise, T decay, const T *hypers, long long own) {
    const long long j = threadIdx.x;
    if (j < 4) {
        const T lambda = own != 0 ? decay : hypers[0];
        T sum = 0.0f, error = 0.0f;
        for (long long row = 0; row < rows; row++) {
            const unsigned long long number = (clock->first_row + (unsigned long long)row) * 4 + (unsigned long long)j;
            const T value = x[row * 4 + j], input = value + noise * random_normal(clock, 0u, number);
            const T difference = w[j] * input - value;
            error += difference * difference;
            sum += 2.0f * difference * input;
        }
        errors[j] = error;
        into[j] = sum / (T)rows + 2.0f * lambda * w[j];
    }
}

extern "C" __global__ void sums(T *metrics, const T *errors, const T *w, long long rows, T decay, const T *hypers,
                                long long own) {
    if (threadIdx.x == 0) {
        T error = 0.0f, squares = 0.0f;
        for (long long j = 0; j < 4; j++) {
            error += errors[j];
            squares += w[j] * w[j];
        }
        metrics[0] = error / (T)rows + (own != 0 ? decay : hypers[0]) * squares;
        if (own == 0) {
            metrics[1] = error / (T)rows;
        }
    }
}

extern "C" __global__ void count(T *state, const T *old) {
    if (threadIdx.x == 0) {
        state[0] = old[0] + 1.0f;
    }
}
"#;

fn at(space: Space) -> Argument {
    Argument::Pointer(Pointer::new(space))
}

fn into(space: Space) -> Argument {
    Argument::Output(Pointer::new(space))
}

fn record(rows: usize, to: &mut Recorder, noise: f32, own: bool, trains: bool) {
    let errors = to.work(WIDTH);
    // An evaluation has no place for gradients.
    let gradients = if trains { into(Space::Gradients) } else { Argument::Output(to.work(WIDTH)) };
    let (rows, own_size, decay) = (Argument::Size(rows), Argument::Size(own.into()), Argument::Number(0.5));
    let hypers = if own { Argument::Pointer(errors) } else { at(Space::Hypers) };
    let (written, errors, w) = (Argument::Output(errors), Argument::Pointer(errors), at(Space::Param(0)));
    let noise = Argument::Number(noise);
    let arguments =
        [gradients, written, at(Space::Inputs), w, Argument::Clock, rows, noise, decay, hypers, own_size];
    to.launch("gradient", [1, 1, 1], 32, &arguments);
    to.launch("sums", [1, 1, 1], 32, &[into(Space::Metrics), errors, w, rows, decay, hypers, own_size]);
    if !own {
        to.inspect(0, Pointer::new(Space::Param(0)), WIDTH);
    }
}

static TRAIN: Program = Program {
    source: SOURCE,
    record: |dims, to| {
        record(dims[0], to, 0.1, false, true);
        to.launch("count", [1, 1, 1], 32, &[into(Space::States), at(Space::Param(1))]);
    },
};
static EVALUATE: Program =
    Program { source: SOURCE, record: |dims, to| record(dims[0], to, 0.0, false, false) };
static TRAIN_SHRINK: Program =
    Program { source: SOURCE, record: |dims, to| record(dims[0], to, 0.0, true, true) };
static EVALUATE_SHRINK: Program =
    Program { source: SOURCE, record: |dims, to| record(dims[0], to, 0.0, true, false) };

macro_rules! root {
    ($name:ident, $spec:ident, $hypers:expr, $train:ident, $evaluate:ident, $cuda:expr) => {
        impl Declared for $name {
            fn identity(_: &[usize]) -> Identity {
                network()[0]
            }
        }

        impl Root for $name {
            type Results<F: Float> = ();

            fn spec(&self) -> diabolo::Result<&'static Spec> {
                Ok(&$spec)
            }

            fn hypers(&self) -> Vec<f64> {
                $hypers(self)
            }

            fn evaluate_workspace(&self) -> fn(&[usize]) -> usize {
                |_| 0
            }

            fn evaluate<F: Float>(&self) -> fn(Env<'_, F>) {
                $evaluate
            }

            fn evaluate_cuda(&self) -> Option<&'static Program> {
                $cuda(self).map(|programs: [&'static Program; 2]| programs[1])
            }
        }

        impl Loss for $name {
            fn train_workspace(&self) -> fn(&[usize]) -> usize {
                |_| 0
            }

            fn train<F: Float>(&self) -> fn(Env<'_, F>) {
                $train
            }

            fn train_cuda(&self) -> Option<&'static Program> {
                $cuda(self).map(|programs: [&'static Program; 2]| programs[0])
            }
        }
    };
}
root!(
    Denoise,
    DENOISE,
    |loss: &Denoise| vec![f64::from(loss.lambda)],
    denoise,
    reconstruct,
    |loss: &Denoise| { loss.kernels.then_some([&TRAIN, &EVALUATE]) }
);
root!(Shrink, SHRINK, |_: &Shrink| vec![], shrink, shrink, |_: &Shrink| Some([
    &TRAIN_SHRINK,
    &EVALUATE_SHRINK
]));

/// Momentum whose rate grows over its first steps: it reads the number of the update.
#[derive(Clone, Copy)]
pub struct Momentum {
    pub lr: f64,
}

/// Its kernel.
pub const MOMENTUM: &str = r#"
extern "C" __global__ void momentum(T *w, const T *g, T *m, const T *hypers, const Clock *clock, long long count) {
    const T rate = hypers[0] * (1.0f - 1.0f / ((T)clock->step + 1.0f));
    for (long long i = grid_start(); i < count; i += grid_step()) {
        m[i] = hypers[1] * m[i] + g[i];
        w[i] = w[i] - rate * m[i];
    }
}
"#;

static UPDATE: Program = Program {
    source: MOMENTUM,
    record: |dims, to| {
        let ([w, m], [g, hypers]) =
            ([Space::Param(0), Space::Param(1)].map(into), [Space::Gradients, Space::Hypers].map(at));
        to.launch("momentum", [1, 1, 1], 64, &[w, g, m, hypers, Argument::Clock, Argument::Size(dims[0])]);
    },
};

impl Optimizer for Momentum {
    const MOMENTS: usize = 1;
    const HYPERS: &'static [&'static str] = &["lr", "momentum"];

    fn hypers(&self) -> Vec<f64> {
        vec![self.lr, 0.9]
    }

    fn update<F: Float>(update: Update<'_, F>) {
        let one = F::from_f64(1.0);
        let rate = update.hypers[0] * (one - one / (F::from_f64(update.step as f64) + one));
        for ((w, g), m) in update.weights.iter_mut().zip(update.grads).zip(update.moments) {
            *m = update.hypers[1] * *m + *g;
            *w -= rate * *m;
        }
    }

    fn update_cuda() -> Option<&'static Program> {
        Some(&UPDATE)
    }
}
