"""The law of effect: another value of a field gives another model, or is refused, or says when.

When a field counts stands in its annotation, from which follow the refusal, the help and these
tests.
"""

import argparse
import dataclasses
import functools
import itertools
import typing

import numpy as np
import pytest
from sklearn.base import clone
from torch import optim
from torch.optim.optimizer import register_optimizer_step_pre_hook

import latentia
from latentia import (
    DEC,
    GAN,
    IDEC,
    MODELS,
    VAE,
    WGAN,
    Autoencoder,
    AutoencoderKMeans,
    ConditionalGAN,
    DenoisingAutoencoder,
    LinearAutoencoder,
    LinearVAE,
    LSTMLanguageModel,
    RNNLanguageModel,
    VaDE,
    load,
)
from latentia.cli.parser import add_fields
from latentia.errors import InputError, Range, conditions_of
from latentia.models.clustering import base as clustering
from latentia.models.fields import model_fields
from latentia.models.gradient import GradientModel
from latentia.models.language.base import LanguageModel
from tests.conftest import learns_from, small_models
from tests.models.language.conftest import small_sequence_models

pytestmark = pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")

SMALL = small_models() | small_sequence_models()
OTHERS = {"ProbabilisticPCA", "FactorAnalysis"}
"""Their fields are tested with their equations, `tests.oracles.test_factor_options`."""
IMAGES = np.random.default_rng(0).random((8, 16, 16), dtype=np.float32)
TABLE = np.random.default_rng(0).normal(size=(120, 80)) * np.linspace(1, 2, 80)
RHYME = "Humpty Dumpty sat on a wall,\nHumpty Dumpty had a great fall.\n"

OWN_NETS = (
    *("encoder", "decoder", "generator", "discriminator", "critic", "upscaler"),
    *("generator_ab", "generator_ba", "discriminator_a", "discriminator_b"),
)
EXCEPTIONS = {
    **dict.fromkeys(OWN_NETS, "a net of the user's own; `tests.laws.test_own_nets` gives one"),
    "discriminator of ConditionalGAN": None,
    "critic of ConditionalWGANGP": None,
    "device": "where the training runs; the tests' machine may have one device only",
    "patience": "for held-out data, which are not given here; the tests of histories give them",
    "pretrained": "a folder of a saved model; the tests of each model start from one",
    "features": "a folder of a saved classifier; the tests of super-resolution use one",
    "reconstruction_weight of VaDE": "a weight of errors, which a bound on a likelihood refuses",
    "minibatch_discrimination of WGANGP": "refused beside a penalty",
    "minibatch_discrimination of ConditionalWGANGP": "refused beside a penalty",
    **dict.fromkeys(
        [
            f"{each} of FactorAnalysis"
            for each in ("target", "target_value", "crawford_ferguson_kappa")
        ],
        "of one rotation alone; `tests.oracles.test_target_rotation` takes it",
    ),
    "solver of PCA": "ways to one answer; the tests of each hold it against the others",
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
    "clipping": [0.002, None],
    "cycle_weight_b": [1.0],
    "discriminator of ConditionalGAN": ["projection"],
    "critic of ConditionalWGANGP": ["projection"],
    "dropout": [0.0, 0.7],
    # In the first step the average moves by 1 - 2/11 at least, however large the decay.
    "ema_decay": [None, 0.1],
    "free_bits": [0.5],
    "free_bits of ConditionalVAE": [0.0, 0.5],
    "hidden": [(7,), (8, 8)],
    "historical_averaging": [100.0],
    "jitter": [0.3],
    "label_smoothing": [0.9],
    "learning_rate_schedule": ["cosine"],
    "learning_rate_schedule of LinearAutoencoder": [
        *("constant", "late-linear", "cosine", "stages")
    ],
    "n_components of PCA": [1, None],
    "n_halvings": [1],
    "iterated_power": [0],
    "n_mixture": [2],
    "n_resized": [2],
    "n_steps": [40],
    "noise_factor": [0.2],
    "noise_variance": [0.04, 0.3, None],
    "observation of VaDE": ["bernoulli", "gaussian"],
    "receptive_field": ["pixel"],
    "patch_size": [8],
    "patch of SRGAN": [8],
    "patch of SRResNet": [8],
    "pool_size": [0],
    "precision": ["bfloat16"],
    "pretrain_epochs": [2],
    "r1_penalty": [1.0],
    "random_state of PCA": [1],
    # Quartimin is oblimin's other name.
    "rotation of PCA": ["varimax", "quartimax", "promax", "oblimin", "geomin"],
    "scale": [4],
    "snr": [3.0],
    "tied": [True, False],
    "unrolled_steps": [1],
    "update_interval": [1],
}
"""Values that stand for all, where all choices, one more or twice as much will not do."""

BESIDE = {
    "architecture": {"tied": False},
    "beta_warmup_epochs": {"free_bits": 0.0},
    "clip": {"clip": 0.1},
    "cycle_weight_b": {"cycle_weight": 5.0},
    "decay": {"n_epochs": 12},
    "n_importance": {"beta": 1.0, "beta_warmup_epochs": 0, "free_bits": 0.0},
    "iterated_power": {"iterated_power": 1},
    "n_steps": {"n_steps": 2},
    "observation of VAE": {"reconstruction_weight": 1000.0},
    "r1_penalty of ConditionalGAN": {"minibatch_discrimination": 0},
    "random_state of PCA": {"solver": "randomized", "iterated_power": 0},
}
"""What must be set beside a field for it to matter, where its annotation does not say so."""


def entry(table, field, name, default):
    """Return what a table says of a field of a model, or of the field of every model."""
    return table.get(f"{field} of {name}", table.get(field, default))


@functools.cache
def annotations(kind, extras=True):
    """Return the annotations of a class, which take long to evaluate."""
    return typing.get_type_hints(kind, include_extras=extras)


def conditions(model, field):
    """Return when a field of a model counts, as its annotation says."""
    return conditions_of(annotations(type(model))[field])


def counting(model, field):
    """Return the model with what must be set beside a field for it to count."""
    beside = dict(entry(BESIDE, field, type(model).__name__, {}))
    for condition in conditions(model, field)[:1]:
        own = getattr(model, condition.field)
        if own == "auto" or not condition.met(own):
            beside[condition.field] = condition.values[0] if condition.values else 1
    known = model.get_params()
    return changed(model, {k: v for k, v in beside.items() if k in known})


def changed(model, values):
    """Return the model with other values, and with the defaults of what then does not count."""
    other, usual = clone(model).set_params(**values), type(model)()
    for field in other.get_params():
        when = conditions(other, field)
        if when and not any(c.met(getattr(other, c.field)) for c in when):
            setattr(other, field, getattr(usual, field))
    return other


def values_of(model, field):
    """Return the model's own value of a field and some others."""
    own = getattr(model, field)
    hint = annotations(type(model), extras=False)[field]
    found = entry(OTHER_VALUES, field, type(model).__name__, None)
    if found is None and typing.get_origin(hint) is typing.Literal:
        found = typing.get_args(hint)
    if found is None:
        found = [not own] if isinstance(own, bool) else [own + 1 if type(own) is int else 2 * own]
    return [own, *(value for value in found if value != own)]


def answers(model):
    """Return what a model learnt without gradients answers."""
    if isinstance(model, LanguageModel):
        return model.fit(RHYME).score_samples(RHYME)
    if hasattr(model, "scale"):
        return model.fit(IMAGES[:, :12, :12]).transform(IMAGES[:, :12, :12])
    return model.fit(TABLE).transform(TABLE)


def learned(model):
    """Return all that a short training leaves: weights, numbers, and what is drawn from them."""
    if not isinstance(model, GradientModel):
        return answers(model).tobytes()
    if not isinstance(model, LanguageModel):
        side = 16 if hasattr(model, "scale") else 8
        X = IMAGES[:, :side, :side]
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


def plain(name):
    """Return the small model of a name, its batches small enough for several steps."""
    model = clone(SMALL[name])
    if not isinstance(model, GradientModel):
        return model
    several = getattr(model, "n_critic", 1) > 1 or name == "CycleGAN"
    return model.set_params(batch_size=2 if several else 4)


@pytest.mark.parametrize("name", [name for name in SMALL if name not in OTHERS])
def test_every_value_of_every_field_trains_another_model(name, monkeypatch):
    """Only ``auto`` may be the same as another choice, of which it is the name."""
    if name == "VaDE":
        # The likeliest of three starts shows a field's effect as that of twenty does.
        monkeypatch.setattr(clustering, "STARTS", 3)
    known, without = {}, []
    for field in (field.name for field in dataclasses.fields(SMALL[name])):
        if entry(EXCEPTIONS, field, name, None):
            continue
        beside = counting(plain(name), field)
        results = {}
        for value in values_of(beside, field):
            model = changed(beside, {field: value})
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


def idle_value(model, condition):
    """Return a value of the other field with which a field does not count."""
    if condition.unless:
        return condition.unless[0]
    default = getattr(type(model)(), condition.field)
    if default != "auto" and not condition.met(default):
        return default
    hint = annotations(type(model), extras=False)[condition.field]
    choices = (False, True) if hint is bool else typing.get_args(hint)
    if condition.values == (None,):
        return 7 if int in choices else "a folder"
    return next(choice for choice in choices if choice not in ("auto", *condition.values))


CONDITIONAL = [
    (name, field.name)
    for name, model in SMALL.items()
    for field in dataclasses.fields(model)
    if conditions(model, field.name) and field.name not in OWN_NETS
]


@pytest.mark.parametrize(("name", "field"), CONDITIONAL)
def test_a_value_that_cannot_count_is_refused_and_the_help_says_when_it_does(name, field):
    model, when = type(SMALL[name])(), conditions(SMALL[name], field)
    idle = {c.field: idle_value(model, c) for c in when}
    own = getattr(model, field)
    other = next(v for v in values_of(counting(model, field), field) if v != own)
    model.set_params(**{field: other})
    model.check_effects(counted := {c.field: c.values[0] if c.values else 1 for c in when})
    said = f"^{field} is .*, which counts only with "
    with pytest.raises(InputError, match=said) as refused:
        clone(model).set_params(**idle).check_effects({})
    assert all(str(c) in str(refused.value) for c in when)
    if any(c.values == (None,) and getattr(model, c.field) is None for c in when):
        # It stays none, whatever number the data make of it.
        model.check_effects(idle)
    else:
        with pytest.raises(InputError, match=said):
            model.check_effects(idle)
    clone(model).set_params(**idle | {field: own}).check_effects({})
    clone(model).set_params(**counted).check_effects({})
    parser = argparse.ArgumentParser(formatter_class=argparse.RawTextHelpFormatter)
    add_fields(parser, name)
    line, *_ = [a.help for a in parser._actions if a.dest == field]
    assert f"counts with {' or '.join(map(str, when))}; " in line


@pytest.mark.parametrize("name", SMALL)
def test_when_a_field_counts_is_read_without_importing_the_model(name):
    read = {field.name: list(field.counts_when) for field in model_fields(name)}
    assert read == {field: conditions(SMALL[name], field) for field in read}


@pytest.mark.parametrize(
    ("model", "shape", "said"),
    [
        (
            VAE(noise_variance=0.3),
            *((16, 16), "noise_variance is 0.3.* observation is 'bernoulli' for these data"),
        ),
        (VAE(noise_variance=0.3, hidden=(4,)), (8,), None),
        (VAE(noise_variance=0.3, hidden=(4,)), (8, 8), None),
        (VAE(channels=(4,)), (8, 8), "channels is .4,.*architecture is 'mlp' for these data"),
        (DenoisingAutoencoder(channels=[4]), (8,), "channels is .4.*'mlp' for these data"),
        (DenoisingAutoencoder(channels=(4,)), (8, 8), None),
        (WGAN(hidden=(4,)), (8, 8), "hidden is .4,.*'convolutional' for these data"),
        (ConditionalGAN(hidden=(4,)), (8, 8), "hidden is .4,.*'convolutional' for these data"),
        (ConditionalGAN(width=4), (8,), "width is 4.*architecture is 'mlp' for these data"),
        (VaDE(noise_variance=None), (16, 16), "noise_variance is None.*'bernoulli' for these data"),
        (VAE(reconstruction_weight=9), (8, 8), "weight is 9.*is 'gaussian' for these data"),
        (VAE(channels=(4,)), (17, 17, "grey"), "channels is .4,.*is 'principal' for these data"),
        (VAE(beta_warmup_epochs=3, n_epochs=2), (8, 8), "beta_warmup_epochs is 3; n_epochs is"),
        (GAN(minibatch_discrimination=2, batch_size=1), (8, 8), "discrimination is 2.* no effect"),
        (
            GAN(minibatch_discrimination=2, batch_size=4, packing=4),
            *((8, 8), "gives the judge one verdict"),
        ),
    ],
)
def test_what_auto_stands_for_is_known_before_anything_is_trained(model, shape, said, tmp_path):
    """Of a table, tiny images, drawings of black and white, and photographs."""
    *shape, kind = shape if shape[-1] == "grey" else (*shape, "")
    X = np.random.default_rng(0).random((24, *shape))
    X = X if kind or max(shape) < 16 else X.round()
    model.set_params(device="cpu", random_state=0)
    if said is not None:
        with pytest.raises(InputError, match=said):
            model.fit(X, np.arange(24) % 2, run=tmp_path / "run")
        assert not (tmp_path / "run").exists()
    else:
        X = X if len(shape) > 1 else 9 * X
        model.set_params(n_epochs=1).fit(X)


def test_a_run_begun_with_a_value_without_effect_goes_on_and_its_model_loads(tmp_path, monkeypatch):
    model = VAE(hidden=(4,), n_mixture=3, channels=(4,), noise_variance=0.3, beta_warmup_epochs=9)
    model.set_params(n_epochs=1, device="cpu", random_state=0)
    with pytest.raises(InputError, match="beta_warmup_epochs is 9; n_epochs is only 1"):
        model.fit(IMAGES)
    with monkeypatch.context() as earlier:
        earlier.setattr(VAE, "check_effects", lambda *_: None)
        model.fit(IMAGES, run=tmp_path / "run").save(tmp_path / "model")
    again = clone(model).fit(IMAGES, run=tmp_path / "run", resume=True)
    found = load(tmp_path / "model")
    assert found.n_mixture == 3
    np.testing.assert_array_equal(found.transform(IMAGES), again.transform(IMAGES))


def test_without_clipping_the_critics_weights_are_free_of_it():
    critic = WGAN(width=2, clipping=None, spectral_normalisation=True, n_epochs=1, random_state=0)
    critic.fit(IMAGES)
    assert max(float(w.detach().abs().max()) for w in critic.critic_.parameters()) > 0.1


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


def resolved_range(hint):
    """Return the first range within an annotation, as Python resolves it."""
    own = [each for each in getattr(hint, "__metadata__", ()) if isinstance(each, Range)]
    within = (resolved_range(part) for part in typing.get_args(hint))
    return next(iter(own), None) or next(filter(None, within), None)


@pytest.mark.parametrize("name", MODELS)
def test_a_range_is_read_from_source_as_python_resolves_it(name):
    hints = typing.get_type_hints(getattr(latentia, name), include_extras=True)
    found = {field.name: field.range for field in model_fields(name)}
    assert found == {field: resolved_range(hints[field]) for field in found}
