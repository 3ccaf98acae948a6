"""A table of the APA as a record: text with italics, cells that know how they are printed.

No zero stands before the point of what cannot exceed 1, such as a correlation or a probability
(section 6.36); statistics by Latin letters are in italics, Greek letters are not (6.44).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from matplotlib.figure import Figure as Drawing

from latentia.plots.style import png_bytes, svg, svg_file

Kind = Literal["words", "bounded", "number", "count", "degrees", "percent", "p"]
"""Words; at most 1 in size; any number; a count, its thousands apart; degrees of freedom, or a
place; percent; a probability."""
NONE = "—"
"""Stands where there is no value."""
LEAST_P, MOST_P = 0.001, 0.999
MARKED = re.compile(r"(\*[^*]+\*|\{\w+\})")


@dataclass(frozen=True)
class Run:
    """Words of one slope."""

    text: str
    italic: bool = False


Styled = tuple[Run, ...]


def styled(words: str, values: Mapping[str, str | Styled] | None = None) -> Styled:
    """Return words of our own, in which ``*N*`` is italic, and ``{name}`` is one of some values.

    A value is text whatever it holds, or styled already.

    Examples
    --------
    >>> styled("*N* = {n}", {"n": "12*3*"})
    (Run(text='N', italic=True), Run(text=' = 12*3*', italic=False))
    """
    runs = list[Run]()
    for piece in MARKED.split(words):
        if piece.startswith("{"):
            value = (values or {})[piece[1:-1]]
            runs += [Run(value)] if isinstance(value, str) else value
        else:
            runs.append(Run(piece.strip("*"), piece.startswith("*")))
    return joined([(run,) for run in runs if run.text])


def joined(texts: Iterable[Styled], between: str = "") -> Styled:
    """Return styled texts as one, neighbours of one slope together."""
    runs = [run for text in texts for run in (Run(between), *text) if run.text]
    runs = runs[1:] if between else runs
    grouped = groupby(runs, key=lambda run: run.italic)
    return tuple(Run("".join(run.text for run in runs), slope) for slope, runs in grouped)


def plain(text: Styled) -> str:
    """Return styled text without its slopes."""
    return "".join(run.text for run in text)


@dataclass(frozen=True)
class Cell:
    """Words, or a number and how it is printed; NaN is a dash."""

    value: float | str
    kind: Kind = "words"
    digits: int = 2
    bold: bool = False

    @property
    def is_number(self) -> bool:
        """Whether it holds a number that is there."""
        return not isinstance(self.value, str) and not math.isnan(self.value)

    @property
    def text(self) -> str:
        """What is printed."""
        if isinstance(self.value, str):
            return one_line(self.value)
        if math.isnan(self.value):
            return NONE
        if self.kind == "bounded":
            return bounded(self.value, self.digits)
        if self.kind == "p":
            return probability(self.value).removeprefix("= ")
        if self.kind in ("count", "degrees"):
            return f"{self.value:,.0f}" if self.kind == "count" else f"{self.value:.0f}"
        return number(self.value, self.digits)


def bounded(value: float, digits: int = 2) -> str:
    """Return a number that cannot exceed 1, without the zero before its point.

    Examples
    --------
    >>> bounded(-0.304), bounded(0.999, 2), bounded(-0.001)
    ('−.30', '1.00', '.00')
    """
    return re.sub(r"^(−?)0\.", r"\1.", number(value, digits))


def number(value: float, digits: int = 2) -> str:
    """Return a number with thousands apart and a sign of minus, or a dash for NaN."""
    return NONE if math.isnan(value) else f"{float(value):z,.{digits}f}".replace("-", "−")


def probability(value: float) -> str:
    """Return what stands after *p*, such as ``= .032`` or ``< .001``."""
    if math.isnan(value):
        return f"= {NONE}"
    if value < LEAST_P:
        return "< .001"
    return "> .999" if value > MOST_P else f"= {bounded(value, 3)}"


def one_line(text: str) -> str:
    """Return words on one line, composed, without what cannot be printed."""
    clean = unicodedata.normalize("NFC", text)
    return "".join(c if c.isprintable() else " " for c in clean)


@dataclass(frozen=True)
class Column:
    """A column's title, and the one that it shares with its neighbours, if there is one."""

    title: Styled
    under: Styled = ()


Row = tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """A table by the rules of the APA, which knows nothing of what it tells.

    Attributes
    ----------
    name
        Letters that a label or a file may have, such as ``loadings``.
    title, note
        Above and below it.
    columns
        The first one names the rows.
    rows, totals
        As many cells as there are columns; a rule stands between the two.
    """

    name: str
    title: Styled
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: Styled = ()
    totals: tuple[Row, ...] = ()

    def spans(self) -> tuple[tuple[Styled, int], ...]:
        """Return titles above several columns with their number of columns, or nothing."""
        if not any(column.under for column in self.columns):
            return ()
        grouped = groupby(self.columns, key=lambda column: column.under)
        return tuple((under, len(list(columns))) for under, columns in grouped)


@dataclass(frozen=True, eq=False)
class Figure:
    """A drawing with its title and note; it is made a picture of where it is asked for."""

    name: str
    title: Styled
    note: Styled
    drawing: Drawing

    @property
    def svg(self) -> str:
        """An inline SVG in a page's colours."""
        return svg(self.drawing, plain(self.title))

    @property
    def svg_file(self) -> bytes:
        """A file of SVG whose letters are drawn."""
        return svg_file(self.drawing)

    @property
    def png(self) -> bytes:
        """A PNG."""
        return png_bytes(self.drawing)

    @property
    def inches(self) -> tuple[float, float]:
        """Width and height."""
        width, height = self.drawing.get_size_inches()
        return float(width), float(height)


@dataclass(frozen=True)
class Paragraph:
    """A heading and a paragraph in one language."""

    language: str
    heading: str
    text: Styled


@dataclass(frozen=True)
class Document:
    """Tables, paragraphs and figures; ``words`` are "Table", "Figure" and "Note." in a language."""

    title: str
    language: str
    words: Mapping[str, str]
    tables: tuple[Table, ...]
    paragraphs: tuple[Paragraph, ...] = ()
    figures: tuple[Figure, ...] = ()
    left_out: tuple[str, ...] = ()
    """What it lacks, and why, a sentence each."""

    def numbered(self) -> Iterator[tuple[str, Table]]:
        """Yield "Table 1" with the first table, and so on."""
        for place, table in enumerate(self.tables, start=1):
            yield self.words["table"].format(number=place), table

    def numbered_figures(self) -> Iterator[tuple[str, Figure]]:
        """Yield "Figure 1" with the first figure, and so on."""
        for place, figure in enumerate(self.figures, start=1):
            yield self.words["figure"].format(number=place), figure
