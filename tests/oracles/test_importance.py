"""Tails of importance weights: known laws, an exact posterior made too narrow, equal rows."""

import copy
import warnings

import numpy as np
import pytest
import torch
from scipy import stats

import latentia
from latentia.errors import FitWarning
from latentia.evaluation.evaluate import importance_bound
from latentia.metrics.importance import pareto_shape, tail_length
from latentia.models.autoencoders.importance import ImportanceEstimate
from latentia.models.autoencoders.linear_vae import LinearVAE

N_DRAWS = 10_000


def shape_of(log_weights):
    """Return the mean shape of the tails of (n, S) log weights."""
    tail = np.sort(log_weights, axis=1)[:, -tail_length(log_weights.shape[1]) - 1 :]
    return pareto_shape(tail).mean()


@pytest.mark.parametrize("k", [0.1, 0.3, 0.5, 0.7, 0.9, 1.3])
def test_the_shape_of_pareto_weights(k):
    """w^(1/k) of an exponential's e^E is Pareto: every tail of it has the shape k."""
    log_w = k * np.random.default_rng(0).exponential(size=(20, N_DRAWS))
    assert shape_of(log_w) == pytest.approx(k, abs=0.05)
    assert shape_of(log_w - 700) == pytest.approx(shape_of(log_w))


@pytest.mark.parametrize(
    ("law", "k"),
    [(stats.uniform, -1.0), (stats.expon, 0.0), (stats.t(4), 0.25), (stats.genpareto(0.8), 0.8)],
)
def test_the_shape_of_known_laws(law, k):
    w = law.rvs(size=(20, N_DRAWS), random_state=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_w = np.where(w > 0, np.log(w), -np.inf)
    assert shape_of(log_w) == pytest.approx(k, abs=0.12)


def test_the_shape_is_near_the_likeliest_one():
    """Of few values it lies between the likeliest shape and 1/2, ten draws towards it."""
    w = np.sort(stats.genpareto(0.4).rvs(size=400, random_state=1))
    likeliest, _, _ = stats.genpareto.fit(w, floc=0)
    shrunk = (400 * likeliest + 10 * 0.5) / 410
    found = pareto_shape(np.log(np.concatenate([[1.0], 1 + w]))[None])
    assert found[0] == pytest.approx(shrunk, abs=0.02)


def test_what_shows_no_tail():
    assert np.isnan(pareto_shape(np.zeros((2, 1)))).all()
    assert (pareto_shape(np.zeros((2, 50))) == -np.inf).all()


@pytest.fixture(scope="module")
def exact():
    """A linear VAE of one component with its exact posterior, and its data."""
    X = np.random.default_rng(0).normal(size=(60, 3)) * [3, 2, 1]
    model = LinearVAE(n_components=1, n_epochs=20, batch_size=60, random_state=0).fit(X)
    with torch.no_grad():
        (W,) = model.decoder_.parameters()
        v = model.noise_()
        M = W.T @ W + v
        model.encoder_.mean.weight.copy_(W.T / M)
        model.encoder_.log_variance.copy_((v / M).log().ravel())
    return model, X


def narrowed(model, share):
    """Return the model, its posterior's variance a share of what it was."""
    twin = copy.deepcopy(model)
    with torch.no_grad():
        twin.encoder_.log_variance += np.log(share)
    return twin


@pytest.mark.parametrize("share", [0.05, 0.1, 0.8])
def test_weights_of_a_narrow_posterior_have_the_shape_that_theory_says(exact, share):
    """log w = ½ (1 − s²) χ² + constant, whose tail has k = 1 − s²; log p(x) is known."""
    model, X = exact
    found = narrowed(model, share).importance_estimate(X, n_importance=2000)
    assert found.pareto_k.mean() == pytest.approx(1 - share, abs=0.12)
    far = np.abs(found.bounds - model.exact_score_samples(X)) / found.standard_errors
    if share == 0.8:
        assert found.n_heavy == 0
        assert np.median(far) < 1.2
    else:
        assert found.n_heavy > 35
        assert f"{found.n_heavy} of 60" in str(found)
        assert "not to be trusted" in str(found)
        assert found.effective_sample_sizes.min() < 1000


def test_an_exact_posterior_has_no_tail(exact):
    model, X = exact
    found = model.importance_estimate(X, n_importance=200)
    np.testing.assert_allclose(found.bounds, model.exact_score_samples(X), atol=1e-4)
    np.testing.assert_allclose(found.effective_sample_sizes, 200, rtol=1e-4)


def test_an_error_that_is_not_to_be_trusted_says_so(exact):
    model, X = exact
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        narrowed(model, 0.95).score_samples(X, n_importance=2000, return_std=True)
        narrowed(model, 0.05).score_samples(X, n_importance=200)
    with pytest.warns(FitWarning, match="Pareto k is above 0.7 for") as told:
        narrowed(model, 0.05).score_samples(X, n_importance=200, return_std=True)
    assert {warning.filename for warning in told} == {__file__}


def test_the_bound_is_printed_with_what_its_weights_say(exact):
    model, X = exact
    data = latentia.data.dataset.Dataset("x", X, None, X, None)
    said = str(importance_bound(narrowed(model, 0.05), data, 400))
    assert "effective sample size" in said
    assert "not to be trusted" in said
    assert "Pareto k at most" in str(importance_bound(narrowed(model, 0.9), data, 400))
    assert "take 25" in str(importance_bound(model, data, 7))


@pytest.mark.parametrize(
    ("shapes", "told"),
    [
        ([0.25, 0.5, -1.0], "Pareto k at most 0.50"),
        ([-0.5, -0.25, -1.0], "Pareto k at most 0.00"),
        (
            [0.75, 1.25, 0.5],
            "Pareto k is above 0.7 for 2 of 3 samples (at most 1.25): their weights have a heavy "
            "tail, so that the bound and its error from the draws are not to be trusted",
        ),
        (
            [np.nan, 0.5, 0.5],
            "so few draws do not show whether their error can be trusted: take 25",
        ),
    ],
)
def test_what_weights_say_is_told_with_its_numbers(shapes, told):
    found = ImportanceEstimate(np.zeros(3), np.ones(3), np.array([4.5, 90, 300]), np.array(shapes))
    assert str(found) == f"effective sample size 90 (median), 4.5 (least); {told}"


@pytest.mark.parametrize("k", [1, 5])
def test_equal_rows_have_draws_of_their_own(exact, k):
    """Two hundred times one row: as many estimates, whose mean's error is what they say it is."""
    model = narrowed(exact[0], 0.5)
    X = np.repeat(exact[1][:1], 200, axis=0)
    scores = model.score_samples(X, n_importance=k)
    assert len(np.unique(scores)) == 200
    np.testing.assert_array_equal(scores, model.score_samples(X, n_importance=k))
    assert scores[0] == model.score_samples(X[:1], n_importance=k)[0]


def test_equal_rows_with_draws_of_their_own_are_repeated_estimates(exact):
    model = narrowed(exact[0], 0.8)
    X = np.repeat(exact[1][:1], 300, axis=0)
    found = model.importance_estimate(X, n_importance=100)
    ratio = found.bounds.std() / np.median(found.standard_errors)
    assert 0.8 < ratio < 1.3
