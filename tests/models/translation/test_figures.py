"""The figures of translators, and the baselines beside them."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from latentia.data.dataset import Dataset
from latentia.evaluation import runs as jobs
from latentia.evaluation.evaluate import evaluate
from latentia.evaluation.sections import model_section
from latentia.metrics.definitions import DEFINITIONS
from latentia.metrics.detail import detail_of
from latentia.models.translation import baselines as figures
from latentia.models.translation.base import Compared, examine
from latentia.models.translation.pix2pix import Pix2Pix
from latentia.training.metrics_file import read_metrics

RNG = np.random.default_rng(0)


def pairs(n=30, side=16):
    """Pairs whose target is a function of the pixel's colour and some noise."""
    x = RNG.integers(0, 256, (n, 3, side, side), dtype=np.uint8)
    clean = np.stack([x[:, 0] / 255 > 0.5, (x[:, 1] / 255) ** 2], axis=1)
    y = (clean + RNG.normal(0, 0.02, clean.shape)).clip(0, 1).astype(np.float32)
    return Dataset("made up", x[:20], None, x[20:], None, pair_train=y[:20], pair_test=y[20:])


def test_the_colour_baseline_finds_a_function_of_colour():
    data = pairs()
    found = figures.baselines(data)
    errors = {name: np.abs(out - data.pair_test).mean() for name, out in found.items()}
    assert errors[figures.COLOUR_REGRESSION] < 0.04
    assert errors[figures.MEAN_IMAGE] > 0.3
    assert all(out.shape == data.pair_test.shape for out in found.values())


def test_the_mean_baseline_is_the_mean_of_training_targets():
    data = pairs()
    mean = figures.baselines(data)[figures.MEAN_IMAGE]
    np.testing.assert_allclose(mean[3], data.pair_train.mean(0), rtol=1e-6)


def test_grey_images_keep_their_shape():
    x = RNG.random((12, 8, 9))
    assert figures.colour_regression(x[:8], x[:8], x[8:]).shape == (4, 8, 9)


def test_closeness_by_its_formulas():
    y, out = RNG.random((2, 3, 1, 12, 12))
    found = figures.closeness(y, out)
    assert found["absolute_error"] == pytest.approx(np.abs(y - out).mean())
    mse = np.square(y - out).mean(axis=(1, 2, 3))
    assert found["translation_psnr"] == pytest.approx((-10 * np.log10(mse)).mean())
    assert "ssim" not in figures.closeness(y[..., :10, :10], out[..., :10, :10])


def test_evaluate_measures_the_test_pairs():
    data = pairs()
    model = Pix2Pix(width=4, n_epochs=1, random_state=0).fit(data.x_train, data.pair_train)
    found = evaluate(model, data)
    assert found["absolute_error"] == pytest.approx(-model.score(data.x_test, data.pair_test))
    detail = {"own_detail", "shared_detail"}
    assert set(found) == {"n_parameters", "absolute_error", "ssim", "translation_psnr"} | detail
    assert set(found) <= set(DEFINITIONS)


def test_a_run_from_the_command_line_ends_in_a_report_and_can_be_resumed(tmp_path, capsys):
    from latentia.cli.main import main

    data = pairs()
    file = tmp_path / "pairs.npz"
    np.savez(
        file,
        x_train=data.x_train,
        y_train=data.pair_train,
        x_test=data.x_test,
        y_test=data.pair_test,
    )
    words = ["--width", "4", "--n-epochs", "2", "--batch-size", "5", "--random-state", "0"]
    run = tmp_path / "run"
    assert main(["train", "pix2pix", "--data", str(file), "--run", str(run), *words]) == 0
    page = (run / "report.html").read_text()
    assert "Baseline, regression from a pixel" in page
    assert "Translations" in page
    measured = json.loads((run / "evaluation.json").read_text())
    assert 0 < measured["absolute_error"] < 1
    capsys.readouterr()
    assert main(["evaluate", str(run)]) == 0
    assert "Baseline, mean of the training targets" in capsys.readouterr().out
    before = (run / "model" / "model.safetensors").read_bytes()
    jobs.resume(run)
    assert (run / "model" / "model.safetensors").read_bytes() == before


def test_a_translator_that_paints_one_texture_is_named(tmp_path, monkeypatch):
    """After training, by the doctor, and on test pairs; one that follows its input is not."""
    draw = np.random.default_rng(3)
    x = draw.random((20, 16, 16), dtype=np.float32)
    data = Dataset("pairs", x[:14], None, x[14:], None, pair_train=x[:14], pair_test=x[14:])
    texture = torch.from_numpy(draw.random((16, 16), dtype=np.float32))
    model = Pix2Pix(width=4, n_epochs=1, random_state=0)
    for make, said in ((lambda x: 0.1 * x + texture, 1), (lambda x: x, 0)):
        monkeypatch.setattr(Pix2Pix, "output", lambda self, x, make=make: make(x))
        model.fit(data.x_train, data.pair_train, run=tmp_path / str(said))
        assert model.diagnosis_ == ("texture" if said else "healthy")
        (record,) = [r for r in read_metrics(tmp_path / str(said)) if r["split"] == "health"]
        assert ("resemble each other more than their targets" in record.get("note", "")) == said
        found = evaluate(model, data)
        assert (found["shared_detail"] > found["own_detail"] + 0.1) == said
        assert len(model.findings(data)) == said
        assert any("real images with each other" in note for note in model.caveats(data))
        section = model_section(model, data, tmp_path / str(said), found)
        assert (
            sum("the same texture" in note for note in (*section.notes, *section.remarks))
            == 2 * said
        )


def test_a_texture_counts_before_the_end_when_it_lasts(images):
    model = Pix2Pix(width=4, n_epochs=1, random_state=0).fit(images, images)
    model.output = lambda x: torch.rand(8, 8, generator=torch.Generator().manual_seed(0)) + 0 * x
    x = torch.from_numpy(images[:, None])
    bad, good = {"own_detail": 0.0, "shared_detail": 1.0}, {"own_detail": 0.9, "shared_detail": 0.0}
    for earlier, epoch, said in (
        ([], 0, False),
        ([], 1, True),
        ([bad] * 5, 0, True),
        ([bad] * 4, 0, False),
        ([*[bad] * 4, good], 0, False),
    ):
        _, sentence = model.checkup(x, x, means={}, earlier=earlier, epoch=epoch)
        assert bool(sentence) == said


def test_a_checkup_records_the_detail_of_outputs_by_their_ending():
    outputs, targets = torch.rand(2, 6, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    outputs = 0.8 * targets + 0.2 * outputs
    shown = {"": Compared(outputs, targets), "_a": Compared(targets, outputs)}
    found, said = examine(SimpleNamespace(), shown, [], last=True)
    detail = detail_of(outputs.numpy(), targets.numpy())
    other = detail_of(targets.numpy(), outputs.numpy())
    assert detail.own > detail.shared + 0.1
    assert found == {
        "own_detail": detail.own,
        "shared_detail": detail.shared,
        "own_detail_a": other.own,
        "shared_detail_a": other.shared,
    }
    assert said == ""
