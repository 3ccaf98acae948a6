"""Every schedule of the learning rate at the start, in the middle and near the end."""

import pytest

from latentia.training.updates import SCHEDULES

VALUES = {
    "constant": (1.0, 1.0, 1.0, 1.0),
    "linear": (1.0, 0.75, 0.5, 0.0),
    "late-linear": (1.0, 1.0, 1.0, 0.0),
    "cosine": (1.0, 0.8535534, 0.5, 0.0),
    "stages": (1.0, 10 ** (-6 / 7), 0.1, 0.1),
}
"""Factors at 0, a quarter, a half and the whole of 3,280 epochs."""


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedules_factors(name):
    found = [SCHEDULES[name](done, 3280) for done in (0.0, 0.25, 0.5, 1.0)]
    assert found == pytest.approx(VALUES[name], abs=1e-7)


def test_the_late_line_falls_in_the_second_half():
    assert SCHEDULES["late-linear"](0.75, 10) == pytest.approx(0.5)


def test_stages_last_three_times_as_long_each():
    bounds = [sum(3**i for i in range(n)) for n in range(9)]
    for stage in range(8):
        for epoch in (bounds[stage], bounds[stage + 1] - 1):
            factor = SCHEDULES["stages"]((epoch + 0.5) / 3280, 3280)
            assert factor == pytest.approx(10 ** (-stage / 7))
