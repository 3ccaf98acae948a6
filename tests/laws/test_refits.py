"""A fit replaces all that was learned, or leaves the model exactly as it was."""

import copy
import dataclasses
import inspect
import itertools
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from torch import nn

import latentia
from latentia.errors import InputError
from latentia.models.gradient import GradientModel
from latentia.models.linear.moments import Moments
from tests.conftest import learns_from, small_models
from tests.laws.test_fields import BESIDE, EXCEPTIONS, entry, values_of
from tests.models.language.conftest import RHYME, small_sequence_models

pytestmark = pytest.mark.filterwarnings(
    "ignore::latentia.errors.FitWarning", "ignore::RuntimeWarning"
)
PACKAGE = str(Path(latentia.__file__).parent)
MODELS = small_models() | small_sequence_models()
TRAINED = [name for name, model in MODELS.items() if isinstance(model, GradientModel)]
RNG = np.random.default_rng(0)
SIDE = 16
IMAGES = RNG.random((8, SIDE, SIDE), dtype=np.float32)
LARGER = RNG.random((8, 3, SIDE, SIDE + 4), dtype=np.float32)
CODED = [RNG.integers(1, 5, (30, d)).astype(float) for d in (6, 7)]
TABLE = RNG.normal(size=(12, 6)) * [1, 2, 3, 4, 5, 6] + 10
ONLY_IMAGES = ("DCGAN", "ConditionalGAN")

START = {
    "random_state": 0,
    "n_starts": 1,
    "n_rotation_starts": 1,
    "learning_rate_schedule": "constant",
    "kaiser": True,
    "noise_floor": 0.01,
    "max_iter": 100,
}
"""Values in place of None, of which there is no twice as much."""
OTHERS = {
    "missing": ["error", "fiml"],
    "n_components of FactorAnalysis": [2],
    "solver": ["auto", "covariance"],
    "n_epochs": [2],
    "pretrain_epochs": [1],
    "correlation": ["pearson", "polychoric"],
    "rotation": ["none", "promax"],
    "method": ["ml", "minres"],
    "algorithm of FactorAnalysis": ["newton", "em"],
    "max_iter": [50],
    "augmentation": ["colour"],
    "width": [2],
    "learning_rate_schedule": ["linear"],
    "activation": ["tanh"],
}
"""Values that are enough here, where every fit costs time."""


@pytest.fixture(autouse=True)
def values_without_effect(monkeypatch):
    """Take values that have no effect too, as a run that was begun before does."""
    monkeypatch.setattr("latentia.models.base.check_effects", lambda *_: None)


def data_of(name):
    """Yield what a model is fitted on in turn: two (X, y) of different shape and kind."""
    if name in small_sequence_models():
        return [(RHYME, None), (list(RHYME[::-1].upper()), None)]
    kind = learns_from(MODELS[name])
    if name == "FactorAnalysis":
        return [(X, None) for X in CODED]
    if kind == "pairs":
        return [(IMAGES, LARGER[..., :SIDE]), (LARGER, LARGER[:, 0])]
    if kind == "domains":
        return [(IMAGES, np.arange(8) % 2), (LARGER, np.array(["a", "b"])[np.arange(8) // 4])]
    if kind == "pieces":
        return [(IMAGES, None), (LARGER, None)]
    if name in ONLY_IMAGES:
        return [(IMAGES[:, 8:, 8:], np.arange(8) % 2), (LARGER[..., 8:, 8:], LARGER[:, 0, 0, :2])]
    return [(TABLE, TABLE[:, :2]), (IMAGES[:, 8:, 8:], np.arange(8) % 2)]


def start_of(name):
    """Return a small model without fields that are None."""
    model = clone(MODELS[name])
    quick = START | {"n_epochs": 1, "pretrain_epochs": 1, "batch_size": 8}
    return model.set_params(**{k: v for k, v in quick.items() if k in model.get_params()})


def allowed(model, **values):
    """Return whether the model takes these values, together with those that it has."""
    try:
        clone(model).set_params(**values).validate_parameters()
    except InputError:
        return False
    return True


def settings(name):
    """Yield combinations of hyperparameters that give each field each of its values once."""
    start = start_of(name)
    left = {}
    for field in (field.name for field in dataclasses.fields(start)):
        if not entry(EXCEPTIONS, field, name, None):
            chosen = entry(OTHERS, field, name, None) or values_of(start, field)
            left[field] = [value for value in chosen if value != getattr(start, field)]
    while any(left.values()):
        model, taken = clone(start), 0
        for field, values in left.items():
            beside = {k: v for k, v in entry(BESIDE, field, name, {}).items() if k != field}
            beside = {k: v for k, v in beside.items() if k in model.get_params()}
            for value in values[:1]:
                change = beside | {field: value} if not taken else {field: value}
                if allowed(model, **change):
                    model.set_params(**change)
                    values.remove(value)
                    taken += 1
        if not taken:
            break
        yield model.get_params()
    assert not any(left.values()), left
    yield start.get_params()


def frozen(value):
    """Return a value as something that can be compared."""
    if isinstance(value, nn.Module):
        return {k: frozen(v.cpu().numpy()) for k, v in value.state_dict().items()}
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.shape, value.tobytes())
    if isinstance(value, list):
        return [frozen(part) for part in value]
    if isinstance(value, dict):
        return {k: frozen(part) for k, part in value.items() if k != "seconds"}
    return repr(value)


def learned(model):
    """Return the learned attributes."""
    return {k: frozen(v) for k, v in vars(model).items() if k.endswith("_")}


@pytest.mark.parametrize("name", MODELS)
def test_a_second_fit_is_a_fresh_fit(name):
    """Whatever was set before, and whatever data came first."""
    model, turns = start_of(name), itertools.cycle(data_of(name))
    model.fit(*next(turns))
    for values, (X, y) in zip(settings(name), turns):
        fresh = clone(model).set_params(**values)
        try:
            fresh.fit(X, y)
        except InputError:
            X, y = next(turns)
            fresh.fit(X, y)
        assert learned(model.set_params(**values).fit(X, y)) == learned(fresh), values


def quick(*names):
    """Return the models that train, of which all but these are left to the long tests."""
    slow = pytest.mark.slow
    return [pytest.param(name, marks=[] if name in names else slow) for name in TRAINED]


@pytest.mark.parametrize("name", quick("VAE", "WGAN", "DEC", "RNNLanguageModel"))
def test_what_a_fit_began_with_or_was_held_to_is_nothing_to_the_next(name):
    """Another model, its own earlier weights, or held-out data that say when to end."""
    (X, y), _ = data_of(name)
    plain = start_of(name)
    fresh = learned(clone(plain).fit(X, y))
    other = clone(plain).set_params(random_state=1).fit(X, y)
    tuned = clone(plain).fit(X, y, start_from=other)
    beginnings = [learned(tuned), learned(other.set_params(random_state=0).fit(X, y))]
    assert beginnings[0] != fresh == beginnings[1]
    from_copy = learned(clone(plain).fit(X, y, start_from=copy.deepcopy(tuned)))
    assert learned(tuned.fit(X, y, start_from=tuned)) == from_copy != beginnings[0]
    assert learned(tuned.fit(X, y)) == fresh
    held = X if isinstance(X, str) else (X, y)
    patient = clone(plain).set_params(patience=1 if plain.is_scored else None, n_epochs=3)
    patient.fit(X, y, validation=held).set_params(patience=None, n_epochs=1)
    assert learned(patient.fit(X, y)) == fresh


@pytest.mark.parametrize("name", quick("VAE"))
def test_a_run_that_a_fit_went_on_with_is_nothing_to_the_next(name, tmp_path):
    (X, y), _ = data_of(name)
    open_ = start_of(name).set_params(n_epochs=None, n_steps=2)
    open_.fit(X, y, run=tmp_path / "open")
    longer = clone(open_).set_params(n_epochs=open_.n_epochs_ + 1)
    longer.fit(X, y, run=tmp_path / "open", resume=True).set_params(n_epochs=None)
    assert learned(longer.fit(X, y)) == learned(open_)


class BrokenOff(BaseException):
    """What no code expects."""


def broken_off(model, X, y, at):
    """Fit, and raise where the package is entered for the n-th time; return how often it was."""
    n = 0

    def note(frame, event, argument):
        nonlocal n
        code = frame.f_code
        # What is raised where a generator or a stream is being thrown away is lost.
        is_function = not (code.co_flags & inspect.CO_GENERATOR or code.co_name == "flush")
        if event == "call" and is_function and code.co_filename.startswith(PACKAGE):
            n += 1
            if n == at:
                raise BrokenOff

    sys.setprofile(note)
    try:
        model.fit(X, y)
    finally:
        sys.setprofile(None)
    return n


@pytest.mark.parametrize("name", MODELS)
def test_a_fit_that_breaks_off_leaves_the_model_as_it_was(name):
    first, second = data_of(name)
    unfitted = start_of(name)
    n_calls = broken_off(clone(unfitted), *second, at=0)
    fitted = clone(unfitted).fit(*first)
    for model in (fitted, unfitted):
        before = dict(vars(model))
        content = {k: frozen(v) for k, v in before.items()}
        for share in (0.1, 0.6, 0.98):
            with pytest.raises(BrokenOff):
                broken_off(model, *second, at=max(3, int(share * n_calls)))
            assert vars(model).keys() == before.keys()
            assert all(vars(model)[k] is v for k, v in before.items())
            assert {k: frozen(v) for k, v in before.items()} == content


@pytest.mark.parametrize("name", ["VAE", "GAN"])
def test_after_a_divergence_the_earlier_model_answers_or_none(name):
    (X, y), _ = data_of(name)
    model, other = start_of(name), start_of(name).set_params(learning_rate=1e30, n_epochs=9)
    with pytest.raises(InputError, match="try a smaller learning_rate"):
        other.fit(X, y)
    with pytest.raises(NotFittedError):
        other.sample()
    before = learned(model.fit(X, y))
    with pytest.raises(InputError, match="try a smaller learning_rate"):
        model.set_params(learning_rate=1e30, n_epochs=9).fit(X, y)
    assert learned(model) == before


@pytest.mark.parametrize(
    "model", [latentia.PCA(n_components=3), latentia.FactorAnalysis(n_components=2)]
)
def test_a_refused_block_leaves_no_trace(model):
    blocks = [RNG.normal(size=(20, 6)) for _ in range(3)]
    plain = clone(model)
    for block in blocks:
        plain.partial_fit(block)
    model.partial_fit(blocks[0])
    broken = blocks[1].copy()
    broken[7, 2] = np.nan
    for refused in (broken, blocks[1][:, :5]):
        with pytest.raises(ValueError, match=r"NaN|features"):
            model.partial_fit(refused)
    wanted = model.n_components
    with pytest.raises(InputError, match="n_components"):
        model.set_params(n_components=7).partial_fit(blocks[1])
    model.set_params(n_components=wanted)
    for block in blocks[1:]:
        model.partial_fit(block)
    assert learned(model) == learned(plain)


def test_moments_alone_say_whether_the_estimate_settled():
    X = RNG.normal(size=(50, 6))
    for algorithm, converged in (("closed_form", True), ("em", False)):
        model = latentia.ProbabilisticPCA(n_components=2, algorithm=algorithm, max_iter=3)
        apart = clone(model).fit_moments(Moments().add(X))
        assert apart.converged_ is converged
        assert learned(apart).items() <= learned(model.fit(X)).items()
