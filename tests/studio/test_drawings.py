"""Drawings of the factor page: each place read back is the value that it stands for."""

import re
from importlib import resources
from types import SimpleNamespace

import numpy as np
import pytest

from latentia.models.factors.n_factors import Suggestion
from latentia.studio import diagrams

TEMPLATE = (resources.files("latentia.studio") / "templates" / "factor_solution.html").read_text()
NAMES = ["a", "b", "c", "d"]
PATTERN = np.array([[0.8, 0.1, -0.2], [-0.3, 0.7, 0.05], [0.2, -1.4, 0.6], [0.0, 0.4, 1.3]])
PHI = np.array([[1, 0.3, -0.1], [0.3, 1, 0.09], [-0.1, 0.09, 1]])
ORDER = [2, 0, 3, 1]


def told(pattern=PATTERN, order=ORDER):
    k = pattern.shape[1]
    model = SimpleNamespace(
        n_latent=k,
        variable_names=lambda: NAMES,
        standardized_loadings_=pattern,
        factor_correlations_=PHI[:k, :k],
    )
    return SimpleNamespace(model=model, order=lambda: order)


def numbers(pattern):
    """Return the numbers of the template's first place that a pattern finds."""
    return tuple(float(n) for n in re.search(pattern, TEMPLATE).groups())


def test_boxes_of_the_template_are_those_that_are_reckoned_with():
    assert numbers(r'class="scree" viewBox="0 0 (\d+) (\d+)"') == diagrams.SCREE
    right = diagrams.SCREE[0] - diagrams.RIGHT
    assert numbers(r'class="one" x1="(\d+)" x2="(\d+)"') == (diagrams.LEFT, right)
    side, radius = diagrams.SIDE, diagrams.SIDE / 2 - diagrams.EDGE
    assert numbers(r'class="plane" viewBox="0 0 (\d+) (\d+)"') == (side, side)
    circle = r'class="grid" cx="(\d+)" cy="(\d+)" r="(\d+)"'
    assert numbers(circle) == (side / 2, side / 2, radius)
    (width,) = numbers(r'class="paths" viewBox="0 0 (\d+) ')
    assert diagrams.BOX < diagrams.FACTOR < width
    (half,) = numbers(r'<ellipse [^>]*ry="(\d+)"')
    assert half < diagrams.RADIUS


def test_the_path_diagram_has_each_coefficient_between_its_ends():
    found = diagrams.path_lines(told())
    assert [v.name for v in found.variables] == [NAMES[i] for i in ORDER]
    assert [f.name for f in found.factors] == ["F1", "F2", "F3"]
    for marks, x in ((found.variables, diagrams.BOX), (found.factors, diagrams.FACTOR)):
        assert {mark.x for mark in marks} == {x}
        room = (found.height - 2 * diagrams.TOP) / len(marks)
        expected = diagrams.TOP + room * (np.arange(len(marks)) + 0.5)
        assert [mark.y for mark in marks] == pytest.approx(list(expected))
    rows, columns = 2 * diagrams.TOP + diagrams.ROW * 4, 2 * diagrams.TOP + diagrams.RADIUS * 9
    assert found.height == max(rows, columns)
    place = {mark.name: (mark.x, mark.y) for mark in (*found.variables, *found.factors)}
    given = {f"{n} F{j + 1}": PATTERN[i, j] for i, n in enumerate(NAMES) for j in range(3)}
    assert {arrow.key: arrow.value for arrow in found.arrows} == given
    arcs = {arc.key: arc.value for arc in found.arcs}
    assert arcs == {"F2 F1": 0.3, "F3 F1": -0.1}
    for line in found.arrows:
        variable, factor = line.key.split()
        assert (line.x, line.y, line.to_x, line.to_y) == (*place[factor], *place[variable])
    for line in found.arcs:
        first, second = line.key.split()
        assert (line.x, line.y, line.to_x, line.to_y) == (*place[first], *place[second])


def test_many_variables_need_height_and_too_many_have_no_diagram(monkeypatch):
    monkeypatch.setattr(diagrams, "MOST_DRAWN", 4)
    found = diagrams.path_lines(told(PATTERN[:, :1]))
    assert found.height == 2 * diagrams.TOP + diagrams.ROW * 4
    monkeypatch.setattr(diagrams, "MOST_DRAWN", 3)
    assert diagrams.path_lines(told()) is None


@pytest.mark.parametrize(("across", "up"), [(0, 1), (2, 0)])
def test_points_of_the_plane_are_coefficients(across, up):
    found = diagrams.scatter_points(told(), across, up)
    assert (found.across, found.up) == (across + 1, up + 1)
    assert [point.name for point in found.points] == [NAMES[i] for i in ORDER]
    middle, unit = diagrams.SIDE / 2, diagrams.SIDE / 2 - diagrams.EDGE
    read = [((p.x - middle) / unit, (middle - p.y) / unit) for p in found.points]
    assert np.allclose(read, np.clip(PATTERN[ORDER][:, [across, up]], -1.15, 1.15))
    inside = [value for p in found.points for value in (p.x, p.y)]
    assert 0 <= min(inside) <= max(inside) <= diagrams.SIDE
    assert diagrams.scatter_points(told(PATTERN[:, :2]), 0, 1) is not None
    assert diagrams.scatter_points(told(PATTERN[:, :1]), 0, 0) is None


def suggestion(p, null=True):
    first, second = np.linspace(3.3, 0.1, p), np.linspace(2.5, -0.4, p)
    chance = (np.full(p, 7.0), np.linspace(1.4, 0.8, p)) if null else None
    common = (np.full(p, 8.0), np.linspace(0.5, -0.2, p)) if null else None
    return Suggestion({}, first, second, chance, common, np.zeros(p), {}, {})


@pytest.mark.parametrize(("p", "null"), [(5, True), (5, False), (25, True)])
def test_eigenvalues_are_read_off_the_scree(p, null):
    given = suggestion(p, null)
    found = diagrams.scree_lines(given)
    n = min(p, diagrams.MOST_EIGENVALUES)
    scale = {mark.name: mark.y for mark in found.up}
    assert {mark.x for mark in found.up} == {diagrams.LEFT}
    assert sorted(map(int, scale)) == list(range(5))
    unit = scale["0"] - scale["1"]
    assert found.one == pytest.approx(scale["1"])
    assert [m.name for m in found.across] == [str(i + 1) for i in range(n)]
    assert {m.y for m in found.across} == {diagrams.SCREE[1] - diagrams.BELOW}
    step = (diagrams.SCREE[0] - diagrams.LEFT - diagrams.RIGHT) / n
    middles = [diagrams.LEFT + step * (i + 0.5) for i in range(n)]
    assert [m.x for m in found.across] == pytest.approx(middles)
    series = {"component": given.eigenvalues, "factor": given.factor_eigenvalues}
    if null:
        series |= {
            "component_chance": given.component_null[1],
            "factor_chance": given.factor_null[1],
        }
    assert [curve.key for curve in found.curves] == list(series)
    for curve in found.curves:
        values = series[curve.key][:n]
        assert np.allclose([(scale["0"] - m.y) / unit for m in curve.places], values)
        assert [m.name for m in curve.places] == [f"{v:.2f}" for v in values]
        assert [m.x for m in curve.places] == pytest.approx(middles)
        drawn = [tuple(map(float, pair.split(","))) for pair in curve.points.split()]
        assert np.allclose(drawn, [(m.x, m.y) for m in curve.places], atol=0.051)
    lowest = max(m.y for curve in found.curves for m in curve.places)
    assert lowest == pytest.approx(diagrams.SCREE[1] - diagrams.BELOW)
    assert scale["4"] == pytest.approx(diagrams.ABOVE)
