"""The benchmark of pix2pix, in small, and its features of texture."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import uniform_filter

from latentia.metrics.frechet import frechet_distance

ROOT = Path(__file__).parents[3]
RECIPE = """
model = "pix2pix"
data = "maps"
width = 2
n_epochs = 1
random_state = 0
"""


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return runpy.run_path(str(ROOT / "benchmarks" / "pix2pix.py"))


@pytest.mark.slow
def test_the_benchmarks_table(benchmark, tmp_path, monkeypatch, capsys):
    x, y = np.random.default_rng(0).random((2, 30, 3, 16, 16), dtype=np.float32)
    np.savez(tmp_path / "maps.npz", x=x, y=y)
    (tmp_path / "small.toml").write_text(RECIPE)
    words = ["--data", str(tmp_path / "maps.npz"), "--runs", str(tmp_path / "runs")]
    words += ["--recipe", str(tmp_path / "small.toml"), "--write", str(tmp_path / "table.md")]
    monkeypatch.setattr(sys, "argv", ["pix2pix.py", *words])
    benchmark["main"]()
    lines = (tmp_path / "table.md").read_text().splitlines()
    labels = [line.split(" | ")[0].strip("| ") for line in lines if line.startswith("| ")]
    assert labels[-3:] == ["L1", "cGAN", "L1 + cGAN"]
    assert len(labels) == 6
    assert any("8×8 patches" in line for line in lines)
    with Image.open(tmp_path / "table.png") as picture:
        # Input, six methods and truth, each of 16 pixels at least.
        assert picture.height > 8 * 16
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", ["pix2pix.py", *words, "--train", "never", "--only", "L1"])
    benchmark["main"]()
    assert "cGAN" not in capsys.readouterr().out


def test_patches_lie_where_they_are_cut_and_have_no_mean(benchmark):
    images = np.random.default_rng(0).random((2, 3, 16, 20))
    cut = benchmark["patches"](images)
    assert cut.shape == (2 * 3 * 4, 3, 8, 8)
    np.testing.assert_allclose(cut.mean(axis=(2, 3)), 0, atol=1e-12)
    there = images[1, :, 4:12, 8:16]
    expected = there - there.mean(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(cut[12 + 4 + 2], expected)


def test_texture_is_blind_to_a_colour_and_sees_blur_and_checkers(benchmark):
    draw = np.random.default_rng(0)
    targets = uniform_filter(draw.random((60, 3, 32, 32)), (0, 0, 2, 2))
    spaces = benchmark["feature_spaces"](targets, None)
    [texture] = [space for name, space in spaces.items() if "patches" in name]
    real = texture(targets[:30])
    checkers = 0.1 * (np.indices((32, 32)).sum(axis=0) % 2)

    def distance(images):
        return frechet_distance(real, texture(images))

    assert distance(targets[:30] + 0.2) == pytest.approx(0, abs=1e-9)
    others = distance(targets[30:])
    assert distance(uniform_filter(targets[30:], (0, 0, 3, 3))) > 5 * others
    assert distance(targets[30:] + checkers) > 5 * others
