"""A profile's figures against counts by hand; the command that prints them."""

import dataclasses
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from latentia.cli.main import main
from latentia.evaluation.profiling import profile
from latentia.models.adversarial.dcgan import DCGAN
from latentia.training.batches import Source
from latentia.training.updates import FusedAdam
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


def test_each_part_of_a_step_has_its_own_time(images, monkeypatch):
    """On a clock that only they move: 1 for a batch, 2 forward, 3 backward, 4 for the optimiser."""
    module, now = sys.modules[profile.__module__], [0]
    clock = SimpleNamespace(perf_counter=lambda: now[0])
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(module, "matrix_rate", lambda device: 1e9)
    monkeypatch.setattr(module, "_step_seconds", lambda *_: 0.5)

    def takes(owner, name, seconds):
        work = getattr(owner, name)

        def slow(*given, **options):
            now[0] += seconds
            return work(*given, **options)

        monkeypatch.setattr(owner, name, slow)

    model = small_models()["VAE"]
    takes(Source, "batch", 1)
    takes(module, "as_loss", 2)
    takes(torch.Tensor, "backward", 3)
    takes(FusedAdam, "step", 4)
    found = profile(model, images, seconds=0)
    assert found.shares == pytest.approx(
        {"data": 0.1, "forward": 0.2, "backward": 0.3, "optimiser": 0.4}
    )
    assert found.samples_per_second == 2 * 16
    assert found.fraction == pytest.approx(found.step_flops / 0.5 / 1e9)


def test_the_command_prints_the_profile_and_leaves_it_in_the_run(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.random.default_rng(0).random((48, 8, 8), dtype=np.float32))
    words = ["train", "vae", "--data", "x.npy", "--n-epochs", "1", "--hidden", "8", "--profile"]
    assert main([*words, "--run", "run"]) == 0
    assert "GFLOP/s in matrix products" in capsys.readouterr().out
    found = json.loads((tmp_path / "run" / "profile.json").read_text())
    assert 0 < found["fraction"] < 2
    assert found["threads"] == 1
