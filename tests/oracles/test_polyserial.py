"""Mixed correlations against R's lavaan, SciPy's optimisers, the jackknife, and their own parts."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from latentia import FactorAnalysis
from latentia.errors import FitWarning, InputError
from latentia.models.factors.ordinal import influences
from latentia.models.factors.polychoric import polychoric
from latentia.models.factors.polyserial import mixed_correlations, mixed_influences
from latentia.models.factors.robust import robust_test
from latentia.models.factors.standard_errors import robust_errors

REFERENCE = Path(os.environ.get("LATENTIA_REFERENCE", "absent")) / "factor_analysis"
# lavaan 0.6-14, h being Holzinger and Swineford's:
# d <- data.frame(a=findInterval(h$x1, 5), b=findInterval(h$x2, 5:7), c=findInterval(h$x3, c(1.5,
#   3)), x4=h$x4, x5=h$x5, x7=h$x7); R <- lavCor(d, ordered=c("a", "b", "c")); R[lower.tri(R)]
LAVAAN = [0.24900991939066, 0.46410525255797, 0.40144704190912, 0.32131243190265, 0.03574571638695,
          0.33675786426146, 0.21443932557050, 0.21389307974010, -0.05673718095624, 0.15205375703879,
          0.07165730579267, 0.04808852766360, 0.73317016638654, 0.17382911710637,
          0.10204475258141]  # fmt: skip
# i <- seq_len(nrow(d))-1; d$a[i%%7==0] <- NA; d$x4[i%%5==1] <- NA; d$x7[i%%11==2] <- NA; likewise
# with missing="pairwise": of two columns of numbers, lavaan keeps each column's own variance
LAVAAN_GAPS = [0.19670073355848, 0.50014070057403, 0.33493497608461, 0.32931038510338,
               0.06285913836932, 0.33675786426146, 0.27342453427384, 0.21389307974010,
               -0.07602429430582, 0.22549265208863, 0.07165730579267,
               0.08431972605377]  # fmt: skip
STOPPED = 4
"""Where lavaan's search stops 8e-6 before the maximum; SciPy's does not."""


@pytest.fixture
def table():
    """Return three ordinal columns and three of numbers."""
    h = np.genfromtxt(REFERENCE / "holzinger_swineford_data.csv", delimiter=",", skip_header=1)
    edges = ([5], [5, 6, 7], [1.5, 3])
    ordinal = [np.digitize(h[:, j], cuts) for j, cuts in enumerate(edges)]
    return np.column_stack([*ordinal, h[:, 3], h[:, 4], h[:, 6]]).astype(float)


def with_gaps(table):
    """Return the same with cells missing by their row numbers."""
    holes, rows = table.copy(), np.arange(len(table))
    for column, step, rest in ((0, 7, 0), (3, 5, 1), (5, 11, 2)):
        holes[rows % step == rest, column] = np.nan
    return holes


def below_diagonal(R):
    """Return the entries below the diagonal, column by column, as R does."""
    return R.T[np.triu_indices(len(R), 1)]


needs_reference = pytest.mark.skipif(not REFERENCE.exists(), reason="R's data are not here")


@needs_reference
def test_mixed_correlations_equal_lavaans(table):
    away = np.abs(below_diagonal(mixed_correlations(table).correlation) - LAVAAN)
    assert away[STOPPED] < 1e-5
    assert np.delete(away, STOPPED).max() < 1e-8
    gaps = below_diagonal(mixed_correlations(with_gaps(table)).correlation)
    assert np.abs(gaps[:12] - LAVAAN_GAPS).max() < 1e-7
    x, y = with_gaps(table)[:, 3:5].T
    both = ~np.isnan(x)
    assert gaps[12] == pytest.approx(np.corrcoef(x[both], y[both])[0, 1], abs=1e-12)


@needs_reference
def test_a_polyserial_correlation_is_where_scipy_finds_the_maximum(table):
    y, x = table[:, 0], table[:, 4]
    z, cut = (x - x.mean()) / x.std(), norm.ppf((y == 0).mean())

    def loss(rho):
        u = (cut - rho * z) / np.sqrt(1 - rho**2)
        return -np.where(y == 0, norm.logcdf(u), norm.logsf(u)).sum()

    found = minimize_scalar(loss, bounds=(-0.5, 0.5), method="bounded", options={"xatol": 1e-10})
    assert mixed_correlations(table).correlation[0, 4] == pytest.approx(found.x, abs=1e-7)


def cut_normals(n, seed=0):
    """Return rows of two ordinal columns and two of numbers with known correlations."""
    R = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    z = np.random.default_rng(seed).multivariate_normal(np.zeros(4), R, n)
    z[:, 0], z[:, 1] = np.digitize(z[:, 0], [0.3]), np.digitize(z[:, 1], [-1, 0, 1])
    z[:, 3] = 100 + 20 * z[:, 3]
    return z


def test_influences_are_those_of_leaving_a_row_out():
    X = cut_normals(400)
    X[::9, 0] = X[4::7, 2] = np.nan
    pairs = np.triu_indices(4, 1)
    found = mixed_correlations(X)
    h = mixed_influences(X, found).of(slice(None))
    assert np.abs(h.mean(axis=0)).max() < 1e-9
    rows = np.arange(0, 400, 5)
    left = [mixed_correlations(np.delete(X, row, 0)).correlation[pairs] for row in rows]
    jackknife = 399 * (found.correlation[pairs] - left)
    for ours, theirs in zip(h[rows].T, jackknife.T, strict=True):
        assert np.corrcoef(ours, theirs)[0, 1] > 0.98
        assert ours.std() == pytest.approx(theirs.std(), rel=0.15)


def test_a_weight_is_a_row_that_is_there_twice():
    X, weights = cut_normals(120), np.tile([1.0, 2.0], 60)
    twice = np.repeat(X, weights.astype(int), axis=0)
    found = mixed_correlations(X, sample_weight=weights)
    np.testing.assert_allclose(found.correlation, mixed_correlations(twice).correlation, atol=1e-8)
    ours = mixed_influences(X, found, weights).covariance()
    theirs = mixed_influences(twice, mixed_correlations(twice)).covariance()
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_of_one_kind_of_columns_they_are_what_that_kind_has():
    X = cut_normals(200)
    both, ordinal = mixed_correlations(X[:, :2]), polychoric(X[:, :2])
    assert both.correlation.tolist() == ordinal.correlation.tolist()
    gamma = influences(X[:, :2], ordinal).covariance()
    np.testing.assert_allclose(mixed_influences(X[:, :2], both).covariance(), gamma, rtol=1e-12)
    numbers = mixed_correlations(X[:, 2:]).correlation
    np.testing.assert_allclose(numbers, np.corrcoef(X[:, 2:].T), atol=1e-12)


@pytest.mark.parametrize("method", ["ml", "minres", "dwls"])
def test_a_factor_analysis_of_both_kinds_finds_the_loadings(method):
    X = cut_normals(3000)
    model = FactorAnalysis(method=method, correlation="mixed", n_components=1).fit(X)
    np.testing.assert_allclose(np.abs(model.standardized_loadings_), np.sqrt(0.5), atol=0.05)
    assert list(model.ordinal_) == ["x0", "x1"]
    assert "ordinal, with at most 10 different values: x0, x1" in model.summary().notes
    if method != "ml":
        errors = robust_errors(model, X).loadings
        assert ((errors > 0.01) & (errors < 0.04)).all()
        assert robust_test(model, X).p_value > 0.001


@pytest.mark.slow
def test_the_robust_test_rejects_normals_as_often_as_it_says():
    rejected = []
    for seed in range(60):
        X = cut_normals(300, seed)
        model = FactorAnalysis(method="dwls", correlation="mixed", n_components=1).fit(X)
        rejected.append(robust_test(model, X).p_value < 0.2)
    assert 0.08 < np.mean(rejected) < 0.35


def test_the_number_of_values_tells_the_kind():
    X = cut_normals(100)
    X[:, 2] = np.round(X[:, 2])
    n_values = len(np.unique(X[:, 2]))
    kinds = [len(cuts) for cuts in mixed_correlations(X).thresholds]
    assert kinds == [1, 3, n_values - 1, 0]
    kinds = [len(cuts) for cuts in mixed_correlations(X, most_categories=n_values - 1).thresholds]
    assert kinds == [1, 3, 0, 0]


def test_what_cannot_be_is_refused():
    X = cut_normals(40)
    X[:20, 0] = X[20:, 2] = np.nan
    with pytest.raises(InputError, match="columns 0 and 2 are never observed together"):
        mixed_correlations(X)
    with pytest.raises(InputError, match="most_categories"):
        FactorAnalysis(most_categories=5).fit(cut_normals(40))
    X = cut_normals(40)
    X[:, 2] = X[:, 0] + np.linspace(0, 0.01, 40)
    with pytest.warns(FitWarning) as caught:
        FactorAnalysis(correlation="mixed").fit(X)
    said = "polyserial correlations lie at their bound of ±0.9999, as a number tells an answer"
    assert any(said in str(one.message) and "x0 with x2" in str(one.message) for one in caught)
