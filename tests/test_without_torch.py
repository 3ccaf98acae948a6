"""Where torch is not installed the linear half works, and the rest says what it needs.

``python3 start.py core`` runs these in such an environment; with torch there are the sentences.
"""

import csv

import numpy as np
import pytest

import latentia
from latentia.cli.main import main
from latentia.errors import with_command
from tests.conftest import WITHOUT_TORCH

alone = pytest.mark.skipif(not WITHOUT_TORCH, reason="torch is here: python3 start.py core")


@pytest.fixture
def answers(tmp_path, monkeypatch):
    """Return the file of 200 answers to six items of two scales, in the folder that is current."""
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    factors = np.repeat(draw.normal(size=(200, 2)), 3, axis=1)
    rows = np.round(2 * factors + draw.normal(size=(200, 6)) + 4, 2)
    with (tmp_path / "answers.csv").open("w", newline="") as file:
        csv.writer(file).writerows([[f"q{i}" for i in range(1, 7)], *rows.tolist()])
    return tmp_path / "answers.csv"


@alone
@pytest.mark.parametrize(
    "words",
    [
        "factor {data} --n-factors 2 --rotation oblimin --out {new}",
        "reliability {data} --scales one=q1:q3 two=q4:q6",
        "data describe {data}",
        "train pca --data {data} --n-components 2 --run {new}",
        "train probabilistic-pca --data {data} --n-components 2 --run {new}",
        "train factor-analysis --data {data} --n-components 2 --run {new}",
        "figure list",
        "doctor",
        "lab --out {new}.html",
        "zoo list",
    ],
)
def test_commands_of_the_linear_half_work(words, answers, tmp_path):
    given = words.format(data=answers, new=tmp_path / "new")
    assert main(given.split()) == 0


@alone
def test_a_run_of_a_linear_model_is_used(answers, tmp_path, capsys):
    run = str(tmp_path / "run")
    train = ["train", "factor-analysis", "--data", str(answers), "--n-components", "2"]
    assert main([*train, "--run", run]) == 0
    assert main(["evaluate", run]) == 0
    assert main(["sample", run, "-n", "5", "--out", str(tmp_path / "drawn.csv")]) == 0
    assert main(["transform", run, str(answers), "--out", str(tmp_path / "codes.csv")]) == 0
    drawn = np.loadtxt(tmp_path / "drawn.csv", delimiter=",", skiprows=1)
    assert drawn.shape == (5, 6)


@alone
@pytest.mark.parametrize(
    "words",
    [
        "train vae --data digits --run {new}",
        "export zoo:pca-mnist --out {new}.html",
    ],
)
def test_other_commands_say_what_they_need(words, tmp_path, capsys):
    assert main(words.format(new=tmp_path / "new").split()) == 2
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert told.endswith("needs torch, which is not installed: pip install 'latentia[deep]'")
    assert not (tmp_path / "new").exists()


@alone
def test_linear_models_are_compared_and_the_others_named(tmp_path, capsys):
    assert main(["compare", "--data", "digits", "--out", str(tmp_path / "new")]) == 0
    found = {run.name for run in (tmp_path / "new").iterdir() if run.is_dir()}
    assert found == {"PCA", "ProbabilisticPCA", "FactorAnalysis"}
    report = (tmp_path / "new" / "report.html").read_text()
    assert "VAE was left out: it needs torch, which is not installed" in report


@alone
@pytest.mark.parametrize("name", ["VAE", "GAN", "LSTMLanguageModel", "GradientModel"])
def test_other_models_say_what_they_need(name):
    with pytest.raises(ModuleNotFoundError, match=rf"{name} needs torch.*latentia\[deep\]"):
        getattr(latentia, name)


def test_what_is_missing_is_told_with_its_command_and_other_errors_stay():
    told = with_command(ModuleNotFoundError("No module named 'torch'", name="torch"), "VAE")
    assert str(told) == "VAE needs torch, which is not installed: pip install 'latentia[deep]'"
    assert with_command(told, "latentia train") is told
    other = ModuleNotFoundError("No module named 'x'", name="x")
    assert with_command(other, "VAE") is other
