"""Sentences and pages of the yardstick: each figure stands where its own name is."""

import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

import latentia
from latentia import MODELS
from latentia.data.dataset import Dataset
from latentia.errors import InputError
from latentia.evaluation import clusterings, comparison, factor_report, quality, runs
from latentia.evaluation.evaluate import Bound
from latentia.evaluation.model_section import ModelSection
from latentia.evaluation.quality import Quality
from latentia.evaluation.report import Report, write_report
from latentia.evaluation.table_writing import write_arrays
from latentia.metrics.definitions import DEFINITIONS
from latentia.metrics.precision_recall import Overlap
from latentia.models.factors.n_factors import Suggestion
from latentia.models.factors.summary import wrapped
from latentia.training.config import read_config, versions, write_config
from tests.conftest import reported, small_models


def test_a_bound_is_told_with_its_counts_and_both_errors():
    assert str(Bound(97.125, 5000, 1234, 0.25, 0.75, "weights")) == (
        "-log p(x) <= 97.12 nats a sample: 5,000 draws for each of 1,234 test samples; standard "
        "error 0.250 from the draws, 0.75 from the choice of samples; weights"
    )


def test_quality_is_told_with_its_counts_and_classes():
    overlap = Overlap(0.125, 0.25, 0.375, 0.5, 5, 1200, 3400, "these features")
    found = Quality(1.5, overlap, np.array(["cat", "dog", "rat"]), np.array([0.5, 0.5, 0.0]))
    counts = "(k = 5, 1,200 real, 3,400 drawn)"
    assert str(found).splitlines() == [
        "Fréchet distance 1.5000  (1,200 real, 3,400 drawn)",
        f"precision 0.1250  {counts}",
        f"recall    0.2500  {counts}",
        f"density   0.3750  {counts}",
        f"coverage  0.5000  {counts}",
        "in these features",
        "classes   cat 50.0%  dog 50.0%  rat 0.0%",
        "entropy   0.6931 of at most 1.099 nats  (3,400 drawn)",
    ]


def test_a_judge_is_trained_once_and_told_with_how_often_it_is_right(tmp_path, monkeypatch):
    """The real images are test images, all of them; the drawn ones are the model's."""
    draw, judge = np.random.default_rng(0), tmp_path / "judge"
    y = np.arange(60) % 2
    images = (0.6 * y[:, None, None] + 0.4 * draw.random((60, 8, 8))).astype(np.float32)
    data = Dataset("mine", images[:39], y[:39], images[39:], np.where(y, 0, 1)[39:])
    model = small_models()["VAE"].fit(data.x_train)
    monkeypatch.setattr(quality, "LEAST_SAMPLES", 30)
    told = quality.judged(model, data, judge)
    classifier = latentia.load(judge)
    assert (classifier.title, len(classifier.classes_)) == ("mine", 2)
    right = (classifier.predict(data.x_test) == data.y_test).mean()
    assert 0 < right < 1
    samples = model.drawn_for(data, 30, 0)
    assert told.splitlines() == [
        *str(quality.sample_quality(classifier, data.x_test, samples)).splitlines(),
        f"the classifier is right on {right:.1%} of the 21 real images",
    ]
    monkeypatch.delattr(quality, "_trained_judge")
    assert quality.judged(model, replace(data, y_test=None), judge) == told.rpartition("\n")[0]


def test_each_criterion_is_told_with_its_number_and_what_it_is():
    counts = {name: 11 + place for place, name in enumerate(factor_report.HOW)}
    none = np.zeros(0)
    long = "a sentence of many words, " * 9
    found = Suggestion(counts, none, none, None, None, none, {}, {}, notes=("short", long))
    first, *rest = factor_report.suggestion_text(found).splitlines()
    assert first == "Number of factors by criterion"
    told = [re.split(r"\s{2,}", line, maxsplit=2) for line in rest[: len(counts)]]
    for (name, how), (said, number, what) in zip(factor_report.HOW.items(), told, strict=True):
        assert (said, int(number), what) == (name.replace("_", " "), counts[name], how)
    notes = rest[len(counts) :]
    answer = wrapped(factor_report.suggestion_sentence(found)).splitlines()
    assert notes[: len(answer)] == answer
    notes = notes[len(answer) :]
    assert notes[0] == "* short"
    assert " ".join(" ".join(notes[1:]).split()) == f"* {long}".strip()


@pytest.fixture
def clock(monkeypatch):
    """Return a function that lets calls take seconds, on a clock that nothing else moves."""
    now = [1000.0]
    for module in (clusterings, comparison, runs):
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    def takes(owner, name, seconds):
        work = getattr(owner, name)

        def slow(*given, **options):
            now[0] += seconds
            return work(*given, **options)

        monkeypatch.setattr(owner, name, slow)

    return takes


def test_seconds_are_those_of_each_fit_alone(clock, tmp_path, monkeypatch):
    """Measuring takes 50, and counts nowhere."""
    for module in (comparison, runs):
        clock(module, "evaluate", 50)
    clock(latentia.PCA, "fit", 1)
    clock(latentia.NGramLanguageModel, "fit", 2)
    for name, kind, seconds in (("KMeans", KMeans, 4), ("GaussianMixture", GaussianMixture, 8)):
        own = type(name, (kind,), {"__init__": kind.__init__})
        clock(own, "fit", seconds)
        monkeypatch.setattr(clusterings, name, own)
    monkeypatch.setattr(comparison, "BY_DEFAULT", ("PCA",))
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((60, 5)))
    found = reported(comparison.compare(str(tmp_path / "x.npy"), out=tmp_path / "c"))
    assert {name: figures["seconds"] for name, figures in found.items()} == {
        "PCA": 1,
        "KMeans (scikit-learn)": 4,
        "GaussianMixture (scikit-learn)": 8,
    }
    (tmp_path / "cats.txt").write_text("the cat sat on the mat. " * 30)
    model = latentia.NGramLanguageModel(order=2)
    page = runs.train(model, str(tmp_path / "cats.txt"), tmp_path / "run")
    assert [figures["seconds"] for figures in reported(page).values()] == [2, 2]
    kept = json.loads((tmp_path / "run/evaluation.json").read_text())
    assert kept["seconds"] == kept["baselines"][runs.BASELINE]["seconds"] == 2
    orders = re.findall(r"<code>order</code></dt><dd><code>(.*?)</code>", page.read_text())
    assert orders == ["2", "5"]
    assert "<title>n-gram language model on cats</title>" in page.read_text()


@pytest.mark.parametrize("name", MODELS)
def test_a_misspelt_model_is_answered_by_the_nearest_of_all(name, tmp_path):
    with pytest.raises(InputError, match=f"there is no model '{name}s'.*did you mean '{name}'"):
        comparison.compare("digits", (f"{name}s",), tmp_path / "c")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model": "Nothing"}, "names no known model and data"),
        ({"data": {}}, "names no known model and data"),
        ({"data": {"name": "mine"}}, "was started from Python"),
    ],
)
def test_what_is_not_the_commands_run_is_not_gone_on_with(changes, sentence, tmp_path):
    config = {"model": "VAE", "parameters": {}, "data": {"spec": "digits"}}
    (tmp_path / "config.json").write_text(json.dumps(config | changes))
    with pytest.raises(InputError, match=sentence):
        runs.resume(tmp_path)


def test_a_run_in_closed_form_records_what_it_was_made_of(tmp_path):
    model = latentia.PCA(n_components=2)
    runs.train(model, "digits", tmp_path / "run")
    config = read_config(tmp_path / "run")
    kept, _ = model.load_data("digits", None, None).hold_out()
    assert (config["model"], config["versions"]) == ("PCA", versions())
    assert config["parameters"] == model.get_params()
    facts = kept.asked | model.facts(kept.x_train, *kept.beside.values())
    assert config["data"] == json.loads(json.dumps(facts))


@pytest.mark.parametrize("model", ["FactorAnalysis", "VAE"])
def test_a_run_without_its_model_is_not_finished(model, tmp_path):
    config = {"model": model, "parameters": {}, "data": {"spec": "digits"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"is not finished: 'latentia resume .*' first"):
        latentia.load(tmp_path)


def test_the_page_of_a_training_says_what_was_learnt_from_and_tested_on(tmp_path):
    model = latentia.PCA(n_components=2)
    page = runs.train(model, "digits", tmp_path / "run").read_text()
    kept, _ = model.load_data("digits", None, None).hold_out()
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))
    assert facts["training"] == f"{len(kept.x_train):,} {kept.unit}"
    assert facts["test"] == f"{len(kept.x_test):,} {kept.unit}"
    assert facts["versions"] == ", ".join(f"{name} {v}" for name, v in versions().items())
    assert facts["data"] == f"{kept.origin}. {kept.licence}."
    learnt = f"{facts['training']} to learn, {facts['test']} to test"
    assert f"latentia train · digits: {kept.description} · {learnt}" in page


def test_pages_say_with_which_versions_they_were_made(tmp_path):
    made_with = ", ".join(f"{name} {version}" for name, version in versions().items())
    factor_report.write_factor_page(tmp_path / "f.html", "a title", None, None, None, 0.3)
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((60, 5)))
    comparison.compare(str(tmp_path / "x.npy"), ("PCA",), tmp_path / "c")
    for page in ("f.html", "c/report.html"):
        assert made_with in (tmp_path / page).read_text()
    assert "a title" in (tmp_path / "f.html").read_text()


def test_the_best_of_a_row_is_marked_where_one_direction_is_better(tmp_path):
    sections = tuple(
        ModelSection(f"m{n}", "", "", {}, dict.fromkeys(DEFINITIONS, n), (), encodes=True)
        for n in (1.0, 2.0)
    )
    page = write_report(tmp_path / "r.html", Report("", "", {}, sections)).read_text()
    rows = re.findall(r'<tr data-key="(.*?)">(.*?)</tr>', page, re.DOTALL)
    assert sorted(key for key, _ in rows) == sorted(DEFINITIONS)
    for key, row in rows:
        marks = re.findall(r'<td data-m="m(?:1|2)\.0" title="(?:1|2)\.0"( class="best")?>', row)
        wanted = {"lower": [True, False], "higher": [False, True], "neither": [False, False]}
        # The first shows half of the classes that the second shows.
        better = "higher" if key == "frechet_distance" else DEFINITIONS[key].better
        assert [bool(mark) for mark in marks] == wanted[better], key


@pytest.mark.parametrize(("name", "value"), [("spec", 3), ("image_size", [8]), ("held_out", [0.5])])
def test_what_a_run_says_of_its_data_is_checked(name, value, tmp_path):
    write_config(tmp_path, {"data": {"spec": "digits", name: value}})
    with pytest.raises(InputError, match=re.escape(f"{name} of data cannot be {value!r}")):
        runs.data_of(tmp_path, None, latentia.PCA())


def test_notes_are_told_on_data_that_are_named_and_not_again_on_those_of_the_run(tmp_path, capsys):
    path = tmp_path / "t.csv"
    path.write_text("".join(f"{i}.5,{i * i}.25\n" for i in range(30)))
    write_config(tmp_path, {"data": {"spec": str(path)}})
    named = runs.data_of(tmp_path, str(path), latentia.PCA())
    told = capsys.readouterr().err
    assert named.notes
    assert told == "".join(f"latentia: {note}\n" for note in named.notes)
    assert runs.data_of(tmp_path, None, latentia.PCA()).notes == named.notes
    assert capsys.readouterr().err == ""


def test_a_column_is_missed_in_the_data_of_the_run_and_not_in_others(tmp_path):
    """A run's own table that has lost its classes is another one, which nobody asked for."""
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{i}.5,{i * i}.25\n" for i in range(30)))
    write_config(tmp_path, {"data": {"spec": str(path), "options": {"label": "c"}}})
    with pytest.raises(InputError, match=r"^--label: t\.csv has no column 'c' among its 2"):
        runs.data_of(tmp_path, None, latentia.PCA())
    assert runs.data_of(tmp_path, str(path), latentia.PCA()).notes[0] == (
        "t.csv: it has no column 'c', which was --label in training, and is read without."
    )


@pytest.mark.parametrize("suffix", ["", ".txt", ".zip", ".jpg"])
def test_arrays_go_into_the_files_that_are_named(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    with pytest.raises(InputError, match=re.escape(f"ends in {suffix!r}; use .png, .npy or .npz")):
        write_arrays(path, [("x", np.zeros((2, 8, 8)))])
    assert not path.exists()
