"""Gaussian likelihood with gaps, against brute force, its own calculus, and R's lavaan and psych.

lavaan and psych stop earlier than we do: their moments agree to about 1e-6 in the units of the
columns, while the log-likelihood, flat at its top, agrees to 12 digits and more.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from sklearn.datasets import load_iris, load_wine

from latentia.errors import InputError
from latentia.models.linear import missing
from latentia.models.linear.missing import (
    expected_moments,
    observed_log_likelihood,
    saturated,
    structured,
)
from latentia.models.linear.patterns import Patterns

REFERENCE = Path(os.environ.get("LATENTIA_REFERENCE", "absent")) / "factor_analysis"
has_reference = pytest.mark.skipif(
    not REFERENCE.exists(), reason="LATENTIA_REFERENCE does not name the folder of R's results"
)

# R 4.2.2, lavaan 0.6-14, X being the wine_with_gaps of this file:
# m <- cfa("f=~x1+x2+x3+x4+x5", data=X, missing="fiml", std.lv=TRUE, em.h1.tol=1e-14,
#          em.h1.iter.max=5000); fitMeasures(m, c("unrestricted.logl", "logl"))
# h <- m@SampleStats@missing.h1[[1]]; h$mu; h$sigma[lower.tri(h$sigma, TRUE)]
# i <- lavInspect(m, "implied"); i$mean; i$cov[lower.tri(i$cov, TRUE)]
LAVAAN_SATURATED = -396.928199399609
LAVAAN_FACTOR = -401.473023348981
LAVAAN_MEAN = [2.28332267564732, 2.00443662228912, 1.59741780938824, 0.95714677232516,
               2.62851829032389]  # fmt: skip
LAVAAN_COVARIANCE = [0.380685176815400, 0.528086533287263, 0.224507238523771, 0.061273880140068,
                     0.297491737951180, 0.970440157482114, 0.376174115937260, 0.124777153657685,
                     0.541627638043312, 0.339909904812912, 0.048040452740088, 0.209307238065504,
                     0.052049373119533, 0.087423828047650, 0.486479461354010]  # fmt: skip
LAVAAN_FACTOR_MEAN = [2.28539152126965, 2.00557143957454, 1.59941127444014, 0.95481248910745,
                      2.62852872125070]  # fmt: skip
LAVAAN_IMPLIED = [0.378048658509742, 0.524926949368577, 0.210968522926336, 0.067807743829104,
                  0.298488809055082, 0.970520578008464, 0.381620661998248, 0.122657331670780,
                  0.539935983485287, 0.341731181916473, 0.049296070852900, 0.217000664659508,
                  0.051619689601277, 0.069746544536006, 0.484524472564070]  # fmt: skip
# psych 2.2.9: k <- corFiml(X, covar=TRUE)$cov; k[lower.tri(k, TRUE)]
PSYCH_COVARIANCE = [0.380684901117577, 0.528086251125794, 0.224506542784971, 0.061273851363876,
                    0.297492767892597, 0.970439711947595, 0.376172781334873, 0.124777229635479,
                    0.541629814057088, 0.339908898878785, 0.048040377641751, 0.209307722526010,
                    0.052049310591344, 0.087424158339269, 0.486482394558444]  # fmt: skip


def with_gaps(X, share, seed=0):
    return np.where(np.random.default_rng(seed).random(X.shape) < share, np.nan, X)


@pytest.fixture(scope="module")
def wine_with_gaps():
    """(178, 5): total phenols, flavanoids, proanthocyanins, hue, OD280/OD315."""
    return with_gaps(load_wine().data[:, [5, 6, 8, 10, 11]], 0.2)


@pytest.fixture(scope="module")
def half_missing():
    rng = np.random.default_rng(2)
    return with_gaps(rng.normal(size=(300, 5)) @ rng.normal(size=(5, 5)) + 3, 0.5)


def symmetric(lower):
    """Return the matrix whose lower triangle R wrote column by column."""
    d = int(np.sqrt(2 * len(lower)))
    matrix = np.zeros((d, d))
    matrix[np.triu_indices(d)] = lower
    return matrix + np.triu(matrix, 1).T


def brute_force(X, mean, covariance, weights=None):
    """Return the weighted mean over rows of the log density of what each row sees."""
    weights = np.ones(len(X)) if weights is None else weights
    total, used = 0.0, 0.0
    for row, weight in zip(X, weights):
        o = ~np.isnan(row)
        if o.any():
            total += weight * multivariate_normal(mean[o], covariance[np.ix_(o, o)]).logpdf(row[o])
            used += weight
    return total / used


def one_factor(covariance):
    """Return ΛΛᵀ + Ψ of the maximum likelihood single factor of a covariance."""
    deviations = np.sqrt(np.diag(covariance))
    scales = np.outer(deviations, deviations)
    correlation = covariance / scales

    def implied(theta):
        loadings, uniquenesses = np.split(theta, 2)
        return np.outer(loadings, loadings) + np.diag(np.exp(uniquenesses))

    def discrepancy(theta):
        model = implied(theta)
        inverse = np.linalg.inv(model)
        slope = inverse - inverse @ correlation @ inverse
        loadings, uniquenesses = np.split(theta, 2)
        gradient = [2 * slope @ loadings, np.diag(slope) * np.exp(uniquenesses)]
        value = np.linalg.slogdet(model)[1] + (inverse * correlation).sum()
        return value, np.concatenate(gradient)

    d = len(covariance)
    start = np.concatenate([np.full(d, 0.7), np.log(np.full(d, 0.5))])
    best = minimize(discrepancy, start, jac=True, method="BFGS", options={"gtol": 1e-9})
    return implied(best.x) * scales


@pytest.mark.parametrize("weighted", [False, True])
def test_the_log_likelihood_is_that_of_brute_force(half_missing, weighted):
    rng = np.random.default_rng(0)
    mean, root = rng.normal(size=5), rng.normal(size=(5, 5))
    weights = rng.integers(0, 4, len(half_missing)) / 2 if weighted else None
    ours = observed_log_likelihood(Patterns(half_missing, weights), mean, root @ root.T)
    np.testing.assert_allclose(ours, brute_force(half_missing, mean, root @ root.T, weights), 1e-12)


def test_a_step_is_the_conditional_expectation_row_by_row(half_missing):
    rng = np.random.default_rng(0)
    mean, root = rng.normal(size=5), rng.normal(size=(5, 5))
    covariance = root @ root.T
    rows, spreads = [], np.zeros((5, 5))
    kept = half_missing[~np.isnan(half_missing).all(axis=1)]
    for row in kept:
        o, m = np.flatnonzero(~np.isnan(row)), np.flatnonzero(np.isnan(row))
        slopes = np.linalg.solve(covariance[np.ix_(o, o)], covariance[np.ix_(o, m)]).T
        filled = row.copy()
        filled[m] = mean[m] + slopes @ (row[o] - mean[o])
        rows.append(filled)
        spreads[np.ix_(m, m)] += covariance[np.ix_(m, m)] - slopes @ covariance[np.ix_(o, m)]
    ours = expected_moments(Patterns(half_missing), mean, covariance)
    np.testing.assert_allclose(ours[0], np.mean(rows, axis=0), rtol=1e-11)
    expected = np.cov(np.array(rows).T, ddof=0) + spreads / len(kept)
    np.testing.assert_allclose(ours[1], expected, rtol=1e-10, atol=1e-12)


def test_small_blocks_change_nothing(half_missing, monkeypatch):
    patterns = Patterns(half_missing)
    whole = expected_moments(patterns, np.zeros(5), np.eye(5))
    monkeypatch.setattr(missing, "BLOCK", 75)
    for ours, expected in zip(expected_moments(patterns, np.zeros(5), np.eye(5)), whole):
        np.testing.assert_allclose(ours, expected, rtol=1e-13, atol=1e-14)


def test_without_gaps_it_is_the_sample_covariance():
    X = load_iris().data
    found = saturated(Patterns(X))
    np.testing.assert_allclose(found.mean, X.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(found.covariance, np.cov(X.T, ddof=0), rtol=1e-12)
    assert found.converged
    assert found.n_iterations == 1


def test_the_gradient_vanishes_at_the_optimum(half_missing):
    patterns = Patterns(half_missing)
    found = saturated(patterns, tolerance=1e-11)
    assert found.converged
    width = 1e-5
    for i in range(5):
        step = width * np.eye(5)[i]
        ends = [
            observed_log_likelihood(patterns, found.mean + s * step, found.covariance)
            for s in (1, -1)
        ]
        assert abs(ends[0] - ends[1]) / (2 * width) < 1e-8
        for j in range(i + 1):
            change = np.zeros((5, 5))
            change[i, j] = change[j, i] = width
            ends = [
                observed_log_likelihood(patterns, found.mean, found.covariance + s * change)
                for s in (1, -1)
            ]
            assert abs(ends[0] - ends[1]) / (2 * width) < 1e-8


def test_the_likelihood_never_falls_and_mixing_saves_steps(half_missing, monkeypatch):
    patterns = Patterns(half_missing)
    fast = saturated(patterns)
    monkeypatch.setattr(missing, "_attempt", lambda *_: None)
    plain = saturated(patterns)
    assert min(np.diff(fast.trace)) > -1e-12
    assert min(np.diff(plain.trace)) > -1e-12
    assert fast.converged
    assert plain.converged
    assert fast.n_iterations < plain.n_iterations / 2
    np.testing.assert_allclose(fast.covariance, plain.covariance, atol=1e-6)


def test_too_few_steps_are_not_convergence(half_missing):
    found = saturated(Patterns(half_missing), max_iter=3)
    assert not found.converged
    assert found.n_iterations == 3


def test_weights_are_repetitions(wine_with_gaps):
    weights = np.random.default_rng(0).integers(0, 4, len(wine_with_gaps))
    weighted = saturated(Patterns(wine_with_gaps, weights))
    repeated = saturated(Patterns(np.repeat(wine_with_gaps, weights, axis=0)))
    np.testing.assert_allclose(weighted.covariance, repeated.covariance, atol=1e-8)
    np.testing.assert_allclose(weighted.log_likelihood, repeated.log_likelihood, rtol=1e-13)


def test_units_do_not_matter(wine_with_gaps):
    units = np.array([1e-6, 1, 1e4, 10, 1e8])
    found = saturated(Patterns(wine_with_gaps))
    scaled = saturated(Patterns(wine_with_gaps * units - 5 * units))
    np.testing.assert_allclose(
        scaled.covariance / np.outer(units, units), found.covariance, atol=1e-8
    )


def test_the_saturated_model_agrees_with_lavaan_and_psych(wine_with_gaps):
    patterns = Patterns(wine_with_gaps)
    found = saturated(patterns)
    theirs = symmetric(LAVAAN_COVARIANCE)
    np.testing.assert_allclose(found.log_likelihood * 178, LAVAAN_SATURATED, rtol=1e-13)
    np.testing.assert_allclose(found.mean, LAVAAN_MEAN, atol=1e-7)
    np.testing.assert_allclose(found.covariance, theirs, atol=1e-7)
    np.testing.assert_allclose(found.covariance, symmetric(PSYCH_COVARIANCE), atol=5e-6)
    assert observed_log_likelihood(patterns, np.array(LAVAAN_MEAN), theirs) <= (
        found.log_likelihood + 1e-14
    )


def test_a_factor_agrees_with_lavaan(wine_with_gaps):
    patterns = Patterns(wine_with_gaps)
    start = saturated(patterns)
    found = structured(patterns, one_factor, start.mean, start.covariance, tolerance=1e-7)
    np.testing.assert_allclose(found.log_likelihood * 178, LAVAAN_FACTOR, rtol=1e-11)
    np.testing.assert_allclose(found.mean, LAVAAN_FACTOR_MEAN, atol=1e-5)
    np.testing.assert_allclose(found.implied, symmetric(LAVAAN_IMPLIED), atol=1e-5)
    np.testing.assert_allclose(found.implied, one_factor(found.covariance), atol=1e-12)
    assert min(np.diff(found.trace)) > -1e-12
    assert found.converged


def test_an_inexact_m_step_ends_the_climb(wine_with_gaps):
    patterns, rng = Patterns(wine_with_gaps), np.random.default_rng(0)
    found = structured(
        patterns,
        lambda covariance: covariance * rng.uniform(0.99, 1.01),
        np.zeros(5),
        np.eye(5),
    )
    assert not found.converged
    assert min(np.diff(found.trace)) > -1e-12


def test_empty_rows_are_counted_and_change_nothing(wine_with_gaps):
    gaps = np.full((3, 5), np.nan)
    patterns = Patterns(np.concatenate([gaps, wine_with_gaps]))
    assert (patterns.n_empty, patterns.n_samples) == (3, 178)
    assert patterns.count.sum() == 178
    without = saturated(Patterns(wine_with_gaps))
    np.testing.assert_allclose(saturated(patterns).covariance, without.covariance, rtol=1e-12)


def test_columns_never_seen_together_are_told():
    X = np.random.default_rng(0).normal(size=(200, 4))
    X[:100, 1] = X[100:, 3] = np.nan
    patterns = Patterns(X)
    assert patterns.never_together == [(1, 3)]
    assert saturated(patterns).converged
    assert Patterns(X[:, :3]).never_together == []


@pytest.mark.parametrize(
    ("X", "weights", "words"),
    [
        ([[1, np.nan], [2, np.nan]], None, "column 1 has no observed value"),
        ([[1, np.inf], [2, 3]], None, "finite where not NaN"),
        ([1, 2, 3], None, r"shape \(3,\)"),
        ([["a", "b"]], None, "no number"),
        ([[1, 2], [2, 3]], [1], "must be 2 finite numbers"),
        ([[1, 2], [2, 3]], [1, -1], "at least 0"),
        ([[1, np.nan], [2, 3]], [1, 0], "column 1 has no observed value"),
    ],
)
def test_bad_tables_are_refused(X, weights, words):
    with pytest.raises(InputError, match=words):
        Patterns(X, weights)


def test_likelihoods_without_a_maximum_are_refused():
    X = np.random.default_rng(0).normal(size=(30, 3))
    with pytest.raises(InputError, match="column 2 has a single observed value"):
        saturated(Patterns(np.c_[X[:, :2], np.full(30, 0.1)]))
    with pytest.raises(InputError, match="singular"):
        saturated(Patterns(X[:3]))


def test_one_column_is_its_own_mean_and_variance():
    found = saturated(Patterns([[1.0], [np.nan], [2.0], [4.5]]))
    np.testing.assert_allclose([found.mean[0], found.covariance[0, 0]], [2.5, 13 / 6], rtol=1e-14)


@has_reference
def test_bfi_agrees_with_psych():
    """psych stops at a log-likelihood 1e-6 below ours; lavaan prints 8 digits of the same one."""
    X = np.genfromtxt(REFERENCE / "bfi_with_missing_data.csv", delimiter=",", skip_header=1)
    theirs = json.loads((REFERENCE / "lavaan_efa_fiml_reference.json").read_text())["bfi10_fiml"]
    patterns = Patterns(X[:, :10])
    found = saturated(patterns)
    mean, covariance = np.array(theirs["mean"]), np.array(theirs["cov"])
    np.testing.assert_allclose(found.mean, mean, atol=1e-5)
    np.testing.assert_allclose(found.covariance, covariance, atol=1e-4)
    assert found.log_likelihood > observed_log_likelihood(patterns, mean, covariance)
    # lavaan: fitMeasures(cfa(.., bfi[,1:10], missing="fiml"), "unrestricted.logl")
    np.testing.assert_allclose(found.log_likelihood * 2800, -44796.339, atol=1e-3)


@has_reference
def test_complete_data_agree_with_lavaan():
    X = np.genfromtxt(REFERENCE / "holzinger_swineford_data.csv", delimiter=",", skip_header=1)
    fit = json.loads((REFERENCE / "lavaan_efa_fiml_reference.json").read_text())["k1"]["fit"]
    found = saturated(Patterns(X))
    np.testing.assert_allclose(found.log_likelihood * 301, fit["unrestricted.logl"], rtol=1e-13)
