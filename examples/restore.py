"""Noise taken away and missing squares filled in, by pix2pix, beside what needs no learning.

    python examples/restore.py [--data fashion-mnist-small | a folder | FACES.npz] [--task holes]

Against noise stands the median filter; holes are filled with the mean of the training images at
that place, and with the smoothest surface that fits their rim (harmonic: Δu = 0; biharmonic, Δ²u =
0, where scikit-image is installed). A net sees each copy of an image once, so that it cannot learn
noise and holes by heart: on clothes it brings noise from 16.1 to 21.5 dB, where the median reaches
18.1, and holes to 14.8 dB, where biharmonic filling reaches 13.7; on 1,500 faces of 48 pixels it
stays at 17.3 dB, below the biharmonic 17.7. Only what was missing is measured and taken from the
net: the rest of the picture is known.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

import latentia
from latentia.data.made_pairs import as_bytes, holes, noisy, with_holes
from latentia.files import write_atomically
from latentia.metrics.reconstruction import psnr
from latentia.models.inputs import unit_floats
from latentia.plots.explore import image_table
from latentia.plots.style import png_bytes

SHOWN, MOST_TESTED = 12, 100
SWEEPS = 400
MEDIAN_SIDES = (3, 5)

Images = NDArray[np.float32]


def harmonic(x: Images, missing: NDArray[np.bool_]) -> Images:
    """Return images whose holes hold the mean of their four neighbours everywhere (Δu = 0)."""
    filled = np.where(missing, x.mean(), x)
    for _ in range(SWEEPS):
        edged = np.pad(filled, [(0, 0)] * (x.ndim - 2) + [(1, 1), (1, 1)], mode="edge")
        across = edged[..., 1:-1, :-2] + edged[..., 1:-1, 2:]
        down = edged[..., :-2, 1:-1] + edged[..., 2:, 1:-1]
        filled = np.where(missing, (across + down) / 4, filled)
    return filled.astype(np.float32)


def biharmonic(x: Images, missing: NDArray[np.bool_]) -> Images | None:
    """Return images filled by scikit-image (Δ²u = 0), or None where it is not installed."""
    try:
        from skimage.restoration import inpaint_biharmonic
    except ModuleNotFoundError:
        return None
    filled = [
        inpaint_biharmonic(image, hole, channel_axis=0 if image.ndim == 3 else None)
        for image, hole in zip(x, missing.reshape(len(x), *x.shape[-2:]))
    ]
    return np.stack(filled).clip(0, 1).astype(np.float32)


def trained(x: NDArray[np.uint8], y: NDArray[np.uint8], given: argparse.Namespace) -> object:
    """Return pix2pix fitted on pairs of a degraded image and the whole one."""
    return latentia.Pix2Pix(
        objective=given.objective,
        width=given.width,
        dropout=0,
        n_epochs=1,
        batch_size=8,
        learning_rate=1e-3,
        learning_rate_schedule="linear",
        random_state=0,
    ).fit(x, y)


def denoise(x: NDArray[np.uint8], clean: NDArray[np.uint8], given: argparse.Namespace):
    """Train on noisy copies, print the PSNR of each way, return rows for the picture."""
    model = trained(noisy(x, np.random.default_rng(0)), x, given)
    degraded = noisy(clean, np.random.default_rng(1))
    unit, y = unit_floats(degraded), unit_floats(clean)
    found = {"noisy": unit}
    for side in MEDIAN_SIDES:
        found[f"median {side}×{side}"] = median_filter(unit, (1,) * (y.ndim - 2) + (side, side))
    found["pix2pix"] = model.transform(degraded)
    for name, output in found.items():
        print(f"noise  {name:<12} PSNR {psnr(y, output):6.2f} dB")
    return [*found.items(), ("truth", y)]


def fill(x: NDArray[np.uint8], whole: NDArray[np.uint8], given: argparse.Namespace):
    """Train on images with holes, print the PSNR inside them, return rows for the picture."""
    masks, test_masks = (
        holes(part.shape, np.random.default_rng(seed)) for seed, part in enumerate((x, whole))
    )
    model = trained(with_holes(x, masks), x, given)
    degraded = with_holes(whole, test_masks)
    unit, y = unit_floats(degraded), unit_floats(whole)
    missing = test_masks if y.ndim == 3 else test_masks[:, None]
    found = {
        "grey": unit,
        "mean image": np.where(missing, unit_floats(x).mean(axis=0), unit),
        "harmonic": harmonic(unit, missing),
        "biharmonic": biharmonic(unit, missing),
        "pix2pix": np.where(missing, model.transform(degraded), unit),
    }
    found = {name: output for name, output in found.items() if output is not None}
    for name, output in found.items():
        squared = (
            np.where(missing, (output - y) ** 2, 0).sum() / np.broadcast_to(missing, y.shape).sum()
        )
        print(f"holes  {name:<12} PSNR {-10 * np.log10(squared):6.2f} dB inside them")
    return [*found.items(), ("truth", y)]


TASKS = {"noise": denoise, "holes": fill}


def main(arguments: list[str] | None = None) -> None:
    """Train for each task, print the figures on test images, draw some."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="fashion-mnist-small", help="a name or a path of images")
    parser.add_argument("--image-size", type=int, help="side in pixels of pictures in folders")
    parser.add_argument("--task", choices=(*TASKS, "both"), default="both")
    parser.add_argument("--n-images", type=int, default=4000, help="training images at most")
    parser.add_argument(
        "--n-copies", type=int, default=4, help="of each, with another hole or noise"
    )
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--objective", choices=("mse", "l1", "gan+l1"), default="mse")
    parser.add_argument("--out", type=Path, default=Path("restore.png"))
    given = parser.parse_args(arguments)
    data = latentia.load_data(given.data, image_size=given.image_size)
    x, x_test = (as_bytes(part) for part in (data.x_train, data.x_test))
    copies = np.concatenate([x[: given.n_images]] * given.n_copies)
    shown = []
    for task in TASKS if given.task == "both" else (given.task,):
        shown += TASKS[task](copies, x_test[:MOST_TESTED], given)
    table = [(name, images[:SHOWN]) for name, images in shown]
    write_atomically(given.out, png_bytes(image_table(table)))
    print(f"the figure is {given.out}")


if __name__ == "__main__":
    main()
