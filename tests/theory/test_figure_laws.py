"""What the lectures' figures find is what the theory says, by numbers of their sentences."""

import re
import warnings

import numpy as np
import pytest
import torch

import latentia.theory.figures as figures
from latentia.errors import FitWarning
from latentia.theory.figures import distances, estimation
from tests import outlines
from tests.theory.test_figures import OF_LAWS


@pytest.fixture
def told(request):
    """Return the numbers of each sentence that a figure notes, without signs of percent."""

    def told_by(name):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)
            drawn = figures.draw(name, "en")
        sentences = drawn.numbers
        if name in OF_LAWS:
            outlines.hold(name, drawn.figure, drawn.sheet)
        found = [figures.NUMBER.findall(re.sub(r"inf", "0", each)) for each in sentences]
        plain = [[n.rstrip("%").replace("−", "-").replace(",", "") for n in ns] for ns in found]
        return [[float(n) for n in ns if n] for ns in plain], sentences

    return told_by


def test_parallel_lines(told):
    rows, _ = told("parallel-lines")
    assert [row[1] for row in rows] == [1, 0.5, 0.01, 0, 0.5]
    assert [row[2] for row in rows] == [0.6931] * 3 + [0, 0.6931]


def test_the_jsd_is_what_a_gan_minimises(told):
    (*rows, difference, trained), _ = told("jsd-derivation")
    assert rows[0][1] == pytest.approx(-np.log(4), abs=1e-6)
    assert all(row[1] == row[-1] for row in rows)
    assert difference[0] < 1e-10
    assert trained[0] < trained[1]
    (lines,), _ = told("jsd-line-by-line")
    assert lines[0] < 1e-9


def test_kl_covers_or_seeks(told):
    (forward, reverse, _), _ = told("kl-asymmetry")
    assert forward[:2] == pytest.approx([0.4, 2.09], abs=0.02)
    assert reverse[0] == pytest.approx(2, abs=0.1)
    assert reverse[1] < 1


def test_the_game_ends_at_one_half(told):
    rows, _ = told("gan-game")
    js, gap = np.array([row[1:] for row in rows]).T
    assert js[0] > 0.1 > 0.01 > js[-1]
    assert gap[0] > gap[-1]


def test_an_expectation_comes_nearer_as_draws_add_up(told):
    rows, _ = told("monte-carlo")
    n, mean, error, truth = np.array(rows).T
    assert error[0] / error[-1] == pytest.approx(np.sqrt(1000), rel=0.5)
    assert (np.abs(mean - np.exp(0.5)) < 3 * error).all()
    assert truth == pytest.approx(np.exp(0.5), abs=1e-4)
    assert n[-1] == 100_000


def test_maximum_likelihood_is_likeliest_and_components_reconstruct_best(told):
    rows, _ = told("factors-of-digits")
    nats, errors = np.array([row[:2] for row in rows[:3]]).T
    assert nats.argmin() == 2
    assert errors.argmin() == 0


def test_pca_turns_to_the_noise_and_factors_do_not(told):
    rows, _ = told("pca-against-factors")
    assert rows[0][1] < 5
    assert rows[-1][1] > 45
    assert rows[-1][2] < 10


def test_em_never_falls_and_nears_the_maximum(told):
    np.testing.assert_allclose(estimation._cloud(60).mean(axis=0), 0, atol=1e-12)
    ((first, third, _, last, _, most),), _ = told("em-steps")
    assert first < third < last <= most
    assert most - last < 0.01


def test_only_the_covariance_is_identified(told):
    (likelihoods, ends), _ = told("em-starts")
    assert likelihoods[0] < 1e-6
    assert ends[0] < 1e-3
    assert ends[1] > 0.1


def test_no_discriminator_beats_the_optimal_one(told):
    rows, _ = told("value-function")
    assert max(row[-1] for row in rows) == rows[-1][-1]
    assert rows[0][-1] == pytest.approx(-np.log(4), abs=1e-3)


def test_turns_meet_the_data_and_one_player_alone_does_not(told):
    (only_d, only_g, both), _ = told("taking-turns")
    assert only_d[0] == 2
    assert only_g[0] > 5
    assert both == pytest.approx([4, -np.log(4), 0.5], abs=0.01)


def test_the_penalised_critic_is_nowhere_steep_between_real_and_fake():
    real, fake = torch.zeros(16, 1), torch.full((16, 1), 3.0)
    x = torch.linspace(0, 3, 31)[:, None].requires_grad_()
    critic = distances._trained(real, fake, critic=True)
    (slope,) = torch.autograd.grad(critic(x).sum(), x)
    assert (slope > -1.2).all()
    assert slope.mean() == pytest.approx(-1, abs=0.1)


def test_a_linear_autoencoder_lies_in_the_plane_of_pca(told):
    (pca, linear, angles), _ = told("pca-by-autoencoder")
    assert pca[-1] <= linear[-1] < 1.001 * pca[-1]
    assert angles[2] < 0.1


@pytest.mark.slow
def test_a_deep_code_of_two_numbers_tells_digits_better_than_pca(told):
    (pca, deep), _ = told("pca-against-autoencoder")
    assert deep[1] > pca[1] + 10
    assert deep[-1] < 0.8 * pca[-1]


@pytest.mark.slow
def test_bounds_stay_below_the_likelihood(told):
    rows, _ = told("bounds-of-a-linear-vae")
    for _, elbo, many, exact in rows:
        assert elbo < many <= exact + 0.05
        assert exact - many < 0.2 * (exact - elbo)


@pytest.mark.slow
def test_denoising_gains_decibels(told):
    rows, _ = told("denoising")
    assert all(row[1] > row[0] + 2 for row in rows)


@pytest.mark.slow
def test_the_ring_collapses_and_minibatch_discrimination_cures_it(told):
    rows, _ = told("mode-collapse")
    assert max(rows[0][:3]) <= 4
    assert min(rows[2][:3]) >= 6


@pytest.mark.slow
def test_tight_clipping_vanishes(told):
    rows, _ = told("weight-clipping")
    *clipped, penalised = [row[-3] for row in rows]
    assert clipped == sorted(clipped)
    assert clipped[0] < 1e-5
    assert clipped[-1] > 10
    assert 0.5 < penalised < 2


@pytest.mark.slow
def test_a_game_without_batch_norm_ends_with_few_digits(told):
    rows, _ = told("collapse-on-digits")
    healthy, collapsed = rows[2], rows[5]
    assert healthy[1] == 10
    assert collapsed[1] <= 3


@pytest.mark.slow
def test_hats_sit_and_the_rest_is_kept(told):
    (overlap, off), _ = told("add-a-hat")
    assert overlap[0] > 40
    assert off[0] < 0.08


@pytest.mark.slow
def test_an_lstm_reaches_farther_back_than_an_rnn_as_built(told):
    _, sentences = told("back-through-time")
    reach = {each.split(": reaches")[0]: int(each.split("reaches ")[1].split()[0])
             for each in sentences}  # fmt: skip
    assert reach["as built, RNN, ReLU"] < reach["as built, RNN, tanh"]
    assert reach["as built, RNN, tanh"] < reach["as built, LSTM: c_t"]
