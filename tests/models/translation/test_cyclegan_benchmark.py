"""The benchmark of CycleGAN, in small, on two digits."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[3]
RECIPE = """
model = "cyclegan"
n_blocks = 0
width = 2
batch_size = 32
n_epochs = 1
random_state = 0
"""


@pytest.fixture(scope="module")
def script():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        return runpy.run_path(str(ROOT / "benchmarks" / "cyclegan.py"))


def test_the_benchmarks_table(script, tmp_path, capsys):
    recipe = tmp_path / "small.toml"
    recipe.write_text(RECIPE)
    main = script["main"]
    main.__globals__["RECIPES"] = {"boots": recipe}
    words = ["--boots", "digits:3,5", "--runs", str(tmp_path / "runs")]
    main([*words, "--write", str(tmp_path / "table.md")])
    lines = (tmp_path / "table.md").read_text().splitlines()
    cells = [line.split(" | ") for line in lines if line.startswith("| boots")]
    names = ["identity", "Pix2Pix, shuffled pairs", "CycleGAN"]
    assert [row[1] for row in cells] == [name for name in names for _ in range(2)]
    assert [row[2] for row in cells] == ["3 → 5", "5 → 3"] * 3
    assert [cells[0][6], *cells[0][8:]] == ["0.0000", "1.00", "100.0%", "100.0% |"]
    # What translates nothing is as far from the target one way as the other.
    assert cells[0][7] == cells[1][7]
    assert float(cells[0][7]) > 0
    assert all(float(share.rstrip("%")) < 20 for row in cells[:2] for share in row[4:6])
    with Image.open(tmp_path / "cyclegan_boots.png") as picture:
        assert picture.width > picture.height
    capsys.readouterr()
    main([*words, "--train", "never"])
    printed = capsys.readouterr().out.splitlines()
    assert printed[:8] == [line for line in lines if line.startswith("|")]


def test_content_is_found_beside_a_common_step_and_lost_by_chance_alone(script):
    draw = np.random.default_rng(0)
    x = draw.normal(size=(250, 8))
    assert script["own_found"](x, x + 100 + 0.05 * draw.normal(size=x.shape)) > 0.95
    assert script["own_found"](x, draw.permutation(x)) < 0.05


def test_brightness_is_kept_by_a_darker_copy_and_lost_by_others(script):
    x = np.random.default_rng(0).random((250, 8, 8)) * np.linspace(0.1, 1, 250)[:, None, None]
    assert script["brightness_kept"](x, 0.3 * x + 0.1) > 0.9999
    assert script["brightness_kept"](x, 1 - x) < -0.9999
    assert abs(script["brightness_kept"](x, np.random.default_rng(1).permutation(x))) < 0.2
