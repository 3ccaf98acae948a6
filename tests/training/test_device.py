"""Threads and precision: chosen by probes, recorded in a run, faked clocks."""

import numpy as np
import pytest
import torch

from latentia.errors import InputError
from latentia.training import device as engine
from latentia.training.config import read_config, write_config
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
    config = read_config(run)
    assert config["threads"] == 1
    write_config(run, config | {"threads": 2})
    small_models()["VAE"].fit(images, run=run, resume=True)
    assert torch.get_num_threads() == 2


CUDA = torch.device("cuda")


@pytest.fixture
def gpu(monkeypatch):
    """Return a function that fakes a GPU and its seconds with float32 and bfloat16."""
    monkeypatch.delenv("LATENTIA_PRECISION", raising=False)

    def fake(float32, bfloat16, capability=(8, 0)):
        engine.bfloat16_pays.cache_clear()
        seconds = {torch.float32: float32, torch.bfloat16: bfloat16}
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
        monkeypatch.setattr(engine, "_product_seconds", lambda device, kind: seconds[kind])

    yield fake
    engine.bfloat16_pays.cache_clear()


@pytest.mark.filterwarnings("ignore:CUDA is not available")
@pytest.mark.parametrize(
    ("float32", "bfloat16", "pays"), [(3.0, 1.0, True), (1.1, 1.0, False), (1.0, 5.0, False)]
)
def test_a_gpu_uses_bfloat16_only_where_it_is_clearly_faster(gpu, float32, bfloat16, pays):
    gpu(float32, bfloat16)
    assert engine.bfloat16_pays(CUDA) == pays
    assert isinstance(engine.autocast(CUDA), torch.autocast) == pays


def test_bfloat16_is_not_even_probed_on_an_older_gpu_and_on_a_cpu(gpu):
    gpu(3.0, 1.0, capability=(7, 5))
    assert not engine.bfloat16_pays(CUDA)
    assert not engine.bfloat16_pays(CPU)


def precision():
    with engine.autocast(CPU):
        return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype


@pytest.mark.parametrize(
    ("asked", "expected"),
    [(None, torch.float32), ("auto", torch.float32), ("bfloat16", torch.bfloat16)],
)
def test_a_cpu_computes_in_float32_unless_bfloat16_is_asked_for(gpu, monkeypatch, asked, expected):
    if asked is not None:
        monkeypatch.setenv("LATENTIA_PRECISION", asked)
    assert precision() == expected


def test_a_gpu_computes_in_float32_if_that_is_asked_for(gpu, monkeypatch):
    gpu(3.0, 1.0)
    monkeypatch.setenv("LATENTIA_PRECISION", "float32")
    assert not isinstance(engine.autocast(CUDA), torch.autocast)


def test_a_precision_that_is_none_is_named(monkeypatch, images, tmp_path):
    monkeypatch.setenv("LATENTIA_PRECISION", "half")
    with pytest.raises(InputError, match="LATENTIA_PRECISION is 'half'; it must be one of auto,"):
        small_models()["VAE"].fit(images, run=tmp_path / "run")
    assert not (tmp_path / "run" / "config.json").exists()


def test_a_run_goes_on_in_the_precision_it_began_with(monkeypatch, images, tmp_path):
    run = tmp_path / "run"
    monkeypatch.setenv("LATENTIA_PRECISION", "bfloat16")
    first = small_models()["VAE"].fit(images, run=run)
    monkeypatch.delenv("LATENTIA_PRECISION")
    words = "another precision: bfloat16 there, auto here; set LATENTIA_PRECISION"
    with pytest.raises(InputError, match=words):
        small_models()["VAE"].fit(images, run=run, resume=True)
    plain = small_models()["VAE"].fit(images)
    assert not np.array_equal(plain.transform(images), first.transform(images))


def test_a_run_from_before_there_was_a_choice_goes_on(monkeypatch, images, tmp_path):
    monkeypatch.delenv("LATENTIA_PRECISION", raising=False)
    run = tmp_path / "run"
    small_models()["VAE"].fit(images, run=run)
    config = read_config(run)
    del config["precision"]
    write_config(run, config)
    small_models()["VAE"].fit(images, run=run, resume=True)


@pytest.fixture
def devices(monkeypatch):
    """Return a function that fakes which kinds of device there are."""
    monkeypatch.delenv("LOCAL_RANK", raising=False)

    def fake(cuda=False, mps=False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return fake


@pytest.mark.parametrize(
    ("there", "asked", "expected"),
    [
        ({}, "auto", "cpu"),
        ({"mps": True}, "auto", "mps"),
        ({"cuda": True}, "auto", "cuda"),
        ({"cuda": True, "mps": True}, "auto", "cuda"),
        ({"cuda": True, "mps": True}, "cpu", "cpu"),
        ({"cuda": True, "mps": True}, "mps", "mps"),
        ({"cuda": True}, "cuda:3", "cuda:3"),
    ],
)
def test_the_device_asked_for_is_taken_or_the_fastest(devices, there, asked, expected):
    devices(**there)
    assert engine.find_device(asked) == torch.device(expected)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("cuda", "cuda:2"), ("auto", "cuda:2"), ("cuda:0", "cuda:0"), ("cpu", "cpu")],
)
def test_each_process_of_a_machine_has_a_gpu_of_its_own(devices, monkeypatch, asked, expected):
    devices(cuda=True)
    monkeypatch.setenv("LOCAL_RANK", "2")
    assert engine.find_device(asked) == torch.device(expected)


@pytest.mark.parametrize("asked", ["cuda", "cuda:1", "mps"])
def test_a_device_that_is_not_there_is_refused(devices, asked):
    devices()
    with pytest.raises(InputError, match=f"device '{asked}' is not on this machine"):
        engine.find_device(asked)


@pytest.mark.parametrize("asked", ["0", "-1", "1.5", ""])
def test_a_number_of_threads_that_is_none_is_named(machine, monkeypatch, asked):
    machine({})
    monkeypatch.setenv("LATENTIA_THREADS", asked)
    with pytest.raises(InputError, match=f"LATENTIA_THREADS is '{asked}'; it must be a whole"):
        engine.set_threads()


def test_training_computes_in_the_precision_asked_for_and_its_gradients_in_float32(
    monkeypatch, images
):
    kinds = []
    for asked in ("bfloat16", "float32"):
        monkeypatch.setenv("LATENTIA_PRECISION", asked)
        model = small_models()["VAE"].set_params(n_epochs=1)
        plain = model.decoder_output

        def noted(*given, plain=plain):
            found = plain(*given)
            if torch.is_grad_enabled():
                kinds.append(found.dtype)
            return found

        model.decoder_output = noted
        model.fit(images)
        assert all(p.grad.dtype == torch.float32 for p in model.decoder_.parameters())
    assert kinds[0] == torch.bfloat16
    assert kinds[-1] == torch.float32
