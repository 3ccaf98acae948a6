"""Pictures: every pixel where it belongs, Hangul drawn, nothing global touched."""

from io import BytesIO

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from PIL import Image

from latentia.errors import InputError
from latentia.plots import curves
from latentia.plots.curves import loss_curves
from latentia.plots.grids import png, rows, save_png, tile
from latentia.plots.latent import latent_map
from latentia.plots.style import CLASS_COLOURS, COLOURS, FONT, new_figure, png_bytes, style


def test_tiles_lie_where_they_should():
    images = np.zeros((3, 4, 5), np.float32)
    images[1], images[2] = 0.5, 1.0
    picture = tile(images, n_columns=2, padding=1, scale=2)
    assert picture.shape == (2 * 9 + 1, 2 * 11 + 1, 3)
    assert (picture[1:9, 1:11] == 0).all()
    assert (picture[1:9, 12:22] == 128).all()
    assert (picture[10:18, 1:11] == 255).all()
    assert (picture[0] == 255).all()


def test_what_is_no_picture_is_refused():
    with pytest.raises(InputError, match="at least one"):
        tile(np.zeros((0, 8, 8)), 2)
    with pytest.raises(InputError, match="int64"):
        tile(np.full((1, 8, 8), 200), 2)


def test_values_out_of_range_are_clipped():
    x = np.array([-1, 0.25, 7, np.nan, np.inf])[:, None, None]
    picture = tile(x, 5, padding=0, scale=1)
    np.testing.assert_array_equal(picture[0, :, 0], [0, 64, 255, 0, 255])


def test_no_empty_columns():
    assert tile(np.zeros((3, 8, 8)), 8, padding=0, scale=1).shape == (8, 24, 3)


def test_colour_and_channel_counts():
    assert tile(np.zeros((2, 3, 9, 9), np.uint8), 2).shape[2] == 3
    with pytest.raises(InputError, match="1 or 3 channels"):
        tile(np.zeros((2, 2, 9, 9), np.uint8), 2)


def test_labelled_rows_in_korean():
    x = np.random.default_rng(0).random((4, 8, 8))
    plain = tile(x, 4)
    picture = rows([("원본", x), ("잡음 −3", x), ("복원", x)])
    assert picture.shape[0] == 3 * plain.shape[0]
    np.testing.assert_array_equal(picture[: plain.shape[0], -plain.shape[1] :], plain)
    label = picture[: plain.shape[0], : -plain.shape[1]]
    assert (label < 128).sum() > 20
    first, second = (np.flatnonzero((row < 200).any(axis=(0, 2))) for row in (label, picture))
    assert first[0] == pytest.approx(second[0], abs=3)


def test_long_labels_are_not_cut():
    x = np.zeros((1, 8, 8))
    for text in ("W" * 30, "i" * 30, "원본" * 10):
        label = rows([(text, x)])[:, : -tile(x, 1).shape[1]]
        inked = np.flatnonzero((label < 200).any(axis=(0, 2)))
        assert 3 <= label.shape[1] - inked[-1] <= 12


def test_hangul_has_its_own_glyphs():
    """Missing glyphs warn, and warnings are errors; two syllables must also look different."""
    drawn = []
    for text in ("가 −1", "힣 −1"):
        with style():
            figure = new_figure(1, 1)
            figure.text(0.1, 0.5, text)
        drawn.append(png_bytes(figure))
    assert drawn[0] != drawn[1]


def test_global_settings_stay_as_they_were():
    before = dict(mpl.rcParams)
    assert dict(mpl.rcParams) == before
    assert FONT not in before["font.family"]


RECORDS = [
    {
        "epoch": e,
        "split": s,
        "values": {"discriminator": 1 / e, "discriminator/real_probability": 0.5, "generator": e},
    }
    for e in range(1, 5)
    for s in ("train", "validation")
]


def test_curves_show_each_value_of_each_split():
    figure = loss_curves(RECORDS)
    totals, terms = figure.axes
    assert [line.get_linestyle() for line in totals.lines] == ["-", "--", "-", "--"]
    np.testing.assert_allclose(totals.lines[0].get_ydata(), [1, 1 / 2, 1 / 3, 1 / 4])
    assert totals.get_ylabel() == "nats"
    assert terms.get_ylabel() == "probability"
    assert len(terms.lines) == 2


def curve(values):
    records = [
        {"epoch": e, "split": "train", "values": {"generator": v}}
        for e, v in enumerate(values, start=1)
    ]
    return loss_curves(records).axes[0]


def test_an_early_spike_leaves_the_panel_and_is_named():
    axes = curve([1e4, 5, 4, 3, 2.5, 2.2, 2.1, 2.0])
    low, high = axes.get_ylim()
    assert 0 < low < 2.0 < 5 < high < 10
    assert "1 beyond this panel, to 1e+04" in [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_value_is_left_out_only_beyond_the_fence(sign):
    kept = [10] * 8 + [15] * 6 + [20] * 8
    for last, n_out in ((20 + curves.FENCE * 10, 0), (20.001 + curves.FENCE * 10, 1)):
        values = sign * np.array([*kept, last])
        assert curves._inside(values)[2] == n_out


@pytest.mark.parametrize(
    "values",
    [[9.0], [100, 1], [160, 121, 115, 112, 110, 109, 108, 107], [3.0] * 8, [float("nan")] * 6],
)
def test_an_ordinary_curve_is_shown_whole(values):
    axes = curve(values)
    finite = [v for v in values if v == v]
    low, high = axes.get_ylim()
    assert all(low < v < high for v in finite)
    assert not axes.texts
    png_bytes(axes.figure)


def test_no_curves_without_records():
    with pytest.raises(InputError, match="no losses"):
        loss_curves([])


def test_classes_keep_their_colours_apart():
    codes = np.random.default_rng(0).normal(size=(60, 2))
    for n_classes in (10, 12):
        axes = latent_map(codes, np.arange(60) % n_classes).axes[0]
        colours = {tuple(c.get_facecolor()[0]) for c in axes.collections}
        assert len(colours) == n_classes


def test_plane_of_codes_against_their_covariance():
    codes = np.random.default_rng(0).normal(size=(200, 4)) * [1, 5, 0.1, 2]
    axes = latent_map(codes).axes[0]
    values = np.linalg.eigvalsh(np.cov(codes.T))[::-1]
    drawn = np.asarray(axes.collections[0].get_offsets())
    np.testing.assert_allclose(drawn.var(axis=0, ddof=1), values[:2])
    assert f"({values[1] / values.sum():.0%})" in axes.get_ylabel()


def test_codes_that_are_not_numbers_are_refused():
    with pytest.raises(InputError, match="1 of 3 codes"):
        latent_map(np.array([[0, 1], [np.nan, 0], [1, 1]]))


def test_a_single_code_is_shown_by_its_first_two_coordinates():
    axes = latent_map(np.array([[3.0, 4.0, 5.0]])).axes[0]
    assert axes.collections[0].get_offsets().tolist() == [[3, 4]]


@pytest.mark.parametrize("n_components", [1, 2, 7])
@pytest.mark.parametrize("labelled", [False, True])
def test_latent_maps(n_components, labelled):
    codes = np.random.default_rng(0).normal(size=(50, n_components))
    labels = np.arange(50) % 3 if labelled else None
    figure = latent_map(codes, labels, ("하나", "둘", "셋"))
    n_points = sum(len(c.get_offsets()) for c in figure.axes[0].collections)
    assert n_points == 50
    assert png_bytes(figure)[:4] == b"\x89PNG"
    assert (len(figure.axes[0].get_yticks()) == 0) == (n_components == 1)
    if n_components == 7:
        assert "%" in figure.axes[0].get_xlabel()


def test_a_picture_is_written_whole(tmp_path):
    picture = np.zeros((3, 4, 3), np.uint8)
    save_png(tmp_path / "a.png", picture)
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (4, 3)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_curves_stand_at_their_own_epochs_and_the_legend_names_them():
    records = [
        {"epoch": 3, "split": "train", "values": {"reconstruction": 9.0, "total/kl": 4.0}},
        {"epoch": 3, "split": "validation", "values": {"reconstruction": 8.5}},
        {"epoch": 5, "split": "train", "values": {"reconstruction": 7.0, "total/kl": 5.0}},
        {"epoch": 6, "split": "test", "values": {"reconstruction": 1.0}},
        {"epoch": 8, "split": "validation", "values": {"reconstruction": 6.5}},
        {"epoch": 9, "split": "train", "values": {"reconstruction": 6.0, "total/bound_b": 2.0}},
    ]
    totals, terms = loss_curves(records).axes
    assert totals.get_title(loc="left") == "reconstruction"
    assert terms.get_title(loc="left") == "total: its parts"
    expected = {
        totals: [("reconstruction, train", [3, 5, 9], [9, 7, 6], "-"),
                 ("reconstruction, validation", [3, 8], [8.5, 6.5], "--")],
        terms: [("KL, train", [3, 5], [4, 5], "-"), ("bound b, train", [9], [2], "-")],
    }  # fmt: skip
    for axes, lines in expected.items():
        found = [
            (line.get_label(), [*line.get_xdata()], [*line.get_ydata()], line.get_linestyle())
            for line in axes.lines
        ]
        assert found == lines
        assert [text.get_text() for text in axes.get_legend().get_texts()] == [a for a, *_ in lines]
        assert axes.get_xlabel() == "epoch"
        assert axes.get_ylabel() == ""
    assert [line.get_color() for line in totals.lines] == [COLOURS[0]] * 2
    assert [line.get_color() for line in terms.lines] == [COLOURS[0], COLOURS[1]]
    # A single value would leave no line: it is a point.
    assert [line.get_marker() for line in terms.lines] == ["", "o"]


def test_a_class_keeps_its_name_where_another_is_absent():
    labels = np.array([5, 2, 0, 2, 5, 0])
    codes = np.array([[5.0, 50], [2, 20], [0, 0], [2.5, 21], [6, 51], [1, 2]])
    axes = latent_map(codes, labels, ("none", "one", "two and more")).axes[0]
    named = [text.get_text() for text in axes.get_legend().get_texts()]
    assert named == ["none", "two and more", "5"]
    assert len(axes.collections) == 3
    for value, points, colour in zip((0, 2, 5), axes.collections, CLASS_COLOURS):
        np.testing.assert_array_equal(points.get_offsets(), codes[labels == value])
        assert points.get_facecolor()[0] == pytest.approx(to_rgba(colour))
    # Short names stand in the middle of their class.
    assert [(text.get_text(), text.get_position()) for text in axes.texts] == [("5", (5.5, 50.5))]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("z₁", "z₂")


def test_a_short_name_stands_at_the_median_of_its_class():
    """Far samples, which would draw a mean to where its class has no samples, do not move it."""
    codes = np.array([[0.0, 0], [1, 30], [8, 3], [-1, 5], [0, 7], [40, 6]])
    axes = latent_map(codes, np.arange(6) // 3).axes[0]
    placed = [(text.get_text(), text.get_position()) for text in axes.texts]
    assert placed == [("0", (1, 3)), ("1", (0, 6))]


def test_a_single_component_has_a_line_for_each_class():
    codes, labels = np.arange(6.0)[:, None], np.array([7, 3, 3, 9, 7, 9])
    axes = latent_map(codes, labels).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["3", "7", "9"]
    for line, (value, points) in enumerate(zip((3, 7, 9), axes.collections, strict=True)):
        own = codes[labels == value, 0]
        np.testing.assert_array_equal(points.get_offsets(), np.column_stack([own, [line] * 2]))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("z₁", "class")
    plain = latent_map(codes).axes[0]
    np.testing.assert_array_equal(plain.collections[0].get_offsets()[:, 1], 0)
    assert plain.get_ylabel() == ""


def test_axes_of_a_plane_name_their_own_shares():
    codes = np.random.default_rng(0).normal(size=(200, 4)) * [1, 5, 0.1, 2]
    axes = latent_map(codes, np.arange(200) % 2).axes[0]
    values = np.linalg.eigvalsh(np.cov(codes.T))[::-1]
    shares = [f"component {i + 1} of z ({values[i] / values.sum():.0%})" for i in range(2)]
    assert [axes.get_xlabel(), axes.get_ylabel()] == shares
    # Class by class, each keeps its own points.
    everything = latent_map(codes).axes[0].collections[0].get_offsets()
    for value, points in enumerate(axes.collections):
        np.testing.assert_allclose(points.get_offsets(), everything[value::2])


def test_each_row_of_a_picture_is_its_own_labels():
    dark, light = np.zeros((3, 56, 56)), np.full((2, 56, 56), 0.5)
    picture = rows([("dark", dark), ("light", light)])
    height = tile(dark, 3, scale=1).shape[0]
    assert picture.shape[0] == 2 * height
    margin = picture.shape[1] - (3 * 58 + 2)
    middles = margin + 2 + 28 + 58 * np.arange(3)
    assert picture[height // 2, middles, 0].tolist() == [0, 0, 0]
    assert picture[height + height // 2, middles, 0].tolist() == [128, 128, 255]


def test_colours_keep_their_channels_in_a_picture():
    x = np.zeros((3, 3, 8, 8), np.uint8)
    x[np.arange(3), np.arange(3)] = 200
    picture = tile(x, 2, padding=0, scale=1)
    corners = picture[0, 0], picture[0, 8], picture[8, 0], picture[8, 8]
    assert [c.tolist() for c in corners] == [[200, 0, 0], [0, 200, 0], [0, 0, 200], [255] * 3]
    with Image.open(BytesIO(png(picture))) as image:
        np.testing.assert_array_equal(np.asarray(image), picture)


def test_a_label_below_zero_has_no_name_from_the_end():
    axes = latent_map(np.eye(4, 2), np.array([-1, 0, -1, 1]), ("no", "yes")).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["-1", "no", "yes"]
