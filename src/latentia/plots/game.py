"""A GAN's game on the line: its optimal discriminator and its course, as the paper draws them.

Shapes: curves over ``x`` are (m,); every function takes arrays and returns a figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.patches import ConnectionPatch
from numpy.typing import NDArray

from latentia.plots.style import COLOURS, INK, new_figure, style

Vector = NDArray[Any]

DATA, GENERATED, JUDGE = INK, COLOURS[2], COLOURS[0]
"""The colours of p_data, p_g and D, as the GAN paper has them: black, green, blue."""
HEADROOM = 1.12
EMPTY = 0.003
"""Below this share of the tallest density no sample teaches D, and it is not drawn."""


def minimax_figure(
    x: Vector,
    densities: tuple[Vector, Vector],
    discriminators: tuple[Vector, Vector],
    shifts: Vector,
    values: Vector,
    criterion: Vector,
) -> Figure:
    """Return D* beside a trained D, and V(G, D*) on top of −log 4 + 2 JSD.

    Parameters
    ----------
    x
        (m,) points.
    densities
        p_data and p_g, (m,) each.
    discriminators
        D* and the trained D, (m,) probabilities each.
    shifts
        (k,) distances between the means of p_data and p_g.
    values, criterion
        V(G, D*) by its definition and −log 4 + 2 JSD, (k,) nats each.
    """
    with style():
        figure = new_figure(10.0, 3.6)
        left, right = figure.subplots(1, 2)
        left.set_title("the optimal discriminator, and one trained on samples")
        _densities(left, x, *densities)
        judge = _judge_axes(left)
        judge.plot(x, discriminators[0], "--", color=JUDGE, label="D* = p_data / (p_data + p_g)")
        judge.plot(x, discriminators[1], color=COLOURS[1], linewidth=1, label="D, trained")
        judge.set_ylabel("probability of “real”")
        handles = [*left.get_lines(), *judge.get_lines()]
        left.legend(handles=handles, loc="upper left", fontsize=7.5)
        left.set_ylim(top=1.45 * max(density.max() for density in densities))
        judge.set_ylim(0, 1.45)
        judge.set_yticks([0, 0.5, 1])
        right.set_title("theorem 1: max over D of V(G, D) = −log 4 + 2 JSD")
        right.plot(shifts, criterion, color="#b0b0b0", linewidth=5, label="−log 4 + 2 JSD")
        right.plot(shifts, values, color=JUDGE, label="V(G, D*) by its definition")
        for level, word in ((-np.log(4), "−log 4: p_g = p_data"), (0.0, "0: told apart surely")):
            right.axhline(level, color=INK, linestyle=":", linewidth=1)
            right.text(shifts[-1], level + 0.02, word, ha="right", va="bottom", fontsize=8)
        right.set_ylim(-1.5, 0.16)
        right.set_xlabel("distance between the means of p_data and p_g")
        right.set_ylabel("nats")
        right.legend(loc="center right")
    return figure


def _densities(axes: Axes, x: Vector, p_data: Vector, p_g: Vector) -> None:
    axes.plot(x, p_data, ":", color=DATA, linewidth=2, label="p_data")
    axes.plot(x, p_g, color=GENERATED, label="p_g")
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(bottom=0)
    axes.set_xlabel("x")
    axes.set_ylabel("density")


def _judge_axes(axes: Axes) -> Axes:
    judge = axes.twinx()
    judge.grid(visible=False)
    judge.spines["right"].set_visible(True)
    judge.set_ylim(0, HEADROOM)
    return judge


def game_figure(
    x: Vector,
    p_data: Vector,
    z: Vector,
    moments: Sequence[tuple[int, Vector, Vector, Vector]],
    course: tuple[Vector, Vector, Vector],
) -> Figure:
    """Return a game as the GAN paper's figure 1 draws it, and its course below.

    Parameters
    ----------
    x, p_data
        (m,) points and the data's density.
    z
        (k,) latent values.
    moments
        Of each panel: the step, p_g (m,), D (m,), G(z) (k,).
    course
        (s,) steps, JSD(p_data, p_g) in nats, and the mean of |D − ½|.
    """
    with style():
        figure = new_figure(2.9 * len(moments), 5.4)
        grid = GridSpec(3, len(moments), figure, height_ratios=(2.3, 0.9, 1.3))
        top = HEADROOM * max(p_data.max(), *(p_g.max() for _, p_g, _, _ in moments[1:]))
        for column, (step, p_g, D, images) in enumerate(moments):
            upper = figure.add_subplot(grid[0, column])
            upper.set_title(f"({'abcdefgh'[column]}) after {step} steps")
            _densities(upper, x, p_data, p_g)
            upper.set(ylim=(0, top), xlabel="", ylabel="density" if column == 0 else "")
            judge = _judge_axes(upper)
            seen = p_data + p_g > EMPTY * top
            judge.plot(x[seen], D[seen], "--", color=JUDGE, label="D(x)")
            judge.set_ylabel("D(x)" if column == len(moments) - 1 else "", color=JUDGE)
            judge.set_yticks([0, 0.5, 1])
            if column == 0:
                handles = [*upper.get_lines(), *judge.get_lines()]
                upper.legend(handles=handles, loc="upper right", fontsize=7.5)
            _arrows(figure.add_subplot(grid[1, column]), x, z, images)
        _course(figure.add_subplot(grid[2, :]), *course, [step for step, *_ in moments])
    return figure


def _arrows(axes: Axes, x: Vector, z: Vector, images: Vector) -> None:
    """Draw the map from z, on the line below, to x, on the line above."""
    axes.set(xlim=(x[0], x[-1]), ylim=(0, 1))
    axes.set_axis_off()
    middle, half = (x[0] + x[-1]) / 2, (x[-1] - x[0]) / 2
    for height, name in ((0.0, "z"), (1.0, "x")):
        axes.plot([x[0], x[-1]], [height, height], color=INK, linewidth=1, clip_on=False)
        axes.text(-0.02, height, name, transform=axes.transAxes, ha="right", va="center")
    starts = middle + 0.9 * half * z / np.abs(z).max()
    for start, end in zip(starts, images):
        arrow = ConnectionPatch((start, 0), (end, 1), "data", arrowstyle="-|>", mutation_scale=5)
        arrow.set(color=INK, linewidth=0.6, clip_on=True)
        arrow.set_in_layout(False)
        axes.add_patch(arrow)


def _course(axes: Axes, steps: Vector, js: Vector, gap: Vector, shown: Sequence[int]) -> None:
    axes.plot(steps, js, color=GENERATED, label="JSD(p_data, p_g), nats")
    axes.plot(steps, gap, "--", color=JUDGE, label="mean |D − ½|")
    for step, letter in zip(shown, "abcdefgh"):
        axes.axvline(step, color=INK, linewidth=0.8, linestyle=":")
        axes.text(step, 1.02, letter, transform=axes.get_xaxis_transform(), ha="center")
    axes.set_xlabel("steps of the generator")
    axes.set_ylim(bottom=0)
    axes.legend()
