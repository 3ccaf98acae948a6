"""Probabilistic PCA against its definition, SciPy, brute force and constrained factor analysis."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import optimize
from scipy.stats import multivariate_normal

from latentia.errors import FitWarning, InputError
from latentia.models.factors.discrepancy import MaximumLikelihood
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.linear import probabilistic_pca
from latentia.models.linear.missing import observed_log_likelihood
from latentia.models.linear.moments import Moments
from latentia.models.linear.patterns import Patterns
from latentia.models.linear.probabilistic_pca import ProbabilisticPCA, em_step


def table(n=80, d=6, k=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, k)) @ rng.normal(size=(k, d)) * 2 + rng.normal(size=(n, d)) + 3


def with_gaps(X, share=0.2, seed=0):
    return np.where(np.random.default_rng(seed).random(X.shape) < share, np.nan, X)


def low_rank(n=40, d=6, rank=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, rank)) @ rng.normal(size=(rank, d))


def log_likelihood(S, W, noise):
    Sigma = W @ W.T + noise * np.eye(len(S))
    distance = np.trace(np.linalg.solve(Sigma, S))
    return -0.5 * (len(S) * np.log(2 * np.pi) + np.linalg.slogdet(Sigma)[1] + distance)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_the_closed_form_is_its_definition(k):
    X = table()
    model = ProbabilisticPCA(n_components=k).fit(X)
    values, V = np.linalg.eigh(np.cov(X.T, ddof=0))
    noise = values[: 6 - k].mean()
    W = V[:, ::-1][:, :k] * np.sqrt(values[::-1][:k] - noise)
    assert model.noise_variance_ == pytest.approx(noise, rel=1e-12)
    np.testing.assert_allclose(np.abs(model.loadings_), np.abs(W), atol=1e-10)
    np.testing.assert_allclose(model.get_covariance(), W @ W.T + noise * np.eye(6), atol=1e-10)
    assert (model.loadings_[np.abs(model.loadings_).argmax(axis=0), np.arange(k)] > 0).all()


def test_no_perturbation_is_likelier():
    X = table()
    S, model = np.cov(X.T, ddof=0), ProbabilisticPCA(n_components=2).fit(X)
    best = log_likelihood(S, model.loadings_, model.noise_variance_)
    assert model.log_likelihood_ == pytest.approx(best, rel=1e-13)
    rng = np.random.default_rng(0)
    for size in (1e-4, 1e-2, 0.3):
        for _ in range(25):
            W = model.loadings_ + size * rng.normal(size=(6, 2))
            noise = model.noise_variance_ * np.exp(size * rng.normal())
            assert log_likelihood(S, W, noise) < best + 1e-12


@pytest.mark.parametrize("algorithm", ["closed_form", "em"])
def test_the_score_is_scipys(algorithm):
    X = table()
    model = ProbabilisticPCA(n_components=2, algorithm=algorithm).fit(X)
    normal = multivariate_normal(X.mean(axis=0), model.get_covariance())
    np.testing.assert_allclose(model.score_samples(X), normal.logpdf(X), rtol=1e-11)
    assert model.score(X) == pytest.approx(model.log_likelihood_, rel=1e-12)


def test_codes_are_the_conditional_mean_and_decode_linearly():
    X = table()
    model = ProbabilisticPCA(n_components=2).fit(X)
    W, Sigma = model.loadings_, model.get_covariance()
    Z = (X - X.mean(axis=0)) @ np.linalg.solve(Sigma, W)
    np.testing.assert_allclose(model.transform(X), Z, atol=1e-11)
    np.testing.assert_allclose(model.reconstruct(X), Z @ W.T + X.mean(axis=0), atol=1e-11)
    expected = np.eye(2) - W.T @ np.linalg.solve(Sigma, W)
    np.testing.assert_allclose(model.posterior_covariance(), expected, atol=1e-12)


def test_samples_have_the_models_moments():
    model = ProbabilisticPCA(n_components=2).fit(table())
    n, Sigma = 100_000, model.get_covariance()
    drawn = model.sample(n, random_state=0).astype(float)
    errors = np.sqrt((np.outer(np.diag(Sigma), np.diag(Sigma)) + Sigma**2) / n)
    assert (np.abs(np.cov(drawn.T, ddof=0) - Sigma) < 5 * errors).all()
    assert (np.abs(drawn.mean(axis=0) - model.mean_) < 5 * np.sqrt(np.diag(Sigma) / n)).all()


def test_an_em_step_is_a_regression_on_the_expected_factors():
    X = table()
    X = X - X.mean(axis=0)
    S, W, noise = np.cov(X.T, ddof=0), np.random.default_rng(1).normal(size=(6, 2)), 0.8
    Sigma = W @ W.T + noise * np.eye(6)
    Z, V = X @ np.linalg.solve(Sigma, W), np.eye(2) - W.T @ np.linalg.solve(Sigma, W)
    new_W = X.T @ Z @ np.linalg.inv(Z.T @ Z + len(X) * V)
    new_noise = ((X - Z @ new_W.T) ** 2).mean() + np.trace(new_W @ V @ new_W.T) / 6
    found_W, found_noise, likelihood = em_step(S, W, noise)
    np.testing.assert_allclose(found_W, new_W, atol=1e-11)
    assert found_noise == pytest.approx(new_noise, rel=1e-11)
    assert likelihood == pytest.approx(log_likelihood(S, W, noise), rel=1e-12)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), d=st.integers(2, 8), n=st.integers(10, 40))
@example(seed=1237, d=8, n=10)
def test_em_never_lowers_the_likelihood_and_ends_at_the_closed_form(seed, d, n):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, d))
    X = table(n, d, k, seed)
    exact = ProbabilisticPCA(n_components=k).fit(X)
    # Where eigenvalues lie near each other its usual 10,000 steps end on the way.
    steps = {"algorithm": "em", "max_iter": 100_000}
    model = ProbabilisticPCA(n_components=k, random_state=seed, **steps).fit(X)
    assert np.diff(model.log_likelihood_trace_, prepend=-np.inf).min() > -1e-10
    assert model.log_likelihood_ <= exact.log_likelihood_ + 1e-10
    assert model.log_likelihood_ == pytest.approx(exact.log_likelihood_, abs=1e-5)


def test_em_ends_at_the_closed_forms_parameters():
    X = table()
    exact = ProbabilisticPCA(n_components=2).fit(X)
    model = ProbabilisticPCA(n_components=2, algorithm="em", tolerance=1e-15).fit(X)
    assert model.converged_
    np.testing.assert_allclose(model.get_covariance(), exact.get_covariance(), atol=2e-5)
    np.testing.assert_allclose(model.loadings_, exact.loadings_, atol=2e-5)


def test_em_that_is_cut_short_says_so():
    model = ProbabilisticPCA(n_components=2, algorithm="em", max_iter=3).fit(table())
    assert not model.converged_
    assert model.n_iter_ == len(model.log_likelihood_trace_) == 3


def observed(X, mean, Sigma):
    total = 0.0
    for row in X:
        o = ~np.isnan(row)
        if o.any():
            total += multivariate_normal(mean[o], Sigma[np.ix_(o, o)]).logpdf(row[o])
    return total / len(X)


def test_missing_values_are_integrated_out():
    X = with_gaps(table(60, 5))
    model = ProbabilisticPCA(n_components=2, missing="fiml").fit(X)
    assert model.converged_
    expected = observed(X, model.mean_, model.get_covariance())
    assert model.log_likelihood_ == pytest.approx(expected, rel=1e-11)
    assert model.score(X) == pytest.approx(expected, rel=1e-11)
    assert np.diff(model.log_likelihood_trace_).min() > -1e-12


def test_the_observed_likelihood_is_stationary_at_the_estimate():
    X = with_gaps(table(60, 5))
    model = ProbabilisticPCA(n_components=2, missing="fiml").fit(X)
    patterns = Patterns(X)

    def objective(theta):
        W, mean = theta[:10].reshape(5, 2), theta[10:15]
        return observed_log_likelihood(patterns, mean, W @ W.T + np.exp(theta[15]) * np.eye(5))

    theta = np.r_[model.loadings_.ravel(), model.mean_, np.log(model.noise_variance_)]
    slopes = optimize.approx_fprime(theta, objective, 1e-6)
    np.testing.assert_allclose(slopes, 0, atol=2e-5)
    start = theta + 0.2 * np.random.default_rng(0).normal(size=16)
    best = -optimize.minimize(lambda t: -objective(t), start, method="BFGS").fun
    assert model.log_likelihood_ == pytest.approx(best, abs=1e-8)
    assert objective(start) < best - 1e-3


def test_gaps_in_new_rows_are_filled_in_by_expectation():
    model = ProbabilisticPCA(n_components=2, missing="fiml").fit(with_gaps(table(60, 5)))
    row = np.array([[1.0, np.nan, 2.0, np.nan, 4.0]])
    o, Sigma, W = ~np.isnan(row[0]), model.get_covariance(), model.loadings_
    weights = np.linalg.solve(Sigma[np.ix_(o, o)], W[o])
    expected = (row[0, o] - model.mean_[o]) @ weights
    np.testing.assert_allclose(model.transform(row)[0], expected, atol=1e-11)


def test_fiml_without_gaps_is_the_closed_form():
    X = table()
    exact = ProbabilisticPCA(n_components=2).fit(X)
    model = ProbabilisticPCA(n_components=2, missing="fiml").fit(X)
    np.testing.assert_allclose(model.get_covariance(), exact.get_covariance(), atol=1e-8)


def test_it_is_factor_analysis_with_equal_noise():
    X = table()
    S, model = np.cov(X.T, ddof=0), ProbabilisticPCA(n_components=2).fit(X)
    factors = MaximumLikelihood(S, 2)
    value, gradient = factors.at(np.full(6, np.log(model.noise_variance_)))
    log_density = -0.5 * (6 * np.log(2 * np.pi) + value)
    assert log_density == pytest.approx(model.log_likelihood_, rel=1e-12)
    assert gradient.sum() == pytest.approx(0, abs=1e-10)
    found = optimize.minimize_scalar(lambda x: factors.at(np.full(6, x))[0], (-2, 2))
    assert np.exp(found.x) == pytest.approx(model.noise_variance_, rel=1e-6)
    free = FactorAnalysis(n_components=2, matrix="covariance").fit(X)
    assert free.log_likelihood_ > model.log_likelihood_


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
@pytest.mark.parametrize("offset", [0, 1e6])
def test_wide_data_give_what_their_covariance_would(offset, kind, monkeypatch):
    X = table(20, 50, 3) + offset
    expected = ProbabilisticPCA(n_components=3).fit(X)
    monkeypatch.setattr(probabilistic_pca, "WIDEST", 30)
    monkeypatch.delattr(Moments, "covariance")
    model = ProbabilisticPCA(n_components=3).fit(kind(X))
    assert model.noise_variance_ == pytest.approx(expected.noise_variance_, rel=1e-8)
    assert model.log_likelihood_ == pytest.approx(expected.log_likelihood_, rel=1e-8)
    np.testing.assert_allclose(model.loadings_, expected.loadings_, atol=1e-8)
    np.testing.assert_allclose(model.mean_, expected.mean_, rtol=1e-12)
    assert model.n_samples_ == 20


def test_wide_images_of_bytes_give_what_their_covariance_would(monkeypatch):
    X = np.clip(table(20, 50, 3) * 20 + 100, 0, 255).astype(np.uint8).reshape(20, 5, 10)
    expected = ProbabilisticPCA(n_components=3).fit(X)
    monkeypatch.setattr(probabilistic_pca, "WIDEST", 30)
    monkeypatch.delattr(Moments, "covariance")
    model = ProbabilisticPCA(n_components=3).fit(X)
    assert model.noise_variance_ == pytest.approx(expected.noise_variance_, rel=1e-5)
    np.testing.assert_allclose(model.loadings_, expected.loadings_, atol=1e-5)
    assert model.data_shape_ == (5, 10)


def test_really_wide_data_need_no_covariance(monkeypatch):
    monkeypatch.delattr(Moments, "covariance")
    X = table(12, probabilistic_pca.WIDEST + 1, 2)
    model = ProbabilisticPCA(n_components=2).fit(X)
    centred = X - X.mean(axis=0)
    values = np.linalg.eigvalsh(centred @ centred.T / 12)[::-1]
    assert model.noise_variance_ == pytest.approx(values[2:].sum() / (X.shape[1] - 2), rel=1e-9)
    assert model.score(X) == pytest.approx(model.log_likelihood_, rel=1e-10)


@pytest.mark.parametrize("unit", [1e-8, 1e8])
@pytest.mark.parametrize("algorithm", ["closed_form", "em"])
def test_units_only_shift_the_likelihood(algorithm, unit):
    X = table()
    one = ProbabilisticPCA(n_components=2, algorithm=algorithm).fit(X)
    other = ProbabilisticPCA(n_components=2, algorithm=algorithm).fit(X * unit)
    assert other.noise_variance_ / unit**2 == pytest.approx(one.noise_variance_, rel=1e-9)
    shifted = one.log_likelihood_ - 6 * np.log(unit)
    assert other.log_likelihood_ == pytest.approx(shifted, rel=1e-9)


def test_float32_rows_and_large_offsets_change_little():
    X = table()
    expected = ProbabilisticPCA(n_components=2).fit(X).noise_variance_
    single = ProbabilisticPCA(n_components=2).fit(X.astype(np.float32))
    assert single.noise_variance_ == pytest.approx(expected, rel=1e-6)
    assert single.transform(X.astype(np.float32)).dtype == np.float32
    far = ProbabilisticPCA(n_components=2).fit(X + 1e6)
    assert far.noise_variance_ == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(
    ("parameters", "X", "words"),
    [
        ({"n_components": 6}, table(), "n_components is 6, but X has 6 feature"),
        ({"n_components": 0}, table(), "n_components is 0; it must be at least 1"),
        ({"n_components": 1.5}, table(), "n_components is 1.5; it must be a whole number"),
        ({"algorithm": "ecm"}, table(), "algorithm is 'ecm'; .*did you mean 'em'"),
        ({"missing": "fimll"}, table(), "did you mean 'fiml'"),
        ({"tolerance": 0}, table(), "tolerance is 0; it must be greater than 0"),
        ({}, table(1), "X has 1 sample"),
        ({"missing": "fiml"}, table(1), "X has 1 sample"),
        ({"n_components": 2}, low_rank(), "n_components is 2, which leaves no variance"),
        ({"n_components": 2}, np.ones((9, 6)), "n_components is 2, which leaves no variance"),
        ({"n_components": 3}, table(3), "n_components is 3, which leaves no variance"),
        ({"missing": "fiml"}, np.full((9, 3), np.nan), "column 0 has no observed value"),
        ({"missing": "fiml"}, np.tile(np.eye(3), (9, 1, 1)), "images have no gaps"),
        ({}, with_gaps(table()), "NaN"),
        ({}, np.where(table() > 5, np.inf, 1), "infinity"),
    ],
)
def test_what_cannot_be_used_is_refused(parameters, X, words):
    with pytest.raises(ValueError, match=words):
        ProbabilisticPCA(**parameters).fit(X)


def test_wide_data_refuse_em_and_too_many_components(monkeypatch):
    monkeypatch.setattr(probabilistic_pca, "WIDEST", 30)
    X = table(20, 50, 3)
    with pytest.raises(InputError, match=r"algorithm is 'em', .*use 'closed_form'"):
        ProbabilisticPCA(algorithm="em").fit(X)
    with pytest.raises(InputError, match="n_components is 50, but X has 50 feature"):
        ProbabilisticPCA(n_components=50).fit(X)
    with pytest.raises(InputError, match="leaves no variance for the noise"):
        ProbabilisticPCA(n_components=19).fit(X)


def test_wide_data_name_the_number_of_components_asked_for(monkeypatch):
    monkeypatch.setattr(probabilistic_pca, "WIDEST", 30)
    with pytest.raises(InputError, match="n_components is 25"):
        ProbabilisticPCA(n_components=25).fit(table(20, 50, 3))


def test_wide_data_without_variance_are_refused(monkeypatch):
    monkeypatch.setattr(probabilistic_pca, "WIDEST", 30)
    with pytest.raises(InputError, match="no variance"):
        ProbabilisticPCA(n_components=3).fit(np.ones((20, 50)))


@pytest.mark.parametrize(
    "X",
    [
        pytest.param(low_rank(rank=2), id="as many dimensions as components"),
        pytest.param(low_rank(rank=1), id="fewer"),
        pytest.param(np.ones((9, 6)), id="constant"),
        pytest.param(table(2), id="two rows"),
    ],
)
def test_em_refuses_data_that_leave_no_noise(X):
    with pytest.raises(InputError, match="no variance for the noise"):
        ProbabilisticPCA(n_components=2, algorithm="em", max_iter=500).fit(X)


def test_em_takes_its_seed_tolerance_and_most_steps():
    X = np.random.default_rng(0).normal(size=(80, 6)) * [3, 2, 1, 1, 1, 1]

    def fitted(**settings):
        return ProbabilisticPCA(n_components=2, algorithm="em", **settings).fit(X)

    first = [fitted(max_iter=3, random_state=seed).log_likelihood_trace_[0] for seed in (1, 1, 2)]
    assert first[0] == first[1] != first[2]
    assert fitted(max_iter=3).n_iter_ == len(fitted(max_iter=3).log_likelihood_trace_) == 3
    assert not fitted(max_iter=3).converged_
    rough, fine = fitted(tolerance=1e-3), fitted(tolerance=1e-9)
    assert rough.converged_
    assert rough.n_iter_ < fine.n_iter_
    assert (
        np.diff(rough.log_likelihood_trace_)[-1] < 1e-3 <= np.diff(rough.log_likelihood_trace_)[0]
    )


@pytest.mark.parametrize("settings", [{}, {"algorithm": "em"}, {"missing": "fiml"}])
def test_the_largest_loading_of_each_component_is_positive_and_rows_are_counted(settings):
    X = np.random.default_rng(3).normal(size=(80, 6)) * [1, 3, 1, 2, 1, 1]
    for rows in (X, -X, X[:, ::-1]):
        model = ProbabilisticPCA(n_components=2, **settings).fit(rows)
        W = model.loadings_
        assert (W.max(axis=0) == np.abs(W).max(axis=0)).all()
        assert model.n_samples_ == 80


def test_weighted_moments_count_their_weight():
    X, counts = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 4
    weighted = ProbabilisticPCA(n_components=1).fit_moments(Moments().add(X, counts))
    repeated = ProbabilisticPCA(n_components=1).fit(np.repeat(X, counts, axis=0))
    assert weighted.n_samples_ == repeated.n_samples_ == counts.sum()
    np.testing.assert_allclose(weighted.loadings_, repeated.loadings_, atol=1e-9)
    assert weighted.log_likelihood_ == pytest.approx(repeated.log_likelihood_, rel=1e-12)


def test_full_information_tells_its_own_steps():
    X = np.random.default_rng(3).normal(size=(80, 6)) * [1, 3, 1, 2, 1, 1]
    X[np.random.default_rng(0).random(X.shape) < 0.2] = np.nan
    model = ProbabilisticPCA(n_components=2, missing="fiml").fit(X)
    assert model.n_iter_ == len(model.log_likelihood_trace_) > 1
    assert model.converged_
    assert model.log_likelihood_ == pytest.approx(model.score(X), rel=1e-8)


@pytest.mark.parametrize(
    ("hidden", "words"),
    [
        (lambda X: (X[:20, 0], X[20:, 2]), "x0 with x2 are never observed together"),
        (lambda X: (X[:19, 0], X[20:, 2]), r"x0 with x2 are observed together in .* fewest 2\.5%"),
        (lambda X: (X[3],), r"1 row\(s\) without any value were left out"),
    ],
)
def test_gaps_that_leave_little_are_told(hidden, words):
    X = np.random.default_rng(0).normal(size=(40, 4))
    for cells in hidden(X):
        cells[...] = np.nan
    with pytest.warns(FitWarning, match=words):
        ProbabilisticPCA(n_components=1, missing="fiml", max_iter=200).fit(X)
