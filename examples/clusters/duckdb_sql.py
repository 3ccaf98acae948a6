"""Factor analysis of a database (``pip install duckdb polars``).

The sums are plain SQL, which any database can do, around a shift near the mean that keeps the
digits. DuckDB and Polars can also stream Arrow batches to `Moments`, which is faster.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb
import numpy as np
import polars
from rows import COLUMNS, compare, write_rows

from latentia import FactorAnalysis
from latentia.models.linear.moments import Moments


def by_sql(table: str, names: list[str]) -> Moments:
    """Return the moments by two queries: the means, and the sums around them."""
    means = ", ".join(f"avg({name})" for name in names)
    shift = duckdb.sql(f"SELECT {means} FROM {table}").fetchall()[0]
    away = [f"({name} - ({c!r}))" for name, c in zip(names, shift)]
    pairs = [(i, j) for i in range(len(names)) for j in range(i + 1)]
    products = [f"sum({away[i]} * {away[j]})" for i, j in pairs]
    wanted = ", ".join(["count(*)", *(f"sum({each})" for each in away), *products])
    n, *found = duckdb.sql(f"SELECT {wanted} FROM {table}").fetchall()[0]
    P = np.zeros((len(names), len(names)))
    for (i, j), value in zip(pairs, found[len(names) :]):
        P[i, j] = P[j, i] = value
    return Moments.from_sums(n, found[: len(names)], P, shift=shift, names=tuple(names))


def main() -> None:
    """Fit the sums of SQL, and streamed batches."""
    names = [f"x{j}" for j in range(COLUMNS)]
    with tempfile.TemporaryDirectory() as folder:
        rows, files = write_rows(Path(folder)), f"{folder}/*.parquet"
        model = FactorAnalysis(n_components=3)
        compare(model.fit_moments(by_sql(f"'{files}'", names)), rows, "DuckDB, SQL")
        moments = Moments()
        for batch in duckdb.sql(f"SELECT * FROM '{files}'").to_arrow_reader(10_000):
            moments.add(batch)
        compare(model.fit_moments(moments), rows, "DuckDB, Arrow batches")
        moments = Moments()
        for frame in polars.scan_parquet(files).collect_batches():
            moments.add(frame.to_arrow())
        compare(model.fit_moments(moments), rows, "Polars, Arrow batches")


if __name__ == "__main__":
    main()
