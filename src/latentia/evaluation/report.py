"""One self-contained HTML page: no script, no request, every number's definition one click away."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from latentia.metrics.definitions import DEFINITIONS, Definition
from latentia.plots.page import Picture, template, write_page


@dataclass(frozen=True)
class ModelSection:
    """One model's part of the report."""

    name: str
    summary: str
    reference: str
    parameters: Mapping[str, object]
    metrics: Mapping[str, float]
    pictures: tuple[Picture, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """The whole page: labelled facts (data, versions), a section a model, notes below the table."""

    title: str
    subtitle: str
    facts: Mapping[str, str]
    sections: tuple[ModelSection, ...]
    notes: tuple[str, ...] = ()


def write_report(path: Path, report: Report) -> Path:
    """Write the page, whole or not at all; every number in it must have a definition."""
    known = DEFINITIONS
    keys = [key for key in known if any(key in s.metrics for s in report.sections)]
    unknown = {key for section in report.sections for key in section.metrics} - set(known)
    if unknown:
        raise KeyError(f"no definition for {sorted(unknown)}")
    page = template("report.html").render(
        report=report,
        definitions=[known[key] for key in keys],
        best={key: _best(known[key], report.sections) for key in keys},
    )
    return write_page(path, page)


def _best(column: Definition, sections: tuple[ModelSection, ...]) -> float | None:
    """Return the best value of a column, where one direction is better and models compete."""
    key = column.key
    values = [section.metrics[key] for section in sections if key in section.metrics]
    known = [value for value in values if not math.isnan(value)]
    if len(known) < 2 or column.better == "neither":
        return None
    return min(known) if column.better == "lower" else max(known)
