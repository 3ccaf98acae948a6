"""``config.json``: what a run directory or a saved model was made as, and with what.

A run is resumed as the same: the same model with the same parameters on the same data, in the same
precision, with as many threads and processes. The file holds the SHA-256 of all else in it. This
module needs no torch.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import latentia
from latentia.errors import InputError
from latentia.files import read_json, write_atomically

LIBRARIES = ("latentia", "torch", "numpy", "scikit-learn", "scipy", "safetensors")
CURES = {
    "world_size": "; start as many processes as there",
}
WORDS = {"world_size": "number of processes"}
MOST_WORKERS = 1024
"""Threads of a process, and processes of a run."""
TEXT, TABLE, WHOLE = "text", "a table", f"a whole number from 1 to {MOST_WORKERS}"
SIZE, LIST = "a whole number", "a list of stages"
KINDS = {TEXT: str, TABLE: dict, WHOLE: int, SIZE: int, LIST: list}
SCHEMA = {
    "model": TEXT,
    "parameters": TABLE,
    "data": TABLE,
    "precision": TEXT,
    "versions": TABLE,
    "threads": WHOLE,
    "world_size": WHOLE,
    "resolved": TABLE,
    "start_from": TEXT,
    "taken_from": TEXT,
    "stages": LIST,
    "learned": TABLE,
    "weights_sha256": TEXT,
    "weights_bytes": SIZE,
}
"""What each part of ``config.json`` is; the last three are of saved models."""
OPTIONAL = ("threads", "world_size", "start_from", "taken_from")
LEFT_OPEN = ("n_epochs", "n_steps", "batch_size")
"""Parameters that, if none, are in a resumed run what they came to when it began."""
WORTH = {"noise_variance": ("auto", 0.04)}
"""The word that is a parameter's default, and the value that was in version 0.1.0."""
ABSENT = {"lattice_weight": 0.0}
"""What parameters are worth in files of releases that did not have them, not their defaults."""
STAGE = {"step": 1, "n_epochs": 1}
"""What a stage holds, and the least that each number can be."""
HASH = "sha256"


def as_written(parameters: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Return parameters of a file with what those of ``names`` are worth that it may lack."""
    return {**{k: v for k, v in ABSENT.items() if k in names}, **parameters}


@dataclass(frozen=True)
class RunConfig:
    """What a run is: its model, its parameters with the seed that was used, and its data.

    ``threads`` are those that it began with, since another number could change its last bits;
    ``world_size`` processes train it, each with batches of its own. Runs of version 0.1.0 do not
    say how many. ``precision`` is float32 or bfloat16, or auto until a probe has decided; runs of
    that version say auto for what is usual on their device. ``resolved`` is what parameters that
    leave it open came to with these data. ``start_from`` says which model's weights it began with,
    ``taken_from`` of which run it is a checkpoint. ``stages`` are those of a run that went on with
    another number of epochs: the ``step`` at which it did, and the ``n_epochs`` that were planned
    until then.
    """

    model: str
    parameters: Mapping[str, Any]
    data: Mapping[str, Any] = field(default_factory=dict)
    precision: str = "auto"
    versions: Mapping[str, str] = field(default_factory=dict)
    threads: int | None = None
    world_size: int | None = None
    resolved: Mapping[str, Any] = field(default_factory=dict)
    start_from: str | None = None
    taken_from: str | None = None
    stages: Sequence[Mapping[str, int]] = ()

    @classmethod
    def read(cls, path: Path) -> RunConfig:
        """Return what the run in a directory was begun as, or refuse what is no run's."""
        content = read_config(path)
        for name in ("model", "parameters"):
            if name not in content:
                raise InputError(f"{path} holds no run: its config.json names no {name}")
        if "learned" in content:
            raise InputError(f"{path} holds no run but a saved model, which is trained")
        return cls(**content)

    @property
    def seed(self) -> int:
        """The seed that the run uses."""
        seed = self.parameters.get("random_state")
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise InputError(f"the run's config.json names no whole number as seed, but {seed!r}")
        return seed

    def taken(self, name: str) -> int | None:
        """Return the whole number that a parameter came to in this run, if it says so."""
        value = self.resolved.get(name, self.parameters.get(name))
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def of_epochs(self, n_epochs: int) -> RunConfig:
        """Return the same with another number of epochs."""
        parameters, resolved = {**self.parameters, "n_epochs": n_epochs}, self.resolved
        if "n_epochs" in resolved:
            n_steps = resolved["n_steps"] // resolved["n_epochs"] * n_epochs
            resolved = {**resolved, "n_epochs": n_epochs, "n_steps": n_steps}
        return replace(self, parameters=parameters, resolved=resolved)

    @property
    def goes_on_at(self) -> int:
        """The step at which the run last went on with another number of epochs, or 0."""
        return self.stages[-1]["step"] if self.stages else 0

    def write(self, path: Path) -> None:
        """Write the ``config.json`` of a new run, unless there is a run already."""
        if (path / "config.json").exists():
            raise InputError(
                f"{path} already holds a run: resume it with 'latentia resume {path}', "
                "or choose another directory"
            )
        self.rewrite(path)

    def rewrite(self, path: Path) -> None:
        """Write ``config.json`` in place of the one that is there."""
        write_config(path, asdict(self))

    def check_same(self, begun: RunConfig, defaults: Mapping[str, Any], path: Path) -> None:
        """Refuse to go on with the run in ``path``, begun as another one.

        ``defaults`` stand for parameters that the release which began the run did not have.
        """
        there = {**asdict(begun), "parameters": _as_read({**defaults, **begun.parameters})}
        here = _as_read(asdict(self))
        for name in LEFT_OPEN:
            if here["parameters"].get(name, 0) is None:
                here["parameters"][name] = there["parameters"].get(name)
        for name, (word, worth) in WORTH.items():
            if (here["parameters"].get(name), there["parameters"].get(name)) == (word, worth):
                here["parameters"][name] = worth
        for part in ("model", "world_size", "data", "parameters"):
            if part == "world_size" and begun.world_size is None:
                continue
            if part == "data" and "content" not in there[part]:
                # Version 0.1.0 knew only three rows of the data, and no labels.
                here[part].pop("content", None)
            if there[part] != here[part]:
                word = WORDS.get(part, part)
                differing = _differences(there[part], here[part])
                raise InputError(
                    f"the run in {path} was started with another {word}: {differing}"
                    f"{CURES.get(part, '')}"
                )


def _as_read(value: Any) -> Any:
    return json.loads(_as_json(value))


def _differences(there: Any, here: Any) -> str:
    """Return in words what differs, of tables only those entries that do."""
    if not (isinstance(there, dict) and isinstance(here, dict)):
        return f"{there} there, {here} here"
    absent = object()
    names = [n for n in {**there, **here} if there.get(n, absent) != here.get(n, absent)]
    return ", ".join(
        f"{name} {there.get(name, 'absent')!r} there, {here.get(name, 'absent')!r} here"
        for name in names
    )


def _as_json(content: Any) -> str:
    return json.dumps(content, indent=2, default=_plain)


def _plain(value: Any) -> Any:
    """Return NumPy's numbers as Python's."""
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    raise TypeError(f"{value!r} cannot be kept in config.json")


def write_config(path: Path, content: Mapping[str, Any]) -> None:
    """Write a ``config.json`` with the hash of what it says."""
    whole = {**content, HASH: _hash(content)}
    write_atomically(path / "config.json", _as_json(whole).encode())


def _hash(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a table, however its file is laid out."""
    plain = json.dumps(_as_read(content), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def read_config(path: Path) -> dict[str, Any]:
    """Return all that the ``config.json`` of a run or of a saved model says.

    Raises
    ------
    InputError
        If there is none, or it is damaged, malformed, or written by a release that knows more.
    """
    file = path / "config.json"
    if not file.exists():
        raise InputError(f"{path} holds no run and no saved model: it has no config.json")
    try:
        content = read_json(file)
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise InputError(f"{file} cannot be read: it must hold a table")
    # Version 0.1.0 wrote no hash.
    recorded = content.pop(HASH, None)
    if recorded is not None and recorded != _hash(content):
        raise InputError(
            f"{file} is damaged or was changed: its SHA-256 is not the one in it; put back a copy, "
            "or train anew elsewhere"
        )
    _check_schema(file, content)
    return content


def _check_schema(file: Path, content: Mapping[str, Any]) -> None:
    for name, value in content.items():
        if name not in SCHEMA:
            raise InputError(f"{file}: {unknown(f'a field {name!r}', content.get('versions'))}")
        if value is None and name in OPTIONAL:
            continue
        word = SCHEMA[name]
        sound = isinstance(value, KINDS[word]) and not isinstance(value, bool)
        few = word != WHOLE or (isinstance(value, int) and 1 <= value <= MOST_WORKERS)
        if word == LIST and sound:
            sound = all(map(_is_stage, value))
        if not (sound and few):
            raise InputError(f"{file}: {name} must be {word}, and is {value!r:.60}")


def _is_stage(value: object) -> bool:
    """Return whether a part of a list is a stage of a run."""
    return (
        isinstance(value, dict)
        and value.keys() == STAGE.keys()
        and all(type(value[name]) is int and value[name] >= least for name, least in STAGE.items())
    )


def unknown(what: str, writer: object) -> str:
    """Return, in words, that a file holds what this version does not know.

    ``writer`` are the versions that the file names.
    """
    version = writer.get("latentia", "unknown") if isinstance(writer, Mapping) else "unknown"
    return (
        f"it holds {what} that Latentia {latentia.__version__} does not know; it was written by "
        f"version {version}: use that version or a newer one"
    )


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that a result depends on, as far as here.

    Torch is where nets are.
    """
    found = {name: version for name in LIBRARIES if (version := _version(name))}
    return {"python": platform.python_version()} | found


@cache
def _version(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None
