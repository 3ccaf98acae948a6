"""``metrics.jsonl`` and the checkpoints that count on it."""

import errno
import json
import os
from pathlib import Path

import pytest

from latentia.errors import InputError
from latentia.models.autoencoders.vae import VAE
from latentia.training.checkpoint import Checkpoints
from latentia.training.metrics_file import MetricsFile, read_metrics
from tests.conftest import small_models


def model():
    return small_models()["VAE"].set_params(n_epochs=4)


@pytest.fixture(autouse=True)
def without_checkups(monkeypatch):
    """Let each epoch leave one line."""
    monkeypatch.setattr(VAE, "checkup", lambda *given, **more: ({}, ""))


@pytest.fixture
def whole(images, tmp_path):
    """Return a run of four epochs, of which the last checkpoint is gone, and its records."""
    run = tmp_path / "run"
    model().fit(images, run=run)
    records = values(run)
    for last in sorted((run / "checkpoints").glob("step_*"))[-2:]:
        last.unlink()
    return run, records


def values(run):
    return [{k: v for k, v in r.items() if k != "seconds"} for r in read_metrics(run)]


def alter(run, line, old=b"negative", new=b"positive"):
    path = run / "metrics.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line] = lines[line].replace(old, new, 1)
    path.write_bytes(b"".join(lines))


@pytest.mark.parametrize("damage", [(b"1", b"7"), (b"{", b"\xff"), (b"\n", b"")])
def test_damage_after_a_checkpoint_costs_the_epochs_after_it(damage, whole, images, caplog):
    run, records = whole
    alter(run, 2, *damage)
    model().fit(images, run=run, resume=True)
    assert values(run) == records
    assert (
        "metrics.jsonl is damaged before step_00000006; trying the checkpoint before" in caplog.text
    )


@pytest.mark.parametrize("tail", [b'{"step": 13, "val', b"\xff\xfe\n", b"\0" * 40])
def test_what_is_broken_at_the_end_is_cut_back_and_said(tail, whole, images, caplog):
    run, records = whole
    with (run / "metrics.jsonl").open("ab") as stream:
        stream.write(tail)
    model().fit(images, run=run, resume=True)
    assert values(run) == records
    assert "metrics.jsonl is damaged at its end: cut back to step 6" in caplog.text


def test_what_was_only_written_after_the_checkpoint_gives_way_in_silence(whole, images, caplog):
    run, records = whole
    model().fit(images, run=run, resume=True)
    assert values(run) == records
    assert caplog.text == ""


def test_damage_before_the_oldest_checkpoint_is_refused_with_a_way_out(whole, images, caplog):
    run, records = whole
    alter(run, 0, b"1", b"7")
    with pytest.raises(InputError, match=r"is damaged before the oldest checkpoint: .* remove it"):
        model().fit(images, run=run, resume=True)
    (run / "metrics.jsonl").unlink()
    resumed = model().fit(images, run=run, resume=True)
    assert "metrics.jsonl is missing: the values up to step 6 are lost" in caplog.text
    assert values(run) == records[3:]
    assert resumed.score(images) == model().fit(images).score(images)


def unsealed(run):
    """Make checkpoints what version 0.1.0 wrote, which knew nothing of metrics."""
    checkpoints = Checkpoints(run / "checkpoints")
    for path in sorted(checkpoints.folder.glob("step_*.json")):
        tensors, state, _ = checkpoints.read(path.stem)
        checkpoints.save(state["step"], tensors, state)


def test_a_run_of_an_older_version_is_read_line_by_line(whole, images, caplog):
    run, records = whole
    unsealed(run)
    alter(run, 3, b"{", b"\xff")
    model().fit(images, run=run, resume=True)
    assert values(run) == records
    assert "damaged at its end" in caplog.text


def test_damage_amid_the_lines_of_an_older_version_is_refused(whole, images):
    run, _ = whole
    unsealed(run)
    alter(run, 1, b"{", b"\xff")
    with pytest.raises(InputError, match="damaged in line 2: put back a copy, or remove it"):
        model().fit(images, run=run, resume=True)


def test_metrics_are_on_disk_before_the_checkpoint_that_counts_on_them(
    images, tmp_path, monkeypatch
):
    done, plain = [], os.fsync

    def fsync(descriptor):
        done.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        plain(descriptor)

    def replace(path, target, plain=Path.replace):
        done.append(Path(target).name)
        return plain(path, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    small_models()["VAE"].fit(images, run=tmp_path / "run")
    checkpoint = done.index("step_00000002.safetensors")
    started = done.index("metrics.jsonl")
    assert "metrics.jsonl" in done[started + 1 : checkpoint]


def test_a_seal_is_of_what_was_written(tmp_path):
    file = MetricsFile(tmp_path)
    file.restore(None, 0, keep=True)
    record = {"epoch": 1, "split": "train", "values": {}}
    for step in range(1, 4):
        file.append({"step": step, **record})
    seal = file.seal()
    assert seal["bytes"] == (tmp_path / "metrics.jsonl").stat().st_size
    assert file.begins_as(seal)
    file.append({"step": 4, **record})
    assert file.begins_as(seal)
    assert [r["step"] for r in MetricsFile(tmp_path).restore(seal, 3, keep=True)] == [1, 2, 3]
    assert len(read_metrics(tmp_path)) == 3
    (tmp_path / "metrics.jsonl").write_text(json.dumps({"step": "x", **record}) + "\n")
    with pytest.raises(InputError, match="line 1"):
        read_metrics(tmp_path)


def test_a_line_that_finds_no_room_names_the_file(tmp_path, monkeypatch):
    file = MetricsFile(tmp_path / "metrics.jsonl")

    def full(*given):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OSError, match=r"No space left on device: .*metrics\.jsonl"):
        file.append({"step": 1})
