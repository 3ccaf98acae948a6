"""What a notebook shows of a model: scikit-learn's diagram, and below it what a fit left.

All that comes from data or parameters is escaped; there is no script here, and nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import numpy as np
from sklearn.utils import estimator_html_repr

SHOWN = 8
"""Samples in the picture."""
MOST_ROWS, MOST_COLUMNS = 20, 8
"""Of the loadings' table."""
MOST_NAMES, LONGEST_NAME = 10, 24
LETTERS = 200
"""Of a model's own text."""
BLOCK = '<div style="font-family:sans-serif;font-size:90%;margin:0.5em 0">{}</div>'
CELL = '<td style="text-align:right;padding:0 0.6em">{}</td>'


def diagram(model: Any) -> str:
    """Return a model as HTML: its parameters, what it learnt, what ails it, what it draws."""
    parts = [] if "_settings" not in vars(model) else [*_sentences(model), *_drawn(model)]
    return str(estimator_html_repr(model)) + "".join(BLOCK.format(part) for part in parts)


def _sentences(model: Any) -> Iterator[str]:
    """Yield what was learnt, and what the user should know of it."""
    yield escape(f"Fitted: {', '.join(_learnt(model))}.")
    if model.resumable:
        ailments = model.history_.ailments
        last = max(ailments, default=0)
        if last and last == model.history_["epoch"][-1]:
            yield f"<b>After epoch {last}:</b> {escape(ailments[last])}."
        if model.history_.ended:
            yield escape(f"Training {model.history_.ended}.")
    for sentence in vars(model).get("fit_warnings_", ()):
        yield f"<b>Warning:</b> {escape(sentence)}"


def _learnt(model: Any) -> Iterator[str]:
    values = vars(model)
    if "symbols_" in values:
        yield f"{len(model.symbols_):,} different symbols"
    else:
        yield f"samples of shape {tuple(map(int, model.data_shape_))}"
    if model.takes_labels and "classes_" in values:
        names = [*model.named_classes]
        yield f"{len(names)} classes, {', '.join([*names[:MOST_NAMES], '...'][: len(names)])}"
    if model.resumable and model.history_:
        for unit in ("epoch", "step"):
            n = model.history_[unit][-1]
            yield f"{n:,} {unit}{'' if n == 1 else 's'}"
        for name, column in model.history_.items():
            part, _, loss = name.partition("/")
            if part in ("train", "validation") and "/" not in loss and not np.isnan(column[-1]):
                words = "held-out " if part == "validation" else ""
                yield f"{words}{loss.replace('_', ' ')} {column[-1]:.4g}"
    if "log_likelihood_" in values:
        yield f"mean log-likelihood {model.log_likelihood_:,.4g} nats"
    if "explained_variance_ratio_" in values:
        yield f"{np.sum(model.explained_variance_ratio_):.1%} of the variance"


def _drawn(model: Any) -> Iterator[str]:
    """Yield what a model draws of itself: samples, a text, or its loadings."""
    from latentia.models.inputs import channels_first
    from latentia.plots.grids import is_drawable, png, tile
    from latentia.plots.page import Picture

    drawable = "data_shape_" in vars(model) and is_drawable((1, *model.data_shape_))
    if "symbols_" in vars(model):
        text = model.sample(length=LETTERS, random_state=0)[0]
        words = text if isinstance(text, str) else " ".join(text)
        yield f'<pre style="white-space:pre-wrap">{escape(words)}</pre>'
    elif drawable and "sample" in dir(type(model)):
        drawn = channels_first(model.sample(SHOWN, random_state=0), model, reset=True)
        picture = png(tile(drawn, n_columns=SHOWN))
        yield _image(Picture("Samples", f"{SHOWN} samples that nobody selected.", picture))
    elif drawable:
        for shown in model.pictures_of_parameters():
            yield _image(shown)
            return
    elif "loadings_" in {*vars(model), *dir(type(model))}:
        yield _table(np.asarray(model.loadings_), model)


def _image(picture: Any) -> str:
    text = escape(picture.caption)
    return f'<img alt="{text}" src="{picture.uri}" style="max-width:100%"><br>{text}'


def _cut(name: str) -> str:
    """Return a column's name within the width of a table, whole where it is pointed at."""
    short = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    return f'<span title="{escape(name)}">{escape(short)}</span>'


def _table(loadings_DK: Any, model: Any) -> str:
    """Return loadings as a table, the first rows and columns of a large one."""
    d, k = loadings_DK.shape
    names = vars(model).get("feature_names_in_", [f"x{i}" for i in range(d)])
    head = "".join(CELL.format(f"F{j + 1}") for j in range(min(k, MOST_COLUMNS)))
    rows = [
        CELL.format(_cut(str(name)))
        + "".join(CELL.format(f"{value:.3f}") for value in row[:MOST_COLUMNS])
        for name, row in zip(names[:MOST_ROWS], loadings_DK, strict=False)
    ]
    body = "".join(f"<tr>{row}</tr>" for row in [CELL.format("loadings") + head, *rows])
    cut = d > MOST_ROWS or k > MOST_COLUMNS
    more = f"<br>The first of {d} columns and {k} components." if cut else ""
    return f"<table>{body}</table>{more}"
