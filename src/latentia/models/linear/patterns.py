"""Rows with gaps, grouped by the columns that they see: all that full information needs of them.

Shapes: ``X_ND`` is (n, d), NaN where missing; there are G patterns, of which the first R hold
several rows.
"""

from __future__ import annotations

import math
from typing import Any, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentia.data.limits import check_bytes
from latentia.errors import InputError
from latentia.models.linear.arrow import arrow_blocks, arrow_names, is_arrow
from latentia.models.linear.products import refuse_spread
from latentia.models.linear.sufficient import (
    SLACK,
    SufficientStatistic,
    coded_names,
    common_names,
    contradiction,
    decoded_names,
)

Floats = NDArray[np.float64]
LEAST = 1e-70
"""Of a column's span, and the inverse of the largest: precisions are multiplied here too."""


@final
class Patterns(SufficientStatistic):
    """The rows of a table with gaps, grouped by the columns that they see.

    ``Patterns(X, sample_weight)`` takes (n, d) numbers, NaN where missing, or a table of Arrow with
    nulls, and (n,) weights; rows that see nothing or weigh nothing are dropped. It raises what
    ``table_with_gaps`` does. ``Patterns()`` has no rows; ``add`` and ``merge`` take some up.

    Attributes
    ----------
    seen, means, scatters
        (G, d) which columns each pattern sees, (G, d) means, and (R, d, d) covariances (/n) about
        them; zero where missing.
    count, weight
        (G,) rows and total weight of each pattern, most rows first.
    lows, highs
        (d,) least and largest value of each column; infinite where there is none.
    n_empty
        Rows dropped because they see nothing.
    names
        Of the columns, if rows came in tables of Arrow.
    """

    kind, version = "patterns of gaps", 1
    layout = {
        "n_empty": ("int64", 0),
        "names": ("uint8", 1),
        "lows": ("float64", 1),
        "highs": ("float64", 1),
        "seen": ("uint8", 2),
        "count": ("int64", 1),
        "weight": ("float64", 1),
        "means": ("float64", 2),
        "scatters": ("float64", 3),
    }

    def __init__(self, X: Any = None, sample_weight: ArrayLike | None = None) -> None:
        self.n_empty, self.names = 0, tuple[str, ...]()
        self._take(np.zeros((0, 0), bool))
        if X is not None:
            self.add(X, sample_weight).checked()

    def add(self, X: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Take rows up; a column without a value here may have some in other rows."""
        found = Patterns()
        X_ND, weights, found.names = named_rows(X, sample_weight)
        seen = ~np.isnan(X_ND)
        kept = seen.any(axis=1)
        # Each row is a pattern of its own, until they are merged.
        found._take(seen[kept], np.ones(int(kept.sum())), weights[kept], np.nan_to_num(X_ND[kept]))
        found.n_empty = int((~kept).sum())
        found.lows = np.where(seen, X_ND, np.inf).min(axis=0, initial=np.inf)
        found.highs = np.where(seen, X_ND, -np.inf).max(axis=0, initial=-np.inf)
        return self.merge(found)

    def _take(self, seen: Any, count: Any = (), weight: Any = (), means: Any = None) -> None:
        d = seen.shape[1]
        self.seen: NDArray[np.bool_] = seen
        self.count: NDArray[np.int64] = np.asarray(count, np.int64)
        self.weight: Floats = np.asarray(weight, np.float64)
        self.means: Floats = np.zeros((0, d)) if means is None else means
        self.scatters: Floats = np.zeros((0, d, d))
        self.lows, self.highs = np.full(d, np.inf), np.full(d, -np.inf)

    def merge(self, other: Patterns) -> Self:
        """Take up the rows that another has seen, of the same columns."""
        d, names = other.seen.shape[1], common_names(self.names, other.names)
        if not d:
            return self
        if not self.seen.shape[1]:
            self._take(np.zeros((0, d), bool))
        if self.seen.shape[1] != d:
            raise InputError(f"rows have {d} columns; those before had {self.seen.shape[1]}")
        self.names = names
        self.n_empty += other.n_empty
        self.lows = np.minimum(self.lows, other.lows)
        self.highs = np.maximum(self.highs, other.highs)
        return self._pooled(self, other)

    def _pooled(self, *parts: Patterns) -> Self:
        """Hold the patterns of the parts, those that see the same columns as one."""
        held = ("seen", "count", "weight", "means", "scatters")
        seen, count, weight, means, scatters = (
            np.concatenate([getattr(part, name) for part in parts]) for name in held
        )
        # A single row has no scatter.
        place = np.where(count > 1, np.cumsum(count > 1) - 1, -1)
        groups = groups_of(seen)
        total = np.array([count[g].sum() for g in groups], np.int64)
        order = np.argsort(-total, kind="stable")
        groups, self.count = [groups[i] for i in order], total[order]
        self.seen = seen[np.array([g[0] for g in groups], np.intp)]
        self.weight = np.array([weight[g].sum() for g in groups])
        sums = np.array([weight[g] @ means[g] for g in groups]).reshape(self.seen.shape)
        self.means = sums / self.weight[:, None]
        shape = (int((self.count > 1).sum()), *[seen.shape[1]] * 2)
        check_bytes(8 * math.prod(shape), f"the covariances of {shape[0]:,} patterns of gaps")
        self.scatters = np.zeros(shape)
        # What overflows is refused when it is checked.
        with np.errstate(over="ignore", invalid="ignore"):
            for scatter, mean, g in zip(self.scatters, self.means, groups):
                away, own = means[g] - mean, g[place[g] >= 0]
                scatter += np.tensordot(weight[own], scatters[place[own]], 1)
                scatter += (away.T * weight[g]) @ away
                scatter /= weight[g].sum()
        return self

    def checked(self) -> Self:
        """Refuse a column without a value, or of a spread that is beyond reckoning."""
        refuse_unseen((~self.seen).all(axis=0))
        refuse_spread(self.highs - self.lows, LEAST, 1 / LEAST)
        return self

    def columns(self, kept: NDArray[np.bool_]) -> Patterns:
        """Return the patterns of some of the (d,) columns."""
        found, seen = Patterns(), self.seen[:, kept]
        some: NDArray[np.bool_] = np.asarray(seen.any(axis=1))
        found._take(seen[some], self.count[some], self.weight[some], self.means[some][:, kept])
        found.scatters = self.scatters[some[: len(self.scatters)]][:, kept][:, :, kept]
        found.n_empty = self.n_empty + int(self.count[~some].sum())
        found.lows, found.highs = self.lows[kept], self.highs[kept]
        return found._pooled(found)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """(d,)."""
        return (self.seen.shape[1],)

    @property
    def n_samples(self) -> int:
        """Rows kept."""
        return int(self.count.sum())

    @property
    def shares(self) -> Floats:
        """(G,) share of the weight that each pattern has."""
        return np.asarray(self.weight / self.weight.sum())

    @property
    def column_means(self) -> Floats:
        """(d,) means of the values seen in each column."""
        return np.asarray(self.weight @ self.means / (self.weight @ self.seen))

    @property
    def column_variances(self) -> Floats:
        """(d,) variances (/n) of the values seen in each column."""
        squares = np.where(self.seen, self.means - self.column_means, 0) ** 2
        squares[: len(self.scatters)] += np.diagonal(self.scatters, axis1=1, axis2=2)
        return np.asarray(self.weight @ squares / (self.weight @ self.seen))

    @property
    def varies(self) -> NDArray[np.bool_]:
        """(d,) whether the values seen in each column are not all the same."""
        rounding = 16 * np.finfo(np.float64).eps * np.abs(self.column_means)
        found: NDArray[np.bool_] = self.column_variances > rounding**2
        return found

    @property
    def coverage(self) -> Floats:
        """(d, d) share of the weight of the rows that see both columns."""
        return np.asarray((self.seen.T * self.shares) @ self.seen)

    @property
    def never_together(self) -> list[tuple[int, int]]:
        """Pairs that no row sees together; EM finds one of many equally likely covariances."""
        return rarely_together(self.coverage, 0)

    def _arrays(self) -> dict[str, Any]:
        ends = np.nan_to_num([self.lows, self.highs])
        return vars(self) | {"names": coded_names(self.names), "lows": ends[0], "highs": ends[1]}

    @classmethod
    def _restored(cls, arrays: dict[str, Any]) -> Self:
        found, seen = cls(), arrays["seen"].astype(bool)
        (g, d), means, count = seen.shape, arrays["means"], arrays["count"]
        scatters, weight, ends = (
            arrays["scatters"],
            arrays["weight"],
            (arrays["lows"], arrays["highs"]),
        )
        r = int((count[:g] > 1).sum())
        shapes = ((means, (g, d)), (count, (g,)), (weight, (g,)), (scatters, (r, d, d)))
        if any(a.shape != shape for a, shape in (*shapes, (ends[0], (d,)), (ends[1], (d,)))):
            raise contradiction(cls.kind, "arrays of shapes that do not fit")
        both = (seen[:r, :, None] & seen[:r, None, :]) if r else np.zeros((0, d, d), bool)
        spread = np.sqrt(np.diagonal(scatters, axis1=1, axis2=2).clip(min=0))
        most = (1 + SLACK) * spread[:, :, None] * spread[:, None, :]
        if (count < 1).any() or (np.diff(count) > 0).any() or (weight <= 0).any():
            raise contradiction(cls.kind, "patterns without rows, or out of order")
        if means[~seen].any() or scatters[~both].any() or not seen.any(axis=1).all():
            raise contradiction(cls.kind, "values in columns that were not seen")
        if arrays["seen"].max(initial=0) > 1 or int(arrays["n_empty"]) < 0:
            raise contradiction(cls.kind, "other marks than 0 and 1")
        if (np.abs(scatters) > most).any():
            raise contradiction(cls.kind, "covariances that are not those of any columns")
        slack = SLACK * np.abs(ends).max(axis=0)
        if ((means < ends[0] - slack) | (means > ends[1] + slack))[seen].any():
            raise contradiction(cls.kind, "means that lie beyond all values")
        found._take(seen, count, weight, means)
        found.scatters, found.n_empty = scatters, int(arrays["n_empty"])
        found.names = decoded_names(cls.kind, arrays["names"], d)
        some = seen.any(axis=0)
        found.lows = np.where(some, ends[0], np.inf)
        found.highs = np.where(some, ends[1], -np.inf)
        return found._pooled(found)


def groups_of(seen: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Return the places of rows that see the same of (n, d) columns."""
    bits = np.packbits(seen, axis=1)
    _, labels, count = np.unique(bits, axis=0, return_inverse=True, return_counts=True)
    return np.split(np.argsort(labels.ravel(), kind="stable"), np.cumsum(count))[:-1]


def rarely_together(coverage: Floats, share: float) -> list[tuple[int, int]]:
    """Return pairs of columns whose coverage is at most a share."""
    return [(int(i), int(j)) for i, j in np.argwhere(np.triu(coverage <= share, 1))]


def table_with_gaps(X: ArrayLike, sample_weight: ArrayLike | None = None) -> tuple[Floats, Floats]:
    """Return checked (n, d) numbers with NaN and (n,) weights, without the rows of weight zero."""
    X_ND, weights = numbers_with_gaps(X, sample_weight)
    refuse_unseen(np.isnan(X_ND).all(axis=0))
    return X_ND, weights


def named_rows(X: Any, sample_weight: ArrayLike | None) -> tuple[Floats, Floats, tuple[str, ...]]:
    """Return what `numbers_with_gaps` does, of a table of Arrow too, and the names that it has."""
    names = tuple[str, ...]()
    if is_arrow(X):
        names = arrow_names(X)
        X = np.concatenate([np.zeros((0, X.num_columns)), *arrow_blocks(X, gaps=True)])
    return *numbers_with_gaps(X, sample_weight), names


def numbers_with_gaps(X: ArrayLike, sample_weight: ArrayLike | None) -> tuple[Floats, Floats]:
    """Return what `table_with_gaps` does, where a column may be without any value."""
    try:
        X_ND = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("X holds a value that is no number; missing values are NaN") from None
    if X_ND.ndim != 2 or np.isinf(X_ND).any():
        raise InputError(f"X has shape {X_ND.shape}; it must be (n, d), finite where not NaN")
    weights = np.ones(len(X_ND)) if sample_weight is None else np.asarray(sample_weight, float)
    if weights.shape != X_ND.shape[:1] or not (np.isfinite(weights) & (weights >= 0)).all():
        raise InputError(f"sample_weight must be {len(X_ND)} finite numbers that are at least 0")
    if len(weights) and not weights.any():
        raise InputError("every sample weight is zero; at least one row must count")
    return X_ND[weights > 0], weights[weights > 0]


def refuse_unseen(empty: Any) -> None:
    """Refuse columns without any value."""
    for column in np.flatnonzero(empty):
        raise InputError(f"column {column} has no observed value; leave it out")
