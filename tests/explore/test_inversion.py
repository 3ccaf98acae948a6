"""Codes found through the decoder, against least squares; the model is left as it was."""

import copy
from dataclasses import dataclass
from typing import final

import numpy as np
import pytest
import torch

from latentia.errors import InputError
from latentia.explore.codes import prior_draws
from latentia.explore.inversion import inversion_figure, invert
from latentia.models.base import LatentModel
from latentia.models.decoding import DecodingModel
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.gradient import GradientModel
from tests.conftest import small_models

RNG = np.random.default_rng(0)
W = RNG.normal(size=(3, 12)).astype(np.float32)
MEAN = RNG.normal(size=12).astype(np.float32)


@final
@dataclass(eq=False, repr=False, kw_only=True)
class LinearDecoder(DecodingModel, GradientModel, LatentModel):
    """x = z W + μ, without an encoder."""

    n_components: int = 3

    def check_values(self):
        pass

    def build(self, shape):
        self.decoder_ = torch.nn.Linear(3, 12)
        with torch.no_grad():
            self.decoder_.weight.copy_(torch.from_numpy(W.T))
            self.decoder_.bias.copy_(torch.from_numpy(MEAN))

    def updates(self):
        return []

    def decode(self, z_NK):
        return self.decoder_(z_NK)

    def epoch_picture(self, x):
        return []


@pytest.fixture
def linear():
    model = LinearDecoder()
    model.data_shape_, model.n_features_in_ = (12,), 12
    model.build((12,))
    return model


def test_a_linear_decoder_gives_its_codes_back(linear):
    Z = RNG.normal(size=(5, 3)).astype(np.float32)
    found = invert(linear, Z @ W + MEAN, n_steps=250)
    np.testing.assert_allclose(found.codes, Z, atol=1e-3)
    np.testing.assert_allclose(found.squared_errors, 0, atol=1e-4)


@pytest.mark.parametrize("weight", [0.0, 5.0])
def test_the_prior_is_a_ridge(linear, weight):
    X = RNG.normal(size=(4, 12)).astype(np.float32)
    found = invert(linear, X, n_steps=250, prior_weight=weight)
    ridge = np.linalg.solve(W @ W.T + weight / 2 * np.eye(3), W @ (X - MEAN).T).T
    np.testing.assert_allclose(found.codes, ridge, atol=1e-3)
    errors = np.square(X - ridge @ W - MEAN).sum(axis=1)
    np.testing.assert_allclose(found.squared_errors, errors, rtol=1e-3)


def test_batches_do_not_matter(linear, monkeypatch):
    """Also where a sample has more starts than are tried at once."""
    X = RNG.normal(size=(7, 12)).astype(np.float32)
    whole = invert(linear, X, n_steps=50)
    for at_once in (8, 1):
        monkeypatch.setattr("latentia.explore.inversion.AT_ONCE", at_once)
        np.testing.assert_allclose(invert(linear, X, n_steps=50).codes, whole.codes, atol=1e-5)


@pytest.mark.parametrize("name", ["PCA", "FactorAnalysis"])
@pytest.mark.parametrize("weight", [0.0, 2.0])
def test_closed_form_models_are_solved(name, weight, faces):
    model = small_models()[name].fit(faces)
    X = faces[:4]
    found = invert(model, X, prior_weight=weight)
    loadings = model.components_.astype(float)
    centred = X.reshape(4, -1) - model.mean_
    ridge = np.linalg.solve(loadings @ loadings.T + weight / 2 * np.eye(3), loadings @ centred.T).T
    np.testing.assert_allclose(found.codes, ridge, atol=1e-5)
    if isinstance(model, FactorAnalysis) and not weight:
        own = np.square(X - model.reconstruct(X)).sum(axis=(1, 2))
        assert (found.squared_errors <= own + 1e-9).all()


def test_a_gan_finds_its_own_images_and_stays_as_it_is(gan):
    Z = RNG.normal(size=(2, 3)).astype(np.float32)
    before = {key: value.clone() for key, value in gan.generator_.state_dict().items()}
    training = gan.generator_.training
    for parameter in gan.generator_.parameters():
        parameter.grad = None
    images = gan.inverse_transform(Z)
    found = invert(gan, images, n_steps=150)
    spread = np.square(images[0] - images[1]).sum()
    assert found.squared_errors.max() < 0.01 * spread
    np.testing.assert_allclose(gan.inverse_transform(found.codes), found.images, atol=1e-6)
    assert all(
        torch.equal(value, before[key]) for key, value in gan.generator_.state_dict().items()
    )
    assert all(p.grad is None and p.requires_grad for p in gan.generator_.parameters())
    assert gan.generator_.training is training


def test_more_starts_are_never_worse(gan, faces):
    errors = [invert(gan, faces[:3], n_steps=20, n_restarts=r).squared_errors for r in (1, 5)]
    assert (errors[1] <= errors[0] + 1e-4).all()
    again = invert(gan, faces[:3], n_steps=20, n_restarts=5)
    np.testing.assert_array_equal(again.squared_errors, errors[1])


def test_with_an_encoder_the_descent_starts_at_the_code(vae, faces):
    near = invert(vae, faces[:3], n_steps=1, learning_rate=1e-9)
    np.testing.assert_allclose(near.codes, vae.transform(faces[:3]), atol=1e-6)
    own = np.square(faces[:3] - vae.reconstruct(faces[:3])).sum(axis=(1, 2))
    assert (invert(vae, faces[:3]).squared_errors <= own + 1e-6).all()


@pytest.mark.parametrize("seed", [0, 3])
def test_starts_are_draws_from_the_prior_by_their_seed(seed, gan, faces):
    still = {"n_steps": 1, "learning_rate": 1e-9, "random_state": seed}
    found = invert(gan, faces[:2], n_restarts=1, **still)
    drawn = gan.latent_draws(10, np.random.RandomState(seed))
    np.testing.assert_allclose(found.codes, drawn[:2], atol=1e-6)
    starts = drawn.reshape(5, 2, 3).astype(np.float32)
    images = gan.inverse_transform(starts.reshape(10, 3)).reshape(5, 2, 8, 8)
    best = np.square(images - faces[:2]).sum(axis=(2, 3)).argmin(axis=0)
    nearest = invert(gan, faces[:2], n_restarts=5, **still)
    np.testing.assert_allclose(nearest.codes, starts[best, [0, 1]], atol=1e-6)


def test_beside_an_encoders_code_the_starts_are_draws(vae):
    drawn = prior_draws(vae, 3 * 2, 4).reshape(3, 2, -1)
    for place in (1, 2):
        images = vae.inverse_transform(drawn[place])
        found = invert(vae, images, n_restarts=3, n_steps=1, learning_rate=1e-9, random_state=4)
        np.testing.assert_allclose(found.codes, drawn[place], atol=1e-6)


def test_nets_descend_in_evaluation_mode_whatever_mode_they_are_left_in(gan, faces):
    expected = invert(gan, faces[:2], n_steps=3)
    trained = copy.deepcopy(gan)
    trained.generator_.train()
    before = {key: value.clone() for key, value in trained.generator_.state_dict().items()}
    found = invert(trained, faces[:2], n_steps=3)
    np.testing.assert_array_equal(found.codes, expected.codes)
    assert trained.generator_.training
    for key, value in trained.generator_.state_dict().items():
        assert torch.equal(value, before[key])


def test_the_steps_shorten_along_a_cosine(linear):
    """Towards a sample far away each step of Adam is as long as its rate."""
    far = MEAN + 1e4 * W.sum(axis=0, keepdims=True)
    start = np.random.RandomState(0).standard_normal((1, 3))
    moved = invert(linear, far, n_steps=4, n_restarts=1, learning_rate=0.2).codes - start
    rates = 0.2 * (1 + np.cos(np.pi * np.arange(4) / 4)) / 2
    np.testing.assert_allclose(np.abs(moved), rates.sum(), rtol=1e-3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_steps": 0}, "n_steps is 0"),
        ({"n_restarts": 0}, "n_restarts is 0"),
        ({"learning_rate": 0}, "learning_rate is 0"),
        ({"prior_weight": -1}, "prior_weight is -1; it must be at least 0"),
    ],
)
def test_values_out_of_range(options, words, gan, faces):
    with pytest.raises(InputError, match=words):
        invert(gan, faces[:1], **options)


def test_samples_of_another_shape(gan):
    with pytest.raises(InputError, match=r"shape \(9, 9\); this DCGAN was fitted"):
        invert(gan, np.zeros((1, 9, 9)))


def test_the_figure_tells_the_errors(gan, faces):
    found = invert(gan, faces[:2], n_steps=2)
    words = [text.get_text() for text in inversion_figure(found, faces[:2]).axes[0].texts]
    assert f"RMSE {np.sqrt(found.squared_errors[1] / 64):.3f}" in words
    assert inversion_figure(invert(gan, faces[:1], n_steps=2), faces[:1]).axes
