"""Loadings and noise variances from a covariance or correlation matrix: the estimators.

    method                equation                                       source
    principal_component   L = V √Λ of S itself                           Johnson & Wichern 2007, 9.3
    principal_axis        L = V √Λ of S − Ψ, Ψ = diag(S − LLᵀ), iterated   Harman 1976, chapter 8
    minres                least squares off the diagonal                 Harman & Jones 1966
    gls, wls              generalised and weighted least squares         Jöreskog & Goldberger 1972
    alpha                 generalisable factors                          Kaiser & Caffrey 1965
    ml                    maximum likelihood                             Jöreskog 1967

Shapes: S is (p, p), loadings (p, k), noise variances and their floor (p,).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from latentia.errors import InputError
from latentia.linear import discrepancy
from latentia.linear.em import em
from latentia.linear.newton import Minimum, Problem, minimise
from latentia.linear.profile import ProfileLikelihood
from latentia.linear.spectral import DENSE, leading_of

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Method = Literal["ml", "minres", "principal_axis", "principal_component", "gls", "wls", "alpha"]
Algorithm = Literal["newton", "em", "px_em"]

NEWTON_TOLERANCE = {True: 1e-13, False: 1e-9}
"""Of the expected decrease: exact Newton steps reach rounding, the others stop before it."""
FIXED_POINT_TOLERANCE = {True: 1e-12, False: 1e-9}
"""Of the communalities: full decompositions reach rounding, iterated eigenpairs stop before it."""
OTHER_OPTIMUM = 1e-5
RANDOM_SHARES = 0.1, 0.9
"""Noise variances of random starts, as shares of the variances."""


@dataclass(frozen=True)
class Extraction:
    """A factor solution before rotation.

    Attributes
    ----------
    loadings, noise_variance
        (p, k) L and (p,) Ψ.
    at_floor
        (p,) where Ψ is held by its floor: Heywood cases.
    trace
        The objective step by step: log|Σ| + tr Σ⁻¹S for ml, the discrepancy for the others.
    n_iterations, converged
        Steps, and whether they ended by themselves.
    n_optima
        Distinct optima among the starts, by objective.
    """

    loadings: Matrix
    noise_variance: Vector
    at_floor: NDArray[np.bool_]
    trace: tuple[float, ...]
    n_iterations: int
    converged: bool
    n_optima: int = 1


@dataclass(frozen=True)
class Search:
    """How to search.

    Attributes
    ----------
    floor
        (p,) the least noise variances.
    n_starts, random_state
        Starts of the minimised discrepancies: half of the variances, then random ones.
    algorithm
        For ml: Newton alone, or EM or PX-EM first.
    tolerance, max_iter
        Of EM and of the fixed-point iterations.
    """

    floor: Vector = field(default_factory=lambda: np.zeros(0))
    n_starts: int = 1
    random_state: int | None = None
    algorithm: Algorithm = "newton"
    tolerance: float = 1e-8
    max_iter: int = 10_000

    def above(self, floor: Vector) -> Search:
        """Return the same search over another floor."""
        return replace(self, floor=floor)


def extract(S: Matrix, k: int, method: Method, search: Search) -> Extraction:
    """Estimate a k-factor model of S.

    Raises
    ------
    InputError
        If gls or wls is asked of a singular matrix.
    """
    if method == "principal_component":
        values, vectors = leading_of(S, k)
        loadings = vectors * np.sqrt(np.maximum(values, 0))
        return _closed(S, loadings, search.floor)
    if method == "principal_axis":
        return _fixed_point(S, k, search, alpha=False)
    if method == "alpha":
        return _fixed_point(S, k, search, alpha=True)
    if method == "ml":
        return _likelihood(S, k, search)
    return _least_squares(S, k, method, search)


def canonical(S: Matrix, noise: Vector, k: int, guess: Matrix | None = None) -> Matrix:
    """Return the best loadings given Ψ: L = Ψ^½ U (Θ − I)^½, so that LᵀΨ⁻¹L is diagonal.

    ``guess`` is that of `latentia.linear.spectral.leading_of` for the eigenvectors U.
    """
    scale = np.sqrt(noise)
    values, vectors = leading_of(S / scale[:, None] / scale, k, guess)
    loadings: Matrix = scale[:, None] * vectors * np.sqrt(np.maximum(values - 1, 0))
    return loadings


def _closed(S: Matrix, loadings: Matrix, floor: Vector) -> Extraction:
    unique = np.diag(S) - (loadings**2).sum(axis=1)
    return Extraction(loadings, np.maximum(unique, floor), unique < floor, (), 1, True)


def _likelihood(S: Matrix, k: int, search: Search) -> Extraction:
    small = len(S) <= discrepancy.MOST_EXACT
    large = None if small else ProfileLikelihood(S, k)
    problem = large or discrepancy.MaximumLikelihood(S, k)
    steps, starts = 0, _starts(S, search)
    before: tuple[float, ...] = ()
    if search.algorithm != "newton":
        noise = np.maximum(np.diag(S) / 2, search.floor)
        expanded = search.algorithm == "px_em"
        W = canonical(S, noise, k)
        tolerance, most = search.tolerance, search.max_iter
        result = em(
            S, W, noise, search.floor, expanded=expanded, tolerance=tolerance, max_iter=most
        )
        steps, before, starts = len(result.trace) - 1, result.trace, [result.noise_variance]
    lower = np.log(search.floor)
    minima = [_minimise(problem, np.log(start), lower) for start in starts]
    best, n_optima = _best(minima)
    noise = np.exp(best.x)
    loadings = canonical(S, noise, k, None if large is None else large.guess)
    trace = (*before, *best.trace)
    n = steps + best.n_iterations
    return Extraction(loadings, noise, best.at_bound, trace, n, best.converged, n_optima)


def _least_squares(S: Matrix, k: int, method: Method, search: Search) -> Extraction:
    weights, lower = np.ones(len(S)), search.floor
    starts = _starts(S, search)
    if method == "gls":
        _refuse_singular(S, method)
        gls = discrepancy.GeneralisedLeastSquares(S, k)
        minima = [_minimise(gls, np.log(start), np.log(lower)) for start in starts]
        best, n_optima = _best(minima)
        noise = np.exp(best.x)
        loadings = canonical(S, noise, k)
    else:
        if method == "wls":
            _refuse_singular(S, method)
            weights = 1 / np.diag(linalg.inv(S))
        root = np.sqrt(weights)
        scaled = S * root[:, None] * root
        uls = discrepancy.UnweightedLeastSquares(scaled, k)
        minima = [_minimise(uls, weights * start, weights * lower) for start in starts]
        best, n_optima = _best(minima)
        noise = best.x / weights
        values, vectors = leading_of(uls.matrix(best.x), k)
        loadings = vectors * np.sqrt(np.maximum(values, 0)) / root[:, None]
    return Extraction(
        loadings, noise, best.at_bound, best.trace, best.n_iterations, best.converged, n_optima
    )


def _minimise(problem: Problem, start: Vector, lower: Vector) -> Minimum:
    tolerance = NEWTON_TOLERANCE[problem.exact]
    return minimise(problem, start, lower, tolerance=tolerance, max_iter=500)


def _starts(S: Matrix, search: Search) -> list[Vector]:
    variances = np.diag(S)
    draw = np.random.default_rng(search.random_state)
    shares = [np.full(len(S), 0.5)]
    shares += [draw.uniform(*RANDOM_SHARES, len(S)) for _ in range(search.n_starts - 1)]
    return [np.maximum(share * variances, search.floor) for share in shares]


def _best(minima: list[Minimum]) -> tuple[Minimum, int]:
    """Return the lowest minimum, and how many distinct values the converged ones have."""
    ordered = sorted(minima, key=lambda minimum: minimum.value)
    values = np.array([minimum.value for minimum in ordered if minimum.converged])
    return ordered[0], 1 + int((np.diff(values) > OTHER_OPTIMUM).sum())


def _fixed_point(S: Matrix, k: int, search: Search, *, alpha: bool) -> Extraction:
    """Iterate L ← loadings(communalities), communalities ← diag LLᵀ."""
    variances = np.diag(S)
    common = _first_communalities(S)
    ceiling = variances - search.floor
    trace, tolerance = list[float](), FIXED_POINT_TOLERANCE[len(S) <= DENSE]
    for _ in range(search.max_iter):
        scale = np.sqrt(common) if alpha else np.ones(len(S))
        reduced = S.copy()
        np.fill_diagonal(reduced, common)
        values, vectors = leading_of(reduced / scale[:, None] / scale, k)
        loadings = scale[:, None] * vectors * np.sqrt(np.maximum(values, 0))
        new = np.minimum((loadings**2).sum(axis=1), ceiling)
        trace.append(float(np.abs(new - common).max() / variances.max()))
        common = new
        if trace[-1] < tolerance:
            break
    converged = trace[-1] < tolerance
    held = common >= ceiling
    return Extraction(loadings, variances - common, held, tuple(trace), len(trace), converged)


def _first_communalities(S: Matrix) -> Vector:
    """Return the squared multiple correlations, or half of the variances of a singular S."""
    variances = np.diag(S)
    if _is_singular(S):
        return variances / 2
    common: Vector = variances - 1 / np.diag(linalg.inv(S))
    return common


def _is_singular(S: Matrix) -> bool:
    scale = np.sqrt(np.diag(S))
    values = linalg.eigvalsh(S / scale[:, None] / scale)
    return bool(values[0] <= len(S) * np.finfo(float).eps * values[-1])


def _refuse_singular(S: Matrix, method: str) -> None:
    if _is_singular(S):
        raise InputError(
            f"method is {method!r}, which needs a regular covariance matrix, and this one is "
            "singular (collinear columns, or fewer rows than columns); use 'ml' or 'minres'"
        )
