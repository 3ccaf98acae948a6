"""The rows of the examples, as a folder of Parquet files, and the fit to compare with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from latentia import FactorAnalysis

FILES, ROWS, COLUMNS = 8, 5_000, 12


def write_rows(folder: Path) -> np.ndarray:
    """Write Parquet files of three factors' columns x0 to x11; return all their rows."""
    rng = np.random.default_rng(0)
    loadings = rng.normal(size=(3, COLUMNS))
    parts = []
    for i in range(FILES):
        part = rng.normal(size=(ROWS, 3)) @ loadings + rng.normal(size=(ROWS, COLUMNS)) + 5
        table = pa.table({f"x{j}": column for j, column in enumerate(part.T)})
        pq.write_table(table, folder / f"part-{i}.parquet")
        parts.append(part)
    return np.concatenate(parts)


def compare(model: FactorAnalysis, rows: np.ndarray, what: str) -> None:
    """Print how far a fit lies from that of all rows in one process; end if it is far."""
    plain = FactorAnalysis(n_components=3).fit(rows)
    off = np.abs(model.loadings_ - plain.loadings_).max()
    print(f"{what}: {model.n_rows_:,} rows, largest difference of a loading {off:.1e}")
    if off > 1e-6:
        raise SystemExit("the fits differ")
