"""Conditions on what a run holds and is asked for, each of their parts where it alone decides."""

import json
from types import SimpleNamespace

import pytest

from latentia.errors import InputError
from latentia.training.config import RunConfig, read_config
from latentia.training.device import _asked_number, check_device_name
from latentia.training.history import History
from latentia.training.metrics_file import is_record
from latentia.training.run import Run

WHOLE = {"step": 3, "epoch": 1, "split": "train", "values": {"loss": 1.5}}


@pytest.mark.parametrize(
    ("change", "is_whole"),
    [
        ({}, True),
        ({"seconds": 2.5, "note": "well"}, True),
        ({"values": {"loss": 2}}, True),
        ({"values": {}}, True),
        ({"values": None}, False),
        ({"values": {"loss": True}}, False),
        ({"values": {"loss": "1"}}, False),
        ({"seconds": "2"}, False),
        ({"seconds": None}, False),
        ({"step": 0}, False),
        ({"epoch": -1}, False),
        ({"step": 3.0}, False),
        ({"epoch": True}, False),
        ({"epoch": None}, False),
        ({"split": 1}, False),
        ({"note": 1}, False),
    ],
)
def test_a_record_has_counts_numbers_and_texts(change, is_whole):
    assert is_record(WHOLE | change) == is_whole
    assert not is_record([WHOLE])
    assert not is_record({name: value for name, value in WHOLE.items() if name != "split"})


STAGE = {"step": 4, "n_epochs": 2}


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("threads", 1, ""),
        ("threads", 1024, ""),
        ("threads", None, ""),
        ("threads", 1025, "a whole number from 1 to 1024"),
        ("threads", True, "a whole number from 1 to 1024"),
        ("threads", "2", "a whole number from 1 to 1024"),
        ("precision", "auto", ""),
        ("precision", None, "text"),
        ("parameters", [1], "a table"),
        ("stages", [], ""),
        ("stages", [STAGE], ""),
        ("stages", {}, "a list of stages"),
        ("stages", [[1, 2]], "a list of stages"),
        ("stages", [{"step": 4}], "a list of stages"),
        ("stages", [STAGE | {"more": 1}], "a list of stages"),
        ("stages", [STAGE | {"step": 0}], "a list of stages"),
        ("stages", [STAGE | {"n_epochs": 2.0}], "a list of stages"),
        ("stages", [STAGE, {**STAGE, "n_epochs": True}], "a list of stages"),
    ],
)
def test_a_field_of_a_run_is_of_its_kind(tmp_path, name, value, wanted):
    (tmp_path / "config.json").write_text(json.dumps({name: value}))
    if not wanted:
        assert read_config(tmp_path)[name] == value
        return
    with pytest.raises(InputError) as caught:
        read_config(tmp_path)
    said = f"{tmp_path / 'config.json'}: {name} must be {wanted}, and is {value!r:.60}"
    assert str(caught.value) == said


def test_what_a_parameter_came_to_is_a_whole_number_or_untold():
    config = RunConfig("VAE", {"a": 1, "b": 2, "c": True, "d": "4"}, resolved={"b": 3})
    assert [config.taken(name) for name in "abcde"] == [1, 3, None, None, None]
    for seed in (True, None, 1.0):
        with pytest.raises(InputError, match=f"no whole number as seed, but {seed!r}"):
            _ = RunConfig("VAE", {"random_state": seed}).seed


@pytest.mark.parametrize("name", ["cuda:1", "cuda:999", "cpu", "auto", "mps", "cpu:0"])
def test_devices_that_torch_would_know(name):
    check_device_name(name)


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "cuda:1000", "cuda:١", "auto:1", ""])
def test_devices_that_torch_would_not_know(name):
    with pytest.raises(InputError, match=f"device is {name!r}; it must be one of auto"):
        check_device_name(name)


def test_a_number_in_the_environment_is_within_its_limits(monkeypatch):
    assert _asked_number("LATENTIA_ASKED", 1024) is None
    for asked in ("1", "1024"):
        monkeypatch.setenv("LATENTIA_ASKED", asked)
        assert _asked_number("LATENTIA_ASKED", 1024) == int(asked)
    for asked in ("0", "1025", "102400", "-1", "1.5", "x", ""):
        monkeypatch.setenv("LATENTIA_ASKED", asked)
        said = f"LATENTIA_ASKED is {asked!r}; it must be a whole number from 1 to 1024"
        with pytest.raises(InputError, match=said):
            _asked_number("LATENTIA_ASKED", 1024)


def test_pictures_are_drawn_more_rarely_the_longer_a_run_is(tmp_path):
    drawn, told = [], []

    def draw(folder, epoch):
        folder.mkdir(exist_ok=True)
        (folder / f"epoch_{epoch:04d}.png").write_bytes(b"")
        drawn.append(epoch)

    events = SimpleNamespace(add_drawn=lambda path, step: told.append((path.stem, step)))
    run = SimpleNamespace(keeps=True, path=tmp_path, draw=draw, events=events)
    run._last_drawn = lambda: Run._last_drawn(run)
    for epoch in range(1, 50):
        Run.show(run, SimpleNamespace(step=10 * epoch), epoch, last=epoch == 49)
    assert drawn == [*range(1, 11), 20, 40, 49]
    assert told == [(f"epoch_{n:04d}", 10 * n) for n in (1, 2, 4, 8, 49)]
    for absent in ({"keeps": False}, {"draw": None}):
        Run.show(SimpleNamespace(**(vars(run) | absent)), SimpleNamespace(step=1), 1)
    assert len(drawn) == 13


def test_a_history_says_why_training_ended_and_what_was_wrong_by_epoch():
    def record(step, epoch, split, note=None):
        told = {} if note is None else {"note": note}
        values = {"loss": 1.0} if split == "train" else {}
        return {"step": step, "epoch": epoch, "split": split, "values": values, **told}

    records = [
        record(1, 1, "train"),
        record(1, 1, "health", "ill"),
        record(2, 2, "train"),
        record(2, 2, "health", ""),
    ]
    assert History(records).ailments == {1: "ill"}
    assert History(records).ended == ""
    assert History([*records, record(2, 2, "end", "why")]).ended == "why"
    went_on = [*records, record(2, 2, "end", "why"), record(3, 3, "train")]
    assert History(went_on).ended == ""
