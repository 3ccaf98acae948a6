"""Standard errors and intervals of a factor solution by fitting it again to drawn samples.

    X* = n rows of X drawn with replacement: multinomial weights on X            (nonparametric)
    X* = n rows of N(μ, Σ), Σ = Λ Φ Λᵀ + Ψ; for tables, only their moments are drawn (parametric)
    Λ* ← Λ* P,  Φ* ← Pᵀ Φ* P,  P the signed permutation that brings Λ* closest to Λ [2]_

Standard errors are standard deviations over the replicates, intervals their percentiles [1]_.

Shapes: X is (n, p) or images; Λ is (p, k), Φ (k, k).

References
----------
.. [1] B. Efron, R. J. Tibshirani, "An introduction to the bootstrap", 1993, chapters 6 and 13.
.. [2] G. Zhang, "Estimating standard errors in exploratory factor analysis", Multivariate
   Behavioral Research 2014.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from latentia.errors import InputError, Level, Seed, Several, check_arguments
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.standard_errors import LoadingErrors
from latentia.models.inputs import Matrix, Vector, reads_in_blocks
from latentia.models.linear.moments import Moments
from latentia.models.linear.rotation import align, counted

Refit = Callable[[FactorAnalysis], object]


def bootstrap_errors(
    model: FactorAnalysis,
    X: ArrayLike | None,
    *,
    n_replicates: Several = 200,
    random_state: Seed | None = 0,
    parametric: bool = False,
    level: Level = 0.95,
    progress: Callable[[int, int], None] | None = None,
) -> LoadingErrors:
    """Return standard errors and percentile intervals from refits to drawn samples.

    Every method and rotation will do. Each refit has the model's hyperparameters, but a single
    start of the estimation. A refit that cannot be done, or that has other constant columns than
    the model, is counted and left out.

    Parameters
    ----------
    model
        Fitted to rows of equal weight.
    X
        The rows it was fitted to; for ``parametric`` without gaps, none will do.
    n_replicates
        At least 2.
    random_state
        Makes the draws repeatable.
    parametric
        Draw normal samples from the model instead of rows; with gaps, those of X are kept.
    level
        Of the intervals.
    progress
        Called with (replicates done, ``n_replicates``) after each.

    Examples
    --------
    >>> model = FactorAnalysis().fit_covariance(0.5 * np.eye(4) + 0.5, n_samples=100)
    >>> found = bootstrap_errors(model, None, parametric=True, n_replicates=50)
    >>> bool(np.all(abs(found.loadings - 0.068) < 0.03)), found.n_replicates
    (True, 50)
    """
    check_arguments(bootstrap_errors, locals())
    check_is_fitted(model)
    draw = np.random.default_rng(random_state)
    refit = _drawn_from_model(model, X, draw) if parametric else _drawn_from_rows(model, X, draw)
    found, failures = [], []
    for done in range(1, n_replicates + 1):
        try:
            found.append(_estimates(model, refit))
        except InputError as error:
            failures.append(str(error))
        if progress is not None:
            progress(done, n_replicates)
    if len(found) < 2:
        raise InputError(f"{len(failures)} of {n_replicates} refits failed: {failures[-1]}")
    loadings, phi, noise = (np.stack(values) for values in zip(*found))
    low, high = np.quantile(loadings, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    return LoadingErrors(
        loadings.std(axis=0, ddof=1),
        phi.std(axis=0, ddof=1) * ~np.eye(phi.shape[1], dtype=bool),
        noise.std(axis=0, ddof=1),
        low,
        high,
        "parametric bootstrap" if parametric else "bootstrap",
        len(found),
        len(failures),
    )


def _estimates(model: FactorAnalysis, refit: Refit) -> tuple[Matrix, Matrix, Vector]:
    """Return standardized loadings, Φ and uniquenesses of one refit, in the model's order."""
    # What is drawn has no names.
    target = counted(model.target, model.variable_names())
    replica = clone(model).set_params(n_starts=1, target=target)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        refit(replica)
    if not np.array_equal(replica.scale_ > 0, model.scale_ > 0):
        raise InputError("a drawn sample has other constant columns than the data")
    L = replica.standardized_loadings_
    P = align(L, model.standardized_loadings_)
    return L @ P, P.T @ replica.factor_correlations_ @ P, replica.uniquenesses_


def _drawn_from_rows(model: FactorAnalysis, X: Any, draw: np.random.Generator) -> Refit:
    """Return a refit to rows drawn with replacement."""
    if X is None:
        raise InputError("the bootstrap needs X, the rows of the fit; or set parametric to True")
    rows = X if reads_in_blocks(X) else model.checked(X, reset=False)
    if model.takes_gaps:
        # A fit leaves out rows without any value.
        rows = rows[~np.isnan(rows).all(axis=1)]
    n = _checked_size(model, rows.shape[0])
    moments_suffice = model.missing == "error" and model.correlation == "pearson"

    def refit(replica: FactorAnalysis) -> object:
        weights = draw.multinomial(n, np.full(n, 1 / n)).astype(np.float64)
        if moments_suffice:
            return replica.fit_moments(Moments().add(rows, weights))
        return replica.fit(rows[weights > 0], sample_weight=weights[weights > 0])

    return refit


def _drawn_from_model(model: FactorAnalysis, X: Any, draw: np.random.Generator) -> Refit:
    """Return a refit to samples of the model's normal distribution."""
    if model.correlation != "pearson":
        raise InputError(
            f"correlation is {model.correlation!r}, whose answers are not normal: draw rows"
        )
    gaps = model.missing == "fiml"
    if gaps and X is None:
        raise InputError("missing is 'fiml': a parametric bootstrap needs X for the gaps in it")
    seen = ~np.isnan(model.checked(X, reset=False)) if gaps else None
    seen = None if seen is None else seen[seen.any(axis=1)]
    given = X if seen is None else seen
    n = _checked_size(model, round(model.n_samples_) if given is None else np.shape(given)[0])
    T = linalg.cholesky(model.factor_correlations_, lower=True)
    root = np.hstack([model.loadings_ @ T, np.diag(np.sqrt(model.noise_variance_))])

    def refit(replica: FactorAnalysis) -> object:
        if seen is None and len(model.data_shape_) == 1:
            return replica.fit_covariance(_drawn_covariance(root, n, draw), n_samples=n)
        rows = model.mean_ + draw.standard_normal((n, root.shape[1])) @ root.T
        if seen is not None:
            return replica.fit(np.where(seen, rows, np.nan))
        return replica.fit_moments(Moments().add(rows.reshape(n, *model.data_shape_)))

    return refit


def _drawn_covariance(root: Matrix, n: int, draw: np.random.Generator) -> Matrix:
    """Return the covariance, divided by n, of n rows z @ root.T, by Bartlett's decomposition."""
    m = root.shape[1]
    index = np.arange(min(m, n - 1))
    A = np.tril(draw.standard_normal((m, len(index))), -1)
    A[index, index] = np.sqrt(draw.chisquare(n - 1 - index))
    A = root @ A
    S: Matrix = A @ A.T / n
    return S


def _checked_size(model: FactorAnalysis, n: int) -> int:
    """Return the number of rows, if it is that of the fit."""
    if n < 2:
        raise InputError("the number of samples is unknown: give n_samples with the matrix")
    if n != round(model.n_samples_):
        raise InputError(f"X has {n} rows, and the model was fitted to {model.n_samples_:g}")
    return n
