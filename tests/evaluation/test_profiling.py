"""A profile's figures against counts by hand; the command that prints them."""

import dataclasses
import json

import numpy as np
import pytest

from latentia.cli.main import main
from latentia.evaluation.profiling import profile
from latentia.models.adversarial.dcgan import DCGAN
from tests.conftest import small_models


def test_the_operations_of_a_step_are_those_counted_by_hand(images):
    """Each layer: one product forward, two backward; the first has no gradient for its input."""
    found = profile(small_models()["VAE"], images, seconds=0.05)
    weights = [64 * 8, 8 * 6, 3 * 8, 8 * 64]
    assert found.step_flops == 2 * 16 * (3 * sum(weights) - weights[0])


def test_a_convolution_counts_too(images):
    """The lecture's net on 8×8 images: convolutions to 4×4, 2×2 and 1×1, and their mirrors."""
    found = profile(small_models()["DenoisingAutoencoder"], images, seconds=0.05)
    convolutions = [16 * 9 * 1 * 8, 4 * 9 * 8 * 16, 1 * 9 * 16 * 32]
    linear = [32 * 8, 8 * 3]
    forward = 2 * (sum(convolutions) + sum(linear))
    assert found.step_flops == 2 * 16 * (3 * forward - convolutions[0])


def test_every_update_counts_as_often_as_it_repeats(images, monkeypatch):
    model = small_models()["DCGAN"]
    plain = DCGAN.updates

    def flops(repeats):
        def updates(self):
            return [dataclasses.replace(u, repeats=n) for u, n in zip(plain(self), repeats)]

        monkeypatch.setattr(DCGAN, "updates", updates)
        return profile(model, images, seconds=0.05).step_flops

    assert flops([3, 2]) == 3 * flops([1]) + 2 * (flops([1, 1]) - flops([1]))


def test_the_figures_agree_with_each_other_and_the_model_stays_as_it_was(images):
    model = small_models()["VAE"]
    before = model.get_params()
    found = profile(model, images, seconds=0.05)
    rate = found.step_flops * found.samples_per_second / 16
    assert found.fraction == pytest.approx(rate / found.matrix_rate, rel=0.5)
    assert sum(found.shares.values()) == pytest.approx(1)
    assert found.threads == 1
    assert found.precision == "float32"
    assert "samples/s on cpu, 1 thread, float32" in str(found)
    assert model.get_params() == before
    assert not hasattr(model, "encoder_")


def test_the_command_prints_the_profile_and_leaves_it_in_the_run(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.random.default_rng(0).random((48, 8, 8), dtype=np.float32))
    words = ["train", "vae", "--data", "x.npy", "--n-epochs", "1", "--hidden", "8", "--profile"]
    assert main([*words, "--run", "run"]) == 0
    assert "GFLOP/s in matrix products" in capsys.readouterr().out
    found = json.loads((tmp_path / "run" / "profile.json").read_text())
    assert 0 < found["fraction"] < 2
    assert found["threads"] == 1
