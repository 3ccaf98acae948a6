"""What two processes exchange, by hand: gradients, logged values, rows, noise, flags."""

from datetime import timedelta

import numpy as np
import pytest
import torch
import torch.distributed
from torch import nn

from latentia.errors import InputError
from latentia.training import distributed, draws
from latentia.training.batches import BatchOrder, Source
from latentia.training.launch import LOST, MEETING, leads
from latentia.training.run import Run
from latentia.training.train import train
from tests.training.slope import Slope

CPU = torch.device("cpu")
SHAPES = ((2, 3), (4,), ())


def gradients(number):
    """Return what process ``number`` has for parameters of `SHAPES` and for one that has none."""
    draw = torch.Generator().manual_seed(number)
    return [torch.randn(shape, generator=draw) for shape in SHAPES] + [None]


def averaged_gradients():
    parameters = [nn.Parameter(torch.zeros(shape)) for shape in (*SHAPES, (2,))]
    for parameter, gradient in zip(parameters, gradients(distributed.rank()), strict=True):
        parameter.grad = gradient
    distributed.average_gradients(parameters)
    assert parameters.pop().grad is None
    return {f"gradient {place}": p.grad.numpy() for place, p in enumerate(parameters)}


def exchanged():
    own = distributed.rank()
    values = torch.tensor([1.0 + own, 5.0 - own], requires_grad=True)
    mean = distributed.mean_over_processes(values)
    (mean * torch.tensor([1.0, 10.0]) * (1 + own)).sum().backward()
    rows = distributed.all_rows(torch.full((2, 3), float(own), requires_grad=True))
    logged = distributed.average({"a": float(own), "b": 10.0 + 4 * own})
    return {
        "mean": mean.detach().numpy(),
        "gradient of the mean": values.grad.numpy(),
        "rows": rows.detach().numpy(),
        "rows carry a gradient": rows.requires_grad,
        "logged a": logged["a"],
        "logged b": logged["b"],
        "sum": distributed.sum_over_processes(np.array([1.0, own])),
        "first's": distributed.broadcast(np.array([7.0 + own, 2.0])),
        "asked in one": distributed.any_rank(own == 1),
        "asked in none": distributed.any_rank(False),
        "leads": leads(),
        "world size": distributed.world_size(),
    }


def drawn(n_rows):
    """Return noise of each kind for this process's rows."""
    draws.seed(1, "noise")
    x = torch.zeros(n_rows, 3)
    noise = {kind: getattr(draws, kind)(x) for kind in ("normal_like", "uniform_like")}
    noise["bytes_like"] = draws.bytes_like(x.byte())
    return {kind: values.numpy() for kind, values in noise.items()}


def row_numbers(batch_size):
    order = BatchOrder(n_rows=50, batch_size=batch_size, n_epochs=2, seed=3, draws=2)
    return [order.rows(step, repeat) for step in range(order.n_steps) for repeat in range(2)]


def watched():
    """Return the numbers of images that the watcher of a small training is told."""
    model = Slope(n_epochs=1, batch_size=4, random_state=0)
    source = Source(np.ones((16, 2)))
    model.seed_, model.data_shape_ = 0, (2,)
    model.choose_batch(len(source))
    model.resolve(source)
    model.prepare_machine()
    model.initialise(source, CPU)
    told = []
    train(model, source, None, Run(None), lambda *step: told.append(step[:3]), CPU)
    return {"watched": told}


def write(folder):
    """Write what this process gets."""
    # A second model inside the first one's training finds the group and leaves it.
    with distributed.process_group(CPU):
        pass
    found = averaged_gradients() | exchanged() | drawn(4) | {"numbers": row_numbers(4)}
    found |= watched()
    found["seed"] = Slope(n_epochs=1).fit(np.ones((16, 2))).seed_
    np.savez(folder / f"collectives-{distributed.rank()}.npz", **found)


@pytest.fixture(scope="module")
def both(two):
    """Return what both processes found."""
    folder, errors = two
    files = [folder / f"collectives-{number}.npz" for number in range(2)]
    assert all(file.exists() for file in files), errors[-3000:]
    return [dict(np.load(file)) for file in files]


def test_gradients_are_averaged_and_not_summed(both):
    for place in range(len(SHAPES)):
        expected = (gradients(0)[place] + gradients(1)[place]) / 2
        for found in both:
            np.testing.assert_allclose(found[f"gradient {place}"], expected, rtol=1e-6)


def test_a_mean_over_processes_passes_their_gradients_on(both):
    for found in both:
        np.testing.assert_allclose(found["mean"], [1.5, 4.5])
        np.testing.assert_allclose(found["gradient of the mean"], [1.5, 15.0])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rows", [[0.0] * 3] * 2 + [[1.0] * 3] * 2),
        ("rows carry a gradient", False),
        ("logged a", 0.5),
        ("logged b", 12.0),
        ("sum", [2.0, 1.0]),
        ("first's", [7.0, 2.0]),
        ("asked in one", True),
        ("asked in none", False),
        ("world size", 2),
        ("watched", [[1, 1, 8], [2, 1, 8]]),
    ],
)
def test_both_processes_get_the_same(both, name, expected):
    for found in both:
        np.testing.assert_array_equal(found[name], expected)


def test_the_first_process_writes_the_files(both):
    assert [bool(found["leads"]) for found in both] == [True, False]


def test_noise_is_that_of_one_process_with_all_rows(both):
    for kind, expected in drawn(8).items():
        np.testing.assert_array_equal(np.concatenate([found[kind] for found in both]), expected)


def test_batches_are_the_parts_of_one_processs_batches(both):
    parts = np.concatenate([found["numbers"] for found in both], axis=1)
    np.testing.assert_array_equal(parts, row_numbers(8))


@pytest.fixture
def started(monkeypatch):
    """Return a list of what is done with torch's group, in a process told to be one of two."""
    done = []
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    monkeypatch.delenv("LATENTIA_DEVICES", raising=False)
    spied = {
        "init_process_group": lambda backend, **place: done.append(backend),
        "is_initialized": lambda: any(isinstance(item, str) for item in done),
        "destroy_process_group": lambda: done.append("left"),
    }
    for name, spy in spied.items():
        monkeypatch.setattr(torch.distributed, name, spy)
    monkeypatch.setattr(torch.cuda, "set_device", done.append)
    return done


def test_gpus_exchange_gradients_among_themselves_and_flags_over_the_cpu(started):
    device = torch.device("cuda:1")
    with distributed.process_group(device):
        assert started == [device, "cpu:gloo,cuda:nccl"]
    assert started.pop() == "left"


def test_a_group_is_left_when_training_breaks_off(started):
    with pytest.raises(ZeroDivisionError), distributed.process_group(CPU):
        raise ZeroDivisionError
    assert started == ["gloo", "left"]


@pytest.mark.parametrize(("met", "method"), [(None, None), ("/a b/meeting", "file:///a b/meeting")])
def test_a_group_is_joined_where_by_whom_and_for_as_long_as_the_environment_says(
    met, method, started, monkeypatch
):
    joined = []
    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("LATENTIA_TIMEOUT", "77")
    monkeypatch.delenv(MEETING, raising=False)
    if met is not None:
        monkeypatch.setenv(MEETING, met)

    def join(backend, **place):
        started.append(backend)
        joined.append(place)

    monkeypatch.setattr(torch.distributed, "init_process_group", join)
    with distributed.process_group(CPU):
        pass
    assert joined == [
        {"init_method": method, "rank": 1, "world_size": 3, "timeout": timedelta(seconds=77)}
    ]


def test_what_torch_says_of_a_lost_process_is_told_in_a_sentence(started, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("LATENTIA_TIMEOUT", "77")
    monkeypatch.delenv(MEETING, raising=False)
    for error, kind, said in (
        (RuntimeError("[../third_party/gloo/x.cc] timed out"), InputError, "lost another one"),
        (torch.distributed.DistBackendError("timed out"), InputError, "lost another one"),
        (RuntimeError("shapes differ"), RuntimeError, "^shapes differ$"),
    ):
        started.clear()
        with pytest.raises(kind, match=said) as stopped, distributed.process_group(CPU):
            raise error
        assert started == ["gloo", "left"]
        if kind is InputError:
            assert str(stopped.value) == (
                "process 1 lost another one, which ended or did not answer for 77 s "
                "(LATENTIA_TIMEOUT sets how long to wait)"
            )
    monkeypatch.setenv(MEETING, "/meeting")
    started.clear()
    with pytest.raises(SystemExit) as ended, distributed.process_group(CPU):
        raise RuntimeError("gloo timed out")
    assert ended.value.code == LOST


def test_a_real_group_is_left_when_a_job_breaks_off(two):
    assert (two[0] / "left").exists(), two[1][-3000:]


def test_the_process_that_leads_is_known_before_there_is_a_group(monkeypatch):
    for number, expected in (("0", True), ("1", False)):
        monkeypatch.setenv("RANK", number)
        assert leads() == expected


def test_a_seed_that_is_drawn_is_the_same_in_both(both):
    assert both[0]["seed"] == both[1]["seed"]
