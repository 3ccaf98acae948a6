"""A figure that data do not allow is left out, and this is said; training ends with its report."""

import json
import warnings

import numpy as np
import pytest

from latentia.cli.main import main
from latentia.errors import FitWarning
from latentia.evaluation import runs
from latentia.models import measures

SMALL = ["--n-components", "2", "--hidden", "4", "--n-epochs", "1", "--random-state", "0"]
DRAW = np.random.default_rng(0)
DATA = {
    "two": DRAW.random((2, 8, 8)),
    "five": DRAW.random((5, 8, 8)),
    "black": np.zeros((24, 8, 8)),
    "five rows": DRAW.random((5, 4)),
}


@pytest.mark.filterwarnings("ignore:pixels span")
@pytest.mark.parametrize(("data", "name"), [*zip(DATA, ["vae", "gan"] * 2, strict=True)])
def test_training_ends_with_its_report(name, data, tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", DATA[data])
    assert main(["train", name, *SMALL, "--data", "x.npy", "--run", "r"]) == 0
    figures = json.loads((tmp_path / "r/evaluation.json").read_text())
    assert "frechet_distance" not in figures
    assert figures["n_parameters"] > 0
    assert ("negative_elbo" in figures) == (name == "vae")
    said = "the Fréchet distance, and what else compares features: left out, since "
    assert said in caplog.text
    assert said in (tmp_path / "r/report.html").read_text()
    caplog.clear()
    _, caveats = runs.figures(tmp_path / "r")
    assert caveats[0].startswith(said)
    assert caplog.text == ""


def test_an_error_in_any_figure_or_picture_costs_no_more_than_it(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", DRAW.random((40, 8, 8)))

    def broken(*arguments, **others):
        raise ZeroDivisionError("nothing to divide by")

    monkeypatch.setattr(measures, "frechet_distance", broken)
    monkeypatch.setattr("latentia.models.figures.codes", broken)
    assert main(["train", "vae", *SMALL, "--data", "x.npy", "--run", "r"]) == 0
    figures = json.loads((tmp_path / "r/evaluation.json").read_text())
    assert "frechet_distance" not in figures
    assert {"memorisation", "negative_elbo", "squared_error"} <= figures.keys()
    assert caplog.text.count("left out, since nothing to divide by") == 2
    monkeypatch.setattr(measures, "reconstruction", broken)
    assert main(["train", "vae", *SMALL, "--data", "x.npy", "--run", "q"]) == 0
    assert "the figures: left out" in (tmp_path / "q/report.html").read_text()


def test_the_other_warnings_are_not_swallowed():
    said = []

    def both():
        with runs.collected() as found:
            warnings.warn("wanted", FitWarning, stacklevel=1)
            warnings.warn("other", UserWarning, stacklevel=1)
        said.extend(found)

    with pytest.warns(UserWarning, match="other"):
        both()
    assert said == ["wanted"]
