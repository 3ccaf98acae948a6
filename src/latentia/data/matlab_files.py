"""MATLAB's .mat files: a matrix of numbers, or variables that are columns; objects stay unread."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa

from latentia.data.array_files import DAMAGE
from latentia.data.delimited import Columns
from latentia.data.limits import check_bytes
from latentia.errors import InputError, nearest

NUMBERS = (
    "double",
    "single",
    "logical",
    *(f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)),
)
CONVERT = "in MATLAB: writematrix(X, 'x.csv')"


def read(path: Path, wanted: str | None) -> Columns:
    """Return the columns of a matrix, the one that is asked for, or else of all with its rows.

    Beside the largest matrix, every vector with an entry for each of its rows is a column by the
    vector's name.
    """
    shapes = _numeric(path)
    if wanted is not None and wanted not in shapes:
        held = ", ".join(shapes)
        raise InputError(
            f"{path} has no numbers named {wanted!r}, but {held}{nearest(wanted, shapes)}"
        )
    largest = wanted or max(shapes, key=lambda name: math.prod(shapes[name]))
    n = max(shapes[largest]) if 1 in shapes[largest] else shapes[largest][0]
    names = [name for name in shapes if name == largest or shapes[name] in ((n, 1), (1, n))]
    names = [largest] if wanted else names
    check_bytes(sum(math.prod(shapes[name]) for name in names) * 8, str(path))
    found = _loaded(path, names)
    columns = {k: v for name in names for k, v in _columns(name, found[name], n).items()}
    others = [name for name in shapes if name not in names]
    read_ = f"{largest!r} of shape {shapes[largest][0]}×{shapes[largest][1]}"
    beside = [name for name in names if name != largest]
    said = f"{path.name}: {read_} was read"
    said += f", with the columns {', '.join(beside)}" if beside else ""
    said += f", and not {', '.join(others)}, which --sheet would" if others else ""
    return Columns(pa.table(columns), (f"{said}.",), has_header=len(columns) == len(names))


def _numeric(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the variables that are matrices of real numbers, by their heads."""
    import scipy.io

    try:
        held = scipy.io.whosmat(str(path))
    except NotImplementedError:
        raise InputError(
            f"{path} is of MATLAB's version 7.3, which is HDF5; save it in MATLAB by "
            "save('x.mat', 'X', '-v7')"
        ) from None
    except (scipy.io.matlab.MatReadError, *DAMAGE) as error:
        raise InputError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
    found = {name: tuple(s) for name, s, kind in held if kind in NUMBERS and len(s) == 2}
    found = {name: shape for name, shape in found.items() if math.prod(shape) > 1}
    if not found:
        what = ", ".join(f"{name} ({kind}, {'×'.join(map(str, s))})" for name, s, kind in held)
        raise InputError(f"{path} holds no matrix of numbers, but {what or 'nothing'}; {CONVERT}")
    return found


def _loaded(path: Path, names: list[str]) -> dict[str, np.ndarray]:
    import scipy.io

    try:
        found: dict[str, np.ndarray] = scipy.io.loadmat(str(path), variable_names=names)
    except (scipy.io.matlab.MatReadError, *DAMAGE) as error:
        raise InputError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
    for name in names:
        if found[name].dtype.kind not in "fiub":
            raise InputError(f"{path}: {name} holds {found[name].dtype} values; {CONVERT}")
    return found


def _columns(name: str, values: np.ndarray, n: int) -> dict[str, np.ndarray]:
    if 1 in values.shape:
        return {name: values.ravel()}
    return {f"{name}{j + 1}": values[:, j] for j in range(values.shape[1])}
