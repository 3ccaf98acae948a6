"""Grids on planes: their prior mass, their places, and what they decode to."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.decomposition import PCA as REFERENCE

from latentia.errors import InputError
from latentia.explore.codes import has_standard_normal_prior, prior_draws
from latentia.explore.latent_map import latent_plane, manifold, map_figure
from latentia.models.autoencoders.vae import VAE
from latentia.models.linear.pca import PCA
from latentia.plots.explore import plane_map
from tests.conftest import SHARED, small_models

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def flat_vae(faces):
    return VAE(n_components=2, hidden=(8,), **SHARED).fit(faces)


def test_cells_of_the_prior_have_equal_mass(flat_vae):
    grid = manifold(flat_vae, n_grid=8)
    np.testing.assert_allclose(norm.cdf(grid.across), (np.arange(8) + 0.5) / 8)
    np.testing.assert_array_equal(grid.down, grid.across[::-1])
    corner = flat_vae.inverse_transform([[grid.across[0], grid.across[-1]]])[0]
    np.testing.assert_allclose(grid.images[0], corner, atol=1e-6)
    np.testing.assert_allclose(grid.codes[1], [grid.across[1], grid.down[0]])


def test_without_a_prior_the_grid_spans_the_codes(faces):
    model = PCA(n_components=2).fit(faces)
    codes = model.transform(faces)
    grid = manifold(model, codes, n_grid=5)
    low, high = np.quantile(codes, [0.01, 0.99], axis=0)
    np.testing.assert_allclose(grid.across, np.linspace(low[0], high[0], 5), rtol=1e-5)
    np.testing.assert_allclose(grid.down, np.linspace(high[1], low[1], 5), rtol=1e-5)
    with pytest.raises(InputError, match="no prior to draw from; give codes"):
        manifold(model)


def test_a_plane_through_the_mean_along_the_widest_spread(pca):
    codes = RNG.normal(size=(200, 3)) @ [[3, 0, 0], [0, 0.2, 0], [1, 0, 2]] + [1, 2, 3]
    plane = latent_plane(pca, codes)
    truth = REFERENCE(2).fit(codes)
    np.testing.assert_allclose(np.abs(plane.axes @ truth.components_.T), np.eye(2), atol=1e-9)
    np.testing.assert_allclose(plane.origin, codes.mean(axis=0))
    shares = truth.explained_variance_ratio_
    assert plane.names == tuple(f"component {i + 1} of z ({shares[i]:.0%})" for i in range(2))
    np.testing.assert_allclose(np.abs(plane.points(codes)), np.abs(truth.transform(codes)))
    largest = np.abs(truth.components_).argmax(axis=1)
    assert (plane.axes[[0, 1], largest] > 0).all(), "a map does not turn over by chance"


@pytest.mark.parametrize("coordinates", [None, (2, 0)])
def test_places_and_codes_are_each_others_inverse(pca, coordinates):
    codes = RNG.normal(size=(50, 3))
    plane = latent_plane(pca, codes, coordinates)
    places = RNG.normal(size=(9, 2))
    np.testing.assert_allclose(plane.points(plane.codes(places)), places, atol=1e-12)
    if coordinates is not None:
        np.testing.assert_allclose(plane.points(codes), codes[:, [2, 0]])
        np.testing.assert_allclose(plane.codes(places)[:, 1], codes[:, 1].mean())
        assert plane.names == ("z[2]", "z[0]")


@pytest.mark.parametrize(
    ("name", "normal"), [("VAE", True), ("DCGAN", True), ("VaDE", False), ("PCA", False)]
)
def test_which_priors_are_standard_normal(name, normal, faces):
    labels = np.arange(len(faces)) % 3
    assert has_standard_normal_prior(small_models()[name].fit(faces, labels)) is normal


def test_a_map_in_korean(flat_vae, faces):
    codes = flat_vae.transform(faces)
    labels = np.arange(len(faces)) % 2
    figure = map_figure(
        manifold(flat_vae, codes, n_grid=3), codes, labels, ["웃음", "무표정한 얼굴"]
    )
    scatter, decoded = figure.axes
    assert [text.get_text() for text in scatter.get_legend().get_texts()] == [
        "웃음",
        "무표정한 얼굴",
    ]
    assert scatter.get_xlabel() == decoded.get_xlabel() == "z[0]"
    assert scatter.get_ylabel() == decoded.get_ylabel() == "z[1]"
    picture = np.asarray(decoded.images[0].get_array())
    assert picture.shape[0] == picture.shape[1]
    figure.savefig("/dev/null", format="png")


def test_a_map_without_codes(gan):
    figure = map_figure(manifold(gan, coordinates=(0, 2), n_grid=4))
    assert len(figure.axes) == 1
    assert figure.axes[0].get_ylabel() == "z[2]"


def test_without_codes_the_plane_goes_through_a_draw(gan):
    drawn = gan.latent_draws(1, np.random.RandomState(3))[0]
    codes = manifold(gan, coordinates=(0, 2), n_grid=4, random_state=3).codes
    np.testing.assert_array_equal(codes[:, 1], drawn[1])
    np.testing.assert_allclose(codes[:4, 0], norm.ppf((np.arange(4) + 0.5) / 4))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"coordinates": (0, 3)}, "coordinate 3 is not one of the 3"),
        ({"coordinates": (1, 1)}, r"\[1, 1\]; a map needs two different"),
        ({"coordinates": (1,)}, r"\[1\]; a map needs two"),
        ({"n_grid": 1}, "n_grid is 1"),
        ({}, "3 latent components without codes needs two coordinates"),
    ],
)
def test_maps_that_cannot_be(options, words, gan):
    with pytest.raises(InputError, match=words):
        manifold(gan, **options)


def test_a_line_is_no_plane(faces):
    model = PCA(n_components=1).fit(faces)
    with pytest.raises(InputError, match="needs 2 latent components and this PCA has 1"):
        manifold(model, model.transform(faces))


def test_labels_match_codes(flat_vae, faces):
    codes = flat_vae.transform(faces)
    with pytest.raises(InputError, match="100 codes and 3 labels"):
        map_figure(manifold(flat_vae, codes, n_grid=2), codes, np.zeros(3))


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ([-0.04, 0.0, 0.04], ["−0.04", "0.00", "0.04"]),
        ([-2.0, -0.02, 2.0], ["−2.0", "0.0", "2.0"]),
        ([-0.001, 0.0, 0.001], ["−0.001", "0.000", "0.001"]),
    ],
)
def test_places_of_a_grid_are_told_apart(places, words):
    images, ticks = np.zeros((9, 4, 4)), (np.array(places), np.array(places)[::-1])
    axes = plane_map(None, None, (), images, ticks, ("z[0]", "z[1]")).axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == words
    assert [text.get_text() for text in axes.get_yticklabels()] == words[::-1]


def test_a_prior_of_other_noise_is_not_standard_normal(faces):
    model = small_models()["DCGAN"].set_params(prior="uniform").fit(faces)
    assert not has_standard_normal_prior(model)
    grid = manifold(model, coordinates=(0, 1), n_grid=3)
    np.testing.assert_allclose(grid.across, [-0.98, 0, 0.98], atol=0.03)
    again = manifold(model, coordinates=(0, 1), n_grid=3, random_state=3)
    ends = np.quantile(prior_draws(model, 1000, 3)[:, 0], [0.01, 0.99])
    np.testing.assert_allclose(again.across[[0, -1]], ends)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_what_is_no_seed_is_refused(pca, seed):
    with pytest.raises(InputError, match=f"random_state is {seed}"):
        prior_draws(pca, 1, seed)
