"""Two processes train what one process with the doubled batch trains."""

import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import safetensors.numpy
import torch

import latentia
from latentia.cli.main import main
from latentia.errors import InputError
from latentia.evaluation import runs
from latentia.training import launch
from latentia.training.config import RunConfig
from latentia.training.distributed import process_group, seconds_to_wait
from latentia.training.launch import run_processes
from latentia.training.metrics_file import read_metrics
from tests.children import environment, forked
from tests.distributed.train_rank import NAMES, trained


@pytest.fixture(scope="module")
def of_two(two):
    """Return the folder of every model that two processes trained."""
    folder, errors = two
    assert (folder / NAMES[-1] / "model").exists(), errors[-3000:]
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


def test_fewer_processes_than_asked_for_do_not_pass(monkeypatch):
    monkeypatch.setenv("LATENTIA_DEVICES", "2")
    with (
        pytest.raises(InputError, match="2 processes were asked for and 1 started"),
        process_group(torch.device("cpu")),
    ):
        pass


@pytest.mark.parametrize("asked", ["soon", "0", "-1", "nan"])
def test_a_time_limit_is_a_number_of_seconds(asked, monkeypatch):
    monkeypatch.setenv("LATENTIA_TIMEOUT", asked)
    with pytest.raises(InputError, match=f"LATENTIA_TIMEOUT is '{asked}'"):
        seconds_to_wait()


WORDS = "train vae --random-state 0 --n-epochs 3 --n-components 2 --hidden 8 --data"
KILLED_AT_STEP_EIGHT = """
import os, signal, sys
from latentia.cli.main import main
from latentia.models.autoencoders.vae import VAE
from latentia.training import run
run.CHECKPOINT_SECONDS = 0
plain, left = VAE.bound_loss, [8]
def loss(self, *batch):
    left[0] -= 1
    if left[0] == 0 and os.environ["RANK"] == "1":
        os.kill(os.getpid(), signal.SIGKILL)
    return plain(self, *batch)
VAE.bound_loss = loss
sys.exit(main(sys.argv[1:]))
"""


def test_a_lost_process_is_named_and_the_run_goes_on_in_as_many(tmp_path, monkeypatch, capfd):
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    images = np.random.default_rng(0).random((64, 8, 8), dtype=np.float32)
    np.savez(tmp_path / "data.npz", images=images)
    data, one, two = (str(tmp_path / name) for name in ("data.npz", "one", "two"))
    words = [*WORDS.split(), data, "--run", two, "--batch-size", "8"]
    status, sentence = run_processes([sys.executable, "-c", KILLED_AT_STEP_EIGHT, *words], 2)
    assert status == 1
    assert sentence.startswith("process 1 of 2 (counted from 0) was killed by SIGKILL")
    assert "Traceback" not in capfd.readouterr().err
    again = ["-m", "latentia", "train", "--resume", two]
    with monkeypatch.context() as within:
        # Each new interpreter imports torch, and the lost ones were new.
        popen = forked(lambda words: main(words[3:]) if words[1:] == again else "other words")
        within.setattr(launch, "subprocess", SimpleNamespace(Popen=popen, PIPE=subprocess.PIPE))
        assert main(["resume", two]) == 0
    assert capfd.readouterr().out.strip() == f"{two}/report.html"
    assert Path(two, "report.html").exists()
    monkeypatch.setattr(runs, "finish", lambda *given: None)
    assert main([*WORDS.split(), data, "--run", one, "--batch-size", "16"]) == 0
    by_one, by_two = (latentia.load(run).transform(images) for run in (one, two))
    np.testing.assert_allclose(by_two, by_one, atol=1e-5)
    # Also of the epoch that began before the loss: the sums of both processes go on.
    means = [
        [r["values"] for r in read_metrics(Path(run)) if r["split"] == "train"]
        for run in (one, two)
    ]
    assert means[1] == [pytest.approx(values, rel=1e-5) for values in means[0]]


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def on_two_nodes(*words):
    """Run a command as torchrun does on two machines, which are both this one."""
    launcher = ["-m", "torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1"]
    meeting = ["--master-addr", "127.0.0.1", "--master-port", str(free_port())]
    nodes = [
        subprocess.Popen(
            [sys.executable, *launcher, *meeting, "--node-rank", rank, "-m", "latentia", *words],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for rank in "01"
    ]
    return [(node.communicate(timeout=300)[0].decode(), node.returncode) for node in nodes]


@pytest.mark.slow
def test_two_nodes_train_what_one_process_trains_and_go_on(tmp_path, monkeypatch):
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    images = np.random.default_rng(0).random((64, 8, 8), dtype=np.float32)
    np.savez(tmp_path / "data.npz", images=images)
    data, one, two = (str(tmp_path / name) for name in ("data.npz", "one", "two"))
    words = [*WORDS.split(), data, "--run-directory", two, "--batch-size", "8"]
    for told in (on_two_nodes(*words), on_two_nodes("resume", two, "--n-epochs", "6")):
        assert [status for _, status in told] == [0, 0], told
    longer = [word if word != "3" else "6" for word in WORDS.split()]
    assert main([*longer, data, "--run", one, "--batch-size", "16"]) == 0
    by_one, by_two = (latentia.load(run).transform(images) for run in (one, two))
    np.testing.assert_allclose(by_two, by_one, atol=1e-5)
