"""The nets of fully connected games, the priors, and data in their own units."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from latentia.models.adversarial.conditional_gan import ConditionalGAN
from latentia.models.adversarial.dcgan import DCGAN
from latentia.models.adversarial.gan import GAN
from latentia.models.adversarial.wgan import WGAN
from latentia.models.adversarial.wgan_gp import WGANGP
from latentia.nets.normalisation import Dropout
from latentia.nets.players import Maxout
from latentia.training import draws

IMAGES = np.random.default_rng(0).random((20, 8, 8), dtype=np.float32)
SMALL = {"n_components": 3, "n_epochs": 1, "batch_size": 10, "random_state": 0}


def test_maxout_is_the_largest_piece():
    layer = Maxout(4, 3, 5).double()
    x = torch.randn(6, 4, dtype=torch.float64)
    found = layer(x)
    weight, bias = layer.linear.weight.reshape(3, 5, 4), layer.linear.bias.reshape(3, 5)
    for n in range(6):
        for unit in range(3):
            pieces = [weight[unit, k] @ x[n] + bias[unit, k] for k in range(5)]
            torch.testing.assert_close(found[n, unit], torch.stack(pieces).max())


def test_the_nets_of_the_first_paper():
    model = GAN(**SMALL, architecture="goodfellow").fit(IMAGES)
    generator, body = model.generator_, model.discriminator_.body
    assert [type(m) for m in generator] == [
        nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear, nn.Unflatten, nn.Tanh,
    ]  # fmt: skip
    assert [m.out_features for m in generator if isinstance(m, nn.Linear)] == [1200, 1200, 64]
    assert [type(m) for m in body] == [Dropout, Maxout, Dropout, Maxout, Dropout]
    rates = [m.rate for m in body if isinstance(m, Dropout)]
    assert rates == pytest.approx([0.2, 0.5, 0.5], abs=1 / 512)  # masks are made of bytes
    maxouts = [m for m in body if isinstance(m, Maxout)]
    assert [tuple(m.linear.weight.shape) for m in maxouts] == [(1200, 64), (1200, 240)]
    assert [m.n_pieces for m in maxouts] == [5, 5]
    assert model.discriminator_.head.in_features == 240


def test_the_initial_weights_of_the_first_paper():
    model = GAN(**SMALL | {"learning_rate": 1e-12}, architecture="goodfellow").fit(IMAGES)
    for net in (model.generator_, model.discriminator_):
        for name, parameter in net.named_parameters():
            values = parameter.detach().flatten()
            if name.endswith("bias"):
                assert values.abs().max() < 1e-9
            else:
                assert values.abs().max() <= 0.05 + 1e-6
                assert float(values.std()) == pytest.approx(0.1 / np.sqrt(12), rel=0.1)


@pytest.mark.parametrize("kind", [GAN, ConditionalGAN, WGAN, WGANGP])
def test_the_judge_moves_first_and_the_generator_after_it(kind):
    classes = (np.arange(len(IMAGES)) % 2,) if kind is ConditionalGAN else ()
    model = kind(**SMALL, architecture="mlp", hidden=(4,)).fit(IMAGES, *classes)
    assert [update.nets for update in model.updates()] == [[model.judge], [model.generator_]]


def test_the_discriminator_mirrors_the_widths():
    model = GAN(**SMALL, hidden=(6, 7), packing=2, minibatch_discrimination=3).fit(IMAGES)
    assert [tuple(p.shape) for n, p in model.generator_.named_parameters() if "weight" in n] == [
        (6, 3),
        (7, 6),
        (64, 7),
    ]
    shapes = [tuple(p.shape) for n, p in model.discriminator_.body.named_parameters()]
    assert shapes == [(7, 128), (7,), (6, 7), (6,)]
    assert model.discriminator_.head.in_features == 9


@pytest.mark.parametrize("kind", [GAN, WGAN, WGANGP, ConditionalGAN])
def test_no_hidden_layers_make_linear_players(kind):
    X = np.random.default_rng(0).normal(size=(20, 3))
    model = kind(**SMALL, hidden=()).fit(X, np.arange(20) % 2)
    assert [type(m) for m in model.generator_] == [nn.Linear]
    assert isinstance(model.judge.body, nn.Identity)
    assert model.sample(2, random_state=0).shape == (2, 3)


@pytest.mark.parametrize("kind", [GAN, ConditionalGAN])
@pytest.mark.parametrize(
    ("noise", "distribution"), [("uniform", stats.uniform(-1, 2)), ("normal", stats.norm())]
)
def test_the_prior_in_training_and_in_sampling(kind, noise, distribution):
    model = kind(**SMALL, hidden=(4,), architecture="mlp", prior=noise)
    model.fit(IMAGES, np.arange(20) % 2)
    draws.seed(1)
    inside = model.draw(torch.zeros(3000, 1)).numpy()
    outside = model.latent_draws(3000, np.random.RandomState(0))
    for z in (inside, outside):
        assert z.shape == (3000, 3)
        assert stats.kstest(z.ravel(), distribution.cdf).pvalue > 0.01
        assert abs(np.corrcoef(z.T)[0, 1]) < 0.06
    seen = []
    model.generator_.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    model.sample(500, random_state=0)
    z = torch.cat(seen)[:, :3].flatten().numpy()
    assert stats.kstest(z, distribution.cdf).pvalue > 0.01


OTHER_UNITS = np.random.default_rng(0).normal([100, -3], [8, 0.01], size=(512, 2))


@pytest.mark.parametrize("kind", [GAN, WGAN, WGANGP, ConditionalGAN])
def test_a_table_has_standard_units_inside(kind):
    X = OTHER_UNITS
    model = kind(**SMALL, hidden=(4,)).fit(X, np.arange(512) % 2)
    np.testing.assert_allclose(model.column_mean_, X.mean(0), rtol=1e-6)
    np.testing.assert_allclose(model.column_scale_, X.std(0), rtol=1e-3)
    inside = model.inside(torch.from_numpy(X).float())
    torch.testing.assert_close(inside.mean(0), torch.zeros(2), atol=1e-4, rtol=0)
    torch.testing.assert_close(inside.std(0, correction=0), torch.ones(2), atol=1e-3, rtol=0)
    z, given = torch.randn(5, 3), model.condition(torch.zeros(5, dtype=torch.long))[:1]
    mean, scale = map(torch.from_numpy, (model.column_mean_, model.column_scale_))
    expected = model.generate(z, *given) * scale + mean
    torch.testing.assert_close(model.decode(z, *given), expected, rtol=1e-5, atol=1e-5)


def test_a_table_is_sampled_in_its_own_units():
    X = OTHER_UNITS
    model = GAN(n_components=2, hidden=(16,), n_epochs=30, batch_size=64, random_state=0)
    drawn = model.set_params(learning_rate=5e-3).fit(X).sample(1000, random_state=0)
    assert (abs(drawn.mean(0) - X.mean(0)) < 0.8 * X.std(0)).all()
    assert (drawn.std(0) > 0.3 * X.std(0)).all()
    assert (drawn.std(0) < 2 * X.std(0)).all()


@pytest.mark.parametrize("value", [0.1, 7.7, 1e8 / 3, 0.0])
@pytest.mark.parametrize("n", [37, 60])
def test_a_constant_column_has_scale_one(value, n):
    """Its standard deviation is 0, or a rounding error that would blow the column up."""
    X = np.random.default_rng(0).normal(size=(n, 2))
    X[:, 1] = value
    model = GAN(**SMALL, hidden=(4,)).fit(X)
    assert model.column_scale_[1] == 1
    assert model.inside(torch.from_numpy(X).float())[:, 1].abs().max() == 0
    drawn = model.sample(50, random_state=0)
    assert np.isfinite(drawn).all()
    np.testing.assert_allclose(drawn[:, 1], value, atol=2)


@pytest.mark.parametrize("model", [GAN(hidden=(8,)), DCGAN(width=2), WGANGP(width=2)])
def test_images_are_learnt_between_minus_one_and_one(model):
    model.set_params(**SMALL).fit(np.rint(IMAGES * 255).astype(np.uint8))
    x = torch.tensor([0.0, 0.5, 1.0]).reshape(1, 1, 1, 3)
    assert model.inside(x).flatten().tolist() == [-1, 0, 1]
    z = torch.zeros(2, 3)
    torch.testing.assert_close(model.inside(model.decode(z)), model.generate(z))


@pytest.mark.filterwarnings("ignore:pixels span 0 to 0:latentia.errors.FitWarning")
@pytest.mark.parametrize(
    "model", [GAN(hidden=(8,)), DCGAN(width=2), WGAN(width=2), WGANGP(width=2)]
)
@pytest.mark.parametrize(
    ("X", "fields"),
    [
        (np.zeros((12, 8, 8), np.uint8), {}),
        (IMAGES[:1], {}),
        (IMAGES[:3], {"packing": 4}),
        (IMAGES[:11], {"n_components": 1, "batch_size": 1}),
        (np.random.default_rng(0).random((9, 3, 11, 9)), {"augmentation": "all", "batch_size": 4}),
    ],
    ids=["constant", "one", "fewer than a pack", "one by one", "odd sizes and three channels"],
)
def test_unusual_data_are_learnt_from(model, X, fields):
    model.set_params(**SMALL | {"packing": 1, "augmentation": "none"} | fields)
    drawn = model.fit(X, validation=X[:1]).sample(2, random_state=0)
    assert drawn.shape == (2, *X.shape[1:])
    assert np.isfinite(drawn).all()
