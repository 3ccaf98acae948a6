"""``latentia export`` and ``model.export``: which files are written, and what is said of them."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import latentia
from latentia.cli.main import main
from latentia.errors import InputError
from latentia.models.apply import eager
from latentia.pages import program as programs
from latentia.pages.facts import facts_of_run
from latentia.pages.graphs import quiet

ROWS = np.random.default_rng(0).normal(size=(30, 4))


@pytest.fixture(scope="module")
def model():
    return latentia.ProbabilisticPCA(n_components=2).fit(ROWS)


@pytest.fixture
def traced_once(monkeypatch):
    """Trace the function of a name once, however often its model is exported."""
    known = {}

    def remembered(model, function, traced=programs.traced):
        return known.get(function.name) or known.setdefault(function.name, traced(model, function))

    monkeypatch.setattr(programs, "traced", remembered)
    monkeypatch.setattr("latentia.pages.torch_files.traced", remembered)


@pytest.fixture
def saved(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model.save("model")
    return tmp_path


def test_the_command_writes_and_tells_the_difference(saved, capsys, traced_once):
    assert main(["export", "model", "--out", "p.json"]) == 0
    document = json.loads((saved / "p.json").read_text())
    found = document["facts"]["differences"]
    told = capsys.readouterr().out
    assert told.startswith("p.json: ")
    assert all(f"{name} {value:.1e}" in told for name, value in found.items())
    assert list(document["functions"]) == ["encode", "decode"]
    assert document["facts"]["model"] == "ProbabilisticPCA"
    assert document["facts"]["parameters"]["n_components"] == 2
    assert main(["export", "model", "--out", "p.json"]) == 2
    assert "p.json exists" in capsys.readouterr().err
    assert main(["export", "model", "--out", "p.json", "--only", "decode", "--overwrite"]) == 0
    assert list(json.loads((saved / "p.json").read_text())["functions"]) == ["decode"]


def test_a_function_alone_has_the_name_that_was_given(model, tmp_path):
    assert model.export(tmp_path / "m.pt2", only=["decode"]) == [tmp_path / "m.pt2"]
    (tmp_path / "n.decode.pt2").write_text("mine")
    with pytest.raises(InputError, match=r"n\.decode\.pt2 exists"):
        model.export(tmp_path / "n.pt2")
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith("n.")] == ["n.decode.pt2"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--out p.onx", "did you mean '.onnx'?"),
        ("--out p", "must end in the suffix of a format"),
        (
            "--out p.json --only dcode",
            "there is no function 'dcode'; the model has encode, decode; did you",
        ),
        ("--out p.onnx --precision half", ".onnx has weights of 32 bits"),
    ],
)
def test_mistakes_are_told_in_a_sentence(words, said, saved, capsys):
    assert main(["export", "model", *words.split()]) == 2
    assert said in capsys.readouterr().err
    assert not list(saved.glob("p*"))


@pytest.mark.parametrize("precision", ["half", "single", "auto"])
def test_the_precision_reaches_the_program(precision, saved, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "latentia.pages.export.program_of",
        lambda model, only, how: seen.append(how) or programs.Program(),
    )
    with pytest.raises(KeyError):
        main(["export", "model", "--out", "p.json", "--precision", precision])
    assert seen == [precision]


def test_without_onnx_the_command_says_how_to_get_it(saved, monkeypatch, capsys):
    monkeypatch.setattr("latentia.pages.onnx_files.find_spec", lambda name: None)
    assert main(["export", "model", "--out", "p.onnx"]) == 2
    assert "pip install 'latentia[onnx]'" in capsys.readouterr().err


def test_what_is_not_fitted_or_offers_nothing_is_refused(tmp_path):
    with pytest.raises(Exception, match="not fitted"):
        latentia.PCA().export(tmp_path / "m.json")
    text = latentia.NGramLanguageModel(order=2).fit("abab" * 9)
    with pytest.raises(InputError, match="train rnn or lstm"):
        text.export(tmp_path / "m.json")
    with pytest.raises(InputError, match="give a list of names"):
        latentia.PCA().fit(ROWS).export(tmp_path / "m.json", only="encode")


def test_columns_of_tables_carry_their_names_and_usual_range(model):
    frame = pytest.importorskip("pandas").DataFrame(ROWS * 3 + 5, columns=list("abcd"))
    encode, decode = latentia.PCA().fit(frame).exported()
    (x,) = encode.inputs
    assert (x.kind, x.names, x.shape) == ("row", ("a", "b", "c", "d"), (4,))
    mean, deviation = frame.mean().to_numpy(), frame.std(ddof=1).to_numpy()
    np.testing.assert_allclose([x.low, x.high], [mean - 2 * deviation, mean + 2 * deviation])
    assert decode.outputs[0].names == x.names
    fewer = latentia.PCA(n_components=2).fit(ROWS).exported()[0].inputs[0]
    widths = np.square(np.subtract(fewer.high, fewer.low) / 4)
    assert widths.sum() == pytest.approx(ROWS.var(axis=0, ddof=1).sum())


def test_channels_last_stay_last():
    X = np.random.default_rng(0).random((8, 8, 8, 3), dtype=np.float32)
    settings = {
        "n_components": 2,
        "hidden": (4,),
        "n_epochs": 1,
        "random_state": 0,
        "device": "cpu",
    }
    model = latentia.Autoencoder(**settings).fit(X, channels="last")
    encode, decode = model.exported()
    assert encode.inputs[0].shape == decode.outputs[0].shape == (8, 8, 3)
    z = model.transform(X)
    np.testing.assert_allclose(eager(model, encode.call, X), z, atol=1e-6)
    np.testing.assert_allclose(eager(model, decode.call, z), model.inverse_transform(z), atol=1e-6)


def test_conditions_in_their_own_units():
    rng = np.random.default_rng(0)
    X, y = rng.random((16, 8, 8), dtype=np.float32), rng.normal(50, 4, (16, 2))
    settings = {
        "n_components": 2,
        "hidden": (4,),
        "n_epochs": 1,
        "random_state": 0,
        "device": "cpu",
    }
    model = latentia.ConditionalVAE(**settings).fit(X, y)
    _, decode = model.exported()
    z = rng.normal(size=(3, 2)).astype(np.float32)
    given = y[:3].astype(np.float32)
    found = eager(model, decode.call, z, given)
    np.testing.assert_allclose(found, model.inverse_transform(z, given), atol=1e-6)


def opened_facts(path):
    if path.suffix == ".json":
        return json.loads(path.read_text())["facts"]
    extra = {"latentia.json": ""}
    with quiet():
        torch.export.load(path, extra_files=extra)
    return json.loads(extra["latentia.json"])


@pytest.mark.parametrize("suffix", [".json", ".pt2"])
def test_a_run_tells_of_its_data_and_figures(suffix, saved, traced_once, monkeypatch):
    figures = {"squared_error": 0.25, "seconds": 3.0}
    config = SimpleNamespace(data={"spec": "digits", "samples": 7})
    read = {Path("model"): (config, figures)}
    monkeypatch.setattr("latentia.pages.facts.recorded", read.__getitem__)
    assert main(["export", "model", "--out", f"m{suffix}", "--only", "decode"]) == 0
    told = opened_facts(saved / f"m{suffix}")
    known = latentia.data.describe("digits")
    assert told["data"] == {
        "name": "digits",
        "origin": known.origin,
        "licence": known.licence,
        "samples": 7,
    }
    assert told["figures"] == {"squared_error": 0.25}
    assert told["model"] == "ProbabilisticPCA"


def test_where_data_lie_is_not_told(monkeypatch):
    config = SimpleNamespace(data={"spec": "/home/a/left.csv,/home/a/right.csv"})
    monkeypatch.setattr("latentia.pages.facts.recorded", lambda run: (config, {}))
    assert facts_of_run(Path("r")) == {"data": {"name": "left.csv,right.csv"}, "figures": {}}


def test_a_saved_model_tells_of_no_run(saved):
    assert facts_of_run(saved / "model") == {}


def test_a_file_for_onnx_runtime_takes_any_batch_and_names_what_goes_in_and_out(model, tmp_path):
    onnx, runtime = map(pytest.importorskip, ("onnx", "onnxruntime"))
    pytest.importorskip("onnxscript")
    [path] = model.export(tmp_path / "m.onnx", only=["encode"])
    graph = onnx.load(path).graph
    sizes = {
        value.name: [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.output)
    }
    assert sizes == {"x": ["batch", 4], "z": ["batch", 2]}
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for n in (1, 5, len(ROWS)):
        (z,) = session.run(None, {"x": ROWS[:n].astype(np.float32)})
        np.testing.assert_allclose(z, model.transform(ROWS[:n]), atol=1e-5)
