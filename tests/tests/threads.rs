//! Training gives the same bits for every number of threads, and from run to run, on each instruction set.

use diabolo::data::digits;
use diabolo::nn::{batch_norm, bce_with_logits, dense, dropout, kl_normal};
use diabolo::prelude::*;
use diabolo::projection::orthonormal_rows;
use diabolo_kernels::{IsaKind, isa};

#[encoder]
fn encode(x: Tensor<B, 64>) -> (Tensor<B, 6>, Tensor<B, 6>) {
    let h = dropout(tanh(dense(x, 70)), 0.1);
    (dense(h, 6), dense(h, 6))
}

#[decoder]
fn decode(z: Tensor<B, 6>) -> Tensor<B, 64> {
    dense(relu(dense(z, 70)), 64)
}

#[loss]
fn vae(x: Tensor<B, 64>) -> Tensor<B> {
    let (mean, logvar) = encode(x);
    let z = mean + exp(0.5 * logvar) * normal_like(mean);
    let recon = bce_with_logits(decode(z), x);
    let kl = kl_normal(mean, logvar);
    recon + kl
}

#[network]
fn critic(z: Tensor<B, 6>) -> Tensor<B> {
    squeeze(dense(batch_norm(tanh(dense(z, 70))), 1))
}

#[loss(trains(critic))]
fn discriminate(x: Tensor<B, 64>) -> Tensor<B> {
    let (mean, _) = encode(x);
    softplus(critic(mean + normal_like(mean)))
}

/// All parameters after epochs whose last batch has one row.
fn train(threads: usize) -> Vec<u32> {
    let data = digits().train.take(641).expect("641 rows");
    bits(&Trainer::new(vae).batch(128).epochs(2).seed(3).threads(threads).quiet().fit(&data).expect("trains"))
}

/// The same of two losses in turn, with states and projections. A batch has more than one row.
fn alternate(threads: usize) -> Vec<u32> {
    let data = digits().train.take(640).expect("640 rows");
    let trainer = Trainer::alternate((vae, discriminate))
        .optimizers((Adam::new(1e-3), Lion::new(1e-3)))
        .every((1, 2))
        .project("critic.dense0.weight", orthonormal_rows)
        .batch(127);
    bits(&trainer.epochs(2).seed(3).threads(threads).quiet().fit(&data).expect("trains"))
}

fn bits(model: &Model) -> Vec<u32> {
    let paths: Vec<String> = model.parameters().map(|(path, _)| path.to_owned()).collect();
    paths
        .iter()
        .flat_map(|path| model.parameter(path).expect("its own parameter").into_values())
        .map(f32::to_bits)
        .collect()
}

#[test]
fn one_two_and_four_threads_agree_to_the_bit() {
    let one = train(1);
    assert!(one.iter().any(|bits| *bits != 0));
    assert!(one == train(1), "from run to run");
    assert!(one == train(2), "two threads");
    assert!(one == train(4), "four threads");
    let one = alternate(1);
    assert!(one == alternate(2), "two threads in turn");
    assert!(one == alternate(4), "four threads in turn");
}

/// The same on the sets of this machine that are not its default. The choice is global, so each has a process of its own.
#[test]
fn they_agree_on_every_instruction_set() {
    for kind in IsaKind::ALL.into_iter().filter(|kind| kind.available() && *kind != isa()) {
        let mut command = std::process::Command::new(std::env::current_exe().expect("a path"));
        let command = command.args(["one_two_and_four_threads_agree_to_the_bit", "--exact"]);
        let output = command.env("DIABOLO_ISA", kind.name()).output().expect("this test can be started");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{}: {said}", kind.name());
    }
}
