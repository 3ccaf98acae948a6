"""Pages of HTML: their templates, the pictures in them, and numbers as a person writes them."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from latentia.files import write_atomically

if TYPE_CHECKING:
    from jinja2 import Template


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


def template(name: str) -> Template:
    """Return one of the package's templates, which escapes all that it is given."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("latentia.plots"),
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
