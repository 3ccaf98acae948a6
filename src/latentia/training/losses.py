"""Losses as pure functions of tensors: summed over dimensions, averaged over samples.

Shapes: ``x``, ``x_hat``, ``mean``, ``logits`` are (N, ...) with any sample shape. Likelihoods are
in nats.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits


def sum_per_sample(values: Tensor) -> Tensor:
    """Return (N,) sums over all dimensions but the first."""
    return values.flatten(1).sum(1)


def squared_error(x: Tensor, x_hat: Tensor) -> Tensor:
    """Return the mean over samples of ``‖x − x̂‖²``."""
    return sum_per_sample((x - x_hat).square()).mean()


def root_mean_squared_error(x: Tensor, x_hat: Tensor) -> Tensor:
    """Return the mean over samples of ``√(‖x − x̂‖² / d)``, d values in a sample."""
    return root_mean_square(x - x_hat).mean()


def root_mean_square(difference: Tensor) -> Tensor:
    """Return (N,) values of ``√(‖δ‖² / d)``.

    Where ``δ = 0`` the gradient is taken as 0; nowhere is it longer than ``1/√d``.
    """
    distances: Tensor = torch.linalg.vector_norm(difference.flatten(1), dim=1)
    return distances / math.sqrt(difference[0].numel())


def real_fake_cross_entropy(logits: Tensor, target: float) -> Tensor:
    """Return the mean of ``−[t log D + (1 − t) log(1 − D)]``, D = σ(logits), in nats.

    ``target`` 1 says "real", 0 "fake"; 0.9 for real ones is one-sided label smoothing.

    References
    ----------
    .. [1] I. Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, eq. 1.
    .. [2] T. Salimans et al., "Improved Techniques for Training GANs", NeurIPS 2016, section 3.4.
    """
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def real_fake_squares(verdicts: Tensor, target: float) -> Tensor:
    """Return the mean of ``(D − t)²``, the least-squares game's loss for verdicts D.

    ``target`` 1 says "real", 0 "fake".

    References
    ----------
    .. [1] X. Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017, eq. 9.
    """
    return (verdicts - target).square().mean()


REAL_FAKE = {"least_squares": real_fake_squares, "cross_entropy": real_fake_cross_entropy}
"""What a discriminator and its opponent minimise, by the game's name."""
