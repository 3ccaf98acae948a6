"""Whether correlations are worth factoring, and with how many factors.

    λⱼ > max(1, (1 + √(p/n))² (p − Σ_{i<j} λᵢ)/(p − j + 1))      empirical Kaiser criterion  [1]_
    stₖ = (CFIₖ − CFIₗ)/(dofₗ − dofₖ) / ((CFIₘ − CFIₖ)/(dofₖ − dofₘ)),   l < k < m on the hull [2]_

Shapes: ``R_PP`` is a (p, p) correlation, ``R_MPP`` a stack of m of them, ``X_NP`` the (n, p) data.

References
----------
.. [1] J. Braeken, M. A. L. M. van Assen, "An empirical Kaiser criterion", Psychological Methods
   2017.
.. [2] U. Lorenzo-Seva, M. E. Timmerman, H. A. L. Kiers, "The Hull method for selecting the number
   of common factors", Multivariate Behavioral Research 2011.
.. [3] W. R. Zwick, W. F. Velicer, "Comparison of five rules for determining the number of
   components to retain", Psychological Bulletin 1986.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from latentia.errors import Count, InputError, Seed, Several, Whole, check_arguments, check_range
from latentia.models.factors.comparison_data import compare_with_data
from latentia.models.factors.fit_statistics import checked_matrix, fit_statistics, is_singular
from latentia.models.inputs import Matrix

Fit = Callable[[Matrix, int], Matrix]
Correlate = Callable[[Matrix], Matrix]
LARGEST_LOADING = math.sqrt(0.995)
VOTELESS = ("kaiser", "sequential_tests")
LEVEL = 0.05
"""Up to which χ² rejects a number of factors."""
SWEEPS = 2000
SETTLED = 1e-9
FEWEST_HULLED = 3
"""Factors up to which the hull is drawn at least."""


@dataclass(frozen=True)
class Suggestion:
    """What each criterion says of the number of factors; None or empty is a criterion not run."""

    counts: dict[str, int]
    """Suggested numbers: kaiser, empirical_kaiser, map, parallel_components, parallel_factors,
    sequential_tests, hull, bic, held_out, comparison_data."""
    eigenvalues: Matrix
    """(p,) of the correlation, decreasing."""
    factor_eigenvalues: Matrix
    """(p,) with the communalities of one minres factor on the diagonal, decreasing."""
    component_null: tuple[Matrix, Matrix] | None
    """(p,) mean and 95 % quantile of ``eigenvalues`` of data without correlation."""
    factor_null: tuple[Matrix, Matrix] | None
    """The same of ``factor_eigenvalues``."""
    map_values: Matrix
    """Average squared partial correlation with 0, 1, … components removed; NaN past the rank."""
    bic: dict[int, float]
    """By number of factors, n F − log(n) dof; a number is left out if F is not defined."""
    held_out: dict[int, float]
    """By number of factors, cross-validated Gaussian log-likelihood per sample, in nats."""
    notes: tuple[str, ...] = ()
    """What there is to say of the data, a sentence each."""
    kaiser_references: Matrix | None = None
    """(p,) what the eigenvalues must exceed by the empirical Kaiser criterion."""
    comparative_fit: dict[int, float] = field(default_factory=dict)
    """By number of factors, CFI, from 0 up to one more than parallel analysis finds, at least 3."""
    hull: dict[int, float] = field(default_factory=dict)
    """By number of factors on the hull and between its ends, how sharply it bends there, st."""

    @property
    def consensus(self) -> Consensus | None:
        """What most criteria name; None if none but the eigenvalues above 1 was run."""
        return consensus(self.counts)


@dataclass(frozen=True)
class Consensus:
    """The number of factors that most criteria name, who does, and who does not."""

    n_factors: int
    agree: tuple[str, ...]
    dissent: tuple[str, ...]
    as_many: tuple[int, ...] = ()
    """Larger numbers with as many votes."""


def consensus(counts: Mapping[str, int]) -> Consensus | None:
    """Return the number that most criteria name, of a tie the smaller one; 0 counts as 1.

    Eigenvalues above 1, which are too many as a rule, and χ², which many rows let reject any small
    misfit, have no vote.

    >>> found = consensus({"kaiser": 6, "map": 5, "parallel_factors": 5, "hull": 6, "bic": 5})
    >>> found.n_factors, found.agree, found.dissent
    (5, ('map', 'parallel_factors', 'bic'), ('kaiser', 'hull'))
    """
    votes = {name: max(count, 1) for name, count in counts.items() if name not in VOTELESS}
    if not votes:
        return None
    tally = Counter(votes.values())
    best = min(tally, key=lambda k: (-tally[k], k))
    agree = tuple(name for name, count in votes.items() if count == best)
    others = tuple(n for n, k in counts.items() if n not in agree and k != best)
    as_many = tuple(sorted(k for k in tally if k != best and tally[k] == tally[best]))
    return Consensus(best, agree, others, as_many)


def suggest(
    correlation: ArrayLike,
    n_samples: Several | None = None,
    X: ArrayLike | None = None,
    *,
    max_components: Whole | None = None,
    n_simulations: Count = 100,
    null: Literal["normal", "permutation"] = "normal",
    correlate: Correlate | None = None,
    fit: Fit | None = None,
    n_folds: Several = 5,
    n_comparison: Whole = 0,
    random_state: Seed | None = 0,
) -> Suggestion:
    """Suggest a number of factors of a (p, p) correlation by every criterion the data allow.

    Parallel analysis keeps the leading eigenvalues above the 95 % quantile of those of normal data
    [1]_, or of the columns of X each permuted [2]_; it needs ``n_samples`` or X. ``correlate`` says
    how correlations come from permuted rows, if they are not Pearson's; X may then hold NaN, which
    stays where it is. MAP is [3]_. Sequential χ² [4]_, BIC and cross-validation, which needs X and
    Pearson's, take ``fit(R_PP, k)``, the correlation implied by k maximum-likelihood factors.
    ``max_components`` bounds these and MAP, not the eigenvalue counts. ``n_comparison`` data sets
    of each number of factors are drawn for comparison data, which needs X; 500 as published, and of
    0 it is not run.

    References
    ----------
    .. [1] J. Horn, "A rationale and test for the number of factors", Psychometrika 1965.
    .. [2] A. Buja, N. Eyuboglu, "Remarks on parallel analysis", Multivar. Behav. Research 1992.
    .. [3] W. Velicer, "Determining the number of components ...", Psychometrika 1976.
    .. [4] D. N. Lawley, A. E. Maxwell, "Factor Analysis as a Statistical Method", 1963: the fewest
       factors that the likelihood ratio does not reject at 5 %.
    """
    check_arguments(suggest, locals())
    R_PP, gaps = _of_several(correlation), correlate is not None
    X_NP = None if X is None else _checked_data(X, len(R_PP), n_samples, gaps)
    n = n_samples if X_NP is None else len(X_NP)
    if null != "normal" and (null != "permutation" or X is None):
        raise InputError(f"null is {null!r}; it must be normal, or permutation if X is given")
    check_range("n_samples", n, 2)
    check_range("n_folds", n_folds, 2, math.inf if X_NP is None else len(X_NP))
    most = len(R_PP) - 1 if max_components is None else min(max_components, len(R_PP) - 1)
    values, factors = _eigenvalues(R_PP), _eigenvalues(reduced(R_PP[None])[0])
    partial = minimum_average_partial(R_PP)[: most + 1]
    counts = {"kaiser": int(np.sum(values > 1)), "map": int(np.nanargmin(partial))}
    nulls, bic, held_out = None, dict[int, float](), dict[int, float]()
    references, cfi, bends = None, dict[int, float](), dict[int, float]()
    if n is not None and not gaps:
        references = kaiser_references(values, n)
        counts["empirical_kaiser"] = int(np.cumprod(values > references).sum())
    if n is not None:
        draw = np.random.default_rng(random_state)
        rows = X_NP if null == "permutation" else None
        R_MPP = _chance(rows, correlate or _pearson, (n, len(R_PP)), n_simulations, draw)
        nulls = _summary(_eigenvalues(R_MPP)), _summary(_eigenvalues(reduced(R_MPP)))
        counts["parallel_components"] = int(np.cumprod(values > nulls[0][1]).sum())
        counts["parallel_factors"] = int(np.cumprod(factors > nulls[1][1]).sum())
    if fit is not None and n is not None:
        models = _models(fit, R_PP, most)
        enough = max(counts["parallel_factors"] + 1, FEWEST_HULLED)
        cfi = _comparative_fit(R_PP, {k: S for k, S in models.items() if k <= enough}, n)
        bends, bic = hull(cfi, len(R_PP)), _bic(R_PP, models, n)
        counts |= _not_rejected(R_PP, models, n) | _best("hull", bends) | _least("bic", bic)
    if X_NP is not None and not gaps:
        if fit is not None:
            held_out = _cross_validate(X_NP, fit, most, n_folds, random_state)
            counts |= _best("held_out", held_out)
        if n_comparison:
            draw = np.random.default_rng(random_state)
            counts["comparison_data"] = compare_with_data(X_NP, most, n_comparison, draw).n_factors
    pair = nulls or (None, None)
    found = Suggestion(counts, values, factors, pair[0], pair[1], partial, bic, held_out)
    return replace(found, kaiser_references=references, comparative_fit=cfi, hull=bends)


def _of_several(correlation: ArrayLike) -> Matrix:
    R_PP = _correlation(checked_matrix("correlation", correlation))
    if len(R_PP) < 2:
        raise InputError("correlation has 1 variable; factors need at least 2")
    return R_PP


def _best(name: str, values: Mapping[int, float]) -> dict[str, int]:
    """Return the number with the highest value under a name; of no values nothing."""
    return {name: max(values, key=lambda k: values[k])} if values else {}


def _least(name: str, values: Mapping[int, float]) -> dict[str, int]:
    return _best(name, {k: -value for k, value in values.items()})


def kaiser_references(eigenvalues: Matrix, n_samples: int) -> Matrix:
    """Return (p,) what decreasing eigenvalues must exceed by the empirical Kaiser criterion.

    The first is the largest eigenvalue that n rows of p uncorrelated variables tend to, and each
    further one the same of the variance that is left.
    """
    p = len(eigenvalues)
    left = p - np.concatenate([[0.0], np.cumsum(eigenvalues)[:-1]])
    return np.maximum((1 + math.sqrt(p / n_samples)) ** 2 * left / np.arange(p, 0, -1), 1.0)


def hull(fits: Mapping[int, float], p: int) -> dict[int, float]:
    """Return st of the solutions on the upper hull of fit against degrees of freedom.

    Its ends have none, but for the last one where more factors were tried and fit no better: there
    the hull bends without end, st = ∞. ``fits`` is, by number of factors of p variables, an index
    that is high where the fit is good.

    >>> list(hull({0: 0.0, 1: 0.5, 2: 0.99, 3: 0.995}, 8))
    [2]
    """
    on = list[int]()
    for k in sorted(fits):
        if on and fits[k] <= fits[on[-1]]:
            continue
        while len(on) > 1 and _slope(fits, p, on[-2], on[-1]) <= _slope(fits, p, on[-1], k):
            on.pop()
        on.append(k)
    bends = {
        k: _slope(fits, p, before, k) / _slope(fits, p, k, after)
        for before, k, after in zip(on, on[1:], on[2:])
    }
    return bends | ({on[-1]: math.inf} if len(on) > 1 and on[-1] < max(fits) else {})


def _slope(fits: Mapping[int, float], p: int, k: int, more: int) -> float:
    """Return the gain of fit for a degree of freedom, from k factors to more."""
    dof = [((p - each) ** 2 - p - each) / 2 for each in (k, more)]
    return (fits[more] - fits[k]) / (dof[0] - dof[1])


def reduced(R_MPP: Matrix) -> Matrix:
    """Put the communalities of one minres factor on the diagonals of (m, p, p) correlations.

        min over l of Σ_{i<j} (r_ij − l_i l_j)²,  l_i² ≤ 0.995   (exact minimum in each l_i in turn)

    H. Harman, W. Jones, "Factor analysis by minimizing residuals (minres)", Psychometrika 1966.
    """
    diagonal = np.eye(R_MPP.shape[-1])
    off_MPP = R_MPP * (1 - diagonal)
    start = np.abs(off_MPP).max(axis=-1)[..., None] * diagonal
    values, vectors = np.linalg.eigh(off_MPP + start)
    l_MP = vectors[..., -1] * np.sqrt(np.maximum(values[..., -1:], 0))
    for _ in range(SWEEPS):
        before = l_MP.copy()
        for i in range(l_MP.shape[1]):
            others = np.maximum((l_MP**2).sum(axis=1) - l_MP[:, i] ** 2, 1e-300)
            best = np.einsum("mp,mp->m", off_MPP[:, i], l_MP) / others
            l_MP[:, i] = np.clip(best, -LARGEST_LOADING, LARGEST_LOADING)
        if np.abs(l_MP - before).max() < SETTLED:
            break
    return np.asarray(off_MPP + (l_MP**2)[..., None] * diagonal)


def minimum_average_partial(R_PP: Matrix) -> Matrix:
    """Return (p,) the mean squared partial correlation after removing 0 … p − 1 components."""
    p = len(R_PP)
    values, vectors = np.linalg.eigh(R_PP)
    found = np.full(p, np.nan)
    for k in range(p):
        rest_PP = (vectors[:, : p - k] * values[: p - k]) @ vectors[:, : p - k].T
        if rest_PP.diagonal().min() > 1e-12:
            found[k] = (np.sum(_correlation(rest_PP) ** 2) - p) / (p * (p - 1))
    return found


def kmo(correlation: ArrayLike) -> tuple[float, Matrix]:
    """Kaiser–Meyer–Olkin sampling adequacy: of all variables, and of each of them (p,).

        Σ r² / (Σ r² + Σ q²),  q the partial correlations given all the other variables

    NaN for a variable that correlates with no other; InputError for a singular matrix. H. Kaiser,
    J. Rice, "Little Jiffy, Mark IV", Educational and Psychological Measurement 1974.
    """
    R_PP = _invertible(correlation, "KMO")
    off = 1 - np.eye(len(R_PP))
    r = (off * R_PP**2).sum(axis=0)
    q = (off * _correlation(np.linalg.inv(R_PP).astype(np.float64)) ** 2).sum(axis=0)
    each = np.divide(r, r + q, out=np.full(len(r), np.nan), where=r + q > 0)
    return float(r.sum() / (r + q).sum()) if np.any(r + q > 0) else math.nan, each


def sphericity(correlation: ArrayLike, n_samples: int) -> tuple[float, int, float]:
    """Test that no variable correlates with another: χ², degrees of freedom and p-value.

        χ² = −(n − 1 − (2p + 5)/6) log|R|,  dof = p(p − 1)/2

    InputError for a singular matrix. From M. S. Bartlett, "The effect of standardization on a χ²
    approximation in factor analysis", Biometrika 1951.
    """
    R_PP = _invertible(correlation, "the test of sphericity")
    found = fit_statistics(R_PP, np.eye(len(R_PP)), n_samples, 0)
    return found.chi_square, found.dof, found.p_value


def _correlation(covariance: Matrix) -> Matrix:
    scale = np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
    return np.asarray(covariance / (scale[..., :, None] * scale[..., None, :]))


def _invertible(correlation: ArrayLike, what: str) -> Matrix:
    R_PP = _correlation(checked_matrix("correlation", correlation))
    if is_singular(R_PP):
        raise InputError(f"the correlation matrix is singular; {what} needs it invertible")
    return R_PP


def _checked_data(X: ArrayLike, p: int, n_samples: int | None, gaps: bool) -> Matrix:
    X_NP = np.asarray(X, dtype=np.float64)
    if X_NP.ndim != 2 or X_NP.shape[1] != p or n_samples not in (None, len(X_NP)):
        raise InputError(f"X has shape {X_NP.shape}; it must be ({n_samples or 'n'}, {p})")
    if np.isinf(X_NP).any() or (np.isnan(X_NP).any() and not gaps) or not _vary(X_NP).all():
        raise InputError(
            "X has a missing, infinite or constant column; all must be finite and vary"
        )
    return X_NP


def _vary(X_NP: Matrix) -> NDArray[np.bool_]:
    seen = ~np.isnan(X_NP)
    low, high = np.where(seen, X_NP, np.inf).min(axis=0), np.where(seen, X_NP, -np.inf).max(axis=0)
    return np.asarray(low < high)


def _eigenvalues(R_MPP: Matrix) -> Matrix:
    return np.asarray(np.linalg.eigvalsh(R_MPP)[..., ::-1])


def _summary(values_MP: Matrix) -> tuple[Matrix, Matrix]:
    return values_MP.mean(axis=0), np.quantile(values_MP, 0.95, axis=0)


def _pearson(X_NP: Matrix) -> Matrix:
    return np.asarray(np.corrcoef(X_NP, rowvar=False))


def _chance(
    X_NP: Matrix | None,
    correlate: Correlate,
    shape: tuple[int, int],
    m: int,
    draw: np.random.Generator,
) -> Matrix:
    """Return (m, p, p) correlations of permuted rows, or without rows of independent normals."""
    if X_NP is not None:
        return _permuted(X_NP, correlate, m, draw)
    return _normal(*shape, m, draw)


def _permuted(X_NP: Matrix, correlate: Correlate, m: int, draw: np.random.Generator) -> Matrix:
    """Return (m, p, p) correlations of rows whose columns are shuffled each by itself."""
    seen, found = ~np.isnan(X_NP), []
    for _ in range(m):
        shuffled = X_NP.copy()
        for column, there in zip(shuffled.T, seen.T):
            column[there] = draw.permutation(column[there])
        found.append(correlate(shuffled))
    return np.stack(found)


def _normal(n: int, p: int, m: int, draw: np.random.Generator) -> Matrix:
    """Return (m, p, p) correlations of n rows of independent normals.

    Bartlett's decomposition draws their covariance without drawing the rows.
    """
    index = np.arange(min(p, n - 1))
    root = np.tril(draw.standard_normal((m, p, len(index))), -1)
    root[:, index, index] = np.sqrt(draw.chisquare(n - 1 - index, (m, len(index))))
    return _correlation(root @ root.swapaxes(1, 2))


def _models(fit: Fit, R_PP: Matrix, most: int) -> dict[int, Matrix]:
    p = len(R_PP)
    identified = [k for k in range(1, most + 1) if (p - k) ** 2 >= p + k]
    return {0: np.eye(p)} | {k: fit(R_PP, k) for k in identified}


def _comparative_fit(R_PP: Matrix, models: Mapping[int, Matrix], n: int) -> dict[int, float]:
    """Return CFI of models by their number of factors; that of none is 0."""
    found = {k: fit_statistics(R_PP, S, n, k, convention="lavaan").cfi for k, S in models.items()}
    return {k: value for k, value in ({**found, 0: 0.0}).items() if not math.isnan(value)}


def _not_rejected(R_PP: Matrix, models: Mapping[int, Matrix], n: int) -> dict[str, int]:
    """Return the fewest factors that χ² does not reject, if it does not reject all of them."""
    for k in sorted(models):
        if fit_statistics(R_PP, models[k], n, k).p_value > LEVEL:
            return {"sequential_tests": k}
    return {}


def _bic(R_PP: Matrix, models: Mapping[int, Matrix], n: int) -> dict[int, float]:
    found = {k: fit_statistics(R_PP, S, n, k) for k, S in models.items()}
    bic = {k: s.chi_square_uncorrected - math.log(n) * s.dof for k, s in found.items()}
    return {k: value for k, value in bic.items() if not math.isnan(value)}


def _cross_validate(
    X_NP: Matrix, fit: Fit, most: int, n_folds: int, seed: int | None
) -> dict[int, float]:
    total = dict[int, float]()
    rows = np.random.default_rng(seed).permutation(len(X_NP))
    for held in np.array_split(rows, n_folds):
        train = np.delete(X_NP, held, axis=0)
        scale = train.std(axis=0)
        if not scale.all():
            # A column that is constant in the training part has no density.
            return {}
        R_PP = np.asarray(np.corrcoef(train, rowvar=False))
        Z_NP = (X_NP[held] - train.mean(axis=0)) / scale
        for k, S_PP in _models(fit, R_PP, most).items():
            each = stats.multivariate_normal(cov=S_PP).logpdf(Z_NP) - np.log(scale).sum()
            total[k] = total.get(k, 0.0) + float(np.sum(each)) / len(X_NP)
    return total
