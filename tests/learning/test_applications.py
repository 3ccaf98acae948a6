"""The examples of image-to-image applications run as they stand, at the smallest size."""

import numpy as np
import pytest
from PIL import Image

from tests.learning.test_examples import lines_of

TINY = ("--n-epochs", "1", "--width", "4")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return a function that runs an example in an empty folder and gives its lines in words."""

    def run_one(example, *words):
        return lines_of(example, *words, tmp_path=tmp_path, monkeypatch=monkeypatch, capsys=capsys)

    return run_one


def test_next_frame(run):
    lines = run("next_frame.py", "--n-films", "12", "--n-test", "40", *TINY)
    errors = {" ".join(line[:-6]): [float(word) for word in line[-6:]] for line in lines[2:6]}
    assert list(errors) == ["U-Net", "last frame", "straight line", "mean frame"]
    assert errors["mean frame"][-1] < errors["last frame"][-1] < errors["straight line"][-1]
    assert errors["last frame"][0] < errors["last frame"][-2]
    with Image.open("next_frame.gif") as film:
        assert film.n_frames == 9


def test_colourise(run, tmp_path):
    rng = np.random.default_rng(0)
    colours = rng.integers(60, 200, (120, 1, 1, 3)) + rng.integers(0, 40, (120, 16, 16, 3))
    np.savez(tmp_path / "pictures.npz", images=colours.astype(np.uint8))
    Image.fromarray(colours[0].astype(np.uint8)).resize((30, 40)).save(tmp_path / "own.png")
    lines = run("colourise.py", "pictures.npz", *TINY, "--images", "own.png")
    found = {" ".join(line[:-3]): [float(word) for word in line[-3:]] for line in lines[1:6]}
    assert list(found) == ["grey", "mean colours", "regression from L", "L1", "L1 + cGAN"]
    assert found["grey"][2] < 0.1
    assert lines[6][:2] == ["truth", "0.00"]


def test_colourise_has_pictures_of_its_own(run):
    lines = run("colourise.py", *TINY, "--n-pictures", "40")
    assert [lines[i][0] for i in (1, 4, 6)] == ["grey", "L1", "truth"]


def test_restore(run):
    lines = run(
        "restore.py", "--data", "digits", "--n-images", "60", "--n-copies", "1", "--width", "4"
    )
    ratios = {(line[0], " ".join(line[1 : line.index("PSNR")])) for line in lines[:-1]}
    assert {("noise", "median 3×3"), ("noise", "pix2pix"), ("holes", "harmonic")} <= ratios
    found = {line[1]: float(line[line.index("PSNR") + 1]) for line in lines if line[0] == "holes"}
    assert found["mean"] > found["grey"]
    assert {"biharmonic", "pix2pix"} <= set(found)


@pytest.mark.parametrize("model", ["vae", "gan"])
def test_augmentation(run, model):
    words = ("--n-labelled", "40", "--n-pictures", "80", "--n-seeds", "2", "--n-epochs", "1")
    lines = run("augmentation.py", *words, "--generator-epochs", "1", "--model", model)
    assert [line[0] for line in lines[:4]] == ["real"] * 4
    assert lines[0][lines[0].index("gain") + 1] == "+0.00"
    with Image.open("augmentation_pictures.png") as picture:
        assert picture.width > picture.height
