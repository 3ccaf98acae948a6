"""What a saved model draws, as a picture, arrays, texts, or the columns of its table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from latentia.data.columns import listed
from latentia.data.dataset import Array
from latentia.errors import InputError, nearest
from latentia.evaluation.runs import verb
from latentia.evaluation.same_columns import names_of
from latentia.evaluation.table_writing import write_arrays, write_table
from latentia.files import refuse_existing, write_atomically
from latentia.models.base import Model
from latentia.models.inputs import channels_first
from latentia.models.language.base import LanguageModel
from latentia.models.saved import load
from latentia.training.progress import tell_notes

ARRAYS = (".png", ".npy", ".npz")
LENGTH = 500
"""Characters of a text that is drawn, unless others are asked for."""


def sample(
    run: Path,
    n_samples: int | None = None,
    out: Path | None = None,
    random_state: int | None = None,
    *,
    label: str | None = None,
    prompt: str | None = None,
    temperature: float | None = None,
    length: int | None = None,
    overwrite: bool = False,
    noise: bool | None = None,
    rounded: bool | None = None,
) -> str:
    """Draw from a saved model, and return the path of the file, or the texts if none is named.

    Parameters
    ----------
    run
        A run directory or a saved model.
    n_samples
        How many: by default 64, and 1 of texts.
    out
        .png, .npy or .npz, by default ``samples.png``; of tables also .csv, .parquet or .xlsx, by
        default ``samples.csv``; of texts .txt or .abc, or none.
    random_state
        Makes the draw repeatable.
    label
        The class to draw, for a conditional model.
    prompt, temperature, length
        Of texts, as in `LanguageModel.sample`.
    overwrite
        Replace the file if it exists.
    noise
        Draw from p(x given z), or take its mean: by default what the model's ``sample`` does.
    rounded
        In a table, make those columns whole numbers in the range seen that were so in training.
    """
    if out is not None:
        refuse_existing(out, overwrite)
    model = load(run)
    if isinstance(model, LanguageModel):
        for name, wish in {"noise": noise, "round": rounded}.items():
            if wish is not None:
                raise InputError(f"a model of texts draws no numbers: leave --{name} out")
        if out is None and overwrite:
            raise InputError("--overwrite is for the file of --out: leave it out")
        if label is not None:
            raise InputError("a model of texts knows no classes: leave --label out")
        texts = model.sample(
            1 if n_samples is None else n_samples,
            LENGTH if length is None else length,
            temperature=1.0 if temperature is None else temperature,
            prompt=prompt or "",
            random_state=random_state,
        )
        return _write_texts("\n\n".join(texts) + "\n", out)
    for name, value in {"prompt": prompt, "temperature": temperature, "length": length}.items():
        if value is not None:
            raise InputError(f"--{name} is for models of texts, and {run} is none")
    out = out or Path("samples.png" if len(model.data_shape_) > 1 else "samples.csv")
    refuse_existing(out, overwrite)
    draw = verb(model, "sample")
    given = {} if label is None else {"y": _class_of(model, label)}
    given |= {} if noise is None else {"noise": noise}
    drawn = draw(64 if n_samples is None else n_samples, random_state, **given)
    if out.suffix == ".png" and drawn.ndim == 4:
        drawn = channels_first(drawn, model, reset=True)
    if drawn.ndim > 2 or out.suffix in ARRAYS:
        if rounded is not None:
            raise InputError("--round is of a table's columns in .csv, .parquet or .xlsx")
        return str(write_arrays(out, [("samples", drawn)]))
    columns, notes = sampled_columns(model, drawn, rounded is not False, label)
    tell_notes(notes, shown=True)
    return str(write_table(out, columns))


def _write_texts(texts: str, out: Path | None) -> str:
    if out is None:
        return texts
    if out.suffix not in (".txt", ".abc"):
        raise InputError(f"{out} ends in {out.suffix!r}; texts are written as .txt or .abc")
    write_atomically(out, texts.encode())
    return str(out)


def _class_of(model: Model, label: str) -> Any:
    from latentia.models.conditional import Conditional

    names = model.named_classes if isinstance(model, Conditional) else {}
    if not names:
        raise InputError(f"{type(model).__name__} knows no classes: leave --label out")
    numbers = {str(value): value for value in names.values()}
    if label not in names and label not in numbers:
        known = f"the model knows {', '.join(names)}{nearest(label, names)}"
        raise InputError(f"there is no class {label!r}; {known}")
    return (numbers | dict(names))[label]


def _one_hot(names: Sequence[str], ranges: Array) -> dict[str, list[int]]:
    """Return the columns ``NAME=WORD`` of 0 and 1 of which there are several, by their name."""
    found: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        head, equals, _ = name.partition("=")
        if equals and ranges[place].tolist() == [0, 1, 1] and head not in names:
            found.setdefault(head, []).append(place)
    return {head: places for head, places in found.items() if len(places) > 1}


def _replaced(
    found: dict[str, Array], olds: Sequence[str], name: str, values: Array
) -> dict[str, Array]:
    """Return columns with one in the place of several."""
    pairs = [
        (name, values) if key == olds[0] else (key, column)
        for key, column in found.items()
        if key == olds[0] or key not in olds
    ]
    return dict(pairs)


def sampled_columns(
    model: Any, drawn: Array, rounded: bool, label: str | None
) -> tuple[dict[str, Array], tuple[str, ...]]:
    """Return (n, d) draws by the names of the columns, and notes on what was made of them.

    Columns that were whole numbers in training are rounded, and kept in the range seen there, if
    that is asked for; a Gaussian's draws are no whole numbers of themselves.
    """
    names = names_of(model) or [f"x{j}" for j in range(drawn.shape[1])]
    ranges = vars(model).get("column_ranges_")
    found = {name: drawn[:, j] for j, name in enumerate(names)}
    notes = []
    if rounded and ranges is not None:
        whole = [j for j in range(len(names)) if ranges[j, 2] and np.isfinite(ranges[j, 0])]
        for j in whole:
            low, high = ranges[j, :2]
            found[names[j]] = np.clip(np.rint(drawn[:, j]), low, high).astype(np.int64)
        groups = _one_hot(names, ranges)
        for name, members in groups.items():
            likeliest = drawn[:, members].argmax(axis=1)
            words = np.array([names[j].partition("=")[2] for j in members])
            found = _replaced(found, [names[j] for j in members], name, words[likeliest])
        if groups:
            notes.append(
                "columns of 0 and 1 became one of words again, that of the largest, unless "
                f"--no-round: {listed([*groups])}."
            )
        whole = [j for j in whole if not any(j in members for members in groups.values())]
        if whole:
            notes.append(
                "rounded to whole numbers in the range of the training data, unless --no-round: "
                f"{listed([names[j] for j in whole])}."
            )
    if label is not None:
        found["label"] = np.array([label] * len(drawn))
    return found, tuple(notes)
