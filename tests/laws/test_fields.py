"""A field that can be set has an effect: another value gives another model."""

import dataclasses
import itertools
import typing

import numpy as np
import pytest
from sklearn.base import clone
from torch import optim
from torch.optim.optimizer import register_optimizer_step_pre_hook

from latentia import (
    DEC,
    IDEC,
    VAE,
    Autoencoder,
    AutoencoderKMeans,
    LinearAutoencoder,
    LinearVAE,
    LSTMLanguageModel,
    RNNLanguageModel,
    VaDE,
)
from latentia.models.gradient import GradientModel
from latentia.models.language.base import LanguageModel
from tests.conftest import learns_from, small_models
from tests.models.language.conftest import small_sequence_models

pytestmark = pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")

TRAINED = {
    name: model
    for name, model in (small_models() | small_sequence_models()).items()
    if isinstance(model, GradientModel)
}
RHYME = "Humpty Dumpty sat on a wall,\nHumpty Dumpty had a great fall.\n"

EXCEPTIONS = {
    "device": "where the training runs; the tests' machine may have one device only",
    "pretrained": "a folder of a saved model; the tests of each model start from one",
    "features": "a folder of a saved classifier; the tests of super-resolution use one",
    "reconstruction_weight of VaDE": "a weight of errors, which a bound on a likelihood refuses",
    "minibatch_discrimination of WGANGP": "refused beside a penalty",
}
"""Fields without a visible effect here, and why."""

OTHER_VALUES = {
    "adam_epsilon": [1e-3],
    "augmentation": ["colour", "translation"],
    "batch_size": [5],
    "beta": [0.5],
    "beta_1": [0.3],
    "beta_2": [0.7],
    "channels": [(4,), (8, 16, 31)],
    "clip": [0.2, None],
    "cycle_weight_b": [1.0],
    "dropout": [0.0, 0.7],
    "ema_decay": [0.5],
    "free_bits": [0.5],
    "free_bits of ConditionalVAE": [0.0],
    "hidden": [(7,), (8, 8)],
    "historical_averaging": [100.0],
    "jitter": [0.3],
    "label_smoothing": [0.9],
    "n_halvings": [1],
    "n_mixture": [2],
    "noise_factor": [0.2],
    "noise_variance": [0.3, None],
    "observation of VaDE": ["bernoulli", "gaussian"],
    "patch": ["pixel"],
    "patch of SRGAN": [8],
    "patch of SRResNet": [8],
    "pool_size": [0],
    "r1_penalty": [1.0],
    "scale": [4],
    "snr": [3.0],
    "tied": [True, False],
    "unrolled_steps": [1],
    "update_interval": [1],
}
"""Values that stand for all, where all choices, one more or twice as much will not do."""

BESIDE = {
    "beta_warmup_epochs": {"free_bits": 0.0},
    "beta_1 of WGAN": {"optimizer": "adam"},
    "beta_2 of WGAN": {"optimizer": "adam"},
    "channels": {"architecture": "convolutional"},
    "clip": {"clip": 0.1},
    "decay": {"n_epochs": 12},
    "hidden of ConditionalGAN": {"architecture": "mlp"},
    "hidden of WGAN": {"architecture": "mlp"},
    "hidden of WGANGP": {"architecture": "mlp"},
    "n_importance": {"beta": 1.0, "beta_warmup_epochs": 0, "free_bits": 0.0},
    "n_mixture": {"sampler": "mixture"},
    "noise_variance": {"observation": "gaussian"},
    "r1_penalty of ConditionalGAN": {"minibatch_discrimination": 0},
    "reconstruction_weight": {"observation": "mse"},
    "unrolled_rate": {"unrolled_steps": 1},
}
"""What must be set beside a field for it to matter."""


def entry(table, field, name, default):
    """Return what a table says of a field of a model, or of the field of every model."""
    return table.get(f"{field} of {name}", table.get(field, default))


def values_of(model, field):
    """Return the model's own value of a field and some others."""
    own = getattr(model, field)
    hint = typing.get_type_hints(type(model))[field]
    found = entry(OTHER_VALUES, field, type(model).__name__, None)
    if found is None and typing.get_origin(hint) is typing.Literal:
        found = typing.get_args(hint)
    if found is None:
        found = [not own] if isinstance(own, bool) else [own + 1 if type(own) is int else 2 * own]
    return [own, *(value for value in found if value != own)]


def learned(model):
    """Return all that a short training leaves: weights, numbers, and what is drawn from them."""
    if not isinstance(model, LanguageModel):
        side = 16 if hasattr(model, "scale") else 8
        X = np.random.default_rng(0).random((8, side, side), dtype=np.float32)
        beside = {"pairs": X[..., ::-1].copy(), "domains": np.arange(8) % 2}
        model.fit(X, beside.get(learns_from(model), np.arange(8) % 3))
        found = [model.sample(3, random_state=0)] if hasattr(model, "sample") else []
        if hasattr(model, "test_noise"):
            found.append(model.transform(X))
    else:
        found = [model.fit(RHYME).score_samples(RHYME)]
    numbers = [v for k, v in sorted(vars(model).items()) if k.endswith("_") and k != "seed_"]
    found += [value for value in numbers if isinstance(value, np.ndarray | float)]
    for _, net in sorted(model.nets().items()):
        found += [value.numpy() for value in net.state_dict().values()]
    return b"".join(np.asarray(value).tobytes() for value in found)


@pytest.mark.parametrize("name", TRAINED)
def test_every_value_of_every_field_trains_another_model(name):
    """Only ``auto`` may be the same as another choice, of which it is the name."""
    several = getattr(TRAINED[name], "n_critic", 1) > 1 or name == "CycleGAN"
    plain = clone(TRAINED[name]).set_params(batch_size=2 if several else 4)
    known, without = {}, []
    for field in (field.name for field in dataclasses.fields(plain)):
        if entry(EXCEPTIONS, field, name, None):
            continue
        beside = entry(BESIDE, field, name, {})
        beside = {key: value for key, value in beside.items() if hasattr(plain, key)}
        base = clone(plain).set_params(**beside)
        results = {}
        for value in values_of(base, field):
            model = clone(base).set_params(**{field: value})
            key = repr(model.get_params())
            if key not in known:
                known[key] = learned(model)
            results[value] = known[key]
        pairs = itertools.combinations(results, 2)
        same = [pair for pair in pairs if results[pair[0]] == results[pair[1]]]
        if len(same) != ("auto" in results and len(results) > 2) or any(
            "auto" not in pair for pair in same
        ):
            without.append((field, same))
    assert without == []


SGD, ADAM = {"lr": 0.02, "momentum": 0.9}, {"lr": 0.02, "betas": (0.9, 0.999), "eps": 1e-8}


@pytest.mark.parametrize(
    ("model", "kind", "expected"),
    [
        (LinearAutoencoder(optimizer="adam"), optim.Adam, ADAM),
        (LinearAutoencoder(optimizer="sgd"), optim.SGD, SGD),
        (Autoencoder(), optim.Adam, ADAM),
        (LinearVAE(), optim.Adam, ADAM),
        (VAE(adam_epsilon=1e-3), optim.Adam, ADAM | {"eps": 1e-3}),
        (VAE(n_importance=3, adam_epsilon=1e-3), optim.Adam, ADAM | {"eps": 1e-3}),
        (AutoencoderKMeans(n_clusters=2), optim.Adam, ADAM),
        (DEC(n_clusters=2, optimizer="sgd"), optim.SGD, SGD),
        (DEC(n_clusters=2, optimizer="adam"), optim.Adam, ADAM),
        (IDEC(n_clusters=2), optim.Adam, ADAM),
        (VaDE(n_clusters=2), optim.Adam, ADAM | {"eps": 1e-4}),
        (RNNLanguageModel(n_units=4), optim.Adam, ADAM),
        (LSTMLanguageModel(n_units=4), optim.Adam, ADAM),
    ],
)
def test_the_optimiser_is_the_one_that_the_fields_say(model, kind, expected):
    seen = []
    is_text = isinstance(model, RNNLanguageModel | LSTMLanguageModel)
    model.set_params(n_epochs=1, learning_rate=0.02, learning_rate_schedule="constant")
    if hasattr(model, "pretrain_epochs"):
        model.set_params(pretrain_epochs=1)
    if hasattr(model, "hidden"):
        model.set_params(hidden=(4,))
    hook = register_optimizer_step_pre_hook(lambda one, *_: seen.append(one))
    try:
        model.fit(RHYME if is_text else np.random.default_rng(0).normal(size=(6, 4)))
    finally:
        hook.remove()
    last = seen[-1]
    assert isinstance(last, kind)
    for group in last.param_groups:
        assert {key: group[key] for key in expected} == expected
