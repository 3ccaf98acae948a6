"""Random jitter and mirroring of images, both of a pair alike.

Images are enlarged, a window of their own size is cut out at a random place, and every second one
is mirrored left to right. All places and turns are drawn for the whole batch at once.

References
----------
.. [1] P. Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR
   2017, section 6.2 (256 pixels, enlarged to 286).
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn.functional import interpolate

from latentia.models.translation.patches import random_patches


def jittered(
    images: Sequence[Tensor], enlargement: float, *, mirror: bool, turn: bool = False
) -> list[Tensor]:
    """Return images (N, C, H, W) of one size, those of one row moved and mirrored alike.

    Parameters
    ----------
    images
        Any number of batches; their channels may differ.
    enlargement
        How much larger they are made before a window is cut out, as a fraction of their sides.
    mirror
        Whether every second image, by chance, is mirrored.
    turn
        Whether square images take each of their eight positions by chance.
    """
    size = (images[0].shape[2], images[0].shape[3])
    larger = tuple(side + round(enlargement * side) for side in size)
    if larger != size:
        images = [
            interpolate(batch, larger, mode="bilinear", align_corners=False) for batch in images
        ]
    return random_patches(images, size, mirror=mirror, turn=turn)
