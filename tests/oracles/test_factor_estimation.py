"""Estimation of factor models against finite differences, brute force, SciPy and simulation."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg, optimize, stats

from latentia.errors import FitWarning
from latentia.models.factors import discrepancy
from latentia.models.factors.discrepancy import (
    GeneralisedLeastSquares,
    MaximumLikelihood,
    UnweightedLeastSquares,
    lowest,
)
from latentia.models.factors.em import em, expectations, maximised
from latentia.models.factors.factor_analysis import FactorAnalysis

LOADINGS = np.array(
    [[0.8, 0.0], [0.7, 0.2], [0.75, 0.0], [0.6, 0.1], [0.0, 0.8], [0.1, 0.7], [0.2, 0.6], [0, 0.7]]
)
NOISE = 1 - (LOADINGS**2).sum(axis=1)
RESPONSE = {"ml": MaximumLikelihood, "gls": GeneralisedLeastSquares}


def table(n=250, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 2))
    return z @ LOADINGS.T + rng.normal(size=(n, 8)) * np.sqrt(NOISE)


def correlation(p, n, k=2, seed=0):
    """Return the correlations of n rows of a k-factor model; singular if n is at most p."""
    rng = np.random.default_rng(seed)
    Lambda = rng.normal(size=(p, k))
    X = rng.normal(size=(n, k)) @ Lambda.T + rng.normal(size=(n, p)) * rng.uniform(0.7, 1.5, p)
    return np.corrcoef(X.T)


def silently(fit, *arguments, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return fit(*arguments, **parameters)


def slope(f, x, direction, width):
    return (f(x + width * direction) - f(x - width * direction)) / (2 * width)


def gradient_of(f, x, width=1e-5):
    return np.array([slope(f, x, direction, width) for direction in np.eye(len(x))])


def point_of(problem, S, seed=0):
    shares = np.random.default_rng(seed).uniform(0.2, 0.8, len(S))
    return shares if problem is UnweightedLeastSquares else np.log(shares)


PROBLEMS = [
    pytest.param(MaximumLikelihood, 6, 50, id="ml"),
    pytest.param(MaximumLikelihood, 6, 4, id="ml, singular"),
    pytest.param(GeneralisedLeastSquares, 6, 50, id="gls"),
    pytest.param(UnweightedLeastSquares, 6, 50, id="uls"),
    pytest.param(UnweightedLeastSquares, 6, 4, id="uls, singular"),
]
LARGE_PROBLEMS = [
    pytest.param(MaximumLikelihood, 170, 400, id="ml"),
    pytest.param(MaximumLikelihood, 170, 60, id="ml, singular"),
    pytest.param(GeneralisedLeastSquares, 170, 400, id="gls"),
    pytest.param(UnweightedLeastSquares, 170, 400, id="uls"),
    pytest.param(UnweightedLeastSquares, 170, 60, id="uls, singular"),
]


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize(("problem", "p", "n"), PROBLEMS)
def test_gradients_and_hessians_are_those_of_finite_differences(problem, p, n, k):
    S = correlation(p, n)
    f, x = problem(S, k), point_of(problem, S)
    gradient = f.at(x)[1]
    scale = max(1.0, np.abs(gradient).max())
    expected = gradient_of(lambda y: f.at(y)[0], x)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-7 * scale)
    hessian = gradient_of(lambda y: f.at(y)[1], x)
    size = max(1.0, np.abs(hessian).max())
    np.testing.assert_allclose(f.hessian(x), hessian, rtol=1e-5, atol=1e-6 * size)


@pytest.mark.parametrize(("problem", "p", "n"), LARGE_PROBLEMS)
def test_gradients_of_many_variables_are_those_of_finite_differences(problem, p, n):
    S = correlation(p, n, k=3)
    f, x = problem(S, 3), point_of(problem, S)
    gradient = f.at(x)[1]
    for direction in np.random.default_rng(1).normal(size=(3, p)):
        expected = slope(lambda y: f.at(y)[0], x, direction, 1e-6)
        assert gradient @ direction == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_a_discrepancy_is_its_definition_at_the_best_loadings():
    S, k = correlation(6, 50), 2
    noise = np.random.default_rng(0).uniform(0.2, 0.8, 6)

    def at_best(values_of):
        model = lambda L: L.reshape(6, k) @ L.reshape(6, k).T + np.diag(noise)  # noqa: E731
        starts = np.random.default_rng(1).normal(size=(5, 6 * k)) / 2
        return min(optimize.minimize(lambda L: values_of(model(L)), x).fun for x in starts)

    inverse = np.linalg.inv(S)
    ml = at_best(lambda C: np.linalg.slogdet(C)[1] + np.trace(np.linalg.solve(C, S)))
    gls = at_best(lambda C: 0.5 * np.trace(np.linalg.matrix_power(np.eye(6) - inverse @ C, 2)))
    uls = at_best(lambda C: 0.5 * ((S - C) ** 2).sum())
    assert MaximumLikelihood(S, k).at(np.log(noise))[0] == pytest.approx(ml, abs=1e-8)
    assert GeneralisedLeastSquares(S, k).at(np.log(noise))[0] == pytest.approx(gls, abs=1e-8)
    assert UnweightedLeastSquares(S, k).at(noise)[0] == pytest.approx(uls, abs=1e-8)


def by_full_decompositions(S, k, monkeypatch):
    """Return the likelihood whose eigenpairs are not iterated."""
    monkeypatch.setattr(discrepancy, "SMALL", len(S))
    return MaximumLikelihood(S, k)


@pytest.mark.parametrize(("p", "n"), [(61, 200), (61, 20), (200, 500), (200, 80), (401, 300)])
def test_the_likelihood_by_iterated_eigenpairs_is_the_exact_one(p, n, monkeypatch):
    S = correlation(p, n, k=3)
    iterated, x = MaximumLikelihood(S, 3), point_of(MaximumLikelihood, S)
    value, gradient = iterated.at(x)
    directions = np.random.default_rng(1).normal(size=(3, p))
    differences = [slope(lambda y: iterated.at(y)[0], x, d, 1e-4) for d in directions]
    exact_value, exact = by_full_decompositions(S, 3, monkeypatch).at(x)
    assert value == pytest.approx(exact_value, abs=1e-8 * p)
    np.testing.assert_allclose(gradient, exact, atol=1e-3)
    for direction, difference in zip(directions, differences):
        assert exact @ direction == pytest.approx(difference, rel=1e-3, abs=1e-2)


@pytest.mark.parametrize("k", [3, 30])
def test_eigenpairs_that_do_not_converge_are_found_by_a_full_decomposition(k, monkeypatch):
    S = correlation(80, 200, k=3)
    x = point_of(MaximumLikelihood, S)
    monkeypatch.setattr("latentia.models.linear.eigen.MOST_ROUNDS", 1)
    monkeypatch.setattr("latentia.models.linear.eigen.WARM_BLOCKS", 1)
    value, gradient = MaximumLikelihood(S, k).at(x)
    exact_value, exact = by_full_decompositions(S, k, monkeypatch).at(x)
    assert value == pytest.approx(exact_value, abs=1e-9)
    np.testing.assert_allclose(gradient, exact, atol=1e-9)


def newtons(problem, x, lower):
    """Return the minimum by damped Newton steps with Hessians by differences, bounds held."""
    for _ in range(100):
        value, gradient = problem.at(x)
        free = (x > lower) | (gradient <= 0)
        H = gradient_of(lambda y: problem.at(y)[1], x)[np.ix_(free, free)]
        values, vectors = np.linalg.eigh((H + H.T) / 2)
        values = np.maximum(np.abs(values), 1e-6)
        step = np.zeros_like(x)
        step[free] = -(vectors / values) @ (vectors.T @ gradient[free])
        if np.abs(step).max() < 1e-9:
            break
        scale = min(1, 1 / np.abs(step).max())
        while scale > 1e-6 and problem.at(np.maximum(x + scale * step, lower))[0] > value:
            scale /= 2
        x = np.maximum(x + scale * step, lower)
    gradient = problem.at(x)[1]
    return x, (x <= lower) & (gradient > 0)


@pytest.mark.parametrize(("p", "n"), [(12, 100), (12, 9), (40, 300), (61, 200), (61, 40)])
@pytest.mark.parametrize("problem", [MaximumLikelihood, UnweightedLeastSquares])
@pytest.mark.parametrize("floor", [0.005, 0.4])
def test_the_search_ends_where_newtons_method_does(problem, p, n, floor, monkeypatch):
    S = correlation(p, n, k=3)
    logs = problem is MaximumLikelihood
    to_x = np.log if logs else np.array
    start, lower = to_x(np.full(p, 0.5)), to_x(np.full(p, floor))
    found = lowest(problem(S, 3), [start], lower)
    monkeypatch.setattr(discrepancy, "SMALL", p)
    x, held = newtons(problem(S, 3), found.x, lower)
    assert found.converged
    noise, exact = (np.exp(found.x), np.exp(x)) if logs else (found.x, x)
    np.testing.assert_allclose(noise, exact, atol=1e-9 if p < 61 else 1e-6)
    np.testing.assert_array_equal(found.at_bound, held)
    assert held.any() or floor < 0.4
    assert np.diff(found.trace).max() <= 1e-12


@pytest.mark.parametrize("seed", range(5))
def test_a_bounded_quadratic_is_solved_as_scipy_solves_it(seed):
    rng = np.random.default_rng(seed)
    root, b, lower = rng.normal(size=(12, 9)), rng.normal(size=9) * 3, rng.normal(size=9)
    H = root.T @ root

    class Quadratic(discrepancy.Discrepancy):
        matrix = terms = speed = None

        def at(self, x):
            return 0.5 * x @ H @ x - b @ x, H @ x - b

        def hessian(self, x):
            return H

    problem, starts = Quadratic(H, 1), [lower + 1, lower + 3]
    found = lowest(problem, starts, lower)
    # The course begins at a start and ends where the search does.
    assert found.trace[0] in [problem.at(start)[0] for start in starts]
    assert found.trace[-1] == pytest.approx(found.value, abs=1e-6)
    # H x − b ≥ 0 ⊥ x ≥ lower, as non-negative least squares in x − lower.
    factor = linalg.cholesky(H)
    target = linalg.solve_triangular(factor, b - H @ lower, trans="T")
    expected = lower + optimize.nnls(factor, target)[0]
    np.testing.assert_allclose(found.x, expected, atol=1e-9)
    assert 0 < found.at_bound.sum() < 9
    assert found.n_optima == 1
    np.testing.assert_array_equal(found.at_bound, np.isclose(expected, lower))


def test_the_lowest_of_several_minima_is_taken_and_they_are_counted():
    class Wells(discrepancy.Discrepancy):
        matrix = terms = speed = None

        def at(self, x):
            """(x² − 1)² + x/4 in each x: two minima in each."""
            return float(((x**2 - 1) ** 2 + x / 4).sum()), 4 * x * (x**2 - 1) + 0.25

        def hessian(self, x):
            return np.diag(12 * x**2 - 4)

    starts = [np.array(pair, float) for pair in ([1, 1], [-1, 1], [1, -1], [-1, -1], [2, 2])]
    found = lowest(Wells(np.eye(2), 1), starts, np.full(2, -9.0))
    assert (found.x < -1).all()
    assert found.n_optima == 3
    assert found.trace[-1] == pytest.approx(found.value, abs=1e-9)


@pytest.mark.parametrize("method", ["ml", "gls"])
@pytest.mark.parametrize("floor", [0.005, 0.35])
def test_the_optimum_is_that_of_sequential_quadratic_programming(method, floor):
    R = np.corrcoef(table().T)
    model = FactorAnalysis(n_components=2, method=method, noise_floor=floor)
    silently(model.fit_covariance, R)
    problem = RESPONSE[method](R, 2)
    theirs = optimize.minimize(
        problem.at,
        np.full(8, -0.7),
        jac=True,
        method="SLSQP",
        bounds=[(np.log(floor), None)] * 8,
        options={"ftol": 1e-15, "maxiter": 1000},
    )
    np.testing.assert_allclose(model.noise_variance_, np.exp(theirs.x), atol=1e-6)
    assert (len(model.heywood_) > 0) == (floor > 0.1)


def test_the_e_and_m_step_are_regressions_on_the_expected_factors():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 5)) @ rng.normal(size=(5, 5))
    X -= X.mean(axis=0)
    S, W, noise = np.cov(X.T, ddof=0), rng.normal(size=(5, 2)), rng.uniform(0.5, 2, 5)
    Sigma = W @ W.T + np.diag(noise)
    Z = X @ np.linalg.solve(Sigma, W)
    V = np.eye(2) - W.T @ np.linalg.solve(Sigma, W)
    second_moment = Z.T @ Z / 40 + V
    beta, second, objective = expectations(S, W, noise)
    np.testing.assert_allclose(X @ beta.T, Z, atol=1e-12)
    np.testing.assert_allclose(second, second_moment, atol=1e-12)
    expected = np.linalg.slogdet(Sigma)[1] + np.trace(np.linalg.solve(Sigma, S))
    assert objective == pytest.approx(expected, rel=1e-12)
    new_W = X.T @ Z / 40 @ np.linalg.inv(second_moment)
    residual = ((X - Z @ new_W.T) ** 2).mean(axis=0) + ((new_W @ V) * new_W).sum(axis=1)
    found_W, found_noise = maximised(S, beta, second, np.zeros(5), expanded=False)
    np.testing.assert_allclose(found_W, new_W, atol=1e-12)
    np.testing.assert_allclose(found_noise, residual, atol=1e-12)
    wide_W, wide_noise = maximised(S, beta, second, np.full(5, 0.9), expanded=True)
    np.testing.assert_allclose(wide_W @ wide_W.T, new_W @ second_moment @ new_W.T, atol=1e-11)
    np.testing.assert_allclose(wide_noise, np.maximum(residual, 0.9), atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    p=st.integers(3, 9),
    floor=st.sampled_from([0.005, 0.05, 0.3]),
    expanded=st.booleans(),
)
def test_em_never_lowers_the_likelihood(seed, p, floor, expanded):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, p))
    S = np.cov(rng.normal(size=(int(rng.integers(2, 3 * p)), p)).T, ddof=0)
    least = floor * np.diag(S)
    W, noise = rng.normal(size=(p, k)), np.maximum(rng.uniform(0.1, 2, p), least)
    found = em(S, W, noise, least, expanded=expanded, tolerance=1e-300, max_iter=60)
    assert np.diff(found.trace).max() <= 1e-10 * max(1, np.abs(found.trace).max())
    assert (found.noise_variance >= least).all()


@pytest.mark.parametrize("floor", [0.005, 0.35])
def test_em_px_em_and_newton_share_their_optimum(floor):
    R = np.corrcoef(table().T)
    start = LOADINGS + 0.1, np.full(8, 0.5), np.full(8, floor)
    newton = FactorAnalysis(n_components=2, noise_floor=floor)
    silently(newton.fit_covariance, R)
    newton_trace = -2 * newton.log_likelihood_ - 8 * np.log(2 * np.pi)
    steps = {}
    for expanded in (False, True):
        found = em(R, *start, expanded=expanded, tolerance=1e-14, max_iter=20_000)
        assert found.converged
        # The very last steps are rounding, which differs between processors.
        steps[expanded] = int(np.argmax(found.trace < newton_trace + 1e-6))
        log_likelihood = -0.5 * (8 * np.log(2 * np.pi) + found.trace[-1])
        assert log_likelihood == pytest.approx(newton.log_likelihood_, abs=1e-11)
        np.testing.assert_allclose(found.noise_variance, newton.noise_variance_, atol=1e-5)
        implied = found.loadings @ found.loadings.T + np.diag(found.noise_variance)
        np.testing.assert_allclose(implied, newton.get_covariance(), atol=1e-5)
    if floor == 0.005:
        assert steps[True] < steps[False]


def test_em_that_is_cut_short_is_finished_by_newton():
    R = np.corrcoef(table().T)
    short = FactorAnalysis(n_components=2, algorithm="em", max_iter=3).fit_covariance(R)
    whole = FactorAnalysis(n_components=2).fit_covariance(R)
    np.testing.assert_allclose(short.noise_variance_, whole.noise_variance_, atol=1e-6)
    assert short.log_likelihood_trace_[3] < short.log_likelihood_trace_[-1]
    assert np.diff(short.log_likelihood_trace_).min() > -1e-12


def em_objective(S, Lambda, noise):
    Sigma = Lambda @ Lambda.T + np.diag(noise)
    return np.linalg.slogdet(Sigma)[1] + np.trace(np.linalg.solve(Sigma, S))


@pytest.mark.parametrize("n", [250, 6])
def test_no_perturbation_is_likelier_than_the_optimum(n):
    S = np.cov(table(n).T, ddof=0)
    model = silently(FactorAnalysis(n_components=2).fit_covariance, S)
    best = em_objective(S, model.loadings_, model.noise_variance_)
    rng, floor = np.random.default_rng(0), 0.005 * np.diag(S)
    for size in (1e-4, 1e-3, 1e-2, 0.1):
        for _ in range(25):
            Lambda = model.loadings_ + size * rng.normal(size=(8, 2))
            noise = np.maximum(model.noise_variance_ * np.exp(size * rng.normal(size=8)), floor)
            assert em_objective(S, Lambda, noise) > best - 1e-11


def weighted(S, weights):
    return lambda Sigma: 0.5 * (np.outer(weights, weights) * (S - Sigma) ** 2).sum()


def criteria(S):
    inverse = np.linalg.inv(S)
    return {
        "ml": lambda C: np.linalg.slogdet(C)[1] + np.trace(np.linalg.solve(C, S)),
        "gls": lambda C: 0.5 * np.trace(np.linalg.matrix_power(np.eye(len(S)) - inverse @ C, 2)),
        "minres": weighted(S, np.ones(len(S))),
        "wls": weighted(S, 1 / np.diag(inverse)),
    }


@pytest.mark.parametrize("matrix", ["correlation", "covariance"])
@pytest.mark.parametrize("method", ["ml", "gls", "minres", "wls"])
def test_the_solution_is_a_minimum_of_its_criterion_over_loadings_and_noise(method, matrix):
    units = np.linspace(0.7, 1.3, 8) if matrix == "covariance" else np.ones(8)
    S = np.corrcoef(table().T) * units[:, None] * units
    model = FactorAnalysis(n_components=2, method=method, matrix=matrix).fit_covariance(S)
    criterion = criteria(S)[method]

    def of(theta):
        Lambda = theta[:16].reshape(8, 2)
        return criterion(Lambda @ Lambda.T + np.diag(theta[16:]))

    theta = np.r_[model.loadings_.ravel(), model.noise_variance_]
    np.testing.assert_allclose(gradient_of(of, theta), 0, atol=2e-6)
    rng, best = np.random.default_rng(0), of(theta)
    for size in (1e-3, 1e-2, 0.1):
        for _ in range(20):
            assert of(theta + size * rng.normal(size=24) * 0.3) > best - 1e-10


def test_principal_axis_is_a_fixed_point_and_the_minimum_of_minres():
    R = np.corrcoef(table().T)
    model = FactorAnalysis(n_components=2, method="principal_axis").fit_covariance(R)
    values, vectors = np.linalg.eigh(R - np.diag(model.noise_variance_))
    expected = vectors[:, -2:] * values[-2:] @ vectors[:, -2:].T
    np.testing.assert_allclose(model.loadings_ @ model.loadings_.T, expected, atol=1e-9)
    np.testing.assert_allclose(np.diag(expected), 1 - model.noise_variance_, atol=1e-9)
    minres = FactorAnalysis(n_components=2, method="minres").fit_covariance(R)
    np.testing.assert_allclose(minres.noise_variance_, model.noise_variance_, atol=1e-7)


def test_alpha_is_a_fixed_point_of_kaiser_and_caffreys_equations():
    R = np.corrcoef(table().T)
    model = FactorAnalysis(n_components=2, method="alpha").fit_covariance(R)
    h = np.sqrt(1 - model.noise_variance_)
    values, vectors = np.linalg.eigh((R - np.diag(model.noise_variance_)) / np.outer(h, h))
    expected = np.outer(h, h) * (vectors[:, -2:] * values[-2:] @ vectors[:, -2:].T)
    np.testing.assert_allclose(model.loadings_ @ model.loadings_.T, expected, atol=1e-9)
    np.testing.assert_allclose((model.loadings_**2).sum(axis=1), h**2, atol=1e-9)


def test_principal_components_are_scaled_eigenvectors_of_the_whole_matrix():
    S = np.cov(table().T, ddof=0)
    model = FactorAnalysis(
        n_components=2, method="principal_component", matrix="covariance"
    ).fit_covariance(S)
    values, vectors = np.linalg.eigh(S)
    expected = vectors[:, -2:] * values[-2:] @ vectors[:, -2:].T
    np.testing.assert_allclose(model.loadings_ @ model.loadings_.T, expected, atol=1e-12)
    np.testing.assert_allclose(model.noise_variance_, np.diag(S - expected), atol=1e-12)


@pytest.mark.parametrize("method", ["minres", "principal_axis", "gls", "wls", "alpha"])
def test_each_method_finds_the_model_behind_an_exact_covariance(method):
    R = LOADINGS @ LOADINGS.T + np.diag(NOISE)
    model = FactorAnalysis(n_components=2, method=method).fit_covariance(R)
    np.testing.assert_allclose(model.noise_variance_, NOISE, atol=1e-6)
    np.testing.assert_allclose(model.get_covariance(), R, atol=1e-6)


def test_estimates_scatter_around_the_truth_as_the_information_says():
    """Log noise variances have covariance 2 H⁻¹/n, H the Hessian of the profile objective."""
    n, repeats, Sigma = 1000, 60, LOADINGS @ LOADINGS.T + np.diag(NOISE)
    estimates = []
    for seed in range(repeats):
        S = np.cov(table(n, seed).T, ddof=0)
        model = FactorAnalysis(n_components=2, n_starts=1).fit_covariance(S)
        estimates.append(np.log(model.noise_variance_))
    H = MaximumLikelihood(Sigma, 2).hessian(np.log(NOISE))
    errors = np.sqrt(np.diag(2 * np.linalg.inv(H)) / n)
    t = (np.mean(estimates, axis=0) - np.log(NOISE)) / errors * np.sqrt(repeats)
    assert np.abs(t).max() < 4
    ratio = np.std(estimates, axis=0) / errors
    assert ratio.min() > 0.7
    assert ratio.max() < 1.35


def test_the_chi_square_test_is_uniform_when_the_model_holds():
    rng = np.random.default_rng(11)
    loadings = np.array([0.8, 0.7, 0.6, 0.75, 0.65])
    p_values = []
    for _ in range(200):
        X = rng.normal(size=(200, 1)) * loadings
        X += rng.normal(size=(200, 5)) * np.sqrt(1 - loadings**2)
        p_values.append(FactorAnalysis(n_starts=1).fit(X).fit_statistics().p_value)
    assert stats.kstest(p_values, "uniform").pvalue > 0.05
    assert 0.01 < np.mean(np.array(p_values) < 0.05) < 0.1


@pytest.mark.parametrize("method", ["minres", "wls"])
@pytest.mark.parametrize("unit", [1e-4, 1e4])
def test_least_squares_of_a_covariance_do_not_depend_on_its_unit(method, unit):
    S = np.cov(table().T, ddof=0)
    model = FactorAnalysis(n_components=2, method=method, matrix="covariance")
    expected = model.fit_covariance(S).noise_variance_
    found = silently(model.fit_covariance, S * unit**2).noise_variance_
    np.testing.assert_allclose(found / unit**2, expected, atol=1e-5)


def test_alpha_survives_a_variable_without_correlations():
    R = 0.5 * np.eye(5) + 0.5
    R[4, :4] = R[:4, 4] = 0
    model = silently(FactorAnalysis(method="alpha").fit_covariance, R)
    np.testing.assert_allclose(model.noise_variance_, [0.5, 0.5, 0.5, 0.5, 1], atol=1e-6)
