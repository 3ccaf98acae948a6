"""Blends against weighted sums; all the weight on one sample is its reconstruction."""

import numpy as np
import pytest

from latentia.errors import InputError
from latentia.explore.blending import blend, blend_figure, mix, shares_of_two


@pytest.mark.parametrize("name", ["pca", "vae"])
def test_ends_are_reconstructions(name, faces, request):
    model = request.getfixturevalue(name)
    found = blend(model, faces[:2], [[1, 0], [0, 1]])
    np.testing.assert_allclose(found, model.reconstruct(faces[:2]), atol=1e-5)


def test_a_linear_model_blends_reconstructions(pca, faces):
    weights = np.array([0.5, 0.3, 0.2])
    expected = np.tensordot(weights, pca.reconstruct(faces[:3]), 1)
    np.testing.assert_allclose(blend(pca, faces[:3], weights)[0], expected, atol=1e-5)
    equal = pca.reconstruct(faces[:4]).mean(axis=0)
    np.testing.assert_allclose(blend(pca, faces[:4])[0], equal, atol=1e-5)


def test_a_deep_model_blends_codes_not_pixels(vae, faces):
    found = blend(vae, faces[:2])[0]
    middle = vae.inverse_transform(vae.transform(faces[:2]).mean(axis=0)[None])[0]
    np.testing.assert_allclose(found, middle, atol=1e-6)
    assert np.abs(found - mix(faces[:2])[0]).max() > 0.05


def test_bytes_are_mixed_as_floats():
    pair = np.array([np.full((2, 2), 255), np.zeros((2, 2))], np.uint8)
    np.testing.assert_allclose(mix(pair, [0.25, 0.75]), np.full((1, 2, 2), 0.25))


@pytest.mark.parametrize(
    ("n", "weights", "words"),
    [
        (1, None, "there are 1 samples to blend"),
        (2, [0.5, 0.6], "weights sum to 1.1; weights of a mean sum to 1"),
        (2, [0.5, 0.3, 0.2], r"shape \(1, 3\); give 2 finite numbers"),
        (2, [np.nan, 1], "finite"),
    ],
)
def test_blends_that_cannot_be(n, weights, words, pca, faces):
    with pytest.raises(InputError, match=words):
        blend(pca, faces[:n], weights)


def words_of(figure):
    return [text.get_text() for text in figure.axes[0].texts if text.get_text()]


def test_the_figure_of_two_and_of_several(pca, faces):
    two = words_of(blend_figure(pca, faces[:2], weights=shares_of_two(3)))
    assert two[:5] == ["original", "0%", "50%", "100%", "original"]
    rows = ["original", "mean of codes", "mean of pixels"]
    assert words_of(blend_figure(pca, faces[:2])) == words_of(blend_figure(pca, faces[:3])) == rows
