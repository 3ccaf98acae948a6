"""Factor analysis on Spark (``pip install pyspark``, and Java 17).

Each partition becomes one row of bytes, and a tree of merges makes one of all. Workers without
Latentia sum with NumPy alone, as `sums` does.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyspark.sql import SparkSession
from rows import COLUMNS, compare, write_rows

from latentia import FactorAnalysis
from latentia.models.linear.moments import Moments


def gathered(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the moments of a partition."""
    moments = Moments()
    for batch in batches:
        moments.add(batch)
    yield pa.record_batch({"moments": [moments.to_bytes()]})


def merged(one: bytes, two: bytes) -> bytes:
    """Return the moments of two parts."""
    return Moments.from_bytes(one).merge(Moments.from_bytes(two)).to_bytes()


def sums(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield Σ(1, x − 5)(1, x − 5)ᵀ of a partition, which holds all three sums."""
    total = np.zeros((1 + COLUMNS, 1 + COLUMNS))
    for batch in batches:
        x = np.column_stack([np.ones(batch.num_rows), *(c.to_numpy() - 5 for c in batch.columns)])
        total += x.T @ x
    yield pa.record_batch({"sums": [total.tobytes()]})


def main() -> None:
    """Gather on two local workers, both ways."""
    # Local workers are this Python.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    spark = (
        SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    )
    with tempfile.TemporaryDirectory() as folder:
        rows = write_rows(Path(folder))
        frame = spark.read.parquet(folder)
        parts = frame.mapInArrow(gathered, "moments binary").rdd.map(lambda row: bytes(row[0]))
        model = FactorAnalysis(n_components=3).fit_moments(
            Moments.from_bytes(parts.treeReduce(merged))
        )
        compare(model, rows, "Spark, Latentia on the workers")
        parts = frame.mapInArrow(sums, "sums binary").rdd.map(lambda row: np.frombuffer(row[0]))
        S = parts.treeReduce(lambda one, two: one + two).reshape(1 + COLUMNS, -1)
        moments = Moments.from_sums(S[0, 0], S[0, 1:], S[1:, 1:], shift=np.full(COLUMNS, 5.0))
        compare(FactorAnalysis(n_components=3).fit_moments(moments), rows, "Spark, NumPy on them")
    spark.stop()


if __name__ == "__main__":
    main()
