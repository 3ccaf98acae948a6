"""Remedies that any adversarial model can be given, and penalties on gradients, as functions.

Shapes: ``x`` is (N, ...) data as the nets see them; ``critic`` maps them to (N, 1).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from latentia.errors import InputError
from latentia.training import draws
from latentia.training.distributed import mean_over_processes

Critic = Callable[..., Tensor]


def pack(x: Tensor, size: int) -> Tensor:
    """Return (N // size, size·C, ...): samples side by side, judged together.

    Fewer than ``size`` samples are repeated to fill one pack; what is left over is not judged.

    References
    ----------
    .. [1] Z. Lin et al., "PacGAN: The power of two samples in generative adversarial networks",
       NeurIPS 2018, section 3.
    """
    if size == 1:
        return x
    n_packs = max(1, len(x) // size)
    rows = torch.arange(n_packs * size, device=x.device) % len(x)
    return x[rows].reshape(n_packs, size * x.shape[1], *x.shape[2:])


def feature_distance(
    feature_real: Tensor, feature_fake: Tensor, *, together: bool = True
) -> Tensor:
    """Return ``‖E f(x) − E f(G(z))‖²``, the generator's loss in feature matching.

    The means are over the batches of all processes, or only this one's if not ``together``.

    References
    ----------
    .. [1] T. Salimans et al., "Improved Techniques for Training GANs", NeurIPS 2016, section 3.1.
    """
    difference = feature_real.mean(0) - feature_fake.mean(0)
    return (mean_over_processes(difference) if together else difference).square().sum()


def gradient_norms(critic: Critic, x: Tensor, *given: Tensor) -> Tensor:
    """Return (N,) norms ``‖∇_x D(x)‖₂``, each over all values of one sample, differentiable."""
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x, *given).sum(), x, create_graph=True)
    norms: Tensor = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
    return norms


def gradient_penalty(critic: Critic, x: Tensor, x_fake: Tensor, *given: Tensor) -> Tensor:
    """Return the mean of ``(‖∇_x̂ D(x̂)‖₂ − 1)²``, ``x̂ = εx + (1 − ε)x̃``, ``ε ~ U[0, 1]``.

    One ε for each sample, one norm for each sample, no gradient into the generator.

    References
    ----------
    .. [1] I. Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017, eq. 3 and
       algorithm 1.
    """
    mixing = draws.uniform_like(x.new_zeros(len(x), *(1 for _ in x.shape[1:])))
    x_hat = mixing * x + (1 - mixing) * x_fake.detach()
    return (gradient_norms(critic, x_hat, *given) - 1).square().mean()


def refuse_mixing(name: str, penalty: float, n_kernels: int) -> None:
    """Refuse a penalty on each sample's gradient where the judge sees the others of a batch too.

    Raises
    ------
    InputError
        If both are wanted.
    """
    if penalty and n_kernels:
        raise InputError(
            f"{name} is {penalty} and minibatch_discrimination {n_kernels}, by which the judge "
            "sees a batch together, so that no sample has a gradient of its own: set one of them "
            "to 0, or take packing=2 against collapse"
        )


def r1(critic: Critic, x: Tensor, *given: Tensor) -> Tensor:
    """Return ``½ E‖∇_x D(x)‖²`` on real data.

    The norm is a sample's own only if the critic has no batch norm, and [1]_ uses none; with
    DCGAN's it contains what a sample does to the others by way of their common moments.

    References
    ----------
    .. [1] L. Mescheder, A. Geiger, S. Nowozin, "Which Training Methods for GANs do actually
       Converge?", ICML 2018, eq. 9.
    """
    return gradient_norms(critic, x, *given).square().mean() / 2
