"""Generators and discriminators of DCGAN: the paper's, and the lecture's.

Shapes: ``z_NK`` latent rows in, images (N, C, H, W) in [−1, 1] out; images in, features (N, F) out.

References
----------
.. [1] A. Radford, L. Metz, S. Chintala, "Unsupervised Representation Learning with Deep
   Convolutional Generative Adversarial Networks", ICLR 2016.
"""

from __future__ import annotations

from itertools import pairwise
from math import ceil

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pixel_shuffle

from latentia.nets.mlp import leaky_relu, relu
from latentia.nets.normalisation import BatchNorm, Dropout

Size = tuple[int, int]


def pyramid(size: Size) -> list[Size]:
    """Return sizes from ``size`` down, each half of the one before, rounded up, until at most 4.

    Images under 16 pixels go on to 2, so that at least two layers see them.

    >>> pyramid((64, 64)), pyramid((28, 28)), pyramid((8, 8))
    ([(64, 64), (32, 32), (16, 16), (8, 8), (4, 4)], [(28, 28), (14, 14), (7, 7), (4, 4)], \
[(8, 8), (4, 4), (2, 2)])
    """
    smallest = 4 if max(size) >= 16 else 2
    sizes = [size]
    while max(sizes[-1]) > smallest:
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    return sizes


def _kernel(size: Size) -> Size:
    """Return 4 on even sides and 3 on odd: stride 2 and padding 1 then halve, rounding up."""
    return (4 - size[0] % 2, 4 - size[1] % 2)


def generator(shape: tuple[int, int, int], n_inputs: int, width: int) -> nn.Sequential:
    """Return z → transposed convolutions, batch norm, ReLU → tanh.

    The widths halve with each doubling of the size and end at ``width``, but for the first layers
    of images larger than 64 pixels, which stay at 8 widths, those of the paper's first layer. The
    output layer has no batch norm, and no layer is fully connected but the first, which is a
    transposed convolution of a 1×1 image ([1]_ section 3 and figure 1).
    """
    sizes = pyramid(shape[1:])
    depth = len(sizes) - 1
    widths = [min(8, 2**level) * width for level in range(depth)]
    top = widths[-1]
    layers: list[nn.Module] = [nn.Unflatten(1, (n_inputs, 1, 1))]
    layers += [nn.ConvTranspose2d(n_inputs, top, sizes[-1], bias=False), BatchNorm(top), relu()]
    for level in reversed(range(1, depth)):
        n_in, n_out = widths[level], widths[level - 1]
        up = nn.ConvTranspose2d(n_in, n_out, _kernel(sizes[level]), 2, 1, bias=False)
        layers += [up, BatchNorm(n_out), relu()]
    layers += [nn.ConvTranspose2d(widths[0], shape[0], _kernel(sizes[0]), 2, 1), nn.Tanh()]
    return nn.Sequential(*layers)


def discriminator_body(
    shape: tuple[int, int, int], width: int, *, batch_norm: bool = True
) -> tuple[nn.Module, int]:
    """Return strided convolutions with LeakyReLU 0.2, and how many features they give.

    Batch norm stands after all but the first, unless it is left out. The published last layer, a
    convolution over the whole remaining image, is the linear head over these features.
    """
    sizes = pyramid(shape[1:])
    widths = [shape[0], *(min(8, 2**level) * width for level in range(len(sizes) - 1))]
    layers: list[nn.Module] = []
    for level, (n_in, n_out) in enumerate(pairwise(widths)):
        normed = batch_norm and level > 0
        layers.append(nn.Conv2d(n_in, n_out, _kernel(sizes[level]), 2, 1, bias=not normed))
        layers += [BatchNorm(n_out), leaky_relu()] if normed else [leaky_relu()]
    return nn.Sequential(*layers, nn.Flatten()), widths[-1] * sizes[-1][0] * sizes[-1][1]


def dcgan_weights(module: nn.Module) -> None:
    """Draw weights from N(0, 0.02), batch-norm scales from N(1, 0.02); biases are 0 ([1]_)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, BatchNorm):
        nn.init.normal_(module.weight, 1.0, 0.02)
    _zero_bias(module)


def lecture_sizes(size: Size) -> list[Size]:
    """Return an image's size, and its sizes halved once and twice, rounded up.

    >>> lecture_sizes((28, 28))
    [(28, 28), (14, 14), (7, 7)]
    """
    return [(ceil(size[0] / factor), ceil(size[1] / factor)) for factor in (1, 2, 4)]


def lecture_generator(shape: tuple[int, int, int], n_inputs: int) -> nn.Sequential:
    """Return the lecture's: dense 128·(H/4)·(W/4), twice upsampling and 5×5 convolution, tanh."""
    large, middle, small = lecture_sizes(shape[1:])
    return nn.Sequential(
        nn.Linear(n_inputs, 128 * small[0] * small[1]),
        leaky_relu(),
        nn.Unflatten(1, (128, *small)),
        *_upsampling(small, middle, 128, 64),
        leaky_relu(),
        *_upsampling(middle, large, 64, shape[0]),
        nn.Tanh(),
    )


def _upsampling(small: Size, large: Size, n_in: int, n_out: int) -> list[nn.Module]:
    """Return nearest upsampling and a 5×5 convolution, in one where the size doubles exactly."""
    if large == (2 * small[0], 2 * small[1]):
        return [UpsampledConvolution(n_in, n_out, 5)]
    return [nn.Upsample(large), nn.Conv2d(n_in, n_out, 5, padding=2)]


def lecture_body(shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
    """Return the lecture's two 5×5 convolutions of stride 2 with dropout 0.3, and F."""
    small = lecture_sizes(shape[1:])[-1]
    body = nn.Sequential(
        nn.Conv2d(shape[0], 64, 5, stride=2, padding=2),
        leaky_relu(),
        Dropout(0.3),
        nn.Conv2d(64, 128, 5, stride=2, padding=2),
        leaky_relu(),
        Dropout(0.3),
        nn.Flatten(),
    )
    return body, 128 * small[0] * small[1]


def glorot_weights(module: nn.Module) -> None:
    """Draw weights from Glorot's uniform distribution, the default of the lecture's framework.

    References
    ----------
    .. [1] X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural
       networks", AISTATS 2010, eq. 16.
    """
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.xavier_uniform_(module.weight)
    _zero_bias(module)


def _zero_bias(module: nn.Module) -> None:
    bias = getattr(module, "bias", None)
    if isinstance(bias, Tensor):
        nn.init.zeros_(bias)


class UpsampledConvolution(nn.Conv2d):
    """``Conv2d(Upsample(2)(x))`` with an odd kernel that keeps the size, computed together.

        y[2i + a, 2j + b] = Σ_uv w[u, v] x↑[2i + a + u − p, 2j + b + v − p]
        x↑[s, t] = x[⌊s/2⌋, ⌊t/2⌋]

    Taps of the kernel that fall on the same pixel of x add up, so that each of the four phases
    (a, b) is a convolution of the small image with a smaller kernel: 5×5 on the large image, 25
    products a pixel, becomes 3×3, 9 products. The function and the weights are those of the plain
    pair.
    """

    phases: Tensor

    def __init__(self, n_in: int, n_out: int, side: int) -> None:
        super().__init__(n_in, n_out, side, padding=side // 2)
        self.register_buffer("phases", phase_sums(side), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolved large image."""
        n_out, n_in = self.weight.shape[:2]
        small = self.phases.shape[1]
        # (2, s, k) on both sides of (o, c, k, k): a kernel for each phase.
        kernels = torch.einsum("aik,ockl,bjl->oabcij", self.phases, self.weight, self.phases)
        bias = None if self.bias is None else self.bias.repeat_interleave(4)
        merged = kernels.reshape(4 * n_out, n_in, small, small)
        return pixel_shuffle(conv2d(x, merged, bias, padding=small // 2), 2)


def phase_sums(side: int) -> Tensor:
    """Return (2, s, side) zeros and ones: which taps fall on which small pixel, for each phase.

    >>> phase_sums(5)[0].int().tolist()
    [[1, 1, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1]]
    """
    reach = side // 2
    pixels = [[(phase + tap - reach) // 2 for tap in range(side)] for phase in (0, 1)]
    outermost = max(abs(pixel) for row in pixels for pixel in row)
    sums = torch.zeros(2, 2 * outermost + 1, side)
    for phase, row in enumerate(pixels):
        for tap, pixel in enumerate(row):
            sums[phase, pixel + outermost, tap] = 1
    return sums
