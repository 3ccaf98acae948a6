"""What a report shows of a fitted model: samples, reconstructions, its codes, its loadings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from latentia.data.dataset import Array, Dataset
from latentia.models.inputs import channels_first, spread, unit_floats
from latentia.plots.grids import thumbnails
from latentia.plots.latent_pictures import loadings_picture, map_picture
from latentia.plots.page import PIXELATED, WIDE, Picture, Tiles

MOST_CODES = 2_000
MOST_CLASSES = 10
SAMPLES, LARGE_SAMPLES = 8, 4
"""Samples in a row and rows of them, of small images and of larger ones."""
SHOWN, A_ROW = 10, 5
"""Test images with what becomes of them, and loadings in a row."""


def tiles(images: Array, n_columns: int) -> Tiles:
    """Return images in rows of so many."""
    return Tiles(_in_rows(thumbnails(images), n_columns), _size(images))


def side_by_side(labelled: Sequence[tuple[str, Array]]) -> Tiles:
    """Return the same images in several states under each other, small ones in two blocks."""
    size, n = _size(labelled[0][1]), max(len(images) for _, images in labelled)
    width = n if max(size) > WIDE else -(-n // 2)
    parts = [(label, _in_rows(thumbnails(images), width)) for label, images in labelled]
    lines = [
        (label, rows[i]) for i in range(-(-n // width)) for label, rows in parts if i < len(rows)
    ]
    labels, rows = zip(*lines, strict=True)
    return Tiles(rows, size, labels, len(parts))


def _in_rows(images: tuple[bytes, ...], width: int) -> tuple[tuple[bytes, ...], ...]:
    return tuple(images[first : first + width] for first in range(0, len(images), width))


def _size(images: Array) -> tuple[int, int]:
    return images.shape[-1], images.shape[-2]


def samples(model: Any, data: Dataset) -> Picture:
    """Return draws that nobody selected."""
    side = SAMPLES if max(data.x_test.shape[-2:]) <= PIXELATED else LARGE_SAMPLES
    drawn = model.drawn_for(data, side * side, 0)
    caption = f"{len(drawn)} draws from the prior, decoded; nobody chose them."
    return Picture("Samples", caption, tiles=tiles(drawn, side))


def samples_of_each(model: Any, classes: Mapping[str, Any]) -> Picture:
    """Return draws of up to ten classes, which have names."""
    some = dict(list(classes.items())[:MOST_CLASSES])
    asked = np.repeat(list(some.values()), SAMPLES)
    drawn = channels_first(model.sample(len(asked), random_state=0, y=asked), model, reset=True)
    caption = f"A row of draws for each class: {', '.join(some)}."
    return Picture("Samples", caption, tiles=tiles(drawn, SAMPLES))


def reconstructions(model: Any, data: Dataset) -> Picture:
    """Return test images above what the latent space keeps of them."""
    x = shown(data, SHOWN)
    states, damaged = [("test", x)], model.damaged(x)
    caption = f"{len(x)} test images and what the code keeps of them."
    if damaged is not None:
        states += [("noisy", damaged), ("denoised", model.reconstruct(damaged))]
        caption = f"{len(x)} test images, the same with noise, and with the noise taken away."
    states.append(("rebuilt", rebuilt(model, data, SHOWN)))
    return Picture("Reconstructions", caption, tiles=side_by_side(states))


def shown(data: Dataset, n: int) -> Array:
    """Return n test samples from all over the test part."""
    return unit_floats(spread(data.x_test, n))


def rebuilt(model: Any, data: Dataset, n: int) -> Array:
    """Return what the model makes of those samples."""
    labels = None if data.y_test is None else spread(data.y_test, n)
    return np.asarray(model.reconstruct(shown(data, n), *model.labels_for(labels)))


def of_codes(model: Any, data: Dataset, drawable: bool) -> Iterator[Picture]:
    """Yield what codes keep of images, and a map of them."""
    if drawable:
        yield reconstructions(model, data)
    yield codes(model, data)


def codes(model: Any, data: Dataset) -> Picture:
    """Return a map of test samples' codes."""
    labels = None if data.y_test is None else np.asarray(data.y_test[:MOST_CODES])
    found = model.transform(np.asarray(data.x_test[:MOST_CODES]), *model.labels_for(labels))
    return map_picture(found, labels, data.class_names)


def loadings(model: Any, names: Sequence[str] = (), made: Array | None = None) -> Picture:
    """Return a linear model's loadings: of images as images, of a table as a heat map.

    ``made`` are images of random factors, which stand below.
    """
    if len(model.data_shape_) == 1:
        plain = [f"x{i}" for i in range(model.data_shape_[0])]
        known = names or [*vars(model).get("feature_names_in_", plain)]
        return loadings_picture(model.loadings_, known)
    images = model.loadings_.T.reshape(-1, *model.data_shape_)
    largest = np.abs(images).max(axis=tuple(range(1, images.ndim)), keepdims=True)
    scaled = 0.5 + 0.5 * images / np.where(largest > 0, largest, 1)
    caption = "Each column of Λ, scaled to its largest value: grey is 0, white and black ±1."
    if made is None:
        return Picture("Loadings", caption, tiles=tiles(scaled, A_ROW))
    caption += f" Below, {len(made)} draws of the factors, z ~ N(0, Φ), as Λz + μ, without noise."
    parts = [_in_rows(thumbnails(part), A_ROW) for part in (scaled, made)]
    labels = [
        name if i == 0 else "" for name, p in zip(("Λ", "Λz + μ"), parts) for i in range(len(p))
    ]
    shown = Tiles((*parts[0], *parts[1]), _size(images), tuple(labels), len(parts[0]))
    return Picture("Loadings", caption, tiles=shown)
