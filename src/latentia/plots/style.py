"""The look of every figure, with a bundled font that has Hangul."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from importlib import resources
from io import BytesIO, StringIO
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe and Ito's palette, told apart in every common colour blindness.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#444444")
# Petroff's ten colours (arXiv:2107.02270), ordered so that neighbours stay apart for all eyes.
CLASS_COLOURS = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6",
    "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
FONT = "NanumGothic"
INK, LINE = "#333333", "#e6e6e6"
TOKENS = {
    INK: "--ink", LINE: "--line", "#ffffff": "--card", "#000000": "--ink",
    COLOURS[0].lower(): "--fig1", COLOURS[1].lower(): "--fig2",
}  # fmt: skip
"""What a colour is called in a page's style sheet, where dark and print have their own."""


@contextmanager
def style() -> Iterator[None]:
    """Apply the style within a ``with`` block: text falls back from DejaVu Sans to Hangul."""
    _add_font()
    settings: dict[Any, Any] = {
        "font.family": ["DejaVu Sans", FONT],
        # NanumGothic lacks U+2212.
        "axes.unicode_minus": False,
        "font.size": 9,
        "axes.prop_cycle": cycler(color=COLOURS),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.titlesize": 9.5,
        "axes.titlelocation": "left",
        "axes.titlecolor": INK,
        "lines.linewidth": 1.5,
        "axes.axisbelow": True,
        "axes.grid": True,
        "grid.color": LINE,
        "legend.frameon": False,
        # Hinted, small Hangul runs into blots.
        "text.hinting": "none",
        "figure.dpi": 110,
    }
    with mpl.rc_context(settings):
        yield


def _add_font() -> None:
    known = {entry.name for entry in font_manager.fontManager.ttflist}
    if FONT not in known:
        with resources.as_file(resources.files("latentia.plots") / "fonts/NanumGothic.ttf") as path:
            font_manager.fontManager.addfont(str(path))


class ShownFigure(Figure):
    """A figure that a notebook shows, whether or not pyplot is loaded there."""

    def _repr_png_(self) -> bytes:
        return png_bytes(self)


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches, drawn by Agg, never in a window."""
    figure = ShownFigure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def png_bytes(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    stream = BytesIO()
    with style():
        figure.savefig(stream, format="png")
    return stream.getvalue()


def svg_file(figure: Figure) -> bytes:
    """Return a figure as a file of SVG, its letters drawn, so that it needs no font."""
    stream = BytesIO()
    with style(), mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "latentia"}):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def svg(figure: Figure, finding: str) -> str:
    """Return a figure as an inline SVG in a page's own colours and font; a finding names it."""
    stream = StringIO()
    with style(), mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": finding}):
        figure.savefig(stream, format="svg", transparent=True)
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.DOTALL)
    used = set(re.findall(r"#([\w-]+)", text))
    text = re.sub(r"<[^>]*>", lambda tag: _for_page(tag[0], used), text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{escape(finding)}" ', 1).strip()


def _for_page(tag: str, used: set[str]) -> str:
    # Several figures of a page may have parts of the same name.
    tag = re.sub(r' id="(arrow-[\d-]+)"', r' data-part="\1"', tag)
    tag = re.sub(r' id="([^"]*)"', lambda m: m[0] if m[1] in used else "", tag)
    for colour, token in TOKENS.items():
        tag = tag.replace(colour, f"var({token})")
    return re.sub(r"(font: [^;\"]*?px) [^;\"]+|(font-family:)[^;\"]+", r"\1\2 var(--font)", tag)
