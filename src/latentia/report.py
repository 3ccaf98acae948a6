"""One self-contained HTML page: no script, no request, every number's definition one click away."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from latentia.files import write_atomically
from latentia.metrics.definitions import DEFINITIONS


@dataclass(frozen=True)
class Picture:
    """A PNG with its title and caption."""

    title: str
    caption: str
    png: bytes

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()


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
    """The whole page.

    Attributes
    ----------
    title, subtitle
        Text at the top.
    facts
        Short labelled facts: data, machine, versions.
    sections
        One for each model.
    notes
        Sentences below the table.
    """

    title: str
    subtitle: str
    facts: Mapping[str, str]
    sections: tuple[ModelSection, ...]
    notes: tuple[str, ...] = ()


def write_report(path: Path, report: Report) -> Path:
    """Write the page, whole or not at all, and return its path.

    Raises
    ------
    KeyError
        If a section reports a number that `DEFINITIONS` does not define.
    """
    keys = [key for key in DEFINITIONS if any(key in s.metrics for s in report.sections)]
    unknown = {key for section in report.sections for key in section.metrics} - set(DEFINITIONS)
    if unknown:
        raise KeyError(f"no definition for {sorted(unknown)} in latentia.metrics.definitions")
    environment = Environment(
        loader=PackageLoader("latentia"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["number"] = format_number
    page = environment.get_template("report.html").render(
        report=report,
        definitions=[DEFINITIONS[key] for key in keys],
        best={key: _best(key, report.sections) for key in keys},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, page.encode())
    return path


def format_number(value: float) -> str:
    """Return a number as a person would write it.

    >>> format_number(13.8662), format_number(1234567.0), format_number(0.98765)
    ('13.87', '1,234,567', '0.988')
    """
    if not math.isfinite(value):
        return "∞" if value > 0 else "–∞"
    if float(value).is_integer() and abs(value) < 1e12:
        return f"{value:,.0f}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.4g}"


def _best(key: str, sections: tuple[ModelSection, ...]) -> float | None:
    """Return the best value of a column, where one direction is better and models compete."""
    values = [section.metrics[key] for section in sections if key in section.metrics]
    if len(values) < 2 or DEFINITIONS[key].better == "neither":
        return None
    return min(values) if DEFINITIONS[key].better == "lower" else max(values)
