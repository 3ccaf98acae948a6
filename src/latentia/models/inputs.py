"""What rows and images must be, in one sentence when they are not."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import PurePath
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from latentia.data.dataset import Array, Dataset
from latentia.errors import FitWarning, InputError
from latentia.models.data_frames import refuse_words
from latentia.models.foreign_datasets import is_collection, samples_and_labels, samples_of

Rows: TypeAlias = Any
"""What ``fit`` takes: an array, tensor, data frame, sparse matrix, or array larger than memory."""
Labels: TypeAlias = Any
"""(n,) classes or domains, or (n, m) conditions, in any of the same kinds."""
Pixels: TypeAlias = NDArray[np.uint8] | NDArray[np.bool_] | NDArray[np.floating[Any]]
"""(n, H, W) or (n, C, H, W) images: bytes, floats in [0, 1], or truth values for 0 and 1."""
CHUNK = 1024
FEW_ROWS = 2_048
"""Rows, spread over the data, that show what kind of images they are."""
LEAST_SIDE = 16
"""Of photographs, in pixels."""
Matrix: TypeAlias = NDArray[np.float64]
Vector: TypeAlias = NDArray[np.float64]


Channels: TypeAlias = Literal["first", "last"]
"""Which axis of (n, C, H, W) or (n, H, W, C) images holds the channels."""
SPAN = 0.1
"""Share of their range below which pixels span too little to be as they were meant."""
LAST = (1, 2, 3, 4)
MOST_CHANNELS = 4
"""Of pictures: more in the second place and few in the last are pixels, and channels at the end."""


def as_array(X: Any) -> Any:
    """Return data in the kinds that models compute with, or refuse what holds no samples.

    A tensor becomes an array, and so do a list of images of one size, arrays or Pillow's, and the
    samples of a data set of torch's or Hugging Face's; a `Dataset` stands for its training samples.
    Floats of 16 bits become float32, longer ones float64, and any byte order the machine's. Data
    frames, sparse matrices and memory maps stay what they are.
    """
    if isinstance(X, Dataset):
        X = _training_samples(X)
    if not isinstance(X, np.ndarray) and is_collection(X):
        return _collected(samples_of(X))
    _refuse_other_objects(X)
    if is_tensor(X):
        return _tensor_as_array(X)
    if isinstance(X, list | tuple) and len(X) and _is_image(X[0]):
        return _native(_stacked(X))
    if isinstance(X, np.ndarray):
        return _native(_stacked(list(X)) if _holds_images(X) else X)
    return X


def channels_first(X: Any, model: Any, *, reset: bool) -> Any:
    """Return images as models compute with them, of one that was fitted on others.

    Images that have their channels first already, as a `Dataset`'s, are known by their number.
    """
    if not is_channels_last(model):
        return X
    if reset and np.ndim(X) != 4:
        raise InputError(f"channels is 'last', and X has shape {np.shape(X)}; give (n, H, W, C)")
    if np.ndim(X) != 4 or not (reset or _has_last(X, model)):
        return X
    return X.movedim(3, 1) if is_tensor(X) else np.moveaxis(X, 3, 1)


def in_kind_of(given: Any, array: NDArray[Any], model: Any = None) -> Any:
    """Return ``array`` in the layout of what was given: as a tensor on its device if it is one.

    Images have their channels last if those that the model was fitted on had, and those given.
    """
    if is_channels_last(model) and array.ndim == 4 and _has_last(given, model):
        array = np.ascontiguousarray(np.moveaxis(array, 1, 3))
    if not is_tensor(given):
        return array
    import torch

    return torch.from_numpy(array).to(given.device)


def is_channels_last(model: Any) -> bool:
    """Return whether a model was fitted on images with their channels last."""
    return model is not None and vars(model).get("channels_") == "last"


def _has_last(X: Any, model: Any) -> bool:
    """Return whether images, if they are some, have the model's channels on the last axis."""
    shape, n_channels = tuple(np.shape(X)), model.data_shape_[0]
    return len(shape) != 4 or shape[3] == n_channels or shape[1] != n_channels


def with_labels(X: Any, y: Any, model: Any) -> tuple[Any, Any]:
    """Return data and their labels: those in a data set, for a model that takes some."""
    if isinstance(X, Dataset):
        return X, X.targets if y is None else y
    if y is not None or not model.takes_labels or isinstance(X, np.ndarray) or not is_collection(X):
        return X, y
    samples, labels = samples_and_labels(X)
    return _collected(samples), labels


def _refuse_other_objects(X: Any) -> None:
    instead = "give the samples themselves, in one array or tensor"
    if isinstance(X, list | tuple) and len(X):
        _refuse_listed(X[0])
    if isinstance(X, str | bytes | PathLike):
        what = "a path" if isinstance(X, PathLike) else "text"
        raise InputError(f"X is {what}; load data by name with latentia.load_data, or {instead}")
    if isinstance(X, dict) and not {"columns", "nnz"} & {*dir(X)} and X:
        first = next(iter(X))
        parts = ", ".join(map(repr, X))
        raise InputError(f"X is a dict of {parts}; give one part, as X[{first!r}]")
    if _is_picture(X):
        raise InputError("X is one picture; give a list of them, or an array of shape (n, H, W)")
    known = isinstance(X, np.ndarray | list | tuple) or is_tensor(X) or reads_in_blocks(X)
    if not known and not hasattr(X, "columns") and not hasattr(X, "__array__"):
        raise InputError(f"X is of type {type(X).__name__}; {instead}, or a data frame")


def _refuse_listed(part: Any) -> None:
    """Refuse a list of something else than samples, by its first element."""
    from latentia.data.images import suffixes

    if isinstance(part, str | PathLike) and PurePath(part).suffix.lower() in suffixes():
        raise InputError(
            f"X is a list of paths, the first {str(part)!r}; latentia.load_data reads a folder of "
            "pictures, and Pillow's Image.open each of them"
        )
    if is_collection(part) or isinstance(part, Dataset):
        raise InputError(
            f"X is a list of data sets, the first a {type(part).__name__}; give one's samples"
        )
    if isinstance(part, tuple) and len({tuple(np.shape(value)) for value in part}) > 1:
        raise InputError(
            "X is a list of tuples, as of samples and their labels; give the samples alone: "
            "[sample for sample, *_ in X]"
        )


def _training_samples(data: Dataset) -> Any:
    """Return the training samples of a data set, unless weights of them would be lost."""
    if data.weights_train is not None:
        raise InputError(
            f"X is the data set {data.name!r}, whose rows have weights: fit(X.x_train, **X.beside) "
            "takes both, and X.x_train is the rows alone"
        )
    return data.x_train


def _collected(samples: Any) -> Any:
    """Return the samples of a data set in one array."""
    if isinstance(samples, list):
        return _native(_stacked(samples))
    return samples


def _is_picture(X: Any) -> bool:
    """Return whether something is a picture of Pillow's, without importing it."""
    images = sys.modules.get("PIL.Image")
    return images is not None and isinstance(X, images.Image)


def _is_image(part: Any) -> bool:
    """Return whether one element of a list has rows and columns itself."""
    if _is_picture(part) or is_tensor(part) or isinstance(part, np.ndarray):
        return _is_picture(part) or part.ndim > 1
    return isinstance(part, list | tuple) and len(part) > 0 and isinstance(part[0], list | tuple)


def _holds_images(X: NDArray[Any]) -> bool:
    """Return whether an array holds arrays, as NumPy keeps images of several sizes."""
    return X.dtype.kind == "O" and X.ndim == 1 and len(X) > 0 and _is_image(X[0])


def _stacked(parts: Sequence[Any]) -> NDArray[Any]:
    """Return images of one size in one array, or name the first that has another."""
    arrays = [_one(place, part) for place, part in enumerate(parts)]
    first = arrays[0].shape
    other = next((i for i, array in enumerate(arrays) if array.shape != first), None)
    if other is not None:
        found = arrays[other].shape
        cure = "resize or crop the images to one size"
        if found[-2:] == first[-2:] and found[-1] not in LAST:
            cure = "give all as many channels, as by convert('RGB') of Pillow's"
        elif len(found) < 2:
            cure = "give images alone, and labels as y"
        raise InputError(f"X[{other}] has shape {found} and X[0] {first}; {cure}")
    return np.stack(arrays)


def _one(place: int, part: Any) -> NDArray[Any]:
    """Return one image of a list as an array."""
    if not _is_picture(part):
        return np.asarray(as_array(part))
    from latentia.data.images import BadImageError, upright

    try:
        return upright(part)
    except BadImageError as error:
        raise InputError(f"X[{place}]: {error}") from None


def _tensor_as_array(X: Any) -> NDArray[Any]:
    try:
        short = X.is_floating_point() and X.dtype.itemsize <= 2
        array: NDArray[Any] = (X.float() if short else X).numpy(force=True)
    except (TypeError, RuntimeError):
        raise InputError(
            f"X is a tensor of type {X.dtype} and layout {X.layout} on {X.device}, which holds no "
            "plain numbers; give a dense one of floats or bytes, such as X.to_dense()"
        ) from None
    return array


def _native(X: NDArray[Any]) -> NDArray[Any]:
    """Return numbers of a kind, length and byte order that are computed with."""
    if np.ma.is_masked(X):
        raise InputError(
            "X is a masked array, whose mask would be lost; fill it in with X.filled(...), with "
            "NaN for a model that takes missing values"
        )
    if X.dtype.kind in "mMV":
        raise InputError(f"X is an array of {X.dtype}; give an array of numbers")
    if isinstance(X, np.matrix):
        X = np.asarray(X)
    if X.dtype.kind == "O" and X.ndim > 2:
        try:
            return X.astype(np.float64)
        except (TypeError, ValueError):
            raise InputError("X holds objects that are not numbers") from None
    kind = X.dtype.newbyteorder("=")
    if kind.kind == "f":
        kind = np.dtype({2: np.float32, 4: np.float32}.get(kind.itemsize, np.float64))
    return X if kind == X.dtype else X.astype(kind)


def check_images(images: NDArray[Any], *, fitting: bool = False) -> None:
    """Refuse images that are empty, of another type, or not in [0, 1] where they are floats.

    Bytes that are 0 and 1 are refused too, as they would be nearly black. In a fit a `FitWarning`
    says if pixels span less than a tenth of their range.
    """
    if len(images) == 0:
        raise InputError("X holds 0 images; give at least 2")
    if images.size == 0:
        raise InputError(f"X has shape {images.shape}, images without pixels")
    _check_layout(images)
    check_span(*span_of(images), images.dtype == np.uint8, fitting=fitting)


def span_of(images: NDArray[Any]) -> tuple[float, float]:
    """Return the least and the largest value of images of a type and in the range that is theirs.

    Bytes are looked at no further than they tell.
    """
    if images.dtype == np.bool_:
        return 0.0, 1.0
    if images.dtype != np.uint8 and images.dtype.kind != "f":
        raise InputError(
            f"images are {images.dtype}; give uint8, floats in [0, 1], or bool for 0 and 1"
        )
    low, high = np.inf, -np.inf
    for first in range(0, len(images), CHUNK):
        part = images[first : first + CHUNK]
        # NaN stays where minimum() meets it.
        low, high = float(np.minimum(low, part.min())), float(np.maximum(high, part.max()))
        if images.dtype == np.uint8 and high - low >= 255 * SPAN:
            return low, high
    if images.dtype != np.uint8 and not (low >= 0 and high <= 1):
        centred = low < 0 and ", without a normalisation such as Normalize of torchvision's"
        raise InputError(
            f"image values span {low:g} to {high:g}; give uint8, bool for 0 and 1, or finite "
            f"floats in [0, 1]{centred or ''}"
        )
    return low, high


def check_span(low: float, high: float, are_bytes: bool, *, fitting: bool) -> None:
    """Refuse bytes of 0 and 1; in a fit, say if images span too little, as `check_images` does."""
    if are_bytes and high == 1:
        raise InputError(
            "images are uint8 of 0 and 1 alone, which is nearly black on a scale of 0 to 255: "
            "give X.astype(bool) if 1 is white, or X / 255 if they are so dark"
        )
    whole = 255 if are_bytes else 1
    if fitting and high - low < SPAN * whole:
        warnings.warn(
            f"pixels span {low:.3g} to {high:.3g} on a scale of 0 to {whole}; check what they "
            "were divided by",
            FitWarning,
            stacklevel=5,
        )


def _check_layout(images: NDArray[Any]) -> None:
    if images.ndim not in (3, 4):
        raise InputError(
            f"X has shape {images.shape}; give a table of shape (n, d), or images of shape "
            "(n, H, W) or (n, C, H, W)"
        )
    if images.ndim == 4 and images.shape[1] > MOST_CHANNELS and images.shape[3] in LAST:
        raise InputError(
            f"X has shape {images.shape}, its channels last: fit(X, channels='last') takes them "
            "so, and np.moveaxis(X, 3, 1) makes (n, C, H, W) of them"
        )


@contextmanager
def refusing() -> Iterator[None]:
    """Raise what scikit-learn's checks refuse as `InputError`."""
    try:
        yield
    except ValueError as error:
        raise InputError(str(error)) from None
    except TypeError as error:
        # Others are as scikit-learn's contract wants them.
        if "Feature names" not in str(error):
            raise
        raise InputError(
            "X has columns whose names are numbers and words: make them alike, as by "
            "X.columns = X.columns.astype(str)"
        ) from None


def refuse_text(X: Any) -> None:
    """Refuse a data frame with columns that are not numbers, by name."""
    if hasattr(X, "columns"):
        refuse_words(X)


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


def refuse_outside_unit(rows: NDArray[Any], why: str, first: int = 0, name: str = "X") -> None:
    """Refuse values outside [0, 1] in a table, and name one, its row counted from ``first``.

    ``why`` says what takes no others; if it is empty, nothing is refused. Images are in [0, 1].
    """
    if not why or rows.ndim > 2:
        return
    # Rounding, as of a column scaled to [0, 1], is no value outside.
    rows = rows.astype(np.float32, copy=False)
    outside = ~((rows >= 0) & (rows <= 1))
    if outside.any():
        row, column = np.argwhere(outside)[0]
        raise InputError(
            f"{name} holds {rows[row, column]:g} in row {first + row}, column {column}, and must "
            f"lie in [0, 1], since {why}; scale it as the training data were"
        )


def is_tensor(X: object) -> bool:
    """Return whether something is a tensor, without importing torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(X, torch.Tensor)


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


def spread(x: Array, n: int) -> Array:
    """Return at most ``n`` rows evenly spaced: files may be ordered by class.

    >>> spread(np.arange(10), 4)
    array([0, 3, 6, 9])
    """
    places = np.linspace(0, len(x) - 1, n).astype(np.intp)
    return np.asarray(x[places] if len(x) > n else x)


def unit_floats(X: NDArray[Any]) -> NDArray[Any]:
    """Return images of uint8 or bool as float32 in [0, 1], and floats as they are."""
    if X.dtype == np.bool_:
        return X.astype(np.float32)
    return X.astype(np.float32) / np.float32(255) if X.dtype == np.uint8 else X


def is_photographic(X: Rows) -> bool:
    """Return whether rows of values in [0, 1] are photographs, and not drawings or bits.

    Photographs are images of at least 16 pixels a side whose values are grey or coloured
    throughout: with less than half of the variance that bits of the same mean have,
    Var x < ½ μ (1 − μ). Of MNIST it is 0.84 of it, of Fashion-MNIST 0.61, of photographs of
    landscapes and faces 0.1 to 0.3.

    >>> grey = np.linspace(0.2, 0.7, 2 * 16 * 16).reshape(2, 16, 16)
    >>> is_photographic(grey), is_photographic(grey.round()), is_photographic(grey[:, :8])
    (True, False, False)
    """
    if X.ndim < 3 or min(X.shape[-2:]) < LEAST_SIDE:
        return False
    x = unit_floats(spread(X, FEW_ROWS))
    mean, variance = float(x.mean()), float(x.var())
    return 0 < variance < 0.5 * mean * (1 - mean)
