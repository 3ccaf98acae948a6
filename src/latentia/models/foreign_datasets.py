"""Samples that other software holds one by one: torch's and Hugging Face's data sets.

They are known by their methods and never imported. Each sample is asked for once, in order; labels
beside it are left, or taken as ``y`` by a model of x given a class.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from latentia.errors import InputError

NAMES = ("image", "images", "img", "pixel_values", "x", "input", "inputs", "data", "samples")
"""Keys under which the samples stand, where one has several parts."""
LABELS = ("label", "labels", "y", "target", "targets", "class", "cls", "fine_label")
"""Keys under which a sample's label stands."""
MOST_ENDLESS = 10**7
"""Samples that are asked of what does not tell its length."""


def is_collection(X: Any) -> bool:
    """Return whether something is a data set or loader of torch's, or one of Hugging Face's."""
    loads = sys.modules.get("torch.utils.data")
    of_torch = loads is not None and isinstance(X, loads.Dataset | loads.DataLoader)
    return of_torch or _is_hugging_face(X)


def samples_of(X: Any) -> Any:
    """Return the samples of a data set as a list, or its columns as a table.

    Raises
    ------
    InputError
        If it holds none, or it is not clear which part of a sample is meant.
    """
    return samples_and_labels(X, _no_label)[0]


def samples_and_labels(X: Any, label: Callable[[Any], Any] | None = None) -> tuple[Any, Any]:
    """Return the samples of a data set, and the (n,) labels beside them, in one pass.

    The labels are None where a sample has none; Hugging Face's classes are told by their names.
    """
    if _is_hugging_face(X):
        return _of_hugging_face(X), None if label is _no_label else _classes(X)
    samples: list[Any] = []
    labels: list[Any] = []
    for part, is_batch in _of_torch(X):
        found, beside = _sample(part), (label or _label)(part)
        samples += found if is_batch else [found]
        labels += beside if is_batch and beside is not None else [beside]
    if not samples:
        raise InputError(f"X is a {type(X).__name__} that holds no samples")
    known = all(value is not None for value in labels) and len(labels) == len(samples)
    return samples, np.array([np.asarray(value).tolist() for value in labels]) if known else None


def _no_label(part: Any) -> None:
    """Leave the labels, which may be of any kind."""


def _of_torch(X: Any) -> Iterator[tuple[Any, bool]]:
    """Yield samples with what stands beside them, one by one or in a loader's batches."""
    if not hasattr(X, "batch_sampler"):
        yield from ((part, False) for part in _in_order(X))
    elif _keeps_all(X):
        # In the order of the data set, so that rows that come out are known again.
        yield from ((part, False) for part in _in_order(X.dataset))
    else:
        for batch in X:
            # A loader may leave its batches as lists of samples with what stands beside them.
            plain = isinstance(batch, list | tuple) and isinstance(batch[0], tuple | Mapping)
            yield from ((part, False) for part in batch) if plain else [(batch, True)]


def _keeps_all(loader: Any) -> bool:
    """Return whether a loader goes through a data set as it is, in whatever order."""
    usual = type(loader.sampler).__name__ in ("SequentialSampler", "RandomSampler")
    plain = type(loader.batch_sampler).__name__ in ("BatchSampler", "NoneType")
    collated = getattr(loader.collate_fn, "__module__", "").startswith("torch.")
    return usual and plain and collated and hasattr(loader.dataset, "__getitem__")


def _in_order(dataset: Any) -> Iterable[Any]:
    if hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__"):
        return (dataset[i] for i in range(len(dataset)))
    return islice(dataset, MOST_ENDLESS)


def _sample(part: Any) -> Any:
    """Return the sample among what stands beside it: the first part, or the one of its name."""
    if isinstance(part, Mapping):
        key = next((name for name in NAMES if name in part), None)
        if key is None:
            raise InputError(
                f"X holds samples with the parts {', '.join(map(str, part))}; give an array of the "
                f"one that is meant: [sample['{next(iter(part), 'x')}'] for sample in X]"
            )
        return part[key]
    return part[0] if isinstance(part, tuple | list) and len(part) else part


def _label(part: Any) -> Any:
    """Return the label beside a sample: the second of two parts, or the one of its name."""
    if isinstance(part, Mapping):
        return next((part[name] for name in LABELS if name in part), None)
    return part[1] if isinstance(part, tuple | list) and len(part) == 2 else None


def _is_hugging_face(X: Any) -> bool:
    return hasattr(X, "column_names") and hasattr(X, "with_format") and hasattr(X, "features")


def _of_hugging_face(X: Any) -> Any:
    if isinstance(X.column_names, Mapping):
        parts = list(X.column_names)
        raise InputError(
            f"X is a {type(X).__name__} with the parts {', '.join(parts)}; give one, such as "
            f"X[{parts[0]!r}]"
        )
    if not len(X):
        raise InputError(f"X is a {type(X).__name__} that holds no samples")
    plain, names = X.with_format(None), list(X.column_names)
    first, features = plain[0], X.features or {}
    pictures = [name for name in names if type(features.get(name)).__name__ == "Image"]
    pictures += [name for name in names if np.ndim(_pixels(first[name])) > 1]
    if pictures:
        return [plain[i][pictures[0]] for i in range(len(X))]
    return _table(plain, names, features)


def _classes(X: Any) -> Any:
    """Return the labels of Hugging Face's data set, if it has such a column."""
    features, names = X.features or {}, list(X.column_names)
    of_kind = [name for name in names if type(features.get(name)).__name__ == "ClassLabel"]
    column = next(iter([*of_kind, *(name for name in LABELS if name in names)]), None)
    if column is None:
        return None
    values = np.asarray(X.with_format(None)[column])
    words = getattr(features.get(column), "names", None)
    return np.array([words[value] for value in values]) if words else values


def _pixels(value: Any) -> Any:
    return np.asarray(value) if hasattr(value, "mode") else value


def _table(X: Any, names: list[str], features: Mapping[str, Any]) -> Any:
    """Return columns of numbers as an (n, d) array; classes are left, and words refused."""
    kept = [name for name in names if type(features.get(name)).__name__ != "ClassLabel"]
    columns = {name: np.asarray(X[name]) for name in kept}
    words = [name for name, values in columns.items() if values.dtype.kind not in "fiub"]
    if words:
        raise InputError(
            f"columns without numbers: {', '.join(words[:8])}; leave them out: "
            f"X.remove_columns({words[:8]!r})"
        )
    return np.column_stack([columns[name].astype(np.float64) for name in kept])
