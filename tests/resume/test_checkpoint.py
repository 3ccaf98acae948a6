"""Checkpoints: the last K, damage found before parsing, a run directory held by one process."""

import json
import logging
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from latentia import SRGAN, SRResNet
from latentia.errors import InputError
from latentia.files import write_atomically
from latentia.training.checkpoint import Checkpoints
from latentia.training.metrics_file import read_metrics
from tests.children import environment
from tests.conftest import small_models


def filled(folder, steps=(1, 2, 3)):
    checkpoints = Checkpoints(folder, keep=3)
    for step in steps:
        checkpoints.save(step, {"w": torch.full((3,), float(step))}, {"step": step, "x": 0.1})
    return checkpoints


def test_the_last_k_are_kept(tmp_path):
    filled(tmp_path, range(1, 8))
    assert sorted(p.name for p in tmp_path.glob("*.json")) == [
        f"step_{step:08d}.json" for step in (5, 6, 7)
    ]
    assert len(list(tmp_path.glob("*.safetensors"))) == 3


def test_tensors_and_state_come_back(tmp_path):
    tensors, state = filled(tmp_path).latest()
    assert torch.equal(tensors["w"], torch.full((3,), 3.0))
    assert state == {"step": 3, "x": 0.1}


@pytest.mark.parametrize("position", [0, 9, 60, -1])
def test_one_flipped_bit_falls_back_to_the_one_before(tmp_path, position, caplog):
    checkpoints = filled(tmp_path)
    path = tmp_path / "step_00000003.safetensors"
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        _, state = checkpoints.latest()
    assert state["step"] == 2
    assert "step_00000003 is damaged" in caplog.text


@pytest.mark.parametrize("damage", ["truncate", "remove", "manifest"])
def test_other_damage_falls_back_too(tmp_path, damage):
    checkpoints = filled(tmp_path)
    path = tmp_path / "step_00000003.safetensors"
    if damage == "truncate":
        path.write_bytes(path.read_bytes()[:20])
    elif damage == "remove":
        path.unlink()
    else:
        path.with_suffix(".json").write_text('{"sha2')
    assert checkpoints.latest()[1]["step"] == 2


def test_no_sound_checkpoint_is_said(tmp_path):
    checkpoints = filled(tmp_path)
    for path in tmp_path.glob("*.safetensors"):
        path.write_bytes(b"")
    with pytest.raises(InputError, match="every checkpoint"):
        checkpoints.latest()


def test_stale_temporaries_go_and_a_crash_keeps_the_old_file(tmp_path, monkeypatch):
    for name in ("step_00000009.safetensors.77.tmp", ".latentia-0123456789abcdef.tmp"):
        (tmp_path / name).write_bytes(b"half")
    Checkpoints(tmp_path)
    assert not list(tmp_path.glob("*.tmp"))
    target = tmp_path / "file"
    write_atomically(target, b"old")

    def crash(descriptor):
        raise OSError("power")

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(OSError, match="power"):
        write_atomically(target, b"new")
    assert target.read_bytes() == b"old"


def test_best_is_the_lowest_held_out_score(images, tmp_path):
    model = small_models()["VAE"].set_params(n_epochs=6)
    model.fit(images, validation=images[:16], run=tmp_path / "run")
    scores = {
        r["step"]: r["values"]["negative_elbo"]
        for r in read_metrics(tmp_path / "run")
        if r["split"] == "validation"
    }
    _, state = Checkpoints(tmp_path / "run" / "checkpoints").best()
    assert state["step"] == min(scores, key=scores.get)
    assert state["best_score"] == min(scores.values())


def test_a_run_directory_says_what_it_holds(images, tmp_path):
    run = tmp_path / "run"
    model = small_models()["VAE"].fit(images, validation=images[:8], run=run)
    config = json.loads((run / "config.json").read_text())
    assert config["model"] == "VAE"
    assert config["parameters"]["n_components"] == 3
    assert config["versions"]["torch"] == torch.__version__
    assert {r["split"] for r in read_metrics(run)} == {"train", "validation", "health"}
    assert sorted(p.name for p in (run / "samples").iterdir()) == [
        "epoch_0001.png",
        "epoch_0002.png",
    ]
    with pytest.raises(InputError, match="already holds a run"):
        model.fit(images, run=run)
    with pytest.raises(InputError, match="another parameters"):
        model.set_params(beta=2.0).fit(images, run=run, resume=True)
    with pytest.raises(InputError, match="another data"):
        small_models()["VAE"].fit(1 - images, run=run, resume=True)
    with pytest.raises(InputError, match="holds no run"):
        small_models()["VAE"].fit(images, run=tmp_path / "nothing", resume=True)


def test_a_run_of_a_release_without_a_parameter_had_its_default(images, tmp_path):
    run = tmp_path / "run"
    model = small_models()["VAE"]
    assert model.beta == type(model)().beta
    model.fit(images, run=run)
    config = json.loads((run / "config.json").read_text())
    del config["parameters"]["beta"], config["sha256"]
    (run / "config.json").write_text(json.dumps(config))
    small_models()["VAE"].fit(images, run=run, resume=True)
    with pytest.raises(InputError, match="another parameters"):
        small_models()["VAE"].set_params(beta=2.0).fit(images, run=run, resume=True)


def test_tensorboard_has_the_same_values(images, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = tmp_path / "run"
    small_models()["VAE"].fit(images, run=run)
    for split, name in (("train", "negative_elbo/kl"), ("health", "left")):
        events = EventAccumulator(str(run / "tensorboard" / split)).Reload()
        ours = [r["values"][name] for r in read_metrics(run) if r["split"] == split]
        theirs = [event.value for event in events.Scalars(name)]
        assert len(ours) == 2
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_a_second_run_in_the_same_directory_is_refused_with_the_holder(images, tmp_path):
    run = tmp_path / "run"
    code = (
        "import time\n"
        "from pathlib import Path\n"
        "from latentia.training.config import RunConfig\n"
        "from latentia.training.directory import held\n"
        "from tests.children import check_package\n"
        "check_package()\n"
        f"with held(Path({str(run)!r}), RunConfig('VAE', {{}}), None, {{}}):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(60)\n"
    )
    words = [sys.executable, "-c", code]
    holder = subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(InputError, match=f"in use by process {holder.pid}"):
            small_models()["VAE"].fit(images, run=run)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def test_a_run_stopped_while_its_start_is_trained_is_a_run_to_resume(images, tmp_path, monkeypatch):
    def model(**fields):
        given = {"scale": 2, "n_blocks": 1, "width": 2, "discriminator_width": 2}
        return SRGAN(**given, pretrain_epochs=1, n_epochs=1, random_state=0, **fields)

    def stopped(*arguments, **others):
        raise KeyboardInterrupt

    whole = model().fit(images, run=tmp_path / "whole")
    with monkeypatch.context() as patched:
        patched.setattr(SRResNet, "fit", stopped)
        with pytest.raises(KeyboardInterrupt):
            model().fit(images, run=tmp_path / "stopped")
    resumed = model().fit(images, run=tmp_path / "stopped", resume=True)
    np.testing.assert_array_equal(resumed.transform(images), whole.transform(images))


def test_a_run_that_is_refused_before_it_begins_leaves_none_behind(images, tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        SRGAN(scale=2, pretrained="nowhere").fit(images, run=tmp_path / "run")
    with pytest.raises(InputError, match=r"it has no config\.json"):
        SRGAN(scale=2).fit(images, run=tmp_path / "run", resume=True)


def test_metrics_larger_than_the_limit_are_refused_unread(tmp_path):
    with (tmp_path / "metrics.jsonl").open("wb") as stream:
        stream.truncate(3 * 2**40)
    with pytest.raises(InputError, match=r"3,072.0 GiB .* LATENTIA_MAX_BYTES"):
        read_metrics(tmp_path)


def test_old_checkpoints_go_also_where_half_of_one_is_gone(tmp_path):
    kept = Checkpoints(tmp_path / "deep" / "checkpoints", keep=1)
    for step in (1, 2):
        kept.save(step, {"weight": torch.ones(step)}, {"step": step})
        (kept.folder / "step_00000001.safetensors").unlink(missing_ok=True)
    assert sorted(path.name for path in kept.folder.iterdir()) == [
        "step_00000002.json",
        "step_00000002.safetensors",
    ]
