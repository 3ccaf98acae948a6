"""Threads and precision: chosen by probes, recorded in a run, faked clocks."""

import json

import pytest
import torch

from latentia import engine
from latentia.errors import InputError
from tests.conftest import small_models

CPU = torch.device("cpu")


@pytest.fixture
def machine(monkeypatch):
    """Return a function that fakes the probes' seconds; no thread is really set."""
    threads = [4]
    monkeypatch.delenv("LATENTIA_THREADS", raising=False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads[0])
    monkeypatch.setattr(torch, "set_num_threads", lambda n: threads.__setitem__(0, n))

    def fake(seconds):
        engine._fastest_threads.cache_clear()
        monkeypatch.setattr(engine, "_probe", seconds.__getitem__)

    yield fake
    engine._fastest_threads.cache_clear()


@pytest.mark.parametrize(("seconds", "expected"), [({1: 9, 4: 3}, 4), ({1: 1, 4: 10}, 1)])
def test_the_faster_number_of_threads_is_chosen(machine, seconds, expected):
    machine(seconds)
    assert engine.set_threads() == expected


def test_one_thread_is_kept_where_all_gain_little(machine):
    machine({1: 1.0, 4: 0.9})
    assert engine.set_threads() == 1


def test_the_environment_comes_first_then_what_a_run_recorded(machine, monkeypatch):
    machine({})
    assert engine.set_threads(3) == 3
    monkeypatch.setenv("LATENTIA_THREADS", "2")
    assert engine.set_threads(3) == 2
    monkeypatch.setenv("LATENTIA_THREADS", "two")
    with pytest.raises(InputError, match="LATENTIA_THREADS is 'two'"):
        engine.set_threads()


def test_the_threads_are_probed_once_in_a_process(machine, monkeypatch):
    machine({1: 9, 4: 3})
    engine.set_threads()
    monkeypatch.setattr(engine, "_probe", lambda threads: pytest.fail("probed again"))
    assert engine.set_threads() == 4


def test_a_resumed_run_takes_its_recorded_threads(images, tmp_path, machine):
    machine({1: 1, 4: 10})
    run = tmp_path / "run"
    small_models()["VAE"].fit(images, run=run)
    config = json.loads((run / "config.json").read_text())
    assert config["threads"] == 1
    (run / "config.json").write_text(json.dumps(config | {"threads": 2}))
    small_models()["VAE"].fit(images, run=run, resume=True)
    assert torch.get_num_threads() == 2


@pytest.fixture
def bfloat16(monkeypatch):
    """Return a function that fakes the hardware and its seconds with float32 and bfloat16."""

    def fake(float32, bfloat16, *, present=True):
        engine.bfloat16_pays.cache_clear()
        seconds = {torch.float32: float32, torch.bfloat16: bfloat16}
        monkeypatch.setattr(engine, "_has_bfloat16", lambda device: present)
        monkeypatch.setattr(engine, "_product_seconds", lambda device, kind: seconds[kind])

    yield fake
    engine.bfloat16_pays.cache_clear()


def precision():
    with engine.autocast(CPU):
        return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype


def test_bfloat16_is_used_only_where_it_is_clearly_faster(bfloat16):
    bfloat16(3.0, 1.0)
    assert precision() == torch.bfloat16
    bfloat16(1.1, 1.0)
    assert precision() == torch.float32
    bfloat16(1.0, 5.0)
    assert precision() == torch.float32


def test_bfloat16_is_not_even_probed_without_the_hardware(bfloat16):
    bfloat16(3.0, 1.0, present=False)
    assert precision() == torch.float32
