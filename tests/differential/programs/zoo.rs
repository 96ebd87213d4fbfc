//! Losses that differ in what a schedule must do with them.

/// Wide products over the whole batch, several lanes.
#[encoder]
fn encode(x: Tensor<B, 100>) -> Tensor<B, 16> {
    dense(relu(dense(x, 80)), 16)
}

#[decoder]
fn decode(z: Tensor<B, 16>) -> Tensor<B, 100> {
    dense(relu(dense(z, 80)), 100)
}

#[loss]
fn vanilla(x: Tensor<B, 100>) -> Tensor<B> {
    bce_with_logits(decode(encode(x)), x)
}

/// Layers narrower than a register, sums in lanes.
#[network]
fn slim(x: Tensor<B, 10>) -> Tensor<B, 10> {
    let h = sigmoid(dense(x, 7));
    let z = tanh(dense(h, 3));
    dense(sigmoid(dense(z, 7)), 10)
}

#[loss]
fn narrow(x: Tensor<B, 10>) -> Tensor<B> {
    squared_error(slim(x), x)
}

/// Random numbers, drawn again by the backward pass; metrics.
#[network]
fn posterior(x: Tensor<B, 20>) -> (Tensor<B, 5>, Tensor<B, 5>) {
    let h = relu(dense(x, 12));
    (dense(h, 5), dense(h, 5))
}

#[network]
fn likelihood(z: Tensor<B, 5>) -> Tensor<B, 20> {
    dense(relu(dense(z, 12)), 20)
}

#[loss]
fn vae(x: Tensor<B, 20>, #[default(0.7)] beta: f32) -> Tensor<B> {
    let (mean, logvar) = posterior(x);
    let z = mean + exp(0.5 * logvar) * normal_like(mean);
    let recon = bce_with_logits(likelihood(z), x);
    let kl = kl_normal(mean, logvar);
    recon + beta * kl
}

/// A weight's own work beside the rows'.
#[network]
fn shallow(x: Tensor<B, 24>) -> Tensor<B, 9> {
    sigmoid(dense(x, 9))
}

#[network]
fn mirror9(h: Tensor<B, 9>) -> Tensor<B, 24> {
    dense(h, 24)
}

#[loss]
fn contractive(x: Tensor<B, 24>, #[default(0.1)] lambda: f32) -> Tensor<B> {
    squared_error(mirror9(shallow(x)), x) + lambda * sum_squares(jacobian(shallow, x))
}

/// A chain of weights, or a loop over seeds.
#[network]
fn deep(x: Tensor<B, 24>) -> Tensor<B, 6> {
    tanh(dense(tanh(dense(x, 12)), 6))
}

#[network]
fn mirror6(h: Tensor<B, 6>) -> Tensor<B, 24> {
    dense(h, 24)
}

#[loss]
fn deep_contractive(x: Tensor<B, 24>, #[default(0.1)] lambda: f32) -> Tensor<B> {
    squared_error(mirror6(deep(x)), x) + lambda * sum_squares(jacobian(deep, x))
}

/// Rows that meet: two stages and more.
#[network]
fn flat(x: Tensor<B, 12>) -> Tensor<B, 4> {
    dense(x, 4)
}

#[network]
fn unfold(z: Tensor<B, 4>) -> Tensor<B, 12> {
    dense(z, 12)
}

#[loss]
fn wasserstein(x: Tensor<B, 12>, #[default(3.0)] weight: f32) -> Tensor<B> {
    let z = flat(x);
    squared_error(unfold(z), x) + weight * mmd(z, normal_like(z))
}

/// Several samples a row.
#[loss]
fn importance(x: Tensor<B, 20>) -> Tensor<B> {
    let (mean, logvar) = posterior(repeat(x, 5));
    let z = mean + exp(0.5 * logvar) * normal_like(mean);
    let weight = log_bernoulli(likelihood(z), repeat(x, 5)) - kl_normal(mean, logvar);
    -logsumexp(weight, axis = rows)
}

/// A derivative inside the loss.
#[network]
fn critic(x: Tensor<B, 6>) -> Tensor<B> {
    squeeze(dense(tanh(dense(tanh(dense(x, 16)), 16)), 1))
}

#[loss]
fn penalty(x: Tensor<B, 6>) -> Tensor<B> {
    let t: Tensor<B, 1> = uniform();
    let fake: Tensor<B, 6> = normal();
    let slope = sqrt(sum_squares(grad(critic, t * x + (1.0 - t) * fake)) + 1e-12);
    critic(fake) - critic(x) + 10.0 * square(slope - 1.0)
}

/// Values that are shown.
#[loss]
fn watched(x: Tensor<B, 10>) -> Tensor<B> {
    let h = inspect("h", tanh(slim(x)));
    inspect("x", x);
    let each = squared_error(h, x);
    let twice = inspect("each", each);
    twice
}

#[optimizer]
fn signum(w: Weight, g: Gradient, m: Moment, lr: f32, #[default(0.9)] b: f32) -> (Weight, Moment) {
    let m = b * m + (1.0 - b) * g;
    (w - lr * sign(m), m)
}
