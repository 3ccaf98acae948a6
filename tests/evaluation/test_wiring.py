"""What is asked of an evaluation reaches what does it, and what comes back is put in its place."""

import json
import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from latentia import PCA, VAE, InputError
from latentia.data.dataset import Dataset
from latentia.data.named import UselessSizeError
from latentia.data.options import USUAL, TableOptions
from latentia.errors import FitWarning
from latentia.evaluation import (
    comparison,
    factor_report,
    fit_rules,
    memorisation,
    quality,
    runs,
    same_columns,
    sampled,
    sections,
    table_writing,
)
from latentia.models.factors.factor_analysis import FactorAnalysis
from latentia.models.factors.n_factors import Suggestion
from latentia.training.config import RunConfig

IMAGES = np.random.default_rng(0).random((60, 4, 4))
DATA = Dataset(
    "own", IMAGES[:40], np.arange(40) % 2, IMAGES[40:], np.arange(20) % 2, spec="own.npz",
    notes=("a note",),
)  # fmt: skip
OPTIONS = TableOptions(label="b")


def noted(monkeypatch, module, **found):
    """Note each call of a module's functions, which give what they are said to."""
    calls = []

    def note(name):
        def called(*given, **more):
            calls.append((name, *given, *more.items()))
            return found[name]

        return called

    for name in found:
        monkeypatch.setattr(module, name, note(name))
    return calls


def test_what_a_training_is_asked_reaches_its_data_and_its_fit(monkeypatch):
    calls = noted(monkeypatch, runs, tell_notes=None, fit_in_run="report")
    asked = []
    model = SimpleNamespace(
        validate_parameters=lambda: asked.append("validated"), resumable=True,
        load_data=lambda *given: asked.append(given) or DATA,
    )  # fmt: skip
    given = ("own.npz", "run", 28, 0.25, "progress", OPTIONS, "start", "live")
    assert runs.train(model, *given) == "report"
    assert asked == ["validated", ("own.npz", 28, 0.25, OPTIONS)]
    more = (("progress", "progress"), ("start_from", "start"), ("live", "live"))
    begins = "training begins with the weights in start"
    assert calls == [
        ("tell_notes", [begins, "a note"], "progress"),
        ("fit_in_run", model, DATA, "run", *more),
    ]
    runs.train(model, "own.npz", "run")
    assert calls[2] == ("tell_notes", ["a note"], None)
    model.resumable = False
    with pytest.raises(InputError, match="is fitted at once: it starts from no other fit"):
        runs.train(model, *given)


@pytest.fixture
def begun(tmp_path):
    """Return a function that begins a run with some parameters, and its folder."""

    def begin(name, parameters, **more):
        RunConfig(name, parameters, {"spec": "digits"}, versions={"latentia": "0.1"}, **more).write(
            tmp_path
        )
        return tmp_path

    return begin


def test_a_run_goes_on_with_its_own_parameters_and_data(monkeypatch, begun):
    made = SimpleNamespace(
        set_params=lambda **more: made.asked.append(more), asked=[], resumable=True,
        validate_parameters=lambda begun: made.asked.append(begun),
    )  # fmt: skip
    calls = noted(
        monkeypatch, runs, make=made, data_of=DATA, fit_in_run="report", ended_early=True,
        tell_notes=None,
    )  # fmt: skip
    run = begun("VAE", {"n_epochs": 2, "hidden": [8]})
    assert runs.resume(run, "progress", live="live") == "report"
    fit = (
        "fit_in_run",
        made,
        DATA,
        run,
        ("progress", "progress"),
        ("resume", True),
        ("live", "live"),
    )
    early = f"the run in {run} ended early: --more-epochs trains it further"
    assert calls == [
        ("make", "VAE", {"n_epochs": 2, "hidden": [8]}, {"latentia": "0.1"}),
        ("ended_early", run),
        ("tell_notes", [early], "progress"),
        ("data_of", run, None, made),
        fit,
    ]
    assert made.asked == [True]
    calls.clear()
    assert runs.resume(run, None, 7) == "report"
    assert made.asked[1:] == [{"n_epochs": 7}, True]
    assert [name for name, *_ in calls] == ["make", "data_of", "fit_in_run"]


def test_what_cannot_go_on_is_refused_in_its_own_words(monkeypatch, begun):
    run = begun("PCA", {"n_components": 2})
    with pytest.raises(InputError, match="PCA is fitted in closed form: leave --n-epochs out"):
        runs.resume(run, n_epochs=3)
    monkeypatch.setattr(runs, "_is_whole", lambda run: True)
    with pytest.raises(
        InputError, match=r"PCA is fitted at once, and the run .* is finished: there"
    ):
        runs.resume(run)
    with pytest.raises(InputError, match="PCA is fitted at once, and has no checkpoints"):
        runs.go_back(run, "best", run)
    config = RunConfig.read(run)
    replace(config, data={"samples": 3}).rewrite(run)
    with pytest.raises(InputError, match=r"was started from Python: call fit\(\.\.\., resume=True"):
        runs.resume(run)
    replace(config, model="Mine").rewrite(run)
    with pytest.raises(InputError, match="If Mine is a class of your own, go on in Python"):
        runs.resume(run)
    replace(config, parameters={"encoder": {"own_net": "Net"}, "n_components": 2}).rewrite(run)
    with pytest.raises(
        InputError, match=r"of PCA\(encoder=Net\(\.\.\.\)\), nets of your own: go on"
    ):
        runs.resume(run)


def test_a_checkpoint_is_taken_back_by_its_name(monkeypatch, begun):
    from latentia.training import going_back

    monkeypatch.setattr(going_back, "take_back", lambda *given: given)
    run = begun("VAE", {"n_epochs": 2})
    assert runs.go_back(run, "best", "out") == (run, "best", "out")


class Reading:
    """A model that notes how it is asked for data."""

    def __init__(self, refuses=()):
        self.asked, self.refuses = [], refuses

    def load_data(self, spec, size, held_out, options):
        self.asked.append((spec, size, held_out, options))
        if size in self.refuses:
            raise UselessSizeError("of no use")
        return DATA


def data_of(monkeypatch, tmp_path, origin, *given, model=None, **more):
    """Return what a run's data are read as, what was told, and the data."""
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setattr(runs, "read_config", lambda place: {"data": origin})
    calls = noted(monkeypatch, runs, tell_notes=None, is_gone=False)
    monkeypatch.setattr(runs, "options_for", lambda *given: (given, ("said",)))
    monkeypatch.setattr(runs, "in_order_of", lambda model, data: replace(data, name="in order"))
    model = model or Reading()
    found = runs.data_of(tmp_path, *given[:1], model, *given[1:], **more)
    return model.asked, [call for call in calls if call[0] == "tell_notes"], found


ORIGIN = {"spec": "its.csv", "image_size": 32, "held_out": 0.2, "options": {"label": "a"}}
KEPT = TableOptions(label="a")


def test_data_of_a_run_are_read_as_it_read_them(monkeypatch, tmp_path):
    asked, told, found = data_of(monkeypatch, tmp_path, ORIGIN, None)
    assert asked == [("its.csv", 32, 0.2, KEPT)]
    assert told == [("tell_notes", DATA.notes, ("shown", False))]
    assert found is DATA
    asked, *_ = data_of(monkeypatch, tmp_path, ORIGIN, None, OPTIONS, 64)
    assert asked == [("its.csv", 64, 0.2, KEPT.under(OPTIONS))]
    asked, told, _ = data_of(monkeypatch, tmp_path, ORIGIN, None, whole=True)
    assert told[0][1] == DATA.notes_of_all


def test_other_data_are_read_as_is_asked_and_told(monkeypatch, tmp_path):
    model = Reading()
    asked, told, found = data_of(monkeypatch, tmp_path, ORIGIN, "new.csv", OPTIONS, model=model)
    assert asked == [("new.csv", 32, 0.2, ("new.csv", model, KEPT, OPTIONS))]
    assert found.name == "in order"
    assert told == [("tell_notes", ("said", "a note"), ("shown", True))]


def test_a_size_of_no_use_is_left_unless_it_was_asked_for(monkeypatch, tmp_path):
    model = Reading(refuses=(32, 64))
    asked, _, found = data_of(monkeypatch, tmp_path, ORIGIN, None, model=model)
    assert [size for _, size, *_ in asked] == [32, None]
    assert found.image_size == 32
    with pytest.raises(UselessSizeError):
        data_of(monkeypatch, tmp_path, ORIGIN, None, USUAL, 64, model=Reading(refuses=(64,)))


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        ({}, "does not say what it was trained on; give the data with --data"),
        ({"spec": 3}, "spec of data cannot be 3"),
        ({"spec": "x", "options": 7}, "options of data cannot be 7"),
    ],
)
def test_a_run_that_does_not_tell_its_data_is_refused(origin, words, monkeypatch, tmp_path):
    with pytest.raises(InputError, match=words):
        data_of(monkeypatch, tmp_path, origin, None)


class Fitted(PCA):
    """A model with a caveat and a finding."""

    def caveats(self, data):
        return (f"caveat on {data.name}",)

    def findings(self, data):
        return (f"finding on {data.name}",)


def test_figures_of_a_saved_model_are_told_with_their_caveats(monkeypatch):
    model = Fitted()
    kept = noted(monkeypatch, runs, load=model, data_of=DATA)

    def evaluated(given, data):
        assert given is model
        warnings.warn("it warns", FitWarning, stacklevel=1)
        return {"n": float(len(data.x_train))}

    monkeypatch.setattr(runs, "evaluate", evaluated)
    table, said = runs.figures("run", "new", OPTIONS)
    held, _ = DATA.hold_out()
    assert table == {"Fitted": {"n": len(held.x_train)}}
    assert said == ("it warns", "caveat on own", "finding on own")
    assert kept == [("load", "run"), ("data_of", "run", "new", model, OPTIONS)]


def test_longer_measurements_are_of_the_model_and_the_data_asked_for(monkeypatch, tmp_path):
    model, picture = Fitted(), tmp_path / "a.png"
    copies = SimpleNamespace(figure=lambda: "figure", __str__=None)
    calls = noted(
        monkeypatch, runs, load=model, data_of=DATA, importance_bound="bound",
        memorisation_check=copies, png_bytes=b"png",
    )  # fmt: skip
    judges = noted(monkeypatch, quality, judged="judged")
    found = list(runs.answers("run", "new", 30, picture, tmp_path / "judge", True, OPTIONS))
    assert (found[0], found[2]) == ("bound", "judged")
    assert found[1] == str(copies)
    assert picture.read_bytes() == b"png"
    assert calls[:3] == [
        ("load", "run"),
        ("data_of", "run", "new", model, OPTIONS),
        ("importance_bound", model, DATA, 30, ("progress", True)),
    ]
    assert calls[3][:2] == ("memorisation_check", model)
    assert judges[0][:2] == ("judged", model)
    assert judges[0][3] == tmp_path / "judge"
    for data in (calls[3][2], judges[0][2]):
        assert np.array_equal(data.x_train, DATA.hold_out()[0].x_train)
    assert list(runs.answers("run")) == []
    with pytest.raises(InputError, match=r"a\.png exists"):
        next(runs.answers("run", memorisation=picture))
    with pytest.raises(InputError, match=r"ends in '\.jpg'; the picture is a \.png"):
        next(runs.answers("run", memorisation=tmp_path / "a.jpg"))


@pytest.mark.parametrize(("name", "n"), [("a.png", 10), ("a.npz", 20)])
def test_reconstructions_stand_beside_what_went_in(name, n, monkeypatch, tmp_path):
    model = SimpleNamespace(
        reconstruct=lambda x, *labels: 1 - x + labels[0][:, None, None], labels_for=lambda y: (y,)
    )
    calls = noted(monkeypatch, runs, load=model, data_of=DATA, write_arrays="written")
    out = tmp_path / name
    assert runs.reconstruct("run", "new", out, False, OPTIONS) == "written"
    assert calls[:2] == [("load", "run"), ("data_of", "run", "new", model, OPTIONS)]
    _, path, ((first, x), (second, back)) = calls[2]
    assert (path, first, second) == (out, "original", "reconstructed")
    assert np.array_equal(x, DATA.x_test[:n])
    assert np.allclose(back, 1 - x + DATA.y_test[:n, None, None])
    out.touch()
    with pytest.raises(InputError, match="exists"):
        runs.reconstruct("run", "new", out)


def test_the_report_of_a_run_tells_its_data_in_their_places(monkeypatch):
    monkeypatch.setattr(runs, "versions", lambda: {"latentia": "1", "numpy": "2"})
    section = SimpleNamespace(title="the title")
    found = runs._report(Fitted(), DATA, [section], ["said"])
    assert (found.title, found.sections) == ("the title on own", (section,))
    assert found.notes == ("a note", "said", "caveat on own")
    assert found.facts == {
        "data": "Read from own.npz.",
        "training": "40 samples",
        "test": "20 samples",
        "versions": "latentia 1, numpy 2",
    }
    assert found.line == "latentia train · own · 40 samples to learn, 20 samples to test"
    known = replace(DATA, description="of noise", origin="Here", licence="CC0")
    found = runs._report(Fitted(), known, [section], [])
    assert found.facts["data"] == "Here. CC0."
    assert " · own: of noise · " in found.line


def test_a_finished_run_leaves_its_figures_and_its_report(monkeypatch, tmp_path, caplog):
    def evaluated(model, data):
        warnings.warn("it warns", FitWarning, stacklevel=1)
        return {"squared_error": 2.0, "seconds": 9.0}

    monkeypatch.setattr(runs, "evaluate", evaluated)
    calls = noted(monkeypatch, runs, model_section="section", with_live_page="live section",
                  write_report=None, _report="page")  # fmt: skip
    model = Fitted()
    runs.finish(model, DATA, tmp_path, 3.5)
    figures = {"squared_error": 2.0, "seconds": 3.5}
    assert json.loads((tmp_path / "evaluation.json").read_text()) == figures
    assert calls == [
        ("model_section", model, DATA, tmp_path, figures),
        ("_report", model, DATA, ["section"], ["it warns"]),
        ("write_report", tmp_path / "report.html", "page"),
    ]
    assert "it warns" in caplog.text
    runs.finish(model, DATA, tmp_path, 3.5, live=True)
    assert calls[4] == ("with_live_page", "section", model, DATA, tmp_path)
    assert calls[5][3] == ["live section"]


def test_copies_are_looked_for_among_training_samples(monkeypatch):
    calls = noted(monkeypatch, memorisation, nearest_training="nearest", copying_test="copying",
                  parzen_log_likelihood="parzen")  # fmt: skip
    model = VAE(n_components=2, hidden=(4,))
    drawn = np.random.default_rng(1).random((50, 4, 4))
    monkeypatch.setattr(VAE, "drawn_for", lambda self, *given: calls.append(given) or drawn)
    monkeypatch.setattr(memorisation, "MOST_VALUES", 16 * 10)
    monkeypatch.setattr(memorisation, "MOST_TRAINING_VALUES", 16 * 30)
    monkeypatch.setattr(memorisation, "MOST_COMPARED", 8)
    monkeypatch.setattr(memorisation, "SHOWN", 5)
    found = memorisation.memorisation_check(model, DATA, 7)
    assert (found.nearest, found.copying, found.parzen) == ("nearest", "copying", "parzen")
    train = memorisation.spread(DATA.x_train, 30)
    test = memorisation.spread(DATA.x_test, 10)
    (data, n, seed), nearest, copying, parzen = calls
    assert (data, n, seed) == (DATA, 10, 7)
    for call, wanted in (
        (nearest, ("nearest_training", train, drawn[:5])),
        (copying, ("copying_test", train, memorisation.spread(test, 8), drawn[:8])),
        (parzen, ("parzen_log_likelihood", drawn, test[::2], test[1::2])),
    ):
        assert call[0] == wanted[0]
        assert len(call) == len(wanted)
        assert all(np.array_equal(a, b) for a, b in zip(call[1:], wanted[1:]))


def test_a_judge_looks_at_as_many_draws_as_real_images(monkeypatch, tmp_path):
    judge = quality.ImageClassifier()
    judge.predict = lambda x: np.zeros(len(x), int)
    calls = noted(monkeypatch, quality, load=judge, sample_quality="figures", _trained_judge=judge)
    monkeypatch.setattr(VAE, "drawn_for", lambda self, *given: given)
    monkeypatch.setattr(quality, "LEAST_SAMPLES", 25)
    model = VAE(n_components=2, hidden=(4,))
    said = quality.judged(model, DATA, tmp_path)
    assert calls[0] == ("load", tmp_path)
    name, given, real, samples = calls[1]
    assert (name, given) == ("sample_quality", judge)
    assert np.array_equal(real, DATA.x_test)
    assert samples == (DATA, 25, 0)
    right = f"{(DATA.y_test == 0).mean():.1%}"
    assert said == f"figures\nthe classifier is right on {right} of the 20 real images"
    gone = tmp_path / "new"
    assert quality.judged(model, replace(DATA, y_test=None), gone) == "figures"
    assert calls[2][0] == "_trained_judge"
    assert calls[2][2] == gone
    with pytest.raises(InputError, match="PCA draws no samples to judge"):
        quality.judged(PCA(), DATA, tmp_path)


def test_what_is_asked_of_a_draw_reaches_the_model(monkeypatch, tmp_path):
    asked = []

    def draw(*given, **more):
        asked.append((given, more))
        return IMAGES[:3]

    model = SimpleNamespace(data_shape_=(4, 4), sample=draw)
    calls = noted(monkeypatch, sampled, load=model, write_arrays="written")
    monkeypatch.setattr(sampled, "_class_of", lambda model, label: f"class {label}")
    out = tmp_path / "a.npy"
    assert sampled.sample("run", 3, out, 7, label="b", noise=False) == "written"
    assert asked == [((3, 7), {"y": "class b", "noise": False})]
    assert calls[1][1] == out
    ((name, drawn),) = calls[1][2]
    assert name == "samples"
    assert drawn is not None
    monkeypatch.chdir(tmp_path)
    sampled.sample("run")
    assert asked[1] == ((64, None), {})
    assert calls[-1][1] == Path("samples.png")
    with pytest.raises(InputError, match="--round is of a table's columns"):
        sampled.sample("run", rounded=True)
    for name in ("prompt", "temperature", "length"):
        with pytest.raises(InputError, match=f"--{name} is for models of texts, and run is none"):
            sampled.sample("run", **{name: 1})


def test_texts_are_drawn_as_is_asked(monkeypatch, tmp_path):
    from latentia import NGramLanguageModel

    asked = []
    model = NGramLanguageModel(order=2)
    draw = lambda self, *given, **more: asked.append((given, more)) or ["one", "two"]  # noqa: E731
    monkeypatch.setattr(NGramLanguageModel, "sample", draw)
    monkeypatch.setattr(sampled, "load", lambda run: model)
    given = {"prompt": "a", "temperature": 0.5, "length": 9}
    assert sampled.sample("run", 2, None, 3, **given) == "one\n\ntwo\n"
    assert asked == [((2, 9), {"temperature": 0.5, "prompt": "a", "random_state": 3})]
    out = tmp_path / "a.txt"
    assert sampled.sample("run", out=out) == str(out)
    usual = {"temperature": 1.0, "prompt": "", "random_state": None}
    assert asked[1] == ((1, sampled.LENGTH), usual)
    assert out.read_text() == "one\n\ntwo\n"
    for more, words in (
        ({"noise": True}, "leave --noise out"), ({"rounded": True}, "leave --round out"),
        ({"overwrite": True}, "--overwrite is for the file of --out"),
        ({"label": "x"}, "leave --label out"), ({"out": tmp_path / "a.md"}, r"ends in '\.md'"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=words):
            sampled.sample("run", **more)


def test_arrays_are_written_as_the_suffix_asks(tmp_path):
    one, two = IMAGES[:9], IMAGES[9:18]
    png, npy, npz = (tmp_path / f"a{suffix}" for suffix in (".png", ".npy", ".npz"))
    for named, picture in (
        ([("x", one)], table_writing.tile(one, n_columns=3)),
        ([("x", one), ("back", two)], table_writing.rows([("x", one), ("back", two)])),
        ([("x", one[:2])], table_writing.tile(one[:2], n_columns=1)),
    ):
        assert table_writing.write_arrays(png, named) == png
        assert np.array_equal(np.asarray(Image.open(png)), picture)
    table_writing.write_arrays(npy, [("x", one), ("back", two)])
    assert np.array_equal(np.load(npy), two)
    table_writing.write_arrays(npz, [("x", one), ("back", two)])
    with np.load(npz) as found:
        assert sorted(found) == ["back", "x"]
        assert np.array_equal(found["x"], one)
        assert np.array_equal(found["back"], two)


RANGES = np.array([[0, 1, 1], [0, 1, 1], [1, 5, 1], [-2, 2, 0], [np.nan, np.nan, 1]], float)
COLUMNS = ["hue=red", "hue=blue", "n", "x", "y"]
DRAWN = np.array([[0.2, 0.7, 9.6, 0.5, 1.4], [0.9, 0.1, 2.4, -0.5, 2.6]])


def test_columns_are_rounded_and_words_again_where_training_had_them(monkeypatch):
    monkeypatch.setattr(sampled, "names_of", lambda model: COLUMNS)
    model = SimpleNamespace(column_ranges_=RANGES)
    found, notes = sampled.sampled_columns(model, DRAWN, True, "b")
    assert {k: v.tolist() for k, v in found.items()} == {
        "hue": ["blue", "red"], "n": [5, 2], "x": [0.5, -0.5], "y": [1.4, 2.6], "label": ["b", "b"],
    }  # fmt: skip
    assert list(found) == ["hue", "n", "x", "y", "label"]
    assert len(notes) == 2
    assert notes[0].endswith("unless --no-round: hue.")
    assert notes[1].endswith("unless --no-round: n.")
    plain, none = sampled.sampled_columns(model, DRAWN, False, None)
    assert {k: v.tolist() for k, v in plain.items()} == dict(zip(COLUMNS, DRAWN.T.tolist()))
    assert none == ()
    monkeypatch.setattr(sampled, "names_of", lambda model: None)
    assert list(sampled.sampled_columns(SimpleNamespace(), DRAWN, True, None)[0]) == [
        f"x{j}" for j in range(5)
    ]


def test_one_column_of_a_word_stays_a_number():
    alone = sampled._one_hot(["a=x", "b=y", "b=z", "b"], np.tile([0.0, 1, 1], (4, 1)))
    assert alone == {}
    found = sampled._one_hot(["a=x", "b=y", "b=z", "c=1", "c=2"], np.tile([0.0, 1, 1], (5, 1)))
    assert found == {"b": [1, 2], "c": [3, 4]}


HEALTH = {"split": "health", "epoch": 3, "note": "it is ill"}
END = {"split": "end", "epoch": 3, "note": "stopped"}


def test_a_section_says_what_the_run_s_records_say():
    assert list(sections._health([HEALTH | {"epoch": 1}, HEALTH])) == ["After epoch 3, it is ill."]
    assert list(sections._health([HEALTH, {"split": "health", "epoch": 4}])) == []
    best = SimpleNamespace(best_epoch_=2)
    assert list(sections._kept(best, [HEALTH, END])) == ["Training stopped."]
    (kept,) = sections._kept(best, [HEALTH])
    assert kept == f"The weights kept are those {sections.when(2)}: {sections.THE_BEST}."
    assert list(sections._kept(SimpleNamespace(), [HEALTH])) == []


@pytest.mark.parametrize(
    ("taken", "asked", "said"),
    [
        ("bfloat16", "auto", ", which a probe of the training step found faster."),
        ("bfloat16", "bfloat16", "The nets were trained in bfloat16."),
        ("float32", "auto", "The nets were trained in float32, which a probe"),
        ("float32", "float32", None),
        (None, "auto", None),
    ],
)
def test_the_precision_is_told_where_it_is_not_the_usual(taken, asked, said):
    model = SimpleNamespace(precision_=taken, get_params=lambda: {"precision": asked})
    found = list(sections._precision(model))
    assert (said is None) == (found == [])
    assert said is None or said in found[0]


def test_the_report_of_a_comparison_tells_its_data_in_their_places(monkeypatch):
    noted(monkeypatch, comparison, facts_of={"hash": "h"}, yardstick="the yardstick",
          versions={"latentia": "1"}, strip_of_test=(b"a",))  # fmt: skip
    section = SimpleNamespace(metrics={"frechet_distance": 1.0})
    data = replace(DATA, x_train=np.ones((48, 4, 6)), x_test=np.ones((20, 4, 6)))
    monkeypatch.setattr(Dataset, "hold_out", lambda self: (self, None))
    found = comparison._report(data, [section, section], ["n"], 5)
    assert found.facts == {
        "data": "Read from own.npz.", "sample": "4 × 6", "training": "44 samples",
        "held out for the curves": "4", "test": "20", "seed": "5", "versions": "latentia 1",
        "checksum of the training data": "h", "samples": "the yardstick",
    }  # fmt: skip
    assert found.line == "latentia compare · own · 44 to learn, 4 held out, 20 to test"
    assert (found.title, found.notes, found.n_test) == ("Two models on own", ("n",), 20)
    assert (found.images, found.compared, found.size) == (True, True, (6, 4))
    assert found.test_images == (b"a",)
    assert "samples" not in comparison._report(data, [SimpleNamespace(metrics={})], [], 5).facts


def suggested(monkeypatch, p, n=50, rows=True, **fields):
    """Return what `suggest` is asked for data of p columns, of which the last does not vary."""
    scale = np.append(np.ones(p), 0)
    one = SimpleNamespace(
        **{"missing": "error", "correlation": "pearson", "zero_add": 0.5} | fields,
        covariance_=np.diag(np.append(np.arange(1.0, p + 1), 0)), scale_=scale, n_samples_=n,
        baseline_log_likelihoods_=np.ones(p), remarks_=("a remark",), constant_=("flat",),
        checked=lambda x, reset: x,
    )  # fmt: skip
    asked = []
    monkeypatch.setattr(factor_report, "fitted", lambda model, observed: asked.append(model) or one)
    found = Suggestion({}, *[np.zeros(1)] * 2, None, None, np.zeros(1), {}, {})
    suggest = lambda *given, **more: asked.append((given, more)) or found  # noqa: E731
    monkeypatch.setattr(factor_report, "suggest", suggest)
    x = np.random.default_rng(0).random((n, p + 1))
    matrix = None if rows else "matrix"
    observed = factor_report.Observed("x", x if rows else None, matrix)
    told = factor_report.suggestion(FactorAnalysis(n_components=3, random_state=9), observed)
    trial, (given, more) = asked
    assert (trial.n_components, trial.rotation, trial.n_starts) == (1, "none", 1)
    assert np.allclose(given[0], np.eye(p))
    assert more["random_state"] == 9
    assert told.notes[0] == "a remark"
    assert "flat" in told.notes[1]
    return given[1:], more, x[:, :p]


SUGGESTED = [
    (5, {}, {"max_components": 4, "n_simulations": 100, "n_comparison": 500, "null": "normal"}),
    (60, {}, {"max_components": 12, "n_simulations": 100, "n_comparison": 500}),
    (61, {}, {"max_components": 12, "n_simulations": 100, "n_comparison": 0}),
    (200, {}, {"n_simulations": 100}),
    (201, {}, {"n_simulations": 20}),
    (30, {"correlation": "polychoric"},
     {"n_simulations": 100, "n_comparison": 0, "null": "permutation", "fit": None}),
    (31, {"correlation": "polychoric"}, {"n_simulations": 20}),
    (5, {"missing": "fiml"}, {"n_simulations": 20, "n_comparison": 0, "null": "permutation"}),
]  # fmt: skip


@pytest.mark.parametrize(("p", "fields", "wanted"), SUGGESTED)
def test_criteria_are_asked_as_the_data_allow(p, fields, wanted, monkeypatch):
    (n, x), more, rows = suggested(monkeypatch, p, **fields)
    assert n is None
    assert np.array_equal(x, rows)
    assert {key: more[key] for key in wanted} == wanted
    assert (more["correlate"] is None) == (not fields) == (more["fit"] is factor_report.implied)


def test_a_matrix_and_few_rows_are_not_cross_validated(monkeypatch):
    (n, x), *_ = suggested(monkeypatch, 5, rows=False)
    assert (n, x) == (50, None)
    (n, x), *_ = suggested(monkeypatch, 5, n=9)
    assert (n, x) == (9, None)
    (n, x), *_ = suggested(monkeypatch, 5, n=10)
    assert (n, x.shape) == (None, (10, 5))
    assert suggested(monkeypatch, 5, n=0, rows=False)[0] == (None, None)


def of_columns(*names):
    x = np.arange(3.0 * len(names)).reshape(3, -1)
    return Dataset("t", x, None, x + 100, None, columns=names)


ORDERS = [
    (("a", "b", "c"), ("a", "b", "c"), [0, 1, 2]),
    (("c", "a", "b"), ("a", "b", "c"), [1, 2, 0]),
    (("x", "c", "a", "b"), ("a", "b", "c"), [2, 3, 1]),
    (("u", "v", "w"), ("u", "v", "w"), [0, 1, 2]),
]


@pytest.mark.parametrize(("given", "names", "places"), ORDERS)
def test_columns_come_in_the_order_of_the_training(given, names, places):
    model = SimpleNamespace(columns_=["a", "b", "c"], feature_names_in_=["z"])
    data = of_columns(*given)
    found = same_columns.in_order_of(model, data)
    assert found.columns == names
    assert np.array_equal(found.x_train, data.x_train[:, places])
    assert np.array_equal(found.x_test, data.x_test[:, places])
    assert not hasattr(model, "feature_names_in_")
    assert ("have other names" in "".join(found.notes)) == (names[0] == "u")


@pytest.mark.parametrize("given", [("a", "b"), ("a", "b", "x"), ("x", "y"), ("x", "y", "z", "u")])
def test_columns_that_are_not_all_there_are_refused(given):
    model = SimpleNamespace(columns_=["a", "b", "c"])
    first = next(name for name in "abc" if name not in given)
    words = rf"t has no column '{first}', one of the 3 .* it has {', '.join(given)}"
    with pytest.raises(InputError, match=words):
        same_columns.in_order_of(model, of_columns(*given))
    assert same_columns.in_order_of(SimpleNamespace(), of_columns(*given)).columns == given


SUBJECTS = {
    "chi": ("holds exactly", "정확히 성립"),
    "rmsea": ("for each degree of freedom", "자유도당"),
    "cfi": ("in which nothing correlates", "아무 상관도 없는"),
    "tli": ("price on parameters", "모수의 수"),
    "srmr": ("left of the correlations", "남은 상관"),
    "kmo": ("worth factoring", "적합한 상관"),
    "sphericity": ("no variable correlates", "전혀 없는지"),
    "satorra_bentler": ("Satorra & Bentler", "Satorra & Bentler"),
    "yuan_bentler": ("rows with gaps", "결측이 있고"),
    "scaled_shifted": ("polychoric correlations", "다분상관에"),
}


def test_each_index_of_fit_is_explained_by_its_own_sentences():
    assert SUBJECTS.keys() == fit_rules.RULES.keys()
    for key, both in SUBJECTS.items():
        for words, text in zip(both, fit_rules.RULES[key], strict=True):
            assert [k for k, texts in fit_rules.RULES.items() if words in "".join(texts)] == [key]
            assert words in text


def test_a_model_that_cannot_be_had_here_is_left_out_by_its_name(monkeypatch):
    def absent(name):
        raise ModuleNotFoundError("VAE needs torch: pip install it", name=missing)

    monkeypatch.setattr(comparison, "kind_of", absent)
    missing = "torch"
    assert comparison._left_out("VAE", DATA) == "VAE was left out: it needs torch: pip install it."
    missing = "numpy"
    with pytest.raises(ModuleNotFoundError):
        comparison._left_out("VAE", DATA)
