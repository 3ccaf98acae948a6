"""Correlation and covariance matrices in tables: with names of rows or not, whole or a triangle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from latentia.errors import InputError

ROUNDING = 1e-8
ROWTYPE, VARNAME = "rowtype_", "varname_"
DEVIATIONS = ("stddev", "sd", "std")


@dataclass(frozen=True)
class NamedMatrix:
    """A (p, p) correlation or covariance matrix, and what its file says of the rows behind it."""

    columns: list[str]
    values: NDArray[np.float64]
    mean: NDArray[np.float64] | None = None
    n_samples: int | None = None
    notes: tuple[str, ...] = ()

    def of(self, names: Sequence[str]) -> NamedMatrix:
        """Return the matrix of some of its variables."""
        places = [self.columns.index(name) for name in names]
        mean = None if self.mean is None else self.mean[places]
        return replace(
            self, columns=list(names), values=self.values[np.ix_(places, places)], mean=mean
        )

    def __array__(
        self, dtype: np.dtype[np.float64] | None = None, copy: bool | None = None
    ) -> NDArray[np.float64]:
        """Return the values, as `fit_covariance` takes them beside ``columns``."""
        return np.array(self.values, dtype=dtype)


def kind_of(values: NDArray[np.float64]) -> str:
    """Return "correlation" or "covariance" if rows are surely such a matrix, or else nothing.

    A covariance is symmetric, and none of its entries exceeds the root of its two variances'
    product. A unit diagonal in a square of numbers from -1 to 1 is enough for correlations, so that
    a slip in one of them is found. Unit vectors are rows, and so are two pairs of numbers.

    >>> kind_of(np.eye(3)), kind_of((np.eye(3) + 1) / 2), kind_of(np.eye(3) + 1)
    ('', 'correlation', 'covariance')
    """
    p = len(values)
    if values.shape != (p, p) or p < 3 or not np.isfinite(values).all():
        return ""
    variances, off = np.diag(values), values - np.diag(np.diag(values))
    if not off.any() or variances.min() <= 0:
        return ""
    unit = np.abs(variances - 1).max() <= ROUNDING and np.abs(values).max() <= 1 + ROUNDING
    if unit and (off % 1).any():
        return "correlation"
    symmetric = np.abs(values - values.T).max() <= ROUNDING * np.abs(values).max()
    bound = np.sqrt(np.outer(variances, variances))
    return "covariance" if symmetric and (np.abs(off) < bound).all() else ""


def named(
    names: Sequence[str], rows: Sequence[str] | None, values: NDArray[np.float64], title: str
) -> NamedMatrix | None:
    """Return the matrix that a table holds, or None if it holds rows.

    Parameters
    ----------
    names
        Of the (p) columns of numbers.
    rows
        The words in the first column, if there are any; those of a matrix are ``names``, in any
        order.
    values
        (n, p) numbers, NaN where a cell is empty.
    title
        Of the file.
    """
    if (
        rows is not None
        and len(rows) > 1
        and list(rows[:-1]) == list(names[1:])
        and not np.isfinite(values[np.triu_indices_from(values, 1)]).any()
    ):
        # A triangle without its diagonal has no row of the first and no column of the last.
        names, values = [*names, rows[-1]], _below_diagonal(values)
        rows = names
    p = len(names)
    if values.shape != (p, p) or p < 2:
        return None
    if rows is not None and sorted(rows) != sorted(names):
        return None
    order = list(range(p)) if rows is None else [list(rows).index(name) for name in names]
    full, said = _mirrored(values[order])
    if order != sorted(order):
        said.append("its rows were put in the order of its columns")
    kind = kind_of(full)
    if rows is None and not kind:
        return None
    said += _uneven(names, full)
    if rows is None:
        said.insert(0, f"a square {kind} matrix without names of rows was recognised (--as-rows)")
    notes = (f"{title}: {'; '.join(said)}.",) if said else ()
    return NamedMatrix(list(names), full, notes=notes)


def _uneven(names: Sequence[str], values: NDArray[np.float64]) -> list[str]:
    """Return a clause about the pair of variables whose two entries differ most, if any do."""
    apart = np.abs(values - values.T)
    if not np.isfinite(apart).all() or apart.max() <= ROUNDING * np.abs(values).max():
        return []
    i, j = map(int, np.unravel_index(apart.argmax(), apart.shape))
    return [
        f"it is not symmetric: {values[i, j]:g} above the diagonal and {values[j, i]:g} below it "
        f"for {names[i]!r} and {names[j]!r}, which a factor analysis refuses; keep one triangle"
    ]


def _below_diagonal(values: NDArray[np.float64]) -> NDArray[np.float64]:
    whole = np.full((len(values) + 1, len(values) + 1), np.nan)
    whole[1:, :-1] = values
    return whole


def _mirrored(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[str]]:
    """Return a triangle as a whole matrix, a missing diagonal being ones."""
    off = ~np.eye(len(values), dtype=bool)
    lower, upper = np.tril(off), np.triu(off)
    known, said = np.isfinite(values), []
    for one, other in ((lower, upper), (upper, lower)):
        if known[one].all() and not known[other].any():
            values = np.where(other, values.T, values)
            said.append("the other triangle of the matrix was filled in by symmetry")
            break
    else:
        return values, []
    if not known[~off].any():
        values = np.where(off, values, 1.0)
        said.append("its diagonal, which is missing, was taken as ones")
    return values, said


def of_row_types(
    kinds: Sequence[str],
    rows: Sequence[str],
    names: Sequence[str],
    values: NDArray[np.float64],
    title: str,
) -> NamedMatrix:
    """Return SPSS' matrix file: what each row holds, the variable it is of, and (n, p) numbers.

    CORR with STDDEV becomes a covariance, COV is one; MEAN and N come with it, of several N the
    least.
    """
    kinds = [kind.strip().lower() for kind in kinds]
    part = {kind: values[[i for i, k in enumerate(kinds) if k == kind]] for kind in kinds}
    wanted = next((kind for kind in ("cov", "corr") if kind in part), None)
    if wanted is None:
        raise InputError(f"{title} has no rows of {ROWTYPE} CORR or COV, but {', '.join(part)}")
    of = [row.strip() for row, kind in zip(rows, kinds) if kind == wanted]
    found = named(names, of, part[wanted], title)
    if found is None or not np.isfinite(found.values).all():
        raise InputError(
            f"{title}: the rows of {ROWTYPE} {wanted.upper()} are of {', '.join(of[:8])}; they "
            f"must be whole and of the columns, {', '.join(names[:8])}"
        )
    matrix, said = found.values, [f"read as a matrix file of SPSS, {wanted.upper()}"]
    deviations = next((part[kind][0] for kind in DEVIATIONS if kind in part), None)
    if wanted == "corr" and deviations is not None and (deviations > 0).all():
        matrix = matrix * np.outer(deviations, deviations)
        said.append("with its standard deviations")
    counts = part["n"].ravel() if "n" in part else np.empty(0)
    counts = counts[np.isfinite(counts)]
    n = int(counts.min()) if len(counts) else None
    said += (
        [f"n = {n}" + (f", the least of up to {counts.max():g}" if n != counts.max() else "")]
        if n
        else []
    )
    mean = part["mean"][0] if "mean" in part and np.isfinite(part["mean"][0]).all() else None
    return NamedMatrix(list(names), matrix, mean, n, (f"{title}: {', '.join(said)}.", *found.notes))
