"""The examples run as they stand."""

import runpy
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentia
from latentia.cli.parser import class_name_of, field_values, read_recipe
from latentia.models.fields import model_fields

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.slow
def test_between_two_digits(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLES / "between_two_digits.py"), run_name="__main__")
    with Image.open("between_two_digits.png") as strip:
        assert strip.width > 9 * strip.height / 2


def test_factors_of_digits(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["factors_of_digits.py"])
    with warnings.catch_warnings():
        runpy.run_path(str(EXAMPLES / "factors_of_digits.py"), run_name="__main__")
    with Image.open("factors_of_digits.png") as picture:
        assert picture.width > picture.height > 0
    with Image.open("factors_of_digits_em.png") as trace:
        assert trace.width > 0
    words = [line.split() for line in capsys.readouterr().out.splitlines()]
    likelihoods = [float(line[line.index("log-likelihood") + 1]) for line in words]
    assert max(likelihoods) == likelihoods[-1]


def lines_of(example, *words, tmp_path, monkeypatch, capsys):
    """Run an example in an empty folder; return the words of each line that it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [example, *words])
    runpy.run_path(str(EXAMPLES / example), run_name="__main__")
    with Image.open(Path(example).with_suffix(".png")) as picture:
        assert picture.width > picture.height > 0
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_linear_autoencoder_3d(tmp_path, monkeypatch, capsys):
    angles, difference, *errors = lines_of(
        "linear_autoencoder_3d.py", tmp_path=tmp_path, monkeypatch=monkeypatch, capsys=capsys
    )
    assert float(angles[-3].rstrip("°")) < 0.1
    assert float(difference[-1]) < 0.002
    pca, linear = (float(words[-1]) for words in errors)
    assert pca <= linear < 1.001 * pca


def test_pca_against_autoencoder(tmp_path, monkeypatch, capsys):
    words = ("pca_against_autoencoder.py", "--epochs", "25")
    printed = lines_of(*words, tmp_path=tmp_path, monkeypatch=monkeypatch, capsys=capsys)
    pca, deep = (float(line[line.index("accuracy") + 1].rstrip("%,")) for line in printed)
    assert deep > pca + 10
    errors = [float(line[-1]) for line in printed]
    assert errors[1] < 0.8 * errors[0]


@pytest.mark.slow
def test_denoising(tmp_path, monkeypatch, capsys):
    words = ("denoising.py", "--epochs", "1")
    printed = lines_of(*words, tmp_path=tmp_path, monkeypatch=monkeypatch, capsys=capsys)
    assert len(printed) == 3
    for line in printed:
        noisy, denoised = (float(line[i - 2]) for i in (line.index("noisy,"), len(line) - 1))
        assert denoised > noisy + 2


@pytest.mark.slow
def test_bounds_of_a_linear_vae(tmp_path, monkeypatch, capsys):
    printed = lines_of(
        "bounds_of_a_linear_vae.py", tmp_path=tmp_path, monkeypatch=monkeypatch, capsys=capsys
    )
    values = np.array([[float(words[i].rstrip(",")) for i in (3, 5, 7)] for words in printed])
    elbo, many, exact = values.T
    assert (elbo < many).all()
    assert (many <= exact + 0.05).all()
    assert (exact - many < 0.2 * (exact - elbo)).all()


@pytest.mark.slow
def test_conditional_digits(tmp_path, monkeypatch, capsys):
    words = ("conditional_digits.py", "--n-epochs", "25")
    printed = lines_of(*words, tmp_path=tmp_path, monkeypatch=monkeypatch, capsys=capsys)
    assert float(printed[0][0].rstrip("%")) > 65


def test_every_recipe_names_real_parameters():
    for path in EXAMPLES.rglob("*.toml"):
        recipe = read_recipe(path, parts=("search",))
        name = class_name_of(str(recipe["model"]))
        assert {field.name for field in model_fields(name)}
        getattr(latentia, name)(**field_values(name, recipe)).validate_parameters()


def test_gan_losses(tmp_path, monkeypatch, capsys):
    words = ("gan_losses.py", "--n-epochs", "3", "--objective", "minimax")
    printed = lines_of(*words, tmp_path=tmp_path, monkeypatch=monkeypatch, capsys=capsys)
    assert printed[-1][-1] == "gan_losses.png"


@pytest.mark.slow
def test_mode_collapse(tmp_path, monkeypatch, capsys):
    words = ("mode_collapse.py", "--steps", "200")
    lines = lines_of(*words, tmp_path=tmp_path, monkeypatch=monkeypatch, capsys=capsys)
    covered = [int(line[line.index("of") - 1]) for line in lines[:-1]]
    assert max(covered[:2]) <= 4
    assert covered[-1] >= 6


@pytest.mark.slow
def test_wgan_clipping(tmp_path, monkeypatch, capsys):
    words = ("wgan_clipping.py", "--n-epochs", "2")
    lines = lines_of(*words, tmp_path=tmp_path, monkeypatch=monkeypatch, capsys=capsys)
    assert lines[0][-1] == "vanishing"
    least, paper = (float(line[line.index("distance") + 1]) for line in lines[:2])
    assert 0 < least < 1e-3 * paper


def test_dcgan_digits(tmp_path, monkeypatch, capsys):
    words = ("dcgan_digits.py", "--n-epochs", "2")
    lines_of(*words, tmp_path=tmp_path, monkeypatch=monkeypatch, capsys=capsys)
    with Image.open("dcgan_digits_epochs.png") as picture:
        assert picture.width > picture.height > 0


def test_image_tags(tmp_path, monkeypatch, capsys):
    words = ("image_tags.py", "--n-epochs", "5", "--n-pictures", "3000", "--n-draws", "10")
    printed = lines_of(*words, tmp_path=tmp_path, monkeypatch=monkeypatch, capsys=capsys)
    found = {}
    for line in printed[:-1]:
        precisions = [float(line[line.index(f"P@{k}") + 1]) for k in (1, 3, 5)]
        rank, best = (float(line[line.index(word) + 1].rstrip(",")) for word in ("rank", "best"))
        assert rank > best
        found[line[0]] = [*precisions, -rank]
    assert (np.array(found["conditional"]) > np.add(found["how"], [0.1, 0.05, 0.05, 0.7])).all()
    assert (np.array(found["logistic"]) > np.array(found["how"])).all()


@pytest.mark.parametrize(
    ("n_epochs", "n_pairs", "least_overlap", "most_off"),
    [(2, 100, -1, 0.15), pytest.param(4, 300, 40, 0.08, marks=pytest.mark.slow)],
)
def test_add_object(n_epochs, n_pairs, least_overlap, most_off, tmp_path, monkeypatch, capsys):
    words = ("add_object.py", "--n-epochs", str(n_epochs), "--n-pairs", str(n_pairs))
    lines = lines_of(*words, tmp_path=tmp_path, monkeypatch=monkeypatch, capsys=capsys)
    overlap = next(word for word in lines[0] if word.endswith("%"))
    assert float(overlap.rstrip("%")) > least_overlap
    assert float(lines[1][lines[1].index("by") + 1]) < most_off


@pytest.mark.slow
def test_pix2pix_maps(tmp_path, monkeypatch, capsys):
    words = ("pix2pix_maps.py", "--n-epochs", "2", "--n-pairs", "160")
    lines = lines_of(*words, tmp_path=tmp_path, monkeypatch=monkeypatch, capsys=capsys)
    blurred, sharp = (float(line[line.index("error") + 1]) for line in lines[:2])
    baseline = float(lines[2][lines[2].index("error") + 1].rstrip(","))
    assert max(blurred, sharp) < baseline
