"""Images that a page holds beside the model, where it may: test images, and training ones.

They are embedded only of data whose licence is known, or where the user asks for it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.data.dataset import Dataset
from latentia.models.inputs import spread, unit_floats
from latentia.plots.grids import is_drawable, png, tile
from latentia.plots.page import data_uri

MOST_PIXELS, MOST_SEEN, MOST_TESTED = 230_000, 300, 12
"""Values of all training images of a page together, and how many there are at most."""
INK = 0.2
"""From which on a pixel belongs to what is drawn."""
STEADY, CENTRED = 0.06, 0.05
"""Shares of a side by which drawings' sizes and centres may differ, to be the same by intent."""


def may_be_shown(data: Dataset, with_images: bool) -> bool:
    """Return whether a page may hold samples of these data."""
    return with_images or bool(data.licence)


def images_of(data: Dataset) -> dict[str, Any]:
    """Return sheets of training and of test images, with the classes of the latter."""
    if not is_drawable(np.shape(data.x_test)):
        return {}
    each = math.prod(data.x_test.shape[1:])
    n = int(np.clip(MOST_PIXELS // each, MOST_TESTED, MOST_SEEN))
    tested = sheet(spread(data.x_test, MOST_TESTED))
    if data.labelled:
        tested["labels"] = spread(np.asarray(data.y_test), MOST_TESTED).astype(int).tolist()
    return {"seen": sheet(spread(data.x_train, n)), "tested": tested}


def sheet(images: NDArray[Any]) -> dict[str, Any]:
    """Return images side by side in one PNG, with how they lie there."""
    shown = unit_floats(images)
    n_columns = max(1, round(len(shown) ** 0.5))
    picture = tile(shown, n_columns, padding=0, scale=1)
    grey = shown.ndim == 3 or shown.shape[1] == 1
    return {
        "n": len(shown),
        "columns": min(n_columns, len(shown)),
        "png": data_uri(png(picture[:, :, 0] if grey else picture)),
    }


def habit_of(data: Dataset) -> dict[str, Any] | None:
    """Return how things are drawn in images of one channel, so that a page draws alike.

    ``ground`` is 0 or 1, dark or bright; ``size`` the larger side of what is drawn, in pixels, if
    it is the same in all images, else 0; ``centre`` what is in the middle, its mass or its box;
    ``pen`` how wide lines are, in pixels: two areas over the length of the outline.
    """
    x = unit_floats(spread(data.x_test, MOST_SEEN)).astype(float)
    x = x[:, 0] if x.ndim == 4 and x.shape[1] == 1 else x
    if x.ndim != 3:
        return None
    edges = np.concatenate([x[:, 0], x[:, -1], x[:, :, 0], x[:, :, -1]], axis=1)
    ground = float(edges.mean() > 0.5)
    ink = np.abs(x - ground)
    drawn = ink[(ink > INK).any(axis=(1, 2))]
    if not len(drawn):
        return {"ground": ground, "size": 0, "centre": "none", "pen": 1.0}
    side = max(drawn.shape[1:])
    sizes, masses, middles = (np.asarray(part) for part in zip(*map(placed, drawn)))
    steady = sizes.std() <= STEADY * side
    by_mass, by_box = np.median(np.abs(masses), axis=0), np.median(np.abs(middles), axis=0)
    centre = "mass" if by_mass.max() <= by_box.max() else "box"
    if min(by_mass.max(), by_box.max()) > CENTRED * side:
        centre = "none"
    return {
        "ground": ground,
        "size": float(np.median(sizes)) if steady else 0,
        "centre": centre,
        "pen": round(float(np.median([width_of(image) for image in drawn])), 2),
    }


def placed(ink: NDArray[Any]) -> tuple[float, NDArray[Any], NDArray[Any]]:
    """Return the larger side of a drawing, and where its mass and its box are from the middle."""
    places = np.argwhere(ink > INK)
    low, high = places.min(axis=0), places.max(axis=0) + 1
    grid = np.indices(ink.shape).reshape(2, -1) + 0.5
    middle = np.asarray(ink.shape) / 2
    mass = (grid * ink.ravel()).sum(axis=1) / ink.sum()
    return float((high - low).max()), mass - middle, (low + high) / 2 - middle


def width_of(ink: NDArray[Any]) -> float:
    """Return how wide a drawing's lines are."""
    padded = np.pad(ink, 1)
    across = np.diff(padded, axis=0)[:, :-1], np.diff(padded, axis=1)[:-1]
    outline = float(np.hypot(*across).sum())
    return 2 * float(ink.sum()) / max(outline, 1e-9)
