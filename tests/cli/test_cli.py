"""The command line: what it says to a newcomer who gets things wrong, and that it works."""

import dataclasses
import importlib
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from latentia import MODELS, __version__
from latentia.cli.main import main
from latentia.cli.parser import class_name_of, reader
from latentia.data import load as load_data
from latentia.data.unpaired import load_unpaired
from latentia.models.fields import command_name, model_fields, model_reference, model_summary
from latentia.models.saved import load
from tests.children import environment


def run(capsys, *words):
    status = main(list(words))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.mark.parametrize("name", MODELS)
def test_fields_read_from_source_are_the_dataclasses(name):
    cls = getattr(importlib.import_module(MODELS[name]), name)
    in_words = [field for field in dataclasses.fields(cls) if "nn.Module | None" not in field.type]
    theirs = {field.name: field.default for field in in_words}
    ours = {field.name: field.default for field in model_fields(name)}
    assert ours == theirs
    assert all(field.help.endswith(".") for field in model_fields(name))
    assert model_summary(name).endswith(".")
    assert any(digit.isdigit() for digit in model_reference(name))


@pytest.mark.parametrize(
    "words", [["--help"], ["train", "--help"], ["train", "vae", "--help"], ["compare", "--help"]]
)
def test_help_never_imports_torch(words):
    code = (
        "import sys\nfrom latentia.cli.main import main\n"
        f"try: main({words!r})\nexcept SystemExit: pass\n"
        "assert not {'torch', 'sklearn', 'numpy', 'matplotlib'} & set(sys.modules)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr
    assert "usage" in finished.stdout


MISTAKES = [
    (["trian"], "did you mean 'train'"),
    (["train", "vea"], "did you mean 'vae'"),
    (["train"], "needs a model"),
    (["train", "vae", "--latnt-dim", "3"], "did you mean --n-components"),
    (["train", "vae", "--n-componets", "3"], "did you mean --n-components?"),
    (["train", "dcgan", "--lr", "3"], "did you mean --learning-rate"),
    (["train", "vae", "--n-epochs", "many"], "'many' is not a whole number"),
    (["train", "vae", "--observation", "gausian"], "did you mean 'gaussian'"),
    (["train", "vae", "--beta=-1", "--data", "nosuch"], "beta is -1.0; it must be at least 0"),
    (["train", "vae", "--data", "nosuch"], "no data set 'nosuch'"),
    (["compare", "--data", "digts"], "did you mean 'digits'"),
    (["compare", "--models", "pca,vea"], "did you mean 'vae'"),
    (["data", "describe", "mnits"], "did you mean 'mnist'"),
    (["data", "lst"], "did you mean 'list'"),
    (["sample", "no-such-run"], "holds no run"),
    (["resume", "no-such-run"], "holds no run"),
    (["models", "extra"], "does not know what to do with 'extra'"),
]


@pytest.mark.parametrize(("words", "sentence"), MISTAKES, ids=[" ".join(m[0]) for m in MISTAKES])
def test_a_mistake_is_one_sentence(words, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, errors = run(capsys, *words)
    assert status == 2
    assert out == ""
    assert len(errors.splitlines()) == 1
    assert sentence in errors
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('model = "vae"\nlatent_dim = 3', "did you mean 'n_components'"),
        ('model = "vae"\nn_epoch = 3', "did you mean 'n_epochs'"),
        ('model = "vae"\nbeta = "big"', "beta is 'big'; it must be a number"),
        ("model = ", "cannot be read"),
        ('model = "vea"', "did you mean 'vae'"),
    ],
)
def test_a_mistake_in_a_recipe(text, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.toml").write_text(text)
    status, _, errors = run(capsys, "train", "--recipe", "recipe.toml")
    assert status == 2
    assert sentence in errors


@pytest.mark.parametrize("name", ["conditional-vae", "cyclegan"])
def test_a_model_that_takes_labels_reconstructs_test_images_with_theirs(name, capsys, tmp_path):
    small = ["--width", "4", "--n-blocks", "1"] if name == "cyclegan" else []
    data = "digits:3,5" if name == "cyclegan" else "digits"
    words = ["train", name, "--data", data, "--n-epochs", "1", *small, "--run", str(tmp_path / "r")]
    assert run(capsys, *words)[0] == 0
    out = tmp_path / "r.npz"
    assert run(capsys, "reconstruct", str(tmp_path / "r"), "--out", str(out))[0] == 0
    model = load(tmp_path / "r")
    found = load_unpaired(data) if name == "cyclegan" else load_data(data)
    with np.load(out) as written:
        expected = model.reconstruct(found.x_test, found.y_test)
        np.testing.assert_allclose(written["reconstructed"], expected, atol=1e-6)


def test_a_whole_session(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.toml").write_text(
        'model = "vae"\ndata = "digits"\nhidden = [16]\nn_epochs = 5\nrandom_state = 1\n'
    )
    status, out, errors = run(
        capsys, "train", "--recipe", "recipe.toml", "--n-epochs", "2", "--run", "r"
    )
    assert status == 0, errors
    assert out.strip() == "r/report.html"
    assert "epoch 2/2" in errors
    assert "images/s" in errors
    config = json.loads((tmp_path / "r/config.json").read_text())
    assert config["parameters"]["n_epochs"] == 2
    assert config["parameters"]["hidden"] == [16]
    assert config["data"]["spec"] == "digits"
    assert run(capsys, "sample", "r", "-n", "9", "--out", "s.png")[0] == 0
    with Image.open(tmp_path / "s.png") as picture:
        assert picture.mode == "RGB"
    assert run(capsys, "sample", "r", "--out", "s.npy", "--random-state", "0")[0] == 0
    assert np.load(tmp_path / "s.npy").shape == (64, 8, 8)
    assert run(capsys, "reconstruct", "r", "--out", "r.npz")[0] == 0
    with np.load(tmp_path / "r.npz") as written:
        assert written["reconstructed"].shape == (297, 8, 8)
    status, out, _ = run(capsys, "evaluate", "r")
    assert status == 0
    assert "−ELBO" in out
    assert "pca-" in out
    assert run(capsys, "resume", "r")[0] == 0
    status, _, errors = run(capsys, "train", "vae", "--run", "r")
    assert status == 2
    assert "latentia resume r" in errors
    status, _, errors = run(capsys, "sample", "r", "--out", "s.gif")
    assert (status, "'.gif'" in errors) == (2, True)


def test_pca_runs_too(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, errors = run(capsys, "train", "pca", "--n-components", "5")
    assert status == 0, errors
    assert out.strip() == "runs/pca-digits-1/report.html"
    status, _, errors = run(capsys, "sample", "runs/pca-digits-1")
    assert status == 2
    assert "no density" in errors


def test_linear_models_are_trained_measured_and_compared_without_torch(tmp_path):
    code = (
        "import sys\nfrom latentia.cli.main import main\n"
        "for words in ('train pca --run p', 'train factor-analysis --n-components 3 --run f',\n"
        "    'evaluate f', 'sample f', 'reconstruct p', 'compare --models pca --out c'):\n"
        "    assert main(words.split()) == 0, words\n"
        "assert 'torch' not in sys.modules"
    )
    words = [sys.executable, "-c", code]
    finished = subprocess.run(
        words, capture_output=True, text=True, cwd=tmp_path, env=environment()
    )
    assert finished.returncode == 0, finished.stderr
    report = (tmp_path / "p/report.html").read_text()
    assert "Squared error of test samples by number of components: " in report


def test_the_program_of_an_installation_before_the_move_still_starts():
    program = "import latentia.cli.train\nfrom latentia.cli import main\nmain(['--version'])"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True
    )
    assert done.stdout == f"latentia {__version__}\n"


def test_listings(capsys):
    status, out, _ = run(capsys, "models")
    assert status == 0
    assert all(command_name(name) in out for name in MODELS)
    assert "fashion-mnist-small" in run(capsys, "data", "list")[1]
    assert "CC BY" in run(capsys, "data", "describe", "mnist")[1]


def test_none_is_a_value_where_it_may_be():
    read = {field.name: reader(field) for field in model_fields("VAE")}
    assert read["ema_decay"]("none") is None
    assert read["ema_decay"]("0.9") == 0.9
    assert read["hidden"]("12") == 12


@pytest.mark.parametrize(
    ("word", "model"),
    [("cgan", "ConditionalGAN"), ("wgangp", "WGANGP"), ("wgan-gp", "WGANGP"), ("vade", "VaDE")],
)
def test_the_fields_short_names_are_taken(word, model):
    assert class_name_of(word) == model
