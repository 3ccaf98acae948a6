"""The autoencoder against formulas, explicit untied nets and finite differences."""

import copy

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from torch import nn

import latentia
from latentia.errors import InputError
from latentia.models.autoencoders.autoencoder import Autoencoder
from latentia.nets.autoencoder import conv_encoder, transposed, weighted_layers
from latentia.nets.normalisation import BatchNorm
from latentia.training.losses import root_mean_squared_error

ACTIVATIONS = (nn.LeakyReLU, nn.ReLU, nn.Tanh, nn.Sigmoid, nn.ELU)
QUICK = {"n_epochs": 1, "random_state": 0, "device": "cpu"}


def fitted(X, **fields):
    return Autoencoder(
        **{"n_components": 3, "hidden": (12, 7), "batch_size": 16} | QUICK | fields
    ).fit(X)


def untied_twin(tied, X):
    """Return an untied model with the tied one's weights, each matrix twice."""
    fields = tied.get_params() | {"tied": False}
    twin = Autoencoder(**fields).fit(X)
    twin.encoder_ = copy.deepcopy(tied.encoder_)
    mirrored = [m for m in twin.decoder_.modules() if isinstance(m, nn.Linear | nn.ConvTranspose2d)]
    norms = [m for m in twin.decoder_.modules() if isinstance(m, nn.BatchNorm2d)]
    owned = [next(iter(after)) for after in tied.decoder_.after]
    with torch.no_grad():
        for layer, forward, own in zip(
            mirrored, reversed(weighted_layers(tied.encoder_)), owned, strict=True
        ):
            weight = forward.weight
            layer.weight.copy_(weight.T if isinstance(layer, nn.Linear) else weight)
            if isinstance(own, nn.BatchNorm2d):
                norms.pop(0).load_state_dict(own.state_dict())
            else:
                layer.bias.copy_(own.bias)
    assert not norms
    return twin, mirrored


@pytest.mark.parametrize("size", [(8, 8), (9, 14)])
@pytest.mark.parametrize("architecture", ["mlp", "convolutional"])
def test_a_tied_weight_gets_the_gradient_of_both_its_uses(architecture, size):
    X = np.random.default_rng(0).random((32, 2, *size), dtype=np.float32)
    convolutional = {"channels": (4, 6)} if architecture == "convolutional" else {}
    tied = fitted(X, tied=True, architecture=architecture, **convolutional)
    twin, mirrored = untied_twin(tied, X)
    x = torch.from_numpy(X).double()
    for model in (tied, twin):
        for net in model.nets().values():
            net.double().train().zero_grad()
        model.loss(x).backward()
    torch.testing.assert_close(tied.decode(tied.encode(x)), twin.decode(twin.encode(x)))
    pairs = zip(
        weighted_layers(tied.encoder_),
        weighted_layers(twin.encoder_),
        reversed(mirrored),
        strict=True,
    )
    for shared, forward, backward in pairs:
        mirror = backward.weight.grad
        both = forward.weight.grad + (mirror.T if isinstance(backward, nn.Linear) else mirror)
        torch.testing.assert_close(shared.weight.grad, both)
        assert mirror.abs().max() > 1e-3 * both.abs().max()
        if forward.bias is not None:
            torch.testing.assert_close(shared.bias.grad, forward.bias.grad)


@pytest.mark.parametrize("size", [(28, 28), (9, 14), (7, 5)])
def test_a_mirrored_convolution_is_the_adjoint(size):
    """⟨K x, h⟩ = ⟨x, Kᵀ h⟩ for all x and h."""
    torch.manual_seed(0)
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    for layer in weighted_layers(conv_encoder((3, *size), (4, 5), (), 2).double())[:2]:
        y = nn.functional.conv2d(x, layer.weight, None, layer.stride, layer.padding)
        h = torch.randn_like(y)
        torch.testing.assert_close((y * h).sum(), (x * transposed(layer, h)).sum())
        x = y


def test_one_tied_layer_is_the_papers_formula(table):
    """x̂ = Wᵀ (W u + b) + b' in standard units u."""
    model = fitted(table, tied=True, hidden=(), n_epochs=3)
    W = model.encoder_[1][0].weight.detach().double().numpy()
    b = model.encoder_[1][0].bias.detach().double().numpy()
    b_out = model.decoder_.after[0][0].bias.detach().double().numpy()
    mean, scale = table.mean(axis=0), table.std(axis=0)
    u_hat = ((table - mean) / scale @ W.T + b) @ W + b_out
    np.testing.assert_allclose(model.reconstruct(table), u_hat * scale + mean, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("architecture", ["mlp", "convolutional"])
def test_a_tied_decoder_owns_no_matrix(architecture, images):
    tied = fitted(images, tied=True, architecture=architecture)
    untied = fitted(images, architecture=architecture)
    count = [sum(p.numel() for p in m.encoder_.parameters() if p.ndim > 1) for m in (tied, untied)]
    assert count[0] == count[1]
    assert all(p.ndim == 1 for p in tied.decoder_.parameters())
    offsets = [
        sum(p.numel() for p in m.decoder_.parameters() if p.ndim == 1) for m in (tied, untied)
    ]
    assert offsets[0] == offsets[1]


@pytest.mark.parametrize("size", [(8, 8), (9, 13), (2, 5)])
def test_a_tied_convolutional_model_saves_and_resumes(size, tmp_path):
    X = np.random.default_rng(0).random((20, 3, *size), dtype=np.float32)
    fields = {"tied": True, "architecture": "convolutional", "n_epochs": 2, "ema_decay": 0.9}
    whole = fitted(X, **fields)
    loaded = latentia.load(whole.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.reconstruct(X), whole.reconstruct(X))
    assert whole.reconstruct(X).shape == X.shape
    again = Autoencoder(**whole.get_params()).fit(X, run=tmp_path / "run")
    resumed = Autoencoder(**whole.get_params()).fit(X, run=tmp_path / "run", resume=True)
    for other in (again, resumed):
        np.testing.assert_array_equal(other.reconstruct(X), whole.reconstruct(X))


def test_a_tied_model_of_a_table_is_computed_in_double(table, tmp_path):
    model = fitted(table, tied=True)
    whole = model.reconstruct(table)
    assert whole.dtype == np.float64
    singly = np.vstack([model.reconstruct(row[None]) for row in table])
    np.testing.assert_allclose(singly, whole, rtol=1e-12, atol=1e-12)
    loaded = latentia.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.reconstruct(table), whole)


@pytest.mark.parametrize("tied", [False, True])
def test_the_three_losses(tied, images):
    x = torch.from_numpy(images[:, None])
    model = fitted(images, tied=tied)
    difference = images.astype(np.float64) - model.reconstruct(images)
    squares = np.square(difference).reshape(40, -1)
    p = model.reconstruct(images).reshape(-1).astype(np.float64)
    cross_entropy = -images.reshape(-1) * np.log(p) - (1 - images.reshape(-1)) * np.log1p(-p)
    expected = {
        "mse": squares.sum(axis=1).mean(),
        "rmse": np.sqrt(squares.mean(axis=1)).mean(),
        "bce": cross_entropy.sum() / 40,
    }
    for loss, value in expected.items():
        model.objective = loss
        assert model.loss(x).item() == pytest.approx(value, rel=1e-5)


def test_cross_entropy_of_black_and_white_is_the_log_loss(images):
    X = np.rint(images)
    model = fitted(X, objective="bce")
    expected = log_loss(X.ravel(), model.reconstruct(X).ravel().astype(np.float64)) * 64
    loss = model.loss(torch.from_numpy(X[:, None])).item()
    assert loss == pytest.approx(expected, rel=1e-5)


def test_the_root_has_its_gradient_everywhere():
    x = torch.rand(3, 2, 4, dtype=torch.float64)
    x_hat = torch.rand(3, 2, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: root_mean_squared_error(x, t), x_hat)
    for distance in (0.0, 1e-30, 1e-20, 1e-10):
        near = torch.full((3, 8), distance, requires_grad=True)
        root_mean_squared_error(torch.zeros(3, 8), near).backward()
        assert torch.isfinite(near.grad).all()
        assert near.grad.norm(dim=1).max() <= 1.001 / 3 / np.sqrt(8)


def test_the_root_of_a_tables_error_is_in_standard_units(table):
    model = fitted(table, objective="rmse")
    u = (model.reconstruct(table) - table) / table.std(axis=0)
    expected = np.sqrt(np.square(u).mean(axis=1)).mean()
    loss = model.loss(torch.from_numpy(table).float()).item()
    assert loss == pytest.approx(expected, rel=1e-4)


def test_cross_entropy_needs_the_unit_range(table):
    with pytest.raises(InputError, match="objective is 'bce' and the data leave"):
        fitted(table, objective="bce")


def test_a_curve_needs_one_component():
    """A bent line, which no linear model holds in one component, is held by a deep one."""
    t = np.random.default_rng(0).uniform(-1, 1, 400)
    X = np.column_stack([t, t**2, np.sin(3 * t)])
    model = Autoencoder(
        n_components=1,
        hidden=(32, 32),
        activation="tanh",
        n_epochs=30,
        batch_size=20,
        learning_rate=5e-3,
        learning_rate_schedule="cosine",
        random_state=0,
        device="cpu",
    ).fit(X)
    pca = latentia.PCA(n_components=1).fit(X)
    assert model.score(X) > 0.1 * pca.score(X)


@pytest.mark.parametrize("architecture", ["mlp", "convolutional"])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "elu", "relu"])
def test_both_nets_start_from_glorots_distribution_where_units_saturate(activation, architecture):
    X = np.random.default_rng(0).random((8, 8, 8), dtype=np.float32)
    model = Autoencoder(n_components=20, hidden=(50,), activation=activation)
    model.set_params(architecture=architecture, n_epochs=1, learning_rate=1e-30, random_state=0)
    model.fit(X)
    for net in (model.encoder_, model.decoder_):
        layers = [layer for layer in net.modules() if isinstance(layer, torch.nn.Linear)]
        assert len(layers) == 2
        for layer in layers:
            bound = np.sqrt(6 / (layer.in_features + layer.out_features))
            largest = float(layer.weight.detach().abs().max())
            if activation == "relu":
                assert layer.bias.abs().max() > 1e-3
                assert largest <= 1.001 / np.sqrt(layer.in_features)
            else:
                assert layer.bias.abs().max() < 1e-20
                assert 0.95 * bound < largest <= bound


@pytest.mark.parametrize(
    ("architecture", "activation", "kind", "n"),
    [
        ("mlp", "auto", nn.LeakyReLU, 2),
        ("convolutional", "auto", nn.ReLU, 3),
        *(
            (architecture, activation, kind, n)
            for architecture, n in (("mlp", 2), ("convolutional", 3))
            for activation, kind in (
                ("leaky_relu", nn.LeakyReLU),
                ("relu", nn.ReLU),
                ("tanh", nn.Tanh),
                ("sigmoid", nn.Sigmoid),
                ("elu", nn.ELU),
            )
        ),
    ],
)
@pytest.mark.parametrize("tied", [False, True])
def test_both_nets_have_the_activation_that_is_chosen_or_usual(
    architecture, activation, kind, n, tied
):
    X = np.random.default_rng(0).random((8, 8, 8), dtype=np.float32)
    sizes = {"hidden": (12, 7)}
    if architecture == "convolutional":
        sizes = {"hidden": (9,), "channels": (4, 8)}
    model = fitted(X, architecture=architecture, activation=activation, tied=tied, **sizes)
    for net in (model.encoder_, model.decoder_):
        found = [m for m in net.modules() if isinstance(m, ACTIVATIONS)]
        assert [type(m) for m in found] == [kind] * n
        assert {getattr(m, "negative_slope", 0.2) for m in found} == {0.2}


@pytest.mark.parametrize("kind", [Autoencoder, latentia.LinearAutoencoder])
def test_the_epochs_picture_shows_ten_originals_above_what_they_become(kind, images):
    model = kind(n_components=2, **QUICK).fit(images)
    with torch.no_grad():
        shown = dict(model.epoch_picture(torch.from_numpy(images[:, None])))
    assert list(shown) == ["original", "reconstructed"]
    np.testing.assert_array_equal(shown["original"][:, 0], images[:10])
    expected = model.reconstruct(images[:10])
    np.testing.assert_allclose(shown["reconstructed"][:, 0], expected, atol=1e-6)


def test_batch_norm_follows_each_convolution_but_the_first():
    net = conv_encoder((1, 32, 32), (4, 5, 6), (), 3, nn.ReLU)
    kinds = [type(layer).__name__ for layer in net]
    places = [place for place, kind in enumerate(kinds) if kind == "Conv2d"]
    assert len(places) == 3
    followed = [kinds[place + 1 : place + 3] for place in places]
    norm = BatchNorm.__name__
    assert followed == [["ReLU", "Conv2d"], [norm, "ReLU"], [norm, "ReLU"]]
    assert [net[place].bias is None for place in places] == [False, True, True]
