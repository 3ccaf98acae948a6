"""Runs trained further, fine-tuned on other data, and taken back to a checkpoint."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from latentia import DEC, GAN, PCA, VAE, Pix2Pix, load
from latentia.cli.main import main
from latentia.errors import InputError
from latentia.models.clustering import base as clustering
from latentia.training.checkpoint import Checkpoints
from latentia.training.config import RunConfig, read_config
from latentia.training.further import checkpoints_of
from latentia.training.going_back import take_back
from latentia.training.metrics_file import read_metrics
from tests.conftest import small_models
from tests.resume.test_directory import TRAINED, command, constant
from tests.saved.make import lessons, text_models

pytestmark = pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
__all__ = ["command"]
SMALL = ("train", "vae", "--n-components", "2", "--hidden", "4", "--random-state", "0")
DATA = ("--data", "x.npy")


@pytest.fixture(autouse=True)
def three_starts(monkeypatch):
    """What is asked here holds of the likeliest of three starts as it does of twenty's."""
    monkeypatch.setattr(clustering, "STARTS", 3)


def model(name, **fields):
    found = (small_models() | text_models())[name]
    return found.set_params(**{"n_epochs": 1, "random_state": 3} | fields)


def parameters(fitted):
    """Return every trained number, by its name."""
    return {
        f"{name}.{key}": value.detach().clone()
        for name, net in fitted.nets().items()
        for key, value in net.named_parameters()
    }


def equal(one, other):
    assert one.keys() == other.keys()
    return all(torch.equal(one[name], other[name]) for name in one)


def state(fitted):
    return {
        f"{name}.{key}": value
        for name, net in fitted.nets().items()
        for key, value in net.state_dict().items()
    }


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", TRAINED)
def test_fine_tuning_begins_with_the_weights_of_the_start(name, tmp_path):
    """With a step too small to move a weight, what a fit ends with is what it began with."""
    X, y = lessons(name)
    start = model(name).fit(X, y)
    still = {"learning_rate": 1e-30, "random_state": 4}
    tuned = model(name, **still).fit(X, y, start_from=start, run=tmp_path / "run")
    assert equal(parameters(tuned), parameters(start))
    assert tuned.seed_ == 4
    held, as_much = ({key for key in vars(m) if key[-1] != "_"} for m in (tuned, start))
    assert held == as_much, "it keeps no model that it began with"
    afresh = model(name, **still, **({"pretrain_epochs": 1} if "DEC" in name else {})).fit(X, y)
    assert not equal(parameters(afresh), parameters(start))
    config = read_config(tmp_path / "run")
    assert config["start_from"] == f"a fitted {name}"
    assert equal(parameters(load(tmp_path / "run" / "start")), parameters(start))
    assert not (tmp_path / "run" / "pretraining").exists()


@pytest.mark.parametrize("how", ["model", "itself", "folder", "run"])
def test_a_start_is_a_model_itself_a_folder_or_a_run(how, table, tmp_path):
    begun = VAE(n_components=2, hidden=(4,), n_epochs=1, random_state=0)
    begun.fit(table, run=tmp_path / "run")
    begun.save(tmp_path / "run" / "model")
    before = parameters(begun)
    begun.save(tmp_path / "saved")
    given = {
        "model": copy.deepcopy(begun),
        "itself": begun,
        "folder": str(tmp_path / "saved"),
        "run": tmp_path / "run",
    }[how]
    # Data of other scales are seen in the units in which the weights were trained.
    other = 3 * table + 5
    tuned = begun if how == "itself" else VAE(n_components=2, hidden=(4,), n_epochs=1)
    units = begun.column_mean_.copy(), begun.column_scale_.copy()
    tuned.set_params(learning_rate=1e-30).fit(other, start_from=given, run=tmp_path / "tuned")
    assert equal(parameters(tuned), before)
    np.testing.assert_array_equal(tuned.column_mean_, units[0])
    np.testing.assert_array_equal(tuned.column_scale_, units[1])
    said = read_config(tmp_path / "tuned")["start_from"]
    assert said == ("a fitted VAE" if how in ("model", "itself") else str(given))


def test_a_fine_tuned_run_that_is_stopped_goes_on_to_the_same_end(table, tmp_path):
    """Its start may be gone by then, and its scale is not that of the data it is tuned on."""
    start = VAE(n_components=2, hidden=(4,), n_epochs=1, random_state=0).fit(table)

    def tuned(run, resume=False, callbacks=()):
        fields = {"n_components": 2, "hidden": (4,), "n_epochs": 3, "batch_size": 16}
        given = {"resume": True} if resume else {"start_from": start}
        made = VAE(**fields, random_state=1)
        return made.fit(2 * table, run=tmp_path / run, callbacks=callbacks, **given)

    def stop(shown):
        if shown.epoch == 2:
            raise KeyboardInterrupt

    whole = tuned("whole")
    with pytest.raises(KeyboardInterrupt):
        tuned("broken", callbacks=[stop])
    resumed = tuned("broken", resume=True)
    assert equal(state(resumed), state(whole))
    np.testing.assert_array_equal(resumed.column_scale_, start.column_scale_)
    with pytest.raises(InputError, match="goes on with its own weights"):
        VAE(n_components=2).fit(table, run=tmp_path / "broken", resume=True, start_from=start)


def test_what_cannot_be_started_from_is_refused_in_a_sentence(images, table, tmp_path):
    fields = {"n_components": 2, "n_epochs": 1, "random_state": 0}
    start = VAE(**fields, hidden=(4,)).fit(images)
    for made, X, said in (
        (VAE(**fields, hidden=(5,)), images, r"other nets: hidden \(4,\) there and \(5,\) here$"),
        (VAE(**fields, hidden=(4,), activation="tanh"), images, "activation 'auto' there and"),
        (VAE(**fields, hidden=(4,)), images[:, :4], r"shape of a sample \(1, 8, 8\) there"),
        (VAE(**fields, hidden=(4,)), table, "trained on data in .0, 1., and X leaves it"),
        (GAN(**fields), images, "a VAE; training of a GAN starts from another GAN"),
    ):
        with pytest.raises(InputError, match=said) as refused:
            made.fit(X, start_from=start, run=tmp_path / "run")
        assert "\n" not in str(refused.value)
        assert not (tmp_path / "run").exists()
    with pytest.raises(ValueError, match="not fitted yet"):
        VAE(**fields).fit(images, start_from=VAE(**fields))


def test_a_game_starts_from_the_generator_of_l1_alone(images):
    fields = {"width": 2, "n_epochs": 1, "batch_size": 40, "random_state": 0, "dropout": 0.0}
    start = Pix2Pix(**fields, objective="l1").fit(images, 1 - images)
    tuned = Pix2Pix(**fields | {"learning_rate": 1e-12}).fit(images, 1 - images, start_from=start)
    np.testing.assert_allclose(tuned.transform(images), start.transform(images), atol=1e-6)
    again = Pix2Pix(**fields, objective="l1").fit(images, 1 - images, start_from=tuned)
    assert not hasattr(again, "discriminator_")
    with pytest.raises(InputError, match=r"other nets: .*width 2 there and 3 here"):
        Pix2Pix(**fields | {"width": 3}).fit(images, 1 - images, start_from=start)


def test_classes_and_symbols_are_those_of_the_start(images):
    conditional = small_models()["ConditionalVAE"]
    start = conditional.fit(images, np.arange(40) % 4)
    with pytest.raises(InputError, match="knows the classes 0, 1, 2, 3; y holds 0, 1, 2, 9"):
        small_models()["ConditionalVAE"].fit(images, np.array([0, 1, 2, 9] * 10), start_from=start)
    text = model("RNNLanguageModel").fit("abcd " * 60)
    tuned = model("RNNLanguageModel").fit("abba " * 60, start_from=text)
    assert tuned.symbols_ == text.symbols_ == [" ", "a", "b", "c", "d"]
    with pytest.raises(InputError, match="the text has 'e' at place 1, which the model does not"):
        model("RNNLanguageModel").fit("bed " * 60, start_from=text)


@pytest.mark.parametrize("name", TRAINED)
def test_a_run_taken_back_is_the_run_of_so_many_epochs(name, tmp_path):
    X, y = lessons(name)
    begun = model(name, n_epochs=2).fit(X, y, run=tmp_path / "run")
    before = files(tmp_path / "run")
    take_back(tmp_path / "run", "1", tmp_path / "back")
    back = model(name, n_epochs=1).fit(X, y, run=tmp_path / "back", resume=True)
    assert files(tmp_path / "run") == before
    short = model(name, n_epochs=1).fit(X, y)
    assert equal(state(back), state(short)) or not constant(begun)
    whole, kept = read_metrics(tmp_path / "run"), read_metrics(tmp_path / "back")
    assert kept == [record for record in whole if record["epoch"] == 1] == back.records_
    config, step = RunConfig.read(tmp_path / "back"), kept[-1]["step"]
    assert config.parameters["n_epochs"] == 1
    assert config.stages == [{"step": step, "n_epochs": 2}]
    assert config.taken_from == str(tmp_path / "run")
    # And on again, by what was planned: the second epoch is the one that it had.
    again = model(name, n_epochs=2).fit(X, y, run=tmp_path / "back", resume=True)
    assert equal(state(again), state(begun))


@pytest.fixture
def run_of_five(images, tmp_path):
    """Return a run of five epochs whose second was the best."""
    scripted = iter([5.0, 3.0, 4.0, 4.5, 3.5])
    made = small_models()["VAE"].set_params(n_epochs=5)
    plain = made.bound_loss

    def loss(x):
        found = plain(x)
        if made.encoder_.training:
            return found
        total = torch.tensor(next(scripted))
        return type(found)(total, found.terms)

    made.bound_loss = loss
    made.fit(images, validation=images[:8], run=tmp_path / "run")
    return tmp_path / "run"


def test_checkpoints_are_listed_with_their_epoch_value_and_size(run_of_five, capsys):
    found = {each.name: each for each in checkpoints_of(run_of_five)}
    assert found["best"].epoch == 2
    assert found["best"].values["negative_elbo"] == 3.0
    assert main(["checkpoints", str(run_of_five)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["checkpoint", "steps", "held-out", "size"]
    listed = {line[: line.index("  ")]: line.split() for line in lines[1:-1]}
    folder = run_of_five / "checkpoints"
    for each in found.values():
        words = listed[f"best, epoch {each.epoch}" if each.is_best else f"epoch {each.epoch}"]
        size = (folder / f"{each.name}.safetensors").stat().st_size
        assert words[-2:] == [f"{size:,}", "bytes"]
        assert words[-5] == f"{2 * each.epoch}"
        assert words[-4:-2] == ["negative_elbo", f"{[5.0, 3.0, 4.0, 4.5, 3.5][each.epoch - 1]:g}"]
    assert len(listed) == len(found) >= 2
    assert lines[-1] == f"go back with: latentia resume {run_of_five} --checkpoint best --out NEW"


def test_the_best_is_gone_back_to_with_its_weights_and_its_value(run_of_five, tmp_path):
    take_back(run_of_five, "best", tmp_path / "back")
    tensors, counters, seal = Checkpoints(tmp_path / "back" / "checkpoints").latest_with(
        lambda seal: True
    )
    best, then = Checkpoints(run_of_five / "checkpoints").best()
    assert then["step"] == counters["step"] == 4
    assert all(torch.equal(tensors[name], best[name]) for name in best)
    assert (counters["best_score"], counters["best_epoch"]) == (3.0, 2)
    assert Checkpoints(tmp_path / "back" / "checkpoints").best()[1]["best_score"] == 3.0
    assert seal["bytes"] == (tmp_path / "back" / "metrics.jsonl").stat().st_size
    drawn = sorted(path.name for path in (tmp_path / "back" / "samples").iterdir())
    assert drawn == ["epoch_0001.png", "epoch_0002.png"]
    # Another epoch's checkpoint does not know a best that came before it.
    take_back(run_of_five, "5", tmp_path / "last")
    counters = Checkpoints(tmp_path / "last" / "checkpoints").latest()[1]
    assert (counters["best_score"], counters["best_epoch"]) == (None, 0)
    assert Checkpoints(tmp_path / "last" / "checkpoints").best() is None


def test_what_cannot_be_gone_back_to_is_refused(run_of_five, images, tmp_path):
    with pytest.raises(InputError, match=r"no checkpoint of epoch 9, but of 2, .*5$"):
        take_back(run_of_five, "9", tmp_path / "back")
    small_models()["GAN"].fit(images, run=tmp_path / "gan")
    with pytest.raises(InputError, match="has no best checkpoint, since no held-out value"):
        take_back(tmp_path / "gan", "best", tmp_path / "back")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="there exists: choose another directory"):
        take_back(run_of_five, "best", tmp_path / "there")
    for each in (run_of_five / "checkpoints").glob("*.safetensors"):
        each.write_bytes(each.read_bytes()[:-9])
    with pytest.raises(InputError, match="keeps no checkpoint to go back to"):
        take_back(run_of_five, "best", tmp_path / "back")
    assert all(each.damage == "it is cut short" for each in checkpoints_of(run_of_five))
    assert not (tmp_path / "back").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"run", "gan", "there"}


def test_the_best_may_be_what_training_started_from(images, tmp_path):
    made = small_models()["VAE"].set_params(n_epochs=5, patience=1)
    plain, asked = made.bound_loss, []

    def worse(x):
        asked.extend([] if made.encoder_.training else [0])
        return plain(x) + (0 if made.encoder_.training else 100.0 * len(asked))

    made.bound_loss = worse
    made.fit(images, validation=images[:8], run=tmp_path / "run")
    with pytest.raises(InputError, match=r"best .* from before its first epoch, .* epochs 1$"):
        take_back(tmp_path / "run", "best", tmp_path / "back")


def test_a_schedule_is_spread_over_all_epochs_from_where_the_run_goes_on(images, tmp_path, capsys):
    rates = []

    def fit(n_epochs, resume):
        made = small_models()["VAE"].set_params(n_epochs=n_epochs, learning_rate_schedule="linear")
        plain = made.rate_factor
        made.rate_factor = lambda done: rates.append(plain(done)) or rates[-1]
        return made.fit(images, run=tmp_path / "run", resume=resume, progress=resume)

    fit(2, False)
    fit(4, True)
    # Two steps an epoch: four of a line over 4 steps, then the last four of a line over 8.
    np.testing.assert_allclose(rates, [1, 0.75, 0.5, 0.25, 0.5, 0.375, 0.25, 0.125])
    said = capsys.readouterr().err
    assert "was planned for 2 epochs and has had 2; it goes on to 4 in all, 2 more" in said
    assert "learning_rate_schedule (linear) is spread over all 4 epochs from here" in said


def test_a_run_is_trained_further_at_the_command_line(command, tmp_path):
    assert command(*SMALL, *DATA, "--n-epochs", "2", "--run", "r")[0] == 0
    assert command("train", "--resume", "r", "--more-epochs", "3")[0] == 0
    assert command("resume", "r", "--more-epochs", "1")[0] == 0
    assert command("resume", "r", "--n-epochs", "7")[0] == 0
    config = read_config(tmp_path / "r")
    assert config["parameters"]["n_epochs"] == 7
    assert [stage["n_epochs"] for stage in config["stages"]] == [2, 5, 6]
    assert command(*SMALL, *DATA, "--n-epochs", "7", "--run", "whole")[0] == 0
    weights = [(tmp_path / r / "model/model.safetensors").read_bytes() for r in ("r", "whole")]
    assert weights[0] == weights[1]
    # And back, and on from there.
    assert command("resume", "r", "--checkpoint", "6", "--out", "six")[0] == 0
    assert load(tmp_path / "six").history_["epoch"] == [1, 2, 3, 4, 5, 6]
    words = ("resume", "r", "--checkpoint", "6", "--out", "b", "--more-epochs", "1")
    assert command(*words)[0] == 0
    assert (tmp_path / "b/model/model.safetensors").read_bytes() == weights[0]
    for words, said in (
        (("resume", "r", "--checkpoint", "best"), "--checkpoint and --out go together"),
        (("resume", "r", "--out", "q"), "--checkpoint and --out go together"),
        (("resume", "r", "--n-epochs", "9", "--more-epochs", "1"), "give one"),
        (("resume", "r", "--n-epochs", "3"), "has had 7 epochs, and n_epochs = 3 is how many"),
        (("resume", "r", "--more-epochs", "0"), "'0' is not a whole number from 1"),
        ((*SMALL, *DATA, "--more-epochs", "3"), "give it with --resume RUN"),
        (("train", "--resume", "r", "--start-from", "r"), "leave --start-from out"),
    ):
        status, told = command(*words)
        assert (status, len(told.splitlines())) == (2, 1)
        assert said in told


def test_a_model_is_fine_tuned_at_the_command_line(command, tmp_path):
    other = 2 + np.random.default_rng(1).random((30, 5))
    np.save(tmp_path / "other.npy", other)
    assert command(*SMALL, *DATA, "--n-epochs", "2", "--beta", "0.5", "--run", "r")[0] == 0
    still = ("--learning-rate", "1e-30", "--data", "other.npy")
    # Its data leave [0, 1], in which the run's lay.
    status, told = command("train", "--start-from", "r", *still, "--run", "tuned")
    assert status == 2
    assert "trained on data in [0, 1], and X leaves it" in told
    np.save(tmp_path / "other.npy", other - 2)
    status, told = command("train", "--start-from", "r", *still, "--run", "tuned")
    assert status == 0
    assert "training begins with the weights in r" in told
    tuned, start = load(tmp_path / "tuned"), load(tmp_path / "r")
    assert equal(parameters(tuned), parameters(start))
    assert (tuned.beta, tuned.n_epochs, tuned.hidden) == (0.5, 2, (4,))
    assert read_config(tmp_path / "tuned")["data"]["samples"] == 30 - 3 - 2
    assert command("train", "--start-from", "r", "--n-epochs", "1", "--run", "same")[0] == 0
    config = json.loads((tmp_path / "same" / "config.json").read_text())
    assert config["data"]["spec"] == str(tmp_path / "x.npy")
    assert (config["parameters"]["n_epochs"], config["start_from"]) == (1, str(tmp_path / "r"))


def test_what_is_fitted_at_once_says_so(command, tmp_path):
    assert command("train", "pca", "--n-components", "2", *DATA, "--run", "r")[0] == 0
    weights = tmp_path / "r/model/model.safetensors"
    (tmp_path / "r/report.html").write_text("the report")
    before = weights.read_bytes(), weights.stat().st_mtime_ns
    for words, said in (
        (("train", "--start-from", "r", *DATA), "PCA is fitted at once: it starts from no other"),
        (("resume", "r", "--more-epochs", "2"), "PCA is fitted at once: there are no more epochs"),
        (("resume", "r", "--checkpoint", "1", "--out", "q"), "PCA is fitted at once, and has no"),
        (("checkpoints", "r"), "PCA is fitted at once, and keeps no checkpoints"),
        (("resume", "r"), "PCA is fitted at once, and the run in r is finished: there is nothing"),
        (("train", "--resume", "r"), "the run in r is finished: there is nothing to resume"),
        (("train", "pca", *DATA, "--resume", "r"), "the run in r is finished: there is nothing"),
    ):
        status, told = command(*words)
        assert status == 2
        assert said in told
        assert (weights.read_bytes(), weights.stat().st_mtime_ns) == before
    assert not (tmp_path / "q").exists()
    assert not hasattr(PCA(), "history_")
    weights.write_bytes(b"damaged")
    assert command("resume", "r")[0] == 0
    assert weights.read_bytes() == before[0]


def test_a_stage_that_is_none_is_refused(images, tmp_path):
    small_models()["VAE"].fit(images, run=tmp_path)
    content = json.loads((tmp_path / "config.json").read_text())
    del content["sha256"]
    for stages in ("two", [1], [{"step": 0, "n_epochs": 2}], [{"step": 1}], [{"step": True}]):
        (tmp_path / "config.json").write_text(json.dumps(content | {"stages": stages}))
        with pytest.raises(InputError, match="stages must be a list of stages, and is"):
            RunConfig.read(tmp_path)


def test_clusterings_keep_one_target_for_each_row_they_are_tuned_on(images):
    fields = {"n_components": 3, "n_clusters": 3, "hidden": (8,), "n_epochs": 1, "random_state": 0}
    start = DEC(pretrain_epochs=1, **fields).fit(images)
    tuned = DEC(pretrain_epochs=1, **fields).fit(images[:25], start_from=start)
    assert tuned.labels_.shape == (25,)


def test_a_run_begun_with_a_number_of_steps_goes_on_for_more_epochs(command):
    np.save("x.npy", np.random.default_rng(0).random((24, 6)).astype(np.float32))
    status, _ = command(*SMALL, *DATA, "--n-steps", "2", "--batch-size", "12", "--run", "run")[:2]
    assert status == 0
    assert command("train", "--resume", "run", "--more-epochs", "2")[0] == 0
    config = RunConfig.read(Path("run"))
    assert (config.taken("n_epochs"), config.parameters["n_steps"]) == (4, 2)
    assert load("run").n_epochs_ == 4
