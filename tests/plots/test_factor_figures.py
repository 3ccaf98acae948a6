"""Figures of a factor analysis: drawn without a warning, no text on another, nothing left out."""

import itertools
import re
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.patches import Ellipse, FancyArrowPatch, Rectangle

from latentia.errors import InputError
from latentia.plots.factors import loadings_heat_map, path_diagram, scree
from latentia.plots.style import COLOURS, png_bytes, style, svg

KOREAN = [
    "시각 지각",
    "정육면체",
    "마름모",
    "문단 이해",
    "문장 완성",
    "단어 뜻",
    "덧셈 속도",
    "점",
    "구별",
]


def pattern(p, k, seed=0):
    """Return (p, k) simple structure with cross-loadings and negative values."""
    draw = np.random.default_rng(seed)
    loadings = draw.uniform(-0.35, 0.35, (p, k))
    loadings[np.arange(p), np.arange(p) * k // p] = draw.uniform(0.4, 0.9, p)
    loadings[::4] *= -1
    return loadings


def correlations(k):
    return 0.3 + 0.7 * np.eye(k)


def drawn(figure):
    """Return the axes and the extents of its visible texts, in pixels."""
    assert len(png_bytes(figure)) > 1000
    axes = figure.axes[0]
    texts = [text for text in axes.texts if text.get_text()]
    return axes, [text.get_window_extent(figure.canvas.get_renderer()) for text in texts]


def overlapping(boxes):
    return [pair for pair in itertools.combinations(boxes, 2) if pair[0].overlaps(pair[1])]


@pytest.mark.parametrize(("p", "k", "seed"), [(9, 3, 0), (9, 3, 1), (25, 5, 0), (25, 5, 1)])
def test_nothing_in_a_path_diagram_lies_on_another_text_or_outside(p, k, seed):
    names = (KOREAN * 3)[:p]
    figure = path_diagram(
        pattern(p, k, seed), names, correlations(k), uniquenesses=np.linspace(0.1, 0.9, p)
    )
    axes, boxes = drawn(figure)
    assert not overlapping(boxes)
    page = axes.bbox
    assert all(page.x0 <= b.x0 and b.x1 <= page.x1 for b in boxes)
    assert all(page.y0 <= b.y0 and b.y1 <= page.y1 for b in boxes)
    n_arrows = sum(isinstance(patch, FancyArrowPatch) for patch in axes.patches)
    assert n_arrows == (np.abs(pattern(p, k, seed)) >= 0.3).sum() + k * (k - 1) // 2
    assert sum(isinstance(patch, Rectangle) for patch in axes.patches) == p
    assert sum(isinstance(patch, Ellipse) for patch in axes.patches) == k


def test_arcs_join_the_right_ends_of_the_factors():
    axes, _ = drawn(path_diagram(pattern(9, 3), KOREAN[:9], correlations(3), cutoff=2))
    factors = [patch for patch in axes.patches if isinstance(patch, Ellipse)]
    ends = {(round(f.center[0] + f.width / 2, 6), round(f.center[1], 6)) for f in factors}
    arcs = [p._path_original.vertices for p in axes.patches if isinstance(p, FancyArrowPatch)]
    joined = [{tuple(np.round(arc[0], 6)), tuple(np.round(arc[-1], 6))} for arc in arcs]
    assert len(joined) == 3
    assert set().union(*joined) == ends
    assert all(len(pair) == 2 for pair in joined)


def test_the_overlap_check_can_fail():
    figure = path_diagram(pattern(9, 3), KOREAN)
    with style():
        figure.axes[0].text(*figure.axes[0].texts[0].get_position(), "here too", va="center")
    assert overlapping(drawn(figure)[1])


def test_a_path_diagram_joins_the_right_names_with_the_right_numbers():
    loadings = np.array([[0.1, -0.8], [0.7, 0.2], [0.31, 0.5]])
    axes, _ = drawn(path_diagram(loadings, ["가", "$나$", "c\nd"], cutoff=0.3))
    assert [text.get_text() for text in axes.texts[:3]] == ["$나$", "가", "c d"]
    arrows = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
    heights = dict(zip(["$나$", "가", "c d"], [text.get_position()[1] for text in axes.texts]))
    factors = {t.get_text(): t.get_position()[1] for t in axes.texts if t.get_text()[0] == "F"}
    pairs = [("F1", "$나$"), ("F2", "가"), ("F2", "c d"), ("F1", "c d")]
    ends = [patch._path_original.vertices[:, 1] for patch in arrows]
    assert {tuple(np.round(e, 3)) for e in ends} == {
        (round(factors[f], 3), round(heights[v], 3)) for f, v in pairs
    }
    assert {t.get_text() for t in axes.texts[3:]} == {"F1", "F2", "0.70", "−0.80", "0.31", "0.50"}


@pytest.mark.parametrize(("cutoff", "n_arrows"), [(0.05, 6), (0.31, 4), (0.32, 3), (0.75, 1)])
def test_loadings_below_the_cutoff_have_no_arrow(cutoff, n_arrows):
    loadings = np.array([[0.1, -0.8], [0.7, 0.2], [0.31, 0.5]])
    axes, _ = drawn(path_diagram(loadings, ["a", "b", "c"], cutoff=cutoff))
    arrows = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
    assert len(arrows) == n_arrows


def test_uncorrelated_factors_have_no_arc():
    plain, same = (
        path_diagram(pattern(9, 3), KOREAN, phi)
        for phi in (None, np.eye(3) + 1e-4 * (1 - np.eye(3)))
    )
    assert len(plain.axes[0].patches) == len(same.axes[0].patches)


@pytest.mark.parametrize(("p", "k"), [(9, 3), (25, 5), (1, 1), (2, 1), (41, 2), (784, 8)])
def test_heat_maps_of_any_size(p, k):
    values = pattern(p, k)
    names = [f"변수 {i}" for i in range(p)]
    figure = loadings_heat_map(values, names, [f"F{i + 1}" for i in range(k)])
    axes, boxes = drawn(figure)
    assert len(boxes) == (p * k if p <= 40 else 0)
    assert not overlapping(boxes)
    assert len(axes.get_yticklabels()) == p or p > 120
    picture = axes.collections[0]
    assert picture.norm(0) == 0.5
    np.testing.assert_array_equal(picture.get_array(), values)
    # The first row stands at the top.
    assert axes.get_ylim() == (p - 0.5, -0.5)


def test_long_and_nasty_names_leave_room_for_the_numbers():
    names = ["a very long name of a variable that never ends", "$x^{", "<b>&", "가" * 40]
    figure = loadings_heat_map(pattern(4, 2), names, ["첫째 요인의 이름", "$second"])
    assert not overlapping(drawn(figure)[1])
    assert not overlapping(drawn(path_diagram(pattern(4, 2), names))[1])


def test_loadings_beyond_one_widen_the_colours():
    figure = loadings_heat_map(np.array([[1.3], [-0.2]]), ["a", "b"], ["F1"])
    assert figure.axes[0].collections[0].get_clim() == (-1.3, 1.3)


def test_scree_with_and_without_chance():
    values = np.array([3.0, 1.2, 0.5, 0.3])
    full = scree(values, values / 2, values - 0.4, values / 3).axes[0]
    assert [line.get_label().split()[0] for line in full.lines[1:]] == [
        "components", "components", "factors", "factors",
    ]  # fmt: skip
    np.testing.assert_array_equal(full.lines[3].get_ydata(), values - 0.4)
    bare = scree(values)
    assert len(bare.axes[0].lines) == 2
    assert len(png_bytes(bare)) > 1000
    assert scree(np.linspace(9, 0, 784)).axes[0].get_xlabel().endswith(": 60 of 784")
    assert len(png_bytes(scree(np.ones(1)))) > 1000


def test_arrays_that_do_not_match_are_refused():
    with pytest.raises(InputError, match=r"\(9, 3\); .* finite .* \(2, 3\)"):
        path_diagram(pattern(9, 3), ["a", "b"])
    with pytest.raises(InputError, match="finite"):
        loadings_heat_map(np.array([[np.nan]]), ["a"], ["F1"])
    with pytest.raises(InputError, match=r"must be \(3, 3\) and uniquenesses \(9,\)"):
        path_diagram(pattern(9, 3), KOREAN, np.eye(2))
    with pytest.raises(InputError, match="at most 80"):
        path_diagram(pattern(81, 3), ["x"] * 81)


def test_figures_leave_global_settings_alone():
    before = dict(mpl.rcParams)
    scree(np.ones(3))
    path_diagram(pattern(9, 3), KOREAN)
    assert dict(mpl.rcParams) == before


def test_a_scree_plots_each_list_over_its_places_beside_kaisers_line():
    values = np.array([3.0, 1.2, 0.5])
    axes = scree(values, values / 2, values - 0.4, values / 3).axes[0]
    kaiser, *lines = axes.lines
    assert list(kaiser.get_ydata()) == [1, 1]
    expected = {
        "components": values,
        "components by chance, 95 %": values / 2,
        "factors": values - 0.4,
        "factors by chance, 95 %": values / 3,
    }
    for line, (label, heights) in zip(lines, expected.items(), strict=True):
        assert line.get_label() == label
        np.testing.assert_array_equal(line.get_data(), ([1, 2, 3], heights))
        assert (line.get_linestyle() == "--") == ("chance" in label)
    colours = [line.get_color() for line in lines]
    assert colours == [COLOURS[0]] * 2 + [COLOURS[1]] * 2
    named = [text.get_text() for text in axes.get_legend().get_texts()]
    assert named == ["Kaiser: 1", *expected]
    first = scree(np.linspace(9, 0, 784)).axes[0].lines[1]
    np.testing.assert_allclose(first.get_ydata(), np.linspace(9, 0, 784)[:60])


def test_a_heat_map_names_rows_and_columns_and_writes_each_number_in_its_cell():
    values = np.array([[0.1, -0.8], [0.7, 0.2], [0.31, 0.5]])
    axes = loadings_heat_map(values, ["a", "b", "c"], ["F1", "F2"]).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "b", "c"]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["F1", "F2"]
    assert [*axes.get_yticks()] == [0, 1, 2]
    written = {text.get_position(): text.get_text() for text in axes.texts}
    for (i, j), value in np.ndenumerate(values):
        assert written[j, i] == f"{value:.2f}".replace("-", "−")
    picture = axes.collections[0]
    colours = picture.cmap(picture.norm(values))
    np.testing.assert_allclose(colours[0, 1, :3], to_rgb(COLOURS[1]))
    np.testing.assert_allclose(colours[1, 0, :3], to_rgb(COLOURS[0]))
    # The larger, the less of the ground is seen.
    np.testing.assert_allclose(colours[..., 3], np.abs(values), atol=0.025)


HOSTILE = ["</text><script>alert(1)</script>", '#333333 id="x"', "font: 10px sans; 가 & 나"]


def test_figures_of_a_page_take_its_colours_and_keep_every_name():
    values, phi = pattern(3, 2), np.array([[1, -0.4], [-0.4, 1]])
    noise = np.full(3, 0.5)
    figures = [
        scree(np.array([2.0, 0.7, 0.3]), np.array([1.4, 1.0, 0.8])),
        loadings_heat_map(values, HOSTILE, ["F1", "F2"]),
        path_diagram(values, HOSTILE, phi, 0.1, noise),
    ]
    for figure in figures:
        text = svg(figure, 'says "what" & why')
        root = ElementTree.fromstring(text)
        assert root.get("aria-label") == 'says "what" & why'
        assert not any(e.tag.endswith(("metadata", "script", "image")) for e in root.iter())
        looks = " ".join(v for e in root.iter() for v in e.attrib.values())
        assert not re.findall("#[0-9a-f]{6}", looks)
        assert "DejaVu" not in looks
        assert {"var(--ink)", "var(--fig1)"} <= set(re.findall(r"var\(.+?\)", looks))
        ids = [e.get("id") for e in root.iter() if e.get("id")]
        assert len(ids) == len(set(ids))
        assert set(re.findall(r"#([\w-]+)", looks)) == set(ids)
        if figure is not figures[0]:
            shown = {"".join(e.itertext()).strip() for e in root.iter() if e.tag.endswith("text")}
            assert {name[:27] for name in HOSTILE} <= {words[:27] for words in shown}


def test_a_path_diagram_tells_signs_and_says_what_is_left_of_each_variable():
    loadings = np.array([[0.9, 0.0], [0.0, -0.7], [0.6, 0.0]])
    Phi, noise = np.array([[1.0, -0.25], [-0.25, 1.0]]), np.array([0.19, 0.51, 0.64])
    axes, _ = drawn(path_diagram(loadings, ["a", "b", "c"], Phi, uniquenesses=noise))
    heights = {text.get_text(): round(text.get_position()[1], 6) for text in axes.texts}
    assert heights["a"] > heights["c"] > heights["b"]
    for name, value in zip("abc", ("0.19", "0.51", "0.64")):
        assert heights[value] == heights[name]
    arrows = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
    looks = [(patch.get_edgecolor(), patch.get_linestyle() == "-") for patch in arrows]
    blue, red = to_rgba(COLOURS[0]), to_rgba(COLOURS[1])
    assert sorted(looks) == sorted([(blue, True), (blue, True), (red, False), (red, False)])
    assert [round(patch.get_linewidth(), 6) for patch in arrows] == [1.85, 1.4, 1.55, 0.875]
    assert "−0.25" in heights
