"""Make the subset of Fashion-MNIST that ships inside the package.

1,000 training and 200 test images of each class, drawn with seed 0, keep their order in the full
set. Usage: python scripts/make_fashion_mnist_small.py FOLDER_WITH_THE_FOUR_IDX_FILES
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from latentia.data import load

TARGET = Path(__file__).parents[1] / "src/latentia/data/bundled/fashion_mnist_small.npz"


def draw(y: np.ndarray, n_each: int, generator: np.random.Generator) -> np.ndarray:
    """Return sorted row numbers of ``n_each`` samples of every class."""
    rows = [generator.choice(np.flatnonzero(y == c), n_each, replace=False) for c in range(10)]
    return np.sort(np.concatenate(rows))


def main() -> None:
    """Read the full set, draw, write one compressed file."""
    full = load(sys.argv[1])
    generator = np.random.default_rng(0)
    train, test = draw(full.y_train, 1000, generator), draw(full.y_test, 200, generator)
    np.savez_compressed(
        TARGET,
        x_train=full.x_train[train],
        y_train=full.y_train[train].astype(np.uint8),
        x_test=full.x_test[test],
        y_test=full.y_test[test].astype(np.uint8),
    )
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
