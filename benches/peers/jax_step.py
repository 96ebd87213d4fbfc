"""One training step of a workload in JAX, the whole under one `jit`: `jax_step.py W2 2 jit SECONDS`."""

import os
import sys

from step import measure, pin

workload, threads, budget = sys.argv[1], int(sys.argv[2]), float(sys.argv[4])
pin(threads)
os.environ["JAX_PLATFORMS"] = "cpu"
if threads == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false " + os.environ.get("XLA_FLAGS", "")

from functools import partial

import jax
import numpy as np
import optax
from jax import numpy as jnp

random = np.random.default_rng(0)


def weights(*shape, bound):
    return jnp.asarray(random.uniform(-bound, bound, shape).astype(np.float32))


def layer(i, o):
    return weights(i, o, bound=i**-0.5), weights(o, bound=i**-0.5)


def dense(p, x):
    return x @ p[0] + p[1]


def bce(logits, x):
    return jnp.mean(jax.nn.softplus(logits) - x * logits)


def mse(y, x):
    return jnp.mean((y - x) ** 2)


def layers(sizes, loss):
    def objective(p, x, key):
        h = x
        for each in p[:-1]:
            h = jax.nn.relu(dense(each, h))
        return loss(dense(p[-1], h), x)

    return [layer(i, o) for i, o in zip(sizes, sizes[1:])], objective


def vae():
    def objective(p, x, key):
        hidden, to_mean, to_logvar, up, out = p
        h = jax.nn.relu(dense(hidden, x))
        mean, logvar = dense(to_mean, h), dense(to_logvar, h)
        z = mean + jnp.exp(0.5 * logvar) * jax.random.normal(key, mean.shape)
        logits = dense(out, jax.nn.relu(dense(up, z)))
        recon = jnp.sum(jax.nn.softplus(logits) - x * logits)
        return (recon - 0.5 * jnp.sum(1 + logvar - mean**2 - jnp.exp(logvar))) / x.shape[0]

    return [layer(784, 400), layer(400, 20), layer(400, 20), layer(20, 400), layer(400, 784)], objective


def contractive():
    def objective(p, x, key):
        h = jax.nn.sigmoid(dense(p[0], x))
        penalty = jnp.mean((h * (1 - h)) ** 2 @ jnp.sum(p[0][0] ** 2, axis=0))
        return mse(jax.nn.sigmoid(dense(p[1], h)), x) + 1e-4 * penalty

    return [layer(784, 256), layer(256, 784)], objective


def contractive2(gram):
    def objective(p, x, key):
        encode = lambda row: jnp.tanh(dense(p[1], jnp.tanh(dense(p[0], row))))
        code = encode(x)
        if gram:
            inner, outer = 1 - jnp.tanh(dense(p[0], x)) ** 2, 1 - code**2
            factor = outer[:, :, None] * p[1][0].T * inner[:, None, :]
            penalty = jnp.sum((factor @ (p[0][0].T @ p[0][0])) * factor) / x.shape[0]
        else:
            penalty = jnp.sum(jax.vmap(jax.jacrev(encode))(x) ** 2) / x.shape[0]
        return mse(jax.nn.sigmoid(dense(p[3], jnp.tanh(dense(p[2], code)))), x) + 1e-4 * penalty

    return [layer(784, 128), layer(128, 32), layer(32, 128), layer(128, 784)], objective


def sparse(largest):
    def objective(p, x, key):
        code = jax.nn.relu(dense(p[0], x - p[1][1]))
        if not largest:
            return mse(dense(p[1], code), x) + 1e-3 * jnp.mean(jnp.sum(jnp.abs(code), axis=1))
        values, places = jax.lax.top_k(code, largest)
        rows = jnp.arange(x.shape[0])[:, None]
        return mse(dense(p[1], jnp.zeros_like(code).at[rows, places].set(values)), x)

    return [layer(512, 8192), layer(8192, 512)], objective


def convolutional():
    channels = [1, 16, 32, 16, 1]
    kernels = [(weights(3, 3, i, o, bound=0.1), weights(o, bound=0.1)) for i, o in zip(channels, channels[1:])]
    order = ("NHWC", "HWIO", "NHWC")

    def down(p, x):
        padding = ((1, 1), (1, 1))
        return jax.lax.conv_general_dilated(x, p[0], (2, 2), padding, dimension_numbers=order) + p[1]

    def up(p, x):
        padding = ((1, 2), (1, 2))
        y = jax.lax.conv_general_dilated(x, p[0], (1, 1), padding, lhs_dilation=(2, 2), dimension_numbers=order)
        return y + p[1]

    def objective(p, x, key):
        h = jax.nn.relu(down(p[1], jax.nn.relu(down(p[0], x))))
        return mse(jax.nn.sigmoid(up(p[3], jax.nn.relu(up(p[2], h)))), x)

    return kernels, objective


wide = [784, 1024, 512, 64, 512, 1024, 784]
(first, objective), shape = {
    "W1": lambda: (layers([64, 32, 8, 32, 64], bce), (64, 64)),
    "W2": lambda: (layers([784, 256, 64, 256, 784], bce), (128, 784)),
    "W3": lambda: (vae(), (128, 784)),
    "W4": lambda: (layers(wide, mse), (1024, 784)),
    "W5": lambda: (contractive(), (128, 784)),
    "W5g": lambda: (contractive2(gram=False), (128, 784)),
    "W5gram": lambda: (contractive2(gram=True), (128, 784)),
    "W6": lambda: (sparse(0), (1024, 512)),
    "W6k": lambda: (sparse(32), (1024, 512)),
    "W7": lambda: (convolutional(), (128, 28, 28, 1)),
}[workload]()
x = jnp.asarray(random.random(shape, dtype=np.float32))
optimizer = optax.adam(1e-3)


@partial(jax.jit, donate_argnums=(0, 1, 2))
def whole(weights, moments, key, x):
    # Only W3 draws noise; of the others the compiler leaves the keys out.
    key, now = jax.random.split(key) if workload == "W3" else (key, key)
    loss, slopes = jax.value_and_grad(objective)(weights, x, now)
    updates, moments = optimizer.update(slopes, moments, weights)
    return optax.apply_updates(weights, updates), moments, key, loss


state = [first, optimizer.init(first), jax.random.key(0)]


def step():
    *state[:], loss = whole(*state, x)
    jax.block_until_ready((state[0], loss))
    return loss


measure(step, "jax jit", workload, threads, jax.__version__, budget)
