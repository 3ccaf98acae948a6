"""The denoising autoencoder learns the clean sample, not the noisy one."""

import numpy as np
import pytest
import torch

from latentia.data import load
from latentia.errors import FitWarning, InputError
from latentia.evaluation.evaluate import evaluate
from latentia.metrics.reconstruction import psnr, squared_error
from latentia.models.autoencoders.denoising import DenoisingAutoencoder
from latentia.training import draws

KINDS = ["gaussian", "masking", "salt_and_pepper"]
SMALL = {"n_components": 2, "hidden": (8,), "n_epochs": 1, "random_state": 0, "device": "cpu"}


def fitted(X, **fields):
    return DenoisingAutoencoder(**SMALL | fields).fit(X)


@pytest.mark.parametrize(
    ("noise", "energy"),
    [("gaussian", 0.1**2), ("masking", 0.1 * 0.5**2), ("salt_and_pepper", 0.1 * 0.5**2)],
)
def test_the_target_is_clean(noise, energy):
    """With an identity for a net the loss is the noise's energy; against noisy input it is 0."""
    X = np.full((400, 8, 8), 0.5, np.float32)
    with pytest.warns(FitWarning, match=r"pixels span 0\.5 to 0\.5"):
        model = fitted(X, noise=noise, noise_factor=0.1)
    model.encoder_ = torch.nn.Identity()
    model.decoder_ = torch.nn.Module()
    model.decoder_.forward = lambda z: torch.logit(z, eps=1e-6)
    x = torch.full((4000, 1, 8, 8), 0.5)
    torch.manual_seed(0)
    assert model.loss(x).item() == pytest.approx(64 * energy, rel=0.02)


def test_noise_is_clipped_to_the_unit_range(images):
    model = fitted(images, noise_factor=5.0)
    noisy = model.corrupt(torch.from_numpy(images)[:, None])
    assert noisy.min() == 0
    assert noisy.max() == 1


def decibels(signal, noise):
    """Return the measured ratio, and five standard errors of it."""
    ratio = 10 * np.log10(np.square(signal, dtype=np.float64).mean() / np.square(noise).mean())
    relative = np.square(noise).std() / np.square(noise).mean() / np.sqrt(noise.size)
    return ratio, 5 * 10 / np.log(10) * relative


@pytest.mark.parametrize("kind", ["float", "uint8"])
@pytest.mark.parametrize("noise", KINDS)
@pytest.mark.parametrize("snr", [2.0, 12.0])
def test_images_have_the_asked_ratio(noise, snr, kind):
    X = np.random.default_rng(0).random((8000, 8, 8), dtype=np.float32)
    if kind == "uint8":
        X = np.rint(255 * X).astype(np.uint8)
    model = fitted(X, noise=noise, snr=snr, batch_size=1000)
    clean = X / np.float32(255) if kind == "uint8" else X
    noisy = model.add_noise(X, random_state=1)
    measured, margin = decibels(clean, noisy.astype(np.float64) - clean)
    assert margin < 0.2
    assert measured == pytest.approx(snr, abs=margin)


def test_clipped_noise_of_dark_images_has_the_asked_ratio_or_is_refused():
    """Of bits with a share p of ones the loudest clipped noise leaves 10 log₁₀ 2p dB."""
    bits = np.random.default_rng(0).random((3000, 8, 8)) < 0.2
    model = fitted(bits, snr=3.0, batch_size=1000)
    noise = model.add_noise(bits, random_state=1).astype(np.float64) - bits
    measured, margin = decibels(bits, noise)
    assert measured == pytest.approx(3, abs=margin)
    least = 10 * np.log10(2 * bits.mean())
    with pytest.raises(InputError, match=rf"leaves these data at least {least:.2f} dB"):
        fitted(bits, snr=least - 0.1)


@pytest.mark.parametrize("noise", ["gaussian", "masking"])
def test_tables_have_the_asked_ratio_in_standard_units(noise):
    X = np.random.default_rng(0).normal(size=(80_000, 4)) * [100, 1, 0.01, 5] + [0, 50, 1, -7]
    model = fitted(X, noise=noise, snr=6, batch_size=5000)
    units = X.std(axis=0)
    measured, margin = decibels(
        (X - X.mean(axis=0)) / units, (model.add_noise(X, random_state=1) - X) / units
    )
    assert margin < 0.2
    assert measured == pytest.approx(6, abs=margin)


def test_masking_keeps_or_removes(images):
    images = images.clip(0.01, 1)
    model = fitted(images, noise="masking", noise_factor=0.3)
    noisy = np.concatenate([model.add_noise(images, random_state=i) for i in range(20)])
    kept = noisy == np.tile(images, (20, 1, 1))
    assert np.all(noisy[~kept] == 0)
    assert (~kept).mean() == pytest.approx(0.3, abs=5 * np.sqrt(0.21 / noisy.size))


def test_masking_gives_a_tables_means(table):
    model = fitted(table, noise="masking", noise_factor=0.5)
    noisy = model.add_noise(table, random_state=0)
    masked = noisy != table
    means = np.broadcast_to(table.mean(axis=0), table.shape)
    np.testing.assert_allclose(noisy[masked], means[masked], rtol=1e-6, atol=1e-6)
    assert masked.mean() == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(table.size))


def test_salt_and_pepper_are_as_many(images):
    images = images.clip(0.01, 0.99)
    model = fitted(images, noise="salt_and_pepper", noise_factor=0.3)
    noisy = np.concatenate([model.add_noise(images, random_state=i) for i in range(20)])
    changed = noisy != np.tile(images, (20, 1, 1))
    assert set(np.unique(noisy[changed])) == {0, 1}
    for extreme in (0, 1):
        share = (noisy == extreme).mean()
        assert share == pytest.approx(0.15, abs=5 * np.sqrt(0.15 * 0.85 / noisy.size))


@pytest.mark.parametrize("noise", KINDS)
def test_added_noise_repeats_and_keeps_the_layout(noise, images):
    model = fitted(images, noise=noise)
    assert model.noise_level_ == 0.3
    first, again, other = (model.add_noise(images, random_state=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)
    assert first.shape == images.shape
    assert first.dtype == np.float32
    assert isinstance(model.add_noise(torch.from_numpy(images), random_state=0), torch.Tensor)
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    model.add_noise(images)
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize("noise", KINDS)
def test_no_noise_changes_nothing(noise, images):
    model = fitted(images, noise=noise, noise_factor=0)
    np.testing.assert_array_equal(model.add_noise(images), images)


@pytest.mark.parametrize("noise", KINDS)
def test_two_processes_corrupt_as_one(noise, images, monkeypatch):
    model = fitted(images, noise=noise)
    x = torch.from_numpy(images)[:, None]

    def corrupt(rows, rank, n_processes):
        monkeypatch.setattr(draws, "rank", lambda: rank)
        monkeypatch.setattr(draws, "world_size", lambda: n_processes)
        draws.seed(7)
        return model.corrupt(rows)

    halves = torch.cat([corrupt(x[:20], 0, 2), corrupt(x[20:], 1, 2)])
    assert torch.equal(halves, corrupt(x, 0, 1))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"noise_factor": 0.2, "snr": 10.0}, "noise_factor is 0.2 and snr is 10"),
        ({"noise_factor": -0.1}, "noise_factor is -0.1; it must be at least 0"),
        ({"noise": "masking", "noise_factor": 1.1}, "noise_factor is 1.1; .* at most 1"),
        ({"noise": "salt_and_pepper", "noise_factor": 2.0}, "noise_factor is 2.0; .* at most 1"),
        ({"noise": "masking", "snr": -1.0}, "snr is -1.0; it must be at least 0"),
        ({"noise": "salt_and_pepper", "snr": -20.0}, "snr is -20; salt_and_pepper .* 0.14 dB"),
        ({"snr": float("nan")}, "snr is nan"),
        ({"noise": "pepper"}, "noise is 'pepper'"),
    ],
)
def test_a_noise_that_cannot_be_is_refused(fields, words, images):
    with pytest.raises(InputError, match=words):
        fitted(images, **fields)


def test_a_table_of_any_scale_has_no_salt(table):
    with pytest.raises(InputError, match="salt_and_pepper"):
        fitted(table, noise="salt_and_pepper")
    unit = (table - table.min(axis=0)) / np.ptp(table, axis=0)
    noisy = fitted(unit, noise="salt_and_pepper", noise_factor=1).add_noise(unit)
    assert set(np.unique(noisy)) == {0, 1}


@pytest.mark.parametrize("noise", KINDS)
def test_denoising_brings_noisy_digits_closer_to_the_clean_ones(noise):
    data = load("digits")
    model = DenoisingAutoencoder(
        architecture="mlp",
        n_components=16,
        n_epochs=8,
        batch_size=32,
        noise=noise,
        noise_factor=0.4,
        random_state=0,
    ).fit(data.x_train)
    noisy = model.add_noise(data.x_test, random_state=0)
    before = squared_error(data.x_test, noisy)
    after = squared_error(data.x_test, model.reconstruct(noisy))
    assert after < 0.6 * before


def test_evaluation_measures_the_models_own_noise():
    data = load("digits")
    model = fitted(data.x_train, noise="masking", noise_factor=1.0)
    black = np.zeros_like(data.x_test)
    expected = psnr(data.x_test, model.reconstruct(black))
    assert evaluate(model, data)["psnr_denoised"] == pytest.approx(expected, abs=1e-5)


def test_the_lectures_net_on_28_pixels():
    X = np.random.default_rng(0).random((4, 28, 28), np.float32)
    model = DenoisingAutoencoder(n_epochs=1, batch_size=4, random_state=0).fit(X)
    shapes = [tuple(p.shape) for p in model.encoder_.parameters() if p.ndim > 1]
    assert shapes == [(8, 1, 3, 3), (16, 8, 3, 3), (32, 16, 3, 3), (128, 288), (4, 128)]


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("size", [(8, 8), (9, 13), (28, 28), (30, 17), (2, 5), (64, 48)])
def test_any_size_comes_back(size, tied):
    X = np.random.default_rng(0).random((6, 3, *size), dtype=np.float32)
    model = DenoisingAutoencoder(n_epochs=1, batch_size=3, random_state=0, tied=tied).fit(X)
    assert model.reconstruct(X).shape == X.shape


def test_cross_entropy_needs_the_unit_range(table):
    with pytest.raises(InputError, match="bce"):
        DenoisingAutoencoder(objective="bce").fit(table)
    with pytest.raises(InputError, match="convolutional"):
        DenoisingAutoencoder(architecture="convolutional").fit(table)


def test_the_epochs_picture_shows_what_becomes_of_the_noisy_images(images):
    model = fitted(images, noise="masking", noise_factor=0.5)
    with torch.no_grad():
        shown = dict(model.epoch_picture(torch.from_numpy(images[:, None])))
    assert list(shown) == ["original", "noisy", "reconstructed"]
    original, noisy, restored = (part[:, 0].numpy() for part in shown.values())
    np.testing.assert_array_equal(original, images[:10])
    kept = noisy == original
    assert set(noisy[~kept]) == {0.0}
    assert 0.3 < kept.mean() < 0.7
    np.testing.assert_allclose(restored, model.reconstruct(noisy), atol=1e-6)


def test_nets_are_convolutional_for_images_alone():
    model = DenoisingAutoencoder()
    assert [model.nets_for(shape) for shape in ((4,), (1, 8, 8), (3, 8, 8))] == [
        "mlp",
        "convolutional",
        "convolutional",
    ]
