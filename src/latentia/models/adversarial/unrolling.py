"""Unrolling: the generator looks a few steps of the discriminator ahead.

    θ⁰ = θ,   θᵏ⁺¹ = θᵏ − η ∇ L_D(θᵏ)       ([1]_ eqs. 6-8, with the loss L_D = −f)
    the generator's gradient is that of its loss at θᴷ, through all K steps

References
----------
.. [1] L. Metz, B. Poole, D. Pfau, J. Sohl-Dickstein, "Unrolled Generative Adversarial Networks",
   ICLR 2017, section 2.2.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call

Judge = Callable[..., Tensor]


def unrolled(
    discriminator: nn.Module, loss: Callable[[Judge], Tensor], n_steps: int, rate: float
) -> Judge:
    """Return the discriminator as it would be after ``n_steps`` of gradient descent.

    Parameters
    ----------
    discriminator
        The net, which itself does not move.
    loss
        Its loss as a function of the net, on the batch at hand.
    n_steps
        K.
    rate
        η.
    """
    weights: dict[str, Tensor] = dict(discriminator.named_parameters())
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
