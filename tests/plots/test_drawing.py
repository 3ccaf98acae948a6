"""Drawings of pages: every point where its number says, in the page's colours, escaped."""

import itertools
import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from latentia.plots.curves import loss_pictures
from latentia.plots.drawing import CLASSES, LETTER, SERIES, Frame, numbers, padded, ticks
from latentia.plots.grids import thumbnails
from latentia.plots.latent import latent_map
from latentia.plots.latent_pictures import (
    errors_by_size,
    loadings_picture,
    map_picture,
    spectrum_picture,
)


def paths(svg, colour):
    """Return the points of each path of a colour, in units of the drawing."""
    found = re.findall(rf'<path[^>]*stroke="var\({colour}\)"[^>]* d="(.*?)"', svg)
    return [np.array(re.findall(r"[ML]([\d.-]+) ([\d.-]+)", d), float) for d in found]


@pytest.mark.parametrize("seed", range(20))
def test_ticks_are_few_round_and_inside(seed):
    draws = np.random.default_rng(seed)
    low = draws.normal() * 10.0 ** draws.integers(-4, 7)
    high = low + draws.random() * 10.0 ** draws.integers(-4, 7)
    found = ticks(low, high)
    assert 1 <= len(found) <= 4
    assert low - 1e-9 * abs(low) <= min(found)
    assert max(found) <= high + 1e-9 * abs(high)
    steps = np.diff(found)
    np.testing.assert_allclose(steps, steps[:1].repeat(len(steps)), rtol=1e-6)
    assert len(set(numbers(found))) == len(found)


def test_numbers_of_an_axis_have_the_places_that_their_distance_asks():
    assert numbers([0.0, 0.25, 0.5]) == ["0.00", "0.25", "0.50"]
    assert numbers([-2000.0, 0.0]) == ["−2,000", "0"]
    assert numbers([0.0, 2e-5]) == ["0", "2e−5"]
    assert padded(np.array([np.nan, 2.0])) == pytest.approx((1.92, 2.08))
    assert padded(np.array([])) == (0, 1)
    assert padded(np.zeros(3)) == (-1, 1)


def test_a_frame_puts_points_where_its_grid_says():
    frame = Frame((0.0, 10.0), (0.0, 4.0))
    grid = {float(y) for y in re.findall(r'class="grid" d="M\d+ ([\d.]+)H', "".join(frame.parts))}
    assert {round(frame.to_y(v), 1) for v in (0, 2, 4)} <= grid
    assert (frame.to_x(0), frame.to_x(10)) == (frame.left, 274)
    frame.line([0, 5, 7, 10], [0, 9, 2, 4], SERIES[0], dashed=True)
    # The second is beyond the frame: the curve is broken there.
    assert re.findall(r'd="(M[^"]*)"/>$', frame.parts[-1])[0].count("M") == 2
    assert 'class="l v"' in frame.parts[-1]


def test_every_word_of_a_frame_stands_beside_what_it_names():
    frame = Frame((0.0, 10.0), (0.0, 4.0), "epochs", "nats", height=200, lines_of_x=True)
    svg = "".join(frame.parts)
    words = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" text-anchor="(\w+)"(.*?)>(.*?)<', svg)
    found = {(word, anchor): (float(x), float(y)) for x, y, anchor, _, word in words}
    turns = {word: turn for *_, turn, word in words}
    of_y = {word: place for (word, anchor), place in found.items() if anchor == "end"}
    of_x = {word: place for (word, anchor), place in found.items() if anchor == "middle"}
    middle_x, middle_y = (frame.to_x(0) + frame.to_x(10)) / 2, (frame.to_y(0) + frame.to_y(4)) / 2
    assert of_x.pop("epochs") == (round(middle_x, 1), 195)
    assert of_x.pop("nats") == (11, round(middle_y, 1))
    assert turns.pop("nats") == f' transform="rotate(-90 11 {middle_y:.0f})"'
    assert not any(turns.values())
    assert of_y == {
        n: (frame.left - 6, round(frame.to_y(float(n)) + 4, 1)) for n in ("0", "2", "4")
    }
    foot = frame.to_y(0) + 17
    assert of_x.keys() == {"0", "5", "10"}
    assert all(y == foot for _, y in of_x.values())
    for number in ("0", "5"):
        assert of_x[number][0] == round(frame.to_x(float(number)), 1)
    assert frame.to_x(10) - of_x["10"][0] < LETTER


RECORDS = [
    {"epoch": e, "split": s, "values": {"generator": 10.0 * e, "discriminator": 5.0 - e}}
    for e in (1, 2, 3)
    for s in ("train", "validation")
]


def test_each_loss_is_drawn_in_the_colour_that_its_legend_names():
    [picture] = loss_pictures(RECORDS)
    assert picture.title == "Generator and discriminator, nats"
    assert picture.caption == "Mean over each epoch; generator ends at 30, discriminator ends at 2."
    assert picture.drawing.legend == (
        ("generator", SERIES[0], "line"),
        ("discriminator", SERIES[1], "line"),
    )
    assert picture.drawing.dashed == "held out"
    for colour, rises in zip(SERIES, (True, False)):
        solid, dashed = paths(picture.drawing.svg, colour)
        np.testing.assert_array_equal(solid, dashed)
        assert (solid[0, 1] > solid[-1, 1]) == rises
    assert "<title>" not in picture.drawing.svg
    assert 'role="img" aria-label="Generator and discriminator, nats: Mean' in picture.drawing.svg


def test_a_bound_and_its_parts_share_a_frame_and_beliefs_have_their_own():
    bound = {"negative_elbo": 3.0, "negative_elbo/kl": 1.0, "negative_elbo/effective_beta": 1.0}
    records = [
        {"epoch": e, "split": "train", "values": {k: v * e if "beta" not in k else v
                                                  for k, v in bound.items()}}
        for e in (1, 2)
    ]  # fmt: skip
    [picture] = loss_pictures(records)
    assert picture.title == "−ELBO and its parts, nats"
    assert [label for label, _, _ in picture.drawing.legend] == ["−ELBO", "KL"]
    assert picture.drawing.dashed == ""
    values = {"discriminator": 1.0, "discriminator/real_probability": 0.7}
    _, beliefs = loss_pictures([{"epoch": 1, "split": "train", "values": values}])
    assert beliefs.title == "What the discriminator believes"
    assert beliefs.drawing.legend == (("real", SERIES[0], "line"),)
    # A single epoch is a dot.
    assert "h0" in beliefs.drawing.svg


def test_spikes_are_left_out_and_told():
    values = [1000.0, 3.0, 2.5, 2.25, 2.0, 2.0, 1.75, 1.75]
    records = [{"epoch": e, "split": "train", "values": {"loss": v}} for e, v in enumerate(values)]
    [picture] = loss_pictures(records)
    assert picture.caption.endswith("1 beyond the frame, to 1,000.")
    [curve] = paths(picture.drawing.svg, SERIES[0])
    assert len(curve) == 7


def test_a_map_has_the_places_of_the_figure_in_the_classes_colours():
    codes, labels = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 3
    picture = map_picture(codes, labels, ("a", "b", "<c>"))
    expected = latent_map(codes, labels).axes[0].collections
    svg = picture.drawing.svg
    for colour, points in zip(CLASSES, expected):
        [found] = paths(svg, colour)
        wanted = np.asarray(points.get_offsets())
        for axis, sign in ((0, 1), (1, -1)):
            correlation = np.corrcoef(found[:, axis], sign * wanted[:, axis])[0, 1]
            assert correlation > 0.99999
    assert [">a<" in svg, ">b<" in svg, ">&lt;c&gt;<" in svg] == [True] * 3
    assert picture.caption == "Codes of 40 test samples of 3 classes, each at its median."
    assert picture.drawing.legend == ()


def test_long_names_stand_in_the_legend_and_many_classes_in_none():
    codes = np.random.default_rng(0).normal(size=(48, 2))
    few = map_picture(codes, np.arange(48) % 2, ("Pullover", "Coat"))
    assert few.drawing.legend == (("Pullover", "--c0", "dot"), ("Coat", "--c1", "dot"))
    many = map_picture(codes, np.arange(48) % 12, tuple(f"class {i}" for i in range(12)))
    assert many.drawing.legend == ()
    assert many.caption == "Codes of 48 test samples of 12 classes, told apart by colour."
    plain = map_picture(codes)
    assert len(paths(plain.drawing.svg, SERIES[0])[0]) == 48


def test_a_spectrum_has_a_bar_a_component_and_their_sum():
    picture = spectrum_picture(np.array([0.5, 0.25, 0.125]))
    heights = [float(h) for h in re.findall(r'<rect[^>]*height="([\d.]+)"', picture.drawing.svg)]
    np.testing.assert_allclose(np.array(heights) / heights[0], [1, 0.5, 0.25], rtol=0.01)
    [total] = paths(picture.drawing.svg, SERIES[1])
    np.testing.assert_allclose((180 - total[:, 1]) / 172, [0.5, 0.75, 0.875], atol=0.001)
    bars = set(re.findall(r'<rect[^>]*fill="var\((.*?)\)"', picture.drawing.svg))
    assert picture.drawing.legend == (
        ("each component", *bars, "line"),
        ("all up to it", SERIES[1], "line"),
    )
    assert picture.caption == "Share of the variance: 87.5\u00a0% along all 3."
    assert spectrum_picture(np.array([1.0])).caption.endswith("along the only one.")


def test_errors_stand_at_their_sizes_those_of_one_size_beside_each_other():
    picture = errors_by_size({1: 4.0, 2: 2.0}, {"AE": (2, 2.0), "VAE": (2, 2.0), "DAE": (1, 4.0)})
    svg = picture.drawing.svg
    [curve] = paths(svg, SERIES[0])
    places = [paths(svg, colour)[0][0] for colour in SERIES[1:4]]
    np.testing.assert_allclose((places[0] + places[1]) / 2, curve[1], atol=0.1)
    np.testing.assert_allclose(places[2], curve[0], atol=0.1)
    assert places[0][0] < places[1][0]
    assert picture.drawing.legend == (
        ("PCA", SERIES[0], "line"),
        *((name, SERIES[i], "dot") for i, name in enumerate(("AE", "VAE", "DAE"), start=1)),
    )


def test_loadings_have_a_cell_each_in_the_hue_of_their_sign():
    loadings = np.array([[0.5, -1.0], [0.0, 0.25]])
    picture = loadings_picture(loadings, ["age", "<script>"])
    cells = re.findall(r"var\((--c\d)\) (\d+)%", picture.drawing.svg)
    assert cells == [("--c1", "50"), ("--c0", "100"), ("--c1", "0"), ("--c1", "25")]
    assert "<title>age, 2: −1.00</title>" in picture.drawing.svg
    assert "<script>" not in picture.drawing.svg
    assert picture.caption == "Amber is positive, blue negative; the deepest is ±1.00."
    wide = np.zeros((45, 14))
    wide[:, 0] = np.arange(45)
    shown = loadings_picture(wide, [f"x{i}" for i in range(45)])
    assert shown.drawing.svg.count("<rect") == 40 * 12
    assert (">x4<" in shown.drawing.svg, ">x5<" in shown.drawing.svg) == (False, True)
    assert "5 columns with smaller loadings are not shown." in shown.caption
    assert "The first 12 components of 14." in shown.caption
    for k in (1, 3, 9, 10, 11, 12):
        for name in ("x", "a long name " * 3):
            svg = loadings_picture(np.eye(12)[:, :k], [name] * 12).drawing.svg
            heads = re.findall(r'<text x="([\d.]+)" y="12"[^>]*>(\d+)<', svg)
            half = [LETTER * len(number) / 2 for _, number in heads]
            ends = [(float(x) - h, float(x) + h) for (x, _), h in zip(heads, half, strict=True)]
            assert all(a[1] <= b[0] for a, b in itertools.pairwise(ends)), (k, name)
            assert [int(n) for _, n in heads] in (list(range(1, k + 1)), list(range(1, k + 1, 2)))


def test_thumbnails_are_pngs_of_their_own_size_and_channels():
    grey = np.arange(2 * 3 * 5, dtype=np.uint8).reshape(2, 3, 5)
    colour = np.arange(2 * 3 * 3 * 5, dtype=np.uint8).reshape(2, 3, 3, 5)
    for images, mode in ((grey, "L"), (grey[:, None], "L"), (colour, "RGB")):
        for png, image in zip(thumbnails(images), images, strict=True):
            with Image.open(BytesIO(png)) as found:
                assert (found.mode, found.size) == (mode, (5, 3))
                wanted = np.moveaxis(image, 0, -1) if mode == "RGB" else image.reshape(3, 5)
                np.testing.assert_array_equal(np.asarray(found), wanted)
