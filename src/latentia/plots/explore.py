"""Tables of images with words around them, and maps of a plane of the latent space.

Images are (n, H, W) or (n, C, H, W) with 1 or 3 channels, uint8 or floats in [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from latentia.errors import InputError
from latentia.plots.grids import DPI, WHITE, tile
from latentia.plots.latent import latent_map
from latentia.plots.style import INK, new_figure, style

CELL, SMALLEST_CELL, WIDEST = 96, 40, 1300
"""A cell's usual and least side, and the width that many columns share, in pixels."""
PADDING, GAP, MARGIN = 2, 7, 10
LABEL_SIZE, CAPTION_SIZE, TITLE_SIZE = 9.0, 7.5, 10.0
MANIFOLD_PIXELS = 1400
MOST_TICKS, MANY_POINTS, SMALL = 9, 1000, 16
"""SMALL images, in pixels, run into each other in a grid without lines."""


def check_pictures(images: NDArray[Any]) -> None:
    """Refuse samples that are not (H, W) or (1 or 3, H, W)."""
    if images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[1] not in (1, 3)):
        raise InputError(
            "a figure needs images of 1 or 3 channels; these samples have shape "
            f"{images.shape[1:]}, so take the arrays (.npz) instead"
        )


def image_table(
    rows: Sequence[tuple[str, NDArray[Any]]],
    columns: Sequence[str] = (),
    captions: Sequence[Sequence[str]] = (),
    title: str = "",
) -> Figure:
    """Return rows of images, their pixels enlarged by a whole factor, with words around them.

    Parameters
    ----------
    rows
        A label and (m, ...) images each; ``m`` may differ, the size of the images may not.
    columns
        What stands above the columns.
    captions
        For each row, what stands below its images; none leaves no room for it.
    title
        What stands above it all.
    """
    sizes = {images.shape[-2:] for _, images in rows}
    for _, images in rows:
        check_pictures(images)
    if len(sizes) != 1:
        raise InputError(f"a figure needs images of one size; these have {sorted(sizes) or 'none'}")
    n_columns = max(len(images) for _, images in rows)
    height, width = sizes.pop()
    scale = max(1, round(min(CELL, max(SMALLEST_CELL, WIDEST // n_columns)) / max(height, width)))
    across, down = scale * width + PADDING, scale * height + 2 * PADDING
    words = [*captions, *[()] * (len(rows) - len(captions))]
    below = [_line(CAPTION_SIZE) if line else 0 for line in words]
    strips = [_strip(images, scale, n_columns, room) for (_, images), room in zip(rows, below)]
    with style():
        figure, axes = _canvas(np.concatenate(strips), [name for name, _ in rows], columns, title)
        for j, word in enumerate(columns):
            _word(axes, across * (j + 0.5), -GAP / 2, word, LABEL_SIZE, "center", "bottom")
        top = 0
        for (label, _), line, room in zip(rows, words, below):
            _word(axes, -GAP, top + down / 2, label, LABEL_SIZE, "right", "center")
            for j, word in enumerate(line):
                y = top + down + room / 2
                _word(axes, across * (j + 0.5), y, word, CAPTION_SIZE, "center", "center")
            top += down + room
    return figure


def _line(size: float) -> int:
    """Return the height of a line of text in pixels."""
    return round(1.6 * size * DPI / 72)


def _strip(images: NDArray[Any], scale: int, n_columns: int, below: int) -> NDArray[np.uint8]:
    """Return a row of images, with white where images are missing and room for captions."""
    strip = tile(images, len(images), PADDING, scale)
    missing = (n_columns - len(images)) * (scale * images.shape[-1] + PADDING)
    return np.pad(strip, ((0, below), (0, missing), (0, 0)), constant_values=WHITE)


def _canvas(
    picture: NDArray[np.uint8], labels: Sequence[str], columns: Sequence[str], title: str
) -> tuple[Figure, Axes]:
    """Return a figure of the picture, pixel by pixel, with margins for words around it."""
    figure = new_figure(1, 1)
    figure.set_layout_engine("none")
    left = MARGIN + GAP + max(_width(figure, label, LABEL_SIZE) for label in labels)
    top = MARGIN + (_line(LABEL_SIZE) if columns else 0) + (_line(TITLE_SIZE) if title else 0)
    height, width = picture.shape[:2]
    whole_width = max(left + width, _width(figure, title, TITLE_SIZE) + MARGIN) + MARGIN
    whole_height = top + height + MARGIN
    figure.set_dpi(DPI)
    figure.set_size_inches(whole_width / DPI, whole_height / DPI)
    place = (left / whole_width, MARGIN / whole_height, width / whole_width, height / whole_height)
    axes = figure.add_axes(place)
    axes.imshow(picture, interpolation="nearest", aspect="auto", extent=(0, width, height, 0))
    axes.set_axis_off()
    _word(axes, MARGIN - left, MARGIN - top, title, TITLE_SIZE, "left", "top")
    return figure, axes


def _width(figure: Figure, words: str, size: float) -> float:
    drawn = figure.text(0, 0, words, fontsize=size, parse_math=False)
    width = float(drawn.get_window_extent(dpi=DPI).width) if words else 0.0
    drawn.remove()
    return width


def _word(
    axes: Axes,
    x: float,
    y: float,
    word: str,
    size: float,
    across: Literal["left", "center", "right"],
    down: Literal["top", "center", "bottom"],
) -> None:
    look = {"fontsize": size, "parse_math": False, "color": INK}
    axes.text(x, y, word, look, ha=across, va=down)


def plane_map(
    points: NDArray[Any] | None,
    labels: NDArray[Any] | None,
    class_names: Sequence[str],
    images: NDArray[Any],
    ticks: tuple[NDArray[Any], NDArray[Any]],
    names: tuple[str, str],
) -> Figure:
    """Return the scatter of points on a plane and, right of it, what a grid on it decodes to.

    Parameters
    ----------
    points
        (n, 2) codes on the plane; none leaves the scatter out.
    labels, class_names
        (n,) classes and their names, as in `latent_map`.
    images
        (h·w, ...) decoded grid, row by row from the top.
    ticks
        The grid's (w,) places across from left to right, and (h,) down from the top.
    names
        Of the axes.
    """
    check_pictures(images)
    with style():
        if points is None:
            figure = new_figure(5.8, 5.6)
            axes = figure.subplots()
        else:
            figure = latent_map(points, labels, class_names)
            figure.set_size_inches(12.2, 5.4)
            grid = GridSpec(1, 2, figure, width_ratios=(1.12, 1))
            figure.axes[0].set_subplotspec(grid[0])
            axes = figure.add_subplot(grid[1])
            _scatter(figure.axes[0], points, ticks, names)
        _manifold(axes, images, ticks, names)
    return figure


def _scatter(
    axes: Axes,
    points: NDArray[Any],
    ticks: tuple[NDArray[Any], NDArray[Any]],
    names: tuple[str, str],
) -> None:
    """Name the scatter's axes, make many points transparent, and mark what the grid covers."""
    axes.set_title(f"codes of {len(points):,} samples")
    if len(points) > MANY_POINTS:
        for dots in axes.collections:
            dots.set(sizes=[4], alpha=0.6)
    (left, right), (high, low) = ((float(t[0]), float(t[-1])) for t in ticks)
    frame = Rectangle((left, low), right - left, high - low, fill=False, edgecolor=INK, zorder=3)
    frame.set_linestyle((0, (4, 3)))
    axes.add_patch(frame)
    for axis, name in zip((axes.xaxis, axes.yaxis), names):
        axis.set_label_text(name)
        axis.set_major_formatter(lambda value, _: _number(value, "g"))


def _number(value: float, kind: str) -> str:
    return format(value, kind).replace("-", "−")


def _decimals(places: NDArray[Any]) -> str:
    """Return the format in which neighbouring places differ, one decimal at least; no −0."""
    nearest = float(np.abs(np.diff(places)).min(initial=1.0))
    digits = int(np.ceil(-np.log10(nearest) - 1e-6)) if nearest else 1
    return f"z.{max(1, digits)}f"


def _manifold(
    axes: Axes,
    images: NDArray[Any],
    ticks: tuple[NDArray[Any], NDArray[Any]],
    names: tuple[str, str],
) -> None:
    across, down = (len(places) for places in ticks)
    height, width = images.shape[-2:]
    scale = max(1, round(MANIFOLD_PIXELS / (across * width)))
    picture = tile(images, across, PADDING if max(height, width) < SMALL else 0, scale)
    axes.imshow(picture, extent=(0, across, down, 0), aspect=height / width)
    axes.grid(visible=False)
    axes.set_title(
        "decoded grid (dashed on the left)" if len(axes.figure.axes) > 1 else "decoded grid"
    )
    every = [max(1, -(-n // MOST_TICKS)) for n in (across, down)]
    for axis, places, step in zip((axes.xaxis, axes.yaxis), ticks, every):
        kept = np.arange(len(places))[::step]
        axis.set_ticks(kept + 0.5, [_number(places[i], _decimals(places[kept])) for i in kept])
        axis.set_tick_params(length=0)
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
