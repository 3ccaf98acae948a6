"""Threads and precision: chosen by probes, recorded in a run, faked clocks."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from latentia.errors import InputError
from latentia.models.adversarial.dcgan import DCGAN
from latentia.training import device as engine
from latentia.training import precision_probe as probe
from latentia.training.batches import Source
from latentia.training.config import read_config, write_config
from latentia.training.state import weights_of
from latentia.training.train import train
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
    chosen = engine.precision_for(CUDA, None)
    assert isinstance(engine.autocast(CUDA, chosen), torch.autocast) == pays


def test_bfloat16_is_not_even_probed_on_an_older_gpu_and_on_a_cpu(gpu):
    gpu(3.0, 1.0, capability=(7, 5))
    assert not engine.bfloat16_pays(CUDA)
    assert not engine.bfloat16_pays(CPU)


def precision(device=CPU, asked=None, recorded=None):
    found = engine.precision_for(device, asked, recorded)
    with engine.autocast(CPU, found):
        assert (found == "bfloat16") == ((torch.ones(2, 2) @ torch.ones(2, 2)).dtype != torch.float)
    return found


BY_ORDER = [
    # device, field, LATENTIA_PRECISION, recorded: what is taken
    (CPU, None, None, None, "float32"),
    (CUDA, None, None, None, "bfloat16"),
    (CUDA, None, "float32", None, "float32"),
    (CPU, None, "bfloat16", None, "bfloat16"),
    (CPU, None, "auto", None, "auto"),
    (CPU, "float32", "bfloat16", None, "float32"),
    (CPU, "auto", "bfloat16", None, "auto"),
    (CUDA, "float32", None, None, "float32"),
    (CPU, "auto", "float32", "bfloat16", "bfloat16"),
    (CUDA, None, None, "float32", "float32"),
    # A run of version 0.1.0, and one that was killed before its probe.
    (CPU, None, "bfloat16", "auto", "float32"),
    (CPU, "auto", "bfloat16", "auto", "auto"),
]


@pytest.mark.parametrize(("device", "field", "environment", "recorded", "expected"), BY_ORDER)
def test_a_runs_precision_wins_then_the_field_then_the_environment(
    gpu, monkeypatch, device, field, environment, recorded, expected
):
    gpu(3.0, 1.0)
    if environment is not None:
        monkeypatch.setenv("LATENTIA_PRECISION", environment)
    assert precision(device, field, recorded) == expected


def test_a_precision_that_is_none_is_named(monkeypatch, images, tmp_path):
    monkeypatch.setenv("LATENTIA_PRECISION", "half")
    with pytest.raises(InputError, match="LATENTIA_PRECISION is 'half'; it must be one of auto,"):
        small_models()["VAE"].fit(images, run=tmp_path / "run")
    assert not (tmp_path / "run" / "config.json").exists()


def test_a_run_goes_on_in_the_precision_it_began_with(monkeypatch, images, tmp_path):
    """Bit for bit, whatever is asked for in the environment meanwhile."""
    monkeypatch.setenv("LATENTIA_PRECISION", "bfloat16")
    whole = small_models()["VAE"].fit(images)
    small_models()["VAE"].set_params(n_epochs=1).fit(images, run=tmp_path / "run")
    monkeypatch.setenv("LATENTIA_PRECISION", "float32")
    resumed = small_models()["VAE"].fit(images, run=tmp_path / "run", resume=True)
    assert read_config(tmp_path / "run")["precision"] == resumed.precision_ == "bfloat16"
    np.testing.assert_array_equal(resumed.transform(images), whole.transform(images))
    plain = small_models()["VAE"].fit(images)
    assert not np.array_equal(plain.transform(images), whole.transform(images))
    with pytest.raises(InputError, match="parameters: precision None there, 'float32' here"):
        small_models()["VAE"].set_params(precision="float32").fit(
            images, run=tmp_path / "run", resume=True
        )


@pytest.mark.parametrize("faster", ["float32", "bfloat16"])
def test_a_probe_decides_once_and_leaves_no_trace(monkeypatch, images, tmp_path, faster):
    model = small_models()["DCGAN"].set_params(precision="auto")
    monkeypatch.setattr(
        probe, "_seconds_of_a_step", lambda model, precision, *_: 1 + (precision != faster)
    )
    model.fit(images, run=tmp_path / "run")
    assert read_config(tmp_path / "run")["precision"] == model.precision_ == faster
    asked = small_models()["DCGAN"].set_params(precision=faster).fit(images)
    np.testing.assert_array_equal(*(m.sample(3, random_state=0) for m in (asked, model)))
    monkeypatch.setattr(probe, "faster_precision", lambda *_: pytest.fail("probed again"))
    model.set_params(n_epochs=3).fit(images, run=tmp_path / "run", resume=True)
    assert model.precision_ == faster


def test_a_probe_takes_steps_of_both_and_touches_nothing(monkeypatch, images):
    """bfloat16 must be faster by a tenth, on a clock that only the steps move."""
    model, source = small_models()["DCGAN"].fit(images), Source(images[:, None])
    model.seed_ = 0
    for net in model.nets().values():
        net.train()
    before = {name: value.clone() for name, value in weights_of(model.nets()).items()}
    now, calls, kept = [0.0], [], train
    monkeypatch.setattr(probe, "time", SimpleNamespace(process_time=lambda: now[0]))
    monkeypatch.setattr(
        probe, "train", lambda twin, *given: (calls.append(twin), kept(twin, *given))
    )
    for taken, expected in ((0.95, "float32"), (0.85, "bfloat16")):

        def slow(self, *given, taken=taken):
            now[0] += taken if self.precision_ == "bfloat16" else 1
            return DCGAN.generator_loss(self, *given)

        monkeypatch.setattr(Slow, "generator_loss", slow)
        twin = Slow(**model.get_params())
        vars(twin).update(vars(model))
        assert probe.faster_precision(twin, source, CPU) == expected
    assert [m.precision_ for m in calls] == ["float32", "bfloat16"] * 6
    for name, value in weights_of(model.nets()).items():
        assert torch.equal(value, before[name])


class Slow(DCGAN):
    """A game whose generator takes as long as a test says."""


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
