"""Figures of the latent space: every image in its row and column, its words beside it."""

import numpy as np
import pytest
from matplotlib.text import Text

from latentia.explore.attributes import attribute_figure, edit
from latentia.explore.blending import blend, blend_figure, mix, shares_of_two
from latentia.explore.interpolation import interpolate_codes, interpolation_figure
from latentia.explore.inversion import inversion_figure, invert
from latentia.explore.latent_map import manifold, map_figure
from latentia.explore.neighbours import nearest_neighbours, neighbours_figure
from latentia.explore.traversal import traversal_figure, traverse
from latentia.models.linear.pca import PCA

SIDE, SCALE, PADDING = 8, 12, 2


def rows_of(figure):
    """Return each row's label and its (m, 8, 8) images as bytes, read back from the picture."""
    axes = figure.axes[0]
    picture = np.asarray(axes.images[0].get_array())[..., 0]
    within = np.round(SCALE * (np.arange(SIDE) + 0.5)).astype(int)
    pitch = SCALE * SIDE + PADDING
    n_columns = (picture.shape[1] - PADDING) // pitch
    found = []
    for text in axes.texts:
        if text.get_ha() == "right":
            top = int(text.get_position()[1]) - SCALE * SIDE // 2
            images = [
                picture[(top + within)[:, None], PADDING + j * pitch + within]
                for j in range(n_columns)
            ]
            found.append((text.get_text(), np.stack(images)))
    return found


def above_columns(figure):
    """Return what stands over the columns, from left to right."""
    texts = [t for t in figure.axes[0].texts if t.get_va() == "bottom"]
    return [t.get_text() for t in sorted(texts, key=lambda t: t.get_position()[0])]


def below_images(figure):
    """Return the captions row by row, from left to right."""
    texts = [t for t in figure.axes[0].texts if (t.get_ha(), t.get_va()) == ("center", "center")]
    by_row = {}
    for text in sorted(texts, key=lambda t: t.get_position()[::-1]):
        by_row.setdefault(text.get_position()[1], []).append(text.get_text())
    return list(by_row.values())


def check_rows(figure, expected):
    found = rows_of(figure)
    assert [label for label, _ in found] == [label for label, _ in expected]
    for (_, shown), (_, images) in zip(found, expected):
        wanted = np.rint(np.asarray(images).clip(0, 1) * 255)
        np.testing.assert_allclose(shown[: len(wanted)].astype(float), wanted, atol=1)


@pytest.mark.parametrize("spherical", [False, True])
def test_an_interpolation_has_its_ways_in_rows_below_the_originals(spherical, pca, faces):
    codes = pca.transform(faces[:3])
    figure = interpolation_figure(pca, codes, faces[:3], 3, spherical=spherical)
    above = np.ones((7, 8, 8))
    above[[0, 3, 6]] = faces[:3]
    line, arc = (interpolate_codes(pca, codes, 3, spherical=bent) for bent in (False, True))
    ways = [("great circle", arc), ("straight line", line)] if spherical else [("decoded", line)]
    check_rows(figure, [("original", above), *ways])
    assert above_columns(figure) == ["•", "0.33", "0.67", "•", "0.33", "0.67", "•"]


def test_a_traversal_has_a_row_for_each_coordinate_and_a_column_for_each_step(pca, faces):
    walks = traverse(pca, faces, coordinates=[2, 0], reach=1.5, n_steps=5)
    figure = traversal_figure(walks, "title")
    worth = pca.explained_variance_
    labels = [f"z[{j}]   explained variance {worth[j]:.3g}" for j in (2, 0)]
    check_rows(figure, list(zip(labels, walks.images)))
    assert "title" in [text.get_text() for text in figure.findobj(Text)]
    assert above_columns(figure) == ["−1.5", "−0.75", "0", "+0.75", "+1.5"]
    np.testing.assert_allclose(walks.steps, [-1.5, -0.75, 0, 0.75, 1.5])
    codes = pca.transform(faces).astype(float)
    np.testing.assert_allclose(walks.scales, codes.std(axis=0)[[2, 0]], rtol=1e-5)
    for j, index in enumerate((2, 0)):
        moved = codes.mean(axis=0) + np.outer(walks.steps * walks.scales[j], np.eye(3)[index])
        np.testing.assert_allclose(walks.codes[j], moved, atol=1e-5)


def test_a_blend_of_two_stands_between_them(pca, faces):
    weights = shares_of_two(3)
    figure = blend_figure(pca, faces[:2], weights=weights)
    ends = faces[:1], faces[1:2]
    expected = [
        ("mean of codes", np.concatenate([ends[0], blend(pca, faces[:2], weights), ends[1]])),
        ("mean of pixels", np.concatenate([ends[0], mix(faces[:2], weights), ends[1]])),
    ]
    check_rows(figure, expected)
    several = blend_figure(pca, faces[:3], weights=[0.5, 0.3, 0.2])
    expected = [
        ("original", faces[:3]),
        ("mean of codes", blend(pca, faces[:3], [0.5, 0.3, 0.2])),
        ("mean of pixels", mix(faces[:3], [0.5, 0.3, 0.2])),
    ]
    check_rows(several, expected)
    given = blend_figure(pca, faces[:3], pca.transform(faces[3:6]))
    assert not np.array_equal(rows_of(given)[1][1], rows_of(blend_figure(pca, faces[:3]))[1][1])


def test_neighbours_stand_beside_their_query_the_nearest_first(faces):
    labels, pool_labels = np.array([2, 0]), np.arange(90) % 3
    pool = faces[10:]
    found = nearest_neighbours(PCA(n_components=1).fit(faces), faces[:2], pool, 3)
    assert not np.array_equal(found.latent, found.pixel)
    figure = neighbours_figure(found, faces[:2], pool, labels, pool_labels, ("a", "b"))
    names = np.array(["a", "b", "2"])
    expected, captions = [], []
    for i in range(2):
        for space, near in (("codes", found.latent[i]), ("pixels", found.pixel[i])):
            own = (pool_labels[near] == labels[i]).sum()
            images = np.concatenate([faces[i : i + 1], pool[near]])
            expected.append((f"nearest by {space}, {own} of 3 of its class", images))
            captions.append([*names[[labels[i], *pool_labels[near]]]])
    check_rows(figure, expected)
    assert below_images(figure) == captions
    assert above_columns(figure) == ["query", "1", "2", "3"]


def test_edits_stand_from_low_to_high_beside_their_original(pca, faces):
    strengths = (1, -2, 0)
    direction = np.array([0.5, -1.0, 0.25])
    edited = edit(pca, faces[:2], direction, strengths)
    captions = [["1 %", "2 %", "3 %", "4 %"], ["5 %", "6 %", "7 %", "8 %"]]
    figure = attribute_figure(faces[:2], edited, strengths, "n", captions, ["one", "two"])
    whole = [np.concatenate([faces[i : i + 1], edited[i][[1, 2, 0]]]) for i in range(2)]
    check_rows(figure, list(zip(["one", "two"], whole)))
    assert above_columns(figure) == ["original", "−2", "reconstructed", "+1"]
    assert below_images(figure) == captions


def test_an_inversion_stands_below_its_original_with_its_error(pca, faces):
    found = invert(pca, faces[:3])
    figure = inversion_figure(found, faces[:3])
    check_rows(figure, [("original", faces[:3]), ("G(z)", found.images)])
    errors = np.sqrt(np.square(faces[:3] - found.images).mean(axis=(1, 2)))
    assert below_images(figure) == [[f"RMSE {error:.3f}" for error in errors]]
    heights = {text.get_text(): text.get_position()[1] for text in figure.axes[0].texts}
    assert heights["original"] < heights["G(z)"] < heights[f"RMSE {errors[0]:.3f}"]


def test_a_map_has_each_code_of_a_class_and_each_place_of_the_grid(pca, faces):
    codes, labels = pca.transform(faces), np.arange(100) % 2
    grid = manifold(pca, codes, (2, 0), n_grid=3)
    scatter, decoded = map_figure(grid, codes, labels, ("even", "odd")).axes
    for value, dots in enumerate(scatter.collections):
        np.testing.assert_allclose(dots.get_offsets(), codes[labels == value][:, [2, 0]], atol=1e-5)
    names = [text.get_text() for text in scatter.get_legend().get_texts()]
    assert names == ["even", "odd"]
    (frame,) = scatter.patches
    np.testing.assert_allclose(frame.get_xy(), (grid.across[0], grid.down[-1]))
    picture = np.asarray(decoded.images[0].get_array())[..., 0]
    side = picture.shape[0] // 3
    pixel = (side - 1) // 8 // 2
    for index, image in enumerate(grid.images):
        row, column = divmod(index, 3)
        corner = picture[row * side + 2 + pixel, column * side + 2 + pixel]
        assert int(corner) == pytest.approx(np.rint(image[0, 0].clip(0, 1) * 255), abs=1)
        place = codes.mean(axis=0)
        place[[2, 0]] = grid.across[column], grid.down[row]
        np.testing.assert_allclose(image, pca.inverse_transform(place[None])[0], atol=1e-5)
    assert grid.down[0] > grid.down[-1]
    # The first row of the picture, and of the labels beside it, is at the top.
    assert decoded.get_xlim() == (0, 3)
    assert decoded.get_ylim() == (3, 0)
    assert decoded.get_yticks().tolist() == [0.5, 1.5, 2.5]
    assert (decoded.get_xlabel(), decoded.get_ylabel()) == ("z[2]", "z[0]")
