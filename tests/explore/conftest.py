"""Small fitted models to explore, made once."""

import numpy as np
import pytest

from latentia.models.linear.pca import PCA
from tests.conftest import small_models


@pytest.fixture(scope="session")
def faces():
    """(100, 8, 8) float32 images in [0, 1], each a sum of three patterns and some noise."""
    rng = np.random.default_rng(0)
    patterns = rng.random((3, 8, 8))
    mixed = np.tensordot(rng.random((100, 3)), patterns, 1) / 3 + 0.05 * rng.random((100, 8, 8))
    return mixed.astype(np.float32)


@pytest.fixture(scope="session")
def pca(faces):
    return PCA(n_components=3).fit(faces)


@pytest.fixture(scope="session")
def vae(faces):
    return small_models()["VAE"].fit(faces)


@pytest.fixture(scope="session")
def gan(faces):
    return small_models()["DCGAN"].fit(faces)
