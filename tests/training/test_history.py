"""What a fit keeps and shows of its epochs, and what may end it early."""

import copy
import dataclasses
import math
import re
import sys
import types

import numpy as np
import pytest
import torch
from sklearn.base import clone

from latentia import load
from latentia.errors import InputError
from latentia.models.gradient import GradientModel
from latentia.training import run as runs
from latentia.training.further import THE_BEST
from latentia.training.history import History
from latentia.training.metrics_file import read_metrics
from latentia.training.progress import FileProgress, TrainingProgress, tell_notes
from tests.conftest import small_models
from tests.saved.make import lessons, text_models

pytestmark = pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
GAMES = ("Pix2Pix", "CycleGAN", "SRGAN")
MODELS = [name for name, made in small_models().items() if isinstance(made, GradientModel)]
MODELS += [name for name, made in text_models().items() if isinstance(made, GradientModel)]
QUICK = ("VAE", "WGAN", "RNNLanguageModel")


def marked(names):
    return [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in names]


def model(name, **fields):
    found = (small_models() | text_models())[name]
    return found.set_params(**{"n_epochs": 2, "random_state": 3} | fields)


def vae(**fields):
    return small_models()["VAE"].set_params(learning_rate=0.05, **fields)


def state(fitted):
    return {
        f"{name}.{key}": value.clone()
        for name, net in fitted.nets().items()
        for key, value in net.state_dict().items()
    }


def equal(one, other):
    assert one.keys() == other.keys()
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("name", marked(MODELS))
def test_the_history_is_what_metrics_jsonl_says(name, tmp_path):
    X, y = lessons(name)
    held_out = X if y is None else (X, y)
    fitted = model(name).fit(X, y, validation=held_out, run=tmp_path / "run")
    history, records = fitted.history_, read_metrics(tmp_path / "run")
    assert fitted.records_ == records
    assert history["epoch"] == [1, 2]
    for record in records:
        row = history["epoch"].index(record["epoch"])
        assert (history["step"][row], history["seconds"][row]) == (
            record["step"],
            record["seconds"],
        )
        for value_name, value in record["values"].items():
            assert history[f"{record['split']}/{value_name}"][row] == value
    told = {f"{r['split']}/{name}" for r in records for name in r["values"]}
    assert history.keys() == {"epoch", "step", "seconds"} | told
    assert {len(column) for column in history.values()} == {2}
    notes = {r["epoch"]: r["note"] for r in records if "note" in r}
    assert history.ailments == notes
    assert history.ended == ""
    # Without a run, after it was saved, and from the run's directory: the same but for the time.
    alone = model(name).fit(X, y, validation=held_out)
    for other in (alone, load(fitted.save(tmp_path / "run" / "model")), load(tmp_path / "run")):
        assert {**other.history_, "seconds": 0} == {**history, "seconds": 0}


def test_what_an_epoch_did_not_record_is_not_a_number():
    record = {"step": 2, "epoch": 1, "split": "train", "values": {"loss": 3.0}, "seconds": 0.5}
    more = {"step": 4, "epoch": 2, "split": "train", "values": {"loss": 2.0}, "seconds": 0.75}
    held = {"step": 4, "epoch": 2, "split": "validation", "values": {"loss": 2.5}, "seconds": 0.8}
    history = History([record, more, held])
    assert history["train/loss"] == [3.0, 2.0]
    assert math.isnan(history["validation/loss"][0])
    assert history["validation/loss"][1] == 2.5
    assert history["seconds"] == [0.5, 0.8]
    frame = history.to_frame()
    assert frame.index.name == "epoch"
    assert frame.index.tolist() == [1, 2]
    assert frame["train/loss"].tolist() == [3.0, 2.0]
    assert len(History().to_frame()) == 0
    end = {"step": 4, "epoch": 2, "split": "end", "values": {}, "note": "tired", "seconds": 0.8}
    ill = {"step": 4, "epoch": 2, "split": "health", "values": {"units": 0}, "note": "few units"}
    ended = History([record, more, ill, end])
    assert (ended.ended, ended.ailments) == ("tired", {2: "few units"})
    assert ended["health/units"][1] == 0
    assert ended.keys() == {"epoch", "step", "seconds", "train/loss", "health/units"}
    assert History([record, {**end, "step": 2}, more]).ended == ""


def test_without_pandas_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match="pip install pandas"):
        History().to_frame()


def test_the_plotted_history_is_of_the_recorded_values(images):
    fitted = vae(n_epochs=3).fit(images, validation=images[:8])
    figure = fitted.plot_history()
    lines = {line.get_label(): line for axes in figure.axes for line in axes.get_lines()}
    for split in ("train", "validation"):
        drawn = lines[f"−ELBO, {split}"]
        assert drawn.get_ydata().tolist() == fitted.history_[f"{split}/negative_elbo"]
        assert drawn.get_xdata().tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="not fitted"):
        vae().plot_history()
    assert not hasattr(vae(), "history_")


def test_functions_are_shown_every_epoch_as_it_is_recorded(images, tmp_path):
    shown, drawn = [], []

    def see(record):
        shown.append(record)
        drawn.append(record.model.sample(2, random_state=0))

    fitted = vae(n_epochs=3, ema_decay=0.5)
    fitted.fit(images, validation=images[:8], callbacks=[see], run=tmp_path / "run")
    history = fitted.history_
    assert [record.epoch for record in shown] == [1, 2, 3]
    assert [record.step for record in shown] == history["step"]
    assert all(record.model is fitted for record in shown)
    for row, record in enumerate(shown):
        for split in ("train", "validation"):
            names = [name for name in history if name.startswith(f"{split}/")]
            values = {f"{split}/{n}": v for n, v in getattr(record, split).items()}
            assert values == {name: history[name][row] for name in names}
        assert round(record.seconds, 3) == pytest.approx(history["seconds"][row], abs=0.5)
        assert record.health == history.ailments.get(record.epoch, "")
        with pytest.raises(dataclasses.FrozenInstanceError):
            record.epoch = 7
        with pytest.raises(TypeError):
            record.train["negative_elbo"] = 7.0
    # What is shown is the model as it would be, were the training over: with averaged weights.
    np.testing.assert_array_equal(drawn[-1], fitted.sample(2, random_state=0))
    assert any(history.ailments)
    # To look at it leaves no trace.
    unseen = vae(n_epochs=3, ema_decay=0.5).fit(images, validation=images[:8])
    assert equal(state(fitted), state(unseen))
    assert vae(n_epochs=1).fit(images, callbacks=[lambda r: shown.append(r)]) is not None
    assert dict(shown[-1].validation) == {}


@pytest.mark.parametrize("name", marked(MODELS))
def test_a_function_that_ends_training_after_an_epoch_leaves_what_so_many_epochs_do(name, tmp_path):
    X, y = lessons(name)
    fields = {}
    if "learning_rate_schedule" in model(name).get_params():
        fields["learning_rate_schedule"] = "constant"

    def enough(record):
        return record.epoch == 2

    stopped = model(name, n_epochs=5, **fields)
    stopped.fit(X, y, callbacks=[enough], run=tmp_path / "run")
    assert equal(state(stopped), state(model(name, n_epochs=2, **fields).fit(X, y)))
    assert stopped.history_["epoch"] == [1, 2]
    end = read_metrics(tmp_path / "run")[-1]
    assert (end["split"], end["epoch"], end["step"]) == ("end", 2, stopped.history_["step"][-1])
    assert end["note"] == "ended before epoch 5: enough asked for it" == stopped.history_.ended
    # The run is finished: it goes on only for more.
    resumed = model(name, n_epochs=5, **fields).fit(X, y, run=tmp_path / "run", resume=True)
    assert equal(state(resumed), state(stopped))
    further = model(name, n_epochs=3, **fields).fit(X, y, run=tmp_path / "run", resume=True)
    assert equal(state(further), state(model(name, n_epochs=3, **fields).fit(X, y)))
    assert further.history_.ended == ""


@pytest.mark.parametrize(
    ("answer", "n_epochs"),
    [(True, 1), (np.True_, 1), (1, 3), ("stop", 3), (False, 3), (None, 3), ([0], 3)],
)
def test_only_true_asks_to_end_and_every_function_is_asked(answer, n_epochs, images):
    asked = []
    callbacks = [lambda record: answer, lambda record: asked.append(record.epoch)]
    fitted = vae(n_epochs=3).fit(images, callbacks=callbacks)
    assert fitted.history_["epoch"] == asked == list(range(1, n_epochs + 1))
    assert bool(fitted.history_.ended) == (n_epochs == 1)


@pytest.mark.parametrize("given", [print, 3, [3], [print, "stop"], None])
def test_what_is_no_list_of_functions_is_refused_before_training(given, images, tmp_path):
    trained = []
    made = vae(n_epochs=1)
    plain = made.bound_loss
    made.bound_loss = lambda x: trained.append(0) or plain(x)
    with pytest.raises(InputError, match=r"^callbacks is .*; give a list of functions that take"):
        made.fit(images, callbacks=given, run=tmp_path / "run")
    assert trained == []
    assert not (tmp_path / "run").exists()
    shown = []
    vae(n_epochs=1).fit(images, callbacks=(f for f in (shown.append,)))
    assert len(shown) == 1


@pytest.mark.parametrize("run", [None, "run"])
def test_a_function_sees_the_history_so_far_and_may_save_the_model(run, images, tmp_path):
    seen = []

    def see(record):
        seen.append(record.model.history_["epoch"])
        record.model.save(tmp_path / f"{record.epoch}")

    folder = run and tmp_path / run
    fitted = vae(n_epochs=3).fit(images, callbacks=[see], run=folder)
    assert seen == [[1], [1, 2], [1, 2, 3]]
    assert fitted.history_["epoch"] == [1, 2, 3]
    saved = load(tmp_path / "2").history_
    assert saved == {name: column[:2] for name, column in fitted.history_.items()}
    if folder:
        vae(n_epochs=4).fit(images, callbacks=[see], run=folder, resume=True)
        assert seen[3:] == [[1, 2, 3, 4]]


def test_patience_may_find_nothing_better_than_the_start(images, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "SCORES", [100.0] * 10)
    fitted = waited(images, 1)
    assert fitted.history_["epoch"] == [1]
    said = "ended before epoch 10: no better held-out value for an epoch; the weights are those "
    assert fitted.history_.ended == said + "from before the first epoch, the best"


def test_only_the_first_process_asks(images, monkeypatch):
    monkeypatch.setattr(runs, "leads", lambda: False)
    asked = []
    vae(n_epochs=1).fit(images, callbacks=[asked.append])
    assert asked == []


def test_a_function_that_fails_ends_the_fit_with_its_error_and_the_run_goes_on(images, tmp_path):
    def fails(record):
        if record.epoch == 2:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        vae(n_epochs=3).fit(images, run=tmp_path, callbacks=[fails])
    resumed = vae(n_epochs=3).fit(images, run=tmp_path, resume=True)
    assert equal(state(resumed), state(vae(n_epochs=3).fit(images)))


SCORES = [5.0, 3.0, 4.0, 3.5, 2.0, 2.5, 2.6, 2.7, 2.8, 1.0]


def waited(
    images, patience, run=None, resume=False, stop_at=None, n_epochs=10, progress=False, **fields
):
    """Fit with scripted held-out values, an epoch each, which a resumed run goes on with."""
    made = vae(n_epochs=n_epochs, patience=patience, **fields)
    plain = made.bound_loss
    count = {"epoch": 0 if not resume else read_metrics(run)[-1]["epoch"], "moved": False}

    def loss(x):
        found = plain(x)
        if made.encoder_.training:
            count["moved"] = True
            return found
        # The weights that training begins with may be rated too: they are bad ones.
        count["epoch"] += count["moved"]
        score = SCORES[count["epoch"] - 1] if count["moved"] else 99.0
        count["moved"] = False
        return type(found)(torch.tensor(score), found.terms)

    def stop(record):
        if record.epoch == stop_at:
            raise KeyboardInterrupt

    made.bound_loss = loss
    kept = {"run": run, "resume": resume, "progress": progress}
    return made.fit(images, validation=images[:8], callbacks=[stop], **kept)


@pytest.mark.parametrize("ema_decay", [None, 0.9])
@pytest.mark.parametrize(
    ("patience", "last", "best"), [(1, 3, 2), (2, 4, 2), (3, 8, 5), (9, 10, 10)]
)
def test_patience_ends_after_so_many_epochs_and_keeps_the_best_weights(
    patience, last, best, ema_decay, images, capsys
):
    fitted = waited(images, patience, progress=True, ema_decay=ema_decay)
    assert fitted.history_["epoch"] == list(range(1, last + 1))
    whole = vae(n_epochs=best, ema_decay=ema_decay).fit(images, validation=images[:8])
    assert equal(state(fitted), state(whole))
    waited_for = "an epoch" if patience == 1 else f"{patience} epochs"
    said = (
        f"ended before epoch 10: no better held-out value for {waited_for}; the weights are "
        f"those of epoch {best}, the best"
    )
    assert fitted.history_.ended == (said if last < 10 else "")
    assert (f"epoch {last}: {said}\n" in capsys.readouterr().err) == (last < 10)


def test_the_best_weights_are_told_where_training_ends_long_after_them(images, capsys):
    waited(images, 9, n_epochs=4, progress=True)
    assert f"epoch 4: the weights kept are those of epoch 2: {THE_BEST}" in capsys.readouterr().err


def test_without_patience_the_last_weights_are_kept(images):
    fitted = waited(images, None, n_epochs=4)
    assert equal(state(fitted), state(vae(n_epochs=4).fit(images, validation=images[:8])))


@pytest.mark.parametrize("stop_at", [3, 6, 8])
@pytest.mark.parametrize("ema_decay", [None, 0.9])
def test_a_run_with_patience_resumes_to_the_same_end(stop_at, ema_decay, images, tmp_path):
    whole = waited(images, 3, tmp_path / "whole", ema_decay=ema_decay)
    with pytest.raises(KeyboardInterrupt):
        waited(images, 3, tmp_path / "run", stop_at=stop_at, ema_decay=ema_decay)
    # The epoch that broke off was recorded, and gives way.
    lines = (tmp_path / "run" / "metrics.jsonl").read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if f'"epoch": {stop_at},'.encode() not in line]
    (tmp_path / "run" / "metrics.jsonl").write_bytes(b"".join(kept))
    resumed = waited(images, 3, tmp_path / "run", resume=True, ema_decay=ema_decay)
    assert equal(state(resumed), state(whole))
    assert {**resumed.history_, "seconds": 0} == {**whole.history_, "seconds": 0}
    assert resumed.history_.ended == whole.history_.ended != ""


def test_a_run_that_lost_its_patience_goes_on_when_asked_and_waits_anew(images, tmp_path):
    waited(images, 3, tmp_path / "run")
    further = waited(images, 3, tmp_path / "run", resume=True, n_epochs=9)
    assert further.history_["epoch"] == list(range(1, 10))
    assert further.history_.ended == ""
    # None of them was better: the weights are still those of the fifth.
    assert equal(state(further), state(vae(n_epochs=5).fit(images, validation=images[:8])))
    again = waited(images, 3, tmp_path / "run", resume=True, n_epochs=10)
    assert equal(state(again), state(vae(n_epochs=10).fit(images, validation=images[:8])))


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_scored_if_one_loss_moves_it(name):
    X, y = lessons(name)
    made = model(name, n_epochs=1)
    seen = []
    plain = made.updates
    made.updates = lambda: seen.append(len(plain())) or plain()
    if name in QUICK or name in GAMES[:1]:
        made.fit(X, y)
        assert made.is_scored == (seen[0] == 1)
    if made.is_scored:
        made.set_params(patience=2).validate_parameters()
    else:
        with pytest.raises(InputError, match=f"patience is 2, and {name} is a game between nets"):
            made.set_params(patience=2).validate_parameters()
    assert made.is_scored == (name not in GAMES and "GAN" not in name)


def test_patience_needs_held_out_data(images, tmp_path):
    with pytest.raises(InputError, match="patience is 2, and counts epochs without"):
        vae(patience=2).fit(images, run=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert small_models()["Pix2Pix"].set_params(objective="l1").is_scored


@pytest.mark.parametrize("name", ["VAE", "RNNLanguageModel"])
def test_tensorboard_finds_both_curves_on_one_chart_pictures_and_parameters(name, tmp_path):
    from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer
    from tensorboard.plugins.hparams.metadata import parse_session_start_info_plugin_data

    X, y = lessons(name)
    fitted = model(name).fit(X, y, validation=X, run=tmp_path / "run")
    found = EventMultiplexer().AddRunsFromDirectory(str(tmp_path / "run" / "tensorboard")).Reload()
    loss = {"VAE": "negative_elbo", "RNNLanguageModel": "cross_entropy"}[name]
    for split in ("train", "validation"):
        events = found.Scalars(split, loss)
        values = fitted.history_[f"{split}/{loss}"]
        assert [event.step for event in events] == fitted.history_["step"]
        np.testing.assert_allclose([event.value for event in events], values, rtol=1e-6)
    drawn = sorted((tmp_path / "run" / "samples").iterdir())
    assert len(drawn) == 2
    if name == "VAE":
        images = found.Images(".", "samples")
        assert [image.encoded_image_string for image in images] == [p.read_bytes() for p in drawn]
        from PIL import Image

        with Image.open(drawn[0]) as picture:
            assert (images[0].width, images[0].height) == picture.size
    else:
        texts = [event.tensor_proto.string_val[0] for event in found.Tensors(".", "samples")]
        assert texts == [path.read_bytes() for path in drawn]
        assert list(found.PluginRunToTagToContent("text")["."]) == ["samples"]
    content = found.PluginRunToTagToContent("hparams")["."]["_hparams_/session_start_info"]
    start = parse_session_start_info_plugin_data(content)
    assert start.group_name == "run"
    for key, value in fitted.get_params().items():
        kind = "bool" if isinstance(value, bool) else "number"
        kind = kind if isinstance(value, bool | int | float) else "string"
        told = getattr(start.hparams[key], f"{kind}_value")
        assert told == (value if kind != "string" else str(value)), key


@pytest.fixture
def notebook(monkeypatch):
    """Stand in for a notebook's kernel; return what it was asked to display, oldest first."""
    shown = []

    class Handle:
        def update(self, bundle, *, raw):
            assert raw
            shown[-1].append(bundle)

    def display(bundle, *, raw, display_id):
        assert raw
        assert display_id
        shown.append([bundle])
        return Handle()

    shell = type("Shell", (type("ZMQInteractiveShell", (), {}),), {})()
    package, part = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    package.get_ipython, package.display, part.display = (lambda: shell), part, display
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", part)
    return shown, package


def test_a_notebook_has_a_bar_by_default(notebook, capsys, images):
    shown, package = notebook
    fitted = vae(n_epochs=2).fit(images)
    [bundles] = shown
    first, last = bundles[0], bundles[-1]
    assert first["text/html"].count("<progress") == 1
    assert 'value="4" max="4"' in last["text/html"]
    assert (
        f"negative_elbo {fitted.history_['train/negative_elbo'][-1]:.2g}"[:16]
        in (last["text/plain"])
    )
    assert "epoch 2/2" in last["text/plain"]
    assert fitted.history_.ailments[2][:12] in last["text/plain"]
    assert "<script" not in last["text/html"]
    vae(n_epochs=1).fit(images, progress=False)
    assert len(shown) == 1
    tell_notes(["data were left out"], None)
    plan, too_few, note = capsys.readouterr().err.splitlines()
    assert plan.startswith("latentia: VAE: 40 samples, 4 steps (2 epochs of 2), ")
    assert too_few.startswith("latentia: n_epochs = 2 gives 4 steps in all, and VAE wants some ")
    assert note == "latentia: data were left out"
    # IPython at a terminal, and IPython that only was imported, are no notebooks.
    for shell in (type("TerminalInteractiveShell", (), {})(), None):
        package.get_ipython = lambda shell=shell: shell
        vae(n_epochs=1).fit(images)
    assert len(shown) == 1


def test_a_notebooks_bar_tells_the_time_left_and_escapes_what_it_says(notebook, monkeypatch):
    shown, _ = notebook
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with TrainingProgress(100, 4, "<b>VAE", None) as watch:
        for step, seconds in ((20, 2.0), (40, 4.0), (70, 7.0)):
            now[0] = 100.0 + seconds
            watch(step, 2, 16, {"loss": 0.5})
        watch.tell(2, "it is ill: <script>")
    last = shown[0][-1]["text/html"]
    assert "&lt;b&gt;VAE" in last
    assert "&lt;script&gt;" in last
    assert not {"<b>", "<script>"} & set(re.findall("<[^>]*>", last))
    assert 'value="70" max="100"' in last
    assert "loss 0.5" in last
    # 50 steps took 7 s since the bar was drawn: 30 more take 4.
    assert "4 s left" in last
    with FileProgress(3, "upscale", None) as files:
        files.begin(2, "a.png")
        files.print("a.png was torn")
    assert 'value="1" max="3"' in shown[1][-2]["text/html"]
    assert "a.png was torn" in shown[1][-1]["text/html"]


def test_a_callback_that_fits_its_own_model_is_refused_and_one_may_fit_a_copy(images):
    made = vae(n_epochs=2).fit(images)
    before = made.transform(images)

    def again(record):
        record.model.fit(images)

    with pytest.raises(InputError, match=r"this VAE is being fitted: fit a copy, sklearn\.base"):
        made.fit(images, callbacks=[again])
    np.testing.assert_array_equal(made.transform(images), before)

    def beside(record):
        copy.deepcopy(record.model).fit(images)
        clone(record.model).fit(images)
        with pytest.raises(InputError, match="is being fitted"):
            record.model.fit(images)

    made.fit(images, callbacks=[beside])
    np.testing.assert_array_equal(made.transform(images), before)
    np.testing.assert_array_equal(made.fit(images).transform(images), before)
