"""One self-contained HTML page: no script, no request, every number's definition one click away."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from latentia.files import write_atomically
from latentia.metrics.definitions import DEFINITIONS, Definition


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
    definitions
        Of every number that the sections may report.
    """

    title: str
    subtitle: str
    facts: Mapping[str, str]
    sections: tuple[ModelSection, ...]
    notes: tuple[str, ...] = ()
    definitions: Mapping[str, Definition] = field(default_factory=lambda: DEFINITIONS)


def write_report(path: Path, report: Report) -> Path:
    """Write the page, whole or not at all, and return its path.

    Raises
    ------
    KeyError
        If a section reports a number that is not defined.
    """
    known = report.definitions
    keys = [key for key in known if any(key in s.metrics for s in report.sections)]
    unknown = {key for section in report.sections for key in section.metrics} - set(known)
    if unknown:
        raise KeyError(f"no definition for {sorted(unknown)} among the report's definitions")
    page = template("report.html").render(
        report=report,
        definitions=[known[key] for key in keys],
        best={key: _best(known[key], report.sections) for key in keys},
    )
    return write_page(path, page)


def template(name: str) -> Template:
    """Return one of the package's templates, which escapes all that it is given."""
    environment = Environment(
        loader=PackageLoader("latentia"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = format_number
    return environment.get_template(name)


def write_page(path: Path, page: str) -> Path:
    """Write HTML, whole or not at all, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Names of files may hold bytes that are no text.
    write_atomically(path, page.encode(errors="replace"))
    return path


def format_number(value: float) -> str:
    """Return a number as a person would write it.

    >>> format_number(13.8662), format_number(1234567.0), format_number(0.98765)
    ('13.87', '1.23 M', '0.988')
    >>> format_number(-10.9), format_number(42.0), format_number(0.0000123)
    ('−10.90', '42', '1.2e−05')
    """
    if math.isnan(value):
        return "undefined"
    return ("−" if value < 0 else "") + _digits(abs(float(value)))


def _digits(size: float) -> str:
    if math.isinf(size):
        return "∞"
    if size >= 1e6:
        return f"{size / 1e6:,.2f} M"
    if size.is_integer() or size >= 1000:
        return f"{size:,.0f}"
    if size >= 100:
        return f"{size:.1f}"
    if size >= 1:
        return f"{size:.2f}"
    return f"{size:.3f}" if size >= 0.001 else f"{size:.1e}".replace("-", "−")


def _best(column: Definition, sections: tuple[ModelSection, ...]) -> float | None:
    """Return the best value of a column, where one direction is better and models compete."""
    key = column.key
    values = [section.metrics[key] for section in sections if key in section.metrics]
    known = [value for value in values if not math.isnan(value)]
    if len(known) < 2 or column.better == "neither":
        return None
    return min(known) if column.better == "lower" else max(known)
