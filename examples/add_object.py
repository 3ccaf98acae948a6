"""An object added to a picture: every digit gets a hat, where its head is.

A conditional image-to-image task made up from the bundled digits: the input is a grey digit
somewhere on a canvas, the target the same picture in colour with a red hat on the digit. The model
must leave alone what was there, and find where the object belongs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import latentia
from latentia.plots.grids import rows, save_png

SIDE, DIGIT, HAT = 32, 16, 7
"""Pixels of the canvas and of a digit, and the hat's height."""
INK = 0.3
SHOWN = 12
RED = np.array([0.9, 0.1, 0.15])


def hatless(digits: NDArray[np.floating], seed: int) -> NDArray[np.float32]:
    """Return (n, SIDE, SIDE) canvases with each (8, 8) digit, doubled, at a random place."""
    draw = np.random.default_rng(seed)
    canvases = np.zeros((len(digits), SIDE, SIDE), np.float32)
    for canvas, digit in zip(canvases, digits, strict=True):
        top = draw.integers(HAT, SIDE - DIGIT + 1)
        left = draw.integers(0, SIDE - DIGIT + 1)
        canvas[top : top + DIGIT, left : left + DIGIT] = np.kron(digit, np.ones((2, 2)))
    return canvases


def with_hats(canvases: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the canvases in colour with a hat on each digit, (n, 3, H, W), and where it is."""
    pictures = np.repeat(canvases[:, None], 3, axis=1)
    hats = np.zeros(canvases.shape, bool)
    for canvas, hat in zip(canvases, hats, strict=True):
        head = int(np.argmax((canvas > INK).any(axis=1)))
        middle = int(np.median(np.flatnonzero((canvas[head : head + 2] > INK).any(axis=0))))
        for step in range(HAT):
            row, reach = head - 1 - step, (HAT - step) // 2 + 1
            hat[row, max(0, middle - reach) : middle + reach + 1] = True
    pictures = np.where(hats[:, None], RED[:, None, None], pictures).astype(np.float32)
    return pictures, hats


def main(arguments: list[str] | None = None) -> None:
    """Train, say how well the hats sit and the digits are kept, draw test pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-epochs", type=int, default=10)
    parser.add_argument("--n-pairs", type=int, default=500, help="training pairs, at most 1500")
    parser.add_argument("--out", type=Path, default=Path("add_object.png"))
    given = parser.parse_args(arguments)
    data = latentia.load_data("digits")
    x = hatless(data.x_train[: given.n_pairs], seed=0)
    y, _ = with_hats(x)
    x_test = hatless(data.x_test, seed=1)
    y_test, hats = with_hats(x_test)
    model = latentia.Pix2Pix(
        width=16,
        n_epochs=given.n_epochs,
        batch_size=4,
        learning_rate=1e-3,
        learning_rate_schedule="linear",
        random_state=0,
    ).fit(x, y)
    output = model.transform(x_test)
    found = (output[:, 0] - output[:, 1]) > (RED[0] - RED[1]) / 2
    overlap = (found & hats).sum((1, 2)) / (found | hats).sum((1, 2))
    kept = np.abs(output - y_test).mean(axis=1)[~hats].mean()
    print(f"hats overlap with where they belong by {overlap.mean():.0%} (intersection over union)")
    print(f"the rest of the picture is off by {kept:.4f} of 1 on average")
    shown = [("input", x_test), ("output", output), ("target", y_test)]
    save_png(given.out, rows([(label, images[:SHOWN]) for label, images in shown]))
    print(f"the figure is {given.out}")


if __name__ == "__main__":
    main()
