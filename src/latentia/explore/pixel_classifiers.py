"""Whether an edit changes what it should and leaves the rest: judged by classifiers of pixels.

A small classifier for each attribute (pixels → principal components → logistic regression) learns
from real images, apart from the model. It gives p_a, the probability of attribute a, for held-out
images before the edit (their reconstructions, x̂(0)) and after it (x̂(s)):

    share   of samples with p_a(x̂(s)) > ½, against s = 0: moves, if the edit works
    change  mean of p_b(x̂(s)) − p_b(x̂(0)), for each attribute b: near 0 for b ≠ a, if no other
            attribute changes too

Samples without the attribute get the strengths above 0, samples with it those below.

Shapes: ``X`` is (n, *data_shape_), labels (n,).

References
----------
.. [1] Z. He, W. Zuo, M. Kan, S. Shan, X. Chen, "AttGAN: Facial Attribute Editing by Only Changing
   What You Want", IEEE Transactions on Image Processing 28, 2019, section IV.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression

from latentia.errors import InputError, nearest
from latentia.explore.attributes import ITERATIONS, checked_labels, edit
from latentia.models.base import LatentModel
from latentia.models.linear.pca import PCA

MOST_COMPONENTS = 100
MOST_TRAINING = 6000
"""Images that the classifiers learn from, spread evenly over those given."""
PENALTY = 0.1
"""scikit-learn's C, the inverse weight of the penalty on the classifiers' weights."""


class PixelClassifiers:
    """One logistic regression for each attribute, on shared principal components of the pixels.

    Parameters
    ----------
    X
        (n, *data_shape_) images; of more than 6,000 some are left out, evenly.
    labels
        (n,) values 0 or 1 for each attribute, by name.
    """

    def __init__(self, X: ArrayLike, labels: Mapping[str, ArrayLike]) -> None:
        array = np.asarray(X)
        if not labels:
            raise InputError("there are no labels; a check needs those of at least one attribute")
        kept = np.linspace(0, len(array) - 1, min(len(array), MOST_TRAINING)).astype(int)
        array, n = array[kept], len(array)
        n_components = min(MOST_COMPONENTS, len(array) - 1, int(np.prod(array.shape[1:])))
        self._components = PCA(n_components=n_components, whiten=True).fit(array)
        parts = self._components.transform(array)
        self._classifiers = {
            name: LogisticRegression(C=PENALTY, max_iter=ITERATIONS).fit(
                parts, checked_labels(checked_labels(y, n)[kept], len(kept))
            )
            for name, y in labels.items()
        }

    def probabilities(self, X: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Return the (n,) probabilities of each attribute for (n, *data_shape_) images."""
        parts = self._components.transform(_in_range(np.asarray(X)))
        return {name: c.predict_proba(parts)[:, 1] for name, c in self._classifiers.items()}


def _in_range(X: NDArray[Any]) -> NDArray[Any]:
    """Return images clipped to [0, 1], which an edit may leave; tables as they are."""
    return X if X.ndim == 2 or X.dtype == np.uint8 else X.clip(0, 1)


@dataclass(frozen=True)
class StrengthCheck:
    """What one strength did to held-out samples."""

    strength: float
    """Above 0 for samples without the attribute, below for samples with it."""
    n_samples: int
    share_before: float
    """Of them, the share classified as having the attribute when reconstructed."""
    share_after: float
    """The same when edited."""
    changes: Mapping[str, float]
    """For each attribute, the edited one first: the mean change of its probability."""
    movements: Mapping[str, float]
    """The same of the change's absolute value, which does not cancel out."""


@dataclass(frozen=True)
class AttributeCheck:
    """What editing an attribute did, by classifiers that know pixels only."""

    attribute: str
    n_samples: int
    accuracies: Mapping[str, float]
    """For each attribute, the share of held-out originals whose label the classifier finds: how
    far it can be trusted."""
    accuracies_reconstructed: Mapping[str, float]
    """The same of their reconstructions, at strength 0."""
    strengths: tuple[StrengthCheck, ...]
    """One for each strength other than 0."""

    def __str__(self) -> str:
        """Return the check as lines of text."""
        lines = [
            f"classifier of {name}: right on {share:.1%} of {self.n_samples:,} held-out originals, "
            f"on {self.accuracies_reconstructed[name]:.1%} of them at strength 0"
            for name, share in self.accuracies.items()
        ]
        for found in self.strengths:
            others = [f"{name} {value:+.3f}" for name, value in found.changes.items()]
            lines.append(
                f"strength {found.strength:+g} on {found.n_samples:,}: classified as "
                f"{self.attribute} {found.share_before:.1%} before, {found.share_after:.1%} after; "
                f"mean change of probability: {', '.join(others)}"
            )
        return "\n".join(lines)


def attribute_check(
    model: LatentModel,
    X: Any,
    labels: Mapping[str, ArrayLike],
    attribute: str,
    direction: ArrayLike,
    classifiers: PixelClassifiers,
    strengths: Sequence[float] = (-1, 1),
    *,
    residual: bool = False,
) -> AttributeCheck:
    """Edit held-out samples and let classifiers of pixels judge what changed.

    Parameters
    ----------
    model
        A fitted model that encodes and decodes.
    X
        (n, *data_shape_) samples that neither the direction nor the classifiers have seen.
    labels
        (n,) values 0 or 1 for each attribute, by name.
    attribute
        The one that is edited.
    direction
        (k,), from `latentia.explore.attributes.attribute_direction`.
    classifiers
        Of the same attributes.
    strengths
        Multiples of the direction; 0 is left out.
    residual
        As in `latentia.explore.attributes.edit`.
    """
    if attribute not in labels:
        known = ", ".join(labels)
        raise InputError(
            f"there are no labels of {attribute!r}; there are those of {known}"
            f"{nearest(attribute, labels)}"
        )
    array = np.asarray(X)
    truth = {name: checked_labels(y, len(array)) for name, y in labels.items()}
    before = edit(model, array, direction, [0.0], residual=residual)[:, 0]
    found = []
    for strength in strengths:
        if strength != 0:
            chosen = truth[attribute] if strength < 0 else ~truth[attribute]
            after = edit(model, array[chosen], direction, [strength], residual=residual)[:, 0]
            pair = [classifiers.probabilities(images) for images in (before[chosen], after)]
            found.append(_strength_check(float(strength), attribute, pair[0], pair[1]))
    accuracies = [
        {name: float(((p > 0.5) == truth[name]).mean()) for name, p in judged.items()}
        for judged in (classifiers.probabilities(array), classifiers.probabilities(before))
    ]
    return AttributeCheck(attribute, len(array), accuracies[0], accuracies[1], tuple(found))


def _strength_check(
    strength: float,
    attribute: str,
    before: Mapping[str, NDArray[np.float64]],
    after: Mapping[str, NDArray[np.float64]],
) -> StrengthCheck:
    names = dict.fromkeys([attribute, *before])
    had, has = (float((judged[attribute] > 0.5).mean()) for judged in (before, after))
    changes = {name: float((after[name] - before[name]).mean()) for name in names}
    movements = {name: float(np.abs(after[name] - before[name]).mean()) for name in names}
    return StrengthCheck(strength, len(before[attribute]), had, has, changes, movements)
