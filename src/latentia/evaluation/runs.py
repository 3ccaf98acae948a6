"""What the commands do with runs and saved models: train, resume, sample, reconstruct, measure."""

from __future__ import annotations

import json
import logging
import os
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latentia import MODELS
from latentia.data.dataset import Dataset, ImageSize
from latentia.data.named import UselessSizeError
from latentia.data.options import USUAL, TableOptions
from latentia.errors import FitWarning, InputError
from latentia.evaluation.evaluate import evaluate, importance_bound
from latentia.evaluation.memorisation import memorisation_check
from latentia.evaluation.model_section import ModelSection
from latentia.evaluation.report import Report, write_report
from latentia.evaluation.same_columns import in_order_of, options_for, refuse_weights
from latentia.evaluation.sections import model_section, with_live_page
from latentia.evaluation.table_writing import write_arrays
from latentia.files import is_gone, refuse_existing, write_atomically
from latentia.models.base import Model
from latentia.models.fields import model_reference, model_summary
from latentia.models.inputs import unit_floats
from latentia.models.language.base import LanguageModel
from latentia.models.language.n_gram import NGramLanguageModel
from latentia.models.measures import left_out
from latentia.models.own_parts import class_name
from latentia.models.saved import load, make
from latentia.plots.style import png_bytes
from latentia.training.config import RunConfig, read_config, versions
from latentia.training.directory import held
from latentia.training.further import ended_early
from latentia.training.launch import leads
from latentia.training.metrics_file import read_metrics
from latentia.training.progress import tell_notes

if TYPE_CHECKING:
    from latentia.training.run import Callback

log = logging.getLogger(__name__)

ORIGIN = {
    "spec": str,
    "image_size": int | str | None,
    "held_out": float | int | None,
    "options": dict,
}
"""What a run's ``config.json`` says of where its data came from."""
BASELINE = "NGramLanguageModel, 5"
SAMPLED = 2_000
"""Characters of the text that a finished run leaves."""


def train(
    model: Model,
    data_spec: str,
    run: Path,
    image_size: ImageSize = None,
    held_out: float | None = None,
    progress: bool | None = None,
    options: TableOptions = USUAL,
    start_from: Path | None = None,
    live: bool = False,
) -> Path:
    """Train a model on named data in a run directory, measure it, and return its report's path.

    Parameters
    ----------
    model
        Not yet fitted.
    data_spec, image_size, held_out, options
        As for the model's ``load_data``.
    run
        A new directory. It will hold ``config.json``, the saved ``model``, ``evaluation.json`` and
        ``report.html``; of a gradient-trained model also all that is needed to go on after a stop.
        The ``evaluation.json`` of a model of texts holds, below ``baselines``, the figures of a
        5-gram with Kneser-Ney back-off that read the same training text.
    progress
        Show a progress bar; by default only at a terminal.
    start_from
        A run or a saved model of the same kind, whose weights the training begins with.
    live
        Embed the model in the report, where it runs, if it is small enough.
    """
    model.validate_parameters()
    if start_from is not None and not model.resumable:
        raise InputError(f"{type(model).__name__} is fitted at once: it starts from no other fit")
    data = model.load_data(data_spec, image_size, held_out, options)
    notes = [] if start_from is None else [f"training begins with the weights in {start_from}"]
    tell_notes([*notes, *data.notes], progress)
    return fit_in_run(model, data, run, progress=progress, start_from=start_from, live=live)


def resume(
    run: Path, progress: bool | None = None, n_epochs: int | None = None, live: bool = False
) -> Path:
    """Go on with the run in a directory, with the parameters and data it was started with.

    A model in closed form is fitted once more if its run is not whole. ``n_epochs`` counts all the
    epochs of the run, and may be another number than it was begun with: `further.extended`.
    """
    config = RunConfig.read(run)
    _refuse_own(config, run)
    if "spec" not in config.data:
        raise InputError(f"the run in {run} was started from Python: call fit(..., resume=True)")
    model = make(config.model, config.parameters, config.versions)
    if n_epochs is not None:
        if "n_epochs" not in config.parameters:
            raise InputError(f"{config.model} is fitted in closed form: leave --n-epochs out")
        model.set_params(n_epochs=n_epochs)
    model.validate_parameters(begun=True)
    if not model.resumable and _is_whole(run):
        done = f"{config.model} is fitted at once, and the run in {run} is finished"
        raise InputError(f"{done}: there is nothing to resume")
    if n_epochs is None and model.resumable and ended_early(run):
        tell_notes([f"the run in {run} ended early: --more-epochs trains it further"], progress)
    data = data_of(run, None, model)
    return fit_in_run(model, data, run, progress=progress, resume=True, live=live)


def _is_whole(run: Path) -> bool:
    """Return whether a run has its report and a model that can be loaded."""
    try:
        return (run / "report.html").exists() and load(run) is not None
    except InputError:
        return False


def _refuse_own(config: RunConfig, run: Path) -> None:
    """Refuse a run of the user's own code, which no command runs, and say how it goes on."""
    go_on = f"go on in Python, with it as it was, by fit(X, run={str(run)!r}, resume=True)"
    if config.model not in MODELS or not config.data:
        raise InputError(
            f"{run} holds no run of a command: its config.json names no known model and data. If "
            f"{config.model} is a class of your own, {go_on}"
        )
    nets = {k: v.get("own_net") for k, v in config.parameters.items() if isinstance(v, dict)}
    if nets:
        own = ", ".join(f"{name}={kind}(...)" for name, kind in nets.items())
        raise InputError(f"the run in {run} is of {config.model}({own}), nets of your own: {go_on}")


def go_back(run: Path, which: str, out: Path) -> Path:
    """Make a new run in ``out`` of what a run was at a checkpoint, and return its path.

    ``which`` is ``best`` or the number of an epoch. The new run has had so many epochs, and is yet
    to be resumed for its model and its report. The old one stays as it is.
    """
    config = RunConfig.read(run)
    if "n_epochs" not in config.parameters:
        raise InputError(f"{config.model} is fitted at once, and has no checkpoints to go back to")
    from latentia.training.going_back import take_back

    return take_back(run, which, out)


def fit_in_run(
    model: Any,
    data: Dataset,
    run: Path,
    *,
    progress: bool | None = None,
    resume: bool = False,
    measured: bool = True,
    start_from: Path | None = None,
    live: bool = False,
    callbacks: Sequence[Callback] = (),
) -> Path:
    """Fit and save the model, then measure it and write its report; return the report's path."""
    model.check_data(data)
    refuse_weights(model, data)
    data, validation = data.hold_out()
    began = time.perf_counter()
    if model.resumable:
        model.fit(
            data.x_train,
            **data.beside,
            validation=validation,
            run=run,
            resume=resume,
            progress=progress,
            origin=data.asked,
            start_from=start_from,
            callbacks=callbacks,
        )
    else:
        _fit_at_once(model, data, run, resume)
    seconds = time.perf_counter() - began
    if resume and model.resumable:
        # What it took before it was stopped counts.
        seconds = max([seconds, *(r.get("seconds", 0.0) for r in read_metrics(run)[-1:])])
    model.remember(data)
    if leads():
        model.save(run / "model", overwrite=True)
        if measured:
            finish(model, data, run, seconds, live)
    return run / "report.html"


def _fit_at_once(model: Any, data: Dataset, run: Path, resume: bool) -> None:
    """Fit a model in closed form; killed, it is fitted again when the run is resumed."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise InputError(f"{type(model).__name__} is fitted by one process: start it alone")
    begun = RunConfig.read(run) if resume else None
    # Runs of version 0.1.0 do not say what the data were.
    known = begun is None or "hash" in begun.data
    facts = model.facts(data.x_train, *data.beside.values()) if known else {}
    config = RunConfig(
        model=class_name(model),
        parameters=model.get_params(),
        data={**data.asked, **facts},
        versions=versions(),
    )
    with held(run, config, begun, type(model)().get_params()), warnings.catch_warnings():
        # The report tells what the fit found, and nothing of how the images were scaled.
        warnings.filterwarnings("ignore", "(?!pixels span)", FitWarning)
        model.fit(data.x_train, **data.beside)


def finish(model: Model, data: Dataset, run: Path, seconds: float, live: bool = False) -> None:
    """Measure the fitted model; leave ``evaluation.json``, a text's sample, and the report."""
    metrics = {"seconds": seconds}
    with collected() as said:
        with left_out("the figures"):
            metrics = evaluate(model, data) | metrics
        sections = [model_section(model, data, run, metrics)]
        sections = [with_live_page(s, model, data, run) if live else s for s in sections]
    for sentence in said:
        log.warning(sentence)
    table = dict[str, Any](metrics)
    if isinstance(model, LanguageModel):
        sections.append(_five_gram(data, data))
        table["baselines"] = {BASELINE: sections[-1].metrics}
        text = model.sample(length=SAMPLED, random_state=0)[0]
        (run / "samples").mkdir(exist_ok=True)
        write_atomically(run / "samples" / "sample.txt", str(text).encode())
    write_atomically(run / "evaluation.json", json.dumps(table, indent=2).encode())
    write_report(run / "report.html", _report(model, data, sections, said))


def _report(model: Model, data: Dataset, sections: list[ModelSection], said: list[str]) -> Report:
    described = f"{data.name}: {data.description}" if data.description else data.name
    n_train, n_test = (f"{len(x):,} {data.unit}" for x in (data.x_train, data.x_test))
    facts = {
        "data": f"{data.origin}. {data.licence}." if data.origin else f"Read from {data.spec}.",
        "training": n_train,
        "test": n_test,
        "versions": ", ".join(f"{k} {v}" for k, v in versions().items()),
    }
    title = f"{sections[0].title} on {data.name}"
    line = f"latentia train · {described} · {n_train} to learn, {n_test} to test"
    notes = (*data.notes, *said, *model.caveats(data))
    return Report(title, line, facts, tuple(sections), notes)


@contextmanager
def collected() -> Iterator[list[str]]:
    """Collect the sentences of `FitWarning` within a ``with`` block; other warnings go on."""
    said: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FitWarning)
        yield said
    for found in caught:
        if issubclass(found.category, FitWarning):
            said.append(str(found.message))
        else:
            warnings.warn_explicit(found.message, found.category, found.filename, found.lineno)


def _five_gram(learnt: Dataset, data: Dataset) -> ModelSection:
    """Return what a 5-gram with Kneser-Ney back-off learns from the same text, on test data."""
    began = time.perf_counter()
    model = NGramLanguageModel(order=5).fit(str(learnt.x_train), **learnt.beside)
    seconds = time.perf_counter() - began
    name = type(model).__name__
    return ModelSection(
        name=BASELINE,
        summary=model_summary(name),
        reference=model_reference(name),
        parameters=model.get_params(),
        metrics=evaluate(model, data) | {"seconds": seconds},
        pictures=(),
    )


def data_of(
    run: Path,
    data_spec: str | None,
    model: Model,
    options: TableOptions = USUAL,
    image_size: ImageSize = None,
    whole: bool = False,
) -> Dataset:
    """Return named data, whose notes are told, or else those that the run was trained on.

    A table is read as that of the run was, but for the options that are given. Of data that are
    used as a ``whole`` the note on their test part is none.
    """
    kept = run / "model"
    # The folder of a factor analysis holds a model and no run.
    origin = read_config(run if (run / "config.json").exists() or not kept.is_dir() else kept).get(
        "data", {}
    )
    for name, kind in ORIGIN.items():
        if name in origin and not isinstance(origin[name], kind):
            raise InputError(
                f"{run / 'config.json'}: {name} of data cannot be {origin[name]!r:.60}"
            )
    if data_spec is None and "spec" not in origin:
        raise InputError(f"{run} does not say what it was trained on; give the data with --data")
    # Other pictures are brought to what the model was trained on.
    size = origin.get("image_size") if image_size is None else image_size
    spec, held_out = data_spec or origin["spec"], origin.get("held_out")
    if data_spec is None and is_gone(spec):
        raise InputError(
            f"{run} was trained on {spec}, which is not there: put it back, or, to evaluate, give "
            "its new place with --data"
        )
    recorded = TableOptions.read(origin.get("options", {}), str(run / "config.json"))
    if data_spec is None:
        options = recorded.under(options)
    else:
        options, said = options_for(spec, model, recorded, options)
    try:
        data = model.load_data(spec, size, held_out, options)
    except UselessSizeError:
        # Other data may be no pictures, and version 0.1.0 recorded a size also without effect.
        if image_size is not None:
            raise
        data = replace(
            model.load_data(spec, None, held_out, options), image_size=origin.get("image_size")
        )
    if data_spec is not None:
        data = in_order_of(model, replace(data, notes=(*said, *data.notes)))
    tell_notes(data.notes_of_all if whole else data.notes, shown=data_spec is not None)
    return data


def figures(
    run: Path, data_spec: str | None = None, options: TableOptions = USUAL
) -> tuple[dict[str, dict[str, float]], tuple[str, ...]]:
    """Return a saved model's figures on the test part of its data or others, and their caveats.

    The figures are by the model's name, beside those of a 5-gram on its training text if it is of
    texts.
    """
    model = load(run)
    data, _ = data_of(run, data_spec, model, options).hold_out()
    with collected() as said:
        table = {type(model).__name__: evaluate(model, data)}
    sentences = (*said, *model.caveats(data))
    if not isinstance(model, LanguageModel):
        return table, (*sentences, *model.findings(data))
    try:
        learnt = _text_learnt(run, model)
    except InputError as error:
        return table, (*sentences, f"Without the 5-gram on the same training text: {error}.")
    return table | {BASELINE: dict(_five_gram(learnt, data).metrics)}, sentences


def _text_learnt(run: Path, model: Any) -> Dataset:
    """Return the text that a model was trained on, if it is there as it was."""
    origin = read_config(run).get("data", {})
    if "spec" not in origin:
        raise InputError(f"{run} does not say what it was trained on")
    found, _ = data_of(run, None, model).hold_out()
    if "hash" in origin and origin["hash"] != model.facts(found.x_train)["hash"]:
        raise InputError(f"{found.name} has changed since the training")
    return found


def answers(
    run: Path,
    data_spec: str | None = None,
    n_importance: int | None = None,
    memorisation: Path | None = None,
    judge: Path | None = None,
    overwrite: bool = False,
    options: TableOptions = USUAL,
) -> Iterator[str]:
    """Yield what was asked for of a saved model, each with everything it must be quoted with.

    ``n_importance`` are draws for `importance_bound`; ``memorisation`` is the .png of
    `memorisation_check`, which replaces a file only to ``overwrite`` it, and ``judge`` the folder
    of the classifier for `sample_quality`.
    """
    if memorisation is not None:
        refuse_existing(memorisation, overwrite, "PICTURE")
    model = load(run)
    if isinstance(model, LanguageModel):
        if n_importance is not None:
            raise InputError("--n-importance bounds log p(x): a model of texts gives it exactly")
        name = "judge" if memorisation is None else "memorisation"
        raise InputError(f"--{name} is for models of images, and {run} is of texts")
    if memorisation is not None and memorisation.suffix != ".png":
        raise InputError(f"{memorisation} ends in {memorisation.suffix!r}; the picture is a .png")
    whole = data_of(run, data_spec, model, options)
    data, _ = whole.hold_out()
    if n_importance is not None:
        yield str(importance_bound(model, whole, n_importance, progress=True))
    if memorisation is not None:
        copies = memorisation_check(model, data)
        write_atomically(memorisation, png_bytes(copies.figure()))
        yield str(copies)
    if judge is not None:
        from latentia.evaluation.quality import judged

        yield judged(model, data, judge)


def verb(model: Model, name: str) -> Any:
    """Return a verb of a model, or refuse with why it has none."""
    try:
        return getattr(model, name)
    except AttributeError as error:
        raise InputError(str(error)) from None


def reconstruct(
    run: Path,
    data_spec: str | None,
    out: Path,
    overwrite: bool = False,
    options: TableOptions = USUAL,
) -> Path:
    """Write test samples and their reconstructions: a two-row picture, or arrays."""
    refuse_existing(out, overwrite)
    model = load(run)
    there_and_back = verb(model, "reconstruct")
    data = data_of(run, data_spec, model, options)
    n = 10 if out.suffix == ".png" else len(data.x_test)
    x, y = np.asarray(data.x_test[:n]), None if data.y_test is None else data.y_test[:n]
    back = there_and_back(x, *model.labels_for(y))
    return write_arrays(out, [("original", unit_floats(x)), ("reconstructed", back)])
