"""Losses over epochs, from the records in a run's ``metrics.jsonl``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from latentia.plots.style import COLOURS, new_figure, style

NATS = ("negative_elbo", "beta_negative_elbo", "discriminator", "generator")
DASHES = {"train": "-", "validation": "--"}


def loss_curves(records: Sequence[Mapping[str, Any]]) -> Figure:
    """Return one panel for the totals and one for each total's terms, if it has any.

    Training values are solid lines, held-out values dashed; the x axis counts epochs.
    """
    names = list(dict.fromkeys(name for record in records for name in record["values"]))
    totals = [name for name in names if "/" not in name]
    panels = [totals] + [
        terms for total in totals if (terms := [n for n in names if n.startswith(f"{total}/")])
    ]
    with style():
        figure = new_figure(4.2 * len(panels), 3.0)
        for axes, shown in zip(
            figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
        ):
            _draw(axes, records, shown)
    return figure


def _draw(axes: Axes, records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    everything: list[float] = []
    for index, name in enumerate(names):
        for split, dashes in DASHES.items():
            points = [
                (r["epoch"], r["values"][name])
                for r in records
                if r["split"] == split and name in r["values"]
            ]
            if points:
                epochs, values = zip(*points, strict=True)
                label = f"{name.split('/')[-1].replace('_', ' ')}, {split}"
                colour = COLOURS[index % len(COLOURS)]
                axes.plot(epochs, values, dashes, color=colour, label=label, linewidth=1.4)
                everything += values
    axes.set_xlabel("epoch")
    axes.set_ylabel("nats" if _in_nats(names) else "")
    axes.legend(fontsize=7)
    _limit(axes, np.asarray(everything))


def _in_nats(names: Sequence[str]) -> bool:
    roots = {name.split("/")[0] for name in names}
    return roots <= set(NATS) and not any(name.endswith("probability") for name in names)


def _limit(axes: Axes, values: np.ndarray) -> None:
    """Leave a first spike out of the picture rather than flatten the rest of the curve."""
    low, high = np.percentile(values, [0, 98])
    if np.isfinite(low) and high > low:
        margin = 0.08 * (high - low)
        axes.set_ylim(low - margin, high + margin)
