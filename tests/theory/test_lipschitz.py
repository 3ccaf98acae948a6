"""Slopes of critics: closed forms, dense matrices of convolutions, and the bounds' order."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from latentia.errors import InputError
from latentia.theory.lipschitz import (
    TOLERANCE,
    LipschitzCheck,
    check_lipschitz,
    gradient_norms,
    lipschitz_bound,
    spectral_norm,
)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def dense(layer, shape):
    """Return a linear layer's matrix, column by column."""
    basis = torch.eye(math.prod(shape), dtype=torch.float64).reshape(-1, *shape)
    with torch.no_grad():
        return (layer(basis) - layer(torch.zeros_like(basis[:1]))).flatten(1).T.numpy()


def test_a_linear_critics_slope_is_its_spectral_norm():
    critic = nn.Linear(7, 1)
    expected = float(critic.weight.detach().norm())
    found = check_lipschitz(critic, torch.randn(5, 7), torch.randn(4, 7), n_points=20)
    np.testing.assert_allclose(found.norms, expected, rtol=1e-6)
    assert found.norms.shape == (29,)
    assert found.lower == pytest.approx(found.upper, rel=1e-6)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(6, 9), (6,)),
        (nn.Conv2d(2, 3, 3, stride=2, padding=1), (2, 7, 6)),
        (nn.Conv2d(2, 4, 3, padding=2, dilation=2, groups=2), (2, 5, 5)),
        (nn.Conv2d(1, 2, 3, padding=1, padding_mode="circular"), (1, 6, 6)),
        (nn.Conv2d(2, 1, 5), (2, 5, 5)),
        (nn.ConvTranspose2d(3, 2, 4, stride=2, padding=1), (3, 3, 4)),
        (nn.Conv1d(2, 2, 3, padding=1, bias=False), (2, 11)),
    ],
    ids=str,
)
def test_spectral_norms_are_those_of_the_dense_matrix(layer, shape):
    layer.double()
    expected = np.linalg.norm(dense(layer, shape), 2)
    assert spectral_norm(layer, torch.zeros(1, *shape, dtype=torch.float64)) == pytest.approx(
        expected, rel=1e-9
    )
    assert lipschitz_bound(layer, shape) == pytest.approx(expected, rel=1e-9)


def test_a_layer_of_zeros_has_no_slope():
    for layer in (nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 1, 3, stride=2)):
        nn.init.zeros_(layer.weight)
        assert lipschitz_bound(layer, (layer.in_channels, 6, 6)) == 0


def critic():
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 4, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)),
        nn.Dropout(0.5),
        nn.Flatten(),
        nn.Linear(64, 1),
    )


def test_no_slope_exceeds_the_bound_and_the_critic_is_left_alone():
    net = critic()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    x = torch.randn(10, 1, 8, 8)
    found = check_lipschitz(net, x, x + 0.1 * torch.randn_like(x), n_points=50)
    assert 0 < found.lower <= found.upper < math.inf
    assert net.training
    assert all((value == before[name]).all() for name, value in net.state_dict().items())
    assert all(parameter.grad is None for parameter in net.parameters())


def test_gradients_by_finite_differences():
    net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    x = torch.randn(4, 3, dtype=torch.float64)
    step = 1e-6 * torch.eye(3, dtype=torch.float64)
    with torch.no_grad():
        slopes = torch.stack([(net(x + e) - net(x - e))[:, 0] / 2e-6 for e in step], dim=1)
    np.testing.assert_allclose(gradient_norms(net, x), slopes.norm(dim=1), rtol=1e-8)


def test_slopes_are_those_of_a_net_as_it_is_used():
    net = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))
    expected = float((net[2].weight @ net[0].weight).detach().norm())
    assert net.training
    np.testing.assert_allclose(gradient_norms(net, torch.randn(5, 3)), expected, rtol=1e-5)
    assert net.training


def test_verdicts():
    net = critic()
    x, y = torch.randn(2, 6, 1, 8, 8)
    with torch.no_grad():
        for layer in (net[0][0], net[3]):
            shape = (1, 8, 8) if layer is net[0][0] else (64,)
            layer.weight /= lipschitz_bound(layer, shape)
    assert check_lipschitz(net, x, y).verdict == "1-Lipschitz"
    with torch.no_grad():
        net[3].weight *= 100
    assert check_lipschitz(net, x, y).verdict == "not 1-Lipschitz"
    normed = nn.Sequential(nn.LayerNorm(3), nn.Linear(3, 1))
    with torch.no_grad():
        normed[1].weight.zero_()
    found = check_lipschitz(normed, torch.randn(4, 3), torch.randn(4, 3))
    assert (found.upper, found.verdict) == (math.inf, "undecided")


def test_spectral_normalisation_is_seen():
    layer = nn.utils.parametrizations.spectral_norm(nn.Linear(5, 1), n_power_iterations=20)
    found = check_lipschitz(layer, torch.randn(3, 5), torch.randn(3, 5))
    assert found.verdict == "1-Lipschitz"
    assert found.lower == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("layer", "slope"),
    [
        (nn.Sigmoid(), 0.25),
        (nn.ELU(2.0), 2),
        (nn.ELU(-2.0), 2),
        (nn.ELU(0.5), 1),
        (nn.LeakyReLU(3.0), 3),
        (nn.LeakyReLU(-3.0), 3),
        (nn.LeakyReLU(0.2), 1),
        (nn.PReLU(init=1.5), 1.5),
        (nn.PReLU(init=-1.5), 1.5),
    ],
    ids=str,
)
def test_slopes_of_activations(layer, slope):
    x = torch.linspace(-4, 4, 1001, dtype=torch.float64)[:, None]
    steepest = gradient_norms(layer.double(), x).max()
    assert steepest == pytest.approx(slope, rel=1e-2)
    assert lipschitz_bound(layer, (1,)) == slope


def test_errors_name_what_is_wrong():
    with pytest.raises(InputError, match=r"data have shape \(2, 3\), samples \(2, 4\)"):
        check_lipschitz(nn.Linear(3, 1), torch.ones(2, 3), torch.ones(2, 4))
    with pytest.raises(InputError, match=r"shape \(2, 5\) for 2 samples"):
        gradient_norms(nn.Linear(3, 5), torch.ones(2, 3))
    with pytest.raises(InputError, match="n_points is 0"):
        check_lipschitz(nn.Linear(3, 1), torch.ones(2, 3), torch.ones(2, 3), n_points=0)


def test_points_lie_between_data_and_samples_and_on_both():
    """The slope of x³ at a point says where the point lies."""

    class Cube(nn.Module):
        def forward(self, x):
            return x**3

    x, x_fake = torch.tensor([[1.0]]), torch.tensor([[3.0], [5.0]])
    norms = [check_lipschitz(Cube(), x, x_fake, 200, seed).norms for seed in (0, 0, 1)]
    places = np.sqrt(norms[0] / 3)
    np.testing.assert_allclose(places[200:], [1, 3, 5], rtol=1e-6)
    between = places[:200]
    assert 1 < between.min() < 1.1
    assert 4.5 < between.max() < 5
    # Half the segments end at 3: three quarters of the points lie left of it.
    assert 0.65 < (between < 3).mean() < 0.85
    np.testing.assert_array_equal(norms[0], norms[1])
    assert not np.array_equal(norms[0], norms[2])


def test_a_bound_is_the_product_over_the_layers():
    net = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.ReLU(), nn.Linear(2, 1)), nn.Sigmoid())
    with torch.no_grad():
        net[0].weight.copy_(torch.diag(torch.tensor([2.0, 7.0])))
        net[1][1].weight.copy_(torch.tensor([[3.0, 4.0]]))
    assert lipschitz_bound(net, (2,)) == pytest.approx(7 * 5 / 4)


@pytest.mark.parametrize(
    ("lower", "upper", "verdict"),
    [
        (1 + TOLERANCE, 1 + TOLERANCE, "1-Lipschitz"),
        (1 + TOLERANCE, 1 + 2 * TOLERANCE, "undecided"),
        (1 + 2 * TOLERANCE, 1 + 2 * TOLERANCE, "not 1-Lipschitz"),
    ],
)
def test_a_verdict_leaves_room_for_rounding(lower, upper, verdict):
    assert LipschitzCheck(lower=lower, upper=upper, norms=np.array([lower])).verdict == verdict
