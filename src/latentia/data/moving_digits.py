"""Films of digits that move and bounce off the walls, drawn and not stored: same seed, same films.

    p(t) = r(p₀ + v t),   r(q) = m − |q mod 2m − m|,   m = the frame's side − the digit's

along each axis, r being the reflection into [0, m]: a digit moves v pixels a frame and comes back
from the wall as light from a mirror. Velocities are whole numbers, unlike those of [1]_: two frames
determine the third exactly, and every error is the model's own. Where digits overlap, the brighter
pixel is seen.

References
----------
.. [1] N. Srivastava, E. Mansimov, R. Salakhutdinov, "Unsupervised Learning of Video Representations
   using LSTMs", ICML 2015, section 3.1 (two MNIST digits in 64×64 pixels).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentia.data.dataset import Array
from latentia.errors import Count, InputError, Seed, check_arguments


@dataclass(frozen=True)
class MovingDigits:
    """Films of moving digits."""

    frames: Array
    """(n, t, S, S) of the digits' type."""
    places: NDArray[np.int64]
    """(n, t, k, 2) row and column of each digit's upper left corner."""
    velocities: NDArray[np.int64]
    """(n, k, 2) pixels a frame at the start, down and right."""
    rows: NDArray[np.int64]
    """(n, k) which images move."""


def moving_digits(
    images: Array,
    n: Count,
    n_frames: Count = 10,
    side: Count = 32,
    n_digits: Count = 2,
    speed: Count = 3,
    seed: Seed = 0,
) -> MovingDigits:
    """Return films of images drawn at random, each moving straight on at a steady speed.

    Parameters
    ----------
    images
        (m, h, w) images on black.
    n, n_frames
        How many films, and frames in each.
    side
        Of a frame in pixels.
    n_digits
        Images in a film.
    speed
        The most pixels that a digit moves down or right in a frame; none stands still.
    seed
        Of all draws.

    Examples
    --------
    >>> film = moving_digits(np.ones((1, 2, 2)), 1, n_frames=2, side=4, n_digits=1, seed=1)
    >>> film.velocities[0, 0], film.places[0, :, 0].tolist()
    (array([ 2, -1]), [[1, 1], [1, 0]])
    """
    check_arguments(moving_digits, locals())
    _check(images, side)
    draw = np.random.default_rng(seed)
    rows = draw.integers(len(images), size=(n, n_digits))
    room = np.array([side - images.shape[1], side - images.shape[2]])
    first = draw.integers(room + 1, size=(n, n_digits, 2))
    ways = [(i, j) for i in range(-speed, speed + 1) for j in range(-speed, speed + 1) if i or j]
    velocities = np.array(ways)[draw.integers(len(ways), size=(n, n_digits))]
    times = np.arange(n_frames)[:, None, None]
    places = reflected((first[:, None] + velocities[:, None] * times).astype(np.int64), room)
    frames = np.zeros((n, n_frames, side, side), images.dtype)
    for digit in range(n_digits):
        np.maximum(frames, _drawn(images[rows[:, digit]], places[:, :, digit], side), out=frames)
    return MovingDigits(frames, places, velocities, rows)


def reflected(places: NDArray[np.int64], room: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where a straight way leads between walls at 0 and at ``room``.

    >>> reflected(np.arange(-1, 6), np.array(3)).tolist()
    [1, 0, 1, 2, 3, 2, 1]
    """
    return np.asarray(room - np.abs(places % np.maximum(2 * room, 1) - room))


def _drawn(digits: Array, corners: NDArray[np.int64], side: int) -> Array:
    """Return (n, t, S, S) frames of (n, h, w) digits, their corners at (n, t, 2)."""
    # A row and a column of black stand for all that lies outside a digit.
    padded = np.pad(digits, ((0, 0), (0, 1), (0, 1)))
    lengths = np.array(digits.shape[1:])[:, None]
    places = np.arange(side) - corners[..., None]
    inside = np.where((places >= 0) & (places < lengths), places, lengths)
    down, right = inside[..., 0, :], inside[..., 1, :]
    film = np.arange(len(digits))[:, None, None, None]
    return np.asarray(padded[film, down[..., :, None], right[..., None, :]])


def _check(images: Array, side: int) -> None:
    if images.ndim != 3:
        raise InputError(f"moving digits are made of images (m, H, W), not {images.shape}")
    if max(images.shape[1:]) > side:
        raise InputError(
            f"images of {images.shape[1:]} pixels do not fit into frames of {side}; give a side of "
            f"at least {max(images.shape[1:])}"
        )
