"""Several models, one data set, one seed, one report."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from sklearn.base import ClusterMixin

from latentia import MODELS
from latentia.data import Dataset
from latentia.data.dataset import ImageSize
from latentia.data.named import load_with
from latentia.data.options import USUAL, TableOptions
from latentia.errors import Count, InputError, Seed, check_arguments, nearest
from latentia.evaluation.clusterings import CLUSTERS, baseline_sections
from latentia.evaluation.evaluate import evaluate
from latentia.evaluation.report import ModelSection, Report, write_report
from latentia.evaluation.runs import fit_in_run
from latentia.evaluation.sections import model_section
from latentia.models.base import Model
from latentia.models.language.base import LanguageModel
from latentia.models.measures import yardstick
from latentia.models.saved import kind_of
from latentia.training.config import versions
from latentia.training.progress import tell_notes

LINEAR = ("ProbabilisticPCA", "FactorAnalysis", "LinearAutoencoder", "LinearVAE")
LINEAR_FACTORS = 10
"""Factors of each of them: the lecture's ten, so that one can be read beside another."""
BY_DEFAULT = (
    "PCA",
    "ProbabilisticPCA",
    "FactorAnalysis",
    "Autoencoder",
    "DenoisingAutoencoder",
    "VAE",
    "DCGAN",
)
"""The models that are compared unless others are named: one of each kind, in minutes."""


def compare(
    data: str = "digits",
    models: tuple[str, ...] | None = None,
    out: str | Path = "comparison",
    random_state: Seed = 0,
    n_epochs: Count | None = None,
    image_size: ImageSize = None,
    progress: bool | None = None,
) -> Path:
    """Train models on one data set with one seed and write one report.

    Parameters
    ----------
    data
        A name or a path, as for `latentia.load_data`.
    models
        Class names; by default those of ``BY_DEFAULT`` that can learn the data, and
        scikit-learn's k-means and mixture of Gaussians beside them.
    out
        A new folder for ``report.html`` and a run directory for each model.
    random_state
        The seed of every model and baseline; what measurements draw has seed 0, as in
        `latentia.evaluate`.
    n_epochs
        Of each gradient-trained model; by default each takes its own ``n_steps``.
    image_size
        What pictures are resized to, as for `latentia.load_data`.
    progress
        Show a progress bar; by default only at a terminal.

    Returns
    -------
    path
        Of the report.

    Raises
    ------
    InputError
        For models that are not there or learn texts, no epochs, or a folder with a comparison.
    """
    check_arguments(compare, locals())
    return compare_with(USUAL, data, models, out, random_state, n_epochs, image_size, progress)


def compare_with(
    options: TableOptions,
    data: str,
    models: tuple[str, ...] | None,
    out: str | Path,
    random_state: int,
    n_epochs: int | None,
    image_size: ImageSize,
    progress: bool | None,
) -> Path:
    """Compare as `compare` does, with what is asked of a table in one record."""
    check_arguments(compare_with, locals())
    names = _names(models)
    folder = Path(out)
    if n_epochs is not None and not any(_is_trained(name) for name in names):
        raise InputError(f"n_epochs is {n_epochs}; {', '.join(names)} is fitted without epochs")
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InputError(
            f"{folder} already holds a comparison or other files: choose another with --out"
        )
    loaded = load_with(options, data, image_size=image_size)
    tell_notes(loaded.notes, progress)
    kept, _ = loaded.hold_out()
    sections, notes = [], list(loaded.notes)
    for name in names:
        if name == "DCGAN" and not _fits_dcgan(loaded):
            notes.append("DCGAN was left out: it learns images of 8×8 to 128×128 pixels.")
            continue
        model = recipe(name, loaded, random_state, n_epochs)
        if model.takes_labels and loaded.y_train is None:
            notes.append(f"{name} was left out: the data have no labels.")
            continue
        began = time.perf_counter()
        fit_in_run(model, loaded, folder / name, progress=progress, measured=False)
        seconds = time.perf_counter() - began
        sections.append(_section(model, kept, folder / name, seconds))
    tell_notes(notes[len(loaded.notes) :], progress)
    if models is None:
        sections += baseline_sections(kept, random_state)
    return write_report(folder / "report.html", _report(loaded, sections, notes, random_state))


def _names(models: tuple[str, ...] | None) -> tuple[str, ...]:
    if models is None:
        return BY_DEFAULT
    if isinstance(models, str) or not models:
        raise InputError(f"models is {models!r}; give a list of class names, such as ('VAE',)")
    for name in models:
        if not isinstance(name, str):
            raise InputError(
                f"models holds an object of type {type(name).__name__}; give names of classes, "
                "such as 'VAE'"
            )
        if name not in MODELS:
            raise InputError(
                f"there is no model {name!r}; choose from {', '.join(MODELS)}"
                f"{nearest(name, MODELS)}"
            )
        if issubclass(kind_of(name), LanguageModel):
            raise InputError(f"{name} learns from a text, and compare reads samples")
    return tuple(dict.fromkeys(models))


def recipe(name: str, data: Dataset, random_state: int, n_epochs: int | None) -> Model:
    """Return a model as it comes by default, with this seed and what only the data can say."""
    settings: dict[str, Any] = {**_settings(name, data)}
    if _is_trained(name):
        settings |= {"n_epochs": n_epochs}
    kind = kind_of(name)
    if "random_state" in kind.__dataclass_fields__:
        settings |= {"random_state": random_state}
    model: Model = kind(**settings)
    return model


def _is_trained(name: str) -> bool:
    return "n_epochs" in kind_of(name).__dataclass_fields__


def _settings(name: str, data: Dataset) -> dict[str, int]:
    """Return the sizes that the data give: one number of factors, a cluster for each class."""
    n, n_values = len(data.hold_out()[0].x_train), int(data.x_train[0].size)
    if name == "PCA":
        return {"n_components": min(30, n, n_values)}
    if name in LINEAR:
        return {"n_components": min(LINEAR_FACTORS, n - 1, n_values - 1)}
    if issubclass(kind_of(name), ClusterMixin):
        return {"n_clusters": len(data.class_names) or CLUSTERS}
    return {}


def _fits_dcgan(data: Dataset) -> bool:
    sides = data.x_train.shape[-2:]
    return data.x_train.ndim > 2 and min(sides) >= 8 and max(sides) <= 128


def _section(model: Any, data: Dataset, run: Path, seconds: float) -> ModelSection:
    return model_section(model, data, run, evaluate(model, data) | {"seconds": seconds})


def _report(
    data: Dataset, sections: list[ModelSection], notes: list[str], random_state: int
) -> Report:
    if any("frechet_distance" in section.metrics for section in sections):
        notes = [*notes, yardstick(data.hold_out()[0])]
    n_held_out = len(data.x_train) // 12
    facts = {
        "data": f"{data.name}{f': {data.description}' if data.description else ''}",
        "sample": " × ".join(map(str, data.x_train.shape[1:])),
        "training": f"{len(data.x_train) - n_held_out:,} samples",
        "held out for the curves": f"{n_held_out:,}",
        "test": f"{len(data.x_test):,}",
        "seed": str(random_state),
        "made with": ", ".join(f"{k} {v}" for k, v in versions().items()),
    }
    source = f"{data.origin}. {data.licence}." if data.origin else f"Read from {data.spec}."
    return Report(
        f"Latent-variable models on {data.name}", source, facts, tuple(sections), tuple(notes)
    )
