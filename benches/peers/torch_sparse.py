"""The sparse autoencoder in Torch as one who knows its codes to be sparse would write it.

In: sizes, a type of numbers for the products. Out: a module whose call is the loss of a batch. Never: a dense code after the
selection, backwards neither: what is kept picks rows of both weights, and adds to rows of their gradients.
"""

import torch
from torch import nn
from torch.nn import functional as F


class Kept(torch.autograd.Function):
    """The largest values of relu((x − centre) W' + b) and their places."""

    @staticmethod
    def forward(ctx, x, centre, weight, bias, largest):
        x = x - centre
        values, places = F.linear(x, weight, bias).topk(largest, dim=1, sorted=False)
        values = values.relu()
        ctx.save_for_backward(x, weight, values, places)
        ctx.mark_non_differentiable(places)
        return values, places

    @staticmethod
    def backward(ctx, slopes, _):
        x, weight, values, places = ctx.saved_tensors
        slopes, flat = slopes * (values > 0), places.flatten()
        (rows, kept), codes = places.shape, weight.shape[0]
        bias = slopes.new_zeros(codes, dtype=torch.float32).index_add_(0, flat, slopes.flatten().float()).to(x.dtype)
        # The gradient of an embedding bag adds x, times its slope, to the row of each place: sorted, without products in memory.
        bags = torch.arange(rows, device=x.device).repeat_interleave(kept, output_size=rows * kept)
        sizes, none = torch.full((rows,), kept, device=x.device), torch.empty(0, dtype=torch.long, device=x.device)
        grad = torch.ops.aten._embedding_bag_dense_backward
        weights = grad(x, flat, bags, sizes, none, codes, False, 0, slopes.flatten(), -1)
        # Only the centre needs what x would get, and of that the sum over rows.
        return None, -(bias @ weight), weights, bias, None


class Gathered(nn.Module):
    def __init__(self, largest, width, codes, dtype):
        super().__init__()
        self.encode, self.largest, self.dtype = nn.Linear(width, codes), largest, dtype
        self.centre = nn.Parameter(torch.zeros(width))
        self.features = nn.Parameter(torch.empty(codes, width).uniform_(-(codes**-0.5), codes**-0.5))

    def forward(self, x):
        low = lambda values: values.to(self.dtype)
        centre, weight, bias = low(self.centre), low(self.encode.weight), low(self.encode.bias)
        values, places = Kept.apply(low(x), centre, weight, bias, self.largest)
        y = F.embedding_bag(places, low(self.features), per_sample_weights=values, mode="sum") + centre
        return F.mse_loss(y.float(), x)
