"""Arrays from .npy (memory-mapped) and .npz; nothing pickled is ever loaded."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from latentia.data.dataset import Array, Dataset, Part, join, split
from latentia.errors import InputError

SAMPLES = ("x", "images", "data", "arr_0")
LABELS = ("y", "labels", "label", "target")


def load_npy(path: Path, random_state: int) -> Dataset:
    """Return a .npy file's array, memory-mapped while it is read and split."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    return split(Part(_usable(array, str(path))), path.stem, random_state)


def load_npz(path: Path, random_state: int) -> Dataset:
    """Return the arrays of a .npz file.

    Keys ``x_train``, ``x_test`` (and ``y_train``, ``y_test``) are its parts; otherwise the samples
    are under ``x``, ``images``, ``data`` or ``arr_0`` and the labels under ``y``, ``labels``,
    ``label`` or ``target``.

    Raises
    ------
    InputError
        Naming the keys that were found, if none of these is among them.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    if "x_train" in arrays and "x_test" in arrays:
        parts = [
            Part(_usable(arrays[f"x_{part}"], f"{path}[x_{part}]"), arrays.get(f"y_{part}"))
            for part in ("train", "test")
        ]
        return join(_checked(parts[0], path), _checked(parts[1], path), path.stem)
    samples = next((key for key in SAMPLES if key in arrays), None)
    if samples is None:
        raise InputError(f"{path} holds {sorted(arrays)}; name the samples 'x' or 'images'")
    labels = next((arrays[key] for key in LABELS if key in arrays), None)
    part = Part(_usable(arrays[samples], f"{path}[{samples}]"), labels)
    return split(_checked(part, path), path.stem, random_state)


def _checked(part: Part, path: Path) -> Part:
    if part.y is None:
        return part
    if part.y.shape != (len(part.x),):
        raise InputError(f"{path}: {len(part.x)} samples and labels of shape {part.y.shape}")
    classes, y = np.unique(part.y, return_inverse=True)
    return Part(part.x, y.astype(np.int64), tuple(str(name) for name in classes))


def checked_part(array: Array, name: str) -> Part:
    """Return an array of samples as a part, or say why it cannot be one."""
    return Part(_usable(array, name))


def _usable(array: Array, name: str) -> Array:
    if array.ndim not in (2, 3, 4) or array.dtype.kind not in "fiub":
        raise InputError(
            f"{name} is a {array.dtype} array of shape {array.shape}; give numbers of shape "
            "(n, d), (n, H, W) or (n, C, H, W)"
        )
    if array.ndim == 4 and array.shape[1] > 4 and array.shape[3] in (1, 3):
        return np.moveaxis(array, 3, 1)
    return array
