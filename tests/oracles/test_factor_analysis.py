"""Factor analysis as a distribution, its invariances, its findings, and what it refuses."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from scipy.stats import multivariate_normal

import latentia
from latentia.errors import FitWarning, InputError
from latentia.models.factors.extraction import IMAGE_FLOOR
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.linear.moments import Moments

ROTATIONS = [
    "varimax", "quartimax", "equamax", "geomin_orthogonal",
    "promax", "oblimin", "quartimin", "geomin",
]  # fmt: skip
METHODS = ["ml", "minres", "principal_axis", "principal_component", "gls", "wls", "alpha"]
LOADINGS = np.array(
    [[0.8, 0.1], [0.7, 0.2], [0.75, 0.0], [0.6, 0.1], [0.1, 0.8], [0.1, 0.7], [0.2, 0.6]]
)
UNITS = np.array([1, 10, 0.1, 3, 1, 0.5, 20])
PROBLEMS = json.loads(Path(__file__).with_name("r_reference.json").read_text())


def table(n=300, seed=0):
    """Return (n, 7) columns of different units and means that two correlated factors explain."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 2)) @ [[1, 0.4], [0, 0.9]]
    noise = 1 - (LOADINGS**2).sum(axis=1)
    return (z @ LOADINGS.T + rng.normal(size=(n, 7)) * np.sqrt(noise)) * UNITS + UNITS


def three_factors():
    rng = np.random.default_rng(4)
    z, Lambda = rng.normal(size=(300, 3)), np.kron(np.eye(3), [[0.9], [0.7], [0.6]])
    Lambda = Lambda + rng.uniform(0, 0.3, (9, 3))
    return z @ Lambda.T + rng.normal(size=(300, 9)) * 0.6 + 2


def with_gaps(X, share=0.15, seed=0):
    return np.where(np.random.default_rng(seed).random(X.shape) < share, np.nan, X)


def said(fit, *arguments, **parameters):
    """Return the model, and what the fit said."""
    with pytest.warns(FitWarning) as record:
        model = fit(*arguments, **parameters)
    return model, " | ".join(str(warning.message) for warning in record)


def silently(fit, *arguments, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return fit(*arguments, **parameters)


@pytest.fixture(scope="module")
def oblique():
    return FactorAnalysis(n_components=2, rotation="oblimin").fit(table())


def test_the_density_is_scipys(oblique):
    X = table(50, seed=1)
    normal = multivariate_normal(oblique.mean_, oblique.get_covariance())
    np.testing.assert_allclose(oblique.score_samples(X), normal.logpdf(X), rtol=1e-11)
    assert oblique.score(X) == pytest.approx(normal.logpdf(X).mean(), rel=1e-11)
    assert oblique.score(table()) == pytest.approx(oblique.log_likelihood_, rel=1e-11)
    assert abs(oblique.factor_correlations_[0, 1]) > 0.1


def test_the_covariance_is_that_of_the_parameters(oblique):
    Lambda, Phi = oblique.loadings_, oblique.factor_correlations_
    expected = Lambda @ Phi @ Lambda.T + np.diag(oblique.noise_variance_)
    np.testing.assert_allclose(oblique.get_covariance(), expected, rtol=1e-13)
    np.testing.assert_allclose(np.diag(expected), oblique.scale_**2, rtol=1e-6)
    common = np.diag(Lambda @ Phi @ Lambda.T) / np.diag(oblique.covariance_)
    np.testing.assert_allclose(oblique.communalities_, common, rtol=1e-12)
    np.testing.assert_allclose(oblique.communalities_ + oblique.uniquenesses_, 1, atol=1e-6)


def test_constant_columns_are_left_out_of_the_density_and_reproduced():
    X = np.insert(table(), [2, 7], [5.0, -1e6], axis=1)
    varies = np.array([True] * 2 + [False] + [True] * 5 + [False])
    fit = FactorAnalysis(n_components=2, rotation="oblimin", scores="bartlett").fit
    model, words = said(fit, X)
    assert model.constant_ == ["x2", "x8"]
    assert "2 constant column(s)" in words
    assert "x2, x8" in words
    without = FactorAnalysis(n_components=2, rotation="oblimin").fit(table())
    assert model.log_likelihood_ == pytest.approx(without.log_likelihood_, rel=1e-12)
    normal = multivariate_normal(X.mean(axis=0)[varies], without.get_covariance())
    np.testing.assert_allclose(model.score_samples(X), normal.logpdf(X[:, varies]), rtol=1e-9)
    np.testing.assert_array_equal(model.reconstruct(X)[:, ~varies], X[:, ~varies])
    np.testing.assert_array_equal(model.sample(5)[:, ~varies], X[:5, ~varies])
    assert (model.noise_variance_[~varies] == 0).all()
    assert (model.loadings_[~varies] == 0).all()
    assert model.fit_statistics().dof == without.fit_statistics().dof


def test_rows_with_gaps_have_the_density_of_what_they_show():
    X = with_gaps(table(60))
    X[0], X[1] = np.nan, table(1)[0]
    model = silently(FactorAnalysis(n_components=2, missing="fiml", rotation="promax").fit, X)
    Sigma, expected = model.get_covariance(), []
    for row in X:
        o = ~np.isnan(row)
        marginal = multivariate_normal(model.mean_[o], Sigma[np.ix_(o, o)]) if o.any() else None
        expected.append(marginal.logpdf(row[o]) if o.any() else 0)
    np.testing.assert_allclose(model.score_samples(X), expected, atol=1e-9)
    assert np.sum(expected) / 59 == pytest.approx(model.log_likelihood_, rel=1e-9)
    assert model.n_samples_ == 59


def joint(model):
    """Return Σ and Cov(x, z)."""
    return model.get_covariance(), model.loadings_ @ model.factor_correlations_


def test_regression_scores_and_their_covariance_are_the_conditional_gaussian(oblique):
    X = table(40, seed=2)
    Sigma, cross = joint(oblique)
    expected = (X - oblique.mean_) @ np.linalg.solve(Sigma, cross)
    np.testing.assert_allclose(oblique.transform(X), expected, atol=1e-11)
    V = oblique.factor_correlations_ - cross.T @ np.linalg.solve(Sigma, cross)
    np.testing.assert_allclose(oblique.posterior_covariance(), V, atol=1e-12)


def test_gaps_are_filled_by_their_expectation_in_scores():
    X = with_gaps(table(60), 0.3)
    model = silently(FactorAnalysis(n_components=2, missing="fiml", rotation="oblimin").fit, X)
    Sigma, cross = joint(model)
    for row, code in zip(X[:20], model.transform(X[:20])):
        o = ~np.isnan(row)
        expected = (row[o] - model.mean_[o]) @ np.linalg.solve(Sigma[np.ix_(o, o)], cross[o])
        np.testing.assert_allclose(code, expected, atol=1e-10)


def test_bartlett_scores_are_unbiased_and_weighted_least_squares(oblique):
    weights, Lambda = oblique.score_weights("bartlett"), oblique.loadings_
    np.testing.assert_allclose(weights.T @ Lambda, np.eye(2), atol=1e-12)
    root = np.sqrt(oblique.noise_variance_)
    row = table(1, seed=3)[0] - oblique.mean_
    expected = np.linalg.lstsq(Lambda / root[:, None], row / root)[0]
    np.testing.assert_allclose(row @ weights, expected, atol=1e-11)


def test_ten_berge_scores_correlate_as_the_factors_and_are_closest_to_them(oblique):
    Sigma, cross = joint(oblique)
    weights, Phi = oblique.score_weights("ten_berge"), oblique.factor_correlations_
    np.testing.assert_allclose(weights.T @ Sigma @ weights, Phi, atol=1e-11)
    inverse_root, phi_root = np.linalg.inv(sqrtm(Sigma).real), sqrtm(Phi).real
    L = oblique.loadings_ @ phi_root
    inner = np.linalg.inv(sqrtm(L.T @ np.linalg.solve(Sigma, L)).real)
    expected = inverse_root @ inverse_root @ L @ inner @ phi_root
    np.testing.assert_allclose(weights, expected, atol=1e-9)
    assert (np.diag(weights.T @ cross) > 0.5).all()


def test_samples_have_the_models_moments(oblique):
    n, Sigma = 100_000, oblique.get_covariance()
    drawn = oblique.sample(n, random_state=0).astype(float)
    assert (np.abs(drawn.mean(axis=0) - oblique.mean_) < 5 * np.sqrt(np.diag(Sigma) / n)).all()
    errors = np.sqrt((np.outer(np.diag(Sigma), np.diag(Sigma)) + Sigma**2) / n)
    assert (np.abs(np.cov(drawn.T, ddof=0) - Sigma) < 5 * errors).all()
    np.testing.assert_array_equal(oblique.sample(9, 1), oblique.sample(9, 1))
    assert not np.array_equal(oblique.sample(9, 1), oblique.sample(9, 2))


def test_samples_without_noise_lie_on_the_factors_plane(oblique):
    n, common = 50_000, oblique.get_covariance() - np.diag(oblique.noise_variance_)
    drawn = (oblique.sample(n, 0, noise=False) - oblique.mean_) / UNITS
    assert np.linalg.matrix_rank(drawn, tol=1e-4 * np.linalg.norm(drawn)) == 2
    common = common / np.outer(UNITS, UNITS)
    errors = np.sqrt((np.outer(np.diag(common), np.diag(common)) + common**2) / n)
    assert (np.abs(np.cov(drawn.T, ddof=0) - common) < 5 * errors).all()


def test_decoding_is_linear_and_kinds_are_kept(oblique):
    Z = np.random.default_rng(0).normal(size=(4, 2))
    expected = Z @ oblique.loadings_.T + oblique.mean_
    np.testing.assert_allclose(oblique.inverse_transform(Z), expected, rtol=1e-13)
    single = oblique.inverse_transform(Z.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, rtol=1e-4, atol=1e-5)
    X = table(9)
    assert oblique.transform(X.astype(np.float32)).dtype == np.float32
    for verb in (oblique.transform, oblique.reconstruct):
        found = verb(torch.from_numpy(X))
        assert isinstance(found, torch.Tensor)
        assert found.dtype == torch.float64
        np.testing.assert_array_equal(found.numpy(), verb(X))
    assert isinstance(oblique.inverse_transform(torch.from_numpy(Z)), torch.Tensor)


@pytest.mark.parametrize("kind", [torch.from_numpy, lambda X: X.astype(np.float32)])
def test_tensors_and_single_precision_estimate_the_same(kind):
    expected = FactorAnalysis(n_components=2).fit(table())
    found = FactorAnalysis(n_components=2).fit(kind(table()))
    np.testing.assert_allclose(found.uniquenesses_, expected.uniquenesses_, atol=1e-5)


@pytest.mark.parametrize("kaiser", [None, True, False])
@pytest.mark.parametrize("rotation", ROTATIONS)
def test_rotation_changes_the_axes_only(rotation, kaiser):
    X = three_factors()
    plain = FactorAnalysis(n_components=3).fit(X)
    turned = FactorAnalysis(n_components=3, rotation=rotation, kaiser=kaiser).fit(X)
    assert turned.log_likelihood_ == pytest.approx(plain.log_likelihood_, rel=1e-12)
    np.testing.assert_allclose(turned.get_covariance(), plain.get_covariance(), rtol=1e-9)
    np.testing.assert_allclose(turned.communalities_, plain.communalities_, rtol=1e-9)
    np.testing.assert_allclose(turned.reconstruct(X), plain.reconstruct(X), rtol=1e-9, atol=1e-9)
    A, T = plain.loadings_ @ plain.rotation_matrix_.T, turned.rotation_matrix_
    np.testing.assert_allclose(turned.loadings_, A @ np.linalg.inv(T).T, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(turned.factor_correlations_, T.T @ T, atol=1e-10)
    np.testing.assert_allclose(np.diag(T.T @ T), 1, atol=1e-10)
    orthogonal = rotation in ROTATIONS[:4]
    assert np.allclose(turned.factor_correlations_, np.eye(3)) == orthogonal
    assert not np.allclose(np.abs(turned.loadings_), np.abs(plain.loadings_), atol=1e-3)
    structure = turned.standardized_loadings_ @ turned.factor_correlations_
    np.testing.assert_allclose(turned.structure_, structure, rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_units_scale_the_loadings_and_shift_the_likelihood(method):
    units = np.array([1e8, 1e-8, 1, 1e3, 1e-3, 1e6, 1e-6])
    one = FactorAnalysis(n_components=2, method=method).fit(table())
    other = FactorAnalysis(n_components=2, method=method).fit(table() * units)
    np.testing.assert_allclose(
        np.abs(other.loadings_), np.abs(one.loadings_) * units[:, None], rtol=1e-4
    )
    shifted = one.log_likelihood_ - np.log(units).sum()
    assert other.log_likelihood_ == pytest.approx(shifted, abs=1e-6)


@pytest.mark.parametrize("method", ["ml", "gls"])
def test_scale_free_methods_find_in_covariances_what_they_find_in_correlations(method):
    units = np.array([1e4, 1e-4, 1, 1e3, 1e-3, 1e6, 1e-6])
    fits = [
        FactorAnalysis(n_components=2, method=method, matrix=matrix).fit(table() * units)
        for matrix in ("correlation", "covariance")
    ]
    np.testing.assert_allclose(fits[0].uniquenesses_, fits[1].uniquenesses_, atol=1e-6)
    assert fits[0].log_likelihood_ == pytest.approx(fits[1].log_likelihood_, abs=1e-10)


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(7)), method=st.sampled_from(METHODS))
def test_the_order_of_columns_does_not_matter(order, method):
    X = table()
    one = FactorAnalysis(n_components=2, method=method).fit(X)
    other = FactorAnalysis(n_components=2, method=method).fit(X[:, order])
    np.testing.assert_allclose(other.uniquenesses_, one.uniquenesses_[order], atol=1e-6)
    np.testing.assert_allclose(
        other.get_covariance(), one.get_covariance()[np.ix_(order, order)], rtol=1e-4
    )


@pytest.mark.parametrize("method", METHODS)
def test_rows_and_their_covariance_give_the_same(method):
    X = table()
    one = FactorAnalysis(n_components=2, method=method, rotation="varimax").fit(X)
    other = FactorAnalysis(n_components=2, method=method, rotation="varimax")
    other.fit_covariance(np.cov(X.T, ddof=0), n_samples=300, mean=X.mean(axis=0))
    np.testing.assert_allclose(other.loadings_, one.loadings_, rtol=1e-4)
    assert other.score(X) == pytest.approx(one.log_likelihood_, rel=1e-9)
    assert other.fit_statistics().chi_square == pytest.approx(
        one.fit_statistics().chi_square, rel=1e-7
    )
    R = FactorAnalysis(n_components=2, method=method, rotation="varimax")
    R.fit_covariance(np.corrcoef(X.T))
    np.testing.assert_allclose(R.noise_variance_, one.uniquenesses_, atol=1e-6)


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("missing", ["error", "fiml"])
@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
def test_weights_are_repetitions(missing, constant):
    X, counts = table(), np.random.default_rng(0).integers(0, 4, 300)
    X = with_gaps(X, 0.1) if missing == "fiml" else X
    X = np.insert(X, 1, 0.3, axis=1) if constant else X
    one = FactorAnalysis(n_components=2, missing=missing).fit(X, sample_weight=counts)
    other = FactorAnalysis(n_components=2, missing=missing).fit(np.repeat(X, counts, axis=0))
    assert len(one.constant_) == len(other.constant_) == constant
    np.testing.assert_allclose(one.mean_, other.mean_, atol=1e-6)
    np.testing.assert_allclose(one.uniquenesses_, other.uniquenesses_, atol=1e-6)
    assert one.log_likelihood_ == pytest.approx(other.log_likelihood_, rel=1e-9)
    assert one.n_samples_ == other.n_samples_ == counts.sum()


def test_blocks_of_rows_give_what_all_rows_give():
    X = table() + 1e4
    whole = FactorAnalysis(n_components=2, rotation="varimax").fit(X)
    pieces = FactorAnalysis(n_components=2, rotation="varimax")
    for first, last in [(0, 2), (2, 3), (3, 150), (150, 300)]:
        silently(pieces.partial_fit, X[first:last])
    np.testing.assert_allclose(pieces.covariance_, whole.covariance_, rtol=1e-8)
    np.testing.assert_allclose(pieces.uniquenesses_, whole.uniquenesses_, atol=1e-8)
    scale = whole.scale_[:, None]
    np.testing.assert_allclose(pieces.loadings_ / scale, whole.loadings_ / scale, atol=1e-8)
    assert pieces.n_samples_ == 300
    gathered = Moments().add(X[:100]).merge(Moments().add(X[100:]))
    merged = FactorAnalysis(n_components=2, rotation="varimax").fit_moments(gathered)
    np.testing.assert_allclose(merged.uniquenesses_, whole.uniquenesses_, atol=1e-8)


def test_a_large_offset_changes_little():
    one = FactorAnalysis(n_components=2).fit(table() / UNITS)
    other = FactorAnalysis(n_components=2).fit(table() / UNITS + 1e6)
    np.testing.assert_allclose(other.uniquenesses_, one.uniquenesses_, atol=1e-7)
    assert other.score(table() / UNITS + 1e6) == pytest.approx(one.log_likelihood_, rel=1e-8)


def frame(X):
    return pd.DataFrame(X, columns=["general", "picture", "blocks", "maze", "reading", "v1", "v2"])


def test_names_of_columns_reach_every_report():
    X = table()
    X[:, 3] = X[:, 4] * 2
    X[:, 6] = 7
    model, words = said(FactorAnalysis(n_components=2).fit, frame(X))
    assert model.variable_names() == list(frame(X).columns)
    assert set(model.heywood_) == {"maze", "reading"}
    assert model.constant_ == ["v2"]
    for name in ("maze", "reading", "v2"):
        assert name in words
    page = str(model.summary())
    assert "reading (Heywood)" in page
    assert "v2 (constant)" in page
    R = pd.DataFrame(np.corrcoef(table().T), columns=list("abcdefg"))
    assert FactorAnalysis().fit_covariance(R).variable_names() == list("abcdefg")


def test_a_saved_model_prints_the_same_page(tmp_path):
    model = FactorAnalysis(n_components=2, rotation="oblimin").fit(frame(table()))
    loaded = latentia.load(model.save(tmp_path / "model"))
    assert str(loaded.summary()) == str(model.summary())
    assert "reading" in str(loaded.summary())
    assert loaded.fit_statistics() == model.fit_statistics()
    np.testing.assert_array_equal(
        loaded.score_samples(frame(table(5))), model.score_samples(frame(table(5)))
    )


def test_a_heywood_case_is_named_and_lies_on_its_floor():
    holzinger = PROBLEMS["holzinger_swineford"]
    fit = FactorAnalysis(n_components=4).fit_covariance
    model, words = said(fit, holzinger["correlation"], holzinger["n"])
    assert model.heywood_ == ["x6"]
    assert "Heywood case: the noise variance of x6" in words
    assert model.noise_variance_[6] == pytest.approx(0.005, rel=1e-12)
    low = FactorAnalysis(n_components=4, noise_floor=0.001).fit_covariance
    lower, _ = said(low, holzinger["correlation"], holzinger["n"])
    assert lower.log_likelihood_ > model.log_likelihood_
    assert lower.noise_variance_[6] == pytest.approx(0.001, rel=1e-12)


@pytest.mark.parametrize("n", [2, 5, 7])
def test_fewer_rows_than_columns_are_fitted_and_said(n):
    model, words = said(FactorAnalysis().fit, table(n))
    assert f"{n} rows are too few for 7 varying columns" in words
    assert np.isfinite(model.score(table()))
    assert (model.uniquenesses_ >= 0.005 - 1e-12).all()


def test_a_singular_matrix_has_a_maximum_thanks_to_the_floor():
    model, words = said(FactorAnalysis(n_components=2).fit_covariance, np.cov(table(5).T))
    assert "perfectly collinear" in words
    assert model.heywood_
    assert model.converged_
    assert np.isfinite(model.log_likelihood_)


def test_collinear_columns_are_named_and_no_others():
    X = table()
    X[:, 1] = X[:, 0] + X[:, 2]
    _, words = said(FactorAnalysis(n_components=2).fit, X)
    assert "columns x0, x1, x2 are perfectly collinear" in words


def test_several_optima_are_said_and_the_best_is_taken():
    X = np.random.default_rng(1).normal(size=(25, 6))
    model, words = said(FactorAnalysis(n_components=2).fit, X)
    assert model.n_optima_ > 1
    assert f"{model.n_optima_} distinct optima were found" in words
    for seed in range(8):
        one = FactorAnalysis(n_components=2, n_starts=2, random_state=seed)
        assert silently(one.fit, X).log_likelihood_ < model.log_likelihood_ + 1e-9
    alone = silently(FactorAnalysis(n_components=2, n_starts=1).fit, X)
    assert alone.n_optima_ == 1


def test_negative_degrees_of_freedom_are_said():
    _, words = said(FactorAnalysis(n_components=4).fit, table())
    assert "4 factors of 7 variables leave -1 degrees of freedom" in words
    assert "pk + p = 35" in words
    assert "p(p + 1)/2 = 28" in words
    _, words = said(FactorAnalysis(n_components=3, max_iter=1, method="alpha").fit, table())
    assert "degrees of freedom" not in words


def test_as_many_factors_as_columns_but_one_reproduce_the_covariance():
    model, words = said(FactorAnalysis(n_components=6).fit, table())
    assert "degrees of freedom" in words
    np.testing.assert_allclose(model.residual_correlations(), np.zeros((7, 7)), atol=1e-5)


def test_too_few_steps_are_said():
    _, words = said(FactorAnalysis(n_components=2, method="alpha", max_iter=2).fit, table())
    assert "stopped before it converged, after 2 steps" in words


def pictures():
    """Return images with one constant pixel and one that hardly varies."""
    rng = np.random.default_rng(0)
    smooth = rng.normal(size=(100, 2)) @ rng.normal(size=(2, 25)) * 0.05
    X = np.clip(smooth + 0.5 + 0.03 * rng.normal(size=(100, 25)), 0, 1).reshape(100, 5, 5)
    X[:, 0, 0], X[:, 0, 1], X[0, 0, 1] = 0, 0.5, 0.5005
    return X


def test_images_have_the_floor_of_eight_bits_and_name_dull_pixels():
    X = pictures()
    model, words = said(FactorAnalysis(n_components=2).fit, X)
    assert pytest.approx((1 / 255) ** 2 / 12, rel=1e-15) == IMAGE_FLOOR
    assert model.heywood_ == ["x1"]
    assert model.constant_ == ["x0"]
    assert "x1" in words
    assert model.noise_variance_[1] == pytest.approx((1 / 255) ** 2 / 12, rel=1e-12)
    assert model.covariance_[1, 1] < model.noise_variance_[1] / 10
    assert model.reconstruct(X).shape == model.sample(100).shape == X.shape
    covariances = silently(FactorAnalysis(n_components=2, matrix="covariance").fit, X)
    np.testing.assert_allclose(covariances.noise_variance_, model.noise_variance_)


def test_images_of_bytes_are_their_unit_floats():
    X = np.rint(pictures() * 255).astype(np.uint8)
    one = silently(FactorAnalysis(n_components=2).fit, X)
    other = silently(FactorAnalysis(n_components=2).fit, X / 255)
    np.testing.assert_allclose(one.noise_variance_, other.noise_variance_, rtol=1e-5)
    assert one.score(X) == pytest.approx(one.log_likelihood_, rel=1e-5)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"n_components": 0}, "n_components is 0; it must be at least 1"),
        ({"n_components": 2.5}, "n_components is 2.5; it must be a whole number"),
        ({"n_components": 7}, r"n_components is 7, but of 7 feature\(s\) 7 vary"),
        ({"method": "minress"}, "method is 'minress'; .*did you mean 'minres'"),
        ({"rotation": "varimx"}, "rotation is 'varimx'; .*did you mean 'varimax'"),
        ({"scores": "bartlet"}, "scores is 'bartlet'; .*did you mean 'bartlett'"),
        ({"algorithm": "em", "method": "minres"}, "algorithm is 'em', which only method 'ml' has"),
        ({"missing": "fiml", "method": "minres"}, "missing is 'fiml', which needs method 'ml'"),
        ({"missing": "fiml", "correlation": "polychoric"}, "needs .* correlation 'pearson'"),
        ({"noise_floor": 0}, "noise_floor is 0; it must be greater than 0 and less than 1"),
        ({"noise_floor": 1}, "noise_floor is 1; it must be greater than 0 and less than 1"),
        ({"noise_floor": float("nan")}, "noise_floor is nan"),
        ({"n_starts": 0}, "n_starts is 0; it must be at least 1"),
        ({"max_iter": 0}, "max_iter is 0; it must be at least 1"),
        ({"random_state": -1}, "random_state is -1; it must be at least 0"),
        ({"kaiser": "yes"}, "kaiser is 'yes'; it must be true or false or none"),
    ],
)
def test_bad_parameters_are_refused(parameters, words):
    with pytest.raises(InputError, match=words) as raised:
        FactorAnalysis(**parameters).fit(table())
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (table(1), r"X has 1 sample\(s\); factor analysis needs at least 2 rows"),
        (table()[:, :1], r"n_components is 1, but of 1 feature\(s\) 1 vary"),
        (np.ones((9, 4)), r"n_components is 1, but of 4 feature\(s\) 0 vary"),
        (pd.DataFrame({"age": [1.0, 2, 3], "name": ["a", "b", "c"]}), "without numbers: name"),
        ([["1", "a"], ["2", "b"]], "could not convert string to float"),
        (with_gaps(table()), "NaN"),
        (np.where(table() > 10, np.inf, 1), "infinity"),
        (np.full((9, 5, 5), np.nan), r"\[0, 1\]"),
    ],
)
def test_bad_rows_are_refused(X, words):
    with pytest.raises(ValueError, match=words):
        FactorAnalysis().fit(X)


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (table(1), "at least 2 rows"),
        (np.where(table() > 10, np.inf, 1), "infinity"),
        (np.full((9, 3), np.nan), "column 0 has no observed value"),
        (np.tile(np.eye(5), (9, 1, 1)), "missing is 'fiml', which takes tables"),
    ],
)
def test_bad_rows_with_gaps_are_refused(X, words):
    with pytest.raises(ValueError, match=words):
        FactorAnalysis(missing="fiml").fit(X)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.ones(3), r"shape \(3,\).*give 300 finite numbers"),
        (-np.ones(300), "least value -1"),
        (np.zeros(300), "every sample weight is zero"),
        (np.eye(300)[0], r"of 7 feature\(s\) 0 vary"),
    ],
)
def test_bad_weights_are_refused(weights, words):
    with pytest.raises(InputError, match=words):
        FactorAnalysis().fit(table(), sample_weight=weights)


@pytest.mark.parametrize(
    ("S", "words"),
    [
        (np.ones((2, 3)), r"shape \(2, 3\); it must be square"),
        ([[1.0]], r"shape \(1, 1\)"),
        ([[1, 0.5], [0.2, 1]], "not symmetric: row 0, column 1 holds 0.5, and its mirror 0.2"),
        ([[1, 2], [2, 1]], r"indefinite \(least eigenvalue -1\)"),
        ([[1, np.nan], [np.nan, 1]], "not finite in row 0, column 1"),
        ([[1, "a"], ["a", 1]], "values that are not numbers"),
        (np.zeros((3, 3)), r"of 3 feature\(s\) 0 vary"),
    ],
)
def test_bad_matrices_are_refused(S, words):
    with pytest.raises(InputError, match=words) as raised:
        FactorAnalysis().fit_covariance(S)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"mean": [1, 2]}, r"mean has shape \(2,\); give 7 finite numbers"),
        ({"mean": np.full(7, np.nan)}, "give 7 finite numbers"),
        ({"n_samples": 1}, "n_samples is 1; it must be at least 2"),
    ],
)
def test_bad_company_of_a_matrix_is_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        FactorAnalysis().fit_covariance(np.cov(table().T), **arguments)


@pytest.mark.parametrize("method", ["gls", "wls"])
def test_methods_that_invert_refuse_singular_matrices(method):
    with pytest.raises(InputError, match=f"method is '{method}', .* use 'ml' or 'minres'"):
        FactorAnalysis(method=method).fit(table(5))


def test_scores_that_need_loadings_say_so():
    model = FactorAnalysis(n_components=2, method="principal_axis", scores="bartlett")
    model.fit_covariance(np.eye(5))
    with pytest.raises(InputError, match="bartlett scores need 2 factors with loadings"):
        model.transform(np.zeros((1, 5)))


def test_other_columns_than_fitted_are_refused(oblique):
    with pytest.raises(ValueError, match=r"3 features.*7 features"):
        oblique.transform(np.zeros((2, 3)))
    with pytest.raises(InputError, match="Z has 3 columns"):
        oblique.inverse_transform(np.zeros((2, 3)))
    with pytest.raises(InputError, match="n_samples is 0"):
        oblique.sample(0)


def test_gaps_are_refused_in_a_sentence_that_names_fiml():
    with pytest.raises(ValueError, match="fiml") as raised:
        FactorAnalysis().fit(with_gaps(table()))
    assert "\n" not in str(raised.value)


def test_seconds_since_1970_vary():
    X = table() / UNITS * 60
    one, other = FactorAnalysis(n_components=2).fit(X), FactorAnalysis(n_components=2)
    other.fit(X + 1.7e9)
    np.testing.assert_allclose(other.uniquenesses_, one.uniquenesses_, atol=1e-4)


@pytest.mark.parametrize("again", ["covariance", "moments"])
def test_names_are_those_of_the_last_fit(again):
    model = FactorAnalysis().fit(frame(table()))
    X = table()[:, :5]
    if again == "covariance":
        model.fit_covariance(np.cov(X.T))
    else:
        model.fit_moments(Moments().add(X))
    assert model.variable_names() == ["x0", "x1", "x2", "x3", "x4"]


@pytest.mark.parametrize("verb", ["partial_fit", "fit_moments"])
def test_polychoric_correlations_of_blocks_are_refused(verb):
    X = np.clip(np.rint(table() / UNITS), -1, 2)
    model = FactorAnalysis(correlation="polychoric")
    with pytest.raises((AttributeError, InputError), match=r"polychoric|than 'pearson' need all"):
        model.partial_fit(X) if verb == "partial_fit" else model.fit_moments(Moments().add(X))


def test_a_loaded_model_takes_up_more_rows(tmp_path):
    model = FactorAnalysis().partial_fit(table()[:100])
    loaded = latentia.load(model.save(tmp_path / "model"))
    loaded.partial_fit(table()[100:])
    assert loaded.n_samples_ == loaded.n_rows_ == 300
    whole = FactorAnalysis().fit(table())
    np.testing.assert_allclose(loaded.covariance_, whole.covariance_, rtol=1e-8)
    np.testing.assert_allclose(loaded.uniquenesses_, whole.uniquenesses_, atol=1e-8)


def test_a_fit_to_a_matrix_takes_up_no_rows():
    model = FactorAnalysis().fit_covariance(np.cov(table().T))
    with pytest.raises(InputError, match="fitted to a matrix"):
        model.partial_fit(table())


def test_weights_that_add_up_to_one_are_not_one_row():
    model = FactorAnalysis(n_components=2).fit(table(), sample_weight=np.full(300, 1 / 300))
    assert model.converged_


def test_constant_columns_with_gaps_are_left_out():
    X = with_gaps(np.c_[table(), np.full(300, 3.0)], 0.1)
    model, words = said(FactorAnalysis(n_components=2, missing="fiml").fit, X)
    assert model.constant_ == ["x7"]
    assert "constant" in words


def test_gaps_that_did_not_converge_are_said():
    cut_short = FactorAnalysis(n_components=2, missing="fiml", max_iter=2)
    model, words = said(cut_short.fit, with_gaps(table()))
    assert not model.converged_
    assert "stopped before it converged" in words


def test_a_heywood_case_with_gaps_converges():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 5))
    X = with_gaps(X + rng.normal(size=(60, 5)) * rng.uniform(0.5, 1.5, 5), 0.25, seed=2)
    model, _ = said(FactorAnalysis(missing="fiml").fit, X)
    assert model.heywood_ == ["x3"]
    assert model.converged_


def test_alpha_takes_images_with_a_dull_pixel():
    model = silently(FactorAnalysis(n_components=2, method="alpha").fit, pictures())
    assert np.isfinite(model.log_likelihood_)


@pytest.mark.parametrize("arguments", [{"n_samples": "ten"}, {"mean": list("abcdefg")}])
def test_company_of_a_matrix_that_is_no_number_is_refused(arguments):
    with pytest.raises(InputError, match=next(iter(arguments))):
        FactorAnalysis().fit_covariance(np.cov(table().T), **arguments)


@pytest.mark.parametrize("way", ["fit", "gaps", "polychoric", "matrix", "moments", "partial_fit"])
def test_a_warning_names_the_line_that_called(way):
    # Python shows a sentence once a line: were it the library's, a second model would be silent.
    X = np.column_stack([table(), table()[:, 0]])
    model, signs = FactorAnalysis(n_components=2, n_starts=1), np.sign(X - X.mean(0))
    calls = {
        "fit": lambda: model.fit(X),
        "gaps": lambda: model.set_params(missing="fiml").fit(with_gaps(X)),
        "polychoric": lambda: model.set_params(correlation="polychoric").fit(signs),
        "matrix": lambda: model.fit_covariance(np.cov(X.T)),
        "moments": lambda: model.fit_moments(Moments().add(X)),
        "partial_fit": lambda: model.partial_fit(X),
    }
    with pytest.warns(FitWarning, match="Heywood|empty|collinear|bound") as record:
        calls[way]()
    assert {warning.filename for warning in record} == {__file__}
