"""Figures of a factor analysis: how many factors, and what loads on which.

Shapes: ``loadings_PK`` is (p, k), standardized; ``factor_correlations`` (k, k).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, FancyArrowPatch, Rectangle
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from latentia.errors import InputError
from latentia.plots.style import COLOURS, INK, new_figure, style

MOST_EIGENVALUES = 60
MOST_NUMBERED, MOST_NAMED = 40, 120
MOST_DRAWN = 80
LONGEST_NAME, SHORT = 28, 5
ROW, ELLIPSE, LABEL = 0.36, (0.78, 0.46), (0.34, 0.17)
"""Inches, as all of a path diagram: of a variable, a factor, a number on an arrow."""


def scree(
    eigenvalues: NDArray[Any],
    null: NDArray[Any] | None = None,
    factor_eigenvalues: NDArray[Any] | None = None,
    factor_null: NDArray[Any] | None = None,
) -> Figure:
    """Return decreasing eigenvalues, the Kaiser line at 1, and what chance alone would give.

    ``null`` holds the 95 % quantiles that parallel analysis finds for the (p,) ``eigenvalues``;
    ``factor_eigenvalues`` and ``factor_null`` are the same with communalities on the diagonal.
    """
    places = range(1, 1 + min(len(eigenvalues), MOST_EIGENVALUES))
    rest = "" if len(places) == len(eigenvalues) else f": {len(places)} of {len(eigenvalues)}"
    lines = (
        (eigenvalues, "components", COLOURS[0], "o-"),
        (null, "components by chance, 95 %", COLOURS[0], "--"),
        (factor_eigenvalues, "factors", COLOURS[1], "s-"),
        (factor_null, "factors by chance, 95 %", COLOURS[1], "--"),
    )
    with style():
        figure = new_figure(5.4, 4.2)
        axes = figure.subplots()
        axes.axhline(1, color=INK, linewidth=1, linestyle=":", label="Kaiser: 1")
        for values, label, colour, look in lines:
            if values is not None:
                heights = values[: len(places)]
                axes.plot(places, heights, look, color=colour, label=label, markersize=3.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.set_xlabel("component or factor" + rest)
        axes.set_ylabel("eigenvalue")
        axes.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return figure


def criteria_chart(counts: Mapping[str, int], agreed: int | None = None) -> Figure:
    """Return each criterion's number of factors as a dot, and the number agreed on as a line."""
    places = -np.arange(len(counts))
    with style():
        figure = new_figure(5.4, 1.0 + 0.3 * len(counts))
        axes = figure.subplots()
        if agreed is not None:
            axes.axvline(agreed, color=INK, linewidth=1, linestyle=":")
        for place, count in zip(places, counts.values()):
            colour = COLOURS[0] if count == agreed else COLOURS[1]
            axes.plot([0, count], [place, place], "-", color=colour, linewidth=1)
            axes.plot([count], [place], "o", color=colour, markersize=7)
        axes.set_yticks(places, list(counts), parse_math=False)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.set_xlim(-0.2, max([1, *counts.values()]) + 0.8)
        axes.set_ylim(places[-1] - 0.6, 0.6)
        axes.set_xlabel("number of factors")
    return figure


def loadings_heat_map(
    loadings_PK: NDArray[Any], variable_names: Sequence[str], factor_names: Sequence[str]
) -> Figure:
    """Return loadings as colours, blue positive and red negative, in the order given.

    Up to 40 variables the cells hold the numbers; beyond 120 the rows have no names.
    """
    values = _checked(loadings_PK, variable_names, factor_names)
    p, k = values.shape
    limit, longest = max(1.0, np.abs(values).max()), max(map(len, map(_cut, variable_names)))
    row = 7 / p if p > MOST_NAMED else 0.25 if p <= MOST_NUMBERED else 0.13
    with style():
        figure = new_figure(1.8 + 0.55 * k + 0.1 * longest, 1.0 + row * p)
        axes = figure.subplots()
        axes.grid(visible=False)
        edges = np.arange(k + 1) - 0.5, np.arange(p + 1) - 0.5
        picture = axes.pcolormesh(*edges, values, cmap=_signed(), vmin=-limit, vmax=limit)
        axes.invert_yaxis()
        turn = 45 if max(map(len, factor_names)) > SHORT else 0
        axes.set_xticks(range(k), map(_cut, factor_names), parse_math=False, rotation=turn)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        if p <= MOST_NAMED:
            size = 9 if p <= MOST_NUMBERED else 6.5
            axes.set_yticks(range(p), map(_cut, variable_names), parse_math=False, fontsize=size)
        for (i, j), value in np.ndenumerate(values):
            if p <= MOST_NUMBERED:
                ink = "white" if abs(value) > 0.7 * limit else INK
                axes.text(j, i, _number(value), ha="center", va="center", fontsize=8, color=ink)
        figure.colorbar(picture, ax=axes, label="loading", aspect=30)
    return figure


def path_diagram(
    loadings_PK: NDArray[Any],
    variable_names: Sequence[str],
    factor_correlations: NDArray[Any] | None = None,
    cutoff: float = 0.3,
    uniquenesses: NDArray[Any] | None = None,
    letter: str = "F",
) -> Figure:
    """Return variables in boxes, factors in ellipses, and an arrow for each loading.

    Variables are ordered by the factor they load on most. Negative loadings are dashed and red;
    those below ``cutoff`` have no arrow. Curved arrows are the factors' correlations, unless 0.
    At most 80 variables are drawn. Factors are called F1, F2 …, or by another ``letter``; the arrow
    of factor j to variable i is the part ``arrow-j-i`` of an SVG, both from 0.
    """
    k = np.shape(loadings_PK)[-1]
    factors = [f"{letter}{i + 1}" for i in range(k)]
    values, p = _checked(loadings_PK, variable_names, factors), len(variable_names)
    if p > MOST_DRAWN:
        raise InputError(f"there are {p} variables; a path diagram shows at most {MOST_DRAWN}")
    Phi = np.eye(k) if factor_correlations is None else np.asarray(factor_correlations)
    noise = np.zeros(p) if uniquenesses is None else np.asarray(uniquenesses)
    if Phi.shape != (k, k) or noise.shape != (p,):
        raise InputError(f"factor_correlations must be ({k}, {k}) and uniquenesses ({p},)")
    size = np.abs(values)
    order = np.lexsort((-size.max(axis=1), size.argmax(axis=1)))
    heights, gap = -ROW * np.arange(p), 2.4 + 0.06 * p
    step = max(ROW * p / k, 1.4 * ELLIPSE[1])
    level = heights.mean() + step * ((k - 1) / 2 - np.arange(k))
    with style():
        figure = new_figure(1, 1)
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, 1))
        left = _boxes(axes, [variable_names[i] for i in order], heights)
        _arrows(axes, np.where(size >= cutoff, values, 0)[order], heights, (level, gap), order)
        _ellipses(axes, factors, level, gap)
        right = _arcs(axes, Phi, level, gap + ELLIPSE[0])
        if uniquenesses is not None:
            left = _noise(axes, noise[order], heights, left)
        y = np.concatenate([heights, level])
        axes.set(xlim=(left - 0.1, right + 0.1), ylim=(y.min() - 0.4, y.max() + 0.4))
        axes.set_axis_off()
        figure.set_size_inches(right - left + 0.2, np.ptp(y) + 0.8)
    return figure


def _signed() -> LinearSegmentedColormap:
    """Return colours of signs, the clearer the larger; 0 lets the ground through."""
    negative, positive = to_rgb(COLOURS[1]), to_rgb(COLOURS[0])
    stops = [(0.0, (*negative, 1)), (0.5, (*negative, 0)), (0.5, (*positive, 0))]
    return LinearSegmentedColormap.from_list("signed", [*stops, (1.0, (*positive, 1))], N=41)


def _checked(values: NDArray[Any], rows: Sequence[str], columns: Sequence[str]) -> NDArray[Any]:
    array, shape = np.asarray(values, np.float64), (len(rows), len(columns))
    if array.shape != shape or not array.size or not np.isfinite(array).all():
        raise InputError(
            f"loadings have shape {array.shape}; give finite ones of their names' {shape}"
        )
    return array


def _cut(name: str) -> str:
    clean = " ".join(name.split())
    return clean if len(clean) <= LONGEST_NAME else clean[: LONGEST_NAME - 1] + "…"


def _number(value: float) -> str:
    return f"{float(value):z.2f}".replace("-", "−")


def _text(axes: Axes, x: float, y: float, words: str, size: float = 9) -> Text:
    look = {"fontsize": size, "zorder": 4, "parse_math": False}
    return axes.text(x, y, words, look, ha="center", va="center")


def _boxes(axes: Axes, names: list[str], heights: NDArray[Any]) -> float:
    """Draw boxes that end at x = 0 and return where they begin."""
    drawn = [_text(axes, 0, y, _cut(name)) for name, y in zip(names, heights)]
    width = max(text.get_window_extent().width for text in drawn) / axes.figure.dpi + 0.16
    for text, y in zip(drawn, heights):
        text.set_x(-width / 2)
        corner = -width, y - 0.36 * ROW
        axes.add_patch(Rectangle(corner, width, 0.72 * ROW, facecolor="white", edgecolor=INK))
    return -width


def _ellipses(axes: Axes, names: Sequence[str], level: NDArray[Any], x: float) -> None:
    for name, y in zip(names, level):
        centre = x + ELLIPSE[0] / 2, y
        axes.add_patch(Ellipse(centre, *ELLIPSE, facecolor="white", edgecolor=INK, zorder=3))
        _text(axes, *centre, name)


def _arrow(axes: Axes, path: Path, value: float, look: str = "-|>", part: str = "") -> None:
    axes.add_patch(
        FancyArrowPatch(
            path=path,
            gid=part or None,
            arrowstyle=f"{look},head_length=4,head_width=2",
            linewidth=0.5 + 1.5 * min(abs(value), 1.0),
            linestyle="-" if value > 0 else (0, (4, 2)),
            color=COLOURS[0] if value > 0 else COLOURS[1],
        )
    )


def _label(axes: Axes, x: float, y: float, value: float, part: str = "") -> None:
    text = _text(axes, x, y, _number(value), 7.5)
    text.set_gid(part or None)
    text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.6})


def _arrows(
    axes: Axes,
    values: NDArray[Any],
    heights: NDArray[Any],
    factors: tuple[NDArray[Any], float],
    order: NDArray[np.intp],
) -> None:
    (level, gap), (rows, columns) = factors, np.nonzero(values)
    starts = np.column_stack([np.full(len(columns), gap), level[columns]])
    ends = np.column_stack([np.zeros(len(rows)), heights[rows]])
    drawn = zip(starts, ends, _places(starts, ends), values[rows, columns], columns, order[rows])
    for start, end, (x, y), value, factor, variable in drawn:
        part = f"arrow-{factor}-{variable}"
        _arrow(axes, Path([start, end]), value, part=part)
        _label(axes, x, y, value, part)


def _places(starts: NDArray[Any], ends: NDArray[Any]) -> NDArray[Any]:
    """Return a place on each arrow for its number, away from other numbers and arrows."""
    along = np.linspace(0.12, 0.85, 40)[:, None]
    taken = np.empty((0, 2))
    for start, end in zip(starts, ends):
        candidates = end + along * (start - end)
        # On the other arrows, the points beside each candidate: all arrows span the same x.
        beside = ends[:, 1] + along * (starts - ends)[:, 1]
        apart = np.sort(np.abs(beside - candidates[:, 1:]), axis=1)[:, 1:2].min(axis=1, initial=1)
        free = (np.abs(candidates[:, None] - taken) / LABEL).max(axis=2).min(axis=1, initial=2)
        merit = np.minimum(free, 1.2) * 10 + np.minimum(apart / LABEL[1], 1) - along[:, 0] / 10
        taken = np.vstack([taken, candidates[merit.argmax()]])
    return taken


def _arcs(axes: Axes, Phi: NDArray[Any], level: NDArray[Any], x: float) -> float:
    """Draw the correlations of factors right of x, the wider apart the further out."""
    right = x
    for i, j in zip(*np.triu_indices(len(level), 1)):
        if round(float(Phi[i, j]), 2):
            apex, middle = x + 0.05 + 0.42 * (j - i), (level[i] + level[j]) / 2
            points = [(x, level[i]), (2 * apex - x, middle), (x, level[j])]
            _arrow(axes, Path(points, [Path.MOVETO, Path.CURVE3, Path.CURVE3]), Phi[i, j], "<|-|>")
            _label(axes, apex, middle, Phi[i, j])
            right = max(right, apex + LABEL[0] / 2)
    return right


def _noise(axes: Axes, uniquenesses: NDArray[Any], heights: NDArray[Any], left: float) -> float:
    for value, y in zip(uniquenesses, heights):
        _text(axes, left - 0.45, y, _number(value), 7.5)
        axes.annotate("", (left, y), (left - 0.26, y), arrowprops={"arrowstyle": "-|>", "lw": 0.7})
    return left - 0.62
