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

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from latentia.errors import InputError
from latentia.linear import discrepancy
from latentia.linear.fit_statistics import is_singular
from latentia.linear.likelihood import canonical, maximise
from latentia.linear.search import (
    Extraction,
    Method,
    Search,
    best_of,
    minimum_from,
    starting_values,
)
from latentia.linear.spectral import DENSE, leading_of

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
        minima = [minimum_from(gls, np.log(start), np.log(lower)) for start in starts]
        best, n_optima = best_of(minima)
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
        uls = discrepancy.UnweightedLeastSquares(S * root[:, None] * root, k)
        minima = [minimum_from(uls, weights * start, weights * lower) for start in starts]
        best, n_optima = best_of(minima)
        noise = best.x / weights
        values, vectors = leading_of(uls.matrix(best.x), k)
        loadings = vectors * np.sqrt(np.maximum(values, 0)) / root[:, None]
    return Extraction(
        loadings, noise, best.at_bound, best.trace, best.n_iterations, best.converged, n_optima
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
