"""Lines and great circles against trigonometry, and paths against their anchors."""

import numpy as np
import pytest

from latentia.errors import InputError
from latentia.explore import interpolation
from latentia.explore.interpolation import (
    interpolate,
    interpolate_codes,
    interpolation_figure,
    latent_path,
    lerp,
    slerp,
)

RNG = np.random.default_rng(0)


def turned(vector, angle):
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]]) @ vector


@pytest.mark.parametrize("angle", [1e-4, 0.3, np.pi / 2, 3.1, np.pi - 1e-3])
def test_slerp_turns_by_equal_angles(angle):
    a = np.array([3.0, 4.0])
    t = np.linspace(0, 1, 7)
    expected = [turned(a, share * angle) for share in t]
    np.testing.assert_allclose(slerp(a, turned(a, angle), t), expected, atol=1e-9)


def test_slerp_keeps_to_the_sphere_in_many_dimensions():
    a, b = RNG.normal(size=(2, 200))
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    path = slerp(a, b, np.linspace(0, 1, 11))
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), 1, atol=1e-12)
    cosines = (path[:-1] * path[1:]).sum(axis=1)
    np.testing.assert_allclose(cosines, np.cos(np.arccos(a @ b) / 10), atol=1e-12)


def test_slerp_of_different_lengths_is_whites_formula():
    a, b, t = RNG.normal(size=5), 3 * RNG.normal(size=5), 0.3
    omega = np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    expected = (np.sin((1 - t) * omega) * a + np.sin(t * omega) * b) / np.sin(omega)
    np.testing.assert_allclose(slerp(a, b, t), expected)


def test_a_line_leaves_the_shell_of_normal_draws_and_a_great_circle_does_not():
    a, b = RNG.normal(size=(2, 1000))
    assert np.linalg.norm(slerp(a, b, 0.5)) == pytest.approx(np.sqrt(1000), rel=0.05)
    assert np.linalg.norm(lerp(a, b, 0.5)) == pytest.approx(np.sqrt(500), rel=0.05)


@pytest.mark.parametrize(
    ("a", "b"),
    [([0, 0], [1, 2]), ([1, 2], [0, 0]), ([0, 0], [0, 0]), ([1, 2], [3, 6]), ([1, 2], [-1, -2])],
)
def test_without_a_single_great_circle_the_way_is_a_line(a, b):
    t = np.linspace(0, 1, 5)
    np.testing.assert_allclose(slerp(a, b, t), lerp(a, b, t))
    assert np.isfinite(slerp(a, b, t)).all()


@pytest.mark.parametrize("between", [slerp, lerp])
def test_ends_are_the_ends(between):
    a, b = RNG.normal(size=(2, 6))
    np.testing.assert_allclose(between(a, b, [0, 1]), [a, b], atol=1e-12)


@pytest.mark.parametrize("spherical", [False, True])
def test_a_path_meets_each_anchor_once(spherical):
    anchors = RNG.normal(size=(4, 3))
    path = latent_path(anchors, 5, spherical=spherical)
    assert path.shape == (16, 3)
    np.testing.assert_allclose(path[::5], anchors, atol=1e-12)
    ring = latent_path(anchors, 5, spherical=spherical, closed=True)
    assert ring.shape == (20, 3)
    np.testing.assert_allclose(ring[:16], path, atol=1e-12)
    between = slerp if spherical else lerp
    np.testing.assert_allclose(ring[16:], between(anchors[3], anchors[0], np.arange(1, 5) / 5))


def test_float32_is_kept():
    assert latent_path(np.eye(2, dtype=np.float32)).dtype == np.float32


def test_pca_decodes_a_line_to_a_line(pca, faces):
    images = interpolate(pca, faces[:2], 4)
    ends = pca.reconstruct(faces[:2])
    for share, image in zip(np.linspace(0, 1, 5), images):
        np.testing.assert_allclose(image, (1 - share) * ends[0] + share * ends[1], atol=1e-5)


def test_a_model_without_an_encoder_walks_between_codes(gan, faces):
    assert interpolate_codes(gan, np.eye(3), 2).shape == (5, 8, 8)
    with pytest.raises(InputError, match=r"DCGAN has no encoder; .*invert"):
        interpolate(gan, faces[:2])


@pytest.mark.parametrize(
    ("anchors", "n_steps", "words"),
    [
        ([[1.0, 2.0]], 4, r"shape \(1, 2\)"),
        ([1.0, 2.0], 4, r"shape \(2,\)"),
        ([[1.0, np.nan], [0, 0]], 4, "NaN"),
        (np.eye(2), 0, "n_steps is 0; it must be at least 1"),
    ],
)
def test_paths_that_cannot_be(anchors, n_steps, words):
    with pytest.raises(InputError, match=words):
        latent_path(anchors, n_steps)


def test_codes_that_do_not_fit_the_model(pca):
    with pytest.raises(InputError, match=r"shape \(2, 2\); PCA takes \(n, 3\)"):
        interpolate_codes(pca, np.eye(2))
    with pytest.raises(InputError, match="code 1 holds NaN"):
        interpolate_codes(pca, [[0, 0, 0], [0, np.inf, 0]])


def test_the_figure_shows_originals_above_their_codes(pca, faces):
    axes = interpolation_figure(pca, pca.transform(faces[:3]), faces[:3], 4).axes[0]
    words = [text.get_text() for text in axes.texts]
    assert words.count("•") == 3
    assert {"original", "decoded", "0.25", "0.5", "0.75"} <= set(words)
    picture = np.asarray(axes.images[0].get_array())
    cell = picture.shape[1] // 9
    above = picture[: picture.shape[0] // 2]
    inked = [above[:, i * cell + 4 : (i + 1) * cell - 4].min() < 250 for i in range(9)]
    assert inked == [i % 4 == 0 for i in range(9)]


def test_a_table_has_no_figure(table):
    from latentia.models.linear.pca import PCA

    model = PCA(n_components=2).fit(table)
    with pytest.raises(InputError, match=r"samples have shape \(5,\)"):
        interpolation_figure(model, np.eye(2))


@pytest.mark.parametrize("spherical", [False, True])
@pytest.mark.parametrize("closed", [False, True])
def test_the_way_between_samples_is_that_between_their_codes(spherical, closed, pca, faces):
    codes = pca.transform(faces[:3])
    path = latent_path(codes, 4, spherical=spherical, closed=closed)
    found = interpolate(pca, faces[:3], 4, spherical=spherical, closed=closed)
    np.testing.assert_allclose(found, pca.inverse_transform(path), atol=1e-6)
    assert len(found) == (12 if closed else 9)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_path_is_of_the_type_of_its_ends(kind):
    assert latent_path(np.eye(3, dtype=kind)).dtype == kind


def test_originals_of_bytes_stand_above_the_path_as_they_are(monkeypatch):
    tables = []
    monkeypatch.setattr(interpolation, "check_arguments", lambda *_: None)
    monkeypatch.setattr(interpolation, "image_table", lambda rows, titles: tables.append(rows))
    path = np.zeros((9, 2, 2), np.float32)
    monkeypatch.setattr(interpolation, "interpolate_codes", lambda *_, **__: path)
    originals = np.full((3, 2, 2), 51, np.uint8)
    interpolation_figure(None, np.zeros((3, 1)), originals, n_steps=4)
    name, above = tables[0][0]
    assert (name, above.shape) == ("original", path.shape)
    expected = np.ones_like(path)
    expected[::4] = 0.2
    np.testing.assert_allclose(above, expected, rtol=1e-6)
