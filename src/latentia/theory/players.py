"""The two players of a game on the line, and what each of their moves is.

Shapes: ``u`` and ``z`` are (n,) in NumPy, (n, 1) in torch; ``probabilities`` are (n,) in (0, 1).
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor, nn

from latentia.nets.mlp import mlp
from latentia.theory.quadrature import Vector
from latentia.training.losses import real_fake_cross_entropy


class Players:
    """A generator, a discriminator that gives logits, and their optimisers.

    Parameters
    ----------
    hidden
        Units of each player's two hidden layers.
    start
        Where the generator's images begin.
    learning_rate
        Adam's first step size.
    """

    def __init__(self, hidden: int, start: float, learning_rate: float) -> None:
        self.learning_rate = learning_rate
        self.generator = _Generator(hidden, start)
        self.discriminator = mlp((1, hidden, hidden, 1), nn.Tanh)
        self._optimizers = [
            torch.optim.Adam(net.parameters(), betas=(0.5, 0.9), fused=True)
            for net in (self.discriminator, self.generator)
        ]

    def slow_down(self, share: float) -> None:
        """Set both step sizes to a share of the first one."""
        for optimizer in self._optimizers:
            optimizer.param_groups[0]["lr"] = self.learning_rate * share

    def move_discriminator(self, u: Vector, probabilities: Vector) -> None:
        """Take one step down ``−E log D(u) − E log(1 − D(G(z)))``, z at some probabilities."""
        fake = self.generator(column(ndtri(probabilities))).detach()
        logits = self.discriminator(torch.cat([column(u), fake]))
        real_logits, fake_logits = logits.split([len(u), len(fake)])
        loss = real_fake_cross_entropy(real_logits, 1.0) + real_fake_cross_entropy(fake_logits, 0.0)
        _step(self._optimizers[0], loss)

    def move_generator(self, probabilities: Vector) -> None:
        """Take one step down ``−E log D(G(z))``, z at some probabilities."""
        logits = self.discriminator(self.generator(column(ndtri(probabilities))))
        _step(self._optimizers[1], real_fake_cross_entropy(logits, 1.0))


class _Generator(nn.Module):
    """``G(z) = z + net(z)``: the first p_g is nearly as wide as the prior, and not a spike."""

    def __init__(self, hidden: int, start: float) -> None:
        super().__init__()
        self.net = mlp((1, hidden, hidden, 1), nn.Tanh)
        nn.init.constant_(list(self.net.parameters())[-1], start)

    def forward(self, z: Tensor) -> Tensor:
        u: Tensor = z + self.net(z)
        return u


def _step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Move one player; the other gets no gradient."""
    optimizer.zero_grad()
    loss.backward(inputs=optimizer.param_groups[0]["params"])  # type: ignore[no-untyped-call]
    optimizer.step()


def strata(n: int, rng: np.random.Generator) -> Vector:
    """Return one uniform draw from each n-th of [0, 1]."""
    return (np.arange(n) + rng.random(n)) / n


def column(x: Vector) -> Tensor:
    """Return (n, 1) in single precision."""
    return torch.as_tensor(x, dtype=torch.float32)[:, None]


def values(net: nn.Module, x: Vector) -> Vector:
    """Return (n,) values of a net from the line to the line."""
    with torch.no_grad():
        return np.asarray(net(column(x))[:, 0], np.float64)
