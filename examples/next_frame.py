"""The next frames of a film: digits that bounce about, the last four frames seen.

    python examples/next_frame.py [--data digits | mnist | a path] [--n-digits 2 --n-films 5000]

A U-Net predicts a frame from four, and goes on from its own predictions. What it must beat is not
only the last frame shown again but also the mean of all frames: where digits have moved on, a grey
nothing costs half of what a digit in the wrong place costs. Films cost nothing to make, so that
each is seen once. The squared errors over five frames are 0.021 with the U-Net, 0.066 with the last
frame and 0.041 with the mean one, and with two digits and twice as many films 0.041, 0.100 and
0.060: it knows where digits go and how they bounce, and blurs what they look like more with each
step (one minute on one CPU, or two).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import latentia
from latentia.data.made_pairs import enlarged_digits
from latentia.data.moving_digits import moving_digits
from latentia.explore.animate import write_animation
from latentia.files import write_atomically
from latentia.models.inputs import unit_floats
from latentia.models.translation.next_frame import (
    Predictor,
    frame_errors,
    last_frame,
    roll_out,
    straight_line,
    windows,
)
from latentia.plots.explore import image_table
from latentia.plots.style import png_bytes

N_SEEN, N_PREDICTED, SHOWN = 4, 5, 3

Frames = NDArray[np.float32]


def films_of(digits: NDArray[np.uint8], n: int, n_frames: int, n_digits: int, seed: int) -> Frames:
    """Return (n, n_frames, S, S) films; a frame is twice as wide as a digit."""
    large = enlarged_digits(digits)
    side = 2 * max(large.shape[1:])
    return moving_digits(large, n, n_frames, side, n_digits, seed=seed).frames


def predictors(seen: Frames, following: Frames, given: argparse.Namespace) -> dict[str, Predictor]:
    """Return the trained model and what learns no motion."""
    model = latentia.Pix2Pix(
        objective=given.objective,
        width=given.width,
        norm="batch",
        dropout=0,
        jitter=0,
        n_epochs=given.n_epochs,
        batch_size=16,
        learning_rate=2e-3,
        learning_rate_schedule="linear",
        random_state=0,
    ).fit(seen, following)
    mean = unit_floats(following).mean(axis=0)
    return {
        "U-Net": model.transform,
        "last frame": last_frame,
        "straight line": straight_line,
        "mean frame": lambda frames: np.broadcast_to(mean, (len(frames), *mean.shape)),
    }


def draw(out: Path, films: Frames, rolled: dict[str, Frames]) -> None:
    """Write a strip of some films beside their predictions, and the first ones as a GIF."""
    times = range(1 - N_SEEN, N_PREDICTED + 1)
    columns = ["seen" if t <= 0 else f"t + {t}" for t in times]
    rows = []
    for i in range(SHOWN):
        rows.append(("truth", films[i]))
        for name in ("U-Net", "last frame")[: 2 if i == 0 else 1]:
            rows.append((name, np.concatenate([films[i, :N_SEEN], rolled[name][i]])))
    title = "Frames predicted from the four before, then from predictions"
    write_atomically(out, png_bytes(image_table(rows, columns, title=title)))
    went_on = np.concatenate([films[:, :N_SEEN], rolled["U-Net"]], axis=1)
    bar = np.ones((len(films), N_SEEN + N_PREDICTED, films.shape[2], 1), np.float32)
    beside = np.concatenate([films, bar, went_on], axis=3)[:SHOWN]
    write_animation(out.with_suffix(".gif"), np.concatenate(list(beside), axis=1), 3)


def main(arguments: list[str] | None = None) -> None:
    """Train on films of training digits, print the error of each frame, draw test films."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="digits", help="digits, mnist or a path of grey images")
    parser.add_argument("--n-films", type=int, default=2500, help="of 12 frames, to train on")
    parser.add_argument("--n-test", type=int, default=200, help="films to test on")
    parser.add_argument("--n-digits", type=int, default=1)
    parser.add_argument("--n-epochs", type=int, default=1)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--objective", choices=("mse", "l1", "gan+l1"), default="mse")
    parser.add_argument("--out", type=Path, default=Path("next_frame.png"))
    given = parser.parse_args(arguments)
    data = latentia.load_data(given.data)
    train = films_of(data.x_train, given.n_films, 12, given.n_digits, seed=0)
    films = films_of(data.x_test, given.n_test, N_SEEN + N_PREDICTED, given.n_digits, seed=1)
    films = unit_floats(films)
    began = time.process_time()
    found = predictors(*windows(train, N_SEEN), given)
    print(f"trained in {time.process_time() - began:.0f} CPU seconds")
    rolled = {n: roll_out(p, films[:, :N_SEEN], N_PREDICTED) for n, p in found.items()}
    print(f"{'MSE':<14}  {'  '.join(f't + {t + 1} ' for t in range(N_PREDICTED))}  mean")
    means = {}
    for name, predicted in rolled.items():
        errors = frame_errors(films[:, N_SEEN:], predicted)
        means[name] = errors.mean()
        print(f"{name:<14}  {'  '.join(f'{error:.4f}' for error in errors)}  {means[name]:.4f}")
    for name in ("last frame", "mean frame"):
        print(f"the U-Net errs {1 - means['U-Net'] / means[name]:.0%} less than the {name}")
    draw(given.out, films, rolled)
    print(f"films are in {given.out} and {given.out.with_suffix('.gif')}")


if __name__ == "__main__":
    main()
