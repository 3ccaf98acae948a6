"""Classes named by numbers: what was trained when they stood in alphabetical order."""

import numpy as np
import pytest
from PIL import Image

import latentia
from latentia.cli.main import main
from latentia.data import pictures

NAMES = ("1", "2", "10")


@pytest.fixture
def folder(tmp_path):
    draw = np.random.default_rng(0)
    for name in NAMES:
        (tmp_path / "in" / name).mkdir(parents=True)
        for i in range(8):
            pixels = draw.integers(0, 90, (8, 8)) + 80 * NAMES.index(name)
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "in" / name / f"{i}.png")
    return tmp_path / "in"


def test_a_run_made_with_another_order_is_not_misread(folder, tmp_path, monkeypatch, capsys):
    words = ("--hidden", "8", "--n-components", "2", "--n-epochs", "1", "--random-state", "0")
    run = tmp_path / "run"
    with monkeypatch.context() as then:
        then.setattr(pictures, "_numbers_first", lambda name: (False, 0, name))
        argv = ["train", "conditional-vae", "--data", str(folder), "--run", str(run), *words]
        assert main(argv) == 0
    model = latentia.load(run)
    assert model.class_names_ == ["1", "10", "2"]
    now = latentia.load_data(str(folder))
    assert now.class_names == NAMES
    data = model.load_data(str(folder))
    given = [model.class_names_[value] for value in data.y_train]
    assert given == [NAMES[value] for value in now.y_train]
    capsys.readouterr()
    assert main(["resume", str(run), "--n-epochs", "2"]) in (0, 2)
    errors = capsys.readouterr().err
    if "error" in errors:
        assert "data" in errors
