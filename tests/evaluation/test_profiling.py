"""A profile's figures against counts by hand; the command that prints them."""

import dataclasses
import sys
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from latentia.data import load
from latentia.evaluation.profiling import Bench, Profile, measure_speed, profile
from latentia.models.adversarial.dcgan import DCGAN
from latentia.models.autoencoders.vae import VAE
from latentia.training import precision_probe as probe
from latentia.training.batches import Source
from latentia.training.state import MovingAverage
from tests.conftest import small_models

MODULE = sys.modules[profile.__module__]


@pytest.fixture(autouse=True)
def few_turns(monkeypatch):
    """Measure twice."""
    monkeypatch.setattr(MODULE, "ROUNDS", 2)


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
    # Medians of each over the turns.
    assert found.ratio == pytest.approx(1 + sum(found.shares.values()), rel=0.5)
    step = found.step_flops / found.product_rate * found.ratio
    assert step * found.samples_per_second == pytest.approx(16, rel=0.5)
    assert (found.threads, found.precision, found.n_products) == (1, "float32", 4 + 7)
    assert "samples/s on cpu, 1 thread, float32" in str(found)
    assert model.get_params() == before
    assert not hasattr(model, "encoder_")


def bench(images, name="VAE"):
    """Return a bench on a model with new nets."""
    model, source = small_models()[name], Source(images[:, None])
    model.data_shape_, model.seed_ = images.shape[1:], 0
    device = model.prepare_machine()
    model.choose_batch(len(images))
    model.initialise(source, device)
    return Bench(model, source, device)


@pytest.mark.parametrize("name", ["VAE", "DCGAN"])
def test_the_products_computed_again_are_those_of_the_step(images, name):
    """What they give is what the step got: the gradients of the weights are among it."""
    found = bench(images, name)
    forward, backward = found.products()
    update = found.updates[-1]
    given = [call() for call in backward.calls]
    given = [part for made in given for part in (made if isinstance(made, tuple) else (made,))]
    for weight in update.parameters():
        if weight.ndim > 1:
            own = [weight.grad, weight.grad.T] if weight.ndim == 2 else [weight.grad]
            assert any(part is not None and any(map(part.equal, own)) for part in given)
    assert len(forward.calls) > 3
    assert all(isinstance(call(), torch.Tensor) for call in forward.calls)


def test_each_part_of_a_step_has_its_own_time(images, monkeypatch):
    """On a clock that only they move: 1 for a batch, 2 forward, 3 backward, 4 for the optimiser,
    5 for the averages, ¼ for each product and for the copy. Four products forward, seven back."""
    now, clock = [0.0], SimpleNamespace(process_time=lambda: now[0])
    monkeypatch.setattr(MODULE, "time", clock)
    monkeypatch.setattr(Bench, "seconds_of", lambda self, calls: 0.25 * len(calls))

    def takes(owner, name, seconds):
        work = getattr(owner, name)

        def slow(*given, **options):
            now[0] += seconds
            return work(*given, **options)

        monkeypatch.setattr(owner, name, slow)

    takes(Source, "batch", 1)
    takes(VAE, "bound_loss", 2)
    takes(torch.Tensor, "backward", 3)
    takes(torch, "_fused_adam_", 4)
    takes(MovingAverage, "update", 5)
    found = profile(small_models()["VAE"], images, seconds=0)
    assert found.ratio == pytest.approx(15 / 2.75)
    parts = {"data": 1, "forward": 2 - 1, "backward": 3 - 1.75, "optimiser": 4, "the loop": 5}
    assert found.shares == pytest.approx({name: part / 2.75 for name, part in parts.items()})
    assert found.samples_per_second == pytest.approx(16 / 15)
    assert found.product_rate == pytest.approx(found.step_flops / 2.75)
    assert found.copy_share == pytest.approx(0.25 / 2.75)
    # Adam reads a weight, its gradient and two averages, and writes all but the gradient.
    n_weights = 64 * 8 + 8 + 8 * 6 + 6 + 3 * 8 + 8 + 8 * 64 + 64
    assert found.optimiser_bytes == 4 * 7 * n_weights


def test_a_part_that_repeats_counts_as_often_and_a_copy_moves_as_much(images):
    found = bench(images)
    found.step_seconds(0)
    once, copied = found.n_moved(), found.copy().args[0].numel()
    found.updates = [dataclasses.replace(update, repeats=3) for update in found.updates]
    assert found.n_moved() == 3 * once
    assert copied == once // 2


def test_products_are_timed_by_their_median(images, monkeypatch):
    """The first time warms up; the others take 2, 9 and 4 seconds."""
    now, taken = [0.0], iter([100, 2, 9, 4])
    monkeypatch.setattr(
        MODULE, "time", SimpleNamespace(process_time=lambda: now[0], perf_counter=None)
    )
    found = bench(images)

    def call():
        now[0] += next(taken)

    assert found.seconds_of([call]) == (9 + 4) / 2


def test_steps_are_timed_after_the_first_ones_and_for_as_long_as_asked(images, monkeypatch):
    """Five steps of 100 seconds, which warm up, and then steps of 1 second."""
    now = [0.0]
    monkeypatch.setattr(MODULE, "time", SimpleNamespace(process_time=lambda: now[0]))

    def loop(twin, source, validation, run, watch, device):
        assert (validation, run.path, str(device)) == (None, None, "cpu")
        for step in range(1000):
            now[0] += 100 if step < 5 else 1
            watch(step, 1, 16, {})

    monkeypatch.setattr(MODULE, "train", loop)
    found = bench(images)
    assert found.step_seconds(520) == [1.0, 0, 0, 0, 0]
    assert now[0] == 521
    # Two steps after the first ones say more than those.
    assert found.step_seconds(0) == [1.0, 0, 0, 0, 0]
    assert now[0] == 521 + 502


@pytest.mark.parametrize("name", ["VAE", "ConditionalVAE"])
def test_speed_is_of_the_data_without_the_held_out_and_with_their_targets(
    name, monkeypatch, tmp_path
):
    digits, model, seen = load("digits"), small_models()[name], []
    told = Profile(1.0, 2.0, 3, 4.0, 5.0, {"data": 1.0}, 6.0, 7.0, 1, "float32", "cpu")
    monkeypatch.setattr(MODULE, "profile", lambda *given: seen.append(given) or told)
    assert measure_speed(model, digits, tmp_path) is told
    [(own, x, y)] = seen
    kept, _ = digits.hold_out()
    assert own is model
    np.testing.assert_array_equal(x, kept.x_train)
    np.testing.assert_array_equal(y, kept.targets)


def test_its_sentences_say_which_figure_is_which():
    shares = {"data": 0.4, "forward": 0.6}
    text = str(Profile(1234.0, 1.5, 11, 5.0, 8e9, shares, 18.3e6, 0.25, 2, "float32", "cpu"))
    assert text.splitlines() == [
        "1,234 samples/s on cpu, 2 threads, float32",
        "a step takes 1.50 times as long as its 11 matrix products and convolutions alone, which "
        "do 8.0 GFLOP/s",
        "beside them, in their time: data 40%, forward 60%; a plain copy of the 18.3 MB that the "
        "optimiser moves takes 25%",
    ]


@pytest.mark.parametrize("asked", ["float32", "bfloat16", "auto"])
def test_the_precision_of_a_profile_is_that_of_the_steps_and_of_the_products(
    asked, images, monkeypatch
):
    monkeypatch.setattr(probe, "faster_precision", lambda *given: "bfloat16")
    expected, kinds = torch.float32 if asked == "float32" else torch.bfloat16, set()

    def seen(self, calls):
        kinds.update(call.args[0].dtype for call in calls if "mm" in str(call.func))
        return 1.0

    monkeypatch.setattr(Bench, "seconds_of", seen)
    monkeypatch.setattr(Bench, "step_seconds", lambda *given: [0.5] * 5)
    monkeypatch.setattr(Bench, "copy", lambda self: partial(abs, 1))
    model = small_models()["VAE"].set_params(precision=asked)
    assert profile(model, images, seconds=0).precision == str(expected).removeprefix("torch.")
    assert expected in kinds
