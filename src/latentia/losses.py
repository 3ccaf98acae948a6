"""Losses as pure functions of tensors: summed over dimensions, averaged over samples.

Shapes: ``x``, ``x_hat``, ``logits`` are (N, ...) with any sample shape; ``mean`` and
``log_variance`` are (N, K). Likelihoods are in nats.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.distributions import Normal
from torch.nn.functional import binary_cross_entropy_with_logits


def full_precision(x: Tensor) -> Tensor:
    """Return what a net gave in bfloat16 as float32, and anything else as it is."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def sum_per_sample(values: Tensor) -> Tensor:
    """Return (N,) sums over all dimensions but the first."""
    return values.flatten(1).sum(1)


def squared_error(x: Tensor, x_hat: Tensor) -> Tensor:
    """Return the mean over samples of ``‖x − x̂‖²``."""
    return sum_per_sample((x - x_hat).square()).mean()


def bernoulli_negative_log_likelihood(x: Tensor, logits: Tensor) -> Tensor:
    """Return the mean over samples of ``−Σ_d [x log p + (1 − x) log(1 − p)]``, p = σ(logits).

    The form on logits is ``max(l, 0) − l·x + log(1 + e^{−|l|})``, which never overflows. For grey
    values in (0, 1) it is the cross-entropy, as the literature on MNIST uses it.

    References
    ----------
    .. [1] D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", ICLR 2014, appendix C.1.
    """
    return sum_per_sample(binary_cross_entropy_with_logits(logits, x, reduction="none")).mean()


def gaussian_negative_log_likelihood(x: Tensor, mean: Tensor, variance: float) -> Tensor:
    """Return the mean over samples of ``½ Σ_d [(x − m)²/v + log(2πv)]`` with one variance ``v``.

    References
    ----------
    .. [1] D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", ICLR 2014, appendix C.2.
    """
    n_dimensions = x[0].numel()
    constant = 0.5 * n_dimensions * math.log(2 * math.pi * variance)
    return 0.5 * squared_error(x, mean) / variance + constant


def kl_to_standard_normal(q: Normal) -> Tensor:
    """Return the mean over samples of ``KL(q ‖ N(0, I)) = ½ Σ_k (μ² + σ² − 1 − log σ²)``.

    References
    ----------
    .. [1] D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", ICLR 2014, appendix B.
    """
    variance = q.scale.square()
    return sum_per_sample(0.5 * (q.loc.square() + variance - 1 - variance.log())).mean()


def real_fake_cross_entropy(logits: Tensor, target: float) -> Tensor:
    """Return the mean of ``−[t log D + (1 − t) log(1 − D)]``, D = σ(logits), in nats.

    ``target`` 1 says "real", 0 "fake"; 0.9 for real ones is one-sided label smoothing.

    References
    ----------
    .. [1] I. Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, eq. 1.
    .. [2] T. Salimans et al., "Improved Techniques for Training GANs", NeurIPS 2016, section 3.4.
    """
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))
