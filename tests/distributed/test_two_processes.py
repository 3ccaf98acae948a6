"""Two processes train what one process with the doubled batch trains."""

import subprocess
import sys

import numpy as np
import pytest
import safetensors.numpy

from latentia.errors import InputError
from latentia.training.config import RunConfig
from latentia.training.run import read_metrics
from tests.children import ROOT, environment
from tests.distributed.train_rank import trained

NAMES = [
    "LinearAutoencoder",
    "VAE",
    "ConditionalGAN",
    "DenoisingAutoencoder",
    "ConditionalVAE",
    "CycleGAN",
    "IDEC",
]


def run(n_processes, folder, *names, asked=None):
    """Train under torchrun with batches of 8 in each process; return what finished."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(n_processes)]
    program = ["-m", "tests.distributed.train_rank", str(folder), "8", *names]
    return subprocess.run(
        [sys.executable, *launcher, *program],
        cwd=ROOT,
        env=environment(LATENTIA_DEVICES=str(asked or n_processes)),
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def of_two(tmp_path_factory):
    """Train every model in two processes, and return the folder."""
    folder = tmp_path_factory.mktemp("two")
    finished = run(2, folder, *NAMES)
    assert finished.returncode == 0, finished.stderr[-3000:]
    return folder


def test_a_run_of_two_processes_does_not_go_on_in_one(of_two):
    assert RunConfig.read(of_two / "VAE" / "run").world_size == 2
    with pytest.raises(InputError, match="another number of processes: 2 there, 1 here"):
        trained("VAE", of_two / "VAE", 8, resume=True)


@pytest.mark.parametrize("name", NAMES)
def test_two_processes_equal_one_with_the_doubled_batch(name, of_two, tmp_path):
    trained(name, tmp_path, 16).save(tmp_path / "model")
    one, two = (
        safetensors.numpy.load_file(folder / "model" / "model.safetensors")
        for folder in (tmp_path, of_two / name)
    )
    assert set(one) == set(two)
    for key in one:
        np.testing.assert_allclose(one[key], two[key], atol=1e-5, err_msg=key)
    records = [read_metrics(folder / "run") for folder in (tmp_path, of_two / name)]
    for by_one, by_two in zip(*records, strict=True):
        for part in ("step", "epoch", "split"):
            assert by_one[part] == by_two[part]
        assert by_two["values"] == pytest.approx(by_one["values"], rel=1e-3, abs=1e-4)


def test_fewer_processes_than_asked_for_do_not_pass(tmp_path):
    finished = run(1, tmp_path, "VAE", asked=2)
    assert finished.returncode != 0
    assert "2 processes were asked for and 1 started" in finished.stderr


def test_the_command_line_starts_as_many_as_asked(tmp_path):
    words = ["train", "vae", "--devices", "2", "--n-epochs", "1", "--run", str(tmp_path / "run")]
    finished = subprocess.run(
        [sys.executable, "-m", "latentia", *words],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert finished.stdout.strip() == str(tmp_path / "run" / "report.html")
    assert (tmp_path / "run" / "report.html").exists()
    assert "step 5/5" in finished.stderr  # 1,375 rows in two batches of 128 a step
