"""How long and with which batches: one rule, for every model that is trained by gradients."""

import json
import re

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch.optim.optimizer import register_optimizer_step_post_hook

import latentia
from latentia import VAE
from latentia.cli.main import main
from latentia.errors import InputError
from latentia.evaluation.comparison import compare
from latentia.evaluation.report import ModelSection, Report
from latentia.models.fields import model_fields
from latentia.models.gradient import GradientModel
from latentia.training import train
from latentia.training.batches import BatchOrder
from latentia.training.config import RunConfig
from tests.conftest import small_models
from tests.laws.test_laws import IMAGES, TRAINED, answers
from tests.models.language.conftest import small_sequence_models

pytestmark = pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
SIZES = (8, 300, 1_797, 4_999, 5_000, 60_000, 1_000_000)
EVERY = {
    name: model
    for name, model in (small_models() | small_sequence_models()).items()
    if isinstance(model, GradientModel)
}
FIXED = {"SRResNet": 16, "SRGAN": 16, "Pix2Pix": 4, "CycleGAN": 4}
FIXED |= {"RNNLanguageModel": 32, "LSTMLanguageModel": 32}


def resolved(model, n):
    """Return what a model would take of n samples, and how many steps it asks for."""
    model.choose_batch(n)
    model.data_shape_ = (16, 16)
    return model.resolve(range(n))


@pytest.mark.parametrize("name", EVERY)
def test_by_default_the_steps_are_the_budget_within_a_third_or_one_pass(name):
    kind = type(EVERY[name])
    for n in SIZES:
        found = resolved(kind(), n)
        small, large = kind.usual_batches
        assert found["batch_size"] == FIXED.get(name, small if n < 5_000 else large)
        repeats = getattr(kind(), "n_critic", 1)
        an_epoch = max(1, n // min(n, found["batch_size"]) // repeats)
        assert found["n_steps"] == found["n_epochs"] * an_epoch
        asked = kind.usual_steps
        within = 2 / 3 * asked <= found["n_steps"] <= 4 / 3 * asked
        one = found["n_epochs"] == 1 and found["n_steps"] > asked
        assert within or one or is_short_text(name, found, an_epoch)


def is_short_text(name, found, an_epoch):
    """Return whether these are the passes over a text that more would learn by heart."""
    enough = max(60, round(500 / an_epoch))
    return name in ("RNNLanguageModel", "LSTMLanguageModel") and found["n_epochs"] == enough


@pytest.mark.parametrize("name", EVERY)
def test_what_is_asked_for_is_obeyed(name):
    found = resolved(type(EVERY[name])(n_epochs=7, batch_size=5), 1_000)
    assert (found["n_epochs"], found["batch_size"]) == (7, 5)
    fewer = resolved(type(EVERY[name])(n_steps=600, batch_size=5), 1_000)
    assert 400 <= fewer["n_steps"] <= 800


@pytest.mark.parametrize("name", EVERY)
def test_steps_are_obeyed_also_where_they_are_the_usual_number(name):
    kind = type(EVERY[name])
    given, usual = (resolved(kind(n_steps=n, batch_size=9), 90) for n in (kind.usual_steps, None))
    assert 2 / 3 <= given["n_steps"] / kind.usual_steps <= 4 / 3
    assert (usual == given) == (name not in ("RNNLanguageModel", "LSTMLanguageModel"))
    assert clone(kind(n_steps=kind.usual_steps)).n_steps == kind.usual_steps
    assert kind().get_params()["n_steps"] is None


@pytest.mark.parametrize("name", EVERY)
def test_the_help_tells_the_usual_number_of_steps(name):
    [told] = [field.help for field in model_fields(name) if field.name == "n_steps"]
    assert re.findall(r"none takes some (\S+?)[. ]", told + " ") == [
        f"{type(EVERY[name]).usual_steps:,}"
    ]


def test_which_batches_are_usual():
    usual = {name: type(model).usual_batches for name, model in EVERY.items() if name not in FIXED}
    clustering = ("AutoencoderKMeans", "DEC", "IDEC", "VaDE")
    for name, pair in usual.items():
        large = 64 if "WGAN" in name else 256 if name in clustering else 128
        assert pair == (64 if name == "GAN" else 32, large), name


@pytest.mark.parametrize("name", TRAINED)
def test_the_config_states_the_steps_and_batches_that_were_taken(name, tmp_path, monkeypatch):
    """Counted at the optimisers, of what is trained first too, and where the batches are drawn."""
    counted, drawn = [], []
    rows = BatchOrder.rows

    def spy(order, step, repeat):
        found = rows(order, step, repeat)
        drawn.append(len(found))
        return found

    monkeypatch.setattr(BatchOrder, "rows", spy)
    model = small_models()[name].set_params(n_epochs=None, n_steps=7, batch_size=None)
    if name in FIXED:
        model.set_params(batch_size=5)
    monkeypatch.setattr(type(model), "usual_batches", (9, 9))
    handle = register_optimizer_step_post_hook(lambda optimizer, *_: counted.append(id(optimizer)))
    try:
        model.fit(IMAGES, answers(name, IMAGES), run=tmp_path)
    finally:
        handle.remove()
    runs = [run for run in (tmp_path, tmp_path / "pretraining") if run.exists()]
    configs = [RunConfig.read(run) for run in runs]
    taken = RunConfig.read(tmp_path).resolved
    assert (taken["n_epochs"], taken["batch_size"]) == (model.n_epochs_, model.batch_size_)
    assert taken["batch_size"] == (5 if name in FIXED else 9)
    repeats = {config.model: getattr(EVERY[config.model], "n_critic", 1) for config in configs}
    updates = {name: 2 for name in EVERY if "GAN" in name} | {"Pix2Pix": 2, "CycleGAN": 3}
    wanted = sum(
        config.resolved["n_steps"] * (updates.get(config.model, 1) - 1 + repeats[config.model])
        for config in configs
    )
    assert len(counted) == wanted
    assert set(drawn) == {config.resolved["batch_size"] for config in configs}
    last = json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[-1])
    assert (last["step"], last["epoch"]) == (taken["n_steps"], taken["n_epochs"])
    assert model.get_params()["n_epochs"] is None
    assert model.get_params()["batch_size"] == (5 if name in FIXED else None)


@pytest.mark.parametrize("name", ["VAE", "Autoencoder", "DCGAN"])
def test_train_compare_and_fit_make_the_same_model(name, tmp_path, monkeypatch):
    kind = getattr(latentia, name)
    monkeypatch.setitem(kind.__init__.__kwdefaults__, "n_steps", 5)
    monkeypatch.setattr("latentia.evaluation.runs.finish", lambda *_: None)
    section, report = ModelSection(name, "", "", {}, {}, ()), Report("", "", {}, (), ())
    monkeypatch.setattr("latentia.evaluation.comparison._section", lambda *_: section)
    monkeypatch.setattr("latentia.evaluation.comparison._report", lambda *_: report)
    monkeypatch.setattr("latentia.evaluation.comparison.write_report", lambda *_: None)
    digits = latentia.load_data("digits")
    parts = {"x_train": digits.x_train[:96], "y_train": digits.y_train[:96]}
    spec = str(tmp_path / "few.npz")
    np.savez(spec, **parts, x_test=digits.x_test[:40], y_test=digits.y_test[:40])
    command = [name.lower(), "--data", spec, "--run", str(tmp_path / "run")]
    command += [] if name == "DCGAN" else ["--n-components", "16"]
    assert main(["train", *command, "--random-state", "3"]) == 0
    compare(spec, (name,), tmp_path / "c", random_state=3)
    kept, _ = latentia.load_data(spec).hold_out()
    # All that encode are compared at one size of z.
    size = {} if name == "DCGAN" else {"n_components": 16}
    fitted = kind(random_state=3, **size).fit(kept.x_train)
    others = [latentia.load(tmp_path / "run"), latentia.load(tmp_path / "c" / name)]
    for other in others:
        assert other.get_params() == fitted.get_params()
        assert (other.n_epochs_, other.batch_size_) == (fitted.n_epochs_, fitted.batch_size_)
        for key, net in fitted.nets().items():
            for one, two in zip(net.parameters(), other.nets()[key].parameters(), strict=True):
                assert torch.equal(one, two)


def small_vae(**changed):
    return VAE(n_components=3, hidden=(8,), random_state=0, device="cpu", **changed)


def weights(model):
    return torch.cat([p.flatten() for net in model.nets().values() for p in net.parameters()])


def test_a_resumed_run_goes_on_as_it_began_whatever_is_usual_by_then(tmp_path, monkeypatch):
    whole = small_vae(n_steps=6).fit(IMAGES)
    assert (whole.n_epochs_, whole.batch_size_) == (6, 32)
    held_out = train.held_out

    def stopped(model, batches, device, step):
        if step == 3:
            raise KeyboardInterrupt
        return held_out(model, batches, device, step)

    with monkeypatch.context() as patched:
        patched.setattr(train, "held_out", stopped)
        with pytest.raises(KeyboardInterrupt):
            small_vae(n_steps=6).fit(IMAGES, validation=IMAGES[:4], run=tmp_path)
    monkeypatch.setattr(VAE, "usual_batches", (4, 4))
    monkeypatch.setattr("latentia.models.autoencoders.likelihood.TINY", 2)
    again = small_vae(n_steps=6).fit(IMAGES, validation=IMAGES[:4], run=tmp_path, resume=True)
    assert torch.equal(weights(again), weights(whole))
    assert (again.n_epochs_, again.batch_size_) == (6, 32)
    assert again.get_params()["n_epochs"] is None


def test_a_run_of_so_many_steps_can_be_made_longer(tmp_path):
    whole = small_vae(n_epochs=9).fit(IMAGES)
    small_vae(n_steps=4).fit(IMAGES, run=tmp_path)
    with pytest.raises(InputError, match="has had 4 epochs, and n_epochs = 3 is"):
        small_vae(n_epochs=3, n_steps=4).fit(IMAGES, run=tmp_path, resume=True)
    same = small_vae(n_epochs=4, n_steps=4).fit(IMAGES, run=tmp_path, resume=True)
    assert same.n_epochs_ == 4
    longer = small_vae(n_epochs=9, n_steps=4).fit(IMAGES, run=tmp_path, resume=True)
    assert torch.equal(weights(longer), weights(whole))
    taken = RunConfig.read(tmp_path).resolved
    assert (taken["n_epochs"], taken["n_steps"], taken["batch_size"]) == (9, 9, 32)
    # None is as many as the run has.
    left_open = small_vae(n_steps=4).fit(IMAGES, run=tmp_path, resume=True)
    assert left_open.n_epochs_ == 9


def test_short_epochs_are_recorded_more_and_more_rarely(tmp_path):
    order = BatchOrder(n_rows=40, batch_size=20, n_epochs=95, seed=0)
    found = [step // 2 + 1 for step in range(order.n_steps) if order.is_recorded(step)]
    assert found == [*range(1, 21), *range(22, 41, 2), *range(44, 81, 4), 88, 95]
    long = BatchOrder(n_rows=200, batch_size=2, n_epochs=50, seed=0)
    assert sum(long.is_recorded(step) for step in range(long.n_steps)) == 50


def test_a_record_holds_the_mean_of_all_steps_since_the_last(tmp_path):
    seen = []

    lines = small_vae(n_epochs=24, batch_size=20)
    loss = type(lines).bound_loss

    def spy(model, x, *targets):
        found = loss(model, x, *targets)
        if model.encoder_.training:
            seen.append(float(found.total.detach()))
        return found

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(lines), "bound_loss", spy)
        lines.fit(IMAGES, run=tmp_path)
    records = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    trained = {r["epoch"]: r["values"]["negative_elbo"] for r in records if r["split"] == "train"}
    assert list(trained) == [*range(1, 21), 22, 24]
    assert trained[20] == pytest.approx(np.mean(seen[38:40]))
    assert trained[22] == pytest.approx(np.mean(seen[40:44]))
    assert trained[24] == pytest.approx(np.mean(seen[44:48]))


def test_a_line_says_what_is_about_to_happen(capsys, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    small_vae(n_epochs=3, batch_size=16).fit(IMAGES, progress=True)
    first, second = capsys.readouterr().err.splitlines()[:2]
    assert first == "latentia: VAE: 40 samples, 6 steps (3 epochs of 2), batches of 16, on cpu"
    assert second == (
        "latentia: n_epochs = 3 gives 6 steps in all, and VAE wants some 4,300: leave n_epochs "
        "out, or give about 2,150"
    )
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    small_vae(n_steps=5).fit(IMAGES, progress=True)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == (
        "latentia: VAE: 40 samples, 5 steps (5 epochs of 1), batches of 32, on cpu with 2 threads"
    )
    assert "wants some" not in lines[1]
    small_vae(n_steps=5).fit(IMAGES, progress=False)
    assert capsys.readouterr().err == ""


def test_a_short_training_from_the_linear_start_is_not_told_to_be_too_little(capsys):
    x = np.random.default_rng(0).normal(0.5, 0.05, (30, 16, 16)).clip(0, 1).astype(np.float32)
    model = VAE(n_components=2, hidden=(8,), n_epochs=1, random_state=0).fit(x, progress=True)
    assert model.n_principal_
    assert "wants some" not in capsys.readouterr().err


def test_a_warm_up_longer_than_the_epochs_that_the_budget_takes_is_refused():
    with pytest.raises(InputError, match="beta_warmup_epochs is 9; n_epochs is only 5"):
        small_vae(n_steps=5, beta_warmup_epochs=9).fit(IMAGES)
    assert small_vae(n_steps=5, beta_warmup_epochs=5).fit(IMAGES).n_epochs_ == 5


def test_steps_beside_epochs_are_refused():
    with pytest.raises(InputError, match="n_steps is 9, which counts only with n_epochs none"):
        small_vae(n_epochs=2, n_steps=9).fit(IMAGES)


def test_packs_larger_than_the_batch_that_is_chosen_are_refused():
    with pytest.raises(InputError, match="packing is 33"):
        latentia.DCGAN(packing=33).fit(IMAGES)


def test_one_epoch_of_300_images_is_told_to_be_too_little():
    x = np.random.default_rng(0).random((300, 12, 12), np.float32)
    assert VAE(n_epochs=1, random_state=0).fit(x).diagnosis_ == "undertrained"


def test_short_tables_and_texts_take_fewer_passes_unless_steps_are_asked_for(monkeypatch):
    monkeypatch.setattr("latentia.training.batches.LEAST_STEPS", 4)
    monkeypatch.setattr("latentia.models.gradient.train", lambda *_: None)
    x = np.random.default_rng(0).normal(size=(40, 4))
    text = "abcdefgh" * 40
    fitted = latentia.Autoencoder(n_components=2, hidden=(4,), batch_size=20).fit(x)
    assert fitted.n_epochs_ == 60
    fitted = latentia.Autoencoder(n_components=2, hidden=(4,), batch_size=20, n_steps=200).fit(x)
    assert fitted.n_epochs_ == 100
    assert fitted.set_params(n_steps=4_300).fit(x).n_epochs_ == 2_150
    images = latentia.Autoencoder(n_components=2, hidden=(4,), batch_size=20).fit(IMAGES)
    assert images.n_epochs_ == 2_150
    texts = latentia.LSTMLanguageModel(n_units=4, window=16, batch_size=2)
    assert texts.fit(text).n_epochs_ == 60
    monkeypatch.setattr("latentia.training.batches.LEAST_STEPS", 1_000)
    assert latentia.Autoencoder(n_components=2, hidden=(4,), batch_size=20).fit(x).n_epochs_ == 500
