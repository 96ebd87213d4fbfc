//! The graphs of whole programs, as text.

use super::*;
use crate::print::print_bare;

/// Two dense layers each way and a cross-entropy.
pub(super) const VANILLA: &str = r#"
#[encoder]
fn encode(x: Tensor<B, 784>) -> Tensor<B, 32> {
    dense(relu(dense(x, 256)), 32)
}

#[decoder]
fn decode(z: Tensor<B, 32>) -> Tensor<B, 784> {
    dense(relu(dense(z, 256)), 784) // logits
}

#[loss]
fn vanilla(x: Tensor<B, 784>) -> Tensor<B> {
    bce_with_logits(decode(encode(x)), x)
}

#[loss]
fn contractive(x: Tensor<B, 784>, #[default(0.1)] lambda: f32) -> Tensor<B> {
    vanilla(x) + lambda * sum_squares(jacobian(encode, x))
}
"#;

pub(super) const VAE: &str = r#"
#[encoder]
fn encode(x: Tensor<B, 784>) -> (Tensor<B, 20>, Tensor<B, 20>) {
    let h = relu(dense(x, 400));
    (dense(h, 20), dense(h, 20))                    // mean, log-variance
}

#[decoder]
fn decode(z: Tensor<B, 20>) -> Tensor<B, 784> { dense(relu(dense(z, 400)), 784) }

#[loss]
fn beta_vae(x: Tensor<B, 784>, #[default(1.0)] beta: f32) -> Tensor<B> {
    let (mean, logvar) = encode(x);
    let z = mean + exp(0.5 * logvar) * normal_like(mean);
    let recon = bce_with_logits(decode(z), x);      // nats a sample; logged as `recon`
    let kl = kl_normal(mean, logvar);               // logged as `kl`
    recon + beta * kl
}

#[loss]
fn iwae(x: Tensor<B, 784>) -> Tensor<B> {           // the same networks, 50 samples
    let (mean, logvar) = encode(x);
    let (m, v) = (repeat(mean, 50), repeat(logvar, 50));
    let z = m + exp(0.5 * v) * normal_like(m);      // Tensor<Rows<B, 50>, 20>
    let log_w = log_bernoulli(decode(z), repeat(x, 50)) + log_normal(z) - log_normal(z, mean = m, logvar = v);
    log(50.0) - logsumexp(log_w, axis = rows)       // Tensor<B>
}
"#;

const PENALTY: &str = r#"
#[network]
fn critic(z: Tensor<B, 2>) -> Tensor<B> { squeeze(dense(tanh(dense(z, 64)), 1)) }

#[network]
fn generate(z: Tensor<B, 8>) -> Tensor<B, 2> { dense(z, 2) }

#[loss(trains(critic))]
fn critic_loss(x: Tensor<B, 2>, #[default(10.0)] gp: f32) -> Tensor<B> {
    let z: Tensor<B, 8> = normal();
    let fake = generate(z);
    let t: Tensor<B, 1> = uniform();
    let slope = sqrt(sum_squares(grad(critic, t * x + (1.0 - t) * fake)) + 1e-12);
    critic(fake) - critic(x) + gp * square(slope - 1.0)
}
"#;

const TIED: &str = r#"
#[network]
fn basis() -> Tensor<16, 64> { param(orthogonal()) }

#[encoder]
fn encode(x: Tensor<B, 64>) -> Tensor<B, 16> { einsum("bd,kd->bk", x, basis()) }

#[decoder]
fn decode(z: Tensor<B, 16>) -> Tensor<B, 64> { einsum("bk,kd->bd", z, basis()) }

#[constant] const STEP: f32 = 0.05;
#[constant] const LAMBDA: f32 = 0.1;

#[network]
fn atoms() -> Tensor<64, 128> { param(normal_init(0.1)) }

#[encoder]
fn ista(x: Tensor<B, 64>) -> Tensor<B, 128> {
    let mut a: Tensor<B, 128> = zeros();
    for _ in 0..3 {
        let residual = einsum("bk,dk->bd", a, atoms()) - x;
        a = soft_threshold(a - STEP * einsum("bd,dk->bk", residual, atoms()), STEP * LAMBDA);
    }
    stop_gradient(a)
}

#[loss]
fn pca(x: Tensor<B, 64>) -> Tensor<B> { squared_error(decode(encode(x)), x) }
"#;

const WASSERSTEIN: &str = r#"
#[encoder]
fn encode(x: Tensor<B, 64>) -> Tensor<B, 8> { dense(x, 8) }
#[decoder]
fn decode(z: Tensor<B, 8>) -> Tensor<B, 64> { dense(z, 64) }

#[loss]
fn wasserstein(x: Tensor<B, 64>, #[default(10.0)] weight: f32) -> Tensor<B> {
    let z = encode(x);
    squared_error(decode(z), x) + weight * mmd(z, normal_like(z))
}
"#;

/// Every program here, with its roots.
pub(super) const PROGRAMS: [(&str, &str); 8] = [
    (VANILLA, "vanilla"),
    (VANILLA, "contractive"),
    (VAE, "beta_vae"),
    (VAE, "iwae"),
    (PENALTY, "critic_loss"),
    (TIED, "pca"),
    (TIED, "ista"),
    (WASSERSTEIN, "wasserstein"),
];

/// The text of a root's graph against `tests/golden/lower_<name>.txt`; `DIABOLO_BLESS=1` writes it anew.
#[track_caller]
fn golden(text: &str, root: &str) {
    let graph = graph(text, root);
    let mut found = print_bare(&graph);
    for param in &graph.params {
        let network = &graph.networks[param.network];
        found += &format!(
            "{} : {} from {:?}{}\n",
            param.path,
            param.ty,
            network.routes,
            ["", ", trained"][usize::from(network.trained)]
        );
    }
    let path = format!("{}/tests/golden/lower_{root}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("DIABOLO_BLESS").is_some() {
        std::fs::write(&path, &found).unwrap_or_else(|e| panic!("{path}: {e}"));
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{root} has changed; DIABOLO_BLESS=1 accepts it:\n{found}");
}

#[test]
fn vanilla_and_contractive() {
    golden(VANILLA, "vanilla");
    golden(VANILLA, "contractive");
}

#[test]
fn variational() {
    golden(VAE, "beta_vae");
    golden(VAE, "iwae");
}

#[test]
fn gradient_penalty() {
    golden(PENALTY, "critic_loss");
}

#[test]
fn tied_weights_and_unrolled_loops() {
    golden(TIED, "pca");
    golden(TIED, "ista");
}

#[test]
fn crossing_the_batch() {
    golden(WASSERSTEIN, "wasserstein");
}

#[test]
fn every_node_says_where_it_comes_from() {
    for (text, root) in PROGRAMS {
        let graph = graph(text, root);
        for (index, node) in graph.nodes.iter().enumerate() {
            let origin = &node.origin;
            assert!(
                origin.line > 0 && !origin.file.is_empty() && !origin.label.is_empty(),
                "%{index} of {root}: {origin:?}"
            );
        }
    }
    let graph = graph(VAE, "beta_vae");
    assert!(
        graph
            .nodes
            .iter()
            .any(|n| &*n.origin.label == "recon" && &*n.origin.file == "example.rs" && n.origin.line == 15)
    );
}
