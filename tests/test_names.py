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
ROOMS += [importlib.import_module(f"latentia.{name}") for name in ("theory", "data")]
NAMES = [(room, name) for room in ROOMS for name in room.__all__]
HEAVY = ("torch", "matplotlib", "jinja2", "rich", "PIL", "latentia.data.named")


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
        with pytest.raises(
            AttributeError, match=f"module '{room.__name__}' has no attribute 'travesre'"
        ):
            _ = room.travesre


LINEAR = """
from latentia import {0}, load
model = {0}(n_components=2).fit(X)
model.save("{0}")
load("{0}").score(X)
"""
OPTIMISERS = """
import torch
from latentia.training.updates import adam, rmsprop, sgd
w = torch.nn.Parameter(torch.ones(3))
for rule in (adam, rmsprop, sgd):
    optimizer = rule([w], 0.1)
    optimizer.zero_grad()
    (w * w).sum().backward()
    optimizer.step()
    assert not torch.equal(w, torch.ones(3)) and w.requires_grad
    optimizer.load_state_dict(optimizer.state_dict())
"""
STEPS = {name: LINEAR.format(name) for name in ("PCA", "ProbabilisticPCA", "FactorAnalysis")}
STEPS["optimisers"] = OPTIMISERS
STEPS["VAE"] = "from latentia import VAE\nVAE(n_epochs=1, batch_size=32).fit(images)"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """Return which heavy libraries a new process has loaded after each step, the lightest first."""
    tell = f"print(json.dumps([m for m in {(*HEAVY, 'torch._dynamo')!r} if m in sys.modules]))\n"
    lines = "import json, sys\nimport numpy as np\ndraw = np.random.default_rng(0)\n"
    lines += "X, images = draw.normal(size=(60, 6)), draw.random((64, 8, 8))\n"
    lines += "".join(f"{code}\n{tell}" for code in STEPS.values())
    ran = subprocess.run(
        [sys.executable, "-c", lines],
        cwd=tmp_path_factory.mktemp("loaded"),
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return dict(zip(STEPS, map(set, map(json.loads, ran.stdout.splitlines())), strict=True))


@pytest.mark.parametrize("name", ["PCA", "ProbabilisticPCA", "FactorAnalysis"])
def test_linear_models_of_a_table_load_nothing_heavy(name, loaded):
    assert loaded[name] == set()


def test_optimisers_load_no_compiler_and_go_on_from_their_state(loaded):
    assert loaded["optimisers"] == {"torch"}


def test_a_vae_without_a_run_loads_no_figures_and_no_compiler(loaded):
    assert loaded["VAE"] == {"torch", "rich", "PIL"}
