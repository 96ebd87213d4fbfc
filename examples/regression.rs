//! Linear regression through a bottleneck, and the Schur complement behind it.
//!
//! Loss: ‖y − ABx‖², x and y centred (Baldi and Hornik 1989; reduced-rank regression, Izenman 1975). Its minimum is
//! tr Σyy − Σ_{i≤k} λᵢ, λ the eigenvalues of ΣyxΣxx⁺Σxy: the principal components of what x says of y, not those of x.
//! At full rank it is tr(Σyy − ΣyxΣxx⁺Σxy), the trace of the Schur complement of Σxx in the covariance of (x, y): what x
//! cannot say. (Not Σyy − ΣxyΣxx⁺Σyx, whose shapes do not even fit.) Here x is a digit, y its label, one-hot; ten
//! labels sum to 1, so full rank is 9. Look at the losses beside theory, and at `codes.png`: two numbers for ten classes.

use common::{Defaults, Study};
use diabolo::baseline::Pca;
use diabolo::nn::{dense, squared_error};
use diabolo::prelude::*;
use diabolo::program::IntoRoot;
use diabolo::report;

#[encoder]
pub fn encode<#[values(1, 2, 3, 5, 9)] const K: usize>(x: Tensor<B, 64>) -> Tensor<B, K> {
    dense(x, K, bias = false)
}

#[decoder]
fn decode<const K: usize>(z: Tensor<B, K>) -> Tensor<B, 10> {
    dense(z, 10, bias = false)
}

#[loss]
pub fn bottleneck<#[values(1, 2, 3, 5, 9)] const K: usize>(x: Tensor<B, 64>, y: Tensor<B, 10>) -> Tensor<B> {
    squared_error(decode(encode::<K>(x)), y)
}

/// One matrix, of any rank.
#[network]
pub fn predict(x: Tensor<B, 64>) -> Tensor<B, 10> {
    dense(x, 10, bias = false)
}

#[loss]
pub fn full_rank(x: Tensor<B, 64>, y: Tensor<B, 10>) -> Tensor<B> {
    squared_error(predict(x), y)
}

/// A label as ten numbers.
#[function]
fn ten(label: Index<B>) -> Tensor<B, 10> {
    one_hot(label, 10)
}

/// Digits as `x` and labels as `y`, both centred by their means over `train`.
pub fn centred(digits: &Data, train: &Data) -> diabolo::Result<Data> {
    let with_labels = |data: &Data| -> diabolo::Result<Data> {
        let labels = Model::<f64>::untrained(ten, 0)?.run(ten, data)?;
        data.clone().with("y", &[10], labels.into_values())
    };
    let (digits, train) = (with_labels(digits)?, with_labels(train)?);
    digits.center("x", &train.mean("x")?)?.center("y", &train.mean("y")?)
}

/// Minimises over all rows at once.
pub fn minimise<L: Loss>(
    loss: impl IntoRoot<Root = L>,
    data: &Data,
    iterations: usize,
    seed: u64,
) -> diabolo::Result<(Model<f64>, f64)> {
    let trainer = Trainer::new(loss).precision::<f64>().seed(seed).quiet();
    let (model, end) =
        trainer.full_batch(Lbfgs { iterations, memory: 40, change: 1e-14, ..Lbfgs::new() }).fit(data)?;
    Ok((model, end.loss))
}

fn main() -> diabolo::Result<()> {
    // An epoch is an iteration of L-BFGS here, and ends before them all.
    let study = Study::begin("regression", Defaults { epochs: 10_000, ..Defaults::default() })?;
    let train = centred(&study.digits.train, &study.digits.train)?;
    let test = centred(&study.digits.test, &study.digits.train)?;
    let (epochs, seed) = (study.trial.flags.epochs, study.trial.flags.seed);

    let (whole, schur) = minimise(full_rank, &train, epochs, seed)?;
    // What x says of y has the covariance ΣyxΣxx⁺Σxy: its principal components are all that theory needs.
    let said = Data::from_array("y", whole.run(predict, &train)?)?;
    let lambda = Pca::fit(&said, "y", 1)?.eigenvalues().to_vec();
    println!("\n  k   training loss   tr Σyy − Σ λᵢ   test loss");
    for k in [1, 2, 3, 5, 9] {
        let (model, loss) = minimise(bottleneck { K: k }, &train, epochs, seed)?;
        let theory = schur + lambda[k..].iter().sum::<f64>();
        println!(
            "{k:3}   {loss:13.6}   {theory:13.6}   {:9.6}",
            model.mean(bottleneck { K: k }, &test)?.loss
        );
        if k == 2 {
            let codes = model.run(encode::<2>, &train)?;
            let path = study.trial.run.path("codes.png");
            report::scatter(
                path,
                "what two numbers say of ten labels",
                &codes,
                train.array("label")?.values(),
            )?;
        }
    }
    println!(
        "the trace of the Schur complement: {schur:.6}\n\npicture: {}",
        study.trial.run.folder().display()
    );
    Ok(())
}
