"""Colours for grey pictures: pix2pix from the lightness L of CIELab to the colours a and b.

    python examples/colourise.py                               pieces of two photographs
    python examples/colourise.py FOLDER [--image-size 64]      any folder of colour pictures
    python examples/colourise.py FACES.npz --images me.png     and one's own pictures as well

Two nets learn the same task: with L1 alone, and with L1 and the game. Beside them stand the grey
picture itself, the mean colours of the training pictures, and the best guess from a pixel's own
lightness. On the photographs they come to 25.6, 21.8 and 25.9 dB, L1 to 30.4 and the game to 29.6,
since the nets see what is leaves and what is sky; on 48-pixel faces to 20.8, 26.0 and 26.3 dB, L1
to 27.2 and the game to 26.4: what faces have in common is most of their colour.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_sample_images

import latentia
from latentia.data.dataset import Dataset
from latentia.data.lab import lab_of, lightness
from latentia.explore.pictures import read_pictures
from latentia.files import write_atomically
from latentia.metrics.reconstruction import psnr
from latentia.models.inputs import unit_floats
from latentia.models.translation.baselines import colour_regression
from latentia.models.translation.colourisation import (
    Colouriser,
    chroma,
    colour_error,
    coloured,
    scaled,
    unscaled,
)
from latentia.plots.explore import image_table
from latentia.plots.style import png_bytes

SHOWN, MOST_TESTED, SIDE = 10, 300, 48
OBJECTIVES = {"L1": "l1", "L1 + cGAN": "gan+l1"}

Images = NDArray[np.float32]


def baselines(x: Images, x_test: Images) -> dict[str, Images]:
    """Return what can be had of test pictures without a net that sees shapes."""
    grey, ab = lightness(x), lab_of(x)[:, 1:]
    grey_test = lightness(x_test)
    mean = np.broadcast_to(ab.mean(axis=0), (len(x_test), *ab.shape[1:]))
    guessed = unscaled(colour_regression(grey, scaled(ab), grey_test))
    return {
        "grey": coloured(grey_test, np.zeros_like(mean)),
        "mean colours": coloured(grey_test, mean),
        "regression from L": coloured(grey_test, guessed),
    }


def photographs() -> Dataset:
    """Return pieces of two photographs, of their left parts to learn, of the right to test."""
    parts: list[list[Images]] = [[], []]
    for photo in load_sample_images().images:
        pieces = np.lib.stride_tricks.sliding_window_view(photo, (SIDE, SIDE, 3))[::12, ::12, 0]
        last = round(0.7 * photo.shape[1] / 12)
        parts[0].append(pieces[:, : last - SIDE // 12].reshape(-1, SIDE, SIDE, 3))
        parts[1].append(pieces[::4, last::4].reshape(-1, SIDE, SIDE, 3))
    draw = np.random.default_rng(0)
    x, x_test = (draw.permutation(np.moveaxis(np.concatenate(p), -1, 1)) for p in parts)
    return Dataset(name="photographs", x_train=x, y_train=None, x_test=x_test, y_test=None)


def main(arguments: list[str] | None = None) -> None:
    """Train both nets, print what they and the baselines reach on test pictures, draw some."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", help="colour pictures: a folder, or a file of arrays")
    parser.add_argument("--image-size", type=int, help="side in pixels of pictures in folders")
    parser.add_argument("--images", nargs="*", default=[], help="grey or colour pictures to colour")
    parser.add_argument("--n-pictures", type=int, default=1500, help="training pictures at most")
    parser.add_argument("--n-epochs", type=int, default=4)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--out", type=Path, default=Path("colourise.png"))
    given = parser.parse_args(arguments)
    data = (
        photographs()
        if given.data is None
        else latentia.load_data(given.data, image_size=given.image_size)
    )
    x, x_test = data.x_train[: given.n_pictures], unit_floats(data.x_test[:MOST_TESTED])
    found, own = {}, []
    for label, objective in OBJECTIVES.items():
        net = latentia.Pix2Pix(
            objective=objective,
            width=given.width,
            n_epochs=given.n_epochs,
            batch_size=8,
            learning_rate=1e-3,
            learning_rate_schedule="linear",
            random_state=0,
        )
        model = Colouriser(translator=net).fit(x)
        found[label] = model.transform(x_test)
        if given.images:
            pictures = read_pictures(given.images, model)
            own += [("own", unit_floats(pictures))] if not own else []
            own.append((label, model.transform(pictures)))
    found = baselines(x, x_test) | found
    print(f"{'':<18} colour error  PSNR in dB  chroma")
    for name, output in found.items():
        error, ratio, vivid = colour_error(x_test, output), psnr(x_test, output), chroma(output)
        print(f"{name:<18} {error:12.2f}  {ratio:10.2f}  {vivid:6.1f}")
    print(f"{'truth':<18} {0:12.2f}  {'':>10}  {chroma(x_test):6.1f}")
    shown = [(name, output[:SHOWN]) for name, output in found.items() if name != "mean colours"]
    table = [*shown, ("truth", x_test[:SHOWN]), *own]
    write_atomically(given.out, png_bytes(image_table(table)))
    print(f"the figure is {given.out}")


if __name__ == "__main__":
    main()
