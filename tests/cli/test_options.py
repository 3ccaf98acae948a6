"""Every option reaches the call that it is meant for: fields, training, several processes."""

import argparse
import json
import sys
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import latentia
from latentia import MODELS
from latentia.cli.main import COMMANDS, main
from latentia.cli.parser import OldFlag, Parser
from latentia.cli.table_options import table_fields
from latentia.data import load as load_data
from latentia.data.pairs import load_pairs
from latentia.data.unpaired import load_unpaired
from latentia.evaluation import runs
from latentia.evaluation.profiling import Profile, profile
from latentia.models.fields import SECOND_FLAGS, command_name, model_fields
from latentia.models.gradient import GradientModel
from latentia.models.language.recurrent import RecurrentLanguageModel
from latentia.training.directory import disk_taken
from tests.cli.conftest import StoppedError


def other_value(field, number):
    """Return a value that a field may be given, is not its default, and no other field gets."""
    if field.choices and "float" not in field.kinds:
        return next(word for word in field.choices[::-1] if word != field.default)
    if "bool" in field.kinds:
        return not field.default
    if "tuple" in field.kinds:
        return (number, number + 1)
    if "int" in field.kinds:
        return number
    if "float" in field.kinds:
        return number + 0.5
    return f"word {number}"


def as_words(field, value):
    """Return the flag of a field, and a value as one types it."""
    flag = field.name.replace("_", "-")
    if "bool" in field.kinds:
        return [f"--{flag}" if value else f"--no-{flag}"]
    values = value if isinstance(value, tuple) else (value,)
    return [f"--{flag}", *map(str, values)]


def as_toml(value):
    return json.dumps(list(value) if isinstance(value, tuple) else value)


@pytest.mark.parametrize("name", MODELS)
def test_every_field_of_every_model_is_set_by_its_flag_and_by_its_key(name, made, tmp_path):
    fields = model_fields(name)
    values = {f.name: other_value(f, 1001 + number) for number, f in enumerate(fields)}
    defaults = {f.name: f.default for f in fields}
    assert all(values[key] != defaults[key] for key in values)
    data = ["--data", "x.txt"]
    words = [word for f in fields for word in as_words(f, values[f.name])]
    assert made(name, command_name(name), *data, *words) == values
    recipe = tmp_path / "recipe.toml"
    lines = [f"model = '{command_name(name)}'"]
    lines += [f"{key} = {as_toml(value)}" for key, value in values.items() if value is not None]
    recipe.write_text("\n".join(lines))
    assert made(name, "--recipe", recipe, *data) == values
    back = [
        word
        for f in fields
        if f.kinds == ("bool",) or f.default is not None
        for word in as_words(f, f.default)
    ]
    there = {f.name: values[f.name] if f.default is None else f.default for f in fields}
    assert made(name, "--recipe", recipe, *data, *back) == there, "a flag wins over the recipe"


@pytest.fixture
def trained(monkeypatch, tmp_path):
    """Return a function that runs a command until ``fit``, and returns model and arguments."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        seen = []

        def stop(self, X, y=None, **given):
            seen.append((self, X, y, given))
            raise StoppedError

        with monkeypatch.context() as patched:
            for kind in (GradientModel, RecurrentLanguageModel):
                patched.setattr(kind, "fit", stop)
            with pytest.raises(StoppedError):
                main(list(map(str, words)))
        return seen[0]

    return run


TAKEN = {
    "vae": ("digits", load_data, lambda data: None),
    "conditional-vae": ("digits", load_data, lambda data: data.y_train),
    "pix2pix": ("digits", load_pairs, lambda data: data.pair_train),
    "cyclegan": ("digits:3,5", load_unpaired, lambda data: data.y_train),
}


@pytest.mark.parametrize("name", TAKEN)
def test_the_last_twelfth_is_held_out_with_its_own_targets(name, trained):
    spec, load, targets = TAKEN[name]
    data = load(spec)
    n = len(data.x_train) - len(data.x_train) // 12
    _, X, y, given = trained("train", name, "--data", spec, "--run", "r")
    np.testing.assert_array_equal(X, data.x_train[:n])
    held_out, wanted = given["validation"], targets(data)
    if wanted is None and isinstance(held_out, tuple):
        held_out, _ = held_out
    if wanted is None:
        np.testing.assert_array_equal(held_out, data.x_train[n:])
    else:
        np.testing.assert_array_equal(y, wanted[:n])
        np.testing.assert_array_equal(held_out[0], data.x_train[n:])
        np.testing.assert_array_equal(held_out[1], wanted[n:])
    assert (str(given["run"]), given["resume"], given["progress"]) == ("r", False, True)
    assert given["origin"] == {"spec": data.spec, "image_size": None}


def test_nothing_is_held_out_of_fewer_than_twelve(trained):
    np.save("x.npy", np.random.default_rng(0).random((12, 4)))
    _, X, _, given = trained("train", "autoencoder", "--data", "x.npy")
    assert (len(X), given["validation"]) == (11, None)


def test_data_size_and_place_come_from_flags_then_from_the_recipe(trained, tmp_path):
    for number in range(20):
        (tmp_path / "pictures").mkdir(exist_ok=True)
        Image.new("L", (20, 20), 9 * number).save(tmp_path / f"pictures/{number:02}.png")
    (tmp_path / "recipe.toml").write_text(
        "model = 'vae'\ndata = 'pictures'\nimage_size = 8\nn_epochs = 3\n"
    )
    _, X, _, given = trained("train", "--recipe", "recipe.toml")
    assert X.shape[1:] == (8, 8)
    assert given["origin"] == {"spec": str(tmp_path / "pictures"), "image_size": 8}
    assert str(given["run"]) == "runs/vae-pictures-1"
    _, X, _, given = trained("train", "--recipe", "recipe.toml", "--image-size", 16)
    assert X.shape[1:] == (16, 16)
    (tmp_path / "recipe.toml").write_text("model = 'vae'\ndata = 'pictures'\nn_epochs = 3\n")
    model, X, _, given = trained(
        "train", "autoencoder", "--recipe", "recipe.toml", "--data", "digits", "--run", "r"
    )
    assert (type(model).__name__, model.n_epochs) == ("Autoencoder", 3)
    assert given["origin"]["spec"] == "digits"
    assert str(trained("train", "vae", "--run-directory", "q")[3]["run"]) == "q"


def test_a_free_folder_is_found_in_runs(trained, tmp_path):
    (tmp_path / "runs/vae-digits-1").mkdir(parents=True)
    assert str(trained("train", "vae")[3]["run"]) == "runs/vae-digits-2"


@pytest.mark.parametrize("words", [["resume", "r"], ["train", "--resume", "r"]])
def test_a_run_goes_on_as_it_was_started(words, trained, tmp_path, capsys):
    for number in range(20):
        (tmp_path / "pictures").mkdir(exist_ok=True)
        Image.new("L", (20, 20), 9 * number).save(tmp_path / f"pictures/{number:02}.png")
    begun = ["--data", "pictures", "--image-size", 8, "--hidden", 7, "--n-epochs", 1]
    assert main(["train", "vae", *map(str, begun), "--random-state", "5", "--run", "r"]) == 0
    assert capsys.readouterr().err.splitlines()[-1] == f"latentia: {disk_taken(Path('r'))}"
    first = trained("train", "vae", *begun, "--random-state", "5", "--run", "q")
    model, X, _, given = trained(*words)
    assert model.get_params() == first[0].get_params()
    assert (model.hidden, model.random_state) == ((7,), 5)
    np.testing.assert_array_equal(X, first[1])
    assert (given["resume"], str(given["run"])) == (True, "r")
    assert given["origin"] == {"spec": str(tmp_path / "pictures"), "image_size": 8}
    assert given["progress"] is True


def test_a_text_its_share_and_its_symbols_reach_the_fit(trained, tmp_path):
    text = "the cat sat on the mat. " * 40
    (tmp_path / "cats.txt").write_text(text)
    for words, share in (([], 0.05), (["--held-out", "0.25"], 0.25)):
        run = ["--run", f"r{len(words)}"]
        _, X, _, given = trained("train", "lstm", "--data", "cats.txt", *words, *run)
        data = latentia.load_text("cats.txt", share)
        assert data.train == X
        assert (given["validation"], given["symbols"]) == (data.validation, data.symbols)
        assert (str(given["run"]), given["resume"]) == (run[1], False)
        assert given["origin"]["spec"] == str(tmp_path / "cats.txt")
        assert given["origin"].get("held_out", 0.05) == share
    small = ["--n-units", "4", "--n-epochs", "1", "--random-state", "1"]
    begun = ["train", "lstm", "--data", "cats.txt", *small, "--held-out", "0.25", "--run", "r"]
    assert main(begun) == 0
    model, X, _, given = trained("resume", "r")
    assert latentia.load_text("cats.txt", 0.25).train == X
    assert (model.n_units, given["resume"], given["progress"]) == (4, True, True)


@pytest.mark.parametrize(
    "words",
    [
        ["--devices", "3", "--run", "a run", "--n-epochs", "2"],
        ["--devices=3", "--run=a run", "--n-epochs", "2"],
        ["--n-epochs", "2", "--run-directory", "a run", "--devices", "3"],
        ["--n-epochs", "2", "--run-directory=a run", "--devices=3"],
    ],
)
def test_processes_are_started_with_the_same_words_in_one_run(words, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    seen = []
    outcome = [7, "process 1 ended"]
    monkeypatch.setattr(
        "latentia.cli.train.run_processes", lambda *given: seen.append(given) or outcome
    )
    assert main(["train", "vae", *words]) == 7
    [(command, n)] = seen
    assert command[:3] == [sys.executable, "-m", "latentia"]
    assert command[3:] == ["train", "vae", *words]
    assert n == 3
    assert capsys.readouterr().err == "latentia: error: process 1 ended\n"
    (tmp_path / "a run" / "checkpoints").mkdir(parents=True)
    assert main(["train", "vae", *words]) == 7
    assert capsys.readouterr().err.endswith("; go on with: latentia resume a run\n")
    outcome[1] = ""
    monkeypatch.setenv("RANK", "1")
    began = []
    monkeypatch.setattr(runs, "train", lambda *given, **_: began.append(given[2]) or Path("page"))
    assert main(command[3:]) == 0
    assert capsys.readouterr() == ("", "")
    # Without a run of the user's own all processes are told the one that was chosen.
    monkeypatch.delenv("RANK")
    seen.clear()
    assert main(["train", "vae", "--devices", "3"]) == 7
    monkeypatch.setenv("RANK", "1")
    assert main(seen[0][0][3:]) == 0
    assert began == [Path("a run"), Path("runs/vae-digits-1")]


def test_speed_is_measured_on_what_the_run_is_trained_on(tmp_path, monkeypatch, capsys):
    """The step of the profile is that of the model, the data and the size that were asked for."""
    monkeypatch.chdir(tmp_path)
    for number in range(40):
        (tmp_path / "pictures").mkdir(exist_ok=True)
        Image.new("L", (20, 20), 6 * number).save(tmp_path / f"pictures/{number:02}.png")
    words = ["--data", "pictures", "--image-size", "8", "--hidden", "8", "--n-components", "3"]
    train = ["train", "vae", *words, "--n-epochs", "1", "--batch-size", "16", "--run", "r"]
    clock = SimpleNamespace(process_time=count(step=0.25).__next__)
    monkeypatch.setattr(sys.modules[profile.__module__], "time", clock)
    assert main(train) == 0
    assert not (tmp_path / "r/profile.json").exists()
    assert main([*train[:-1], "q", "--profile"]) == 0
    found = json.loads((tmp_path / "q/profile.json").read_text())
    weights = [64 * 8, 8 * 6, 3 * 8, 8 * 64]
    assert found["step_flops"] == 2 * 16 * (3 * sum(weights) - weights[0])
    assert str(Profile(**found)) in capsys.readouterr().out


def options_of(words, monkeypatch):
    """Return the flags that a command's parser knows, without those of a model's fields."""
    seen = []

    parse = Parser.parse_known_args

    def stop(self, *given):
        if self.prog == "latentia":
            return parse(self, *given)
        seen.append(self)
        raise StoppedError

    with monkeypatch.context() as patched:
        patched.setattr(Parser, "parse_known_args", stop)
        with pytest.raises(StoppedError):
            main(words)
    [parser] = seen
    return {
        next((o for o in action.option_strings if o.startswith("--")), action.dest)
        for action in parser._actions
        if not isinstance(action, argparse._HelpAction | OldFlag)
    }


TABLE = {"--" + field.name.replace("_", "-") for field in table_fields()}
PICTURES = {"--image-size", "--crop", "--fit"}
READ_PICTURES = {"compare", "train", "transform", "data"}
READ_TABLES = {"compare", "factor", "reliability", "train", "reconstruct", "evaluate"}
READ_TABLES |= {"transform", "data"}
KNOWN = {
    "compare": "--data --models --out --random-state --n-epochs --n-components --live",
    "factor": "data --n-factors --suggest --n-samples --standard-errors --compare-with --smooth "
    "--group --cutoff --out --lang",
    "reliability": "data --scales --reverse --reverse-found --missing --n-factors --method --level "
    "--correlation --n-samples --smooth --out --lang",
    "train": "--start-from --more-epochs "
    "--data --run --recipe --resume --held-out --profile --devices --live",
    "resume": "run --n-epochs --more-epochs --checkpoint --out --live",
    "search": "recipe --out --n-trials",
    "checkpoints": "run",
    "sample": "run --n-samples --out --overwrite --random-state --label --prompt --temperature "
    "--length --noise --round",
    "reconstruct": "run --data --out --overwrite",
    "evaluate": "run --data --n-importance --memorisation --judge --overwrite",
    "translate": "run images --out --overwrite --skip-existing --tile --overlap --reverse --resize "
    "--manifest --shard --manifest-out --failures",
    "upscale": "run images --out --overwrite --skip-existing --tile --overlap --scale "
    "--manifest --shard --manifest-out --failures",
    "figure": "name --out --overwrite --data --lang",
    "data": "action name",
    "transform": "run data --out --overwrite",
    "models": "",
    "doctor": "",
    "export": "run --out --only --precision --overwrite --with-images",
    "push": "run name --private --no-page --overwrite",
    "reproduce": "model --run --data",
    "lab": "--out --overwrite",
    "studio": "--no-browser --port --runs",
}
"""What this folder's tests ask each command; whoever adds an option adds what it changes."""


@pytest.mark.parametrize("command", KNOWN)
def test_no_option_is_without_a_test(command, monkeypatch):
    found = options_of([command], monkeypatch)
    of_model = {"--" + f.name.replace("_", "-") for f in model_fields("FactorAnalysis")}
    of_data = TABLE if command in READ_TABLES else set()
    of_data = of_data | (PICTURES if command in READ_PICTURES else set())
    assert of_data <= found
    known = of_data | (of_model if command == "factor" else set())
    assert found - known == set(KNOWN[command].split())
    assert {*KNOWN, "explore", "zoo"} == set(COMMANDS)


@pytest.mark.parametrize("name", MODELS)
def test_train_knows_the_fields_of_the_model_it_trains(name, monkeypatch):
    found = options_of(["train", command_name(name)], monkeypatch)
    second = SECOND_FLAGS.get(name, {})
    fields = {second.get(f.name, "--" + f.name.replace("_", "-")) for f in model_fields(name)}
    assert found == set(KNOWN["train"].split()) | TABLE | PICTURES | fields | {"model"}


@pytest.mark.parametrize(("rank", "told"), [(None, True), ("0", True), ("1", False)])
@pytest.mark.parametrize("words", [["train", "vae", "--run", "q"], ["resume", "q"]])
def test_the_first_process_tells_the_report_and_how_to_go_on(
    words, rank, told, monkeypatch, capsys
):
    if rank is None:
        monkeypatch.delenv("RANK", raising=False)
    else:
        monkeypatch.setenv("RANK", rank)
    monkeypatch.setattr(runs, words[0], lambda *_, **options: Path("page of q"))
    assert main(words) == 0
    assert capsys.readouterr().out == ("page of q\n" if told else "")

    def stop(*_, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, words[0], stop)
    assert main(words) == 130
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == ("latentia: stopped; go on with: latentia resume q\n" if told else "")


@pytest.mark.parametrize("name", MODELS)
def test_a_word_that_a_field_does_not_take_is_answered_by_those_that_it_takes(name, capsys):
    for field in model_fields(name):
        if not field.choices or "none" in field.kinds:
            continue
        flag, near = "--" + field.name.replace("_", "-"), field.choices[-1]
        allowed = ", ".join(field.choices)
        for word, hint in (("?", ""), (f"{near}s", f"; did you mean {near!r}?")):
            assert main(["train", command_name(name), flag, word]) == 2
            said = f"error: argument {flag}: {word!r} is not one of {allowed}{hint} (see "
            assert f"latentia: {said}" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_what_every_option_is_for(name):
    parser = Parser(prog=name, allow_abbrev=False)
    COMMANDS[name](parser, ["map"] if name == "explore" else [])
    parts = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    inner = [parser, *(part for each in parts for part in each.choices.values())]
    known = [action for part in inner for action in part._actions if action not in parts]
    assert all(action.help for action in known)
    if name == "train":
        assert parser.description == f"Models: {', '.join(map(command_name, MODELS))}."
