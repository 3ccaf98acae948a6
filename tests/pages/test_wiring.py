"""What reaches which part of a page, a file and a card, and where what it gives is put."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from markupsafe import Markup
from sklearn.exceptions import NotFittedError

import latentia
from latentia import PCA, FactorAnalysis, InputError, load_data
from latentia.data.dataset import Dataset
from latentia.models.exported import Exported, Quantity
from latentia.pages import (
    agreement,
    card,
    export,
    facts,
    graphs,
    html,
    hub,
    live,
    named,
    provenance,
    scene,
)
from latentia.pages.card import Subject
from latentia.pages.program import Program
from latentia.training.config import RunConfig


def quantity(name="x", kind="row", shape=(2,), **more):
    return Quantity(name, kind, shape, "", **more)


def function(name, inputs=(), outputs=(), verb=None):
    return Exported(name, verb, verb, tuple(inputs), tuple(outputs))


CODE, ROW = quantity("z", "code", (3,)), quantity("x", "row", (5,))
IMAGE, LARGE = quantity("x", "image", (1, 8, 8)), quantity("x", "image", (3, 16, 16))
ENCODE, DECODE = function("encode", [ROW], [CODE]), function("decode", [CODE], [ROW])
TABLE = Dataset("a/rows.csv", np.ones((4, 5)), None, np.ones((2, 5)), None)
RANGES = np.array([[0, 1, 1], [-2.5, 3, 0], [np.nan, np.nan, 0], [1, 9, 1], [0, 0, 0]])


def noted(monkeypatch, module, *names):
    """Let functions of a module return their name and what they were given."""
    for name in names:
        monkeypatch.setattr(
            module, name, lambda *given, _n=name, **more: (_n, *given, *more.items())
        )


def test_each_part_of_a_page_is_what_its_function_gives(monkeypatch):
    noted(monkeypatch, html, "images_of", "title_of", "lead_of", "scene_of", "columns_of",
          "rows_of", "habit_of", "clusters_of", "check_of")  # fmt: skip
    beside = {"translation": "beside"}
    monkeypatch.setattr(html, "beside_of", lambda *given: beside | {"given": given})
    monkeypatch.setattr(
        html, "may_be_shown", lambda data, asked: (data, asked) == ("data", "asked")
    )
    monkeypatch.setattr(html, "coded", lambda functions: True)
    monkeypatch.setattr(html, "has_pad", lambda functions: True)
    known = lambda *given: [{"text": {"en": ""}}, {"text": {"en": given}}, {"text": {"en": "end"}}]  # noqa: E731
    monkeypatch.setattr(html.provenance, "facts", known)
    monkeypatch.setattr(html.provenance, "family_of", lambda model: f"family of {model}")
    monkeypatch.setattr(html.np, "ndim", lambda x: 2)
    data = SimpleNamespace(x_test=None)
    monkeypatch.setattr(html, "may_be_shown", lambda *given: given == (data, "asked"))
    functions = {"encode": "f"}
    found = html.content("model", functions, data, "run", "asked")
    assert found == {
        "title": ("title_of", "model", data, "run"),
        "lead": ("lead_of", functions),
        "family": "family of model",
        "facts": [{"text": {"en": ("model", data, "run")}}, {"text": {"en": "end"}}],
        "scene": ("scene_of", "model", functions, data),
        "images": ("images_of", data),
        "columns": ("columns_of", functions, data),
        "rows": ("rows_of", data, functions, True),
        "habit": ("habit_of", data),
        "clusters": ("clusters_of", "model", functions, data),
        "checks": {"encode": ("check_of", "f")},
        "given": ("model", functions, data, True),
        **beside,
    }
    hidden = html.content("model", functions, data, "run", False)
    assert (hidden["images"], hidden["rows"][3], hidden["given"][3]) == ({}, False, False)
    monkeypatch.setattr(html, "has_pad", lambda functions: False)
    monkeypatch.setattr(html, "coded", lambda functions: False)
    bare = html.content("model", functions, data, "run", "asked")
    assert (bare["images"], bare["habit"]) == ({}, None)
    none = html.content("model", functions, None, None, True)
    assert (none["images"], none["habit"], none["rows"]) == (
        {},
        None,
        ("rows_of", None, functions, False),
    )


class Model:
    """Offers two functions and remembers nothing."""

    def exported(self):
        return (ENCODE, DECODE)


def test_a_page_is_written_of_its_parts(monkeypatch, tmp_path):
    noted(monkeypatch, html, "content", "html", "diagram_of", "refuse_existing", "write_page")
    calls = []
    monkeypatch.setattr(html, "write_page", lambda *given: calls.append(given))
    monkeypatch.setattr(html, "refuse_existing", lambda *given: calls.append(given))
    monkeypatch.setattr(html, "content", lambda *given: {"given": given})
    monkeypatch.setattr(html.provenance, "commands", lambda *given: given)
    program = SimpleNamespace(written=lambda path: f"written {path}")
    monkeypatch.setattr(html, "program_of", lambda *given: calls.append(given) or program)
    model, path = Model(), tmp_path / "p.html"
    given = (model, path, ("decode",), "single", True)
    assert html.write(*given, data="data", run="run", with_images=True) == [f"written {path}"]
    page = {"given": (model, {"decode": DECODE}, "data", "run", True), "commands": ("run", path)}
    assert calls == [
        (path, True),
        (model, ("decode",), "single"),
        (path, ("html", program, page, ("diagram_of", model, "data"))),
    ]


def test_a_page_within_another_is_made_of_the_same_parts(monkeypatch):
    noted(monkeypatch, live, "html", "diagram_of", "program_of")
    monkeypatch.setattr(live, "content", lambda *given: {"given": given})
    monkeypatch.setattr(live.provenance, "commands", lambda *given: given)
    model = Model()
    functions = {"encode": ENCODE, "decode": DECODE}
    page, shown = live.page_of(model, "data", "run", "asked")
    assert shown == {
        "given": (model, functions, "data", "run", "asked"),
        "commands": ("run", live.NAME),
    }
    program = ("program_of", model, ("encode", "decode"))
    assert page == ("html", program, shown, ("diagram_of", model, "data"))
    monkeypatch.setattr(live, "page_of", lambda *given: ("é" * 10, given))
    monkeypatch.setattr(live, "MOST_BYTES", 20)
    assert live.live_page(model, "data", Path("runs/a")) == "é" * 10
    monkeypatch.setattr(live, "MOST_BYTES", 19)
    with pytest.raises(InputError, match=r"'latentia export runs/a --out model.html' writes it"):
        live.live_page(model, "data", Path("runs/a"))


def test_the_page_of_a_run_has_its_data_and_its_folder(monkeypatch, tmp_path):
    calls, told = [], []
    licensed = replace(TABLE, x_test=np.ones((2, 4, 4)), licence="CC0")
    monkeypatch.setattr(html, "write", lambda *given, **more: calls.append((given, more)))
    monkeypatch.setattr(html, "tell_notes", lambda notes, shown: told.append((*notes, shown)))
    held = SimpleNamespace(hold_out=lambda: (licensed, None))
    monkeypatch.setattr(html, "data_of", lambda *given: calls.append(given) or held)
    path = tmp_path / "p.html"
    given = (path, ("decode",), "half", True)
    html.write_of_run(tmp_path, "model", *given, with_images=False)
    wanted = {"data": licensed, "run": None, "with_images": False}
    assert calls == [(tmp_path, None, "model"), (("model", *given), wanted)]
    (tmp_path / "config.json").touch()
    licensed = replace(licensed, licence="")
    html.write_of_run(tmp_path, "model", *given, with_images=True)
    assert calls[-1] == (
        ("model", *given),
        {"data": licensed, "run": tmp_path, "with_images": True},
    )
    assert told == []
    html.write_of_run(tmp_path, "model", *given)
    assert told == [(html.NO_IMAGES.format("a/rows.csv"), True)]
    licensed = replace(TABLE)
    html.write_of_run(tmp_path, "model", *given)
    assert len(told) == 1

    def gone(*given):
        raise OSError("it is gone")

    monkeypatch.setattr(html, "data_of", gone)
    html.write_of_run(tmp_path, "model", *given)
    assert calls[-1][1]["data"] is None
    assert told[1] == ("the page shows the model without its data, since it is gone", True)
    path.touch()
    with pytest.raises(InputError, match="exists"):
        html.write_of_run(tmp_path, "model", path, overwrite=False)


def test_a_run_s_files_are_of_its_model_with_its_facts(monkeypatch, tmp_path):
    noted(monkeypatch, export, "load", "facts_of_run", "written")
    noted(monkeypatch, html, "write_of_run")
    given = (("decode",), "single", True)
    file, page = Path("a.json"), Path("a.html")
    model = ("load", tmp_path)
    facts = ("facts_of_run", tmp_path)
    assert export.export_run(tmp_path, file, *given) == ("written", model, file, *given, facts)
    told = ("write_of_run", tmp_path, model, page, *given, ("with_images", True))
    assert export.export_run(tmp_path, page, *given, with_images=True) == told
    with pytest.raises(InputError, match=r"--with-images is for pages, and a.json is none"):
        export.export_run(tmp_path, file, *given, with_images=True)


@pytest.mark.parametrize("suffix", export.WRITERS)
def test_what_is_asked_reaches_each_writer(suffix, monkeypatch):
    calls = []
    module = SimpleNamespace(write=lambda *given, **more: calls.append((given, more)) or [])
    monkeypatch.setattr(
        export.importlib, "import_module", lambda name: calls.append(name) or module
    )
    model, out = PCA(n_components=1).fit(np.eye(3)), Path(f"a{suffix}")
    export.written(model, out, ["decode"], "auto", True)
    export.written(model, out, ["decode"], "single", False, {"data": 1})
    name = export.WRITERS[suffix]
    assert calls == [
        name, ((model, out, ("decode",), "auto", True), {}),
        name, ((model, out, ("decode",), "single", False), {"of_run": {"data": 1}}),
    ]  # fmt: skip


def test_files_of_several_functions_are_named_after_them(tmp_path):
    out = tmp_path / "vae.onnx"
    assert named.places(out, [ENCODE], False) == {"encode": out}
    found = named.places(out, [ENCODE, DECODE], False)
    assert {k: p.name for k, p in found.items()} == {
        "encode": "vae.encode.onnx", "decode": "vae.decode.onnx",
    }  # fmt: skip
    (tmp_path / "vae.decode.onnx").write_bytes(b"x" * 20_000)
    named.places(out, [ENCODE, DECODE], True)
    with pytest.raises(InputError, match=r"vae.decode.onnx exists"):
        named.places(out, [ENCODE, DECODE], False)
    told = str(named.Written(tmp_path / "vae.decode.onnx", {"decode": 2e-7}, {}, 16))
    assert "0.02 MB, weights of 16 bits" in told
    assert told.endswith("model: decode 2.0e-07")


LEADS = [
    ({"decode": DECODE}, "lead/row", {"k": 3, "d": 5}),
    ({"decode": function("decode", [quantity("z", "code", (1,))], [LARGE])}, "lead/image/one",
     {"k": 1, "d": 768}),
    ({"step": function("step", [ROW], [quantity("p", "probabilities", (65,))])}, "lead/step",
     {"v": 65}),
    ({"upscale": function("upscale", [IMAGE], [quantity("y", "image", (1, 32, 32))])},
     "lead/upscale", {"scale": 4}),
    ({"translate": function("translate", [IMAGE], [IMAGE])}, "lead/translate", {}),
    ({"critic": function("critic", [IMAGE], [ROW])}, "lead/other", {}),
]  # fmt: skip


@pytest.mark.parametrize(("functions", "key", "values"), LEADS, ids=[key for _, key, _ in LEADS])
def test_the_first_sentence_says_what_there_is_to_do(functions, key, values):
    assert html.lead_of(functions) == provenance.said(key, values)


def test_columns_are_told_of_tables_that_are_decoded_alone():
    table = SimpleNamespace(column_ranges=RANGES)
    found = html.columns_of({"decode": DECODE}, table)
    assert found[0] == {"low": 0, "high": 1, "whole": True}
    assert found[1] == {"low": -2.5, "high": 3, "whole": False}
    assert found[2] == {"low": 0, "high": 0, "whole": False}
    images = {"decode": function("decode", [CODE], [LARGE])}
    for functions, data in (
        ({"decode": DECODE}, None),
        ({"encode": ENCODE}, TABLE),
        (images, TABLE),
    ):
        assert html.columns_of(functions, data) is None


PADS = [
    ("encode", (8, 8), True), ("encode", (1, 8, 8), True), ("cluster", (64, 64), True),
    ("encode", (65, 64), False), ("encode", (64, 65), False), ("encode", (3, 8, 8), False),
    ("decode", (8, 8), False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "shape", "there"), PADS)
def test_there_is_a_pad_for_small_grey_images_that_are_read(name, shape, there):
    read = function(name, [quantity("x", "image", shape)], [CODE])
    assert html.has_pad({name: read}) == there
    assert not html.has_pad({name: function(name, [ROW], [CODE])})


def test_what_is_beside_is_of_the_function_that_there_is(monkeypatch):
    noted(monkeypatch, html, "translation_of", "enlarging_of")
    translated = {"translation": ("translation_of", "model", "data", True)}
    for name in ("translate", "translate_back"):
        assert html.beside_of("model", {name: "f"}, "data", True) == translated
    enlarged = {"enlarging": ("enlarging_of", "model", "f", "data", False)}
    assert html.beside_of("model", {"upscale": "f"}, "data", False) == enlarged
    assert html.beside_of("model", {"encode": "f"}, "data", True) == {}


@pytest.mark.parametrize(("kind", "sign"), [("probabilities", 1), ("distances", -1)])
def test_clusters_are_called_after_the_class_that_most_of_them_have(kind, sign, monkeypatch):
    values = sign * np.array([[9, 0, 0], [8, 0, 0], [7, 0, 0], [0, 9, 0], [0, 9, 0]], float)
    cluster = function("cluster", [IMAGE], [quantity("k", kind, (3,))], verb=lambda x: values)
    labels = np.array([1, 1, 0, 0, 0])
    monkeypatch.setattr(html, "held_out", lambda model, data: (None, labels))
    data = replace(
        TABLE, x_test=np.ones((5, 8, 8)), x_train=np.ones((4, 8, 8)), y_train=np.zeros(4),
        y_test=labels, class_names=("cat", "dog"),
    )  # fmt: skip
    assert html.clusters_of("model", {"cluster": cluster}, data) == ["dog", "cat", ""]
    unnamed = replace(data, class_names=())
    assert html.clusters_of("model", {"cluster": cluster}, unnamed) == ["1", "0", ""]
    assert html.clusters_of("model", {}, data) is None
    assert html.clusters_of("model", {"cluster": cluster}, None) is None
    monkeypatch.setattr(html, "held_out", lambda model, data: (None, None))
    assert html.clusters_of("model", {"cluster": cluster}, data) is None


def test_titles_name_what_was_learnt(tmp_path):
    model = PCA(n_components=1)
    assert html.title_of(model, TABLE, None)["en"].endswith(" · rows.csv")
    name = provenance.name_of(model)
    assert html.title_of(model, None, None) == name
    RunConfig("PCA", {}, {"spec": "/home/jane/t.csv"}).write(tmp_path)
    found = html.title_of(model, None, tmp_path)
    assert found == {lang: f"{text} · t.csv" for lang, text in name.items()}
    assert provenance.words()["noscript"]["en"]


DIFFERENCES = [
    ((0, 1), [0.5, 0.25], [0.5, 0.5], 0.25),
    ((-1, 1), [2.0, -3.0], [2.0, -4.0], 0.25),
    ((0, 2), [2.0, -3.0], [2.0, -4.0], 0.25),
    ((None, None), [0.5, 0.0], [0.0, 0.0], 0.5),
    ((0, 1), [0.5, np.nan], [0.5, 0.5], np.inf),
    ((0, 1), [0.5], [0.5, 0.5], np.inf),
]


@pytest.mark.parametrize(("ends", "a", "b", "wanted"), DIFFERENCES)
def test_a_difference_is_in_units_of_what_is_given(ends, a, b, wanted):
    q = quantity(low=ends[0], high=ends[1])
    assert agreement.difference(q, np.array(a, np.float32), np.array(b)) == wanted


def test_functions_are_compared_at_each_size_and_by_their_worst_output(monkeypatch):
    free = quantity("x", "image", (4, 4), low=0, high=1, free=1)
    outputs = (quantity("a", low=0, high=1), quantity("b", low=0, high=1))
    shapes = []

    def verb(x):
        shapes.append(x.shape)
        return x, x

    monkeypatch.setattr(agreement, "eager", lambda model, call, *given: call(*given))
    one = function("f", [free], outputs, verb)
    off = lambda x: [x, x + np.float32(0.125 * len(x))]  # noqa: E731
    assert agreement.differences(None, one, off) == pytest.approx(0.375)
    assert shapes == [(1, 4, 4), (3, 4, 4), (2, 5, 5)]
    shapes.clear()
    fixed = replace(one, inputs=(replace(free, free=0),))
    agreement.differences(None, fixed, off)
    assert shapes == [(1, 4, 4), (3, 4, 4)]


def test_a_deep_net_is_allowed_its_own_rounding(monkeypatch):
    monkeypatch.setattr(agreement, "rounding", lambda model, name: {"f": 1e-3, "g": 1e-9}[name])
    deep = SimpleNamespace(nets=lambda: {"net_": 1})
    found = {"f": 2e-5, "g": 3e-5}
    assert agreement.allowed("onnx", deep, found) == {"f": 3e-3, "g": 1e-5}
    assert agreement.allowed("onnx", SimpleNamespace(nets=dict), found) == {"f": 1e-5, "g": 1e-5}
    assert agreement.allowed("half", deep, found) == {"f": 5e-4, "g": 5e-4}
    assert agreement.allowed("onnx", deep, {"f": np.inf}) == {"f": 1e-5}
    agreement.refuse_other({"f": 1e-5}, {"f": 1e-5})
    with pytest.raises(
        InputError, match=r"exported f differs .* by 2.0e-05, and at most 1.0e-05 is al.*; x"
    ):
        agreement.refuse_other({"f": 2e-5}, {"f": 1e-5}, "; x")
    with pytest.raises(InputError):
        agreement.refuse_other({"f": np.nan}, {"f": 1e-5})


SIDES = [((8, 9), (1, 2)), ((3, 8, 9), (2, 3)), ((8, 9, 3), (1, 2)), ((8, 9, 4), (1, 2)),
         ((8, 9, 5), (2, 3)), ((2, 3, 4), (2, 3))]  # fmt: skip


@pytest.mark.parametrize(("shape", "axes"), SIDES)
def test_sides_of_an_image_are_found_whichever_way_its_channels_lie(shape, axes):
    assert graphs.sides_of(quantity("x", "image", shape)) == axes
    free = quantity("x", "image", shape, low=0, high=1, free=2)
    (larger,) = graphs.examples(function("f", [free]), 5, np.random.default_rng(0), 3)
    expected = [5, *shape]
    for axis in axes:
        expected[axis] += 6
    assert larger.shape == tuple(expected)


def test_examples_are_what_each_input_may_be():
    inputs = [
        quantity("s", "symbol", (4,), names=("a", "b", "c")),
        quantity("c", "class", (3,)),
        quantity("z", "code", (2,), low=-3, high=3),
        quantity("x", "row", (2,), low=(5, -1), high=(6, 1)),
    ]
    symbols, classes, codes, rows = graphs.examples(
        function("f", inputs), 400, np.random.default_rng(0)
    )
    assert sorted(set(symbols.ravel().tolist())) == [0, 1, 2]
    assert np.array_equal(classes.sum(axis=1), np.ones(400))
    assert classes.sum(axis=0).min() > 80
    assert np.abs(codes).max() > 2.5
    assert codes.std() == pytest.approx(1, abs=0.1)
    assert np.allclose(rows.min(axis=0), (5, -1), atol=0.05)
    assert np.allclose(rows.max(axis=0), (6, 1), atol=0.05)
    assert {part.dtype for part in (classes, codes, rows)} == {np.dtype(np.float32)}


TIMES = [(3.14159, "3.1 s", "3.1초"), (12.3, "12 s", "12초"), (119.9, "120 s", "120초"),
         (120, "2 min", "2분"), (7199, "120 min", "120분"), (7200, "2.0 h", "2.0시간")]  # fmt: skip


@pytest.mark.parametrize(("seconds", "english", "korean"), TIMES)
def test_times_are_told_in_words(seconds, english, korean):
    assert provenance.took(seconds) == {"en": english, "ko": korean}


TRAINED = [
    ((5,), {"samples": 1234}, 3, ["1,234 rows of 5 values", "3 epochs", "9 s"]),
    ((3, 8, 6), {"samples": 20}, 1, ["20 images of 6 × 8 pixels", "one epoch", "9 s"]),
    ((5,), {}, None, ["9 s"]),
]


@pytest.mark.parametrize(("shape", "origin", "epochs", "told"), TRAINED)
def test_a_training_is_told_from_its_record(shape, origin, epochs, told):
    model = SimpleNamespace(data_shape_=shape, n_epochs_=epochs)
    config = RunConfig("VAE", {}, {"spec": "own.csv"} | origin)
    found = [text["en"] for text in provenance.trained(model, config, {"seconds": 9})]
    assert found == told
    assert [text["en"] for text in provenance.trained(model, config, {})] == told[:-1]
    assert list(provenance.trained(SimpleNamespace(), None, {})) == []


def test_data_are_named_by_what_knows_them_first(monkeypatch, tmp_path):
    monkeypatch.setattr(provenance, "read_index", lambda zoo: {"run": SimpleNamespace(data="z")})
    run = tmp_path / "run"
    run.mkdir()
    assert provenance.data_name(TABLE, run) == "rows.csv"
    assert provenance.data_name(None, run) == "z"
    RunConfig("PCA", {}, {"spec": "/home/jane/own.csv"}).write(run)
    assert provenance.data_name(None, run) == "own.csv"
    assert provenance.data_name(None, None) == provenance.data_name(None, tmp_path / "no") == ""
    assert provenance.entry_of(None) is None


def test_facts_stand_in_their_rows(monkeypatch, tmp_path):
    figures = {"negative_elbo": 5.0, "frechet_distance": 2.0, "squared_error": 3.0,
               "adjusted_rand": 0.5, "memorisation": 0.25}  # fmt: skip
    monkeypatch.setattr(provenance, "recorded", lambda run: (run, figures))
    one = lambda text: provenance.both(text)  # noqa: E731
    monkeypatch.setattr(provenance, "sizes", lambda model: [one("sizes")])
    monkeypatch.setattr(provenance, "trained", lambda *given: [one(str(given[1:]))])
    monkeypatch.setattr(provenance, "data_name", lambda *given: f"name of {given}")
    entry = SimpleNamespace(licence="of the zoo")
    monkeypatch.setattr(provenance, "entry_of", lambda run: entry if run else None)
    monkeypatch.setattr(provenance, "doctor", lambda model, run: [one(f"doctor {run}")])
    model = PCA(n_components=1).fit(np.eye(3))
    data = replace(TABLE, origin="from there", licence="CC0")
    monkeypatch.setattr(Dataset, "__repr__", lambda self: "data")
    rows = list(provenance.facts(model, data, "run"))
    scores = [provenance.score(k, figures[k]) for k in list(figures)[:3]]
    copies = provenance.score("memorisation", 0.25)
    name = provenance.name_of(model)["en"]
    assert [(row["label"], row["text"]["en"], row["more"]) for row in rows] == [
        (provenance.said(f"fact/{key}"), text, more)
        for key, text, more in (
            ("model", f"{name}, sizes", None),
            ("trained", f"name of {(data, 'run')}, {('run', figures)}", None),
            *(("score", told["en"], meaning) for told, meaning in scores),
            ("copies", copies[0]["en"], copies[1]),
            ("doctor", "doctor run", None),
            ("learnt", f"{model.n_parameters():,}", None),
            ("licence", "CC0", one("from there")),
            ("version", f"Latentia {latentia.__version__}", None),
        )
    ]
    bare = list(provenance.facts(model, replace(data, origin="", licence=""), "run"))[-2]
    assert (bare["text"], bare["more"]) == (provenance.said("licence/unknown"), None)
    licence = provenance.said("fact/licence")
    zoo = [row for row in provenance.facts(model, None, "run") if row["label"] == licence]
    assert [row["text"]["en"] for row in zoo] == ["of the zoo"]
    labels = [row["label"] for row in provenance.facts(model, None, None)]
    assert licence not in labels


def test_the_doctor_is_told_from_the_last_checkup(monkeypatch):
    checkup = {"split": "health", "note": "undertrained: 5 are left"}
    records = [{"split": "health", "note": "first"}, checkup, {"split": "train"}]
    monkeypatch.setattr(provenance, "read_metrics", lambda run: records)
    ill = SimpleNamespace(diagnosis_="undertrained")
    known = provenance.said("doctor/undertrained")
    assert provenance.doctor(ill, "run") == [known | {"en": checkup["note"]}]
    assert provenance.doctor(ill, None) == [known]
    records.append({"split": "health"})
    assert provenance.doctor(ill, "run") == [known]
    assert provenance.doctor(SimpleNamespace(), "run") == []


FIGURES = {"negative_elbo": 5.25, "squared_error": 0.0321}


@pytest.fixture
def told(monkeypatch):
    """Return a subject whose recorded figures and commands are these."""
    monkeypatch.setattr(Subject, "figures", FIGURES)
    monkeypatch.setattr(card, "copying", lambda subject: "no <copies>")
    lines = ["latentia train pca --data rows.csv", "latentia export run"]
    monkeypatch.setattr(card.provenance, "commands", lambda run, out: lines if run else lines[1:])
    return Subject(PCA(n_components=1).fit(np.eye(3)), "jane/pca", TABLE, Path("run"))


def test_figures_of_a_card_are_told_with_how_they_came_about(told):
    heading, table, how, commands, copies, sentence = card.figures_told(told)
    assert (heading, copies, sentence) == (
        "## Figures", "## Copies of training data", "no &lt;copies&gt;",
    )  # fmt: skip
    lines = table.splitlines()[2:]
    for (key, value), line in zip(FIGURES.items(), lines, strict=True):
        known = card.DEFINITIONS[key]
        number = f"{card.format_number(value)} {known.unit}".strip()
        cells = (known.label, number, known.better, known.meaning)
        assert line == "| " + " | ".join(card.escaped(cell) for cell in cells) + " |"
    assert how == card.MEASURED
    again = "latentia evaluate hf://jane/pca --data rows-csv"
    assert commands == f"```\nlatentia train pca --data rows.csv\n{again}\n```"
    _, _, how, commands, *_ = card.figures_told(replace(told, run=None))
    assert how == card.MEASURED_AGAIN
    assert commands == f"```\n{again}\n```"


def test_a_card_is_put_together_of_its_parts(told, monkeypatch):
    monkeypatch.setattr(card, "metadata", lambda subject: {"license": "x"})
    monkeypatch.setattr(card, "learnt", lambda subject: ["a < b", "c"])
    monkeypatch.setattr(card, "not_for", lambda model: ["d", "e"])
    text = card.card(told, page=True)
    parts = re.sub("```.*?```", "code", text, flags=re.S).split("\n\n")
    assert parts[0] == "---\nlicense: x\n---"
    assert parts[1] == f"# {provenance.name_of(told.model)['en']}"
    assert parts[4].startswith("Download [index.html](index.html)")
    assert parts[5:7] == ["## What it learnt from", "- a &lt; b\n- c"]
    place = parts.index("## What it is not for")
    assert parts[place + 1 : place + 3] == ["- d\n- e", "## Parameters"]
    assert parts[place + 3].startswith("| parameter | value |\n|---|---|\n| iterated_power | 7 |")
    assert parts[-1] == f"Written by Latentia {latentia.__version__}.\n"
    assert "index.html" not in card.card(told, page=False)


def test_what_a_run_pushes_is_its_model_with_its_data(monkeypatch, tmp_path):
    notes = []
    monkeypatch.setattr(hub, "load", lambda run: f"model of {run}")
    monkeypatch.setattr(hub, "push", lambda *given: given)
    monkeypatch.setattr(hub, "tell_notes", lambda told, shown: notes.append((*told, shown)))
    held = SimpleNamespace(hold_out=lambda: (TABLE, None))
    monkeypatch.setattr(hub, "data_of", lambda *given: held if given[1] is None else None)
    found = hub.push_run(tmp_path, "hf://jane/it", "private", "page", "overwrite")
    subject = Subject(f"model of {tmp_path}", "jane/it", TABLE, tmp_path)
    assert found == (subject, "private", "page", "overwrite")

    def gone(*given):
        raise InputError("it is gone")

    monkeypatch.setattr(hub, "data_of", gone)
    assert hub.push_run(tmp_path, "jane/it", False, True, False)[0].data is None
    assert notes == [("the card tells nothing of the data, since it is gone", True)]


def test_a_page_that_cannot_be_is_said_and_the_card_knows(monkeypatch, tmp_path, told):
    notes, made = [], []
    monkeypatch.setattr(hub, "tell_notes", lambda told, shown: notes.append((*told, shown)))
    monkeypatch.setattr(html, "write", lambda *given, **more: made.append((given, more)))
    path = tmp_path / "index.html"
    licensed = replace(told, data=replace(TABLE, licence="CC0"))
    assert hub._write_page(licensed, path)
    assert made == [((told.model, path), {"data": licensed.data, "run": told.run})]
    assert notes == []
    assert hub._write_page(told, path)
    assert made[-1][1]["data"] is None
    assert notes == [(hub.WITHOUT_DATA.format(told.named), True)]
    assert hub._write_page(replace(told, data=None), path)
    assert len(notes) == 1

    def refused(*given, **more):
        raise InputError("of a gap")

    monkeypatch.setattr(html, "write", refused)
    assert not hub._write_page(licensed, path)
    assert notes[-1] == ("the model is sent without a page, since of a gap", True)
    monkeypatch.setattr(hub, "functions_of", lambda model: {})
    assert not hub._write_page(licensed, path)
    assert notes[-1] == ("PCA is sent without a page, which cannot run it", True)
    shown = []
    monkeypatch.setattr(hub, "card", lambda subject, page: shown.append((subject, page)) or "text")
    monkeypatch.setattr(hub, "_keep_origin", lambda folder, subject: shown.append(folder))
    hub.write_folder(told, tmp_path / "model", page=True)
    hub.write_folder(told, tmp_path / "model2", page=False)
    assert shown == [tmp_path / "model", (told, False), tmp_path / "model2", (told, False)]
    assert (tmp_path / "model" / "README.md").read_text() == "text"


def matrix_graph(name_in, name_out, sizes=("batch", 5)):
    """Return a file of ONNX that adds 1 to what it is given."""
    onnx = pytest.importorskip("onnx", reason="needs the extra onnx")
    h = onnx.helper
    float_ = onnx.TensorProto.FLOAT
    one = h.make_tensor("one", float_, [1], [1.0])
    graph = h.make_graph(
        [h.make_node("Add", [name_in, "one"], [name_out])],
        "g",
        [h.make_tensor_value_info(name_in, float_, sizes)],
        [h.make_tensor_value_info(name_out, float_, sizes)],
        [one],
    )
    return h.make_model(graph, opset_imports=[h.make_opsetid("", 18)], ir_version=9)


def test_a_file_of_onnx_is_run_compared_and_has_its_facts(monkeypatch, tmp_path):
    from latentia.pages import onnx_files

    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    model = PCA(n_components=5).fit(np.random.default_rng(0).normal(size=(9, 5)))
    add = function(
        "add", [quantity("x", "row", (5,), low=-1, high=1)], [quantity("y", "row", (5,))],
        verb=lambda x: x + np.float32(1.0),
    )  # fmt: skip
    monkeypatch.setattr(PCA, "exported", lambda self: (add,))
    monkeypatch.setattr(onnx_files, "converted", lambda twin, f: matrix_graph("x", "y"))
    out = tmp_path / "a.onnx"
    (written,) = onnx_files.write(model, out, (), "auto", False, {"data": {"name": "rows"}})
    assert (written.path, written.differences, written.bits) == (out, {"add": 0.0}, 32)
    assert written.allowed == {"add": agreement.LIMITS["onnx"]}
    import onnx

    facts = {entry.key: entry.value for entry in onnx.load(out).metadata_props}
    assert facts["function"] == "add"
    assert json.loads(facts["data"]) == {"name": "rows"}
    assert [q["name"] for q in json.loads(facts["inputs"])] == ["x"]
    assert [q["name"] for q in json.loads(facts["outputs"])] == ["y"]
    assert json.loads(facts["difference"]) == 0.0
    assert json.loads(facts["allowed"]) == agreement.LIMITS["onnx"]
    off = replace(add, verb=lambda x: x + np.float32(2.0), call=None)
    monkeypatch.setattr(PCA, "exported", lambda self: (off,))
    with pytest.raises(InputError, match="the exported add differs"):
        onnx_files.write(model, tmp_path / "b.onnx", (), "auto", False)
    assert not (tmp_path / "b.onnx").exists()


def test_sizes_in_a_file_of_onnx_have_names_that_say_what_they_are():
    from latentia.pages import onnx_files

    proto = matrix_graph("x", "y", ["s0", 3, "2*s1", "2*s2"])
    onnx_files.name_sizes(
        proto.graph, function("f", [quantity("x", "image", (3, 8, 8), free=2)], [IMAGE])
    )
    for value in (*proto.graph.input, *proto.graph.output):
        sizes = [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        assert sizes == ["batch", 3, "2*height", "2*width"]


def test_facts_of_a_run_tell_no_place(tmp_path):
    assert facts.facts_of_run(tmp_path) == {}
    config = RunConfig("PCA", {}, {"spec": "/home/jane/a.csv,/home/jane/b.csv", "samples": 7})
    config.write(tmp_path)
    (tmp_path / "evaluation.json").write_text('{"squared_error": 0.5, "seconds": 1}')
    data = {"name": "a.csv,b.csv", "samples": 7}
    assert facts.facts_of_run(tmp_path) == {"data": data, "figures": {"squared_error": 0.5}}
    replace(config, data={"spec": "digits"}).rewrite(tmp_path)
    known = load_data("digits")
    data = {"name": "digits", "origin": known.origin, "licence": known.licence}
    assert facts.facts_of_run(tmp_path)["data"] == data


def test_each_word_of_the_page_s_javascript_is_a_key_of_the_content():
    """The page's scripts read what Python wrote, by the names that it gave it."""
    folder = Path(html.__file__).parent / "templates"
    scripts = "\n".join((folder / f"{name}.js").read_text("utf-8") for name in html.SCRIPTS)
    asked = set(re.findall(r"\bPAGE\.(\w+)\b", scripts))
    model = PCA(n_components=2).fit(np.random.default_rng(0).normal(size=(9, 3)))
    known = html.content(model, {f.name: f for f in model.exported()}, None, None, False)
    scene = known["scene"]
    written = {"commands", "bits", "words", "kilobytes", "translation", "enlarging", *known}
    assert asked == written
    for part in (scene, scene["plane"], scene["prior"], scene["sliders"][0]):
        assert [key for key in part if not re.search(rf"\.{key}\b|\b{key}[,}} ]", scripts)] == []


def test_z_of_factors_is_drawn_with_their_correlations():
    z = np.random.default_rng(0).normal(size=(40, 2))
    model = FactorAnalysis(n_components=2)
    assert scene.prior_of(model, z) == {"kind": "normal"}
    model.factor_correlations_ = np.array([[1, 0.6], [0.6, 1]])
    found = scene.prior_of(model, z)
    assert found == {"kind": "normal", "factor": [[1, 0], [0.6, 0.8]]}


def test_z_of_a_model_without_a_prior_is_drawn_as_its_codes_lie(monkeypatch):
    draws = np.random.default_rng(0)
    z = draws.normal(size=(60, 3)) @ draws.normal(size=(3, 3)) + [5, 0, -2]
    found = scene.prior_of(PCA(), z)
    L = np.array(found["factor"])
    assert (found["kind"], "widths" in found) == ("fitted", False)
    assert np.allclose(found["mean"], z.mean(axis=0), atol=1e-3)
    assert np.allclose(L @ L.T, np.cov(z.T), atol=1e-3)
    monkeypatch.setattr(scene, "FACTORED", 2)
    many = scene.prior_of(PCA(), z)
    assert many.keys() == {"kind", "mean", "widths"}
    assert np.allclose(many["widths"], z.std(axis=0, ddof=1), rtol=1e-3)
    monkeypatch.setattr(scene, "FACTORED", 3)
    assert np.allclose(scene.prior_of(PCA(), z[:1])["factor"], np.eye(3), atol=1e-3)


REACHES = [
    ("normal", [[-1, 0.5], [1, 0.5]], (-3, -3), (3, 3)),
    ("normal", [[-5, 0], [1, 9]], (-5, -3), (3, 9)),
    ("uniform", [[-0.5, 0], [0.5, 0]], (-1, -1), (1, 1)),
    ("fitted", [[-1, 2], [1, 2]], (-3, 1), (3, 3)),
]


@pytest.mark.parametrize(("prior", "z", "low", "high"), REACHES)
def test_sliders_go_as_far_as_the_prior_or_the_codes(prior, z, low, high):
    found = scene.ranges_of(np.array(z, float), prior)
    assert np.allclose(found, (low, high))


def test_pins_are_typical_of_two_classes_or_far_apart():
    z = np.array([[0.0, 0], [0.1, 0], [5, 5], [5.1, 5], [2, 2], [2.2, 2]])
    labels = np.array([0, 0, 1, 1, 2, 2])
    assert scene.pins_of(z, labels) in ([[0, 0], [5, 5]], [[0.1, 0], [5, 5]], [[0, 0], [5.1, 5]])
    # Without classes, of the three rows that lie nearest to the mean.
    assert scene.pins_of(z, None) in ([[0.1, 0], [2.2, 2]], [[2, 2], [5, 5]], [[2, 2], [2.2, 2]])
    assert scene.pins_of(z, np.zeros(6)) == scene.pins_of(z, None)
    assert scene.pins_of(z[:1], None) == [[0, 0], [0, 0]]


def test_directions_lead_to_classes_that_lie_apart():
    draws = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 50)
    z = draws.normal(size=(150, 2)) + np.array([[0, 0], [0, 0], [9, 0]])[labels]
    found = scene.directions_of(z, labels)
    assert [d["class"] for d in found] == [0, 1, 2]
    two = scene.directions_of(z[50:], labels[50:])
    assert [d["class"] for d in two] == [2]
    assert np.allclose(two[0]["step"], [9, 0], atol=0.6)
    same = np.vstack([z[:50], z[:50]])
    assert scene.directions_of(same, labels[:100]) == []
    assert scene.directions_of(z, None) == []
    # The way is from 3 % of the spread to 7 % of it; from 5 % on it is one.
    pair = np.array([[-1.0, 0], [1, 0]])
    for way, n in ((0.03, 0), (0.07, 1)):
        near = np.vstack([pair, pair + np.array([way, 0])])
        assert len(scene.directions_of(near, np.array([0, 0, 1, 1]))) == n


def test_what_is_given_beside_z_is_each_class_in_turn_or_the_middle():
    classes = scene.condition(quantity("y", "class", (3,)), 5)
    assert classes.argmax(axis=1).tolist() == [0, 1, 2, 0, 1]
    middle = scene.condition(quantity("y", "row", (2,), low=(0, 2), high=(1, 4)), 3)
    assert np.allclose(middle, [[0.5, 3]] * 3)
    units = scene.units_of(quantity("x", "row", (3,), low=(0, 2, 1), high=(4, 2, np.inf)))
    assert units.tolist() == [4, 1, 1]


def test_facts_keep_numbers_as_numbers():
    model = PCA(n_components=2, random_state=3).fit(np.random.default_rng(0).normal(size=(9, 4)))
    found = facts.facts_of(model)
    assert (found["model"], found["data_shape"]) == ("PCA", [4])
    assert found["n_parameters"] == model.n_parameters()
    assert found["parameters"]["n_components"] == 2
    values = [0.5, np.inf, (1, 2.5), None, "a", True, Path("b")]
    assert facts._plain(values) == [0.5, "inf", [1, 2.5], None, "a", True, "b"]


@pytest.mark.parametrize(("half", "bits"), [([True, False], 16), ([False, False], 32)])
def test_a_file_holds_the_program_and_the_page_with_its_own_size(half, bits):
    model = PCA(n_components=2).fit(np.random.default_rng(0).normal(size=(9, 3)))
    page = html.content(model, {f.name: f for f in model.exported()}, None, None, False)
    page["commands"] = ["a < b"]
    told = {"inputs": [{"kind": "row"}], "outputs": [{"kind": "code"}]}
    weights = [torch.arange(6.0).reshape(2, 3), torch.ones(2)]
    back = {"inputs": told["outputs"], "outputs": told["inputs"]}
    program = Program({"encode": told, "decode": back}, weights, half, facts={"model": "PCA"})
    text = html.html(program, dict(page), Markup("<svg id=diagram></svg>"))
    blocks = dict(re.findall(r'<script[^>]*id="(program|page)"[^>]*>(.*?)</script>', text, re.S))
    assert json.loads(blocks["program"]) == json.loads(json.dumps(program.document()))
    own = {"bits": bits, "words": provenance.words(), "kilobytes": round(len(text.encode()) / 1000)}
    assert json.loads(blocks["page"]) == json.loads(json.dumps(page | own))
    script = re.search(r"<script>(.*?)</script>", text, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text.replace("&#39;", "'")
    assert f"<title>{page['title']['en']}</title>" in text
    assert "<svg id=diagram></svg>" in text


@pytest.mark.parametrize("asked", [hub.push_to_hub, export.export])
def test_what_is_not_fitted_is_not_handed_on(asked, tmp_path):
    with pytest.raises(NotFittedError):
        asked(PCA(), "jane/pca" if asked is hub.push_to_hub else tmp_path / "a.json")
