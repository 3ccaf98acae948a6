"""What a convolutional net is made of, on arrays: filters, padding, stride and pooling.

    (k * x)(i, j) = Σ_uv k(u, v) x(s i + u − p, s j + v − p)                          ([1]_ eq. 9.6)
    size = ⌊(side + 2p − k) / s⌋ + 1                                      ([2]_ relationship 6)

a cross-correlation with stride s and padding p, which is what nets call a convolution.

Shapes: images are (n, H, W); kernels (k, k).

References
----------
.. [1] I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", MIT Press 2016, chapter 9.
.. [2] V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning",
   arXiv:1603.07285, 2016.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from latentia.errors import Count, InputError, Whole, check_arguments

Images = NDArray[Any]

KERNELS: dict[str, NDArray[np.float64]] = {
    "identity": np.outer([0.0, 1, 0], [0, 1, 0]),
    "mean": np.full((3, 3), 1 / 9),
    "Gaussian": np.outer([1, 2, 1], [1, 2, 1]) / 16,
    "Sobel x": np.outer([1, 2, 1], [-1, 0, 1]) / 4,
    "Sobel y": np.outer([-1, 0, 1], [1, 2, 1]) / 4,
    "Laplace": np.array([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]),
    "sharpen": np.array([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
}
"""Filters made by hand: blurs sum to 1, derivatives to 0; the last is the identity − Laplace."""


def output_size(side: Count, kernel: Count, stride: Count = 1, padding: Whole = 0) -> int:
    """Return how many places a kernel takes along a side.

    Examples
    --------
    >>> output_size(28, 3), output_size(28, 3, padding=1), output_size(28, 3, stride=2, padding=1)
    (26, 28, 14)
    """
    check_arguments(output_size, locals())
    if kernel > side + 2 * padding:
        raise InputError(
            f"a kernel of {kernel} does not fit into {side} pixels with a padding of {padding}"
        )
    return (side + 2 * padding - kernel) // stride + 1


def filtered(
    images: Images, kernel: NDArray[Any], stride: int = 1, padding: int | None = None
) -> Images:
    """Return (n, H, W) images under a (k, k) filter, with zeros around them.

    By default there are k // 2 zeros on each side, which keeps the size for an odd kernel at
    stride 1.

    Examples
    --------
    >>> filtered(np.eye(3)[None], np.ones((3, 3)))[0].tolist()
    [[2.0, 2.0, 1.0], [2.0, 3.0, 2.0], [1.0, 2.0, 2.0]]
    """
    side = len(kernel)
    margin = side // 2 if padding is None else padding
    output_size(min(images.shape[1:]), side, stride, margin)
    padded = np.pad(images, ((0, 0), (margin, margin), (margin, margin)))
    patches = sliding_window_view(padded, kernel.shape, (1, 2))[:, ::stride, ::stride]
    return np.asarray(np.einsum("nijuv,uv->nij", patches, kernel))


def pooled(images: Images, side: int = 2, kind: Literal["max", "mean"] = "max") -> Images:
    """Return the greatest or mean value of each square; what does not fill one is left out.

    Examples
    --------
    >>> x = np.arange(16.0).reshape(1, 4, 4)
    >>> pooled(x)[0].tolist(), pooled(x, kind="mean")[0].tolist()
    ([[5.0, 7.0], [13.0, 15.0]], [[2.5, 4.5], [10.5, 12.5]])
    """
    if kind not in ("max", "mean"):
        raise InputError(f"kind is {kind!r}; it must be 'max' or 'mean'")
    output_size(min(images.shape[1:]), side, side)
    squares = sliding_window_view(images, (side, side), (1, 2))[:, ::side, ::side]
    return np.asarray(squares.max((3, 4)) if kind == "max" else squares.mean((3, 4)))
