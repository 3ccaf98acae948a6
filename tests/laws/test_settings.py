"""Each setting of a game or a translator reaches what it is meant for: nets, optimisers.

That each has an effect at all is the law in `tests.laws.test_fields`.
"""

import numpy as np
import pytest
from sklearn.base import clone

from latentia import (
    DCGAN,
    GAN,
    SRGAN,
    WGAN,
    WGANGP,
    ConditionalGAN,
    ConditionalWGANGP,
    CycleGAN,
    Pix2Pix,
    SRResNet,
)

IMAGES = np.random.default_rng(0).random((8, 1, 16, 16), dtype=np.float32)
CLASSES = np.arange(8) % 2
SHORT = {"n_epochs": 1, "batch_size": 4, "random_state": 0, "device": "cpu"}
CASES = {
    "GAN": GAN(hidden=(4,), n_components=2),
    "DCGAN": DCGAN(width=2, n_components=2),
    "ConditionalGAN": ConditionalGAN(width=2, n_components=2),
    "WGAN": WGAN(width=2, n_components=2, n_critic=1),
    "WGANGP": WGANGP(width=2, n_components=2, n_critic=1),
    "ConditionalWGANGP": ConditionalWGANGP(width=2, n_components=2, n_critic=1),
    "Pix2Pix": Pix2Pix(width=2, jitter=0.0),
    "CycleGAN": CycleGAN(width=2, n_blocks=1),
    "SRResNet": SRResNet(scale=2, n_blocks=1, width=2),
    "SRGAN": SRGAN(scale=2, n_blocks=1, width=2, discriminator_width=2, pretrain_epochs=1),
}
MLP = {"architecture": "mlp", "hidden": (4,), "width": 32}
DATA = {"CycleGAN": CLASSES, "Pix2Pix": IMAGES[::-1, 0].copy()}
FITTED = {}


def fitted(name, **fields):
    key = name, tuple(sorted(fields.items()))
    if key not in FITTED:
        model = clone(CASES[name]).set_params(**SHORT | fields)
        FITTED[key] = model.fit(IMAGES, DATA.get(name, CLASSES))
    return FITTED[key]


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
    ("name", "fields", "nets"),
    [
        ("GAN", {"hidden": (5,)}, {"generator_", "discriminator_"}),
        ("DCGAN", {"width": 3}, {"generator_", "discriminator_"}),
        ("ConditionalGAN", {"width": 3}, {"generator_", "discriminator_"}),
        ("ConditionalGAN", {"n_components": 3}, {"generator_"}),
        ("WGAN", {"width": 3}, {"generator_", "critic_"}),
        ("WGAN", MLP | {"hidden": (5,)}, {"generator_", "critic_"}),
        ("WGANGP", {"width": 3}, {"generator_", "critic_"}),
        ("WGANGP", {"packing": 2}, {"critic_"}),
        ("ConditionalWGANGP", {"critic": "projection"}, {"critic_"}),
        ("Pix2Pix", {"width": 3}, {"generator_", "discriminator_"}),
        ("Pix2Pix", {"conditional": False}, {"discriminator_"}),
        ("CycleGAN", {"n_blocks": 2}, {"generator_ab_", "generator_ba_"}),
        ("CycleGAN", {"receptive_field": "pixel"}, {"discriminator_a_", "discriminator_b_"}),
        (
            "CycleGAN",
            {"width": 3},
            {"generator_ab_", "generator_ba_", "discriminator_a_", "discriminator_b_"},
        ),
        ("SRGAN", {"width": 3}, {"upscaler_"}),
        ("SRGAN", {"discriminator_width": 3}, {"discriminator_"}),
    ],
)
def test_a_size_is_that_of_these_nets(name, fields, nets):
    plain = fitted(name, **(MLP if "architecture" in fields else {}))
    other = fitted(name, **fields)
    sizes = [
        {key: [p.shape for p in net.parameters()] for key, net in model.nets().items()}
        for model in (plain, other)
    ]
    assert {key for key, shapes in sizes[0].items() if sizes[1][key] != shapes} == nets
