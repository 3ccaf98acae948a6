"""Comparison data: populations that are what they should be, and simulated factors found."""

import numpy as np
import pytest
from scipy import stats

from latentia.models.factors import comparison_data
from latentia.models.factors.comparison_data import (
    compare_with_data,
    population,
    principal_axes,
)
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.n_factors import suggest


def simulated(k, n=600, each=4, seed=0, skewed=False):
    """Return rows of k correlated factors with some variables each."""
    draw = np.random.default_rng(seed)
    F = draw.multivariate_normal(np.zeros(k), 0.3 + 0.7 * np.eye(k), size=n)
    X = 0.75 * np.repeat(F, each, axis=1) + 0.66 * draw.normal(size=(n, k * each))
    return np.exp(X) if skewed else X


@pytest.mark.parametrize(("k", "skewed"), [(1, False), (2, True), (3, False)])
def test_simulated_factors_are_found_as_a_rule(k, skewed):
    """By design three in ten tests of one factor more than there are may say that it helps."""
    answers = []
    for seed in range(5):
        X = simulated(k, n=300, skewed=skewed, seed=seed)
        found = compare_with_data(X, k + 2, 40, np.random.default_rng(seed))
        answers.append(found.n_factors)
        means = [values.mean() for values in found.differences.values()]
        assert means[:k] == sorted(means[:k], reverse=True)
    assert np.median(answers) == k
    assert min(answers) == k


def test_a_population_has_the_distributions_and_the_correlations():
    X = simulated(2, skewed=True)
    R = np.corrcoef(X.T)
    rows = population(X, R, 2, np.random.default_rng(0))
    assert rows.shape == (comparison_data.POPULATION, 8)
    for theirs, ours in zip(X.T, rows.T):
        assert set(ours) <= set(theirs)
        assert stats.ks_2samp(theirs, ours).statistic < 0.05
    gaps = (np.corrcoef(rows.T) - R)[np.tril_indices(8, -1)]
    assert np.sqrt((gaps**2).mean()) < 0.04  # that of 600 rows' own correlations


def test_one_factor_cannot_have_the_correlations_of_three():
    X = simulated(3)
    R = np.corrcoef(X.T)
    gaps = [
        np.abs(np.corrcoef(population(X, R, k, np.random.default_rng(0)).T) - R).mean()
        for k in (1, 3)
    ]
    assert gaps[0] > 3 * gaps[1]


def test_principal_axes_are_those_of_the_estimator():
    R = np.corrcoef(simulated(2).T)
    ours = principal_axes(R, 2)
    model = FactorAnalysis(n_components=2, method="principal_axis").fit_covariance(R)
    theirs = model.standardized_loadings_
    np.testing.assert_allclose(ours @ ours.T, theirs @ theirs.T, atol=5e-3)


@pytest.mark.parametrize("r", [0.1, 0.6])
def test_principal_axes_of_equal_correlations_are_their_roots(r):
    """Four of them at .1 have a reduced eigenvalue of .4, which is below 1 and no less theirs."""
    R = np.full((4, 4), r) + (1 - r) * np.eye(4)
    np.testing.assert_allclose(np.abs(principal_axes(R, 1)), np.sqrt(r), atol=2e-3)


def test_it_is_run_where_rows_are_and_is_asked_for():
    X = simulated(2, n=200)
    R = np.corrcoef(X.T)
    asked = suggest(R, X=X, n_simulations=5, n_comparison=50, max_components=3)
    alone = compare_with_data(X, 3, 50, np.random.default_rng(0)).n_factors
    assert asked.counts["comparison_data"] == alone
    assert "comparison_data" not in suggest(R, 200, n_simulations=5, n_comparison=50).counts
    assert "comparison_data" not in suggest(R, X=X, n_simulations=5).counts


def test_a_seed_repeats_it_and_another_does_not():
    X = simulated(2, n=100)
    first, again, other = (
        compare_with_data(X, 2, 20, np.random.default_rng(seed)).differences[1]
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_rare_answers_that_a_draw_may_lack_are_survived():
    X = (np.random.default_rng(0).random((40, 5)) < 0.06).astype(float)
    X[0] = 1
    found = compare_with_data(X, 2, 50, np.random.default_rng(0))
    assert np.isfinite(found.differences[1]).all()
