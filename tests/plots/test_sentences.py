"""Refusals and notes in Korean: of sentences that the code has, with every value in its place."""

import argparse
import ast
import errno
import os
import re
from pathlib import Path

import pytest

import latentia
from latentia.cli.main import main
from latentia.plots.sentences import GAP, catalogue, in_language
from latentia.training.progress import tell_notes

WHOLE = catalogue()["around"] | catalogue()["sentences"]
COMPOSED = {
    "there is no command {}; choose from {}{}": ["trian"],
    "there is no data set {} and no such file or folder; known names are {}{}": [
        "train", "pca", "--data", "digitz"
    ],
}  # fmt: skip
"""Sentences that are put together of several strings, and a command that says each."""


def forms_in(path):
    """Yield the strings of a source, ``{}`` for each value."""
    yield from forms_in_tree(ast.parse(Path(path).read_text("utf-8")))


def forms_in_tree(tree):
    """Yield the strings of a part of a source, the whole ones first."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = node.values
            yield "".join(p.value if isinstance(p, ast.Constant) else "{}" for p in parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"\{[^{}]*\}|%\(\w+\)\w|%\w", "{}", node.value)


@pytest.fixture(scope="module")
def written():
    sources = [*Path(latentia.__file__).parent.rglob("*.py"), argparse.__file__]
    found = {form for path in sources for form in forms_in(path)}
    cures = ("", "; free some space, or choose another disk")
    numbers = (errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.EACCES, errno.ENOSPC)
    return found | {"{}: " + os.strerror(number) + cure for number in numbers for cure in cures}


def test_every_sentence_is_still_one_of_the_code(written):
    assert [form for form in WHOLE if form not in written and form not in COMPOSED] == []


@pytest.mark.parametrize("words", COMPOSED.values(), ids=COMPOSED)
def test_composed_sentences_are_said_in_korean(words, monkeypatch, capsys):
    monkeypatch.setenv("LATENTIA_LANG", "ko")
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "오류: " in said
    assert not re.search("there|choose|known|mean", said)
    assert "혹시 '" in said
    monkeypatch.delenv("LATENTIA_LANG")
    assert main(words) == 2
    assert capsys.readouterr().err.startswith("latentia: error: there is no")


@pytest.mark.parametrize("english", WHOLE)
def test_every_value_stands_in_its_place(english):
    korean = WHOLE[english]
    n = english.count("{}")
    assert sorted({*map(int, GAP.findall(korean))}) == [*range(1, n + 1)]
    values = [f"v{i}" for i in range(n)]
    for match in re.finditer(r"\{\}\{\}", english):
        second = english[: match.end()].count("{}") - 1
        values[second] = "; or so"
    filled = english
    for value in values:
        filled = filled.replace("{}", value, 1)
    said = GAP.sub(lambda gap: values[int(gap[1]) - 1], korean)
    assert in_language(filled, "ko") == said
    assert in_language(filled, "en") == filled


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        (
            "n_components is 0; it must be at least 1",
            "n_components 값이 0입니다. 쓸 수 있는 값: 1 이상",
        ),
        (
            "objective is 'mss'; it must be one of mse, bce; did you mean 'mse'?",
            "objective 값이 'mss'입니다. 쓸 수 있는 값: mse, bce; 혹시 'mse'입니까?",
        ),
        (
            "argument --n: 0 is not a whole number from 1 (see 'latentia --help')",
            "옵션 --n: 0은(는) 1 이상의 정수가 아닙니다 ('latentia --help'를 보세요)",
        ),
        ("nothing of the catalogue is 3", "nothing of the catalogue is 3"),
    ],
)
def test_parts_and_sentences_within_others(english, korean):
    assert in_language(english, "ko") == korean


def test_notes_follow_the_language(monkeypatch, capsys):
    note = "a.npz: 'smile' was taken for its labels."
    for language, said in (("ko", "a.npz: 'smile'을(를) 레이블로 삼았습니다."), ("en", note)):
        monkeypatch.setenv("LATENTIA_LANG", language)
        tell_notes([note], shown=True)
        assert capsys.readouterr().err == f"latentia: {said}\n"


ENGLISH_ALONE = 114
"""Refusals without Korean: of hubs, zoos, bytes and own nets, or made of others' sentences."""


def test_refusals_that_are_not_in_korean_become_no_more():
    folder, left = Path(latentia.__file__).parent, []
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            raised = node.exc if isinstance(node, ast.Raise) else None
            if isinstance(raised, ast.Call) and getattr(raised.func, "id", "") == "InputError":
                said = next(iter(forms_in_tree(raised.args[0])), None)
                left += [] if said is None or said in WHOLE else [f"{path.name}: {said}"]
    assert len(left) <= ENGLISH_ALONE, left
