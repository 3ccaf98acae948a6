"""How near translated images come to what they should be, and what can be had without a net.

Of pairs, two baselines know nothing of shapes: the mean of the training targets, and the best guess
from a pixel's own colour, by boosted trees that minimise the absolute error. (Medians in cells of
colour did worse at every fineness, and more pixels and trees hardly better: 0.0435 against 0.0439
on aerial photo → map at 64 pixels.)

Of two domains, where no image has a target, two things can be measured: what is left of an image
that went there and back, and whether a translated image looks like its new domain in the eyes of
the training images nearest to it. Neither says by itself that the translation is good: the identity
loses nothing, and one fixed image of the other domain always looks like it.

Shapes: images are (n, H, W) or (n, C, H, W), uint8 or floats in [0, 1].
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from latentia.data.dataset import Dataset
from latentia.metrics.coverage import nearest_classes
from latentia.metrics.detail import detail_of
from latentia.metrics.reconstruction import psnr
from latentia.metrics.structural_similarity import WINDOW, ssim
from latentia.models.inputs import spread, unit_floats

Images = NDArray[Any]
MOST_TESTED = 200
"""Test pairs, or test images of each domain, that are measured."""
MOST_DETAILED = 50
"""Of these, those whose detail is compared."""
MOST_PIXELS = 30_000
"""Pixels that the colours are learnt from."""
N_TREES, LEARNING_RATE = 40, 0.15
MOST_NEIGHBOURS = 4_000
"""Training images of both domains, 0 for A and 1 for B, that translated ones are compared with."""
A, B = 0, 1
MEAN_IMAGE, COLOUR_REGRESSION = "mean of the training targets", "regression from a pixel's colour"


def translation_metrics(model: Any, data: Dataset) -> dict[str, float]:
    """Return a fitted model's absolute error, PSNR and SSIM on test pairs."""
    x, y = tested_pairs(data)
    output = model.transform(x)
    return closeness(y, output) | detail_figures(output, y)


def detail_figures(
    outputs: Images, targets: Images, ending: str = "", *, either_sign: bool = False
) -> dict[str, float]:
    """Return how far the detail of outputs is their targets', and how far all of them share it."""
    some = (spread(part, MOST_DETAILED) for part in (outputs, targets))
    found = detail_of(*some, either_sign=either_sign)
    if found is None:
        return {}
    return {f"own_detail{ending}": found.own, f"shared_detail{ending}": found.shared}


def detail_findings(model: Any, data: Dataset) -> tuple[str, ...]:
    """Return a sentence if translated test images resemble each other more than their targets."""
    x, y = (spread(part, MOST_DETAILED) for part in tested_pairs(data))
    found = detail_of(model.transform(x), y)
    return () if found is None or found.follows else (f"On test images {found.sentence()}.",)


def domain_findings(model: Any, data: Dataset) -> tuple[str, ...]:
    """Return a sentence for each way whose translations resemble each other more than inputs."""
    a, b = (spread(images, MOST_DETAILED) for images in tested_domains(data))
    ways = {"A to B": (model.transform(a), a), "B to A": (model.inverse_transform(b), b)}
    found = {way: detail_of(*images, either_sign=True) for way, images in ways.items()}
    return tuple(
        f"On test images {detail.sentence(f'translations from {way}', 'inputs')}."
        for way, detail in found.items()
        if detail is not None and not detail.follows
    )


def detail_notes(*targets: Images) -> tuple[str, ...]:
    """Return what shared detail must be quoted with: that of real images, as a sentence."""
    found = [detail_of(*(spread(images, MOST_DETAILED),) * 2) for images in targets]
    real = " and ".join(f"{detail.shared:.2f}" for detail in found if detail is not None)
    sentence = (
        f"Shared detail of {real} is that of real images with each other; outputs that share "
        "more than they have of their own do not follow their inputs."
    )
    return (sentence,) if real else ()


def tested_pairs(data: Dataset) -> tuple[Images, Images]:
    """Return at most ``MOST_TESTED`` test pairs, evenly spaced; the targets in [0, 1]."""
    y = spread(np.asarray(data.pair_test), MOST_TESTED)
    return spread(data.x_test, MOST_TESTED), unit_floats(y)


def closeness(target: Images, output: Images) -> dict[str, float]:
    """Return the figures of outputs against targets, both in [0, 1]."""
    found = {
        "absolute_error": float(np.abs(target - output, dtype=np.float64).mean()),
        "translation_psnr": psnr(target, output),
    }
    if min(target.shape[-2:]) >= WINDOW:
        found["ssim"] = ssim(target, output)
    return found


def baselines(data: Dataset, random_state: int = 0) -> Mapping[str, Images]:
    """Return what each baseline says of the test pairs that `translation_metrics` measures."""
    x, y = tested_pairs(data)
    train = unit_floats(np.asarray(data.x_train)), unit_floats(np.asarray(data.pair_train))
    mean = np.broadcast_to(train[1].mean(axis=0), y.shape)
    return {
        MEAN_IMAGE: mean,
        COLOUR_REGRESSION: colour_regression(*train, unit_floats(x), random_state),
    }


def colour_regression(x: Images, y: Images, x_test: Images, random_state: int = 0) -> Images:
    """Return guesses of targets from the colour of each pixel alone, learnt from pairs (x, y).

    All images are in [0, 1]; ``random_state`` chooses the pixels that are learnt from.
    """
    # Half a second, which only a report of pairs takes.
    from sklearn.ensemble import HistGradientBoostingRegressor

    inputs, outputs = _colours(x), _colours(y)
    draw = np.random.default_rng(random_state)
    chosen = draw.choice(len(inputs), min(len(inputs), MOST_PIXELS), replace=False)
    trees = HistGradientBoostingRegressor(
        loss="absolute_error",
        max_iter=N_TREES,
        learning_rate=LEARNING_RATE,
        early_stopping=False,
        random_state=random_state,
    )
    # Threads that wait for each other are slower than one on a loaded machine.
    with threadpool_limits(1):
        guessed = [
            trees.fit(inputs[chosen], values).predict(_colours(x_test))
            for values in outputs[chosen].T
        ]
    size = x_test.shape[-2:]
    channels = [values.reshape(len(x_test), *size).clip(0, 1) for values in guessed]
    return np.stack(channels, axis=1).reshape(len(x_test), *y.shape[1:])


def _colours(x: Images) -> NDArray[Any]:
    """Return the (n·H·W, C) colours of all pixels."""
    channels = x if x.ndim == 4 else x[:, None]
    return np.moveaxis(channels, 1, -1).reshape(-1, channels.shape[1])


def baseline_notes(data: Dataset) -> tuple[str, ...]:
    """Return a sentence for each baseline with its figures on the same test pairs."""
    _, y = tested_pairs(data)
    notes = []
    for name, output in baselines(data).items():
        found = closeness(y, output)
        similarity = f", SSIM {found['ssim']:.4f}" if "ssim" in found else ""
        notes.append(f"Baseline, {name}: absolute error {found['absolute_error']:.4f}{similarity}.")
    return tuple(notes)


def domain_metrics(model: Any, data: Dataset) -> dict[str, float]:
    """Return what is lost on the way there and back, and the shares taken for their new domain."""
    a, b = tested_domains(data)
    fake_b, fake_a = model.transform(a), model.inverse_transform(b)
    return {
        "cycle_error_a": absolute_error(a, model.inverse_transform(fake_b)),
        "cycle_error_b": absolute_error(b, model.transform(fake_a)),
        "taken_for_b": share_of(data, fake_b, B),
        "taken_for_a": share_of(data, fake_a, A),
        **detail_figures(fake_b, a, "_b", either_sign=True),
        **detail_figures(fake_a, b, "_a", either_sign=True),
    }


def absolute_error(x: Images, y: Images) -> float:
    """Return the mean absolute difference."""
    return float(np.abs(x - y, dtype=np.float64).mean())


def tested_domains(data: Dataset) -> tuple[Images, Images]:
    """Return at most ``MOST_TESTED`` test images of each domain, in [0, 1]."""
    domains = np.asarray(data.y_test)
    a, b = (spread(data.x_test[domains == domain], MOST_TESTED) for domain in (A, B))
    return unit_floats(a), unit_floats(b)


def share_of(data: Dataset, images: Images, domain: int) -> float:
    """Return the share of images whose five nearest training images vote for a domain."""
    train = unit_floats(spread(data.x_train, MOST_NEIGHBOURS))
    voted = nearest_classes(train, spread(np.asarray(data.y_train), MOST_NEIGHBOURS), images)
    return float((voted == domain).mean())


def domain_notes(data: Dataset) -> tuple[str, ...]:
    """Return what the shares must be quoted with: those of real test images, as a sentence."""
    names = data.class_names or ("A", "B")
    shares = [
        share_of(data, images, domain) for domain, images in zip((A, B), tested_domains(data))
    ]
    return (
        f"A is {names[A]}, B is {names[B]}. By the same nearest training images, {shares[A]:.0%} "
        f"of the real test images of A are taken for A and {shares[B]:.0%} of those of B for B: "
        f"an identity would have {1 - shares[A]:.0%} and {1 - shares[B]:.0%} taken for their new "
        "domain, and a cycle error of 0.",
    )
