"""Each setting of a game or a translator reaches what it is meant for: nets, optimisers, draws."""

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.base import clone

from latentia import DCGAN, GAN, SRGAN, WGAN, WGANGP, ConditionalGAN, CycleGAN, Pix2Pix, SRResNet

RNG = np.random.default_rng(0)
IMAGES = RNG.random((8, 1, 16, 16), dtype=np.float32)
CLASSES = np.arange(8) % 2
SHORT = {"n_epochs": 1, "batch_size": 4, "random_state": 0, "device": "cpu"}
OF_RUNS = {"n_epochs", "batch_size", "random_state", "device", "precision", "compile", "ema_decay"}
"""Fields of every trained model, whose tests are elsewhere."""

GAME = {
    "n_components": 3,
    "noise": "uniform",
    "beta_1": 0.2,
    "beta_2": 0.5,
    "feature_matching": True,
    "minibatch_discrimination": 2,
    "historical_averaging": 1.0,
    "packing": 2,
    "spectral_normalisation": True,
    "r1_penalty": 1.0,
    "augmentation": "colour",
    "learning_rate": 3e-3,
    "learning_rate_schedule": "cosine",
}
MINIMAX = GAME | {
    "objective": "minimax",
    "discriminator_steps": 2,
    "label_smoothing": 0.8,
    "unrolled_steps": 1,
    "unrolled_rate": 0.5,
}
NETS = {"architecture": "mlp", "hidden": (5,), "width": 3}
WASSERSTEIN = GAME | NETS | {"n_critic": 2}
ENLARGING = {
    "scale": 4,
    "n_blocks": 2,
    "width": 3,
    "batch_norm": False,
    "beside": "nothing",
    "patch": 8,
    "turn": False,
    "learning_rate": 3e-3,
    "learning_rate_schedule": "cosine",
}
TRANSLATING = {
    "width": 3,
    "jitter": 0.5,
    "mirror": False,
    "patch": "pixel",
    "learning_rate": 3e-3,
    "learning_rate_schedule": "cosine",
    "beta_1": 0.2,
    "beta_2": 0.5,
}
CASES = {
    "GAN": (
        GAN(hidden=(4,), n_components=2),
        MINIMAX | {"architecture": "goodfellow", "hidden": (5,), "optimizer": "sgd"},
    ),
    "DCGAN": (
        DCGAN(width=2, n_components=2),
        MINIMAX | {"architecture": "lecture", "width": 3, "discriminator_batch_norm": False},
    ),
    "ConditionalGAN": (
        ConditionalGAN(width=2, n_components=2),
        MINIMAX | NETS | {"discriminator": "projection"},
    ),
    "WGAN": (
        WGAN(width=2, n_components=2, n_critic=1),
        WASSERSTEIN | {"clipping": 0.005, "optimizer": "adam"},
    ),
    "WGANGP": (WGANGP(width=2, n_components=2, n_critic=1), WASSERSTEIN | {"penalty": 1.0}),
    "Pix2Pix": (
        Pix2Pix(width=2, jitter=0.0),
        TRANSLATING
        | {
            "objective": "gan",
            "l1_weight": 1.0,
            "conditional": False,
            "norm": "batch",
            "dropout": 0.1,
            "test_noise": True,
            "turn": True,
        },
    ),
    "CycleGAN": (
        CycleGAN(width=2, n_blocks=1),
        TRANSLATING
        | {
            "objective": "cross_entropy",
            "cycle_weight": 1.0,
            "cycle_weight_b": 1.0,
            "identity_weight": 0.0,
            "pool_size": 2,
            "n_blocks": 2,
            "n_halvings": 1,
            "skip": True,
        },
    ),
    "SRResNet": (SRResNet(scale=2, n_blocks=1, width=2), ENLARGING | {"objective": "l1"}),
    "SRGAN": (
        SRGAN(scale=2, n_blocks=1, width=2, discriminator_width=2, pretrain_epochs=1),
        ENLARGING
        | {
            "pretrain_epochs": 2,
            "pretrain_rate": 3e-3,
            "adversarial_weight": 1.0,
            "discriminator_width": 3,
        },
    ),
}
NEEDS = {
    # What a field depends on, without which it has nothing to do.
    ("GAN", "unrolled_rate"): {"unrolled_steps": 1},
    ("DCGAN", "unrolled_rate"): {"unrolled_steps": 1},
    ("ConditionalGAN", "unrolled_rate"): {"unrolled_steps": 1},
    ("ConditionalGAN", "hidden"): {"architecture": "mlp", "hidden": (4,)},
    ("WGAN", "hidden"): {"architecture": "mlp", "hidden": (4,)},
    ("WGANGP", "hidden"): {"architecture": "mlp", "hidden": (4,)},
    ("WGANGP", "minibatch_discrimination"): {"penalty": 0.0},
    # Both begin with a step of full size.
    ("CycleGAN", "learning_rate_schedule"): {"n_epochs": 3},
    ("WGAN", "beta_1"): {"optimizer": "adam"},
    ("WGAN", "beta_2"): {"optimizer": "adam"},
}
DATA = {"CycleGAN": CLASSES, "Pix2Pix": IMAGES[::-1, 0].copy()}
FITTED = {}


def fitted(name, **fields):
    key = name, tuple(sorted(fields.items()))
    if key not in FITTED:
        model = clone(CASES[name][0]).set_params(**SHORT | fields)
        FITTED[key] = model.fit(IMAGES, DATA.get(name, CLASSES))
    return FITTED[key]


def weights(model):
    return {
        f"{name}.{key}": value
        for name, net in model.nets().items()
        for key, value in net.state_dict().items()
    }


def differ(one, other):
    ours, theirs = weights(one), weights(other)
    if {k: v.shape for k, v in ours.items()} != {k: v.shape for k, v in theirs.items()}:
        return True
    return any(not torch.equal(value, theirs[key]) for key, value in ours.items())


@pytest.mark.parametrize(("name", "field"), [(n, f) for n, (_, c) in CASES.items() for f in c])
def test_every_setting_has_an_effect(name, field):
    needed = NEEDS.get((name, field), {})
    plain, other = fitted(name, **needed), fitted(name, **needed | {field: CASES[name][1][field]})
    if field == "test_noise":
        assert not np.array_equal(plain.transform(IMAGES), other.transform(IMAGES))
    else:
        assert differ(plain, other)


@pytest.mark.parametrize("name", CASES)
def test_no_setting_is_left_out(name):
    model, tried = CASES[name]
    fields = {field.name for field in dataclasses.fields(model) if field.init}
    assert fields - set(tried) - OF_RUNS <= {"pretrained", "features"}


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        *((name, {}) for name in CASES),
        ("GAN", {"optimizer": "sgd"}),
        ("WGAN", {"optimizer": "adam"}),
    ],
)
def test_every_optimiser_has_the_models_settings(name, fields):
    chosen = {"learning_rate": 0.007, "beta_1": 0.3, "beta_2": 0.8}
    trained = fitted(name, **fields)
    known = {key: value for key, value in chosen.items() if key in trained.get_params()}
    model = clone(trained).set_params(**known)
    for key, value in vars(trained).items():
        if key not in model.get_params():
            setattr(model, key, value)
    for update in model.updates():
        options = update.make_optimizer(model.learning_rate).defaults
        assert options["lr"] == 0.007
        if "betas" in options:
            expected = (0.3, 0.8) if "beta_1" in known else (0.9, 0.999)
            assert options["betas"] == expected
        if fields == {"optimizer": "sgd"}:
            assert options["momentum"] == 0.3


@pytest.mark.parametrize("name", CASES)
def test_each_loss_moves_its_own_nets_and_all_nets_move(name):
    model = fitted(name)
    moved = [net for update in model.updates() for net in update.nets]
    assert len(moved) == len(set(map(id, moved)))
    learnt = {id(net) for net in model.nets().values() if any(True for _ in net.parameters())}
    kept = {id(net) for key, net in model.nets().items() if "history" in key}
    assert learnt - kept == {id(net) for net in moved}


@pytest.mark.parametrize(
    ("name", "field", "nets"),
    [
        ("GAN", "hidden", {"generator_", "discriminator_"}),
        ("DCGAN", "width", {"generator_", "discriminator_"}),
        ("ConditionalGAN", "width", {"generator_", "discriminator_"}),
        ("ConditionalGAN", "n_components", {"generator_"}),
        ("WGAN", "width", {"generator_", "critic_"}),
        ("WGAN", "hidden", {"generator_", "critic_"}),
        ("WGANGP", "width", {"generator_", "critic_"}),
        ("WGANGP", "packing", {"critic_"}),
        ("Pix2Pix", "width", {"generator_", "discriminator_"}),
        ("Pix2Pix", "conditional", {"discriminator_"}),
        ("CycleGAN", "n_blocks", {"generator_ab_", "generator_ba_"}),
        ("CycleGAN", "patch", {"discriminator_a_", "discriminator_b_"}),
        (
            "CycleGAN",
            "width",
            {"generator_ab_", "generator_ba_", "discriminator_a_", "discriminator_b_"},
        ),
        ("SRGAN", "width", {"upscaler_"}),
        ("SRGAN", "discriminator_width", {"discriminator_"}),
    ],
)
def test_a_size_is_that_of_these_nets(name, field, nets):
    needed = NEEDS.get((name, field), {})
    plain, other = fitted(name, **needed), fitted(name, **needed | {field: CASES[name][1][field]})
    sizes = [
        {key: [p.shape for p in net.parameters()] for key, net in model.nets().items()}
        for model in (plain, other)
    ]
    assert {key for key, shapes in sizes[0].items() if sizes[1][key] != shapes} == nets
