"""WGAN by its paper: the losses, RMSprop, and weights that are clipped after each step."""

import numpy as np
import pytest
import torch

from latentia.models.adversarial.wgan import WGAN
from latentia.models.adversarial.wgan_gp import WGANGP
from latentia.models.apply import in_double
from latentia.nets.normalisation import BatchNorm
from latentia.training import draws
from latentia.training.updates import FusedAdam, RMSprop

X = np.random.default_rng(0).random((20, 2, 8, 8), dtype=np.float32)
SMALL = {"n_components": 2, "width": 2, "n_epochs": 2, "batch_size": 10, "random_state": 0}


def test_the_critics_and_the_generators_loss():
    model = in_double(WGAN(**SMALL).fit(X))
    x = torch.from_numpy(X).double()
    draws.seed(3)
    f_fake = model.critic_(model.generator_(torch.randn(20, 2).double()))
    f_real = model.critic_(2 * x - 1)
    draws.seed(3)
    loss = model.critic_loss(x)
    torch.testing.assert_close(loss.total, f_fake.mean() - f_real.mean())
    torch.testing.assert_close(loss.terms["distance"], f_real.mean() - f_fake.mean())
    draws.seed(3)
    torch.testing.assert_close(model.generator_loss(x), -f_fake.mean())
    assert f_fake.shape == (20, 1)


@pytest.mark.parametrize("clipping", [0.01, 0.1])
def test_all_of_the_critics_weights_are_clipped_after_each_of_its_steps(clipping):
    model = WGAN(**SMALL, clipping=clipping, learning_rate=0.05, n_critic=2)
    plain, largest = model.critic_loss, []

    def note(x):
        largest.append(max(float(p.detach().abs().max()) for p in model.critic_.parameters()))
        return plain(x)

    model.critic_loss = note
    model.fit(X)
    assert len(largest) == 4
    assert largest[0] > clipping  # batch norm's scales start at 1
    np.testing.assert_allclose(largest[1:], clipping, rtol=1e-6)
    for parameter in model.critic_.parameters():
        assert float(parameter.detach().abs().max()) <= np.float32(clipping)
    assert max(float(p.detach().abs().max()) for p in model.generator_.parameters()) > clipping


def test_clipping_leaves_the_generator_and_small_weights_alone():
    model = WGAN(**SMALL, clipping=0.02).fit(X)
    kept = [p.detach().clone() for p in model.generator_.parameters()]
    with torch.no_grad():
        for parameter in model.critic_.parameters():
            parameter.copy_(torch.linspace(-0.05, 0.05, parameter.numel()).view_as(parameter))
    expected = [p.detach().clamp(-0.02, 0.02) for p in model.critic_.parameters()]
    model.after_judge()
    for parameter, value in zip(model.critic_.parameters(), expected):
        assert torch.equal(parameter, value)
    for parameter, value in zip(model.generator_.parameters(), kept):
        assert torch.equal(parameter, value)


def test_the_settings():
    model = WGAN().set_params(**SMALL).fit(X)
    assert (WGAN().clipping, WGAN().n_critic, WGAN().learning_rate) == (0.01, 5, 2e-4)
    assert [update.repeats for update in model.updates()] == [5, 1]
    for update in model.updates():
        optimizer = update.make_optimizer(1.0)
        assert type(optimizer) is RMSprop
        kept = {key: optimizer.defaults[key] for key in ("lr", "alpha", "momentum", "centered")}
        assert kept == {"lr": 2e-4, "alpha": 0.99, "momentum": 0, "centered": False}
    penalised = WGANGP()
    assert (penalised.gradient_penalty, penalised.n_critic, penalised.learning_rate) == (
        10,
        5,
        5e-4,
    )
    assert (penalised.beta_1, penalised.beta_2) == (0, 0.9)


def test_rmsprop_divides_by_the_root_of_the_mean_square():
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    optimizer = WGAN(learning_rate=0.1).own_optimizer()([weight])
    square, expected = np.zeros(2), weight.detach().numpy().copy()
    for gradient in ([3.0, 1.0], [-1.0, 2.0]):
        weight.grad = torch.tensor(gradient)
        optimizer.step()
        square = 0.99 * square + 0.01 * np.square(gradient)
        expected -= 0.1 * np.array(gradient) / (np.sqrt(square) + 1e-8)
    np.testing.assert_allclose(weight.detach(), expected, rtol=1e-6)


def test_adam_is_there_to_compare():
    optimizer = WGAN(optimizer="adam").own_optimizer()([torch.nn.Parameter(torch.zeros(1))])
    assert type(optimizer) is FusedAdam


def test_only_the_clipped_critic_has_batch_norm():
    for kind, expected in ((WGAN, True), (WGANGP, False)):
        model = kind(**SMALL).fit(X)
        assert any(isinstance(m, BatchNorm) for m in model.critic_.modules()) == expected
        assert any(isinstance(m, BatchNorm) for m in model.generator_.modules())


@pytest.mark.parametrize("kind", [WGAN, WGANGP])
def test_the_fully_connected_nets_on_request(kind):
    model = kind(**SMALL | {"width": 32}, architecture="mlp", hidden=(4, 6)).fit(X)
    sizes = [tuple(m.weight.shape) for m in model.critic_.modules() if hasattr(m, "weight")]
    assert sizes == [(6, 128), (4, 6), (1, 4)]
    assert model.sample(3, random_state=0).shape == (3, 2, 8, 8)


@pytest.mark.parametrize("kind", [WGAN, WGANGP])
def test_each_samples_verdict_is_its_own_when_the_penalty_needs_it(kind):
    """With batch norm a sample's gradient mixes with the others', which the penalty forbids."""
    model = kind(**SMALL).fit(X)
    x = torch.from_numpy(X[:4]).requires_grad_()
    model.critic_.train()
    (gradient,) = torch.autograd.grad(model.critic_(x)[0].sum(), x)
    assert (gradient[1:].abs().max() == 0) == (kind is WGANGP)


def test_progress_counts_the_generators_steps(capsys):
    WGAN().set_params(**SMALL | {"width": 32, "n_epochs": 3, "n_critic": 2, "batch_size": 8}).fit(
        np.zeros((40, 2)) + np.arange(40)[:, None], progress=True
    )
    # Five batches an epoch, two of them a step.
    assert "step 6/6  epoch 3/3" in capsys.readouterr().err
