"""Conditions on the course of training, each of their parts where it alone decides."""

import io
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from latentia.errors import InputError
from latentia.training import directory, distributed, draws, further, going_back, progress
from latentia.training.batches import BatchOrder, Planned, Source
from latentia.training.config import RunConfig, _differences
from latentia.training.device import bounded_weights
from latentia.training.directory import disk_taken
from latentia.training.further import Kept
from latentia.training.metrics_file import _parsed, _up_to
from latentia.training.notebook import NotebookBar
from latentia.training.run import Run, _checked
from latentia.training.updates import _in_storage_order
from tests.training.slope import Slope


@pytest.mark.parametrize(
    ("steps_an_epoch", "n_epochs", "recorded"),
    [
        (2, 26, [*range(1, 21), 22, 24, 26]),
        (2, 25, [*range(1, 21), 22, 24, 25]),
        (2, 45, [*range(1, 21), *range(22, 41, 2), 44, 45]),
        (99, 25, [*range(1, 21), 22, 24, 25]),
        (100, 25, [*range(1, 26)]),
    ],
)
def test_long_epochs_are_all_recorded_and_short_ones_more_rarely(
    steps_an_epoch, n_epochs, recorded
):
    order = BatchOrder(4 * steps_an_epoch, 4, n_epochs, 0)
    steps = [step for step in range(order.n_steps) if order.is_recorded(step)]
    assert steps == [epoch * steps_an_epoch - 1 for epoch in recorded]


@dataclass(eq=False, repr=False, kw_only=True)
class Plan(Planned):
    """A plan that holds rows out, of data that are learned by heart in three epochs."""

    most_epochs = 3

    def holds_out(self, settled):
        return settled["held"]


ROWS = np.arange(48, dtype=np.float32).reshape(24, 2)


@pytest.mark.parametrize(
    ("given", "held", "n_trained"), [(None, True, 22), ("given", True, 24), (None, False, 24)]
)
def test_rows_are_held_out_where_none_are_given(given, held, n_trained):
    batches, held_out = Plan().parted(Source(ROWS), given, {"held": held})
    assert len(batches) == n_trained
    assert (held_out if n_trained == 24 else len(held_out)) == (given if n_trained == 24 else 2)
    foreign = [1, 2, 3]
    assert Plan().parted(foreign, None, {"held": True}) == (foreign, None)


@pytest.mark.parametrize(
    ("fields", "begun", "n_epochs", "batch_size"),
    [
        ({}, None, 200, 32),
        ({"n_steps": 5000}, None, 5000, 32),
        ({}, {"n_epochs": 7, "batch_size": 9}, 7, 9),
        ({"n_epochs": 2, "batch_size": 3}, {"n_epochs": 7, "batch_size": 9}, 2, 3),
    ],
)
def test_what_is_left_open_is_taken_as_a_run_began_or_as_is_usual(
    fields, begun, n_epochs, batch_size, monkeypatch
):
    plan = Plan(**fields)
    plan._begun = None if begun is None else RunConfig("VAE", {}, resolved=begun)
    plan.choose_batch(24)
    assert plan.batch_size_ == batch_size
    monkeypatch.setattr("latentia.training.batches.LEAST_STEPS", 200)
    assert plan.resolve(Source(ROWS))["n_epochs"] == n_epochs


@pytest.mark.parametrize(
    ("there", "here", "words"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, "b 2 there, 3 here"),
        ({"a": 1}, {"b": 3}, "a 1 there, 'absent' here, b 'absent' there, 3 here"),
        ({"a": 1}, None, "{'a': 1} there, None here"),
        (None, {"a": 1}, "None there, {'a': 1} here"),
        (1, 2, "1 there, 2 here"),
    ],
)
def test_what_differs_between_runs_is_told_by_its_entry(there, here, words):
    assert _differences(there, here) == words


def test_weights_are_counted_up_to_what_the_environment_allows(monkeypatch):
    with bounded_weights():
        nn.Linear(3, 4, bias=False)
        nn.LazyLinear(4)
        nn.BatchNorm1d(3, affine=False, track_running_stats=False)
    monkeypatch.setenv("LATENTIA_MOST_WEIGHTS", "12")
    with bounded_weights():
        nn.Linear(3, 4, bias=False)
    said = r"^the nets would have more than 12 weights, of 4 bytes"
    with pytest.raises(InputError, match=said), bounded_weights():
        nn.Linear(3, 4)


def test_a_folder_is_begun_if_its_holder_is_latentias(tmp_path):
    assert not directory._has_checkpoints(tmp_path)
    (tmp_path / "pretraining").mkdir()
    assert directory._has_checkpoints(tmp_path)
    for content, number in (("12", "12"), ("", ""), ("x1", None)):
        (tmp_path / "holder").write_text(content)
        assert directory._number(tmp_path / "holder") == number
    with pytest.raises(InputError) as caught, directory._locked(tmp_path):
        pass
    said = f"{tmp_path}/holder is not Latentia's: choose another directory"
    assert str(caught.value) == said
    (tmp_path / "holder").unlink()
    with directory._locked(tmp_path):
        assert (tmp_path / "holder").read_text().isdigit()


def test_links_take_nothing_of_the_disk(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "report.html").write_bytes(bytes(2_500_000))
    (tmp_path / "other").write_bytes(bytes(2_500_000))
    (tmp_path / "run" / "link").symlink_to(tmp_path / "other")
    assert disk_taken(tmp_path / "run").endswith(": 2.5 MB: report and records 2.5 MB")


class Group:
    """A stand-in for torch.distributed."""

    def __init__(self, available, initialized, size=3):
        self.is_available, self.is_initialized = lambda: available, lambda: initialized
        self.get_world_size = lambda: size


@pytest.mark.parametrize(
    ("group", "size"),
    [(None, 1), (Group(False, True), 1), (Group(True, False), 1), (Group(True, True), 3)],
)
def test_without_a_group_there_is_one_process(monkeypatch, group, size):
    monkeypatch.setitem(sys.modules, "torch.distributed", group)
    assert distributed.world_size() == size


@pytest.mark.parametrize(
    ("initialized", "words", "kind"),
    [
        (False, "odd", InputError),
        (False, "gloo is lost", InputError),
        (True, "gloo is lost", InputError),
        (True, "odd", RuntimeError),
    ],
)
def test_an_error_of_the_group_is_one_of_another_process(monkeypatch, initialized, words, kind):
    def fail(*_, **__):
        raise RuntimeError(words)

    ended = []
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    monkeypatch.delenv("LATENTIA_DEVICES", raising=False)
    monkeypatch.delenv(distributed.MEETING, raising=False)
    monkeypatch.setattr(torch.distributed, "init_process_group", fail)
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: initialized)
    monkeypatch.setattr(torch.distributed, "destroy_process_group", lambda: ended.append(1))
    monkeypatch.setattr(distributed, "world_size", lambda: 1)
    with pytest.raises(kind) as caught, distributed.process_group(torch.device("cpu")):
        pass
    assert (words == str(caught.value)) == (kind is RuntimeError)
    assert ended == [1] * initialized
    # Who has joined already does not join again.
    monkeypatch.setattr(distributed, "world_size", lambda: 2)
    with distributed.process_group(torch.device("cpu")):
        pass


def test_storage_order_is_that_of_channels_last_alone():
    values = torch.arange(120.0).reshape(2, 3, 4, 5)
    last = values.contiguous(memory_format=torch.channels_last)
    assert _in_storage_order(values) is values
    assert _in_storage_order(last).is_contiguous()
    assert torch.equal(_in_storage_order(last), values.permute(0, 2, 3, 1))
    assert _in_storage_order(values[0]) is not None
    for shape in ((6,), (2, 3), (2, 3, 4)):
        draws.seed(0, 0, "u", 0)
        assert draws.bytes_like(torch.zeros(shape)).shape == shape


@pytest.mark.parametrize(
    ("parameters", "n_epochs", "same"),
    [({"n_epochs": 3}, None, True), ({"n_epochs": None}, 5, True), ({"n_epochs": 3}, 5, False)],
)
def test_a_run_is_extended_by_a_number_of_epochs(monkeypatch, parameters, n_epochs, same):
    monkeypatch.setattr(further, "trained", lambda _: (6, 3, False))
    begun = RunConfig("VAE", parameters)
    found = further.extended(begun, n_epochs, Path("r"))
    assert (found is begun) == same
    if not same:
        assert found.taken("n_epochs") == 5
        assert found.stages == [{"step": 6, "n_epochs": 3}]


@pytest.mark.parametrize(
    ("trained", "n_epochs", "told"),
    [((6, 3, False), 5, True), ((8, 4, False), 5, False), ((6, 5, False), 5, False)],
)
def test_going_on_is_told_where_a_run_had_ended(monkeypatch, trained, n_epochs, told):
    monkeypatch.setattr(further, "trained", lambda _: trained)
    stages = [{"step": 6, "n_epochs": 3}]
    config = RunConfig("VAE", {"n_epochs": n_epochs}, stages=stages)
    assert config.goes_on_at == 6
    said = [*further.going_on(config, Path("r"))]
    first = ["the run in r was planned for 3 epochs and has had 3; it goes on to 5 in all, 2 more"]
    assert said[:1] == (first if told else [])


def test_epochs_in_all_of_a_run_of_untold_length_are_those_more(monkeypatch):
    for n_epochs, in_all in ((None, 4), (3, 7)):
        config = RunConfig("VAE", {"n_epochs": n_epochs})
        monkeypatch.setattr(further.RunConfig, "read", lambda _, config=config: config)
        monkeypatch.setattr(further, "trained", lambda _: (6, 3, False))
        assert further.epochs_in_all(Path("r"), 4) == in_all


@pytest.mark.parametrize(
    ("stages", "planned"),
    [([], 9), ([{"step": 4, "n_epochs": 5}], 9), ([{"step": 8, "n_epochs": 5}], 5)],
)
def test_a_run_taken_back_was_planned_as_then(stages, planned):
    config = RunConfig("VAE", {"n_epochs": 9}, stages=stages)
    found = going_back._earlier(config, Path("r"), Kept("step_6", 6, 2, {}, 1))
    assert found.parameters["n_epochs"] == 2
    earlier = [stage for stage in stages if stage["step"] < 6]
    assert found.stages == [*earlier, {"step": 6, "n_epochs": planned}]
    untold = going_back._earlier(RunConfig("VAE", {}), Path("r"), Kept("step_6", 6, 2, {}, 1))
    assert untold.stages == [{"step": 6, "n_epochs": 0}]


RECORD = b'{"step": %d, "epoch": 1, "split": "train", "values": {"loss": 1.5}}\n'


def test_a_line_that_was_cut_is_no_record():
    assert _parsed(RECORD % 3)["step"] == 3
    assert _parsed((RECORD % 3)[:-1]) is None
    assert _parsed(b"{}\n") is None


def test_the_first_damage_before_a_step_is_told(tmp_path):
    good = [RECORD % step for step in (1, 2, 3, 4)]
    whole = b"".join(good)
    assert _up_to(2, whole, tmp_path) == b"".join(good[:2])
    assert _up_to(2, b"".join([*good[:2], b"x\n", b"y\n"]), tmp_path) == b"".join(good[:2])
    with pytest.raises(InputError, match="line 2") as caught:
        _up_to(4, b"".join([good[0], b"x\n", b"y\n", *good[1:]]), tmp_path)
    assert "line 3" not in str(caught.value)


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "shown", "leads", "told"),
    [
        (Terminal, None, True, True),
        (io.StringIO, None, True, False),
        (io.StringIO, True, True, True),
        (Terminal, False, True, False),
        (Terminal, None, False, False),
        (Terminal, True, False, False),
    ],
)
def test_notes_are_told_where_a_bar_would_be(monkeypatch, stream, shown, leads, told):
    errors = stream()
    monkeypatch.setattr(sys, "stderr", errors)
    monkeypatch.setattr(progress, "leads", lambda: leads)
    progress.tell_notes(["a", "b"], shown)
    assert errors.getvalue() == ("latentia: a\nlatentia: b\n" if told else "")


def test_without_an_error_stream_nothing_is_told(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert progress.ErrorStream().write("a") == 1


class Listed:
    """A function that can be gone through as a list."""

    def __iter__(self):
        return iter([print])

    def __call__(self, record):
        return None


@pytest.mark.parametrize("callbacks", [print, Listed(), 3, [3], "ab"])
def test_functions_of_the_user_come_in_a_list(callbacks):
    with pytest.raises(InputError, match=r"^callbacks is .*; give a list of functions that take"):
        _checked(callbacks)
    assert _checked((print,)) == [print]


@pytest.mark.parametrize(("n_summed", "n_in_all"), [(3, 4), (0, 2)])
def test_means_are_of_all_steps_since_the_last_record(monkeypatch, n_summed, n_in_all):
    """Of epochs 21 and 22 the second is recorded; old checkpoints do not tell how many steps."""

    def restore(self, state, n_steps, hold):
        state.step, state.n_summed = 43, n_summed
        state.sums = {"slope": 30.0, "slope/twice": 60.0}

    monkeypatch.setattr(Run, "restore", restore)
    rows = np.stack([np.arange(8), np.ones(8)], axis=1).astype(np.float32)
    found = Slope(n_epochs=22, random_state=0).fit(rows)
    (call,) = found.calls
    mean = (30 + float((call["x"] * call["w"]).sum(1).mean())) / n_in_all
    (values,) = [r["values"] for r in found.records_ if r["split"] == "train"]
    assert values == pytest.approx({"slope": mean, "slope/twice": 2 * mean})


def test_the_best_weights_are_those_of_the_start_if_none_are_better():
    rows = np.ones((8, 2), np.float32)
    found = Slope(n_epochs=3, patience=5, random_state=0, learning_rate=0.1)
    found.fit(rows, validation=-rows)
    assert found.best_epoch_ == 0
    assert torch.equal(found.line_[1].weight, found.calls[0]["w"])


def test_the_best_weights_are_spoken_of_where_they_are_held():
    rows = np.ones((8, 2), np.float32)

    def enough(epoch):
        return epoch.epoch == 2

    for validation, more in ((None, ""), (rows, "; the weights are those of epoch 2, the best")):
        found = Slope(n_epochs=5, patience=None if validation is None else 5)
        found.fit(rows, validation=validation, callbacks=[enough])
        (end,) = [record for record in found.records_ if record["split"] == "end"]
        assert end["note"] == f"ended before epoch 5: enough asked for it{more}"
        assert hasattr(found, "best_epoch_") == (validation is not None)


@pytest.mark.parametrize(
    ("first", "done", "total", "told"), [(2, 2, 9, False), (2, 9, 9, False), (2, 5, 9, True)]
)
def test_the_time_left_is_told_on_the_way(first, done, total, told):
    bar = SimpleNamespace(_first=first, _done=done, _total=total, _began=0.0)
    assert NotebookBar._left(bar).endswith(" s left") == told
