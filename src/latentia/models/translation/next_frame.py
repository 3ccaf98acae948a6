"""The next frame of a film, predicted from the last few, and the one after from the prediction.

    x̂(t+1) = G(x(t−k+1), ..., x(t)),   x̂(t+2) = G(x(t−k+2), ..., x(t), x̂(t+1)),  ...

``G`` is any translator between images: the frames seen are its input's channels. Three baselines
learn no motion: the last frame again, each pixel's straight line through its last two values, and
the mean of the training frames.

Shapes: films are (n, t, H, W), uint8 or floats in [0, 1]; predictions are floats.

References
----------
.. [1] M. Mathieu, C. Couprie, Y. LeCun, "Deep multi-scale video prediction beyond mean square
   error", ICLR 2016, section 2 (frames as channels, prediction fed back).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentia.errors import InputError
from latentia.models.inputs import unit_floats

Frames = NDArray[Any]
Predictor = Callable[[Frames], Frames]
"""From (n, k, H, W) frames to the (n, H, W) that follow them."""


def windows(films: Frames, n_seen: int) -> tuple[Frames, Frames]:
    """Return every ``n_seen`` frames in a row, and the frame that follows them.

    Returns
    -------
    seen, following
        (n·(t − n_seen), n_seen, H, W) and (n·(t − n_seen), H, W), film by film.

    Examples
    --------
    >>> seen, following = windows(np.arange(5).reshape(1, 5, 1, 1), 3)
    >>> seen[..., 0, 0].tolist(), following[..., 0, 0].tolist()
    ([[0, 1, 2], [1, 2, 3]], [3, 4])
    """
    if films.ndim != 4 or not 1 <= n_seen < films.shape[1]:
        raise InputError(
            f"films have shape {films.shape} and n_seen is {n_seen}; give (n, t, H, W) with n_seen "
            "from 1 to t − 1"
        )
    last = films.shape[1] - n_seen
    seen = np.stack([films[:, first : first + n_seen] for first in range(last)], axis=1)
    return seen.reshape(-1, n_seen, *films.shape[2:]), films[:, n_seen:].reshape(
        -1, *films.shape[2:]
    )


def roll_out(predict: Predictor, seen: Frames, n_frames: int) -> Frames:
    """Return (n, n_frames, H, W) predictions, each made from the frames and predictions before it.

    ``predict`` is such as ``model.transform``, or a baseline; ``seen`` are (n, k, H, W) frames.
    """
    frames = unit_floats(seen)
    n_seen = frames.shape[1]
    for _ in range(n_frames):
        following = np.asarray(predict(frames[:, -n_seen:]))
        frames = np.concatenate([frames, following[:, None]], axis=1)
    return frames[:, n_seen:]


def last_frame(seen: Frames) -> Frames:
    """Return the last frame again."""
    return seen[:, -1]


def straight_line(seen: Frames) -> Frames:
    """Return 2 x(t) − x(t−1), clipped to [0, 1]: each pixel goes on as it changed last."""
    return (2 * seen[:, -1] - seen[:, -2]).clip(0, 1)


def frame_errors(films: Frames, predicted: Frames) -> NDArray[np.float64]:
    """Return the (t,) mean squared errors of (n, t, H, W) predictions, frame by frame."""
    if films.shape != predicted.shape:
        raise InputError(f"predictions of {films.shape} need that shape, not {predicted.shape}")
    difference = unit_floats(films) - predicted
    found: NDArray[np.float64] = np.square(difference, dtype=np.float64).mean(axis=(0, 2, 3))
    return found
