"""The examples on clusters run as they stand, and give the fit of all rows in one process."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples/clusters"
NEEDS = {
    "spark.py": ("pyspark",),
    "ray_data.py": ("ray",),
    "dask_arrays.py": ("dask",),
    "duckdb_sql.py": ("duckdb", "polars"),
    "torchrun.py": ("torch",),
}
PATIENCE = 600


@pytest.mark.slow
@pytest.mark.parametrize("example", NEEDS)
def test_an_example_gives_the_plain_fit(example, tmp_path):
    for package in NEEDS[example]:
        pytest.importorskip(package)
    if example == "spark.py" and shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    words = [sys.executable, str(EXAMPLES / example)]
    if example == "torchrun.py":
        words[1:1] = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        words,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said = [line for line in done.stdout.splitlines() if "largest difference of a loading" in line]
    assert said
    assert all("40,000 rows" in line for line in said)
