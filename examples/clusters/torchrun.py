"""Factor analysis over processes: ``torchrun --nproc-per-node 2 examples/clusters/torchrun.py``.

Each process reads its own files; `all_reduce` leaves the moments of all rows in each of them.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow.parquet as pq
import torch.distributed as dist
from rows import compare, write_rows

from latentia import FactorAnalysis
from latentia.models.linear.moments import Moments


def main() -> None:
    """Fit the files of all processes."""
    dist.init_process_group("gloo")
    rank, size = dist.get_rank(), dist.get_world_size()
    with tempfile.TemporaryDirectory() as folder:
        rows = write_rows(Path(folder))
        own, moments = sorted(Path(folder).glob("*.parquet"))[rank::size], Moments()
        for path in own:
            moments.add(pq.read_table(path))
        model = FactorAnalysis(n_components=3).fit_moments(moments.all_reduce())
        if rank == 0:
            compare(model, rows, f"torchrun, {size} processes")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
