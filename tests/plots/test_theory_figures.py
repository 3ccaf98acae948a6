"""Figures of theory and of a game on the line: each curve is the one its legend names."""

import numpy as np
import pytest

from latentia.plots.game import game_figure, minimax_figure
from latentia.plots.style import COLOURS, INK, png_bytes
from latentia.plots.theory import (
    asymmetry_figure,
    densities_figure,
    expectation_figure,
    parallel_lines_figure,
)

X = np.linspace(-1.0, 3.0, 9)


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def by_label(axes):
    """Return the (x, y) data of each line that a legend names."""
    return {
        line.get_label(): np.asarray(line.get_data())
        for line in axes.lines
        if not line.get_label().startswith("_")
    }


def corners(filled):
    """Return the points that a filled area goes through."""
    return {tuple(point) for point in np.round(filled.get_paths()[0].vertices, 9)}


def test_two_lines_show_each_distance_in_a_panel_of_its_own():
    theta = np.arange(-4.0, 5.0)
    curves = np.abs(theta), np.log(2) * (theta != 0), 1.0 * (theta != 0)
    figure = parallel_lines_figure(theta, *curves)
    example, *panels = figure.axes
    assert [line.get_xdata()[0] for line in example.lines] == [0.0, 0.6]
    assert [text.get_text() for text in example.texts] == ["$P_0$", "$P_θ$", "", "θ"]
    titles = [axes.get_title(loc="left") for axes in panels]
    assert [title.split(":")[0] for title in titles] == [
        "Wasserstein-1", "Jensen–Shannon", "total variation",
    ]  # fmt: skip
    assert [axes.get_ylabel() for axes in panels] == ["units of θ", "nats", "probability"]
    said = [axes.texts[0].get_text() for axes in panels]
    assert said[0] == "the slope leads to θ = 0"
    assert all(text.startswith("no slope") for text in said[1:])
    np.testing.assert_array_equal(panels[0].lines[0].get_data(), (theta, curves[0]))
    for axes, curve, colour in zip(panels, curves, COLOURS):
        assert {line.get_color() for line in axes.lines[:1]} == {colour}
        assert axes.get_xlabel() == "distance θ of the lines"
        assert axes.get_ylim()[1] > curve.max()
    for axes, value in zip(panels[1:], (np.log(2), 1.0)):
        left, right, open_end, at_zero = axes.lines
        np.testing.assert_array_equal(left.get_data(), ([-4, -3, -2, -1], [value] * 4))
        np.testing.assert_array_equal(right.get_data(), ([1, 2, 3, 4], [value] * 4))
        np.testing.assert_array_equal(open_end.get_data(), ([0], [value]))
        np.testing.assert_array_equal(at_zero.get_data(), ([0], [0]))
        assert open_end.get_markerfacecolor() == "white"
        assert at_zero.get_markerfacecolor() == at_zero.get_color()
    assert png_bytes(figure)


def test_the_nearest_densities_stand_over_the_one_they_are_near_to():
    p, forward, backward = X**2, X + 1, 30 - X
    figure = asymmetry_figure(X, p, [("KL(p, q)", forward), ("KL(q, p)", backward)])
    (axes,) = figure.axes
    assert legend(axes) == ["p", "KL(p, q)", "KL(q, p)"]
    found = by_label(axes)
    np.testing.assert_array_equal(found["KL(p, q)"], (X, forward))
    np.testing.assert_array_equal(found["KL(q, p)"], (X, backward))
    wanted = {tuple(point) for point in np.round(np.column_stack([X, p]), 9)}
    assert wanted <= corners(axes.collections[0])
    assert axes.get_xlim() == (-1, 3)
    assert axes.get_ylim() == (0, 1.5 * 31)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "density")
    assert "one way covers both modes, the other seeks one" in axes.get_title(loc="left")


def test_a_running_mean_stands_in_its_interval_and_beside_its_error():
    n = np.array([1.0, 10.0, 100.0, 1000.0, 10000.0])
    mean = np.array([5.0, 2.5, 2.2, 1.9, 2.05])
    half = 4 / np.sqrt(n)
    figure = expectation_figure(n, mean, (mean - half, mean + 3 * half), 2.0, "E x²")
    left, right = figure.axes
    assert left.get_title(loc="left") == "E x²"
    assert legend(left) == ["95 % interval", "running mean", "the expectation, 2"]
    estimates, errors = by_label(left), by_label(right)
    np.testing.assert_array_equal(estimates["running mean"], (n, mean))
    np.testing.assert_array_equal(estimates["the expectation, 2"][1], [2, 2])
    ends = np.concatenate([mean - half, mean + 3 * half])
    wanted = {tuple(point) for point in np.round(np.column_stack([[*n, *n], ends]), 9)}
    assert wanted <= corners(left.collections[0])
    assert legend(right) == ["|error|", "half the 95 % interval", "slope −½"]
    np.testing.assert_allclose(errors["|error|"], (n, np.abs(mean - 2)))
    np.testing.assert_allclose(errors["half the 95 % interval"], (n, 2 * half))
    np.testing.assert_allclose(errors["slope −½"], (n, 8 / np.sqrt(n)))
    assert right.get_xscale() == right.get_yscale() == left.get_xscale() == "log"
    assert left.get_yscale() == "linear"
    for axes, unit in ((left, "estimate"), (right, "units of the estimate")):
        assert axes.get_xlim() == (1, 10000)
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("draws n", unit)
    # From the fourth root of the last n on, the interval's furthest end is 2.5 + 3 · 4/√10.
    reach = 0.5 + 12 / np.sqrt(10)
    np.testing.assert_allclose(left.get_ylim(), (2 - reach, 2 + reach))
    np.testing.assert_allclose(right.get_ylim(), (0.08 / 30, 24))


def test_densities_of_three_kinds():
    narrow, wide = np.exp(-(X**2)), np.exp(-(X**2) / 9)
    dice = np.array([2.0, 3.0, 4.0]), np.array([0.25, 0.5, 0.25])
    plane = np.array([0.0, 1, 2, 3]), np.array([10.0, 20, 30]), np.arange(12.0).reshape(3, 4)
    figure = densities_figure(X, [("N(0, ½)", narrow), ("N(0, 4½)", wide)], dice, plane)
    left, middle, right = figure.axes
    assert legend(left) == ["N(0, ½)", "N(0, 4½)"]
    np.testing.assert_array_equal(by_label(left)["N(0, ½)"], (X, narrow))
    np.testing.assert_array_equal(by_label(left)["N(0, 4½)"], (X, wide))
    assert left.get_ylim() == (0, 1.25)
    assert left.get_xlim() == (-1, 3)
    bars = [(bar.get_x() + bar.get_width() / 2, bar.get_height()) for bar in middle.patches]
    np.testing.assert_allclose(bars, np.column_stack(dice))
    assert [axes.get_ylabel() for axes in (left, middle)] == ["density p(x)", "probability P(x)"]
    assert right.get_zlim() == pytest.approx((-0.6 * 11, 11))
    assert (right.get_xlabel(), right.get_ylabel()) == ("$x_1$", "$x_2$")
    for (low, high), places in ((right.get_xlim(), plane[0]), (right.get_ylim(), plane[1])):
        assert low <= places[0] < places[-1] <= high < 1.2 * places[-1]
    assert png_bytes(figure)


def test_the_best_discriminator_beside_a_trained_one_and_the_games_value():
    p_data, p_g = X + 1, 4 - X
    best, trained = X / 10, X / 20
    shifts = np.array([0.0, 1.0, 2.0])
    values, criterion = np.array([-1.4, -0.9, -0.4]), np.array([-1.3, -0.8, -0.3])
    figure = minimax_figure(X, (p_data, p_g), (best, trained), shifts, values, criterion)
    left, right, judge = figure.axes
    found = by_label(left)
    np.testing.assert_array_equal(found["p_data"], (X, p_data))
    np.testing.assert_array_equal(found["p_g"], (X, p_g))
    judged = by_label(judge)
    np.testing.assert_array_equal(judged["D* = p_data / (p_data + p_g)"], (X, best))
    np.testing.assert_array_equal(judged["D, trained"], (X, trained))
    assert legend(left) == ["p_data", "p_g", "D* = p_data / (p_data + p_g)", "D, trained"]
    course = by_label(right)
    np.testing.assert_array_equal(course["V(G, D*) by its definition"], (shifts, values))
    np.testing.assert_array_equal(course["−log 4 + 2 JSD"], (shifts, criterion))
    levels = {line.get_ydata()[0] for line in right.lines if line.get_linestyle() == ":"}
    assert levels == {-np.log(4), 0.0}
    for text, level in zip(right.texts, (-np.log(4), 0.0)):
        assert text.get_position() == (2.0, pytest.approx(level, abs=0.05))
    assert ["p_g = p_data" in text.get_text() for text in right.texts] == [True, False]
    assert [line.get_color() for line in left.lines] == [INK, COLOURS[2]]
    assert judge.get_ylabel() == "probability of “real”"
    assert left.get_ylim() == (0, 1.45 * 5)
    assert judge.get_ylim() == (0, 1.45)
    assert left.get_xlim() == (-1, 3)


def test_panels_of_a_game_show_their_moment():
    p_data = np.array([0.0, 0.0, 1, 2, 3, 2, 1, 0, 0])
    z = np.array([-2.0, 0.0, 1.0])
    moments = [
        (0, 9 * np.eye(9)[1], X / 10, np.array([-1.0, 0.0, 2.0])),
        (40, 5 * np.eye(9)[4], X / 20, np.array([1.0, 1.5, 0.5])),
    ]
    steps, js, gap = np.array([0, 20, 40]), np.array([0.6, 0.3, 0.1]), np.array([0.5, 0.2, 0.05])
    figure = game_figure(X, p_data, z, moments, (steps, js, gap))
    upper = [axes for axes in figure.axes if axes.get_title(loc="left")]
    assert [axes.get_title(loc="left") for axes in upper] == [
        "(a) after 0 steps", "(b) after 40 steps",
    ]  # fmt: skip
    judges = [axes for axes in figure.axes if "D(x)" in by_label(axes)]
    maps = [axes for axes in figure.axes if len(axes.patches) == len(z)]
    course = figure.axes[-1]
    for (_, p_g, D, images), axes, judge, arrows in zip(moments, upper, judges, maps, strict=True):
        found = by_label(axes)
        np.testing.assert_array_equal(found["p_data"], (X, p_data))
        np.testing.assert_array_equal(found["p_g"], (X, p_g))
        seen = p_data + p_g > 0
        np.testing.assert_array_equal(by_label(judge)["D(x)"], (X[seen], D[seen]))
        # The first panel's p_g may be a spike: the later ones say how high all panels are.
        assert axes.get_ylim() == pytest.approx((0, 1.12 * 5))
        assert [line.get_ydata()[0] for line in arrows.lines] == [0, 1]
        assert [text.get_text() for text in arrows.texts] == ["z", "x"]
        assert [text.get_position()[1] for text in arrows.texts] == [0, 1]
        starts, ends = ([getattr(a, side) for a in arrows.patches] for side in ("xy1", "xy2"))
        np.testing.assert_allclose(starts, [[1 + 1.8 * v / 2, 0] for v in z])
        np.testing.assert_array_equal(ends, [[v, 1] for v in images])
        assert {axes.get_xlim(), arrows.get_xlim()} == {(-1, 3)}
    assert legend(upper[0]) == ["p_data", "p_g", "D(x)"]
    assert upper[1].get_legend() is None
    assert [axes.get_ylabel() for axes in upper] == ["density", ""]
    assert [axes.get_ylabel() for axes in judges] == ["", "D(x)"]
    curves = by_label(course)
    np.testing.assert_array_equal(curves["JSD(p_data, p_g), nats"], (steps, js))
    np.testing.assert_array_equal(curves["mean |D − ½|"], (steps, gap))
    assert [(text.get_position()[0], text.get_text()) for text in course.texts] == [
        (0, "a"), (40, "b"),
    ]  # fmt: skip
    marks = [line.get_xdata()[0] for line in course.lines if line.get_linestyle() == ":"]
    assert marks == [0, 40]
    assert course.get_xlabel() == "steps of the generator"
    assert png_bytes(figure)
