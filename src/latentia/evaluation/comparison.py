"""Several models, one data set, one seed, one report."""

from __future__ import annotations

import logging
import shlex
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import ClusterMixin, clone
from sklearn.utils import check_array

from latentia import MODELS
from latentia.data import Dataset
from latentia.data.arrays import checked_part, labelled
from latentia.data.arrays import facts as facts_of
from latentia.data.dataset import ImageSize, split
from latentia.data.named import load_with
from latentia.data.options import USUAL, TableOptions
from latentia.errors import DEEP, Count, InputError, Seed, check_arguments, nearest
from latentia.evaluation.clusterings import CLUSTERS, baseline_sections
from latentia.evaluation.evaluate import evaluate
from latentia.evaluation.model_section import ModelSection
from latentia.evaluation.report import Report, write_report
from latentia.evaluation.runs import collected, fit_in_run
from latentia.evaluation.sections import model_section, strip_of_test, with_live_page, with_strips
from latentia.evaluation.wording import counted
from latentia.models.base import Encoder, Model
from latentia.models.inputs import as_array, refuse_text
from latentia.models.language.base import LanguageModel
from latentia.models.linear.pca import PCA
from latentia.models.measures import yardstick
from latentia.models.saved import kind_of
from latentia.training.config import versions
from latentia.training.progress import tell_notes

log = logging.getLogger(__name__)
Data = Any
"""A name, a path, samples, samples with their classes, or a `Dataset`."""
FRAMES = ("fit", "crop")
"""How pictures are brought to one size."""
ARRAYS = "arrays"
"""The name of data that were given as such."""
SIZE = 20
"""Of z, of every model that encodes, unless a quarter of a sample's values is fewer."""
MOST_VALUES = 2_000
"""Of a sample that factor analysis is compared on: its steps cost the cube of them."""
MOST_SIZES = 12
"""Sizes at which PCA's error is shown."""
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
    data: Data = "digits",
    models: Sequence[str | Model] | None = None,
    out: str | Path = "comparison",
    random_state: Seed = 0,
    n_epochs: Count | None = None,
    image_size: ImageSize = None,
    progress: bool | None = None,
    n_components: Count | None = None,
    live: bool = False,
) -> Path:
    """Train models on one data set with one seed and write one report.

    Parameters
    ----------
    data
        A name or a path, as for `latentia.load_data`; or samples X, or (X, y) with their classes,
        of which a tenth is held out as the test part; or a `Dataset`.
    models
        Class names, configured estimators, or both; by default those of ``BY_DEFAULT`` that can
        learn the data, and scikit-learn's k-means and mixture of Gaussians beside them. An
        estimator is fitted as it is.
    out
        A new folder for ``report.html`` and a run directory for each model.
    random_state
        The seed of every model that is named and of the baselines; what measurements draw has seed
        0, as in `latentia.evaluate`.
    n_epochs
        Of each gradient-trained model that is named; by default each takes its usual steps.
    image_size
        What pictures are resized to, as for `latentia.load_data`.
    progress
        Show a progress bar; by default only at a terminal.
    n_components
        The one size of z of all named models that encode, so that they are compared at the same;
        by default 20, or a quarter of a sample's values if that is fewer.
    live
        Embed each model that is small enough in the report, where it runs.

    Returns
    -------
    path
        Of the report.

    Raises
    ------
    InputError
        For models that are not there or learn texts, no epochs, a folder with a comparison, or if
        no model can be fitted; of several, one that fails is left out, and the report says why.
    """
    check_arguments(compare, locals())
    return compare_with(
        USUAL, data, models, out, random_state, n_epochs, image_size, progress, n_components, live
    )


def compare_with(
    options: TableOptions,
    data: Data,
    models: Sequence[str | Model] | None,
    out: str | Path,
    random_state: Seed,
    n_epochs: Count | None,
    image_size: ImageSize,
    progress: bool | None,
    n_components: int | None,
    live: bool = False,
) -> Path:
    """Compare as `compare` does, with what is asked of a table in one record."""
    check_arguments(compare_with, locals())
    asked = _asked(models)
    folder = Path(out)
    _refuse_unused(asked, n_epochs, n_components)
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InputError(
            f"{folder} already holds a comparison or other files: choose another with --out"
        )
    loaded = _loaded(data, options, image_size, random_state)
    tell_notes(loaded.notes, progress)
    kept, _ = loaded.hold_out()
    sections, without, is_new = list[ModelSection](), list[str](), not folder.exists()
    for entry in asked:
        reason = _left_out(entry, loaded)
        if reason:
            without.append(reason)
            continue
        kind = entry if isinstance(entry, str) else type(entry).__name__
        name = _free(kind, [run.name.replace("-", " ") for run in folder.glob("*")])
        run = folder / name.replace(" ", "-")
        with _going_on_without(name, run, without):
            model = _made(entry, loaded, random_state, n_epochs, n_components)
            section = _fitted(model, loaded, kept, run, progress, live)
            sections.append(replace(section, name=name))
    if not sections:
        if is_new:
            with suppress(OSError):
                folder.rmdir()
        raise InputError(f"there is nothing to compare: {' '.join(without).rstrip('.')}")
    tell_notes(without, progress)
    notes = [*loaded.notes, *without]
    if models is None:
        sections += baseline_sections(kept, random_state)
    asked_for = {**options.given, "n_epochs": n_epochs, **_of_size(image_size)}
    asked_for |= {"n_components": n_components, "random_state": random_state}
    asked_for |= {"live": True} if live else {}
    command = _command(data, models, asked_for)
    report = _report(loaded, sections, notes, random_state)
    return write_report(folder / "report.html", replace(report, command=command))


@contextmanager
def _going_on_without(name: str, run: Path, without: list[str]) -> Iterator[None]:
    """Leave out a model that fails, with half a run of it: what others learnt is not lost for it.

    A run that holds a whole model stays. What a user asked to be an error is one.
    """
    try:
        yield
    except (BrokenPipeError, Warning):
        raise
    except Exception as error:
        kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
        reason = f"{kind}{' '.join(str(error).split())}".rstrip(":. ")
        kept = (run / "model").exists()
        without.append(f"{name} was left out: {reason}{f'; it is kept in {run}' * kept}.")
        if not kept:
            shutil.rmtree(run, ignore_errors=True)


def _refuse_unused(
    asked: Sequence[str | Model], n_epochs: int | None, n_components: int | None
) -> None:
    """Refuse what no model that is named takes; an estimator has its own."""
    names = [name for name in asked if isinstance(name, str)]
    if n_epochs is not None and not any(_is_trained(name) for name in names):
        why = "is fitted without epochs" if names else "is configured: set its own"
        raise InputError(f"n_epochs is {n_epochs}; {_told(asked)} {why}")
    if n_components is not None and not any(_encodes(name) for name in names):
        why = "has no such size to set" if names else "is configured: set its own"
        raise InputError(f"n_components is {n_components}; {_told(asked)} {why}")


def _told(asked: Sequence[str | Model]) -> str:
    return ", ".join(a if isinstance(a, str) else type(a).__name__ for a in asked)


def _asked(models: Sequence[str | Model] | None) -> tuple[str | Model, ...]:
    """Return names, each once, and estimators."""
    if models is None:
        return BY_DEFAULT
    if isinstance(models, (str, Model)) or not models:
        raise InputError(f"models is {models!r}; give a list of class names, such as ('VAE',)")
    for model in models:
        if not isinstance(model, str | Model):
            kind = type(model).__name__
            is_class = isinstance(model, type)
            what = f"the class {model.__name__}" if is_class else f"an object of type {kind}"
            raise InputError(
                f"models holds {what}; give names of classes, such as 'VAE', or estimators of "
                "Latentia's, such as VAE()"
            )
        if isinstance(model, str) and model not in MODELS:
            raise InputError(
                f"there is no model {model!r}; choose from {', '.join(MODELS)}"
                f"{nearest(model, MODELS)}"
            )
        kind = kind_of(model) if isinstance(model, str) else type(model)
        if issubclass(kind, LanguageModel):
            raise InputError(f"{kind.__name__} learns from a text, and compare reads samples")
    return tuple(dict.fromkeys(models))


def _loaded(data: Data, options: TableOptions, image_size: ImageSize, random_state: int) -> Dataset:
    """Return a data set of whatever was given."""
    if isinstance(data, str | Path):
        return load_with(options, str(data), image_size=image_size)
    if image_size is not None:
        raise InputError(f"image_size is {image_size}; it is for the pictures of a folder")
    if isinstance(data, Dataset):
        return data
    X, y = data if isinstance(data, tuple) and len(data) == 2 else (data, None)
    refuse_text(X)
    part = checked_part(_plain(as_array(X)), "X")
    if y is not None:
        part = labelled(part, _words(np.asarray(y)), "y")
    named = replace(part, columns=tuple(map(str, getattr(X, "columns", ()))))
    return split(named, ARRAYS, random_state)


def _words(labels: Any) -> Any:
    """Return labels of a data frame's column, which are objects, as words."""
    of_words = labels.dtype == object and all(isinstance(label, str) for label in labels.flat)
    return labels.astype(str) if of_words else labels


def _plain(array: Any) -> Any:
    """Return a data frame or nested lists as an array, with NaN where a value is missing."""
    if isinstance(array, np.ndarray):
        return array
    try:
        return check_array(array, ensure_all_finite="allow-nan", allow_nd=True)
    except (TypeError, ValueError) as error:
        raise InputError(f"X: {' '.join(str(error).split())}") from None


def _left_out(entry: str | Model, data: Dataset) -> str:
    """Return why a model cannot learn the data, or be had here, or nothing."""
    try:
        model = kind_of(entry)() if isinstance(entry, str) else entry
    except ModuleNotFoundError as error:
        if error.name not in DEEP:
            raise
        return f"{entry} was left out: it {str(error).partition(' ')[2]}."
    name = type(model).__name__
    if name == "DCGAN" and not _fits_dcgan(data):
        return "DCGAN was left out: it learns images of 8×8 to 256×256 pixels."
    n_values = data.x_train[0].size
    if name == "FactorAnalysis" and n_values > MOST_VALUES:
        return (
            f"FactorAnalysis was left out: it takes a covariance of {n_values:,} values apart in "
            f"each of its steps; up to {MOST_VALUES:,} are compared."
        )
    if model.takes_labels and data.y_train is None:
        return f"{name} was left out: the data have no labels."
    return ""


def _encodes(name: str) -> bool:
    kind = kind_of(name)
    return issubclass(kind, Encoder) and "n_components" in kind.__dataclass_fields__


def _made(
    entry: str | Model,
    loaded: Dataset,
    random_state: int,
    n_epochs: int | None,
    n_components: int | None,
) -> Any:
    """Return an estimator to be fitted; of a named one that encodes, at the comparison's size."""
    if not isinstance(entry, str):
        return clone(entry)
    model, data = recipe(entry, loaded, random_state, n_epochs), loaded.hold_out()[0]
    if _encodes(type(model).__name__):
        n_values = int(data.x_train[0].size)
        fitting = min(SIZE, max(1, n_values // 4), len(data.x_train) - 1)
        model.set_params(n_components=n_components or fitting)
    return model


def _free(name: str, taken: Sequence[str]) -> str:
    """Return a name that no model before has: with a number from the second of a class on."""
    numbered = (name, *(f"{name} {i}" for i in range(2, len(taken) + 2)))
    return next(n for n in numbered if n not in taken)


def _fitted(
    model: Any, loaded: Dataset, kept: Dataset, run: Path, progress: bool | None, live: bool
) -> ModelSection:
    """Fit one model in its run and return its section; what it warned of stands in it."""
    with collected() as said:
        began = time.perf_counter()
        fit_in_run(model, loaded, run, progress=progress, measured=False)
        seconds = time.perf_counter() - began
        section = _section(model, kept, run, seconds)
        section = with_live_page(section, model, kept, run) if live else section
    for sentence in said:
        log.warning(sentence)
    return replace(section, notes=(*section.notes, *said))


def _section(model: Any, data: Dataset, run: Path, seconds: float) -> ModelSection:
    metrics = evaluate(model, data) | {"seconds": seconds}
    section = with_strips(model_section(model, data, run, metrics), model, data)
    if not isinstance(model, PCA) or model.rotation != "none":
        return section
    sizes = np.unique(np.linspace(1, model.n_components_, MOST_SIZES).round().astype(int))
    errors = model.errors_by_size(data.x_test, sizes.tolist())
    return replace(section, errors_by_size=errors)


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
    return data.x_train.ndim > 2 and min(sides) >= 8 and max(sides) <= 256


def _command(data: Data, models: Sequence[str | Model] | None, given: dict[str, object]) -> str:
    """Return the command that makes the report again, where there is one."""
    if not isinstance(data, str | Path) or any(not isinstance(m, str) for m in models or ()):
        return ""
    words = ["latentia", "compare", "--data", str(data)]
    if models is not None:
        words += ["--models", ",".join(map(str, models))]
    for name, value in given.items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, list):
            words += [flag, *map(str, value)]
        elif value is True:
            words.append(flag)
        elif value is not None:
            words += [flag, str(value)]
    return shlex.join(words)


def _of_size(image_size: ImageSize) -> dict[str, object]:
    """Return the flags of a size, such as 64, (64, 48) or ``64x48 fit``."""
    given = "x".join(map(str, image_size)) if isinstance(image_size, tuple) else image_size
    words = str(given or "").split()
    return dict((word, True) if word in FRAMES else ("image_size", word) for word in words)


def _report(
    data: Dataset, sections: list[ModelSection], notes: list[str], random_state: int
) -> Report:
    images = data.x_train.ndim > 2
    test_images = strip_of_test(data)
    n_held_out = len(data.x_train) // 12
    shape = " × ".join(map(str, data.x_train.shape[1:]))
    counts = f"{len(data.x_train) - n_held_out:,} to learn, {n_held_out:,} held out"
    described = f"{data.name}: {data.description}" if data.description else data.name
    facts = {
        "data": f"{data.origin}. {data.licence}." if data.origin else f"Read from {data.spec}.",
        "sample": shape,
        "training": f"{len(data.x_train) - n_held_out:,} samples",
        "held out for the curves": f"{n_held_out:,}",
        "test": f"{len(data.x_test):,}",
        "seed": str(random_state),
        "versions": ", ".join(f"{k} {v}" for k, v in versions().items()),
        "checksum of the training data": str(facts_of(data.x_train).get("hash", "")),
    }
    if any("frechet_distance" in section.metrics for section in sections):
        facts["samples"] = yardstick(data.hold_out()[0])
    return Report(
        f"{counted(len(sections), 'model')} on {data.name}",
        f"latentia compare · {described} · {counts}, {len(data.x_test):,} to test",
        facts,
        tuple(sections),
        tuple(notes),
        images=images,
        compared=True,
        test_images=test_images,
        n_test=len(data.x_test),
        size=(data.x_test.shape[-1], data.x_test.shape[-2]) if test_images else (0, 0),
    )
