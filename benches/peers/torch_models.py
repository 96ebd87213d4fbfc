"""The workloads in Torch: modules whose call is the loss of a batch.

In: the name of a workload. Out: its module and the shape of its batch. Never: a step.
"""

import torch
from torch import nn
from torch.nn import functional as F


class Layers(nn.Module):
    """Dense layers with an activation between them, and a loss on the last."""

    def __init__(self, sizes, activation, loss):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in zip(sizes, sizes[1:]))
        self.activation, self.loss = activation, loss

    def forward(self, x):
        h = x
        for layer in self.layers[:-1]:
            h = self.activation(layer(h))
        return self.loss(self.layers[-1](h), x)


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.mean, self.logvar = nn.Linear(784, 400), nn.Linear(400, 20), nn.Linear(400, 20)
        self.up, self.out = nn.Linear(20, 400), nn.Linear(400, 784)

    def forward(self, x):
        h = F.relu(self.hidden(x))
        mean, logvar = self.mean(h), self.logvar(h)
        z = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
        recon = F.binary_cross_entropy_with_logits(self.out(F.relu(self.up(z))), x, reduction="sum")
        kl = -0.5 * torch.sum(1 + logvar - mean.square() - logvar.exp())
        return (recon + kl) / x.shape[0]


class Contractive(nn.Module):
    """One sigmoid layer; the penalty in its closed form."""

    def __init__(self):
        super().__init__()
        self.encode, self.decode = nn.Linear(784, 256), nn.Linear(256, 784)

    def forward(self, x):
        h = torch.sigmoid(self.encode(x))
        slope = (h * (1 - h)).square()
        penalty = (slope @ self.encode.weight.square().sum(1)).mean()
        return F.mse_loss(torch.sigmoid(self.decode(h)), x) + 1e-4 * penalty


class Contractive2(nn.Module):
    """Two tanh layers; the penalty by derivatives, or by the Gram matrix of the first layer."""

    def __init__(self, gram):
        super().__init__()
        self.first, self.second = nn.Linear(784, 128), nn.Linear(128, 32)
        self.third, self.last = nn.Linear(32, 128), nn.Linear(128, 784)
        self.gram = gram

    def encode(self, x):
        return torch.tanh(self.second(torch.tanh(self.first(x))))

    def forward(self, x):
        code = self.encode(x)
        if self.gram:
            inner, outer = 1 - torch.tanh(self.first(x)).square(), 1 - code.square()
            factor = outer.unsqueeze(2) * self.second.weight * inner.unsqueeze(1)
            penalty = ((factor @ (self.first.weight @ self.first.weight.T)) * factor).sum() / x.shape[0]
        else:
            penalty = torch.func.vmap(torch.func.jacrev(self.encode))(x).square().sum() / x.shape[0]
        images = torch.sigmoid(self.last(torch.tanh(self.third(code))))
        return F.mse_loss(images, x) + 1e-4 * penalty


class Sparse(nn.Module):
    """A wide rectified code with a penalty, or the largest of it alone, as one would first write it."""

    def __init__(self, largest, width=512, codes=8192):
        super().__init__()
        self.encode, self.decode, self.largest = nn.Linear(width, codes), nn.Linear(codes, width), largest

    def forward(self, x):
        code = F.relu(self.encode(x - self.decode.bias))
        if self.largest:
            values, places = code.topk(self.largest, dim=1, sorted=False)
            return F.mse_loss(self.decode(torch.zeros_like(code).scatter(1, places, values)), x)
        return F.mse_loss(self.decode(code), x) + 1e-3 * code.abs().sum(1).mean()


class Convolutional(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 16, 3, 2, 1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, 2, 1),
            nn.ReLU(),
            nn.ConvTranspose2d(32, 16, 3, 2, 1, 1),
            nn.ReLU(),
            nn.ConvTranspose2d(16, 1, 3, 2, 1, 1),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return F.mse_loss(self.net(x), x)


bce = F.binary_cross_entropy_with_logits
wide = [784, 1024, 512, 64, 512, 1024, 784]
WORKLOADS = {
    "W1": lambda: (Layers([64, 32, 8, 32, 64], F.relu, bce), (64, 64)),
    "W2": lambda: (Layers([784, 256, 64, 256, 784], F.relu, bce), (128, 784)),
    "W3": lambda: (Vae(), (128, 784)),
    "W4": lambda: (Layers(wide, F.relu, F.mse_loss), (1024, 784)),
    "W5": lambda: (Contractive(), (128, 784)),
    "W5g": lambda: (Contractive2(gram=False), (128, 784)),
    "W5gram": lambda: (Contractive2(gram=True), (128, 784)),
    "W6": lambda: (Sparse(0), (1024, 512)),
    "W6k": lambda: (Sparse(32), (1024, 512)),
    "W7": lambda: (Convolutional(), (128, 1, 28, 28)),
}
