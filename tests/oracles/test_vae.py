"""The VAE's bound against brute-force quadrature, and against the exact linear-Gaussian answer."""

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from latentia.errors import InputError
from latentia.models.autoencoders.vae import VAE
from latentia.training import draws


def test_the_bound_lies_below_the_likelihood_by_quadrature():
    """With one latent dimension log p(x) = log ∫ p(x given z) p(z) dz can be integrated."""
    X = (np.random.default_rng(0).random((60, 6)) > 0.5).astype(np.float64)
    model = VAE(n_components=1, hidden=(8,), n_epochs=60, batch_size=20, random_state=0).fit(X)
    grid = np.linspace(-9, 9, 4001)
    p = model.inverse_transform(grid[:, None])
    log_joint = (X[:, None] * np.log(p) + (1 - X[:, None]) * np.log1p(-p)).sum(-1)
    log_joint += stats.norm.logpdf(grid)
    exact = np.log(integrate.trapezoid(np.exp(log_joint), grid, axis=1)).mean()
    bounds = []
    for repeat in range(60):
        torch.manual_seed(repeat)
        total = model.bound_loss(torch.from_numpy(X).float()).total
        bounds.append(-float(total.detach()))
    standard_error = np.std(bounds) / np.sqrt(len(bounds))
    assert np.mean(bounds) <= exact + 3 * standard_error
    assert np.mean(bounds) >= exact - 1.0
    assert model.score(X) == pytest.approx(np.mean(bounds), abs=5 * np.std(bounds))


def test_a_gaussian_table_is_measured_in_its_own_units():
    """Scaling a column by c lowers the log-density by log c, whatever the net does."""
    X = np.random.default_rng(0).normal(size=(100, 4)) + 5
    scores = []
    for c in (1.0, 8.0):
        model = VAE(n_components=2, hidden=(8,), n_epochs=3, random_state=0).fit(X * c)
        draws.seed(0)
        scores.append(-float(model.bound_loss(torch.from_numpy(X * c).float()).total.detach()))
    assert scores[0] - scores[1] == pytest.approx(4 * np.log(8.0), abs=1e-3)


def test_beta_weighs_the_kl_term(images):
    plain, weighted = (
        VAE(n_components=2, hidden=(16,), beta=beta, n_epochs=150, random_state=0).fit(images)
        for beta in (0.01, 100.0)
    )
    assert weighted.bound_terms(images)["kl"] < 0.1 * plain.bound_terms(images)["kl"]
    terms = plain.bound_terms(images)
    assert terms["negative_elbo"] == pytest.approx(terms["reconstruction"] + terms["kl"])


def test_bernoulli_needs_the_unit_range(table):
    with pytest.raises(InputError, match="bernoulli"):
        VAE(observation="bernoulli").fit(table)
    assert VAE(n_epochs=1, hidden=(4,)).fit(table).observation_ == "gaussian"
