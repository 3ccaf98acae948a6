"""Each option of factor analysis reaches the step that it names, and a fit holds what it was given.

The steps themselves are held against R, closed forms and brute force elsewhere: here a whole fit
is held against the steps called with the same values.
"""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from latentia import FactorAnalysis
from latentia.errors import FitWarning
from latentia.models.factors import extraction, full_information
from latentia.models.factors import factor_analysis as module
from latentia.models.factors.fit_statistics import fit_statistics
from latentia.models.factors.standard_errors import information_errors
from latentia.models.linear import rotation as rotations
from latentia.models.linear.rotation import METHODS, order, rotate

SORTED = [method for method in METHODS if "bifactor" not in method]
"""Rotations whose factors come by their shares alone."""

UNITS = np.array([1, 10, 0.1, 3, 1, 0.5, 20, 2, 7])


@pytest.fixture(autouse=True)
def silent():
    """Findings about a fit are tested elsewhere."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        yield


def table(n=150, seed=0):
    """Return (n, 9) columns of different units and means that three correlated factors explain."""
    draw = np.random.default_rng(seed)
    z = draw.normal(size=(n, 3)) @ [[1, 0.4, 0.3], [0, 0.9, 0.2], [0, 0, 0.9]]
    pattern = np.kron(np.eye(3), [[0.9], [0.7], [0.6]]) + draw.uniform(0, 0.3, (9, 3))
    return (z @ pattern.T + draw.normal(size=(n, 9)) * 0.7 + 2) * UNITS


def with_gaps(X, share=0.1):
    return np.where(np.random.default_rng(0).random(X.shape) < share, np.nan, X)


def answers(X):
    """Return columns cut into four ordered answers."""
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    return np.digitize(Z, [-0.8, 0.1, 0.9]).astype(float)


def noise(n, p, seed=1):
    """Return rows without factors, whose likelihood has several maxima."""
    return np.random.default_rng(seed).normal(size=(n, p))


def unrotated(model):
    """Return the standardized loadings of a model without rotation as they were extracted."""
    return model.standardized_loadings_ @ model.rotation_matrix_.T


@pytest.mark.parametrize("kaiser", [None, False, True])
@pytest.mark.parametrize("rotation", SORTED)
def test_rotation_and_kaiser_are_those_of_rotate(rotation, kaiser):
    X, settings = table(), {"n_components": 3, "n_starts": 1, "n_rotation_starts": 2}
    start = unrotated(FactorAnalysis(**settings).fit(X))
    model = FactorAnalysis(rotation=rotation, kaiser=kaiser, **settings).fit(X)
    weighted = rotation in ("varimax", "promax") if kaiser is None else kaiser
    expected, other = (
        order(rotate(start, rotation, kaiser=weight, n_starts=2, random_state=0))
        for weight in (weighted, not weighted)
    )
    np.testing.assert_allclose(model.standardized_loadings_, expected.loadings, atol=1e-6)
    np.testing.assert_allclose(model.factor_correlations_, expected.factor_correlations, atol=1e-6)
    assert np.abs(model.standardized_loadings_ - other.loadings).max() > 1e-4


def test_starts_of_the_rotation_and_their_seed_are_those_of_rotate():
    A = np.random.default_rng(9).normal(size=(10, 4))
    A *= np.sqrt(0.6) / np.linalg.norm(A, axis=1, keepdims=True)
    S = A @ A.T + 0.4 * np.eye(10)
    reached = {}
    for n_starts, seed in [(1, 0), (2, 0), (2, 1), (2, 2), (2, 3), (None, 0), (None, 2)]:
        settings = {"n_components": 4, "n_starts": 1, "random_state": seed}
        start = unrotated(FactorAnalysis(**settings).fit_covariance(S))
        settings |= {"rotation": "geomin", "n_rotation_starts": n_starts}
        found = FactorAnalysis(**settings).fit_covariance(S).standardized_loadings_
        best = rotate(start, "geomin", kaiser=False, n_starts=n_starts or 10, random_state=seed)
        np.testing.assert_allclose(found, order(best).loadings, atol=1e-6)
        reached[n_starts, seed] = round(best.criterion, 5)
    assert len({reached[2, seed] for seed in range(4)}) > 1
    assert reached[None, 0] == reached[None, 2] < reached[1, 0]


def test_starts_of_the_estimation_depend_on_their_number_and_seed():
    def n_optima(**settings):
        return FactorAnalysis(n_components=2, **settings).fit(noise(25, 6)).n_optima_

    assert n_optima() > 1
    assert n_optima(n_starts=1) == 1
    by_seed = [n_optima(n_starts=2, random_state=seed) for seed in range(6)]
    assert set(by_seed) == {1, 2}
    assert by_seed == [n_optima(n_starts=2, random_state=seed) for seed in range(6)]


def test_one_start_is_enough_for_many_variables_unless_more_are_asked_for():
    X = noise(40, 61)
    assert FactorAnalysis(n_components=2).fit(X).n_optima_ == 1
    assert FactorAnalysis(n_components=2, n_starts=4).fit(X).n_optima_ > 1


@pytest.mark.parametrize("algorithm", ["em", "px_em"])
def test_em_comes_first_stops_by_its_tolerance_and_after_max_iter(algorithm):
    X = table() / UNITS

    def n_steps(**settings):
        model = FactorAnalysis(n_components=3, n_starts=1, **settings).fit(X)
        assert (np.diff(model.log_likelihood_trace_) > -1e-9).all()
        return model.n_iter_

    newton, whole = n_steps(), n_steps(algorithm=algorithm)
    assert whole > newton + 20
    assert newton < n_steps(algorithm=algorithm, tolerance=1e-3) < whole
    assert 5 <= n_steps(algorithm=algorithm, max_iter=5) < newton + 6


@pytest.mark.parametrize("method", ["principal_axis", "alpha"])
def test_fixed_points_stop_after_max_iter(method):
    model = FactorAnalysis(n_components=3, method=method, max_iter=3).fit(table())
    assert model.n_iter_ == 3
    assert not model.converged_


@pytest.mark.parametrize("method", ["minres", "principal_component", "wls", "ml"])
def test_what_is_analysed_is_what_matrix_says(method):
    X, settings = table(), {"n_components": 2, "method": method}
    Z = X / X.std(axis=0)
    correlated = FactorAnalysis(matrix="correlation", **settings).fit(X)
    raw = FactorAnalysis(matrix="covariance", **settings).fit(Z)
    np.testing.assert_allclose(correlated.uniquenesses_, raw.noise_variance_, atol=1e-6)
    np.testing.assert_array_equal(FactorAnalysis(**settings).fit(X).loadings_, correlated.loadings_)
    covaried = FactorAnalysis(matrix="covariance", **settings).fit(X)
    alike = np.allclose(covaried.uniquenesses_, correlated.uniquenesses_, atol=1e-3)
    assert alike == (method == "ml")


@pytest.mark.parametrize("matrix", ["auto", "correlation", "covariance"])
def test_images_are_covariances_unless_asked_otherwise(matrix):
    X = table() / UNITS
    X = (X - X.min()) / np.ptp(X) * np.linspace(0.2, 1, 9)
    settings = {"n_components": 2, "method": "minres", "noise_floor": 0.01}
    found = FactorAnalysis(matrix=matrix, **settings).fit(X.reshape(-1, 3, 3))
    flat = "covariance" if matrix == "auto" else matrix
    expected = FactorAnalysis(matrix=flat, **settings).fit(X)
    np.testing.assert_allclose(found.noise_variance_, expected.noise_variance_, rtol=1e-6)


@pytest.mark.parametrize("matrix", ["correlation", "covariance"])
@pytest.mark.parametrize("missing", ["error", "fiml"])
def test_noise_is_held_by_its_floor_a_share_of_the_observed_variance(missing, matrix):
    X = with_gaps(table()) if missing == "fiml" else table()
    settings = {"n_components": 2, "missing": missing, "matrix": matrix}
    model = FactorAnalysis(noise_floor=0.5, **settings).fit(X)
    shares = model.noise_variance_ / np.nanvar(X, axis=0)
    held = [name in model.heywood_ for name in model.variable_names()]
    assert 0 < sum(held) < 9
    np.testing.assert_allclose(shares[held], 0.5, rtol=1e-9)
    assert (shares[np.logical_not(held)] > 0.5).all()


def blocks(X, weights, cut=60):
    for rows in (slice(None, cut), slice(cut, None)):
        yield X[rows], None if weights is None else weights[rows]


def by_blocks(model, X, weights):
    for block, here in blocks(X, weights):
        model.partial_fit(block, sample_weight=here)
    return model


def after_a_fit(model, X, weights):
    (first, ours), (second, theirs) = blocks(X, weights)
    return model.fit(first, sample_weight=ours).partial_fit(second, sample_weight=theirs)


def at_once(model, X, weights):
    return model.fit(X, sample_weight=weights)


@pytest.mark.parametrize(
    ("settings", "data", "fit"),
    [
        ({}, table, at_once),
        ({}, table, by_blocks),
        ({}, table, after_a_fit),
        ({"missing": "fiml"}, lambda: with_gaps(table()), at_once),
        ({"correlation": "polychoric"}, lambda: answers(table()), at_once),
    ],
)
def test_a_weight_is_a_number_of_rows_in_everything_that_a_fit_says(settings, data, fit):
    X, counts = data(), np.random.default_rng(0).integers(0, 4, 150)
    model = FactorAnalysis(n_components=2, n_starts=1, **settings)
    repeated = FactorAnalysis(n_components=2, n_starts=1, **settings)
    fit(model, X, counts)
    repeated.fit(np.repeat(X, counts, axis=0))
    assert model.n_samples_ == repeated.n_samples_ == repeated.n_rows_ == counts.sum()
    assert model.n_rows_ == ((counts > 0).sum() if settings else len(X))
    for name in ("mean_", "scale_", "uniquenesses_", "log_likelihood_"):
        np.testing.assert_allclose(getattr(model, name), getattr(repeated, name), rtol=1e-4)
    for convention in ("bartlett", "lavaan"):
        one, other = model.fit_statistics(convention), repeated.fit_statistics(convention)
        assert one.chi_square == pytest.approx(other.chi_square, rel=1e-3)
        assert one.bic == pytest.approx(other.bic, rel=1e-3)
    assert str(model.summary()).splitlines()[0] == str(repeated.summary()).splitlines()[0]
    if not settings:
        errors = information_errors(model).loadings
        np.testing.assert_allclose(errors, information_errors(repeated).loadings, rtol=1e-3)


@pytest.mark.parametrize("convention", ["bartlett", "lavaan"])
def test_statistics_of_fit_are_those_of_the_columns_that_vary(convention):
    X = np.insert(table(), 4, 3.0, axis=1)
    varies = np.arange(10) != 4
    model = FactorAnalysis(n_components=2, rotation="oblimin").fit(X)
    inside = np.ix_(varies, varies)
    expected = fit_statistics(
        np.cov(X[:, varies].T, ddof=0),
        model.get_covariance()[inside],
        150,
        2,
        float(model.score_samples(X).sum()),
        convention,
    )
    found = model.fit_statistics(convention)
    assert found.convention == convention
    assert (found.dof, found.reason) == (expected.dof, expected.reason)
    for name in ("chi_square", "p_value", "cfi", "rmsea", "srmr", "aic", "bic", "log_likelihood"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-6), name


@pytest.mark.parametrize("scores", ["regression", "bartlett", "ten_berge"])
def test_codes_are_the_scores_that_were_asked_for(scores):
    X = table()
    model = FactorAnalysis(n_components=3, rotation="oblimin", scores=scores).fit(X)
    expected = (X - X.mean(axis=0)) @ model.score_weights(scores)
    np.testing.assert_allclose(model.transform(X), expected, atol=1e-9)


@pytest.mark.parametrize("mean", [None, np.arange(9.0)])
def test_a_matrix_comes_with_its_mean_and_number_of_samples(mean):
    model = FactorAnalysis(n_components=2, rotation="varimax")
    model.fit_covariance(np.cov(table().T, ddof=0), n_samples=80, mean=mean)
    centre = np.zeros(9) if mean is None else mean
    np.testing.assert_array_equal(model.mean_, centre)
    assert model.n_samples_ == model.n_rows_ == 80
    np.testing.assert_allclose(model.transform(centre[None]), 0, atol=1e-12)
    np.testing.assert_allclose(model.inverse_transform(np.zeros((1, 2)))[0], centre)


@pytest.mark.parametrize(("cutoff", "sort"), [(0.3, True), (0.6, True), (0.3, False), (0, False)])
def test_the_summary_takes_its_options(cutoff, sort):
    model = FactorAnalysis(n_components=3, rotation="oblimin").fit(table()[:, ::-1])
    found = model.summary(cutoff, sort=sort)
    size = np.abs(model.standardized_loadings_)
    order = np.lexsort((-size.max(axis=1), size.argmax(axis=1))) if sort else np.arange(9)
    assert found.variable_names == tuple(f"x{i}" for i in order)
    assert found.cutoff == cutoff
    assert str(found) == str(model.summary(cutoff=cutoff, sort=sort))
    assert str(found) != str(model.summary(cutoff=0.45, sort=sort))
    assert str(found) != str(model.summary(cutoff=cutoff, sort=not sort))


def test_factors_come_by_their_shares_with_positive_sums():
    for rotation in ("none", *SORTED):
        model = FactorAnalysis(n_components=3, rotation=rotation).fit(table(seed=3))
        L = model.standardized_loadings_
        assert (np.diff(np.diag(model.factor_correlations_ @ L.T @ L)) <= 1e-12).all()
        assert (L.sum(axis=0) >= 0).all()


def test_a_rotation_that_did_not_converge_is_said(monkeypatch):
    def stopped(*arguments, **settings):
        return replace(rotate(*arguments, **settings), converged=False)

    monkeypatch.setattr(rotations, "rotate", stopped)
    assert FactorAnalysis(n_components=3).fit(table()).converged_
    assert not FactorAnalysis(n_components=3, rotation="varimax").fit(table()).converged_


def test_full_information_tells_its_own_steps_and_likelihood():
    X = with_gaps(table())
    model = FactorAnalysis(n_components=2, missing="fiml").fit(X)
    assert model.n_iter_ == len(model.log_likelihood_trace_) > 1
    assert model.log_likelihood_trace_[-1] == pytest.approx(model.log_likelihood_, abs=1e-4)
    assert model.log_likelihood_ == pytest.approx(model.score(X), rel=1e-6)


def test_weights_go_with_rows_that_are_read_block_by_block(tmp_path):
    np.save(tmp_path / "x.npy", table())
    rows, counts = np.load(tmp_path / "x.npy", mmap_mode="r"), np.arange(150) % 4
    mapped = FactorAnalysis(n_components=2, n_starts=1).fit(rows, sample_weight=counts)
    assert mapped.n_samples_ == counts.sum()
    np.testing.assert_allclose(mapped.mean_, np.average(table(), axis=0, weights=counts))


@pytest.mark.parametrize("completed", [True, False])
@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
def test_a_fit_to_rows_with_gaps_converges_if_their_completion_does(completed, monkeypatch):
    plain = full_information.structured

    def structured(*given, **options):
        return replace(plain(*given, **options), converged=completed)

    monkeypatch.setattr(full_information, "structured", structured)
    model = FactorAnalysis(n_components=2, n_starts=1, missing="fiml").fit(with_gaps(table()))
    assert model.converged_ == completed


@pytest.mark.parametrize(("p", "starts"), [(5, 20), (6, 1)])
def test_few_variables_have_many_starts(p, starts, monkeypatch):
    """Of the extraction and of the rotation, unless a number of them is given."""
    asked = []

    def noted(found, place):
        def called(*given):
            asked.append(given[place])
            return found(*given)

        return called

    monkeypatch.setattr(extraction, "starting_values", noted(extraction.starting_values, 2))
    monkeypatch.setattr(module, "rule_of", noted(module.rule_of, 3))
    monkeypatch.setattr(module, "SMALL", 5)
    monkeypatch.setattr(module, "STARTS", 20)
    draws = np.random.default_rng(0)
    X = draws.normal(size=(60, 2)) @ draws.normal(size=(2, p)) + draws.normal(size=(60, p))
    FactorAnalysis(n_components=2, rotation="varimax").fit(X)
    assert asked == [starts, starts]
    asked.clear()
    FactorAnalysis(n_components=2, rotation="varimax", n_starts=3, n_rotation_starts=4).fit(X)
    assert asked == [3, 4]
