"""Linear models do not depend on the unit of measurement; what no float can hold is refused.

Data that are c times as large have codes, densities and scores that are known from those of the
data themselves; c is a power of two, so that nothing is rounded on the way in.
"""

import warnings

import numpy as np
import pytest
from scipy import sparse

from latentia.errors import FitWarning, InputError
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.linear.moments import Moments
from latentia.models.linear.pca import PCA
from latentia.models.linear.probabilistic_pca import ProbabilisticPCA

pytestmark = pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
HUGE, TINY = 2.0**465, 2.0**-465  # 1e140 and its inverse
BEYOND = (2.0**532, 2.0**-532, 2.0**700, 2.0**-700)


def table(n=60, d=6, seed=0):
    draw = np.random.default_rng(seed)
    return draw.normal(size=(n, 2)) @ draw.normal(size=(2, d)) * 2 + draw.normal(size=(n, d)) + 1


WIDE = table(300, 200)
METHODS = ("ml", "minres", "principal_axis", "principal_component", "gls", "wls", "alpha")
PCAS = [{"solver": solver} for solver in ("auto", "svd", "gram", "covariance")]
PCAS += [{"rotation": "oblimin"}, {"whiten": True}]
CASES = [
    *((PCA(n_components=2, **options), table()) for options in PCAS),
    *((PCA(n_components=2, solver=solver), WIDE) for solver in ("krylov", "randomized")),
    *((ProbabilisticPCA(n_components=2, algorithm=a), table()) for a in ("closed_form", "em")),
    (ProbabilisticPCA(n_components=2), WIDE),
    *((FactorAnalysis(n_components=2, n_starts=1, method=m), table()) for m in METHODS),
    *(
        (
            FactorAnalysis(
                n_components=2, n_starts=1, method=m, matrix="covariance", rotation="varimax"
            ),
            table(),
        )
        for m in METHODS
    ),
    (FactorAnalysis(n_components=2, n_starts=1, algorithm="em", matrix="covariance"), table()),
    *(
        (FactorAnalysis(n_components=2, n_starts=1, rotation="oblimin", scores=scores), table())
        for scores in ("bartlett", "ten_berge")
    ),
]


def of_unit_variance(model):
    return not isinstance(model, PCA) or model.whiten or model.rotation != "none"


@pytest.mark.parametrize("unit", [HUGE, TINY])
@pytest.mark.parametrize(("model", "X"), CASES, ids=[repr(model) for model, _ in CASES])
def test_codes_and_scores_follow_the_unit(model, X, unit):
    expected = model.fit(X).transform(X), model.score(X), model.reconstruct(X)
    found = model.fit(X * unit).transform(X * unit), model.score(X * unit)
    size = 1 if of_unit_variance(model) else unit
    np.testing.assert_allclose(found[0] / size, expected[0], atol=1e-6)
    np.testing.assert_allclose(model.reconstruct(X * unit) / unit, expected[2], atol=1e-6)
    if isinstance(model, PCA):
        assert found[1] / unit / unit == pytest.approx(expected[1], rel=1e-9)
    else:
        moved = found[1] + X.shape[1] * np.log(unit)
        assert moved == pytest.approx(expected[1], abs=1e-7)
        assert model.score_samples(X * unit).mean() == pytest.approx(found[1])
        spread = model.sample(2000, random_state=0).astype(float).std(axis=0) / unit
        np.testing.assert_allclose(spread, X.std(axis=0), rtol=0.15)


@pytest.mark.parametrize("unit", BEYOND)
@pytest.mark.parametrize(
    "model",
    [
        PCA(n_components=1),
        PCA(n_components=1, solver="gram"),
        ProbabilisticPCA(),
        ProbabilisticPCA(missing="fiml"),
        FactorAnalysis(),
        FactorAnalysis(missing="fiml"),
    ],
    ids=repr,
)
def test_what_has_no_variance_in_floats_is_refused_in_a_sentence(model, unit):
    with pytest.raises(InputError, match=r"varies by about .*: divide by a constant first"):
        model.fit(table() * unit)


@pytest.mark.parametrize("unit", BEYOND)
def test_one_such_column_is_named(unit):
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(table(), columns=list("abcdef"))
    X["d"] *= unit
    with pytest.raises(InputError, match="column 'd' varies by about"):
        FactorAnalysis().fit(X)
    matrix = np.eye(3)
    matrix[1, 1] = 1e-300
    with pytest.raises(InputError, match="column 1 varies by about 1e-150"):
        FactorAnalysis().fit_covariance(matrix)


def test_a_column_that_only_seems_constant_is_refused_and_a_constant_one_is_not():
    X = table()
    X[:, 2] = np.where(np.arange(60) % 2, 1e-170, -1e-170)
    for rows in (X, sparse.csr_array(X)):
        with pytest.raises(InputError, match="column 2 varies by about 1e-170"):
            Moments().add(rows)
    for value in (0, 0.1, 1e160, 3e-110, 7e-126):
        X[:, 2] = value
        np.testing.assert_array_equal(Moments().add(X).varies, np.arange(6) != 2)
    X[0, 2] = -1e160
    weights = (np.arange(60) > 0).astype(float)
    np.testing.assert_array_equal(Moments().add(X[1:]).varies, np.arange(6) != 2)
    assert Moments().add(X * [1, 1, 0, 1, 1, 1], weights).n_rows == 60


def test_the_largest_numbers_are_not_taken_for_infinity():
    X = table()
    X[3, 2] = 1e308
    with pytest.raises(InputError, match=r"column 2 varies by about 1e\+308"):
        Moments().add(X)
    X[3, 2] = np.inf
    with pytest.raises(InputError, match="column 2 holds NaN or infinity"):
        Moments().add(X)


@pytest.mark.parametrize("model", [PCA(n_components=2), ProbabilisticPCA(), FactorAnalysis()])
def test_rows_too_far_away_have_no_density_left(model):
    X = table()
    model.fit(X)
    far = X[:3] * [[1], [1e160], [1e300]]
    far[0, 0] = 1e200
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model.score(far) == -np.inf
        assert np.isfinite(model.transform(far)).all()
        if not isinstance(model, PCA):
            np.testing.assert_array_equal(model.score_samples(far), np.full(3, -np.inf))
            near = model.score_samples(X[:1] * 1e30)
            assert near == pytest.approx(model.score_samples(X[:1] * 2e30) / 4, rel=1e-6)


@pytest.mark.parametrize("solver", ["auto", "svd", "gram", "covariance", "krylov"])
@pytest.mark.parametrize("unit", [2.0**-83, 2.0**83, 2.0**120])
def test_squares_of_float32_rows_are_not_lost(solver, unit):
    X = table().astype(np.float32)
    expected = PCA(n_components=2, solver=solver).fit(X)
    found = PCA(n_components=2, solver=solver).fit(X * np.float32(unit))
    np.testing.assert_allclose(
        found.explained_variance_ / unit / unit, expected.explained_variance_, rtol=1e-4
    )
    np.testing.assert_allclose(found.components_, expected.components_, atol=1e-4)


def test_covariances_of_units_too_different_are_refused_and_correlations_are_not():
    X = table() * [1, HUGE, 1, 1, TINY, 1]
    found, plain = FactorAnalysis().fit(X), FactorAnalysis().fit(table())
    np.testing.assert_allclose(
        found.standardized_loadings_, plain.standardized_loadings_, atol=1e-7
    )
    for method in ("ml", "minres"):
        with pytest.raises(InputError, match="amounts too different for their covariances"):
            FactorAnalysis(matrix="covariance", method=method).fit(X)


@pytest.mark.parametrize("method", ["ml", "minres", "principal_axis", "wls"])
@pytest.mark.parametrize("rotation", ["none", "varimax", "oblimin"])
def test_ten_berge_scores_of_the_rows_correlate_as_the_factors(method, rotation):
    X = table(80, 7) * 10.0 ** np.arange(7)
    model = FactorAnalysis(n_components=2, method=method, rotation=rotation, scores="ten_berge")
    Z = model.fit(X).transform(X)
    np.testing.assert_allclose(np.cov(Z.T, ddof=0), model.factor_correlations_, atol=1e-10)
    expected = (X - X.mean(axis=0)) @ model.score_weights("regression")
    assert (np.diag(np.corrcoef(Z.T, expected.T)[:2, 2:]) > 0.8).all()


def test_ten_berge_scores_of_collinear_columns_correlate_as_the_factors():
    X = table(80, 7)
    X[:, 6] = X[:, 0] + X[:, 1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        model = FactorAnalysis(n_components=2, method="minres", scores="ten_berge").fit(X)
    Z = model.transform(X)
    np.testing.assert_allclose(np.cov(Z.T, ddof=0), np.eye(2), atol=1e-8)


def test_no_seed_means_a_fresh_draw():
    """As in scikit-learn; a seed makes the draw repeatable."""
    X = np.random.default_rng(9).normal(size=(300, 120))

    def codes(seed):
        model = PCA(n_components=2, solver="randomized", iterated_power=0, random_state=seed)
        return model.fit(X).components_

    np.testing.assert_array_equal(codes(3), codes(3))
    assert np.abs(codes(None) - codes(None)).max() > 1e-6

    def start(seed):
        model = ProbabilisticPCA(algorithm="em", max_iter=1, random_state=seed)
        return model.fit(X[:, :6]).log_likelihood_trace_[0]

    assert start(3) == start(3)
    assert start(None) != start(None)
