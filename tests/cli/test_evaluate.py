"""``latentia evaluate``: copies of training images, and samples in a classifier's eyes."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

import latentia
from latentia.cli.main import main
from latentia.data import load
from latentia.data.dataset import Dataset
from latentia.errors import InputError
from latentia.evaluation.memorisation import memorisation_check
from latentia.metrics.neighbours import copying_test
from latentia.metrics.parzen import parzen_log_likelihood
from latentia.models.base import Sampler


def run(capsys, *words):
    status = main(list(words))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the directory of a short run of a GAN."""
    folder = tmp_path_factory.mktemp("runs")
    words = "--data digits --n-epochs 1 --hidden 8 --n-components 4 --random-state 0 --run"
    assert main(["train", "gan", *words.split(), str(folder / "gan")]) == 0
    vae = "--data digits --n-epochs 1 --hidden 8 --random-state 0 --run"
    assert main(["train", "vae", *vae.split(), str(folder / "vae")]) == 0
    return folder


def test_the_report_of_a_gan_looks_for_copies_and_that_of_a_vae_does_not(trained):
    page = (trained / "gan/report.html").read_text()
    for words in (
        "Nearest training images",
        "data-copying z = ",
        "1,000 samples, 297 test, 1,375 training",
        "10,000 drawn samples, 148 test samples",
        "Theis, van den Oord, Bethge 2016",
    ):
        assert words in page
    assert "data-copying" not in (trained / "vae/report.html").read_text()


def test_copies_are_looked_for_by_command(trained, capsys, tmp_path):
    picture = tmp_path / "near.png"
    status, out, _ = run(capsys, "evaluate", str(trained / "gan"), "--memorisation", str(picture))
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == ["data-copying", "Parzen-window", "A"]
    assert "Fréchet" not in out
    with Image.open(picture) as drawn:
        assert drawn.width > 10 * 90
    words = ["evaluate", str(trained / "vae"), "--memorisation", str(picture)]
    assert "--overwrite" in run(capsys, *words)[2]
    assert run(capsys, *words[:2], "--overwrite")[0] == 2  # of what?
    vae = run(capsys, *words, "--overwrite")
    assert vae[0] == 0  # asked for, any generator of images is looked at


def test_a_judge_is_trained_once_and_named(trained, capsys, tmp_path):
    words = ["evaluate", str(trained / "gan"), "--judge", str(tmp_path / "judge")]
    status, out, _ = run(capsys, *words)
    assert status == 0
    assert "Fréchet distance" in out.splitlines()[0]
    assert out.count("(k = 5, 297 real, 1,000 drawn)") == 4
    judge = latentia.load(tmp_path / "judge")
    assert judge.name in out
    config = json.loads((tmp_path / "judge/config.json").read_text())
    assert config["model"] == "ImageClassifier"
    accuracy = float(out.splitlines()[-1].split("right on ")[1].split("%")[0])
    assert accuracy > 95
    again = run(capsys, *words)
    assert again[1] == out
    assert "ImageClassifier" not in again[2]  # no second training


@pytest.mark.parametrize(
    ("model", "words", "sentence"),
    [
        ("gan", ["--memorisation", "x.gif"], "ends in '.gif'; the picture is a .png"),
        ("gan", ["--memorisation", "x.png", "--data", "ring"], "images with 1 or 3 channels"),
        ("gan", ["--judge", "GAN"], "holds a GAN; give an ImageClassifier"),
        ("gan", ["--n-importance", "5"], "GAN bounds no likelihood"),
    ],
)
def test_what_cannot_be_asked(model, words, sentence, trained, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = [str(trained / "gan") if word == "GAN" else word for word in words]
    status, _, errors = run(capsys, "evaluate", str(trained / model), *words)
    assert status == 2
    assert sentence in errors
    assert not list(tmp_path.iterdir())


class Copier(Sampler):
    """Draws the training images one after the other."""

    def __init__(self, images):
        self.images = images

    def sample(self, n_samples, random_state):
        return np.resize(self.images, (n_samples, *self.images.shape[1:]))


def test_copies_are_found_and_the_figures_are_those_of_the_metrics():
    digits = load("digits")
    found = memorisation_check(Copier(digits.x_train), digits)
    assert found.copying.z < -15
    np.testing.assert_array_equal(found.nearest.samples, digits.x_train[:30])
    assert found.nearest.distances.max() == 0
    drawn = np.resize(digits.x_train, (10_000, 8, 8))
    assert found.copying == copying_test(digits.x_train, digits.x_test, drawn[:1000])
    expected = parzen_log_likelihood(drawn, digits.x_test[::2], digits.x_test[1::2])
    assert found.parzen == expected
    honest = memorisation_check(Copier(digits.x_test), digits)
    assert abs(honest.copying.z) < 3


class Noise(Sampler):
    """Draws noise."""

    def sample(self, n_samples, random_state):
        return np.random.default_rng(random_state).random((n_samples, 8, 8))


def test_copies_are_sought_among_the_seeds_samples_and_test_images_of_all_classes(monkeypatch):
    monkeypatch.setattr(sys.modules[memorisation_check.__module__], "MOST_COMPARED", 50)
    digits = load("digits")
    some = digits.x_test[np.linspace(0, 296, 50).astype(int)]
    for seed in (0, 3):
        found = memorisation_check(Noise(), digits, seed)
        drawn = Noise().sample(10_000, seed)
        assert found.copying == copying_test(digits.x_train, some, drawn[:50])
        np.testing.assert_array_equal(found.nearest.samples, drawn[:30])
        expected = parzen_log_likelihood(drawn, digits.x_test[::2], digits.x_test[1::2])
        assert found.parzen == expected
    np.testing.assert_array_equal(
        memorisation_check(Noise(), digits).nearest.samples, Noise().sample(10_000, 0)[:30]
    )


def test_large_images_are_fewer(monkeypatch):
    x = np.random.default_rng(0).random((20, 3, 16, 16), dtype=np.float32)
    monkeypatch.setattr("latentia.evaluation.memorisation.MOST_VALUES", 10 * x[0].size + 5)
    data = Dataset("large", x, None, x[:12], None)
    found = memorisation_check(Copier(x), data)
    assert (found.parzen.n_samples, found.copying.n_samples, found.copying.n_test) == (10, 10, 10)


@pytest.mark.parametrize(
    ("x_test", "words"),
    [
        (np.zeros((3, 8, 8)), "large has 3 test images; at least 4"),
        (np.zeros((9, 5)), r"samples of shape \(5,\)"),
        (np.zeros((9, 2, 8, 8)), r"samples of shape \(2, 8, 8\)"),
    ],
)
def test_data_without_pictures_are_refused(x_test, words):
    data = Dataset("large", np.zeros((9, *x_test.shape[1:])), None, x_test, None)
    with pytest.raises(InputError, match=words):
        memorisation_check(Copier(x_test), data)
    with pytest.raises(InputError, match="PCA draws no samples"):
        memorisation_check(latentia.PCA(), data)
