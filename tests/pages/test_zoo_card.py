"""The card of a model of the zoo: each figure, bound and command in its place."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from latentia import PCA
from latentia.data.dataset import Dataset
from latentia.metrics.definitions import DEFINITIONS
from latentia.metrics.estimates import Estimate
from latentia.models.zoo import Entry
from latentia.pages import examples, zoo_card
from latentia.pages.card import escaped
from latentia.plots.page import format_number

ENTRY = Entry(
    model="PCA", summary="the summary", data="rings", licence="CC0", seed=7, cpu_minutes=1.23456,
    cpu_measured=True, figures={}, bounds={"squared_error": 0.0123, "psnr": 0.45},
    machine={"processor": "an abacus", "threads": "3", "instructions": "many"},
    trained_sha256="f" * 64, ships=False, files={},
)  # fmt: skip
FIGURES = {"squared_error": Estimate(0.25, [0.2, 0.3, 0.25]), "psnr": 31.5, "of_no_meaning": 3.0}
FACTS = zoo_card.Facts(
    "tiny", "latentia evaluate zoo:tiny", ENTRY, FIGURES, "the loss",
    (("a command", "its <answer>"), ("another", "its own")), "a <note>",
)  # fmt: skip
DATA = Dataset("rings", np.ones((4, 5)), None, np.ones((2, 5)), None, licence="CC0")


@pytest.fixture
def card(monkeypatch):
    """Return a function that writes a card, of which the model says nothing but what is given."""
    monkeypatch.setattr(zoo_card, "copying", lambda subject: f"copies of {subject.address}")
    monkeypatch.setattr(zoo_card, "learnt", lambda subject: ["one <", "Data's licence: x", "two"])
    monkeypatch.setattr(zoo_card, "not_for", lambda model: ["e", "f"])
    monkeypatch.setattr(zoo_card, "loading", lambda subject: [f"loading {subject.name}"])
    monkeypatch.setattr(zoo_card, "reference_of", lambda model: "the reference")
    model = PCA(n_components=1).fit(np.eye(3))

    def write(data=DATA, **more):
        return zoo_card.zoo_card(model, data, Path("run"), replace(FACTS, **more))

    return write


def section(text, name):
    """Return what stands below a heading."""
    return text.partition(f"## {name}\n\n")[2].partition("\n\n## ")[0]


def test_a_card_has_each_fact_in_its_place(card):
    text = card()
    assert text.startswith("# zoo:tiny: Principal component analysis\n\nthe summary the reference")
    assert "loading zoo:tiny" in text
    assert "`latentia export zoo:tiny --out page.html` writes a page" in text
    assert section(text, "What it learnt from") == "- one &lt;\n- Data's licence: x\n- two"
    assert section(text, "Copies of training data") == "copies of zoo:tiny"
    assert section(text, "What it looks like") == "a &lt;note&gt;"
    assert section(text, "What it is not for").startswith("- e\n- f\n\nWritten by Latentia")
    told = section(text, "How it was trained")
    assert "seed: 7" in told
    assert "CPU time: 1.23 minutes" in told
    assert "machine: processor an abacus, threads 3\n" in told
    assert f"trained: `{'f' * 64}`" in told
    assert "the loss" in told
    bounds = ", ".join(
        f"{DEFINITIONS[key].label} ± {format_number(value)}" for key, value in ENTRY.bounds.items()
    )
    assert f"within these bounds: {escaped(bounds)}" in told


def test_figures_stand_with_their_errors_and_the_commands_that_print_them(card):
    told = section(card(), "Figures")
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in told.splitlines()
        if line.startswith("| ")
    ][1:]
    keys = ("squared_error", "psnr")
    assert len(rows) == len(keys)
    for key, row in zip(keys, rows, strict=True):
        known, value = DEFINITIONS[key], FIGURES[key]
        error = format_number(value.standard_error) if isinstance(value, Estimate) else ""
        number = f"{format_number(value)} {known.unit}".strip()
        wanted = [known.label, number, error, known.better, known.meaning]
        assert row == [escaped(cell).strip() for cell in wanted]
    assert "latentia evaluate zoo:tiny" in told
    for command, answer in FACTS.answers:
        assert command in told
        assert answer in told
    assert told.index("a command") < told.index("its <answer>") < told.index("another")


def test_what_is_not_known_is_not_told(card):
    assert "CPU time: at most 1.23" in card(entry=replace(ENTRY, cpu_measured=False))
    assert "seed: none" in card(entry=replace(ENTRY, seed=None))
    assert "bounds:" not in card(entry=replace(ENTRY, bounds={}))
    assert "What it looks like" not in card(note="")
    told = section(card(entry=replace(ENTRY, licence="MIT")), "What it learnt from")
    assert told.endswith("- Licence of rings: MIT")
    unlicensed = card(replace(DATA, licence=""), entry=replace(ENTRY, licence=""))
    told = section(unlicensed, "What it learnt from")
    assert told == "- one &lt;\n- two\n- Licence of rings: not known"


def test_a_table_has_no_sharp_examples():
    model = SimpleNamespace(scale=2, reach=3)
    function = SimpleNamespace(inputs=[SimpleNamespace(free=1, shape=(1, 8, 8))])
    found = examples.enlarging_of(model, function, DATA, shown=True)
    assert found == {"scale": 2, "tile": examples.TILE, "reach": 3, "examples": None, "lent": False}
