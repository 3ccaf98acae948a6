"""The call behind every command: a flag reaches its argument alone, the rest are defaults."""

import importlib
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

import latentia
from latentia import MODELS
from latentia.cli.explore import ACTIONS
from latentia.cli.main import main
from latentia.cli.parser import SYNONYMS
from latentia.data import describe, names
from latentia.data.options import USUAL, TableOptions
from latentia.data.picture_files import order
from latentia.errors import InputError
from latentia.evaluation import runs
from latentia.metrics.definitions import DEFINITIONS
from latentia.models.fields import command_name, commands, model_fields
from latentia.models.translation.files import Cut, Outcome
from latentia.plots.grids import save_png
from tests.saved.test_saved_before import KEPT


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def recorded(monkeypatch, capsys):
    """Return a function that runs a command on a library function that only notes its call."""

    def run(function, answer, *words):
        module, _, name = function.rpartition(".")
        owner, calls = importlib.import_module(module), []
        signature = inspect.signature(getattr(owner, name))

        def call(*given, **options):
            bound = signature.bind(*given, **options)
            bound.apply_defaults()
            calls.append(dict(bound.arguments))
            return answer

        with monkeypatch.context() as patched:
            patched.setattr(owner, name, call)
            status = main([*map(str, words)])
        [found] = calls
        return found, status, capsys.readouterr().out

    return run


PICTURES = {
    ("--image-size", 9): {"image_size": 9},
    ("--image-size", "12x9"): {"image_size": "12x9"},
    ("--image-size", "9", "--crop"): {"image_size": 9},
    ("--image-size", "12x9", "--fit"): {"image_size": "12x9 fit"},
    ("--crop",): {"image_size": "crop"},
    ("--fit",): {"image_size": "fit"},
}
"""What pictures are brought to."""
COMMANDS = {
    "compare": (
        "latentia.evaluation.comparison.compare_with",
        "told",
        (),
        {"data": "digits", "models": None, "out": Path("comparison-digits-1"), "random_state": 0,
         "n_epochs": None, "image_size": None, "progress": True, "options": USUAL,
         "n_components": None, "live": False},
        {("--live",): {"live": True},
         ("--data", "ring"): {"data": "ring", "out": Path("comparison-ring-1")},
         ("--models", "pca,VAE,wgan-gp"): {"models": ("PCA", "VAE", "WGANGP")},
         ("--out", "a"): {"out": Path("a")}, ("--random-state", 7): {"random_state": 7},
         ("--n-epochs", 3): {"n_epochs": 3}, ("--n-components", 4): {"n_components": 4},
         **PICTURES},
    ),
    "resume": (
        "latentia.evaluation.runs.resume",
        "told",
        ("r",),
        {"run": Path("r"), "progress": True, "n_epochs": None, "live": False},
        {("--n-epochs", 5): {"n_epochs": 5}, ("--live",): {"live": True}},
    ),
    "sample": (
        "latentia.evaluation.sampled.sample",
        "told\n",
        ("r",),
        {"run": Path("r"), "n_samples": None, "out": None, "random_state": None, "label": None,
         "prompt": None, "temperature": None, "length": None, "overwrite": False, "noise": None,
         "rounded": None},
        {("-n", 3): {"n_samples": 3}, ("--n-samples", 4): {"n_samples": 4},
         ("--out", "a"): {"out": Path("a")}, ("--random-state", 7): {"random_state": 7},
         ("--label", "5"): {"label": "5"}, ("--prompt", "it"): {"prompt": "it"},
         ("--temperature", 0.25): {"temperature": 0.25}, ("--length", 11): {"length": 11},
         ("--overwrite",): {"overwrite": True}, ("--noise",): {"noise": True},
         ("--no-noise",): {"noise": False}, ("--round",): {"rounded": True},
         ("--no-round",): {"rounded": False}},
    ),
    "transform": (
        "latentia.evaluation.transformed.transform",
        "told",
        ("r", "t.csv", "--out", "a.csv"),
        {"run": Path("r"), "data_spec": "t.csv", "out": Path("a.csv"), "overwrite": False,
         "options": USUAL, "image_size": None},
        {("--overwrite",): {"overwrite": True}, **PICTURES},
    ),
    "reconstruct": (
        "latentia.evaluation.runs.reconstruct",
        "told",
        ("r",),
        {"run": Path("r"), "data_spec": None, "out": Path("reconstructions.png"),
         "overwrite": False, "options": USUAL},
        {("--data", "ring"): {"data_spec": "ring"}, ("--out", "a.npy"): {"out": Path("a.npy")},
         ("--overwrite",): {"overwrite": True}},
    ),
    "evaluate": (
        "latentia.evaluation.runs.figures",
        ({"VAE": {}}, ("told",)),
        ("r",),
        {"run": Path("r"), "data_spec": None, "options": USUAL},
        {("--data", "ring"): {"data_spec": "ring"}},
    ),
    "evaluate --n-importance": (
        "latentia.evaluation.runs.answers",
        ["told"],
        ("r", "--n-importance", 6),
        {"run": Path("r"), "data_spec": None, "n_importance": 6, "memorisation": None,
         "judge": None, "overwrite": False, "options": USUAL},
        {("--data", "ring"): {"data_spec": "ring"},
         ("--memorisation", "a.png"): {"memorisation": Path("a.png")},
         ("--judge", "j"): {"judge": Path("j")}},
    ),
    "evaluate --judge": (
        "latentia.evaluation.runs.answers",
        ["told"],
        ("r", "--judge", "j"),
        {"run": Path("r"), "data_spec": None, "n_importance": None, "memorisation": None,
         "judge": Path("j"), "overwrite": False, "options": USUAL},
        {},
    ),
    "evaluate --memorisation": (
        "latentia.evaluation.runs.answers",
        ["told"],
        ("r", "--memorisation", "m.png"),
        {"run": Path("r"), "data_spec": None, "n_importance": None, "memorisation": Path("m.png"),
         "judge": None, "overwrite": False, "options": USUAL},
        {("--overwrite",): {"overwrite": True}},
    ),
    "export": (
        "latentia.pages.export.export_run",
        ["told"],
        ("r", "--out", "a.onnx"),
        {"run": Path("r"), "out": Path("a.onnx"), "only": (), "precision": "auto",
         "overwrite": False, "with_images": False},
        {("--only", "decode", "encode"): {"only": ["decode", "encode"]},
         ("--with-images",): {"with_images": True},
         ("--precision", "half"): {"precision": "half"}, ("--overwrite",): {"overwrite": True}},
    ),
    "data fetch": ("latentia.data.fetch", "told", ("mnist",), {"name": "mnist"}, {}),
}  # fmt: skip
"""What answers a command, with what it is called unless a flag says otherwise, and the flags."""


def flag_by_flag():
    for command, (function, answer, base, defaults, flags) in COMMANDS.items():
        for flag, changed in {(): {}, **flags}.items():
            words = (*command.split()[: 2 if "data" in command else 1], *base, *flag)
            yield pytest.param(
                function, answer, words, defaults | changed, id=" ".join(map(str, words))
            )


@pytest.mark.parametrize(("function", "answer", "words", "expected"), list(flag_by_flag()))
def test_a_flag_reaches_its_argument_and_no_other(function, answer, words, expected, recorded):
    found, status, out = recorded(function, answer, *words)
    assert found == expected
    assert status == 0
    assert out.splitlines()[-1] == "told"


@pytest.mark.parametrize(
    ("flag", "policy"),
    [((), "refuse"), (("--overwrite",), "replace"), (("--skip-existing",), "skip")],
)
@pytest.mark.parametrize("command", ["translate", "upscale"])
def test_results_that_exist_are_treated_as_asked(command, flag, policy, recorded, tmp_path):
    save_png(tmp_path / "a.png", np.zeros((4, 4), np.uint8))
    words = (command, "r", "a.png", "--out", "o", *flag)
    function = f"latentia.models.translation.files.{command}"
    found, status, out = recorded(function, Outcome({Path("a.png"): Path("o/a.png")}), *words)
    assert found.pop("order") == order([Path("a.png")], Path("o"), policy)
    own = {"translate": {"reverse": False, "resize": False}, "upscale": {"scale": None}}[command]
    assert found == {"run": Path("r"), "cut": Cut(None, None), "progress": True} | own
    assert (status, out) == (0, "o: 1 picture\n")


TRAINED = {
    (): {},
    ("--data", "ring"): {"data_spec": "ring", "run": Path("runs/vae-ring-1")},
    ("--run", "r"): {"run": Path("r")},
    ("--run-directory", "r"): {"run": Path("r")},
    ("--held-out", 0.25): {"held_out": 0.25},
    ("--columns", "a", "b"): {"options": TableOptions(columns=("a", "b"))},
    **PICTURES,
}


@pytest.mark.parametrize("by_recipe", [False, True])
@pytest.mark.parametrize("flag", TRAINED)
def test_what_is_trained_is_told_by_flags_or_by_a_recipe(flag, by_recipe, recorded):
    defaults = {"data_spec": "digits", "run": Path("runs/vae-digits-1"), "image_size": None,
                "held_out": None, "progress": True, "start_from": None, "live": False,
                "options": USUAL}  # fmt: skip
    words = ("train", "vae", *flag)
    if by_recipe:
        name, *values = flag or ("",)
        key, lines = name.lstrip("-").replace("-", "_"), ["model = 'vae'"]
        if key == "columns":
            lines.append(f"columns = {values}")
            words = words[:2]
        elif key in ("data", "image_size", "held_out"):
            lines.append(f"{key} = {values[0]!r}")
            words = (*words[:2], *words[4:])
        Path("recipe.toml").write_text("\n".join(lines))
        words = ("train", *words[2:], "--recipe", "recipe.toml")
    found, status, out = recorded("latentia.evaluation.runs.train", "told", *words)
    assert found.pop("model").get_params() == latentia.VAE().get_params()
    assert found == defaults | TRAINED[flag]
    assert (status, out) == (0, "told\n")


def test_what_is_started_from_gives_the_parameters_that_no_flag_gives(recorded):
    begun = KEPT / "VAE" / "model"
    parameters = latentia.load(begun).get_params()
    for flags, changed in (((), {}), (("--beta", "0.25"), {"beta": 0.25})):
        words = ("train", "--start-from", begun, *flags)
        found, _, _ = recorded("latentia.evaluation.runs.train", "told", *words)
        assert found.pop("model").get_params() == parameters | changed
        assert (found["start_from"], found["data_spec"]) == (begun, "digits")
    found, _, _ = recorded("latentia.evaluation.runs.train", "told", *words, "--data", "ring")
    assert (found["start_from"], found["data_spec"]) == (begun, "ring")


@pytest.mark.parametrize(
    ("recipe", "flags", "expected"),
    [
        ("'12x9 fit'", (), "12x9 fit"),
        ("'12x9 fit'", ("--crop",), "12x9"),
        ("'12x9 crop'", ("--fit",), "12x9 fit"),
        ("'12x9 fit'", ("--image-size", "8"), 8),
        ("'fit'", (), "fit"),
        ("'fit'", ("--crop",), "crop"),
        ("'fit'", ("--image-size", "8", "--fit"), "8x8 fit"),
        ("9", ("--fit",), "9x9 fit"),
    ],
)
def test_the_way_of_a_recipe_and_of_flags_is_one(recipe, flags, expected, recorded):
    Path("r.toml").write_text(f"model = 'vae'\nimage_size = {recipe}\n")
    words = ("train", "--recipe", "r.toml", *flags)
    found, _, _ = recorded("latentia.evaluation.runs.train", "told", *words)
    assert found["image_size"] == expected


def test_models_are_listed_with_their_summary_and_their_paper(capsys):
    assert main(["models"]) == 0
    lines = iter(capsys.readouterr().out.splitlines())
    for command, class_name in commands().items():
        text = inspect.cleandoc(getattr(latentia, class_name).__doc__)
        summary, paper = next(lines), next(lines)
        assert summary[:22].strip() == command
        told = re.sub(r" \[\d\]_", "", text.partition("\n\n")[0])
        assert summary[23:] == " ".join(told.split())
        assert paper.split()[0].strip("“,.") in text.partition("References")[2]


@pytest.mark.parametrize("name", names())
def test_every_line_of_a_data_set_says_what_it_names(name, capsys):
    known = describe(name)
    assert main(["data", "describe", name]) == 0
    found = {line[:9].strip(): line[10:] for line in capsys.readouterr().out.splitlines()}
    assert found == {
        "name": name,
        "what": known.summary,
        "sample": " × ".join(map(str, known.shape)),
        "size": f"{known.n_train:,} for training, {known.n_test:,} for test",
        "classes": ", ".join(known.classes) or "not named",
        "origin": known.origin or "not named",
        "licence": known.licence or "not named",
        "network": "fetched on first use" if known.needs_network else "not needed",
    }
    assert main(["data", "list"]) == 0
    [line] = [x for x in capsys.readouterr().out.splitlines() if x.split()[0] == name]
    assert line == f"{name:<20} {known.summary}" + " (fetched)" * known.needs_network


@pytest.mark.parametrize("joined", [None, 3])
@pytest.mark.parametrize(("word", "own"), list(SYNONYMS.items()))
def test_other_softwares_word_as_a_flag_is_answered_by_the_own(word, own, joined, capsys):
    if own == "out":
        words = ["sample", "r"]
    else:
        fields = {name: [f.name for f in model_fields(name)] for name in commands().values()}
        words = ["train", next(c for c, n in commands().items() if own in ("data", *fields[n]))]
    flag = "--" + word.replace("_", "-")
    assert main([*words, *([flag, "3"] if joined is None else [f"{flag}={joined}"])]) == 2
    told = f"has no option {flag}; did you mean --{own.replace('_', '-')}"
    assert (
        f"{told} (it is what {word.replace('-', '_')} is called here)?" in capsys.readouterr().err
    )


@pytest.mark.parametrize("word", ["none", "None", "NONE"])
def test_none_is_read_in_any_case(word, recorded):
    words = ("train", "vae", "--ema-decay", word, "--random-state", word)
    found, _, _ = recorded("latentia.evaluation.runs.train", "told", *words)
    assert (found["model"].ema_decay, found["model"].random_state) == (None, None)


@pytest.mark.parametrize("models", [("VAE",), ("LSTMLanguageModel", "NGramLanguageModel, 5")])
def test_every_figure_is_printed_with_its_unit_below_its_models_name(models, monkeypatch, capsys):
    figures = {key: number + 0.25 for number, key in enumerate(DEFINITIONS)}
    table = {name: {k: v + 100 * i for k, v in figures.items()} for i, name in enumerate(models)}
    monkeypatch.setattr(runs, "figures", lambda *_: (table, ("one", "two")))
    assert main(["evaluate", "r"]) == 0
    *lines, first, second = capsys.readouterr().out.splitlines()
    assert (first, second) == ("one", "two")
    if len(models) > 1:
        assert lines.pop(0).split(None, 1) == list(models)
    width = max(len(known.label) for known in DEFINITIONS.values())
    for line, (key, value) in zip(lines, figures.items(), strict=True):
        known = DEFINITIONS[key]
        cells = [f"{value + 100 * i:.4f}" for i in range(len(models))]
        label, rest = line[:width], line[width:]
        assert label.rstrip() == known.label
        assert rest.split() == [*cells, *known.unit.split()]


@pytest.mark.parametrize("rank", [None, "0", "1"])
@pytest.mark.parametrize(
    ("error", "sentence", "expected"),
    [
        (FileNotFoundError(2, "No such file", "a/b"), "error: a/b: No such file", 2),
        (PermissionError(13, "Permission denied", "a/b"), "error: a/b: Permission denied", 2),
        (IsADirectoryError(21, "Is a directory", "a/b"), "error: a/b: Is a directory", 2),
        (NotADirectoryError(20, "Not a directory", "a/b"), "error: a/b: Not a directory", 2),
        (InputError("one\nsentence\n  in lines"), "error: one sentence in lines", 2),
        (KeyboardInterrupt(), "stopped", 130),
    ],
    ids=lambda part: type(part).__name__ if isinstance(part, BaseException) else None,
)
def test_what_stops_a_command_is_told_in_one_line(
    error, sentence, expected, rank, monkeypatch, capsys
):
    def stop(*_, **options):
        raise error

    monkeypatch.setattr(runs, "reconstruct", stop)
    monkeypatch.delenv("RANK", raising=False)
    if rank is not None:
        monkeypatch.setenv("RANK", rank)
    assert main(["reconstruct", "r"]) == expected
    told = capsys.readouterr()
    silent = rank == "1" and sentence != "stopped"
    assert told.err == ("" if silent else f"latentia: {sentence}\n")
    assert told.out == ""


def help_of(words, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "10000")
    with pytest.raises(SystemExit) as stopped:
        main([*words, "--help"])
    assert stopped.value.code == 0
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("action", ACTIONS)
def test_help_names_the_files_that_an_action_writes(action, monkeypatch, capsys):
    moves = action in ("interpolate", "traverse", "attribute", "blend")
    endings = ".png, .npz, .gif, .mp4" if moves else ".png, .npz"
    told = help_of(["explore", action], monkeypatch, capsys)
    assert f" {endings} (default: {action}.png)" in told


@pytest.mark.parametrize("name", MODELS)
def test_help_tells_the_meaning_the_range_and_the_default_of_every_field(name, monkeypatch, capsys):
    told = help_of(["train", command_name(name)], monkeypatch, capsys)
    for field in model_fields(name):
        default = "none" if field.default is None else field.default
        if isinstance(default, tuple):
            default = " ".join(map(str, default))
        allowed = "" if field.range is None else f"{field.range}; "
        if field.counts_when:
            allowed += f"counts with {' or '.join(map(str, field.counts_when))}; "
        assert " ".join(f"{field.help} ({allowed}default: {default})".split()) in told
