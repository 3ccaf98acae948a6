"""Polychoric correlations against SciPy, independent roots, simulation, and R's lavaan and psych.

lavaan solves to about 1e-8; psych searches by golden section with a tolerance of 6e-5, so that its
correlations agree to about 2e-5 only.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import dblquad
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm

from latentia.errors import FitWarning, InputError
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.polychoric import _smoothed, bivariate_normal_cdf, polychoric

# The ten rows of an issue of R's easystats: five ordinal items, most pairs with empty cells.
TEN_ROWS = [[1, 1, 1, 1, 0], [1, 1, 1, 2, 1], [1, 2, 1, 2, 0], [1, 1, 0, 2, 0], [2, 2, 2, 2, 1],
            [1, 1, 2, 2, 1], [1, 0, 0, 0, 1], [1, 1, 0, 1, 1], [1, 1, 1, 1, 0],
            [1, 1, 1, 1, 1]]  # fmt: skip
# lavaan's correlation of X1 and X5, whose table is 2 × 2, where it adds 0.5 unless told otherwise
LAVAAN_TEN_ROWS = -0.144
REFERENCE = Path(os.environ.get("LATENTIA_REFERENCE", "absent")) / "factor_analysis"

# table(bfi$A1, bfi$A2) of R's psych::bfi
A1_A2 = np.array([[11, 9, 7, 84, 315, 483], [8, 27, 41, 173, 373, 191], [3, 23, 44, 122, 145, 62],
                  [7, 24, 35, 113, 100, 56], [6, 28, 18, 53, 68, 48],
                  [12, 14, 5, 7, 17, 25]])  # fmt: skip
# D: one row for each case of the table. lavaan 0.6-14: lavCor(D, ordered=names(D), output="cor")
LAVAAN_A1_A2 = -0.40739479319095
PSYCH_A1_A2 = -0.40740866302115  # psych 2.2.9: polychoric(D, correct=0)$rho
# Y <- bfi[, 1:6]; m <- lavCor(Y, ordered=names(Y), missing="pairwise", output="cor")
# m[lower.tri(m)], and psych's polychoric(Y, correct=0, smooth=FALSE)$rho likewise
LAVAAN_BFI = [-0.408450725229, -0.322534994540, -0.175427961388, -0.227855906051, 0.003380222902,
              0.555458433280, 0.389699147546, 0.448824736349, 0.115382706160, 0.408057129571,
              0.572841645685, 0.124207732100, 0.355267948545, 0.109176678920,
              0.157211860455]  # fmt: skip
PSYCH_BFI = [-0.408463791129, -0.322517432337, -0.175442426081, -0.227839531060, 0.003399621303,
             0.555450998317, 0.389714342882, 0.448821008499, 0.115395959334, 0.408067897892,
             0.572856416904, 0.124224291667, 0.355285890439, 0.109186338325,
             0.157194502568]  # fmt: skip
# polychoric(bfi[, 1:6])$tau, the row of A1
TAU_A1 = [-0.436662234004, 0.318639363964, 0.736860977691, 1.228900282881, 1.888878985018]
# cor.smooth(R), R being the matrix of test_smoothing: its entries [2, 1] and [3, 1]
SMOOTHED = [0.75693640815796, 0.14590545218770]


def cases(table):
    """Return one row of two codes for each case that a table counts."""
    return np.repeat(np.argwhere(table >= 0), np.ravel(table), axis=0)


def ordinal(rho, n, cuts_a, cuts_b, seed=0):
    draws = np.random.default_rng(seed).multivariate_normal([0, 0], [[1, rho], [rho, 1]], n)
    return np.c_[np.digitize(draws[:, 0], cuts_a), np.digitize(draws[:, 1], cuts_b)]


@pytest.mark.parametrize("rho", [-0.9999, -0.93, -0.4, 0.0, 0.3, 0.925, 0.99, 0.9999])
def test_the_distribution_function_is_scipys(rho):
    points = [(h, k) for h in (-3.1, -1, -0.2, 0, 0.2, 2.5) for k in (-2, -0.2, 0, 0.7, 4)]
    normal = multivariate_normal([0, 0], [[1, rho], [rho, 1]])
    theirs = [normal.cdf(point) for point in points]
    h, k = np.array(points).T
    np.testing.assert_allclose(bivariate_normal_cdf(h, k, rho), theirs, atol=1e-14)


def test_the_distribution_function_has_its_known_values():
    rho = np.array([-0.9, 0, 0.5, 0.999])
    np.testing.assert_allclose(
        bivariate_normal_cdf(0, 0, rho), 0.25 + np.arcsin(rho) / (2 * np.pi), rtol=1e-14
    )
    np.testing.assert_allclose(bivariate_normal_cdf(1.3, 40, rho), norm.cdf(1.3), rtol=1e-14)
    np.testing.assert_allclose(bivariate_normal_cdf(-40, 0.3, rho), 0, atol=1e-16)
    np.testing.assert_allclose(bivariate_normal_cdf(1.3, -0.4, 0), norm.cdf(1.3) * norm.cdf(-0.4))


def test_a_tetrachoric_correlation_solves_its_equation():
    """Two categories: the fitted cell is the observed one; the integral is done by brute force."""
    table = np.array([[120, 45], [30, 90]])
    h, k = norm.ppf(165 / 285), norm.ppf(150 / 285)

    def excess(rho):
        root = np.sqrt(1 - rho**2)

        def density(y, x):
            return np.exp(-(x * x - 2 * rho * x * y + y * y) / (2 * root**2)) / (2 * np.pi * root)

        return dblquad(density, -9, h, -9, k, epsabs=1e-12)[0] - 120 / 285

    expected = brentq(excess, 0, 0.95, xtol=1e-12)
    found = polychoric(cases(table))
    np.testing.assert_allclose(found.correlation[0, 1], expected, atol=1e-10)
    np.testing.assert_allclose([cuts[0] for cuts in found.thresholds], [h, k], rtol=1e-12)
    # psych 2.2.9: tetrachoric(matrix(c(120, 30, 45, 90), 2), correct=0)$rho
    np.testing.assert_allclose(found.correlation[0, 1], 0.679037541015, atol=6e-5)


@pytest.mark.parametrize("rho", [-0.8, 0.0, 0.3, 0.95])
def test_simulated_normals_give_back_their_correlation(rho):
    n = 20000
    X = ordinal(rho, n, [-1, 0, 0.5, 2], [-0.3, 1])
    found = polychoric(X)
    assert abs(found.correlation[0, 1] - rho) < 4 * 1.5 * (1 - rho**2 + 0.05) / np.sqrt(n)
    np.testing.assert_allclose(found.thresholds[0], [-1, 0, 0.5, 2], atol=0.06)
    np.testing.assert_allclose(found.thresholds[1], [-0.3, 1], atol=0.06)


def test_it_is_the_highest_point_of_the_likelihood():
    X = ordinal(0.5, 300, [-1, 0, 1], [-0.5, 0.5])
    found = polychoric(X)
    edges = [np.r_[-9, cuts, 9] for cuts in found.thresholds]
    counts = np.histogram2d(*X.T, bins=[range(5), range(4)])[0]

    def log_likelihood(rho):
        normal = multivariate_normal([0, 0], [[1, rho], [rho, 1]])
        corners = np.array([[normal.cdf([h, k]) for k in edges[1]] for h in edges[0]])
        return (counts * np.log(np.diff(np.diff(corners, axis=0), axis=1))).sum()

    best, width = found.correlation[0, 1], 1e-3
    below, top, above = (log_likelihood(best + s * width) for s in (-1, 0, 1))
    assert top > max(below, above)
    assert abs((above - below) / (above + below - 2 * top)) * width / 2 < 1e-6


@pytest.mark.parametrize("n", [8, 40, 3000])
@pytest.mark.parametrize("rho", [0.0, 0.5, -0.97, 0.999])
def test_no_correlation_on_a_grid_is_likelier(n, rho):
    """Small, empty, separated tables included; the bound is right only where nothing is better."""
    grid = np.tanh(np.linspace(-1, 1, 401) * np.arctanh(0.9999))
    for seed in range(10):
        cuts = np.sort(np.random.default_rng(seed).normal(size=(2, 3)))
        X = ordinal(rho, n, *cuts, seed)
        if min(len(np.unique(column)) for column in X.T) < 2:
            continue
        found = polychoric(X)
        a, b = (np.r_[-40, edges, 40] for edges in found.thresholds)
        counts = np.zeros((len(a) - 1, len(b) - 1))
        np.add.at(counts, tuple(np.unique(c, return_inverse=True)[1] for c in X.T), 1)
        tried = np.r_[found.correlation[0, 1], grid][:, None, None]
        corners = bivariate_normal_cdf(a[:, None], b, tried)
        shares = np.diff(np.diff(corners, axis=1), axis=2).clip(1e-15)
        heights = (counts * np.log(shares)).sum(axis=(1, 2))
        assert heights[0] > heights.max() - 1e-8


def test_a_table_agrees_with_lavaan_and_psych():
    ours = polychoric(cases(A1_A2)).correlation[0, 1]
    np.testing.assert_allclose(ours, LAVAAN_A1_A2, atol=1e-8)
    np.testing.assert_allclose(ours, PSYCH_A1_A2, atol=6e-5)


@pytest.mark.skipif(
    not REFERENCE.exists(), reason="LATENTIA_REFERENCE does not name the folder of R's results"
)
def test_bfi_with_gaps_agrees_with_lavaan_and_psych():
    X = np.genfromtxt(REFERENCE / "bfi_with_missing_data.csv", delimiter=",", skip_header=1)
    found = polychoric(X[:, :6])
    ours = found.correlation[np.triu_indices(6, 1)]
    np.testing.assert_allclose(ours, LAVAAN_BFI, atol=1e-7)
    np.testing.assert_allclose(ours, PSYCH_BFI, atol=6e-5)
    np.testing.assert_allclose(found.thresholds[0], TAU_A1, atol=1e-11)
    assert not found.smoothed


def test_weights_are_repetitions():
    table = A1_A2
    weighted = polychoric(np.argwhere(table >= 0), sample_weight=table.ravel())
    np.testing.assert_allclose(
        weighted.correlation, polychoric(cases(table)).correlation, atol=1e-12
    )


def test_only_the_order_of_the_values_counts():
    X = ordinal(0.4, 500, [-1, 0, 1], [0, 1])
    renamed = np.c_[np.array([-3.5, 0, 2, 100])[X[:, 0]], X[:, 1] == 2]
    both = np.c_[X[:, 0], X[:, 1] == 2]
    np.testing.assert_allclose(polychoric(renamed).correlation, polychoric(both).correlation)
    reversed_ = polychoric(np.c_[-X[:, 0], X[:, 1]]).correlation[0, 1]
    np.testing.assert_allclose(reversed_, -polychoric(X).correlation[0, 1], atol=1e-8)


def test_gaps_leave_out_pairs_not_rows():
    X = np.c_[ordinal(0.4, 400, [-1, 0], [0, 1]), ordinal(0.0, 400, [0], [0], 1)[:, 0]].astype(
        float
    )
    X[:100, 2] = np.nan
    found = polychoric(X)
    np.testing.assert_allclose(
        found.correlation[:2, :2], polychoric(X[:, :2]).correlation, atol=1e-12
    )
    np.testing.assert_allclose(found.thresholds[2], polychoric(X[100:]).thresholds[2])


def test_columns_of_different_numbers_of_categories_and_empty_cells():
    X = np.c_[ordinal(0.8, 200, [-2, -1, 0, 1, 2], [0]), np.arange(200) % 20]
    found = polychoric(X)
    assert [len(cuts) for cuts in found.thresholds] == [5, 1, 19]
    assert found.at_bound == []
    assert abs(found.correlation[0, 1] - 0.8) < 0.15


def test_a_likelihood_that_rises_to_the_bound_is_told():
    found = polychoric(cases(np.array([[40, 0], [10, 50]])))
    assert found.at_bound == [(0, 1)]
    np.testing.assert_allclose(found.correlation[0, 1], 0.9999)
    level = polychoric(cases(np.array([[200, 0], [1000, 30]])))
    assert level.at_bound == [(0, 1)]
    twins = polychoric(np.c_[np.arange(60) % 4, -(np.arange(60) % 4)])
    np.testing.assert_allclose(twins.correlation[0, 1], -0.9999)


def test_smoothing():
    """x, y and y, z agree nearly always where both were asked, x and z nearly never."""
    R = np.array([[1, 0.9, 0.1], [0.9, 1, 0.9], [0.1, 0.9, 1]])
    smooth = _smoothed(R)
    np.testing.assert_allclose(smooth[[1, 2], [0, 0]], SMOOTHED, rtol=1e-9)
    pairs = [ordinal(r, 400, [-1, 0, 1], [-1, 0, 1], s) for s, r in enumerate((0.9, 0.1, 0.9))]
    X = np.full((1200, 3), np.nan)
    for block, columns in enumerate([(0, 1), (0, 2), (1, 2)]):
        X[400 * block : 400 * (block + 1), columns] = pairs[block]
    found = polychoric(X)
    assert found.smoothed
    assert np.linalg.eigvalsh(found.correlation)[0] > 0
    np.testing.assert_allclose(np.diag(found.correlation), 1)
    assert not polychoric(X[:, :2]).smoothed


def test_what_is_not_ordinal_is_refused():
    fine = np.arange(30) % 3
    with pytest.raises(InputError, match="column 1 has 30 different values"):
        polychoric(np.c_[fine, np.arange(30)])
    with pytest.raises(InputError, match="column 1 has 1 different value;"):
        polychoric(np.c_[fine, np.ones(30)])
    gaps = np.c_[fine, fine].astype(float)
    gaps[:15, 0] = gaps[15:, 1] = np.nan
    with pytest.raises(InputError, match="columns 0 and 1 are never observed together"):
        polychoric(gaps)


def test_a_questionnaire_takes_no_time():
    X = np.random.default_rng(0).integers(0, 6, (2400, 25))
    assert polychoric(X).correlation.shape == (25, 25)


def rare_items(n=200, d=8, share=0.05, seed=0):
    """Return (n, d) independent items that few agree to."""
    return (np.random.default_rng(seed).random((n, d)) < share).astype(float)


def fitted(X, **options):
    """Return a fitted model, and all that it warned of as one text."""
    with pytest.warns(FitWarning) as found:
        model = FactorAnalysis(correlation="polychoric", **options).fit(X)
    return model, " ".join(str(warning.message) for warning in found)


def correlations(model):
    scale = np.where(model.scale_ > 0, model.scale_, 1)
    return model.covariance_ / scale[:, None] / scale


def test_one_empty_cell_of_four_is_filled_along_the_diagonal_so_that_margins_stay():
    for table in ([[40, 0], [10, 50]], [[40, 10], [0, 50]], [[0, 9], [90, 30]], [[90, 30], [9, 0]]):
        table = np.array(table, dtype=float)
        sign = np.where((table == 0).any() & (np.diag(table) == 0).any(), 1, -1)
        moved = table + sign * 0.5 * np.array([[1, -1], [-1, 1]])
        by_hand = polychoric(np.argwhere(table >= 0), sample_weight=moved.ravel())
        found = polychoric(cases(table.astype(int)), zero_add=0.5)
        np.testing.assert_allclose(found.correlation, by_hand.correlation, atol=1e-10)
        assert not found.at_bound


def test_ten_rows_agree_with_lavaan():
    found = polychoric(TEN_ROWS, zero_add=0.5)
    np.testing.assert_allclose(found.correlation[0, 4], LAVAAN_TEN_ROWS, atol=5e-4)
    assert (found.at_bound, found.smoothed) == ([], False)
    plain = polychoric(TEN_ROWS)
    assert plain.at_bound == [(0, 1), (0, 2), (0, 3), (0, 4), (1, 3)]
    assert plain.smoothed
    assert plain.least_eigenvalue < -0.5


def test_larger_tables_have_the_number_in_their_empty_cells_and_the_cuts_of_the_rows():
    table = np.array([[30, 0, 4], [0, 20, 9], [2, 6, 0]])
    found = polychoric(cases(table), zero_add=0.3)
    plain = polychoric(cases(table))
    for ours, cuts in zip(found.thresholds, plain.thresholds):
        np.testing.assert_array_equal(ours, cuts)
    a, b = (np.r_[-40, cuts, 40] for cuts in found.thresholds)
    grid = np.r_[found.correlation[0, 1], np.linspace(-0.9, 0.9, 1801)][:, None, None]
    shares = np.diff(np.diff(bivariate_normal_cdf(a[:, None], b, grid), axis=1), axis=2)
    filled = np.where(table == 0, 0.3, table)
    heights = (filled * np.log(shares)).sum(axis=(1, 2))
    assert heights[0] > heights[1:].max() - 1e-9
    assert abs(found.correlation[0, 1] - plain.correlation[0, 1]) > 1e-3
    with pytest.raises(InputError, match="zero_add is -1; it must be at least 0"):
        polychoric(cases(table), zero_add=-1)


def test_rare_independent_items_are_named_not_called_collinear():
    model, words = fitted(rare_items())
    bound = polychoric(rare_items()).at_bound
    assert len(bound) > 8
    i, j = bound[0]
    assert f"x{i} with x{j}" in words
    assert f"and {len(bound) - 8} more" in words
    assert "were smoothed" in words
    assert "zero_add=0.5" in words
    assert "collinear" not in words
    assert set(model.remarks_) <= set(model.summary().notes)
    assert np.abs(correlations(model)).max() > 0.4


def test_rare_independent_items_hardly_correlate_once_empty_cells_are_filled():
    R = polychoric(rare_items(), zero_add=0.5)
    off = np.abs(R.correlation[np.triu_indices(8, 1)])
    assert (off < 0.2).mean() > 0.8
    assert not R.at_bound


def test_gaps_and_constant_columns_of_a_fit_are_left_out_and_told():
    X = np.c_[ordinal(0.6, 300, [-1, 0, 1], [-0.5, 0.5]), ordinal(0.5, 300, [0], [-1, 1], 1)]
    X = np.insert(X.astype(float), 2, 7, axis=1)
    X[:40, 0] = X[290:, 4] = np.nan
    X[60] = np.nan
    model, words = fitted(X)
    kept = [0, 1, 3, 4]
    R = polychoric(X[:, kept]).correlation
    np.testing.assert_allclose(correlations(model)[np.ix_(kept, kept)], R, atol=1e-12)
    assert model.constant_ == ["x2"]
    assert "1 constant column(s) were left out of the model and its likelihood: x2" in words
    assert "1 row(s) without any value" in words
    assert f"{int(np.isnan(X).sum())} cells are empty" in words
    assert model.n_samples_ == 299
    assert np.isfinite(model.transform(X)).all()
    np.testing.assert_allclose(model.mean_, np.nanmean(X, axis=0))


def test_options_of_polychoric_correlations_are_refused_elsewhere():
    X = rare_items()
    with pytest.raises(InputError, match=r"zero_add is 0\.5; it is for polychoric"):
        FactorAnalysis(zero_add=0.5).fit(X)
    with pytest.raises(InputError, match="matrix is 'covariance', but ordinal answers have none"):
        FactorAnalysis(correlation="polychoric", matrix="covariance").fit(X)


def test_columns_never_answered_together_are_refused_by_name():
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(ordinal(0.5, 60, [0], [0]).astype(float), columns=["one", "two"])
    X["three"] = X["one"][::-1].to_numpy()
    X.loc[:29, "one"] = X.loc[30:, "three"] = np.nan
    with pytest.raises(InputError, match="columns 'one' and 'three' are never observed together"):
        FactorAnalysis(correlation="polychoric").fit(X)
