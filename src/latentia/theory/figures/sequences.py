"""Recurrent nets: their state, what becomes of a gradient over time, the LSTM's gates."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from latentia import NGramLanguageModel
from latentia.models.language.lstm import LSTMLanguageModel
from latentia.models.language.recurrent import RecurrentLanguageModel
from latentia.models.language.rnn import RNNLanguageModel
from latentia.plots.style import COLOURS, INK
from latentia.plots.theory import gradient_figure
from latentia.theory.cells import Weights, unroll
from latentia.theory.figures import Sheet
from latentia.theory.figures.panels import (
    BLUE,
    GREEN,
    ORANGE,
    PALE,
    Array,
    arrow,
    bare,
    board,
    titled,
)
from latentia.theory.vanishing import norms_over_time

NAMES = {"Mina": "She", "Jun": "He", "Sora": "She", "Min": "He"}
REACH = 1e-3
"""The share of the last step's gradient below which nothing is learnt of a step."""


def _stories(n: int, seed: int) -> str:
    """Return n sentences in which a name decides a later word."""
    draw = np.random.default_rng(seed)
    return "".join(f"{name} came. {NAMES[name]} sang.\n" for name in draw.choice(list(NAMES), n))


@cache
def _reader(kind: str) -> RecurrentLanguageModel:
    """Return a small net that has read four hundred such sentences."""
    shared: dict[str, Any] = {
        "n_units": 32,
        "n_embedding": 8,
        "dropout": 0.0,
        "window": 40,
        "batch_size": 16,
        "learning_rate": 1e-2,
        "n_epochs": 30,
        "random_state": 0,
    }
    model = LSTMLanguageModel(**shared) if kind == "lstm" else RNNLanguageModel(**shared)
    return model.fit(_stories(600, 1))


def _states(model: RecurrentLanguageModel, text: str) -> Array:
    """Return the (T, H) states h_t after each letter."""
    ids = torch.tensor(np.asarray(model.encode(text)), dtype=torch.int64)[None]
    with torch.no_grad():
        states, _ = unroll(model.net_, ids)
    return np.array([now[-1][0][0].numpy() for now in states])


def _expected(model: RecurrentLanguageModel | NGramLanguageModel, texts: list[str]) -> Array:
    """Return (n, T + 1, S) log-probabilities of every symbol before each letter, and at the end."""
    ids = np.array([model.encode(text) for text in texts])
    logp, state = model.begin(len(texts))
    found = [logp]
    for column in ids.T:
        logp, state = model.advance(state, column)
        found.append(logp)
    return np.stack([np.asarray(part) for part in found], axis=1)


def _letters(axes: Axes, text: str) -> None:
    axes.set_xticks(range(len(text)), [{" ": "␣", "\n": "⏎"}.get(c, c) for c in text])
    axes.grid(visible=False)


def hidden_state(sheet: Sheet) -> Figure:
    """Draw a trained RNN's state, expectation and loss after each letter of a sentence."""
    model, text = _reader("rnn"), "Mina came. She sang."
    sheet.keep({"RNN": model})
    H = _states(model, text)
    logp, ids = _expected(model, [text])[0, :-1], np.asarray(model.encode(text))
    each = logp[np.arange(len(ids)), ids]
    symbols = [model.decode(np.array([i])) for i in range(logp.shape[1])]
    with board(10.6, 5.6) as figure:
        top, middle, bottom = figure.subplots(3, 1, height_ratios=(1.2, 1.3, 0.8))
        top.imshow(
            H.T[np.argsort(-H.std(axis=0))[:12]], cmap="RdBu", vmin=-1, vmax=1, aspect="auto"
        )
        top.set(
            yticks=[],
            ylabel="12 units of $h_t$",
            title="the state after each letter: blue positive, red negative",
        )
        likely = np.exp(logp)
        shown = np.argsort(-likely.max(axis=0))[:14]
        middle.imshow(likely[:, shown].T, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        middle.set_yticks(
            range(14),
            [{" ": "␣", "\n": "⏎"}.get(symbols[i], symbols[i]) for i in shown],
            fontsize=7,
        )
        middle.set(
            ylabel="next letter", title="what it expected at each place, before the letter came"
        )
        bottom.bar(range(len(text)), -each, color=BLUE)
        bottom.set(ylabel="−log p, nats", title="loss of each letter")
        for axes in (top, middle, bottom):
            _letters(axes, text)
            axes.set_xlim(-0.5, len(text) - 0.5)
    place = text.index("She")
    sheet.say(
        f"loss {-each.mean():.3f} nats a letter; {-each[0]:.2f} for the first, "
        f"{-each[place]:.2f} for the S of She"
    )
    return figure


def earlier_letters(sheet: Sheet) -> Figure:
    """Draw what each name makes of He or She seven letters later, in three models."""
    models: dict[str, Any] = {
        "RNN": _reader("rnn"),
        "LSTM": _reader("lstm"),
        "4-gram": NGramLanguageModel(order=4).fit(_stories(600, 1)),
    }
    sheet.keep({name: models[name] for name in ("RNN", "LSTM")})
    with board(7.6, 3.4) as figure:
        axes = figure.subplots()
        for i, (name, model) in enumerate(models.items()):
            he, she = (int(model.encode(letter)[0]) for letter in "HS")
            last = [_expected(model, [f"{who} came. "])[0, -1] for who in NAMES]
            odds = np.array([logp[she] - logp[he] for logp in last])
            axes.bar(np.arange(4) + 0.27 * (i - 1), odds, 0.25, color=COLOURS[i], label=name)
            told = ", ".join(f"{who} {value:+.1f}" for who, value in zip(NAMES, odds))
            sheet.say(f"{name}: log-odds of She against He after {told}")
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.set_xticks(range(4), [f"{who} came. …" for who in NAMES])
        title = "She or He? each name decides the word seven letters later"
        titled(axes, title, "", "log-odds of She, nats")
        axes.legend()
    return figure


def _jacobian_norms(gain: float, *, tanh: bool) -> Array:
    """Return (10, 50) norms of ∂h_t/∂h_0 over the steps of ten random nets of 64 units."""
    n, norms = 64, np.zeros((10, 50))
    for seed in range(10):
        draw = np.random.default_rng(seed)
        W = gain * draw.standard_normal((n, n)) / np.sqrt(n)
        h, J = draw.standard_normal(n), np.eye(n)
        for t in range(50):
            a = W @ h
            h = np.tanh(a) if tanh else np.maximum(a, 0)
            slope = 1 - h**2 if tanh else (a > 0).astype(float)
            J = slope[:, None] * (W @ J)
            norms[seed, t] = np.linalg.norm(J, 2)
    return norms


def tanh_or_relu(sheet: Sheet) -> Figure:
    """Draw norms of the state's Jacobian over fifty steps, by gain, for tanh and ReLU."""
    x, steps = np.linspace(-3, 3, 300), np.arange(1, 51)
    with board(12, 3.6) as figure:
        *panels, right = figure.subplots(1, 3)
        for axes, unit in zip(panels, ("tanh", "ReLU")):
            for gain, colour in zip((0.5, 1.0, 1.5), (BLUE, GREEN, ORANGE)):
                norms = _jacobian_norms(gain, tanh=unit == "tanh")
                median, ends = np.median(norms, axis=0), (norms.min(axis=0), norms.max(axis=0))
                axes.semilogy(steps, median, color=colour, label=f"gain {gain}")
                axes.fill_between(steps, *ends, color=colour, alpha=0.15)
                sheet.say(f"{unit}, gain {gain}: ‖∂h_T/∂h_0‖ {median[-1]:.1e} after 50 steps")
            axes.axhline(1, color=INK, linestyle=":")
            titled(axes, f"{unit}: ‖∂h_T/∂h_0‖, median and range of 10", "steps")
            axes.set_ylim(1e-24, 1e12)
            axes.legend(fontsize=8)
        right.plot(x, np.tanh(x), color=BLUE, label="tanh")
        right.plot(x, 1 - np.tanh(x) ** 2, ":", color=BLUE, label="its slope, at most 1")
        right.plot(x, np.maximum(x, 0), color=ORANGE, label="ReLU")
        right.plot(x, (x > 0).astype(float), ":", color=ORANGE, label="its slope, 0 or 1")
        titled(right, "what is multiplied at every step", "a")
        right.set_ylim(-1.1, 2.2)
        right.legend(fontsize=8)
    return figure


def _rows_of(length: int, n: int, seed: int) -> list[str]:
    """Return rows of noise over c..f that begin and end with the same of a and b."""
    draw = np.random.default_rng(seed)
    noise = ["".join(draw.choice(list("cdef"), length - 1)) for _ in range(n)]
    return [key + row + key for key, row in zip(draw.choice(["a", "b"], n), noise)]


def _three_nets(length: int, n_units: int, n_epochs: int) -> dict[str, RecurrentLanguageModel]:
    shared: dict[str, Any] = {
        "n_units": n_units,
        "n_embedding": 16,
        "dropout": 0.0,
        "window": length + 1,
        "batch_size": 32,
        "learning_rate": 5e-3,
        "random_state": 0,
        "n_epochs": n_epochs,
    }
    return {
        "RNN, tanh": RNNLanguageModel(**shared),
        "RNN, ReLU": RNNLanguageModel(activation="relu", **shared),
        "LSTM": LSTMLanguageModel(**shared),
    }


def back_through_time(sheet: Sheet) -> Figure:
    """Draw how far back the last step's gradient reaches, in nets as built and as trained."""
    length = 50
    text, rows = "".join(_rows_of(length, 600, seed=1)), _rows_of(length, 64, seed=2)
    panels: dict[str, dict[str, Array]] = {"as built": {}, "trained": {}}
    for label, model in _three_nets(length, 64, 10).items():
        # A step size of next to nothing leaves the nets as they were built.
        for title, rate, n_epochs in (("as built", 1e-30, 1), ("trained", model.learning_rate, 10)):
            model.set_params(learning_rate=rate, n_epochs=n_epochs).fit(text)
            ids = torch.tensor(np.array([model.encode(row) for row in rows]), dtype=torch.int64)
            for part, norms in norms_over_time(model.net_, ids[:, :-1], ids[:, -1]).items():
                name = f"{label}: {part}_t" if label == "LSTM" else label
                panels[title][name] = norms
                steps = int((norms[::-1] >= REACH * norms[-1]).cumprod().sum()) - 1
                sheet.say(f"{title}, {name}: reaches {steps} of {len(norms) - 1} steps back")
    return gradient_figure(panels)


def long_context(sheet: Sheet) -> Figure:
    """Draw how rightly the last letter is told over the distance to what decides it."""
    gaps, found = (3, 10, 40), dict[str, list[float]]()
    for gap in gaps:
        text, test = "".join(_rows_of(gap, 500, seed=1)), _rows_of(gap, 200, seed=2)
        nets = {
            name: net.fit(text)
            for name, net in _three_nets(gap, 48, 10).items()
            if name != "RNN, ReLU"
        }
        nets |= {"4-gram": NGramLanguageModel(order=4).fit(text)}
        for name, model in nets.items():
            a, b = (int(model.encode(letter)[0]) for letter in "ab")
            last = _expected(model, [row[:-1] for row in test])[:, -1]
            right = np.mean([(p[a] > p[b]) == (row[-1] == "a") for p, row in zip(last, test)])
            found.setdefault(name, []).append(right)
    with board(7.6, 3.6) as figure:
        axes = figure.subplots()
        for (name, values), colour, mark in zip(found.items(), (ORANGE, BLUE, GREEN), "os^"):
            axes.plot(gaps, values, f"{mark}-", color=colour, label=name)
            sheet.say(f"{name}: " + ", ".join(f"{v:.0%} over {g}" for g, v in zip(gaps, values)))
        axes.axhline(0.5, color=INK, linestyle=":")
        axes.set(
            xlabel="letters between the fact and the word it decides",
            ylabel="share right",
            ylim=(0.35, 1.04),
        )
        axes.set_title("'I grew up in France … I speak French', in letters; dotted: guessing")
        axes.legend()
    return figure


def lstm_gates(sheet: Sheet) -> Figure:
    """Draw an LSTM's cell, what forget gates keep, and gates at work on a sentence."""
    model, text = _reader("lstm"), "Mina came. She sang.\nJun came. He sang."
    sheet.keep({"LSTM": model})
    layer, ids = (
        model.net_.layers[0],
        torch.tensor(np.asarray(model.encode(text)), dtype=torch.int64)[None],
    )
    with torch.no_grad():
        x, weights = model.net_.embedding(ids)[0], Weights.of(layer)
        before = torch.cat([torch.zeros(1, model.n_units), torch.tensor(_states(model, text))[:-1]])
        i, f, _, o = (x @ weights.x.T + before @ weights.h.T + weights.b).chunk(4, dim=1)
        named = {"input i": i, "forget f": f, "output o": o}
        gates = {name: torch.sigmoid(gate) for name, gate in named.items()}
        states, _ = unroll(model.net_, ids)
    cells = np.array([now[-1][1][0].numpy() for now in states])
    with board(11.6, 5.4) as figure:
        halves: Any = figure.subfigures(2, 1, height_ratios=(1, 1.25))
        top, bottom = halves
        diagram, keeps = top.subplots(1, 2, width_ratios=(1.5, 1))
        _cell_diagram(diagram)
        for value, colour in zip((0.5, 0.9, 0.99, 1.0), COLOURS):
            keeps.plot(value ** np.arange(21), color=colour, label=f"f = {value}")
        keeps.set(xlabel="steps", title="what is left of c after so many steps, i = 0")
        keeps.set_xticks(range(0, 21, 5))
        keeps.legend(fontsize=8)
        panels = bottom.subplots(4, 1, sharex=True)
        for axes, (name, gate) in zip(panels, gates.items()):
            axes.plot(gate.mean(dim=1), color=BLUE, marker=".")
            axes.set(ylim=(0, 1), yticks=(0, 1))
            axes.set_ylabel(name, rotation=0, ha="right", va="center")
        female = np.abs(cells[4] - cells[text.index("Jun") + 3]).argsort()[::-1][:4]
        shown = cells[:, female] / np.abs(cells[:, female]).max(axis=0)
        panels[3].imshow(shown.T, cmap="RdBu", vmin=-1, vmax=1, aspect="auto")
        panels[3].set(yticks=[])
        panels[3].set_ylabel("four cells c", rotation=0, ha="right", va="center")
        _letters(panels[3], text)
        bottom.suptitle("gates (means over units) and cells of a trained LSTM", fontsize=9.5)
    sheet.say(", ".join(f"mean {name} {float(gate.mean()):.2f}" for name, gate in gates.items()))
    return figure


def _cell_diagram(axes: Axes) -> None:
    """Draw c along the top, and three gates that act on it."""
    gates = ((1.2, "forget\nf", ORANGE), (3.0, "input\ni · g", GREEN), (5.2, "output\no", BLUE))
    round_ = {"boxstyle": "circle,pad=0.12", "facecolor": PALE, "edgecolor": INK}
    for (x, words, colour), sign, y in zip(gates, "×+×", (2.1, 2.1, 1.7)):
        look = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": colour}
        axes.text(x, 0.85, words, ha="center", va="center", bbox=look)
        axes.text(x, y, sign, ha="center", va="center", fontsize=13, bbox=round_)
        arrow(axes, (x, -0.05), (x, 0.4))
        arrow(axes, (x, 1.3), (x, y - 0.22))
    for start, end in (
        ((-0.2, 2.1), (1.0, 2.1)),
        ((1.4, 2.1), (2.8, 2.1)),
        ((3.2, 2.1), (6.6, 2.1)),
    ):
        arrow(axes, start, end)
    arrow(axes, (4.2, 2.1), (5.0, 1.75))
    arrow(axes, (5.4, 1.7), (6.6, 1.7))
    texts = (
        (-0.45, 2.1, "$c_{t-1}$"),
        (6.9, 2.1, "$c_t$"),
        (6.9, 1.7, "$h_t$"),
        (4.25, 1.6, "tanh"),
    )
    for x, y, words in (*texts, (-0.35, -0.05, "$x_t, h_{t-1}$")):
        axes.text(x, y, words, ha="center", va="center")
    axes.plot([0.3, 5.2], [-0.05, -0.05], color=INK, linewidth=1)
    axes.set(
        xlim=(-1, 7.3), ylim=(-0.4, 2.6), title="one long-term line c, and three gates upon it"
    )
    bare(axes)
