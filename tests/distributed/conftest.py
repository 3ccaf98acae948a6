"""Two processes, started once for all tests: each start imports torch three times."""

import subprocess
import sys

import pytest

from tests.children import ROOT, environment


@pytest.fixture(scope="session")
def two(tmp_path_factory):
    """Return the folder in which two processes under torchrun left what they found, and stderr."""
    folder = tmp_path_factory.mktemp("two")
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    finished = subprocess.run(
        [sys.executable, *launcher, "-m", "tests.distributed.jobs", str(folder)],
        cwd=ROOT,
        env=environment(LATENTIA_DEVICES="2"),
        capture_output=True,
        text=True,
        timeout=300,
    )
    return folder, finished.stderr
