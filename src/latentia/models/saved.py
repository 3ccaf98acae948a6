"""Saved models: a folder with ``config.json``, ``model.safetensors`` and a readable card.

Nets are stored by their state, arrays by their values, everything else as JSON. Nothing that is
loaded can run code. A model without nets is saved and loaded without torch.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from latentia import INSTRUMENTS, MODELS
from latentia.errors import InputError, nearest
from latentia.files import sync_folder, write_atomically
from latentia.models.fields import in_new_names
from latentia.training.config import read_config, versions

WEIGHTS = "model.safetensors"
ARRAYS_OF_TEXT = {"feature_names_in_": object, "classes_": str}
"""Learned arrays that may hold text, which JSON keeps, and their types."""


def save(model: Any, path: Path, *, overwrite: bool) -> Path:
    """Write a fitted model into the folder ``path``; whole or not at all."""
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists: choose another folder, or pass overwrite=True")
    partial = path.with_name(f"{path.name}.tmp")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    arrays, learned = _learned(model)
    weights = safetensors.numpy.save(arrays)
    config = {
        "model": type(model).__name__,
        "parameters": model.get_params(),
        "learned": learned,
        "versions": versions(),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
    }
    write_atomically(partial / "config.json", json.dumps(config, indent=2).encode())
    write_atomically(partial / WEIGHTS, weights)
    write_atomically(partial / "README.md", _card(model, arrays).encode())
    if path.exists():
        retired = path.with_name(f"{path.name}.old.tmp")
        shutil.rmtree(retired, ignore_errors=True)
        path.rename(retired)
        partial.rename(path)
        shutil.rmtree(retired)
    else:
        partial.rename(path)
    sync_folder(path.parent)
    return path


def load(path: str | Path) -> Any:
    """Return the model that was saved in a folder, or by a finished run in its directory."""
    folder = Path(path)
    folder = folder / "model" if (folder / "model").is_dir() else folder
    if (folder / "checkpoints").is_dir():
        raise InputError(f"the run in {path} is not finished: 'latentia resume {path}' first")
    config = read_config(folder)
    name = config.get("model", "")
    homes = MODELS | INSTRUMENTS
    if name not in homes or "learned" not in config:
        raise InputError(f"{folder} holds no known model: {name!r}{nearest(name, homes)}")
    model = make(name, config["parameters"])
    try:
        weights = (folder / WEIGHTS).read_bytes()
        # Models saved before there was a hash have none.
        if config.get("weights_sha256") not in (None, hashlib.sha256(weights).hexdigest()):
            raise ValueError("their hash is not the one in config.json")
        _restore(model, safetensors.numpy.load(weights), config["learned"])
    except (OSError, ValueError, RuntimeError, safetensors.SafetensorError) as error:
        raise InputError(f"the weights in {folder} are damaged or missing: {error}") from None
    return model


def kind_of(name: str) -> Any:
    """Return the class that a name of ours stands for."""
    return getattr(importlib.import_module((MODELS | INSTRUMENTS)[name]), name)


def make(name: str, parameters: Mapping[str, Any]) -> Any:
    """Return a model by the name of its class; lists, which JSON has for tuples, become tuples."""
    kind = kind_of(name)
    named = in_new_names(parameters, kind.__dataclass_fields__)
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in named.items()}
    return kind(**given)


def _learned(model: Any) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    learned: dict[str, Any] = {}
    nets = model.nets()
    for name, value in vars(model).items():
        if not name.endswith("_"):
            continue
        if name in nets:
            for key, tensor in value.state_dict().items():
                arrays[f"{name}.{key}"] = tensor.detach().cpu().contiguous().numpy()
        elif isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
            arrays[name] = np.require(value, requirements="C")
        else:
            learned[name] = value.tolist() if isinstance(value, np.ndarray) else value
    return arrays, learned


def _restore(model: Any, arrays: dict[str, NDArray[Any]], learned: dict[str, Any]) -> None:
    for name, value in learned.items():
        plain = np.asarray(value, dtype=ARRAYS_OF_TEXT[name]) if name in ARRAYS_OF_TEXT else value
        setattr(model, name, tuple(plain) if name == "data_shape_" else plain)
    # What is read lies in memory that cannot be written to.
    own = {name: array.copy() for name, array in arrays.items()}
    for name, array in own.items():
        if "." not in name:
            setattr(model, name, array)
    model.prepare_nets(own)


def _card(model: Any, arrays: dict[str, NDArray[Any]]) -> str:
    name = type(model).__name__
    summary = (type(model).__doc__ or name).strip().splitlines()[0]
    lines = [f"# {name}", "", summary, "", "| parameter | value |", "|---|---|"]
    lines += [f"| `{key}` | `{value}` |" for key, value in model.get_params().items()]
    shape = vars(model).get("data_shape_")
    samples = "" if shape is None else f"Samples of shape {shape}; "
    n_values = sum(array.size for array in arrays.values())
    lines += ["", f"{samples}{n_values:,} stored values.", ""]
    lines += ["```python", "import latentia", 'model = latentia.load("this-folder")', "```", ""]
    return "\n".join(lines)
