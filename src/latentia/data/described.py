"""What a loaded data set holds, as lines: its samples, columns, classes, and what is trained on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from latentia.data.dataset import Array, Dataset
from latentia.data.limits import size
from latentia.data.matrices import NamedMatrix, kind_of
from latentia.errors import first_of

MOST_COLUMNS = 200
"""Columns that are described one by one."""
MOST_CLASSES = 20
WHOLE = 20
"""Different values up to which their number is told."""
ROWS_READ = 1024


def described(data: Dataset) -> Iterator[tuple[str, str]]:
    """Yield what is known of a data set: a word, and what there is to say of it.

    The word is empty where a line goes on with the one above.
    """
    yield "name", data.name
    yield "what", data.description
    yield "samples", _samples(data)
    yield "parts", _parts(data)
    yield "size", f"{size(data.x_train.nbytes + data.x_test.nbytes)} as {data.x_train.dtype}"
    yield from _classes(data)
    if data.weights_train is not None:
        low, high = data.weights_train.min(), data.weights_train.max()
        yield "weights", f"{low:g} to {high:g}"
    if data.x_train.ndim == 2:
        yield from _columns(data)
    else:
        yield "values", _span(data.x_train)
    yield "origin", data.origin
    yield "licence", data.licence
    yield from _notes(data.notes)


def described_matrix(
    found: NamedMatrix, notes: tuple[str, ...], name: str
) -> Iterator[tuple[str, str]]:
    """Yield what is known of a correlation or covariance matrix."""
    p = len(found.columns)
    yield "name", name
    yield "what", f"a {kind_of(found.values) or 'covariance'} matrix of {p} variables, and no rows"
    yield "variables", ", ".join(found.columns[:MOST_COLUMNS])
    yield "rows", "not told" if found.n_samples is None else f"{found.n_samples:,} behind it"
    if np.isfinite(found.values).all():
        eigenvalues = np.linalg.eigvalsh(found.values)
        yield "spectrum", f"eigenvalues from {eigenvalues[0]:.4g} to {eigenvalues[-1]:.4g}"
    yield from _notes(notes)


def described_text(text: str, notes: tuple[str, ...], name: str) -> Iterator[tuple[str, str]]:
    """Yield what is known of a text."""
    yield "name", name
    yield "what", "a text, from which rnn, lstm and n-gram learn"
    yield "size", f"{len(text):,} characters, {len(set(text)):,} different ones"
    yield "lines", f"{len(text.splitlines()):,}"
    yield from _notes(notes)


def _notes(notes: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for place, note in enumerate(notes):
        yield "" if place else "notes", note


def _samples(data: Dataset) -> str:
    n, shape = len(data.x_train) + len(data.x_test), data.x_train.shape[1:]
    if len(shape) == 1:
        return f"{n:,} rows of {shape[0]:,} columns"
    height, width = shape[-2:]
    plural = "s" * (shape[0] != 1)
    channels = f", {shape[0]} channel{plural}" if len(shape) == 3 else ", grey"
    pairs = ", each with the image that it becomes" if data.pair_train is not None else ""
    return f"{n:,} images of {width}×{height} pixels (width × height){channels}{pairs}"


def _parts(data: Dataset) -> str:
    kept, _ = data.hold_out()
    n = len(kept.x_train)
    held = len(data.x_train) - n
    drawn = "a part of its own" if data.own_test else "held out of them"
    curves = f" and {held:,} for the curves beside it" if held else ""
    return f"a model is trained on {n:,}{curves}, and tested on {len(data.x_test):,}, {drawn}"


def _classes(data: Dataset) -> Iterator[tuple[str, str]]:
    if data.y_train is None or data.y_train.ndim > 1:
        yield "classes", "none"
        return
    y = data.y_train if data.y_test is None else np.concatenate([data.y_train, data.y_test])
    values, counts = np.unique(y, return_counts=True)
    names = [data.class_names[v] if data.class_names else str(v) for v in values.tolist()]
    shown = [f"{name} ({count:,})" for name, count in zip(names, counts)]
    yield "classes", f"{len(shown)}: {first_of(shown, MOST_CLASSES)}"


def _columns(data: Dataset) -> Iterator[tuple[str, str]]:
    x = np.concatenate([data.x_train, data.x_test]) if data.columns else data.x_train
    names = data.columns or tuple(f"x{i}" for i in range(x.shape[1]))
    missing = int(np.isnan(x).sum()) if x.dtype.kind == "f" else 0
    rows = f", in {int(np.isnan(x).any(axis=1).sum()):,} rows" if missing else ""
    yield "missing", f"{missing:,} of {x.size:,} cells{rows}" if missing else "no cells"
    width = min(max(map(len, names)), 24)
    for place, name in enumerate(names[:MOST_COLUMNS]):
        yield "" if place else "columns", f"{name:<{width}}  {_column(x[:, place])}"
    if len(names) > MOST_COLUMNS:
        yield "", f"and {len(names) - MOST_COLUMNS:,} more"


def _column(values: Array) -> str:
    known = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    gone = len(values) - len(known)
    missing = f", {gone:,} missing" if gone else ""
    if not len(known):
        return "empty"
    low, high, found = known.min(), known.max(), np.unique(known)
    if len(found) == 1:
        return f"constant, {low:g}{missing}"
    whole = bool((np.asarray(known, float) % 1 == 0).all())
    kind = "0 and 1" if set(found.tolist()) == {0, 1} else "whole numbers" if whole else "numbers"
    few = f" ({len(found)} values)" if whole and 2 < len(found) <= WHOLE else ""
    return f"{kind}, {low:.6g} to {high:.6g}{few}, mean {known.mean():.6g}{missing}"


def _span(x: Array) -> str:
    """Return the least and the largest value of images, read a block at a time."""
    blocks = [x[first : first + ROWS_READ] for first in range(0, len(x), ROWS_READ)]
    return f"{min(b.min() for b in blocks):g} to {max(b.max() for b in blocks):g}"
