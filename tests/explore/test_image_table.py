"""Tables of images: every pixel and every word where it belongs."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from latentia.errors import InputError
from latentia.plots.explore import image_table, plane_map
from latentia.plots.style import png_bytes

RNG = np.random.default_rng(0)


def drawn(figure):
    with Image.open(BytesIO(png_bytes(figure))) as picture:
        return np.asarray(picture.convert("RGB"))


def test_the_saved_picture_has_the_images_pixels():
    x = RNG.integers(0, 256, (3, 16, 16), np.uint8)
    figure = image_table([("원본", x), ("복원", x[:1])], ["하나", "둘", "셋"], title="제목")
    axes = figure.axes[0]
    table = np.asarray(axes.images[0].get_array())
    shown = drawn(figure)
    box = axes.get_window_extent()
    left, top = round(box.x0), round(shown.shape[0] - box.y1)
    inside = shown[top : top + table.shape[0], left : left + table.shape[1]]
    # A cell's corners and middle: rounding may move an edge by a pixel.
    scale = (table.shape[1] - 2) // 3 - 2
    for j in range(3):
        x0 = 2 + j * (scale + 2)
        middle = inside[2 + scale // 2 + 3, x0 + scale // 2 + 3]
        assert middle.tolist() == [int(x[j, 8, 8])] * 3
    assert (inside[-scale // 2, scale + 4 :] == 255).all()


def test_captions_take_room_only_where_there_are_some():
    x = RNG.random((2, 8, 8))
    heights = [
        np.asarray(image_table([("", x)] * 2, captions=c).axes[0].images[0].get_array()).shape[0]
        for c in ([], [["a", "b"]], [["a", "b"], ["c", "d"]])
    ]
    assert heights[2] - heights[1] == heights[1] - heights[0] > 10


def test_labels_stand_beside_the_middle_of_their_rows():
    x = RNG.random((2, 8, 8))
    axes = image_table([("첫째", x), ("둘째", x)], captions=[["a"], ["b"]]).axes[0]
    height = np.asarray(axes.images[0].get_array()).shape[0]
    places = {text.get_text(): text.get_position()[1] for text in axes.texts}
    assert places["둘째"] - places["첫째"] == places["b"] - places["a"] == height / 2


def test_words_stand_beside_below_and_above():
    x = RNG.random((2, 8, 8))
    figure = image_table([("첫째", x), ("둘째", x)], ["$a$", "b"], [[], ["왼쪽", "오른쪽"]], "제목")
    places = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    assert places["첫째"][0] == places["둘째"][0] < 0
    assert places["첫째"][1] < places["둘째"][1] < places["왼쪽"][1] == places["오른쪽"][1]
    assert places["$a$"][0] == places["왼쪽"][0] < places["b"][0] == places["오른쪽"][0]
    assert places["제목"][1] < places["b"][1] < 0
    box = figure.axes[0].texts[-1].get_window_extent()
    assert box.x1 <= figure.bbox.width


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "one size; these have none"),
        ([("a", np.zeros((1, 8, 8))), ("b", np.zeros((1, 9, 8)))], r"\[\(8, 8\), \(9, 8\)\]"),
        ([("a", np.zeros((1, 2, 8, 8)))], r"1 or 3 channels; these samples have shape \(2, 8, 8\)"),
        ([("a", np.zeros((1, 8)))], r"shape \(8,\), so take the arrays"),
    ],
)
def test_tables_that_cannot_be(rows, words):
    with pytest.raises(InputError, match=words):
        image_table(rows)


def test_each_row_holds_its_own_images_in_their_order():
    first, second = (np.full((n, 16, 16), 0.0) for n in (3, 2))
    first[:] += np.array([0.0, 0.2, 0.4])[:, None, None]
    second[:] += np.array([0.6, 0.8])[:, None, None]
    axes = image_table([("a", first), ("b", second)], ["x", "y", "z"], [["1", "2", "3"]]).axes[0]
    table = np.asarray(axes.images[0].get_array())[..., 0]
    places = {text.get_text(): text.get_position() for text in axes.texts}
    across = [int(places[word][0]) for word in "xyz"]
    shown = [[table[int(places[row][1]), x] for x in across] for row in "ab"]
    assert shown == [[0, 51, 102], [153, 204, 255]]
    assert [places[word][0] for word in "123"] == [places[word][0] for word in "xyz"]
    assert places["a"][1] < places["1"][1] < places["b"][1]


def test_a_plane_has_its_codes_left_and_what_the_frame_decodes_to_right():
    points = np.array([[0.0, 1.0], [2.0, 3.0], [1.0, -1.0]])
    images = np.arange(6)[:, None, None] / 5 * np.ones((6, 16, 16))
    across, down = np.array([-1.0, 0.0, 1.0]), np.array([2.0, -2.0])
    figure = plane_map(
        points, np.array([1, 0, 1]), ("zero", "one"), images, (across, down), ("p", "q")
    )
    scatter, grid = figure.axes
    legend = [text.get_text() for text in scatter.get_legend().get_texts()]
    assert legend == ["zero", "one"]
    np.testing.assert_array_equal(scatter.collections[0].get_offsets(), points[[1]])
    np.testing.assert_array_equal(scatter.collections[1].get_offsets(), points[[0, 2]])
    assert scatter.get_title(loc="left") == "codes of 3 samples"
    (frame,) = scatter.patches
    assert (frame.get_xy(), frame.get_width(), frame.get_height()) == ((-1, -2), 2, 4)
    picture = np.asarray(grid.images[0].get_array())[..., 0]
    cells = picture.reshape(2, picture.shape[0] // 2, 3, -1)[:, 8, :, 8]
    assert cells.tolist() == [[0, 51, 102], [153, 204, 255]]
    assert list(grid.get_xticks()) == [0.5, 1.5, 2.5]
    assert [text.get_text() for text in grid.get_xticklabels()] == ["−1.0", "0.0", "1.0"]
    assert [text.get_text() for text in grid.get_yticklabels()] == ["2.0", "−2.0"]
    for axes in (scatter, grid):
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("p", "q")
    assert grid.get_title(loc="left") == "decoded grid (dashed on the left)"
    assert scatter.get_position().x1 < grid.get_position().x0


def test_ticks_are_thinned_and_many_points_seen_through():
    images, places = np.zeros((400, 4, 4)), np.linspace(-1, 1, 20)
    figure = plane_map(RNG.normal(size=(1001, 2)), None, (), images, (places, places), ("p", "q"))
    scatter, grid = figure.axes
    assert list(grid.get_xticks()) == list(np.arange(0, 20, 3) + 0.5)
    shown = [text.get_text().replace("−", "-") for text in grid.get_xticklabels()]
    np.testing.assert_allclose([float(word) for word in shown], places[::3], atol=0.05)
    assert scatter.collections[0].get_alpha() == 0.6
    assert scatter.get_title(loc="left") == "codes of 1,001 samples"


@pytest.mark.parametrize(("n", "size", "alpha"), [(1000, 7, None), (1001, 4, 0.6)])
def test_more_than_a_thousand_points_are_small_and_seen_through(n, size, alpha):
    codes, labels, places = RNG.normal(size=(n, 2)), np.arange(n) % 2, np.array([-1.0, 1.0])
    images = np.zeros((4, 4, 4))
    figure = plane_map(codes, labels, ("a", "b"), images, (places, places), ("p", "q"))
    dots = figure.axes[0].collections
    assert [(list(d.get_sizes()), d.get_alpha()) for d in dots] == [([size], alpha)] * 2
