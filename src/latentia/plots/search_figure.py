"""What a search found: held-out values over its trials, and over each field's values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from latentia.plots.style import COLOURS, new_figure, style

Point = tuple[int, Mapping[str, object], float, str]
"""A trial's number, values, held-out value or NaN if it has none, and how it ended."""
EDGE = 0.1
"""Of the complete trials' range, how far above them those are that were pruned."""
WIDE = 10.0
"""The largest value over the smallest of numbers that are shown on a logarithm's line."""


def search_figure(trials: Sequence[Point], best: int) -> Figure:
    """Return a panel of the trials in order, with the best so far, and one for each field.

    Trials that were pruned are hollow: their value is of the epoch that they ended with. Where it
    is worse than that of all others, they are at the upper edge.
    """
    shown = [trial for trial in trials if not isnan(trial[2])]
    names, kept = list(shown[0][1]), [trial[2] for trial in shown if trial[3] == "complete"]
    edge = max(kept) + EDGE * (max(kept) - min(kept))
    shown = [(n, values, min(value, edge), state) for n, values, value, state in shown]
    with style():
        figure = new_figure(3.2 * (1 + len(names)), 3.0)
        panels = figure.subplots(1, 1 + len(names), sharey=True, squeeze=False)[0]
        _mark(panels[0], [number + 1 for number, *_ in shown], shown, best)
        whole = [(number + 1, value) for number, _, value, state in shown if state == "complete"]
        numbers, values = zip(*whole, strict=True)
        so_far = np.minimum.accumulate(np.array(values, dtype=float))
        panels[0].step(numbers, so_far, where="post", color=COLOURS[0], linewidth=1)
        panels[0].set(xlabel="trial", ylabel="held-out value")
        panels[0].xaxis.set_major_locator(MaxNLocator(integer=True))
        for axes, name in zip(panels[1:], names, strict=True):
            axes.set_xlabel(name)
            _over(axes, name, shown, best)
    return figure


def _over(axes: Axes, name: str, shown: Sequence[Point], best: int) -> None:
    """Draw the held-out values over those of a field, words and lists side by side."""
    values = [trial[1][name] for trial in shown]
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < len(values):
        words = sorted({str(value) for value in values})
        _mark(axes, [words.index(str(value)) for value in values], shown, best)
        axes.set_xticks(range(len(words)), words)
        return
    _mark(axes, numbers, shown, best)
    if min(numbers) > 0 and max(numbers) > WIDE * min(numbers):
        axes.set_xscale("log")


def _mark(axes: Axes, places: Sequence[float], shown: Sequence[Point], best: int) -> None:
    for x, (number, _, value, state) in zip(places, shown, strict=True):
        colour = COLOURS[1] if number == best else COLOURS[0]
        face = colour if state == "complete" else "none"
        axes.plot([x], [value], "o", color=colour, markerfacecolor=face, markersize=5)
