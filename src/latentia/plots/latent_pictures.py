"""What a page shows of a latent space: codes, loadings, what each component is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.plots.drawing import CLASSES, LETTER, SERIES, WIDTH, Frame, padded, svg
from latentia.plots.latent import SHORT, class_name, plane
from latentia.plots.page import Drawing, Picture, Swatch

MOST_LARGE_DOTS = 600
DODGE = 0.035
"""Of the largest size, between two dots that would lie on each other."""
MOST_ROWS, MOST_COLUMNS, LONGEST_NAME, ROW = 40, 12, 16, 18
"""Of a heat map of loadings: rows, columns, letters of a name, and units of a row's height."""


def map_picture(
    codes: NDArray[Any], labels: NDArray[Any] | None = None, class_names: Sequence[str] = ()
) -> Picture:
    """Return the map as a page's drawing: classes stand at their medians, where they have room."""
    points, axes = plane(np.asarray(codes, np.float64), labels)
    ranges = [padded(column) for column in points.T]
    frame = Frame(ranges[0], ranges[1], *axes, height=250, lines_of_x=True)
    said, legend = f"Codes of {len(points):,} test samples", list[Swatch]()
    if labels is None:
        frame.dots(points[:, 0], points[:, 1], SERIES[0], size=_dot(len(points)))
    else:
        classes = np.unique(np.asarray(labels))
        names = [class_name(value, class_names) for value in classes]
        for value, colour in zip(classes, cycle(CLASSES)):
            own = points[labels == value]
            frame.dots(own[:, 0], own[:, 1], colour, size=_dot(len(points)))
        few, brief = len(classes) <= len(CLASSES), max(map(len, names)) <= SHORT
        for value, name in zip(classes, names) if brief else ():
            x, y = np.median(points[labels == value], axis=0)
            frame.tag(float(x), float(y), name)
        if few and not brief:
            legend = [(name, colour, "dot") for name, colour in zip(names, CLASSES)]
        said += f" of {len(classes)} classes"
        said += ", each at its median." if brief else ", told apart by colour."
    caption = said.rstrip(".") + "."
    drawing = Drawing(frame.svg(caption), tuple(legend))
    return Picture("Latent map", caption, drawing=drawing)


def _dot(n_points: int) -> float:
    return 4.5 if n_points <= MOST_LARGE_DOTS else 3.0


def spectrum_picture(explained_variance_ratio: NDArray[Any]) -> Picture:
    """Return the scree plot as a page's drawing."""
    shares = np.asarray(explained_variance_ratio, np.float64)
    numbers, total = range(1, len(shares) + 1), shares.cumsum().tolist()
    frame = Frame(
        (0.4, len(shares) + 0.6), (0.0, 1.0), x_label="component", percent=True, whole_x=True
    )
    for number, share in zip(numbers, shares):
        frame.bar(number, 0.75, share, SERIES[0])
    frame.line(numbers, total, SERIES[1], dashed=False)
    caption = f"Share of the variance: {total[-1]:.1%} along all {len(shares)}".replace(
        "%", "\u00a0%"
    )
    caption = caption.replace("along all 1", "along the only one") if len(shares) == 1 else caption
    legend: list[Swatch] = [
        ("each component", SERIES[0], "line"),
        ("all up to it", SERIES[1], "line"),
    ]
    return Picture(
        "Spectrum", f"{caption}.", drawing=Drawing(frame.svg(f"{caption}."), tuple(legend))
    )


def errors_by_size(curve: Mapping[int, float], models: Mapping[str, tuple[int, float]]) -> Picture:
    """Return PCA's squared error by its number of components, and other models' at theirs.

    Dots of models of one size stand beside each other.
    """
    errors = np.array([*curve.values(), *(error for _, error in models.values())])
    largest = max([*curve, *(size for size, _ in models.values())])
    frame = Frame((0.0, 1.1 * largest), (0.0, padded(errors)[1]), "size of z", whole_x=True)
    frame.line([*curve], [*curve.values()], SERIES[0], dashed=False)
    legend: list[Swatch] = [("PCA", SERIES[0], "line")]
    sizes = [size for size, _ in models.values()]
    for i, ((name, (size, error)), colour) in enumerate(zip(models.items(), cycle(SERIES[1:]))):
        beside = sizes[:i].count(size) - (sizes.count(size) - 1) / 2
        frame.dots([size + beside * DODGE * largest], [error], colour, size=8)
        legend.append((name, colour, "dot"))
    caption = "PCA's error on test samples by number of components; a dot is another model's."
    drawing = Drawing(frame.svg(caption), tuple(legend))
    return Picture("Squared error by size of z", caption, drawing=drawing)


def loadings_picture(loadings: NDArray[Any], names: Sequence[str]) -> Picture:
    """Return (d, k) loadings of a table's columns as a heat map, blue below 0 and amber above."""
    largest = float(np.abs(loadings).max()) or 1.0
    order = np.argsort(-np.abs(loadings).max(axis=1), kind="stable")[:MOST_ROWS]
    rows, columns = np.sort(order), loadings[:, :MOST_COLUMNS].shape[1]
    shown = [_cut(str(names[i])) for i in rows]
    left = 10 + LETTER * max(map(len, shown))
    side = (WIDTH - left) / columns
    parts = list[str]()
    for line, (row, name) in enumerate(zip(rows, shown)):
        y = 18 + ROW * line
        parts.append(
            f'<text x="{left - 6:.1f}" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
        )
        for j, value in enumerate(loadings[row, :columns]):
            x, strength = left + side * j, round(100 * abs(float(value)) / largest)
            hue = "--c0" if value < 0 else "--c1"
            fill = f"color-mix(in srgb, var({hue}) {strength}%, var(--sunk))"
            box = f'x="{x:.1f}" y="{y}" width="{side - 2:.1f}" height="{ROW - 2}" rx="2"'
            told = f"{name}, {j + 1}: {value:.2f}".replace("-", "−")
            parts.append(f'<rect {box} style="fill:{fill}"><title>{escape(told)}</title></rect>')
    # Numbers of many narrow columns would run into each other.
    for j in range(0, columns, 1 + (side < LETTER * len(f"{columns} "))):
        x = left + side * (j + 0.5) - 1
        parts.append(f'<text x="{x:.1f}" y="12" text-anchor="middle">{j + 1}</text>')
    caption = f"Amber is positive, blue negative; the deepest is ±{largest:.2f}."
    missing = len(loadings) - len(rows)
    caption += f" {missing} columns with smaller loadings are not shown." if missing else ""
    beyond = loadings.shape[1] - columns
    caption += f" The first {columns} components of {loadings.shape[1]}." if beyond else ""
    drawing = Drawing(svg(parts, 20 + ROW * len(rows), caption))
    return Picture("Loadings", caption, drawing=drawing)


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
