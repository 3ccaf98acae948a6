"""The jobs behind the command line for models of sequences: train, resume, sample, evaluate.

A run's ``evaluation.json`` holds the model's figures on the test part and, below ``baselines``, the
same of a 5-gram with Kneser-Ney back-off that read the same training text.
"""

from __future__ import annotations

import importlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from latentia import SEQUENCES
from latentia.data.text import HELD_OUT, TextData, load_text
from latentia.errors import InputError
from latentia.evaluation.report import ModelSection, Report, write_report
from latentia.files import write_atomically
from latentia.models.fields import model_reference, model_summary
from latentia.models.language.base import LanguageModel
from latentia.models.language.n_gram import NGramLanguageModel
from latentia.models.language.recurrent import RecurrentLanguageModel
from latentia.models.saved import load
from latentia.plots.curves import loss_curves
from latentia.plots.page import Picture
from latentia.plots.style import png_bytes
from latentia.training.config import read_config, versions
from latentia.training.run import read_metrics

BASELINE = "NGramLanguageModel, 5"
SAMPLED = 2_000
"""Characters of the text that a finished run leaves."""


def train(
    model: LanguageModel,
    data_spec: str,
    run: Path,
    progress: bool | None = None,
    *,
    held_out: float = HELD_OUT,
    resume: bool = False,
) -> Path:
    """Train a model on a text in a run directory, measure it, and write its report.

    ``held_out`` is the share of the text before its test part that is not trained on.

    Returns
    -------
    report
        The path of the HTML report.

    Raises
    ------
    InputError
        For parameters, a text or a run directory that cannot be used.
    """
    model.validate_parameters()
    data = load_text(data_spec, held_out)
    began = time.perf_counter()
    if isinstance(model, RecurrentLanguageModel):
        model.fit(
            data.train,
            symbols=data.symbols,
            validation=data.validation or None,
            run=run,
            resume=resume,
            progress=progress,
            origin=_origin(data),
        )
    else:
        _count(model, data, run)
    seconds = time.perf_counter() - began
    model.save(run / "model", overwrite=True)
    return finish(model, data, run, seconds)


def _origin(data: TextData) -> dict[str, object]:
    # A run from before there was a choice says nothing of it, and must go on as it began.
    share = {} if data.held_out == HELD_OUT else {"held_out": data.held_out}
    return {"spec": data.spec, **share}


def _count(model: Any, data: TextData, run: Path) -> None:
    if (run / "config.json").exists():
        raise InputError(f"{run} already holds a run: choose another directory")
    model.fit(data.train, symbols=data.symbols)
    config = {
        "model": type(model).__name__,
        "parameters": model.get_params(),
        "data": _origin(data),
        "versions": versions(),
    }
    (run / "samples").mkdir(parents=True, exist_ok=True)
    write_atomically(run / "config.json", json.dumps(config, indent=2).encode())


def resume(run: Path, progress: bool | None = None) -> Path:
    """Go on with the run in a directory, with the parameters and text it was started with."""
    config = read_config(run)
    name, origin = config["model"], config.get("data", {})
    if "spec" not in origin:
        raise InputError(f"the run in {run} was started from Python: call fit(..., resume=True)")
    model = getattr(importlib.import_module(SEQUENCES[name]), name)(**config["parameters"])
    held_out = origin.get("held_out", HELD_OUT)
    return train(model, origin["spec"], run, progress, held_out=held_out, resume=True)


def measure(model: LanguageModel, text: str) -> dict[str, float]:
    """Return a model's figures on a text, as `latentia.metrics.definitions` defines them."""
    nats = -model.score(text)
    return {
        "nats_per_character": nats,
        "bits_per_character": nats / float(np.log(2)),
        "perplexity": float(np.exp(nats)),
        "n_parameters": float(n_parameters(model)),
    }


def n_parameters(model: LanguageModel) -> int:
    """Return how many numbers were learnt: weights, or shares and back-offs of grams."""
    if isinstance(model, NGramLanguageModel):
        return int(model.shares_.size + model.backoffs_.size)
    nets = model.nets().values() if isinstance(model, RecurrentLanguageModel) else ()
    return sum(weight.numel() for net in nets for weight in net.parameters())


def baseline(data: TextData) -> dict[str, float]:
    """Return the figures of a 5-gram with Kneser-Ney back-off on the same text."""
    began = time.perf_counter()
    model = NGramLanguageModel(order=5).fit(data.train, symbols=data.symbols)
    seconds = time.perf_counter() - began
    return measure(model, data.test) | {"seconds": seconds}


def finish(model: LanguageModel, data: TextData, run: Path, seconds: float) -> Path:
    """Measure the fitted model; leave ``evaluation.json``, a text and the report in its run."""
    figures = measure(model, data.test) | {"seconds": seconds}
    beside = baseline(data)
    table = {**figures, "baselines": {BASELINE: beside}}
    write_atomically(run / "evaluation.json", json.dumps(table, indent=2).encode())
    text = model.sample(length=SAMPLED, random_state=0)[0]
    write_atomically(run / "samples" / "sample.txt", str(text).encode())
    sections = (_section(model, run, figures), _baseline_section(beside))
    name = type(model).__name__
    report = Report(
        f"{name} on {data.name}",
        "A text's characters, each predicted from those before it.",
        {"data": f"{data.name}, {len(data.train):,} training characters"},
        sections,
        (f"Measured on the last {len(data.test):,} characters of the text.",),
    )
    return write_report(run / "report.html", report)


def _section(model: LanguageModel, run: Path, figures: dict[str, float]) -> ModelSection:
    name = type(model).__name__
    records = read_metrics(run)
    caption = "Mean over each epoch, on training text and on held-out text."
    curves = [Picture("Loss curves", caption, png_bytes(loss_curves(records)))] if records else []
    return ModelSection(
        name=name,
        summary=model_summary(name),
        reference=model_reference(name),
        parameters=model.get_params(),
        metrics=figures,
        pictures=tuple(curves),
        notes=("The texts that it drew are in the run's folder samples.",),
    )


def _baseline_section(figures: dict[str, float]) -> ModelSection:
    name = "NGramLanguageModel"
    return ModelSection(
        name=BASELINE,
        summary=model_summary(name),
        reference=model_reference(name),
        parameters={"order": 5, "smoothing": "kneser_ney"},
        metrics=figures,
        pictures=(),
    )


def sample(
    run: Path,
    n_samples: int,
    out: Path | None,
    random_state: int | None,
    *,
    length: int,
    temperature: float,
    prompt: str,
) -> str:
    """Draw texts from a saved model; return them, or write a .txt file and return its path."""
    drawn = load(run).sample(
        n_samples,
        length,
        temperature=temperature,
        prompt=prompt,
        random_state=random_state,
    )
    together = "\n\n".join(drawn) + "\n"
    if out is None:
        return together
    if out.suffix not in (".txt", ".abc"):
        raise InputError(f"{out} ends in {out.suffix!r}; texts are written as .txt or .abc")
    write_atomically(out, together.encode())
    return str(out)


def evaluate(run: Path, data_spec: str | None) -> dict[str, dict[str, float]]:
    """Measure a saved model, and the 5-gram, on the test part of its text or of another."""
    origin = read_config(run).get("data", {})
    spec = data_spec or origin.get("spec")
    if spec is None:
        raise InputError(f"{run} does not say what it was trained on; give the text with --data")
    data, model = load_text(spec, origin.get("held_out", HELD_OUT)), load(run)
    return {type(model).__name__: measure(model, data.test), BASELINE: baseline(data)}
