"""Laws of every model of texts, and what truncated back-propagation carries over."""

import dataclasses
import hashlib
import importlib
import json
import math
import os
import signal

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn
from torch.nn.functional import cross_entropy

import latentia
from latentia import MODELS
from latentia.cli.parser import class_name_of
from latentia.errors import InputError
from latentia.models.fields import command_name, model_fields, model_reference, model_summary
from latentia.models.language.base import pick
from latentia.models.language.lstm import LSTMLanguageModel
from latentia.models.language.rnn import RNNLanguageModel
from latentia.training.checkpoint import Checkpoints
from tests.conftest import small_models
from tests.models.language.conftest import RHYME, SHARED, SMALL, small_sequence_models

NAMES = list(small_sequence_models())
TRAINED = ["RNNLanguageModel", "LSTMLanguageModel"]


@pytest.fixture(scope="module")
def fitted():
    return {name: model.fit(RHYME) for name, model in small_sequence_models().items()}


@pytest.mark.parametrize("text", ["abcab", ["ab", "c", "ab"], ["a", "bc", "ab"]])
def test_the_hash_of_a_text_tells_where_its_symbols_end(text):
    model = RNNLanguageModel(**SHARED)
    model.learn_symbols(text, None)
    joined = b"\0".join(symbol.encode() for symbol in text)
    assert model.facts(text)["hash"] == hashlib.sha256(joined).hexdigest()[:16]


def test_every_public_model_is_under_law():
    assert set(small_sequence_models()) == set(MODELS) - set(small_models())


@pytest.mark.parametrize("name", NAMES)
def test_fields_read_from_source_are_the_dataclasses(name):
    cls = getattr(importlib.import_module(MODELS[name]), name)
    theirs = {field.name: field.default for field in dataclasses.fields(cls)}
    assert {field.name: field.default for field in model_fields(name)} == theirs
    assert all(field.help.endswith(".") for field in model_fields(name))
    assert model_summary(name).endswith(".")
    assert any(digit.isdigit() for digit in model_reference(name))
    assert class_name_of(command_name(name)) == name


@pytest.mark.parametrize("name", NAMES)
def test_score_is_the_mean_of_the_log_probabilities(name, fitted):
    model, text = fitted[name], "all the king's men"
    text = "".join(symbol for symbol in text if symbol in model.symbols_)
    log_p = model.score_samples(text)
    assert log_p.shape == (len(text),)
    assert (log_p <= 0).all()
    assert model.score(text) == pytest.approx(log_p.mean())
    assert model.bits_per_symbol(text) == pytest.approx(-log_p.mean() / math.log(2))
    assert model.perplexity(text) == pytest.approx(math.exp(-log_p.mean()))


@pytest.mark.parametrize("name", NAMES)
def test_a_text_scores_what_its_steps_do(name, fitted):
    model, text = fitted[name], "together again"
    log_p, state = model.begin(2)
    steps = []
    for symbol in model.encode(text):
        # In double precision: sums over long texts want more than seven digits.
        np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1, rtol=1e-12)
        steps.append(log_p[1, symbol])
        log_p, state = model.advance(state, np.array([0, symbol], np.int32))
    np.testing.assert_allclose(model.score_samples(text), steps, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_samples_begin_with_the_prompt_and_follow_the_seed(name, fitted):
    model = fitted[name]
    drawn = model.sample(3, 20, prompt="the king", random_state=5)
    assert [text[:8] for text in drawn] == ["the king"] * 3
    assert [len(text) for text in drawn] == [28] * 3
    assert len(set(drawn)) == 3
    assert drawn == model.sample(3, 20, prompt="the king", random_state=5)
    assert drawn != model.sample(3, 20, prompt="the king", random_state=6)


@pytest.mark.parametrize("name", NAMES)
def test_temperature_zero_is_the_limit_and_the_likeliest(name, fitted):
    model = fitted[name]
    cold = model.sample(1, 15, prompt="all", temperature=0)
    assert cold == model.sample(1, 15, prompt="all", temperature=1e-9, random_state=0)
    with pytest.raises(InputError, match="draws nothing at random: no random_state"):
        model.sample(1, 15, temperature=0, random_state=0)
    log_p, state = model.begin(1)
    for place, symbol in enumerate(model.encode(cold[0])):
        if place >= 3:
            assert symbol == log_p.argmax()
        log_p, state = model.advance(state, np.array([symbol], np.int32))


def test_draws_have_the_tempered_probabilities():
    log_p = np.log(np.tile([0.5, 0.3, 0.2, 0.0 + 1e-300], (20_000, 1)))
    for temperature in (0.5, 1.0, 2.0):
        drawn = pick(log_p, temperature, np.random.RandomState(0))
        expected = np.array([0.5, 0.3, 0.2]) ** (1 / temperature)
        shares = np.bincount(drawn, minlength=4)[:3] / len(drawn)
        np.testing.assert_allclose(shares, expected / expected.sum(), atol=0.01)


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_model_is_the_same_model(name, fitted, tmp_path):
    model = fitted[name]
    path = model.save(tmp_path / "model")
    loaded = latentia.load(path)
    np.testing.assert_array_equal(loaded.score_samples(RHYME), model.score_samples(RHYME))
    assert loaded.sample(2, 9, random_state=1) == model.sample(2, 9, random_state=1)
    assert loaded.get_params() == model.get_params()
    assert "Samples of shape" not in (path / "README.md").read_text()
    with pytest.raises(InputError, match="exists"):
        model.save(path)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "damage",
    [
        {"symbols_": [[1]]},
        {"symbols_": [None, "a"]},
        {"symbols_": ["a", "a"]},
        {"symbols_": []},
        {},
    ],
    ids=str,
)
def test_a_saved_model_whose_symbols_are_none_is_refused(name, damage, fitted, tmp_path):
    path = fitted[name].save(tmp_path / "model") / "config.json"
    config = json.loads(path.read_text())
    # As of version 0.1.0, which had no hash.
    del config["sha256"]
    learned = config["learned"]
    config["learned"] = learned | damage
    if not damage:
        del config["learned"]["of_characters_"]
    path.write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"cannot be restored: InputError: .*symbols"):
        latentia.load(path.parent)


@pytest.mark.parametrize("name", NAMES)
def test_symbols_may_be_words(name, tmp_path):
    words = RHYME.split()
    model = clone(small_sequence_models()[name]).fit(words)
    drawn = model.sample(1, 4, prompt=["all", "the"], random_state=0)[0]
    assert drawn[:2] == ["all", "the"]
    assert len(drawn) == 6
    loaded = latentia.load(model.save(tmp_path / "model"))
    assert loaded.score(words) == model.score(words)
    with pytest.raises(InputError, match="the text is str; the model was fitted on a list"):
        model.score("all the")


@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_be_read_is_refused(name, fitted):
    model = fitted[name]
    with pytest.raises(InputError, match="'Z' at place 2, which the model does not know"):
        model.score("heZ")
    for other in (3, None, b"the"):
        with pytest.raises(InputError, match=r"the text is .*; the model was fitted on a string"):
            model.score(other)
        with pytest.raises(InputError, match=r"the text is .*; the model was fitted on a string"):
            model.sample(prompt=other)
    with pytest.raises(InputError, match="'é' at place 0"):
        model.sample(prompt="é")
    with pytest.raises(InputError, match="text is empty"):
        model.score("")
    with pytest.raises(InputError, match="temperature is -1; it must be at least 0"):
        model.sample(temperature=-1)
    with pytest.raises(InputError, match="length is 0"):
        model.sample(length=0)
    with pytest.raises(InputError, match="holds 1 symbols; give at least 2"):
        clone(model).fit("a")
    with pytest.raises(InputError, match="list of strings"):
        clone(model).fit([1, 2, 3])


@pytest.mark.parametrize("name", NAMES)
def test_symbols_that_do_not_occur_may_be_named(name):
    model = clone(small_sequence_models()[name]).fit(RHYME, symbols=RHYME + "Zé")
    assert np.isfinite(model.score("Zé"))


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("n_units", 0, "at least 1"),
        ("window", 0, "at least 1"),
        ("dropout", 1.0, "less than 1"),
        ("clip", 0.0, "greater than 0"),
        ("learning_rate_schedule", "cosin", "did you mean 'cosine'"),
        ("device", "gpu", "auto, cpu, cuda"),
        ("random_state", -1, "at least 0"),
    ],
)
def test_a_bad_parameter_is_named(name, field, value, words):
    with pytest.raises(InputError, match=words) as raised:
        small_sequence_models()[name].set_params(**{field: value}).fit(RHYME)
    assert field in str(raised.value)


@pytest.mark.parametrize("name", TRAINED)
def test_the_state_is_carried_so_that_windows_are_one_long_text(name, monkeypatch):
    """With the learning rate at next to nothing, the mean of an epoch's losses is the score."""
    model = small_sequence_models()[name]
    model.set_params(n_epochs=1, batch_size=1, window=11, dropout=0.0, learning_rate=1e-30)
    losses = []
    plain = model.loss

    def loss(*batch):
        found = plain(*batch)
        losses.append(float(found.detach()))
        return found

    monkeypatch.setattr(model, "loss", loss)
    model.fit(RHYME[: 11 * 9 + 1])
    assert len(losses) == 9
    whole = model.score_samples(RHYME[: 11 * 9 + 1])[1:]
    np.testing.assert_allclose(losses, -whole.reshape(9, 11).mean(1), rtol=1e-4)


@pytest.mark.parametrize("name", TRAINED)
def test_gradients_end_at_the_window(name, monkeypatch):
    """Those of a window from a carried state are those with that state as a constant."""
    monkeypatch.setattr("latentia.models.language.recurrent.AFRESH", 0.0)
    model = small_sequence_models()[name].set_params(dropout=0.0).fit(RHYME)
    net = model.net_.train()
    x = torch.from_numpy(model.encode(RHYME[:21]).astype(np.int64))[None]
    _, state = net(x[:, :10], net.zero_state(1))
    memory = (
        importlib.import_module("latentia.models.language.recurrent")
        .Memory(net.zero_state(1))
        .train()
    )
    memory.keep(state)
    gradients = []
    for start in (memory.recall(net.zero_state(1), torch.tensor(False)), state.detach()):
        logits, _ = net(x[:, 10:20], start)
        loss = cross_entropy(logits.flatten(0, 1), x[:, 11:21].flatten())
        gradients.append(torch.autograd.grad(loss, list(net.parameters())))
    for ours, constant in zip(*gradients):
        assert torch.equal(ours, constant)


def test_the_gradients_norm_is_clipped():
    norms = {}
    for clip in (None, 1e-3):
        model = LSTMLanguageModel(**SMALL, n_epochs=1, random_state=0, clip=clip)
        plain = model._clipping_adam
        found = norms[clip] = []

        def watched(parameters, plain=plain, found=found):
            optimizer = plain(parameters)
            optimizer.register_step_pre_hook(
                lambda *_: found.append(
                    float(nn.utils.get_total_norm([p.grad for p in parameters]))
                )
            )
            return optimizer

        model._clipping_adam = watched
        model.fit(RHYME)
    assert min(norms[None]) > 1e-2
    np.testing.assert_allclose(norms[1e-3], 1e-3, rtol=1e-3)


@pytest.mark.parametrize("name", TRAINED)
def test_same_seed_same_weights_and_the_callers_generator_is_left_alone(name):
    def weights(seed):
        model = small_sequence_models()[name].set_params(random_state=seed).fit(RHYME)
        return torch.cat([p.flatten() for p in model.net_.parameters()])

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = weights(0)
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first, weights(0))
    assert not torch.equal(first, weights(1))


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize("ema_decay", [None, 0.9])
def test_a_run_that_stops_inside_an_epoch_goes_on_bit_for_bit(name, ema_decay, tmp_path, heard):
    def fit(run, resume=False, stop_at=None):
        model = small_sequence_models()[name].set_params(n_epochs=3, ema_decay=ema_decay)
        plain, calls = model.updates, iter(range(10**9))

        def stop():
            if next(calls) + 1 == stop_at:
                os.kill(os.getpid(), signal.SIGINT)

        model.updates = lambda: [dataclasses.replace(plain()[0], after=stop)]
        return model.fit(RHYME, validation=RHYME[:60], run=run, resume=resume)

    whole = fit(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "broken", stop_at=9)
    tensors, counters = Checkpoints(tmp_path / "broken" / "checkpoints").latest()
    assert counters["step"] == 9
    # The sixth step ended the first epoch: what is carried at the ninth has been read since.
    assert tensors["nets/_memory/carried"].abs().sum() > 0
    resumed = fit(tmp_path / "broken", resume=True)
    for a, b in zip(whole.net_.parameters(), resumed.net_.parameters(), strict=True):
        assert torch.equal(a, b)
    texts = [(tmp_path / run / "metrics.jsonl").read_text() for run in ("whole", "broken")]
    values = [[json.loads(line)["values"] for line in text.splitlines()] for text in texts]
    assert values[0] == values[1]
    for epoch in (1, 2, 3):
        drawn = [
            (tmp_path / run / "samples" / f"epoch_000{epoch}.txt").read_bytes()
            for run in ("whole", "broken")
        ]
        assert drawn[0] == drawn[1]


@pytest.mark.parametrize("name", TRAINED)
def test_the_loss_is_float32_under_bfloat16_autocast(name, monkeypatch):
    model = small_sequence_models()[name]
    plain, kinds = model.loss, set()

    def loss(*batch):
        with torch.autocast("cpu", torch.bfloat16):
            found = plain(*batch)
        kinds.add(found.dtype)
        return found

    monkeypatch.setattr(model, "loss", loss)
    assert math.isfinite(model.fit(RHYME).score(RHYME))
    assert kinds == {torch.float32}


def test_another_text_is_not_resumed(tmp_path):
    LSTMLanguageModel(**SHARED).fit(RHYME, run=tmp_path / "run")
    with pytest.raises(InputError, match="another data"):
        LSTMLanguageModel(**SHARED).fit(RHYME[::-1], run=tmp_path / "run", resume=True)


def test_it_learns_what_needs_memory():
    """After a letter and three dots comes the letter again, beyond the reach of a trigram."""
    letters = np.random.default_rng(0).choice(["a", "b"], 200)
    text = "".join(f"{letter}...{letter}" for letter in letters)
    more = {"n_units": 12, "n_epochs": 30, "learning_rate": 0.02, "dropout": 0.0, "window": 20}
    model = LSTMLanguageModel(**(SHARED | more | {"batch_size": 8})).fit(text)
    # Of five symbols one is a coin's throw and the others are certain.
    assert -model.score(text) < 0.25 * math.log(2)
    assert -small_sequence_models()["NGramLanguageModel"].fit(text).score(text) > 0.3 * math.log(2)


@pytest.mark.parametrize("forget_bias", [1.0, -2.0])
def test_forget_gates_of_every_layer_start_with_their_bias(forget_bias):
    model = LSTMLanguageModel(n_layers=2, forget_bias=forget_bias, learning_rate=1e-30, **SMALL)
    model.set_params(n_epochs=1, random_state=0).fit(RHYME)
    for layer in model.net_.layers:
        bias = (layer.bias_ih_l0 + layer.bias_hh_l0).detach().view(4, 6)
        assert torch.equal(bias[1], torch.full((6,), forget_bias))
        # The other gates' are as torch draws them.
        assert bias[[0, 2, 3]].unique().numel() == 18
        assert bias[[0, 2, 3]].abs().max() < 2 / math.sqrt(6)


@pytest.mark.parametrize("name", TRAINED)
def test_dropout_falls_between_layers_and_never_in_time(name, fitted):
    net, x = fitted[name].net_, torch.arange(10)[None] % 5
    zero = net.zero_state(1)
    plain_logits, plain_state = net(x, zero)
    calls = []

    def zeros_from(call):
        def hook(module, inputs, output):
            calls.append(output.shape[-1])
            return output if len(calls) < call else torch.zeros_like(output)

        return hook

    n_layers = len(net.layers)
    for call in range(1, n_layers + 2):
        calls.clear()
        handle = net.dropout.register_forward_hook(zeros_from(call))
        logits, state = net(x, zero)
        handle.remove()
        # Layers below the first call are as they were, and their states too.
        assert torch.equal(state[:, : call - 1], plain_state[:, : call - 1])
        assert not torch.equal(logits, plain_logits)
        if call <= n_layers:
            assert not torch.equal(state[:, call - 1], plain_state[:, call - 1])
    assert calls == [4, *[6] * n_layers]
    assert torch.equal(logits, net.head.bias.expand_as(logits))


@pytest.mark.parametrize("name", TRAINED)
def test_the_rate_of_dropout_is_the_fields(name):
    model = small_sequence_models()[name].set_params(dropout=0.25).fit(RHYME)
    net = model.net_.train()
    dropped = net.dropout(torch.ones(20_000, 4))
    np.testing.assert_allclose(dropped.unique(), [0, 4 / 3])
    assert float((dropped == 0).float().mean()) == pytest.approx(0.25, abs=0.01)
    net.eval()
    assert torch.equal(net.dropout(torch.ones(5, 4)), torch.ones(5, 4))


@pytest.mark.parametrize("name", TRAINED)
def test_first_symbols_have_their_frequencies_of_training_one_added(name):
    model = small_sequence_models()[name].set_params(n_epochs=1)
    model.fit("abbcccabab" * 3, symbols="abcd")
    expected = np.array([9 + 1, 12 + 1, 9 + 1, 0 + 1]) / 34
    np.testing.assert_allclose(model.frequencies_, expected)
    log_p, state = model.begin(3)
    np.testing.assert_allclose(log_p, np.log(expected)[None].repeat(3, 0))
    assert state.shape[2] == 3
    assert not state.any()
    assert model.score_samples("d")[0] == pytest.approx(np.log(1 / 34))


@pytest.mark.parametrize("name", TRAINED)
def test_a_long_text_is_scored_as_if_it_were_read_in_one_go(name, fitted):
    model = fitted[name]
    text = RHYME * 17
    assert len(text) > 2 * 1024
    ids = torch.from_numpy(model.encode(text).astype(np.int64))
    with torch.no_grad():
        logits, _ = model.net_(ids[None, :-1], model.net_.zero_state(1))
    expected = logits[0].double().log_softmax(1).gather(1, ids[1:, None])[:, 0]
    np.testing.assert_allclose(model.score_samples(text)[1:], expected, rtol=1e-4)


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize("window", [7, 100])
def test_the_held_out_loss_is_the_score_of_the_held_out_text(name, window, tmp_path):
    """Without dropout, with the state carried on, and apart from the training's state."""
    held_out = RHYME[:71]
    model = small_sequence_models()[name]
    model.set_params(batch_size=1, window=window, dropout=0.5, ema_decay=0.5)
    model.fit(RHYME, validation=held_out, run=tmp_path / "run")
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    last = [r["values"] for r in records if r["split"] == "validation"][-1]
    assert last["cross_entropy"] == pytest.approx(-model.score_samples(held_out)[1:].mean())


@pytest.mark.parametrize("words", [False, True])
def test_each_epoch_leaves_a_text_drawn_by_the_models_seed(words, tmp_path):
    text = RHYME.split() if words else RHYME
    model = LSTMLanguageModel(**SHARED).set_params(random_state=3, learning_rate=0.3)
    model.fit(text * 3, run=tmp_path / "run")
    kept = [path.read_text() for path in sorted((tmp_path / "run" / "samples").iterdir())]
    drawn = model.sample(length=20, random_state=3)[0]
    assert len(kept) == 2
    assert kept[-1] == (" ".join(drawn) if words else drawn)
    assert kept[0] != kept[1]


def test_progress_counts_windows(capsys):
    LSTMLanguageModel(n_units=4, n_epochs=1, random_state=0).fit(RHYME, progress=True)
    said = capsys.readouterr().err
    assert " windows/s " in said
    assert "images" not in said
