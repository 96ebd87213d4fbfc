"""One training step of a workload in Torch: `torch_step.py W2 2 eager|compiled SECONDS`."""

import sys

from step import measure, pin

workload, threads, mode, budget = sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
pin(threads)

import torch
from torch_models import WORKLOADS

torch.set_num_threads(threads)
torch.manual_seed(0)
model, shape = WORKLOADS[workload]()
x = torch.rand(shape)

if mode == "eager":
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = model(x)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

else:
    weights = {name: value.detach().clone() for name, value in model.named_parameters()}
    first = {name: torch.zeros_like(value) for name, value in weights.items()}
    second = {name: torch.zeros_like(value) for name, value in weights.items()}
    count = torch.zeros(())

    @torch.compile
    def whole(weights, first, second, count, x):
        objective = lambda weights: torch.func.functional_call(model, weights, (x,))
        slopes, loss = torch.func.grad_and_value(objective)(weights)
        count += 1
        for name, slope in slopes.items():
            first[name].mul_(0.9).add_(slope, alpha=0.1)
            second[name].mul_(0.999).addcmul_(slope, slope, value=0.001)
            root = (second[name] / (1 - 0.999**count)).sqrt() + 1e-8
            weights[name].sub_(1e-3 / (1 - 0.9**count) * first[name] / root)
        return loss

    def step():
        with torch.no_grad():
            return float(whole(weights, first, second, count, x))


measure(step, f"torch {mode}", workload, threads, torch.__version__, budget)
