"""The nets of autoencoders: an encoder, its exact mirror, and what a posterior or noise adds.

Strided convolutions halve an image of any size: a side of length ``s`` becomes ``⌊s/2⌋``, and the
mirror brings back ``s`` itself, odd or even. A decoder with tied weights owns its biases and batch
norms alone and is given the encoder at each call: no tensor has two owners, so that saving, copying
and averaging nets stay as they are.

Shapes: ``x_NCHW`` images or ``x_ND`` rows, ``z_NK`` latent rows, ``h`` features in between.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.functional import conv_transpose2d, linear

from latentia.nets.mlp import ACTIVATIONS, Activation, glorot, leaky_relu, mlp, relu
from latentia.nets.normalisation import BatchNorm

Size = tuple[int, int]
Weighted = nn.Linear | nn.Conv2d
SPEED = 10.0
"""Adam moves a parameter by about its learning rate a step; a log-variance has further to go."""


def autoencoder_nets(
    shape: tuple[int, ...],
    n_codes: int,
    n_latent: int,
    *,
    hidden: Sequence[int],
    channels: Sequence[int],
    activation: str,
    convolutional: bool,
    n_principal: int,
    tied: bool,
    n_given: int,
) -> tuple[nn.Module, nn.Module]:
    """Return an encoder and its mirror.

    Parameters
    ----------
    shape
        Of a sample: (C, H, W) or (d,).
    n_codes, n_latent
        How many numbers the encoder gives for a sample, and how many the decoder takes.
    hidden, channels
        Widths of the encoder's fully connected layers, and channels of its convolutions.
    activation
        A name of `ACTIVATIONS`, or ``auto``.
    convolutional, tied
        Whether the nets convolve; whether the decoder's weights are the encoder's, transposed.
    n_principal
        How many principal components of images the nets stand between; 0 if they see the data.
    n_given
        How many further numbers both nets see, beside x and beside z (a condition).
    """
    usual = relu if convolutional else leaky_relu
    act = usual if activation == "auto" else ACTIVATIONS[activation]
    n_inputs = n_latent + n_given
    if convolutional:
        image = (shape[0], shape[1], shape[2])
        seen = (image[0] + n_given, *image[1:])
        encoder: nn.Module = conv_encoder(seen, channels, hidden, n_codes, act)
        decoder: nn.Module = conv_decoder(image, channels, hidden, n_inputs, act)
    elif n_principal:
        encoder = PrincipalEncoder(shape, n_principal, hidden, n_codes, n_given, act)
        decoder = PrincipalDecoder(n_principal, hidden, n_inputs, act)
    else:
        encoder = dense_encoder(prod(shape) + n_given, hidden, n_codes, act)
        decoder = dense_decoder(shape, hidden, n_inputs, act)
    if tied:
        decoder = TiedDecoder(encoder, shape, act)
    if activation in ("tanh", "sigmoid", "elu"):
        glorot(encoder)
        glorot(decoder)
    return encoder, decoder


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
    stands there in `conv_decoder` and `dense_decoder`.

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


class PrincipalEncoder(nn.Module):
    """A net that sees images as principal components u = Vᵀ(x − m)/s, and adds to a linear map.

    The net's last layer starts at 0. Components, mean and linear map stay as they are set.

    Parameters
    ----------
    shape, n_principal
        (C, H, W) of an image, and how many components.
    hidden, n_outputs, n_given, activation
        As of `autoencoder_nets`; what is given stands behind the values of x.
    """

    mean: Tensor
    vectors: Tensor
    unit: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(
        self,
        shape: tuple[int, ...],
        n_principal: int,
        hidden: Sequence[int],
        n_outputs: int,
        n_given: int = 0,
        activation: Activation = leaky_relu,
    ) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("vectors", torch.zeros(n_principal, prod(shape)))
        self.register_buffer("unit", torch.ones(()))
        self.register_buffer("weight", torch.zeros(n_outputs, n_principal))
        self.register_buffer("bias", torch.zeros(n_outputs))
        self.net = mlp([n_principal + n_given, *hidden, n_outputs], activation)
        _starts_at_zero(self.net)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, n_outputs) for images, or for (N, d + n_given) values."""
        h, d = x.flatten(1), self.mean.numel()
        u = (h[:, :d] - self.mean.flatten()) @ self.vectors.T / self.unit
        added: Tensor = self.net(torch.cat([u, h[:, d:]], 1))
        return linear(u, self.weight, self.bias) + added

    def restored(self, u: Tensor) -> Tensor:
        """Return the images, (N, C, H, W), that components stand for."""
        shape = (-1, *self.mean.shape)
        return (u * self.unit @ self.vectors).view(shape) + self.mean


class PrincipalDecoder(nn.Module):
    """A net that adds to a linear map from z to the components of a `PrincipalEncoder`."""

    weight: Tensor

    def __init__(
        self,
        n_principal: int,
        hidden: Sequence[int],
        n_inputs: int,
        activation: Activation = leaky_relu,
    ) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(n_principal, n_inputs))
        self.net = mlp([n_inputs, *reversed(hidden), n_principal], activation)
        _starts_at_zero(self.net)

    def forward(self, z_NK: Tensor, encoder: PrincipalEncoder) -> Tensor:
        """Return raw output of (N, C, H, W), by the components that ``encoder`` has."""
        added: Tensor = self.net(z_NK)
        return encoder.restored(linear(z_NK, self.weight) + added)


def _starts_at_zero(net: nn.Sequential) -> None:
    for parameter in net[-1].parameters():
        nn.init.zeros_(parameter)


def decoded(decoder: nn.Module, encoder: nn.Module, z_NK: Tensor) -> Tensor:
    """Return a decoder's raw output; one that has parts of its encoder is given it."""
    beside = (encoder,) if isinstance(decoder, TiedDecoder | PrincipalDecoder) else ()
    output: Tensor = decoder(z_NK, *beside)
    return output


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


class LinearPosterior(nn.Module):
    """A linear posterior: its mean ``V x`` and the log-variances of D, which all x share.

    Parameters
    ----------
    n_features, n_components
        d and k.
    """

    def __init__(self, n_features: int, n_components: int) -> None:
        super().__init__()
        self.mean = nn.Linear(n_features, n_components, bias=False)
        self.log_variance = nn.Parameter(torch.zeros(n_components))

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, 2k) for (N, ...) samples."""
        mean = self.mean(x.flatten(1))
        return torch.cat([mean, self.log_variance.expand_as(mean)], 1)


class LearnedVariance(nn.Module):
    """One variance ``v = exp(10 θ)`` shared by all values, starting at ``v = initial``."""

    def __init__(self, initial: float = 0.1) -> None:
        super().__init__()
        self.log_variance = nn.Parameter(torch.tensor(math.log(initial) / SPEED))

    def forward(self) -> Tensor:
        """Return ``v``, a positive scalar."""
        return (SPEED * self.log_variance).clamp(-20, 20).exp()


def set_output_bias(decoder: nn.Module, bias: Tensor) -> None:
    """Let the decoder start at the data's mean, as in Burda's own program."""
    last = [p for name, p in decoder.named_parameters() if name.endswith("bias")][-1]
    with torch.no_grad():
        # A convolution has one for each channel.
        last.copy_(bias.flatten() if len(last) == bias.numel() else bias.flatten(1).mean(1))
