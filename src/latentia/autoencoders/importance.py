"""Importance-weighted estimates of log p(x), at constant memory.

    log (1/k) Σ_i w_i,  kept as a running maximum m and the sums Σ e^{l_i − m}, Σ e^{2(l_i − m)}

with l = log w. The encoder is evaluated once for each sample; draws of z come in blocks.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor
from torch.distributions import Normal

from latentia import draws

ROWS = 2048
"""Rows that go through the decoder at a time."""


class Weighted(Protocol):
    """A model with importance weights."""

    def posterior(self, x: Tensor, *given: Tensor) -> Normal:
        """Return q(z given x)."""

    def log_weights(self, x: Tensor, q: Normal, noise: Tensor, *given: Tensor) -> Tensor:
        """Return (N, S) log importance weights."""


def log_mean_weight(model: Weighted, x: Tensor, k: int, *given: Tensor) -> tuple[Tensor, Tensor]:
    """Return (N,) values of ``log (1/k) Σ w`` and their standard errors, float64, in nats.

    The standard error is the delta method's, ``sd(w) / (√k mean(w))``; of few draws with
    heavy-tailed weights it says too little.
    """
    q = model.posterior(x, *given)
    n, n_latent = q.loc.shape
    block = max(1, ROWS // n)
    top = torch.full((n,), -math.inf, dtype=torch.float64)
    total, squares = torch.zeros_like(top), torch.zeros_like(top)
    for first in range(0, k, block):
        noise = draws.normal(n, (min(block, k - first), n_latent))
        log_w = model.log_weights(x, q, noise, *given).double()
        higher = torch.maximum(top, log_w.max(1).values)
        shrink = (top - higher).exp()
        w = (log_w - higher[:, None]).exp()
        total = total * shrink + w.sum(1)
        squares = squares * shrink.square() + w.square().sum(1)
        top = higher
    mean = total / k
    variance = (squares / k - mean.square()).clamp(min=0) * k / max(1, k - 1)
    return top + mean.log(), (variance / k).sqrt() / mean
