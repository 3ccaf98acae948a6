"""Losses over epochs, from the records in a run's ``metrics.jsonl``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from latentia.errors import InputError
from latentia.plots.drawing import SERIES, Frame, padded
from latentia.plots.page import Drawing, Picture, Swatch, format_number
from latentia.plots.style import COLOURS, new_figure, style

NATS = ("negative_elbo", "beta_negative_elbo", "discriminator", "generator", "cross_entropy")
DASHES = {"train": "-", "validation": "--"}
FEWEST_FOR_SPIKES = 5
FENCE = 5.0
"""A value this many times the middle's range away from it is a spike."""


@dataclass
class Panel:
    """What belongs together: curves of some values, training and held out, over epochs."""

    title: str
    names: Sequence[str]
    records: Sequence[Mapping[str, Any]]

    def points(self, name: str, split: str) -> tuple[tuple[int, ...], tuple[float, ...]]:
        """Return epochs and values of one curve."""
        found = [
            (r["epoch"], r["values"][name])
            for r in self.records
            if r["split"] == split and name in r["values"]
        ]
        epochs, values = zip(*found, strict=True) if found else ((), ())
        return epochs, values

    @property
    def everything(self) -> NDArray[np.float64]:
        """All values of all curves."""
        return np.array(
            [v for n in self.names for split in DASHES for v in self.points(n, split)[1]]
        )

    @property
    def unit(self) -> str:
        """Of the values, or nothing."""
        return _unit(self.names)


def panels(records: Sequence[Mapping[str, Any]]) -> list[Panel]:
    """Return a panel for the totals and one for each total's terms, if it has any.

    Raises
    ------
    InputError
        If the records hold no losses.
    """
    kept = [record for record in records if record["split"] in DASHES]
    names = list(dict.fromkeys(name for record in kept for name in record["values"]))
    if not names:
        raise InputError("there are no losses to draw: the records hold no value")
    totals = [name for name in names if "/" not in name]
    found = [Panel(" and ".join(map(_words, totals)), totals, kept)] if totals else []
    for total in dict.fromkeys(name.split("/")[0] for name in names if "/" in name):
        terms = [name for name in names if name.startswith(f"{total}/")]
        found.append(Panel(f"{_words(total)}: its parts", terms, kept))
    return found


def loss_curves(records: Sequence[Mapping[str, Any]]) -> Figure:
    """Return the panels of `panels` side by side.

    Training values are solid lines, held-out values dashed; the x axis counts epochs. Spikes that
    would flatten the rest of a panel are left out, and the panel says so.
    """
    shown = panels(records)
    with style():
        figure = new_figure(4.4 * len(shown), 3.1)
        for axes, panel in zip(
            figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True
        ):
            axes.set_title(panel.title)
            _draw(axes, panel)
    return figure


def loss_pictures(records: Sequence[Mapping[str, Any]]) -> Iterator[Picture]:
    """Yield the panels of `panels` as drawings of a page; a spike is named in the caption."""
    for panel in _joined(panels(records)):
        inside, furthest, n_out = _inside(panel.everything)
        epochs = max(record["epoch"] for record in panel.records)
        frame = Frame((min(1, epochs - 1), epochs), inside, x_label="epoch", whole_x=True)
        legend, said = list[Swatch](), list[str]()
        for name, colour in zip(panel.names, cycle(SERIES)):
            label = _words(name.split("/")[-1]).removesuffix(" probability")
            legend.append((label, colour, "line"))
            for split in DASHES:
                frame.line(*panel.points(name, split), colour, dashed=split != "train")
            last = panel.points(name, "train")[1][-1:] or (math.nan,)
            said.append(f"{label} ends at {format_number(last[0])}")
        caption = f"Mean over each epoch; {', '.join(said)}."
        if n_out:
            caption += f" {n_out} beyond the frame, to {format_number(furthest)}."
        held_out = "held out" if any(r["split"] == "validation" for r in panel.records) else ""
        title = _heading(panel)
        drawing = Drawing(frame.svg(f"{title}: {caption}"), tuple(legend), held_out)
        yield Picture(title, caption, drawing=drawing)


def _heading(panel: Panel) -> str:
    if panel.unit == "probability":
        return f"What the {_words(panel.names[0].split('/')[0])} believes"
    title = f"{panel.title}, {panel.unit}" if panel.unit else panel.title
    return title[:1].upper() + title[1:]


def _joined(shown: list[Panel]) -> list[Panel]:
    """Return one panel for a single total with its terms; a term that never changes is none."""
    for panel in shown:
        panel.names = [name for name in panel.names if "/" not in name or _changes(panel, name)]
    shown = [panel for panel in shown if panel.names]
    one = len(shown) == 2 and len(shown[0].names) == 1 and len({p.unit for p in shown}) == 1
    if not one:
        return shown
    total, terms = shown
    return [Panel(f"{total.title} and its parts", [*total.names, *terms.names], total.records)]


def _changes(panel: Panel, name: str) -> bool:
    values = panel.points(name, "train")[1]
    return len(values) < 2 or bool(np.ptp(values))


def _draw(axes: Axes, panel: Panel) -> None:
    for index, name in enumerate(panel.names):
        for split, dashes in DASHES.items():
            epochs, values = panel.points(name, split)
            if epochs:
                label = f"{_words(name.split('/')[-1])}, {split}"
                colour = COLOURS[index % len(COLOURS)]
                marker = "o" if len(epochs) == 1 else ""
                axes.plot(epochs, values, dashes, color=colour, label=label, marker=marker)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_ylabel(panel.unit)
    axes.legend(fontsize=7.5)
    _limit(axes, panel.everything)


def _words(name: str) -> str:
    return name.replace("_", " ").replace("negative elbo", "−ELBO").replace("kl", "KL")


def _unit(names: Sequence[str]) -> str:
    if all(name.endswith("probability") for name in names):
        return "probability"
    roots = {name.split("/")[0] for name in names}
    in_nats = roots <= set(NATS) and not any(name.endswith("probability") for name in names)
    return "nats" if in_nats else ""


def _limit(axes: Axes, values: NDArray[np.float64]) -> None:
    """Leave spikes out of the picture rather than flatten the rest of the curve."""
    limits, furthest, n_out = _inside(values)
    if n_out:
        axes.set_ylim(*limits)
        text = f"{n_out} beyond this panel, to {furthest:.3g}".replace("-", "−")
        axes.text(0.02, 0.02, text, transform=axes.transAxes, fontsize=7, style="italic")


def _inside(values: NDArray[np.float64]) -> tuple[tuple[float, float], float, int]:
    """Return limits that leave spikes out, the furthest of them, and how many there are."""
    finite = values[np.isfinite(values)]
    if len(finite) < FEWEST_FOR_SPIKES:
        return padded(finite), math.nan, 0
    low, high = np.percentile(finite, [10, 90], method="closest_observation")
    reach = FENCE * (high - low)
    near = (finite >= low - reach) & (finite <= high + reach)
    if reach == 0 or near.all():
        return padded(finite), math.nan, 0
    inside, left_out = finite[near], finite[~near]
    furthest = left_out[np.abs(left_out - inside.mean()).argmax()]
    return padded(inside, 0.05), float(furthest), len(left_out)
