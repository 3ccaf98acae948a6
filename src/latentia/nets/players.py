"""The players of a game: generators, and the discriminators and critics that judge their samples.

A judge is a body that makes features, and one number from them. Shapes: ``z_NK`` in, ``x`` out,
images (N, C, H, W) in [−1, 1] or table rows (N, d); ``given_NG`` what the game is conditioned on,
one-hot rows for classes; ``feature_NF`` the body's output; ``logit_N1`` the verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Literal

import torch
import torch.distributed.nn.functional as collective
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from latentia.nets import dcgan
from latentia.nets.mlp import ACTIVATIONS, leaky_relu, mlp
from latentia.nets.normalisation import Dropout
from latentia.training.distributed import world_size

MAXOUT_UNITS, MAXOUT_PIECES, GOODFELLOW_HIDDEN = 240, 5, (1200, 1200)
"""Sizes of the nets of Goodfellow et al. 2014 for MNIST, from their published code."""
KERNEL_SIZE = 5
"""Rows of each kernel's matrix in minibatch discrimination, as the authors' code has it."""


def players_for(
    shape: tuple[int, ...],
    architecture: Literal["mlp", "goodfellow", "convolutional", "lecture"],
    n_inputs: int,
    *,
    hidden: Sequence[int] = (),
    width: int = 32,
    batch_norm: bool = True,
    packing: int = 1,
    n_given: int = 0,
    projection: bool = False,
    n_kernels: int = 0,
) -> tuple[nn.Module, Discriminator]:
    """Return generator and judge for samples of a shape, with their source's initial weights.

    Parameters
    ----------
    shape
        (C, H, W), or (d,) for fully connected nets.
    architecture
        "mlp" or "convolutional" (DCGAN's), "goodfellow" or "lecture" as these have them.
    n_inputs, hidden
        The generator's inputs, and its widths if it is an MLP; the one that judges mirrors them.
    width, batch_norm
        Channels of the convolutions next to the image, and the convolutional judge's norm.
    packing
        Samples that are judged together.
    n_given, projection, n_kernels
        See `Discriminator`.
    """
    n_beside = 0 if projection else n_given
    n_flat = prod(shape) * packing + n_beside
    weights: Callable[[nn.Module], None] | None = None
    if architecture == "mlp":
        generator, body = dense_generator(shape, n_inputs, hidden), dense_body(n_flat, hidden[::-1])
    elif architecture == "goodfellow":
        generator = dense_generator(shape, n_inputs, GOODFELLOW_HIDDEN, "relu")
        body, weights = maxout_body(n_flat), small_uniform_weights
    else:
        image = shape[0], shape[1], shape[2]
        seen = shape[0] * packing + n_beside, *image[1:]
        if architecture == "lecture":
            generator, body = dcgan.lecture_generator(image, n_inputs), dcgan.lecture_body(seen)
            weights = dcgan.glorot_weights
        else:
            generator = dcgan.generator(image, n_inputs, width)
            body = dcgan.discriminator_body(seen, width, batch_norm=batch_norm)
            weights = dcgan.dcgan_weights
    judge = Discriminator(
        *body,
        n_given=n_given,
        projection=projection,
        n_kernels=n_kernels,
        flat=architecture in ("mlp", "goodfellow"),
    )
    if weights is not None:
        generator.apply(weights)
        judge.apply(weights)
    return generator, judge


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


def maxout_body(n_inputs: int) -> tuple[nn.Module, int]:
    """Return dropout 0.2, then twice maxout and dropout 0.5 (Goodfellow et al. 2014)."""
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


class Discriminator(nn.Module):
    """``logit = w·[f(x, y), o(x)] + b (+ yᵀ V f)``: a body, optional kernels, a linear head.

    Parameters
    ----------
    body
        Features (N, F) from data, which it sees with the condition appended unless projected.
    n_features
        F.
    n_given
        How many numbers the game is conditioned on; 0 for none.
    projection
        Let the condition enter by an inner product with the features [1]_, not at the input.
    n_kernels
        B of minibatch discrimination; 0 for none.
    flat
        Flatten images before the body.

    References
    ----------
    .. [1] T. Miyato, M. Koyama, "cGANs with Projection Discriminator", ICLR 2018, eq. 3.
    """

    def __init__(
        self,
        body: nn.Module,
        n_features: int,
        *,
        n_given: int = 0,
        projection: bool = False,
        n_kernels: int = 0,
        flat: bool = False,
    ) -> None:
        super().__init__()
        self.body = body
        self.flat = flat
        self.minibatch = MinibatchDiscrimination(n_features, n_kernels) if n_kernels else None
        self.head = nn.Linear(n_features + n_kernels, 1)
        self.embedding = nn.Linear(n_given, n_features, bias=False) if projection else None

    def features(self, x: Tensor, *given: Tensor) -> Tensor:
        """Return ``feature_NF``; what the body sees of y are columns, or constant channels."""
        x = x.flatten(1) if self.flat else x
        if self.embedding is None and given:
            if x.ndim == 4:
                given = tuple(g[:, :, None, None].expand(-1, -1, *x.shape[2:]) for g in given)
            x = torch.cat([x, *given], 1)
        feature_NF: Tensor = self.body(x)
        return feature_NF

    def forward(self, x: Tensor, *given: Tensor) -> Tensor:
        """Return ``logit_N1``."""
        feature_NF = self.features(x, *given)
        seen = feature_NF
        if self.minibatch is not None:
            seen = torch.cat([feature_NF, self.minibatch(feature_NF)], 1)
        logit_N1: Tensor = self.head(seen)
        if self.embedding is not None:
            logit_N1 = logit_N1 + (self.embedding(*given) * feature_NF).sum(1, keepdim=True)
        return logit_N1


class MinibatchDiscrimination(nn.Module):
    """``o(xᵢ)_b = Σ_{j≠i} exp(−‖M_{i,b} − M_{j,b}‖₁)``, ``M_i = f(xᵢ) T``: how near the others are.

    In training the sum runs over the batches of all processes. f(x) has ``n_features`` numbers, and
    each sample gets ``n_kernels`` such values.

    References
    ----------
    .. [1] T. Salimans et al., "Improved Techniques for Training GANs", NeurIPS 2016, section 3.2.
    """

    def __init__(self, n_features: int, n_kernels: int) -> None:
        super().__init__()
        self.n_kernels = n_kernels
        self.tensor = nn.Linear(n_features, n_kernels * KERNEL_SIZE, bias=False)

    def forward(self, feature_NF: Tensor) -> Tensor:
        """Return (N, n_kernels) sums of closeness to the other samples."""
        m_NBC = self.tensor(feature_NF).unflatten(1, (self.n_kernels, KERNEL_SIZE))
        others = m_NBC
        # Held-out batches are one process's own: no other takes part.
        if self.training and world_size() > 1:
            others = torch.cat(collective.all_gather(m_NBC))  # type: ignore[no-untyped-call]
        distance_NMB = (m_NBC[:, None] - others[None]).abs().sum(3)
        # A sample's closeness to itself is 1.
        closeness: Tensor = distance_NMB.neg().exp().sum(1) - 1
        return closeness


def normalise_spectrally(net: nn.Module) -> None:
    """Divide each layer's weight by its largest singular value, by one power iteration a pass.

    References
    ----------
    .. [1] T. Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR
       2018, algorithm 1.
    """
    layers = [m for m in net.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    for layer in layers:
        spectral_norm(layer)


class Maxout(nn.Module):
    """The largest of ``n_pieces`` linear functions, for each output.

    References
    ----------
    .. [1] I. Goodfellow et al., "Maxout Networks", ICML 2013, section 3.
    """

    def __init__(self, n_in: int, n_out: int, n_pieces: int) -> None:
        super().__init__()
        self.linear = nn.Linear(n_in, n_out * n_pieces)
        self.n_pieces = n_pieces

    def forward(self, x_ND: Tensor) -> Tensor:
        """Return (N, n_out)."""
        values: Tensor = self.linear(x_ND).unflatten(1, (-1, self.n_pieces)).amax(2)
        return values


class ParameterHistory(nn.Module):
    """The running mean of a net's parameters, ``(1/t) Σᵢ θ[i]``, kept as buffers.

    References
    ----------
    .. [1] T. Salimans et al., NeurIPS 2016, section 3.3.
    """

    count: Tensor

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(()))
        for index, parameter in enumerate(net.parameters()):
            self.register_buffer(f"mean_{index}", parameter.detach().clone())

    def means(self) -> list[Tensor]:
        """Return the mean of each parameter."""
        return [mean for name, mean in self.named_buffers() if name != "count"]

    def distance(self, net: nn.Module) -> Tensor:
        """Return ``‖θ − (1/t) Σᵢ θ[i]‖²`` over all of a net's parameters."""
        pairs = zip(net.parameters(), self.means(), strict=True)
        return torch.stack([(now - mean).square().sum() for now, mean in pairs]).sum()

    @torch.no_grad()
    def remember(self, net: nn.Module) -> None:
        """Take the parameters as they are now into the mean."""
        self.count += 1
        for mean, parameter in zip(self.means(), net.parameters(), strict=True):
            mean.lerp_(parameter, float(1 / self.count))
