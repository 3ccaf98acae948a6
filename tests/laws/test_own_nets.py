"""Nets of the user's own in every model that has nets: tried, trained as copies, saved, resumed."""

import copy
import dataclasses
import functools
import json
import typing
from math import prod

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

import latentia
from latentia.errors import InputError, Shapes, is_own_net
from latentia.models.clustering import base as clustering
from latentia.models.gradient import GradientModel
from latentia.models.language.base import LanguageModel
from tests.conftest import ENLARGING, SHARED, learns_from, small_models
from tests.models.language.conftest import small_sequence_models

pytestmark = pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
IMAGES = np.random.default_rng(0).random((40, 8, 8), dtype=np.float32)
IMAGE, K, CLASSES = (1, 8, 8), 3, 4


class Own(nn.Module):
    """A net of any shapes with batch norm and dropout, which takes its inputs to be contiguous."""

    def __init__(self, n_in, shape, *, bounded=False):
        super().__init__()
        self.shape, self.bounded = shape, bounded
        self.first, self.norm, self.drop = nn.Linear(n_in, 6), nn.BatchNorm1d(6), nn.Dropout(0.3)
        self.last = nn.Linear(6, prod(shape))

    def forward(self, *parts):
        h = torch.cat([part.view(len(part), -1) for part in parts], 1)
        h = self.last(self.drop(torch.relu(self.norm(self.first(h))))).view(-1, *self.shape)
        return h.tanh() if self.bounded else h


class Larger(nn.Sequential):
    """Convolutions that make images twice as large."""

    def __init__(self, n_out=4):
        super().__init__(
            nn.Conv2d(1, n_out, 3, padding=1), nn.BatchNorm2d(n_out), nn.PixelShuffle(2)
        )


def picture(n_in):
    return functools.partial(Own, n_in, IMAGE, bounded=True)


CODES = {"encoder": lambda: Own(64, (K,)), "decoder": lambda: Own(K, IMAGE)}
POSTERIOR = CODES | {"encoder": lambda: Own(64, (2 * K,))}
GAME = {"generator": picture(K), "discriminator": lambda: Own(64, (1,))}
CRITICAL = {"generator": picture(K), "critic": lambda: Own(64, (1,))}
PATCHES = functools.partial(Own, 64, (1, 2, 2))
NETS = {
    "Autoencoder": CODES,
    "DenoisingAutoencoder": CODES,
    "VAE": POSTERIOR,
    "ConditionalVAE": {
        "encoder": lambda: Own(64 + CLASSES, (2 * K,)),
        "decoder": lambda: Own(K + CLASSES, IMAGE),
    },
    "AutoencoderKMeans": CODES,
    "DEC": CODES,
    "IDEC": CODES,
    "VaDE": CODES,
    "GAN": GAME,
    "DCGAN": GAME,
    "ConditionalGAN": {
        "generator": picture(K + CLASSES),
        "discriminator": lambda: Own(64 + CLASSES, (1,)),
    },
    "WGAN": CRITICAL,
    "WGANGP": CRITICAL,
    "ConditionalWGANGP": {
        "generator": picture(K + CLASSES),
        "critic": lambda: Own(64 + CLASSES, (1,)),
    },
    "Pix2Pix": {"generator": picture(64), "discriminator": lambda: Own(128, (1, 3, 3))},
    "CycleGAN": {
        "generator_ab": picture(64),
        "generator_ba": picture(64),
        "discriminator_a": PATCHES,
        "discriminator_b": PATCHES,
    },
    "SRResNet": {"upscaler": Larger},
    "SRGAN": {"upscaler": Larger, "discriminator": lambda: Own(64, (1,))},
}
"""Makers of nets that suit each model, on images of 8 by 8."""
NEEDED = {
    "encoder": (2, K),
    "encoder of VAE": (2, 2 * K),
    "encoder of ConditionalVAE": (2, 2 * K),
    "decoder": (2, *IMAGE),
    "generator": (2, *IMAGE),
    "generator_ab": (2, *IMAGE),
    "generator_ba": (2, *IMAGE),
    "upscaler": (2, *IMAGE),
    "discriminator": (2, 1),
    "critic": (2, 1),
    "discriminator of Pix2Pix": "(2, 1, ...)",
    "discriminator_a": "(2, 1, ...)",
    "discriminator_b": "(2, 1, ...)",
}
LINEAR = {"LinearAutoencoder", "LinearVAE"}
EVERY = small_models() | small_sequence_models()
TRAINED = [name for name, model in EVERY.items() if isinstance(model, GradientModel)]
EACH = [(name, field) for name, makers in NETS.items() for field in makers]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """What is asked here holds of one start as it does of twenty."""
    monkeypatch.setattr(clustering, "STARTS", 1)
    monkeypatch.setattr("latentia.models.language.recurrent.EXCERPT", 5)


def model_of(name, kind=None, **values):
    """Return a small model whose nets are all of the user's own, with new weights each time."""
    known = EVERY[name].get_params()
    settings = SHARED | ENLARGING | {"n_components": K, "n_clusters": 3, "pretrain_epochs": 1}
    settings |= {"batch_size": 4, "n_critic": 2, "n_epochs": 2, "update_interval": 3}
    shaping = [field for field, _ in shaped(name)]
    settings = {k: v for k, v in settings.items() if k in known and k not in shaping}
    own = {field: make() for field, make in NETS[name].items()}
    return (kind or type(EVERY[name]))(**settings | own | values)


def shaped(name):
    """Return the fields of a model that shape nets, each with what says which."""
    hints = typing.get_type_hints(type(EVERY[name]), include_extras=True)
    found = {key: getattr(hint, "__metadata__", ()) for key, hint in hints.items()}
    return [(k, part) for k, parts in found.items() for part in parts if isinstance(part, Shapes)]


def answers(name, X):
    kind = learns_from(EVERY[name])
    if kind == "pairs":
        return X[..., ::-1].copy()
    return np.arange(len(X)) % 8 // 7 if kind == "domains" else np.arange(len(X)) % CLASSES


def outputs(model, X):
    """Return what a fitted model makes of data, or draws."""
    if isinstance(model, LanguageModel):
        return model.score_samples(X)
    labels = (np.arange(len(X)) % CLASSES,) if model.takes_labels else ()
    verb = "transform" if hasattr(model, "transform") else "sample"
    return model.transform(X, *labels) if verb == "transform" else model.sample(5, random_state=0)


def state(model):
    return {f"{k}.{n}": v for k, net in model.nets().items() for n, v in net.state_dict().items()}


def test_every_model_with_nets_takes_ones_own_or_says_why_not():
    for name in TRAINED:
        fields = {k for k, h in typing.get_type_hints(type(EVERY[name])).items() if takes_net(h)}
        assert fields == set(NETS.get(name, ())), name
    for name in LINEAR:
        with pytest.raises(
            InputError, match=r"no parameter 'encoder': its layers are linear; .*own"
        ):
            type(EVERY[name])(encoder=nn.Identity())
    with pytest.raises(InputError, match=r"no parameter 'embedding': its state .* build makes"):
        latentia.LSTMLanguageModel(embedding=nn.Identity())


def takes_net(hint):
    return nn.Module in (hint, *typing.get_args(hint))


@pytest.mark.parametrize("name", NETS)
def test_own_nets_are_trained_as_copies_saved_and_loaded(name, tmp_path):
    model = model_of(name, n_epochs=1)
    given = {field: getattr(model, field) for field in NETS[name]}
    before = copy.deepcopy({field: net.state_dict() for field, net in given.items()})
    assert len(repr(model)) < 400
    model.fit(IMAGES, answers(name, IMAGES))
    for field, net in given.items():
        assert model.get_params()[field] is net
        assert net.training
        now, trained = net.state_dict(), vars(model)[f"{field}_"]
        assert all(torch.equal(before[field][key], now[key]) for key in now)
        assert not any(layer.training for layer in trained.modules())
        found = [v for v in trained.state_dict().values() if v.shape == (6,) or v.ndim == 4]
        # Weights are moved, and the running means of batch norm.
        assert not any(torch.equal(v, w) for v in found for w in now.values() if v.any())
    made = outputs(model, IMAGES)
    np.testing.assert_array_equal(made, outputs(model, IMAGES))
    assert set(clone(model).get_params()) == set(model.get_params())
    path = model.save(tmp_path / "model")
    with pytest.raises(InputError, match=rf"nets={{.*'{next(iter(given))}': \w+\(\.\.\.\)"):
        latentia.load(path)
    fresh = {field: make() for field, make in NETS[name].items()}
    loaded = latentia.load(path, nets=fresh)
    np.testing.assert_array_equal(outputs(loaded, IMAGES), made)
    assert all(loaded.get_params()[field] is net for field, net in fresh.items())
    page = (path / "README.md").read_text()
    assert all(f'"{field}": {type(net).__name__}(...)' in page for field, net in given.items())


def stopping(model, at):
    """Let a fit of the model end after some steps."""
    plain, calls = model.updates, iter(range(10**9))

    def updates():
        first, *rest = plain()

        def stop():
            if first.after is not None:
                first.after()
            if next(calls) + 1 == at:
                raise KeyboardInterrupt

        return [dataclasses.replace(first, after=stop), *rest]

    model.updates = updates
    return model


@pytest.mark.parametrize("name", NETS)
def test_ten_and_ten_steps_are_twenty_with_own_nets(name, tmp_path):
    values = {"n_critic": 1} if "WGAN" in name else {}
    first = model_of(name, ema_decay=0.9, **values)
    X, y = IMAGES, answers(name, IMAGES)
    whole = clone(first).fit(X, y, run=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        stopping(clone(first), 13).fit(X, y, run=tmp_path / "broken")
    # The nets of another process have other weights, which the checkpoint's replace.
    again = model_of(name, ema_decay=0.9, **values)
    again.fit(X, y, run=tmp_path / "broken", resume=True)
    assert all(torch.equal(v, state(again)[key]) for key, v in state(whole).items())
    kept = [(tmp_path / run / "metrics.jsonl").read_text() for run in ("whole", "broken")]
    one, other = ([json.loads(line)["values"] for line in text.splitlines()] for text in kept)
    assert one == other


@pytest.mark.parametrize(("name", "field"), EACH)
def test_a_net_of_other_shapes_is_refused_with_both(name, field):
    needed = NEEDED.get(f"{field} of {name}", NEEDED[field])
    wrong = NETS[name] | {field: lambda: nn.Sequential(nn.Flatten(), nn.LazyLinear(7))}
    y = answers(name, IMAGES)
    if name.startswith("Conditional"):
        wrong |= {field: lambda: Own(NETS[name][field]().first.in_features, (7,))}
    model = model_of(name, **{field: wrong[field]()})
    said = rf"^{field} gives \(2, 7\); (\w+) needs {str(needed).translate(ESCAPED)}: \w+"
    with pytest.raises(InputError, match=said):
        model.fit(IMAGES, y)
    model = model_of(name, **{field: Own(5, (6,))})
    with pytest.raises(InputError, match=rf"^{field} fails on .* of 2 samples, \(2, .*\d+.*5"):
        model.fit(IMAGES, y)
    model = model_of(name, **{field: Own})
    with pytest.raises(InputError, match=rf"^{field} is .*Own'>; it must be .*torch Module.*make"):
        model.fit(IMAGES, y)


GAMES = ["GAN", "DCGAN", "ConditionalGAN", "WGAN", "WGANGP", "ConditionalWGANGP"]


@pytest.mark.parametrize("name", GAMES)
def test_what_nets_are_said_to_map_is_what_the_models_own_nets_map(name):
    """The judge sees samples and classes in packs of two, the generator one code at a time."""
    fields = {"packing": 2, "n_components": K, "n_epochs": 1, "minibatch_discrimination": 0}
    model = EVERY[name].set_params(**fields).fit(IMAGES, answers(name, IMAGES))
    told = model.maps(IMAGE)
    assert told.keys() == {"generator", model.judge_name}
    for field, maps in told.items():
        if not model.n_given():
            with torch.no_grad():
                made = getattr(model, f"{field}_")(torch.zeros(5, *maps.takes[0]))
            assert made.shape == (5, *maps.gives)
    given = [model.n_given()] if model.n_given() else []
    assert told["generator"].takes == ((K,), *((n,) for n in given))
    assert told[model.judge_name].takes == ((2, 8, 8), *((2 * n,) for n in given))
    if given:
        own = {
            "generator": NETS[name]["generator"](),
            model.judge_name: Own(2 * (64 + CLASSES), (1,)),
        }
        model_of(name, packing=2, **own).fit(IMAGES, answers(name, IMAGES))


ESCAPED = str.maketrans({"(": r"\(", ")": r"\)", ".": r"\."})
BESIDE = [
    (name, field, part)
    for name in NETS
    for field, part in shaped(name)
    if set(part.nets) & {*NETS[name]}
]


@pytest.mark.parametrize(("name", "field", "part"), BESIDE, ids=lambda v: str(v)[:20])
def test_a_field_that_shapes_no_net_is_refused_beside_ones_own(name, field, part):
    cls, nets = type(EVERY[name]), [net for net in part.nets if net in NETS[name]]
    default = getattr(cls(), field)
    other = {
        bool: lambda v: not v,
        tuple: lambda v: (7,),
        str: lambda v: "lecture",
        type(None): lambda v: 1,
    }
    value = other.get(type(default), lambda v: v + 1 if v else v + 0.25)(default)
    hint = typing.get_type_hints(cls)[field]
    if typing.get_origin(hint) is typing.Literal:
        value = next(word for word in typing.get_args(hint) if word not in (default, "auto"))
    own = {net: NETS[name][net]() for net in nets}
    said = rf"^{field} is .* and has no effect: {' and '.join(nets)} (is|are) of your own"
    model = cls(**own).set_params(**{field: value})
    with pytest.raises(InputError, match=said):
        model.check_effects({})
    model.set_params(**{field: default}).check_effects({})
    for net in nets:
        usual = "concatenation" if isinstance(getattr(cls(), net), str) else None
        alone = model.set_params(**{field: value, net: usual})
        assert not part.idle(alone)
        model.set_params(**{net: own[net]})


def test_each_shaping_field_is_under_law():
    names = {(name, field) for name, field, _ in BESIDE}
    assert {("VAE", "hidden"), ("DEC", "activation"), ("DCGAN", "width")} <= names
    shaped_by_both = {name for name, field, _ in BESIDE if field == "architecture"}
    assert shaped_by_both >= {name for name, makers in NETS.items() if "encoder" in makers}
    assert {("Autoencoder", "tied"), ("GAN", "minibatch_discrimination")} <= names
    assert {("SRGAN", "n_blocks"), ("CycleGAN", "receptive_field"), ("WGAN", "critic")} - names == {
        ("WGAN", "critic")
    }
    assert is_own_net(nn.Identity())
    assert not any(map(is_own_net, (None, "projection", 3, (4,))))


class Unlike(GradientModel):
    """A class that derives from the root alone."""

    def build(self, shape):
        self.net_ = nn.Linear(prod(shape), 1)

    def updates(self):
        return [latentia.Update("outputs", self.square, [self.net_])]

    def square(self, x, *targets):
        return self.net_(x.reshape(len(x), -1)).square().mean()


LOSSES = {
    "generator_loss": [*GAMES, "Pix2Pix", "SRGAN"],
    "generators_loss": ["CycleGAN"],
}
LOSS = {name: loss for loss, names in LOSSES.items() for name in names}
"""The method that a class of the user's own overrides, where it is not ``loss``."""


def derived(name, factor=0.0):
    """Return a class that adds the weights' squares, and a field, to a model's loss."""
    loss = LOSS.get(name, "loss")
    base = type(EVERY[name])

    class Mine(base):
        """My own."""

        factor: float = 0.0
        """Weight of the squares."""

        def added(self, *batch):
            update = next(u for u in self.updates() if u.loss == getattr(self, loss))
            squares = [w.square().mean() for w in update.parameters()]
            return getattr(base, loss)(self, *batch) + self.factor * torch.stack(squares).sum()

    setattr(Mine, loss, Mine.added)
    return Mine


def data_of(name):
    """Return what a model is fitted on."""
    if name in small_sequence_models():
        return ("a rose is a rose is a rose. " * 20, None)
    return IMAGES, answers(name, IMAGES)


@pytest.mark.parametrize("name", TRAINED)
def test_a_class_of_ones_own_trains_by_its_loss_saves_loads_and_resumes(name, tmp_path):
    Mine = derived(name)
    known = EVERY[name].get_params()
    X, y = data_of(name)
    plain = Mine(**known | {"n_epochs": 1}).fit(X, y)
    model = Mine(**known, factor=3.0)
    assert "factor=3.0" in repr(model)
    assert clone(model).factor == 3.0
    model.set_params(n_epochs=1).fit(X, y, run=tmp_path / "run")
    longer = clone(model).set_params(n_epochs=2)
    at_once = clone(longer).fit(X, y, run=tmp_path / "whole")
    now, then = state(model), state(plain)
    assert any(not torch.equal(now[key], then[key]) for key in now)
    if name not in LOSS:
        (first,) = [r for r in records(tmp_path / "run") if r["split"] == "train"]
        assert next(iter(first["values"])) == "loss"
    path = model.save(tmp_path / "model")
    with pytest.raises(InputError, match=r"holds no known model: 'Mine'.*classes=\[Mine\]"):
        latentia.load(path)
    loaded = latentia.load(path, classes=[Mine])
    assert type(loaded) is Mine
    assert loaded.get_params() == model.get_params()
    sample = X[:9]
    np.testing.assert_array_equal(outputs(loaded, sample), outputs(model, sample))
    assert model.save(path, overwrite=True) == path
    if model.learning_rate_schedule == "constant" and not getattr(model, "decay", 0):
        resumed = clone(longer).fit(X, y, run=tmp_path / "run", resume=True)
        assert all(torch.equal(v, state(resumed)[key]) for key, v in state(at_once).items())


def records(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_a_class_from_the_root_alone_is_trained(tmp_path):
    model = Unlike(n_epochs=2, random_state=0).fit(IMAGES, run=tmp_path / "run")
    values = [r["values"] for r in records(tmp_path / "run") if r["split"] == "train"]
    assert values[1]["outputs"] < values[0]["outputs"]
    loaded = latentia.load(model.save(tmp_path / "model"), classes=[Unlike])
    assert torch.equal(loaded.net_.weight, model.net_.weight)
