"""Conditional GAN: how each player sees the class, and what its verbs do with labels."""

import numpy as np
import pytest
import torch

import latentia
from latentia.errors import InputError
from latentia.models.adversarial.conditional_gan import ConditionalGAN
from latentia.models.apply import in_double
from latentia.training import draws

IMAGES = np.random.default_rng(0).random((20, 2, 8, 9), dtype=np.float32)
TABLE = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
Y = np.arange(20) % 4
ONE_HOT = torch.eye(4)[torch.from_numpy(Y)]
SMALL = {"n_components": 3, "n_epochs": 1, "batch_size": 10}


def fitted(X, y=Y, **fields):
    dense = fields.get("architecture", "mlp" if np.ndim(X) == 2 else "auto") == "mlp"
    sizes = {"hidden": (6, 5)} if dense else {"width": 2}
    return ConditionalGAN(**SMALL | sizes | fields, random_state=0).fit(X, y)


def inputs_of(net, call):
    """Return what a net is given during a call."""
    seen = []
    handle = net.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    call()
    handle.remove()
    return seen


def test_the_class_stands_beside_the_latent_row():
    model = fitted(IMAGES)
    z = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    (seen,) = inputs_of(model.generator_, lambda: model.inverse_transform(z, Y))
    assert torch.equal(seen, torch.cat([torch.from_numpy(z), ONE_HOT], 1))


def test_the_class_stands_beside_an_image_as_constant_channels():
    model = fitted(IMAGES)
    x, y = torch.from_numpy(IMAGES), torch.from_numpy(Y)
    real, fake = inputs_of(model.discriminator_.body, lambda: model.discriminator_loss(x, y))
    channels = ONE_HOT[:, :, None, None].expand(-1, -1, 8, 9)
    assert torch.equal(real, torch.cat([2 * x - 1, channels], 1))
    assert torch.equal(fake[:, 2:], channels)
    assert not torch.equal(fake[:, :2], real[:, :2])


@pytest.mark.parametrize("X", [TABLE, IMAGES], ids=["table", "images"])
def test_the_class_stands_beside_flat_data_as_columns(X):
    model = fitted(X, architecture="mlp")
    x, y = torch.from_numpy(X), torch.from_numpy(Y)
    real, fake = inputs_of(model.discriminator_.body, lambda: model.discriminator_loss(x, y))
    assert torch.equal(real, torch.cat([model.inside(x).flatten(1), ONE_HOT], 1))
    assert torch.equal(fake[:, -4:], ONE_HOT)


@pytest.mark.parametrize("X", [TABLE, IMAGES], ids=["table", "images"])
@pytest.mark.parametrize("kernels", [0, 2])
def test_projection_is_equation_3(X, kernels):
    """The logit is ``ψ(φ(x)) + yᵀ V φ(x)``; φ does not see y."""
    model = in_double(fitted(X, discriminator="projection", minibatch_discrimination=kernels))
    judge, u = model.discriminator_, model.inside(torch.from_numpy(X).double())
    features = judge.body(u)
    seen = torch.cat([features, judge.minibatch(features)], 1) if kernels else features
    logits = seen @ judge.head.weight[0] + judge.head.bias
    expected = [
        logit + judge.embedding.weight[:, label] @ feature
        for logit, label, feature in zip(logits, Y, features)
    ]
    torch.testing.assert_close(judge(u, ONE_HOT.double())[:, 0], torch.stack(expected))
    assert judge.embedding.weight.shape == (features.shape[1], 4)


@pytest.mark.parametrize("discriminator", ["concatenation", "projection"])
def test_the_losses_pair_each_sample_with_its_class(discriminator):
    model = in_double(fitted(TABLE, discriminator=discriminator, label_smoothing=0.9))
    one_hot = model.condition
    model.condition = lambda y: (one_hot(y)[0].double(),)
    x, y = torch.from_numpy(TABLE).double(), torch.from_numpy(Y)
    draws.seed(3)
    z = torch.randn(20, 3).double()
    fake = model.generator_(torch.cat([z, ONE_HOT], 1))
    d_real, d_fake = (
        1 / (1 + (-model.discriminator_(u, ONE_HOT.double())).exp())
        for u in (model.inside(x), fake)
    )
    expected = -(0.9 * d_real.log() + 0.1 * (1 - d_real).log() + (1 - d_fake).log()).mean()
    draws.seed(3)
    torch.testing.assert_close(model.discriminator_loss(x, y).total, expected)
    draws.seed(3)
    torch.testing.assert_close(model.generator_loss(x, y), -d_fake.log().mean())
    draws.seed(3)
    other = model.discriminator_loss(x, y.roll(1)).total
    assert abs(float((other - expected).detach())) > 1e-6


@pytest.mark.parametrize("discriminator", ["concatenation", "projection"])
def test_the_penalty_on_real_data_sees_each_samples_own_class(discriminator):
    model = fitted(TABLE, discriminator=discriminator)
    x, y = torch.from_numpy(TABLE), torch.from_numpy(Y)
    losses = []
    for weight in (0.0, 3.0):
        model.r1_penalty = weight
        draws.seed(3)
        losses.append(model.discriminator_loss(x, y).total)
    u = model.inside(x).requires_grad_()
    (slopes,) = torch.autograd.grad(model.discriminator_(u, ONE_HOT).sum(), u)
    expected = 3 / 2 * slopes.square().sum(1).mean()
    torch.testing.assert_close(losses[1] - losses[0], expected, rtol=1e-4, atol=1e-6)


def test_features_are_matched_given_each_samples_own_class():
    model = fitted(TABLE, feature_matching=True)
    x, y = torch.from_numpy(TABLE), torch.from_numpy(Y)
    draws.seed(3)
    fake = model.generator_(torch.cat([torch.randn(20, 3), ONE_HOT], 1))
    real, drawn = (
        model.discriminator_.body(torch.cat([u, ONE_HOT], 1)) for u in (model.inside(x), fake)
    )
    draws.seed(3)
    loss = model.generator_loss(x, y)
    torch.testing.assert_close(loss, (real - drawn).mean(0).square().sum(), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("discriminator", ["concatenation", "projection"])
@pytest.mark.parametrize("X", [TABLE, IMAGES], ids=["table", "images"])
def test_a_pack_is_judged_with_the_classes_of_all_its_samples(X, discriminator):
    model = fitted(X, packing=3, discriminator=discriminator)
    u = model.inside(torch.from_numpy(X))
    packed, classes = model.seen(u, ONE_HOT)
    assert len(packed) == len(classes) == 6
    assert torch.equal(packed[1], u[3:6].flatten(0, 1))
    assert torch.equal(classes[1], ONE_HOT[3:6].flatten())
    ours = ONE_HOT.clone().requires_grad_()
    verdicts = model.judged(u, ours)
    assert verdicts.shape == (6, 1)
    (gradient,) = torch.autograd.grad(verdicts[1].sum(), ours)
    assert gradient[3:6].abs().sum(1).min() > 0
    assert gradient[:3].abs().sum() + gradient[6:].abs().sum() == 0


@pytest.mark.parametrize("labels", [Y, np.array(["nil", "one", "two", "ten"])[Y], Y % 2 == 0])
def test_samples_of_classes_asked_for(labels, tmp_path):
    model = fitted(IMAGES, labels)
    one, *_, last = model.classes_
    drawn = model.sample(3, random_state=0, y=last)
    assert drawn.shape == (3, 2, 8, 9)
    np.testing.assert_array_equal(drawn, model.sample(3, random_state=0, y=[last] * 3))
    mixed = model.sample(3, random_state=0, y=[last, one, last])
    np.testing.assert_allclose(mixed[[0, 2]], drawn[[0, 2]], atol=1e-6)
    assert not np.allclose(mixed[1], drawn[1], atol=1e-6)
    loaded = latentia.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.sample(3, random_state=0, y=last), drawn)


def test_classes_not_asked_for_are_as_frequent_as_in_training():
    labels = np.repeat([3, 8], [15, 5])
    model = fitted(TABLE, labels)
    np.testing.assert_array_equal(model.class_shares_, [0.75, 0.25])
    seen = inputs_of(model.generator_, lambda: model.sample(2000, random_state=0))
    assert float(torch.cat(seen)[:, 4].mean()) == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (9, "y holds 9, which was not in fit; the classes are 0, 1, 2, 3"),
        ("one", "y holds 'one', which was not in fit"),
        ([0, 1], r"y has shape \(2,\); give a label for each of 3 rows"),
    ],
)
def test_labels_that_cannot_be_sampled(y, words):
    model = fitted(TABLE)
    with pytest.raises(InputError, match=words):
        model.sample(3, y=y)


def test_fit_and_decoding_need_labels():
    with pytest.raises(InputError, match="ConditionalGAN needs a label for each sample"):
        ConditionalGAN().fit(TABLE)
    with pytest.raises(InputError, match="needs a label"):
        fitted(TABLE).inverse_transform(np.zeros((2, 3)))


@pytest.mark.parametrize("discriminator", ["concatenation", "projection"])
def test_it_learns_where_each_class_lies(discriminator):
    y = np.arange(512) % 2
    X = np.random.default_rng(0).normal(size=(512, 1)) + np.where(y == 1, 30, -10)[:, None]
    model = ConditionalGAN(
        n_components=2, hidden=(16,), n_epochs=20, batch_size=64, learning_rate=5e-3,
        discriminator=discriminator, random_state=0,
    ).fit(X, y)  # fmt: skip
    for label, centre in ((0, -10), (1, 30)):
        drawn = model.sample(300, random_state=0, y=label)
        assert drawn.mean() == pytest.approx(centre, abs=10)


def test_the_epochs_picture_has_a_row_for_each_class_and_a_column_for_each_latent_row():
    model = fitted(IMAGES)
    seen = inputs_of(model.generator_, lambda: model.epoch_picture(torch.from_numpy(IMAGES)))
    assert [label for label, _ in model.epoch_picture(torch.from_numpy(IMAGES))] == list("0123")
    for number, row in enumerate(seen):
        assert torch.equal(row[:, :3], seen[0][:, :3])
        assert torch.equal(row[:, 3:], torch.eye(4)[number].expand(8, -1))
