"""A tiny training of every family, as a command, and what it leaves when nothing happens."""

import json
from pathlib import Path

import numpy as np

from latentia.cli.main import main
from latentia.evaluation import runs
from latentia.models.language import recurrent
from tests.faults.disk import KILLED, Disk, command, failing

EPOCHS = ["--n-epochs", "3", "--batch-size", "8", "--random-state", "0"]
TABLE, FEW = ["--data", "table.npy"], ["--n-components", "2"]
FAMILIES = {
    "pca": [*FEW, *TABLE],
    "factor-analysis": [*FEW, *TABLE],
    "autoencoder": [*FEW, "--hidden", "4", *TABLE, *EPOCHS],
    "vae": [*FEW, "--hidden", "4", *TABLE, *EPOCHS],
    "gan": [*FEW, "--hidden", "4", *TABLE, *EPOCHS],
    "pix2pix": ["--width", "2", "--data", "pairs.npz", *EPOCHS],
    "lstm": [
        "--n-units",
        "4",
        "--n-embedding",
        "3",
        "--window",
        "7",
        "--data",
        "cats.txt",
        *EPOCHS,
    ],
}
CLOSED_FORM = ("pca", "factor-analysis")


def write_data(folder):
    draw = np.random.default_rng(0)
    np.save(folder / "table.npy", draw.random((20, 6)))
    x, y = draw.random((2, 14, 16, 16), dtype=np.float32)
    np.savez(folder / "pairs.npz", x=x, y=y)
    (folder / "cats.txt").write_text("the cat sat on the mat. " * 12)


def make_cheap(patched):
    """Leave out what takes longer than the training: reports and long excerpts."""
    patched.setattr(runs, "finish", lambda *arguments: None)
    patched.setattr(recurrent, "EXCERPT", 5)


def words(name, run):
    return ["train", name, *FAMILIES[name], "--run", str(run)]


def on_again(name, run):
    """Return the command that a user gives after a failure: go on, or begin where nothing is."""
    return ["resume", str(run)] if (run / "config.json").exists() else words(name, run)


def left(run):
    """Return all that counts of a finished run: weights, what goes with them, and metrics.

    How long it took is another each time, and so is the checksum of what tells it.
    """
    metrics = run / "metrics.jsonl"
    lines = metrics.read_text().splitlines() if metrics.exists() else []
    config = json.loads((run / "model" / "config.json").read_text())
    assert config.pop("sha256")
    told = config["learned"].pop("records_", [])
    records = [without_seconds(each) for each in (*map(json.loads, lines), *told)]
    return (run / "model" / "model.safetensors").read_bytes(), config, records


def without_seconds(record):
    return {name: value for name, value in record.items() if name != "seconds"}


def stopped_midway(name, run, folder):
    """Leave a run that was killed before its last checkpoint was in place, or before its model."""
    with failing(Disk(folder)) as disk:
        assert main(words(name, run.with_name("counted"))) == 0
    what, place = ("mkdir", "") if name in CLOSED_FORM else ("replace", "checkpoints")
    k = max(k for k, done in enumerate(disk.done, 1) if done[0] == what and place in done[1])
    assert command(words(name, run), Disk(folder, k=k), folder / "said")[0] == KILLED
    return run


def copied(run, target):
    """Copy a run or a saved model, small as it is."""
    for path in sorted(Path(run).rglob("*")):
        to = target / path.relative_to(run)
        if path.is_dir():
            to.mkdir(parents=True, exist_ok=True)
        else:
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(path.read_bytes())
    return target
