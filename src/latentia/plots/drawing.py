"""Small SVG drawings for pages: curves, maps, bars and heat maps in the page's own colours.

Grounds, letters and lines take their colours from the style sheet's tokens, so that one drawing
serves light, dark and print. A drawing is 280 units wide, its letters 13 units high.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 280, 220
RIGHT, TOP, BOTTOM = 6, 8, 40
LETTER = 7.4
"""Width of a figure or a letter, on average."""
MOST_GRID = 4
LONG = 6
"""Letters of a number beyond which it is written with a power of ten, if that is shorter."""
SERIES = ("--fig1", "--fig2", "--fig3", "--fig4", "--c6", "--c9", "--c5", "--c7")
CLASSES = tuple(f"--c{i}" for i in range(10))


@dataclass
class Frame:
    """Axes with a grid, to draw in: data in, units of the drawing out."""

    x: tuple[float, float]
    y: tuple[float, float]
    x_label: str = ""
    y_label: str = ""
    height: int = HEIGHT
    percent: bool = False
    whole_x: bool = False
    """Whether only whole numbers stand at the x axis."""
    lines_of_x: bool = False
    parts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Draw the grid, its numbers and the labels."""
        marks = ticks(*self.y)
        names = percentages(marks) if self.percent else numbers(marks)
        self.left = 12 + LETTER * max(map(len, names), default=0) + (14 if self.y_label else 0)
        bottom = self.height - BOTTOM
        for mark, name in zip(marks, names, strict=True):
            y = self.to_y(mark)
            self.parts.append(_path("grid", f"M{self.left:.0f} {y:.1f}H{WIDTH - RIGHT}"))
            self.text(self.left - 6, y + 4, name, anchor="end")
        marks = [m for m in ticks(*self.x) if not self.whole_x or float(m).is_integer()]
        for mark, name in zip(marks, numbers(marks), strict=True):
            x = self.to_x(mark)
            if self.lines_of_x:
                self.parts.append(_path("grid", f"M{x:.1f} {TOP}V{bottom}"))
            inside = min(x, WIDTH - LETTER * len(name) / 2)
            self.text(inside, bottom + 17, name)
        middle = (self.left + WIDTH - RIGHT) / 2
        self.text(middle, self.height - 5, self.x_label)
        if self.y_label:
            y = (TOP + bottom) / 2
            turned = f' transform="rotate(-90 11 {y:.0f})"'
            self.text(11, y, self.y_label, more=turned)

    def to_x(self, value: float) -> float:
        """Return where a value stands from the left."""
        low, high = self.x
        return self.left + (value - low) / ((high - low) or 1) * (WIDTH - RIGHT - self.left)

    def to_y(self, value: float) -> float:
        """Return where a value stands from the top."""
        low, high = self.y
        return TOP + (high - value) / ((high - low) or 1) * (self.height - TOP - BOTTOM)

    def text(
        self, x: float, y: float, words: str, *, anchor: str = "middle", more: str = ""
    ) -> None:
        """Write words."""
        if words:
            place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
            self.parts.append(f"<text {place}{more}>{escape(words)}</text>")

    def line(self, x: Sequence[float], y: Sequence[float], colour: str, *, dashed: bool) -> None:
        """Draw a curve, broken where it leaves the frame or is no number; one point is a dot."""
        low, high = self.y
        pieces, pen = list[str](), "M"
        for a, b in zip(x, y, strict=True):
            if math.isfinite(b) and low <= b <= high:
                pieces.append(f"{pen}{self.to_x(a):.1f} {self.to_y(b):.1f}")
                pen = "L"
            else:
                pen = "M"
        if len(pieces) == 1:
            self.dots(x, y, colour, size=7)
        elif pieces:
            kind = "l v" if dashed else "l"
            self.parts.append(
                f'<path class="{kind}" stroke="var({colour})" d="{"".join(pieces)}"/>'
            )

    def dots(
        self, x: Iterable[float], y: Iterable[float], colour: str, *, size: float = 4.5
    ) -> None:
        """Draw a dot for each point within the frame."""
        low, high = self.y
        d = "".join(
            f"M{self.to_x(a):.1f} {self.to_y(b):.1f}h0"
            for a, b in zip(x, y, strict=True)
            if math.isfinite(b) and low <= b <= high
        )
        style = f'stroke-width="{size:g}" stroke-linecap="round" opacity=".8"'
        self.parts.append(f'<path stroke="var({colour})" {style} d="{d}"/>')

    def bar(self, x: float, width: float, y: float, colour: str) -> None:
        """Draw a bar from 0, its middle at x."""
        left, right = self.to_x(x - width / 2), self.to_x(x + width / 2)
        top, foot = sorted((self.to_y(y), self.to_y(0)))
        shape = f'x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}"'
        self.parts.append(f'<rect fill="var({colour})" {shape} height="{foot - top:.1f}"/>')

    def tag(self, x: float, y: float, words: str) -> None:
        """Write a name on the drawing, with a halo, within its width."""
        half = LETTER * len(words) / 2
        place = min(max(self.to_x(x), half), WIDTH - half)
        self.text(place, self.to_y(y) + 5, words, more=' class="tag"')

    def svg(self, finding: str) -> str:
        """Return the drawing, which says what is to be seen in it."""
        return svg(self.parts, self.height, finding)


def svg(parts: Iterable[str], height: float, finding: str, width: float = WIDTH) -> str:
    """Return parts as one drawing, which says what is to be seen in it."""
    box = f'viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(finding)}"'
    return f'<svg class="plot" {box}>{"".join(parts)}</svg>'


def _path(kind: str, d: str) -> str:
    return f'<path class="{kind}" d="{d}"/>'


def ticks(low: float, high: float, most: int = MOST_GRID) -> list[float]:
    """Return at most so many round numbers within a range.

    >>> ticks(0, 71), ticks(-31.2, 12), ticks(0.0, 1.0)
    ([0.0, 20.0, 40.0, 60.0], [-20.0, 0.0], [0.0, 0.5, 1.0])
    """
    if not high > low:
        return [low]
    unit = 10.0 ** math.floor(math.log10((high - low) / most))
    for step in (unit * f for f in (1, 2, 2.5, 5, 10, 20, 25, 50)):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            break
    return [i * step + 0.0 for i in range(first, last + 1)]


def numbers(values: Sequence[float]) -> list[str]:
    """Return numbers of an axis, each with as many places as their distance asks.

    >>> numbers([-1.0, -0.5, 0.0]), numbers([0.0, 2000.0]), numbers([0.0, 5e6])
    (['−1.0', '−0.5', '0.0'], ['0', '2,000'], ['0', '5e6'])
    """
    largest = max(map(abs, values), default=0) or 1
    step = float(min(np.diff(values), default=largest))
    places = max(0, next(p for p in range(-9, 12) if p == 11 or math.isclose(step, round(step, p))))
    plain = [f"{v:,.{places}f}" for v in values]
    digits = max(0, math.ceil(math.log10(largest / step) - 1e-9))
    powers = [_power(v, digits) for v in values]
    shorter = max(map(len, plain), default=0) > LONG and max(map(len, powers)) < max(
        map(len, plain)
    )
    return [name.replace("-", "−") for name in (powers if shorter else plain)]


def _power(value: float, places: int) -> str:
    digits, _, power = f"{value:.{places}e}".partition("e")
    return f"{digits.rstrip('0').rstrip('.')}e{int(power)}" if value else "0"


def percentages(shares: Sequence[float]) -> list[str]:
    """Return shares in percent, with a no-break space."""
    return [f"{share:.0%}".replace("%", "\u00a0%") for share in shares]


def padded(values: NDArray[Any], margin: float = 0.04) -> tuple[float, float]:
    """Return the range of finite values and a little more."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    more = margin * (high - low) or abs(high) * margin or 1.0
    return low - more, high + more
