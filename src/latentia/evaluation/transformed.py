"""What a trained model makes of each row or picture: codes, scores, clusters, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import ClusterMixin

from latentia.data.dataset import Array, Dataset, ImageSize, Part, in_file_order
from latentia.data.options import USUAL, TableOptions
from latentia.errors import InputError
from latentia.evaluation.runs import data_of
from latentia.evaluation.table_writing import Columns, check_written, write_table
from latentia.files import refuse_existing
from latentia.models.base import Encoder
from latentia.models.fields import command_name
from latentia.models.saved import load


def transform(
    run: Path,
    data_spec: str,
    out: Path,
    overwrite: bool = False,
    options: TableOptions = USUAL,
    image_size: ImageSize = None,
) -> Path:
    """Write a table of what a model makes of every sample of some data, in their order.

    Parameters
    ----------
    run
        A run directory or a saved model that encodes.
    data_spec, options, image_size
        What is encoded, as for `latentia.load_data`; a table is read as that of the run was.
    out
        .csv, .tsv, .parquet, .xlsx or .npy, which holds the numbers alone.
    overwrite
        Replace the file if it exists.

    Returns
    -------
    path
        Of the table. Its columns are ``name``, of a table's index or a picture's file, or else
        ``row`` from 1; of a clustering ``cluster`` from 0 and the probabilities ``p_1`` to
        ``p_k``, where it gives any; the codes ``z_1`` to ``z_k``; and ``label``, if there is one.
    """
    refuse_existing(out, overwrite)
    check_written(out)
    model = load(run)
    if not isinstance(model, Encoder):
        raise InputError(f"{command_name(type(model).__name__)} {_why_not(model)}")
    data = data_of(run, data_spec, model, options, image_size, whole=True)
    return write_table(out, columns_of(model, data))


def _why_not(model: Any) -> str:
    """Return why a model has no codes: it says so itself, or makes pictures of pictures."""
    reason = type(model).lacks.get("transform")
    instead = "it makes pictures of pictures; use latentia translate or latentia upscale"
    return f"has no codes to write: {reason or instead}"


def columns_of(model: Any, data: Dataset) -> Columns:
    """Return the columns of `transform` for a fitted model."""
    whole = in_file_order(data)
    found = _names(whole)
    labels = () if whole.y is None else model.labels_for(whole.y)
    if isinstance(model, ClusterMixin):
        found["cluster"] = np.asarray(model.predict(whole.x))
        probabilities = getattr(model, "predict_proba", None)
        if probabilities is not None:
            found |= _numbered("p", probabilities(whole.x))
    found |= _numbered("z", model.transform(whole.x, *labels))
    if whole.y is not None and whole.y.ndim == 1:
        names = np.array(whole.class_names) if whole.class_names else None
        found["label"] = whole.y if names is None else names[whole.y]
    return found


def _names(whole: Part) -> dict[str, Array]:
    if whole.names is None:
        return {"row": np.arange(1, len(whole.x) + 1)}
    return {"name": whole.names}


def _numbered(letter: str, values: Array) -> dict[str, Array]:
    columns = np.asarray(values).reshape(len(values), -1)
    return {f"{letter}_{j + 1}": columns[:, j] for j in range(columns.shape[1])}
