"""The jobs behind the command line: train, resume, sample, reconstruct on named data."""

from __future__ import annotations

import dataclasses
import importlib
import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia import MODELS
from latentia.data import Dataset
from latentia.data import load as load_data
from latentia.data.specimens import first_labels
from latentia.errors import FitWarning, InputError
from latentia.evaluation.evaluate import evaluate as measure
from latentia.evaluation.evaluate import yardstick
from latentia.evaluation.image_tasks import task_of
from latentia.evaluation.profiling import Profile, profile
from latentia.evaluation.report import Report, write_report
from latentia.evaluation.sections import model_section
from latentia.files import write_atomically
from latentia.models.base import Model, unit_floats
from latentia.models.gradient import GradientModel
from latentia.models.saved import load
from latentia.plots.grids import rows, save_png, tile
from latentia.training.config import read_config, versions
from latentia.training.distributed import leads


def hold_out(data: Dataset) -> tuple[Dataset, NDArray[Any]]:
    """Return the data without the last twelfth of the training rows, and that twelfth.

    Of MNIST's 60,000 training images these are the last 5,000, the usual validation set.
    """
    n = len(data.x_train) - len(data.x_train) // 12
    labels = None if data.y_train is None else data.y_train[:n]
    pairs = None if data.pair_train is None else data.pair_train[:n]
    kept = dataclasses.replace(data, x_train=data.x_train[:n], y_train=labels, pair_train=pairs)
    return kept, data.x_train[n:]


def load_for(model: Model, data_spec: str, image_size: int | None) -> Dataset:
    """Return named data as the model takes them: images, tables, pairs, domains, sharp pieces."""
    task = task_of(model)
    return (load_data if task is None else task.load)(data_spec, image_size=image_size)


def train(
    model: Any,
    data_spec: str,
    run: Path,
    image_size: int | None = None,
    progress: bool | None = None,
) -> Path:
    """Train a model on a data set in a run directory, measure it, and write its report.

    Returns
    -------
    report
        The path of the HTML report.

    Raises
    ------
    InputError
        For parameters, data or a run directory that cannot be used.
    """
    model.validate_parameters()
    return fit_in_run(model, load_for(model, data_spec, image_size), run, progress=progress)


def measure_speed(
    model: GradientModel, data_spec: str, run: Path, image_size: int | None
) -> Profile:
    """Profile a model's training steps on a data set; leave ``profile.json`` in its run."""
    data, _ = hold_out(load_for(model, data_spec, image_size))
    found = profile(model, data.x_train, data.targets)
    write_atomically(run / "profile.json", json.dumps(dataclasses.asdict(found)).encode())
    return found


def resume(run: Path, progress: bool | None = None) -> Path:
    """Go on with the run in a directory, with the parameters and data it was started with."""
    config = read_config(run)
    if config.get("model") not in MODELS or "data" not in config:
        raise InputError(f"{run} holds no run: its config.json names no known model and data")
    if "spec" not in config["data"]:
        raise InputError(f"the run in {run} was started from Python: call fit(..., resume=True)")
    name = config["model"]
    parameters = {
        k: tuple(v) if isinstance(v, list) else v for k, v in config["parameters"].items()
    }
    model = getattr(importlib.import_module(MODELS[name]), name)(**parameters)
    origin = config["data"]
    data = load_for(model, origin["spec"], origin["image_size"])
    return fit_in_run(model, data, run, progress=progress, resume=True)


def fit_in_run(
    model: Model,
    data: Dataset,
    run: Path,
    *,
    progress: bool | None = None,
    resume: bool = False,
    measured: bool = True,
) -> Path:
    """Fit and save the model, then measure it and write its report; return the report's path."""
    (data, validation), targets = hold_out(data), data.targets
    began = time.perf_counter()
    if isinstance(model, GradientModel):
        origin = {"spec": data.spec, "image_size": data.image_size}
        if targets is None:
            held_out: Any = validation
        else:
            held_out = (validation, targets[len(data.x_train) :])
        model.fit(
            data.x_train,
            data.targets,
            validation=held_out if len(validation) else None,
            run=run,
            resume=resume,
            progress=progress,
            origin=origin,
        )
    else:
        _fit_closed_form(model, data, run)
    seconds = time.perf_counter() - began
    if leads():
        model.save(run / "model", overwrite=True)
        if measured:
            finish(model, data, run, seconds)
    return run / "report.html"


def _fit_closed_form(model: Any, data: Dataset, run: Path) -> None:
    if (run / "config.json").exists():
        raise InputError(f"{run} already holds a run: choose another directory")
    with warnings.catch_warnings():
        # The report tells what the fit found.
        warnings.simplefilter("ignore", FitWarning)
        model.fit(data.x_train)
    run.mkdir(parents=True, exist_ok=True)
    config = {
        "model": type(model).__name__,
        "parameters": model.get_params(),
        "data": {"spec": data.spec, "image_size": data.image_size},
        "versions": versions(),
    }
    write_atomically(run / "config.json", json.dumps(config, indent=2).encode())


def finish(model: Any, data: Dataset, run: Path, seconds: float) -> None:
    """Measure the fitted model and leave ``evaluation.json`` and the report in its run."""
    metrics = measure(model, data) | {"seconds": seconds}
    write_atomically(run / "evaluation.json", json.dumps(metrics, indent=2).encode())
    section = model_section(model, data, run, metrics)
    facts = {"data": f"{data.name}, {len(data.x_train):,} training samples"}
    title = f"{section.name} on {data.name}"
    notes = data.notes + quoted(model, data, metrics)
    report = Report(title, data.description, facts, (section,), notes)
    write_report(run / "report.html", report)


def quoted(model: Model, data: Dataset, metrics: dict[str, float]) -> tuple[str, ...]:
    """Return the sentences that figures must be quoted with."""
    task = task_of(model)
    if task is not None:
        return task.notes(data)
    return (yardstick(data),) if "frechet_distance" in metrics else ()


def sample(
    run: Path,
    n_samples: int,
    out: Path,
    random_state: int | None = None,
    label: str | None = None,
) -> Path:
    """Draw from a saved model, of one class if asked, into a picture (.png) or .npy, .npz."""
    model = load(run)
    if not hasattr(model, "sample"):
        raise InputError(f"{type(model).__name__} has no sample: {model.lacks['sample']}")
    if label is None:
        return write_arrays(out, [("samples", model.sample(n_samples, random_state))])
    if not hasattr(model, "classes_"):
        raise InputError(f"{type(model).__name__} knows no classes: leave --label out")
    names = {str(value): value for value in model.classes_}
    if label not in names:
        raise InputError(f"there is no class {label!r}; the model knows {', '.join(names)}")
    drawn = model.sample(n_samples, random_state, y=names[label])
    return write_arrays(out, [("samples", drawn)])


def reconstruct(run: Path, data_spec: str | None, out: Path) -> Path:
    """Write test samples and their reconstructions: a two-row picture, or arrays."""
    model = load(run)
    if not hasattr(model, "reconstruct"):
        raise InputError(f"{type(model).__name__} has no reconstruct: {model.lacks['reconstruct']}")
    data = data_of(run, data_spec, model)
    x = np.asarray(data.x_test[:10] if out.suffix == ".png" else data.x_test)
    back = model.reconstruct(x, *first_labels(model, data, len(x)))
    return write_arrays(out, [("original", unit_floats(x)), ("reconstructed", back)])


def data_of(run: Path, data_spec: str | None, model: Model | None = None) -> Dataset:
    """Return the named data set, or else the one that the run was trained on.

    With a model, pairs or domains of images if it takes those.
    """
    if data_spec is not None:
        return load_data(data_spec) if model is None else load_for(model, data_spec, None)
    origin = read_config(run).get("data", {})
    if "spec" not in origin:
        raise InputError(f"{run} does not say what it was trained on; give the data with --data")
    spec, size = origin["spec"], origin["image_size"]
    return load_data(spec, image_size=size) if model is None else load_for(model, spec, size)


def write_arrays(out: Path, named: list[tuple[str, NDArray[Any]]]) -> Path:
    """Write arrays as the file's suffix asks: .png, .npy (the last one) or .npz.

    Raises
    ------
    InputError
        For another suffix, or a picture of a table.
    """
    if out.suffix == ".png":
        if named[0][1].ndim < 3:
            raise InputError(f"{out} would be a picture of a table; use .npy or .npz")
        n_columns = max(1, round(len(named[0][1]) ** 0.5))
        picture = tile(named[0][1], n_columns=n_columns) if len(named) == 1 else rows(named)
        save_png(out, picture)
    elif out.suffix == ".npy":
        np.save(out, named[-1][1])
    elif out.suffix == ".npz":
        np.savez_compressed(out, allow_pickle=False, **dict(named))
    else:
        raise InputError(f"{out} ends in {out.suffix!r}; use .png, .npy or .npz")
    return out
