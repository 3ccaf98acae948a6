"""The examples run as they stand."""

import runpy
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


def test_every_recipe_names_real_parameters():
    for path in EXAMPLES.glob("*.toml"):
        recipe = read_recipe(path)
        assert {field.name for field in model_fields(commands()[str(recipe["model"])])}
