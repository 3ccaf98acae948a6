"""The linear autoencoder against principal component analysis."""

import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles

from latentia import PCA
from latentia.models.autoencoders.linear_autoencoder import LinearAutoencoder


def flat_in_space(n=500, seed=0):
    """Return the lecture's data set: three columns near a tilted plane."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 1.5 * np.pi, n)
    plane = np.column_stack([np.cos(angle), 0.6 * np.sin(angle)]) + 0.1 * rng.normal(size=(n, 2))
    tilt = np.linalg.qr(rng.normal(size=(3, 2)))[0]
    return plane @ tilt.T + 0.05 * rng.normal(size=(n, 3)) + [1, -2, 0.5]


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_it_spans_the_principal_subspace(optimizer):
    X = flat_in_space()
    rate = 3e-2 if optimizer == "adam" else 0.3
    model = LinearAutoencoder(
        n_components=2,
        optimizer=optimizer,
        learning_rate=rate,
        n_epochs=400,
        batch_size=100,
        random_state=0,
        device="cpu",
    ).fit(X)
    pca = PCA(n_components=2).fit(X)
    V = model.decoder_[0].weight.detach().double().numpy()
    U = model.encoder_[1].weight.detach().double().numpy()
    assert subspace_angles(V, pca.components_.T).max() < 1e-3
    np.testing.assert_allclose(V @ U, pca.components_.T @ pca.components_, atol=2e-3)
    assert -model.score(X) < 1.005 * -pca.score(X)


def test_one_step_follows_the_gradient_of_the_squared_error():
    X = flat_in_space(40).astype(np.float32)
    model = LinearAutoencoder(n_epochs=1, batch_size=40, random_state=0, device="cpu").fit(X)
    U = model.encoder_[1].weight.detach().double().numpy()
    V = model.decoder_[0].weight.detach().double().numpy()
    u = (X - X.mean(axis=0)) / np.sqrt(X.var(axis=0).mean())
    residual = u @ U.T @ V.T - u
    for net in model.nets().values():
        net.zero_grad()
    model.loss(torch.from_numpy(X)).backward()
    expected = 2 * residual.T @ (u @ U.T) / X.size
    np.testing.assert_allclose(model.decoder_[0].weight.grad, expected, atol=1e-5)


@pytest.mark.slow
def test_mnist_at_thirty_components():
    import latentia

    data = latentia.load_data("mnist")
    x = data.x_train[:55_000]
    model = LinearAutoencoder(n_components=30, n_epochs=20, random_state=0, device="cpu").fit(x)
    pca = PCA(n_components=30).fit(x)
    assert -model.score(data.x_test) < 1.005 * -pca.score(data.x_test)
