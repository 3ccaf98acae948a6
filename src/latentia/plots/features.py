"""Figures of what a convolutional net is made of: kernels, padding and stride, feature maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from latentia.errors import InputError
from latentia.plots.explore import image_table
from latentia.plots.style import COLOURS, INK, new_figure, style

BLUE, ORANGE = np.array([0.0, 0.45, 0.70]), np.array([0.84, 0.37, 0.0])
EMPTY, ZERO = "#ffffff", "#dddddd"


def signed(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return (n, 3, h, w) pictures of (n, h, w) values: 0 white, orange above, blue below.

    >>> found = signed(np.array([[[0.0]], [[2.0]], [[-2.0]]]))[:, 0, 0, 0]
    >>> [round(float(red), 2) for red in found]
    [1.0, 0.84, 0.0]
    """
    greatest = np.abs(values).max(initial=1e-12)
    share = (np.asarray(values, np.float64) / greatest)[:, None]
    colour = np.where(share > 0, ORANGE[:, None, None], BLUE[:, None, None])
    return np.asarray(1 + np.abs(share) * (colour - 1), np.float32)


def of_one_size(images: NDArray[Any], side: tuple[int, int]) -> NDArray[Any]:
    """Return (..., h, w) images at another size, each pixel a block: for tables of several layers.

    >>> of_one_size(np.array([[1, 2]]), (2, 4)).tolist()
    [[1, 1, 2, 2], [1, 1, 2, 2]]
    """
    rows, columns = (np.arange(new) * old // new for new, old in zip(side, images.shape[-2:]))
    return images[..., rows[:, None], columns]


def layers_figure(
    layers: Sequence[tuple[str, NDArray[Any]]], picture: NDArray[Any], title: str, most: int = 12
) -> Figure:
    """Return the feature maps of one picture, a row for each layer, the most active ones first.

    Parameters
    ----------
    layers
        A name and (filters, h, w) maps each; each map is drawn from 0 or its least to its greatest
        value.
    picture
        (H, W) or (C, H, W), of 1 or 3 channels.
    title
        May be Korean.
    most
        Maps in a row.
    """
    if not layers:
        raise InputError("there are no layers to draw")
    side = (picture.shape[-2], picture.shape[-1])
    table = [("picture", picture[None])]
    for name, maps in layers:
        order = np.argsort(-maps.std(axis=(1, 2)), kind="stable")[:most]
        low = np.minimum(maps.min(axis=(1, 2), keepdims=True), 0)
        unit = (maps - low) / np.maximum((maps - low).max(axis=(1, 2), keepdims=True), 1e-12)
        shape = f"{len(maps)} maps of {maps.shape[1]}×{maps.shape[2]}"
        table.append((f"{name}\n{shape}", of_one_size(unit[order], side)))
    return image_table(table, title=title)


def kernel_figure(
    kernels: Sequence[NDArray[Any]], results: NDArray[Any], names: Sequence[str], title: str
) -> Figure:
    """Return kernels above what they make of one picture.

    Parameters
    ----------
    kernels
        (k, k) each; orange weights are positive and blue ones negative.
    results
        (n, H, W): grey where a kernel's weights sum to 1, else orange and blue too.
    names, title
        Of the kernels and of the figure, which may be Korean.
    """
    side = (results.shape[1], results.shape[2])
    above = [signed(of_one_size(kernel, side)[None]) for kernel in kernels]
    below = [_seen(kernel, values) for kernel, values in zip(kernels, results)]
    rows = [("kernel", np.concatenate(above)), ("picture", np.concatenate(below))]
    return image_table(rows, names, title=title)


def _seen(kernel: NDArray[Any], values: NDArray[Any]) -> NDArray[np.float32]:
    if not np.isclose(kernel.sum(), 1):
        return signed(values[None])
    return np.repeat(np.asarray(values, np.float32)[None, None].clip(0, 1), 3, axis=1)


def sizes_figure(cases: Sequence[tuple[int, int, int, int, int]]) -> Figure:
    """Return for each (side, kernel, stride, padding, output) where the kernel stands.

    The input with its padding is above, in grey the zeros; frames are the first two places of the
    kernel along the first row; below is the output, with its two cells of the same colours.
    """
    with style():
        figure = new_figure(2.5 * len(cases), 4.6)
        panels = figure.subplots(2, len(cases), squeeze=False, height_ratios=(1.35, 1))
        widest = max(side + 2 * padding for side, _, _, padding, _ in cases)
        for column, (side, kernel, stride, padding, output) in enumerate(cases):
            above, below = panels[0, column], panels[1, column]
            _grid(above, side, padding, widest)
            above.set_title(
                f"input {side}×{side}, kernel {kernel}×{kernel}\nstride {stride}, padding {padding}"
            )
            _grid(below, output, 0, widest)
            below.set_title(f"output {output}×{output}")
            for place in range(min(2, output)):
                corner = (place * stride - padding, -padding)
                frame = Rectangle(corner, kernel, kernel, fill=False, linewidth=2.6)
                frame.set_edgecolor(COLOURS[place])
                above.add_patch(frame)
                below.add_patch(Rectangle((place, 0), 1, 1, color=COLOURS[place], alpha=0.6))
    return figure


def _grid(axes: Axes, side: int, padding: int, widest: int) -> None:
    for row in range(-padding, side + padding):
        for column in range(-padding, side + padding):
            inside = 0 <= row < side and 0 <= column < side
            cell = Rectangle((column, row), 1, 1, facecolor=EMPTY if inside else ZERO)
            cell.set_edgecolor(INK)
            cell.set_linewidth(0.6)
            axes.add_patch(cell)
    middle = side / 2
    axes.set_xlim(middle - widest / 2 - 0.2, middle + widest / 2 + 0.2)
    axes.set_ylim(middle + widest / 2 + 0.2, middle - widest / 2 - 0.2)
    axes.set_aspect("equal")
    axes.set_axis_off()
