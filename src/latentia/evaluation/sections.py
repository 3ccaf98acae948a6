"""One model's section of a report: its pictures, its curves, its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from latentia.data import Dataset
from latentia.data.specimens import drawn, first_labels
from latentia.evaluation.image_tasks import task_of
from latentia.evaluation.memorisation import (
    Memorisation,
    draws_pictures,
    is_asked_of,
    memorisation_check,
)
from latentia.evaluation.report import ModelSection
from latentia.models.base import unit_floats
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.fields import model_reference, model_summary
from latentia.plots.curves import loss_curves
from latentia.plots.grids import png, rows, tile
from latentia.plots.latent import latent_map, spectrum
from latentia.plots.page import Picture
from latentia.plots.style import png_bytes
from latentia.training.run import read_metrics

MOST_CODES = 2_000
MOST_CLASSES = 10
COLUMNS = 16


def model_section(
    model: Any,
    data: Dataset,
    run: Path,
    metrics: dict[str, float],
    notes: tuple[str, ...] = (),
) -> ModelSection:
    """Return what the report shows of a fitted model whose run lies in ``run``."""
    name = type(model).__name__
    copies = memorisation_check(model, data) if is_asked_of(model, data) else None
    return ModelSection(
        name=name,
        summary=model_summary(name),
        reference=model_reference(name),
        parameters=model.get_params(),
        metrics=metrics,
        pictures=tuple(_pictures(model, data, run, copies)),
        notes=(
            *notes,
            *(model.findings() if isinstance(model, FactorAnalysis) else ()),
            *_health(read_metrics(run)),
            *(str(copies).splitlines() if copies else ()),
        ),
    )


def _health(records: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what the last checkup of a run found to be wrong."""
    checkups = [record for record in records if record["split"] == "health"]
    if checkups and "note" in checkups[-1]:
        yield f"After epoch {checkups[-1]['epoch']}, {checkups[-1]['note']}."


def _pictures(
    model: Any,
    data: Dataset,
    run: Path,
    copies: Memorisation | None,
) -> Iterator[Picture]:
    is_image = draws_pictures(data)
    if is_image and hasattr(model, "sample"):
        yield _samples(model, data)
    if copies is not None:
        caption = "Samples that nobody selected, each above the training image nearest to it."
        yield Picture("Nearest training images", caption, png_bytes(copies.figure()))
    if is_image and hasattr(model, "loadings_"):
        yield from factor_pictures(model)
    task = task_of(model)
    if task is not None:
        yield from task.pictures(model, data)
    else:
        yield from _latent_pictures(model, data)
    if hasattr(model, "explained_variance_ratio_"):
        figure = spectrum(model.explained_variance_ratio_)
        yield Picture("Spectrum", "Share of the variance along each component.", png_bytes(figure))
    records = read_metrics(run)
    if records:
        caption = "Mean over each epoch, on training data and on held-out data."
        yield Picture("Loss curves", caption, png_bytes(loss_curves(records)))


def _latent_pictures(model: Any, data: Dataset) -> Iterator[Picture]:
    if draws_pictures(data) and hasattr(model, "reconstruct"):
        yield _reconstructions(model, data)
    if hasattr(model, "transform"):
        yield _latent_map(model, data)


def _samples(model: Any, data: Dataset) -> Picture:
    if not hasattr(model, "classes_"):
        samples = tile(drawn(model, data, 64, 0), n_columns=16)
        return Picture("Samples", "64 draws from the prior, decoded.", png(samples))
    classes = np.repeat(model.classes_[:MOST_CLASSES], COLUMNS)
    samples = model.sample(len(classes), random_state=0, y=classes)
    return Picture("Samples", "A row of draws for each class.", png(tile(samples, COLUMNS)))


def _reconstructions(model: Any, data: Dataset) -> Picture:
    x = unit_floats(np.asarray(data.x_test[:10]))
    shown = [("original", x)]
    caption = "Ten test images and what the latent space keeps of them."
    if hasattr(model, "add_noise"):
        noisy = model.add_noise(x, random_state=0)
        shown += [("noisy", noisy), ("denoised", model.reconstruct(noisy))]
        caption = "Ten test images, the same with noise, and with the noise taken away."
    shown.append(("reconstructed", model.reconstruct(x, *first_labels(model, data, 10))))
    return Picture("Reconstructions", caption, png(rows(shown)))


def factor_pictures(model: Any) -> Iterator[Picture]:
    """Yield a linear model's loadings as images, and images made of random factors."""
    shape = model.data_shape_
    loadings = model.loadings_.T.reshape(-1, *shape)
    largest = np.abs(loadings).max(axis=tuple(range(1, loadings.ndim)), keepdims=True)
    shown = 0.5 + 0.5 * loadings / np.where(largest > 0, largest, 1)
    caption = "Each column of Λ, scaled to its largest value: grey is 0, white and black ±1."
    yield Picture("Loadings", caption, png(tile(shown, n_columns=10)))
    if hasattr(model, "score_samples"):
        made = model.sample(10, random_state=0, noise=False)
        caption = "Ten draws of the factors, z ~ N(0, Φ), as Λz + μ: the mean added, no noise."
        yield Picture("From random factors", caption, png(tile(made, n_columns=10)))


def _latent_map(model: Any, data: Dataset) -> Picture:
    shown = np.asarray(data.x_test[:MOST_CODES])
    codes = model.transform(shown, *first_labels(model, data, MOST_CODES))
    labels = None if data.y_test is None else np.asarray(data.y_test[:MOST_CODES])
    figure = latent_map(codes, labels, data.class_names)
    caption = "Codes of test samples" + ("." if labels is None else ", coloured by class.")
    return Picture("Latent map", caption, png_bytes(figure))
