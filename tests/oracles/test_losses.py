"""Losses against the papers' formulas, SciPy and torch's distributions, in float64."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch.distributions import Bernoulli, Normal, kl_divergence

from latentia.models.autoencoders import likelihood
from latentia.models.autoencoders.vae import kl_per_component
from latentia.training import losses


@pytest.fixture
def draws():
    torch.manual_seed(0)
    return torch.rand(7, 2, 3, 4, dtype=torch.float64)


def test_bernoulli_likelihood(draws):
    logits = torch.randn_like(draws) * 3
    x = (draws > 0.5).double()
    expected = -Bernoulli(logits=logits).log_prob(x).flatten(1).sum(1).mean()
    torch.testing.assert_close(likelihood.bernoulli_cross_entropy(x, logits).mean(), expected)


def test_bernoulli_likelihood_never_overflows():
    x, logits = torch.ones(1, 1), torch.full((1, 1), -1e4)
    assert likelihood.bernoulli_cross_entropy(x, logits) == 1e4


def test_gaussian_likelihood(draws):
    mean = torch.randn_like(draws)
    expected = -stats.norm(mean, np.sqrt(0.3)).logpdf(draws).reshape(7, -1).sum(1).mean()
    found = likelihood.gaussian_negative_log_density(draws, mean, 0.3).mean()
    assert float(found) == pytest.approx(expected, rel=1e-12)


def test_kl_to_the_prior():
    torch.manual_seed(1)
    mean, scale = torch.randn(6, 3).double(), torch.rand(6, 3).double() + 0.1
    q = Normal(mean, scale)
    expected = kl_divergence(q, Normal(0.0, 1.0)).sum(1).mean()
    torch.testing.assert_close(kl_per_component(q).sum(1).mean(), expected)


@pytest.mark.parametrize("target", [0.0, 0.9, 1.0])
def test_real_fake_cross_entropy(target):
    logits = torch.randn(9, 1, dtype=torch.float64)
    d = torch.sigmoid(logits)
    expected = -(target * d.log() + (1 - target) * (1 - d).log()).mean()
    torch.testing.assert_close(losses.real_fake_cross_entropy(logits, target), expected)


def test_real_fake_squares():
    verdicts = np.random.default_rng(0).normal(size=(4, 1, 3, 3))
    for target in (0.0, 1.0):
        found = losses.real_fake_squares(torch.from_numpy(verdicts), target)
        assert float(found) == pytest.approx(np.mean((verdicts - target) ** 2))


def test_at_the_optimal_discriminator_the_value_is_log_4_when_the_densities_agree():
    logits = torch.zeros(10, 1, dtype=torch.float64)  # D* = 1/2
    value = losses.real_fake_cross_entropy(logits, 1.0) + losses.real_fake_cross_entropy(
        logits, 0.0
    )
    assert float(value) == pytest.approx(np.log(4), rel=1e-12)
