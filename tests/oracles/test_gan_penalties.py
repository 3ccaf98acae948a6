"""Penalties on a critic's gradient: closed forms, loops over samples, finite differences."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch.func import functional_call

from latentia.models.adversarial.gan import GAN
from latentia.models.adversarial.remedies import gradient_norms, r1
from latentia.models.adversarial.wgan_gp import WGANGP, gradient_penalty
from latentia.models.apply import in_double
from latentia.training import draws

SHAPES = [(5,), (1, 4, 4), (3, 4, 5)]


def sample(*shape):
    """Return float64 normal numbers that do not touch torch's generator."""
    return torch.from_numpy(np.random.default_rng(sum(shape)).normal(size=shape))


def norms_one_by_one(critic, x):
    """Return each sample's gradient norm, computed for that sample alone."""
    norms = []
    for row in x:
        row = row.detach()[None].clone().requires_grad_()
        (gradient,) = torch.autograd.grad(critic(row).sum(), row)
        norms.append(gradient.square().sum().sqrt())
    return torch.stack(norms)


def quadratic(x):
    """Return a critic's values whose gradient norm differs from sample to sample: ‖x‖."""
    return 0.5 * x.flatten(1).square().sum(1, keepdim=True)


@pytest.mark.parametrize("shape", SHAPES)
def test_penalties_of_a_linear_critic(shape):
    weight = sample(*shape)

    def linear(x):
        return (x * weight).flatten(1).sum(1, keepdim=True) + 3

    x, x_fake = sample(7, *shape), sample(7, *shape) + 1
    penalty, norm = gradient_penalty(linear, x, x_fake), weight.square().sum().sqrt()
    torch.testing.assert_close(penalty, (norm - 1).square())
    torch.testing.assert_close(r1(linear, x), norm.square() / 2)


@pytest.mark.parametrize("shape", SHAPES)
def test_each_sample_has_its_own_norm(shape):
    seen = []

    def critic(x):
        seen.append(x.detach())
        return quadratic(x)

    x, x_fake = sample(6, *shape), sample(6, *shape) - 2
    penalty = gradient_penalty(critic, x, x_fake)
    expected = norms_one_by_one(quadratic, seen[0])
    assert expected.std() > 0.1
    torch.testing.assert_close(penalty, (expected - 1).square().mean())
    torch.testing.assert_close(gradient_norms(quadratic, x), norms_one_by_one(quadratic, x))
    torch.testing.assert_close(r1(quadratic, x), norms_one_by_one(quadratic, x).square().mean() / 2)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_mixing_weight_is_uniform_and_one_for_each_sample(shape):
    seen = []

    def critic(x):
        seen.append(x.detach())
        return quadratic(x)

    draws.seed(0)
    ones, zeros = torch.ones(2000, *shape), torch.zeros(2000, *shape)
    gradient_penalty(critic, ones, zeros)
    mixing = seen[0].flatten(1)
    assert torch.equal(mixing, mixing[:, :1].expand_as(mixing))
    assert mixing.min() >= 0
    assert mixing.max() <= 1
    assert stats.kstest(mixing[:, 0].numpy(), "uniform").pvalue > 0.01
    draws.seed(0)
    gradient_penalty(critic, zeros, ones)
    torch.testing.assert_close(seen[1], 1 - seen[0])  # ε is the share of the real sample


def test_gradient_of_the_penalties_with_respect_to_the_critic():
    critic = torch.nn.Sequential(
        torch.nn.Conv2d(2, 3, 3), torch.nn.Tanh(), torch.nn.Flatten(), torch.nn.Linear(12, 1)
    ).double()
    names = [name for name, _ in critic.named_parameters()]
    x, x_fake = sample(3, 2, 4, 4), sample(3, 2, 4, 4) * 2

    def penalties(*weights):
        def judge(x):
            return functional_call(critic, dict(zip(names, weights)), (x,))

        draws.seed(1)
        return gradient_penalty(judge, x, x_fake), r1(judge, x)

    weights = tuple(p.detach().clone().requires_grad_() for p in critic.parameters())
    # The last bias has no gradient at all; nor does it change either penalty.
    assert torch.autograd.gradcheck(
        lambda *w: penalties(*w, weights[-1].detach()), weights[:-1], atol=1e-7
    )


def test_no_gradient_reaches_what_made_the_samples():
    x_fake = sample(4, 3).requires_grad_()
    weight = sample(3).requires_grad_()
    penalty = gradient_penalty(lambda x: (x @ weight).square(), sample(4, 3) + 1, x_fake)
    assert torch.autograd.grad(penalty, x_fake, allow_unused=True, retain_graph=True) == (None,)
    assert torch.autograd.grad(penalty, weight)[0].abs().sum() > 0


def test_a_critic_that_is_constant_is_penalised_without_nan():
    weight = torch.zeros(3, requires_grad=True)
    x = sample(4, 3).float()
    for penalty, expected in (
        (gradient_penalty(lambda x: x @ weight, x, x + 1), 1.0),
        (r1(lambda x: x @ weight, x), 0.0),
    ):
        assert float(penalty.detach()) == expected
        assert torch.isfinite(torch.autograd.grad(penalty, weight)[0]).all()


@pytest.mark.parametrize("shape", [(3,), (3, 8, 9)])
@pytest.mark.parametrize("weight", [10.0, 3.0])
def test_the_critics_loss_of_wgan_gp_is_equation_3(shape, weight):
    X = np.random.default_rng(0).random((12, *shape))
    sizes = {"width": 2} if len(shape) == 3 else {"hidden": (5,)}
    model = WGANGP(n_components=2, n_epochs=1, random_state=0, gradient_penalty=weight, **sizes)
    model = in_double(model.fit(X))
    x = torch.from_numpy(X)
    draws.seed(7)
    loss = model.critic_loss(x)
    draws.seed(7)
    z = torch.randn(12, 2).double()
    mixing = torch.rand(12, 1).double().reshape(12, *(1 for _ in shape))
    fake = model.generator_(z).detach()
    real = 2 * x - 1 if len(shape) == 3 else (x - x.mean(0)) / x.std(0, correction=0)
    norms = norms_one_by_one(model.critic_, mixing * real + (1 - mixing) * fake)
    distance = model.critic_(real).mean() - model.critic_(fake).mean()
    # Means and scales of columns are kept in float32.
    bound = {"rtol": 1e-6, "atol": 1e-7}
    torch.testing.assert_close(loss.terms["distance"], distance, **bound)
    torch.testing.assert_close(
        loss.total, -distance + weight * (norms - 1).square().mean(), **bound
    )
    unused = torch.autograd.grad(loss.total, list(model.generator_.parameters()), allow_unused=True)
    assert all(gradient is None for gradient in unused)


@pytest.mark.parametrize("gamma", [1.0, 10.0])
def test_r1_adds_half_gamma_times_the_squared_norm_on_real_data(gamma):
    X = np.random.default_rng(0).normal(size=(12, 3))
    model = GAN(n_components=2, hidden=(5,), n_epochs=1, random_state=0).fit(X)
    model = in_double(model)
    x = torch.from_numpy(X)
    losses = []
    for value in (0.0, gamma):
        model.r1_penalty = value
        draws.seed(0)
        losses.append(model.discriminator_loss(x).total)
    norms = norms_one_by_one(model.discriminator_, model.inside(x))
    torch.testing.assert_close(losses[1] - losses[0], gamma / 2 * norms.square().mean())
