"""What a report shows of a fitted model: samples, reconstructions, its codes, its loadings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from latentia.data.dataset import Array, Dataset
from latentia.models.inputs import unit_floats
from latentia.plots.grids import png, rows, tile
from latentia.plots.latent import latent_map, spectrum
from latentia.plots.page import Picture
from latentia.plots.style import png_bytes

MOST_CODES = 2_000
MOST_CLASSES = 10
COLUMNS = 16


def samples(model: Any, data: Dataset) -> Picture:
    """Return draws that nobody selected."""
    drawn = model.drawn_for(data, 64, 0)
    caption = "64 draws from the prior, decoded."
    return Picture("Samples", caption, png(tile(drawn, COLUMNS)))


def samples_of_each(model: Any, classes: Mapping[str, Any]) -> Picture:
    """Return draws of up to ten classes, which have names."""
    shown = dict(list(classes.items())[:MOST_CLASSES])
    asked = np.repeat(list(shown.values()), COLUMNS)
    drawn = model.sample(len(asked), random_state=0, y=asked)
    caption = f"A row of draws for each class: {', '.join(shown)}."
    return Picture("Samples", caption, png(tile(drawn, COLUMNS)))


def reconstructions(model: Any, data: Dataset) -> Picture:
    """Return test images above what the latent space keeps of them."""
    x = unit_floats(np.asarray(data.x_test[:10]))
    shown, damaged = [("original", x)], model.damaged(x)
    caption = "Ten test images and what the latent space keeps of them."
    if damaged is not None:
        shown += [("noisy", damaged), ("denoised", model.reconstruct(damaged))]
        caption = "Ten test images, the same with noise, and with the noise taken away."
    labels = None if data.y_test is None else np.asarray(data.y_test[:10])
    shown.append(("reconstructed", model.reconstruct(x, *model.labels_for(labels))))
    return Picture("Reconstructions", caption, png(rows(shown)))


def codes(model: Any, data: Dataset) -> Picture:
    """Return a map of test samples' codes."""
    labels = None if data.y_test is None else np.asarray(data.y_test[:MOST_CODES])
    found = model.transform(np.asarray(data.x_test[:MOST_CODES]), *model.labels_for(labels))
    figure = latent_map(found, labels, data.class_names)
    caption = "Codes of test samples" + ("." if labels is None else ", coloured by class.")
    return Picture("Latent map", caption, png_bytes(figure))


def loadings(model: Any) -> Picture:
    """Return a linear model's loadings as images."""
    images = model.loadings_.T.reshape(-1, *model.data_shape_)
    largest = np.abs(images).max(axis=tuple(range(1, images.ndim)), keepdims=True)
    shown = 0.5 + 0.5 * images / np.where(largest > 0, largest, 1)
    caption = "Each column of Λ, scaled to its largest value: grey is 0, white and black ±1."
    return Picture("Loadings", caption, png(tile(shown, n_columns=10)))


def random_factors(model: Any) -> Picture:
    """Return images made of a linear model's factors alone."""
    made = model.sample(10, random_state=0, noise=False)
    caption = "Ten draws of the factors, z ~ N(0, Φ), as Λz + μ: the mean added, no noise."
    return Picture("From random factors", caption, png(tile(made, n_columns=10)))


def variances(shares: Array) -> Picture:
    """Return principal components' shares of the variance."""
    caption = "Share of the variance along each component."
    return Picture("Spectrum", caption, png_bytes(spectrum(shares)))
