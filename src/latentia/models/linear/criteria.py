"""Criteria of simple structure, lower for simpler loadings, and the search for their minimum.

    quartimax          −¼ Σᵢⱼ λᵢⱼ⁴                                    (rows made simple)
    varimax            −¼ Σⱼ Σᵢ (λᵢⱼ² − mean over i of λᵢⱼ²)²         (columns made simple)
    Crawford–Ferguson  ¼ (1 − κ) Σᵢ Σⱼ≠ₗ λᵢⱼ² λᵢₗ² + ¼ κ Σⱼ Σᵢ≠ₘ λᵢⱼ² λₘⱼ²
    oblimin            ¼ Σⱼ≠ₗ ⟨λⱼ², (I − γ 11ᵀ/p) λₗ²⟩                (quartimin for γ = 0)
    geomin             Σᵢ ∏ⱼ (λᵢⱼ² + δ)^(1/k)
    bifactor           quartimin of all columns but the first, which is general
    target             Σᵢⱼ (λᵢⱼ − tᵢⱼ)² over the entries that the target states

Shapes: ``L`` is (p, k), p variables on k factors; a criterion returns a float and the (p, k)
derivative of it. The scales are those of Bernaards and Jennrich, so values compare with R's.

    Λ = A (T⁻¹)ᵀ,  ∇f(T) = −(Λᵀ Q′(Λ) T⁻¹)ᵀ      (f(T) = Q(Λ), for orthogonal and oblique T)

The search follows the projected gradient with steps of Barzilai and Borwein's length. Newton
steps on the same manifold finish to rounding, and leave a saddle along its negative curvature: a
clean structure turned by exactly 45° has no gradient and still is the worst of all.

References
----------
C. A. Bernaards, R. I. Jennrich, "Gradient projection algorithms and software for arbitrary
rotation criteria in factor analysis", Educational and Psychological Measurement 2005, appendix.
R. I. Jennrich, "A simple general procedure for orthogonal rotation", Psychometrika 2001, and "A
simple general method for oblique rotation", Psychometrika 2002, section 2.
J. Barzilai, J. M. Borwein, "Two-point step size gradient methods", IMA J. Numerical Analysis 1988.
M. W. Browne, "An overview of analytic rotation in exploratory factor analysis", Multivariate
Behavioral Research 2001, table 1, and "Orthogonal rotation to a partially specified target",
British Journal of Mathematical and Statistical Psychology 1972.
R. I. Jennrich, P. M. Bentler, "Exploratory bi-factor analysis", Psychometrika 2011, and "... the
oblique case", 2012.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from latentia.models.inputs import Matrix

Criterion = Callable[[Matrix], tuple[float, Matrix]]

OBLIQUE = ("oblimin", "quartimin", "geomin", "crawford_ferguson", "bifactor", "target")
COARSE = 1e-7
SADDLE = 1e-5
NEWTON_STEPS = 50
DIFFERENCE = 1e-6
ROUNDING = 1e-14


def quartimax(L: Matrix) -> tuple[float, Matrix]:
    """Return −¼ Σ λ⁴ and its slope (C. A. Ferguson, Psychometrika 1954, equation 10).

    >>> quartimax(np.eye(2))[0]
    -0.5
    """
    squares = L**2
    return -float((squares**2).sum()) / 4, -L * squares


def varimax(L: Matrix) -> tuple[float, Matrix]:
    """Return minus the column variances of the squares, summed over p/4 (H. F. Kaiser, 1958)."""
    spread = L**2 - (L**2).mean(axis=0)
    return -float((spread**2).sum()) / 4, -L * spread


def crawford_ferguson(kappa: float) -> Criterion:
    """Return the criterion that weighs row complexity 1 − κ and column complexity κ.

    κ = 0 is quartimax, 1/p varimax and k/(2p) equamax, for orthogonal rotations (C. B. Crawford
    and G. A. Ferguson, "A general rotation criterion and its use in orthogonal rotation",
    Psychometrika 1970, section 2).
    """

    def criterion(L: Matrix) -> tuple[float, Matrix]:
        squares = L**2
        others = (1 - kappa) * (squares.sum(axis=1, keepdims=True) - squares)
        others += kappa * (squares.sum(axis=0) - squares)
        return float((squares * others).sum()) / 4, L * others

    return criterion


def oblimin(gamma: float) -> Criterion:
    """Return the direct oblimin criterion (R. I. Jennrich, P. F. Sampson, Psychometrika 1966)."""

    def criterion(L: Matrix) -> tuple[float, Matrix]:
        squares = L**2
        others = squares.sum(axis=1, keepdims=True) - squares
        others -= gamma * others.mean(axis=0)
        return float((squares * others).sum()) / 4, L * others

    return criterion


def geomin(delta: float) -> Criterion:
    """Return Yates's row-wise geometric mean, δ > 0 keeping it smooth (Browne 2001, table 1)."""

    def criterion(L: Matrix) -> tuple[float, Matrix]:
        squares = L**2 + delta
        means = np.exp(np.log(squares).mean(axis=1, keepdims=True))
        return float(means.sum()), 2 / L.shape[1] * L / squares * means

    return criterion


def bifactor(L: Matrix) -> tuple[float, Matrix]:
    """Return quartimin of the group factors, the first column being general and free.

    >>> bifactor(np.array([[0.5, 0.6, 0.0], [0.5, 0.0, 0.6]]))[0]
    0.0
    """
    value, slope = oblimin(0)(L[:, 1:])
    return value, np.hstack([np.zeros((len(L), 1)), slope])


def target(T: Matrix) -> Criterion:
    """Return the squared distance from a (p, k) target, NaN where a loading is free."""
    seen = ~np.isnan(T)

    def criterion(L: Matrix) -> tuple[float, Matrix]:
        away = np.where(seen, L - np.nan_to_num(T), 0)
        return float((away**2).sum()), 2 * away

    return criterion


@dataclass(frozen=True, eq=False)
class Constants:
    """What a criterion has besides loadings: γ, δ, κ (none: 1/p), a target (p, k)."""

    gamma: float = 0.0
    delta: float = 0.01
    kappa: float | None = None
    target: Matrix | None = None


class Point(NamedTuple):
    """A (k, k) matrix T, the criterion there, and its gradient projected onto the tangents."""

    T: Matrix
    value: float
    gradient: Matrix

    @property
    def steepness(self) -> float:
        """The length of the projected gradient."""
        return float(np.linalg.norm(self.gradient))


@dataclass(frozen=True, eq=False)
class Search:
    """One problem: (p, k) loadings A, a criterion, the constraint on T, and the value's scale."""

    A: Matrix
    criterion: Criterion
    oblique: bool
    size: float

    def at(self, T: Matrix) -> Point:
        """Return value and projected gradient at T, infinity where T has no inverse."""
        try:
            inverse = np.linalg.inv(T) if self.oblique else T.T
        except np.linalg.LinAlgError:
            return Point(T, np.inf, np.zeros_like(T))
        L = self.A @ inverse.T
        value, slope = self.criterion(L)
        return Point(T, value, self.project(T, -(L.T @ slope @ inverse).T))

    def project(self, T: Matrix, G: Matrix) -> Matrix:
        """Return the part of G along the tangents at T."""
        normal = T * (T * G).sum(axis=0) if self.oblique else (G + T @ G.T @ T) / 2
        return np.asarray(G - normal)

    def retract(self, T: Matrix) -> Matrix:
        """Return the matrix nearest to T that meets the constraint."""
        if self.oblique:
            return np.asarray(T / np.linalg.norm(T, axis=0))
        left, _, right = np.linalg.svd(T)
        return np.asarray(left @ right)

    def along(self, point: Point, direction: Matrix, step: float) -> Point:
        """Return the first of step, step/2, … at which the value falls enough, or ``point``."""
        slope = min(0.0, float((point.gradient * direction).sum()))
        for _ in range(40):
            trial = self.at(self.retract(point.T + step * direction))
            if trial.value <= point.value + 1e-4 * step * slope + ROUNDING * self.size:
                return trial
            step /= 2
        return point

    def curvature(self, point: Point) -> Matrix:
        """Return the (k², k²) Hessian on the tangents, by differences of the gradient."""
        rows = []
        for unit in np.eye(point.T.size).reshape(-1, *point.T.shape):
            aside = point.T + DIFFERENCE * self.project(point.T, unit)
            change = self.at(self.retract(aside)).gradient - point.gradient
            rows.append(self.project(point.T, change).ravel() / DIFFERENCE)
        return (np.array(rows) + np.array(rows).T) / 2


def search_for(A: Matrix, method: str, constants: Constants) -> Search:
    """Return the problem that a method poses for (p, k) loadings; promax starts with varimax."""
    p, k = A.shape
    gamma, delta, T = constants.gamma, constants.delta, constants.target
    kappa = 1 / p if constants.kappa is None else constants.kappa
    known: dict[str, Criterion] = {
        "varimax": varimax,
        "promax": varimax,
        "quartimax": quartimax,
        "equamax": crawford_ferguson(k / (2 * p)),
        "crawford_ferguson_orthogonal": crawford_ferguson(kappa),
        "crawford_ferguson": crawford_ferguson(kappa),
        "bifactor_orthogonal": bifactor,
        "bifactor": bifactor,
        "target_orthogonal": target(np.zeros_like(A) if T is None else T),
        "target": target(np.zeros_like(A) if T is None else T),
        "oblimin": oblimin(gamma),
        "quartimin": oblimin(0),
        "geomin": geomin(delta),
        "geomin_orthogonal": geomin(delta),
    }
    communality = (A**2).sum(axis=1)
    squared = "geomin" in method or "target" in method
    size = communality.sum() if squared else (communality**2).sum()
    oblique = k > 1 and method in OBLIQUE
    return Search(A, known[method], oblique, max(float(size), np.finfo(float).tiny))


def minimum(search: Search, point: Point, goal: float, max_iter: int) -> Point:
    """Descend from a point, finish by Newton's steps, and leave every saddle met."""
    point = _descend(search, point, max_iter)
    for _ in range(NEWTON_STEPS):
        hessian = search.curvature(point)
        if not np.isfinite(hessian).all():
            break
        values, vectors = np.linalg.eigh(hessian)
        if values[0] < -SADDLE * search.size and point.steepness <= COARSE * search.size:
            point = _descend(search, _leave(search, point, vectors[:, 0]), max_iter)
            continue
        point = _newton(search, point, values, vectors)
        if point.steepness <= goal:
            break
    return point


def _descend(search: Search, point: Point, max_iter: int) -> Point:
    """Follow the projected gradient with steps of length ⟨s, s⟩ / |⟨s, y⟩| until it is small."""
    step = 1 / search.size
    for _ in range(max_iter):
        if not point.steepness > COARSE * search.size:
            break
        moved = search.along(point, -point.gradient, step)
        s, y = moved.T - point.T, moved.gradient - point.gradient
        if moved is point or not (s * y).any():
            break
        step, point = float((s * s).sum() / np.abs((s * y).sum())), moved
    return point


def _newton(search: Search, point: Point, values: Matrix, vectors: Matrix) -> Point:
    """Step by the Hessian with its eigenvalues made positive, so that the step descends."""
    stiffness = np.maximum(np.abs(values), 1e-8 * np.abs(values).max())
    step = -(vectors / np.maximum(stiffness, np.finfo(float).tiny)) @ (
        vectors.T @ point.gradient.ravel()
    )
    step /= max(1.0, float(np.linalg.norm(step)))
    return search.along(point, step.reshape(point.T.shape), 1.0)


def _leave(search: Search, point: Point, vector: Matrix) -> Point:
    """Step off a saddle, to whichever side of its negative curvature is lower."""
    direction = vector.reshape(point.T.shape)
    sides = [search.along(point, sign * direction, 0.1) for sign in (-1.0, 1.0)]
    return min(sides, key=lambda side: side.value)
