"""``config.json``: what a run directory or a saved model was made as, and with what.

Model, resolved parameters, data, versions of libraries, threads and precision. A run is resumed as
the same: the same model with the same parameters on the same data.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from latentia.errors import InputError
from latentia.files import write_atomically
from latentia.training.device import asked_precision

LIBRARIES = ("latentia", "torch", "numpy", "scikit-learn", "scipy", "safetensors")
CURES = {"precision": "; set LATENTIA_PRECISION as it was there"}


def check_or_write(
    path: Path, config: Mapping[str, Any], defaults: Mapping[str, Any], *, resume: bool
) -> None:
    """Write a new run's ``config.json``, or hold a resumed run to the one that is there.

    ``defaults`` stand for parameters that the release which began the run did not have.

    Raises
    ------
    InputError
        If there is a run and ``resume`` is False, none and it is True, or another one.
    """
    target = path / "config.json"
    config = {**config, "precision": asked_precision()}
    if not target.exists():
        if resume:
            raise InputError(f"{path} holds no run to resume: it has no config.json")
        content = config | {"versions": versions(), "threads": torch.get_num_threads()}
        write_atomically(target, json.dumps(content, indent=2).encode())
        return
    if not resume:
        raise InputError(
            f"{path} already holds a run: resume it with 'latentia resume {path}', "
            "or choose another directory"
        )
    before = {"precision": "auto", "parameters": {}} | read_config(path)
    before["parameters"] = json.loads(json.dumps(dict(defaults))) | before["parameters"]
    for part in config:
        if before.get(part) != json.loads(json.dumps(config[part])):
            raise InputError(
                f"the run in {path} was started with another {part}: {before.get(part)} "
                f"there, {config[part]} here{CURES.get(part, '')}"
            )


def read_config(path: Path) -> dict[str, Any]:
    """Return a run's ``config.json``.

    Raises
    ------
    InputError
        If there is none, or it cannot be read.
    """
    file = path / "config.json"
    if not file.exists():
        raise InputError(f"{path} holds no run and no saved model: it has no config.json")
    try:
        content: dict[str, Any] = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read: {error}") from None
    return content


def recorded_threads(path: Path) -> int | None:
    """Return the number of threads that a run began with; another could change its last bits."""
    threads: int | None = read_config(path).get("threads")
    return threads


def run_seed(random_state: int | None, resumed: Path | None) -> int:
    """Return the seed of the run that is resumed, or the one asked for, or a drawn one."""
    if resumed is not None:
        return int(read_config(resumed)["parameters"]["random_state"])
    if random_state is not None:
        return int(random_state)
    return int(np.random.default_rng().integers(2**32))


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that a result depends on."""
    found = {name: importlib.metadata.version(name) for name in LIBRARIES}
    return {"python": platform.python_version()} | found
