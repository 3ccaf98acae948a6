"""The lectures' figures of theory: densities, divergences, an expectation, vanishing gradients.

Shapes: curves over ``x`` are (m,); every function takes arrays and returns a figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from latentia.plots.style import COLOURS, INK, new_figure, style

Vector = NDArray[Any]

MARKERS = ("o", "s", "^", "D", "v")
FLOOR = 1e-45
"""Below float32's least number a gradient is 0, which a logarithmic axis cannot show."""


def parallel_lines_figure(
    theta: Vector, wasserstein: Vector, js: Vector, total_variation: Vector
) -> Figure:
    """Return the two lines of the WGAN paper's example 1 beside W₁, JSD and TV over θ.

    Parameters
    ----------
    theta, wasserstein, js, total_variation
        (m,) each, θ increasing. KL is infinite wherever JSD is not 0, and said so.
    """
    with style():
        figure = new_figure(11.2, 3.3)
        lines, *others = figure.subplots(1, 4, width_ratios=(0.85, 1, 1, 1))
        _two_lines(lines)
        curves = [
            ("Wasserstein-1: |θ|", wasserstein, "units of θ"),
            ("Jensen–Shannon: log 2 or 0", js, "nats"),
            ("total variation: 1 or 0", total_variation, "probability"),
        ]
        for axes, colour, (title, curve, unit) in zip(others, COLOURS, curves):
            axes.set_title(title)
            _with_a_jump(axes, theta, curve, colour)
            axes.set_xlabel("distance θ of the lines")
            axes.set_ylabel(unit)
            axes.set_ylim(-0.05 * curve.max(), 1.45 * curve.max())
        words = ("the slope leads to θ = 0", "no slope\n(KL, both ways: ∞ or 0)", "no slope")
        for axes, said in zip(others, words):
            axes.text(0.5, 0.88, said, transform=axes.transAxes, ha="center", va="center")
    return figure


def _two_lines(axes: Axes) -> None:
    axes.set_title("example 1: two parallel lines")
    for place, name, colour in ((0.0, "$P_0$", INK), (0.6, "$P_θ$", COLOURS[2])):
        axes.plot([place, place], [0, 1], color=colour, linewidth=3, solid_capstyle="butt")
        axes.text(place, 1.03, name, color=colour, ha="center")
    axes.annotate("", (0.59, 0.5), (0.01, 0.5), arrowprops={"arrowstyle": "<->", "color": INK})
    axes.text(0.3, 0.53, "θ", ha="center")
    axes.set(xlim=(-0.3, 0.9), ylim=(-0.05, 1.2), xlabel="$x_1$", ylabel="$x_2$ = Z, uniform")
    axes.grid(visible=False)


def _with_a_jump(axes: Axes, theta: Vector, curve: Vector, colour: str) -> None:
    """Draw both sides of θ = 0, and the value there as a point of its own if it jumps."""
    at_zero = theta == 0
    if not at_zero.any() or np.abs(np.diff(curve)).max() < np.ptp(curve) / 2:
        axes.plot(theta, curve, color=colour)
        return
    for side in (theta < 0, theta > 0):
        axes.plot(theta[side], curve[side], color=colour)
    beside = curve[np.flatnonzero(at_zero)[0] - 1]
    axes.plot([0], [beside], "o", markerfacecolor="white", markeredgecolor=colour)
    axes.plot([0], curve[at_zero], "o", color=colour)


def asymmetry_figure(x: Vector, p: Vector, nearest: Sequence[tuple[str, Vector]]) -> Figure:
    """Return a density and the densities nearest to it, each by its own divergence.

    Parameters
    ----------
    x, p
        (m,) points and the density there.
    nearest
        A label and (m,) densities for each curve.
    """
    with style():
        figure = new_figure(6.4, 3.6)
        axes = figure.subplots()
        axes.fill_between(x, p, color="#d9d9d9", linewidth=0, label="p")
        for label, density in nearest:
            axes.plot(x, density, label=label)
        axes.set(xlabel="x", ylabel="density", xlim=(x[0], x[-1]))
        axes.set_ylim(0, 1.5 * max(density.max() for density in (p, *(d for _, d in nearest))))
        axes.set_title("KL is not symmetric: one way covers both modes, the other seeks one")
        axes.legend(loc="upper left")
    return figure


def expectation_figure(
    n: Vector, mean: Vector, interval: tuple[Vector, Vector], truth: float, title: str
) -> Figure:
    """Return a running estimate with its interval, and its error beside the stated one.

    Parameters
    ----------
    n, mean
        (m,) numbers of draws, increasing, and the estimates after them.
    interval
        The ends of its 95 % intervals, (m,) each.
    truth
        The expectation.
    title
        What is estimated.
    """
    with style():
        figure = new_figure(9.6, 3.5)
        left, right = figure.subplots(1, 2)
        left.set_title(title)
        left.fill_between(
            n, *interval, color=COLOURS[0], alpha=0.2, linewidth=0, label="95 % interval"
        )
        left.plot(n, mean, color=COLOURS[0], linewidth=1, label="running mean")
        left.axhline(truth, color=INK, linestyle=":", label=f"the expectation, {truth:.4g}")
        later = n >= n[-1] ** 0.25
        reach = max(np.abs(end[later] - truth).max() for end in interval)
        left.set_ylim(truth - reach, truth + reach)
        left.set_ylabel("estimate")
        stated = (interval[1] - interval[0]) / 2
        right.set_title("its error falls as 1/√n")
        right.loglog(n, np.abs(mean - truth), color=COLOURS[1], linewidth=0.8, label="|error|")
        right.loglog(n, stated, color=COLOURS[0], label="half the 95 % interval")
        guide = stated[-1] * np.sqrt(n[-1] / n)
        right.loglog(n, guide, ":", color=INK, label="slope −½")
        right.set_ylim(bottom=stated[-1] / 30, top=3 * guide[0])
        right.set_ylabel("units of the estimate")
        for axes in (left, right):
            axes.set_xscale("log")
            axes.set_xlim(n[0], n[-1])
            axes.set_xlabel("draws n")
            axes.legend(fontsize=8)
    return figure


def densities_figure(
    x: Vector,
    normals: Sequence[tuple[str, Vector]],
    outcomes: tuple[Vector, Vector],
    plane: tuple[Vector, Vector, Vector],
) -> Figure:
    """Return normal densities, a discrete distribution, and a density on the plane.

    Parameters
    ----------
    x, normals
        (m,) points; a label and (m,) densities for each curve.
    outcomes
        (k,) outcomes and their probabilities.
    plane
        (a,) first and (b,) second coordinates, and (b, a) densities.
    """
    with style():
        figure = new_figure(11.4, 3.5)
        grid = GridSpec(1, 3, figure)
        left, middle = (figure.add_subplot(grid[0, column]) for column in (0, 1))
        left.set_title("normal densities")
        for label, density in normals:
            left.plot(x, density, label=label)
        left.set(xlabel="x", ylabel="density p(x)", xlim=(x[0], x[-1]))
        left.set_ylim(0, 1.25 * max(density.max() for _, density in normals))
        left.legend(fontsize=8)
        middle.set_title("discrete: the sum of two dice")
        middle.bar(*outcomes, width=0.25, color=COLOURS[0])
        middle.set(xlabel="outcome x", ylabel="probability P(x)")
        middle.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=len(outcomes[0])))
        middle.grid(visible=False, axis="x")
        _surface(figure, grid, plane)
    return figure


def _surface(figure: Figure, grid: GridSpec, plane: tuple[Vector, Vector, Vector]) -> None:
    axes: Any = figure.add_subplot(grid[0, 2], projection="3d")
    first, second = np.meshgrid(*plane[:2])
    floor = -0.6 * plane[2].max()
    axes.plot_surface(first, second, plane[2], cmap="viridis", linewidth=0, antialiased=False)
    axes.contour(first, second, plane[2], levels=6, zdir="z", offset=floor, cmap="viridis")
    axes.set(zlim=(floor, plane[2].max()), xlabel="$x_1$", ylabel="$x_2$")
    axes.set_title("a bivariate normal density and its level lines")
    axes.set_zticks([])
    axes.view_init(elev=24, azim=-60)


def gradient_figure(panels: Mapping[str, Mapping[str, NDArray[np.float64]]]) -> Figure:
    """Return how gradients fade over steps back in time: a panel for each title, a curve for a net.

    ``panels`` holds by title curves by label, (T,) norms of ∂L_T/∂h_t for t = 1..T each; they are
    drawn relative to their last value.
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
