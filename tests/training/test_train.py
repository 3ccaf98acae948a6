"""What the loop does at each step, against a model that can be followed by hand."""

import dataclasses
import itertools
import math
import time
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from torch import nn

from latentia import VAE, RNNLanguageModel
from latentia.errors import InputError
from latentia.training import draws
from latentia.training.checkpoint import Checkpoints
from latentia.training.metrics_file import read_metrics
from latentia.training.progress import TrainingProgress
from latentia.training.train import evaluating
from tests.training.slope import Slope

FACTORS = {
    "constant": lambda t: 1.0,
    "linear": lambda t: 1 - t,
    "late-linear": lambda t: min(1.0, 2 - 2 * t),
    "cosine": lambda t: (1 + math.cos(math.pi * t)) / 2,
    "stages": lambda t: 10 ** (-int(math.log(2 * t * 3 + 1, 3)) / 7),
}


def table(n_rows=14, seed=0):
    """Return rows that tell their number."""
    other = np.random.default_rng(seed).normal(size=n_rows)
    return np.stack([np.arange(n_rows), other], axis=1)


def joined(batches):
    return [row for batch in batches for row in batch]


def rows_seen(calls):
    return [call["x"][:, 0].int().tolist() for call in calls]


def weights_before_and_after(model):
    """Return each step's weights before it, and at the end those after the last."""
    last = model.calls[-1]
    end = last["w"] - model.learning_rate * last["x"].mean(0)
    return [call["w"] for call in model.calls] + [end]


@pytest.mark.parametrize("schedule", FACTORS)
@pytest.mark.parametrize("own", [False, True])
def test_each_step_goes_down_its_batchs_gradient_by_the_scheduled_rate(schedule, own):
    model = Slope(n_epochs=3, random_state=1)
    plain = model.updates
    if own:
        model.updates = lambda: [dataclasses.replace(plain()[0], schedule=FACTORS[schedule])]
    else:
        model.learning_rate_schedule = schedule
    model.fit(table())
    n_steps = 9
    assert len(model.calls) == n_steps
    ends = [*(call["w"] for call in model.calls[1:]), model.line_[1].weight.detach()]
    for step, (call, end) in enumerate(zip(model.calls, ends, strict=True)):
        rate = 0.5 * FACTORS[schedule](step / n_steps)
        torch.testing.assert_close(end, call["w"] - rate * call["x"].mean(0, keepdim=True))


@pytest.mark.parametrize(("n_rows", "steps_an_epoch"), [(14, 3), (3, 1)])
def test_progress_is_told_each_step_its_epoch_and_what_it_cost(monkeypatch, n_rows, steps_an_epoch):
    told = []
    monkeypatch.setattr(TrainingProgress, "__call__", lambda _, *given: told.append(given))
    model = Slope(n_epochs=3, random_state=1).fit(table(n_rows))
    epochs = np.repeat([1, 2, 3], steps_an_epoch)
    assert [given[:2] for given in told] == list(enumerate(epochs, start=1))
    for call, (_, _, n_rows, values) in zip(model.calls, told, strict=True):
        assert n_rows == len(call["x"])
        value = float((call["w"] * call["x"]).sum(1).mean())
        assert values == pytest.approx({"slope": value, "slope/twice": 2 * value}, rel=1e-5)


def test_an_epoch_draws_no_row_twice_and_each_has_an_order_of_its_own():
    model = Slope(n_epochs=20, random_state=1).fit(table())
    batches = rows_seen(model.calls)
    epochs = [joined(batches[first : first + 3]) for first in range(0, 60, 3)]
    assert all(len(batch) == 4 for batch in batches)
    assert all(len(set(epoch)) == 12 for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 20
    assert set(joined(epochs)) == set(range(14))
    again, other = (Slope(n_epochs=20, random_state=seed).fit(table()) for seed in (1, 2))
    assert rows_seen(again.calls) == batches
    assert rows_seen(other.calls) != batches
    assert rows_seen(Slope(n_epochs=2, random_state=1).fit(table()).calls) == batches[:6]


def test_what_is_measured_draws_as_one_process_does(monkeypatch):
    """The first 8 rows of 16 × 3 normal numbers are not the 8 × 3 of the same seed."""

    def drawn(evaluated):
        net = nn.Linear(1, 1)
        with evaluating({"net": net}) if evaluated else nullcontext():
            draws.seed(0)
            return draws.normal(8, (3,)), net.training

    alone, _ = drawn(False)
    monkeypatch.setattr(draws, "world_size", lambda: 2)
    among_two, measured = drawn(False), drawn(True)
    assert not torch.equal(among_two[0], alone)
    assert torch.equal(measured[0], alone)
    assert (among_two[1], measured[1]) == (True, False)
    assert torch.equal(drawn(False)[0], among_two[0])


@pytest.mark.parametrize(("batch_size", "rows"), [(7, 7), (14, 14), (15, 14), (1000, 14)])
def test_a_batch_is_as_large_as_asked_for_or_as_the_data(batch_size, rows):
    model = Slope(n_epochs=2, batch_size=batch_size, random_state=0).fit(table())
    assert [len(batch) for batch in rows_seen(model.calls)] == [rows] * (2 * (14 // rows))


def game(model, calls, repeats=3):
    """Give a model two updates that note what happens: one that repeats, and one that does not."""
    plain = model.updates

    def noted(name):
        def loss(*batch):
            found = model.note(*batch)
            calls.append((name, found))
            return model.line_(batch[0]).mean()

        def before(step, n_steps):
            calls.append((f"before {name}", (step, n_steps)))

        def after():
            calls.append((f"after {name}", None))

        return dataclasses.replace(plain()[0], name=name, loss=loss, before=before, after=after)

    model.updates = lambda: [
        dataclasses.replace(noted("judge"), repeats=repeats),
        noted("generator"),
    ]
    return model


def test_a_game_takes_its_turns_on_batches_of_their_own():
    calls = []
    game(Slope(n_epochs=2, batch_size=2, random_state=0), calls).fit(table(13))
    turn = ["judge", "after judge"]
    one = ["before judge", *turn * 3, "before generator", "generator", "after generator"]
    assert [name for name, _ in calls] == one * 4
    assert [told for name, told in calls if name == "before generator"] == [
        (step, 4) for step in range(4)
    ]
    judge, generator = (
        rows_seen([told for name, told in calls if name == player])
        for player in ("judge", "generator")
    )
    assert generator == judge[::3]
    for epoch in range(2):
        drawn = joined(judge[6 * epoch : 6 * epoch + 6])
        assert len(set(drawn)) == 12
    assert judge[:6] != judge[6:]


def test_noise_depends_on_the_seed_the_step_the_update_and_the_repeat_alone():
    def noise(**fields):
        calls = []
        game(Slope(batch_size=2, **fields), calls).fit(table(13))
        return [told["noise"] for name, told in calls if name in ("judge", "generator")]

    drawn = noise(n_epochs=2, random_state=0)
    assert len(set(drawn)) == 2 * 2 * (3 + 1)
    assert noise(n_epochs=3, random_state=0, ema_decay=0.5)[:16] == drawn
    assert not set(noise(n_epochs=2, random_state=1)) & set(drawn)
    plain = Slope(n_epochs=4, batch_size=2, random_state=0).fit(table(13))
    assert not {call["noise"] for call in plain.calls} & set(drawn)


def test_gradients_do_not_gather_in_a_net_that_others_share():
    """Two updates of the same weights: each goes down its own gradient, twice the same here."""
    calls = []
    model = game(Slope(n_epochs=1, batch_size=2, random_state=0), calls, repeats=1)
    model.fit(table())
    found = [told for name, told in calls if name in ("judge", "generator")]
    for now, then in itertools.pairwise(found):
        torch.testing.assert_close(then["w"], now["w"] - 0.5 * now["x"].mean(0, keepdim=True))


def test_the_fitted_model_holds_the_averaged_weights_and_is_trained_by_the_others(tmp_path):
    x, held_out = table(), table(5, seed=7)
    model = Slope(n_epochs=4, random_state=0, ema_decay=0.7)
    model.fit(x, validation=held_out, run=tmp_path / "run")
    weights = weights_before_and_after(model)
    for now, then, call in zip(weights, weights[1:], model.calls):
        torch.testing.assert_close(then, now - 0.5 * call["x"].mean(0, keepdim=True))
    average, averages = weights[0], []
    for step, after in enumerate(weights[1:], start=1):
        decay = min(0.7, (1 + step) / (10 + step))
        average = decay * average + (1 - decay) * after
        averages.append(average)
    torch.testing.assert_close(model.line_[1].weight.detach(), average)
    assert not torch.allclose(average, weights[-1])
    for epoch, preview in enumerate(model.previews):
        torch.testing.assert_close(preview["w"], averages[3 * epoch + 2])
    told = [r["values"] for r in read_metrics(tmp_path / "run") if r["split"] == "validation"]
    means = torch.tensor(held_out).float().mean(0)
    for values, average in zip(told, averages[2::3], strict=True):
        assert values["slope"] == pytest.approx(float(average @ means), rel=1e-5)


def test_without_an_average_the_fitted_model_holds_the_last_weights():
    model = Slope(n_epochs=2, random_state=0).fit(table())
    end = weights_before_and_after(model)[-1]
    torch.testing.assert_close(model.line_[1].weight.detach(), end)


def test_what_is_recorded_are_means_over_an_epochs_steps_and_over_held_out_rows(tmp_path):
    x, held_out = table(), table(7, seed=3)
    model = Slope(n_epochs=3, random_state=0)
    model.fit(x, validation=held_out, run=tmp_path / "run")
    records = read_metrics(tmp_path / "run")
    assert [(r["split"], r["epoch"], r["step"]) for r in records if r["split"] != "health"] == [
        (split, epoch, 3 * epoch) for epoch in (1, 2, 3) for split in ("train", "validation")
    ]
    losses = [float((call["x"] @ call["w"].T).mean()) for call in model.calls]
    weights = weights_before_and_after(model)
    for record in records:
        epoch = record["epoch"]
        if record["split"] == "train":
            expected = np.mean(losses[3 * epoch - 3 : 3 * epoch])
        elif record["split"] == "validation":
            # Three rows of seven make the second batch.
            means = torch.tensor(held_out).float().mean(0)
            expected = float(weights[3 * epoch] @ means)
        else:
            continue
        assert record["values"] == pytest.approx(
            {"slope": expected, "slope/twice": 2 * expected}, rel=1e-4
        )
    seconds = [record["seconds"] for record in records]
    assert seconds == sorted(seconds)
    assert seconds[-1] > 0


def test_held_out_rows_are_those_given_in_order_with_the_same_noise_each_epoch():
    model = Slope(n_epochs=3, random_state=0).fit(table(), validation=table(7, seed=3))
    assert rows_seen(model.held_out) == [[0, 1, 2, 3], [4, 5, 6]] * 3
    seen = torch.cat([call["x"][:, 1] for call in model.held_out[:2]])
    torch.testing.assert_close(seen, torch.tensor(table(7, seed=3)[:, 1]).float())
    noise = [call["noise"] for call in model.held_out]
    assert noise == noise[:2] * 3
    assert noise[0] != noise[1]


def test_nets_train_in_steps_and_evaluate_beside_them(tmp_path):
    model = Slope(n_epochs=2, random_state=0)
    model.fit(images(), validation=images()[:3], run=tmp_path / "run")
    assert [len(kind) for kind in (model.calls, model.held_out, model.previews)] == [4, 2, 2]
    assert all(call["training"] for call in model.calls)
    beside = model.held_out + model.previews + model.checkups
    assert not any(call["training"] for call in beside)
    assert not model.line_.training
    assert not any(layer.training for layer in model.line_)


def images(n=8):
    return np.random.default_rng(0).random((n, 2, 2), dtype=np.float32)


def test_an_epochs_picture_shows_the_first_held_out_samples_or_else_the_first(tmp_path):
    many, held_out = images(70), 1 - images(3)
    noise = []
    for name, validation, shown in (("given", held_out, held_out), ("none", None, many[:64])):
        model = Slope(n_epochs=2, random_state=0).fit(
            many, validation=validation, run=tmp_path / name
        )
        assert len(model.previews) == 2
        for preview in model.previews:
            torch.testing.assert_close(preview["x"][:, 0], torch.tensor(shown))
            noise.append(preview["noise"])
    assert len(set(noise)) == 1


def test_without_a_run_nothing_is_pictured_and_the_same_is_learned(tmp_path):
    alone, kept = Slope(n_epochs=2, random_state=0), Slope(n_epochs=2, random_state=0)
    alone.fit(images())
    kept.fit(images(), run=tmp_path / "run", validation=images()[:2])
    assert not alone.previews
    assert torch.equal(alone.line_[1].weight, kept.line_[1].weight)


@pytest.mark.parametrize("term", [False, True])
def test_a_step_that_is_not_finite_is_named_with_its_number(term):
    model = Slope(n_epochs=1, random_state=0)
    plain = model.loss

    def loss(*batch):
        found = plain(*batch)
        bad = math.inf if len(model.calls) == 3 else 0.0
        return dataclasses.replace(
            found, **({"terms": {"odd": bad}} if term else {"total": found.total + bad})
        )

    model.loss = loss
    name = "'slope/odd'" if term else "'slope'"
    with pytest.raises(InputError, match=f"{name} is inf at step 3"):
        model.fit(table())


def test_the_best_checkpoint_is_of_the_lowest_held_out_value(tmp_path):
    model = Slope(n_epochs=4, random_state=0, learning_rate_schedule="linear")
    plain = model.updates
    # Steps of the opposite sign: the loss rises, and the first epoch is the best.
    model.learning_rate = 0.5
    uphill = lambda *batch: dataclasses.replace(  # noqa: E731
        (found := model.loss(*batch)), total=-found.total if model.line_.training else found.total
    )
    model.updates = lambda: [dataclasses.replace(plain()[0], loss=uphill)]
    model.fit(table(), validation=table(5), run=tmp_path / "run")
    checkpoints = Checkpoints(tmp_path / "run" / "checkpoints")
    tensors, state = checkpoints.best()
    assert state["step"] == 3
    torch.testing.assert_close(tensors["nets/line_/1.weight"], model.calls[3]["w"])
    assert checkpoints.latest()[1]["step"] == 12


def test_a_game_has_no_best_checkpoint(tmp_path):
    model = game(Slope(n_epochs=1, random_state=0), [])
    model.fit(table(), validation=table(5), run=tmp_path / "run")
    assert Checkpoints(tmp_path / "run" / "checkpoints").best() is None
    held_out = [r for r in read_metrics(tmp_path / "run") if r["split"] == "validation"]
    assert set(held_out[0]["values"]) == {"judge", "generator"}


def test_checkups_look_at_the_first_samples_and_at_those_before(tmp_path, monkeypatch, capsys):
    x = table(300)
    model = Slope(n_epochs=3, batch_size=100, random_state=0)
    model.fit(x, validation=table(5, seed=1), run=tmp_path / "run", progress=True)
    records = read_metrics(tmp_path / "run")
    health = [record for record in records if record["split"] == "health"]
    assert [record["epoch"] for record in health] == [1, 2, 3]
    assert [record["step"] for record in health] == [3, 6, 9]
    assert [record["note"] for record in health] == [
        f"epoch {epoch} was steep: ski" for epoch in (1, 2, 3)
    ]
    assert all("note" not in record for record in records if record["split"] != "health")
    means = [record["values"] for record in records if record["split"] == "train"]
    for place, checkup in enumerate(model.checkups):
        torch.testing.assert_close(checkup["x"], torch.tensor(x[:256]).float())
        assert checkup["means"] == means[place]
        assert checkup["earlier"] == [record["values"] for record in health[:place]]
        assert checkup["epoch"] == place + 1
        assert not checkup["grad"]
    assert len({checkup["noise"] for checkup in model.checkups}) == 1
    assert "Slope  epoch 2: epoch 2 was steep: ski\n" in capsys.readouterr().err


def test_a_resumed_run_knows_its_earlier_checkups_and_its_seconds(tmp_path, monkeypatch):
    run, ticks = tmp_path / "run", itertools.count()
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(ticks)))
    model = Slope(n_epochs=3, random_state=0)
    plain, stop = model.checkup, iter([False, False, True])

    def checkup(*batch, **told):
        if next(stop):
            raise KeyboardInterrupt
        return plain(*batch, **told)

    model.checkup = checkup
    with pytest.raises(KeyboardInterrupt):
        model.fit(table(), run=run)
    resumed = Slope(n_epochs=3, random_state=0).fit(table(), run=run, resume=True)
    health = [r["values"] for r in read_metrics(run) if r["split"] == "health"]
    assert [checkup["epoch"] for checkup in resumed.checkups] == [3]
    assert resumed.checkups[0]["earlier"] == health[:2]
    seconds = [r["seconds"] for r in read_metrics(run) if r["split"] == "train"]
    assert seconds == [3.0, 6.0, 9.0]


def test_targets_come_with_their_own_rows():
    model = Slope(n_epochs=2, random_state=0)
    model.targets = lambda y, n_rows, *, reset: np.asarray(y)
    x, held_out = table(), table(5, seed=2)
    model.fit(x, x[:, 0] * 10, validation=(held_out, held_out[:, 0] * 7))
    for calls, factor in ((model.calls, 10), (model.held_out, 7)):
        for call in calls:
            torch.testing.assert_close(call["beside"][0].float(), call["x"][:, 0] * factor)


def test_a_net_in_no_update_stays_as_it_was():
    class Beside(Slope):
        def build(self, shape):
            super().build(shape)
            self.idle_ = nn.Linear(2, 1)
            self.began = self.idle_.weight.detach().clone()

        def loss(self, x):
            return self.line_(x).mean() + self.idle_(x).mean()

    model = Beside(n_epochs=1, random_state=0).fit(table())
    assert torch.equal(model.idle_.weight, model.began)
    assert model.idle_.weight.grad is None


def test_a_fit_without_a_seed_draws_one_and_keeps_it():
    first, second = (Slope(n_epochs=1).fit(table()) for _ in range(2))
    assert first.seed_ != second.seed_
    again = Slope(n_epochs=1, random_state=first.seed_).fit(table())
    assert torch.equal(again.line_[1].weight, first.line_[1].weight)


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class Drawing(Slope):
    """One that draws beside its training: before it, in an epoch's picture, and at the end."""

    def learn_scale(self, batches):
        self.beside = {"build": float(draws.normal(1, (1,))[0, 0])}

    def after_training(self, array, y):
        self.beside["end"] = float(draws.normal(1, (1,))[0, 0])


def test_what_is_drawn_beside_the_training_depends_on_the_seed_alone(tmp_path):
    found, x = [], np.random.default_rng(0).random((14, 8, 8), dtype=np.float32)
    for number, (seed, n_epochs) in enumerate(((1, 2), (1, 3), (2, 2))):
        torch.manual_seed(number)
        expected = torch.random.get_rng_state()
        model = Drawing(n_epochs=n_epochs, random_state=seed).fit(x, run=tmp_path / str(number))
        assert torch.equal(torch.random.get_rng_state(), expected)
        parts = {"preview": model.previews, "checkup": model.checkups}
        for name, calls in parts.items():
            (model.beside[name],) = {call["noise"] for call in calls}
        found.append(model.beside)
    assert found[0] == found[1]
    for name, value in found[0].items():
        assert value != found[2][name]
    assert len(set(found[0].values())) == 4


@pytest.mark.parametrize("clip", [1e-3, None])
def test_the_norm_of_the_gradient_is_clipped_before_the_step(clip):
    model = RNNLanguageModel(
        n_units=4, n_embedding=3, window=5, batch_size=2, n_epochs=1, clip=clip
    )
    model.set_params(random_state=0, device="cpu")
    plain, norms = model.updates, []

    def updates():
        (update,) = plain()

        def after():
            gradients = [p.grad.flatten() for p in update.parameters()]
            norms.append(float(torch.cat(gradients).norm()))

        return [dataclasses.replace(update, after=after)]

    model.updates = updates
    model.fit("abcabdabcabe" * 5)
    assert len(norms) > 3
    if clip is None:
        assert min(norms) > 1e-2
    else:
        np.testing.assert_allclose(norms, clip, rtol=1e-3)


def test_beta_rises_over_its_epochs(tmp_path):
    model = VAE(n_components=2, hidden=(4,), n_epochs=4, batch_size=4, beta=3.0)
    model.set_params(beta_warmup_epochs=2, random_state=0, device="cpu")
    plain, betas = model.updates, []

    def updates():
        (update,) = plain()

        def loss(x):
            found = update.loss(x)
            kl = found.terms["kl"]
            betas.append(float(((found.total - found.terms["reconstruction"]) / kl).detach()))
            return found

        return [dataclasses.replace(update, loss=loss)]

    model.updates = updates
    model.fit(images())
    expected = [3 * min(1, step / 4) for step in range(8)]
    np.testing.assert_allclose(betas, expected, atol=1e-2)
