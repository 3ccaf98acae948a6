"""Is a critic 1-Lipschitz? A slope that it reaches, and one that it cannot exceed.

    max over points of ‖∇f(x)‖  ≤  Lip(f) = sup ‖∇f‖  ≤  Π_layers ‖W_l‖₂

The points on the left lie between data and samples, where WGAN-GP's penalty looks for them ([1]_
proposition 1: the optimal critic's slope there is 1). On the right, ‖W‖₂ is the largest singular
value of a layer as the linear map that it is, stride and padding of a convolution included ([2]_
section 2.1); the activations between are 1-Lipschitz. The Euclidean norm of all of x throughout.

References
----------
.. [1] I. Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017, sections 2.3, 4.
.. [2] T. Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018,
   section 2.1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, svds
from torch import Tensor, nn

from latentia.errors import Count, InputError, Seed, check_arguments

LINEAR = (
    nn.Linear,
    nn.Conv1d, nn.Conv2d, nn.Conv3d,
    nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d,
)  # fmt: skip
GENTLE = (nn.Identity, nn.Flatten, nn.Unflatten, nn.Dropout, nn.ReLU, nn.Tanh, nn.Softplus)
"""Layers of slope at most 1; dropout as it is when a net is used."""
TOLERANCE = 1e-5
"""How far a slope may exceed 1 by rounding in single precision."""


@final
@dataclass(frozen=True, kw_only=True)
class LipschitzCheck:
    """What is known of a critic's Lipschitz constant."""

    lower: float
    """The steepest slope seen."""
    upper: float
    """The bound by its layers; infinite if no bound is known for one of them."""
    norms: NDArray[np.float64]
    """(n,) slopes at the points."""

    @property
    def verdict(self) -> Literal["1-Lipschitz", "not 1-Lipschitz", "undecided"]:
        """Proved by the upper bound, refuted by the lower one, or neither."""
        if self.lower > 1 + TOLERANCE:
            return "not 1-Lipschitz"
        return "1-Lipschitz" if self.upper <= 1 + TOLERANCE else "undecided"


def check_lipschitz(
    critic: nn.Module, x: Tensor, x_fake: Tensor, n_points: Count = 1000, random_state: Seed = 0
) -> LipschitzCheck:
    """Return the steepest slope of a critic between data and samples, and its layers' bound.

    Parameters
    ----------
    critic
        A net from (n, ...) to (n,) or (n, 1), used in evaluation mode and left as it was.
    x, x_fake
        (n, ...) data and (m, ...) samples.
    n_points
        Points, each uniform on the segment between a datum and a sample; the data and the samples
        are looked at too.
    random_state
        The seed of the points.

    Examples
    --------
    >>> critic = nn.Linear(2, 1)
    >>> _ = critic.weight.data.copy_(torch.tensor([[0.6, 0.8]]))
    >>> check_lipschitz(critic, torch.zeros(3, 2), torch.ones(3, 2)).verdict
    '1-Lipschitz'
    """
    check_arguments(check_lipschitz, locals())
    if not len(x) or not len(x_fake) or x.shape[1:] != x_fake.shape[1:]:
        raise InputError(
            f"data have shape {tuple(x.shape)}, samples {tuple(x_fake.shape)}; give at least one "
            "of each, of one shape"
        )
    generator = torch.Generator().manual_seed(random_state)
    pairs = [torch.randint(len(s), (n_points,), generator=generator) for s in (x, x_fake)]
    share = torch.rand(n_points, *[1] * (x.ndim - 1), generator=generator).to(x)
    between = x_fake[pairs[1]] + share * (x[pairs[0]] - x_fake[pairs[1]])
    norms = gradient_norms(critic, torch.cat([between, x, x_fake]))
    upper = lipschitz_bound(critic, tuple(x.shape[1:]))
    return LipschitzCheck(lower=float(norms.max()), upper=upper, norms=norms)


def gradient_norms(critic: nn.Module, x: Tensor) -> NDArray[np.float64]:
    """Return (n,) values of ``‖∇f(x)‖``, each sample's own, with the critic in evaluation mode."""
    points = x.detach().clone().requires_grad_()
    values = deepcopy(critic).eval()(points)
    if values.numel() != len(x):
        raise InputError(f"the critic returns shape {tuple(values.shape)} for {len(x)} samples")
    (gradient,) = torch.autograd.grad(values.sum(), points)
    return np.asarray(gradient.flatten(1).norm(dim=1).cpu(), np.float64)


def lipschitz_bound(net: nn.Module, shape: tuple[int, ...]) -> float:
    """Return an upper bound on a net's slope, the product over its layers.

    Parameters
    ----------
    net
        A layer or an ``nn.Sequential`` (of others, too) of linear and convolutional layers, ReLU,
        LeakyReLU, PReLU, ELU, tanh, sigmoid, softplus, dropout, (un)flattening.
    shape
        Of one sample.

    Returns
    -------
    bound
        Infinite if a layer is of another kind, batch and layer norm for instance.

    Examples
    --------
    >>> net = nn.Sequential(nn.Conv1d(1, 1, 3, padding=1, bias=False), nn.ReLU())
    >>> _ = nn.init.ones_(net[0].weight)
    >>> round(lipschitz_bound(net, (1, 4)), 4)  # 1 + 2 cos(π / 5), of a tridiagonal matrix of ones
    2.618
    """
    bound = 1.0
    x = torch.zeros(1, *shape, dtype=torch.float64)
    for layer in _layers(deepcopy(net).eval().double().cpu()):
        bound *= _slope(layer, x)
        if math.isinf(bound):
            return bound
        with torch.no_grad():
            x = layer(x)
    return bound


def spectral_norm(layer: nn.Module, x: Tensor) -> float:
    """Return the largest singular value of a linear layer's map on inputs like ``x``, (1, ...)."""
    if isinstance(layer, nn.Linear):
        return float(torch.linalg.matrix_norm(layer.weight.detach(), ord=2))
    offset, pull_back = torch.func.vjp(layer, x)[:2]

    def forward(v: NDArray[np.float64]) -> NDArray[np.float64]:
        with torch.no_grad():
            out: Tensor = layer(torch.as_tensor(v).reshape(x.shape)) - offset
        return out.numpy().ravel()

    def transposed(u: NDArray[np.float64]) -> NDArray[np.float64]:
        pulled: Tensor = pull_back(torch.as_tensor(u).reshape(offset.shape))[0]
        return pulled.detach().numpy().ravel()

    size = (offset.numel(), x.numel())
    matrix = LinearOperator(size, matvec=forward, rmatvec=transposed, dtype=np.float64)
    if min(size) <= 2:
        return float(np.linalg.norm(matrix @ np.eye(size[1]), ord=2))
    start = np.random.default_rng(0).normal(size=min(size))
    image = matrix @ start if size[1] == min(size) else matrix.rmatvec(start)
    if not image.any():  # a random vector is sent to 0 by the zero map alone, which ARPACK refuses
        return 0.0
    return float(svds(matrix, 1, v0=start, return_singular_vectors=False)[0])


def _slope(layer: nn.Module, x: Tensor) -> float:
    if isinstance(layer, LINEAR):
        return spectral_norm(layer, x)
    if isinstance(layer, GENTLE):
        return 1.0
    if isinstance(layer, nn.Sigmoid):
        return 0.25
    if isinstance(layer, nn.LeakyReLU):
        return max(1.0, abs(layer.negative_slope))
    if isinstance(layer, nn.PReLU):
        return max(1.0, float(layer.weight.detach().abs().max()))
    return max(1.0, abs(layer.alpha)) if isinstance(layer, nn.ELU) else math.inf


def _layers(net: nn.Module) -> Iterator[nn.Module]:
    if not isinstance(net, nn.Sequential):
        yield net
        return
    for layer in net:
        yield from _layers(layer)
