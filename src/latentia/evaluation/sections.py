"""One model's section of a report: what it shows of itself, and what its run recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from latentia.data.dataset import Dataset
from latentia.evaluation.memorisation import is_asked_of, memorisation_check
from latentia.evaluation.report import ModelSection
from latentia.models.base import Model
from latentia.models.fields import reference_of, summary_of
from latentia.models.measures import left_out
from latentia.models.own_parts import recorded
from latentia.plots.curves import loss_curves
from latentia.plots.page import Picture
from latentia.plots.style import png_bytes
from latentia.training.metrics_file import read_metrics


def model_section(
    model: Model,
    data: Dataset,
    run: Path,
    metrics: Mapping[str, float],
    notes: tuple[str, ...] = (),
) -> ModelSection:
    """Return what the report shows of a fitted model whose run lies in ``run``."""
    name, records = type(model).__name__, read_metrics(run) if model.resumable else []
    pictures, found = list[Picture](), [*notes, *model.findings(data)]
    with left_out("pictures"):
        pictures.extend(model.pictures(data))
    found += _health(records)
    if is_asked_of(model, data):
        with left_out("the search for copies"):
            copies = memorisation_check(model, data)
            caption = "Samples that nobody selected, each above the training image nearest to it."
            picture = png_bytes(copies.figure())
            pictures.append(Picture("Nearest training images", caption, picture))
            found += str(copies).splitlines()
    if records:
        kind = "text" if data.unit == "characters" else "data"
        caption = f"Mean over each epoch, on training {kind} and on held-out {kind}."
        pictures.append(Picture("Loss curves", caption, png_bytes(loss_curves(records))))
    return ModelSection(
        name=name,
        summary=summary_of(model),
        reference=reference_of(model),
        parameters=recorded(model),
        metrics=metrics,
        pictures=tuple(pictures),
        notes=tuple(found),
    )


def _health(records: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what the last checkup of a run found to be wrong."""
    checkups = [record for record in records if record["split"] == "health"]
    if checkups and "note" in checkups[-1]:
        yield f"After epoch {checkups[-1]['epoch']}, {checkups[-1]['note']}."
