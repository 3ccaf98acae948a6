"""Losses over epochs, from the records in a run's ``metrics.jsonl``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from latentia.errors import InputError
from latentia.plots.style import COLOURS, new_figure, style

NATS = ("negative_elbo", "beta_negative_elbo", "discriminator", "generator", "cross_entropy")
DASHES = {"train": "-", "validation": "--"}
FEWEST_FOR_SPIKES = 5
FENCE = 5.0
"""A value this many times the middle's range away from it is a spike."""


def loss_curves(records: Sequence[Mapping[str, Any]]) -> Figure:
    """Return one panel for the totals and one for each total's terms, if it has any.

    Training values are solid lines, held-out values dashed; the x axis counts epochs. Spikes that
    would flatten the rest of a panel are left out, and the panel says so.
    """
    records = [record for record in records if record["split"] in DASHES]
    names = list(dict.fromkeys(name for record in records for name in record["values"]))
    if not names:
        raise InputError("there are no losses to draw: the records hold no value")
    totals = [name for name in names if "/" not in name]
    panels = [(" and ".join(map(_words, totals)), totals)] if totals else []
    for total in dict.fromkeys(name.split("/")[0] for name in names if "/" in name):
        terms = [name for name in names if name.startswith(f"{total}/")]
        panels.append((f"{_words(total)}: its parts", terms))
    with style():
        figure = new_figure(4.4 * len(panels), 3.1)
        all_axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for axes, (title, shown) in zip(all_axes, panels, strict=True):
            axes.set_title(title)
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
                label = f"{_words(name.split('/')[-1])}, {split}"
                colour = COLOURS[index % len(COLOURS)]
                marker = "o" if len(points) == 1 else ""
                axes.plot(epochs, values, dashes, color=colour, label=label, marker=marker)
                everything += values
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_ylabel(_unit(names))
    axes.legend(fontsize=7.5)
    _limit(axes, np.asarray(everything, np.float64))


def _words(name: str) -> str:
    return name.replace("_", " ").replace("negative elbo", "−ELBO").replace("kl", "KL")


def _unit(names: Sequence[str]) -> str:
    if all(name.endswith("probability") for name in names):
        return "probability"
    roots = {name.split("/")[0] for name in names}
    in_nats = roots <= set(NATS) and not any(name.endswith("probability") for name in names)
    return "nats" if in_nats else ""


def _limit(axes: Axes, values: np.ndarray) -> None:
    """Leave spikes out of the picture rather than flatten the rest of the curve."""
    finite = values[np.isfinite(values)]
    if len(finite) < FEWEST_FOR_SPIKES:
        return
    low, high = np.percentile(finite, [10, 90], method="closest_observation")
    reach = FENCE * (high - low)
    inside = finite[(finite >= low - reach) & (finite <= high + reach)]
    left_out = finite[(finite < low - reach) | (finite > high + reach)]
    if reach == 0 or not len(left_out):
        return
    margin = 0.05 * (inside.max() - inside.min())
    axes.set_ylim(inside.min() - margin, inside.max() + margin)
    furthest = left_out[np.abs(left_out - inside.mean()).argmax()]
    text = f"{len(left_out)} beyond this panel, to {furthest:.3g}".replace("-", "−")
    axes.text(0.02, 0.02, text, transform=axes.transAxes, fontsize=7, style="italic")
