"""What each term of pix2pix adds: L1 alone blurs, with the game the picture is sharp.

    python examples/pix2pix_maps.py                                      outlines to clothes
    python examples/pix2pix_maps.py --data MAPS --image-size 64 --learning-rate 2e-4
    python examples/pix2pix_maps.py --data MAPS:reversed --image-size 64 the other way round
    python examples/pix2pix_maps.py --data edges:FOLDER --image-size 64 --images me.jpg

The figure is the paper's (Isola et al. 2017, figure 4): input, L1, L1 + cGAN, ground truth. A blur
is the safest guess for L1; the Fréchet distance, which compares the outputs' distribution with that
of real targets, is what the game improves: 7.3 to 6.4 on the outlines, at an L1 of 0.10 for both.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import latentia
from latentia.data.made_pairs import outlines
from latentia.data.named import DESCRIPTIONS
from latentia.data.pairs import load_pairs
from latentia.explore.pictures import read_pictures
from latentia.metrics.frechet import PixelFeatures, frechet_distance
from latentia.models.inputs import unit_floats
from latentia.models.translation.baselines import baseline_notes, closeness, tested_pairs
from latentia.plots.grids import rows, save_png

SHOWN = 10
OBJECTIVES = {"L1": "l1", "L1 + cGAN": "gan+l1"}


def own_inputs(given: argparse.Namespace, model: latentia.Pix2Pix) -> NDArray[np.uint8]:
    """Return one's own pictures as inputs: outlines of them where outlines were learnt from."""
    pictures = read_pictures(given.images, model)
    made = given.data.startswith("edges:") or given.data in DESCRIPTIONS
    return outlines(pictures) if made else pictures


def main(arguments: list[str] | None = None) -> None:
    """Train twice on the same pairs, print the figures on test pairs, draw some of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="fashion-mnist-small", help="pairs, or a set of images")
    parser.add_argument("--image-size", type=int, help="side in pixels of pictures in folders")
    parser.add_argument("--n-pairs", type=int, default=800, help="training pairs at most")
    parser.add_argument("--n-epochs", type=int, default=6)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=1e-3, help="2e-4 in the paper")
    parser.add_argument("--images", nargs="*", default=[], help="own pictures to translate too")
    parser.add_argument("--out", type=Path, default=Path("pix2pix_maps.png"))
    given = parser.parse_args(arguments)
    data = load_pairs(given.data, image_size=given.image_size)
    x, y = data.x_train[: given.n_pairs], data.pair_train[: given.n_pairs]
    x_test, y_test = tested_pairs(data)
    features = PixelFeatures().fit(unit_floats(data.pair_train))
    shown, own = [("input", unit_floats(x_test[:SHOWN]))], []
    for label, objective in OBJECTIVES.items():
        model = latentia.Pix2Pix(
            objective=objective,
            width=given.width,
            n_epochs=given.n_epochs,
            learning_rate=given.learning_rate,
            learning_rate_schedule="linear",
            random_state=0,
        ).fit(x, y)
        output = model.transform(x_test)
        found = closeness(y_test, output)
        distance = frechet_distance(features.transform(y_test), features.transform(output))
        print(
            f"{label:<10} absolute error {found['absolute_error']:.4f}  "
            f"SSIM {found['ssim']:.3f}  Fréchet distance {distance:.2f}"
        )
        shown.append((label, output[:SHOWN]))
        if given.images:
            inputs = own_inputs(given, model)
            own += [] if own else [("own input", unit_floats(inputs))]
            own.append((label, model.transform(inputs)))
    print(*baseline_notes(data), sep="\n")
    print(f"Fréchet distances between {len(y_test)} targets and outputs, in {features.name}")
    save_png(given.out, rows([*shown, ("truth", y_test[:SHOWN]), *own]))
    print(f"the figure is {given.out}")


if __name__ == "__main__":
    main()
