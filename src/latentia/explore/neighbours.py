"""The samples nearest to a given one, in the latent space and among the pixels.

    d_z(x, x') = ‖z(x) − z(x')‖,  d_x(x, x') = ‖x − x'‖

Neighbours in the latent space show what the model takes to be alike. If decoded samples were copies
of training data, both rows would show the copy.

Shapes: queries (q, *data_shape_), pool (n, *data_shape_).

References
----------
.. [1] G. E. Hinton, R. R. Salakhutdinov, "Reducing the Dimensionality of Data with Neural
   Networks", Science 313, 2006 (fig. 4: retrieval by the codes' nearness).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from latentia.errors import Count, check_arguments, check_range
from latentia.explore.codes import codes_of
from latentia.models.base import LatentModel
from latentia.models.inputs import unit_floats
from latentia.plots.explore import image_table
from latentia.plots.latent import class_name


@dataclass(frozen=True)
class Neighbours:
    """Rows of a pool nearest to each query, the nearest first."""

    latent: NDArray[np.intp]
    """(q, m) row numbers in the pool, by codes."""
    latent_distances: NDArray[np.float64]
    """(q, m) Euclidean distances."""
    pixel: NDArray[np.intp]
    pixel_distances: NDArray[np.float64]


def nearest_neighbours(
    model: LatentModel, X: Any, pool: Any, n_neighbours: Count = 6
) -> Neighbours:
    """Find the rows of a pool that lie nearest to given samples.

    Parameters
    ----------
    model
        A fitted model that encodes.
    X
        (q, *data_shape_) queries. One that is in the pool is its own nearest neighbour.
    pool
        (n, *data_shape_), such as the training data.
    n_neighbours
        How many, from 1 to n.
    """
    check_arguments(nearest_neighbours, locals())
    check_range("n_neighbours", n_neighbours, 1, len(pool))
    spaces = [(codes_of(model, pool), codes_of(model, X)), (_flat(pool), _flat(X))]
    found = []
    for among, queries in spaces:
        distances, rows = NearestNeighbors(n_neighbors=n_neighbours).fit(among).kneighbors(queries)
        found += [rows, distances.astype(np.float64)]
    return Neighbours(*found)


def _flat(X: Any) -> NDArray[Any]:
    array = unit_floats(np.asarray(X))
    return array.reshape(len(array), -1)


def neighbours_figure(
    found: Neighbours,
    X: NDArray[Any],
    pool: NDArray[Any],
    labels: NDArray[Any] | None = None,
    pool_labels: NDArray[Any] | None = None,
    class_names: Sequence[str] = (),
) -> Figure:
    """Return two rows for each query, its neighbours among codes and among pixels.

    ``X`` and ``pool`` are what `nearest_neighbours` was given; the (q,) and (n,) labels, if given,
    stand below the images by their classes' names.
    """
    rows, captions = [], []
    for i, query in enumerate(unit_floats(np.asarray(X))):
        for space, near in (("codes", found.latent[i]), ("pixels", found.pixel[i])):
            words = f"nearest by {space}"
            if labels is not None and pool_labels is not None:
                classes = np.array([labels[i], *pool_labels[near]])
                captions.append([class_name(value, class_names) for value in classes])
                words += f", {(classes[1:] == classes[0]).sum()} of {len(near)} of its class"
            images = unit_floats(np.asarray(pool[near]))
            rows.append((words, np.concatenate([[query], images])))
    columns = ["query", *[str(j + 1) for j in range(found.latent.shape[1])]]
    return image_table(rows, columns, captions)
