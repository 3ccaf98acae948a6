"""Progress of long work: the numbers it tells, by a faked clock."""

import sys
import time

import numpy as np
import pytest
from rich.progress import Progress

from latentia.training.progress import FileProgress, TrainingProgress


@pytest.fixture
def clock(monkeypatch):
    """Return a function that sets the seconds since the beginning."""
    now = [5000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return lambda seconds: now.__setitem__(0, 5000.0 + seconds)


LOSSES = {"generator": 0.51239, "critic": -2.0, "critic/penalty": 3.0}


def test_the_longer_it_takes_the_rarer_are_its_lines(clock, capsys):
    with TrainingProgress(200, 5, "WGAN", True) as watch:
        for second in range(1, 122):
            clock(float(second))
            watch(second, 3, 16, LOSSES)
    told = [
        int(line.split("step ")[1].split("/")[0]) for line in capsys.readouterr().err.splitlines()
    ]
    assert told[:20] == list(range(1, 21))
    assert told[20:] == [22, *told[21:]]
    gaps = np.diff(told)
    assert all(gap >= 0.05 * step for gap, step in zip(gaps, told[1:], strict=True))
    assert gaps.max() == 6


@pytest.mark.parametrize("first", [1, 101])
def test_a_line_tells_step_epoch_speed_losses_and_the_time_left(clock, capsys, first):
    """Also in a run that is resumed, whose speed is that of its own steps."""
    with TrainingProgress(first + 9, 5, "WGAN", True) as watch:
        for place, seconds in enumerate((2.0, 4.0, 4.5, 8.0)):
            clock(seconds)
            watch(first + place, 3, 16, LOSSES)
    end = "generator 0.5124  critic -2  "
    assert capsys.readouterr().err.splitlines() == [
        f"WGAN  step {first}/{first + 9}  epoch 3/5  8 samples/s  {end}18 s left",
        f"WGAN  step {first + 1}/{first + 9}  epoch 3/5  8 samples/s  {end}16 s left",
        f"WGAN  step {first + 3}/{first + 9}  epoch 3/5  8 samples/s  {end}12 s left",
    ]


def test_lines_come_a_second_apart_and_the_last_step_has_one(clock, capsys):
    with TrainingProgress(5, 1, "RNN", True, unit="windows") as watch:
        for step, seconds in ((1, 0.5), (2, 1.4), (3, 1.6), (4, 2.3), (5, 2.4)):
            clock(seconds)
            watch(step, 1, 1000, {"loss": 1.0})
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[2] for line in lines] == ["1/5", "3/5", "5/5"]
    assert "2,083 windows/s" in lines[-1]
    assert lines[-1].endswith("0 s left")


@pytest.mark.parametrize(("shown", "rank"), [(False, "0"), (None, "0"), (True, "1")])
def test_nothing_is_told_unasked_without_a_terminal_or_by_a_second_process(
    shown, rank, capsys, monkeypatch
):
    monkeypatch.setenv("RANK", rank)
    with TrainingProgress(1, 1, "VAE", shown) as watch:
        watch(1, 1, 1, {"loss": 1.0})
        watch.tell(1, "it is ill")
    assert capsys.readouterr().err == ""


def test_an_ailment_is_told_once_until_it_changes(capsys):
    with TrainingProgress(9, 3, "GAN", True) as watch:
        for epoch, sentence in enumerate(("cold: 1", "cold: 2", "warm: 2", "cold: 2"), start=1):
            watch.tell(epoch, sentence)
    assert capsys.readouterr().err.splitlines() == [
        "GAN  epoch 1: cold: 1",
        "GAN  epoch 3: warm: 2",
        "GAN  epoch 4: cold: 2",
    ]


@pytest.fixture
def bars(monkeypatch):
    """Pretend that there is a terminal, and return what its bars are told."""
    told = []

    class Bar(Progress):
        def __init__(self):
            """Draw nothing."""

        @property
        def console(self):
            return self

        def print(self, line, **style):
            told.append(("line", line))

        def start(self):
            told.append("up")

        def stop(self):
            told.append("down")

        def add_task(self, title, total, numbers):
            told.append((title, total))
            return 7

        def update(self, task, completed, numbers):
            told.append((task, completed, numbers))

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr("latentia.training.progress.make_bar", Bar)
    return told


def test_a_terminal_has_a_bar_that_moves_five_times_a_second(clock, bars):
    with TrainingProgress(8, 2, "VAE", None) as watch:
        for step, seconds in ((3, 0.25), (4, 0.4), (5, 0.5), (8, 0.51)):
            clock(seconds)
            watch(step, 1 + step // 5, 10, {"loss": 1.5})
        watch.tell(2, "cold: 1")
    rates = {3: 40, 5: 60, 8: 78}
    assert bars == [
        "up",
        ("VAE", 8),
        *((7, n, f"epoch {1 + n // 5}/2  {rate} samples/s  loss 1.5") for n, rate in rates.items()),
        ("line", "VAE  epoch 2: cold: 1"),
        "down",
    ]


def test_no_bar_is_put_up_that_was_declined(bars):
    with TrainingProgress(8, 2, "VAE", False) as watch:
        watch(8, 1, 10, {"loss": 1.5})
    assert bars == []


@pytest.mark.parametrize("broken", [False, True])
def test_the_bar_of_files_moves_by_shares_and_is_full_at_the_end_of_what_ends_well(bars, broken):
    try:
        with FileProgress(3, "Enlarging", None) as watch:
            watch.begin(2, "b.png")
            watch(0.25)
            watch.print("said")
            if broken:
                raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    full = [] if broken else [(7, 3, "")]
    told = [(7, 1.0, "b.png"), (7, 1.25, "b.png"), ("line", "said")]
    assert bars == ["up", ("Enlarging", 3), *told, *full, "down"]


def test_files_have_no_line_that_was_declined(clock, capsys):
    with FileProgress(3, "Enlarging", False) as watch:
        clock(1.1)
        watch.begin(1, "a.png")
    assert capsys.readouterr().err == ""


def test_files_have_a_line_a_second(clock, capsys):
    with FileProgress(3, "Enlarging", True) as watch:
        watch.begin(1, "a.png")
        for share, seconds in ((0.5, 0.9), (0.7, 1.1)):
            clock(seconds)
            watch(share)
        watch.begin(2, "b.png")
        clock(2.2)
        watch(0.25)
    assert capsys.readouterr().err.splitlines() == [
        "Enlarging 1/3  a.png  0%",
        "Enlarging 1/3  a.png  70%",
        "Enlarging 2/3  b.png  25%",
    ]
