"""One yardstick for every model: the same numbers, computed in the same way, or not at all.

`evaluate` asks a fitted model for what it can do (reconstruct, sample, bound a likelihood, give
codes) and measures it on held-out data. The keys are those of `latentia.metrics.definitions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.data import Dataset
from latentia.data.specimens import drawn, labelled, spread
from latentia.errors import InputError
from latentia.evaluation.image_tasks import task_of
from latentia.metrics.clustering import cluster_agreement
from latentia.metrics.coverage import class_shares, coverage, entropy, nearest_classes
from latentia.metrics.frechet import PixelFeatures, frechet_distance
from latentia.metrics.neighbours import code_accuracy, memorisation
from latentia.metrics.precision_recall import precision_recall
from latentia.metrics.reconstruction import psnr, squared_error
from latentia.models.base import unit_floats
from latentia.models.translation.bicubic import Bicubic
from latentia.training.device import set_threads
from latentia.training.progress import TrainingProgress

MOST_SAMPLES = 10_000
LEAST_SAMPLES = 1_000
MOST_NEIGHBOURS = 2_000
MOST_WEIGHTED = 2_000
BALL = 5
"""The neighbour that the balls of precision and recall reach, as Naeem et al. 2020 take it."""
LEAST_A_CLASS = 20
"""Drawn samples a class below which no classes are counted: chance would miss some."""
N_IMPORTANCE = 50
WEIGHED = 250
"""Test samples between two reports of progress."""


def evaluate(model: Any, data: Dataset, random_state: int = 0) -> dict[str, float]:
    """Measure a fitted model on the test part of a data set.

    Parameters
    ----------
    model
        Any fitted model of this library.
    data
        Its ``x_test`` is measured; ``x_train`` and labels serve as the reference of the
        nearest-neighbour measures.
    random_state
        Of the samples.

    Returns
    -------
    metrics
        Keys as in ``latentia.metrics.definitions.DEFINITIONS``; what a model cannot do is absent.
    """
    found: dict[str, float] = {"n_parameters": float(n_parameters(model))}
    task = task_of(model)
    if task is not None:
        return found | task.metrics(model, data)
    if hasattr(model, "reconstruct"):
        found |= _reconstruction(model, data)
    found |= _likelihood(model, data)
    if hasattr(model, "sample"):
        found |= _samples(model, data, random_state)
    if hasattr(model, "predict") and data.y_test is not None:
        clusters = model.predict(spread(data.x_test, MOST_SAMPLES))
        found |= cluster_agreement(spread(data.y_test, MOST_SAMPLES), clusters)
    if model.takes_labels and labelled(data) and hasattr(model, "classes_"):
        found["class_agreement"] = _class_agreement(model, data, random_state)
    return found


def _likelihood(model: Any, data: Dataset) -> dict[str, float]:
    """Return the exact likelihood where it is known, and the bounds where there are any."""
    x = unit_floats(spread(data.x_test, MOST_SAMPLES))
    found: dict[str, float] = {}
    bounded = hasattr(model, "bound_terms")
    exact = getattr(model, "exact_score_samples" if bounded else "score_samples", None)
    if exact is not None:
        found["negative_log_likelihood"] = -float(np.mean(exact(x)))
    if bounded:
        few = spread(x, MOST_WEIGHTED)
        labels = _test_labels(model, data, MOST_SAMPLES)
        found["negative_elbo"] = model.bound_terms(x, *labels)["negative_elbo"]
        labels = tuple(spread(part, MOST_WEIGHTED) for part in labels)
        found["negative_iwae"] = -model.score(few, *labels, n_importance=N_IMPORTANCE)
        found["active_units"] = float(model.active_units(few, *labels))
    return found


def _test_labels(model: Any, data: Dataset, n: int) -> tuple[NDArray[Any], ...]:
    """Return test labels for the verbs of a model that takes them, and nothing for others."""
    if not model.takes_labels or data.y_test is None:
        return ()
    return (spread(data.y_test, n),)


def _class_agreement(model: Any, data: Dataset, random_state: int) -> float:
    """Return the share of samples of a class that a classifier on pixels gives that class."""
    x, y = _some(data.x_train, data.y_train)  # type: ignore[arg-type]
    asked = np.resize(model.classes_, MOST_NEIGHBOURS)
    drawn = model.sample(len(asked), random_state=random_state, y=asked)
    return float((nearest_classes(unit_floats(x), y, drawn) == asked).mean())


@dataclass(frozen=True)
class Bound:
    """An importance-weighted bound on −log p(x), in nats a sample.

    Attributes
    ----------
    value
        The mean over samples of −log (1/k) Σ w.
    n_importance, n_samples
        Draws k for each sample, and samples.
    error_of_draws, error_of_samples
        Standard errors of the value: from the draws, and from the choice of samples.
    """

    value: float
    n_importance: int
    n_samples: int
    error_of_draws: float
    error_of_samples: float

    def __str__(self) -> str:
        """Return the bound as a sentence."""
        return (
            f"-log p(x) <= {self.value:.2f} nats a sample: {self.n_importance:,} draws for each "
            f"of {self.n_samples:,} test samples; standard error {self.error_of_draws:.3f} from "
            f"the draws, {self.error_of_samples:.2f} from the choice of samples"
        )


def importance_bound(
    model: Any,
    data: Dataset,
    n_importance: int,
    n_samples: int | None = None,
    progress: bool | None = None,
) -> Bound:
    """Return the importance-weighted bound on −log p(x), over all test samples or some.

    Raises
    ------
    InputError
        For a model without a bound, or fewer than two draws.
    """
    if not hasattr(model, "bound_terms"):
        raise InputError(f"{type(model).__name__} bounds no likelihood; evaluate without draws")
    set_threads()
    n = len(data.x_test) if n_samples is None else min(n_samples, len(data.x_test))
    x, labels = spread(data.x_test, n), _test_labels(model, data, n)
    bounds, errors = np.empty(n), np.empty(n)
    with TrainingProgress(-(-n // WEIGHED), 1, f"{n_importance:,} draws", progress) as watch:
        for step, first in enumerate(range(0, n, WEIGHED)):
            part = slice(first, first + WEIGHED)
            bounds[part], errors[part] = model.score_samples(
                x[part],
                *(y[part] for y in labels),
                n_importance=n_importance,
                return_std=True,
                random_state=step,
            )
            done = bounds[: first + WEIGHED]
            watch(step + 1, 1, len(done) - first, {"nats a sample": -float(done.mean())})
    of_draws = float(np.sqrt(np.square(errors).sum()) / n)
    of_samples = float(bounds.std() / n**0.5)
    return Bound(-float(bounds.mean()), n_importance, n, of_draws, of_samples)


def n_parameters(model: Any) -> int:
    """Return how many numbers were learnt: the nets' weights, or the mean, components and noise."""
    if isinstance(model, Bicubic):
        return 0
    if hasattr(model, "nets"):
        return sum(p.numel() for net in model.nets().values() for p in net.parameters())
    noise = np.size(getattr(model, "noise_variance_", 0.0)) if hasattr(model, "sample") else 0
    return int(model.components_.size + model.mean_.size + noise)


def _is_image(data: Dataset) -> bool:
    return data.x_test.ndim > 2


def _reconstruction(model: Any, data: Dataset) -> dict[str, float]:
    x = unit_floats(spread(data.x_test, MOST_SAMPLES))
    x_hat = model.reconstruct(x, *_test_labels(model, data, MOST_SAMPLES))
    found = {"squared_error": squared_error(x, x_hat)}
    if _is_image(data):
        found["psnr"] = psnr(x, x_hat)
    if _is_image(data) and hasattr(model, "add_noise"):
        found["psnr_denoised"] = psnr(x, model.reconstruct(model.add_noise(x, random_state=0)))
    if labelled(data) and not model.takes_labels:
        train, labels = _some(data.x_train, data.y_train)  # type: ignore[arg-type]
        codes = model.transform(train), model.transform(x)
        truth = spread(data.y_test, MOST_SAMPLES)  # type: ignore[arg-type]
        found["code_accuracy"] = code_accuracy(codes[0], labels, codes[1], truth)
    return found


def _samples(model: Any, data: Dataset, random_state: int) -> dict[str, float]:
    test = unit_floats(spread(data.x_test, MOST_SAMPLES))
    train = unit_floats(spread(data.x_train, MOST_SAMPLES))
    fake = drawn(model, data, _n_samples(test), random_state)
    features = PixelFeatures().fit(train)
    distance = frechet_distance(features.transform(test), features.transform(fake))
    few = MOST_NEIGHBOURS
    found = {
        "frechet_distance": distance,
        "memorisation": memorisation(train, spread(test, few), fake[:few]),
    }
    if len(test) > BALL:
        real = features.transform(spread(test, few))
        overlap = precision_recall(real, features.transform(fake[:few]), k=BALL)
        names = ("precision", "recall", "density", "coverage")
        found |= {name: getattr(overlap, name) for name in names}
    if labelled(data):
        found |= _classes_shown(data, fake[:few])
    return found


def _classes_shown(data: Dataset, drawn: NDArray[Any]) -> dict[str, float]:
    x, y = _some(data.x_train, data.y_train)  # type: ignore[arg-type]
    n_classes = len(np.unique(y))
    if len(drawn) < LEAST_A_CLASS * n_classes:
        return {}
    shares = class_shares(unit_floats(x), y, drawn, n_classes)
    return {"classes_covered": float(coverage(shares)), "class_entropy": entropy(shares)}


def _n_samples(test: NDArray[Any]) -> int:
    return max(LEAST_SAMPLES, len(test))


def yardstick(data: Dataset) -> str:
    """Return what a Fréchet distance on this data must be quoted with, as a sentence."""
    test = spread(data.x_test, MOST_SAMPLES)
    features = PixelFeatures().fit(unit_floats(spread(data.x_train, MOST_SAMPLES)))
    n_test, n_drawn = (min(n, MOST_NEIGHBOURS) for n in (len(test), _n_samples(test)))
    return (
        f"The Fréchet distance is between {len(test):,} test samples and {_n_samples(test):,} "
        f"drawn ones, not resized, in {features.name}; precision, recall, density and coverage "
        f"are of {n_test:,} and {n_drawn:,} of them there, k = {BALL}."
    )


def _some(x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    return spread(x, MOST_SAMPLES), spread(y, MOST_SAMPLES)
