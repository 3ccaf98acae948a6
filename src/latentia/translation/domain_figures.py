"""How well images of two domains are translated into each other, where none has a target.

Two things can be measured without one: what is left of an image that went there and back, and
whether a translated image looks like its new domain, in the eyes of the training images nearest to
it. Neither says by itself that the translation is good: the identity loses nothing, and one fixed
image of the other domain always looks like it.

Shapes: images are (n, H, W) or (n, C, H, W), uint8 or floats in [0, 1].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.base import unit_floats
from latentia.data import Dataset
from latentia.metrics.coverage import nearest_classes
from latentia.specimens import spread

Images = NDArray[Any]
MOST_TESTED = 200
"""Test images of each domain that are measured."""
MOST_NEIGHBOURS = 4_000
"""Training images that translated ones are compared with."""
A, B = 0, 1


def domain_metrics(model: Any, data: Dataset) -> dict[str, float]:  # noqa: ANN401
    """Return what is lost on the way there and back, and the shares taken for their new domain."""
    a, b = tested(data)
    fake_b, fake_a = model.transform(a), model.inverse_transform(b)
    return {
        "cycle_error_a": absolute_error(a, model.inverse_transform(fake_b)),
        "cycle_error_b": absolute_error(b, model.transform(fake_a)),
        "taken_for_b": share_of(data, fake_b, B),
        "taken_for_a": share_of(data, fake_a, A),
    }


def absolute_error(x: Images, y: Images) -> float:
    """Return the mean absolute difference."""
    return float(np.abs(x - y, dtype=np.float64).mean())


def tested(data: Dataset) -> tuple[Images, Images]:
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
    shares = [share_of(data, images, domain) for domain, images in zip((A, B), tested(data))]
    return (
        f"A is {names[A]}, B is {names[B]}. By the same nearest training images, {shares[A]:.0%} "
        f"of the real test images of A are taken for A and {shares[B]:.0%} of those of B for B: "
        f"an identity would have {1 - shares[A]:.0%} and {1 - shares[B]:.0%} taken for their new "
        "domain, and a cycle error of 0.",
    )
