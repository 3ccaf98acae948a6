"""A search on runs that only write what a real one leaves: its course, and what it refuses."""

import itertools
import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latentia.cli.main import main
from latentia.data import load
from latentia.errors import InputError
from latentia.evaluation import search as module
from latentia.evaluation.search import Choice, Plan, Span, best_of, search
from latentia.training.run import EpochEnd
from latentia.training.train import DivergenceError
from tests.children import environment

pytest.importorskip("optuna")
EPOCHS = 8
SPANS = {
    "learning_rate": Span(1e-4, 1e-1, log=True),
    "n_components": Span(2, 9, whole=True),
    "hidden": Choice(((8,), (8, 4))),
}
PLAN = Plan("VAE", {"n_epochs": EPOCHS, "random_state": 0}, SPANS, "digits", n_trials=14)


def held_out(values, epoch):
    """Return a bowl's height, which an epoch halves; a small step diverges."""
    height = (np.log10(values["learning_rate"]) + 2) ** 2 + abs(values["n_components"] - 6) / 10
    return float(height + len(values["hidden"]) / 10 + 2.0**-epoch)


class KilledError(Exception):
    """A process that is gone."""


class Runs:
    """In the place of `fit_in_run`: a training that writes a line an epoch, and can be killed."""

    def __init__(self, monkeypatch, kill_at=None):
        self.moments, self.kill_at, self.begun = itertools.count(), kill_at, []
        self.last = 0
        monkeypatch.setattr(module, "fit_in_run", self.fit)
        monkeypatch.setattr(Plan, "check", lambda plan: None)

    def moment(self):
        self.last = next(self.moments)
        if self.last == self.kill_at:
            raise KilledError

    def fit(self, model, data, run, *, progress, resume, measured, callbacks):
        assert not measured
        assert resume == (run / "config.json").exists()
        self.begun.append(run.name)
        self.moment()
        run.mkdir(exist_ok=True)
        values = {name: model.get_params()[name] for name in SPANS}
        config = {"model": "VAE", "parameters": model.get_params()}
        (run / "config.json").write_text(json.dumps(config, default=str))
        if values["learning_rate"] < 3e-4:
            raise DivergenceError("the loss 'negative_elbo' is nan")
        metrics = run / "metrics.jsonl"
        self.moment()
        lines = metrics.read_text().splitlines() if metrics.exists() else []
        model.records_ = [json.loads(line) for line in lines]
        for epoch in range(len(lines) + 1, EPOCHS + 1):
            if lines and model.records_[-1]["split"] == "end":
                break
            self.record(metrics, model, epoch, "validation", {"loss": held_out(values, epoch)})
            shown = EpochEnd(epoch, epoch, {}, {}, 0.0, "", model)
            if callbacks[0](shown):
                self.record(metrics, model, epoch, "end", {}, "ended: pruner asked for it")
                break
            self.moment()
        (run / "model").mkdir()
        (run / "model" / "config.json").write_text(json.dumps({"model": "VAE", "learned": {}}))
        self.moment()

    def record(self, metrics, model, epoch, split, values, note=""):
        record = {"step": epoch, "epoch": epoch, "split": split, "values": values, "note": note}
        model.records_.append(record)
        with metrics.open("a") as stream:
            stream.write(json.dumps(record) + "\n")


def told(trials):
    return [(t.number, t.run.name, t.values, t.state, dict(t.curve), t.value) for t in trials]


def check_kills(monkeypatch, tmp_path, apart):
    """Kill a search at every so many moments, and hold what it comes to against the whole one."""
    runs = Runs(monkeypatch)
    whole = search(PLAN, tmp_path / "whole")
    assert {trial.state for trial in whole} == {"complete", "pruned", "failed"}
    best = best_of(whole)
    assert best.value == min(t.value for t in whole if t.state == "complete")
    assert best.value == held_out(best.values, EPOCHS)
    for kill_at in range(9, runs.last + 1, apart):
        Runs(monkeypatch, kill_at)
        folder = tmp_path / str(kill_at)
        with pytest.raises(KilledError):
            search(PLAN, folder)
        over = {file.parts[-3] for file in folder.glob("*/model/config.json")}
        after = Runs(monkeypatch)
        assert told(search(PLAN, folder)) == told(whole)
        assert not over & {*after.begun}


def test_a_search_that_is_killed_ends_as_the_undisturbed_one(monkeypatch, tmp_path):
    check_kills(monkeypatch, tmp_path, apart=50)


@pytest.mark.slow
def test_a_search_that_is_killed_anywhere_ends_as_the_undisturbed_one(monkeypatch, tmp_path):
    check_kills(monkeypatch, tmp_path, apart=1)


@pytest.mark.slow
def test_a_killed_process_leaves_a_search_that_ends_with_the_same_bytes(tmp_path):
    """kill -9 after so many lines of metrics, four times, with real runs."""
    text = """model = "linear-autoencoder"
n_epochs = 40
batch_size = 32
[search]
n_trials = 9
prune_after = 5
[search.ranges]
learning_rate = {low = 1e-4, high = 1e-1, log = true}
n_components = {low = 2, high = 20}
"""
    (tmp_path / "r.toml").write_text(text)

    def start(out):
        words = [sys.executable, "-m", "latentia", "search", str(tmp_path / "r.toml")]
        return subprocess.Popen(
            [*words, "--out", str(out)], cwd=tmp_path, env=environment(), stderr=subprocess.DEVNULL
        )

    def lines(out):
        return sum(file.read_bytes().count(b"\n") for file in out.glob("*/metrics.jsonl"))

    assert start(tmp_path / "whole").wait() == 0
    n_lines, killed = lines(tmp_path / "whole"), 0
    while killed < 4:
        process = start(tmp_path / "killed")
        enough = n_lines * (killed + 0.5) / 4
        while process.poll() is None and lines(tmp_path / "killed") < enough:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        assert process.returncode != 0
    assert start(tmp_path / "killed").wait() == 0
    for name in ("trials.csv", "best.toml", "search.json"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "killed" / name).read_bytes()
    weights = [*(tmp_path / "whole").glob("*/model/model.safetensors")]
    assert len(weights) == 9
    for file in weights:
        other = tmp_path / "killed" / file.relative_to(tmp_path / "whole")
        assert file.read_bytes() == other.read_bytes()


def test_more_trials_go_on_and_another_search_is_refused(monkeypatch, tmp_path):
    Runs(monkeypatch)
    few = search(Plan(**{**vars(PLAN), "n_trials": 6}), tmp_path / "s")
    more = search(PLAN, tmp_path / "s")
    assert told(more)[:6] == told(few)
    assert told(more) == told(search(PLAN, tmp_path / "whole"))
    other = Plan(**{**vars(PLAN), "seed": 1})
    with pytest.raises(InputError, match="was begun with another seed: choose another --out"):
        search(other, tmp_path / "s")
    assert told(search(other, tmp_path / "o")) != told(more)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").touch()
    with pytest.raises(InputError, match="holds something else than a search"):
        search(PLAN, tmp_path / "full")


def test_nothing_is_pruned_where_that_is_asked_for_and_not_before_its_epochs(monkeypatch, tmp_path):
    Runs(monkeypatch)
    for after in (None, 3, 6):
        trials = search(Plan(**{**vars(PLAN), "prune_after": after}), tmp_path / str(after))
        ended = {max(t.curve) for t in trials if t.state == "pruned"}
        assert bool(ended) == (after is not None)
        assert all(epoch > after for epoch in ended)


def test_a_value_that_is_not_held_out_is_named(monkeypatch, tmp_path):
    Runs(monkeypatch)
    plan = Plan(**{**vars(PLAN), "minimise": "losss"})
    words = r"trial_0000, with .*: minimise is 'losss'; did you mean 'loss'\?; the held-out values"
    with pytest.raises(InputError, match=words):
        search(plan, tmp_path / "s")


RECIPE = """model = "vae"
n_components = 3
[search]
{settings}
[search.ranges]
{ranges}
"""
REFUSED = [
    ("", "learning_rat = [1, 2]", "VAE has no parameter 'learning_rat'; did you mean 'learning_r"),
    ("", "n_components = [1, 2]", "n_components has a value and a range; leave one of them out"),
    ("", "beta = {low = 3, high = 2}", "the range of beta is empty: its low 3.0 is not below its"),
    ("", "beta = {low = 0, high = 2, log = true}", "the range of beta begins at 0.0, and a log"),
    ("", "beta = {low = 0}", "high of the range of beta is None; it must be a number"),
    ("", "beta = {low = 0, hihg = 1}", "the range of beta has no 'hihg'; did you mean 'high'?"),
    ("", "beta = {low = 0, high = 1, log = 1}", "log of the range of beta is 1; it must be true"),
    ("", "batch_size = {low = 1.5, high = 3}", "batch_size is 1.5; it must be a whole number"),
    ("", "beta = 3", "the range of beta is 3; give {low = ..., high = ...} or a list of choices"),
    ("", "hidden = {low = 1, high = 2}", "the range of hidden is {'low': 1, 'high': 2}; give a l"),
    ("", "beta = [1]", "beta has the choices [1]; give two or more, each of them once"),
    ("", "beta = [1, 1]", "beta has the choices [1, 1]; give two or more, each of them once"),
    ("", "beta = [1, -2]", "beta is -2; it must be at least 0"),
    ("", "activation = ['relu', 'tanhh']", "activation is 'tanhh'; it must be one of"),
    ("", "", "[search.ranges] is empty: give the range of a field at least"),
    ("trials = 3", "beta = [1, 2]", "[search] has no setting 'trials'"),
    ("n_trials = 0", "beta = [1, 2]", "n_trials is 0; it must be a whole number from 1"),
    ("minimise = 3", "beta = [1, 2]", "minimise is 3; it must be the name of a held-out value"),
    ("prune_after = -1", "beta = [1, 2]", "prune_after is -1; it must be a whole number from 0, o"),
]


@pytest.mark.parametrize(("settings", "ranges", "said"), REFUSED)
def test_what_is_no_range_is_refused_in_a_sentence(settings, ranges, said, tmp_path, capsys):
    file = tmp_path / "r.toml"
    file.write_text(RECIPE.format(settings=settings, ranges=ranges))
    assert main(["search", str(file), "--out", str(tmp_path / "s")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_recipes_without_ranges_and_of_models_without_epochs_are_refused(tmp_path, capsys):
    for text, command, said in (
        ('model = "vae"', "search", "has no table [search.ranges], which says what is to be"),
        ('model = "pca"\n[search.ranges]\nwhiten = [true, false]', "search", "fitted at once"),
        (RECIPE.format(settings="", ranges="beta = [1, 2]"), "train --recipe", "'latentia search'"),
    ):
        (tmp_path / "r.toml").write_text(text)
        assert main([*command.split(), str(tmp_path / "r.toml")]) == 2
        assert said in capsys.readouterr().err


def test_the_command_leaves_a_table_a_picture_and_the_best_recipe(monkeypatch, tmp_path, capsys):
    Runs(monkeypatch)
    monkeypatch.chdir(tmp_path)
    ranges = """learning_rate = {low = 1e-4, high = 1e-1, log = true}
n_components = {low = 2, high = 9}
hidden = [[8], [8, 4]]"""
    settings = 'n_trials = 99\nminimise = "loss"'
    text = RECIPE.format(settings=settings, ranges=ranges).replace("n_components = 3", "")
    Path("bowl.toml").write_text(text)
    assert main(["search", "bowl.toml", "--n-trials", "14"]) == 0
    trials = search(Plan("VAE", {"random_state": 0}, SPANS, "digits", n_trials=14), Path("other"))
    best, out = best_of(trials), capsys.readouterr().out
    assert f"the best is runs/search-bowl/{best.run.name}, with {best.value:.6g}" in out
    lines = Path("runs/search-bowl/trials.csv").read_text().splitlines()
    assert len(lines) == 15
    assert lines[0] == "trial,learning_rate,n_components,hidden,epochs,ended,held-out value,"
    assert next(line for line in lines if line.endswith("best")).startswith(best.run.name)
    assert Path("runs/search-bowl/search.png").read_bytes().startswith(b"\x89PNG")
    recipe = Path("runs/search-bowl/best.toml").read_text()
    assert f"n_components = {best.values['n_components']}\n" in recipe
    assert f"learning_rate = {json.dumps(best.values['learning_rate'])}\n" in recipe


def test_data_of_a_search_are_the_training_rows_and_a_part_is_held_out(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(module, "fit_in_run", lambda model, data, run, **how: seen.append(data))
    monkeypatch.setattr(module, "_curve", lambda *given: {1: 2.0})
    monkeypatch.setattr(module, "_kept_the_best", lambda run: False)
    search(Plan(**{**vars(PLAN), "n_trials": 2}), tmp_path / "s")
    np.testing.assert_array_equal(seen[0].x_train, load("digits").x_train)


def test_a_table_of_trials_has_each_value_in_its_column():
    hidden, beta = ((8, 4), (), None), (0.00123456, 2, 1.0)
    values = [{"hidden": h, "beta": b} for h, b in zip(hidden, beta, strict=True)]
    curves = [{1: 3.0, 2: 1.25, 3: 2.0}, {}, {1: 1.75}]
    states = [module.COMPLETE, module.FAILED, module.PRUNED]
    trials = [
        module.Trial(n, Path(f"trial_{n:04d}"), v, state, curve, n == 0)
        for n, (v, state, curve) in enumerate(zip(values, states, curves, strict=True))
    ]
    assert list(module.table(trials)) == [
        ("trial", "hidden", "beta", "epochs", "ended", "held-out value", ""),
        ("trial_0000", "8 4", "0.001235", "3", module.COMPLETE, "1.25", "best"),
        ("trial_0001", "none", "2", "0", module.FAILED, "", ""),
        ("trial_0002", "none", "1", "1", module.PRUNED, "1.75", ""),
    ]
    assert module._line(trials[0], 9) == f"trial 1 of 9 is {module.COMPLETE}, 1.25"
    assert module._line(trials[1], 9) == f"trial 2 of 9 is {module.FAILED}"
    last = replace(trials[0], number=3, least=False, curve={1: 0.5, 2: 1.5})
    assert (trials[0].value, last.value) == (1.25, 1.5)
    assert best_of([last, *trials]) is trials[0]
    tie = replace(trials[0], number=4)
    assert best_of([tie, *trials]) is trials[0]
    assert not any(row[-1] for row in module.table(trials[1:]))


def test_a_search_whose_every_loss_diverges_or_that_has_nothing_to_hold_out_says_so(
    monkeypatch, tmp_path
):
    Runs(monkeypatch)
    steep = replace(PLAN, spans=SPANS | {"learning_rate": Span(1e-5, 2e-4)}, n_trials=3)
    with pytest.raises(InputError, match="no loss of the 3 trials stayed finite: try other ranges"):
        search(steep, tmp_path / "steep")
    np.save(tmp_path / "few.npy", np.eye(3))
    few = replace(PLAN, data=str(tmp_path / "few.npy"))
    with pytest.raises(InputError, match="too few training samples to hold some out for a search"):
        search(few, tmp_path / "few")
    assert not (tmp_path / "few").exists()


def test_a_recipes_seed_is_the_searchs_and_a_search_that_is_stopped_says_what_goes_on(
    monkeypatch, tmp_path, capsys
):
    asked = []

    def stopped(plan, folder, *, progress):
        asked.append((plan.seed, plan.fixed["random_state"], plan.n_trials))
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "search", stopped)
    text = RECIPE.format(settings="n_trials = 7", ranges="beta = [1, 2]")
    for more in ("", "random_state = 5\n"):
        (tmp_path / "r.toml").write_text(more + text)
        assert main(["search", str(tmp_path / "r.toml"), "--out", str(tmp_path / "s")]) == 130
        assert "stopped; the same command goes on" in capsys.readouterr().err
    assert asked == [(0, 0, 7), (5, 5, 7)]


def test_optuna_is_told_which_trials_were_pruned_and_which_failed(monkeypatch, tmp_path):
    optuna = pytest.importorskip("optuna")
    states, tell = {}, optuna.Study.tell

    def noted(study, trial, values=None, state=None, **more):
        states[trial.number] = "complete" if state is None else state.name.lower()
        return tell(study, trial, values, state, **more)

    monkeypatch.setattr(optuna.Study, "tell", noted)
    Runs(monkeypatch)
    found = {t.number: t.state for t in search(PLAN, tmp_path / "whole")}
    as_optuna_says = {"failed": "fail"}
    assert states == {n: as_optuna_says.get(state, state) for n, state in found.items()}
    assert {*states.values()} == {"complete", "pruned", "fail"}
