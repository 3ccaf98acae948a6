"""LSTM, RNN and 5-gram on tinyshakespeare: one table on the last tenth of the text.

    python benchmarks/sequences.py --text input.txt --runs FOLDER [--train missing|never]
        [--write docs/sequences.md]

Each is trained as ``latentia train`` trains it, seed 0, on all the rest into ``RUNS/<name>``, and
without its last twentieth into ``RUNS/<name>-held-out``: what stands next to the test part tells
more of it than a better model does. A run that is there is not trained again, one that was stopped
goes on. The LSTM is that of ``examples/recipes/lstm_shakespeare.toml``; the RNN has its sizes and
schedule, at half its step size. The 5-gram, with interpolated Kneser-Ney back-off, reads the same
training text.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from long_runs import is_done, measured, trained

from latentia.data.text import HELD_OUT
from latentia.files import write_atomically
from latentia.training.config import read_config

RECIPE = Path(__file__).resolve().parent.parent / "examples" / "recipes" / "lstm_shakespeare.toml"
MODELS = {
    "lstm": ["--recipe", str(RECIPE)],
    "rnn": ["rnn", "--recipe", str(RECIPE), "--learning-rate", "1e-3"],
    "n-gram": ["n-gram", "--order", "5"],
}
SHARES = {"": 0.0, "-held-out": HELD_OUT}
"""Of the text before the test part, what is not learnt; by the end of a run's name."""
BAR = 1.65
"""Nats a character that the LSTM is to reach within half an hour on two cores."""
SHOWN = 600
HEAD = [
    "| model | held out | parameters | epochs | minutes | nats a character | bits a character "
    "| perplexity |",
    "|---|---|---|---|---|---|---|---|",
]


def main() -> None:
    """Train what is missing, print the table and whether the bars are reached."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--text", required=True, help="tinyshakespeare, or another text")
    parser.add_argument("--runs", type=Path, required=True, help="where runs are and go")
    parser.add_argument("--train", choices=("missing", "never"), default="missing")
    parser.add_argument("--write", type=Path, help="a Markdown file for the table")
    given = parser.parse_args()
    found, lines = {}, list(HEAD)
    for ending, share in SHARES.items():
        for name, words in MODELS.items():
            run = given.runs / (name + ending)
            if given.train == "missing":
                seed = [] if name == "n-gram" else ["--random-state", "0"]
                data = ["--data", given.text, "--held-out", str(share)]
                trained(run, [*words, *data, *seed])
            if is_done(run):
                figures = measured(run)
                lines.append(row(name, share, run, figures))
                found[name + ending] = figures["nats_per_character"]
    print(*lines, sep="\n")
    verdicts = judge(found)
    print(*verdicts, sep="\n")
    if given.write is not None:
        write(given.write, lines, verdicts, given.runs / "lstm" / "samples" / "sample.txt")


def row(name: str, share: float, run: Path, figures: dict[str, float]) -> str:
    """Return a run's line of the table."""
    epochs = read_config(run)["parameters"].get("n_epochs", "–")
    cells = [
        name,
        f"{share:.0%}",
        f"{figures['n_parameters']:,.0f}",
        str(epochs),
        f"{figures['seconds'] / 60:.1f}",
        f"{figures['nats_per_character']:.4f}",
        f"{figures['bits_per_character']:.4f}",
        f"{figures['perplexity']:.3f}",
    ]
    return f"| {' | '.join(cells)} |"


def judge(nats: dict[str, float]) -> list[str]:
    """Return whether each bar is reached, for the models that were measured."""
    verdicts = []
    for ending, share in SHARES.items():
        if f"lstm{ending}" not in nats:
            continue
        ours = nats[f"lstm{ending}"]
        beside = [name for name in (f"n-gram{ending}", f"rnn{ending}") if name in nats]
        bars = {"the bar": BAR, **{name: nats[name] for name in beside}}
        verdicts += [
            f"{share:.0%} held out: lstm {ours:.4f} {'below' if ours < bar else 'NOT BELOW'} "
            f"{bar:.4f}, {name.removesuffix(ending)}"
            for name, bar in bars.items()
        ]
    return verdicts


def write(path: Path, lines: list[str], verdicts: list[str], drawn: Path) -> None:
    """Write the table, the verdicts and the beginning of an unselected text."""
    text = [
        "# Models of texts on tinyshakespeare",
        "",
        f"Printed by `python benchmarks/sequences.py --text input.txt --runs FOLDER --write "
        f"docs/{path.name}`.",
        "Measured on the last tenth of the text; learnt from the rest, or the rest without its",
        "last twentieth, which was held out while the LSTM's recipe was chosen. That twentieth is",
        "from the play that goes on in the test part; without it its names were never read.",
        "Seed 0; minutes are of wall clock.",
        "",
        *lines,
        "",
        *(f"- {verdict}" for verdict in verdicts),
        "",
        "What the LSTM draws, the first characters of the only draw:",
        "",
        "```text",
        drawn.read_text(encoding="utf-8")[:SHOWN] if drawn.exists() else "",
        "```",
        "",
    ]
    write_atomically(path, "\n".join(text).encode())


if __name__ == "__main__":
    main()
