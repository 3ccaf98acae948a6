"""Toys that show mode collapse: mixtures in the plane, and digits stacked into three channels.

Samples are drawn, not stored: the same seed gives the same ones.

References
----------
.. [1] Z. Lin et al., "PacGAN: The power of two samples in generative adversarial networks",
   NeurIPS 2018, sections 4.1 (eight modes on a circle of radius 1, variance 10⁻⁴; 25 on a lattice
   from −4 to 4, variance 0.0025) and 4.2 (128,000 stacked training images).
.. [2] A. Srivastava et al., "VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational
   Learning", NeurIPS 2017, section 4.1.
.. [3] L. Metz et al., "Unrolled Generative Adversarial Networks", ICLR 2017, section 3.3.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.data.dataset import Array, Dataset, Description
from latentia.errors import Count, InputError, Positive, Seed, check_arguments

N_TRAIN, N_TEST = 100_000, 10_000
STACKED_TRAIN, STACKED_TEST = 128_000, 10_000
N_CHANNELS = 3
SOURCE = "Lin et al. 2018 (PacGAN)"


@dataclass(frozen=True)
class Mixture:
    """Equally likely round Gaussians."""

    centres: NDArray[np.float64]
    """(k, d) modes."""
    standard_deviation: float
    """Of each mode, in each direction."""

    def sample(self, n: Count, seed: Seed = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return (n, d) draws and the (n,) numbers of their modes."""
        check_arguments(Mixture.sample, locals())
        draw = np.random.default_rng(seed)
        modes = draw.integers(len(self.centres), size=n)
        noise = draw.standard_normal((n, self.centres.shape[1]))
        return self.centres[modes] + self.standard_deviation * noise, modes


def ring(
    n_modes: Count = 8, radius: Positive = 1.0, standard_deviation: Positive = 0.01
) -> Mixture:
    """Return Gaussians evenly spaced on a circle about 0, as [1]_ sets them.

    VEEGAN [2]_ and unrolled GANs [3]_ take a radius of 2 and other widths; the ratio of width to
    radius decides how hard the task is.

    Examples
    --------
    >>> x, modes = ring().sample(1000, seed=0)
    >>> x.shape, len(set(modes))
    ((1000, 2), 8)
    """
    check_arguments(ring, locals())
    angles = 2 * np.pi * np.arange(n_modes) / n_modes
    return Mixture(radius * np.stack([np.cos(angles), np.sin(angles)], axis=1), standard_deviation)


def grid(
    n_sides: Count = 5, spacing: Positive = 2.0, standard_deviation: Positive = 0.05
) -> Mixture:
    """Return Gaussians on a square lattice about 0, as [1]_ sets them.

    Examples
    --------
    >>> grid().centres.min(axis=0), len(grid().centres)
    (array([-4., -4.]), 25)
    """
    check_arguments(grid, locals())
    line = spacing * (np.arange(n_sides) - (n_sides - 1) / 2)
    across, down = np.meshgrid(line, line, indexing="ij")
    return Mixture(np.stack([across.ravel(), down.ravel()], axis=1), standard_deviation)


def stacked_mnist(images: Array, labels: Array, n: Count, seed: Seed = 0) -> tuple[Array, Array]:
    """Return digits drawn at random, three to a sample, one in each channel ([3]_, [1]_).

    Parameters
    ----------
    images, labels
        (m, H, W) images and their (m,) classes from 0 to 9.
    n
        How many to make.
    seed
        Of the draws.

    Returns
    -------
    x, y
        (n, 3, H, W) of the images' type, and (n,) numbers from 0 to 999: the digits in order.
    """
    check_arguments(stacked_mnist, locals())
    if images.ndim != 3 or labels.shape != (len(images),):
        raise InputError(
            f"stacked digits need images (m, H, W) with a label each, not {images.shape} and "
            f"{labels.shape}"
        )
    rows = np.random.default_rng(seed).integers(len(images), size=(n, N_CHANNELS))
    digits = labels[rows].astype(np.int64)
    return images[rows], digits @ 10 ** np.arange(N_CHANNELS)[::-1]


def _described(name: str, summary: str, mixture: Mixture) -> Description:
    return Description(
        name=name,
        summary=summary,
        shape=(2,),
        n_train=N_TRAIN,
        n_test=N_TEST,
        classes=tuple(str(mode) for mode in range(len(mixture.centres))),
        origin=f"drawn by this package after {SOURCE}",
        licence="none needed",
        needs_network=False,
    )


MIXTURES = {"ring": ring(), "grid": grid()}
RING = _described("ring", "8 Gaussians on a circle in the plane: a test of GANs", MIXTURES["ring"])
GRID = _described("grid", "25 Gaussians on a lattice in the plane: a test", MIXTURES["grid"])
STACKED = Description(
    name="stacked-mnist",
    summary="three digits of MNIST in three channels, 1,000 classes: a test of GANs",
    shape=(N_CHANNELS, 28, 28),
    n_train=STACKED_TRAIN,
    n_test=STACKED_TEST,
    classes=(),
    origin=f"drawn from MNIST (LeCun, Cortes, Burges) after {SOURCE}",
    licence="that of MNIST",
    needs_network=True,
)


def load_mixture(name: str) -> Dataset:
    """Return the training and test draws of ``ring`` or ``grid``."""
    x, y = MIXTURES[name].sample(N_TRAIN + N_TEST)
    return Dataset(name, x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:])


def stack(mnist: Dataset) -> Dataset:
    """Return stacked MNIST: training samples of training digits, test samples of test digits."""
    labels: list[Any] = [mnist.y_train, mnist.y_test]
    x_train, y_train = stacked_mnist(mnist.x_train, labels[0], STACKED_TRAIN, seed=0)
    x_test, y_test = stacked_mnist(mnist.x_test, labels[1], STACKED_TEST, seed=1)
    return Dataset(STACKED.name, x_train, y_train, x_test, y_test)
