"""Arrays from .npy (memory-mapped) and .npz; nothing pickled is ever loaded."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from latentia.data.dataset import Array, Dataset, Part, join, split
from latentia.errors import InputError

SAMPLES = ("x", "images", "data", "arr_0")
LABELS = ("y", "labels", "label", "target")
MOST_CLASSES = 50
"""An array under a name of its own holds classes if it has at most so many different values."""


def load_npy(path: Path, random_state: int) -> Dataset:
    """Return a .npy file's array, memory-mapped while it is read and split."""
    return split(checked_part(_mapped(path), str(path)), path.stem, random_state)


def _mapped(path: Path) -> Array:
    try:
        array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    return array


def load_npz(path: Path, random_state: int) -> Dataset:
    """Return the arrays of a .npz file.

    Keys ``x_train``, ``x_test`` (and ``y_train``, ``y_test``) are its parts; otherwise the samples
    are under ``x``, ``images``, ``data`` or ``arr_0`` and the labels under ``y``, ``labels``,
    ``label`` or ``target``, or else under the first name, such as ``smile``, that holds one of a
    few whole numbers for each sample. The notes name it, and the others that `read_labels` reads.
    """
    arrays = opened(path)
    if "x_train" in arrays and "x_test" in arrays:
        train, test = (
            Part(_usable(arrays[f"x_{part}"], f"{path}[x_{part}]"), arrays.get(f"y_{part}"))
            for part in ("train", "test")
        )
        # The test part may lack a class, and its numbers must still be those of the training part.
        both = [part.y.ravel() for part in (train, test) if part.y is not None]
        known = np.unique(np.concatenate(both)) if both else None
        return join(_checked(train, path, known), _checked(test, path, known), path.stem)
    samples = next((key for key in SAMPLES if key in arrays), None)
    if samples is None:
        raise InputError(f"{path} holds {sorted(arrays)}; name the samples 'x' or 'images'")
    part = checked_part(arrays[samples], f"{path}[{samples}]")
    labels = next((key for key in LABELS if key in arrays), None)
    if labels is None:
        part = _named_labels(arrays, part, path)
    else:
        part = _checked(Part(part.x, arrays[labels]), path)
    return split(part, path.stem, random_state)


def opened(path: Path) -> dict[str, Array]:
    """Return the arrays of a .npz file, or say why it cannot be read."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read: {error}") from None


def _named_labels(arrays: Mapping[str, Array], part: Part, path: Path) -> Part:
    """Return samples with the first array of few values as their labels, if there is one."""
    names = [key for key, values in arrays.items() if _is_labels(values, len(part.x))]
    key = next((k for k in names if are_few(len(np.unique(arrays[k])), len(part.x))), None)
    if key is None:
        return part
    others = ", ".join(name for name in names if name != key)
    note = (
        f"{path.name}: {key!r} was taken for its labels{others and f'; there are also {others}'}."
    )
    labelled = _checked(Part(part.x, arrays[key]), path)
    return Part(part.x, labelled.y, named_classes(np.unique(arrays[key]), key), (note,))


def named_classes(values: Array, key: str) -> tuple[str, ...]:
    """Return the names of an attribute's classes; 0 and 1, or false and true, are told by it."""
    names = tuple(map(str, values))
    return (f"not {key}", key) if names in (("0", "1"), ("False", "True")) else names


def are_few(n_values: int, n: int) -> bool:
    """Return whether n samples with so many different labels have classes rather than measures."""
    return n_values <= 2 or n_values <= min(MOST_CLASSES, n // 2)


def _is_labels(values: Array, n: int | None = None) -> bool:
    """Return whether an array holds one whole number or word for each sample."""
    return values.ndim == 1 and values.dtype.kind in "iubU" and n in (None, len(values))


def read_labels(spec: str) -> dict[str, Array]:
    """Return labels by name from a .npy file, a .npz file, or one key of it.

    Parameters
    ----------
    spec
        ``FILE.npy``, ``FILE.npz:key``, or ``FILE.npz`` for all keys that hold labels.

    Returns
    -------
    labels
        (n,) whole numbers or words, by key or by the file's stem.
    """
    file, _, key = spec.rpartition(":") if ".npz:" in spec else (spec, "", "")
    path = Path(file).expanduser()
    if path.suffix not in (".npy", ".npz") or not path.is_file():
        raise InputError(f"{spec!r} names no labels; give an existing FILE.npy or FILE.npz:key")
    arrays = opened(path) if path.suffix == ".npz" else {path.stem: np.asarray(_mapped(path))}
    wanted = [key] if key else list(arrays)
    found = {name: arrays[name] for name in wanted if name in arrays and _is_labels(arrays[name])}
    if not found:
        held = ", ".join(f"{name} {values.shape}" for name, values in arrays.items())
        raise InputError(f"{spec} holds no (n,) labels, whole numbers or words, but {held}")
    return found


def labels_beside(
    data: Dataset, labels: Array, name: str, random_state: int = 0
) -> tuple[Array, Array]:
    """Return labels of all samples of a data set's file as those of its two parts.

    The (n,) ``labels`` are in the order of the file, those of its training part first if it has
    parts; ``random_state`` is the one that ``data`` were loaded with.
    """
    n_train, n = len(data.x_train), len(data.x_train) + len(data.x_test)
    if len(labels) != n:
        raise InputError(
            f"{name} holds {len(labels)} labels, and {data.name} {n_train} training and "
            f"{n - n_train} test samples; give {n}, in the order of its file"
        )
    if data.own_test or isinstance(data.x_train, np.memmap):
        return labels[:n_train], labels[n_train:]
    # The split depends on the number of samples and its seed alone.
    halves = split(Part(labels), name, random_state)
    return halves.x_train, halves.x_test


def _checked(part: Part, path: Path, known: Array | None = None) -> Part:
    """Return labels as numbers of the known classes, or else of their own."""
    if part.y is None:
        return part
    if part.y.shape != (len(part.x),):
        raise InputError(f"{path}: {len(part.x)} samples and labels of shape {part.y.shape}")
    classes = np.unique(part.y) if known is None else known
    y = np.searchsorted(classes, part.y).astype(np.int64)
    return Part(part.x, y, tuple(str(name) for name in classes))


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


def fingerprint(X: Array) -> str:
    """Return a hash of the data's shape, type and first, middle and last rows."""
    digest = hashlib.sha256(f"{X.shape} {X.dtype}".encode())
    for row in (0, len(X) // 2, len(X) - 1):
        digest.update(X[row].tobytes())
    return digest.hexdigest()[:16]


def facts(X: Array | str) -> dict[str, object]:
    """Return what a run's ``config.json`` says of training data, by which they are known again."""
    if isinstance(X, str):
        digest = hashlib.sha256(X.encode("utf-8", "surrogatepass")).hexdigest()
        return {"symbols": len(X), "hash": digest[:16]}
    return {"samples": len(X), "shape": X.shape[1:], "hash": fingerprint(X)}
