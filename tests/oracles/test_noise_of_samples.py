"""Samples with noise have the moments of p(x given z) around their means."""

import numpy as np
import pytest

import latentia
from latentia.errors import InputError

X = np.random.default_rng(0).normal(size=(64, 3)) * [1, 5, 20]
N = 4_000


ASKED = {
    "VAE": ({}, {}),
    "ConditionalVAE": ({}, {"y": 1}),
    "VaDE": ({"n_clusters": 2, "pretrain_epochs": 1}, {"cluster": 1}),
}
"""Models whose samples are their own, with further fields and what they are asked for."""


@pytest.mark.parametrize("name", ASKED)
def test_noise_of_a_gaussian_has_its_variance_in_each_columns_unit(name):
    fields, asked = ASKED[name]
    model = getattr(latentia, name)(
        n_components=2, hidden=(4,), n_epochs=1, random_state=0, noise_variance=0.25, **fields
    ).fit(X, np.arange(64) % 2)
    means, drawn = (
        model.sample(N, random_state=1, noise=noise, **asked) for noise in (False, True)
    )
    assert np.array_equal(means, model.sample(N, random_state=1, **asked))
    expected = 0.5 * X.std(axis=0)
    np.testing.assert_allclose((drawn - means).std(axis=0), expected, rtol=0.05)
    assert np.abs((drawn - means).mean(axis=0) / expected).max() < 0.1


def test_noise_of_bits_is_their_probability():
    bits = (X > 0).astype(float)
    model = latentia.VAE(n_components=2, hidden=(4,), n_epochs=1, random_state=0).fit(bits)
    means, drawn = (model.sample(N, random_state=1, noise=noise) for noise in (False, True))
    assert set(np.unique(drawn)) == {0, 1}
    np.testing.assert_allclose(drawn.mean(axis=0), means.mean(axis=0), atol=0.04)


def test_samples_of_a_linear_vae_have_the_covariance_of_its_density():
    model = latentia.LinearVAE(n_components=1, n_epochs=3, random_state=0).fit(X)
    (weight,) = model.decoder_.parameters()
    W = weight.detach().double().numpy() * model.scale_
    S = W @ W.T + model.noise_variance_ * np.eye(3)
    found = np.cov(model.sample(20_000, random_state=0, noise=True).T)
    np.testing.assert_allclose(found, S, atol=0.05 * np.diag(S).max())


def test_an_error_in_the_place_of_a_density_draws_no_noise():
    model = latentia.VAE(n_components=1, hidden=(4,), n_epochs=1, observation="mse").fit(X)
    with pytest.raises(InputError, match="observation is 'mse', an error and no density"):
        model.sample(2, noise=True)
