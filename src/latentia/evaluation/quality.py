"""The quality of generated images in a classifier's eyes, every figure with what it depends on.

Shapes: images are (n, H, W) or (n, C, H, W), as the classifier learnt them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.data.dataset import Dataset
from latentia.errors import Count, InputError, check_arguments
from latentia.evaluation.classifier import ImageClassifier
from latentia.metrics.coverage import entropy
from latentia.metrics.frechet import frechet_distance
from latentia.metrics.precision_recall import Overlap, precision_recall
from latentia.models.base import Model, Sampler
from latentia.models.inputs import spread, unit_floats
from latentia.models.measures import LEAST_SAMPLES, MOST_SAMPLES
from latentia.models.saved import load


@dataclass(frozen=True)
class Quality:
    """What a classifier makes of drawn images beside real ones.

    ``frechet_distance`` and ``overlap`` are between its penultimate features of both; ``shares``
    are the (C,) shares of drawn images that it gives each of its (C,) ``classes``.
    """

    frechet_distance: float
    overlap: Overlap
    classes: NDArray[Any]
    shares: NDArray[np.float64]

    @property
    def class_entropy(self) -> float:
        """The entropy of the shares in nats: 0 for one class, log C for C equal shares."""
        return entropy(self.shares)

    def __str__(self) -> str:
        """Return the figures, each with its counts, and the classifier's name."""
        counts = f"({self.overlap.n_real:,} real, {self.overlap.n_fake:,} drawn)"
        histogram = "  ".join(f"{c} {s:.1%}" for c, s in zip(self.classes, self.shares))
        most = f"at most {np.log(len(self.classes)):.3f} nats"
        return (
            f"Fréchet distance {self.frechet_distance:.4f}  {counts}\n{self.overlap}\n"
            f"classes   {histogram}\n"
            f"entropy   {self.class_entropy:.4f} of {most}  ({self.overlap.n_fake:,} drawn)"
        )


def sample_quality(
    classifier: ImageClassifier,
    x_real: NDArray[Any],
    x_samples: NDArray[Any],
    k: Count = 5,
) -> Quality:
    """Return Fréchet distance, precision, recall, density, coverage and classes of samples.

    Parameters
    ----------
    classifier
        Fitted; its name, with a hash, is part of the result: another one gives other figures.
    x_real
        Real images that neither the classifier nor the model was trained on.
    x_samples
        Drawn images, as drawn.
    k
        The neighbour that the balls of precision and recall reach.

    References
    ----------
    .. [1] M. Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
       Equilibrium", NeurIPS 2017, section 4 (there with Inception's features; these are not FID).

    Examples
    --------
    >>> x = np.random.default_rng(0).random((60, 8, 8))
    >>> judge = ImageClassifier(n_epochs=1).fit(x[:30], np.arange(30) % 3)
    >>> found = sample_quality(judge, x[30:], x[30:])
    >>> found.overlap.precision, round(found.frechet_distance, 6)
    (1.0, 0.0)
    """
    check_arguments(sample_quality, locals())
    real, fake = classifier.transform(x_real), classifier.transform(x_samples)
    overlap = precision_recall(real, fake, k, classifier.name)
    predicted = np.searchsorted(classifier.classes_, classifier.predict(x_samples))
    shares = np.bincount(predicted, minlength=len(classifier.classes_)) / len(predicted)
    return Quality(frechet_distance(real, fake), overlap, classifier.classes_, shares)


def judged(model: Model, data: Dataset, folder: Path) -> str:
    """Return the quality of a model's samples in the eyes of the classifier in a folder.

    If there is none, it is trained on the data's labels and saved there.
    """
    if not isinstance(model, Sampler):
        raise InputError(f"{type(model).__name__} draws no samples to judge")
    judge = load(folder) if folder.exists() else _trained_judge(data, folder)
    if not isinstance(judge, ImageClassifier):
        raise InputError(f"{folder} holds a {type(judge).__name__}; give an ImageClassifier")
    real = unit_floats(spread(data.x_test, MOST_SAMPLES))
    samples = model.drawn_for(data, max(LEAST_SAMPLES, len(real)), 0)
    lines = [str(sample_quality(judge, real, samples))]
    if data.labelled and data.y_test is not None:
        right = float((judge.predict(real) == spread(data.y_test, MOST_SAMPLES)).mean())
        lines.append(f"the classifier is right on {right:.1%} of the {len(real):,} real images")
    return "\n".join(lines)


def _trained_judge(data: Dataset, folder: Path) -> ImageClassifier:
    """Return a classifier of the data's labels, saved in a folder."""
    if not data.labelled or data.y_train is None:
        raise InputError(
            f"there is no classifier in {folder}, and {data.name} has no labels to train one on"
        )
    judge = ImageClassifier(title=data.name).fit(data.x_train, data.y_train, progress=True)
    judge.save(folder)
    return judge
