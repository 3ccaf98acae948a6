"""Stream a billion rows of 50 columns through one pass: ``python benchmarks/billion_rows.py``.

Rows are made as fast as can honestly be done: a block of normals that six factors mix is drawn
once, and each time it is used every row gets a random sign of its own, and the block begins at
another row. The products of such a block are known, so that the covariance is checked to the last
digits. Seconds are the process's own CPU seconds, on one thread; memory is the most it ever held.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
# Another processor's kernel would be timed.
for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(variable, None)

import argparse
import math
import resource
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

from latentia import FactorAnalysis
from latentia.errors import FitWarning
from latentia.models.linear.moments import Moments

COLUMNS, BLOCK, FACTORS = 50, 2**17, 6


def spent(function):
    """Return CPU seconds and the result."""
    begun = time.process_time()
    result = function()
    return time.process_time() - begun, result


def made(base, rng, target):
    """Fill ``target`` with rows of the block, from a random one on, each with a random sign."""
    first = int(rng.integers(len(base)))
    signs = rng.integers(0, 2, len(base), dtype=np.int8).astype(np.float32)[:, None] * 2 - 1
    np.multiply(base[first:], signs[first:], out=target[: len(base) - first])
    np.multiply(base[:first], signs[:first], out=target[len(base) - first :])
    return target


def read_in_blocks(path, target):
    with path.open("rb", buffering=0) as file:
        while file.readinto(target):
            pass


def reading(base, target, rows, folder):
    """Return rows a second of reading a raw file, of pages that are no longer in memory."""
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        path = Path(temporary) / "rows.f32"
        with path.open("wb") as file:
            for _ in range(n := max(1, rows // BLOCK)):
                file.write(base)
            file.flush()
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        begun, (cpu, _) = time.perf_counter(), spent(lambda: read_in_blocks(path, target))
        return n * BLOCK / cpu, n * BLOCK / (time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=float, default=1e9)
    parser.add_argument("--rows-read", type=float, default=1e7, help="0: read no file")
    parser.add_argument("--folder", help="where a file of rows is written for a while")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(FACTORS, COLUMNS)).astype(np.float32)
    base = rng.standard_normal((BLOCK, FACTORS), np.float32) @ mixing
    base += 2 * rng.standard_normal((BLOCK, COLUMNS), np.float32)
    target, moments = np.empty_like(base), Moments()
    n, making, adding = max(1, math.ceil(arguments.rows / BLOCK)), 0.0, 0.0
    for _ in range(n):
        making += spent(lambda: made(base, rng, target))[0]
        adding += spent(lambda: moments.add(target))[0]
    rows = n * BLOCK
    blas = sorted({f"{i['internal_api']} {i.get('architecture')}" for i in threadpool_info()})
    print(f"{rows:,} rows of {COLUMNS} float32, one thread; {', '.join(blas)}")
    print(f"  making   {making:10.1f} s  {rows / making / 1e6:8.2f} million rows a second")
    print(f"  Moments  {adding:10.1f} s  {rows / adding / 1e6:8.2f} million rows a second")
    if arguments.rows_read:
        cpu, wall = reading(base, target, int(arguments.rows_read), arguments.folder)
        print(f"  reading a raw file, CPU  {cpu / 1e6:8.2f} million rows a second")
        print(f"  reading a raw file, wall {wall / 1e6:8.2f} million rows a second")
    doubles = base.astype(np.float64)
    truth = doubles.T @ doubles / BLOCK - np.outer(moments.mean, moments.mean)
    scale = np.sqrt(np.diag(truth))
    off = np.abs(moments.covariance - truth) / np.outer(scale, scale)
    print(f"  largest error of a correlation {off.max():.1e}")
    warnings.simplefilter("ignore", FitWarning)
    seconds, model = spent(lambda: FactorAnalysis(n_components=FACTORS).fit_moments(moments))
    print(f"  factor analysis of them: {seconds:.3f} s, converged: {model.converged_}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  most memory {peak:.0f} MiB")


if __name__ == "__main__":
    main()
