"""Factor analysis with Dask (``pip install "dask[array]"``).

`fit` takes a Dask array as it is, and gathers each chunk's moments where the chunk lies. Anything
else, such as a file per task, goes through `dask.delayed`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import dask
import dask.array
import pyarrow.parquet as pq
from rows import compare, write_rows

from latentia import FactorAnalysis
from latentia.models.linear.moments import Moments


@dask.delayed
def gathered(path: Path) -> bytes:
    """Return the moments of one file."""
    return Moments().add(pq.read_table(path)).to_bytes()


def main() -> None:
    """Fit an array, and files."""
    with tempfile.TemporaryDirectory() as folder:
        rows = write_rows(Path(folder))
        array = dask.array.from_array(rows, chunks=(3000, -1))
        compare(FactorAnalysis(n_components=3).fit(array), rows, "a Dask array")
        moments = Moments()
        for part in dask.compute(*(gathered(path) for path in Path(folder).glob("*.parquet"))):
            moments.merge(Moments.from_bytes(part))
        compare(FactorAnalysis(n_components=3).fit_moments(moments), rows, "Dask, a file per task")


if __name__ == "__main__":
    main()
