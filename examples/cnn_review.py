"""What a convolutional net is made of, in figures: filters, padding, stride, pooling, feature maps.

    python examples/cnn_review.py [--data fashion-mnist-small | mnist | a path] [--picture 7]

Filters made by hand stand beside those that a small classifier learns in its first layer; of one
picture that it was not trained on, the maps of each of its layers are drawn.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import latentia
from latentia.files import write_atomically
from latentia.models.inputs import unit_floats
from latentia.plots.explore import image_table
from latentia.plots.features import (
    kernel_figure,
    layers_figure,
    of_one_size,
    sizes_figure,
)
from latentia.plots.style import png_bytes
from latentia.theory.convolution import KERNELS, filtered, output_size, pooled
from latentia.theory.filters import feature_maps, first_filters

SIZES = [(5, 3, 1, 0), (5, 3, 1, 1), (5, 3, 2, 1), (6, 2, 2, 0)]
"""Side, kernel, stride and padding of the figure of sizes; the last is how pooling walks."""
N_FILTERS, PICTURE = 16, 23
BY_HAND = "Filters made by hand: orange adds, blue takes away"
LEARNT = "Filters that the first layer learnt, and what each makes of the picture"


def filters(
    grey: NDArray[np.float32], kernels: Mapping[str, NDArray[np.floating]], title: str
) -> Figure:
    """Return the figure of kernels and of what they make of a grey picture."""
    results = [filtered(grey[None], kernel) for kernel in kernels.values()]
    return kernel_figure(list(kernels.values()), np.concatenate(results), list(kernels), title)


def main(arguments: list[str] | None = None) -> None:
    """Train a small classifier, write the figures, print the sizes of its layers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="fashion-mnist-small", help="images with labels")
    parser.add_argument("--picture", type=int, default=PICTURE, help="which test picture")
    parser.add_argument("--n-epochs", type=int, default=4)
    parser.add_argument("--n-images", type=int, default=8000, help="training images at most")
    parser.add_argument("--out", type=Path, default=Path("cnn_review.png"), help="of the maps")
    given = parser.parse_args(arguments)
    data = latentia.load_data(given.data)
    x, y = data.x_train[: given.n_images], data.y_train[: given.n_images]
    judge = latentia.ImageClassifier(channels=(16, 32, 64), n_epochs=given.n_epochs).fit(x, y)
    right = (judge.predict(data.x_test) == data.y_test).mean()
    print(f"the classifier is right on {right:.1%} of {len(data.x_test)} test images")
    picture = unit_floats(data.x_test[given.picture])
    grey = picture if picture.ndim == 2 else picture.mean(axis=0)
    layers = [(f.name, f.maps[0]) for f in feature_maps(judge.features_, picture[None])]
    for name, maps in layers:
        print(f"{name}: {len(maps)} maps of {maps.shape[1]}×{maps.shape[2]}")
    title = "What each layer of a classifier sees in a picture; brighter means more"
    learnt = list(first_filters(judge.features_).mean(axis=1)[:N_FILTERS])
    pools = []
    for kind in ("max", "mean"):
        once = pooled(grey[None], 2, kind)
        steps = [grey[None], once, pooled(once, 2, kind)]
        pools.append(
            (f"{kind} of 2×2", np.concatenate([of_one_size(s, grey.shape) for s in steps]))
        )
    figures = {
        "": layers_figure(layers, picture, title),
        "_learnt": filters(grey, {str(i + 1): k for i, k in enumerate(learnt)}, LEARNT),
        "_filters": filters(grey, KERNELS, BY_HAND),
        "_sizes": sizes_figure([(*case, output_size(*case)) for case in SIZES]),
        "_pooling": image_table(pools, ["picture", "pooled", "again"], title="Pooling"),
    }
    for ending, figure in figures.items():
        write_atomically(given.out.with_stem(given.out.stem + ending), png_bytes(figure))
    print(f"figures are in {given.out}, {', '.join(e for e in figures if e)}")


if __name__ == "__main__":
    main()
