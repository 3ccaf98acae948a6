"""One yardstick for every model: the same numbers, computed in the same way, or not at all.

What a model can do (reconstruct, sample, bound a likelihood, give codes) is measured on test data;
training data are the reference of features and nearest neighbours. The keys are those of
`latentia.metrics.definitions`; a figure that is a mean over test samples, or the Fréchet distance,
is an `Estimate`, which knows its standard error.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.data.dataset import Array, Dataset
from latentia.errors import FitWarning, InputError
from latentia.metrics.clustering import cluster_agreement
from latentia.metrics.coverage import class_shares, coverage, entropy, nearest_classes
from latentia.metrics.estimates import Estimate, jackknifed
from latentia.metrics.frechet import PixelFeatures, frechet_distance
from latentia.metrics.neighbours import code_accuracy, memorisation
from latentia.metrics.precision_recall import precision_recall
from latentia.metrics.reconstruction import psnr, squared_error
from latentia.models.inputs import channels_first, spread, unit_floats

MOST_SAMPLES = 10_000
LEAST_SAMPLES = 1_000
MOST_NEIGHBOURS = 2_000
MOST_WEIGHTED = 2_000
BALL = 5
"""The neighbour that the balls of precision and recall reach, as Naeem et al. 2020 take it."""
LEAST_A_CLASS = 20
"""Drawn samples a class below which no classes are counted: chance would miss some."""
N_IMPORTANCE = 50

Figures = dict[str, float]


def tested(data: Dataset) -> tuple[Array, Array | None]:
    """Return at most ``MOST_SAMPLES`` test samples, evenly spaced, as floats, and their labels."""
    y = None if data.y_test is None else spread(data.y_test, MOST_SAMPLES)
    return unit_floats(spread(data.x_test, MOST_SAMPLES)), y


def complete(data: Dataset) -> Dataset:
    """Return a data set without the rows that have missing cells, which nothing is compared with.

    Raises
    ------
    InputError
        If fewer than two rows of a part are complete.
    """
    parts: dict[str, Any] = {}
    for x, y in (("x_train", "y_train"), ("x_test", "y_test")):
        values, labels = getattr(data, x), getattr(data, y)
        if values.ndim != 2 or values.dtype.kind != "f":
            continue
        whole = ~np.isnan(values).any(axis=1)
        if whole.all():
            continue
        if whole.sum() < 2:
            raise InputError(f"{int(whole.sum())} of its {len(whole)} rows in {x} are complete")
        parts |= {x: values[whole], y: None if labels is None else labels[whole]}
    return replace(data, **parts)


def learnt(data: Dataset) -> tuple[Array, Array]:
    """Return at most ``MOST_SAMPLES`` labelled training samples, evenly spaced."""
    return spread(data.x_train, MOST_SAMPLES), spread(np.asarray(data.y_train), MOST_SAMPLES)


def reconstruction(model: Any, data: Dataset) -> Figures:
    """Return how near reconstructions come, and how well codes tell classes apart."""
    x, y = tested(data)
    x_hat = model.reconstruct(x, *model.labels_for(y))
    found: Figures = {"squared_error": squared_error(x, x_hat)}
    if x.ndim > 2:
        found["psnr"] = psnr(x, x_hat)
        damaged = model.damaged(x)
        if damaged is not None:
            found["psnr_denoised"] = psnr(x, model.reconstruct(damaged))
    if data.labelled and not model.takes_labels:
        train, labels = learnt(data)
        codes = model.transform(train), model.transform(x)
        with left_out("the accuracy of codes"):
            found["code_accuracy"] = code_accuracy(codes[0], labels, codes[1], np.asarray(y))
    return found


def density(log_densities: Callable[[Array], NDArray[Any]], data: Dataset) -> Figures:
    """Return the exact likelihood, of a model that knows it."""
    return {"negative_log_likelihood": Estimate.mean_of(-log_densities(tested(data)[0]))}


def bounds(model: Any, data: Dataset) -> Figures:
    """Return bounds on the likelihood, and how many latent components the bound makes use of."""
    x, y = tested(data)
    few, labels = spread(x, MOST_WEIGHTED), model.labels_for(y)
    of_few = tuple(spread(part, MOST_WEIGHTED) for part in labels)
    weighed = model.score_samples(few, *of_few, n_importance=N_IMPORTANCE)
    return {
        "negative_elbo": model.bound_terms(x, *labels)["negative_elbo"],
        "negative_iwae": Estimate.mean_of(-weighed),
        "active_units": float(model.active_units(few, *of_few)),
    }


def samples(model: Any, data: Dataset, random_state: int) -> Figures:
    """Return how like test data drawn samples are, and whether they copy training data."""
    test, train = tested(data)[0], unit_floats(spread(data.x_train, MOST_SAMPLES))
    fake = model.drawn_for(data, max(LEAST_SAMPLES, len(test)), random_state)
    if fake.shape[1:] != test.shape[1:]:
        raise InputError(
            f"the model draws samples of shape {fake.shape[1:]}, and {data.name} has samples of "
            f"shape {test.shape[1:]}"
        )
    real, drawn = spread(test, MOST_NEIGHBOURS), fake[:MOST_NEIGHBOURS]
    found: Figures = {}
    with left_out("the Fréchet distance, and what else compares features"):
        found |= _in_features(train, test, fake)
    with left_out("the share of memorised samples"):
        found["memorisation"] = memorisation(train, real, drawn)
    if not data.labelled:
        return found
    x, y = learnt(data)
    n_classes = len(np.unique(y))
    if len(drawn) >= LEAST_A_CLASS * n_classes:
        with left_out("the classes of samples"):
            shares = class_shares(unit_floats(x), y, drawn, n_classes)
            found |= {"classes_covered": float(coverage(shares)), "class_entropy": entropy(shares)}
    return found


def _in_features(train: Array, test: Array, fake: Array) -> Figures:
    """Return how like test data drawn samples are in the features of training data."""
    features = PixelFeatures().fit(train)
    drawn = features.transform(fake)
    distance = jackknifed(lambda rows: frechet_distance(rows, drawn), features.transform(test))
    found: Figures = {"frechet_distance": distance}
    if len(test) > BALL:
        real = features.transform(spread(test, MOST_NEIGHBOURS))
        overlap = precision_recall(real, drawn[:MOST_NEIGHBOURS], k=BALL)
        found |= {
            "precision": overlap.precision,
            "recall": overlap.recall,
            "density": overlap.density,
            "coverage": overlap.coverage,
        }
    return found


@contextmanager
def left_out(figures: str) -> Iterator[None]:
    """Go on without figures that cannot be computed of such data, and say so."""
    try:
        yield
    except (ValueError, ArithmeticError) as error:
        warnings.warn(f"{figures}: left out, since {error}", FitWarning, stacklevel=3)


def yardsticks(data: Dataset) -> tuple[str, ...]:
    """Return `yardstick` where a Fréchet distance can be computed."""
    try:
        return (yardstick(complete(data)),) if len(data.x_test) > 1 else ()
    except InputError:
        return ()


def yardstick(data: Dataset) -> str:
    """Return what a Fréchet distance on this data must be quoted with, as a sentence."""
    test = spread(data.x_test, MOST_SAMPLES)
    features = PixelFeatures().fit(unit_floats(spread(data.x_train, MOST_SAMPLES)))
    n_drawn = max(LEAST_SAMPLES, len(test))
    few = [f"{min(n, MOST_NEIGHBOURS):,}" for n in (len(test), n_drawn)]
    return (
        f"The Fréchet distance is between {len(test):,} test samples and {n_drawn:,} drawn ones, "
        f"not resized, in {features.name}; precision, recall, density and coverage are of "
        f"{few[0]} and {few[1]} of them there, k = {BALL}."
    )


def clusters(predict: Callable[[Array], Array], data: Dataset) -> Figures:
    """Return how far clusters and classes agree, where there are classes."""
    if data.y_test is None:
        return {}
    found = predict(spread(data.x_test, MOST_SAMPLES))
    return cluster_agreement(spread(data.y_test, MOST_SAMPLES), found)


def class_agreement(model: Any, classes: Array, data: Dataset, random_state: int) -> Figures:
    """Return the share of samples of a class that a classifier on pixels gives that class."""
    x, y = learnt(data)
    # A model that was fitted on words numbers them in their order.
    y = classes[y] if classes.dtype.kind == "U" else y
    asked = np.resize(classes, MOST_NEIGHBOURS)
    drawn = model.sample(len(asked), random_state=random_state, y=asked)
    drawn = channels_first(drawn, model, reset=True)
    return {"class_agreement": float((nearest_classes(unit_floats(x), y, drawn) == asked).mean())}
