"""Maps of the latent space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from latentia.errors import InputError
from latentia.plots.style import CLASS_COLOURS, COLOURS, new_figure, style

SHORT = 3


def latent_map(
    codes: NDArray[Any], labels: NDArray[Any] | None = None, class_names: Sequence[str] = ()
) -> Figure:
    """Return a scatter of (n, k) codes, coloured by class.

    More than two dimensions are shown along the codes' first two principal components, and the
    axes say what share of their variance that is; a single one is shown class by class.
    """
    points, names = plane(np.asarray(codes, np.float64), labels)
    with style():
        figure = new_figure(5.0, 4.0)
        axes = figure.subplots()
        if labels is None:
            axes.scatter(points[:, 0], points[:, 1], s=7, color=COLOURS[0], alpha=0.6, linewidths=0)
        else:
            _draw_classes(axes, points, np.asarray(labels), class_names)
        axes.set_xlabel(names[0])
        axes.set_ylabel(names[1])
        if codes.shape[1] == 1:
            axes.set_yticks([])
    return figure


def class_name(value: Any, class_names: Sequence[str]) -> str:
    """Return the name of a class, or its number if it has none."""
    return class_names[int(value)] if 0 <= int(value) < len(class_names) else str(value)


def _draw_classes(
    axes: Axes, points: NDArray[np.float64], labels: NDArray[Any], class_names: Sequence[str]
) -> None:
    classes = np.unique(labels)
    for index, value in enumerate(classes):
        own = points[labels == value]
        name = class_name(value, class_names)
        colour = _colour(index, len(classes))
        axes.scatter(own[:, 0], own[:, 1], s=7, color=colour, label=name, linewidths=0)
        if len(name) <= SHORT:
            x, y = np.median(own, axis=0)
            text = axes.text(x, y, name, ha="center", va="center")
            text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])
    columns = -(-len(classes) // 15)
    axes.legend(
        fontsize=7.5, markerscale=2.2, loc="center left", bbox_to_anchor=(1, 0.5), ncols=columns
    )


def _colour(index: int, n_classes: int) -> Any:
    if n_classes <= len(CLASS_COLOURS):
        return CLASS_COLOURS[index]
    return mpl.colormaps["turbo"](index / (n_classes - 1))


def plane(
    codes: NDArray[np.float64], labels: NDArray[Any] | None
) -> tuple[NDArray[np.float64], tuple[str, str]]:
    """Return (n, 2) places of codes on a map, and the names of its axes."""
    bad = int((~np.isfinite(codes)).any(axis=1).sum())
    if bad:
        raise InputError(f"{bad} of {len(codes)} codes are not finite; a map needs finite ones")
    if codes.shape[1] == 1:
        lines = np.zeros(len(codes), int) if labels is None else np.unique_inverse(labels)[1]
        return np.column_stack([codes[:, 0], lines]), ("z₁", "" if labels is None else "class")
    if codes.shape[1] == 2 or len(codes) < 2:
        return codes[:, :2], ("z₁", "z₂")
    centred = codes - codes.mean(axis=0)
    _, singular, components = np.linalg.svd(centred, full_matrices=False)
    total = max(float(np.square(singular).sum()), np.finfo(float).tiny)
    shares = np.square(singular[:2]) / total
    first, second = (f"component {i + 1} of z ({share:.0%})" for i, share in enumerate(shares))
    return centred @ components[:2].T, (first, second)
