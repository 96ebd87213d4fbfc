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

/// A loop over time, and back; products over all steps before and after it.
#[network]
fn remember(x: Tensor<B, T, 5>) -> Tensor<B, 4> {
    last(gru(x, 4))
}

#[network]
fn tell(z: Tensor<B, 4>) -> Tensor<B, 5> {
    dense(z, 5)
}

#[loss]
fn recurrent(x: Tensor<B, T, 5>) -> Tensor<B> {
    squared_error(tell(remember(x)), last(x))
}

/// Two carries, all states, and noise of each step's own.
#[network]
fn memory(x: Tensor<B, T, 5>) -> Tensor<B, T, 5> {
    let h = lstm(x, 6);
    let noisy = scan(|s, h_t| 0.5 * s + 0.1 * h_t * normal_like(h_t), zeros(), h, reverse = true);
    dense(noisy, 5)
}

#[loss]
fn sequence(x: Tensor<B, T, 5>) -> Tensor<B> {
    sum_squares(memory(x) - x)
}

/// A loop that is too long to unroll, with its counter.
#[network]
fn atoms() -> Tensor<8, 12> {
    param(kaiming())
}

#[encoder]
fn ista(x: Tensor<B, 8>) -> Tensor<B, 12> {
    let mut a: Tensor<B, 12> = zeros();
    let mut step = 0.0;
    for turn in 0..70 {
        let residual = einsum("bk,dk->bd", a, atoms()) - x;
        step = 0.02 / (1.0 + 0.1 * turn);
        a = soft_threshold(a - step * einsum("bd,dk->bk", residual, atoms()), 0.001);
    }
    a
}

#[loss]
fn unfolded(x: Tensor<B, 8>) -> Tensor<B> {
    sum_squares(einsum("bk,dk->bd", ista(x), atoms()) - x)
}

/// No rows: the largest eigenvalue of a weight's square, by power iteration. And carries that change places.
#[network]
fn matrix() -> Tensor<6, 6> {
    param(xavier())
}

#[loss]
fn spectral(x: Tensor<B, 6>) -> Tensor<B> {
    let mut v: Tensor<6> = ones();
    let mut w: Tensor<6> = constant(0.5);
    for _ in 0..65 {
        let old = w;
        w = 0.9 * v + 0.1 * old;
        let next = einsum("ij,j->i", matrix(), einsum("ji,j->i", matrix(), old)) + 0.1 * w;
        v = next / sqrt(sum_squares(next) + 0.000001);
    }
    sum_squares(einsum("bi,ij->bj", x, matrix())) / (1.0 + dot(v, w))
}

/// A Jacobian through a loop, differentiated again.
#[network]
fn glide(x: Tensor<B, 3>) -> Tensor<B, 3> {
    let w: Tensor<3, 3> = param(xavier());
    let mut h = x;
    for _ in 0..66 {
        h = h + 0.05 * tanh(einsum("bi,ij->bj", h, w));
    }
    h
}

#[loss]
fn flow(x: Tensor<B, 3>) -> Tensor<B> {
    sum_squares(glide(x)) + 0.1 * sum_squares(jacobian(glide, x))
}

/// A loop in a loop.
#[network]
fn nested(x: Tensor<B, T, 2, 3>) -> Tensor<B, 3> {
    let w: Tensor<3, 3> = param(xavier());
    last(scan(
        |h, x_t| last(scan(|g, x_s| tanh(einsum("bi,ij->bj", g, w) + x_s), 0.5 * h, x_t)) + 0.2 * h,
        zeros(),
        x,
    ))
}

#[loss]
fn steps(x: Tensor<B, T, 2, 3>) -> Tensor<B> {
    sum_squares(nested(x))
}

/// Carries that change places, each read before the other one changes.
#[loss]
fn exchange(x: Tensor<B, T, 5>) -> Tensor<B> {
    let (a, b) = scan(|(a, b), x_t| (b, a), (0.5 * last(x), last(x)), x);
    sum_squares(a - 2.0 * b)
}

#[optimizer]
fn signum(w: Weight, g: Gradient, m: Moment, lr: f32, #[default(0.9)] b: f32) -> (Weight, Moment) {
    let m = b * m + (1.0 - b) * g;
    (w - lr * sign(m), m)
}

/// Windows and folds: steps, padding, dilation, odd sizes, a pair of kernels.
#[network]
fn shrink(x: Tensor<B, 2, 9, 8>) -> Tensor<B, 5, 5, 3> {
    let h = relu(conv(x, channels = 4, kernel = 3, stride = (2, 1), padding = 1));
    tanh(conv(h, channels = 5, kernel = (1, 2), stride = (1, 2), dilation = (1, 3)))
}

#[network]
fn grow(z: Tensor<B, 5, 5, 3>) -> Tensor<B, 2, 9, 8> {
    let h = relu(conv_transpose(z, channels = 4, kernel = (1, 2), stride = (1, 2), dilation = (1, 3)));
    conv_transpose(h, channels = 2, kernel = 3, stride = (2, 1), padding = 1)
}

#[loss]
fn convolutional(x: Tensor<B, 2, 9, 8>) -> Tensor<B> {
    squared_error(grow(shrink(x)), x)
}

/// Sequences of a length that a run knows.
#[network]
fn smooth(x: Tensor<B, 3, T>) -> Tensor<B, 3, T> {
    let h = conv1d(relu(conv1d(x, channels = 4, kernel = 3, padding = 1)), channels = 3, kernel = 5, padding = 4, dilation = 2);
    conv_transpose1d(h, channels = 3, kernel = 3, padding = 1)
}

#[loss]
fn sequences(x: Tensor<B, 3, T>) -> Tensor<B> {
    squared_error(smooth(x), x)
}

/// Pools that overlap and leave something out; a code of one position, where the rows are all that is long.
#[network]
fn pooled(x: Tensor<B, 2, 9, 7>) -> Tensor<B, 6, 1, 1> {
    let h = max_pool(relu(conv(x, channels = 3, kernel = 2)), kernel = 3, stride = 2);
    let h = average_pool(h, kernel = 2, stride = 1);
    conv(h, channels = 6, kernel = (2, 1))
}

#[network]
fn unpooled(z: Tensor<B, 6, 1, 1>) -> Tensor<B, 2, 6, 6> {
    upsample(sigmoid(conv_transpose(z, channels = 2, kernel = 3)), 2)
}

#[loss]
fn pools(x: Tensor<B, 2, 9, 7>) -> Tensor<B> {
    let up = unpooled(pooled(x));
    squared_error(up, slice(slice(x, axis = 2, end = 6), axis = 3, end = 6)) + sum(max_pool1d(reshape(x, 2, 63), kernel = 4, stride = 3))
}

/// A convolution under `jacobian` and `grad`, and their derivatives.
#[network]
fn tiny(x: Tensor<B, 1, 4, 4>) -> Tensor<B, 2, 2, 2> {
    tanh(conv(x, channels = 2, kernel = 3, stride = 2, padding = 1))
}

#[loss]
fn sensitive(x: Tensor<B, 1, 4, 4>) -> Tensor<B> {
    sum_squares(jacobian(tiny, x)) + sum_squares(grad(|v| sum_squares(tiny(v)), x))
}

/// Folds of sums without rows: too little for a product, so a loop adds up, innermost what is summed.
#[network]
fn template() -> Tensor<2, 5> {
    let seed: Tensor<3, 3> = param(normal_init(1.0));
    let weight: Tensor<2, 3, 3> = param(normal_init(1.0));
    fold(einsum("lc,okc->olk", seed, weight), axis = 2)
}

#[loss]
fn templates(x: Tensor<B, 2, 5>) -> Tensor<B> {
    sum_squares(template() - x)
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
fn dictionary() -> Tensor<600, 20> {
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
    squared_error(einsum("bk,kd->bd", z, dictionary()), x) + usage
}

/// The same with so many places that the gradients of both tables are sums over the whole batch; that of the encoder's weight
/// is summed place by place, in memory a column each.
#[network]
fn large_dictionary() -> Tensor<4200, 64> {
    param(normal_init(0.3))
}

#[network]
fn first_three(x: Tensor<B, 64>) -> Tensor<B, 4200> {
    top_k(relu(dense(x, 4200)), 3)
}

#[loss]
fn sparse_among_many(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(einsum("bk,kd->bd", first_three(x), large_dictionary()), x)
}

/// Weights in panels. Of the products by them, some write where a loop keeps what it makes of them; one cannot, since two loops
/// read it; one is added to what it came from.
#[network]
fn broad(x: Tensor<B, 132>) -> (Tensor<B, 132>, Tensor<B, 132>) {
    let h = relu(dense(x, 132));
    let slope = dense(h, 132);
    let next = h + tanh(slope);
    (dense(next, 132), slope * unsqueeze(sum(next), 1))
}

#[loss]
fn wide(x: Tensor<B, 132>) -> Tensor<B> {
    let (shown, stretched) = broad(x);
    squared_error(shown, x) + 0.01 * sum(abs(stretched))
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

/// Triangular factors of weights: of an encoder's first layer and, column by column, of a layer that widens.
#[network]
fn waist(x: Tensor<B, 40>) -> Tensor<B, 4> {
    tanh(dense(tanh(dense(tanh(dense(x, 8)), 6)), 4))
}

#[network]
fn widen(z: Tensor<B, 4>) -> Tensor<B, 40> {
    dense(tanh(dense(z, 6)), 40)
}

#[network]
fn lift(z: Tensor<B, 4>) -> Tensor<B, 50> {
    dense(z, 50, bias = false)
}

#[loss]
fn waisted(x: Tensor<B, 40>, #[default(0.1)] lambda: f32) -> Tensor<B> {
    let z = waist(x);
    let stretch = sum_squares(jacobian(waist, x)) + 0.5 * sum_squares(lift(z));
    squared_error(widen(z), x) + lambda * stretch
}

/// Of many matrices with axes in any order, of one that has no rows around it, and of one in a loop.
#[network]
fn charts() -> Tensor<3, 4, 50, 2> {
    param(normal_init(0.3))
}

#[network]
fn metric() -> Tensor<4, 60> {
    param(normal_init(0.3))
}

#[network]
fn travel(x: Tensor<B, T, 4>) -> Tensor<B, 4> {
    let step = |h, x_t| {
        let length = sum_squares(einsum("bk,kd->bd", h, metric()));
        tanh(h + x_t) / (1.0 + 0.1 * unsqueeze(length, axis = 1))
    };
    last(scan(step, 0.1 * last(x), x))
}

#[loss]
fn surveyed(x: Tensor<B, T, 4>) -> Tensor<B> {
    let end = travel(x);
    let images = einsum("bk,gkmj->bmgj", end, charts());
    let area = einsum("gkmj,kd->gmjd", charts(), metric());
    sum_squares(images) + 0.001 * sum(square(area))
}

/// Read along one axis and written along another, among others that stay: on a device by tiles, whole ones and parts.
#[network]
fn across(x: Tensor<B, 2, 37, 18>) -> Tensor<B, 2, 18, 3> {
    let scale: Tensor<2, 18, 37> = param(normal_init(0.5));
    let weight: Tensor<37, 3> = param(fan_in(37));
    let h = tanh(permute(x, 1, 3, 2)) * expand_like(scale, permute(x, 1, 3, 2));
    einsum("bgij,jk->bgik", h, weight)
}

#[loss]
fn turned(x: Tensor<B, 2, 37, 18>) -> Tensor<B> {
    sum_squares(across(x)) + sum(across(square(x)))
}
