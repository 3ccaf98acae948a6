"""An entry of a zoo made of a finished run: the model, its recipe, its card, a line in the index.

The matrices and kernels of nets are kept in 16 bits, and what is learned in double precision in 32,
where that loses nothing that can be measured: each figure of the test part changes by at most a
tenth of its standard error over test samples or, if it has none, by a hundredth of itself.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from latentia.data import names
from latentia.data.dataset import Dataset
from latentia.data.limits import size
from latentia.errors import InputError, nearest
from latentia.evaluation.evaluate import evaluate
from latentia.evaluation.reproduction import bound, machine
from latentia.evaluation.runs import answers, data_of
from latentia.files import held_folder, read_json, without_folders, write_atomically
from latentia.metrics.definitions import DEFINITIONS
from latentia.metrics.estimates import Estimate
from latentia.models.fields import command_name, model_fields, summary_of
from latentia.models.own_parts import own_nets
from latentia.models.places import is_elsewhere
from latentia.models.saved import WEIGHTS, load
from latentia.models.zoo import EXAMPLES, FILES, NAME, RECIPE, Entry, read_index, write_index, zoos
from latentia.pages.examples import lent
from latentia.pages.provenance import SCORES
from latentia.pages.zoo_card import Facts, zoo_card
from latentia.training.config import HASH, RunConfig, read_config, write_config
from latentia.training.metrics_file import read_metrics

MOST_BYTES = 5_000_000
"""Of an entry."""
MOST_SHIPPED, MOST_SHIPPED_BYTES = 5, 6_000_000
"""Entries that an installed Latentia has, and what they take together."""
SMALL = 64
"""Values up to which an array keeps its 32 bits."""
OF_AN_ERROR, OF_ITSELF = 0.1, 0.01
"""What 16 bits may change: of a figure's standard error, and of a figure without one."""
MOST_SCORES = 3


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a maintainer tells of an entry beside its run; an empty text tells nothing."""

    data: str | None = None
    """A data set to measure on, where the run's own is not where it was."""
    data_name: str = ""
    licence: str = ""
    figure: str = ""
    """The key of the figure that is named first."""
    note: str = ""
    """What its pictures look like."""
    cpu_minutes: float | None = None
    n_importance: int | None = None
    judge: Path | None = None
    examples: Path | None = None
    """A picture of images that a translator's page begins with: a row for each way."""


def add(run: Path, name: str, zoo: Path, told: Told, overwrite: bool = False) -> Entry:
    """Put a finished run's model into the zoo in a folder, under a name; return its entry."""
    _refuse_name(name, zoo, overwrite)
    config, model = RunConfig.read(run), load(run)
    _refuse_run(config, model, run)
    data, _ = data_of(run, told.data, model).hold_out()
    zoo.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        new = Path(place) / name
        new.mkdir()
        figures, loss = _keep(model, run, new, data)
        entry = _described(model, config, run, data, figures, told)
        write_atomically(new / RECIPE, recipe(config, name).encode())
        measured = entry.figures | {"seconds": _seconds_of(run)}
        write_atomically(new / "evaluation.json", json.dumps(measured, indent=1).encode())
        more = "" if entry.data in names() else f" --data {without_folders(data.spec)}"
        command = f"latentia evaluate zoo:{name}{more}"
        told_more = tuple(_answers(new, command, told))
        facts = Facts(name, command, entry, figures, loss, told_more, told.note)
        write_atomically(new / "README.md", zoo_card(model, data, run, facts).encode())
        if told.examples is not None:
            lent(told.examples, model)
            write_atomically(new / EXAMPLES, told.examples.read_bytes())
        files = {path.name: _hashed(path) for path in sorted(new.iterdir())}
        entry = replace(entry, files=files)
        if entry.n_bytes > MOST_BYTES:
            raise InputError(
                f"{run} would take {size(entry.n_bytes)} in the zoo, and at most {size(MOST_BYTES)}"
                " are allowed: train a smaller model"
            )
        with held_folder(zoo, lambda: f"another process changes the zoo in {zoo}: try again"):
            (zoo / name).mkdir(exist_ok=True)
            (zoo / name / EXAMPLES).unlink(missing_ok=True)
            for file in files:
                write_atomically(zoo / name / file, (new / file).read_bytes())
            write_index(zoo, with_shipped(read_index(zoo) | {name: entry}))
    return entry


def _refuse_name(name: str, zoo: Path, overwrite: bool) -> None:
    if not NAME.fullmatch(name):
        raise InputError(
            f"{name!r} is no name for the zoo: small letters, digits and hyphens, such as vae-mnist"
        )
    own = next(zoos())
    if name in own.entries and Path(own.place).resolve() != zoo.resolve():
        raise InputError(f"Latentia's own zoo has {name!r} already: choose another name")
    folder = zoo / name
    inside = {p.name for p in folder.iterdir()} if folder.is_dir() else set[str]()
    if inside - {*FILES, EXAMPLES} or (folder.exists() and not folder.is_dir()):
        raise InputError(f"{folder} holds what is no entry of a zoo: choose another name")
    if (folder.exists() or name in read_index(zoo)) and not overwrite:
        raise InputError(f"the zoo has {name!r} already: choose another name, or --overwrite")


def _refuse_run(config: RunConfig, model: Any, run: Path) -> None:
    """Refuse a run that no recipe trains at once."""
    start = config.parameters.get("pretrained")
    reasons = {
        f"began with the weights in {config.start_from}": config.start_from,
        f"goes back to a checkpoint of {config.taken_from}": config.taken_from,
        "went on with another number of epochs": config.stages,
        "has nets of your own": own_nets(model),
        f"began with the model in {start}": start is not None and not is_elsewhere(start),
    }
    for reason, holds in reasons.items():
        if holds:
            raise InputError(
                f"the run in {run} {reason}, and so no recipe trains it at once: train it anew"
            )


def _keep(model: Any, run: Path, new: Path, data: Dataset) -> tuple[dict[str, float], str]:
    """Write the model, in 16 bits if these lose nothing; return its figures, and what they lose."""
    source = run / "model" if (run / "model").is_dir() else run
    exact = evaluate(model, data)
    weights = (source / WEIGHTS).read_bytes()
    _write_model(source, run, new, halved(weights))
    figures = evaluate(load(new), data)
    key, share = largest_change(exact, figures)
    label = DEFINITIONS[key].label if key in DEFINITIONS else key
    if share <= 1:
        most = f"{label} changes most, by {share:.2g} of that" if share else "None changes at all"
        return figures, (
            "Nets' weights are kept in 16 bits, arrays in 32. No figure may then change by more "
            f"than a tenth of its standard error, or a hundredth of itself without one. {most}."
        )
    _write_model(source, run, new, weights)
    return exact, (
        f"Weights are kept as trained: in fewer bits {label} would change by {share:.2g} times "
        "what is allowed."
    )


def halved(weights: bytes) -> bytes:
    """Return a file of weights in half their bits: of nets 16, but for vectors, of arrays 32.

    >>> import safetensors.numpy as st
    >>> file = {"net_.W": np.ones((9, 9), np.float32), "net_.b": np.ones(9, np.float32)}
    >>> kept = st.load(halved(st.save(file | {"mean_": np.ones(9), "labels_": np.arange(9)})))
    >>> {name: str(kept[name].dtype) for name in sorted(kept)}
    {'labels_': 'int32', 'mean_': 'float32', 'net_.W': 'float16', 'net_.b': 'float32'}
    """
    arrays = safetensors.numpy.load(weights)
    return safetensors.numpy.save({name: _halved(name, arrays[name]) for name in arrays})


def _halved(name: str, array: Any) -> Any:
    of_nets = "." in name and array.ndim > 1 and array.size > SMALL
    floats = np.float16 if of_nets else np.float32
    kind: Any = {"f": floats, "i": np.int32}.get(array.dtype.kind, array.dtype)
    if array.itemsize <= np.dtype(kind).itemsize or not array.size:
        return array
    limits = np.iinfo(kind) if array.dtype.kind == "i" else np.finfo(kind)
    return array if np.abs(array).max() > limits.max else array.astype(kind)


def largest_change(exact: Mapping[str, float], other: Mapping[str, float]) -> tuple[str, float]:
    """Return the figure that changes most, as a multiple of what 16 bits may change.

    >>> largest_change({"psnr": 20.0, "n_parameters": 5.0}, {"psnr": 20.1, "n_parameters": 5.0})
    ('psnr', 0.5)
    """
    found = {key: _change(exact[key], other.get(key, np.nan)) for key in exact}
    worst = max(found, key=lambda key: (np.isnan(found[key]), found[key]), default="")
    share = float(f"{found[worst]:.2g}") if worst else 0.0
    return worst, float("inf") if np.isnan(share) else share


def _change(exact: float, other: float) -> float:
    if exact == other or (np.isnan(exact) and np.isnan(other)):
        return 0.0
    error = exact.standard_error if isinstance(exact, Estimate) else np.nan
    allowed = OF_ITSELF * abs(exact) if np.isnan(error) else OF_AN_ERROR * error
    return abs(other - exact) / max(allowed, 1e-12)


def _write_model(source: Path, run: Path, new: Path, weights: bytes) -> None:
    """Write a saved model's folder with other weights, and what is known of its data."""
    config = {k: v for k, v in read_config(source).items() if k not in (HASH, "data")}
    config["parameters"] = without_places(config["parameters"])
    config |= {"weights_sha256": hashlib.sha256(weights).hexdigest()}
    config |= {"weights_bytes": len(weights)}
    known = read_config(run).get("data", {})
    kept = {k: known[k] for k in ("image_size", "held_out", "options") if known.get(k) is not None}
    # Where the data lay on the machine that trained it is nobody's business.
    kept |= {"spec": known["spec"]} if known.get("spec") in names() else {}
    write_atomically(new / WEIGHTS, weights)
    write_config(new, {**config, "data": kept})


def without_places(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters in which a folder of this machine is its name alone.

    >>> without_places({"features": "/home/jane/squeezenet", "scale": 4})
    {'features': 'squeezenet', 'scale': 4}
    """
    named = parameters.get("features")
    return {**parameters, **({} if named is None else {"features": Path(named).name})}


def _described(
    model: Any,
    config: RunConfig,
    run: Path,
    data: Dataset,
    figures: Mapping[str, float],
    told: Told,
) -> Entry:
    source = run / "model" if (run / "model").is_dir() else run
    if told.figure and told.figure not in figures:
        raise InputError(
            f"the model has no figure {told.figure!r}; choose from {', '.join(figures)}"
            f"{nearest(told.figure, figures)}"
        )
    first = [told.figure] if told.figure else []
    keys = [*dict.fromkeys([*first, *(key for key in SCORES if key in figures)])][:MOST_SCORES]
    spec = config.data.get("spec")
    threads = (config.threads or 1) * (config.world_size or 1)
    minutes = _seconds_of(run) * threads / 60 if told.cpu_minutes is None else told.cpu_minutes
    return Entry(
        model=config.model,
        summary=summary_of(model).replace("`", ""),
        data=told.data_name or (spec if spec in names() else Path(data.name).name),
        licence=told.licence or data.licence,
        seed=vars(model).get("seed_", config.parameters.get("random_state")),
        cpu_minutes=round(minutes, 2),
        cpu_measured=told.cpu_minutes is not None,
        figures={key: float(value) for key, value in figures.items()},
        bounds={key: float(f"{bound(key, figures[key]):.3g}") for key in keys},
        machine=machine(model, config),
        trained_sha256=read_config(source)["weights_sha256"],
        ships=False,
        files={},
    )


def _seconds_of(run: Path) -> float:
    """Return how long a run trained, with what was trained first, all their parts together."""
    return sum(_seconds(part) for part in (run, run / "pretraining"))


def _seconds(run: Path) -> float:
    records = read_metrics(run) if (run / "metrics.jsonl").exists() else []
    if records:
        return float(records[-1].get("seconds", 0.0))
    file = run / "evaluation.json"
    return float(read_json(file).get("seconds", 0.0)) if file.exists() else 0.0


def _answers(folder: Path, command: str, told: Told) -> Iterator[tuple[str, str]]:
    """Yield the commands of figures that take longer, each with what it prints."""
    if told.n_importance is not None:
        lines = answers(folder, told.data, n_importance=told.n_importance)
        yield f"{command} --n-importance {told.n_importance}", "\n".join(lines)
    if told.judge is not None:
        lines = answers(folder, told.data, judge=told.judge)
        yield f"{command} --judge {told.judge.name}", "\n".join(lines)


def recipe(config: RunConfig, name: str) -> str:
    """Return a run as a recipe: what is not the default first, then what is."""
    fields = {field.name: field for field in model_fields(config.model)}
    lines: dict[bool, list[str]] = {False: [], True: []}
    parameters = without_places(config.parameters)
    for key, field in fields.items():
        if key in parameters:
            value = parameters[key]
            default = list(field.default) if isinstance(field.default, tuple) else field.default
            lines[value == default].append(f"{key} = {_toml(value)}")
    spec = config.data.get("spec", "")
    data = {
        "model": command_name(config.model),
        "data": without_folders(spec),
    }
    data |= {k: config.data[k] for k in ("image_size", "held_out") if config.data.get(k)}
    data |= config.data.get("options", {})
    head = [f"# latentia reproduce zoo:{name}", *(f"{k} = {_toml(v)}" for k, v in data.items())]
    usual = [f"# As Latentia {config.versions.get('latentia', '')} has them by default:".strip()]
    return "\n".join([*head, *lines[False], *usual, *lines[True]]) + "\n"


def _toml(value: Any) -> str:
    """Return a value as TOML writes it, and none as recipes do.

    >>> _toml(None), _toml([1, 2]), _toml(True), _toml(1e-3), _toml([])
    ('"none"', '[1, 2]', 'true', '0.001', '["none"]')
    """
    if value is None or value == []:
        return '"none"' if value is None else '["none"]'
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)


def with_shipped(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """Return entries with a mark at the smallest that may be installed with Latentia.

    These are of named data whose licence is known; there are at most 5, of 6 MB together.
    """
    left, n, found = MOST_SHIPPED_BYTES, 0, dict(entries)
    for name, entry in sorted(entries.items(), key=lambda item: (item[1].n_bytes, item[0])):
        ships = entry.data in names() and n < MOST_SHIPPED and entry.n_bytes <= left
        found[name] = replace(entry, ships=ships)
        n, left = n + ships, left - entry.n_bytes * ships
    return found


def _hashed(file: Path) -> dict[str, Any]:
    content = file.read_bytes()
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
