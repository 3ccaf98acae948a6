"""Contingency tables of all pairs of ordinal columns: all that polychoric correlations need.

    B = Σ w z zᵀ,   z the indicators of a row's categories, of all columns side by side

B, the Burt table, holds the table of each pair of columns as a block, and each column's counts on
its diagonal. Counts without weights are whole numbers, so that any order of merging gives the same
bits. Sampling covariances of the correlations, and so robust tests, need up to four columns of a
row at a time, and so the rows themselves.
"""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentia.data.limits import check_bytes
from latentia.errors import InputError
from latentia.models.linear.patterns import named_rows, refuse_unseen
from latentia.models.linear.sufficient import (
    SLACK,
    SufficientStatistic,
    coded_names,
    common_names,
    contradiction,
    decoded_names,
)

Floats = NDArray[np.float64]
MOST_CATEGORIES = 20
BLOCK = 2**20


@final
class ContingencyTables(SufficientStatistic):
    """Weights of the categories of all columns, two by two.

    ``ContingencyTables(X, sample_weight)`` takes (n, d) numbers of which only the order counts, at
    most 20 different ones in a column and NaN where missing, or a table of Arrow with nulls, and
    (n,) weights. ``ContingencyTables()`` has no rows; ``add`` and ``merge`` take some up.

    Attributes
    ----------
    values
        For each column its (K,) categories, rising.
    burt
        (ΣK, ΣK) weight of the rows that have both of two categories.
    n_samples, n_empty, weight
        Rows with a value and rows without any, and the total weight of the first.
    n_seen
        (d,) rows with a value in each column.
    names
        Of the columns, if rows came in tables of Arrow.
    """

    kind, version = "contingency tables", 1
    layout = {
        "n_samples": ("int64", 0),
        "n_empty": ("int64", 0),
        "weight": ("float64", 0),
        "names": ("uint8", 1),
        "n_seen": ("int64", 1),
        "n_categories": ("int64", 1),
        "categories": ("float64", 1),
        "burt": ("float64", 2),
    }

    def __init__(self, X: Any = None, sample_weight: ArrayLike | None = None) -> None:
        self.n_samples, self.n_empty, self.weight = 0, 0, 0.0
        self.names: tuple[str, ...] = ()
        self.values: list[Floats] = []
        self.burt: Floats = np.zeros((0, 0))
        self.n_seen: NDArray[np.int64] = np.zeros(0, np.int64)
        if X is not None:
            self.add(X, sample_weight).checked()

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """(d,)."""
        return (len(self.values),)

    @property
    def n_categories(self) -> NDArray[np.int64]:
        """(d,) K of each column."""
        return np.array([len(values) for values in self.values], np.int64)

    def add(self, X: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Take rows up; categories that were not seen before are added."""
        found = ContingencyTables()
        X_ND, weights, found.names = named_rows(X, sample_weight)
        seen = ~np.isnan(X_ND)
        kept = seen.any(axis=1)
        found.n_samples, found.n_empty = int(kept.sum()), int((~kept).sum())
        found.weight, found.n_seen = float(weights[kept].sum()), seen.sum(axis=0)
        found.values = [np.unique(column[~np.isnan(column)]) for column in X_ND.T]
        found._refuse_many()
        column = found._places()[0]
        found.burt, size = np.zeros([len(column)] * 2), max(1, BLOCK // max(1, len(column)))
        categories = np.concatenate([*found.values, np.zeros(0)])[:, None]
        for block in (slice(i, i + size) for i in range(0, len(weights), size)):
            indicators = X_ND.T[column, block] == categories
            found.burt += (indicators * weights[block]) @ indicators.T
        return self.merge(found)

    def merge(self, other: ContingencyTables) -> Self:
        """Take up the rows that another has seen, of the same columns."""
        names, d = common_names(self.names, other.names), len(other.values)
        if not d or not self.values:
            self.__dict__.update(vars(other if d else self) | {"names": names})
            return self
        if d != len(self.values):
            raise InputError(f"rows have {d} columns; those before had {len(self.values)}")
        parts = [(self.values, self.burt), (other.values, other.burt)]
        self.values = [np.union1d(*pair) for pair in zip(self.values, other.values)]
        self._refuse_many()
        starts = np.cumsum([0, *self.n_categories])
        self.burt = np.zeros([starts[-1]] * 2)
        for values, burt in parts:
            codes = [np.searchsorted(all_, some) for all_, some in zip(self.values, values)]
            places = np.concatenate([c + start for c, start in zip(codes, starts)])
            self.burt[np.ix_(places, places)] += burt
        self.names, self.weight = names, self.weight + other.weight
        self.n_samples += other.n_samples
        self.n_empty += other.n_empty
        self.n_seen = self.n_seen + other.n_seen
        return self

    def _refuse_many(self) -> None:
        for j in np.flatnonzero(self.n_categories > MOST_CATEGORIES):
            raise _unordinal(int(j), int(self.n_categories[j]))
        check_bytes(8 * int(self.n_categories.sum()) ** 2, "the tables of all pairs of columns")

    def _places(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return (ΣK,) the column of each category, and its rank there."""
        column = np.repeat(np.arange(len(self.values)), self.n_categories)
        return column, np.concatenate([np.arange(k) for k in (*self.n_categories, 0)])

    def checked(self) -> Self:
        """Refuse a column without a value."""
        refuse_unseen(self.n_categories == 0)
        return self

    def refuse_constant(self) -> None:
        """Refuse a column of a single category."""
        for j in np.flatnonzero(self.n_categories < 2):
            raise _unordinal(int(j), int(self.n_categories[j]))

    def columns(self, kept: NDArray[np.bool_]) -> ContingencyTables:
        """Return the tables of some of the (d,) columns."""
        found = ContingencyTables()
        places = kept[self._places()[0]]
        found.__dict__.update(vars(self))
        found.values = [values for values, k in zip(self.values, kept) if k]
        found.burt, found.n_seen = self.burt[np.ix_(places, places)], self.n_seen[kept]
        found.names = tuple(name for name, k in zip(self.names, kept) if k)
        return found

    @property
    def tables(self) -> Floats:
        """(d, d, K, K) weights of each pair of categories of each pair of columns, 0 beyond K."""
        (column, code), d = self._places(), len(self.values)
        k = int(self.n_categories.max())
        padded = np.zeros((d * k, d * k))
        padded[np.ix_(column * k + code, column * k + code)] = self.burt
        return padded.reshape(d, k, d, k).transpose(0, 2, 1, 3)

    def codes_of(self, X_ND: Floats) -> NDArray[np.int64]:
        """Return (d, n) ranks of the values of each column, −1 where missing."""
        ranks = [np.searchsorted(values, x) for values, x in zip(self.values, X_ND.T)]
        return np.where(np.isnan(X_ND.T), -1, ranks)

    @property
    def column_means(self) -> Floats:
        """(d,) means of the values seen in each column."""
        return np.array([w @ v / w.sum() for v, w in zip(self.values, self._weights())])

    @property
    def column_variances(self) -> Floats:
        """(d,) variances (/n) of the values seen in each column."""
        seen = zip(self.values, self._weights(), self.column_means)
        return np.array([w @ (v - mean) ** 2 / w.sum() for v, w, mean in seen])

    def _weights(self) -> list[Floats]:
        return np.split(np.diag(self.burt), np.cumsum(self.n_categories))[:-1]

    @property
    def coverage(self) -> Floats:
        """(d, d) share of the weight of the rows that see both columns."""
        indicators = self._places()[0] == np.arange(len(self.values))[:, None]
        return np.asarray(indicators @ self.burt @ indicators.T / self.weight)

    def _arrays(self) -> dict[str, Any]:
        categories = np.concatenate([*self.values, np.zeros(0)])
        own = {"n_categories": self.n_categories, "categories": categories}
        return vars(self) | own | {"names": coded_names(self.names)}

    @classmethod
    def _restored(cls, arrays: dict[str, Any]) -> Self:
        found, counts, B = cls(), arrays["n_categories"], arrays["burt"]
        found.n_seen, d, size = arrays["n_seen"], len(counts), len(arrays["categories"])
        if len(found.n_seen) != d or B.shape != (size, size) or (counts < 0).any():
            raise contradiction(cls.kind, "arrays of shapes that do not fit")
        if counts.sum() != size or (counts > MOST_CATEGORIES).any():
            raise contradiction(cls.kind, "other categories than are counted")
        found.values = np.split(arrays["categories"], np.cumsum(counts))[:-1]
        found.n_samples, found.n_empty = int(arrays["n_samples"]), int(arrays["n_empty"])
        found.weight, found.burt = float(arrays["weight"]), B
        column, seen = found._places()[0], found.n_seen
        own = column[:, None] == column
        alone, most = own & ~np.eye(size, dtype=bool), (1 + SLACK) * np.diag(B)
        if any((np.diff(values) <= 0).any() for values in found.values):
            raise contradiction(cls.kind, "categories that do not rise")
        if (B < 0).any() or (B != B.T).any() or B[alone].any() or (most < B).any():
            raise contradiction(cls.kind, "weights that are not those of any rows")
        weights = np.array([part.sum() for part in found._weights()])
        if (weights > (1 + SLACK) * found.weight).any() or not (found.n_empty >= 0):
            raise contradiction(cls.kind, "columns that weigh more than the rows")
        if (seen < 0).any() or (seen > found.n_samples).any() or (seen[weights > 0] < 1).any():
            raise contradiction(cls.kind, "other numbers of rows than of values")
        found.names = decoded_names(cls.kind, arrays["names"], d)
        return found


def _unordinal(j: int, n: int) -> InputError:
    return InputError(
        f"column {j} has {n} different value{'s' if n > 1 else ''}; an ordinal column has 2 to "
        f"{MOST_CATEGORIES}"
    )
