"""Public names are functions whenever they are asked for, and light models load light libraries."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import latentia
from tests.children import environment

ROOMS = [latentia, importlib.import_module("latentia.explore")]
ROOMS += [importlib.import_module("latentia.theory")]
NAMES = [(room, name) for room in ROOMS for name in room.__all__]
HEAVY = ("torch", "matplotlib", "jinja2", "rich")


@pytest.mark.parametrize(("room", "name"), NAMES, ids=lambda part: getattr(part, "__name__", part))
def test_a_name_is_the_same_at_every_access(room, name):
    first = getattr(room, name)
    assert not isinstance(first, type(sys))
    assert getattr(room, name) is first
    assert name in dir(room)


def test_no_function_has_the_name_of_a_module():
    for room in ROOMS:
        beside = {path.stem for path in Path(room.__file__).parent.iterdir()}
        assert not set(room.__all__) & beside
    for room in ROOMS[1:]:
        with pytest.raises(AttributeError, match="no attribute 'travesre'"):
            _ = room.travesre


def loaded_after(code):
    """Return which heavy libraries a new process has loaded after some lines."""
    tell = f"print(json.dumps([m for m in {(*HEAVY, 'torch._dynamo')!r} if m in sys.modules]))"
    lines = f"import json, sys\n{code}\n{tell}"
    ran = subprocess.run(
        [sys.executable, "-c", lines], env=environment(), capture_output=True, text=True, check=True
    )
    return set(json.loads(ran.stdout))


TABLE = "import numpy as np; X = np.random.default_rng(0).normal(size=(60, 6))\n"
PICTURES = "import numpy as np; X = np.random.default_rng(0).random((64, 8, 8))\n"


@pytest.mark.parametrize("name", ["PCA", "ProbabilisticPCA", "FactorAnalysis"])
def test_linear_models_of_a_table_load_nothing_heavy(name, tmp_path):
    code = TABLE + f"from latentia import {name}, load\n"
    code += f"model = {name}(n_components=2).fit(X)\n"
    code += f"model.save({str(tmp_path / 'model')!r})\nload({str(tmp_path / 'model')!r}).score(X)"
    assert loaded_after(code) == set()


def test_a_vae_without_a_run_loads_no_figures_and_no_compiler():
    code = PICTURES + "from latentia import VAE\nVAE(n_epochs=1, batch_size=32).fit(X)"
    assert loaded_after(code) == {"torch", "rich"}


def test_optimisers_load_no_compiler_and_go_on_from_their_state():
    code = (
        "import torch\nfrom latentia.training.updates import adam, rmsprop, sgd\n"
        "w = torch.nn.Parameter(torch.ones(3))\n"
        "for rule in (adam, rmsprop, sgd):\n"
        "    optimizer = rule([w], 0.1)\n"
        "    optimizer.zero_grad()\n"
        "    (w * w).sum().backward()\n"
        "    optimizer.step()\n"
        "    assert not torch.equal(w, torch.ones(3)) and w.requires_grad\n"
        "    optimizer.load_state_dict(optimizer.state_dict())\n"
    )
    assert loaded_after(code) == {"torch"}
