"""The value of a GAN's game, its optimal discriminator, and one that is trained towards it.

    V(G, D) = E_data log D(x) + E_g log(1 − D(x))                     ([1]_ eq. 1), in nats
    D*(x)   = p_data(x) / (p_data(x) + p_g(x))                        ([1]_ proposition 1, eq. 2)
    max_D V = V(G, D*) = −log 4 + 2 JSD(p_data, p_g)                  ([1]_ theorem 1, eq. 6)

Discriminators are given by their logits l, D = σ(l), where log D and log(1 − D) keep their digits:
that of D* is log p_data − log p_g. Shapes: ``x`` is (n,).

References
----------
.. [1] I. Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, section 4.1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_expit
from torch import nn

from latentia.errors import Count, InputError, Positive, Seed, check_arguments
from latentia.nets.mlp import mlp
from latentia.theory.densities import as_density
from latentia.theory.divergences import are_densities, integral, js_divergence, same_length
from latentia.theory.players import column, values
from latentia.theory.quadrature import Function, Vector
from latentia.training.losses import real_fake_cross_entropy


def optimal_logit(p_data: Any, p_g: Any) -> Any:
    """Return the logit of D*, ``log p_data − log p_g``: infinite where one of them is 0.

    Parameters
    ----------
    p_data, p_g
        (n,) probabilities each, or two densities (see `latentia.theory.divergences`).

    Returns
    -------
    logit
        (n,) for probabilities, a function of (m,) points for densities; NaN where both are 0, since
        D* is not defined there.

    Examples
    --------
    >>> from scipy.special import expit
    >>> expit(optimal_logit([0.5, 0.5, 0.0], [0.25, 0.0, 0.75]))
    array([0.66666667, 1.        , 0.        ])
    """
    if are_densities(p_data, p_g):
        p, q = as_density(p_data), as_density(p_g)
        return lambda x: _difference(p.logpdf(x), q.logpdf(x))
    a, b = same_length(p_data, p_g)
    with np.errstate(divide="ignore"):
        return _difference(np.log(a), np.log(b))


def _difference(log_p: Vector, log_q: Vector) -> Vector:
    with np.errstate(invalid="ignore"):
        return log_p - log_q


def value(logit: Any, p_data: Any, p_g: Any) -> float:
    """Return ``V(G, D) = E_data log D + E_g log(1 − D)``, D = σ(logit), in nats, at most 0.

    Parameters
    ----------
    logit
        (n,) logits for probabilities, a function of (m,) points for densities.
    p_data, p_g
        (n,) probabilities each, or two densities.

    Examples
    --------
    >>> value([0.0, 0.0], [0.5, 0.5], [1.0, 0.0]) == -math.log(4)
    True
    """
    if are_densities(p_data, p_g):
        p, q = as_density(p_data), as_density(p_g)
        return integral(lambda x: _payoff(logit(x), p.pdf(x), q.pdf(x)), p, q)
    a, b = same_length(p_data, p_g)
    logits = np.asarray(logit, np.float64)
    if logits.shape != a.shape:
        raise InputError(f"there are {len(a)} probabilities and logits of shape {logits.shape}")
    return float(_payoff(logits, a, b).sum())


def _payoff(logit: Vector, p: Vector, q: Vector) -> Vector:
    """Return ``p log D + q log(1 − D)``, with 0 · log 0 = 0."""
    with np.errstate(invalid="ignore"):
        real, fake = p * log_expit(logit), q * log_expit(-logit)
    return np.where(p > 0, real, 0) + np.where(q > 0, fake, 0)


def virtual_criterion(p_data: Any, p_g: Any) -> float:
    """Return ``C(G) = −log 4 + 2 JSD(p_data, p_g)``, what the best discriminator leaves to G.

    Parameters as in `optimal_logit`. It is least, −log 4, when the distributions are equal.

    Examples
    --------
    >>> p, q = [0.5, 0.5], [0.9, 0.1]
    >>> abs(virtual_criterion(p, q) - value(optimal_logit(p, q), p, q)) < 1e-15
    True
    """
    return -math.log(4) + 2 * js_divergence(p_data, p_g)


def train_discriminator(
    x_data: ArrayLike,
    x_g: ArrayLike,
    *,
    hidden: Count = 16,
    n_steps: Count = 300,
    learning_rate: Positive = 1e-2,
    random_state: Seed = 0,
) -> Function:
    """Return the logit of a small net trained to maximise V on samples, to be compared with D*.

    All samples make one batch, in their common standard units, with two hidden layers and Adam.

    Parameters
    ----------
    x_data, x_g
        (n,) and (m,) samples on the line.
    hidden, n_steps, learning_rate, random_state
        Units of each layer, Adam's steps, its step size, the seed of the first weights.
    """
    check_arguments(train_discriminator, locals())
    real, fake = _samples(x_data, "x_data"), _samples(x_g, "x_g")
    both = np.concatenate([real, fake])
    centre, scale = both.mean(), both.std()
    if scale == 0:
        raise InputError(f"every sample is {centre:g}; there is nothing to discriminate")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(random_state)
        net = mlp((1, hidden, hidden, 1), nn.Tanh)
    optimizer = torch.optim.Adam(net.parameters(), learning_rate, fused=True)
    u_real, u_fake = (column((x - centre) / scale) for x in (real, fake))
    for _ in range(n_steps):
        optimizer.zero_grad()
        loss = real_fake_cross_entropy(net(u_real), 1.0) + real_fake_cross_entropy(net(u_fake), 0.0)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    def logit(x: Vector) -> Vector:
        return values(net, (x - centre) / scale)

    return logit


def _samples(x: ArrayLike, name: str) -> NDArray[np.float64]:
    samples = np.asarray(x, np.float64)
    if samples.ndim != 1 or not len(samples) or not np.isfinite(samples).all():
        raise InputError(f"{name} has shape {samples.shape}; give a vector of finite samples")
    return samples
