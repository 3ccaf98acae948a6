"""PatchGAN: a discriminator that judges every patch of an image, and averages its verdicts.

    C(w)–C(2w)–...–C(8w)–C(1): 4×4 convolutions, the first k of stride 2, the last two of stride 1;
    one verdict for each place, which sees a patch of side r                     [1]_ section 6.1.2

    k = 1, 2, 3, 4, 5 halvings:  r = 16, 34, 70, 142, 286;  with 1×1 convolutions r = 1

Shapes: ``x`` is (N, C, H, W), the logits (N, 1, h, w).

References
----------
.. [1] P. Isola, J.-Y. Zhu, T. Zhou, A. A. Efros, "Image-to-Image Translation with Conditional
   Adversarial Networks", CVPR 2017, sections 3.2.2 and 6.1.2.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from torch import nn

from latentia.errors import InputError
from latentia.nets.mlp import leaky_relu
from latentia.nets.normalisation import NORMS, Normalisation

Patch = Literal["auto", "pixel", "16", "70", "image"]
"""What one verdict sees: a pixel, a patch, the whole image; auto is 70, or the image if smaller."""
WIDEST = 8
"""The most channels, in widths of the first layer."""


def receptive_field(layers: Iterable[tuple[int, int]]) -> int:
    """Return the side of the patch that one output sees, for layers' (kernel, stride) in order.

    From the last layer back, r ← (r − 1)·stride + kernel.

    >>> receptive_field([(4, 2), (4, 2), (4, 2), (4, 1), (4, 1)])
    70
    """
    side = 1
    for kernel, stride in reversed(list(layers)):
        side = (side - 1) * stride + kernel
    return side


def patch_layers(n_halvings: int) -> list[tuple[int, int]]:
    """Return the (kernel, stride) of each convolution of a discriminator of patches."""
    return [(4, 2)] * n_halvings + [(4, 1)] * 2


def halvings_of(patch: Patch, size: tuple[int, int]) -> int:
    """Return how many convolutions of stride 2 see such a patch of images of this size.

    The whole image is seen by the least number whose receptive field is as large as its longer
    side, if the shorter side bears so many.

    >>> [halvings_of(patch, (256, 256)) for patch in ("16", "70", "image")]
    [1, 3, 5]
    >>> halvings_of("auto", (28, 28)), halvings_of("auto", (64, 64))
    (2, 3)
    """
    if patch == "16":
        return 1
    whole = 1
    while receptive_field(patch_layers(whole)) < max(size) and fits(whole + 1, size):
        whole += 1
    return {"70": 3, "auto": min(3, whole), "image": whole}[patch]


def fits(n_halvings: int, size: tuple[int, int]) -> bool:
    """Return whether an image of this size leaves at least one verdict."""
    return bool(min(size) // 2**n_halvings >= 3)


def patch_discriminator(
    patch: Patch, n_in: int, width: int, size: tuple[int, int], norm: Normalisation
) -> nn.Sequential:
    """Return the discriminator of the chosen patches for images of this size, or refuse them."""
    if patch == "pixel":
        return pixel_gan(n_in, width, norm)
    n_halvings = halvings_of(patch, size)
    if not fits(n_halvings, size):
        raise InputError(
            f"patch is {patch!r}, which needs sides of at least {3 * 2**n_halvings} pixels; these "
            f"images are {size}: leave it 'auto'"
        )
    return patch_gan(n_in, width, n_halvings, norm)


def patch_gan(
    n_in: int, width: int, n_halvings: int, norm: Normalisation = "batch"
) -> nn.Sequential:
    """Return the discriminator of ``n_halvings`` convolutions of stride 2, the first of w channels.

    The first layer and the last have no norm; what a norm follows has no bias.
    """
    widths = [width * min(WIDEST, 2**level) for level in range(n_halvings + 1)]
    layers: list[nn.Module] = [nn.Conv2d(n_in, width, 4, 2, 1), leaky_relu()]
    for level in range(1, n_halvings + 1):
        stride = 2 if level < n_halvings else 1
        layers.append(nn.Conv2d(widths[level - 1], widths[level], 4, stride, 1, bias=False))
        layers += [NORMS[norm](widths[level]), leaky_relu()]
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, 1, 1))


def pixel_gan(n_in: int, width: int, norm: Normalisation = "batch") -> nn.Sequential:
    """Return the discriminator of single pixels: 1×1 convolutions of w, 2w and 1 channels."""
    return nn.Sequential(
        nn.Conv2d(n_in, width, 1),
        leaky_relu(),
        nn.Conv2d(width, 2 * width, 1, bias=False),
        NORMS[norm](2 * width),
        leaky_relu(),
        nn.Conv2d(2 * width, 1, 1),
    )
