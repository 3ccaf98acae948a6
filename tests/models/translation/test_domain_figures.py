"""The figures of translators between domains, and a run from the command line."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from latentia.data.dataset import Dataset
from latentia.evaluation import runs as jobs
from latentia.evaluation.evaluate import evaluate
from latentia.metrics.definitions import DEFINITIONS
from latentia.models.translation import baselines
from latentia.models.translation.cyclegan import CycleGAN

RNG = np.random.default_rng(0)


def domains(n=40, side=8):
    """Dark and bright noise."""
    x = RNG.integers(0, 128, (2 * n, side, side)) + 127 * (np.arange(2 * n) % 2)[:, None, None]
    x, y = x.astype(np.uint8), np.arange(2 * n) % 2
    return Dataset("noise", x[:n], y[:n], x[n:], y[n:])


class Inversion:
    """A perfect translator between dark and bright."""

    def transform(self, x):
        return 1 - x

    inverse_transform = transform


def test_an_inversion_of_dark_and_bright_is_perfect():
    found = baselines.domain_metrics(Inversion(), domains())
    expected = {"cycle_error_a": 0, "cycle_error_b": 0, "taken_for_b": 1, "taken_for_a": 1}
    expected |= {"own_detail_a": 1, "own_detail_b": 1}
    assert expected.items() <= {key: round(value, 6) for key, value in found.items()}.items()
    assert max(found["shared_detail_a"], found["shared_detail_b"]) < 0.1


class Halving(Inversion):
    """One that comes back at half the brightness."""

    def inverse_transform(self, x):
        return (1 - x) / 2


def test_each_way_is_measured_on_its_own_test_images_and_judged_by_training_images():
    data = domains()
    dark, bright = (data.x_test[data.y_test == domain] / 255 for domain in (0, 1))
    found = baselines.domain_metrics(Halving(), data)
    assert found["cycle_error_a"] == pytest.approx(dark.mean() / 2, rel=1e-5)
    assert found["cycle_error_b"] == pytest.approx((1 - bright).mean() / 2, rel=1e-5)
    assert (found["taken_for_b"], found["taken_for_a"]) == (1, 1)
    exchanged = dataclasses.replace(data, y_test=1 - data.y_test)
    found = baselines.domain_metrics(Inversion(), exchanged)
    assert (found["taken_for_b"], found["taken_for_a"]) == (0, 0)


def test_a_seed_chooses_the_pixels_that_colours_are_learnt_from(monkeypatch):
    monkeypatch.setattr(baselines, "MOST_PIXELS", 60)
    x, y = RNG.random((2, 12, 8, 8), dtype=np.float32)
    data = Dataset("noise", x[:8], None, x[8:], None, pair_train=y[:8], pair_test=y[8:])
    of = {seed: baselines.baselines(data, seed)[baselines.COLOUR_REGRESSION] for seed in (0, 1, 2)}
    for seed, found in of.items():
        again = baselines.colour_regression(x[:8], y[:8], x[8:], seed)
        np.testing.assert_array_equal(found, again)
        assert (found != of[(seed + 1) % 3]).any()
    np.testing.assert_array_equal(baselines.baselines(data)[baselines.COLOUR_REGRESSION], of[0])


def test_notes_say_what_an_identity_would_have():
    (note,) = baselines.domain_notes(domains())
    assert "100% of the real test images of A are taken for A" in note
    assert "an identity would have 0% and 0%" in note


def test_evaluate_measures_both_ways():
    data = domains()
    model = CycleGAN(width=2, n_blocks=0, n_epochs=1, random_state=0)
    model.fit(data.x_train, data.y_train)
    found = evaluate(model, data)
    both = (found["cycle_error_a"] + found["cycle_error_b"]) / 2
    assert both == pytest.approx(-model.score(data.x_test, data.y_test), rel=1e-5)
    names = {"cycle_error_a", "cycle_error_b", "taken_for_a", "taken_for_b", "n_parameters"}
    names |= {f"{whose}_detail_{to}" for whose in ("own", "shared") for to in "ab"}
    assert set(found) == names <= set(DEFINITIONS)


def test_each_way_that_paints_one_texture_is_named(monkeypatch):
    data = domains()
    model = CycleGAN(width=2, n_blocks=0, n_epochs=1, random_state=0)
    shape = data.x_train.shape[-2:]
    texture = torch.rand(*shape, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(CycleGAN, "translate", lambda self, x: 0 * x + texture)
    monkeypatch.setattr(CycleGAN, "translate_back", lambda self, x: 1 - x)
    model.fit(data.x_train, data.y_train)
    assert model.diagnosis_ == "texture"
    (sentence,) = model.findings(data)
    assert "translations from A to B resemble each other more than their inputs" in sentence
    found = evaluate(model, data)
    assert found["shared_detail_b"] == pytest.approx(1)
    assert found["own_detail_a"] == pytest.approx(1, abs=1e-3)
    assert any("real images with each other" in note for note in model.caveats(data))


def test_a_run_from_the_command_line_ends_in_a_report_and_can_be_resumed(tmp_path, capsys):
    from latentia.cli.main import main

    words = ["--width", "2", "--n-blocks", "1", "--n-epochs", "1", "--random-state", "0"]
    run = tmp_path / "run"
    assert main(["train", "cyclegan", "--data", "digits:3,5", "--run", str(run), *words]) == 0
    page = (run / "report.html").read_text()
    assert "Translations" in page
    assert "A is 3, B is 5." in page
    assert "Cycle error, A to B to A" in page
    assert 0 < json.loads((run / "evaluation.json").read_text())["cycle_error_b"] < 1
    capsys.readouterr()
    assert main(["evaluate", str(run)]) == 0
    assert "an identity would have" in capsys.readouterr().out
    out = tmp_path / "there-and-back.npz"
    assert main(["reconstruct", str(run), "--out", str(out)]) == 0
    with np.load(out) as arrays:
        assert arrays["reconstructed"].shape == arrays["original"].shape
    before = (run / "model" / "model.safetensors").read_bytes()
    jobs.resume(run)
    assert (run / "model" / "model.safetensors").read_bytes() == before
