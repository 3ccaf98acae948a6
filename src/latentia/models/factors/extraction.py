"""Loadings and noise variances from a covariance or correlation matrix, and what to say of them.

    method                equation                                     source
    principal_component   L = V √θ of S itself                         Johnson & Wichern 2007, 9.3
    principal_axis        L = V √θ of S − Ψ, Ψ = diag(S − LLᵀ)         Harman 1976, chapter 8
    alpha                 L = H V √θ of H⁻¹(S − Ψ)H⁻¹, H² = diag LLᵀ   Kaiser & Caffrey 1965
    minres                least squares off the diagonal               Harman & Jones 1966
    gls, wls              generalised and weighted least squares       Jöreskog & Goldberger 1972
    ml                    maximum likelihood                           Jöreskog 1967
    dwls                  diagonally weighted least squares            Muthén & al. 1997

with V, θ the k largest eigenpairs. The second and third iterate their two equations; what minres,
gls, wls and ml minimise over Ψ is in `discrepancy`, EM for ml in `em`, and dwls in `dwls`.

Shapes: S is (p, p), loadings (p, k), noise variances and their floor (p,).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from threadpoolctl import ThreadpoolController

from latentia.errors import InputError
from latentia.models.factors.discrepancy import (
    GeneralisedLeastSquares,
    MaximumLikelihood,
    Minimum,
    UnweightedLeastSquares,
    lowest,
)
from latentia.models.factors.dwls import COARSE, DiagonallyWeighted, lowest_weighted
from latentia.models.factors.em import em
from latentia.models.factors.fit_statistics import is_singular
from latentia.models.inputs import Matrix, Vector
from latentia.models.linear.eigen import DENSE, LARGE, leading_of
from latentia.models.linear.moments import Moments
from latentia.models.linear.reading import listed

Method = Literal[
    "ml", "minres", "principal_axis", "principal_component", "gls", "wls", "alpha", "dwls"
]
Algorithm = Literal["newton", "em", "px_em"]

TABLE_FLOOR = 0.005
"""Of each variance, as in R's factanal."""
IMAGE_FLOOR = (1 / 255) ** 2 / 12
"""The variance that rounding to 8 bits adds to pixels in [0, 1]."""
RANDOM_SHARES = 0.1, 0.9
"""Noise variances of random starts, as shares of the variances."""
LEAST_COMMUNALITY = 1e-10
LEAST_VARIANCE = 1e-100
"""Beside the largest, or beside 1."""
FIXED_POINT_TOLERANCE = {True: 1e-12, False: 1e-9}
"""Of the communalities: full decompositions reach rounding, iterated eigenpairs stop before it."""
LOOKED_AT = 160
"""Collinear columns are looked for up to this many variables."""
COLLINEAR = 1e-10


@final
@dataclass(frozen=True)
class Analysed:
    """(d,) means, a (d, d) covariance (/n), which columns vary, and what there is to say of them.

    ``weight`` is the total weight of the rows and ``n_rows`` their number, 0 if unknown;
    ``variances`` are n Var of the correlations of the columns that vary, if they were asked for,
    ``ordinal`` the names of the columns of which only the order counts.
    """

    mean: Vector
    covariance: Matrix
    varies: NDArray[np.bool_]
    weight: float
    n_rows: int
    remarks: tuple[str, ...] = ()
    variances: Matrix | None = None
    ordinal: tuple[str, ...] = ()


@dataclass(frozen=True)
class Extraction:
    """A factor solution before rotation.

    ``at_floor`` (p,) marks the Heywood cases. ``trace`` is the objective step by step:
    log|Σ| + tr Σ⁻¹S for ml, the discrepancy for the others. ``n_optima`` counts the distinct
    optima among the starts.
    """

    loadings: Matrix
    noise_variance: Vector
    at_floor: NDArray[np.bool_]
    trace: tuple[float, ...]
    n_iterations: int
    converged: bool
    n_optima: int = 1


def refuse_few(n: int, d: int = 0) -> None:
    """Refuse a single row, or none."""
    if n < 2:
        raise InputError(f"X has {n} sample(s); factor analysis needs at least 2 rows")


def refuse_many(k: int, varies: NDArray[np.bool_]) -> None:
    """Refuse as many factors as columns that vary, or more."""
    if k >= varies.sum():
        raise InputError(
            f"n_components is {k}, but of {len(varies)} feature(s) {varies.sum()} vary; there must "
            "be fewer factors than columns that vary"
        )


def of_moments(moments: Moments) -> Analysed:
    """Return the moments of rows of numbers."""
    refuse_few(moments.n_rows)
    m = moments
    return Analysed(m.mean, m.covariance, m.varies, m.weight, m.n_rows)


def check_method(model: Any) -> None:
    """Refuse settings of a factor analysis that do not go together."""
    if model.algorithm != "newton" and model.method != "ml":
        raise InputError(f"algorithm is {model.algorithm!r}, which only method 'ml' has")
    if model.missing == "fiml" and (model.method != "ml" or model.correlation != "pearson"):
        advice = "method 'ml' and correlation 'pearson' (the others take NaN as it is)"
        raise InputError(f"missing is 'fiml', which needs {advice}")
    if model.zero_add and model.correlation == "pearson":
        raise InputError(f"zero_add is {model.zero_add}; it is for polychoric correlation")
    if model.method == "dwls" and model.correlation == "pearson":
        raise InputError("method is 'dwls', which needs correlation 'polychoric' or 'mixed'")
    if model.matrix == "covariance" and model.correlation != "pearson":
        raise InputError("matrix is 'covariance', but ordinal answers have none: use 'auto'")


def floors(S: Matrix, share: float | None, *, images: bool) -> Vector:
    """Return the (d,) least noise variances: a share of each variance, or 8-bit rounding's."""
    if images and share is None:
        return np.full(len(S), IMAGE_FLOOR)
    least: Vector = (TABLE_FLOOR if share is None else share) * np.diag(S)
    return least


def starting_values(S: Matrix, floor: Vector, n: int, random_state: int | None) -> list[Vector]:
    """Return noise variances to start from: half of the variances, then random shares."""
    draw = np.random.default_rng(random_state)
    shares = [np.full(len(S), 0.5)]
    shares += [draw.uniform(*RANDOM_SHARES, len(S)) for _ in range(n - 1)]
    return [np.maximum(share * np.diag(S), floor) for share in shares]


def extract(
    S: Matrix,
    k: int,
    method: Method,
    floor: Vector,
    starts: list[Vector],
    *,
    algorithm: Algorithm,
    tolerance: float,
    max_iter: int,
    variances: Matrix | None = None,
) -> Extraction:
    """Estimate a k-factor model of S, or raise InputError if gls or wls is asked of a singular S.

    ``starts`` are those of the searches, ``algorithm`` that of ml, ``tolerance`` of EM, and
    ``max_iter`` of EM and of the fixed-point iterations; ``variances`` (p, p), of the entries of S,
    a correlation then, are for dwls.
    """
    if not np.diag(S).min() > LEAST_VARIANCE:
        raise InputError(
            "the columns vary by amounts too different for their covariances: use "
            "matrix='correlation', or divide columns by constants first"
        )
    if method == "principal_component":
        loadings = _principal(S, k)
        unique = np.diag(S) - (loadings**2).sum(axis=1)
        return Extraction(loadings, np.maximum(unique, floor), unique < floor, (), 1, True)
    if method in ("principal_axis", "alpha"):
        return _fixed_point(S, k, floor, max_iter, alpha=method == "alpha")
    if variances is not None:
        return _weighted(S, variances, k, floor, starts)
    if method != "ml":
        return _least_squares(S, k, method, floor, starts)
    before: tuple[float, ...] = ()
    if algorithm != "newton":
        noise = np.maximum(np.diag(S) / 2, floor)
        W = _canonical(noise, *leading_of(S / np.sqrt(noise)[:, None] / np.sqrt(noise), k))
        expanded = algorithm == "px_em"
        first = em(S, W, noise, floor, expanded=expanded, tolerance=tolerance, max_iter=max_iter)
        before, starts = first.trace, [first.noise_variance]
    problem = MaximumLikelihood(S, k)
    best = lowest(problem, [np.log(start) for start in starts], np.log(floor))
    noise = np.exp(best.x)
    loadings = _canonical(noise, *problem.eigenpairs(best.x))
    return _from_search(best, loadings, noise, before)


def _from_search(
    best: Minimum, loadings: Matrix, noise: Vector, before: tuple[float, ...] = ()
) -> Extraction:
    steps = max(0, len(before) - 1) + len(best.trace) - 1
    trace = (*before, *best.trace)
    return Extraction(loadings, noise, best.at_bound, trace, steps, best.converged, best.n_optima)


def _canonical(noise: Vector, theta: Vector, U: Matrix) -> Matrix:
    """Return the best loadings given Ψ: L = Ψ^½ U (Θ − I)^½, so that LᵀΨ⁻¹L is diagonal."""
    loadings: Matrix = np.sqrt(noise)[:, None] * U * np.sqrt(np.maximum(theta - 1, 0))
    return loadings


def _principal(S: Matrix, k: int) -> Matrix:
    """Return V √θ of the k largest eigenpairs."""
    values, vectors = leading_of(S, k)
    loadings: Matrix = vectors * np.sqrt(np.maximum(values, 0))
    return loadings


def _least_squares(
    S: Matrix, k: int, method: Method, floor: Vector, starts: list[Vector]
) -> Extraction:
    if method != "minres" and _is_singular(S):
        raise InputError(
            f"method is {method!r}, which needs a regular covariance matrix, and this one is "
            "singular (collinear columns, or fewer rows than columns); use 'ml' or 'minres'"
        )
    if method == "gls":
        problem = GeneralisedLeastSquares(S, k)
        best = lowest(problem, [np.log(start) for start in starts], np.log(floor))
        noise = np.exp(best.x)
        return _from_search(best, _canonical(noise, *leading_of(problem.matrix(best.x), k)), noise)
    weights = 1 / np.diag(linalg.inv(S)) if method == "wls" else np.ones(len(S))
    # The search's tolerances are meant for variances near 1.
    weights = weights / float(np.mean(weights * np.diag(S)))
    root = np.sqrt(weights)
    least_squares = UnweightedLeastSquares(S * root[:, None] * root, k)
    best = lowest(least_squares, [weights * start for start in starts], weights * floor)
    loadings = _principal(least_squares.matrix(best.x), k) / root[:, None]
    return _from_search(best, loadings, best.x / weights)


def _weighted(
    S: Matrix, variances: Matrix, k: int, floor: Vector, starts: list[Vector]
) -> Extraction:
    problem = DiagonallyWeighted.of(S, variances, floor)
    first = [_principal(S - np.diag(start), k) for start in starts]
    best, trace, n_optima = lowest_weighted(problem, first)
    at_floor = problem.held(best.loadings) > 0
    noise = np.maximum(1 - (best.loadings**2).sum(axis=1), floor)
    U, lengths, _ = linalg.svd(best.loadings, full_matrices=False)
    settled = best.slope <= COARSE
    return Extraction(U * lengths, noise, at_floor, trace, len(trace) - 1, settled, n_optima)


def _fixed_point(S: Matrix, k: int, floor: Vector, max_iter: int, *, alpha: bool) -> Extraction:
    """Iterate L ← loadings(communalities), communalities ← diag LLᵀ."""
    variances = np.diag(S)
    # Alpha divides by communalities.
    least = (LEAST_COMMUNALITY if alpha else 0.0) * variances
    ceiling = np.maximum(variances - floor, least)
    common = variances / 2 if _is_singular(S) else variances - 1 / np.diag(linalg.inv(S))
    common = np.clip(common, least, ceiling)
    trace, tolerance = list[float](), FIXED_POINT_TOLERANCE[len(S) <= DENSE]
    for _ in range(max_iter):
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
    held, noise = common >= ceiling, np.maximum(variances - common, floor)
    converged = trace[-1] < tolerance
    return Extraction(loadings, noise, held, tuple(trace), len(trace), converged)


def _is_singular(S: Matrix) -> bool:
    scale = np.sqrt(np.diag(S))
    return is_singular(S / scale[:, None] / scale)


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


def threads_for(p: int) -> AbstractContextManager[object]:
    """Return a context that holds small problems to one thread: two are slower there."""
    if p >= LARGE:
        return nullcontext()
    limited: AbstractContextManager[object] = _libraries().limit(limits=1, user_api="blas")
    return limited


def findings_of(model: Any) -> Iterator[str]:
    """Yield what there is to say about the factors of a fitted model."""
    varies = np.flatnonzero(model.scale_ > 0)
    S, names = model.covariance_[np.ix_(varies, varies)], model.variable_names()
    p, k, n_rows = len(varies), model.n_latent, model.n_rows_
    yield from left_out(model.constant_)
    looked_at = p <= LOOKED_AT and not 0 < n_rows <= p and model.correlation == "pearson"
    if looked_at and (involved := collinear(S, [names[i] for i in varies])):
        yield (
            f"columns {listed(involved)} are perfectly collinear, so the covariance matrix is "
            "singular and some noise variances are held up by their floor only: drop one of them"
        )
    if 0 < n_rows <= p:
        yield (
            f"{n_rows:g} rows are too few for {p} varying columns: the covariance matrix is "
            "singular, and without the floor on the noise variances the likelihood would have no "
            "maximum"
        )
    if model.heywood_:
        yield (
            f"Heywood case: the noise variance of {listed(model.heywood_)} lies on its floor, "
            "where the likelihood would rise further; try fewer factors, or do not trust these "
            "variables"
        )
    dof = ((p - k) ** 2 - p - k) // 2
    if dof < 0:
        yield (
            f"{k} factors of {p} variables leave {dof} degrees of freedom: pk + p = {p * k + p} "
            f"parameters for p(p + 1)/2 = {p * (p + 1) // 2} moments, so the solution is not unique"
        )
    if model.n_optima_ > 1:
        yield (
            f"{model.n_optima_} distinct optima were found from different starting values; this is "
            "the best of them"
        )
    if not model.converged_:
        yield f"the estimation stopped before it converged, after {model.n_iter_} steps"


def left_out(constant: list[str]) -> Iterator[str]:
    """Yield a sentence on constant columns, if there are any."""
    if constant:
        yield (
            f"{len(constant)} constant column(s) were left out of the model and its "
            f"likelihood: {listed(constant)}"
        )


def collinear(S: Matrix, names: list[str]) -> list[str]:
    """Return the names of columns that depend on each other linearly."""
    scale = np.sqrt(np.diag(S))
    values, vectors = linalg.eigh(S / scale[:, None] / scale)
    involved = (vectors[:, values < COLLINEAR] ** 2).sum(axis=1) > COLLINEAR
    return [name for name, is_in in zip(names, involved) if is_in]
