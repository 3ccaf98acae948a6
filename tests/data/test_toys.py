"""Toys for mode collapse: what the papers state, drawn as they state it, by name and by hand."""

import numpy as np
import pytest

from latentia.data import describe, load, names, toys
from latentia.errors import InputError
from tests.data.test_files import idx_folder  # noqa: F401


def test_the_rings_and_grids_of_the_papers():
    ring, grid = toys.ring(), toys.grid()
    np.testing.assert_allclose(np.linalg.norm(ring.centres, axis=1), 1)
    np.testing.assert_allclose(ring.centres[[0, 2]], [[1, 0], [0, 1]], atol=1e-12)
    assert ring.standard_deviation == 0.01
    assert {tuple(c) for c in grid.centres} == {
        (i, j) for i in range(-4, 5, 2) for j in range(-4, 5, 2)
    }
    assert grid.standard_deviation == 0.05
    assert toys.ring(5, radius=2).centres.shape == (5, 2)


def test_draws_lie_about_their_modes_evenly():
    mixture = toys.grid()
    x, modes = mixture.sample(50_000, seed=3)
    noise = (x - mixture.centres[modes]) / mixture.standard_deviation
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose(np.cov(noise.T), np.eye(2), atol=0.03)
    np.testing.assert_allclose(np.bincount(modes) / len(x), 1 / 25, atol=0.004)


def test_seeds():
    one, same, other = (toys.ring().sample(20, seed)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert (one != other).all()
    with pytest.raises(InputError, match="n is 0"):
        toys.ring().sample(0)


def test_stacked_digits_keep_their_order():
    labels = np.arange(10).repeat(3)
    images = np.broadcast_to(labels[:, None, None], (30, 4, 5)).astype(np.uint8)
    x, y = toys.stacked_mnist(images, labels, 200, seed=0)
    assert x.shape == (200, 3, 4, 5)
    assert x.dtype == np.uint8
    np.testing.assert_array_equal(x[:, :, 0, 0] @ [100, 10, 1], y)
    assert len(np.unique(y)) > 150
    np.testing.assert_array_equal(x, toys.stacked_mnist(images, labels, 200, seed=0)[0])
    assert (toys.stacked_mnist(images, labels, 200, seed=1)[1] != y).any()


@pytest.mark.parametrize("shapes", [((4, 1, 3, 3), (4,)), ((4, 3, 3), (3,))])
def test_what_cannot_be_stacked(shapes):
    images, labels = (np.zeros(shape, np.uint8) for shape in shapes)
    with pytest.raises(InputError, match="label each"):
        toys.stacked_mnist(images, labels, 5)
    with pytest.raises(InputError, match="n is 0"):
        toys.stacked_mnist(np.zeros((4, 3, 3)), np.zeros(4, int), 0)


@pytest.mark.parametrize("name", ["ring", "grid"])
def test_mixtures_by_name(name):
    data, known = load(name), describe(name)
    assert data.x_train.shape == (known.n_train, *known.shape)
    assert data.x_test.shape == (known.n_test, *known.shape)
    assert len(data.class_names) == len(np.unique(data.y_train)) == len(np.unique(data.y_test))
    assert (data.spec, data.name) == (name, name)
    centres = toys.MIXTURES[name].centres
    nearest = np.linalg.norm(data.x_test[:, None] - centres, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(nearest, data.y_test)
    np.testing.assert_array_equal(data.x_train, load(name).x_train)


def test_stacked_mnist_by_name_is_made_from_mnists_files(idx_folder, monkeypatch):  # noqa: F811
    monkeypatch.setenv("LATENTIA_DATA", str(idx_folder))
    monkeypatch.setattr(toys, "STACKED_TRAIN", 60)
    monkeypatch.setattr(toys, "STACKED_TEST", 20)
    data, mnist = load("stacked-mnist"), load("mnist")
    assert data.x_train.shape == (60, 3, 5, 5)
    assert data.x_test.shape == (20, 3, 5, 5)
    assert "stacked-mnist" in names()
    assert describe("stacked-mnist").needs_network
    assert data.licence == "that of MNIST"
    assert {image.tobytes() for image in data.x_test[:, 1]} <= {i.tobytes() for i in mnist.x_test}
