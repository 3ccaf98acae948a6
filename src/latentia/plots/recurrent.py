"""How the gradient of the last step's loss fades over the time steps of recurrent nets."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from latentia.plots.style import COLOURS, new_figure, style

MARKERS = ("o", "s", "^", "D", "v")
FLOOR = 1e-45
"""Below float32's least number a gradient is 0, which a logarithmic axis cannot show."""


def gradient_figure(panels: Mapping[str, Mapping[str, NDArray[np.float64]]]) -> Figure:
    """Return a panel for each state of training, a curve for each net, over steps back.

    Parameters
    ----------
    panels
        By title: curves by label, (T,) norms of ∂L_T/∂h_t for t = 1..T each. Curves are drawn
        relative to their last value.
    """
    with style():
        figure = new_figure(4.6 * len(panels), 3.4)
        rows = figure.subplots(1, len(panels), squeeze=False, sharey=True)
        for axes, (title, curves) in zip(rows[0], panels.items()):
            axes.set_title(title)
            for index, (label, norms) in enumerate(curves.items()):
                steps_back = np.arange(len(norms))[::-1]
                axes.plot(
                    steps_back,
                    (norms / norms[-1]).clip(min=FLOOR),
                    color=COLOURS[index % len(COLOURS)],
                    marker=MARKERS[index % len(MARKERS)],
                    markevery=max(1, len(norms) // 8),
                    markersize=4,
                    label=label,
                )
            axes.set_yscale("log")
            axes.set_xlabel("steps back, T − t")
        rows[0, 0].set_ylabel("‖∂L_T / ∂h_t‖, relative to t = T")
        rows[0, -1].legend(fontsize=7.5)
    return figure
