"""The benchmark of super-resolution, in small, on pictures made here."""

import runpy
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[3]
RECIPE = """
model = "srresnet"
image_size = 32
patch = 32
n_blocks = 1
width = 2
n_epochs = 1
random_state = 0
"""


def test_the_benchmarks_table(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    draw = np.random.default_rng(0)
    for name, n in (("T91", 10), ("Set5", 2), ("Set14", 5)):
        (tmp_path / name).mkdir()
        for number in range(n):
            coarse = draw.integers(0, 256, (7, 8, 3), dtype=np.uint8)
            image = Image.fromarray(coarse).resize((73, 69), Image.Resampling.BICUBIC)
            image.save(tmp_path / name / f"{number}.png")
    recipe = tmp_path / "small.toml"
    recipe.write_text(RECIPE)
    main = runpy.run_path(str(ROOT / "benchmarks" / "super_resolution.py"))["main"]
    gan = tmp_path / "gan.toml"
    more = "pretrain_epochs = 1\ndiscriminator_width = 2\n"
    gan.write_text(RECIPE.replace("srresnet", "srgan") + more)
    words = ["--pictures", str(tmp_path), "--runs", str(tmp_path / "runs")]
    words += [
        "--recipe",
        str(recipe),
        "--gan-recipe",
        str(gan),
        "--write",
        str(tmp_path / "table.md"),
    ]
    main(words)
    lines = (tmp_path / "table.md").read_text().splitlines()
    models = [line.split(" | ")[0] for line in lines if line.startswith("| ")]
    assert models == [
        "| model",
        "| bicubic",
        "| SRResNet",
        "| SRResNet, self-ensemble",
        "| SRGAN-MSE",
    ]
    assert sum("SRResNet gains" in line for line in lines) == 2
    with Image.open(tmp_path / "table.png") as picture:
        assert picture.width > picture.height
    capsys.readouterr()
    main([*words, "--train", "never"])
    printed = capsys.readouterr().out.splitlines()
    assert printed[:6] == [line for line in lines if line.startswith("|")]
