//! L-BFGS over all rows: the closed form of the linear autoencoder, and what it refuses.

use diabolo::data::{Data, digits};
use diabolo::nn::squared_error;
use diabolo::prelude::*;
use diabolo::{Minimum, Stopped};

#[encoder]
fn encode(x: Tensor<B, 64>) -> Tensor<B, 5> {
    let weight: Tensor<64, 5> = param(xavier());
    einsum("bd,dk->bk", x, weight)
}

#[decoder]
fn decode(z: Tensor<B, 5>) -> Tensor<B, 64> {
    let weight: Tensor<5, 64> = param(xavier());
    einsum("bk,kd->bd", z, weight)
}

#[loss]
fn linear(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(decode(encode(x)), x)
}

#[loss(trains(decode))]
fn decoder_alone(x: Tensor<B, 64>, #[default(0.0)] noise: f32) -> Tensor<B> {
    let x = x + noise * normal_like(x);
    squared_error(decode(stop_gradient(encode(x))), x)
}

#[state]
fn steps() -> Scalar {
    zeros()
}

#[loss]
fn counted(x: Tensor<B, 64>) -> Tensor<B> {
    update(steps(), steps() + 1.0);
    linear(x)
}

fn small() -> Data {
    digits().train.take(300).unwrap()
}

/// The eigenvalues of XᵀX / n, falling: by Jacobi's rotations.
fn eigenvalues(data: &Data) -> Vec<f64> {
    let x = data.array::<f64>("x").unwrap();
    let mut a = vec![vec![0.0; 64]; 64];
    for row in x.iter() {
        for i in 0..64 {
            for j in 0..64 {
                a[i][j] += row[i] * row[j] / data.rows() as f64;
            }
        }
    }
    for _ in 0..30 {
        for p in 0..64 {
            for q in p + 1..64 {
                if a[p][q].abs() < 1e-300 {
                    continue;
                }
                let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let c = 1.0 / (t * t + 1.0).sqrt();
                let s = t * c;
                for row in &mut a {
                    (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
                }
                let (above, below) = a.split_at_mut(q);
                for (x, y) in above[p].iter_mut().zip(&mut below[0]) {
                    (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
                }
            }
        }
    }
    let mut values: Vec<f64> = (0..64).map(|i| a[i][i]).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    values
}

/// One matrix both ways.
#[network]
fn basis() -> Tensor<5, 64> {
    param(xavier())
}

#[loss]
fn tied(x: Tensor<B, 64>) -> Tensor<B> {
    let z = einsum("bd,kd->bk", x, basis());
    squared_error(einsum("bk,kd->bd", z, basis()), x)
}

#[test]
fn a_linear_autoencoder_reaches_its_closed_form() {
    // Baldi and Hornik 1989: the least error is the sum of the eigenvalues that the code has no room for.
    let data = small();
    let least: f64 = eigenvalues(&data)[5..].iter().sum();
    let trainer = Trainer::new(tied).precision::<f64>().quiet();
    let (model, end) =
        trainer.full_batch(Lbfgs { gradient: 1e-6, change: 0.0, ..Lbfgs::new() }).fit(&data).unwrap();
    assert!(((end.loss - least) / least).abs() < 1e-10, "{end}, and {least} is the least");
    assert!(end.stopped == Stopped::Gradient && end.iterations < 200, "{end}");
    let mean = model.mean(tied, &data).unwrap().loss;
    assert!(((mean - end.loss) / least).abs() < 1e-12, "{mean} and {end}");
    // With an encoder of its own, pixels that are nearly always 0 make it far worse conditioned.
    let trainer = Trainer::new(linear).precision::<f64>().quiet();
    let (_, end) =
        trainer.full_batch(Lbfgs { iterations: 10_000, change: 1e-10, ..Lbfgs::new() }).fit(&data).unwrap();
    assert!(((end.loss - least) / least).abs() < 1e-6, "{end}, and {least} is the least");
    assert_eq!(end.stopped, Stopped::Change, "{end}");
}

#[test]
fn only_what_the_loss_trains_moves_and_noise_stays_the_same() {
    let data = small();
    let fresh = Model::<f64>::untrained(linear, 0).unwrap();
    let trainer = Trainer::new(decoder_alone { noise: 0.1 }).precision::<f64>().quiet();
    let (model, end) = trainer.full_batch(Lbfgs::new()).fit(&data).unwrap();
    assert_eq!(model.parameter("encode.weight").unwrap(), fresh.parameter("encode.weight").unwrap());
    // With fresh noise at every evaluation, no line search would end.
    assert!(matches!(end.stopped, Stopped::Gradient | Stopped::Change) && end.gradient < 1e-5, "{end}");
    // From where it ended, there is nowhere to go.
    let trainer = Trainer::new(decoder_alone { noise: 0.1 }).precision::<f64>().quiet();
    let (_, again) =
        trainer.full_batch(Lbfgs { change: 1e-10, ..Lbfgs::new() }).resume(model, &data).unwrap();
    assert!(again.iterations < 5 && (again.loss - end.loss).abs() < 1e-9, "{again}");
}

#[test]
fn any_number_of_threads_ends_at_the_same_bits() {
    let data = small();
    let run = |threads: usize| -> (Vec<f32>, Minimum) {
        let method = Lbfgs { iterations: 20, ..Lbfgs::new() };
        let trainer = Trainer::new(linear).threads(threads).quiet();
        let (model, end) = trainer.full_batch(method).fit(&data).unwrap();
        (model.parameter("decode.weight").unwrap().into_values(), end)
    };
    assert!(run(1) == run(2) && run(1) == run(4));
}

#[test]
fn what_follows_steps_is_refused() {
    let data = small();
    let message = |trainer: Trainer<linear>| match trainer.quiet().full_batch(Lbfgs::new()).fit(&data) {
        Ok(_) => panic!("an error was expected"),
        Err(error) => error.to_string(),
    };
    assert!(message(Trainer::new(linear).clip_norm(1.0)).contains("`clip_norm`"));
    assert!(message(Trainer::new(linear).validation(0.1)).contains("`validation`"));
    assert!(message(Trainer::new(linear).schedule(Schedule::Cosine { warmup: 0.1 })).contains("`schedule`"));
    let text = match Trainer::new(counted).quiet().full_batch(Lbfgs::new()).fit(&data) {
        Ok(_) => panic!("an error was expected"),
        Err(error) => error.to_string(),
    };
    assert!(text.contains("`counted`") && text.contains("`steps`"), "{text}");
    let nothing = Trainer::new(linear).quiet().full_batch(Lbfgs { memory: 0, ..Lbfgs::new() }).fit(&data);
    assert!(nothing.is_err_and(|error| error.to_string().contains("memory")));
}
