"""The examples run as they stand."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that runs an example in an empty folder."""

    def run_one(name, *words):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [name, *map(str, words)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")

    return run_one


def size(path):
    with Image.open(path) as picture:
        return picture.size


@pytest.mark.slow
def test_explore_digits(run, capsys):
    run("explore_digits.py")
    words = capsys.readouterr().out.split()
    values = [float(word.rstrip(",")) for word in words[4::2]]
    assert len(values) == 10
    assert values == sorted(values, reverse=True)
    assert size("digits_map.png")[0] > 2 * size("digits_map.png")[1]
    assert min(size("digits_traversal.png") + size("digits_neighbours.png")) > 300
    with Image.open("digits_walk.gif") as film:
        assert film.n_frames == 48


def test_faces(run, tmp_path, capsys):
    rng = np.random.default_rng(0)
    smile = rng.integers(0, 2, 120)
    faces = rng.integers(80, 120, (120, 16, 16, 3))
    faces[smile == 1, 10:12, 4:12] += 90
    age = rng.integers(18, 90, 120)
    np.savez(tmp_path / "faces.npz", images=faces.astype(np.uint8), smile=smile, age=age)
    Image.fromarray(faces[0].astype(np.uint8)).resize((50, 70)).save(tmp_path / "me.png")
    run("faces.py", "faces.npz", "--n-epochs", 1, "--images", "me.png")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("classifier of smile: right on 100.0% of 12")
    assert len(lines) == 6
    assert size("faces_attribute.png") == size("faces_detail.png")
    assert size("faces_blend.png")[0] > 500
    with Image.open("faces.gif") as film:
        # Pillow joins frames that are alike, and adds up how long they are shown.
        shown = [film.seek(i) or film.info["duration"] for i in range(film.n_frames)]
    assert sum(shown) == 48 * 100
