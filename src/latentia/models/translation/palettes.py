"""The colours that images are drawn in: what a pen needs to draw another one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.models.inputs import spread, unit_floats
from latentia.plots.grids import is_drawable

MOST_COLOURS, FEW_LEVELS, APART = 8, 16, 0.1
"""How many, levels of a channel that are told apart, and how far two are apart."""
LOOKED_AT = 60


def colours_of(images: NDArray[Any]) -> tuple[list[str], bool]:
    """Return the colours that most pixels have, as CSS has them, and whether no pixel has another.

    The most frequent one, the ground, is first; the others are far enough apart to choose among.
    """
    x = unit_floats(spread(images, LOOKED_AT))
    x = x[:, None] if x.ndim == 3 else x
    pixels = np.moveaxis(x[:, :3] if x.shape[1] >= 3 else np.repeat(x[:, :1], 3, axis=1), 1, -1)
    levels = np.round(pixels.reshape(-1, 3) * (FEW_LEVELS - 1)).astype(np.int64)
    kinds, counts = np.unique(levels, axis=0, return_counts=True)
    chosen: list[NDArray[Any]] = []
    for colour in kinds[np.argsort(-counts, kind="stable")] / (FEW_LEVELS - 1):
        if all(np.linalg.norm(colour - other) > APART * np.sqrt(3) for other in chosen):
            chosen.append(colour)
        if len(chosen) == MOST_COLOURS:
            break
    names = ["#" + "".join(f"{round(255 * float(v)):02x}" for v in colour) for colour in chosen]
    return names, len(kinds) == len(chosen)


def drawn_in(images: NDArray[Any]) -> list[str]:
    """Return the few colours that drawings have, the ground first; of photographs none.

    >>> drawn_in(np.array([[[0, 0, 1]]], bool))
    ['#000000', '#ffffff']
    >>> drawn_in(np.linspace(0, 1, 100).reshape(1, 10, 10))
    []
    """
    if not len(images) or not is_drawable(images.shape):
        return []
    colours, only = colours_of(images)
    return colours if only and len(colours) > 1 else []
