"""Differentiable augmentation: the discriminator sees real and fake images equally disturbed.

Shapes: ``x`` is (N, C, H, W), floats in [−1, 1].

References
----------
.. [1] S. Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", NeurIPS 2020,
   section 3.2 and the policies of table 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn.functional import pad

from latentia.training import draws

SHIFT, HOLE = 1 / 8, 1 / 2
"""The largest translation and the side of the hole, in sides of the image."""


def augment(x: Tensor, policy: str) -> Tensor:
    """Return images after each operation of a policy; gradients flow through."""
    for operation in POLICIES[policy]:
        x = operation(x)
    return x


def colour(x: Tensor) -> Tensor:
    """Change brightness by U(−½, ½), saturation by U(0, 2), contrast by U(½, 3/2)."""
    change = draws.uniform_like(x.new_zeros(len(x), 3))
    brightness, saturation, contrast = (c[:, None, None, None] for c in change.unbind(1))
    x = x + (brightness - 0.5)
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * (2 * saturation)
    middle = x.mean((1, 2, 3), keepdim=True)
    return middle + (x - middle) * (contrast + 0.5)


def translation(x: Tensor) -> Tensor:
    """Move each image by up to an eighth of its sides; what comes in from outside is 0."""
    height, width = x.shape[2:]
    reach = [int(side * SHIFT + 0.5) for side in (height, width)]
    place = _whole_numbers(x, [2 * r + 1 for r in reach])
    padded = pad(x, (reach[1], reach[1], reach[0], reach[0]))
    rows = place[:, 0, None] + torch.arange(height, device=x.device)
    columns = place[:, 1, None] + torch.arange(width, device=x.device)
    sample = torch.arange(len(x), device=x.device)[:, None, None]
    moved = padded.permute(0, 2, 3, 1)[sample, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def cutout(x: Tensor) -> Tensor:
    """Set a rectangle of half the image's sides, anywhere, to 0."""
    height, width = x.shape[2:]
    hole = [int(side * HOLE + 0.5) for side in (height, width)]
    centre = _whole_numbers(x, [side + 1 - size % 2 for side, size in zip((height, width), hole)])
    inside = [
        (torch.arange(side, device=x.device) - centre[:, i, None] + hole[i] // 2)
        for i, side in enumerate((height, width))
    ]
    hit = [(offset >= 0) & (offset < hole[i]) for i, offset in enumerate(inside)]
    return x * ~(hit[0][:, None, :, None] & hit[1][:, None, None, :])


def _whole_numbers(x: Tensor, below: list[int]) -> Tensor:
    """Return (N, 2) whole numbers, uniform from 0 to below each bound."""
    # In bfloat16 a draw near 1 rounds to 1, which is out of bounds.
    uniform = draws.uniform_like(x.new_zeros(len(x), 2, dtype=torch.float32))
    return (uniform * torch.tensor(below, device=x.device)).long()


POLICIES: Mapping[str, tuple[Callable[[Tensor], Tensor], ...]] = {
    "none": (),
    "colour": (colour,),
    "translation": (translation,),
    "cutout": (cutout,),
    "all": (colour, translation, cutout),
}
