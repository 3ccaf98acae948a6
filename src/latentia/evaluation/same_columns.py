"""Tables for a trained model: the columns that it was trained on, in their order."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from typing import Any

from latentia.data import tables
from latentia.data.dataset import Dataset
from latentia.data.options import TableOptions
from latentia.errors import InputError
from latentia.models.base import Model
from latentia.models.fields import command_name

TAKE_WEIGHTS = "factor-analysis"


def options_for(
    spec: str, model: Model, recorded: TableOptions, given: TableOptions
) -> TableOptions:
    """Return how other data than a run's are read: a table by the model's columns, if it has any.

    What was asked of the run's own table has no effect on what is none.
    """
    path = Path(spec).expanduser()
    if not path.is_file() or not tables.is_table(path):
        return given
    options = recorded.under(given)
    names = vars(model).get("columns_", ())
    if options.columns or options.one_hot or not names:
        return options
    held = set(tables.names(path, options))
    return dataclasses.replace(options, columns=names, drop=()) if held >= {*names} else options


def in_order_of(model: Model, data: Dataset) -> Dataset:
    """Return data with the columns in the order that the model learnt them in."""
    names = list(vars(model).get("columns_", ()))
    if not names or not data.columns or list(data.columns) == names:
        return data
    if {*data.columns} >= {*names}:
        places = [data.columns.index(name) for name in names]
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
