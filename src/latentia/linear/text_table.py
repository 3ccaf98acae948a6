"""Tables as aligned text, where Hangul are two columns wide."""

from __future__ import annotations

import math
import textwrap
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

WIDTH = 100


@dataclass(frozen=True)
class Table:
    """Cells as text; without a header, labels and what they stand for."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def __str__(self) -> str:
        """Return aligned lines, the title first and the note last."""
        cells = [row for row in (self.header, *self.rows) if row]
        widths = [max(map(text_width, column)) for column in zip(*cells)]
        notes = [wrapped(line) for line in self.note.splitlines()]
        return "\n".join([self.title, *(self._line(row, widths) for row in cells), *notes])

    def _line(self, row: tuple[str, ...], widths: list[int]) -> str:
        gaps = [" " * (width - text_width(cell)) for cell, width in zip(row, widths)]
        aligned = [gap + cell if self.header else cell for cell, gap in zip(row[1:], gaps[1:])]
        return "  ".join([row[0] + gaps[0], *aligned]).rstrip()


def number(value: float, digits: int) -> str:
    """Return a number, or – for NaN."""
    return "–" if math.isnan(value) else f"{float(value):z.{digits}f}"


def numbers(values: Iterable[float], digits: int) -> str:
    """Return numbers with commas between them."""
    return ", ".join(number(value, digits) for value in values)


def chi_square_test(chi_square: float, dof: int, p_value: float) -> str:
    """Return a test's χ², degrees of freedom and p-value, the last to three digits."""
    p = "= –" if math.isnan(p_value) else f"= {p_value:.3g}" if p_value > 0 else "< 1e-300"
    return f"{number(chi_square, 2)}, dof {dof}, p {p}"


def text_width(text: str) -> int:
    """Return how many columns a terminal takes: Hangul two each, accents that combine none."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


def cut(name: str, width: int) -> str:
    """Return a name on one line, composed, and cut with … to a width in columns."""
    clean = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", name))
    if text_width(clean) <= width:
        return clean
    while text_width(clean) >= width:
        clean = clean[:-1]
    return clean + "…"


def wrapped(text: str) -> str:
    """Return a sentence in lines of at most `WIDTH` columns."""
    # textwrap counts characters; a line holds no more wide ones than the whole sentence.
    width = max(WIDTH // 2, WIDTH - text_width(text) + len(text))
    return textwrap.fill(text, width, subsequent_indent="  ", break_on_hyphens=False)
