"""Conditional WGAN-GP: the game given y by its formula, how the critic sees y, its verbs."""

import numpy as np
import pytest
import torch

from latentia.errors import InputError
from latentia.models.adversarial.conditional_wgan_gp import ConditionalWGANGP
from latentia.models.apply import in_double
from latentia.training import draws

IMAGES = np.random.default_rng(0).random((20, 2, 8, 9), dtype=np.float32)
TABLE = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
Y = np.arange(20) % 4
VECTORS = np.random.default_rng(1).normal(size=(20, 2))
SMALL = {"n_components": 3, "n_epochs": 1, "batch_size": 10, "random_state": 0}


def fitted(X, y=Y, **fields):
    sizes = {"hidden": (6, 5)} if X.ndim == 2 else {"width": 2}
    return in_double(ConditionalWGANGP(**SMALL | sizes | fields).fit(X, y))


@pytest.mark.parametrize("critic", ["concatenation", "projection"])
@pytest.mark.parametrize(("X", "y"), [(IMAGES, Y), (TABLE, VECTORS)], ids=["images", "table"])
def test_the_losses_are_the_papers_given_y(X, y, critic):
    """Gulrajani et al. 2017, eq. 3, with y beside x and z; the gradient by finite differences."""
    model = fitted(X, y, critic=critic, gradient_penalty=3.0)
    plain = model.condition
    x, targets = torch.from_numpy(X).double(), torch.from_numpy(model.targets(y, 20, reset=False))
    model.condition = lambda *y: tuple(part.double() for part in plain(*y))
    (rows,), f = model.condition(targets), model.critic_
    draws.seed(4)
    fake = model.generator_(torch.cat([draws.normal_like(x.new_zeros(20, 3)), rows], 1)).detach()
    mixing = draws.uniform_like(x.new_zeros(20, *(1,) * (x.ndim - 1)))
    u = model.inside(x)
    x_hat = mixing * u + (1 - mixing) * fake
    norms, h = [], 1e-6
    with torch.no_grad():
        for one, given in zip(x_hat, rows):
            steps = h * torch.eye(one.numel(), dtype=one.dtype).reshape(-1, *one.shape)
            beside = given.expand(len(steps), -1)
            slopes = (f(one + steps, beside) - f(one - steps, beside)) / (2 * h)
            norms.append(slopes.square().sum().sqrt())
        distance = f(u, rows).mean() - f(fake, rows).mean()
    wanted = -distance + 3 * (torch.stack(norms) - 1).square().mean()
    draws.seed(4)
    loss = model.critic_loss(x, targets)
    torch.testing.assert_close(loss.total.detach(), wanted, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(loss.terms["distance"].detach(), distance)
    draws.seed(4)
    found = model.generator_loss(x, targets)
    torch.testing.assert_close(found.detach(), -f(fake, rows).mean().detach())


@pytest.mark.parametrize("critic", ["concatenation", "projection"])
def test_both_players_follow_y(critic):
    model = ConditionalWGANGP(**SMALL, width=2, critic=critic).fit(IMAGES, Y)
    z = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    assert np.abs(np.diff([model.inverse_transform(z, c) for c in (Y[:4], Y[1:5])], axis=0)).max()
    x = torch.from_numpy(IMAGES[:4])
    one, other = (model.judge(x, torch.eye(4)[[c] * 4]) for c in (0, 1))
    assert not torch.equal(one, other)
    assert model.sample(5, y=2).shape == (5, 2, 8, 9)
    assert len(model.epoch_picture(x)) == 4


def test_a_batch_without_labels_is_refused():
    with pytest.raises(InputError, match="ConditionalWGANGP needs a label for each sample"):
        ConditionalWGANGP().fit(TABLE)


@pytest.mark.slow
def test_each_class_gets_its_own_gaussian():
    """Two classes of one dimension, at −2 and 2, and of deviations 0.5 and 1."""
    draw = np.random.default_rng(0)
    y = np.arange(4000) % 2
    x = (4.0 * y - 2 + (0.5 + 0.5 * y) * draw.normal(size=4000))[:, None]
    sizes = {"n_components": 2, "hidden": (32, 32), "batch_size": 100, "random_state": 0}
    # The paper's weight for its toys: with 10 the game of few dimensions turns in wide circles.
    model = ConditionalWGANGP(**sizes, n_steps=600, gradient_penalty=0.1).fit(x, y)
    for c in (0, 1):
        drawn = model.sample(2000, random_state=0, y=c)
        assert drawn.mean() == pytest.approx(4 * c - 2, abs=0.5)
        assert drawn.std() == pytest.approx(0.5 + 0.5 * c, rel=0.3)
