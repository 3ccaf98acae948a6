"""Remedies against mode collapse, each against brute force; all together; resumed and saved."""

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

import latentia
from latentia.errors import InputError
from latentia.models.adversarial.conditional_gan import ConditionalGAN
from latentia.models.adversarial.dcgan import DCGAN
from latentia.models.adversarial.gan import GAN
from latentia.models.adversarial.remedies import pack
from latentia.models.adversarial.wgan import WGAN
from latentia.models.adversarial.wgan_gp import WGANGP
from latentia.models.apply import in_double
from latentia.nets.players import KERNEL_SIZE, MinibatchDiscrimination, ParameterHistory
from latentia.training import draws

TABLE = np.random.default_rng(0).normal(size=(24, 2)).astype(np.float32).astype(np.float64)
IMAGES = np.random.default_rng(0).random((24, 2, 8, 9), dtype=np.float32)
SMALL = {"n_components": 3, "n_epochs": 2, "batch_size": 8, "random_state": 0, "device": "cpu"}
REMEDIES = {
    "feature_matching": {"feature_matching": True},
    "minibatch_discrimination": {"minibatch_discrimination": 3},
    "historical_averaging": {"historical_averaging": 0.1},
    "packing": {"packing": 3},
    "spectral_normalisation": {"spectral_normalisation": True},
    "r1_penalty": {"r1_penalty": 1.0},
    "augmentation": {"augmentation": "all"},
    "unrolled_steps": {"unrolled_steps": 2},
    "label_smoothing": {"label_smoothing": 0.9},
    "prior": {"prior": "uniform"},
    "objective": {"objective": "minimax"},
    "n_critic": {"n_critic": 2},
}


def test_minibatch_discrimination_sums_closeness_to_the_others():
    layer = MinibatchDiscrimination(4, 3).double()
    features = torch.randn(5, 4, dtype=torch.float64)
    with torch.no_grad():
        found = layer(features)
        matrices = layer.tensor(features).reshape(5, 3, KERNEL_SIZE)
    expected = np.zeros((5, 3))
    for i in range(5):
        for j in range(5):
            for b in range(3):
                if i != j:
                    expected[i, b] += np.exp(-float((matrices[i, b] - matrices[j, b]).abs().sum()))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_minibatch_discrimination_of_one_sample_and_of_equal_samples():
    layer = MinibatchDiscrimination(4, 3)
    one = torch.randn(1, 4)
    assert layer(one).detach().abs().max() == 0
    torch.testing.assert_close(layer(one.repeat(6, 1)).detach(), torch.full((6, 3), 5.0))


def test_closeness_stands_beside_the_features_in_the_verdict():
    model = in_double(GAN(**SMALL, hidden=(6,), minibatch_discrimination=4).fit(TABLE))
    judge, u = model.discriminator_, torch.from_numpy(TABLE)
    features = judge.body(u)
    seen = torch.cat([features, judge.minibatch(features)], 1)
    assert seen.shape == (24, 10)
    torch.testing.assert_close(judge(u), seen @ judge.head.weight.T + judge.head.bias)


@pytest.mark.parametrize("model", [GAN(hidden=(4,)), WGAN(hidden=(4,), n_critic=3, clipping=0.02)])
def test_historical_averaging_keeps_the_mean_of_all_past_parameters(model):
    model.set_params(**SMALL | {"batch_size": 4}, historical_averaging=0.5)
    path = {"judge": [], "generator": []}
    for player, plain in (("judge", model.after_judge), ("generator", model.after_generator)):

        def after(player=player, plain=plain):
            plain()
            net = model.judge if player == "judge" else model.generator_
            path[player].append([p.detach().clone() for p in net.parameters()])

        setattr(model, f"after_{player}", after)
    model.fit(TABLE)
    histories = {"judge": model.judge_history_, "generator": model.generator_history_}
    nets = {"judge": model.judge, "generator": model.generator_}
    for player, history in histories.items():
        t = len(path[player])
        assert history.count == t
        assert t > 2
        apart = 0.0
        for mean, parameter, *past in zip(
            history.means(), nets[player].parameters(), *path[player], strict=True
        ):
            expected = torch.stack(past).mean(0)
            torch.testing.assert_close(mean, expected, rtol=1e-4, atol=1e-6)
            apart += float((parameter.detach() - expected).square().sum())
        assert apart > 0
        assert float(history.distance(nets[player]).detach()) == pytest.approx(apart, rel=1e-3)


def test_historical_averaging_adds_its_distance_to_both_losses():
    model = in_double(GAN(**SMALL, hidden=(4,), historical_averaging=0.3).fit(TABLE))
    x = torch.from_numpy(TABLE)
    for loss, net, history in (
        (lambda: model.discriminator_loss(x).total, model.discriminator_, model.judge_history_),
        (lambda: model.generator_loss(x), model.generator_, model.generator_history_),
    ):
        values, gradients = [], []
        for weight in (0.0, 0.3):
            model.historical_averaging = weight
            draws.seed(1)
            values.append(loss())
            gradients.append(torch.autograd.grad(values[-1], list(net.parameters())))
        pairs = list(zip(net.parameters(), history.means()))
        squared = sum((p - mean).square().sum() for p, mean in pairs)
        torch.testing.assert_close(values[1] - values[0], 0.3 * squared)
        for plain, pulled, (p, mean) in zip(*gradients, pairs):
            torch.testing.assert_close(pulled - plain, 2 * 0.3 * (p - mean))


def test_a_history_begins_where_the_net_is():
    net = nn.Linear(2, 1)
    assert ParameterHistory(net).distance(net) == 0


# Unrolling: a linear discriminator sigmoid(w·x + b), whose descent can be written down.


def logistic(logits):
    return 1 / (1 + np.exp(-logits))


def descended(weight, real, fake, target, n_steps, rate):
    """Return (w, b) after steps of gradient descent on −E t log D(x) − … − E log(1 − D(G(z)))."""
    ones = np.ones((len(real), 1))
    real, fake = np.hstack([real, ones]), np.hstack([fake, ones])
    for _ in range(n_steps):
        slope_real = (logistic(real @ weight) - target) @ real / len(real)
        slope_fake = logistic(fake @ weight) @ fake / len(fake)
        weight = weight - rate * (slope_real + slope_fake)
    return weight


@pytest.mark.parametrize("n_steps", [0, 1, 2, 5])
@pytest.mark.parametrize("objective", ["non_saturating", "minimax"])
def test_unrolling_by_finite_differences_through_explicit_descent(n_steps, objective):
    model = GAN(**SMALL, hidden=(), unrolled_steps=n_steps, label_smoothing=0.9)
    model.set_params(unrolled_rate=0.7 if n_steps else 0.01)
    model = in_double(model.set_params(objective=objective).fit(TABLE))
    x = torch.from_numpy(TABLE)
    real = model.inside(x).numpy()
    draws.seed(5)
    z = torch.randn(24, 3).double().numpy()
    head = model.discriminator_.head
    start = np.append(head.weight.detach().numpy().ravel(), head.bias.detach().numpy())

    def loss(generator):
        fake = z @ generator[:6].reshape(2, 3).T + generator[6:]
        weight = descended(start, real, fake, 0.9, n_steps, 0.7)
        d_fake = logistic(fake @ weight[:2] + weight[2])
        return np.log(1 - d_fake).mean() if objective == "minimax" else -np.log(d_fake).mean()

    parameters = list(model.generator_.parameters())
    flat = np.concatenate([p.detach().numpy().ravel() for p in parameters])
    draws.seed(5)
    found = model.generator_loss(x)
    np.testing.assert_allclose(float(found.detach()), loss(flat), rtol=1e-7)
    gradient = torch.cat([g.flatten() for g in torch.autograd.grad(found, parameters)])
    differences = [(loss(flat + h) - loss(flat - h)) / 2e-5 for h in 1e-5 * np.eye(len(flat))]
    np.testing.assert_allclose(gradient, differences, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("fields", [{}, {"spectral_normalisation": True}])
def test_looking_ahead_moves_nothing_of_the_discriminator(fields):
    model = DCGAN(**SMALL, width=2, unrolled_steps=2, **fields).fit(IMAGES)
    for net in model.nets().values():
        net.train().zero_grad()
    kept = {k: v.clone() for k, v in model.discriminator_.state_dict().items()}
    assert any("running_mean" in name for name in kept)
    model.generator_loss(torch.from_numpy(IMAGES)).backward(
        inputs=list(model.generator_.parameters())
    )
    for name, value in model.discriminator_.state_dict().items():
        assert torch.equal(value, kept[name]), name
    assert all(p.grad is None for p in model.discriminator_.parameters())
    assert all(p.grad.abs().sum() > 0 for p in model.generator_.parameters())


def test_packs_are_neighbours_side_by_side_and_the_rest_is_left_out():
    x = torch.arange(14.0).reshape(7, 2)
    assert pack(x, 1) is x
    assert pack(x, 3).tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]
    assert pack(x[:2], 3).tolist() == [[0, 1, 2, 3, 0, 1]]
    image = torch.arange(4 * 3 * 2 * 2.0).reshape(4, 3, 2, 2)
    packed = pack(image, 2)
    assert packed.shape == (2, 6, 2, 2)
    assert torch.equal(packed[1, :3], image[2])
    assert torch.equal(packed[1, 3:], image[3])


@pytest.mark.parametrize("model", [GAN(hidden=(6,)), DCGAN(width=2), WGANGP(width=2)])
def test_which_samples_are_judged_together(model):
    model = model.set_params(**SMALL, packing=3).fit(IMAGES)
    u = torch.from_numpy(2 * IMAGES[:8] - 1).requires_grad_()
    verdicts = model.judged(u)
    assert verdicts.shape == (2, 1)
    (gradient,) = torch.autograd.grad(verdicts[1].sum(), u)
    assert (gradient.flatten(1).abs().sum(1) > 0).tolist() == [False] * 3 + [True] * 3 + [False] * 2


@pytest.mark.parametrize("model", [GAN(hidden=(6,)), DCGAN(width=2), WGANGP(width=2)])
def test_the_exported_judge_takes_packs_and_says_what_the_judge_says(model):
    model = model.set_params(**SMALL, packing=3).fit(IMAGES)
    critic = {function.name: function for function in model.exported()}["critic"]
    assert critic.inputs[0].shape == (3, *IMAGES.shape[1:])
    packs = IMAGES[:6].reshape(2, 3, *IMAGES.shape[1:])
    with torch.no_grad():
        expected = model.judged(torch.from_numpy(2 * IMAGES[:6] - 1))
        expected = expected if model.kind_of_game == "wasserstein" else expected.sigmoid()
        found = critic.call(torch.from_numpy(packs))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(critic.verb(packs), expected, atol=1e-6)


def test_fewer_samples_than_a_pack_are_learnt_from():
    model = GAN(**SMALL, hidden=(6,), packing=5).fit(IMAGES[:2])
    assert np.isfinite(model.sample(2, random_state=0)).all()


def layers(net):
    return [m for m in net.modules() if isinstance(m, nn.Linear | nn.Conv2d)]


def singular_values(net):
    """Return the largest singular value of each layer's weight."""
    return [float(torch.linalg.svdvals(m.weight.detach().flatten(1))[0]) for m in layers(net)]


@pytest.mark.parametrize(
    ("model", "n_layers"),
    [
        (GAN(hidden=(8,), minibatch_discrimination=2), 3),
        (DCGAN(width=4), 4),
        (DCGAN(architecture="lecture"), 3),
        (WGANGP(width=4, n_critic=2), 4),
        (ConditionalGAN(width=4, discriminator="projection"), 5),
    ],
)
def test_spectral_normalisation_of_every_layer_of_the_judge(model, n_layers, tmp_path):
    model = clone(model).set_params(**SMALL | {"n_epochs": 3}, spectral_normalisation=True)
    model.fit(IMAGES, np.arange(24) % 3)
    values = singular_values(model.judge)
    assert len(values) == n_layers
    np.testing.assert_allclose(values, 1, atol=0.35)  # one power iteration a pass lags behind
    assert not any("parametrizations" in name for name in model.generator_.state_dict())
    loaded = latentia.load(model.save(tmp_path / "model"))
    for name, value in model.judge.state_dict().items():
        assert torch.equal(loaded.judge.state_dict()[name], value)
    assert singular_values(loaded.judge) == values
    raw = [
        value
        for name, value in model.judge.state_dict().items()
        if name.endswith("weight.original")
    ]
    assert max(abs(float(torch.linalg.svdvals(w.flatten(1))[0]) - 1) for w in raw) > 0.3
    model.judge.train()
    for _ in range(100):
        for layer in layers(model.judge):
            layer.weight  # noqa: B018
    np.testing.assert_allclose(singular_values(model.judge.eval()), 1, atol=0.02)


def test_spectral_normalisation_in_float64():
    model = GAN(**SMALL, hidden=(8,), spectral_normalisation=True).fit(TABLE)
    Z = np.random.default_rng(0).normal(size=(4, 3))
    double, single = model.inverse_transform(Z), model.inverse_transform(Z.astype(np.float32))
    assert double.dtype == np.float64
    assert single.dtype == np.float32
    np.testing.assert_allclose(double, single, rtol=1e-4, atol=1e-5)
    twin = in_double(model)
    assert twin.judge(torch.from_numpy(TABLE)).dtype == torch.float64
    np.testing.assert_allclose(singular_values(twin.judge), singular_values(model.judge), rtol=1e-5)


EVERYTHING = {
    "historical_averaging": 0.1,
    "packing": 3,
    "spectral_normalisation": True,
    "augmentation": "all",
    "prior": "uniform",
    "ema_decay": 0.9,
}
EITHER = {"minibatch": {"minibatch_discrimination": 2}, "r1": {"r1_penalty": 1.0}}


@pytest.mark.parametrize("last", ["feature_matching", "unrolled_steps"])
@pytest.mark.parametrize(
    "model",
    [
        GAN(hidden=(8,)),
        DCGAN(width=2),
        ConditionalGAN(width=2),
        ConditionalGAN(width=2, discriminator="projection"),
        WGAN(width=2, n_critic=2),
        WGANGP(width=2, n_critic=2),
    ],
    ids=["gan", "dcgan", "cgan", "projection", "wgan", "wgangp"],
)
@pytest.mark.parametrize("either", EITHER)
def test_all_remedies_at_once(model, last, either):
    if last not in model.get_params():
        pytest.skip("the remedy is one of the minimax game")
    if isinstance(model, WGANGP) and either == "minibatch":
        pytest.skip("its penalty is on each sample's gradient")
    options = SMALL | EVERYTHING | EITHER[either] | REMEDIES[last] | {"batch_size": 12}
    model = clone(model).set_params(**options)
    if isinstance(model, WGAN):
        model.set_params(clipping=None)
    y = np.arange(24) % 3
    losses = []
    plain = model.updates

    def updates():
        def noted(loss):
            return lambda *batch: (losses.append(loss(*batch)), losses[-1])[1]

        return [dataclasses.replace(update, loss=noted(update.loss)) for update in plain()]

    model.updates = updates
    model.fit(IMAGES, y, validation=(IMAGES[:7], y[:7]))  # a held-out row that fills no pack
    assert len(losses) > 6
    drawn = model.sample(5, random_state=0)
    assert drawn.shape == (5, 2, 8, 9)
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert np.ptp(drawn) > 0


class StoppedError(Exception):
    """Raised in the middle of an epoch."""


def trained(fields, run, *, resume=False, stop_at=None):
    model = GAN(**SMALL | fields, hidden=(6,))
    if stop_at is not None:
        calls, plain = iter(range(10**9)), model.after_generator

        def stop():
            plain()
            if next(calls) + 1 == stop_at:
                raise StoppedError

        model.after_generator = stop
    return model.fit(IMAGES[:, :1], run=run, resume=resume)


@pytest.mark.parametrize("remedy", REMEDIES)
def test_a_resumed_run_ends_with_the_same_bytes_and_so_does_its_saved_model(remedy, tmp_path):
    fields = REMEDIES[remedy] | {"batch_size": 6}  # four batches an epoch
    whole = trained(fields, None)
    stop_at = 2 * 4 // fields.get("n_critic", 1) - 1
    with pytest.raises(StoppedError):
        trained(fields, tmp_path / "run", stop_at=stop_at)
    resumed = trained(fields, tmp_path / "run", resume=True)
    loaded = latentia.load(resumed.save(tmp_path / "model"))
    for name, net in whole.nets().items():
        for other in (resumed, loaded):
            state = other.nets()[name].state_dict()
            for key, value in net.state_dict().items():
                assert torch.equal(value, state[key]), (name, key)
    drawn = [model.sample(3, random_state=1) for model in (whole, loaded)]
    np.testing.assert_array_equal(*drawn)
    plain = trained({"batch_size": 6}, None)
    assert not np.array_equal(plain.sample(3, random_state=1), drawn[0])  # it does something


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (GAN(packing=17, batch_size=16), "packing is 17; it must be at least 1 and at most 16"),
        (GAN(packing=0), "packing is 0"),
        (GAN(minibatch_discrimination=-1), "minibatch_discrimination is -1"),
        (GAN(historical_averaging=-0.1), "historical_averaging is -0.1"),
        (GAN(r1_penalty=-1.0), "r1_penalty is -1"),
        (GAN(r1_penalty=float("inf")), "r1_penalty is inf"),
        (GAN(augmentation="color"), "did you mean 'colour'"),
        (GAN(prior="gaussian"), "prior is 'gaussian'; it must be one of normal, uniform"),
        (GAN(beta_1=1.0), "beta_1 is 1.0; .* less than 1"),
        (GAN(beta_2=-0.1), "beta_2 is -0.1"),
        (GAN(n_components=0), "n_components is 0"),
        (GAN(hidden=(8, 0)), "a number in hidden is 0; it must be at least 1"),
        (GAN(n_critic=0), "n_critic is 0"),
        (GAN(label_smoothing=0.4), "label_smoothing is 0.4"),
        (GAN(label_smoothing=1.1), "label_smoothing is 1.1"),
        (GAN(unrolled_steps=-1), "unrolled_steps is -1"),
        (GAN(unrolled_rate=0.0), "unrolled_rate is 0.0; it must be greater than 0"),
        (GAN(unrolled_steps=1, feature_matching=True), "unrolled_steps and feature_matching"),
        (GAN(objective="wasserstein"), "objective is 'wasserstein'"),
        (DCGAN(width=0), "width is 0"),
        (ConditionalGAN(width=0), "width is 0"),
        (ConditionalGAN(hidden=(0,)), "a number in hidden is 0; it must be at least 1"),
        (WGAN(clipping=0.0), "clipping is 0.0; it must be greater than 0"),
        (WGAN(n_critic=0), "n_critic is 0"),
        (WGAN(width=0), "width is 0"),
        (WGAN(hidden=(0,)), "a number in hidden is 0; it must be at least 1"),
        (WGANGP(gradient_penalty=-1.0), "gradient_penalty is -1"),
        (
            WGANGP(minibatch_discrimination=3),
            "penalty is 10.0 and minibatch_discrimination 3, .* set one of them to 0, or .*packing",
        ),
        (
            ConditionalGAN(minibatch_discrimination=3, r1_penalty=0.5),
            "r1_penalty is 0.5 and minibatch_discrimination 3",
        ),
    ],
)
def test_hyperparameters_out_of_range_are_named(model, words):
    with pytest.raises(InputError, match=words):
        model.fit(IMAGES, np.arange(24) % 3)


def test_minibatch_discrimination_goes_with_a_penalty_of_zero():
    model = WGANGP(
        **SMALL, hidden=(6,), n_critic=1, minibatch_discrimination=2, gradient_penalty=0.0
    )
    assert np.isfinite(model.fit(TABLE).sample(3, random_state=0)).all()


@pytest.mark.parametrize("value", [0.0, -3.0, 1e8])
@pytest.mark.parametrize("model", [GAN(hidden=(6,)), ConditionalGAN(hidden=(6,)), WGAN(), WGANGP()])
def test_a_constant_column_of_a_table_trains_and_samples(model, value):
    X = np.concatenate([TABLE, np.full((24, 1), value)], axis=1)
    model = clone(model).set_params(**SMALL).fit(X, np.arange(24) % 3)
    assert model.column_scale_[2] == 1
    drawn = model.sample(50, random_state=0)
    assert np.isfinite(drawn).all()
    assert np.abs(drawn[:, 2] - value).max() < 10  # a few units of its own, not of another scale
    assert drawn[:, :2].std(axis=0).min() > 0


@pytest.mark.parametrize(
    ("model", "X", "words"),
    [
        (GAN(augmentation="cutout"), TABLE, "augmentation is 'cutout', .* table"),
        (DCGAN(), IMAGES[:, :, :7], "sides of 8 to 256 pixels"),
        (WGANGP(), IMAGES[:, :, :7], "sides of 8 to 256 pixels"),
        (ConditionalGAN(), IMAGES[..., :7], "sides of 8 to 256 pixels"),
        (WGAN(architecture="convolutional"), TABLE, "WGAN learns images"),
        (ConditionalGAN(architecture="convolutional"), TABLE, "ConditionalGAN learns images"),
    ],
)
def test_data_that_do_not_fit_are_refused(model, X, words):
    with pytest.raises(InputError, match=words):
        model.fit(X, np.arange(24) % 3)


def test_held_out_samples_are_compared_within_one_process_alone(monkeypatch):
    """Only one of two processes measures them: a gathering would wait for the other for ever."""
    layer, f = MinibatchDiscrimination(5, 2).eval(), torch.randn(4, 5)
    expected = layer(f)
    monkeypatch.setattr("latentia.nets.players.world_size", lambda: 2)
    monkeypatch.setattr(
        "latentia.nets.players.collective.all_gather", lambda own: (own, torch.zeros_like(own))
    )
    assert torch.equal(layer(f), expected)
    assert not torch.equal(layer.train()(f), expected)
