"""Generators and their judges: fully connected ones, and pairs of either kind.

Shapes: ``z_NK`` in, images (N, C, H, W) in [−1, 1] or table rows (N, d) out; a body gives features
(N, F) of flat data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from torch import nn

from latentia.nets import dcgan
from latentia.nets.discriminator import Discriminator, Maxout
from latentia.nets.mlp import ACTIVATIONS, leaky_relu, mlp
from latentia.nets.normalisation import Dropout

MAXOUT_UNITS, MAXOUT_PIECES, GOODFELLOW_HIDDEN = 240, 5, (1200, 1200)
"""Sizes of the nets of Goodfellow et al. 2014 for MNIST, from their published code."""


def dense_generator(
    shape: tuple[int, ...], n_inputs: int, hidden: Sequence[int], activation: str = "leaky_relu"
) -> nn.Sequential:
    """Return an MLP; images leave through tanh, tables as they are."""
    layers = mlp([n_inputs, *hidden, prod(shape)], ACTIVATIONS[activation])
    if len(shape) > 1:
        layers += nn.Sequential(nn.Unflatten(1, shape), nn.Tanh())
    return layers


def dense_body(n_inputs: int, hidden: Sequence[int]) -> tuple[nn.Module, int]:
    """Return linear layers with LeakyReLU 0.2 after each, and how many features they give.

    Without any, the data are the features.
    """
    if not hidden:
        return nn.Identity(), n_inputs
    layers = mlp([n_inputs, *hidden], leaky_relu)
    layers.append(leaky_relu())
    return layers, hidden[-1]


def dense_players(
    shape: tuple[int, ...],
    n_inputs: int,
    hidden: Sequence[int],
    *,
    packing: int,
    n_beside: int,
    judge: Callable[..., Discriminator],
) -> tuple[nn.Module, Discriminator]:
    """Return an MLP that generates and one, its mirror, that judges, with torch's first weights.

    Parameters
    ----------
    shape
        A sample's.
    n_inputs
        The generator's.
    hidden
        Widths of the generator's layers.
    packing
        Samples that are judged together.
    n_beside
        Numbers that the judge sees beside them.
    judge
        Makes it from a body and its number of features.
    """
    generator = dense_generator(shape, n_inputs, hidden)
    body, n_features = dense_body(prod(shape) * packing + n_beside, hidden[::-1])
    return generator, judge(body, n_features, flat=True)


def convolutional_players(
    image: tuple[int, int, int],
    n_inputs: int,
    width: int,
    *,
    packing: int,
    n_beside: int,
    batch_norm: bool,
    judge: Callable[..., Discriminator],
) -> tuple[nn.Module, Discriminator]:
    """Return DCGAN's nets with its initial weights; see `dense_players`.

    ``width`` is the number of channels next to the image, ``batch_norm`` the judge's.
    """
    generator = dcgan.generator(image, n_inputs, width)
    seen = (image[0] * packing + n_beside, *image[1:])
    opponent = judge(*dcgan.discriminator_body(seen, width, batch_norm=batch_norm))
    generator.apply(dcgan.dcgan_weights)
    opponent.apply(dcgan.dcgan_weights)
    return generator, opponent


def maxout_body(n_inputs: int) -> tuple[nn.Module, int]:
    """Return dropout 0.2 on the input, and twice maxout with dropout 0.5.

    References
    ----------
    .. [1] I. Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, section 5.
    """
    layers: list[nn.Module] = [Dropout(0.2)]
    for n_in in (n_inputs, MAXOUT_UNITS):
        layers += [Maxout(n_in, MAXOUT_UNITS, MAXOUT_PIECES), Dropout(0.5)]
    return nn.Sequential(*layers), MAXOUT_UNITS


def small_uniform_weights(module: nn.Module) -> None:
    """Draw weights from U(−0.05, 0.05), as the code of Goodfellow et al. 2014 does; zero biases."""
    if isinstance(module, nn.Linear):
        nn.init.uniform_(module.weight, -0.05, 0.05)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
