"""Tests of fit where rows are not normal: scaled χ² of numbers and of answers, Mardia's moments.

    c = tr(UΓ)/dof,   U = V − VΔ(ΔᵀVΔ)⁻ΔᵀV,   χ² scaled = n F/c                       [1]_
    V = ½ Dᵀ(Σ⁻¹ ⊗ Σ⁻¹)D,   Γ = Cov(vech (x − μ)(x − μ)ᵀ),   Δ = ∂ vech Σ/∂θ
    T = (n − 1) Σ wᵢⱼ rᵢⱼ²,   a = √(dof/tr (UΓ)²),   χ² shifted = aT + dof − a tr UΓ    [4]_
    b₁ = mean over i, j of (yᵢᵀyⱼ)³,   b₂ = mean of (yᵢᵀyᵢ)²,   y = S^-½ (x − μ)       [2]_

The second line is of polychoric correlations, whose Γ is in `ordinal`, residuals r and weights w:
their inverse variances (dwls) or 1 (minres). What rows with gaps need is in `yuan_bentler`.

Shapes: X is (n, p), Σ and S (p, p), /n; Γ, U and V are (p*, p*) with p* = p(p + 1)/2, and Γ is
never made: tr(UΓ) is the mean of wᵀUw over the rows' w = vech((x − μ)(x − μ)ᵀ − S).

References
----------
.. [1] A. Satorra, P. M. Bentler, "Corrections to test statistics and standard errors in covariance
   structure analysis", in "Latent variables analysis", 1994.
.. [2] K. V. Mardia, "Measures of multivariate skewness and kurtosis with applications", Biometrika
   1970.
.. [3] P. E. Brosseau-Liard, V. Savalei, L. Li, "An investigation of the sample performance of two
   nonnormality corrections for RMSEA", Multivariate Behavioral Research 2012 (and V. Savalei,
   "Adjusting incremental fit indices for nonnormality", 2014).
.. [4] T. Asparouhov, B. Muthén, "Simple second order chi-square correction", Mplus technical
   appendix 2010.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, stats

from latentia.errors import InputError
from latentia.models.factors.analysed import correlations_of, influences_of
from latentia.models.factors.fit_statistics import discrepancy, is_singular, noncentrality
from latentia.models.factors.full_information import discrepancies
from latentia.models.factors.summary import Part, Table, chi_square_test, number, numbers
from latentia.models.factors.yuan_bentler import (
    FLAT,
    Gaps,
    MeanAndCovariance,
    corrected,
    normal_weight,
)
from latentia.models.inputs import Matrix, Vector
from latentia.models.linear.missing import saturated
from latentia.models.linear.patterns import Patterns

Places = NDArray[np.intp]
MOST_VARIABLES = 60
"""Of which p(p + 1)/2 moments are 1830."""
BLOCK = 2**21
"""Numbers made at once."""


@dataclass(frozen=True)
class Mardia:
    """Skewness and kurtosis of (n, p) rows, tested against those of normal ones."""

    skewness: float
    """b₁; 0 for normal rows."""
    skewness_chi_square: float
    """n b₁/6, χ² with ``skewness_dof`` degrees of freedom for normal rows."""
    skewness_dof: int
    skewness_p_value: float
    kurtosis: float
    """b₂; p(p + 2) for normal rows."""
    kurtosis_z: float
    """(b₂ − p(p + 2))/√(8p(p + 2)/n), standard normal for normal rows."""
    kurtosis_p_value: float
    """Of both sides."""


Kind = Literal["satorra_bentler", "yuan_bentler", "scaled_shifted"]
NAMES: dict[Kind, str] = {
    "satorra_bentler": "χ², Satorra–Bentler",
    "yuan_bentler": "χ², Yuan–Bentler",
    "scaled_shifted": "χ², mean- and variance-adjusted",
}


@dataclass(frozen=True)
class RobustTest:
    """A test of a factor model that does not take rows for normal, by lavaan's conventions.

    ``kind`` is satorra_bentler of maximum likelihood (lavaan's MLM), yuan_bentler of rows with gaps
    (MLR), scaled_shifted of polychoric correlations (WLSMV of dwls, ULSMV of minres).
    """

    chi_square: float
    """n F/c, or the shifted one."""
    dof: int
    p_value: float
    scaling: float
    """c, or 1/a; 1 for normal rows."""
    baseline_scaling: float
    """The same of the model in which nothing correlates."""
    rmsea: float
    cfi: float
    tli: float
    """Robust ones [3]_, which estimate what normal rows would have: lavaan's ``.robust``; of
    polychoric correlations those of the shifted χ²: ``.scaled``."""
    rmsea_low: float = math.nan
    rmsea_high: float = math.nan
    """The 90 % interval of rmsea."""
    kind: Kind = "satorra_bentler"


@dataclass(frozen=True)
class _Scaled:
    """n F of the model and of independence, with what scales each."""

    chi: float
    scaling: float
    null: float
    null_scaling: float


def mardia(X: ArrayLike) -> Mardia:
    """Return Mardia's multivariate skewness and kurtosis of complete rows that vary in each column.

    Examples
    --------
    >>> found = mardia(np.random.default_rng(0).normal(size=(400, 3)))
    >>> found.kurtosis_p_value > 0.05, found.skewness_dof
    (True, 10)
    """
    rows = _checked(X)
    n, p = rows.shape
    S = np.cov(rows.T, ddof=0).reshape(p, p)
    if is_singular(S / np.sqrt(np.outer(S.diagonal(), S.diagonal()))):
        raise InputError("the covariance of X is singular: Mardia's test needs a regular one")
    root = linalg.cholesky(S, lower=True)
    y = linalg.solve_triangular(root, (rows - rows.mean(axis=0)).T, lower=True).T
    # The mean of (yᵢᵀyⱼ)³ is the squared length of the mean of y ⊗ y ⊗ y.
    third, size = np.zeros((p * p, p)), max(1, BLOCK // p**2)
    for block in (y[i : i + size] for i in range(0, n, size)):
        third += (block[:, :, None] * block[:, None, :]).reshape(len(block), -1).T @ block
    b1, b2 = float(((third / n) ** 2).sum()), float(((y**2).sum(axis=1) ** 2).mean())
    dof = p * (p + 1) * (p + 2) // 6
    z = (b2 - p * (p + 2)) / math.sqrt(8 * p * (p + 2) / n)
    tails = float(stats.chi2.sf(n * b1 / 6, dof)), float(2 * stats.norm.sf(abs(z)))
    return Mardia(b1, n * b1 / 6, dof, tails[0], b2, z, tails[1])


def robust_test(model: Any, X: ArrayLike) -> RobustTest:
    """Return the scaled test of a model that was fitted to these (n, p) rows.

    It is of ml on complete rows, ml with missing "fiml", and dwls or minres on polychoric
    correlations, each without weights; others are refused with an InputError.
    """
    rows, varies = _taken(model, X)
    if model.correlation != "pearson":
        return _of_answers(model, rows, varies)
    if model.missing == "fiml":
        return _of_gaps(model, rows[:, varies], varies)
    return _of_numbers(model, rows[:, varies], varies)


def _taken(model: Any, X: ArrayLike) -> tuple[Matrix, Places]:
    """Return the rows that are not empty, and the columns that vary."""
    rows = np.asarray(X, dtype=np.float64) if model.takes_gaps else _checked(X)
    rows = rows[~np.isnan(rows).all(axis=1)] if rows.ndim == 2 else rows
    varies = np.flatnonzero(model.scale_ > 0)
    _refuse(model, rows, len(varies))
    return rows, varies


def weighed(model: Any, X: ArrayLike) -> tuple[Matrix, Vector]:
    """Return Γ (P, P) of polychoric or mixed correlations, and roots (P,) of weights in a fit."""
    rows, varies = _taken(model, X)
    if model.correlation == "pearson":
        raise InputError(
            "robust standard errors are of dwls and minres on polychoric or mixed correlations"
        )
    found = correlations_of(model, rows[:, varies])
    gamma = influences_of(model, rows[:, varies], found).covariance()
    unweighted = model.method == "minres"
    return gamma, np.ones(len(gamma)) if unweighted else 1 / np.sqrt(gamma.diagonal())


def _of_numbers(model: Any, rows: Matrix, varies: Places) -> RobustTest:
    """Return Satorra and Bentler's test."""
    S, Sigma, L = _unit(model, varies)
    dof, p = _degrees(model, S), len(S)
    independent, pairs = np.diag(S.diagonal()), p * (p - 1) // 2
    centred, n = (rows - model.mean_[varies]) / model.scale_[varies], len(rows)
    c = _trace(centred, S, Sigma, _slopes(L)) / dof
    c0 = _trace(centred, S, independent, _slopes(np.zeros((p, 0)))) / pairs
    found = _Scaled(n * discrepancy(S, Sigma), c, n * discrepancy(S, independent), c0)
    return _tested("satorra_bentler", found, found, dof, pairs, n)


def _of_gaps(model: Any, rows: Matrix, varies: Places) -> RobustTest:
    """Return Yuan and Bentler's test of the likelihood ratio."""
    S, Sigma, L = _unit(model, varies)
    dof, p, scale = _degrees(model, S), len(S), model.scale_[varies]
    ratios = discrepancies(model.baseline_log_likelihoods_, model.log_likelihood_)
    if math.isnan(ratios.model):
        raise InputError("rows with such gaps have no saturated maximum: no test")
    gaps, patterns = Gaps(rows / scale), Patterns(rows / scale)
    free = saturated(patterns, tolerance=model.tolerance, max_iter=model.max_iter)
    moments = MeanAndCovariance(free.mean, free.covariance)
    fitted = MeanAndCovariance(model.mean_[varies] / scale, Sigma)
    alone = MeanAndCovariance(patterns.column_means, np.diag(patterns.column_variances))
    bent = np.zeros([L.size + p] * 2)
    bent[: L.size, : L.size] = np.kron(2 * gaps.information(fitted)[1], np.eye(L.shape[1]))
    own = corrected(gaps, moments, fitted, _slopes(L), bent, dof)
    pairs, of_none = p * (p - 1) // 2, _slopes(np.zeros((p, 0)))
    base = corrected(gaps, moments, alone, of_none, np.zeros((p, p)), pairs)
    n = patterns.n_samples
    tested = _Scaled(n * ratios.model, own.scaling, n * ratios.independence, base.scaling)
    complete = own.complete, own.complete_scaling, base.complete, base.complete_scaling
    return _tested("yuan_bentler", tested, _Scaled(*complete), dof, pairs, n)


def _of_answers(model: Any, rows: Matrix, varies: Places) -> RobustTest:
    """Return the mean- and variance-adjusted test of polychoric correlations."""
    S, Sigma, L = _unit(model, varies)
    dof, n, p = _degrees(model, S), len(rows), len(S)
    gamma, root = weighed(model, rows)
    i, j = np.triu_indices(p, 1)
    spread = gamma * np.outer(root, root)
    slopes = root[:, None] * loading_slopes(L, i, j)
    left, sizes, _ = linalg.svd(slopes, full_matrices=False)
    reached = left[:, sizes > FLAT * sizes[0]]
    chi, a = _shifted((root * (S - Sigma)[i, j]) ** 2 * (n - 1), spread, reached, dof)
    null, a0 = _shifted((root * S[i, j]) ** 2 * (n - 1), spread, reached[:, :0], len(i))
    shifted = _Scaled(chi, 1, null, 1)
    # As lavaan does, which divides by n − 1 what is no maximum likelihood.
    found = _tested("scaled_shifted", shifted, shifted, dof, len(i), n - 1)
    return replace(found, scaling=1 / a, baseline_scaling=1 / a0)


def _shifted(terms: Vector, spread: Matrix, reached: Matrix, dof: int) -> tuple[float, float]:
    """Return aT + dof − a tr UΓ, and a."""
    left = spread - reached @ (reached.T @ spread)
    a = math.sqrt(dof / float((left * left.T).sum()))
    return a * float(terms.sum()) + dof - a * float(left.trace()), a


def _tested(
    kind: Kind, tested: _Scaled, indexed: _Scaled, dof: int, null_dof: int, n: int
) -> RobustTest:
    """Return the test of one χ², with the indices of another or of the same."""
    chi, c = tested.chi / tested.scaling, indexed.scaling
    excess = indexed.chi - c * dof
    null_excess = indexed.null - indexed.null_scaling * null_dof
    ends = (noncentrality(indexed.chi / c, dof, q) for q in (0.95, 0.05))
    low, high = (math.sqrt(c * end / (n * dof)) for end in ends)
    return RobustTest(
        chi,
        dof,
        float(stats.chi2.sf(chi, dof)),
        tested.scaling,
        tested.null_scaling,
        math.sqrt(max(excess, 0) / (n * dof)),
        1 - max(excess, 0) / max(excess, null_excess, 1e-300),
        1 - (excess / null_excess) * (null_dof / dof),
        low,
        high,
        kind,
    )


def _unit(model: Any, varies: Places) -> tuple[Matrix, Matrix, Matrix]:
    """Return S, Σ and loadings on uncorrelated factors, of variables over their deviations."""
    pairs, scale = np.ix_(varies, varies), model.scale_[varies]
    both = model.covariance_, model.get_covariance()
    S, Sigma = (matrix[pairs] / np.outer(scale, scale) for matrix in both)
    root = linalg.cholesky(model.factor_correlations_, lower=True)
    return S, Sigma, model.loadings_[varies] / scale[:, None] @ root


def _degrees(model: Any, S: Matrix) -> int:
    p, k = len(S), int(model.n_latent)
    dof = ((p - k) ** 2 - p - k) // 2
    if dof <= 0 or is_singular(S):
        raise InputError(
            f"the model has {dof} degrees of freedom or a singular covariance: no test"
        )
    return dof


def _refuse(model: Any, rows: Matrix, p: int) -> None:
    least_squares = model.correlation != "pearson" and model.method in ("dwls", "minres")
    if not least_squares and (model.method, model.correlation) != ("ml", "pearson"):
        raise InputError(
            "robust tests are of ml on rows of numbers (Satorra and Bentler; with missing 'fiml' "
            "Yuan and Bentler), and of dwls and minres on polychoric or mixed correlations"
        )
    if rows.shape != (round(model.n_samples_), len(model.scale_)):
        raise InputError(
            f"X has shape {rows.shape}, and the model was fitted to {model.n_samples_:g} rows of "
            f"{len(model.scale_)}"
        )
    if p > MOST_VARIABLES:
        raise InputError(f"{p} variables are too many; at most {MOST_VARIABLES} are taken")


def _checked(X: ArrayLike) -> Matrix:
    rows = np.asarray(X, dtype=np.float64)
    if rows.ndim != 2 or len(rows) < 3 or not np.isfinite(rows).all():
        raise InputError(f"X has shape {rows.shape}; give (n, p) complete rows, n at least 3")
    return rows


def _slopes(L: Matrix) -> Matrix:
    """Return Δ, (p*, pk + p): of loadings and noise variances, Φ being the identity."""
    rows, columns = np.tril_indices(len(L))
    unit = np.eye(len(L))
    return np.hstack([loading_slopes(L, rows, columns), unit[rows] * unit[columns]])


def loading_slopes(L: Matrix, rows: Places, columns: Places) -> Matrix:
    """Return the derivatives of some entries of ΛΛᵀ by the loadings, (m, pk)."""
    unit = np.eye(len(L))
    found = (
        unit[rows][:, :, None] * L[columns][:, None, :]
        + unit[columns][:, :, None] * L[rows][:, None, :]
    )
    return np.asarray(found.reshape(len(rows), L.size))


def _trace(centred: Matrix, S: Matrix, Sigma: Matrix, slopes: Matrix) -> float:
    """Return tr(UΓ), as the mean of wᵀUw."""
    rows, columns = np.tril_indices(len(S))
    root = linalg.cholesky(normal_weight(Sigma), lower=True)
    # What Δ reaches in the metric of V; rotations leave it short of full rank.
    left, sizes, _ = linalg.svd(root.T @ slopes, full_matrices=False)
    reached = left[:, sizes > FLAT * sizes[0]]
    total, size = 0.0, max(1, BLOCK // len(rows))
    for first in range(0, len(centred), size):
        x = centred[first : first + size]
        w = (x[:, rows] * x[:, columns] - S[rows, columns]) @ root
        total += float((w**2).sum() - ((w @ reached) ** 2).sum())
    return total / len(centred)


TOLD: dict[Kind, str] = {
    "satorra_bentler": "c is 1 for normal rows, and larger where heavy tails make χ² too large. "
    "The indices are lavaan's .robust.",
    "yuan_bentler": "For rows with gaps that are not normal (Yuan & Bentler 2000): lavaan's MLR, "
    "the indices its .robust. c is 1 for normal rows.",
    "scaled_shifted": "For ordinal answers (Asparouhov & Muthén 2010), in the place of the χ², "
    "RMSEA, TLI and CFI above: lavaan's WLSMV of dwls, ULSMV of minres, the indices its .scaled.",
}


MIXED = "Numbers are weighed by their correlations too; lavaan weighs covariances, and differs."


def robust_part(model: Any, X: ArrayLike) -> Part:
    """Return Mardia's moments of complete rows of numbers, and the robust test, as tables."""
    lines, notes = list[tuple[str, str]](), list[str]()
    plain = not model.takes_gaps
    if plain:
        m = mardia(_checked(X)[:, model.scale_ > 0])
        skew = chi_square_test(m.skewness_chi_square, m.skewness_dof, m.skewness_p_value)
        p = f"{m.kurtosis_p_value:.3g}" if m.kurtosis_p_value > 0 else "< 1e-300"
        lines = [
            ("Mardia's skewness, χ²", f"{number(m.skewness, 2)}, {skew}"),
            ("Mardia's kurtosis, z", f"{number(m.kurtosis, 2)}, {number(m.kurtosis_z, 2)}, p {p}"),
        ]
        notes.append(
            "Mardia (1970): small p-values say that rows are not normal; with many rows they are."
        )
    try:
        t = robust_test(model, X)
    except InputError as error:
        if not plain:
            raise
        return Part("Normality", (Table("Tests", (), tuple(lines), notes[0]),), (f"{error}",))
    interval = numbers((t.rmsea_low, t.rmsea_high), 3)
    lines += [
        (NAMES[t.kind], chi_square_test(t.chi_square, t.dof, t.p_value)),
        ("Scaling factor c", number(t.scaling, 4)),
        ("Robust RMSEA [90 % interval]", f"{number(t.rmsea, 3)} [{interval}]"),
        ("Robust TLI, CFI", numbers((t.tli, t.cfi), 3)),
    ]
    title = "Normality and robust test" if plain else "Robust test"
    note = "\n".join([*notes, TOLD[t.kind], *[MIXED] * (model.correlation == "mixed")])
    return Part(title, (Table("Tests", (), tuple(lines), note),))
