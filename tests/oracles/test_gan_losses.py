"""The minimax game by its paper's formulas, in float64; optimisers; how often each player moves."""

import numpy as np
import pytest
import torch

from latentia.models.adversarial.gan import GAN
from latentia.models.adversarial.wgan import WGAN
from latentia.models.apply import in_double
from latentia.training import draws
from latentia.training.updates import FusedAdam, FusedSGD

X = np.random.default_rng(0).normal(size=(14, 3)) * [1, 5, 0.2] + [0, 9, -4]
X = X.astype(np.float32).astype(np.float64)
x = torch.from_numpy(X)
# Means and scales of columns are kept in float32.
REAL = (x - x.mean(0).float()) / x.std(0, correction=0).float()


def game(**fields):
    """Return a GAN on a table, trained a little, in float64."""
    fields = {"n_components": 2, "hidden": (6,), "learning_rate": 0.01} | fields
    return in_double(GAN(n_epochs=3, batch_size=7, random_state=0, **fields).fit(X))


def probabilities(model):
    """Return D(x) and D(G(z)) for the z that seed 3 draws."""
    draws.seed(3)
    fake = model.generator_(torch.randn(len(x), 2).double())
    return (1 / (1 + (-model.discriminator_(u)).exp()) for u in (REAL, fake))


@pytest.mark.parametrize("smoothing", [1.0, 0.9])
def test_the_discriminators_loss(smoothing):
    model = game(label_smoothing=smoothing)
    d_real, d_fake = probabilities(model)
    expected = smoothing * d_real.log() + (1 - smoothing) * (1 - d_real).log() + (1 - d_fake).log()
    draws.seed(3)
    loss = model.discriminator_loss(x)
    torch.testing.assert_close(loss.total, -expected.mean())
    torch.testing.assert_close(loss.terms["real_probability"], d_real.mean())
    torch.testing.assert_close(loss.terms["fake_probability"], d_fake.mean())


@pytest.mark.parametrize("objective", ["minimax", "non_saturating"])
def test_the_generators_loss(objective):
    model = game(objective=objective)
    _, d_fake = probabilities(model)
    expected = (1 - d_fake).log() if objective == "minimax" else -d_fake.log()
    draws.seed(3)
    torch.testing.assert_close(model.generator_loss(x), expected.mean())


def test_the_value_is_what_both_players_play_for():
    """With the minimax form and no smoothing the generator's loss is its part of −L_D."""
    model = game(objective="minimax")
    draws.seed(3)
    d_loss = model.discriminator_loss(x).total
    draws.seed(3)
    g_loss = model.generator_loss(x)
    d_real, _ = probabilities(model)
    torch.testing.assert_close(-d_loss, d_real.log().mean() + g_loss)


def test_only_the_minimax_form_saturates():
    gradients = {}
    for objective in ("minimax", "non_saturating"):
        logits = torch.full((2, 1), -200.0, requires_grad=True)
        model = GAN(objective=objective)
        model.discriminator_ = torch.nn.Identity()
        loss = model.generator_loss_of(logits, logits)
        gradients[objective] = torch.autograd.grad(loss, logits)[0].abs().sum()
        assert torch.isfinite(loss)
    assert gradients == {"minimax": 0, "non_saturating": 1}


def test_losses_of_a_discriminator_that_is_sure_are_finite():
    logits = torch.tensor([[1e4], [-1e4]])
    torch.testing.assert_close(GAN().negative_value(logits, -logits), torch.tensor(1e4))


@pytest.mark.parametrize("kind", [GAN, WGAN])
def test_feature_matching(kind):
    fields = {"n_components": 2, "hidden": (6, 4), "n_epochs": 1, "random_state": 0}
    model = in_double(kind(feature_matching=True, minibatch_discrimination=2, **fields).fit(X))
    draws.seed(3)
    fake = model.generator_(torch.randn(len(x), 2).double())
    apart = (model.judge.body(REAL) - model.judge.body(fake)).mean(0)
    assert apart.shape == (6,)  # the judge mirrors the generator's widths
    draws.seed(3)
    torch.testing.assert_close(model.generator_loss(x), apart @ apart)


@pytest.mark.parametrize(
    ("fields", "kind", "expected"),
    [
        ({}, FusedAdam, {"lr": 5e-4, "betas": (0.0, 0.999)}),
        ({"beta_1": 0.1, "beta_2": 0.8}, FusedAdam, {"betas": (0.1, 0.8)}),
        (
            {"optimizer": "sgd", "learning_rate": 0.3, "beta_1": 0.5},
            FusedSGD,
            {"lr": 0.3, "momentum": 0.5},
        ),
    ],
)
def test_both_players_have_the_optimiser_asked_for(fields, kind, expected):
    model = GAN(hidden=(4,), n_epochs=1, random_state=0, **fields).fit(X)
    for update in model.updates():
        optimizer = update.make_optimizer(1.0)
        assert type(optimizer) is kind
        assert {key: optimizer.defaults[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("model", "name", "repeats"),
    [(GAN(n_critic=3), "discriminator", 3), (WGAN(n_critic=4), "critic", 4)],
)
def test_the_judge_moves_as_often_as_asked_and_the_generator_once(model, name, repeats):
    model.set_params(n_components=2, hidden=(4,), n_epochs=2, batch_size=2, random_state=0)
    moves = []
    judge, generator = model.after_judge, model.after_generator
    model.after_judge = lambda: (moves.append("judge"), judge())
    model.after_generator = lambda: (moves.append("generator"), generator())
    model.fit(X)
    steps = 2 * (len(X) // 2 // repeats)
    assert model.updates()[0].name == name
    assert moves == [*["judge"] * repeats, "generator"] * steps


def test_the_judge_sees_new_rows_and_new_noise_in_each_of_its_steps():
    model = GAN(n_critic=3, n_components=2, hidden=(4,), n_epochs=1, random_state=0)
    model.set_params(batch_size=4)
    rows, noise = [], []
    plain, draw = model.discriminator_loss, model.draw
    model.discriminator_loss = lambda x: (rows.append(x), plain(x))[1]
    model.draw = lambda x: (noise.append(draw(x)), noise[-1])[1]
    model.fit(X)
    assert len(rows) == 3
    seen = torch.cat(rows)
    assert len(seen.unique(dim=0)) == len(seen) == 12
    assert len({float(z.sum()) for z in noise[:4]}) == 4  # three of the judge's, one of its own
