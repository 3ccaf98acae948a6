"""The card of a model in a zoo: what it learnt from, its figures, its training, its limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentia import __version__
from latentia.data.dataset import Dataset
from latentia.metrics.definitions import DEFINITIONS
from latentia.metrics.estimates import Estimate
from latentia.models.fields import reference_of
from latentia.models.zoo import RECIPE, SCHEME, Entry
from latentia.pages import provenance
from latentia.pages.card import Subject, copying, escaped, learnt, loading, not_for
from latentia.plots.page import format_number

UNSAID = ("the licence of the data is not known", "data's licence")


@dataclass(frozen=True)
class Facts:
    """What a card tells beside what the model, its data and its run do."""

    name: str
    command: str
    """What prints the figures."""
    entry: Entry
    figures: Mapping[str, float]
    loss: str
    """What keeping the weights in 16 bits changes."""
    answers: tuple[tuple[str, str], ...]
    """Commands, and what they print."""
    note: str
    """What its pictures look like."""


def zoo_card(model: Any, data: Dataset, run: Path, facts: Facts) -> str:
    """Return the card as Markdown."""
    address, entry = SCHEME + facts.name, facts.entry
    subject = Subject(model, address, data, run)
    sentence = copying(subject)
    about = [escaped(line) for line in learnt(subject)]
    if not data.licence:
        # What is known of the licence, the maintainer tells.
        about = [line for line in about if not line.lower().startswith(UNSAID)]
    if entry.licence != data.licence or not entry.licence:
        about += [f"Licence of {escaped(entry.data)}: {escaped(entry.licence) or 'not known'}"]
    parts = [
        f"# {address}: {escaped(provenance.name_of(model)['en'])}",
        escaped(" ".join([entry.summary, reference_of(model) or ""])),
        "\n".join(loading(subject)),
        f"`latentia export {address} --out page.html` writes a page that runs it.",
        "## What it learnt from",
        "\n".join(f"- {line}" for line in about),
        "## Figures",
        *_figures(facts),
        *(["## Copies of training data", escaped(sentence)] if sentence else []),
        *(["## What it looks like", escaped(facts.note)] if facts.note else []),
        "## How it was trained",
        "\n".join(f"- {line}" for line in _training(address, facts)),
        "## What it is not for",
        "\n".join(f"- {line}" for line in not_for(model)),
        f"Written by Latentia {__version__}.",
    ]
    return "\n\n".join(parts) + "\n"


def _figures(facts: Facts) -> Iterator[str]:
    """Yield the table of the figures, the command that prints them, and longer answers."""
    lines = ["| figure | value | standard error | better | meaning |", "|---|---|---|---|---|"]
    for key, value in facts.figures.items():
        if known := DEFINITIONS.get(key):
            error = value.standard_error if isinstance(value, Estimate) else float("nan")
            shown = "" if error != error else format_number(error)
            number = f"{format_number(value)} {known.unit}".strip()
            cells = (known.label, number, shown, known.better, known.meaning)
            lines.append("| " + " | ".join(map(escaped, cells)) + " |")
    yield "\n".join(lines)
    yield "Of the test part of the data, as this prints them:"
    yield f"```\n{facts.command}\n```"
    for command, printed in facts.answers:
        yield f"```\n$ {command}\n{printed}\n```"


def _training(address: str, facts: Facts) -> Iterator[str]:
    """Yield how the model was trained, and how far another training of it may be from it."""
    entry = facts.entry
    yield f"recipe: [{RECIPE}]({RECIPE}); `latentia reproduce {address}` trains it again"
    yield f"seed: {'none' if entry.seed is None else entry.seed}"
    most = "" if entry.cpu_measured else "at most "
    yield f"CPU time: {most}{entry.cpu_minutes:.3g} minutes"
    told = {k: v for k, v in entry.machine.items() if k != "instructions"}
    yield "machine: " + escaped(", ".join(f"{key} {value}" for key, value in told.items()))
    yield f"SHA-256 of the weights as trained: `{entry.trained_sha256}`"
    yield facts.loss
    bounds = [
        f"{DEFINITIONS[key].label} ± {format_number(value)}" for key, value in entry.bounds.items()
    ]
    if bounds:
        yield (
            "A training on the same kind of machine gives the same bytes; on another, figures "
            f"within these bounds: {escaped(', '.join(bounds))}"
        )
