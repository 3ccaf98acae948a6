"""Where the parts of the factor page's drawings stand; its template draws them.

All is in units of a drawing's own box, y downwards, so that a change is a movement of known parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentia.evaluation.apa.factors import Analysis, factor_names
from latentia.models.factors.n_factors import Suggestion
from latentia.plots.factors import MOST_DRAWN

WIDTH, TOP, ROW = 640.0, 24.0, 26.0
"""Of the path diagram: its width, the room above, and the height of a variable."""
BOX, FACTOR, RADIUS = 190.0, 470.0, 26.0
"""Where arrows end at a variable, where a factor's middle is, and half its height."""
SIDE, EDGE = 420.0, 34.0
"""Of the drawing of two factors: a side, and the room outside the unit square."""
SCREE = (560.0, 250.0)
LEFT, RIGHT, ABOVE, BELOW = 40.0, 12.0, 14.0, 34.0
"""Room around the eigenvalues."""
MOST_EIGENVALUES = 20
LEAST_ARC = 0.1
"""Correlations of factors of which a smaller one has no arc."""


@dataclass(frozen=True)
class Mark:
    """Something with a name at a place."""

    name: str
    x: float
    y: float


@dataclass(frozen=True)
class Line:
    """A line between two places, and the coefficient that it stands for."""

    key: str
    x: float
    y: float
    to_x: float
    to_y: float
    value: float


@dataclass(frozen=True)
class Paths:
    """A path diagram: variables at the left, factors at the right."""

    height: float
    variables: tuple[Mark, ...]
    factors: tuple[Mark, ...]
    arrows: tuple[Line, ...]
    arcs: tuple[Line, ...]


def path_lines(told: Analysis) -> Paths | None:
    """Return the path diagram of a solution, or nothing for more variables than it can show."""
    model = told.model
    assert model is not None
    order, k = told.order(), model.n_latent
    if len(order) > MOST_DRAWN:
        return None
    names, pattern = model.variable_names(), model.standardized_loadings_
    height = 2 * TOP + max(ROW * len(order), 3 * RADIUS * k)
    rows = _spread(len(order), height)
    variables = tuple(Mark(names[i], BOX, y) for i, y in zip(order, rows))
    factors = tuple(
        Mark(name, FACTOR, y) for name, y in zip(factor_names(model), _spread(k, height))
    )
    arrows = tuple(
        Line(f"{v.name} {f.name}", f.x, f.y, v.x, v.y, float(pattern[i, j]))
        for i, v in zip(order, variables)
        for j, f in enumerate(factors)
    )
    Phi = model.factor_correlations_
    arcs = tuple(
        Line(f"{a.name} {b.name}", a.x, a.y, b.x, b.y, float(Phi[i, j]))
        for i, a in enumerate(factors)
        for j, b in enumerate(factors[:i])
        if abs(Phi[i, j]) >= LEAST_ARC
    )
    return Paths(height, variables, factors, arrows, arcs)


def _spread(count: int, height: float) -> NDArray[np.float64]:
    """Return the heights of things with equal room around each."""
    room = (height - 2 * TOP) / count
    return np.asarray(TOP + room * (np.arange(count) + 0.5))


@dataclass(frozen=True)
class Scatter:
    """Variables by their coefficients on two factors."""

    across: int
    up: int
    points: tuple[Mark, ...]


def scatter_points(told: Analysis, across: int, up: int) -> Scatter | None:
    """Return the variables on the plane of two factors, counted from 0; none for one factor."""
    model = told.model
    assert model is not None
    if model.n_latent < 2:
        return None
    names, pattern = model.variable_names(), np.clip(model.standardized_loadings_, -1.15, 1.15)
    scale = SIDE / 2 - EDGE
    points = tuple(
        Mark(names[i], SIDE / 2 + scale * pattern[i, across], SIDE / 2 - scale * pattern[i, up])
        for i in told.order()
    )
    return Scatter(across + 1, up + 1, points)


@dataclass(frozen=True)
class Curve:
    """A line of eigenvalues: what it is, its points as SVG takes them, and its places."""

    key: str
    points: str
    places: tuple[Mark, ...]


@dataclass(frozen=True)
class Scree:
    """Eigenvalues and what chance alone gives, with the axes' marks."""

    curves: tuple[Curve, ...]
    across: tuple[Mark, ...]
    up: tuple[Mark, ...]
    one: float
    """The height of an eigenvalue of 1."""


def scree_lines(found: Suggestion) -> Scree:
    """Return the eigenvalues of components and factors, with the 95 % quantiles of chance."""
    chance = ("component_chance", found.component_null), ("factor_chance", found.factor_null)
    series = {"component": found.eigenvalues, "factor": found.factor_eigenvalues}
    series |= {key: null[1] for key, null in chance if null is not None}
    n = min(MOST_EIGENVALUES, len(found.eigenvalues))
    top = float(np.ceil(max(values[:n].max() for values in series.values())))
    low = float(min(0.0, *(values[:n].min() for values in series.values())))
    width, height = SCREE[0] - LEFT - RIGHT, SCREE[1] - ABOVE - BELOW

    def x_of(place: int) -> float:
        return LEFT + width * (place + 0.5) / n

    def y_of(value: float) -> float:
        return ABOVE + height * (top - value) / (top - low)

    curves = []
    for key, values in series.items():
        marks = tuple(Mark(f"{v:.2f}", x_of(i), y_of(float(v))) for i, v in enumerate(values[:n]))
        points = " ".join(f"{mark.x:.1f},{mark.y:.1f}" for mark in marks)
        curves.append(Curve(key, points, marks))
    step = max(1, round(top / 5))
    return Scree(
        tuple(curves),
        tuple(Mark(str(i + 1), x_of(i), SCREE[1] - BELOW) for i in range(n)),
        tuple(Mark(str(v), LEFT, y_of(v)) for v in range(0, int(top) + 1, step)),
        y_of(1.0),
    )
