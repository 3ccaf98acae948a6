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
from latentia.models.factors import discrepancy
from latentia.models.factors.em import em
from latentia.models.factors.fit_statistics import is_singular
from latentia.models.linear.eigen import DENSE, leading_of, threads_for
from latentia.models.linear.rotation import Rotation, order, rotate

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

LEAST_COMMUNALITY = 1e-10
FIXED_POINT_TOLERANCE = {True: 1e-12, False: 1e-9}
"""Of the communalities: full decompositions reach rounding, iterated eigenpairs stop before it."""


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
        return maximise(S, k, search)
    return _least_squares(S, k, method, search)


def _closed(S: Matrix, loadings: Matrix, floor: Vector) -> Extraction:
    unique = np.diag(S) - (loadings**2).sum(axis=1)
    return Extraction(loadings, np.maximum(unique, floor), unique < floor, (), 1, True)


def _least_squares(S: Matrix, k: int, method: Method, search: Search) -> Extraction:
    weights, lower = np.ones(len(S)), search.floor
    starts = starting_values(S, search)
    if method == "gls":
        _refuse_singular(S, method)
        gls = discrepancy.GeneralisedLeastSquares(S, k)
        best = discrepancy.lowest(gls, [np.log(start) for start in starts], np.log(lower))
        noise = np.exp(best.x)
        loadings = canonical(S, noise, k)
    else:
        if method == "wls":
            _refuse_singular(S, method)
            weights = 1 / np.diag(linalg.inv(S))
        # The search's tolerances are meant for variances near 1.
        size = float(np.mean(weights * np.diag(S)))
        weights = weights / size
        root = np.sqrt(weights)
        scaled = S * root[:, None] * root
        uls = discrepancy.UnweightedLeastSquares(scaled, k)
        best = discrepancy.lowest(uls, [weights * start for start in starts], weights * lower)
        noise = best.x / weights
        values, vectors = leading_of(scaled - np.diag(best.x), k)
        loadings = vectors * np.sqrt(np.maximum(values, 0)) / root[:, None]
    return Extraction(
        loadings,
        noise,
        best.at_bound,
        best.trace,
        len(best.trace) - 1,
        best.converged,
        best.n_optima,
    )


def _fixed_point(S: Matrix, k: int, search: Search, *, alpha: bool) -> Extraction:
    """Iterate L ← loadings(communalities), communalities ← diag LLᵀ."""
    variances = np.diag(S)
    # Alpha divides by communalities.
    least = (LEAST_COMMUNALITY if alpha else 0.0) * variances
    ceiling = np.maximum(variances - search.floor, least)
    common = np.clip(_first_communalities(S), least, ceiling)
    trace, tolerance = list[float](), FIXED_POINT_TOLERANCE[len(S) <= DENSE]
    for _ in range(search.max_iter):
        scale = np.sqrt(common) if alpha else np.ones(len(S))
        reduced = S.copy()
        np.fill_diagonal(reduced, common)
        values, vectors = leading_of(reduced / scale[:, None] / scale, k)
        loadings = scale[:, None] * vectors * np.sqrt(np.maximum(values, 0))
        new = np.clip((loadings**2).sum(axis=1), least, ceiling)
        trace.append(float(np.abs(new - common).max() / variances.max()))
        common = new
        if trace[-1] < tolerance:
            break
    converged = trace[-1] < tolerance
    held = common >= ceiling
    noise = np.maximum(variances - common, search.floor)
    return Extraction(loadings, noise, held, tuple(trace), len(trace), converged)


def _first_communalities(S: Matrix) -> Vector:
    """Return the squared multiple correlations, or half of the variances of a singular S."""
    variances = np.diag(S)
    if _is_singular(S):
        return variances / 2
    common: Vector = variances - 1 / np.diag(linalg.inv(S))
    return common


def _is_singular(S: Matrix) -> bool:
    scale = np.sqrt(np.diag(S))
    return is_singular(S / scale[:, None] / scale)


def _refuse_singular(S: Matrix, method: str) -> None:
    if _is_singular(S):
        raise InputError(
            f"method is {method!r}, which needs a regular covariance matrix, and this one is "
            "singular (collinear columns, or fewer rows than columns); use 'ml' or 'minres'"
        )


Method = Literal["ml", "minres", "principal_axis", "principal_component", "gls", "wls", "alpha"]
Algorithm = Literal["newton", "em", "px_em"]

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


def starting_values(S: Matrix, search: Search) -> list[Vector]:
    """Return noise variances to start from: half of the variances, then random shares."""
    variances = np.diag(S)
    draw = np.random.default_rng(search.random_state)
    shares = [np.full(len(S), 0.5)]
    shares += [draw.uniform(*RANDOM_SHARES, len(S)) for _ in range(search.n_starts - 1)]
    return [np.maximum(share * variances, search.floor) for share in shares]


def maximise(S: Matrix, k: int, search: Search) -> Extraction:
    """Estimate by maximum likelihood: EM if asked, then the search, from every start."""
    steps, starts = 0, starting_values(S, search)
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
    problem = discrepancy.MaximumLikelihood(S, k)
    best = discrepancy.lowest(problem, [np.log(start) for start in starts], np.log(search.floor))
    noise = np.exp(best.x)
    values, vectors = problem.eigenpairs(best.x)
    loadings = np.sqrt(noise)[:, None] * vectors * np.sqrt(np.maximum(values - 1, 0))
    trace = (*before, *best.trace)
    n = steps + len(best.trace) - 1
    return Extraction(loadings, noise, best.at_bound, trace, n, best.converged, best.n_optima)


def canonical(S: Matrix, noise: Vector, k: int) -> Matrix:
    """Return the best loadings given Ψ: L = Ψ^½ U (Θ − I)^½, so that LᵀΨ⁻¹L is diagonal."""
    scale = np.sqrt(noise)
    values, vectors = leading_of(S / scale[:, None] / scale, k)
    loadings: Matrix = scale[:, None] * vectors * np.sqrt(np.maximum(values - 1, 0))
    return loadings


TABLE_FLOOR = 0.005
"""Of each variance, as in R's factanal."""
IMAGE_FLOOR = (1 / 255) ** 2 / 12
"""The variance that rounding to 8 bits adds to pixels in [0, 1]."""
BY_KAISER = ("varimax", "promax")


@dataclass(frozen=True)
class Turn:
    """How to rotate: as in `linear.rotation.rotate`; ``kaiser`` None is R's choice."""

    method: str
    kaiser: bool | None
    n_starts: int
    random_state: int | None

    def of(self, loadings: Matrix) -> Rotation:
        """Return the loadings rotated and put in order."""
        k = loadings.shape[1]
        if self.method == "none" or k == 1:
            return order(Rotation(loadings, np.eye(k), np.eye(k), 0.0, True, 1))
        kaiser = self.method in BY_KAISER if self.kaiser is None else self.kaiser
        return order(
            rotate(
                loadings,
                self.method,
                kaiser=kaiser,
                n_starts=self.n_starts,
                random_state=self.random_state,
            )
        )


@dataclass(frozen=True)
class Solution:
    """A rotated factor solution.

    Attributes
    ----------
    loadings, noise_variance
        (d, k) Λ and (d,) Ψ in the data's units.
    scale
        (d,) D.
    varies
        (d,) which columns are not constant.
    extraction, rotation
        On R's scale, of the columns that vary.
    """

    loadings: Matrix
    noise_variance: Vector
    scale: Vector
    varies: NDArray[np.bool_]
    extraction: Extraction
    rotation: Rotation

    def implied(self) -> Matrix:
        """Return Λ Φ Λᵀ + Ψ, (d, d)."""
        sigma: Matrix = self.loadings @ self.rotation.factor_correlations @ self.loadings.T
        return sigma + np.diag(self.noise_variance)

    @property
    def at_floor(self) -> NDArray[np.bool_]:
        """(d,) which noise variances their floor holds up."""
        found = np.zeros(len(self.varies), dtype=bool)
        found[self.varies] = self.extraction.at_floor
        return found


def floors(S: Matrix, share: float | None, *, images: bool) -> Vector:
    """Return the (d,) least noise variances: a share of each variance, or 8-bit rounding's."""
    if images and share is None:
        return np.full(len(S), IMAGE_FLOOR)
    least: Vector = (TABLE_FLOOR if share is None else share) * np.diag(S)
    return least


def solve(
    S: Matrix,
    varies: NDArray[np.bool_],
    k: int,
    *,
    method: Method,
    standardize: bool,
    floor: Vector,
    search: Search,
    turn: Turn,
) -> Solution:
    """Return a k-factor solution of S.

    Parameters
    ----------
    S, varies
        (d, d) covariance, and which columns are not constant.
    k
        Number of factors, fewer than columns that vary.
    method, search, turn
        How to estimate and rotate; the search's floor is replaced.
    standardize
        Whether to work on correlations.
    floor
        (d,) least noise variances in the data's units.

    Raises
    ------
    InputError
        If k is not smaller than the number of columns that vary.
    """
    p = int(varies.sum())
    if k >= p:
        raise InputError(
            f"n_components is {k}, but of {len(S)} feature(s) {p} vary; there must be fewer "
            "factors than columns that vary"
        )
    scale = np.sqrt(np.diag(S)) if standardize else np.ones(len(S))
    D = scale[varies]
    R = S if p == len(S) else S[np.ix_(varies, varies)]
    if standardize:
        R = R / D[:, None]
        R /= D
    with threads_for(p):
        found = extract(R, k, method, search.above(floor[varies] / D**2))
        rotation = turn.of(found.loadings)
    loadings, noise = np.zeros((len(S), k)), np.zeros(len(S))
    loadings[varies] = rotation.loadings * D[:, None]
    noise[varies] = found.noise_variance * D**2
    return Solution(loadings, noise, scale, varies, found, rotation)
