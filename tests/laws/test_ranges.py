"""The law of ranges: nothing outside what a verb, a loss or an argument is defined on gets in."""

import functools
import importlib
import inspect
import pkgutil
import types
import typing
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import latentia
import latentia.data
import latentia.explore
import latentia.metrics
from latentia import (
    VAE,
    Autoencoder,
    ConditionalVAE,
    DenoisingAutoencoder,
    FactorAnalysis,
    ImageClassifier,
    VaDE,
)
from latentia.errors import FitWarning, InputError, Range
from latentia.models.gradient import GradientModel
from tests.conftest import SHARED, learns_from, small_models
from tests.models.language.conftest import small_sequence_models

NAMES = list(small_models())
TRAINED = [name for name, model in small_models().items() if isinstance(model, GradientModel)]
TEXT = "Humpty Dumpty sat on a wall,\nHumpty Dumpty had a great fall.\n"


def images(name, n=12):
    """Return images for a model to learn from, and what is fitted beside them."""
    side = 16 if learns_from(small_models()[name]) == "pieces" else 8
    X = np.random.default_rng(0).random((n, side, side), dtype=np.float32)
    X[:, 0, 0], X[:, 0, 1] = 0, 1
    beside = {"pairs": X[..., ::-1].copy(), "domains": np.arange(n) % 2}
    return X, beside.get(learns_from(small_models()[name]), np.arange(n) % 3)


def short(name):
    """Return a small model that trains for one epoch."""
    fields = {"n_epochs": 1, "pretrain_epochs": 1}
    model = (small_models() | small_sequence_models())[name]
    return model.set_params(**{k: v for k, v in fields.items() if k in model.get_params()})


@functools.cache
def fitted(name):
    """Return a small model that has learnt: images, or a text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name not in NAMES:
            return short(name).fit(TEXT)
        return short(name).fit(*images(name))


VERBS = ("transform", "reconstruct", "score", "score_samples", "predict", "predict_proba")
VERBS += ("add_noise", "bound_terms", "active_units")


def beside(verb, model, y):
    """Return the further arguments of a verb that takes data."""
    parameters = inspect.signature(verb).parameters
    return (
        (y,) if "y" in parameters and parameters["y"].kind != inspect.Parameter.VAR_KEYWORD else ()
    )


BAD = {"NaN": np.nan, "infinity": np.inf, "below 0": -0.25, "above 1": 1.25}


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
@pytest.mark.parametrize("name", NAMES)
def test_every_verb_refuses_images_outside_their_range(name, value):
    model, (X, y) = fitted(name), images(name)
    bad = X.copy()
    bad[3, 2, 1] = value
    words = rf"nan|span .*{value:g}"
    with pytest.raises(InputError, match=words):
        clone(model).fit(bad, y)
    if isinstance(model, GradientModel):
        with pytest.raises(InputError, match=words):
            clone(model).fit(X, y, validation=(bad, y))
    tried = [verb for verb in VERBS if hasattr(model, verb)]
    for verb in tried:
        method = getattr(model, verb)
        with pytest.raises(InputError, match=words):
            method(bad, *beside(method, model, y))
    if hasattr(model, "latent_rows") and not np.isfinite(value):
        Z = np.zeros((2, model.n_latent))
        Z[1, 0] = value
        with pytest.raises(InputError, match=r"NaN|infinity"):
            model.inverse_transform(Z, *((y[:2],) if model.takes_labels else ()))
    if learns_from(model) == "pairs":
        with pytest.raises(InputError, match=words):
            model.score(X, bad)


BOUNDED = {
    "VAE": VAE(hidden=(4,), n_components=2, **SHARED),
    "VAE of bits": VAE(hidden=(4,), n_components=2, binarize=True, **SHARED),
    "VAE with L_k": VAE(hidden=(4,), n_components=2, n_importance=2, **SHARED),
    "ConditionalVAE": ConditionalVAE(hidden=(4,), n_components=2, **SHARED),
    "VaDE": VaDE(hidden=(4,), n_components=2, n_clusters=2, pretrain_epochs=1, **SHARED),
    "Autoencoder": Autoencoder(hidden=(4,), n_components=2, objective="bce", **SHARED),
    "DenoisingAutoencoder": DenoisingAutoencoder(
        hidden=(4,), n_components=2, objective="bce", **SHARED
    ),
    "clipped noise": DenoisingAutoencoder(hidden=(4,), n_components=2, **SHARED),
}
EVALUATED = ("score", "score_samples", "bound_terms", "active_units")


@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
@pytest.mark.parametrize("name", BOUNDED)
def test_a_likelihood_on_the_unit_interval_is_evaluated_on_nothing_else(name):
    """Bernoulli likelihood, cross-entropy and clipped noise: in scores, in held-out losses too."""
    X, y = np.random.default_rng(0).random((40, 5)), np.arange(40) % 2
    outside = X.copy()
    outside[7, 3] = 1.25
    model = clone(BOUNDED[name]).fit(X, y, validation=(X, y))
    words = r"holds 1\.25 in row 7, column 3, and must lie in \[0, 1\]"
    with pytest.raises(InputError, match=f"validation {words}"):
        clone(model).fit(X, y, validation=(outside, y))
    if hasattr(model, "score_samples"):
        for verb in EVALUATED:
            method = getattr(model, verb)
            with pytest.raises(InputError, match=f"X {words}"):
                method(outside, *beside(method, model, y))
            method(X, *beside(method, model, y))
    if hasattr(model, "add_noise"):
        with pytest.raises(InputError, match=f"X {words}"):
            model.add_noise(outside)


def test_a_gaussian_is_evaluated_on_any_number():
    X = np.random.default_rng(0).random((40, 5))
    model = VAE(hidden=(4,), n_components=2, observation="gaussian", **SHARED)
    assert model.fit(X, validation=X + 1).score(X + 1) < model.score(X)
    rounded = np.nextafter(np.ones((1, 5)), 2)
    assert np.isfinite(VAE(hidden=(4,), n_components=2, **SHARED).fit(X).score(rounded))


@pytest.mark.parametrize("name", small_sequence_models())
def test_texts_of_other_symbols_have_no_probability(name):
    model = fitted(name)
    for verb in ("score", "score_samples", "bits_per_symbol", "perplexity"):
        with pytest.raises(InputError, match="the text has 'ß' at place 3"):
            getattr(model, verb)("allß")
    with pytest.raises(InputError, match="the text has 'ß' at place 3"):
        model.sample(prompt="allß")
    with pytest.raises(InputError, match="must be a string, or a list of strings"):
        clone(model).fit(5)


@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
@pytest.mark.parametrize("name", NAMES)
def test_truth_values_are_zeros_and_ones(name):
    X, y = images(name)
    bits = X > 0.5
    pair = [y, y] if learns_from(small_models()[name]) != "pairs" else [y > 0.5, y > 0.5]
    models = [
        short(name).fit(bits, pair[0]),
        short(name).fit(bits.astype(np.float32), np.asarray(pair[1], np.asarray(y).dtype)),
    ]
    verb = next(v for v in ("transform", "sample") if hasattr(models[0], v))
    given = (y,) if models[0].takes_labels and verb == "transform" else ()
    first = bits if verb == "transform" else 3
    also = {"random_state": 0} if verb == "sample" else {}
    found = [getattr(model, verb)(first, *given, **also) for model in models]
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)
    if hasattr(models[0], "score"):
        scores = [models[0].score(each, pair[0]) for each in (bits, bits.astype(np.float32))]
        assert scores[0] == pytest.approx(scores[1])


@pytest.mark.parametrize("name", NAMES)
def test_every_verb_of_a_model_that_was_not_fitted_says_so(name):
    (X, y), model = images(name), short(name)
    given = {"sample": (3,), "inverse_transform": (np.zeros((2, 3)),)}
    for verb in (*VERBS, *given):
        if hasattr(model, verb):
            method = getattr(model, verb)
            with pytest.raises(NotFittedError, match=f"{type(model).__name__} .*not fitted yet"):
                method(*given.get(verb, (X, *beside(method, model, y))))


@pytest.mark.parametrize("name", NAMES)
def test_bytes_of_zeros_and_ones_are_refused_and_dark_images_are_told(name):
    X, y = images(name)
    model, bits = fitted(name), (X > 0.5).astype(np.uint8)
    with pytest.raises(InputError, match=r"uint8 of 0 and 1 alone.*astype\(bool\)"):
        clone(model).fit(bits, y)
    for verb in [verb for verb in VERBS if hasattr(model, verb)]:
        method = getattr(model, verb)
        with pytest.raises(InputError, match="uint8 of 0 and 1 alone"):
            method(bits, *beside(method, model, y))
    for dark in (X / 255, np.rint(X * 20).astype(np.uint8)):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            short(name).fit(dark, y)
        spans = [w for w in said if "pixels span 0 to" in str(w.message)]
        assert spans
        assert all(w.category is FitWarning for w in spans)
        assert __file__ in {w.filename for w in spans} or name == "FactorAnalysis"


@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
@pytest.mark.parametrize("architecture", ["", "convolutional"])
@pytest.mark.parametrize("name", TRAINED)
def test_a_batch_of_one_is_learnt_from_or_refused_in_a_sentence(name, architecture):
    model, (X, y) = short(name).set_params(batch_size=1), images(name, 6)
    if architecture:
        choices = typing.get_args(typing.get_type_hints(type(model)).get("architecture"))
        if architecture not in choices:
            return
        model.set_params(architecture=architecture)
    if hasattr(model, "packing"):
        model.set_params(packing=1)
    refused = ""
    try:
        model.fit(X, y)
    except InputError as error:
        refused = str(error)
    weights = [p.detach() for net in model.nets().values() for p in net.parameters()]
    assert "batch" in refused or all(bool(torch.isfinite(each).all()) for each in weights)


def numbers_of(function):
    """Return a function's parameters that are whole numbers or others, and their ranges."""
    found = {}
    for name, hint in typing.get_type_hints(function, include_extras=True).items():
        several = typing.get_origin(hint) in (types.UnionType, typing.Union)
        for part in typing.get_args(hint) if several else (hint,):
            annotated = typing.get_origin(part) is typing.Annotated
            plain, *more = typing.get_args(part) if annotated else (part,)
            if plain in (int, float) and name != "return":
                ranges = [each for each in more if isinstance(each, Range)]
                found[name] = plain, (ranges or [None])[0]
    return found


USED = (*VERBS, "inverse_transform", "sample", "truncated", "summary", "fit_covariance")
USED += ("score_weights", "measure", "bits_per_symbol", "perplexity")


def methods_with_numbers():
    """Return the verbs, by model, that take numbers beside data."""
    found = []
    for name in [*NAMES, *small_sequence_models()]:
        kind = type((small_models() | small_sequence_models())[name])
        for verb in USED:
            method = inspect.getattr_static(kind, verb, None)
            if inspect.isfunction(method) and verb not in kind.lacks and numbers_of(method):
                found.append((name, verb))
    return found


METHODS = methods_with_numbers()
PLAIN = {"measure of Pix2Pix", "measure of CycleGAN", "measure of Bicubic", "measure of SRResNet"}
PLAIN |= {"measure of SRGAN"} | {f"measure of {name}" for name in small_sequence_models()}
"""They draw nothing, and do not use the seed that every model is asked with."""


def test_there_are_methods_with_numbers():
    assert ("VAE", "sample") in METHODS
    assert ("SRGAN", "transform") in METHODS
    assert len(METHODS) > 50


@pytest.mark.parametrize(("name", "verb"), METHODS)
def test_a_method_refuses_numbers_of_another_kind_or_out_of_range(name, verb):
    if f"{verb} of {name}" in PLAIN:
        return
    model, method = fitted(name), getattr(fitted(name), verb)
    X, y = images(name) if name in NAMES else (TEXT, None)
    known = {"X": X, "text": X, "y": y, "S": np.eye(4), "data": None, "n_components": 1}
    wanted = inspect.signature(method).parameters.values()
    given = {p.name: known[p.name] for p in wanted if p.default is p.empty or p.name == "y"}
    if verb == "sample":
        given.pop("y", None)
    for parameter, (kind, allowed) in numbers_of(getattr(type(model), verb)).items():
        values = ["3", [2], np.nan, 10.0**300, 10**400, *([2.5, True] if kind is int else [])]
        for value in [*values, *([] if allowed is None else [allowed.low - 1])]:
            with pytest.raises(InputError, match=rf"^{parameter} is .*it must be "):
                method(**given | {parameter: value})


def public_functions():
    """Return every function that the package offers by name, and those of its metrics."""
    modules = [latentia, latentia.data, latentia.explore]
    offered = [getattr(module, name) for module in modules for name in module.__all__]
    found = {each for each in offered if inspect.isfunction(each)}
    for part in ("metrics", "theory"):
        home = importlib.import_module(f"latentia.{part}")
        for info in pkgutil.iter_modules(home.__path__, f"latentia.{part}."):
            module = importlib.import_module(info.name)
            own = [f for f in vars(module).values() if getattr(f, "__module__", "") == info.name]
            found |= {f for f in own if inspect.isfunction(f) and f.__name__[0] != "_"}
    return sorted(found, key=lambda f: f.__qualname__)


INSIDE = {
    "rows_of": "least",
    "lipschitz_bound": "shape",
    "as_density": "support",
    "filtered": "stride, padding: output_size checks them",
    "pooled": "side: output_size checks it",
    "strata": "n",
}
"""Functions that others call with checked numbers."""
ANY_NUMBER = {"missing_codes of load": "whatever stands for a missing cell"}
TAKING_NUMBERS = [f for f in public_functions() if numbers_of(f) and f.__name__ not in INSIDE]


@pytest.mark.parametrize("function", TAKING_NUMBERS, ids=lambda f: f.__qualname__)
def test_a_public_function_states_and_checks_the_ranges_of_its_numbers(function):
    numbers = {n: a for n, (_, a) in numbers_of(function).items()}
    numbers = {n: a for n, a in numbers.items() if f"{n} of {function.__name__}" not in ANY_NUMBER}
    assert all(numbers.values()), "a number has no range"
    wanted = inspect.signature(function).parameters.values()
    given = {p.name: 3 if p.name in numbers else "digits" for p in wanted if p.default is p.empty}
    for name in numbers:
        with pytest.raises(InputError, match=rf"^{name} is <object .*; (it must be|give) "):
            function(**given | {name: object()})


def test_a_list_of_public_functions_is_found():
    names = {f.__name__ for f in TAKING_NUMBERS}
    assert {"compare", "evaluate", "load_data", "load", "traverse", "psnr", "invert"} & names >= {
        "evaluate",
        "traverse",
        "psnr",
        "invert",
    }
    assert len(names) > 30


def test_the_checker_refuses_before_anything_is_done():
    for size in ("a", "0", "8x", "8x0", "8 whole", (8, 8, 8), (8, -1), -8):
        with pytest.raises(InputError, match=r"^image_size is .*it must be .*at least"):
            latentia.load_data("digits", image_size=size)
    for field in ("columns", "drop", "one_hot", "label", "weights", "index", "sheet"):
        for column in (-1, 2.5, *([[-1], ["a", 2.5]] if field in ("columns", "drop") else [])):
            with pytest.raises(InputError, match=rf"^{field} is .*it must be .*"):
                latentia.load_data("nothing.csv", **{field: column})
    with pytest.raises(InputError, match=r"held_out is 2; it must be at least 0 and at most 0\.5"):
        latentia.load_text("nothing.txt", held_out=2)
    with pytest.raises(InputError, match="a number in channels is 0; it must be at least 1"):
        ImageClassifier(channels=(0,)).fit(*images("VAE"))
    with pytest.raises(InputError, match=r"n_starts is .* at most 10000"):
        FactorAnalysis(n_starts=10**9).validate_parameters()
