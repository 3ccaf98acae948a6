"""Runs beside each other: one table of their figures, one strip of what they drew."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from latentia.errors import InputError
from latentia.evaluation.model_section import ModelSection
from latentia.evaluation.report import Row, rows_by_subject
from latentia.metrics.definitions import DEFINITIONS
from latentia.pages import provenance
from latentia.studio.map import PLACES
from latentia.studio.queue import Shown, config_of
from latentia.studio.rendering import Studio, show, studio_of
from latentia.studio.runs import frames

router = APIRouter()
MOST = 8
"""Runs that are compared at once: more do not stand side by side."""


@dataclass(frozen=True)
class Compared:
    """A run in a comparison."""

    shown: Shown
    title: dict[str, str]
    frame: str
    """Its last picture, or nothing."""
    figures: dict[str, float]
    plays: bool
    """Whether it has a model, and so a live page."""


@router.get("/compare")
def compare(request: Request, run: Annotated[Sequence[str], Query()] = ()) -> HTMLResponse:
    """Show the runs to choose from, and those that were chosen beside each other."""
    studio = studio_of(request)
    everything = studio.queue.shown()
    known = {shown.name: shown for shown in everything}
    chosen = [compared(studio, known[name]) for name in dict.fromkeys(run) if name in known]
    if len(chosen) > MOST:
        raise InputError(f"{len(chosen)} runs do not stand side by side: choose up to {MOST}")
    given = {
        "all": everything,
        "chosen": chosen,
        "names": [each.shown.name for each in chosen],
        "rows": table(chosen),
        "live": [each.shown.name for each in chosen if each.plays] if len(chosen) == 2 else [],
        "datas": {learnt_from(studio, each.shown.name) for each in chosen},
    }
    return show(request, "compare.html", given)


def compared(studio: Studio, shown: Shown) -> Compared:
    """Return what is compared of a run."""
    run = studio.folder.run(shown.name)
    pictures = frames(run)
    place = PLACES.get(shown.model)
    title = place.full if place else dict.fromkeys(("en", "ko"), shown.model)
    return Compared(
        shown,
        title,
        frame=pictures[-1] if pictures else "",
        figures=figures(studio, shown.name),
        plays=(run / "model" / "config.json").is_file(),
    )


def learnt_from(studio: Studio, name: str) -> str:
    """Return what a run learnt from, so that other data of that name are told apart."""
    data = config_of(studio.folder.run(name)).get("data")
    return str(data.get("hash", data.get("spec"))) if isinstance(data, dict) else ""


def figures(studio: Studio, name: str) -> dict[str, float]:
    """Return the figures of a finished run."""
    try:
        _, found = provenance.recorded(studio.folder.run(name))
    except (InputError, OSError, ValueError):
        return {}
    return {k: v for k, v in found.items() if k in DEFINITIONS and math.isfinite(v)}


def table(chosen: Sequence[Compared]) -> dict[str, list[Row]]:
    """Return the rows of the report's own table, by subject; the best marked by its rules."""
    sections = [
        ModelSection(each.shown.name, "", "", {}, each.figures, (), encodes=True) for each in chosen
    ]
    return rows_by_subject(sections) if sections else {}
