"""The lectures' examples of theory run as they stand, and their figures are figures."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return a function that runs an example and returns the words of each line it prints."""

    def run_one(name, *words):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [name, *words])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        with Image.open(Path(name).with_suffix(".png")) as picture:
            assert min(picture.size) > 300
            assert np.ptp(np.asarray(picture.convert("L"))) > 200
        return [line.replace(",", "").split() for line in capsys.readouterr().out.splitlines()]

    return run_one


def test_parallel_lines(run):
    printed = run("parallel_lines.py")
    assert [words[3] for words in printed] == ["1.00", "0.50", "0.01", "0.00", "0.50"]
    assert [words[5] for words in printed] == ["0.6931"] * 3 + ["0.0000", "0.6931"]


def test_jsd_derivation(run):
    *rows, difference, trained = run("jsd_derivation.py")
    assert [words[5] for words in rows] == [words[11] for words in rows]
    assert float(rows[0][5]) == pytest.approx(-np.log(4), abs=1e-6)
    assert float(difference[-2]) < 1e-10
    assert float(trained[4]) < float(trained[7])


def test_kl_asymmetry(run):
    forward, reverse = run("kl_asymmetry.py")
    assert float(forward[5]) == pytest.approx(0.4, abs=0.01)
    assert float(forward[8]) == pytest.approx(2.09, abs=0.02)
    assert float(reverse[5]) == pytest.approx(2, abs=0.1)
    assert float(reverse[8]) < 1


def test_gan_game_1d(run):
    printed = run("gan_game_1d.py", "--steps", "100")
    js, gap = np.array([[float(words[4]), float(words[-1])] for words in printed]).T
    assert js[0] > 0.1 > 0.01 > js[-1]
    assert gap[0] > gap[-1]


def test_monte_carlo(run, tmp_path):
    printed = run("monte_carlo.py")
    errors = [float(words[4]) for words in printed]
    assert errors[0] / errors[-1] == pytest.approx(np.sqrt(1000), rel=0.5)
    assert all(abs(float(words[2]) - np.exp(0.5)) < 3 * float(words[4]) for words in printed)
    assert (tmp_path / "densities.png").exists()
