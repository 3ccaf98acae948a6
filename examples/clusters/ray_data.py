"""Factor analysis with Ray Data (``pip install "ray[data]"``).

A block becomes one row of bytes where it lies; the driver merges the rows as they come.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import ray
from rows import compare, write_rows

from latentia import FactorAnalysis
from latentia.models.linear.moments import Moments


def gathered(table: pa.Table) -> pa.Table:
    """Return the moments of a block, as a table of one row."""
    return pa.table({"moments": [Moments().add(table).to_bytes()]})


def main() -> None:
    """Gather blocks, and fit."""
    with tempfile.TemporaryDirectory() as folder:
        rows = write_rows(Path(folder))
        ray.init(num_cpus=2, include_dashboard=False)
        data = ray.data.read_parquet(folder)
        parts = data.map_batches(gathered, batch_format="pyarrow", batch_size=None)
        moments = Moments()
        for row in parts.iter_rows():
            moments.merge(Moments.from_bytes(row["moments"]))
        compare(FactorAnalysis(n_components=3).fit_moments(moments), rows, "Ray Data")
        ray.shutdown()


if __name__ == "__main__":
    main()
