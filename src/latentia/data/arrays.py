"""Arrays from .npy (memory-mapped) and .npz; nothing pickled is ever loaded."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from latentia.data import dataset
from latentia.data.array_files import mapped, opened
from latentia.data.classes import are_few, classes_of, plain_labels
from latentia.data.dataset import Array, Dataset, Part, join, split
from latentia.data.matrices import kind_of
from latentia.errors import InputError

SAMPLES = ("x", "images", "data", "arr_0")
LABELS = ("y", "labels", "label", "target")
PARTS = {"train": "train", "test": "test", **dict.fromkeys(("val", "valid", "validation"), "val")}
CHANNELS = (1, 2, 3, 4)
"""That the last axis of images may hold; more in the second place are rows of pixels."""
MOST_VARIABLES = 2_000
"""Of a square that is looked at as a matrix of correlations."""
MOST_HASHED = 64 * 2**20
"""Bytes of an array by which it is known again."""
WIDER = {"float16": np.float32, "longdouble": np.float64}
"""Types that neither sums nor nets can use as they are, and what they become."""


def load_npy(path: Path, random_state: int) -> Dataset:
    """Return a .npy file's array, memory-mapped while it is read and split."""
    return split(checked_part(mapped(path), str(path)), path.stem, random_state)


def load_npz(path: Path, random_state: int) -> Dataset:
    """Return the arrays of a .npz file.

    Keys ``x_train``, ``x_test`` (and ``y_train``, ``y_test``) are its parts, also as
    ``train_images`` and ``train_labels``; a validation part, ``x_val``, joins the one for training,
    or is that for the test where there is none. Otherwise the samples are under ``x``, ``images``,
    ``data`` or ``arr_0`` and the labels under ``y``, ``labels``, ``label`` or ``target``, or else
    under the first name, such as ``smile``, that holds one of a few whole numbers for each sample.
    The notes name it, and the others that `read_labels` reads.
    Capitals make no difference: ``X`` is ``x``.
    """
    arrays = opened(path)
    held, arrays = arrays, {}
    for key, values in held.items():
        arrays.setdefault(key if (name := _usual_name(key)) in held else name, values)
    if "x_train" in arrays and {"x_test", "x_val"} & arrays.keys():
        arrays, notes = _with_validation(arrays, path)
        return _in_parts(arrays, path, notes)
    samples = next((key for key in SAMPLES if key in arrays), None)
    if samples is None:
        raise InputError(f"{path} holds {sorted(arrays)}; name the samples 'x' or 'images'")
    part = checked_part(arrays[samples], f"{path}[{samples}]")
    labels = next((key for key in LABELS if key in arrays), None)
    if labels is None:
        part = _named_labels(arrays, part, path)
    else:
        part = labelled(part, arrays[labels], f"{path}[{labels}]")
    return split(part, path.stem, random_state)


def _usual_name(key: str) -> str:
    """Return a key in small letters, and a part's as ``x_train`` or ``y_test``.

    >>> [_usual_name(key) for key in ("X", "train_images", "Y_val", "test_labels", "smile")]
    ['x', 'x_train', 'y_val', 'y_test', 'smile']
    """
    small = key.lower()
    first, _, last = small.partition("_")
    part, kind = (first, last) if first in PARTS else (last, first)
    if part in PARTS and kind in (*SAMPLES, *LABELS):
        return f"{'x' if kind in SAMPLES else 'y'}_{PARTS[part]}"
    return small if small in (*SAMPLES, *LABELS) else key


def _with_validation(
    arrays: dict[str, Array], path: Path
) -> tuple[dict[str, Array], tuple[str, ...]]:
    """Return arrays whose validation part joined the one for training or is the test, and notes."""
    several = [k for k, y in arrays.items() if k[:2] == "y_" and y.ndim == 2 and y.shape[1] > 1]
    notes = tuple(
        f"{path.name}: {k} holds several labels a sample, and was left out." for k in several
    )
    arrays = {key: values for key, values in arrays.items() if key not in several}
    val = _of_part(arrays, "val")
    if "x" not in val:
        return arrays, notes
    told = f"{path.name}: its {len(val['x']):,} samples for validation"
    arrays = {key: values for key, values in arrays.items() if key not in ("x_val", "y_val")}
    if "x_test" not in arrays:
        test = {f"{name}_test": values for name, values in val.items()}
        return arrays | test, (*notes, f"{told} are the test part.")
    train = _of_part(arrays, "train")
    if {k: v.shape[1:] for k, v in train.items()} != {k: v.shape[1:] for k, v in val.items()}:
        return arrays, (*notes, f"{told} are not as those for training, and were left out.")
    both = {f"{name}_train": np.concatenate([train[name], val[name]]) for name in train}
    return arrays | both, (*notes, f"{told} were joined to the {len(train['x']):,} for training.")


def _of_part(arrays: Mapping[str, Array], part: str) -> dict[str, Array]:
    """Return the samples of a part, and their labels if there are any."""
    found = {name: arrays[key] for name in "xy" if (key := f"{name}_{part}") in arrays}
    return {k: np.atleast_1d(_column(v) if k == "y" else v) for k, v in found.items()}


def _in_parts(arrays: Mapping[str, Array], path: Path, notes: tuple[str, ...]) -> Dataset:
    """Return ``x_train`` and ``x_test``, and their labels numbered alike."""
    names = [f"{path}[y_{part}]" for part in ("train", "test")]
    parts = [checked_part(arrays[f"x_{p}"], f"{path}[x_{p}]") for p in ("train", "test")]
    labels = [arrays.get(f"y_{part}") for part in ("train", "test")]
    # The test part may lack a class, and its numbers must still be those of the training part.
    plain = [plain_labels(_column(y), n) for y, n in zip(labels, names) if y is not None]
    both = [values for values in plain if values is not None]
    known = np.unique(np.concatenate(both)) if both else None
    parts = [
        part if y is None else labelled(part, y, name, known)
        for part, y, name in zip(parts, labels, names)
    ]
    joined = join(parts[0], parts[1], path.stem)
    return dataclasses.replace(joined, notes=(*notes, *joined.notes))


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
    found = labelled(part, arrays[key], f"{path}[{key}]")
    classes = named_classes(np.unique(arrays[key]), key)
    return dataclasses.replace(found, class_names=classes, notes=(*part.notes, note))


def named_classes(values: Array, key: str) -> tuple[str, ...]:
    """Return the names of an attribute's classes; 0 and 1, or false and true, are told by it."""
    names = tuple(map(str, values))
    return (f"not {key}", key) if names in (("0", "1"), ("False", "True")) else names


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
    arrays = opened(path) if path.suffix == ".npz" else {path.stem: np.asarray(mapped(path))}
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


def labelled(part: Part, labels: Array, name: str, known: Array | None = None) -> Part:
    """Return samples with labels as numbers of the known classes, or else of their own."""
    labels = _column(labels)
    if labels.shape != (len(part.x),):
        raise InputError(f"{name}: {len(part.x)} samples and labels of shape {labels.shape}")
    y, names, said = classes_of(labels, name, known)
    notes = (*part.notes, f"{name} {said}.") if y is None else part.notes
    return Part(part.x, y, names, notes)


def _column(labels: Array) -> Array:
    """Return (n, 1) labels, as Keras has them, as (n,)."""
    return labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels


def checked_part(array: Array, name: str) -> Part:
    """Return an array of samples as a part, or say why it cannot be one."""
    if array.dtype.names is not None:
        raise InputError(
            f"{name} is an array of records with the fields {', '.join(array.dtype.names[:8])}; "
            "save these as the columns of one (n, d) array, or as a table"
        )
    if array.ndim not in (2, 3, 4) or array.dtype.kind not in "fiub" or 0 in array.shape[1:]:
        raise InputError(
            f"{name} is a {array.dtype} array of shape {array.shape}; give real numbers of shape "
            "(n, d), (n, H, W) or (n, C, H, W)"
        )
    array = _native(array, name)
    if array.ndim == 4 and array.shape[1] > 4 and array.shape[3] in CHANNELS:
        note = f"{name}: its last axis was taken for the channels of images."
        return Part(np.moveaxis(array, 3, 1), notes=(note,))
    return Part(array, notes=_of_a_square(array, name))


def _of_a_square(array: Array, name: str) -> tuple[str, ...]:
    """Return a note if rows look like a matrix of correlations or covariances."""
    looked_at = array.ndim == 2 and array.dtype.kind == "f" and len(array) <= MOST_VARIABLES
    if not looked_at or not (kind := kind_of(np.asarray(array))):
        return ()
    file = ".npy" if kind == "correlation" else ".csv"
    return (
        f"{name}: a square such as a {kind} matrix was taken for rows; such a matrix is analysed "
        f"by latentia factor FILE{file}, and in Python by FactorAnalysis.fit_covariance.",
    )


def _native(array: Array, name: str) -> Array:
    """Return numbers in this machine's byte order, of a type that nets can compute with."""
    wider = WIDER.get(array.dtype.name, WIDER["longdouble"] if array.dtype.itemsize > 8 else None)
    kind = array.dtype.newbyteorder("=") if wider is None else np.dtype(wider)
    if kind == array.dtype:
        return array
    if isinstance(array, np.memmap) and array.nbytes > dataset.MEMORY_LIMIT:
        raise InputError(
            f"{name} holds {array.dtype.str} values and is too large to be converted in memory; "
            f"save it as {kind.name} in this machine's byte order"
        )
    return array.astype(kind)


def fingerprint(X: Array) -> str:
    """Return a hash of the data's shape, type and first, middle and last rows."""
    digest = hashlib.sha256(f"{X.shape} {X.dtype}".encode())
    for row in (0, len(X) // 2, len(X) - 1):
        digest.update(X[row].tobytes())
    return digest.hexdigest()[:16]


def facts(X: Array | str, *beside: object) -> dict[str, object]:
    """Return what a run's ``config.json`` says of training data, by which they are known again.

    ``beside`` is what else is learnt from: labels, or each sample's pair.
    """
    if isinstance(X, str):
        digest = hashlib.sha256(X.encode("utf-8", "surrogatepass")).hexdigest()
        return {"symbols": len(X), "hash": digest[:16]}
    known = {"samples": len(X), "shape": X.shape[1:], "hash": fingerprint(X)}
    return known | {"content": content(X, *beside)}


def content(*arrays: object) -> str:
    """Return a hash of arrays, Nones left out: of all rows, or of 64 MB spaced evenly."""
    digest = hashlib.sha256()
    for given in arrays:
        if given is None:
            continue
        X = np.asanyarray(given)
        a_row = len(np.asarray(X[:1]).tobytes())
        n = min(len(X), max(3, MOST_HASHED // max(a_row, 1)))
        rows = np.unique(np.linspace(0, len(X) - 1, n).astype(int))
        for part in np.array_split(rows, max(1, n * a_row // 2**20)):
            values = np.asarray(X[part])
            texts = values.dtype == object
            digest.update(repr(values.tolist()).encode() if texts else values.tobytes())
    return digest.hexdigest()[:16]
