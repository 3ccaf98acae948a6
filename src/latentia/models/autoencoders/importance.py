"""Estimates of log p(x) by importance sampling, and what their weights say of their errors.

    log p(x) ≈ log (1/k) Σ_i w_i,   w = p(x given z) p(z) / q(z given x)         ([1]_ eqs. 8, 9)

Shapes: ``x`` is (N, *shape) and the weights of k draws (N, k).

References
----------
.. [1] Y. Burda, R. Grosse, R. Salakhutdinov, "Importance Weighted Autoencoders", ICLR 2016.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.distributions import Normal

from latentia.metrics.importance import HEAVY, pareto_shape, tail_length
from latentia.training import draws

Real = NDArray[np.float64]
ROWS = 2048
"""Rows that go through the decoder at a time."""


class Weighted(Protocol):
    """What an estimate needs of a model."""

    def posterior(self, x: Tensor, *given: Tensor) -> Normal:
        """Return q(z given x) over (N, K)."""

    def log_weights(self, x: Tensor, q: Normal, noise: Tensor, *given: Tensor) -> Tensor:
        """Return (N, S) values of log w for (N, S, K) standard normal draws."""


@dataclasses.dataclass(frozen=True)
class ImportanceEstimate:
    """Importance-weighted bounds on log p(x) of n samples, and how far they can be trusted.

    All are (n,) float64: the bounds in nats; their standard errors by the delta method,
    sd(w) / (√k mean(w)); the effective sample sizes (Σ w)² / Σ w², from 1 to k; the shapes of the
    weights' tails as `latentia.metrics.importance.pareto_shape` gives them, NaN under 25 draws.
    """

    bounds: Real
    standard_errors: Real
    effective_sample_sizes: Real
    pareto_k: Real

    @property
    def n_heavy(self) -> int:
        """Samples whose weights have so heavy a tail that their error is not to be trusted."""
        return int((self.pareto_k > HEAVY).sum())

    def __str__(self) -> str:
        """Say what the weights tell of the errors."""
        sizes, shapes = self.effective_sample_sizes, self.pareto_k
        n = len(shapes)
        found = f"effective sample size {np.median(sizes):.0f} (median), {sizes.min():.1f} (least)"
        if np.isnan(shapes).any():
            return f"{found}; so few draws do not show whether their error can be trusted: take 25"
        if not self.n_heavy:
            return f"{found}; Pareto k at most {max(0.0, shapes.max()):.2f}"
        return (
            f"{found}; Pareto k is above {HEAVY} for {self.n_heavy:,} of {n:,} samples (at most "
            f"{shapes.max():.2f}): their weights have a heavy tail, so that the bound and its "
            "error from the draws are not to be trusted"
        )


def joined(parts: list[ImportanceEstimate]) -> ImportanceEstimate:
    """Return estimates of some samples after others as one."""
    fields = [field.name for field in dataclasses.fields(ImportanceEstimate)]
    values = (np.concatenate([getattr(part, name) for part in parts]) for name in fields)
    return ImportanceEstimate(*values)


def log_mean_weight(model: Weighted, x: Tensor, k: int, *given: Tensor) -> ImportanceEstimate:
    """Return ``log (1/k) Σ w`` for k draws of each of N samples, with what its weights say of it.

    At constant memory: a running maximum m and the sums Σ e^{l_i − m}, Σ e^{2(l_i − m)} are kept,
    with l = log w, and the largest l; the encoder is evaluated once for each sample, and draws of z
    come in blocks.
    """
    q = model.posterior(x, *given)
    n, n_latent = q.loc.shape
    block = max(1, ROWS // n)
    top = torch.full((n,), -math.inf, dtype=torch.float64)
    total, squares = torch.zeros_like(top), torch.zeros_like(top)
    tail = torch.empty((n, 0), dtype=torch.float64)
    length = tail_length(k) + 1
    for first in range(0, k, block):
        noise = draws.normal(n, (min(block, k - first), n_latent))
        log_w = model.log_weights(x, q, noise, *given).double()
        higher = torch.maximum(top, log_w.max(1).values)
        shrink = (top - higher).exp()
        w = (log_w - higher[:, None]).exp()
        total = total * shrink + w.sum(1)
        squares = squares * shrink.square() + w.square().sum(1)
        top = higher
        seen = torch.cat([tail, log_w], 1)
        tail = seen.topk(min(length, seen.shape[1])).values
    mean = total / k
    variance = (squares / k - mean.square()).clamp(min=0) * k / max(1, k - 1)
    return ImportanceEstimate(
        bounds=(top + mean.log()).numpy(),
        standard_errors=((variance / k).sqrt() / mean).numpy(),
        effective_sample_sizes=(total.square() / squares).numpy(),
        pareto_k=pareto_shape(tail.numpy()),
    )
