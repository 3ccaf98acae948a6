"""Divergences against SciPy, closed forms and brute force; their laws on drawn distributions."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

from latentia.errors import InputError
from latentia.theory.densities import as_density, mixture
from latentia.theory.divergences import (
    js_divergence,
    kl_divergence,
    total_variation,
    wasserstein,
)
from latentia.theory.lines import parallel_lines
from latentia.theory.quadrature import panel_integrals

norm = stats.norm


def kl_of_normals(m, s, n, t):
    return math.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - 0.5


@st.composite
def pairs(draw):
    n = draw(st.integers(1, 7))
    weights = st.lists(st.floats(0, 1), min_size=n, max_size=n).filter(lambda w: sum(w) > 1e-3)
    return [np.array(w) / sum(w) for w in (draw(weights), draw(weights))]


@given(pairs())
@settings(max_examples=60, deadline=None)
def test_discrete_laws(pair):
    p, q = pair
    js, tv, kl = js_divergence(p, q), total_variation(p, q), kl_divergence(p, q)
    assert 0 <= js <= math.log(2) + 1e-12
    assert js == pytest.approx(js_divergence(q, p), abs=1e-14)
    assert 0 <= tv <= 1 + 1e-12
    assert tv <= math.sqrt(kl / 2) + 1e-7  # Pinsker
    assert tv**2 / 2 - 1e-12 <= js <= math.log(2) * tv + 1e-12  # Lin 1991, theorem 3
    assert kl_divergence(p, p) == 0 == pytest.approx(js_divergence(p, p), abs=1e-14)
    assert kl == pytest.approx(special.rel_entr(p, q).sum(), abs=1e-12)
    assert tv == pytest.approx(np.maximum(p - q, 0).sum(), abs=1e-6)


@given(pairs(), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_wasserstein_of_probabilities_is_scipys(pair, seed):
    x = np.random.default_rng(seed).normal(size=(2, len(pair[0]))) * 10
    expected = stats.wasserstein_distance(*x, *pair)
    assert wasserstein(*pair, *x) == pytest.approx(expected, abs=1e-9)


def test_wasserstein_is_the_cheapest_transport():
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(3))
    x, y = rng.normal(size=4), rng.normal(size=3)
    rows, columns = np.kron(np.eye(4), np.ones(3)), np.kron(np.ones(4), np.eye(3))
    cost = np.abs(x[:, None] - y).ravel()
    plan = optimize.linprog(cost, A_eq=np.vstack([rows, columns]), b_eq=[*p, *q])
    assert wasserstein(p, q, x, y) == pytest.approx(plan.fun, abs=1e-9)


@pytest.mark.parametrize("values", [(0, 1, 1, 2), (0, 1, 0, 0.01), (30, 1, 0, 1), (5, 1e-6, 5, 1)])
def test_kl_of_normals(values):
    m, s, n, t = values
    expected = kl_of_normals(m, s, n, t)
    assert kl_divergence(norm(m, s), norm(n, t)) == pytest.approx(expected, rel=1e-9)


def test_kl_is_not_symmetric():
    narrow, wide = norm(0, 1), norm(0, 3)
    assert kl_divergence(wide, narrow) > 4 * kl_divergence(narrow, wide)


def test_continuous_closed_forms():
    assert total_variation(norm(0), norm(1)) == pytest.approx(2 * norm.cdf(0.5) - 1, abs=1e-12)
    assert wasserstein(norm(-2, 3), norm(5, 3)) == pytest.approx(7, abs=1e-9)
    expected = 2 * math.sqrt(2 / math.pi)
    assert wasserstein(norm(0, 1), norm(0, 3)) == pytest.approx(expected, abs=1e-9)
    assert wasserstein(stats.expon(), stats.expon(scale=3)) == pytest.approx(2, abs=1e-9)
    assert kl_divergence(stats.expon(), stats.expon(scale=3)) == pytest.approx(
        math.log(3) + 1 / 3 - 1, abs=1e-10
    )
    uniform = stats.uniform(0.25, 0.5)
    assert kl_divergence(uniform, stats.uniform()) == pytest.approx(math.log(2), abs=1e-12)
    assert kl_divergence(stats.uniform(), uniform) == math.inf
    assert js_divergence(norm(0), norm(200)) == pytest.approx(math.log(2), abs=1e-12)
    beta = stats.beta(0.5, 0.5)
    assert kl_divergence(beta, stats.uniform()) == pytest.approx(-beta.entropy(), abs=1e-6)


def test_divergent_tails_are_infinite_and_heavy_ones_are_not():
    assert kl_divergence(stats.cauchy(), norm()) == math.inf
    assert kl_divergence(stats.t(2), norm()) == math.inf
    assert kl_divergence(stats.halfcauchy(), stats.halfnorm()) == math.inf
    assert kl_divergence(stats.halfnorm(), stats.halfcauchy()) < 0.3
    assert wasserstein(stats.cauchy(), norm()) == math.inf
    assert wasserstein(stats.cauchy(), stats.cauchy(2)) == pytest.approx(2, abs=1e-9)
    t = stats.t(2.5)
    expected = -t.entropy() + 0.5 * math.log(2 * math.pi) + t.var() / 2
    assert kl_divergence(t, norm()) == pytest.approx(expected, abs=1e-8)


def test_functions_are_as_good_as_scipys():
    f, g = (as_density(norm(m).pdf, (-12, 13)) for m in (0, 1))
    assert kl_divergence(f, g) == pytest.approx(0.5, abs=1e-10)
    assert wasserstein(f, norm(1)) == pytest.approx(1, abs=1e-9)
    assert js_divergence(f, g) == pytest.approx(js_divergence(norm(0), norm(1)), abs=1e-10)


def test_a_mixture_is_the_average_of_its_parts():
    parts, weights = [norm(-2, 0.5), stats.expon(1)], [0.3, 0.7]
    density = mixture(parts, weights)
    x = np.linspace(-4, 6, 50)
    for name in ("pdf", "cdf", "sf"):
        expected = sum(w * getattr(part, name)(x) for w, part in zip(weights, parts))
        np.testing.assert_allclose(getattr(density, name)(x), expected, atol=1e-14)
    np.testing.assert_allclose(
        density.cdf(density.ppf(np.array([0.1, 0.5, 0.9]))), [0.1, 0.5, 0.9], atol=1e-5
    )
    by_hand = as_density(lambda x: sum(w * d.pdf(x) for w, d in zip(weights, parts)), (-6, 35.0))
    assert total_variation(density, by_hand) < 1e-3
    draws = density.rvs(4000, np.random.default_rng(0))
    assert stats.kstest(draws, density.cdf).pvalue > 0.01


def test_fine_grids_approach_the_densities():
    edges = np.linspace(-9, 10, 4001)
    p, q = (np.diff(norm(m).cdf(edges)) for m in (0, 1))
    x = (edges[1:] + edges[:-1]) / 2
    pair = [side / side.sum() for side in (p, q)]
    assert kl_divergence(*pair) == pytest.approx(0.5, abs=1e-4)
    assert js_divergence(*pair) == pytest.approx(js_divergence(norm(0), norm(1)), abs=1e-4)
    assert wasserstein(*pair, x) == pytest.approx(1, abs=1e-4)


def test_quadrature_meets_jumps_kinks_and_poles():
    f = panel_integrals(lambda x: np.abs(x - 1 / 3) + (x > 0.7), np.array([0.0, 1.0]))
    assert f[0] == pytest.approx(1 / 18 + 4 / 18 + 0.3, abs=1e-10)
    pole = panel_integrals(lambda x: x**-0.5, np.array([0.0, 1.0]))
    assert pole[0] == pytest.approx(2, abs=1e-7)


def test_parallel_lines():
    theta = np.array([-2.0, -1e-9, 0.0, 0.3])
    curves = parallel_lines(theta)
    np.testing.assert_array_equal(curves.wasserstein, np.abs(theta))
    np.testing.assert_array_equal(curves.js_divergence, np.log(2) * (theta != 0))
    np.testing.assert_array_equal(curves.total_variation, theta != 0)
    for kl in (curves.kl_forward, curves.kl_reverse):
        np.testing.assert_array_equal(kl, [np.inf, np.inf, 0, np.inf])
    with pytest.raises(InputError, match="finite distances"):
        parallel_lines([0.0, np.nan])


@pytest.mark.parametrize(
    ("p", "q", "words"),
    [
        ([0.5, 0.6, -0.1], [0.5, 0.5, 0], r"p holds -0.1; probabilities are at least 0"),
        ([0.5, 0.5], [0.5, 0.6], r"q sums to 1.1; probabilities sum to 1"),
        ([1.0], [0.5, 0.5], "p has 1 probabilities, q has 2"),
        ([0.5, np.nan], [0.5, 0.5], "p holds NaN"),
        ([[0.5, 0.5]], [0.5, 0.5], r"p has shape \(1, 2\)"),
        ([], [], r"p has shape \(0,\)"),
        ([0.5, 0.5], norm(), "one of p and q is a vector"),
        (np.exp, np.exp, r"as_density\(p, \(low, high\)\)"),
        (stats.poisson(3), stats.poisson(4), "is no density"),
    ],
)
def test_what_is_no_distribution_is_refused(p, q, words):
    for divergence in (kl_divergence, js_divergence, total_variation):
        with pytest.raises(InputError, match=words):
            divergence(p, q)


def test_what_is_no_density_is_refused():
    with pytest.raises(InputError, match=r"integrates to 2 over \(0, 2\)"):
        as_density(np.ones_like, (0, 2))
    with pytest.raises(InputError, match="is -1 at 0"):
        as_density(lambda x: x - 1, (0, 2))
    with pytest.raises(InputError, match=r"returns shape \(1,\)"):
        as_density(lambda x: np.ones(1), (0, 1))
    with pytest.raises(InputError, match="finite and increasing"):
        as_density(np.ones_like, (1, 0))
    with pytest.raises(InputError, match="ndarray is no density"):
        as_density(np.ones(3))
    with pytest.raises(InputError, match="2 components have 1 weights"):
        mixture([norm(), norm(1)], [1.0])


def test_places_are_checked():
    with pytest.raises(InputError, match="x_p is missing"):
        wasserstein([1.0], [1.0])
    with pytest.raises(InputError, match=r"x_q has shape \(2,\); give 1 finite"):
        wasserstein([1.0], [1.0], [0.0], [0.0, 1.0])
    with pytest.raises(InputError, match="densities need none"):
        wasserstein(norm(), norm(), [0.0])
