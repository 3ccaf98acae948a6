"""Remedies that any adversarial model can be given, and penalties on gradients, as functions.

Shapes: ``x`` is (N, ...) data as the nets see them; ``critic`` maps them to (N, 1).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call

from latentia.training.distributed import mean_over_processes

Judge = Callable[..., Tensor]


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


def gradient_norms(critic: Judge, x: Tensor, *given: Tensor) -> Tensor:
    """Return (N,) norms ``‖∇_x D(x)‖₂``, each over all values of one sample, differentiable."""
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x, *given).sum(), x, create_graph=True)
    norms: Tensor = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
    return norms


def r1(critic: Judge, x: Tensor, *given: Tensor) -> Tensor:
    """Return ``½ E‖∇_x D(x)‖²`` on real data.

    The norm is a sample's own only if the critic has no batch norm, and [1]_ uses none; with
    DCGAN's it contains what a sample does to the others by way of their common moments.

    References
    ----------
    .. [1] L. Mescheder, A. Geiger, S. Nowozin, "Which Training Methods for GANs do actually
       Converge?", ICML 2018, eq. 9.
    """
    return gradient_norms(critic, x, *given).square().mean() / 2


def unrolled(
    discriminator: nn.Module, loss: Callable[[Judge], Tensor], n_steps: int, rate: float
) -> Judge:
    """Return the discriminator as it would be after K steps of gradient descent; it does not move.

        θ⁰ = θ,   θᵏ⁺¹ = θᵏ − η ∇ L_D(θᵏ)       ([1]_ eqs. 6-8, with the loss L_D = −f)

    The generator's gradient is that of its loss at θᴷ, through all steps.

    Parameters
    ----------
    discriminator
        The net.
    loss
        L_D as a function of the net, on the batch at hand.
    n_steps, rate
        K and η.

    References
    ----------
    .. [1] L. Metz, B. Poole, D. Pfau, J. Sohl-Dickstein, "Unrolled Generative Adversarial
       Networks", ICLR 2017, section 2.2.
    """
    moved = ((name, w) for name, w in discriminator.named_parameters() if w.requires_grad)
    weights: dict[str, Tensor] = dict(moved)
    for _ in range(n_steps):
        here = _with_weights(discriminator, weights)
        gradients = torch.autograd.grad(loss(here), list(weights.values()), create_graph=True)
        weights = {
            name: weight - rate * gradient
            for (name, weight), gradient in zip(weights.items(), gradients, strict=True)
        }
    return _with_weights(discriminator, weights)


def _with_weights(net: nn.Module, weights: dict[str, Tensor]) -> Judge:
    # The running statistics of the net itself must not see the steps that are only imagined.
    buffers = {name: value.clone() for name, value in net.named_buffers()}

    def judge(*inputs: Tensor) -> Tensor:
        verdict: Tensor = functional_call(net, weights | buffers, inputs)
        return verdict

    return judge
