"""Two processes train what one process with the doubled batch trains."""

import subprocess
import sys

import numpy as np
import pytest
import safetensors.numpy

from latentia.training.run import read_metrics
from tests.children import ROOT, environment


def run(n_processes, name, folder, batch_size, asked=None):
    """Train under torchrun and return the finished process."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(n_processes)]
    program = ["-m", "tests.distributed.train_rank", name, str(folder), str(batch_size)]
    return subprocess.run(
        [sys.executable, *launcher, *program],
        cwd=ROOT,
        env=environment(LATENTIA_DEVICES=str(asked or n_processes)),
        capture_output=True,
        text=True,
        timeout=200,
    )


@pytest.mark.parametrize(
    "name",
    [
        "LinearAutoencoder",
        "VAE",
        "ConditionalGAN",
        "DenoisingAutoencoder",
        "ConditionalVAE",
        "CycleGAN",
    ],
)
def test_two_processes_equal_one_with_the_doubled_batch(name, tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    for n_processes, folder, batch_size in ((1, folders[0], 16), (2, folders[1], 8)):
        finished = run(n_processes, name, folder, batch_size)
        assert finished.returncode == 0, finished.stderr[-3000:]
    one, two = (
        safetensors.numpy.load_file(folder / "model" / "model.safetensors") for folder in folders
    )
    assert set(one) == set(two)
    for key in one:
        np.testing.assert_allclose(one[key], two[key], atol=1e-5, err_msg=key)
    records = [read_metrics(folder / "run") for folder in folders]
    for of_one, of_two in zip(*records, strict=True):
        for part in ("step", "epoch", "split"):
            assert of_one[part] == of_two[part]
        assert of_two["values"] == pytest.approx(of_one["values"], rel=1e-3, abs=1e-4)


def test_fewer_processes_than_asked_for_do_not_pass(tmp_path):
    finished = run(1, "VAE", tmp_path, 8, asked=2)
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
