"""The examples run as they stand."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentia
from latentia.cli.parser import class_name_of, field_values, read_recipe
from latentia.models.fields import model_fields

EXAMPLES = Path(__file__).parents[2] / "examples"


def lines_of(example, *words, tmp_path, monkeypatch, capsys):
    """Run an example in an empty folder; return the words of each line that it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [example, *words])
    runpy.run_path(str(EXAMPLES / example), run_name="__main__")
    with Image.open(Path(example).with_suffix(".png")) as picture:
        assert picture.width > picture.height > 0
    return [line.split() for line in capsys.readouterr().out.splitlines()]


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


@pytest.mark.slow
def test_pix2pix_maps(tmp_path, monkeypatch, capsys):
    words = ("pix2pix_maps.py", "--n-epochs", "2", "--n-pairs", "160")
    lines = lines_of(*words, tmp_path=tmp_path, monkeypatch=monkeypatch, capsys=capsys)
    blurred, sharp = (float(line[line.index("error") + 1]) for line in lines[:2])
    baseline = float(lines[2][lines[2].index("error") + 1].rstrip(","))
    assert max(blurred, sharp) < baseline
