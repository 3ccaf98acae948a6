"""A run directory: whose it is, who trains in it, and what is refused as another run."""

import errno
import fcntl
import json
import os

import numpy as np
import pytest

import latentia
from latentia.cli.main import main
from latentia.errors import InputError
from latentia.evaluation import runs
from latentia.training import directory, distributed
from latentia.training.config import RunConfig, read_config, write_config
from latentia.training.directory import held
from tests.conftest import small_models
from tests.saved.make import lessons, resumable, text_models

NOTHING = RunConfig("none", {})


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Return a function that runs a command beside small data, and returns status and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs, "finish", lambda *arguments: None)
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((20, 5)))

    def run(*words):
        status = main([*map(str, words)])
        lines = capsys.readouterr().err.splitlines()
        return status, "\n".join(line for line in lines if "  step " not in line)

    return run


PCA = ["train", "pca", "--n-components", "2", "--data", "x.npy"]
VAE = ["train", "vae", "--n-components", "2", "--hidden", "4", "--random-state", "0"]
VAE += ["--n-epochs", "2", "--data", "x.npy"]


@pytest.mark.parametrize("begin", [PCA, VAE], ids=["pca", "vae"])
@pytest.mark.parametrize("name", ["model/thesis.docx", "samples/me.png", "report.html", "holder"])
def test_no_run_begins_where_something_else_bears_its_names(name, begin, command, tmp_path):
    mine = tmp_path / "proj" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    status, said = command(*begin, "--run", "proj")
    assert status == 2
    assert name.split("/")[0] in said
    assert [p for p in (tmp_path / "proj").rglob("*") if p.is_file()] == [mine]
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("begin", [PCA, VAE], ids=["pca", "vae"])
def test_a_run_leaves_everything_else_in_its_folder_alone(begin, command, tmp_path):
    for name in ("proj/thesis.docx", "proj/home.tmp", "proj/model.old.tmp/x", "proj/.latentia.tmp"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    assert command(*begin, "--run", "proj")[0] == 0
    for name in ("proj/thesis.docx", "proj/home.tmp", "proj/model.old.tmp/x", "proj/.latentia.tmp"):
        assert (tmp_path / name).read_text() == name


def test_a_second_trainer_is_kept_out_whatever_files_are_removed(tmp_path):
    run = tmp_path / "run"
    with held(run, NOTHING, None, {}):
        for path in run.iterdir():
            path.unlink()
        with pytest.raises(InputError, match="in use by process"), held(run, NOTHING, None, {}):
            pass
    with held(tmp_path / "run", NOTHING, None, {}):
        pass


@pytest.mark.parametrize("first", [True, False])
def test_the_first_process_begins_a_run_before_the_others_go_on(first, tmp_path, monkeypatch):
    run, seen = tmp_path / "run", []
    monkeypatch.setattr(directory, "leads", lambda: first)
    monkeypatch.setattr(directory, "barrier", lambda: seen.append((run / "config.json").exists()))
    with held(run, NOTHING, None, {}) as begun:
        assert (begun, seen) == (NOTHING, [first])
    assert (seen, run.exists()) == ([first], first)


def test_a_barrier_waits_for_every_process(monkeypatch):
    met = []
    monkeypatch.setattr(distributed, "sum_over_processes", lambda v: met.append(v.tolist()) or v)
    distributed.barrier()
    assert met == [[0.0]]


def test_a_holder_that_cannot_be_removed_does_not_end_a_run(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EPERM, "not permitted")

    with held(tmp_path / "run", NOTHING, None, {}):
        monkeypatch.setattr("pathlib.Path.unlink", refuse)
    assert (tmp_path / "run" / "holder").exists()


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
def test_a_file_system_without_locks_is_said_and_trained_on(code, tmp_path, monkeypatch, caplog):
    def flock(descriptor, how):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", flock)
    with held(tmp_path / "run", NOTHING, None, {}):
        assert "cannot be locked: do not start a second training in it" in caplog.text
    assert (tmp_path / "run" / "config.json").exists()


@pytest.mark.parametrize("error", [TypeError, OSError, MemoryError, InputError])
def test_a_start_that_fails_leaves_nothing(error, tmp_path):
    def start():
        with held(tmp_path / "runs" / "a", NOTHING, None, {}):
            (tmp_path / "runs" / "a" / "samples").mkdir()
            (tmp_path / "runs" / "a" / "samples" / "epoch_0001.png").write_bytes(b"")
            raise error

    with pytest.raises(error):
        start()
    assert list(tmp_path.iterdir()) == []
    unwritable = RunConfig("none", {"beta": object()})
    with pytest.raises(TypeError), held(tmp_path / "run", unwritable, None, {}):
        pass
    assert list(tmp_path.iterdir()) == []


def test_numpys_numbers_are_recorded_as_numbers(images, tmp_path):
    values = {"n_components": np.int64(2), "beta": np.float32(0.5)}
    write_config(tmp_path, {"model": "VAE", "parameters": values})
    assert read_config(tmp_path)["parameters"] == {"n_components": 2, "beta": 0.5}


def test_a_killed_fit_in_closed_form_goes_on(command, tmp_path, monkeypatch):
    assert command(*PCA, "--run", "whole")[0] == 0
    with monkeypatch.context() as patched:
        patched.setattr(latentia.PCA, "save", lambda *_, **options: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            command(*PCA, "--run", "killed")
    assert not (tmp_path / "killed" / "model").exists()
    assert "resume it with 'latentia resume killed'" in command(*PCA, "--run", "killed")[1]
    assert command("resume", "killed") == (0, "")
    weights = [(tmp_path / r / "model/model.safetensors").read_bytes() for r in ("whole", "killed")]
    assert weights[0] == weights[1]
    config = read_config(tmp_path / "killed")
    np.save("x.npy", np.random.default_rng(1).random((20, 5)))
    assert "another data: hash " in command("resume", "killed")[1]
    # Version 0.1.0 recorded neither a hash of the data nor one of the file.
    old = {k: config[k] for k in ("model", "parameters", "versions")}
    old["data"] = {k: config["data"][k] for k in ("spec", "image_size")}
    (tmp_path / "killed" / "config.json").write_text(json.dumps(old))
    assert command("resume", "killed") == (0, "")


@pytest.mark.parametrize("there", [2, 1, None])
def test_a_run_keeps_its_number_of_processes(there, images, tmp_path):
    run = tmp_path / "run"
    small_models()["VAE"].fit(images, run=run)
    config = read_config(run)
    assert config["world_size"] == 1
    write_config(run, config | {"world_size": there})
    again = small_models()["VAE"]
    if there == 2:
        with pytest.raises(InputError, match="another number of processes: 2 there, 1 here"):
            again.fit(images, run=run, resume=True)
    else:
        again.fit(images, run=run, resume=True)


def test_a_refused_resume_tells_what_differs_and_nothing_else(images, tmp_path):
    model = small_models()["VAE"].fit(images, run=tmp_path / "run")
    with pytest.raises(InputError) as refused:
        model.set_params(beta=2.0).fit(images, run=tmp_path / "run", resume=True)
    assert "another parameters: beta 1.0 there, 2.0 here" in str(refused.value)
    assert len(str(refused.value)) < 120 + len(str(tmp_path))


def test_a_run_of_several_processes_resumes_in_as_many(command, tmp_path, monkeypatch):
    assert command(*VAE, "--run", "r")[0] == 0
    write_config(tmp_path / "r", read_config(tmp_path / "r") | {"world_size": 3})
    seen = []
    monkeypatch.setattr("latentia.cli.train._spawn", lambda *given: seen.append(given[:2]) or 0)
    assert command("resume", "r")[0] == command("train", "vae", "--resume", "r")[0] == 0
    assert command("train", "--resume", "r", "--devices", "3", "--n-epochs", "9")[0] == 0
    words = ["train", "--resume", "r"]
    assert seen == [(3, words), (3, words), (3, [*words, "--n-epochs", "9"])]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["vae", "--beta", "2"], "--beta is 2.0, and the run in r was begun with 1.0"),
        (["vae", "--devices", "2"], "--devices is 2, and the run in r was begun with 1"),
        (["vae", "--data", "y.npy"], "--data is y.npy, and the run in r was begun with"),
        (["vae", "--run", "q"], "--run is q, and the run in r was begun with r"),
        (["vae", "--profile"], "--profile is True, and"),
        (["vae", "--image-size", "8"], "--image-size is 8, and the run in r was begun with None"),
        (["vae", "--hidden", "5"], "--hidden is [5], and the run in r was begun with [4]"),
        (["gan"], "the model is GAN, and the run in r was begun with VAE"),
        (["--latent-dim", "3"], "did you mean --n-components"),
        (["vae", "--n-epochs", "1"], "has had 2 epochs, and n_epochs = 1 is how many"),
        (["--recipe", "recipe.toml"], "--beta is 3.0, and the run in r was begun with 1.0"),
    ],
)
def test_a_flag_that_would_change_a_resumed_run_is_named(words, said, command, tmp_path):
    (tmp_path / "recipe.toml").write_text("model = 'vae'\nbeta = 3.0\n")
    assert command(*VAE, "--run", "r")[0] == 0
    before = {p: p.read_bytes() for p in (tmp_path / "r").rglob("*.*") if p.is_file()}
    status, told = command("train", *words, "--resume", "r")
    assert (status, len(told.splitlines())) == (2, 1)
    assert said in told
    assert {p: p.read_bytes() for p in (tmp_path / "r").rglob("*.*") if p.is_file()} == before


def test_flags_that_change_nothing_and_more_epochs_are_taken(command, tmp_path):
    assert command(*VAE, "--run", "r")[0] == 0
    assert command(*VAE, "--run", "r", "--resume", "r")[0] == 0
    assert command("train", "--resume", "r", "--n-epochs", "4")[0] == 0
    assert command("resume", "r")[0] == 0
    assert command(*VAE, "--n-epochs", "4", "--run", "whole")[0] == 0
    weights = [(tmp_path / r / "model/model.safetensors").read_bytes() for r in ("r", "whole")]
    assert weights[0] == weights[1]


def constant(model):
    return model.get_params().get("learning_rate_schedule", "constant") == "constant"


QUICK = ("VAE", "ConditionalVAE", "GAN", "IDEC", "RNNLanguageModel", "LinearVAE")
TRAINED = [
    pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
    for name, model in (small_models() | text_models()).items()
    if resumable(model)
]


@pytest.mark.parametrize("name", TRAINED)
def test_one_epoch_and_another_are_two(name, tmp_path):
    def model(n_epochs):
        found = (small_models() | text_models())[name]
        return found.set_params(n_epochs=n_epochs, random_state=3)

    X, y = lessons(name)
    begun = model(1).fit(X, y, run=tmp_path / "run")
    longer = model(2).fit(X, y, run=tmp_path / "run", resume=True)
    whole = model(2).fit(X, y)
    paths = [m.save(tmp_path / str(i)) / "model.safetensors" for i, m in enumerate((longer, whole))]
    # What is spread over the epochs was spread over one of them first.
    assert (paths[0].read_bytes() == paths[1].read_bytes()) == constant(begun)
    config = read_config(tmp_path / "run")
    assert config["parameters"]["n_epochs"] == 2
    n_steps = begun.records_[-1]["step"]
    assert config["stages"] == [{"step": n_steps, "n_epochs": 1}]
    assert longer.records_[-1]["step"] == 2 * n_steps


def test_a_warmup_longer_than_the_run_is_spread_anew_and_said(
    images, tmp_path, monkeypatch, capsys
):
    model = small_models()["VAE"].set_params(beta_warmup_epochs=9)
    # As in 0.1.0, which shortened it.
    with monkeypatch.context() as earlier:
        earlier.setattr(type(model), "check_effects", lambda *_: None)
        model.fit(images, run=tmp_path / "run")
    # An epoch less than the warmup, which is so refused in a run that begins today.
    model.set_params(n_epochs=5).fit(images, run=tmp_path / "run", resume=True, progress=True)
    said = capsys.readouterr().err
    assert "was planned for 2 epochs and has had 2; it goes on to 5 in all, 3 more" in said
    assert "its beta_warmup_epochs (9) is spread over all 5 epochs from here on" in said


CHANGED = {
    "a digit": ("data", lambda v: v | {"samples": 41}, "SHA-256 is not the one in it"),
    "a field of a later version": ("colour", lambda v: "blue", "a field 'colour' that Latentia"),
    "threads": ("threads", lambda v: 99_999_999, "threads must be a whole number from 1 to 1024"),
    "no threads": ("threads", lambda v: 0, "threads must be a whole number from 1 to 1024"),
    "a flag": ("threads", lambda v: True, "threads must be a whole number from 1 to 1024"),
    "processes": ("world_size", lambda v: -1, "world_size must be a whole number"),
    "text": ("data", lambda v: "digits", "data must be a table, and is 'digits'"),
    "a seed": ("parameters", lambda v: v | {"random_state": "x"}, "whole number as seed"),
    "a model": ("model", lambda v: 7, "model must be text, and is 7"),
}


@pytest.mark.parametrize("what", CHANGED)
@pytest.mark.parametrize("hashed", [True, False])
def test_a_config_that_was_changed_is_refused(what, hashed, images, tmp_path):
    run = tmp_path / "run"
    small_models()["VAE"].fit(images, run=run)
    content = json.loads((run / "config.json").read_text())
    name, change, said = CHANGED[what]
    content[name] = change(content.get(name))
    if what == "a digit":
        assert "sha256" in content
    elif hashed:
        # A hash keeps out accidents, and no more: what is malformed is found with a sound one too.
        del content["sha256"]
        write_config(run, content)
        content = json.loads((run / "config.json").read_text())
    else:
        del content["sha256"]
    (run / "config.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=said) as refused:
        small_models()["VAE"].fit(images, run=run, resume=True)
    assert "\n" not in str(refused.value)
    if "later" in what:
        assert f"written by version {latentia.__version__}: use that version" in str(refused.value)


def test_a_config_may_be_laid_out_anew(images, tmp_path):
    small_models()["VAE"].fit(images, run=tmp_path)
    content = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(dict(reversed(content.items()))))
    small_models()["VAE"].fit(images, run=tmp_path, resume=True)


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "deep", "huge"])
def test_what_is_no_config_is_refused_before_it_is_read(kind, tmp_path):
    path = tmp_path / "config.json"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "deep":
        path.write_text("[" * 200_000)
    else:
        with path.open("wb") as stream:
            stream.truncate(2**40)
    for use in (RunConfig.read, latentia.load):
        with pytest.raises(InputError, match=r"config\.json cannot be read: "):
            use(tmp_path)


def test_the_names_of_a_run_are_those_that_a_run_writes(command, tmp_path):
    """A name that is missing there would be overwritten where another has it."""
    assert command(*VAE, "--run", "r")[0] == 0
    written = {path.name for path in (tmp_path / "r").iterdir()}
    assert written - {"config.json"} <= set(directory.NAMES)
