"""Whether translated images follow their inputs, or share one texture.

H ŷ = ŷ − (Gaussian blur of ŷ, σ = 2 pixels) is an image's detail, and r the correlation of two
images' detail over all pixels and channels.

    own      (1/n) Σ_i r(H ŷ_i, H y_i)                       with the detail of its own target
    shared   (1/(n (n − 1))) Σ_{i ≠ j} r(H ŷ_i, H ŷ_j)       with that of other outputs

A generator that paints one texture into every image, which an L1 of blurred colours hardly feels
and a judge of patches takes for detail, has a large ``shared`` and an ``own`` near 0. Where outputs
resemble each other clearly more than their targets, they do not follow their inputs.

Shapes: images are (n, H, W) or (n, C, H, W).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

BLUR = 2.0
"""σ of the blur that detail is left of, in pixels."""
MARGIN = 0.1
"""How much more alike outputs are than their targets, from which it is no chance."""
FLAT = 1e-6
"""Root mean square under which an image has no detail."""


@dataclass(frozen=True)
class Detail:
    """Mean correlations of outputs' detail: with their ``own`` targets', and ``shared``."""

    own: float
    shared: float

    @property
    def follows(self) -> bool:
        """Whether outputs resemble their targets at least about as much as each other."""
        return self.shared <= self.own + MARGIN

    def sentence(self, outputs: str = "outputs", targets: str = "targets") -> str:
        """Say what is wrong with outputs that do not follow their inputs, and what to do."""
        return (
            f"the {outputs} resemble each other more than their {targets}: their detail correlates "
            f"{self.shared:.2f} with that of others and {self.own:.2f} with that of their own "
            f"{targets}, so that the same texture is painted into every image; raise the weight of "
            "what compares with these, give more data, or train longer"
        )


def detail_of(
    outputs: NDArray[Any], targets: NDArray[Any], *, either_sign: bool = False
) -> Detail | None:
    """Return the correlations of detail, or None if fewer than two outputs have any.

    Targets of another number of channels are compared by the means over channels. ``either_sign``
    takes the absolute correlation with them, where they are inputs that a translation may invert.
    """
    made, wanted = _channels(outputs), _channels(targets)
    if made.shape[1] != wanted.shape[1]:
        made, wanted = (part.mean(axis=1, keepdims=True) for part in (made, wanted))
    a, b = _detail(made), _detail(wanted)
    seen = np.square(a).sum(axis=1) > 0
    n = int(seen.sum())
    if n < 2:
        return None
    a, b = a[seen], b[seen]
    own = np.einsum("ij,ij->i", a, b)
    together = float(np.square(a.sum(axis=0)).sum())
    shared = (together - n) / (n * (n - 1))
    return Detail(float((np.abs(own) if either_sign else own).mean()), shared)


def _channels(images: NDArray[Any]) -> NDArray[np.float64]:
    array = np.asarray(images, dtype=np.float64)
    return array if array.ndim == 4 else array[:, None]


def _detail(images: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (n, C·H·W) detail of mean 0 and length 1, or 0 where there is none."""
    rows = (images - gaussian_filter(images, (0, 0, BLUR, BLUR))).reshape(len(images), -1)
    rows -= rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    flat = length <= FLAT * np.sqrt(rows.shape[1])
    return np.where(flat, 0, rows / np.where(flat, 1, length))
