"""Whether a generator without a density copied its training images, and how likely test data are.

What the GAN paper shows in the absence of a likelihood: samples that nobody selected beside their
nearest training images, here with a statistic against held-out images, and the Parzen-window
estimate, which is printed with its warning.
"""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure

from latentia.data.dataset import Dataset
from latentia.errors import InputError, Seed, check_arguments
from latentia.metrics.neighbours import (
    CopyingTest,
    NearestTraining,
    copying_test,
    nearest_training,
)
from latentia.metrics.parzen import ParzenEstimate, parzen_log_likelihood
from latentia.models.base import Model, Sampler
from latentia.models.figures import side_by_side
from latentia.models.inputs import spread, unit_floats
from latentia.plots.grids import is_drawable
from latentia.plots.memorisation import memorisation_figure
from latentia.plots.page import Picture

MOST_WINDOWS, MOST_COMPARED, SHOWN, FEW = 10_000, 1_000, 30, 10
"""Samples for the Parzen windows as the paper takes them, for the copying test, in the picture, and
in a report."""
MOST_VALUES, MOST_TRAINING_VALUES = 8_000_000, 50_000_000
"""Pixels of a set held at once: 10,000 and 60,000 images of MNIST."""
LEAST_TEST = 4
"""Test images below which none are left to choose σ by."""


@dataclass(frozen=True)
class Memorisation:
    """What samples look like beside the training images; printing it gives the figures' sentences.

    ``nearest`` are the first 30 samples as drawn, each with its nearest training image; ``copying``
    is the statistic of up to 1,000 samples against as many test images; ``parzen`` the
    log-likelihood of every other test image under up to 10,000 samples, σ chosen by the others.
    """

    nearest: NearestTraining
    copying: CopyingTest
    parzen: ParzenEstimate

    def __str__(self) -> str:
        """Return the statistic and the estimate with its warning."""
        return f"{self.copying}\n{self.parzen}"

    def picture(self) -> Picture:
        """Return what a report shows: samples above their nearest training images."""
        found, distances = self.nearest, self.nearest.distances[:FEW]
        drawn = [("sample", found.samples[:FEW]), ("nearest", found.neighbours[:FEW])]
        caption = (
            "Samples that nobody selected, each above the training image nearest to it, "
            f"{distances.min():.2f} to {distances.max():.2f} away."
        )
        return Picture("Nearest training images", caption, tiles=side_by_side(drawn))

    def figure(self) -> Figure:
        """Return the picture: samples above their nearest training images."""
        return memorisation_figure(self.nearest)


def memorisation_check(model: object, data: Dataset, random_state: Seed = 0) -> Memorisation:
    """Look for copies of training images among unselected samples.

    Parameters
    ----------
    model
        Any fitted model that draws images.
    data
        ``x_train`` as the model saw it, and test images that it did not see.
    random_state
        Of the samples.

    References
    ----------
    .. [1] I. Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, section 5, figure 2
       and table 1.
    """
    check_arguments(memorisation_check, locals())
    if not isinstance(model, Sampler):
        raise InputError(f"{type(model).__name__} draws no samples, so there are none to compare")
    if not is_drawable(data.x_test.shape):
        raise InputError(
            f"{data.name} has samples of shape {data.x_test.shape[1:]}; nearest neighbours are "
            "shown of images with 1 or 3 channels"
        )
    if len(data.x_test) < LEAST_TEST:
        raise InputError(f"{data.name} has {len(data.x_test)} test images; at least 4 are needed")
    size = data.x_test[0].size
    most = max(LEAST_TEST, min(MOST_WINDOWS, MOST_VALUES // size))
    train = unit_floats(spread(data.x_train, max(1, MOST_TRAINING_VALUES // size)))
    test, samples = (
        unit_floats(spread(data.x_test, most)),
        model.drawn_for(data, most, random_state),
    )
    few = min(MOST_COMPARED, most)
    return Memorisation(
        nearest_training(train, samples[:SHOWN]),
        copying_test(train, spread(test, few), samples[:few]),
        parzen_log_likelihood(samples, test[::2], test[1::2]),
    )


def is_asked_of(model: Model, data: Dataset) -> bool:
    """Return whether a report checks this: a model that draws pictures and scores none, a GAN."""
    implicit = isinstance(model, Sampler) and "score" in model.lacks
    return implicit and is_drawable(data.x_test.shape) and len(data.x_test) >= LEAST_TEST
