"""Tables for a trained model: the columns that it was trained on, in their order."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from typing import Any

from latentia.data import table_files, tables
from latentia.data.columns import holds_levels
from latentia.data.dataset import Dataset
from latentia.data.options import NONE, OF_TEXT, TableOptions, has, word_in
from latentia.errors import InputError
from latentia.models.base import Model
from latentia.models.fields import command_name

TAKE_WEIGHTS = "factor-analysis"
LAYOUT = ("sheet", *OF_TEXT, "decimal", "header")
"""What is asked of one kind of file and may mean nothing in another."""


def options_for(
    spec: str, model: Model, recorded: TableOptions, given: TableOptions
) -> tuple[TableOptions, tuple[str, ...]]:
    """Return how other data than a run's are read: a table by the model's columns, if it has any.

    What was asked of the run's own table has no effect on what is none, on a layout that its kind
    of file has not, or where its column is not there; that the rows are then without classes,
    weights or names is told.
    """
    path = Path(spec).expanduser()
    if not path.is_file() or not tables.is_table(path):
        return given, ()
    closed = {*LAYOUT} - {*table_files.choices(path)}
    recorded = recorded.without(closed)
    table = table_files.read(path, recorded.under(given)).table
    held = table.column_names
    absent = [
        flag
        for flag in ("label", "weights", "index")
        if (spec := getattr(recorded, flag)) not in (None, NONE)
        and getattr(given, flag) is None
        and not has(spec, held)
    ]
    notes = [
        f"{path.name}: it has no column {getattr(recorded, flag)!r}, which was --{flag} in "
        "training, and is read without."
        for flag in absent
    ]
    recorded = recorded.without(absent)
    if recorded.levels and not given.levels and not holds_levels(table, recorded):
        recorded = dataclasses.replace(recorded, levels=())
        notes.append(
            f"{path.name}: no cell holds a word of the training's --levels, and its numbers were "
            "taken as they are."
        )
    options = recorded.under(given)
    names = names_of(model)
    if given.columns or given.one_hot or not names:
        return options, (*notes,)
    # Columns of 0 and 1 are of the words of the training, whichever the other table holds.
    hot = {name: told[0] for name in names if (told := word_in(name, {*held})) is not None}
    columns = tuple(dict.fromkeys(hot.get(name, name) for name in names))
    options = dataclasses.replace(options, one_hot=tuple(hot), drop=given.drop)
    known = {*held} >= {*columns}
    return dataclasses.replace(options, columns=columns if known else ()), (*notes,)


def names_of(model: Model) -> list[str]:
    """Return the columns of a fitted model's table: its data set's, or its data frame's."""
    kept = vars(model)
    return [*map(str, kept.get("columns_") or kept.get("feature_names_in_", ()))]


def in_order_of(model: Model, data: Dataset) -> Dataset:
    """Return data with the columns in the order that the model learnt them in."""
    names = names_of(model)
    # The rows are brought into the order of the names here, and arrays have none.
    model.__dict__.pop("feature_names_in_", None)
    if not names or not data.columns or list(data.columns) == names:
        return data
    if {*data.columns} >= {*names}:
        place = {name: i for i, name in enumerate(data.columns)}
        places = [place[name] for name in names]
        x_train, x_test = data.x_train[:, places], data.x_test[:, places]
        return dataclasses.replace(data, x_train=x_train, x_test=x_test, columns=tuple(names))
    missing = [name for name in names if name not in data.columns]
    if len(data.columns) != len(names) or len(missing) < len(names):
        raise InputError(
            f"{data.name} has no column {missing[0]!r}, one of the {len(names)} that the model was "
            f"trained on; it has {', '.join(data.columns[:8])}"
        )
    said = f"{data.name}: its columns have other names than those of the training, and were taken "
    return dataclasses.replace(data, notes=(*data.notes, f"{said}in their order."))


def refuse_weights(model: Any, data: Dataset) -> None:
    """Refuse weights of rows to a model that would take each row for one."""
    if data.weights_train is None or "sample_weight" in inspect.signature(model.fit).parameters:
        return
    name = command_name(type(model).__name__)
    raise InputError(
        f"{name} takes no weights of rows, and would take each row for one: leave --weights out, "
        f"or train {TAKE_WEIGHTS}"
    )
