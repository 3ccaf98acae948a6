"""Factor analysis of rows with gaps, against a minimiser of the casewise likelihood, and itself.

What a test of fit compares is the likelihood of the values observed: here it is written out row by
row, and climbed by SciPy from several starts.
"""

import os
import warnings
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import optimize, stats

import latentia
from latentia.errors import FitWarning, InputError
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.full_information import _best
from latentia.models.factors.n_factors import kmo
from latentia.models.linear.missing import saturated
from latentia.models.linear.patterns import Patterns
from latentia.models.linear.probabilistic_pca import ProbabilisticPCA

FAULTS = Path(os.environ.get("LATENTIA_FAULTS", "absent"))


def silently(fit, *given, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return fit(*given, **options)


def said(fit, *given, **options):
    """Return the model, and all that it warned of as one text."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        model = fit(*given, **options)
    return model, " ".join(str(warning.message) for warning in found)


def two_factors(n=400, p=8, missing=0.5, seed=0):
    """Return (n, p) rows of two factors that correlate by .3, cells missing at random."""
    draw = np.random.default_rng(seed)
    z = draw.normal(size=(n, 2)) @ np.linalg.cholesky([[1, 0.3], [0.3, 1]]).T
    pattern = np.kron(np.eye(2), np.full((p // 2, 1), 0.8))
    X = z @ pattern.T + 0.6 * draw.normal(size=(n, p))
    return np.where(draw.random((n, p)) < missing, np.nan, X)


def observed(X):
    """Return (columns seen, the values there) of each row that sees any."""
    return [(np.flatnonzero(seen), x[seen]) for x, seen in zip(X, ~np.isnan(X)) if seen.any()]


def casewise(rows, mean, S):
    """Return the mean over rows of log N(x; μ, S) of the values seen."""
    total, kept = 0.0, {}
    for columns, x in rows:
        key = tuple(columns)
        if key not in kept:
            inside = S[np.ix_(columns, columns)]
            kept[key] = np.linalg.slogdet(2 * np.pi * inside)[1], np.linalg.inv(inside)
        logs, inverse = kept[key]
        away = x - mean[columns]
        total -= (logs + away @ inverse @ away) / 2
    return total / len(rows)


def highest(X, covariance, starts):
    """Return the highest casewise likelihood over μ and the parameters of a covariance."""
    p, rows = X.shape[1], observed(X)

    def loss(x):
        return -casewise(rows, x[:p], covariance(x[p:]))

    found = [
        optimize.minimize(loss, start, method="BFGS", options={"gtol": 1e-6}) for start in starts
    ]
    return -min(result.fun for result in found)


@cache
def peaks():
    """Return rows, and the peaks of the free, one-factor and independent likelihoods."""
    X = two_factors(n=60, p=4, missing=0.2, seed=5)
    mean, spread = np.nanmean(X, axis=0), np.nanstd(X, axis=0)
    below = np.tril_indices(4)

    def free(x):
        root = np.zeros((4, 4))
        root[below] = x
        return root @ root.T + 1e-12 * np.eye(4)

    def one_factor(x):
        return np.outer(x[:4], x[:4]) + np.diag(np.exp(x[4:]))

    starts = [np.r_[mean, np.diag(spread)[below]]]
    draw = np.random.default_rng(0)
    loadings = [np.full(4, 0.5), draw.normal(size=4) * 0.7]
    of_factor = [np.r_[mean, each, np.log(spread**2 / 2)] for each in loadings]
    independent = casewise(observed(X), mean, np.diag(spread**2))
    return X, highest(X, free, starts), highest(X, one_factor, of_factor), independent


@pytest.mark.parametrize("convention", ["bartlett", "lavaan"])
def test_the_test_of_fit_is_the_ratio_of_casewise_likelihoods(convention):
    X, free, model, independent = peaks()
    n, fitted = len(X), silently(FactorAnalysis(missing="fiml").fit, X)
    found = fitted.fit_statistics(convention)
    assert fitted.log_likelihood_ == pytest.approx(model, abs=1e-7)
    chi, null = 2 * n * (free - model), 2 * n * (free - independent)
    assert found.chi_square == found.chi_square_uncorrected == pytest.approx(chi, abs=1e-4)
    assert found.null_chi_square == pytest.approx(null, abs=1e-4)
    assert found.p_value == pytest.approx(stats.chi2.sf(chi, 2), rel=1e-4)
    assert found.cfi == pytest.approx(1 - max(chi - 2, 0) / max(chi - 2, null - 6), abs=1e-6)
    assert found.tli == pytest.approx((null / 6 - chi / 2) / (null / 6 - 1), abs=1e-6)
    divisor = n if convention == "lavaan" else n - 1
    assert found.rmsea == pytest.approx(np.sqrt(max(chi / (2 * n) - 1 / divisor, 0)), abs=1e-6)
    assert found.reason == ""


def test_residuals_are_those_of_the_saturated_moments():
    X = two_factors()
    fitted = silently(FactorAnalysis(missing="fiml").fit, X)
    S = saturated(Patterns(X)).covariance
    scale = np.sqrt(np.diag(S))
    residuals = (S - fitted.get_covariance()) / np.outer(scale, scale)
    below, p = np.tril_indices(8, -1), 8
    found = fitted.fit_statistics()
    assert found.rms == pytest.approx(np.sqrt((residuals[below] ** 2).mean()), rel=1e-5)
    squares = (np.tril(residuals) ** 2).sum()
    assert found.srmr == pytest.approx(np.sqrt(squares / (p * (p + 1) / 2)), rel=1e-5)
    np.testing.assert_allclose(fitted.residual_correlations(), residuals, atol=1e-6)


def test_what_is_said_of_the_data_does_not_depend_on_the_number_of_factors():
    X = two_factors()
    summaries = [
        silently(FactorAnalysis(n_components=k, missing="fiml").fit, X).summary() for k in (1, 2, 3)
    ]
    adequacy, tests = {round(s.kmo, 9) for s in summaries}, {s.sphericity for s in summaries}
    assert len(adequacy) == len(tests) == 1
    assert summaries[0].kmo == pytest.approx(kmo(saturated(Patterns(X)).covariance)[0], abs=1e-6)
    chi = [s.fit.chi_square for s in summaries]
    assert chi[0] > 100 > chi[1] > chi[2]
    assert "likelihood ratio" in str(summaries[0])
    assert "Bartlett-corrected" not in str(summaries[0])
    assert "Bartlett's" not in str(summaries[0])


def test_complete_rows_are_tested_as_without_missing_values():
    X = two_factors(n=120, missing=0)
    full, plain = (
        FactorAnalysis(n_components=1, missing=missing).fit(X).fit_statistics("lavaan")
        for missing in ("fiml", "error")
    )
    for name in ("chi_square", "null_chi_square", "cfi", "tli", "rmsea", "srmr", "rms", "aic"):
        assert getattr(full, name) == pytest.approx(getattr(plain, name), rel=1e-5), name


@pytest.mark.slow
def test_the_right_model_is_refused_as_often_as_it_should_be():
    """Of 200 samples of a true model, the p-values are uniform; half of the cells are missing."""
    found = [
        silently(
            FactorAnalysis(n_components=2, missing="fiml", n_starts=1).fit, two_factors(seed=s)
        )
        for s in range(200)
    ]
    p_values = [model.fit_statistics().p_value for model in found]
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_the_best_of_several_maxima_is_found_and_the_others_are_told():
    X = two_factors(n=80, seed=9)
    one = silently(FactorAnalysis(missing="fiml", n_starts=1).fit, X)
    best, words = said(FactorAnalysis(missing="fiml").fit, X)
    assert best.log_likelihood_ > one.log_likelihood_ + 5e-4
    assert best.n_optima_ == 2
    assert "2 distinct optima" in words


def test_a_fit_with_gaps_says_the_same_after_save_and_load(tmp_path):
    model = FactorAnalysis(missing="fiml").fit(two_factors(n=100, missing=0.2))
    loaded = latentia.load(model.save(tmp_path / "model"))
    assert loaded.fit_statistics() == model.fit_statistics()
    assert loaded.findings() == model.findings()


def test_pairs_never_observed_together_are_named_and_leave_no_test():
    X = two_factors(n=200, missing=0)
    X[:100, 2] = X[100:, 5] = np.nan
    model, words = said(FactorAnalysis(n_components=2, missing="fiml").fit, X)
    assert "x2 with x5 are never observed together" in words
    found = model.fit_statistics()
    assert np.isnan(found.chi_square)
    assert np.isnan(found.cfi)
    assert "saturated" in found.reason
    assert any("x2 with x5" in note for note in model.summary().notes)


def test_pairs_rarely_observed_together_are_named():
    X = two_factors(n=201, missing=0)
    X[:106, 2] = X[100:, 5] = np.nan
    X[100:106, 5] = 0
    X[100:106, 2] = 1
    X[200] = np.nan
    model, words = said(FactorAnalysis(n_components=2, missing="fiml").fit, X)
    assert (
        "x2 with x5 are observed together in fewer than 10% of the rows (the fewest 3.0%)" in words
    )
    assert "1 row(s) without any value were left out" in words
    assert words.count(" with ") == 1
    assert np.isfinite(model.fit_statistics().chi_square)
    _, quiet = said(FactorAnalysis(n_components=2, missing="fiml").fit, two_factors(missing=0.4))
    assert "together" not in quiet


def test_rows_too_few_for_a_saturated_model_are_fitted_but_not_tested():
    model, words = said(FactorAnalysis(missing="fiml").fit, two_factors(n=8, missing=0.1, seed=1))
    assert "no likeliest covariance matrix" in words
    assert np.isnan(model.fit_statistics().chi_square)
    assert np.isfinite(model.log_likelihood_)


@pytest.mark.parametrize("kind", [FactorAnalysis, ProbabilisticPCA])
def test_tolerance_and_max_iter_are_those_of_the_climb(kind):
    X = two_factors(n=150, p=6, missing=0.3)

    def steps(**options):
        return silently(kind(missing="fiml", **options).fit, X)

    whole, coarse, short = steps(), steps(tolerance=1e-2), steps(max_iter=2)
    assert whole.converged_
    assert coarse.converged_
    assert not short.converged_
    assert coarse.n_iter_ < whole.n_iter_
    assert short.n_iter_ == 2
    assert coarse.log_likelihood_ < whole.log_likelihood_


def test_em_of_complete_rows_is_refused_for_gaps():
    with pytest.raises(InputError, match="algorithm is 'em', which is for complete rows"):
        ProbabilisticPCA(algorithm="em", missing="fiml").fit(two_factors())


@pytest.mark.skipif(not FAULTS.exists(), reason="LATENTIA_FAULTS does not name the folder")
@pytest.mark.parametrize(("k", "chi", "p"), [(1, 131.3, 2.2e-18), (2, 14.89, 0.31)])
def test_half_missing_is_tested_as_by_lavaan(k, chi, p):
    X = np.genfromtxt(FAULTS / "half.csv", delimiter=",", skip_header=1)
    found = silently(FactorAnalysis(n_components=k, missing="fiml").fit, X).fit_statistics()
    assert found.chi_square == pytest.approx(chi, abs=0.05)
    assert found.p_value == pytest.approx(p, rel=0.05)
    if k == 1:
        assert (found.rmsea, found.cfi) == (
            pytest.approx(0.118, abs=5e-4),
            pytest.approx(0.636, abs=1e-3),
        )


@pytest.mark.parametrize(
    ("heights", "converged", "n_optima"),
    [
        ((-1.0, -5.0, -1.0), (True, True, True), 2),
        ((-1.0, -5.0, -1.0), (True, False, True), 1),
        ((-1.0, -5.0, -9.0), (True, True, True), 3),
    ],
)
def test_maxima_are_counted_where_the_climb_has_arrived(heights, converged, n_optima):
    ends = [
        SimpleNamespace(log_likelihood=height, converged=arrived, mean=height, implied="S")
        for height, arrived in zip(heights, converged)
    ]
    # The best is climbed once more, from its own mean and covariance.
    points = [0, 1, 2]
    found, n = _best(lambda point, tol: ends[point] if point in points else point, points, 1e-6)
    assert found == (-1.0, "S")
    assert n == n_optima
