"""What a linear model is estimated from: rows of any kind, or a covariance matrix, checked."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any

import numpy as np
from scipy import linalg, sparse
from sklearn.utils.validation import validate_data

from latentia.errors import InputError, check_range, first_of
from latentia.models.base import LatentModel, to_numpy
from latentia.models.inputs import (
    Matrix,
    Vector,
    channels_first,
    check_span,
    reads_in_blocks,
    span_of,
)
from latentia.models.linear.moments import Moments
from latentia.models.linear.products import refuse_spread
from latentia.models.linear.sufficient import SufficientStatistic

SYMMETRY = 1e-8
INDEFINITE = 1e-6
MOST_NAMED = 8


def read_moments(
    model: LatentModel,
    X: Any,
    sample_weight: Any = None,
    *,
    reset: bool = True,
    enough: Callable[[int, int], object] = lambda n, d: None,
) -> Moments:
    """Return the moments of rows, and note their shape and names in the model.

    Memory maps, sparse matrices, Dask arrays and tensors on a GPU are read block by block, once;
    anything else is checked whole first. ``enough`` is asked before any (d, d) matrix is made
    whether n rows of d values will do, where n is known.
    """
    if sparse.issparse(X) or not reads_in_blocks(X):
        if isinstance(X, np.ndarray) and X.dtype == np.uint8 and X.ndim == 2:
            # Bytes are summed faster, and exactly, as they are.
            rows = validate_data(model, X=X, reset=reset, dtype=np.uint8)
            model.data_shape_ = rows.shape[1:]
        else:
            rows = model.checked(X, reset=reset)
        enough(rows.shape[0], math.prod(rows.shape[1:]))
        with naming(vars(model).get("feature_names_in_")):
            return Moments().add(rows, sample_weight)
    X = channels_first(X, model, reset=reset)
    if not 2 <= X.ndim <= 4:
        raise InputError(f"X has {X.ndim} dimensions; give (n, d), (n, H, W) or (n, C, H, W)")
    if isinstance(X, np.ndarray) and X.dtype.kind not in "fiub":
        raise InputError(f"X holds {X.dtype} values; give real numbers")
    if not hasattr(X, "to_delayed"):
        enough(X.shape[0], math.prod(X.shape[1:]))
    if X.ndim == 2:
        validate_data(model, X=X, reset=reset, skip_check_array=True)
    spans: list[tuple[float, float]] = []

    def look_at(block: Any) -> None:
        spans.append(span_of(to_numpy(block)))

    moments = Moments().add(X, sample_weight, None if X.ndim == 2 else look_at)
    if spans:
        low, high = min(low for low, _ in spans), max(high for _, high in spans)
        check_span(low, high, str(X.dtype).endswith("uint8"), fitting=reset)
    if reset:
        model.data_shape_ = moments.sample_shape
    return moments


def take_columns(model: LatentModel, shape: tuple[int, ...], names: tuple[str, ...]) -> None:
    """Note the shape of a sample, and the columns' names if there are any, in the model."""
    model.n_features_in_, model.data_shape_ = math.prod(shape), shape
    if names:
        model.feature_names_in_ = np.asarray(names, dtype=object)


def refuse_other(given: object, wanted: type[SufficientStatistic], of: str) -> None:
    """Refuse another statistic than a model, or an option of it, is estimated from."""
    if not isinstance(given, wanted):
        raise InputError(
            f"{of} is estimated from {wanted.__name__}, not {type(given).__name__}: gather "
            f"{wanted.__module__}.{wanted.__name__}"
        )


def checked_covariance(S: Any) -> tuple[Matrix, list[str]]:
    """Return a covariance or correlation matrix as (p, p) float64, and its column names if any."""
    matrix, names = checked_symmetric(S)
    deviations = np.sqrt(np.where(np.diag(matrix) > 0, np.diag(matrix), 1))
    least = float(linalg.eigvalsh(matrix / deviations[:, None] / deviations)[0])
    if least < -INDEFINITE:
        raise InputError(
            f"the covariance matrix is indefinite (least eigenvalue {least:.3g}), as that of no "
            "data is: analyse the nearest correlation matrix (--smooth on the command line, "
            "nearest_correlation in Python), or, with the data at hand, these with missing='fiml'"
        )
    return matrix, names


def checked_symmetric(S: Any) -> tuple[Matrix, list[str]]:
    """Return a symmetric matrix with variances of at least 0 as (p, p) float64, and its names."""
    names = [str(name) for name in S.columns] if hasattr(S, "columns") else []
    try:
        matrix = np.asarray(S, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("the covariance matrix holds values that are not numbers") from None
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] < 2:
        raise InputError(f"the covariance matrix has shape {matrix.shape}; it must be square")
    if not np.isfinite(matrix).all():
        row, column = np.argwhere(~np.isfinite(matrix))[0]
        raise InputError(f"the covariance matrix is not finite in row {row}, column {column}")
    if np.diag(matrix).min() < 0:
        place = int(np.diag(matrix).argmin())
        raise InputError(
            f"the covariance matrix is indefinite: the variance in row {place} is below 0"
        )
    refuse_spread(np.sqrt(np.diag(matrix)))
    deviations = np.sqrt(np.where(np.diag(matrix) > 0, np.diag(matrix), 1))
    relative = matrix / deviations[:, None] / deviations
    apart = np.abs(relative - relative.T)
    if apart.max() > SYMMETRY:
        row, column = np.unravel_index(apart.argmax(), apart.shape)
        raise InputError(
            f"the covariance matrix is not symmetric: row {row}, column {column} holds "
            f"{matrix[row, column]:g}, and its mirror {matrix[column, row]:g}"
        )
    return (matrix + matrix.T) / 2, names


def checked_count(n_samples: Any) -> int:
    """Return the number of rows behind a matrix, at least 2, or 0 if unknown."""
    if n_samples is None:
        return 0
    if not isinstance(n_samples, Integral):
        raise InputError(f"n_samples is {n_samples!r}; it must be a whole number")
    check_range("n_samples", int(n_samples), 2)
    return int(n_samples)


def checked_mean(mean: Any, p: int) -> Vector:
    """Return (p,) finite means, 0 if none are given."""
    try:
        centre = np.zeros(p) if mean is None else np.asarray(mean, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"mean holds values that are not numbers; give {p} of them") from None
    if centre.shape != (p,) or not np.isfinite(centre).all():
        raise InputError(f"mean has shape {centre.shape}; give {p} finite numbers")
    return centre


@contextmanager
def naming(names: Vector | None) -> Iterator[None]:
    """Let sentences about numbered columns tell their names, if there are any."""
    try:
        yield
    except InputError as error:
        if names is None:
            raise

        def named(place: re.Match[str]) -> str:
            return place[1] + re.sub(r"\d+", lambda m: repr(str(names[int(m[0])])), place[2])

        said = re.sub(r"\b(columns? )(\d+(?: and \d+)?)", named, str(error))
        raise InputError(said) from None


def listed(names: list[str]) -> str:
    """Return names as text, cut after a few."""
    return first_of(names, MOST_NAMED)
