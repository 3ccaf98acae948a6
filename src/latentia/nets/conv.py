"""Strided convolutions that halve an image of any size, and their exact mirrors.

Shapes: ``x_NCHW`` images, ``h_NK`` flat features. A side of length ``s`` becomes ``⌊s/2⌋`` (or
``⌈s/2⌉``, DCGAN's) and the mirror brings back ``s`` itself, odd or even.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from torch import nn

from latentia.nets.mlp import Activation, leaky_relu, mlp, relu
from latentia.nets.normalisation import BatchNorm

Size = tuple[int, int]


def halvings(size: Size, n_layers: int) -> list[Size]:
    """Return the sizes of an image halved up to ``n_layers`` times, while both sides exceed 1.

    >>> halvings((28, 28), 3)
    [(28, 28), (14, 14), (7, 7), (3, 3)]
    """
    sizes = [size]
    while len(sizes) <= n_layers and min(sizes[-1]) > 1:
        height, width = sizes[-1]
        sizes.append((height // 2, width // 2))
    return sizes


def conv_encoder(
    shape: tuple[int, int, int],
    channels: Sequence[int],
    hidden: Sequence[int],
    n_outputs: int,
    activation: Activation = relu,
) -> nn.Sequential:
    """Return the lecture's encoder: 3×3 convolutions of stride 2, batch norm, then linear layers.

    With channels (8, 16, 32) and hidden (128,) on (1, 28, 28): 28 → 14 → 7 → 3, 288 → 128 →
    ``n_outputs``, the activation between. Batch norm follows each convolution but the first; what
    it follows has no bias, since the norm would take it away again.
    """
    sizes = halvings(shape[1:], len(channels))
    widths = [shape[0], *channels[: len(sizes) - 1]]
    layers: list[nn.Module] = []
    for index, (n_in, n_out) in enumerate(pairwise(widths)):
        padding = _padding(sizes[index])
        layers.append(nn.Conv2d(n_in, n_out, 3, stride=2, padding=padding, bias=index == 0))
        layers += [BatchNorm(n_out), activation()] if index else [activation()]
    flat = widths[-1] * prod(sizes[-1])
    return nn.Sequential(*layers, nn.Flatten(), mlp([flat, *hidden, n_outputs], activation))


def conv_decoder(
    shape: tuple[int, int, int],
    channels: Sequence[int],
    hidden: Sequence[int],
    n_inputs: int,
    activation: Activation = relu,
) -> nn.Sequential:
    """Return the mirror of `conv_encoder`; its output has no activation."""
    sizes = halvings(shape[1:], len(channels))
    widths = [shape[0], *channels[: len(sizes) - 1]]
    flat = widths[-1] * prod(sizes[-1])
    layers: list[nn.Module] = [mlp([n_inputs, *reversed(hidden), flat], activation), activation()]
    layers.append(nn.Unflatten(1, (widths[-1], *sizes[-1])))
    for index in reversed(range(len(widths) - 1)):
        padding = _padding(sizes[index])
        up = nn.ConvTranspose2d(
            widths[index + 1], widths[index], 3, 2, padding, padding, bias=index == 0
        )
        layers += [up, BatchNorm(widths[index]), activation()] if index else [up]
    return nn.Sequential(*layers)


def _padding(size: Size) -> Size:
    """Return 1 on even sides and 0 on odd ones: the convolution then yields ⌊s/2⌋ exactly."""
    return (1 - size[0] % 2, 1 - size[1] % 2)


def dense_encoder(
    n_features: int,
    hidden: Sequence[int],
    n_outputs: int,
    activation: Activation = leaky_relu,
) -> nn.Sequential:
    """Return flattened input through linear layers, the activation between."""
    return nn.Sequential(nn.Flatten(), mlp([n_features, *hidden, n_outputs], activation))


def dense_decoder(
    shape: tuple[int, ...],
    hidden: Sequence[int],
    n_inputs: int,
    activation: Activation = leaky_relu,
) -> nn.Sequential:
    """Return linear layers in the reverse order, unflattened to samples of ``shape``."""
    layers = mlp([n_inputs, *reversed(hidden), prod(shape)], activation)
    return nn.Sequential(layers, nn.Unflatten(1, shape))
