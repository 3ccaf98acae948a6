"""The figure of a search: each trial over each field's value, the best so far, its marks."""

import math

import numpy as np
import pytest

from latentia.plots.search_figure import search_figure
from latentia.plots.style import COLOURS

TRIALS = [
    (0, {"rate": 1e-4, "beta": 1.0, "net": "mlp"}, 5.0, "complete"),
    (2, {"rate": 1e-3, "beta": 4.0, "net": "convolutional"}, 3.0, "complete"),
    (3, {"rate": 1e-2, "beta": 2.0, "net": "mlp"}, 90.0, "pruned"),
    (4, {"rate": 1.0, "beta": 3.0, "net": "mlp"}, math.nan, "failed"),
    (6, {"rate": 2e-3, "beta": 9.0, "net": "mlp"}, 4.0, "complete"),
]


@pytest.fixture(scope="module")
def panels():
    return search_figure(TRIALS, 2).axes


def dots(axes):
    return [line for line in axes.lines if line.get_marker() == "o"]


def places(axes):
    return [(float(line.get_xdata()[0]), line.get_ydata()[0]) for line in dots(axes)]


def test_each_trial_stands_over_its_own_value_of_each_field(panels):
    assert [axes.get_xlabel() for axes in panels] == ["trial", "rate", "beta", "net"]
    assert panels[0].get_ylabel() == "held-out value"
    # The pruned one is a tenth of the complete trials' range above their worst.
    values = [5.0, 3.0, 5.2, 4.0]
    assert places(panels[0]) == list(zip([1, 3, 4, 7], values))
    assert places(panels[1]) == list(zip([1e-4, 1e-3, 1e-2, 2e-3], values))
    assert places(panels[2]) == list(zip([1, 4, 2, 9], values))
    assert places(panels[3]) == list(zip([1, 0, 1, 1], values))
    assert [text.get_text() for text in panels[3].get_xticklabels()] == ["convolutional", "mlp"]
    assert [axes.get_xscale() for axes in panels] == ["linear", "log", "linear", "linear"]


def test_the_best_is_another_colour_and_what_was_pruned_is_hollow(panels):
    for axes in panels:
        assert [line.get_color() for line in dots(axes)] == [COLOURS[n] for n in (0, 1, 0, 0)]
        hollow = [line.get_markerfacecolor() == "none" for line in dots(axes)]
        assert hollow == [False, False, True, False]


def test_the_best_so_far_is_of_complete_trials(panels):
    (line,) = [line for line in panels[0].lines if line.get_marker() != "o"]
    np.testing.assert_array_equal(line.get_data(), ([1, 3, 7], [5, 3, 3]))
    assert line.get_drawstyle() == "steps-post"


def test_numbers_ten_times_apart_are_on_a_line_and_truth_values_are_words():
    trials = [
        (n, {"width": width, "tied": tied}, 1.0 + n, "complete")
        for n, (width, tied) in enumerate([(5, True), (50, False)])
    ]
    _, width, tied = search_figure(trials, 0).axes
    assert width.get_xscale() == "linear"
    assert [text.get_text() for text in tied.get_xticklabels()] == ["False", "True"]
    assert places(tied) == [(1, 1.0), (0, 2.0)]
