"""Maps of the latent space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from latentia.plots.style import COLOURS, new_figure, style


def latent_map(
    codes: NDArray[Any], labels: NDArray[Any] | None = None, class_names: Sequence[str] = ()
) -> Figure:
    """Return a scatter of (n, k) codes, coloured by class.

    More than two dimensions are shown along the codes' first two principal components, and the
    axes say what share of their variance that is.
    """
    points, names = _plane(np.asarray(codes, np.float64))
    with style():
        figure = new_figure(4.6, 3.8)
        axes = figure.subplots()
        if labels is None:
            axes.scatter(points[:, 0], points[:, 1], s=5, color=COLOURS[0], alpha=0.6, linewidths=0)
        else:
            colours = mpl.colormaps["tab10" if len(np.unique(labels)) <= 10 else "turbo"]
            classes = np.unique(labels)
            for index, value in enumerate(classes):
                own = points[labels == value]
                name = class_names[int(value)] if len(class_names) > int(value) else str(value)
                place = index if len(classes) <= 10 else index / (len(classes) - 1)
                axes.scatter(
                    own[:, 0], own[:, 1], s=6, color=colours(place), label=name, linewidths=0
                )
            axes.legend(fontsize=7, markerscale=2, loc="center left", bbox_to_anchor=(1, 0.5))
        axes.set_xlabel(names[0])
        axes.set_ylabel(names[1])
    return figure


def _plane(codes: NDArray[np.float64]) -> tuple[NDArray[np.float64], tuple[str, str]]:
    if codes.shape[1] == 1:
        return np.column_stack([codes[:, 0], np.zeros(len(codes))]), ("z1", "")
    if codes.shape[1] == 2:
        return codes, ("z1", "z2")
    centred = codes - codes.mean(axis=0)
    _, singular, components = np.linalg.svd(centred, full_matrices=False)
    total = max(float(np.square(singular).sum()), np.finfo(float).tiny)
    shares = np.square(singular[:2]) / total
    first, second = (f"component {i + 1} of z ({share:.0%})" for i, share in enumerate(shares))
    return centred @ components[:2].T, (first, second)


def spectrum(explained_variance_ratio: NDArray[Any]) -> Figure:
    """Return the scree plot: each component's share of the variance, and their running sum."""
    ratios = np.asarray(explained_variance_ratio)
    numbers = np.arange(1, len(ratios) + 1)
    with style():
        figure = new_figure(4.6, 3.2)
        axes = figure.subplots()
        axes.bar(numbers, ratios, color=COLOURS[5], label="each")
        axes.plot(numbers, ratios.cumsum(), ".-", color=COLOURS[1], label="together")
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("component")
        axes.set_ylabel("share of variance")
        axes.legend(fontsize=8)
    return figure
