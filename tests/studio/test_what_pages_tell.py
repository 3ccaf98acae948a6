"""What stands on a page, value by value, is what the files and the library say."""

import dataclasses
import json
import math
import os
import re
import tomllib
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from starlette.datastructures import QueryParams

from latentia.errors import InputError
from latentia.evaluation.apa.table import bounded, number, probability
from latentia.evaluation.apa.wording import wording
from latentia.evaluation.fit_rules import RULES
from latentia.metrics.definitions import DEFINITIONS
from latentia.models.factors.n_factors import Consensus
from latentia.models.factors.robust import RobustTest
from latentia.models.zoo import zoos
from latentia.studio import answers as reading
from latentia.studio import comparing, data, exports, forms, live, models, tables
from latentia.studio import runs as run_pages
from latentia.studio.answers import CORRELATIONS, METHODS, MISSING, ROTATIONS, Asked, Variable
from latentia.studio.fitting import known_of_set
from latentia.studio.map import GROUPS, PLACES, TOOLS
from latentia.studio.models import usual_data
from latentia.studio.rendering import Reader, reader_of, words
from latentia.training.config import RunConfig
from tests.studio.conftest import RECORDS, written_run

READER = Reader("en", "usual")
EXAMPLE = reading._example()
GIVEN = Asked(
    "example", ("calm1", "calm3", "social1", "social2", "orderly5"), 2, "minres", "varimax",
    "polychoric", "fiml", 0.45,
)  # fmt: skip


def test_an_address_is_read_as_what_was_asked():
    assert all(
        getattr(GIVEN, f.name) != f.default for f in dataclasses.fields(Asked) if f.name != "n"
    )
    assert reading.asked(QueryParams(GIVEN.pairs), EXAMPLE) == GIVEN
    matrix = reading.Answers(SimpleNamespace(matrix=object(), name="r"), EXAMPLE.variables)
    known = replace(GIVEN, n=321)
    assert reading.asked(QueryParams(known.pairs), matrix) == known
    assert reading.asked(QueryParams(known.pairs), EXAMPLE) == GIVEN


def test_what_is_left_out_of_an_address_is_what_is_usual():
    found = reading.asked(QueryParams("data=example"), EXAMPLE)
    assert found == Asked("example", EXAMPLE.usual(), 0)
    assert (METHODS[0], CORRELATIONS[0], MISSING[0]) == (
        found.method, found.correlation, found.missing,
    )  # fmt: skip


def variables(*ends):
    return tuple(reading.Variable(f"v{i}", n, 0, *e) for i, (n, *e) in enumerate(ends))


@pytest.mark.parametrize(
    ("ends", "matrix", "chosen"),
    [
        (((5, 1, 5), (5, 1, 5), (60, 18, 80)), None, ("v0", "v1")),
        (((5, 1, 5), (1, 1, 1), (60, 18, 80)), None, ("v0", "v2")),
        (((5, 1, 5), (5, 0, 4), (60, 18, 80)), None, ("v0", "v1", "v2")),
        (((40, 0, 12), (40, 0, 12), (3, 1, 3)), None, ("v0", "v1", "v2")),
        (((5, 1, 5), (5, 1, 5), (60, 18, 80)), object(), ("v0", "v1", "v2")),
    ],
)
def test_variables_chosen_at_first_are_the_items(ends, matrix, chosen):
    found = reading.Answers(SimpleNamespace(matrix=matrix), variables(*ends))
    assert found.usual() == chosen


def test_a_column_is_told_by_its_values():
    found = reading._variable("x", np.array([3.0, 1.0, np.nan, 3.0]))
    assert found == reading.Variable("x", 2, 1, 1.0, 3.0)
    assert found.varies
    assert not reading._variable("x", np.array([2.0, 2.0])).varies
    empty = reading._variable("x", np.full(4, np.nan))
    assert (empty.n_values, empty.n_missing, empty.varies) == (0, 4, False)
    assert math.isnan(empty.low)
    assert math.isnan(empty.high)


def with_gaps():
    """Return the example with gaps in two rows, whose rows have names."""
    table = EXAMPLE.observed.rows.to_pandas()
    table.loc[3, "calm1"] = table.loc[5, "social1"] = np.nan
    names = np.array([f"row {i}" for i in range(len(table))])
    observed = replace(EXAMPLE.observed, rows=reading.pa.table(table), names=names)
    return reading.Answers(observed, EXAMPLE.variables)


@pytest.mark.parametrize(
    ("part", "left"),
    [
        ({}, {3, 5}),
        ({"columns": ("calm1", "calm2")}, {3}),
        ({"columns": ("calm2", "calm3")}, set()),
        ({"missing": "fiml"}, set()),
        ({"correlation": "polychoric"}, set()),
    ],
)
def test_rows_that_are_left_out_are_those_with_gaps_in_what_is_chosen(part, left):
    given = with_gaps()
    asked = replace(Asked("example", ("social1", "calm1"), 1), **part)
    observed, n = reading.chosen(given, asked)
    assert n == len(left)
    assert observed.rows.column_names == list(asked.columns)
    kept = [i for i in range(600) if i not in left]
    assert list(observed.names) == [f"row {i}" for i in kept]
    source = given.observed.rows.to_pandas()[list(asked.columns)].to_numpy()
    assert np.array_equal(observed.rows.to_pandas(), source[kept], equal_nan=True)


class Fit(SimpleNamespace):
    """Statistics, each a value of its own."""


def solution_of(robust=None):
    fit = Fit(
        dof=7, chi_square=21.25, p_value=0.034, rmsea=0.0712, rmsea_low=0.0123, rmsea_high=0.1034,
        cfi=0.9432, tli=0.9121, srmr=0.0456,
    )  # fmt: skip
    summary = SimpleNamespace(fit=fit, sphericity=(345.6, 15, 0.0004), kmo=0.8123)
    model = SimpleNamespace(summary=lambda cutoff: summary)
    told = SimpleNamespace(robust=robust)
    return SimpleNamespace(model=model, told=told, asked=SimpleNamespace(cutoff=0.3)), summary


@pytest.mark.parametrize("language", ["en", "ko"])
def test_each_index_of_fit_has_its_own_value_and_words(language):
    names = {f.name for f in dataclasses.fields(RobustTest)}
    values = {"dof": 8, "chi_square": 18.75, "p_value": 0.021, "rmsea": 0.0612, "cfi": 0.9532}
    values["kind"] = "yuan_bentler"
    assert values.keys() <= names
    solution, summary = solution_of(SimpleNamespace(**values))
    fit = summary.fit
    shown = {
        "kmo": ".81",
        "sphericity": f"χ²(15) = 345.60, p {probability(0.0004)}",
        "chi": f"χ²(7) = 21.25, p {probability(0.034)}",
        "yuan_bentler": f"χ²(8) = 18.75, p {probability(0.021)}; RMSEA .061, CFI .953",
        "rmsea": ".071 [.012, .103]",
        "cfi": ".943",
        "tli": ".912",
        "srmr": ".046",
    }
    assert (bounded(fit.tli, 3), number(fit.chi_square)) == (".912", "21.25")
    reader = Reader(language, "usual")
    found = tables._fit(solution, reader)
    assert [row["value"] for row in found] == list(shown.values())
    assert [row["name"] for row in found] == [reader.say(f"factor/fit/{key}") for key in shown]
    place = ("en", "ko").index(language)
    rules = {**RULES, "scaled": RULES["yuan_bentler"]}
    assert [row["meaning"] for row in found] == [rules[key][place] for key in shown]
    verdicts = ["good", "good", "told", "told", "fair", "fair", "fair", "good"]
    assert [row["verdict"] for row in found] == verdicts


@pytest.mark.parametrize("language", ["en", "ko"])
def test_advice_names_who_agrees_who_ties_and_who_dissents(language):
    reader, known = Reader(language, "usual"), wording(language)
    counts = {"kaiser": 9, "map": 2, "hull": 2, "bic": 4, "parallel_factors": 3}
    agreed = Consensus(2, ("map", "hull"), ("bic", "parallel_factors"), (4, 5))

    def told(consensus):
        suggestion = SimpleNamespace(counts=counts, consensus=consensus)
        return tables.advice(SimpleNamespace(told=SimpleNamespace(suggestion=suggestion)), reader)

    criteria = f"{known['map']}, {known['hull']}"
    first = reader.say("factor/advice", {"k": 2, "n": 2, "of": 4, "criteria": criteria})
    tie = reader.say("factor/tie", {"k": "4, 5"})
    others = f"{known['bic']} (4), {known['parallel_factors']} (3)"
    assert told(agreed) == " ".join(
        (first, tie, reader.say("factor/dissent", {"criteria": others}))
    )
    assert told(replace(agreed, dissent=(), as_many=())) == first
    assert told(None) == ""
    counts.pop("kaiser")
    assert told(replace(agreed, dissent=(), as_many=())) == first


@pytest.mark.parametrize(
    ("query", "k", "axes"),
    [
        ("", 3, (0, 1)), ("", 1, (0, 0)), ("across=3&up=1", 3, (2, 0)), ("up=3", 3, (0, 2)),
        ("across=4&up=0", 3, (0, 1)), ("across=-1&up=x", 2, (0, 1)),
    ],
)  # fmt: skip
def test_axes_of_the_plane_are_factors_that_there_are(query, k, axes):
    request = SimpleNamespace(query_params=QueryParams(query))
    found = SimpleNamespace(model=SimpleNamespace(n_latent=k))
    assert tables._axes(request, found) == axes


def test_the_number_of_factors_is_what_is_asked_or_what_criteria_agree_on(monkeypatch):
    ask = Asked("example", ("calm1", "calm2", "calm3"), 0)
    assert reading.settled(EXAMPLE, replace(ask, k=5)).k == 5
    for consensus, k in ((None, 1), (Consensus(2, (), ()), 2), (Consensus(7, (), ()), 2)):
        found = SimpleNamespace(consensus=consensus)
        monkeypatch.setattr(reading, "suggested", lambda *_, found=found: found)
        assert reading.settled(EXAMPLE, ask) == replace(ask, k=k)


def test_the_number_of_rows_behind_a_matrix_reaches_the_criteria(tmp_path):
    columns = EXAMPLE.variables
    names = [v.name for v in columns][:10]
    file = tmp_path / "r.csv"
    EXAMPLE.observed.rows.to_pandas()[names].corr().to_csv(file)
    found = reading._read(str(file), 0, 0)
    assert found.is_matrix
    asked = Asked("r", tuple(names), 0)
    assert "parallel_factors" not in reading.suggested(found, asked).counts
    assert reading.suggested(found, replace(asked, n=600)).counts["parallel_factors"] == 2
    some, _ = reading.chosen(found, Asked("r", tuple(names[2:5]), 0, n=600))
    assert [*some.matrix.columns] == names[2:5]
    assert some.n_samples == some.matrix.n_samples == 600


@pytest.mark.parametrize(("lowest", "highest", "left"), [(101, 105, "abc"), (0, 100, "abcd")])
def test_variables_with_the_answers_that_most_have_are_chosen_at_first(lowest, highest, left):
    items = [Variable(name, 5, 0, lowest, highest) for name in "abc"]
    answers = replace(EXAMPLE, variables=(*items, Variable("d", 40, 0, 18, 80)))
    assert "".join(answers.usual()) == left


def test_criteria_take_two_variables_and_no_fewer():
    assert reading.suggested(EXAMPLE, Asked("example", ("calm1", "calm2"), 0)).counts
    with pytest.raises(InputError, match="there must be fewer factors than columns"):
        reading.suggested(EXAMPLE, Asked("example", ("calm1",), 0))


def test_a_form_of_own_data_opens_with_the_newest_upload(studio):
    place = PLACES["pix2pix"]
    assert usual_data(studio.app.state.studio, place) == ""
    for age, name in ((9, "older"), (1, "newer"), (5, "middle")):
        (studio.folder.uploads / name).mkdir(parents=True)
        (studio.folder.uploads / name / "1.png").touch()
        os.utime(studio.folder.uploads / name, (1e9 - age, 1e9 - age))
    assert usual_data(studio.app.state.studio, place) == "uploads/newer"
    assert usual_data(studio.app.state.studio, PLACES["pca"]) == "digits"


def test_criteria_are_given_the_correlations_of_what_varies(tmp_path, monkeypatch):
    names = [v.name for v in EXAMPLE.variables][:4]
    frame = EXAMPLE.observed.rows.to_pandas()[names].dropna() * [1, 1000, 0.01, 5]
    frame.assign(same=3.0).to_csv(tmp_path / "rows.csv", index=False)
    given = []
    monkeypatch.setattr(reading, "suggest", lambda *values, **more: given.append(values))
    found = reading._read(str(tmp_path / "rows.csv"), 0, 0)
    reading.suggested(found, Asked("rows", (*names, "same"), 0))
    [(correlations, n_samples)] = given
    np.testing.assert_allclose(correlations, frame.corr(), atol=1e-9)
    assert n_samples == len(frame)


DYNAMIC = {
    "factor/method/": METHODS,
    "factor/rotation/": ROTATIONS,
    "factor/correlation/": CORRELATIONS,
    "factor/missing/": MISSING,
    "factor/fit/": [*RULES],
    "factor/verdict/": ("good", "fair", "poor", "told"),
    "factor/scree/": ("component", "factor", "component_chance", "factor_chance"),
    "state/": ("waiting", "running", "done", "stopped", "failed"),
    "run/": ("waiting", "running", "done", "stopped", "failed"),
    "group/": [group.key for group in GROUPS],
    "tool/": [tool.key for tool in TOOLS],
    "status/": (400, 404, 405, 500),
    "data/fitting/": ("pictures", "table", "matrix", "text"),
    "data/frame/": ("auto", *filter(None, models.FRAMES)),
    "export/": exports.KINDS.keys() & {"page.html", "onnx.zip", "model.zip"},
    "idea/": [place.name for place in PLACES.values()],
    "needs/": {place.needs for place in PLACES.values()},
    "better/": {known.better for known in DEFINITIONS.values()},
    "same/": ("command", "toml", "python"),
}


def test_texts_that_are_asked_for_by_what_there_is_are_there():
    missing = [f"{head}{key}" for head, keys in DYNAMIC.items() for key in keys]
    assert [key for key in missing if key not in words()] == []


def config(**more):
    return {"model": "VAE", "parameters": {"n_epochs": 2}, "data": {"spec": "digits"}} | more


def test_a_run_s_page_tells_each_thing_from_its_own_file(studio):
    run = written_run(studio.runs)
    (run / "model").mkdir()
    (run / "model" / "config.json").write_text("{}")
    for name in ("epoch_0001.txt", "epoch_0002.txt"):
        (run / "samples" / name).write_text(f"text of {name}")
    found = run_pages.told(SimpleNamespace(folder=studio.folder, queue=studio.queue), "vae-1")
    curves, scores = found.pop("curves"), found.pop("scores")
    assert [c.drawing is not None for c in curves] == [True] * len(curves) != []
    assert "5.50" in scores[0]["text"]["en"]
    assert found == {
        "name": "vae-1",
        "place": run_pages.PLACES["vae"],
        "model": "vae",
        "data": "digits",
        "state": "done",
        "progress": None,
        "complaint": "",
        "frames": ["epoch_0001.png", "epoch_0002.png"],
        "text": "text of epoch_0002.txt",
        "doctor": "undertrained: 60% are left",
        "examined": True,
        "ended": [],
        "has_model": True,
        "has_report": True,
        "trained": True,
        "command": "",
        "again": "data=",
        "settings": [("n_epochs", "2")],
    }
    (run / "samples" / "sample.txt").write_text("the last")
    assert run_pages.written(run) == "the last"


HEALTHY = {"step": 12, "epoch": 3, "split": "health", "values": {"left": 0.1}}
END = {"step": 12, "epoch": 3, "split": "end", "values": {}, "note": "stopped early"}


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ([], ("", False, [], False)),
        (RECORDS, ("undertrained: 60% are left", True, [], True)),
        ([*RECORDS, HEALTHY], ("", True, [], True)),
        ([RECORDS[1], END], ("", False, ["stopped early"], False)),
    ],
)
def test_what_the_doctor_said_last_is_told(studio, records, told):
    run = written_run(studio.runs, whole=False)
    (run / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    found = run_pages.told(studio, "vae-1")
    assert tuple(found[key] for key in ("doctor", "examined", "ended", "trained")) == told
    assert (found["state"], found["has_model"], found["has_report"]) == ("stopped", False, False)


LOG = "begun\nVAE  step 4/8  epoch 1/2  99 samples/s  negative_elbo 3  7 s left\n"


def test_a_training_that_goes_on_or_failed_is_told_from_its_command_and_log(studio):
    words_ = ["train", "vae", "--data", "digits", "--n-epochs", "2", "--run", "x"]
    studio.queue.add("mine", words_)
    found = run_pages.told(studio, "mine")
    told = ("waiting", "vae", "digits", "latentia train vae --data digits --n-epochs 2 --run x")
    assert tuple(found[key] for key in ("state", "model", "data", "command")) == told
    assert found["again"] == "data=digits&n_epochs=2"
    assert (found["progress"], found["complaint"]) == (None, "")
    (studio.queue.place("mine") / "log.txt").write_text(f"{LOG}latentia: error: no room\n")
    studio.queue._keep(replace(studio.queue.job("mine"), pid=os.getpid()))
    failed = run_pages.told(studio, "mine")
    assert (failed["state"], failed["complaint"]) == ("failed", "no room")
    studio.queue.state = lambda name: "running"
    on = run_pages.told(studio, "mine")
    assert on["progress"] == {"step": 4, "steps": 8, "epoch": 1, "epochs": 2, "left": 7}
    assert on["complaint"] == ""
    (shown,) = studio.queue.shown()
    assert (shown.name, shown.model, shown.data) == ("mine", "vae", "digits")


@pytest.mark.parametrize(
    ("parameters", "resolved", "shown"),
    [
        ({"n_epochs": 2, "name": "a b"}, {}, [("n_epochs", "2"), ("name", "a b")]),
        ({"batch_size": "auto", "n": None}, {"batch_size": 32, "n": 3},
         [("batch_size", "32 (auto)"), ("n", "3 (none)")]),
        ({"batch_size": 8, "n": None}, {"batch_size": 32, "n": None},
         [("batch_size", "8"), ("n", "null")]),
        ({}, {"hidden": [4, 2]}, [("hidden", "[4, 2] (none)")]),
    ],
)  # fmt: skip
def test_settings_are_as_given_and_as_settled(parameters, resolved, shown):
    assert run_pages.settings({"parameters": parameters, "resolved": resolved}) == shown


def test_a_recipe_of_a_run_is_what_was_changed(studio):
    parameters = {"hidden": [8, 4], "n_epochs": 3, "beta": 1.0, "of_a_later_release": 1}
    (studio.runs / "p").mkdir()
    config = RunConfig("VAE", parameters, {"spec": "digits"})
    config.write(studio.runs / "p")
    told = {"model": "vae", "data": "digits", "hidden": [8, 4], "n_epochs": 3}
    assert tomllib.loads(studio.own.get("/runs/p/export/recipe.toml").text) == told
    replace(config, data={"spec": "digits", "image_size": 28}).rewrite(studio.runs / "p")
    assert tomllib.loads(exports.recipe(studio.runs / "p").decode()) == told | {"image_size": "28"}


def test_each_export_is_a_file_of_its_own_name_and_kind(studio, monkeypatch):
    run = written_run(studio.runs, "my run".replace(" ", "-"))
    (run / "model").mkdir()
    (run / "model" / "config.json").write_text("{}")
    calls = []

    def called(*given):
        calls.append(given)
        out = given[given.index("--out") + 1]
        exports.Path(out).write_text(f"<!doctype html>{' '.join(given[3:])}")

    for module in (exports, live):
        monkeypatch.setattr(module, "called", called)
    for what, kind in exports.KINDS.items():
        if what in exports.SMALL:
            continue
        answer = studio.own.get(f"/runs/my-run/export/{what}")
        assert answer.status_code == 200, what
        assert answer.headers["content-type"].partition(";")[0] == kind.partition(";")[0]
        assert answer.headers["content-disposition"].endswith(f"my-run-{what}")
    assert [given[:2] for given in calls] == [("export", str(run))] * 2
    assert not any("--with-images" in given for given in calls)
    assert studio.own.get("/live/runs/my-run").status_code == 200
    assert calls[-1][-1] == "--with-images"
    n = len(calls)
    assert studio.own.get("/live/runs/my-run").status_code == 200
    assert len(calls) == n
    assert exports.KINDS.keys() == exports.SMALL.keys() | exports.LARGE.keys()


def test_a_page_is_framed_with_its_own_policy_and_confined(tmp_path):
    file = tmp_path / "page.html"
    file.write_text('<meta http-equiv="Content-Security-Policy" content="img-src &#39;self&#39;">')
    policy = live.framed(file).headers["content-security-policy"]
    assert policy == "img-src 'self'" + live.FRAMED
    file.write_text("none")
    assert live.framed(file).headers["content-security-policy"].startswith("default-src 'none';")


def test_models_of_the_zoo_are_called_by_what_they_are(studio, monkeypatch):
    name = next(iter(next(zoos()).entries))
    asked = []
    monkeypatch.setattr(live, "made", lambda *given: asked.append(given) or given)
    monkeypatch.setattr(live, "framed", lambda file: live.Response(b""))
    assert studio.own.get(f"/live/zoo/{name}").status_code == 200
    ((folder, source, file),) = asked
    assert (folder, source) == (studio.folder, f"zoo:{name}")
    assert re.fullmatch(rf"zoo-{name}-\w{{16}}\.html", file)


def test_runs_are_compared_by_their_own_titles_pictures_and_data(studio):
    for name, spec in (("one", {"spec": "a", "hash": "h"}), ("two", {"spec": "a"})):
        run = written_run(studio.runs, name)
        (run / "config.json").write_text(json.dumps(config(data=spec)))
    shown = {s.name: s for s in studio.queue.shown()}
    found = comparing.compared(studio, shown["one"])
    assert found.title == comparing.PLACES["vae"].full
    assert (found.frame, found.figures) == (
        "epoch_0002.png",
        {"negative_elbo": 5.5, "seconds": 1.0},
    )
    assert [comparing.learnt_from(studio, n) for n in ("one", "two", "none")] == ["h", "a", ""]
    page = studio.own.get("/compare?run=one&run=two").text
    assert "epoch_0002.png" in page
    assert page.count('class="best"') == 0
    for n in range(9):
        written_run(studio.runs, f"r{n}")
    query = "&".join(f"run=r{n}" for n in range(9))
    assert (
        "9 runs do not stand side by side: choose up to 8"
        in studio.own.get(f"/compare?{query}").text
    )
    assert studio.own.get(f"/compare?{query.partition('&')[2]}").status_code == 200


def test_an_upload_is_told_by_its_files(studio):
    for age, name in ((200, "old"), (100, "new")):
        place = studio.folder.uploads / name
        (place / "inside").mkdir(parents=True)
        (place / "inside" / "a.bin").write_bytes(b"x" * 1_500_000)
        (place / "b.bin").write_bytes(b"x" * 1_000_000)
        os.utime(place, (1e9 - age, 1e9 - age))
    found = data.choices(studio.folder)
    assert found[:2] == [
        data.Choice(f"uploads/{name}", name, "2.5 MB", 2, own=True) for name in ("new", "old")
    ]
    assert not any(choice.own for choice in found[2:])
    for choice in found[2:]:
        known = data.describe(choice.key)
        assert choice == data.Choice(
            choice.key,
            choice.key,
            known.summary,
            fetched=known.needs_network,
            known=known_of_set(known),
        )


def test_settings_are_kept_and_lead_back(studio):
    asked = {"language": "ko", "size": "large", "back": "/models/vae"}
    answer = studio.own.post("/settings", data=asked)
    assert answer.headers["location"] == "/models/vae"
    told = answer.headers.get_list("set-cookie")
    assert {cookie.partition(";")[0] for cookie in told} == {"language=ko", "size=large"}
    for cookie in told:
        assert "Max-Age=31536000" in cookie
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
    request = SimpleNamespace(cookies={"language": "ko", "size": "large"}, headers={})
    assert reader_of(request) == Reader("ko", "large")
    request = SimpleNamespace(cookies={"size": "9"}, headers={"accept-language": "KO-kr, en"})
    assert reader_of(request) == Reader("ko", "usual")
    wrong = {"language": "xx", "size": "9", "back": "//evil.example"}
    answer = studio.own.post("/settings", data=wrong)
    assert (answer.headers["location"], answer.headers.get_list("set-cookie")) == ("/", [])


@pytest.mark.parametrize(
    ("address", "status", "key"),
    [("/nowhere", 404, "404"), ("/settings", 405, "405"), ("/data/show", 400, "400")],
)
def test_what_cannot_be_asked_has_its_status_and_its_sentence(studio, address, status, key):
    answer = studio.own.get(address)
    assert answer.status_code == status
    assert READER.say(f"status/{key}") in answer.text.replace("&#39;", "'")


def test_what_is_not_a_name_of_a_run_is_refused_as_such(studio):
    with pytest.raises(InputError, match="there is no run nobody"):
        run_pages.told(studio, "nobody")


def test_runs_are_listed_the_newest_first(studio):
    for age, name in ((300, "b"), (100, "c"), (200, "a")):
        file = written_run(studio.runs, name) / "config.json"
        os.utime(file, (1e9 - age, 1e9 - age))
    (studio.runs / "no-run").mkdir()
    assert studio.folder.names() == ["c", "a", "b"]
    assert [shown.name for shown in studio.queue.shown()] == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("spec", "size", "frame", "asked"),
    [
        ("uploads/a", "64", "fit", {"image_size": "64 fit"}),
        ("uploads/a", "64", "", {"image_size": "64"}),
        ("uploads/a", "", "crop", {"image_size": "crop"}),
        ("uploads/a", "7", "bent", {}),
        ("uploads/a", "", "", {}),
        ("digits", "64", "fit", {}),
    ],
)
def test_sizes_are_of_own_pictures_alone(spec, size, frame, asked):
    given = {"data": spec, "image_size": size, "frame": frame}
    assert models.pictures_of(given) == asked


def test_fields_that_matter_were_changed_or_refused_stand_open():
    usual = forms.form_of("VAE", {})
    assert {entry.field.name for entry in usual.entries if entry.main} <= {*forms.MAIN}
    changed = forms.form_of("VAE", {"adam_epsilon": "1e-7", "hidden": "400", "tolerance": ""})
    opened = [entry.field.name for entry in changed.in_order if entry.main]
    assert "adam_epsilon" in opened
    folded = [entry.field.name for entry in changed.in_order if not entry.main]
    assert [*opened, *folded] == [entry.field.name for entry in changed.in_order]
    known = [name for name in forms.MAIN if name in opened]
    assert opened[: len(known)] == known
    refused = forms.form_of("VAE", {"adam_epsilon": "x"})
    assert [e.field.name for e in refused.entries if e.refusal and e.main] == ["adam_epsilon"]
    text = {entry.field.name: entry.text for entry in usual.entries}
    assert all(text[e.field.name] == e.default for e in usual.entries)


def test_a_picture_that_was_not_drawn_is_named(studio):
    written_run(studio.runs)
    answer = studio.own.get("/runs/vae-1/samples/epoch_0009.png")
    assert "the run vae-1 has drawn no epoch_0009.png" in answer.text
