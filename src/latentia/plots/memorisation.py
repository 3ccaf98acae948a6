"""Samples with the training image nearest to each, as the GAN paper shows that it did not copy."""

from __future__ import annotations

from matplotlib.figure import Figure

from latentia.errors import InputError
from latentia.metrics.neighbours import NearestTraining
from latentia.plots.explore import image_table


def memorisation_figure(found: NearestTraining, n_columns: int = 10, n_rows: int = 3) -> Figure:
    """Return the first samples, unselected, each above the training image nearest to it.

    Parameters
    ----------
    found
        From `latentia.metrics.neighbours.nearest_training`.
    n_columns, n_rows
        Pairs in a row, and rows of pairs.
    """
    if min(n_columns, n_rows) < 1:
        raise InputError(f"{n_rows} rows of {n_columns} pairs; show at least one")
    rows, captions = [], []
    for first in range(0, min(n_rows * n_columns, len(found.samples)), n_columns):
        part = slice(first, first + n_columns)
        rows += [("sample", found.samples[part]), ("nearest training", found.neighbours[part])]
        captions += [(), [f"{distance:.2f}" for distance in found.distances[part]]]
    shown = sum(len(images) for _, images in rows[::2])
    title = f"The first {shown} samples as drawn; below, the distance to the training image"
    return image_table(rows, captions=captions, title=title)
