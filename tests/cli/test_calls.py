"""The call behind every command: a flag reaches its argument alone, the rest are defaults."""

import importlib
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

import latentia
from latentia.cli.main import main
from latentia.cli.parser import SYNONYMS
from latentia.data import describe, names
from latentia.data.picture_files import order
from latentia.models.fields import commands, model_fields
from latentia.models.translation.files import Cut, Outcome
from latentia.plots.grids import save_png


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


COMMANDS = {
    "compare": (
        "latentia.evaluation.comparison.compare",
        "told",
        (),
        {"data": "digits", "models": None, "out": Path("comparison-digits-1"), "random_state": 0,
         "n_epochs": None, "image_size": None, "progress": True},
        {("--data", "ring"): {"data": "ring", "out": Path("comparison-ring-1")},
         ("--models", "pca,VAE,wgan-gp"): {"models": ("PCA", "VAE", "WGANGP")},
         ("--out", "a"): {"out": Path("a")}, ("--random-state", 7): {"random_state": 7},
         ("--n-epochs", 3): {"n_epochs": 3}, ("--image-size", 9): {"image_size": 9}},
    ),
    "resume": (
        "latentia.evaluation.runs.resume",
        "told",
        ("r",),
        {"run": Path("r"), "progress": True},
        {},
    ),
    "sample": (
        "latentia.evaluation.runs.sample",
        "told\n",
        ("r",),
        {"run": Path("r"), "n_samples": None, "out": None, "random_state": None, "label": None,
         "prompt": None, "temperature": None, "length": None},
        {("-n", 3): {"n_samples": 3}, ("--n-samples", 4): {"n_samples": 4},
         ("--out", "a"): {"out": Path("a")}, ("--random-state", 7): {"random_state": 7},
         ("--label", "5"): {"label": "5"}, ("--prompt", "it"): {"prompt": "it"},
         ("--temperature", 0.25): {"temperature": 0.25}, ("--length", 11): {"length": 11}},
    ),
    "reconstruct": (
        "latentia.evaluation.runs.reconstruct",
        "told",
        ("r",),
        {"run": Path("r"), "data_spec": None, "out": Path("reconstructions.png")},
        {("--data", "ring"): {"data_spec": "ring"}, ("--out", "a.npy"): {"out": Path("a.npy")}},
    ),
    "evaluate": (
        "latentia.evaluation.runs.figures",
        ({"VAE": {}}, ("told",)),
        ("r",),
        {"run": Path("r"), "data_spec": None},
        {("--data", "ring"): {"data_spec": "ring"}},
    ),
    "evaluate --n-importance": (
        "latentia.evaluation.runs.answers",
        ["told"],
        ("r", "--n-importance", 6),
        {"run": Path("r"), "data_spec": None, "n_importance": 6, "memorisation": None,
         "judge": None},
        {("--data", "ring"): {"data_spec": "ring"},
         ("--memorisation", "a.png"): {"memorisation": Path("a.png")},
         ("--judge", "j"): {"judge": Path("j")}},
    ),
    "evaluate --judge": (
        "latentia.evaluation.runs.answers",
        ["told"],
        ("r", "--judge", "j"),
        {"run": Path("r"), "data_spec": None, "n_importance": None, "memorisation": None,
         "judge": Path("j")},
        {},
    ),
    "evaluate --memorisation": (
        "latentia.evaluation.runs.answers",
        ["told"],
        ("r", "--memorisation", "m.png"),
        {"run": Path("r"), "data_spec": None, "n_importance": None, "memorisation": Path("m.png"),
         "judge": None},
        {},
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
    found, status, out = recorded(function, Outcome([Path("o/a.png")], []), *words)
    assert found.pop("order") == order([Path("a.png")], Path("o"), policy)
    own = {"translate": {"reverse": False, "resize": False}, "upscale": {"scale": None}}[command]
    assert found == {"run": Path("r"), "cut": Cut(None, None), "progress": True} | own
    assert (status, out) == (0, "o: 1 picture\n")


TRAINED = {
    (): {},
    ("--data", "ring"): {"data_spec": "ring", "run": Path("runs/vae-ring-1")},
    ("--run", "r"): {"run": Path("r")},
    ("--run-directory", "r"): {"run": Path("r")},
    ("--image-size", 9): {"image_size": 9},
    ("--held-out", 0.25): {"held_out": 0.25},
}


@pytest.mark.parametrize("by_recipe", [False, True])
@pytest.mark.parametrize("flag", TRAINED)
def test_what_is_trained_is_told_by_flags_or_by_a_recipe(flag, by_recipe, recorded):
    defaults = {"data_spec": "digits", "run": Path("runs/vae-digits-1"), "image_size": None,
                "held_out": None, "progress": True}  # fmt: skip
    words = ("train", "vae", *flag)
    if by_recipe:
        key, value = [*(word.lstrip("-").replace("-", "_") for word in map(str, flag)), "", ""][:2]
        lines = ["model = 'vae'"]
        if key in ("data", "image_size", "held_out"):
            lines.append(f"{key} = {value!r}" if key == "data" else f"{key} = {value}")
            words = words[:2]
        Path("recipe.toml").write_text("\n".join(lines))
        words = ("train", *words[2:], "--recipe", "recipe.toml")
    found, status, out = recorded("latentia.evaluation.runs.train", "told", *words)
    assert found.pop("model").get_params() == latentia.VAE().get_params()
    assert found == defaults | TRAINED[flag]
    assert (status, out) == (0, "told\n")


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
    assert line[20:].strip().removesuffix(" (fetched)") == known.summary


@pytest.mark.parametrize(("word", "own"), list(SYNONYMS.items()))
def test_other_softwares_word_as_a_flag_is_answered_by_the_own(word, own, capsys):
    if own == "out":
        words = ["sample", "r"]
    else:
        fields = {name: [f.name for f in model_fields(name)] for name in commands().values()}
        words = ["train", next(c for c, n in commands().items() if own in ("data", *fields[n]))]
    flag = "--" + word.replace("_", "-")
    assert main([*words, flag, "3"]) == 2
    told = f"has no option {flag}; did you mean --{own.replace('_', '-')}"
    assert (
        f"{told} (it is what {word.replace('-', '_')} is called here)?" in capsys.readouterr().err
    )


@pytest.mark.parametrize("word", ["none", "None", "NONE"])
def test_none_is_read_in_any_case(word, recorded):
    words = ("train", "vae", "--ema-decay", word, "--random-state", word)
    found, _, _ = recorded("latentia.evaluation.runs.train", "told", *words)
    assert (found["model"].ema_decay, found["model"].random_state) == (None, None)
