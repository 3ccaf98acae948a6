"""Fully connected nets, and the scaling of tables. Shapes: x_ND is (N, d)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

Activation = Callable[[], nn.Module]


def leaky_relu() -> nn.Module:
    """Return LeakyReLU with slope 0.2, the lectures' and DCGAN's; it overwrites its input."""
    return nn.LeakyReLU(0.2, inplace=True)


def relu() -> nn.Module:
    """Return ReLU; it overwrites its input."""
    return nn.ReLU(inplace=True)


ACTIVATIONS: Mapping[str, Activation] = {
    "leaky_relu": leaky_relu,
    "relu": relu,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "elu": nn.ELU,
}
"""By the names of the field ``activation``; ELU is eˣ − 1 below 0 (D.-A. Clevert, T. Unterthiner,
S. Hochreiter, "Fast and Accurate Deep Network Learning by Exponential Linear Units", ICLR 2016)."""


def glorot(net: nn.Module) -> None:
    """Draw linear weights from Glorot's uniform distribution, for units that saturate; zero biases.

    References
    ----------
    .. [1] X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural
       networks", AISTATS 2010, eq. 16.
    """
    for layer in net.modules():
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)


def mlp(sizes: Sequence[int], activation: Activation = leaky_relu) -> nn.Sequential:
    """Return linear layers of the given sizes with an activation after each but the last."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), activation()]
    return nn.Sequential(*layers[:-1])


class Standardisation(nn.Module):
    """``(x − mean) / scale`` per column, with constants that are saved beside the weights.

    Parameters
    ----------
    mean, scale
        (d,) each, or scalars 0 and 1 for data that are used as they are.
    clips
        Whether data come back within [0, 1].
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, scale: Tensor, *, clips: bool = False) -> None:
        super().__init__()
        self.clips = clips
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    def forward(self, x: Tensor) -> Tensor:
        """Return data in standard units."""
        return x if self.mean.ndim == 0 else (x - self.mean) / self.scale

    def inverse(self, u: Tensor) -> Tensor:
        """Return data in their own units."""
        x = u * self.scale + self.mean
        return x.clamp(0, 1) if self.clips else x

    @classmethod
    def identity(cls, clips: bool = False) -> Standardisation:
        """Return the one that changes nothing, but perhaps for what leaves [0, 1]."""
        return cls(torch.zeros(()), torch.ones(()), clips=clips)
