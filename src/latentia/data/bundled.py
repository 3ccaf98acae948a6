"""Data sets that are on the machine without any download."""

from __future__ import annotations

from importlib import resources

import numpy as np

from latentia.data.dataset import Dataset, Description

FASHION_CLASSES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
DIGIT_CLASSES = tuple("0123456789")

DIGITS = Description(
    name="digits",
    summary="1,797 scanned handwritten digits of 8×8 pixels",
    shape=(8, 8),
    n_train=1500,
    n_test=297,
    classes=DIGIT_CLASSES,
    origin="UCI Optical Recognition of Handwritten Digits (Alpaydin, Kaynak 1998), "
    "shipped inside scikit-learn",
    licence="CC BY 4.0",
    needs_network=False,
)
FASHION_SMALL = Description(
    name="fashion-mnist-small",
    summary="12,000 images of clothes, 28×28 pixels: a balanced subset of Fashion-MNIST",
    shape=(28, 28),
    n_train=10_000,
    n_test=2_000,
    classes=FASHION_CLASSES,
    origin="Xiao, Rasul, Vollgraf 2017 (Zalando SE), shipped inside this package",
    licence="MIT",
    needs_network=False,
)


def load_digits() -> Dataset:
    """Return scikit-learn's digits in [0, 1]; a fixed permutation's last 297 are the test part."""
    from sklearn.datasets import load_digits as sklearn_digits

    bunch = sklearn_digits()
    order = np.random.default_rng(0).permutation(len(bunch.target))
    x = (bunch.images[order] / 16).astype(np.float32)
    y = bunch.target[order].astype(np.int64)
    n = DIGITS.n_train
    return Dataset("digits", x[:n], y[:n], x[n:], y[n:], DIGIT_CLASSES)


def load_fashion_small() -> Dataset:
    """Return the 10,000 + 2,000 images of Fashion-MNIST that ship with the package."""
    file = resources.files("latentia.data") / "bundled/fashion_mnist_small.npz"
    with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        return Dataset(
            FASHION_SMALL.name,
            arrays["x_train"],
            arrays["y_train"].astype(np.int64),
            arrays["x_test"],
            arrays["y_test"].astype(np.int64),
            FASHION_CLASSES,
        )
