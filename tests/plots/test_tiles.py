"""Images of a page: where they stand, which keep their pixels, and which take a whole row."""

import base64
import re

import numpy as np
import pytest

from latentia.models.figures import side_by_side, tiles
from latentia.plots.page import Drawing, Picture, Tiles


@pytest.mark.parametrize(
    ("n_columns", "size", "smooth", "wide"),
    [
        (6, (49, 20), True, True),
        (6, (20, 49), True, True),
        (5, (49, 49), True, False),
        (6, (48, 48), True, False),
        (6, (33, 8), True, False),
        (6, (32, 32), False, False),
    ],
)
def test_large_images_are_smooth_and_many_in_a_row_take_the_page(n_columns, size, smooth, wide):
    # The longest row counts, wherever it stands.
    shown = Tiles(((b"a",), (b"a",) * n_columns, (b"a",) * 2), size)
    assert (shown.n_columns, shown.smooth, shown.wide) == (n_columns, smooth, wide)
    assert Picture("", "", tiles=shown).wide is wide
    assert Picture("", "", tiles=shown, drawing=Drawing("", wide=True)).wide
    assert not Picture("", "", png=b"a").wide


def test_each_image_is_at_its_own_place_of_its_row():
    rows = ((b"first", b"second"), (b"third",))
    found = [
        [base64.b64decode(re.sub("^data:image/png;base64,", "", uri)) for uri in row]
        for row in Tiles(rows, (8, 8)).uris
    ]
    assert found == [list(row) for row in rows]


def test_sizes_are_width_and_height_and_small_images_stand_in_two_blocks():
    def states(n, *shape):
        return [(name, np.full((n, *shape), 0.5)) for name in ("before", "after")]

    assert tiles(np.zeros((7, 3, 8, 12)), 3).size == (12, 8)
    assert [len(row) for row in tiles(np.zeros((7, 8, 8)), 3).rows] == [3, 3, 1]
    small = side_by_side(states(5, 8, 48))
    assert (small.labels, small.block) == (("before", "after") * 2, 2)
    assert [len(row) for row in small.rows] == [3, 3, 2, 2]
    large = side_by_side(states(5, 8, 49))
    assert (large.labels, large.block, large.size) == (("before", "after"), 2, (49, 8))
    assert [len(row) for row in large.rows] == [5, 5]
