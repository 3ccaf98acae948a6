"""kill -9 at random moments, resume, and end with the bytes of the undisturbed run."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
N_EPOCHS = {"VAE": 120, "DCGAN": 60}


def start(name, run, resume):
    """Start a training process."""
    words = [name, str(run), "resume" if resume else "begin", str(N_EPOCHS[name])]
    environment = os.environ | {"LATENTIA_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.resume.train_once", *words]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE)


def train_under_kills(name, run, n_kills, seconds, seed):
    """Kill the training ``n_kills`` times, each at a random moment after it began, then finish."""
    delays = random.Random(seed)
    killed = 0
    while killed < n_kills:
        begun = (run / "config.json").exists()
        process = start(name, run, resume=begun)
        before = time.monotonic()
        metrics = run / "metrics.jsonl"
        size = metrics.stat().st_size if metrics.exists() else 0
        while process.poll() is None and time.monotonic() - before < 60:
            if metrics.exists() and metrics.stat().st_size != size:
                break
            time.sleep(0.01)
        time.sleep(delays.uniform(0, seconds / n_kills))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        process.stderr.close()
        if process.returncode == 0:
            break
    if not (run / "model").exists():
        process = start(name, run, resume=True)
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors.decode()
    return killed


def check_kills(name, folder, n_kills):
    process = start(name, folder / "whole", resume=False)
    began = time.monotonic()
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors.decode()
    took = time.monotonic() - began
    killed = train_under_kills(name, folder / "killed", n_kills, min(took, 6.0), seed=n_kills)
    weights = [folder / run / "model" / "model.safetensors" for run in ("whole", "killed")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    metrics = [(folder / run / "metrics.jsonl").read_text() for run in ("whole", "killed")]
    assert len(metrics[0].splitlines()) == len(metrics[1].splitlines())
    assert not list((folder / "killed" / "checkpoints").glob("*.tmp"))
    return killed


@pytest.mark.parametrize("name", ["VAE", "DCGAN"])
def test_two_kills_leave_no_trace(name, tmp_path):
    assert check_kills(name, tmp_path, n_kills=2) == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["VAE", "DCGAN"])
def test_twenty_kills_leave_no_trace(name, tmp_path):
    assert check_kills(name, tmp_path, n_kills=20) == 20
