"""What rows and images must be, in one sentence when they are not."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from latentia.errors import InputError

Rows: TypeAlias = Any
"""What ``fit`` takes: an array, tensor, data frame, sparse matrix, or array larger than memory."""
Labels: TypeAlias = Any
"""(n,) classes or domains, or (n, m) conditions, in any of the same kinds."""
Pixels: TypeAlias = NDArray[np.uint8] | NDArray[np.floating[Any]]
"""(n, H, W) or (n, C, H, W) images: bytes, or floats in [0, 1]."""
Matrix: TypeAlias = NDArray[np.float64]
Vector: TypeAlias = NDArray[np.float64]


def check_images(images: NDArray[Any]) -> None:
    """Refuse images that are empty, or neither uint8 nor floats in [0, 1]."""
    if len(images) == 0:
        raise InputError("X holds 0 images; give at least 2")
    if images.dtype == np.uint8:
        return
    if images.dtype.kind != "f":
        raise InputError(f"images are {images.dtype}; give uint8, or floats in [0, 1]")
    low, high = float(images.min()), float(images.max())
    if not (low >= 0 and high <= 1):
        raise InputError(
            f"image values span {low:g} to {high:g}; give uint8, or finite floats in [0, 1]"
        )


def refuse_text(X: Any) -> None:
    """Refuse a data frame with columns that are not numbers, by name."""
    kinds = getattr(X, "dtypes", None)
    if not hasattr(X, "columns") or kinds is None:
        return
    words = ("object", "str", "category", "datetime", "date", "utf8", "enum")
    named = zip(X.columns, kinds)
    text = [str(name) for name, kind in named if str(kind).lower().startswith(words)]
    if text:
        raise InputError(
            f"columns without numbers: {', '.join(text[:8])}; drop them, or code their values as "
            "numbers"
        )


def refuse_not_finite(
    X: Any,
    *,
    gaps: bool,
    names: Any = None,
) -> None:
    """Refuse infinity, and NaN unless it marks gaps, naming the first by column and row."""
    values = X.data if hasattr(X, "tocsr") else X
    with np.errstate(all="ignore"):
        if np.isfinite(values.sum(dtype=np.float64)):
            return
    bad = np.isinf(values) if gaps else ~np.isfinite(values)
    if not bad.any():
        return
    place = ""
    if values is X:
        row, column = np.argwhere(bad)[0]
        place = f" in column {column if names is None else repr(str(names[column]))}, row {row}"
    kind = "infinity" if np.isinf(values[bad][0]) else "NaN"
    raise InputError(
        f"X holds {kind}{place}: fill it in or drop those rows, or fit FactorAnalysis or "
        "ProbabilisticPCA with missing='fiml', which takes NaN as missing"
    )


def is_tensor(X: object) -> bool:
    """Return whether something is a tensor, without importing torch."""
    return type(X).__module__.partition(".")[0] == "torch"


def reads_in_blocks(X: Any) -> bool:
    """Return whether data are read a block at a time rather than checked whole first."""
    on_gpu = is_tensor(X) and X.device.type == "cuda"
    # SciPy's sparse rows have tocsr, Dask's arrays to_delayed.
    return on_gpu or isinstance(X, np.memmap) or hasattr(X, "tocsr") or hasattr(X, "to_delayed")


def checked_weights(sample_weight: Any, n: int) -> NDArray[np.float64] | None:
    """Return (n,) finite weights of at least 0, not all 0; None stays None."""
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.shape != (n,) or not np.isfinite(weights).all() or (weights < 0).any():
        raise InputError(
            f"sample_weight has shape {weights.shape}, least value "
            f"{weights.min() if weights.size else 'none'}; give {n} finite numbers of at least 0"
        )
    if not weights.any():
        raise InputError("every sample weight is zero; at least one row must count")
    return weights


def unit_floats(X: NDArray[Any]) -> NDArray[Any]:
    """Return uint8 images as float32 in [0, 1], and floats as they are."""
    return X.astype(np.float32) / np.float32(255) if X.dtype == np.uint8 else X
