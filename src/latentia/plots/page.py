"""Pages of HTML: their templates, the pictures in them, and numbers as a person writes them."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from latentia.files import write_atomically

if TYPE_CHECKING:
    from jinja2 import Environment, Template

PIXELATED, WIDE, NARROW = 32, 48, 5
"""Sides in pixels: up to the first, images keep their pixels when enlarged; of more than the second
rows of more than five take the width of the page."""


@dataclass(frozen=True)
class Tiles:
    """Images of the data, each a PNG of its own size, which the page enlarges; gaps are its own."""

    rows: tuple[tuple[bytes, ...], ...]
    size: tuple[int, int]
    """Width and height of each in pixels."""
    labels: tuple[str, ...] = ()
    """One for each row, or none."""
    block: int = 0
    """Rows that belong together, before a gap; 0 for all."""

    @property
    def n_columns(self) -> int:
        """Images in the longest row."""
        return max(map(len, self.rows))

    @property
    def uris(self) -> list[list[str]]:
        """The images as data URIs, row by row."""
        return [[data_uri(image) for image in row] for row in self.rows]

    @property
    def smooth(self) -> bool:
        """Whether enlarging blurs them: small images keep their pixels."""
        return max(self.size) > PIXELATED

    @property
    def wide(self) -> bool:
        """Whether they need a whole row of the page."""
        return self.n_columns > NARROW and max(self.size) > WIDE


Swatch = tuple[str, str, Literal["line", "dot"]]


@dataclass(frozen=True)
class Drawing:
    """An inline SVG in the colours of the page, with its legend, which stands outside the axes."""

    svg: str
    """Its text is escaped."""
    legend: tuple[Swatch, ...] = ()
    """Labels, each with the name of its colour's token, and the mark that has it."""
    dashed: str = ""
    """What dashed lines are."""
    wide: bool = False
    """Whether it keeps its own size, in a row of its own, since its letters would be too small."""


@dataclass(frozen=True)
class Picture:
    """A figure: tiles, a drawing or a PNG, its title, and a caption that says what to see.

    ``finding`` is read aloud in its place; it is the caption unless there is more to say.
    """

    title: str
    caption: str
    png: bytes = b""
    tiles: Tiles | None = None
    drawing: Drawing | None = None
    finding: str = ""

    @property
    def wide(self) -> bool:
        """Whether it takes a whole row of the page."""
        return any(part is not None and part.wide for part in (self.tiles, self.drawing))

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        return data_uri(self.png)


def data_uri(png: bytes) -> str:
    """Return a PNG as an address that holds it."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def template(name: str) -> Template:
    """Return one of the templates of this package."""
    return templates("latentia.plots").get_template(name)


@cache
def templates(package: str) -> Environment:
    """Return a package's templates, which escape all that they are given, each compiled once."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(number=format_number, data_uri=data_uri)
    return found


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
