"""A studio of a folder of runs, and a browser's stand-in that has its key."""

import asyncio
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

pytest.importorskip("fastapi", reason="needs the extra studio")

from starlette.testclient import TestClient

from latentia.studio.app import make
from latentia.studio.folder import RunsFolder

PORT, TOKEN = 8642, "the-key-of-this-start"
HOME = f"http://127.0.0.1:{PORT}"
MOST = 300_000
RECORDS = [
    {"step": 4, "epoch": 1, "split": "train", "values": {"negative_elbo": 31.5}, "seconds": 0.4},
    {"step": 4, "epoch": 1, "split": "validation", "values": {"negative_elbo": 15.25}},
    {"step": 8, "epoch": 2, "split": "train", "values": {"negative_elbo": 5.0}, "seconds": 0.9},
    {
        "step": 8,
        "epoch": 2,
        "split": "health",
        "values": {"left": 0.6},
        "note": "undertrained: 60% are left",
    },
]


def finished(coroutine):
    """Run a coroutine to its end, in a thread: playwright's own loop may run in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def as_browser(app):
    """Return a browser's stand-in with the key, which is answered failures as a browser is."""
    own = TestClient(app, base_url=HOME, raise_server_exceptions=False)
    own.cookies.set(f"latentia-{PORT}", TOKEN, domain="127.0.0.1")
    return own


def running_instead(monkeypatch, code):
    """Let each process that is begun run other code; return each command and its process."""
    started, real = [], subprocess.Popen

    def popen(command, **given):
        started.append((command, real([sys.executable, "-c", code], **given)))
        return started[-1][1]

    monkeypatch.setattr(subprocess, "Popen", popen)
    return started


@contextmanager
def typed(word):
    """Let a word stand typed where this process, and what it starts, reads by default."""
    keyboard, hand = os.pipe()
    before = os.dup(0)
    os.write(hand, word.encode())
    os.close(hand)
    try:
        os.dup2(keyboard, 0)
        yield
    finally:
        os.dup2(before, 0)
        os.close(before)
        os.close(keyboard)


def written_run(folder, name="vae-1", whole=True, model="VAE"):
    """Write what the studio reads of a run that the library wrote."""
    run = folder / name
    (run / "samples").mkdir(parents=True)
    config = {"model": model, "parameters": {"n_epochs": 2}, "data": {"spec": "digits"}}
    (run / "config.json").write_text(json.dumps(config))
    (run / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in RECORDS))
    for epoch in (1, 2):
        (run / "samples" / f"epoch_{epoch:04d}.png").write_bytes(b"\x89PNG picture %d" % epoch)
    if whole:
        (run / "report.html").write_text("<!doctype html><p>report</p>")
        (run / "evaluation.json").write_text(json.dumps({"negative_elbo": 5.5, "seconds": 1.0}))
    return run


@pytest.fixture
def studio(tmp_path):
    """Return an application, a client with the key, one without, and the folder of runs."""
    folder = RunsFolder(tmp_path / "runs")
    app = make(folder, PORT, TOKEN, most_upload=MOST)
    own = TestClient(app, base_url=HOME, headers={"origin": HOME}, follow_redirects=False)
    own.cookies.set(f"latentia-{PORT}", TOKEN, domain="127.0.0.1")
    stranger = TestClient(app, base_url=HOME, follow_redirects=False)
    folder.path.mkdir()
    return SimpleNamespace(
        app=app, own=own, stranger=stranger, runs=folder.path, folder=folder,
        queue=app.state.studio.queue,
    )  # fmt: skip
