"""``config.json``: what a run directory or a saved model was made as, and with what.

A run is resumed as the same: the same model with the same parameters on the same data, in the same
precision and with as many threads. This file needs no torch.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from latentia.errors import InputError
from latentia.files import write_atomically

LIBRARIES = ("latentia", "torch", "numpy", "scikit-learn", "scipy", "safetensors")
CURES = {"precision": "; set LATENTIA_PRECISION as it was there"}
SCHEMA = {
    "model": (str, "text"),
    "parameters": (dict, "a table"),
    "data": (dict, "a table"),
    "precision": (str, "text"),
    "versions": (dict, "a table"),
    "threads": (int | None, "a whole number"),
}
"""What each part of ``config.json`` is; the first two must be there."""


@dataclass(frozen=True)
class RunConfig:
    """What a run is: its model, its parameters with the seed that was used, and its data.

    ``threads`` are those that it began with, since another number could change its last bits.
    """

    model: str
    parameters: Mapping[str, Any]
    data: Mapping[str, Any] = field(default_factory=dict)
    precision: str = "auto"
    versions: Mapping[str, str] = field(default_factory=dict)
    threads: int | None = None

    @classmethod
    def read(cls, path: Path) -> RunConfig:
        """Return what the run in a directory was begun as, or refuse what is no run's."""
        content = read_config(path)
        for name, (kind, word) in SCHEMA.items():
            if name in ("model", "parameters") and name not in content:
                raise InputError(f"{path} holds no run: its config.json names no {name}")
            if name in content and not isinstance(content[name], kind):
                raise InputError(f"{path / 'config.json'}: {name} must be {word}")
        return cls(**{name: content[name] for name in SCHEMA if name in content})

    @property
    def seed(self) -> int:
        """The seed that the run uses."""
        return int(self.parameters["random_state"])

    def write(self, path: Path) -> None:
        """Write the ``config.json`` of a new run, unless there is a run already."""
        if (path / "config.json").exists():
            raise InputError(
                f"{path} already holds a run: resume it with 'latentia resume {path}', "
                "or choose another directory"
            )
        write_atomically(path / "config.json", json.dumps(asdict(self), indent=2).encode())

    def check_same(self, begun: RunConfig, defaults: Mapping[str, Any], path: Path) -> None:
        """Refuse to go on with the run in ``path``, begun as another one.

        ``defaults`` stand for parameters that the release which began the run did not have.
        """
        for part in ("model", "parameters", "data", "precision"):
            there, here = getattr(begun, part), getattr(self, part)
            if part == "parameters":
                there = _as_read(dict(defaults)) | dict(there)
            if there != _as_read(here):
                raise InputError(
                    f"the run in {path} was started with another {part}: {there} there, {here} "
                    f"here{CURES.get(part, '')}"
                )


def _as_read(value: Any) -> Any:
    return json.loads(json.dumps(value))


def read_config(path: Path) -> dict[str, Any]:
    """Return all that the ``config.json`` of a run or of a saved model says."""
    file = path / "config.json"
    if not file.exists():
        raise InputError(f"{path} holds no run and no saved model: it has no config.json")
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise InputError(f"{file} cannot be read: it must hold a table")
    return content


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that a result depends on."""
    found = {name: importlib.metadata.version(name) for name in LIBRARIES}
    return {"python": platform.python_version()} | found
