"""Walks along coordinates against linear algebra, and their order against torch."""

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from latentia.errors import InputError
from latentia.explore.coordinates import importance
from latentia.explore.traversal import traversal_figure, traverse
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.linear.pca import PCA


def test_pca_walks_along_its_components(pca, faces):
    walks = traverse(pca, faces, reach=2, n_steps=5)
    spread = pca.transform(faces).astype(float).std(axis=0)
    assert walks.coordinates.tolist() == [0, 1, 2]
    for j in range(3):
        for t, image in zip((-2, -1, 0, 1, 2), walks.images[j]):
            expected = pca.mean_ + t * spread[j] * pca.components_[j]
            np.testing.assert_allclose(image.ravel(), expected, atol=1e-5)
    np.testing.assert_allclose(walks.importance.values, pca.explained_variance_, rtol=1e-6)
    assert walks.importance.measure == "explained variance"


def test_a_centre_is_passed_through(pca, faces):
    code = pca.transform(faces[7:8])[0]
    walks = traverse(pca, faces, code, coordinates=[2, 0], n_steps=3)
    assert walks.coordinates.tolist() == [2, 0]
    np.testing.assert_allclose(walks.images[:, 1], [pca.reconstruct(faces[7:8])[0]] * 2, atol=1e-5)
    np.testing.assert_allclose(walks.codes[0, 2, :2], code[:2], atol=1e-6)


def test_kl_per_coordinate_is_torchs(vae, faces):
    found = importance(vae, faces)
    with torch.no_grad():
        q = vae.posterior(torch.from_numpy(faces)[:, None])
        expected = kl_divergence(q, Normal(0.0, 1.0)).mean(0).numpy()
    assert found.measure == "KL"
    np.testing.assert_allclose(found.values, expected, rtol=1e-4)
    assert found.order.tolist() == np.argsort(-expected).tolist()
    walks = traverse(vae, faces, n_coordinates=2)
    assert walks.coordinates.tolist() == found.order[:2].tolist()
    np.testing.assert_array_equal(walks.scales, 1)


def test_order_by_variance_of_codes(faces):
    model = FactorAnalysis(n_components=3, rotation="varimax").fit(faces)
    found = importance(model, faces)
    assert found.measure == "variance"
    np.testing.assert_allclose(found.values, np.var(model.transform(faces), axis=0), rtol=1e-4)
    rotated = PCA(n_components=3, rotation="varimax").fit(faces)
    assert importance(rotated, faces).measure == "variance"


def test_without_an_encoder_what_changes_the_image_counts(gan):
    walks = traverse(gan, reach=1, n_steps=3, random_state=5)
    assert walks.importance.measure == "change"
    np.testing.assert_array_equal(walks.centre, gan.latent_draws(1, np.random.RandomState(5))[0])
    z = gan.latent_draws(16, np.random.RandomState(5))
    expected = []
    for step in np.eye(3):
        high, low = gan.inverse_transform(z + step), gan.inverse_transform(z - step)
        expected.append(np.square(high - low).sum(axis=(1, 2)).mean() / 4)
    np.testing.assert_allclose(walks.importance.values, expected, rtol=1e-5)
    assert walks.coordinates.tolist() == np.argsort(expected)[::-1].tolist()


def test_the_figure_names_coordinates_and_their_worth(vae, faces):
    walks = traverse(vae, faces, n_coordinates=2, n_steps=3)
    texts = [text.get_text() for text in traversal_figure(walks).axes[0].texts]
    first = walks.coordinates[0]
    assert f"z[{first}]   KL {walks.importance.values[first]:.2f} nats" in texts
    assert [text for text in texts if text in ("−3", "0", "+3")] == ["−3", "0", "+3"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"reach": 0}, "reach is 0; it must be greater than 0"),
        ({"n_steps": 1}, "n_steps is 1; it must be at least 2"),
        ({"n_coordinates": 0}, "n_coordinates is 0"),
        ({"coordinates": [3]}, "coordinate 3 is not one of the 3 .* 0 to 2"),
        ({"coordinates": [-1]}, "coordinate -1"),
        ({"centre": np.zeros(2)}, r"centre has shape \(2,\); give one code of 3"),
        ({"centre": [0, 0, np.nan]}, "3 finite"),
    ],
)
def test_walks_that_cannot_be(options, words, pca, faces):
    with pytest.raises(InputError, match=words):
        traverse(pca, faces, **options)


def test_data_are_asked_for_where_they_are_needed(vae, pca):
    for model in (vae, pca):
        with pytest.raises(InputError, match="has an encoder: give data"):
            traverse(model)


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.parametrize("size", [1e140, 1e150])
def test_codes_that_nothing_finite_comes_from_are_refused(size):
    X = np.random.default_rng(0).normal(size=(30, 3)) * [5, 2, 1]
    model = PCA(n_components=2).fit(X)
    with pytest.raises(InputError, match=r"reach is 1e\+308; it must be greater than 0 and at"):
        traverse(model, X, reach=1e308)
    model.components_ = size * model.components_
    with pytest.raises(InputError, match="NaN or infinity"):
        traverse(model, X, reach=3e38)
