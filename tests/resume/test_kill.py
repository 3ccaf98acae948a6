"""kill -9 at random moments, resume, and end with the bytes of the undisturbed run."""

import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from latentia.cli.main import main
from latentia.evaluation import runs as jobs
from latentia.training.metrics_file import read_metrics
from tests.children import ROOT, Forked, environment
from tests.resume.train_once import train

EPOCHS_A_KILL = {"VAE": 10, "DCGAN": 6}
"""Between two kills: a busy machine, which sees a line late, still finds a process to kill."""


def go_on(name, run, resume, n_epochs):
    """Start a training process that has imported all that it needs."""
    return Forked(lambda: train(name, run, resume=resume, n_epochs=n_epochs))


def start(name, run, resume, n_epochs):
    """Start a training process in a new interpreter."""
    words = [name, str(run), "resume" if resume else "begin", str(n_epochs)]
    command = [sys.executable, "-m", "tests.resume.train_once", *words]
    return subprocess.Popen(command, cwd=ROOT, env=environment())


def train_under_kills(name, run, n_kills, whole, seed, begin):
    """Kill the training ``n_kills`` times, at a random moment of each part of it, then finish.

    What has passed is counted in lines of the metrics, which a faster machine does not outrun.
    """
    draw = random.Random(seed)
    n_epochs = whole[-1]["epoch"]
    n_lines, epoch_seconds = len(whole), whole[-1]["seconds"] / n_epochs
    killed = 0
    while killed < n_kills:
        begun = (run / "config.json").exists()
        process = begin(name, run, begun, n_epochs)
        before = time.monotonic()
        metrics = run / "metrics.jsonl"
        size = metrics.stat().st_size if metrics.exists() else 0
        enough = n_lines * (killed + draw.random()) / (n_kills + 1)
        while process.poll() is None and time.monotonic() - before < 60:
            content = metrics.read_bytes() if metrics.exists() else b""
            if len(content) != size and content.count(b"\n") >= enough:
                break
            time.sleep(0.01)
        time.sleep(draw.uniform(0, epoch_seconds))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        if process.returncode == 0:
            break
    if not (run / "model").exists():
        train(name, run, resume=True, n_epochs=n_epochs)
    return killed


def check_kills(name, folder, n_kills, begin=start):
    train(name, folder / "whole", resume=False, n_epochs=EPOCHS_A_KILL[name] * (n_kills + 1))
    whole = read_metrics(folder / "whole")
    killed = train_under_kills(name, folder / "killed", n_kills, whole, n_kills, begin)
    weights = [folder / run / "model" / "model.safetensors" for run in ("whole", "killed")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    metrics = [(folder / run / "metrics.jsonl").read_text() for run in ("whole", "killed")]
    assert len(metrics[0].splitlines()) == len(metrics[1].splitlines())
    assert not list((folder / "killed" / "checkpoints").glob("*.tmp"))
    return killed


def test_two_kills_leave_no_trace(tmp_path):
    assert check_kills("DCGAN", tmp_path, n_kills=2, begin=go_on) == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["VAE", "DCGAN"])
def test_twenty_kills_leave_no_trace(name, tmp_path):
    assert check_kills(name, tmp_path, n_kills=20) == 20


SMALL_GAN = "--scale 2 --n-blocks 1 --width 4 --discriminator-width 2 --pretrain-epochs 12"
TRANSLATORS = {
    "pix2pix": ("--width 4", ["metrics.jsonl"]),
    "srgan": (SMALL_GAN, ["pretraining/metrics.jsonl", "metrics.jsonl"]),
}
"""Options, and the files in whose growth training is killed, one after the other."""


def kill_when_grown(words, path, n_lines):
    """Start a command, and kill it when it has written some lines."""
    command = [sys.executable, "-m", "latentia", *words]
    process = subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE)
    began = time.monotonic()
    while process.poll() is None and time.monotonic() - began < 60:
        if path.exists() and path.read_bytes().count(b"\n") >= n_lines:
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    errors = process.stderr.read().decode()
    process.stderr.close()
    assert process.returncode == -signal.SIGKILL, errors


@pytest.mark.parametrize("name", ["srgan", pytest.param("pix2pix", marks=pytest.mark.slow)])
def test_a_killed_command_leaves_no_trace(name, tmp_path, monkeypatch):
    """tests/faults kills pix2pix, and a model of every other family, without a new interpreter."""
    check_command(name, TRANSLATORS[name][1][-1:], tmp_path, monkeypatch)


@pytest.mark.slow
def test_a_command_killed_in_pretraining_too_leaves_no_trace(tmp_path, monkeypatch):
    check_command("srgan", TRANSLATORS["srgan"][1], tmp_path, monkeypatch)


def check_command(name, growing, tmp_path, monkeypatch):
    monkeypatch.setenv("LATENTIA_THREADS", "1")
    draw = np.random.default_rng(0)
    x, y = draw.random((2, 48, 16, 16), dtype=np.float32)
    np.savez(tmp_path / "data.npz", **({"x": x, "y": y} if name == "pix2pix" else {"images": x}))
    options = TRANSLATORS[name][0]
    # Reports are not what is in question, and take longer than the training.
    monkeypatch.setattr(jobs, "finish", lambda *arguments: None)
    words = f"train {name} {options} --n-epochs 12 --batch-size 16 --random-state 0 --data"
    order = [*words.split(), str(tmp_path / "data.npz"), "--run"]
    assert main([*order, str(tmp_path / "whole")]) == 0
    killed = tmp_path / "killed"
    for file in growing:
        begun = (killed / "config.json").exists()
        words = ["resume", str(killed)] if begun else [*order, str(killed)]
        kill_when_grown(words, killed / file, n_lines=4)
        assert not (killed / "model").exists()
    assert main(["resume", str(killed)]) == 0
    for file in ("model/model.safetensors", "pretraining/model/model.safetensors"):
        paths = [folder / file for folder in (tmp_path / "whole", killed)]
        assert paths[0].exists() == paths[1].exists() == (name == "srgan" or "pre" not in file)
        if paths[0].exists():
            assert paths[0].read_bytes() == paths[1].read_bytes()
    lines = [(tmp_path / run / "metrics.jsonl").read_text() for run in ("whole", "killed")]
    assert len(lines[0].splitlines()) == len(lines[1].splitlines())
