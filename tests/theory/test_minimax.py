"""The game's value and its optimum: theorem 1, brute force over D, and a net that learns D*."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from scipy.special import expit, logit

from latentia.errors import InputError
from latentia.theory.densities import mixture
from latentia.theory.minimax import (
    optimal_logit,
    train_discriminator,
    value,
    virtual_criterion,
)

norm = stats.norm
DENSITIES = [
    (norm(0), norm(0)),
    (norm(0), norm(2, 1.3)),
    (norm(0), norm(60)),
    (mixture([norm(-2, 0.5), norm(2, 0.5)], [0.5, 0.5]), norm(0, 2)),
    (stats.uniform(), stats.uniform(0.5, 1)),
    (stats.expon(), stats.cauchy()),
]


@pytest.mark.parametrize(("p", "q"), DENSITIES)
def test_theorem_1_of_densities(p, q):
    best = value(optimal_logit(p, q), p, q)
    assert best == pytest.approx(virtual_criterion(p, q), abs=1e-10)
    assert -math.log(4) - 1e-12 <= best <= 0


@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
@settings(max_examples=40, deadline=None)
def test_theorem_1_of_probabilities(seed, n):
    rng = np.random.default_rng(seed)
    p, q = rng.dirichlet(np.full(n, 0.5), size=2)
    best = optimal_logit(p, q)
    assert value(best, p, q) == pytest.approx(virtual_criterion(p, q), abs=1e-12)
    other = best + rng.normal(size=n)
    assert value(other, p, q) <= value(best, p, q) + 1e-12


def test_no_discriminator_is_better():
    p, q = np.array([0.2, 0.5, 0.3]), np.array([0.6, 0.3, 0.1])
    found = optimize.minimize(lambda u: -value(u, p, q), np.zeros(3), tol=1e-12)
    np.testing.assert_allclose(expit(found.x), p / (p + q), atol=1e-5)
    assert -found.fun == pytest.approx(virtual_criterion(p, q), abs=1e-9)


def test_the_optimum_where_one_or_both_are_zero():
    D = expit(optimal_logit([0.5, 0.5, 0.0, 0.0], [0.0, 0.25, 0.75, 0.0]))
    np.testing.assert_allclose(D, [1, 2 / 3, 0, np.nan])
    assert value(optimal_logit([1.0, 0.0], [0.0, 1.0]), [1.0, 0.0], [0.0, 1.0]) == 0


def test_the_optimum_of_normals_is_a_logistic_curve():
    x = np.linspace(-60, 60, 9)
    np.testing.assert_allclose(optimal_logit(norm(1), norm(-1))(x), 2 * x, atol=1e-11)


def test_value_by_its_definition():
    def half(x):
        return np.zeros_like(x)

    def odd(x):
        return np.tanh(x) - 0.3

    assert value(half, norm(0), norm(3)) == pytest.approx(-math.log(4), abs=1e-12)
    expected = norm(0).expect(lambda x: np.log(expit(odd(x)))) + norm(1).expect(
        lambda x: np.log(expit(-odd(x)))
    )
    assert value(odd, norm(0), norm(1)) == pytest.approx(expected, abs=1e-8)


def test_a_trained_discriminator_approaches_the_optimum():
    p, q = norm(10, 2), norm(13, 1)
    samples = [d.rvs(2000, random_state=seed) for seed, d in enumerate((p, q))]
    learnt = train_discriminator(*samples, n_steps=150, random_state=0)
    best = optimal_logit(p, q)
    x = np.linspace(6, 15, 60)
    density = (p.pdf(x) + q.pdf(x)) / 2
    gap = np.abs(expit(learnt(x)) - expit(best(x)))
    assert gap @ density / density.sum() < 0.03
    reached, most = value(learnt, p, q), value(best, p, q)
    assert most - 0.03 < reached < most
    again = train_discriminator(*samples, n_steps=150, random_state=0)
    np.testing.assert_array_equal(again(x), learnt(x))


@pytest.mark.parametrize(
    "setting", [{"hidden": 4}, {"n_steps": 6}, {"learning_rate": 0.02}, {"random_state": 1}]
)
def test_every_setting_of_the_training_has_an_effect(setting):
    x = np.random.default_rng(0).normal([[0.0], [1.0]], size=(2, 50))
    places = np.linspace(-2, 2, 5)
    plain, again, other = (
        train_discriminator(*x, **{"n_steps": 5} | fields)(places) for fields in ({}, {}, setting)
    )
    np.testing.assert_array_equal(plain, again)
    assert np.abs(plain - other).min() > 1e-6


def test_errors_name_what_is_wrong():
    with pytest.raises(InputError, match=r"2 probabilities and logits of shape \(3,\)"):
        value(np.zeros(3), [0.5, 0.5], [0.5, 0.5])
    with pytest.raises(InputError, match="q sums to"):
        optimal_logit([0.5, 0.5], [0.5, 0.4])
    with pytest.raises(InputError, match=r"x_g has shape \(0,\)"):
        train_discriminator([0.0], [])
    with pytest.raises(InputError, match="every sample is 1"):
        train_discriminator([1.0], [1.0])
    with pytest.raises(InputError, match="hidden is 0"):
        train_discriminator([1.0], [2.0], hidden=0)


def test_logits_are_those_of_d():
    p, q = [0.2, 0.8], [0.5, 0.5]
    np.testing.assert_allclose(optimal_logit(p, q), logit(np.array(p) / (np.array(p) + q)))


def test_samples_of_the_wrong_shape_are_named():
    good = np.zeros(3)
    for bad, shape in ((np.zeros((3, 2)), "(3, 2)"), (np.zeros(0), "(0,)"), ([np.nan], "(1,)")):
        for name, pair in (("x_data", (bad, good)), ("x_g", (good, bad))):
            with pytest.raises(InputError) as refused:
                train_discriminator(*pair, n_steps=1)
            assert (
                str(refused.value) == f"{name} has shape {shape}; give a vector of finite samples"
            )
