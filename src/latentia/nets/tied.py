"""Decoders whose weights are the encoder's, transposed.

Such a decoder owns its biases and batch norms alone, and is given the encoder at each call: no
tensor has two owners, so that saving, copying and averaging nets stay as they are.

Shapes: ``z_NK`` latent rows in, samples (N, *shape) out; ``h`` is (N, d) or (N, C, H, W).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv_transpose2d, linear

from latentia.nets.conv import halvings
from latentia.nets.mlp import Activation
from latentia.nets.normalisation import BatchNorm

Weighted = nn.Linear | nn.Conv2d


class Bias(nn.Module):
    """Adds a number to each feature of (N, d), or to each channel of (N, C, H, W)."""

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(n_features))

    def forward(self, h: Tensor) -> Tensor:
        """Return features of the shape of ``h``."""
        return h + self.bias.reshape(-1, *[1] * (h.ndim - 2))


class TiedDecoder(nn.Module):
    """The mirror of an encoder, through the transposes of its weights.

    A linear layer ``W h + b`` is mirrored by ``Wᵀ h + b'``, a convolution by the transposed
    convolution with the same kernel, which is its adjoint. What stands between the layers is what
    `latentia.nets.conv` puts there.

    Parameters
    ----------
    encoder
        Made by `conv_encoder` or `dense_encoder`; only its layers' sizes are read here.
    shape
        Of a sample: (C, H, W) or (d,).
    activation
        Makes the function between layers.

    References
    ----------
    .. [1] P. Vincent et al., "Stacked Denoising Autoencoders", JMLR 2010, section 2.2.
    """

    def __init__(self, encoder: nn.Module, shape: tuple[int, ...], activation: Activation) -> None:
        super().__init__()
        layers = weighted_layers(encoder)
        n_images = sum(isinstance(layer, nn.Conv2d) for layer in layers)
        flat_shape = shape
        if n_images:
            sizes = halvings((shape[1], shape[2]), n_images)
            flat_shape = (layers[n_images - 1].weight.shape[0], *sizes[-1])
        self.after = nn.ModuleList(
            _after(layer, flat_shape if place == n_images else None, activation if place else None)
            for place, layer in reversed(list(enumerate(layers)))
        )

    def forward(self, z_NK: Tensor, encoder: nn.Module) -> Tensor:
        """Return raw output of (N, *shape), with the weights that ``encoder`` has now."""
        h = z_NK
        for layer, after in zip(reversed(weighted_layers(encoder)), self.after, strict=True):
            h = after(transposed(layer, h))
        return h


def weighted_layers(encoder: nn.Module) -> list[Weighted]:
    """Return the linear layers and convolutions of a net, from its input on."""
    return [layer for layer in encoder.modules() if isinstance(layer, Weighted)]


def transposed(layer: Weighted, h: Tensor) -> Tensor:
    """Return the transpose of a layer's weights applied to what has the shape of its output.

    A convolution's input is taken to be what `conv_encoder` halved: of an even side when padded.
    """
    if isinstance(layer, nn.Linear):
        return linear(h, layer.weight.T)
    padding = (int(layer.padding[0]), int(layer.padding[1]))
    return conv_transpose2d(h, layer.weight, None, layer.stride, padding, padding)


def _after(
    layer: Weighted, unflattened: tuple[int, ...] | None, activation: Activation | None
) -> nn.Sequential:
    """Return what follows a mirrored layer: an offset, the activation, the shape of images."""
    n_features = layer.weight.shape[1]
    normalised = isinstance(layer, nn.Conv2d) and activation is not None
    after: list[nn.Module] = [BatchNorm(n_features) if normalised else Bias(n_features)]
    after += [] if activation is None else [activation()]
    after += [] if unflattened is None else [nn.Unflatten(1, unflattened)]
    return nn.Sequential(*after)
