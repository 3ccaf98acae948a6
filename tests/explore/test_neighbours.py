"""Neighbours against brute force."""

import numpy as np
import pytest

from latentia.errors import InputError
from latentia.explore.neighbours import nearest_neighbours, neighbours_figure


def brute(queries, pool, m):
    distances = np.linalg.norm(queries[:, None].astype(float) - pool[None], axis=2)
    order = np.argsort(distances, axis=1)[:, :m]
    return order, np.take_along_axis(distances, order, 1)


def test_both_spaces_by_brute_force(vae, faces):
    pool, queries = faces[10:], faces[:5]
    found = nearest_neighbours(vae, queries, pool, 4)
    rows, distances = brute(vae.transform(queries), vae.transform(pool), 4)
    np.testing.assert_array_equal(found.latent, rows)
    np.testing.assert_allclose(found.latent_distances, distances, rtol=1e-3)
    rows, distances = brute(queries.reshape(5, -1), pool.reshape(90, -1), 4)
    np.testing.assert_array_equal(found.pixel, rows)
    np.testing.assert_allclose(found.pixel_distances, distances, rtol=1e-4)


def test_bytes_and_floats_are_the_same_to_it(pca, faces):
    bytes_ = np.rint(faces * 255).astype(np.uint8)
    found = nearest_neighbours(pca, bytes_[:3], bytes_, 2)
    assert found.latent[:, 0].tolist() == found.pixel[:, 0].tolist() == [0, 1, 2]
    assert found.pixel_distances.max() < 10


@pytest.mark.parametrize(("n", "words"), [(0, "n_neighbours is 0"), (101, "at most 100")])
def test_more_neighbours_than_samples(n, words, pca, faces):
    with pytest.raises(InputError, match=words):
        nearest_neighbours(pca, faces[:1], faces, n)


def test_an_encoder_is_needed(gan, faces):
    with pytest.raises(InputError, match="DCGAN has no encoder"):
        nearest_neighbours(gan, faces[:1], faces)


def test_the_figure_counts_neighbours_of_the_class(pca, faces):
    labels = np.arange(100) % 2
    found = nearest_neighbours(pca, faces[:2], faces, 3)
    figure = neighbours_figure(found, faces[:2], faces, labels[:2], labels, ["짝", "홀"])
    words = [text.get_text() for text in figure.axes[0].texts]
    own = int((labels[found.latent[0]] == labels[0]).sum())
    assert f"nearest by codes, {own} of 3 of its class" in words
    assert {"query", "1", "3", "짝", "홀"} <= set(words)
    plain = neighbours_figure(found, faces[:2], faces)
    assert "nearest by pixels" in [text.get_text() for text in plain.axes[0].texts]
