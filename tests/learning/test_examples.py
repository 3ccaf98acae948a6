"""The examples run as they stand."""

import runpy
import sys
import warnings
from pathlib import Path

from PIL import Image

from latentia.fields import commands, model_fields
from latentia.options import read_recipe

EXAMPLES = Path(__file__).parents[2] / "examples"


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


def test_every_recipe_names_real_parameters():
    for path in EXAMPLES.glob("*.toml"):
        recipe = read_recipe(path)
        assert {field.name for field in model_fields(commands()[str(recipe["model"])])}
