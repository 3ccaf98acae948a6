"""Entries made of runs, and trainings held against them."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import safetensors.numpy
from PIL import Image

import latentia
from latentia import MODELS, InputError
from latentia.cli import main
from latentia.cli.parser import field_values, read_recipe
from latentia.evaluation import reproduction as again
from latentia.metrics.definitions import DEFINITIONS
from latentia.models import zoo as zoos
from latentia.models.fields import model_fields
from latentia.pages import zoo as adding
from latentia.pages import zoo_list
from latentia.training.config import RunConfig, read_config

REPOSITORY = Path(__file__).parents[2] / "zoo"
OWN = zoos.read_index(REPOSITORY)


@pytest.mark.parametrize("name", MODELS)
def test_a_recipe_gives_the_parameters_of_its_run(name, tmp_path):
    defaults = {field.name: field.default for field in model_fields(name)}
    given = json.loads(json.dumps(defaults | {"random_state": 3})) if defaults else {}
    given = {key: value for key, value in given.items() if key in defaults}
    config = RunConfig(model=name, parameters=given, data={"spec": "digits"}, threads=1)
    path = tmp_path / "recipe.toml"
    path.write_text(adding.recipe(config, "it"))
    found = field_values(name, read_recipe(path))
    assert json.loads(json.dumps(found)) == given


def test_an_entry_tells_what_a_reader_asks(made, run):
    card = (made / "tiny-pca" / "README.md").read_text()
    entry = zoos.read_index(made)["tiny-pca"]
    for told in (
        "CC BY 4.0",
        "seed: 0",
        entry.trained_sha256,
        "latentia evaluate zoo:tiny-pca",
        "Twelve rings and bars.",
        "What it is not for",
        "CPU time: 0.01 minutes",
        "kept in 16 bits, arrays in 32",
    ):
        assert told in card
    assert entry.trained_sha256 == read_config(run / "model")["weights_sha256"]
    assert read_config(made / "tiny-pca")["data"]["spec"] == "digits"
    labels = "|".join(re.escape(each.label) for each in DEFINITIONS.values())
    assert re.search(
        rf"one\. (None changes at all|({labels}) changes most)", " ".join(card.split())
    )
    assert str(run.parent) not in "".join(p.read_text("latin-1") for p in made.rglob("*.*"))


@pytest.mark.parametrize(
    ("asked", "flags"),
    [
        ({}, []),
        ({"n_importance": 7}, ["--n-importance 7"]),
        ({"judge": Path("of/a-judge")}, ["--judge a-judge"]),
        ({"n_importance": 7, "judge": Path("a-judge")}, ["--n-importance 7", "--judge a-judge"]),
    ],
)
def test_figures_that_take_longer_are_told_if_they_are_asked_for(
    run, tmp_path, monkeypatch, asked, flags
):
    calls = []

    def answers(folder, data, **given):
        assert {p.name for p in folder.iterdir()} >= {"config.json", "model.safetensors"}
        calls.append((data, given))
        return [f"printed of {name}" for name in given]

    monkeypatch.setattr(adding, "answers", answers)
    adding.add(run, "tiny-pca", tmp_path, adding.Told(data="digits", **asked))
    assert calls == [("digits", {name: value}) for name, value in asked.items()]
    card = (tmp_path / "tiny-pca" / "README.md").read_text()
    assert re.findall(r"evaluate zoo:tiny-pca (--.*)", card) == flags
    assert re.findall(r"printed of (\w+)", card) == [*asked]


def test_weights_stay_as_trained_where_fewer_bits_would_change_a_figure(
    made, run, monkeypatch, tmp_path
):
    def coarse(weights):
        arrays = safetensors.numpy.load(weights)
        return safetensors.numpy.save({k: np.round(v, 1) for k, v in arrays.items()})

    monkeypatch.setattr(adding, "halved", coarse)
    entry = adding.add(run, "tiny-pca", tmp_path, adding.Told())
    assert entry.trained_sha256 == entry.files["model.safetensors"]["sha256"]
    assert "kept as trained" in (tmp_path / "tiny-pca" / "README.md").read_text()
    assert not entry.cpu_measured


def test_pictures_to_begin_with_are_a_file_of_a_translators_entry(run, tmp_path, monkeypatch):
    picture, zoo = tmp_path / "faces.png", tmp_path / "zoo"
    Image.new("L", (16, 8)).save(picture)
    with pytest.raises(InputError, match="and PCA is none: leave it out"):
        adding.add(run, "it", zoo, adding.Told(examples=picture))
    assert not (zoo / "it").exists()
    monkeypatch.setattr(adding, "lent", lambda *given: None)
    adding.add(run, "it", zoo, adding.Told(examples=picture))
    entry = zoos.read_index(zoo)["it"]
    assert (zoo / "it" / "examples.png").read_bytes() == picture.read_bytes()
    assert zoos.differing(zoo / "it", entry) == []
    (zoo / "it" / "examples.png").write_bytes(b"another")
    assert zoos.differing(zoo / "it", entry) == ["examples.png"]
    adding.add(run, "it", zoo, adding.Told(), overwrite=True)
    assert {*zoos.read_index(zoo)["it"].files} == {*zoos.FILES}
    assert not (zoo / "it" / "examples.png").exists()


@pytest.mark.parametrize("name", ["Tiny", "../x", "", "a b"])
def test_what_is_no_name_is_refused(run, tmp_path, name):
    with pytest.raises(InputError, match="is no name for the zoo"):
        adding.add(run, name, tmp_path, adding.Told())


def test_nothing_is_replaced_that_is_not_to_be(made, run, tmp_path):
    with pytest.raises(InputError, match="the zoo has 'tiny-pca' already"):
        adding.add(run, "tiny-pca", made, adding.Told())
    with pytest.raises(InputError, match="Latentia's own zoo has 'pca-mnist' already"):
        adding.add(run, "pca-mnist", tmp_path, adding.Told(), overwrite=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").touch()
    with pytest.raises(InputError, match="holds what is no entry of a zoo"):
        adding.add(run, "mine", tmp_path, adding.Told(), overwrite=True)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"start_from": "runs/a"}, "began with the weights in runs/a"),
        ({"taken_from": "runs/a"}, "goes back to a checkpoint"),
        ({"stages": [{"step": 1, "n_epochs": 2}]}, "another number of epochs"),
        ({"parameters": {"pretrained": "runs/b"}}, "began with the model in runs/b"),
    ],
)
def test_a_run_that_no_recipe_trains_at_once_is_refused(run, tmp_path, part, words):
    config = RunConfig.read(run)
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    part = part | {"parameters": {**config.parameters, **part.get("parameters", {})}}
    replace(config, **part).rewrite(copy)
    with pytest.raises(InputError, match=f"{words}.*no recipe trains it at once"):
        adding.add(copy, "it", tmp_path / "zoo", adding.Told())


def test_the_smallest_of_public_data_ship():
    def entry(megabytes, data="mnist"):
        files = {"model.safetensors": {"sha256": "", "bytes": int(megabytes * 1e6)}}
        return replace(next(iter(OWN.values())), data=data, files=files)

    entries = {"a": entry(4), "b": entry(1), "c": entry(2.5), "d": entry(0.1, "faces")}
    found = adding.with_shipped(entries)
    assert {name: e.ships for name, e in found.items()} == {
        "a": False,
        "b": True,
        "c": True,
        "d": False,
    }
    many = adding.with_shipped({str(i): entry(0.1) for i in range(9)})
    assert sum(e.ships for e in many.values()) == adding.MOST_SHIPPED


def test_a_processor_is_known_by_its_kind_and_its_instructions(made, run, tmp_path, monkeypatch):
    model, config = latentia.load(run), RunConfig.read(run)
    found = []
    for kind, flags in (("A", "fma avx2"), ("A", "avx2 fma"), ("A", "avx2"), ("B", "avx2")):
        (tmp_path / "cpuinfo").write_text(
            f"processor : 0\nmodel name : {kind}\nflags : {flags}\n\nprocessor : 1\nflags : x\n"
        )
        monkeypatch.setattr(again, "CPU_INFO", tmp_path / "cpuinfo")
        told = again.machine(model, config)
        found.append((told["processor"], told["instructions"]))
    assert [kind for kind, _ in found] == ["A", "A", "A", "B"]
    (one, same, fewer, other) = (instructions for _, instructions in found)
    assert one == same != fewer == other
    monkeypatch.setattr(again, "CPU_INFO", tmp_path / "none")
    assert again.machine(model, config)["processor"]


def test_a_training_again_is_held_to_bytes_or_to_bounds(made, run, tmp_path):
    entry, model = zoos.read_index(made)["tiny-pca"], latentia.load(run)
    assert again.reproduction(entry, model, run).holds
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    (copy / "evaluation.json").write_text(json.dumps(entry.figures))
    other = replace(entry, trained_sha256="0" * 64)
    found = again.reproduction(other, model, copy)
    assert not found.holds
    assert "on the same kind of machine" in found.sentences[0]
    elsewhere = replace(other, machine=entry.machine | {"processor": "an abacus"})
    found = again.reproduction(elsewhere, model, copy)
    assert found.holds
    assert "processor" in found.sentences[0]
    assert "an abacus there" in found.sentences[0]
    far = entry.figures | {"squared_error": entry.figures["squared_error"] * 1.5}
    (copy / "evaluation.json").write_text(json.dumps(far))
    found = again.reproduction(elsewhere, model, copy)
    assert not found.holds
    assert "NOT within" in found.sentences[1]


@pytest.mark.parametrize("name", OWN)
def test_the_repositorys_zoo_is_what_its_index_says(name):
    entry = OWN[name]
    assert zoos.differing(REPOSITORY / name, entry) == []
    assert {p.name for p in (REPOSITORY / name).iterdir()} == {*entry.files}
    assert entry.n_bytes <= adding.MOST_BYTES
    assert entry.bounds.keys() <= entry.figures.keys()
    read_recipe(REPOSITORY / name / "recipe.toml")


def test_models_that_are_named_anywhere_are_in_the_zoo():
    root = REPOSITORY.parent
    homes = [root / "README.md", root / "README.ko.md", root / "CHANGELOG.md"]
    for part in ("docs", "examples", "src", "benchmarks", "zoo"):
        homes += [
            p for p in (root / part).rglob("*") if p.suffix in (".md", ".py", ".toml", ".json")
        ]
    texts = [home.read_text() for home in homes]
    found = {name for text in texts for name in re.findall("zoo:([a-z0-9][a-z0-9-]*)", text)}
    # What ends in a hyphen goes on with a value.
    named = {name for name in found if not name.endswith("-")}
    assert len(named) >= len(OWN)
    assert named <= OWN.keys()


def test_what_ships_is_small():
    assert adding.with_shipped(OWN) == OWN
    assert sum(e.n_bytes for e in OWN.values() if e.ships) <= adding.MOST_SHIPPED_BYTES


def test_the_page_of_the_zoo_is_what_the_command_writes():
    page = (REPOSITORY.parent / "docs" / "zoo.md").read_text()
    assert page == zoo_list.page()
    lines = list(zoo_list.table())
    assert len(lines) == len(list(zoo_list.rows())) + 1


def test_every_flag_reaches_what_is_told(monkeypatch, tmp_path, made):
    calls = []
    monkeypatch.setenv("LATENTIA_ZOO", str(tmp_path))
    entry = zoos.read_index(made)["tiny-pca"]
    monkeypatch.setattr(adding, "add", lambda *given: calls.append(given) or entry)
    told = adding.Told(
        data="d",
        data_name="e",
        licence="f",
        figure="g",
        note="h",
        cpu_minutes=1.5,
        n_importance=7,
        judge=Path("i"),
        examples=Path("j"),
    )
    words = "--data d --data-name e --licence f --figure g --note h --cpu-minutes 1.5"
    words += " --n-importance 7 --judge i --examples j --overwrite"
    assert main(["zoo", "add", "run", "name", *words.split()]) == 0
    assert main(["zoo", "add", "run", "name"]) == 0
    assert calls == [
        (Path("run"), "name", tmp_path, told, True),
        (Path("run"), "name", tmp_path, adding.Told(), False),
    ]


def test_a_training_again_has_the_recipe_the_threads_and_the_precision(made, monkeypatch, tmp_path):
    calls = []

    def noted(words, env):
        calls.append((words[3:], env))
        return SimpleNamespace(returncode=3)

    monkeypatch.setenv("LATENTIA_ZOO", str(made))
    monkeypatch.setattr("latentia.cli.zoo.subprocess.run", noted)
    run = tmp_path / "run"
    assert main(["reproduce", "zoo:tiny-pca", "--run", str(run), "--data", "x.npy"]) == 3
    recipe = made / "tiny-pca" / "recipe.toml"
    begun = ["train", "--recipe", str(recipe), "--run", str(run), "--data", "x.npy"]
    assert calls[0][0] == begun
    machine = zoos.read_index(made)["tiny-pca"].machine
    assert calls[0][1]["LATENTIA_THREADS"] == machine["threads"]
    assert calls[0][1]["LATENTIA_PRECISION"] == machine["precision"]
    run.mkdir()
    (run / "config.json").touch()
    assert main(["reproduce", "zoo:tiny-pca", "--run", str(run)]) == 3
    assert calls[1][0] == ["resume", str(run)]


@pytest.mark.slow
def test_pca_of_mnist_is_trained_again(tmp_path):
    if "pca-mnist" not in OWN:
        pytest.skip("the zoo has no PCA of MNIST")
    assert main(["reproduce", "zoo:pca-mnist", "--run", str(tmp_path / "run")]) == 0


@pytest.mark.parametrize("kind", ["evaluation.json", "metrics.jsonl"])
def test_minutes_are_of_all_threads_and_of_what_was_trained_first(kind, run, tmp_path):
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    (copy / "pretraining").mkdir()
    for folder, seconds in ((copy, 90.0), (copy / "pretraining", 30.0)):
        record = {"step": 1, "epoch": 1, "split": "train", "values": {}, "seconds": seconds}
        (folder / kind).write_text(json.dumps(record) + "\n")
    threads = RunConfig.read(run).threads or 1
    entry = adding.add(copy, "tiny-pca", tmp_path / "zoo", adding.Told())
    assert entry.cpu_minutes == pytest.approx(2.0 * threads, abs=0.01)
    assert not entry.cpu_measured
