"""The order in which files are written: a power cut at any moment leaves old or new."""

import os
import stat
from pathlib import Path

import numpy as np
import pytest
import torch

import latentia
from latentia.errors import InputError
from latentia.files import whole_file, write_atomically
from latentia.training.checkpoint import Checkpoints
from tests.conftest import small_models


@pytest.fixture
def happened(monkeypatch):
    """Return a list of what is done to the disk: syncs, replacements, removals."""
    events = []
    plain = {"fsync": os.fsync, "replace": Path.replace, "unlink": Path.unlink}
    plain |= {"rename": Path.rename}

    def fsync(descriptor):
        file = Path(f"/proc/self/fd/{descriptor}").readlink()
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "content"
        events.append((f"{kind} synced", file.name))
        plain["fsync"](descriptor)

    def replace(path, target):
        # The file has another name until it is whole.
        synced = ("content synced", path.name)
        events[:] = [(e[0], Path(target).name) if e == synced else e for e in events]
        events.append(("in place", Path(target).name))
        return plain["replace"](path, target)

    def rename(path, target):
        events.append(("renamed", Path(target).name))
        return plain["rename"](path, target)

    def unlink(path, missing_ok=False):
        if path.exists():
            events.append(("removed", path.name))
        plain["unlink"](path, missing_ok=missing_ok)

    monkeypatch.setattr(os, "fsync", fsync)
    for name, spy in {"replace": replace, "unlink": unlink, "rename": rename}.items():
        monkeypatch.setattr(Path, name, spy)
    return events


def written(name, folder):
    return [("content synced", name), ("in place", name), ("folder synced", folder)]


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="names come from /proc")


@needs_proc
def test_a_file_is_synced_then_put_in_place_then_its_folder_is_synced(tmp_path, happened):
    write_atomically(tmp_path / "file", b"new")
    assert happened == written("file", tmp_path.name)
    assert (tmp_path / "file").read_bytes() == b"new"


@needs_proc
def test_a_checkpoints_tensors_are_whole_before_its_manifest_says_so(tmp_path, happened):
    checkpoints = Checkpoints(tmp_path / "c", keep=1)
    checkpoints.save(1, {"w": torch.ones(2)}, {})
    first = written("step_00000001.safetensors", "c") + written("step_00000001.json", "c")
    assert happened == first
    happened.clear()
    checkpoints.save(2, {"w": torch.ones(2)}, {})
    second = written("step_00000002.safetensors", "c") + written("step_00000002.json", "c")
    gone = [("removed", f"step_00000001.{kind}") for kind in ("json", "safetensors")]
    assert happened == second + gone


@needs_proc
def test_the_best_checkpoint_is_absent_while_it_is_replaced(tmp_path, happened):
    checkpoints = Checkpoints(tmp_path / "c")
    checkpoints.save_best({"w": torch.ones(2)}, {})
    happened.clear()
    checkpoints.save_best({"w": torch.zeros(2)}, {"n": 1})
    assert happened == [
        ("removed", "best.json"),
        *written("best.safetensors", "c"),
        *written("best.json", "c"),
    ]
    tensors, state = checkpoints.best()
    assert torch.equal(tensors["w"], torch.zeros(2))
    assert state == {"n": 1}


@needs_proc
def test_a_saved_model_takes_its_name_when_it_is_whole(images, tmp_path, happened):
    model = small_models()["PCA"].fit(images)
    model.save(tmp_path / "model")
    files = [name for what, name in happened if what == "in place"]
    assert set(files) == {"config.json", "model.safetensors", "README.md"}
    assert happened[-2:] == [("renamed", "model"), ("folder synced", tmp_path.name)]
    assert [what for what, _ in happened].count("renamed") == 1


def test_a_model_is_saved_over_another_only_if_asked(images, tmp_path):
    one, two = (small_models()["VAE"].set_params(random_state=seed).fit(images) for seed in (0, 1))
    one.save(tmp_path / "model")
    half = tmp_path / ".latentia-0123456789abcdef.tmp"
    half.mkdir()
    (half / "config.json").write_text("a killed writer left this")
    with pytest.raises(InputError, match="exists"):
        two.save(tmp_path / "model")
    assert two.save(tmp_path / "model", overwrite=True) == tmp_path / "model"
    loaded = latentia.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.transform(images), two.transform(images))
    assert loaded.random_state == 1
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    names = {path.name for path in (tmp_path / "model").iterdir()}
    assert names == {"config.json", "model.safetensors", "README.md"}


def test_a_file_of_which_the_writing_breaks_off_leaves_the_old_one_alone(tmp_path):
    (tmp_path / "file").write_bytes(b"old")

    def halves():
        yield b"half"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "file") as stream:
        stream.writelines(halves())
    assert (tmp_path / "file").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_only_what_killed_writers_left_is_cleared_away(tmp_path):
    for name in ("step_00000001.json.7.tmp", "notes.txt", "best.json"):
        (tmp_path / name).write_text("{}")
    Checkpoints(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.json", "notes.txt"]


def test_a_run_that_is_not_finished_is_no_model_and_a_finished_one_is(images, tmp_path):
    model = small_models()["VAE"].fit(images, run=tmp_path / "run")
    with pytest.raises(InputError, match=r"is not finished: 'latentia resume .*run' first"):
        latentia.load(tmp_path / "run")
    model.save(tmp_path / "run" / "model")
    loaded = latentia.load(tmp_path / "run")
    np.testing.assert_array_equal(loaded.transform(images), model.transform(images))


def test_tensors_of_any_layout_come_back_as_they_were(tmp_path):
    laid = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    given = {"laid": laid, "turned": torch.randn(3, 4).T, "n": torch.tensor(7)}
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, given, {"sums": {"a": 0.1}, "best_score": None})
    tensors, state = checkpoints.latest()
    for name, value in given.items():
        assert torch.equal(tensors[name], value)
    assert state == {"sums": {"a": 0.1}, "best_score": None}
