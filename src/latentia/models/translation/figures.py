"""What a report shows of models from image to image: test images, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from latentia.data.dataset import Dataset
from latentia.data.degrade import degraded, enlarged
from latentia.models.figures import side_by_side
from latentia.models.inputs import unit_floats
from latentia.models.translation.baselines import tested_domains
from latentia.plots.grids import is_drawable
from latentia.plots.page import Picture

SHOWN = 10
ENLARGED = 6


def translations(model: Any, data: Dataset) -> Iterator[Picture]:
    """Yield test images, what a translator of pairs makes of them, and their targets."""
    x, y = (unit_floats(np.asarray(part)[:SHOWN]) for part in (data.x_test, data.pair_test))
    shown = [("input", x), ("output", model.transform(x)), ("target", y)]
    visible = [(label, part) for label, part in shown if is_drawable(part.shape)]
    caption = "Test images, what the model makes of them, and what they should become."
    yield Picture("Translations", caption, tiles=side_by_side(visible))


def both_ways(model: Any, data: Dataset) -> Iterator[Picture]:
    """Yield test images of two domains, each translated to the other and back."""
    a, b = (images[:SHOWN] for images in tested_domains(data))
    if not is_drawable(a.shape):
        return
    names = data.class_names or ("A", "B")
    there, back = model.transform(a), model.inverse_transform(b)
    shown = [
        (names[0], a),
        (f"→ {names[1]}", there),
        (f"→ {names[0]}", model.inverse_transform(there)),
        (names[1], b),
        (f"→ {names[0]}", back),
        (f"→ {names[1]}", model.transform(back)),
    ]
    caption = "Test images of each domain, translated to the other, and back."
    yield Picture("Translations", caption, tiles=side_by_side(shown))


def beside_bicubic(model: Any, data: Dataset) -> Iterator[Picture]:
    """Yield test images made small and enlarged, by bicubic interpolation and by the model."""
    sharp, large = model.beside_enlarged(np.asarray(data.x_test)[:ENLARGED])
    if not is_drawable(sharp.shape):
        return
    interpolated = enlarged(degraded(sharp, model.scale), model.scale)
    bicubic = np.rint(interpolated * 255) / np.float32(255)
    caption = "Test images made small and enlarged by either, beside the sharp ones."
    shown = [("bicubic", bicubic), ("output", large), ("sharp", sharp)]
    yield Picture("Enlarged", caption, tiles=side_by_side(shown))
