"""The jobs behind ``latentia evaluate``: measure, bound, look for copies, judge by a classifier."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from latentia.data import Dataset
from latentia.data.specimens import drawn, labelled, spread
from latentia.errors import InputError
from latentia.evaluation.classifier import ImageClassifier
from latentia.evaluation.evaluate import LEAST_SAMPLES, MOST_SAMPLES, importance_bound
from latentia.evaluation.evaluate import evaluate as measure
from latentia.evaluation.memorisation import memorisation_check
from latentia.evaluation.quality import sample_quality
from latentia.evaluation.runs import data_of, hold_out, quoted
from latentia.files import write_atomically
from latentia.models.base import Generator, unit_floats
from latentia.models.saved import load
from latentia.plots.style import png_bytes


def evaluate(run: Path, data_spec: str | None) -> tuple[dict[str, float], tuple[str, ...]]:
    """Measure a saved model on the test part of its data, or of another set; return notes too."""
    model = load(run)
    data, _ = hold_out(data_of(run, data_spec, model))
    metrics = measure(model, data)
    return metrics, quoted(model, data, metrics)


def answers(
    run: Path,
    data_spec: str | None,
    n_importance: int | None = None,
    picture: Path | None = None,
    judge: Path | None = None,
) -> Iterator[str]:
    """Yield what was asked for of a saved model, each with everything it must be quoted with.

    Parameters
    ----------
    run, data_spec
        The model, and a data set other than its own.
    n_importance
        Draws for the importance-weighted bound on log p(x) of all test samples.
    picture
        A .png for samples above their nearest training images; the copying statistic and the
        Parzen-window estimate are yielded.
    judge
        The folder of an `ImageClassifier`, for `sample_quality`.
    """
    if n_importance is not None:
        data = data_of(run, data_spec)
        yield str(importance_bound(load(run), data, n_importance, progress=True))
    if picture is not None:
        yield look_for_copies(run, data_spec, picture)
    if judge is not None:
        yield judged(run, data_spec, judge)


def look_for_copies(run: Path, data_spec: str | None, picture: Path) -> str:
    """Draw samples above their nearest training images; return the statistic and the estimate."""
    if picture.suffix != ".png":
        raise InputError(f"{picture} ends in {picture.suffix!r}; the picture is a .png")
    data, _ = hold_out(data_of(run, data_spec))
    found = memorisation_check(load(run), data)
    write_atomically(picture, png_bytes(found.figure()))
    return str(found)


def judged(run: Path, data_spec: str | None, folder: Path) -> str:
    """Return the quality of samples in a classifier's eyes; train and save it if there is none."""
    model, (data, _) = load(run), hold_out(data_of(run, data_spec))
    if not isinstance(model, Generator):
        raise InputError(f"{type(model).__name__} draws no samples to judge")
    judge = load(folder) if folder.exists() else trained_judge(data, folder)
    if not isinstance(judge, ImageClassifier):
        raise InputError(f"{folder} holds a {type(judge).__name__}; give an ImageClassifier")
    real = unit_floats(spread(data.x_test, MOST_SAMPLES))
    samples = drawn(model, data, max(LEAST_SAMPLES, len(real)), 0)
    lines = [str(sample_quality(judge, real, samples))]
    if labelled(data) and data.y_test is not None:
        right = float((judge.predict(real) == spread(data.y_test, MOST_SAMPLES)).mean())
        lines.append(f"the classifier is right on {right:.1%} of the {len(real):,} real images")
    return "\n".join(lines)


def trained_judge(data: Dataset, folder: Path) -> ImageClassifier:
    """Return a classifier of the data's labels, saved in a folder."""
    if not labelled(data):
        raise InputError(
            f"there is no classifier in {folder}, and {data.name} has no labels to train one on"
        )
    judge = ImageClassifier(title=data.name).fit(data.x_train, data.y_train, progress=True)
    judge.save(folder)
    return judge
