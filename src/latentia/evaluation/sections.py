"""One model's section of a report: what it shows of itself, and what its run recorded."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import latentia
from latentia.data.dataset import Dataset
from latentia.evaluation.memorisation import is_asked_of, memorisation_check
from latentia.evaluation.model_section import ModelSection
from latentia.models import figures
from latentia.models.base import Encoder, LatentModel, Model, Sampler
from latentia.models.fields import reference_of, summary_of
from latentia.models.measures import left_out
from latentia.models.own_parts import told
from latentia.plots.curves import loss_pictures
from latentia.plots.grids import is_drawable, thumbnails
from latentia.plots.page import Picture
from latentia.training.further import THE_BEST, when
from latentia.training.metrics_file import read_metrics

STRIP = 8
"""Images of a strip, the same of every model."""


def model_section(
    model: Model,
    data: Dataset,
    run: Path,
    metrics: Mapping[str, float],
    notes: tuple[str, ...] = (),
) -> ModelSection:
    """Return what the report shows of a fitted model whose run lies in ``run``."""
    records = read_metrics(run) if model.resumable else []
    pictures, more = list[Picture](), list[str]()
    with left_out("pictures"):
        pictures.extend(model.pictures(data))
    if is_asked_of(model, data):
        with left_out("the search for copies"):
            copies = memorisation_check(model, data)
            pictures.append(copies.picture())
            more += str(copies).splitlines()
    if any(record["split"] == "train" and record.get("values") for record in records):
        pictures.extend(loss_pictures(records))
    return ModelSection(
        name=type(model).__name__,
        summary=summary_of(model),
        reference=reference_of(model),
        parameters=told(model),
        metrics=metrics,
        pictures=tuple(pictures),
        notes=(*notes, *_health(records)),
        remarks=(*_kept(model, records), *_precision(model), *model.findings(data)),
        more=tuple(more),
        n_latent=model.n_latent if isinstance(model, LatentModel) else None,
        n_values=math.prod(np.shape(data.x_test)[1:]) if np.ndim(data.x_test) else 0,
        n_classes=len(np.unique(np.asarray(data.y_test))) if data.labelled else 0,
        encodes=isinstance(model, Encoder) and isinstance(model, LatentModel),
        linear=model.linear,
    )


def with_strips(section: ModelSection, model: Model, data: Dataset) -> ModelSection:
    """Return a section with the comparison's test images rebuilt by the model, and its draws."""
    if not is_drawable(data.x_test.shape):
        return section
    with left_out("the strips"):
        if section.encodes:
            back = thumbnails(figures.rebuilt(model, data, STRIP))
            section = replace(section, rebuilt=back)
        if isinstance(model, Sampler):
            n = min(STRIP, len(data.x_test))
            section = replace(section, drawn=thumbnails(model.drawn_for(data, n, 0)))
    return section


def with_live_page(section: ModelSection, model: Model, data: Dataset, run: Path) -> ModelSection:
    """Return a section with the page that runs the model, or a warning why there is none."""
    with left_out("the live model"):
        # Pages stand above reports.
        return replace(section, live=latentia.live_page(model, data, run))
    return section


def strip_of_test(data: Dataset) -> tuple[bytes, ...]:
    """Return the test images that every model rebuilds."""
    return thumbnails(figures.shown(data, STRIP)) if is_drawable(data.x_test.shape) else ()


def _kept(model: Model, records: list[dict[str, Any]]) -> Iterator[str]:
    """Yield why training ended early, or else which epoch's weights were kept as the best."""
    best = vars(model).get("best_epoch_")
    if records and records[-1]["split"] == "end":
        yield f"Training {records[-1]['note']}."
    elif best is not None:
        yield f"The weights kept are those {when(best)}: {THE_BEST}."


def _precision(model: Model) -> Iterator[str]:
    """Yield what the nets computed in as they were trained, if it is not as it always was."""
    taken, asked = vars(model).get("precision_"), model.get_params().get("precision")
    if taken is not None and (taken != "float32" or asked == "auto"):
        found = ", which a probe of the training step found faster" if asked == "auto" else ""
        yield f"The nets were trained in {taken}{found}."


def _health(records: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what the last checkup of a run found to be wrong."""
    checkups = [record for record in records if record["split"] == "health"]
    if checkups and "note" in checkups[-1]:
        yield f"After epoch {checkups[-1]['epoch']}, {checkups[-1]['note']}."
