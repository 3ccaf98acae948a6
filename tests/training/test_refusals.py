"""What a run and its parts refuse, each in its whole sentence, with the values that were given."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import latentia
from latentia.errors import InputError
from latentia.training.batches import Source
from latentia.training.checkpoint import Checkpoints
from latentia.training.config import RunConfig, read_config, write_config
from latentia.training.device import asked_precision, check_device_name, find_device, set_threads
from latentia.training.directory import refuse_foreign
from latentia.training.distributed import process_group, seconds_to_wait
from latentia.training.further import chosen, epochs_in_all, extended, going_on
from latentia.training.going_back import take_back
from latentia.training.metrics_file import read_metrics
from latentia.training.run import Run

PARAMETERS = {"n_epochs": 3, "beta": 2.0}
BEGUN = {"model": "VAE", "parameters": PARAMETERS, "data": {"n": 5, "content": "a"}}

RECORD = '{"step": 4, "epoch": 1, "split": "train", "values": {"loss": 2.0}, "seconds": 0.5}\n'


def folder(path: Path, **content: object) -> Path:
    path.mkdir()
    write_config(path, content)
    return path


def refuse(tensors, counters):
    raise RuntimeError("a net of another width,\n" * 30)


def check(there, here):
    """Go on with a run of a release that knew no ``width``."""
    new = BEGUN | {"parameters": PARAMETERS | {"width": 4}} | here
    RunConfig(**new).check_same(RunConfig(**BEGUN | there), {"width": 4}, Path("runs/r"))


ANOTHER = {
    "model: VAE there, GAN here": {"model": "GAN"},
    "parameters: width 4 there, 7 here, beta 2.0 there, 4.0 here": {
        "parameters": {"n_epochs": 3, "beta": 4.0, "width": 7}
    },
    "data: n 5 there, 6 here, content 'a' there, 'b' here, size 'absent' there, 9 here": {
        "data": {"n": 6, "content": "b", "size": 9}
    },
    "number of processes: 2 there, 3 here; start as many processes as there": {"world_size": 3},
}


def of_folders(path):
    model = folder(path / "model", model="PCA", parameters={}, learned={"a": 1})
    bare, held = folder(path / "bare", model="PCA"), folder(path / "held", **BEGUN)
    later = folder(path / "later", **BEGUN, colour=3, versions={"latentia": "9.8"})
    many = folder(path / "many", **BEGUN, threads=0)
    (path / "torn").mkdir()
    (path / "torn/config.json").write_text("{")
    alien = Run(folder(path / "alien", **BEGUN))
    alien.checkpoints.save(4, {"weight": torch.ones(2)}, {"step": 4})
    unfit = SimpleNamespace(restore=refuse)
    (path / "gone").mkdir()
    gone = Run(path / "gone")
    gone.checkpoints.save(4, {}, {}, {"bytes": 99, "sha256": "0"})
    (path / "list").mkdir()
    (path / "list/config.json").write_text("[1]")
    (path / "mine").mkdir()
    (path / "mine/metrics.jsonl").write_text(RECORD + RECORD[:9] + "\n" + RECORD)
    (path / "cut/checkpoints").mkdir(parents=True)
    (path / "cut/checkpoints/step_00000004.json").write_text("{}")
    changed = folder(path / "changed", **BEGUN)
    told = (changed / "config.json").read_text()
    (changed / "config.json").write_text(told.replace('"VAE"', '"GAN"'))
    return {
        f"{path} holds no run and no saved model: it has no config.json": lambda: read_config(path),
        f"{bare} holds no run: its config.json names no parameters": lambda: RunConfig.read(bare),
        f"{model} holds no run but a saved model, which is trained": lambda: RunConfig.read(model),
        f"{path / 'torn/config.json'} cannot be read: Expecting property name enclosed in double "
        "quotes: line 1 column 2 (char 1)": lambda: read_config(path / "torn"),
        f"the checkpoint in {path / 'alien'} is not of this model and these parameters: "
        f"{'a net of another width, ' * 9:.200}": lambda: alien.restore(unfit),
        f"{path / 'gone/metrics.jsonl'} is damaged before the oldest checkpoint: put back a copy, "
        "or remove it to go on without the values up to here": lambda: gone.checkpoints.latest_with(
            lambda seal: False
        ),
        f"{path / 'list/config.json'} cannot be read: it must hold a table": lambda: read_config(
            path / "list"
        ),
        f"{changed / 'config.json'} is damaged or was changed: its SHA-256 is not the one in it; "
        "put back a copy, or train anew elsewhere": lambda: read_config(changed),
        f"{held} already holds a run: resume it with 'latentia resume {held}', or choose another "
        "directory": lambda: RunConfig(**BEGUN).write(held),
        f"{later / 'config.json'}: it holds a field 'colour' that Latentia {latentia.__version__} "
        "does not know; it was written by version 9.8: use that version or a newer one": lambda: (
            read_config(later)
        ),
        f"{many / 'config.json'}: threads must be a whole number from 1 to 1024, and is 0": (
            lambda: read_config(many)
        ),
        "the run's config.json names no whole number as seed, but 'a'": lambda: (
            RunConfig("VAE", {"random_state": "a"}).seed
        ),
        f"{path / 'mine/metrics.jsonl'} is damaged in line 2: put back a copy, or remove it to go "
        "on without the values up to here": lambda: read_metrics(path / "mine"),
        f"every checkpoint in {path / 'cut/checkpoints'} is damaged: train anew elsewhere": (
            lambda: Checkpoints(path / "cut/checkpoints").latest()
        ),
        f"{path / 'mine'} holds metrics.jsonl, which no run of Latentia's in it made: choose "
        "another directory": lambda: refuse_foreign(path / "mine"),
    }


def of_longer_runs(path):
    """Two steps an epoch, of which the first and the third kept a checkpoint."""
    record = {"split": "train", "values": {"loss": 2.0}, "seconds": 0.5}
    run, fresh, fixed = (
        folder(path / name, model=model, parameters=parameters, data={"n": 5})
        for name, model, parameters in (
            ("run", "VAE", {"n_epochs": 4}),
            ("fresh", "VAE", {"n_epochs": 4}),
            ("fixed", "PCA", {"n_components": 2}),
        )
    )
    lines = [json.dumps({**record, "step": 2 * n, "epoch": n}) for n in (1, 2, 3)]
    (run / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    kept = Checkpoints(run / "checkpoints")
    for step in (2, 6):
        kept.save(step, {"weight": torch.ones(step)}, {"step": step})
    begun = RunConfig.read(run)
    return {
        f"the run in {run} has had 3 epochs, and n_epochs = 2 is how many it is to have in all: "
        "give more than 3, or with the command line --more-epochs": lambda: extended(begun, 2, run),
        f"{fresh} keeps no checkpoint to go back to: no epoch of it has ended": lambda: chosen(
            fresh, "1"
        ),
        f"the run in {run} keeps no checkpoint of epoch 2, but of 1, 3": lambda: chosen(run, "2"),
        f"the run in {run} has no best checkpoint, since no held-out value says which is; it keeps "
        "those of epochs 1, 3": lambda: chosen(run, "best"),
        f"{fresh} exists: choose another directory, or an empty one, with --out": lambda: take_back(
            run, "1", fresh
        ),
        "PCA is fitted at once: there are no more epochs to train": lambda: epochs_in_all(fixed, 2),
        f"the best weights of the run in {run} are those from before its first epoch, or damaged; "
        "it can be taken back to epochs 1, 3": lambda: (
            kept.save_best({}, {"step": 0}) or chosen(run, "best")
        ),
    }


def of_arrays(path):
    rows = np.zeros((4, 5))
    return {
        "data have 5 dimensions; give (n, d), (n, H, W) or (n, C, H, W)": lambda: Source(
            np.zeros((1, 2, 3, 4, 5))
        ),
        "the data hold 0 samples": lambda: Source(rows[:0]),
        "the data are of type <U1; give numbers": lambda: Source(np.full((2, 3), "a")),
        "there are 4 samples and 3 targets": lambda: Source(rows, np.zeros(3)),
        "sample 2 holds NaN or infinity; remove it or fill it in": lambda: Source(
            np.where(np.arange(20).reshape(4, 5) == 13, np.nan, 0)
        ),
    }


def of_devices(path):
    return {
        "device is 'cuda:x'; it must be one of auto, cpu, cuda, mps; did you mean 'cuda'?": (
            lambda: check_device_name("cuda:x")
        ),
        "device 'cpu:3' is not on this machine; the last one is 'cpu:0'": lambda: find_device(
            "cpu:3"
        ),
        "device 'mps' is not on this machine; use 'cpu' or 'auto'": lambda: find_device("mps"),
        "3 processes were asked for and 2 started: start them with torchrun": (
            lambda: process_group(torch.device("cpu")).__enter__()
        ),
        "LATENTIA_TIMEOUT is 'soon'; it must be a number of seconds above 0": seconds_to_wait,
        "LATENTIA_THREADS is '0'; it must be a whole number from 1 to 1024": set_threads,
        "LATENTIA_PRECISION is 'half'; it must be one of auto, float32, bfloat16": asked_precision,
    }


@pytest.mark.parametrize("kind", [of_folders, of_longer_runs, of_arrays, of_devices])
def test_every_refusal_names_what_was_given(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setenv("LATENTIA_THREADS", "0")
    monkeypatch.setenv("LATENTIA_PRECISION", "half")
    monkeypatch.setenv("LATENTIA_TIMEOUT", "soon")
    monkeypatch.setenv("LATENTIA_DEVICES", "3")
    monkeypatch.setenv("WORLD_SIZE", "2")
    for sentence, asked in kind(tmp_path).items():
        with pytest.raises(InputError) as refused:
            asked()
        assert str(refused.value) == sentence


@pytest.mark.parametrize("differing", ANOTHER)
def test_a_run_begun_as_another_says_what_was_there_and_what_is_here(differing):
    check({"world_size": 2}, {"world_size": 2})
    with pytest.raises(InputError) as refused:
        check({"world_size": 2}, {"world_size": 2} | ANOTHER[differing])
    assert str(refused.value) == f"the run in runs/r was started with another {differing}"


def test_a_run_that_goes_on_says_from_where_to_where_and_what_is_spread_anew(tmp_path):
    kept = Checkpoints(tmp_path / "checkpoints")
    kept.save(6, {}, {"step": 6})
    record = {"step": 6, "epoch": 3, "split": "train", "values": {}, "seconds": 0.5}
    (tmp_path / "metrics.jsonl").write_text(json.dumps(record) + "\n")

    def said(warmup, schedule):
        spread = {"learning_rate_schedule": schedule, "beta_warmup_epochs": warmup}
        parameters = {"n_epochs": 8} | spread
        config = RunConfig("VAE", parameters, stages=[{"step": 6, "n_epochs": 4}])
        return [*going_on(config, tmp_path)]

    anew = "is spread over all 8 epochs from here on: this is not the same as training them at once"
    first = (
        f"the run in {tmp_path} was planned for 4 epochs and has had 3; it goes on to 8 in all, 5 "
        "more"
    )
    assert said(4, "constant") == [first]
    assert said(5, "linear") == [
        first,
        f"its learning_rate_schedule (linear) {anew}",
        f"its beta_warmup_epochs (5) {anew}",
    ]
