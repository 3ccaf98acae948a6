"""What is exported gives what the verbs give: of every model, in torch and in Chromium."""

import functools
import json

import numpy as np
import pytest
import torch

from latentia import MODELS
from latentia.errors import InputError
from latentia.pages.graphs import chosen, examples, quiet
from latentia.pages.program import program_of
from tests.laws.test_laws import NAMES, fitted
from tests.models.language.conftest import RHYME, small_sequence_models

SEQUENCES = ["RNNLanguageModel", "LSTMLanguageModel"]
EVERY = [*NAMES, *SEQUENCES]
SINGLE, HALF = 1e-6, 5e-4
CHOSEN = {
    "PCA": "encode",
    "FactorAnalysis": "decode",
    "ConditionalVAE": "encode",
    "DEC": "cluster",
    "DCGAN": "generate",
    "LSTMLanguageModel": "step",
}
"""A function of each family: torch takes half a second and more to trace one."""
pytestmark = pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")


def every(chosen=CHOSEN):
    """Return the models under the law, all but a few of which take long."""
    slow = pytest.mark.slow
    return [name if name in chosen else pytest.param(name, marks=slow) for name in EVERY]


def only(name, whole):
    """Return which functions are exported: all in the long form, else the family's own."""
    return () if whole or name not in CHOSEN else (CHOSEN[name],)


@functools.cache
def trained(name):
    return small_sequence_models()[name].fit(RHYME) if name in SEQUENCES else fitted(name)


@functools.cache
def program(name, whole):
    return program_of(trained(name), only(name, whole), precision="single")


@pytest.fixture
def whole(request):
    """Whether the tests that take long run too, and so all functions are looked at."""
    return "not slow" not in request.config.option.markexpr


def labels_of(model, y):
    return model.classes_[y.argmax(1)]


def by_the_verb(model, name, *given):
    """Return what the model's public verb gives for the inputs of an exported function."""
    x, *y = given
    y = [labels_of(model, part) for part in y] if model.takes_labels else y
    if name in ("encode", "translate", "upscale"):
        return model.transform(x, *y)
    if name in ("decode", "generate", "translate_back"):
        return model.inverse_transform(x, *y)
    if name == "cluster" and hasattr(model, "predict_proba"):
        return model.predict_proba(x)
    if name == "cluster":
        return np.square(model.transform(x)[:, None] - model.cluster_centers_).sum(-1)
    assert name == "step"
    log_p, state = model.advance(torch.from_numpy(y[0]).permute(1, 2, 0, 3), x)
    return np.exp(log_p), state.permute(2, 0, 1, 3).numpy()


def difference(a, b):
    return np.abs(np.asarray(a, np.float64) - b).max() / max(1.0, np.abs(b).max())


def wanted(name, whole, seed=1, sizes=(1, 3)):
    """Yield functions with a verb, inputs of each batch, and what the verb gives for them."""
    model, draw = trained(name), np.random.default_rng(seed)
    for function in chosen(model.exported(), only(name, whole)):
        if function.name.startswith("critic"):
            continue
        for n in sizes:
            given = examples(function, n, draw)
            found = by_the_verb(model, function.name, *given)
            yield function, given, found if isinstance(found, tuple) else (found,)


def test_every_model_is_exported_or_says_why():
    assert {*EVERY, "NGramLanguageModel"} == set(MODELS)
    model = small_sequence_models()["NGramLanguageModel"].fit(RHYME)
    with pytest.raises(InputError, match="looks its grams up in tables"):
        model.exported()


@pytest.mark.parametrize("name", every())
def test_a_program_gives_what_the_verbs_give(name, whole):
    made = program(name, whole)
    for function, given, expected in wanted(name, whole):
        found = made.run(function.name, *given)
        assert len(found) == len(expected) == len(function.outputs)
        for quantity, a, b in zip(function.outputs, found, expected):
            assert a.shape == b.shape == (len(given[0]), *quantity.shape)
            assert difference(a, b) <= SINGLE


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("suffix", [".onnx", ".pt2"])
def test_a_file_gives_what_the_verbs_give(name, suffix, tmp_path):
    for path in trained(name).export(tmp_path / f"m{suffix}"):
        run, _ = opened_file(path)
        for function, given, expected in wanted(name, True, seed=3, sizes=(1, 3, 5)):
            if path.name in (f"m.{function.name}{suffix}", f"m{suffix}"):
                found = run(*given)
                assert all(difference(a, b) <= LIMIT[suffix] for a, b in zip(found, expected))


LIMIT = {".onnx": 1e-5, ".pt2": SINGLE}


def opened_file(path):
    """Return what runs an exported file by its own software, and the facts in it."""
    if path.suffix == ".onnx":
        from onnxruntime import InferenceSession

        session = InferenceSession(path, providers=["CPUExecutionProvider"])
        names = [part.name for part in session.get_inputs()]
        facts = session.get_modelmeta().custom_metadata_map
        return lambda *x: session.run(None, dict(zip(names, x))), facts
    extra = {"latentia.json": ""}
    with quiet():
        graph = torch.export.load(path, extra_files=extra).module()

    def run(*x):
        with quiet(), torch.no_grad():
            return [part.numpy() for part in graph(*map(torch.from_numpy, x))]

    return run, json.loads(extra["latentia.json"])


@pytest.mark.slow
def test_other_sizes_of_images_go_through_a_file_of_onnx(tmp_path):
    model = trained("SRResNet")
    (path,) = model.export(tmp_path / "large.onnx")
    run, facts = opened_file(path)
    x = np.random.default_rng(0).random((2, 5, 9), dtype=np.float32)
    assert difference(run(x)[0], model.transform(x)) <= 1e-5
    assert facts["model"] == "SRResNet"
    assert facts["function"] == "upscale"
    assert 0 <= float(facts["difference"]) <= 1e-5
    assert json.loads(facts["inputs"])[0]["free"] == 1


def test_a_graph_of_torch_carries_its_facts(tmp_path):
    model = trained("VAE")
    (path,) = model.export(tmp_path / "v.pt2", only=["decode"])
    run, facts = opened_file(path)
    z = np.random.default_rng(0).standard_normal((4, 3), dtype=np.float32)
    assert difference(run(z)[0], model.inverse_transform(z)) <= SINGLE
    assert (facts["model"], facts["function"]) == ("VAE", "decode")
    assert facts["outputs"][0]["shape"] == [8, 8]
    assert facts["parameters"]["n_components"] == 3


def plain(array):
    return {"data": np.asarray(array, float).ravel().tolist(), "shape": list(array.shape)}


@pytest.mark.parametrize("name", every())
def test_the_runtime_gives_what_the_verbs_give(name, runtime, whole):
    calls, expected = [], []
    for function, given, found in wanted(name, whole, seed=2):
        inputs = {q.name: plain(x) for q, x in zip(function.inputs, given)}
        calls.append({"name": function.name, "given": inputs})
        expected.append((function, found))
    document = json.loads(json.dumps(program(name, whole).document()))
    # Twice: what is left in memory that is used again must not be seen.
    for result, (function, outputs) in zip(runtime(document, calls * 2), expected * 2, strict=True):
        for quantity, b in zip(function.outputs, outputs):
            a = result[quantity.name]
            assert a["shape"] == list(b.shape)
            assert difference(np.reshape(a["data"], b.shape), b) <= SINGLE, function.name
