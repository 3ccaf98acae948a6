"""A run directory: when it is saved to, what it says, what a resumed run takes from it."""

import json
import os
import re
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from latentia.errors import InputError
from latentia.plots.grids import tile
from latentia.training.checkpoint import Checkpoints
from latentia.training.config import RunConfig
from latentia.training.device import set_threads
from latentia.training.directory import disk_taken, held
from latentia.training.metrics_file import read_metrics
from latentia.training.run import Run
from tests.training.slope import Slope


class State:
    """Stands for a training state in the middle of an epoch."""

    def __init__(self, step=0):
        self.step, self.seconds = step, 0.1234567
        self.sums = {"loss": 1.0}
        self.best_score = None

    def tensors(self):
        return {"w": torch.full((2,), float(self.step))}

    def counters(self):
        return {"step": self.step, "best_score": self.best_score}

    def restore(self, tensors, counters):
        self.step, self.best_score = counters["step"], counters["best_score"]


@pytest.fixture
def clock(monkeypatch):
    """Return a function that sets the time."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return lambda seconds: now.__setitem__(0, 1000.0 + seconds)


def saved(run):
    return sorted(int(p.stem[5:]) for p in (run.path / "checkpoints").glob("step_*.json"))


@contextmanager
def opened(path, resume=False, draw=None):
    begun = RunConfig.read(path) if resume else None
    with held(path, RunConfig("none", {}), begun, {}), Run(path, draw) as run:
        yield run


def test_in_the_middle_of_an_epoch_a_checkpoint_is_due_after_a_minute(tmp_path, clock):
    with opened(tmp_path / "run") as run:
        run.restore(State())
        for step, seconds, expected in (
            (1, 59.0, []),
            (2, 61.0, [2]),
            (3, 100.0, [2]),
            (4, 120.0, [2]),
            (5, 122.0, [2, 5]),
        ):
            clock(seconds)
            run.checkpoint(State(step), None, force=False)
            assert saved(run) == expected


def test_a_checkpoint_is_due_at_an_epochs_end_for_a_best_score_and_when_asked_for(tmp_path, clock):
    with opened(tmp_path / "run") as run:
        state = State()
        run.restore(state)
        for step, sums, best, force, kept in (
            (1, {"loss": 1.0}, False, False, []),
            (2, {"loss": 1.0}, False, True, [2]),
            (3, {}, False, False, [2, 3]),
            (4, {"loss": 1.0}, True, False, [2, 3, 4]),
            (5, {"loss": 1.0}, False, False, [2, 3, 4]),
            (7, {"loss": 1.0}, True, False, [3, 4, 7]),
        ):
            state.step, state.sums, state.best_score = step, sums, 4.5 if best else 6.0
            run.checkpoint(state, best, force=force)
            assert saved(run) == kept
        assert run.checkpoints.best()[1] == {"step": 7, "best_score": 4.5}
        # Killed between the two, a run that is resumed comes to the best one again.
        tensors, counters = run.checkpoints.latest()
        assert counters == {"step": 7, "best_score": 4.5}
        assert tensors["w"].tolist() == [7.0, 7.0]


def test_the_best_is_saved_before_the_last(tmp_path, monkeypatch):
    with opened(tmp_path / "run") as run:
        run.restore(State())
        order = []
        for name in ("save", "save_best"):
            monkeypatch.setattr(
                run.checkpoints, name, lambda *_, name=name, **options: order.append(name)
            )
        run.checkpoint(State(1), True, force=False)
        assert order == ["save_best", "save"]


def test_the_best_score_outlives_an_interruption(tmp_path):
    for resume, step, score in ((False, 1, 2.0), (True, 2, 3.0)):
        with opened(tmp_path / "run", resume) as run:
            state = State(step)
            run.restore(state)
            state.step, state.best_score = step, min(score, state.best_score or score)
            run.checkpoint(state, state.best_score == score, force=True)
    assert Checkpoints(tmp_path / "run" / "checkpoints").best()[1]["step"] == 1
    assert Checkpoints(tmp_path / "run" / "checkpoints").latest()[1]["step"] == 2


def test_what_was_recorded_after_the_checkpoint_gives_way_everywhere(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    path = tmp_path / "run"
    for resume, factor in ((False, 1.0), (True, 100.0)):
        with opened(path, resume) as run:
            state = State()
            run.restore(state)
            assert state.step == (2 if resume else 0)
            for step in range(state.step + 1, 5):
                state.step = step
                run.record(
                    state, step + 10, "train", {"loss": factor * step}, note="odd"[: step % 2 * 3]
                )
                if step == 2:
                    run.checkpoint(state, False, force=True)
            with (path / "metrics.jsonl").open("a") as stream:
                stream.write('{"step": 5, "half a li')
    expected = {1: 1.0, 2: 2.0, 3: 300.0, 4: 400.0}
    records = read_metrics(path)
    assert {r["step"]: r["values"]["loss"] for r in records} == expected
    assert [r["step"] for r in records] == [1, 2, 3, 4]
    assert [r.get("note") for r in records] == ["odd", None, "odd", None]
    assert [(r["epoch"], r["split"], r["seconds"]) for r in records] == [
        (step + 10, "train", 0.123) for step in (1, 2, 3, 4)
    ]
    events = EventAccumulator(str(path / "tensorboard" / "train")).Reload().Scalars("loss")
    assert {event.step: event.value for event in events} == expected
    assert len(events) == 4


def test_the_folder_says_who_holds_it_while_it_is_held(tmp_path):
    with opened(tmp_path / "run") as run:
        assert (run.path / "holder").read_text() == str(os.getpid())
    assert not (tmp_path / "run" / "holder").exists()
    with opened(tmp_path / "run", resume=True):
        pass


@pytest.mark.parametrize(
    ("error", "saves", "resume", "stays"),
    [
        (InputError, False, False, False),
        (InputError, True, False, True),
        (InputError, False, True, True),
        (KeyboardInterrupt, False, False, True),
    ],
)
def test_only_a_new_run_that_is_refused_before_a_checkpoint_is_undone(
    tmp_path, error, saves, resume, stays
):
    if resume:
        with opened(tmp_path / "run"):
            pass

    def broken_off():
        with opened(tmp_path / "run", resume) as run:
            run.restore(State())
            if saves:
                run.checkpoint(State(1), False, force=True)
            raise error

    with pytest.raises(error):
        broken_off()
    assert (tmp_path / "run" / "config.json").exists() == stays


@pytest.mark.parametrize("leads", [True, False])
def test_only_the_first_process_writes(tmp_path, monkeypatch, leads):
    path = tmp_path / "run"
    with opened(path) as run:
        run.restore(State())
        run.checkpoint(State(3), False, force=True)
    before = {p: p.read_bytes() for p in path.rglob("*") if p.is_file()}
    monkeypatch.setenv("RANK", "0" if leads else "1")
    drawn = []
    with opened(path, True, lambda *place: drawn.append(place)) as run:
        state = State()
        run.restore(state)
        assert state.step == 3
        state.step = 4
        run.record(state, 1, "train", {"loss": 1.0})
        run.checkpoint(state, True, force=True)
        run.show(State(), 1)
    after = {p: p.read_bytes() for p in path.rglob("*") if p.is_file()}
    assert (after != before) == leads
    assert drawn == [(path / "samples", 1)] * leads


def test_an_epochs_picture_is_what_was_drawn(tmp_path):
    from PIL import Image

    class Pictured(Slope):
        def epoch_picture(self, x, *beside):
            return [("x", x)]

    x = np.random.default_rng(0).random((5, 4, 6), dtype=np.float32)
    Pictured(n_epochs=2).fit(x, run=tmp_path / "run")
    files = sorted((tmp_path / "run" / "samples").iterdir())
    assert [file.name for file in files] == ["epoch_0001.png", "epoch_0002.png"]
    picture = np.asarray(Image.open(files[1]).convert("RGB"))
    np.testing.assert_array_equal(picture, tile(x, n_columns=8))


def test_nothing_is_kept_without_a_folder_and_the_model_is_examined_all_the_same():
    seen, told = [], []

    def examine(means, earlier, epoch):
        seen.append((means, list(earlier), epoch))
        return {"pulse": float(epoch)}, "ill" * (epoch == 2)

    with Run(None, None, examine, lambda *word: told.append(word)) as run:
        state = State()
        run.restore(state)
        for epoch in (1, 2):
            run.record(state, epoch, "train", {"loss": 0.5})
            run.record(state, epoch, "validation", {"loss": 0.7})
            run.checkpoint(state, True, force=True)
            run.show(state, epoch)
    loss = {"loss": 0.5}
    assert seen == [(loss, [], 1), (loss, [{"pulse": 1.0}], 2)]
    assert told == [(2, "ill")]


def test_a_resumed_run_knows_the_checkups_up_to_its_checkpoint(tmp_path):
    seen = []

    def examine(means, earlier, epoch):
        seen.append(list(earlier))
        return {"pulse": float(epoch)}, "ill"

    path = tmp_path / "run"
    for resume in (False, True):
        begun = RunConfig.read(path) if resume else None
        with held(path, RunConfig("none", {}), begun, {}), Run(path, None, examine) as run:
            state = State()
            run.restore(state)
            for epoch in range(state.step + 1, 4):
                state.step = epoch
                run.record(state, epoch, "train", {"loss": 0.5})
                if epoch == 2:
                    run.checkpoint(state, False, force=True)
    one, two = {"pulse": 1.0}, {"pulse": 2.0}
    assert seen == [[], [one], [one, two], [one, two]]
    health = [r for r in read_metrics(path) if r["split"] == "health"]
    assert [(r["epoch"], r["note"]) for r in health] == [(1, "ill"), (2, "ill"), (3, "ill")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"parameters": {}}, "names no model"),
        ({"model": "none"}, "names no parameters"),
        ({"model": "none", "parameters": [1]}, "parameters must be a table"),
        ({"model": "none", "parameters": {}, "threads": "two"}, "threads must be a whole number"),
        ([1, 2], "must hold a table"),
    ],
)
def test_a_config_that_is_not_a_runs_is_said(tmp_path, content, said):
    (tmp_path / "config.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=said):
        RunConfig.read(tmp_path)


def test_a_run_records_what_it_was_made_of(tmp_path, monkeypatch):
    import importlib.metadata
    import platform

    monkeypatch.setenv("LATENTIA_PRECISION", "float32")
    x = np.random.default_rng(0).random((8, 2, 3), dtype=np.float32)
    model = Slope(n_epochs=1, ema_decay=0.25)
    model.fit(x, run=tmp_path / "run", origin={"name": "made", "samples": "overruled"})
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["model"] == "Slope"
    assert config["parameters"] == model.get_params() | {"random_state": model.seed_}
    assert config["parameters"]["ema_decay"] == 0.25
    digest, content = config["data"].pop("hash"), config["data"].pop("content")
    assert config["data"] == {"name": "made", "samples": 8, "shape": [2, 3]}
    assert config["precision"] == "float32"
    assert config["threads"] == set_threads()
    versions = config["versions"]
    assert versions.pop("python") == platform.python_version()
    assert {"latentia", "torch", "numpy", "scikit-learn", "scipy", "safetensors"} == set(versions)
    assert all(versions[name] == importlib.metadata.version(name) for name in versions)
    x[-1, -1, -1] += 0.001
    Slope(n_epochs=1, random_state=0).fit(x, run=tmp_path / "other")
    other = json.loads((tmp_path / "other" / "config.json").read_text())
    assert other["data"]["hash"] != digest
    assert other["data"]["content"] != content
    assert other["parameters"]["random_state"] == 0


def test_a_second_run_is_told_how_the_first_goes_on(tmp_path):
    RunConfig("none", {}).write(tmp_path)
    with pytest.raises(InputError, match=re.escape(f"'latentia resume {tmp_path}'")):
        RunConfig("none", {}).write(tmp_path)


@pytest.mark.parametrize("asked", [None, 5])
def test_a_resumed_run_has_the_seed_it_began_with(tmp_path, asked):
    x = np.random.default_rng(0).random((8, 2))
    began = Slope(n_epochs=2, random_state=asked).fit(x, run=tmp_path / "run")
    resumed = Slope(n_epochs=2, random_state=asked).fit(x, run=tmp_path / "run", resume=True)
    assert resumed.seed_ == began.seed_
    assert torch.equal(resumed.line_[1].weight, began.line_[1].weight)


@pytest.mark.parametrize("content", ["{", "[1, 2"])
def test_a_config_that_cannot_be_read_is_said(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(InputError, match=r"config\.json cannot be read"), opened(tmp_path, True):
        pass


def test_of_many_epochs_few_are_drawn(tmp_path):
    def drawn(folder, epoch):
        (folder / f"epoch_{epoch:04d}.png").write_bytes(b"")

    with Run(tmp_path, drawn) as run:
        run.events = SimpleNamespace(add_drawn=lambda *_: None, close=lambda: None)
        for epoch in range(1, 91):
            run.show(State(epoch), epoch, last=epoch == 90)
    found = [int(p.stem[6:]) for p in sorted((tmp_path / "samples").glob("*.png"))]
    assert found == [*range(1, 11), 20, 40, 80, 90]


@pytest.mark.parametrize(("room", "training", "ended"), [(10**6, 3, 3), (100, 2, 1)])
def test_fewer_checkpoints_are_kept_of_large_ones(room, training, ended, tmp_path, monkeypatch):
    monkeypatch.setattr("latentia.training.checkpoint.ROOM", room)
    with opened(tmp_path / "run") as run:
        run.restore(State())
        for step in range(1, 6):
            run.checkpoint(State(step), step == 2, force=True)
        assert saved(run) == [1, 2, 3, 4, 5][-training:]
        run.checkpoint(State(6), False, force=True, over=True)
        assert saved(run) == [2, 3, 4, 5, 6][-ended:]
        assert run.checkpoints.best()[1]["step"] == 2


def test_what_a_run_takes_of_the_disk_is_said_by_its_parts(tmp_path):
    for name, n in {
        "model/model.safetensors": 11_400_000,
        "checkpoints/step_00000004.safetensors": 2_000_000,
        "checkpoints/step_00000005.safetensors": 2_100_000,
        "samples/epoch_0001.png": 300_000,
        "tensorboard/epochs/events": 400_000,
        "report.html": 500_000,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(n))
    assert disk_taken(tmp_path) == (
        f"{tmp_path}: 17 MB: model 11 MB, 2 checkpoints 4.1 MB, pictures 0.3 MB, "
        "tensorboard 0.4 MB, report and records 0.5 MB"
    )
    (tmp_path / "checkpoints" / "step_00000004.safetensors").unlink()
    (tmp_path / "checkpoints" / "best.safetensors").write_bytes(bytes(1_000_000))
    (tmp_path / "report.html").write_bytes(bytes(21_400))
    told = disk_taken(tmp_path)
    assert "1 checkpoint and the best 3.1 MB" in told
    assert told.endswith("report and records 21 kB")


def test_a_file_that_goes_while_the_disk_is_counted_is_not_counted(tmp_path, monkeypatch):
    for name in ("report.html", "gone.json"):
        (tmp_path / name).write_bytes(bytes(200_000))
    looked_at = Path.is_file

    def is_file(path, *given):
        if path.name == "gone.json":
            raise FileNotFoundError(path)
        return looked_at(path, *given)

    monkeypatch.setattr(Path, "is_file", is_file)
    assert disk_taken(tmp_path) == f"{tmp_path}: 0.2 MB: report and records 0.2 MB"
