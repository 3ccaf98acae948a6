"""The denoising autoencoder learns the clean sample, not the noisy one."""

import numpy as np
import pytest
import torch

from latentia.autoencoders.denoising import DenoisingAutoencoder
from latentia.data import load
from latentia.errors import InputError
from latentia.metrics.reconstruction import squared_error


def test_the_target_is_clean():
    """With an identity for a net the loss is the noise's energy; against noisy input it is 0."""
    X = np.full((400, 8, 8), 0.5, np.float32)
    model = DenoisingAutoencoder(n_epochs=1, noise_factor=0.1, random_state=0).fit(X)
    model.encoder_ = torch.nn.Identity()
    model.decoder_ = torch.nn.Module()
    model.decoder_.forward = lambda z: torch.logit(z, eps=1e-6)
    x = torch.full((4000, 1, 8, 8), 0.5)
    torch.manual_seed(0)
    assert float(model.reconstruction_loss(x)) == pytest.approx(64 * 0.1**2, rel=0.01)


def test_noise_is_clipped_to_the_unit_range(images):
    model = DenoisingAutoencoder(n_epochs=1, noise_factor=5.0, random_state=0).fit(images)
    noisy = model.corrupt(torch.from_numpy(images)[:, None])
    assert noisy.min() == 0
    assert noisy.max() == 1


def test_denoising_brings_noisy_digits_closer_to_the_clean_ones():
    data = load("digits")
    model = DenoisingAutoencoder(
        n_components=16, n_epochs=30, batch_size=32, random_state=0, noise_factor=0.5
    ).fit(data.x_train)
    noise = np.random.default_rng(0).normal(size=data.x_test.shape)
    noisy = (data.x_test + 0.5 * noise).clip(0, 1).astype(np.float32)
    before = squared_error(data.x_test, noisy)
    after = squared_error(data.x_test, model.reconstruct(noisy))
    assert after < 0.5 * before


def test_the_lectures_net_on_28_pixels():
    X = np.zeros((4, 28, 28), np.float32)
    model = DenoisingAutoencoder(n_epochs=1, batch_size=4, random_state=0).fit(X)
    shapes = [tuple(p.shape) for p in model.encoder_.parameters() if p.ndim > 1]
    assert shapes == [(8, 1, 3, 3), (16, 8, 3, 3), (32, 16, 3, 3), (128, 288), (4, 128)]


@pytest.mark.parametrize("size", [(8, 8), (9, 13), (28, 28), (30, 17), (2, 5), (64, 48)])
def test_any_size_comes_back(size):
    X = np.random.default_rng(0).random((6, 3, *size), dtype=np.float32)
    model = DenoisingAutoencoder(n_epochs=1, batch_size=3, random_state=0).fit(X)
    assert model.reconstruct(X).shape == X.shape


def test_cross_entropy_needs_the_unit_range(table):
    with pytest.raises(InputError, match="bce"):
        DenoisingAutoencoder(loss="bce").fit(table)
    with pytest.raises(InputError, match="convolutional"):
        DenoisingAutoencoder(architecture="convolutional").fit(table)
