"""A profile's figures against counts by hand; the command that prints them."""

import dataclasses
import itertools
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from latentia.data import load
from latentia.evaluation.profiling import Profile, measure_speed, profile
from latentia.models.adversarial.dcgan import DCGAN
from latentia.training.batches import Source
from latentia.training.updates import FusedAdam
from tests.conftest import small_models

MODULE = sys.modules[profile.__module__]


@pytest.fixture(autouse=True)
def small_product(monkeypatch):
    """Measure the machine by a small product: its rate is another, and its time is not wasted."""
    monkeypatch.setattr(MODULE, "SIDE", 128)


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
    """On a clock that only they move: 1 for a batch, 2 forward, 3 backward, 4 for the optimiser.

    These are means: each part takes no time at every other step.
    """
    now, asked = [0], []
    clock = SimpleNamespace(perf_counter=lambda: now[0])
    monkeypatch.setattr(MODULE, "time", clock)
    monkeypatch.setattr(MODULE, "matrix_rate", lambda device: 1e9)
    monkeypatch.setattr(MODULE, "_step_seconds", lambda *given: asked.append(given[-1]) or 0.5)
    monkeypatch.setattr(MODULE, "set_threads", lambda: 3)

    def takes(owner, name, seconds):
        work, taken = getattr(owner, name), itertools.cycle((0, 2 * seconds))

        def slow(*given, **options):
            now[0] += next(taken)
            return work(*given, **options)

        monkeypatch.setattr(owner, name, slow)

    model = small_models()["VAE"]
    takes(Source, "batch", 1)
    takes(MODULE, "as_loss", 2)
    takes(torch.Tensor, "backward", 3)
    takes(FusedAdam, "step", 4)
    found = profile(model, images, seconds=0)
    assert found.shares == pytest.approx(
        {"data": 0.1, "forward": 0.2, "backward": 0.3, "optimiser": 0.4}
    )
    assert found.samples_per_second == 2 * 16
    assert found.fraction == pytest.approx(found.step_flops / 0.5 / 1e9)
    assert (found.threads, asked) == (3, [0, 0])


def test_a_machines_rate_is_the_operations_of_a_product_over_its_median_time(monkeypatch):
    """The first product warms up; the next three take 2, 9 and 4 seconds."""
    now, taken = [0], iter([100, 2, 9, 4])
    monkeypatch.setattr(MODULE, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    def product(left, right):
        assert left.shape == right.shape == (128, 128)
        now[0] += next(taken)

    monkeypatch.setattr(torch, "mm", product)
    assert MODULE.matrix_rate(torch.device("cpu")) == 2 * 128**3 / 4


def test_steps_are_timed_after_the_first_ones_and_for_as_long_as_asked(images, monkeypatch):
    """Five steps of 100 seconds, which compile and warm up, and then steps of 1 second."""
    now, asked = [0], []
    monkeypatch.setattr(MODULE, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(MODULE, "_shares", lambda *_: {})

    def rate(device):
        now[0] += 1000
        return 1e9

    def loop(twin, source, validation, run, watch, device):
        asked.append((validation, run.path, str(device)))
        for step in range(100):
            now[0] += 100 if step < 6 else 1
            watch(step, 1, 16, {})

    monkeypatch.setattr(MODULE, "matrix_rate", rate)
    monkeypatch.setattr(MODULE, "train", loop)
    found = profile(small_models()["VAE"], images, seconds=8 * 520)
    assert found.samples_per_second == 16
    assert asked == [(None, None, "cpu")] * 3
    assert now[0] == 3 * (1000 + 600 + 21)
    # Two steps after the first ones say more than those.
    assert profile(small_models()["VAE"], images, seconds=0).samples_per_second == 16


@pytest.mark.parametrize("name", ["VAE", "ConditionalVAE"])
def test_speed_is_of_the_data_without_the_held_out_and_with_their_targets(
    name, monkeypatch, tmp_path
):
    digits, model, seen = load("digits"), small_models()[name], []
    told = Profile(1.0, 2.0, 3.0, 4.0, {"data": 1.0}, 1, "float32", "cpu")
    monkeypatch.setattr(MODULE, "profile", lambda *given: seen.append(given) or told)
    assert measure_speed(model, digits, tmp_path) is told
    [(own, x, y)] = seen
    kept, _ = digits.hold_out()
    assert own is model
    np.testing.assert_array_equal(x, kept.x_train)
    np.testing.assert_array_equal(y, kept.targets)


def test_its_sentences_say_which_figure_is_which():
    text = str(Profile(1234.0, 5.0, 8e9, 0.25, {"data": 0.4, "forward": 0.6}, 2, "float32", "cpu"))
    assert text.splitlines() == [
        "1,234 samples/s on cpu, 2 threads, float32",
        "2.0 GFLOP/s in matrix products of 8.0 that the machine does: 25%",
        "a step's time: data 40%, forward 60%",
    ]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_precision_of_a_profile_is_that_of_the_steps(precision, images, monkeypatch):
    monkeypatch.setenv("LATENTIA_PRECISION", precision)
    monkeypatch.setattr(MODULE, "matrix_rate", lambda device: 1e9)
    monkeypatch.setattr(MODULE, "_step_seconds", lambda *given: 0.5)
    monkeypatch.setattr(MODULE, "_shares", lambda *given: {})
    assert profile(small_models()["VAE"], images, seconds=0).precision == precision
