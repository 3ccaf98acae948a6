"""What several of the lectures' figures are made of: panels, rows of pictures, data at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

import latentia
from latentia.plots.grids import tile
from latentia.plots.style import COLOURS, INK, new_figure, style

Array = NDArray[Any]
BLUE, ORANGE, GREEN, PINK, YELLOW, SKY, GREY = COLOURS
PALE = "#d9d9d9"
Point = tuple[float, float]


@contextmanager
def board(width: float, height: float) -> Iterator[Figure]:
    """Yield an empty figure of a size in inches, in the style of all figures."""
    with style():
        yield new_figure(width, height)


@cache
def digits() -> Any:
    """Return the 8×8 digits, which come with the package."""
    return latentia.load_data("digits")


@cache
def clothes() -> Any:
    """Return the 28×28 pictures of clothes, which come with the package."""
    return latentia.load_data("fashion-mnist-small")


def flat(images: Array) -> Array:
    """Return images as rows of doubles."""
    return np.asarray(images, np.float64).reshape(len(images), -1)


def bare(axes: Axes) -> None:
    """Take an axis's marks, grid and frame away."""
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    for side in axes.spines.values():
        side.set_visible(False)


def show(axes: Axes, images: Array, n_columns: int | None = None, title: str = "") -> None:
    """Show (n, H, W) pictures in a grid, or one (H, W), without an axis."""
    stack = images[None] if images.ndim == 2 else images
    tiles = tile(stack, n_columns or len(stack))
    axes.imshow(tiles, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_title(title)
    bare(axes)


def strips(axes: Axes, rows: Mapping[str, Array], title: str = "") -> None:
    """Show rows of as many pictures each, every row named at its left."""
    stacks = [np.asarray(images, np.float64) for images in rows.values()]
    grid = tile(np.concatenate(stacks), len(stacks[0]))
    axes.imshow(grid, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_title(title)
    bare(axes)
    step = grid.shape[0] / len(rows)
    axes.set_yticks(step * (np.arange(len(rows)) + 0.5), [name.rstrip() for name in rows])
    axes.tick_params(length=0)


def heat(axes: Axes, matrix: Array, limit: float, title: str = "", *, words: bool = False) -> Any:
    """Show a matrix in blue (positive) and red, with its numbers if asked for; return the image."""
    image = axes.imshow(matrix, cmap="RdBu", vmin=-limit, vmax=limit)
    axes.set_title(title)
    bare(axes)
    for (row, column), value in np.ndenumerate(matrix) if words else ():
        colour = "white" if abs(value) > 0.6 * limit else INK
        axes.text(column, row, f"{value:.3g}", ha="center", va="center", color=colour)
    return image


def numbers(axes: Axes, table: Array, title: str = "", lit: Sequence[tuple[int, int]] = ()) -> None:
    """Write a table of numbers in cells, some of them lit."""
    height, width = table.shape
    for row, column in np.ndindex(height, width):
        colour = "#ffe2a8" if (row, column) in lit else "white"
        axes.fill(
            [column, column + 1, column + 1, column],
            [row, row, row + 1, row + 1],
            facecolor=colour,
            edgecolor="#999999",
        )
        axes.text(column + 0.5, row + 0.5, f"{table[row, column]:.4g}", ha="center", va="center")
    axes.set(xlim=(-0.05, width + 0.05), ylim=(height + 0.05, -0.05), aspect="equal", title=title)
    bare(axes)


def window(axes: Axes, row: float, column: float, side: float, colour: str = ORANGE) -> None:
    """Draw the frame of a square window upon a table of numbers."""
    x, y = np.array([0, 1, 1, 0, 0]) * side + column, np.array([0, 0, 1, 1, 0]) * side + row
    axes.plot(x, y, color=colour, linewidth=3, solid_joinstyle="miter")


def arrow(axes: Axes, start: Point, end: Point, colour: str = INK, width: float = 1.0) -> None:
    """Draw an arrow."""
    look = {"arrowstyle": "->", "color": colour, "linewidth": width}
    axes.annotate("", end, start, arrowprops=look)


def titled(axes: Axes, title: str, x: str = "", y: str = "") -> None:
    """Write a title and the names of the axes."""
    axes.set(title=title, xlabel=x, ylabel=y)


def contours(axes: Axes, density: Any, x: Array, y: Array, colour: str) -> None:
    """Draw level lines of a density on the plane, a function from (n, 2) to (n,)."""
    first, second = np.meshgrid(x, y)
    values = density(np.column_stack([first.ravel(), second.ravel()])).reshape(first.shape)
    levels = values.max() * np.array([0.02, 0.1, 0.3, 0.6, 0.9])
    axes.contour(first, second, values, levels=levels, colors=colour, linewidths=1)


def band(axes: Axes, x: Array, runs: Array, colour: str, label: str) -> None:
    """Draw the mean of (runs, m) curves and the band of one standard deviation."""
    mean, spread = runs.mean(axis=0), runs.std(axis=0)
    axes.fill_between(x, mean - spread, mean + spread, color=colour, alpha=0.18, linewidth=0)
    axes.plot(x, mean, color=colour, label=label)
