"""Two processes, started once for all tests, as torchrun starts them."""

import os
import warnings

import pytest
from torch.distributed.launcher import LaunchConfig, elastic_launch

from tests.children import Forked, environment


@pytest.fixture(scope="session")
def two(tmp_path_factory):
    """Return the folder in which two processes under torchrun left what they found, and stderr.

    They go on from this one, which has imported what a training imports: torch, and at its first
    optimiser torch's compiler. New interpreters take four times as long.
    """
    from tests.distributed import jobs

    jobs.train_rank.trained("LinearAutoencoder", tmp_path_factory.mktemp("before"), 16)
    folder = tmp_path_factory.mktemp("two")
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=2,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        start_method="fork",
        max_restarts=0,
        monitor_interval=0.1,
    )

    def torchrun():
        # As in a new interpreter: what torch deprecates ends no training.
        warnings.resetwarnings()
        os.environ.update(environment(LATENTIA_DEVICES="2"))
        elastic_launch(config, jobs.main)(folder)

    with (folder / "out").open("wb") as out, (folder / "errors").open("wb") as errors:
        Forked(torchrun, stdout=out, stderr=errors).wait()
    return folder, (folder / "errors").read_text()
