"""Saved models: a folder with ``config.json``, ``model.safetensors`` and a readable card.

Nets are stored by their state, arrays by their values, everything else as JSON. Nothing that is
loaded can run code. A model without nets is saved and loaded without torch.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from latentia import INSTRUMENTS, MODELS
from latentia.errors import InputError, check_fields, nearest, offered
from latentia.files import (
    MOST_JSON,
    PREFIX,
    SUFFIX,
    held_folder,
    is_empty,
    named_errors,
    read_bytes,
    read_json,
    read_start,
    remove_partial,
    sync_folder,
    temporary_name,
    write_atomically,
)
from latentia.models.fields import in_new_names
from latentia.models.own_parts import (
    Homes,
    class_name,
    homes_of,
    own_nets,
    recorded,
    told,
    with_nets,
)
from latentia.training.config import HASH, as_written, read_config, unknown, versions, write_config
from latentia.training.metrics_file import is_record, read_metrics

WEIGHTS = "model.safetensors"
FILES = ("config.json", WEIGHTS, "README.md")
KINDS = {
    "channels_": str,
    "content_": str,
    "diagnosis_": str,
    "observation_": str,
    "precision_": str,
    "converged_": bool,
    "of_characters_": bool,
    "best_epoch_": int,
    "photographic_": bool,
    "unit_range_": bool,
    "log_likelihood_": float,
    "noise_variance_": float,
    "scale_": float,
}
"""What learned values are; those called ``n_..._`` and ``..._shape_`` are counts and shapes."""
MOST_VALUES = 2**31
"""In a sample."""
ATTEMPTS = 20
"""To load a model that others replace meanwhile."""
PATIENCE = 60.0
"""Seconds to wait for another process that saves into the same folder."""
ASKED_LATER = ("device", "scores")
"""Hyperparameters that verbs read when they are asked, so that they may change after a fit."""
ARRAYS_OF_TEXT = {"feature_names_in_": object, "classes_": str}
"""Learned arrays that may hold text, which JSON keeps, and their types."""


def save(model: Any, path: Path, *, overwrite: bool) -> Path:
    """Write a fitted model into the folder ``path``; whole or not at all.

    Raises
    ------
    InputError
        If something is at ``path`` that is not to be, or must not be, replaced.
    """
    _refuse_changed(model)
    folder = Path(os.path.realpath(path))
    folder.parent.mkdir(parents=True, exist_ok=True)
    in_use = f"another process saves to {path.parent}, and has not finished: try again"
    with held_folder(folder.parent, lambda: in_use, PATIENCE, complain=False):
        recover(folder)
        refuse_other_folder(folder, path, overwrite)
        _remove_abandoned(folder.parent)
        partial = folder.with_name(temporary_name())
        try:
            with named_errors(path, partial):
                partial.mkdir()
                _write(model, partial)
                _exchange(partial, folder)
        finally:
            _remove_model(partial)
    return path


def _refuse_changed(model: Any) -> None:
    """Refuse to save what was learned beside hyperparameters that it was not learned with."""
    # What was pickled by an earlier version has no settings.
    then = vars(model).get("_settings", {})
    for name, value in model.get_params().items():
        before = then.get(name, value)
        if name not in ASKED_LATER and value != before:
            raise InputError(
                f"{name} was {before!r} in the fit and is {value!r} now: fit again, or set it "
                "back, before the model is saved"
            )


def _write(model: Any, folder: Path) -> None:
    arrays, learned = _learned(model)
    weights = safetensors.numpy.save(arrays)
    config = {
        "model": class_name(model),
        "parameters": recorded(model),
        "learned": learned,
        "versions": versions(),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "weights_bytes": len(weights),
    }
    write_config(folder, config)
    write_atomically(folder / WEIGHTS, weights)
    write_atomically(folder / "README.md", _card(model, arrays).encode())


def _exchange(new: Path, folder: Path) -> None:
    """Put a whole folder in the place of another, which is put aside for `recover` until then."""
    if folder.exists():
        folder.rename(aside(folder))
    new.rename(folder)
    sync_folder(folder.parent)
    _remove_model(aside(folder))


def aside(folder: Path) -> Path:
    """Return where a saved model is for the moment in which another takes its place."""
    return folder.with_name(f"{PREFIX}{folder.name}.old")


def recover(folder: Path) -> None:
    """Put back the model that a writer, killed between two renames, left aside."""
    if aside(folder).is_dir():
        if folder.exists():
            _remove_model(aside(folder))
        else:
            aside(folder).rename(folder)


def refuse_other_folder(folder: Path, path: Path, overwrite: bool) -> None:
    """Refuse to write where something is, unless it is a saved model and is to be replaced."""
    if not os.path.lexists(folder) or is_empty(folder):
        return
    if not overwrite:
        raise InputError(f"{path} exists: choose another folder, or pass overwrite=True")
    foreign = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else [folder.name]
    foreign = [name for name in foreign if name not in FILES]
    if foreign or not _is_saved_model(folder):
        what = foreign[0] if foreign else "no saved model"
        raise InputError(f"{path} holds {what}, and only a saved model is replaced: choose another")


def _is_saved_model(folder: Path) -> bool:
    """Return whether a folder is empty or has the ``config.json`` of a saved model."""
    if not any(folder.iterdir()):
        return True
    try:
        config = read_json(folder / "config.json")
        if config.get("model") not in MODELS | INSTRUMENTS:
            # Of a class of the user's own the hash says that the file is Latentia's.
            config = read_config(folder) if HASH in config else {}
        return "learned" in config
    except (OSError, ValueError, TypeError, AttributeError):
        return False


def _remove_model(folder: Path) -> None:
    """Remove a folder of ours; should something else be in it, that stays."""
    with suppress(OSError):
        remove_partial(folder)
        for name in FILES:
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()


def _remove_abandoned(parent: Path) -> None:
    """Remove what killed writers left in a folder that this process holds."""
    for folder in parent.glob(f"{PREFIX}*{SUFFIX}"):
        if folder.is_dir():
            _remove_model(folder)


def load(
    path: str | Path,
    *,
    classes: Sequence[type] = (),
    nets: Mapping[str, Any] | None = None,
) -> Any:
    """Return the model that was saved in a folder, or by a finished run in its directory.

    Parameters
    ----------
    path
        The folder. It holds numbers and words, and no code. ``zoo:NAME`` is a model of the zoo
        (``latentia zoo list``), and ``hf://name/model[@revision]`` one that is fetched from the
        hub (extra ``hub``).
    classes
        Classes of your own, one of which the model may be of.
    nets
        Nets of your own that the model was given, by their fields, such as ``{"encoder": net}``.
        They lend their form: the weights are those that were saved, and these stay as they are.

    Raises
    ------
    InputError
        For what is no saved model, is damaged, or needs another class or net than is given.
    """
    from latentia.models.places import folder_at

    given = folder_at(path, "path")
    homes = homes_of(classes)
    for _ in range(ATTEMPTS):
        folder = _place(given)
        before = _identity(folder)
        try:
            return _with_records(_read(folder, homes, nets or {}), given)
        except InputError:
            # Another process may have put a new model in its place meanwhile.
            if before is not None and _identity(folder) == before:
                raise
        time.sleep(0.001)
    return _with_records(_read(_place(given), homes, nets or {}), given)


def _with_records(model: Any, run: Path) -> Any:
    """Return a model with what its run recorded; version 0.1.0 did not save it with the model."""
    if model.resumable and "records_" not in vars(model) and (run / "metrics.jsonl").exists():
        model.records_ = [record for record in read_metrics(run) if is_record(record)]
    return model


def _place(path: Path) -> Path:
    """Return the folder of a model that was saved at a path, or by the run there."""
    inner = path / "model"
    folder = inner if inner.is_dir() or aside(inner).is_dir() else path
    if not folder.exists() and aside(folder).is_dir():
        folder = aside(folder)
    if (folder / "checkpoints").is_dir():
        raise InputError(f"the run in {path} is not finished: 'latentia resume {path}' first")
    return folder


def _identity(folder: Path) -> tuple[int, ...] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    # Numbers of files that are gone are given to new ones.
    return found.st_dev, found.st_ino, found.st_ctime_ns


def _read(folder: Path, homes: Homes, nets: Mapping[str, Any]) -> Any:
    config = read_config(folder)
    name = config.get("model", "")
    if name in homes and "data" in config and "learned" not in config:
        raise InputError(f"the run in {folder} is not finished: 'latentia resume {folder}' first")
    if name not in homes or "learned" not in config:
        own = (
            f". If it is of your own, give the class: classes=[{name}]"
            if "learned" in config
            else ""
        )
        raise InputError(f"{folder} holds no known model: {name!r}{nearest(name, homes)}{own}")
    parameters = with_nets(config.get("parameters", {}), nets, folder)
    model = make(name, parameters, config.get("versions"), homes)
    try:
        weights = _weights(folder / WEIGHTS, config)
    except (OSError, ValueError) as error:
        raise InputError(f"the weights in {folder} are damaged or missing: {error}") from None
    # Whatever a file says that has a sound hash, or an old one that has none, ends in a sentence.
    try:
        check_fields(model)
        _restore(model, safetensors.numpy.load(weights), config["learned"])
    except Exception as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"the model in {folder} cannot be restored: {what}") from None
    return model


def _weights(path: Path, config: Mapping[str, Any]) -> bytes:
    """Return the bytes of a weights file, whose size is checked before and hash before parsing."""
    n_bytes = config.get("weights_bytes")
    weights = read_bytes(path, _stated_size(path) if n_bytes is None else n_bytes)
    # Models saved before there was a hash have none.
    if config.get("weights_sha256") not in (None, hashlib.sha256(weights).hexdigest()):
        raise ValueError("their hash is not the one in config.json")
    return weights


def _stated_size(path: Path) -> int:
    """Return how long a weights file says it is, for a model of version 0.1.0."""
    n_header = int.from_bytes(read_start(path, 8), "little")
    header = json.loads(read_start(path, 8 + min(n_header, MOST_JSON))[8:])
    try:
        ends = [part["data_offsets"][1] for name, part in header.items() if name != "__metadata__"]
        return 8 + n_header + int(max(ends, default=0))
    except (LookupError, TypeError, AttributeError):
        raise ValueError("its header is malformed") from None


def kind_of(name: str, homes: Homes = MODELS | INSTRUMENTS) -> Any:
    """Return the class that a name stands for."""
    home = homes[name]
    return offered(home, name) if isinstance(home, str) else home


def make(
    name: str,
    parameters: Mapping[str, Any],
    writer: object = None,
    homes: Homes = MODELS | INSTRUMENTS,
) -> Any:
    """Return a model by the name of its class; lists, which JSON has for tuples, become tuples.

    ``writer`` are the versions that the parameters were written by.
    """
    kind = kind_of(name, homes)
    named = in_new_names(parameters, kind.__dataclass_fields__)
    if writer is not None:
        named = as_written(named, kind.__dataclass_fields__)
    for key in named:
        if key not in kind.__dataclass_fields__:
            raise InputError(f"of {name}, {unknown(f'a parameter {key!r}', writer)}")
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in named.items()})


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
    if not {"data_shape_", "symbols_"} & learned.keys():
        raise InputError("it says nothing of the data that it learnt")
    if "symbols_" in learned and "of_characters_" not in learned:
        raise InputError("it does not say whether its symbols are characters")
    for name, value in learned.items():
        if not _may_be_learned(model, name):
            raise InputError(f"{name!r} is nothing that {type(model).__name__} learns")
        if not _is_sound(name, value):
            raise InputError(f"{name} cannot be {value!r:.60}")
        plain = np.asarray(value, dtype=ARRAYS_OF_TEXT[name]) if name in ARRAYS_OF_TEXT else value
        setattr(model, name, tuple(plain) if name == "data_shape_" else plain)
    # What is read lies in memory that cannot be written to; 16 bits are for the disk alone.
    own = {
        name: array.astype(np.float32) if array.dtype == np.float16 else array.copy()
        for name, array in arrays.items()
    }
    for name, array in own.items():
        if "." not in name and _may_be_learned(model, name):
            setattr(model, name, array)
    model.prepare_nets(own)
    model.keep_settings()


def _may_be_learned(model: Any, name: str) -> bool:
    """Return whether a name is that of a learned attribute, and of nothing that a class has."""
    plain = name.endswith("_") and not name.startswith("_")
    return plain and not isinstance(getattr(type(model), name, None), property)


def _is_sound(name: str, value: object) -> bool:
    """Return whether a learned value that JSON keeps is of its kind."""
    if name.endswith("shape_"):
        sides = value if isinstance(value, list) else []
        whole = all(type(side) is int and side > 0 for side in sides)
        return 0 < len(sides) < 4 and whole and math.prod(sides) <= MOST_VALUES
    if name == "fit_warnings_":
        return isinstance(value, list) and all(isinstance(word, str) for word in value)
    if name == "records_":
        return isinstance(value, list) and all(map(is_record, value))
    if name == "symbols_":
        words = value if isinstance(value, list) else []
        return (
            len(words) > 0
            and all(isinstance(w, str) for w in words)
            and len({*words}) == len(words)
        )
    number = isinstance(value, int | float) and not isinstance(value, bool)
    finite = number and math.isfinite(cast(float, value))
    if name.startswith("n_") or name == "seed_":
        return finite and cast(float, value) >= 0
    kind = KINDS.get(name)
    return finite if kind is float else kind is None or isinstance(value, kind)


def _card(model: Any, arrays: dict[str, NDArray[Any]]) -> str:
    name = type(model).__name__
    summary = (type(model).__doc__ or name).strip().splitlines()[0]
    lines = [f"# {name}", "", summary, "", "| parameter | value |", "|---|---|"]
    lines += [f"| `{key}` | `{value}` |" for key, value in told(model).items()]
    shape = vars(model).get("data_shape_")
    samples = "" if shape is None else f"Samples of shape {shape}; "
    n_values = sum(array.size for array in arrays.values())
    lines += ["", f"{samples}{n_values:,} stored values.", ""]
    lines += ["```python", "import latentia", loading_call(model, "this-folder"), "```", ""]
    return "\n".join(lines)


def loading_call(model: Any, place: str) -> str:
    """Return the line that loads a model, with what it needs of the user's own."""
    name = type(model).__name__
    nets = ", ".join(f'"{key}": {type(net).__name__}(...)' for key, net in own_nets(model).items())
    more = f", nets={{{nets}}}" if nets else ""
    more += "" if name in MODELS | INSTRUMENTS else f", classes=[{name}]"
    return f'model = latentia.load("{place}"{more})'
