"""What each kind of image-to-image model needs around it: data, figures, pictures, yardsticks.

A model names its kind in ``learns_from``. Those that learn from samples alone have none here: what
they can do decides what is measured of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from latentia.data import Dataset
from latentia.data.crops import load_crops
from latentia.data.pairs import load_pairs
from latentia.data.unpaired import load_unpaired
from latentia.models.base import Model, unit_floats
from latentia.models.translation.baselines import (
    baseline_notes,
    domain_metrics,
    domain_notes,
    translation_metrics,
)
from latentia.models.translation.baselines import tested_domains as domain_images
from latentia.models.translation.bicubic import Bicubic
from latentia.models.translation.super_resolution import super_resolution_metrics
from latentia.plots.grids import is_drawable, png, rows
from latentia.plots.page import Picture

SHOWN = 10
ENLARGED = 6


class Loader(Protocol):
    """Anything that returns named data."""

    def __call__(self, spec: str, *, image_size: int | None = None) -> Dataset:
        """Return the data, folders of pictures resized."""


@dataclass(frozen=True)
class ImageTask:
    """What one kind of image-to-image model needs around it.

    Attributes
    ----------
    load
        Returns the data of a name or a path as such models learn from them.
    metrics
        Measures a fitted model on test data; keys of `latentia.metrics.definitions`.
    notes
        Returns the sentences that those figures must be quoted with.
    pictures
        Draws what a fitted model makes of test images.
    """

    load: Loader
    metrics: Callable[[Any, Dataset], dict[str, float]]
    notes: Callable[[Dataset], tuple[str, ...]]
    pictures: Callable[[Any, Dataset], Iterator[Picture]]


def task_of(model: Model) -> ImageTask | None:
    """Return what surrounds an image-to-image model, and nothing for a model of samples."""
    return TASKS.get(model.learns_from)


def _translations(model: Any, data: Dataset) -> Iterator[Picture]:
    x, y = (unit_floats(np.asarray(part)[:SHOWN]) for part in (data.x_test, data.pair_test))
    shown = [("input", x), ("output", model.transform(x)), ("target", y)]
    visible = [(label, part) for label, part in shown if is_drawable(part.shape)]
    caption = "Test images, what the model makes of them, and what they should become."
    yield Picture("Translations", caption, png(rows(visible)))


def _both_ways(model: Any, data: Dataset) -> Iterator[Picture]:
    a, b = (images[:SHOWN] for images in domain_images(data))
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
    yield Picture("Translations", caption, png(rows(shown)))


def _enlarged(model: Any, data: Dataset) -> Iterator[Picture]:
    sharp, large = model.beside_enlarged(np.asarray(data.x_test)[:ENLARGED])
    if not is_drawable(sharp.shape):
        return
    bicubic = Bicubic(scale=model.scale).fit(sharp)
    shown = [("bicubic", bicubic.beside_enlarged(sharp)[1]), ("output", large)]
    caption = "Test images made small and enlarged by either, beside the sharp ones."
    yield Picture("Enlarged", caption, png(rows([*shown, ("sharp", sharp)])))


TASKS = {
    "pairs": ImageTask(load_pairs, translation_metrics, baseline_notes, _translations),
    "domains": ImageTask(load_unpaired, domain_metrics, domain_notes, _both_ways),
    "pieces": ImageTask(load_crops, super_resolution_metrics, lambda _: (), _enlarged),
}
