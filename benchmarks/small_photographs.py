"""What models make of a few photographs, beside PCA with as many components.

    python benchmarks/small_photographs.py --photographs FOLDER [--test FOLDER] [--models VAE ...]

A model is trained by its defaults, as ``latentia train MODEL --data FOLDER --image-size 64`` does:
of the folder a part is for tests and a twelfth of the rest chooses the best epoch. The figures are
of the test part, or of a second folder:

error / PCA's
    Mean squared error of reconstructions, as a multiple of PCA's with as many components.
own nearest
    Share of reconstructions to which, of 50 test photographs, their own original is the nearest in
    squared error: 2 % for one picture drawn for all.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import latentia
from latentia.evaluation.runs import fit_in_run
from latentia.models.inputs import unit_floats

AMONG = 50


def own_nearest(x: np.ndarray, back: np.ndarray) -> float:
    """Return how often a reconstruction's own original is the nearest of each 50."""
    found = []
    for first in range(0, len(x) - min(AMONG, len(x)) + 1, AMONG):
        here = slice(first, first + AMONG)
        a, b = x[here].reshape(len(x[here]), -1), back[here].reshape(len(x[here]), -1)
        distances = (a**2).sum(1)[None] - 2 * b @ a.T
        found += list(distances.argmin(1) == np.arange(len(a)))
    return float(np.mean(found))


def squared_error(x: np.ndarray, back: np.ndarray) -> float:
    """Return the mean over photographs of the summed squared error."""
    return float(((x - back) ** 2).reshape(len(x), -1).sum(1).mean())


def main() -> None:
    """Print a line for each model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=Path, required=True)
    parser.add_argument("--test", type=Path)
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--models", nargs="+", default=["VAE", "Autoencoder"])
    parser.add_argument("--n-epochs", type=int)
    parser.add_argument("--samples", type=Path, help="folder for pictures of samples")
    given = parser.parse_args()
    data = latentia.load_data(str(given.photographs), image_size=given.image_size)
    x = data.x_test
    if given.test is not None:
        other = latentia.load_data(str(given.test), image_size=given.image_size)
        x = np.concatenate([other.x_train, other.x_test])
    kept = data.hold_out()[0].x_train
    print(f"{len(kept)} photographs to train on, {len(x)} to test on")
    print("model          k   error / PCA's   own nearest (PCA's)   seconds   MB on disk")
    for name in given.models:
        options: dict[str, Any] = {} if given.n_epochs is None else {"n_epochs": given.n_epochs}
        model = getattr(latentia, name)(random_state=0, **options)
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            fit_in_run(model, data, Path(folder) / "run", progress=False)
            seconds = time.perf_counter() - began
            size = sum(f.stat().st_size for f in Path(folder).rglob("*") if f.is_file())
        k = model.n_components
        pca = latentia.PCA(n_components=k).fit(kept)
        floats = unit_floats(x)
        back, linear = model.reconstruct(x), pca.reconstruct(x)
        ratio = squared_error(floats, back) / squared_error(floats, linear)
        print(
            f"{name:12} {k:3} {ratio:13.3f} {own_nearest(floats, back):13.0%} "
            f"({own_nearest(floats, linear):.0%}) {seconds:15.0f} {size / 1e6:12.0f}",
            flush=True,
        )
        if given.samples is not None and hasattr(model, "sample"):
            from latentia.plots.grids import save_png, tile

            given.samples.mkdir(parents=True, exist_ok=True)
            save_png(
                given.samples / f"{name}.png", tile(model.sample(64, random_state=0), n_columns=8)
            )


if __name__ == "__main__":
    main()
