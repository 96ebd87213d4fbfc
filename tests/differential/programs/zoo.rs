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

/// Vector quantisation: a table of all rows, chosen by the nearest place.
#[network]
fn codebook() -> Tensor<9, 3> {
    param(normal_init(1.0))
}

#[network]
fn patches(x: Tensor<B, 20>) -> Tensor<B, 4, 3> {
    reshape(tanh(dense(x, 12)), 4, 3)
}

#[network]
fn joined(z: Tensor<B, 4, 3>) -> Tensor<B, 20> {
    dense(flatten(z), 20)
}

#[loss]
fn quantised(x: Tensor<B, 20>, #[default(0.25)] beta: f32) -> Tensor<B> {
    let e = patches(x);
    let q = gather(codebook(), argmin(pairwise_squares(e, codebook()), axis = 2));
    squared_error(joined(straight_through(q, e)), x)
        + sum_squares(stop_gradient(e) - q)
        + beta * sum_squares(e - stop_gradient(q))
}

/// A code of few values among many: no product over all places, forwards or backwards, but the one that is sorted.
#[network]
fn atoms() -> Tensor<600, 20> {
    param(normal_init(0.3))
}

#[network]
fn first_five(x: Tensor<B, 20>) -> Tensor<B, 600> {
    top_k(relu(dense(x, 600)), 5)
}

#[loss]
fn sparse(x: Tensor<B, 20>) -> Tensor<B> {
    let z = first_five(x);
    let usage = 0.1 * sum(abs(z)) + sum_squares(0.3 * z);
    squared_error(einsum("bk,kd->bd", z, atoms()), x) + usage
}

/// Labels: a table without rows, and one of each row.
#[network]
fn classify(x: Tensor<B, 10>, context: Index<B, 2>) -> Tensor<B, 12> {
    let words = embedding(context, 12, 4);
    dense(tanh(dense(concat(x, flatten(words)), 9)), 12)
}

#[loss]
fn labelled(x: Tensor<B, 10>, context: Index<B, 2>, label: Index<B>) -> Tensor<B> {
    let logits = classify(x, context);
    let near = sum_squares(one_hot(label, 12) - softmax(logits));
    cross_entropy(logits, label) + 0.5 * near + 0.01 * number(label)
}

/// Sorted along the batch: one dimension at a time.
#[loss]
fn sliced(x: Tensor<B, 12>) -> Tensor<B> {
    let z = flat(x);
    let prior: Tensor<B, 4> = normal();
    let gap = sort(transpose(batch(z))) - sort(transpose(batch(prior)));
    squared_error(unfold(z), x) + mean(square(gap)) + 0.1 * sum(range(4) * sort(z, descending = true))
}

/// Tables too large for lanes: their gradients are sums over the whole batch, of values and of products.
#[network]
fn words(context: Index<B, 3>) -> (Tensor<B, 3, 64>, Tensor<B, 3, 64>) {
    (embedding(context, 5000, 64), embedding(context, 4200, 64))
}

#[loss]
fn vocabulary(context: Index<B, 3>, x: Tensor<B, 64>) -> Tensor<B> {
    let (a, b) = words(context);
    squared_error(sum(a, axis = 1), x) + sum(tanh(b))
}
