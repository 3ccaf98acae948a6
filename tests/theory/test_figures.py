"""The lectures' figures: their records, their words in two languages, and that they draw."""

import ast
import io
import json
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

import latentia.theory.figures as figures
from latentia.cli.main import main
from latentia.errors import FitWarning, InputError
from latentia.plots.sentences import LANGUAGES
from latentia.plots.style import png_bytes
from latentia.theory.figures import pictures
from tests import outlines
from tests.plots.test_every_figure import FIGURES

FOLDER = Path(figures.__file__).parent
RECORDS = figures.records()
QUICK = (
    "parameters-counted",
    "em-steps",
    "em-lower-bound",
    "em-starts",
    "value-function",
    "two-losses-of-the-generator",
    "divergence-terms",
    "moving-earth",
    "lipschitz-cone",
    "padding-table",
    "fractional-convolution",
)
"""Figures that take less than a twentieth of a second to draw."""
LIGHT = (
    "factor-diagram",
    "tensor",
    "shared-weights",
    "learnt-filters",
    "filters-by-hand",
    "pooling-table",
    "samples-of-a-vae",
    "generative-or-discriminative",
    "learning-by-hand",
    "posterior-and-q",
    "components-of-a-vae",
    "dice",
    "densities",
    "picture-as-a-point",
)
"""Figures that are made as fast, but whose letters take longer to set."""
ONLY_TRAINED = (
    "add-a-hat",
    "attribute-vector",
    "back-through-time",
    "bce-against-rmse",
    "bottleneck",
    "bounds-of-a-linear-vae",
    "codes-as-ellipses",
    "collapse-on-digits",
    "compression",
    "covariance-structure",
    "critic-instead-of-discriminator",
    "dcgan-digits",
    "dcgan-rules",
    "deep-clustering",
    "denoising",
    "denoising-targets",
    "draws-of-one-digit",
    "earlier-letters",
    "edges-to-clothes",
    "em-and-faster",
    "expectation-as-balance",
    "factors-of-digits",
    "four-answers",
    "frozen-discriminator",
    "gan-losses",
    "gradient-penalty",
    "hidden-state",
    "integrating-factors-out",
    "interpolation-in-z",
    "latent-plane",
    "layers-of-a-cnn",
    "layers-of-a-generator",
    "lstm-gates",
    "manifold",
    "manifold-of-digits",
    "map-of-models",
    "mode-collapse",
    "nearest-training-images",
    "noise-to-zero",
    "number-of-factors",
    "parallel-lines",
    "parts-of-a-digit",
    "pca-against-autoencoder",
    "pca-by-autoencoder",
    "police-and-counterfeiter",
    "random-codes",
    "reparametrisation",
    "six-generators",
    "sizes-of-maps",
    "straight-and-bent",
    "super-resolution",
    "tanh-or-relu",
    "test-of-fit",
    "top-of-the-curve",
    "vae-curves",
    "value-by-monte-carlo",
    "weight-clipping",
    "weight-of-kl",
    "wiring-of-a-gan",
)
"""Figures that take about a second once nothing is trained for them."""
OF_LAWS = (
    "gan-game",
    "jsd-derivation",
    "jsd-line-by-line",
    "kl-asymmetry",
    "monte-carlo",
    "pca-against-factors",
    "taking-turns",
)
"""Figures that train none of the library's nets, and are drawn in ``test_figure_laws.py``."""
OF_WORSE_THAN_MEANS = ("constraints", "two-sequences")
"""Figures of reconstructions that err, hardly trained, by more than the variance."""
OF_FACES = ("face-blending", "male-and-female", "mean-face")
"""Figures of faces that are given."""
OUTLINED = (*QUICK, *LIGHT, *ONLY_TRAINED, *OF_LAWS, *OF_WORSE_THAN_MEANS, "long-context")
"""Figures that the default tests draw, and whose outlines are kept."""


def functions():
    """Return every public function of the files that draw, with its file."""
    found = {}
    for path in FOLDER.glob("*.py"):
        if path.stem in ("__init__", "panels"):
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                takes = [argument.arg for argument in node.args.args]
                found |= {node.name: path.stem} if takes == ["sheet"] else {}
    return found


def test_every_record_has_its_function_and_every_function_its_record():
    assert {r.name.replace("-", "_"): r.home for r in RECORDS} == functions()
    assert len({r.name for r in RECORDS}) == len(RECORDS) == len(figures._table("captions.json"))


def test_titles_and_captions_are_in_both_languages():
    for record in RECORDS:
        for words in (record.title, record.caption):
            assert [*words] == ["en", "ko"]
            assert all(words.values())
            assert re.search("[가-힣]", words["ko"])
            assert not re.search("[가-힣]", words["en"])
    for words in ("title", "caption"):
        for lang in LANGUAGES:
            said = [getattr(record, words)[lang] for record in RECORDS]
            assert len({*said}) == len(said)


def test_rows_are_of_the_lectures_and_every_row_that_counts_is_shown():
    rows = figures.lecture_rows()
    shown = {row for record in RECORDS for row in record.rows}
    assert shown <= rows.keys()
    assert {row[:3] for row in rows} == figures.lectures().keys()
    assert len(rows) == 172
    counting = {row for row, each in rows.items() if each["priority"] in "AB"}
    elsewhere = {row: each["run"] for row, each in rows.items() if "run" in each}
    assert counting - shown == elsewhere.keys()
    root = Path(__file__).parents[2]
    assert all((root / run.removeprefix("python ")).is_file() for run in elsewhere.values())


def test_numbers_are_kept_when_words_change(monkeypatch):
    table = {"JSD {} after {} steps": "{1}번 뒤 JSD {0}", "loss": "손실"}
    monkeypatch.setattr(figures, "_table", lambda _: table)
    assert figures.in_korean("JSD 0.69 after 3 steps") == "3번 뒤 JSD 0.69"
    assert figures.in_korean("loss") == "손실"
    assert figures.in_korean("x₁ −1.5e-3") == "x₁ −1.5e-3"


def test_korean_words_take_the_numbers_of_the_english_ones():
    for english, korean in figures._table("korean.json").items():
        n = english.count("{}")
        places = sorted(re.findall(r"\{(\d*)\}", korean))
        assert places in ([""] * n, sorted(map(str, range(n)))), english


def texts_in(path):
    """Return the texts in a file's code, a 0 in the place of each value."""
    tree = ast.parse(path.read_text())
    whole = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    made = [[p.value if isinstance(p, ast.Constant) else "0" for p in n.values] for n in whole]
    plain = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)]
    return ["".join(parts) for parts in made] + [text for text in plain if isinstance(text, str)]


MADE_OF_NAMES = 96
"""Korean texts whose English is put together, as of names of columns, classes and findings."""


def test_what_is_in_korean_is_still_said_in_english():
    homes = (FOLDER, FOLDER.parent, FOLDER.parents[1] / "plots")
    texts = [text for home in homes for path in home.glob("*.py") for text in texts_in(path)]
    parts = {part.rstrip(" ") for text in texts for part in (text, *figures.CLAUSES.split(text))}
    said = parts | {figures.pattern(part)[0] for part in parts}
    left = sorted(figures._table("korean.json").keys() - said)
    assert len(left) <= MADE_OF_NAMES, left


def drawn(name, lang, data=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return figures.draw(name, lang, data)


def translated(name, data=None):
    """Return a figure in English, of whose words none stays English in Korean."""
    english = drawn(name, "en", data)
    words = [text.get_text() for text in english.figure.findobj(Text)] + [english.sheet.moved[0]]
    left = [part for each in (*words, *english.numbers) for part in figures.untranslated(each)]
    assert left == []
    assert english.numbers
    return english


def is_of_shares(drawn):
    """Return whether no share that a figure notes passes the whole, and no number is none."""
    said = " ".join(drawn.numbers)
    shares = map(float, re.findall(r"([\d.]+)%", said))
    return not re.search(r"\bnan\b", said) and all(share <= 100 for share in shares)


def held_to(english, caplog):
    """Draw a figure in Korean, too: neither is blank, nothing cut off, no letter missing."""
    pictures = [shades(english.figure)]
    figures.translate(english)
    pictures.append(shades(english.figure))
    assert all(np.ptp(each) > 200 for each in pictures)
    assert all(side.min() > 140 for p in pictures for side in (p[0], p[-1], p[:, 0], p[:, -1]))
    assert pictures[0].shape != pictures[1].shape or (pictures[0] != pictures[1]).any()
    assert re.search("[가-힣]", "".join(t.get_text() for t in english.figure.findobj(Text)))
    assert all("%%" not in sentence for sentence in english.numbers)
    assert [each.message for each in caplog.records if "glyph" in each.message] == []
    return english


def shades(figure):
    """Return a figure's picture in grey."""
    with Image.open(io.BytesIO(png_bytes(figure))) as picture:
        return np.asarray(picture.convert("L")).astype(int)


@pytest.fixture
def hardly_trained():
    """Let every model learn from a few rows in one pass: what is drawn is as good as chance."""
    with outlines.hardly_trained():
        yield


def as_kept(name, data=None):
    """Draw a figure, in which everything is and looks as in the outline that was looked at."""
    english = translated(name, data)
    outlines.hold(name, english.figure, english.sheet)
    return english


def test_every_figure_that_is_drawn_has_its_outline():
    named = {*OUTLINED, *OF_FACES, *(function.__name__ for function in FIGURES)}
    assert outlines.kept().keys() == named


@pytest.mark.parametrize("name", QUICK)
def test_a_quick_figure_draws_in_both_languages(name, caplog):
    assert is_of_shares(held_to(as_kept(name), caplog))


@pytest.mark.parametrize("name", LIGHT)
def test_a_light_figure_has_all_its_words_in_both_languages(name, hardly_trained):
    assert is_of_shares(as_kept(name))


@pytest.mark.parametrize("name", [r.name for r in RECORDS if r.name in ONLY_TRAINED])
def test_a_figure_of_trained_models_has_all_its_words_in_both_languages(name, hardly_trained):
    assert is_of_shares(as_kept(name))


@pytest.mark.parametrize("name", OF_WORSE_THAN_MEANS)
def test_a_figure_of_what_is_lost_has_all_its_words_in_both_languages(name, hardly_trained):
    as_kept(name)


def test_four_letters_decide_no_further_than_they_reach(hardly_trained):
    *_, counted = [each for each in as_kept("long-context").numbers if "4-gram" in each]
    near, further, far = map(int, re.findall(r"(\d+)%", counted))
    assert near == 100
    assert {further, far} <= {*range(40, 61)}


def test_figures_of_faces_are_drawn_of_any_faces(hardly_trained, tmp_path):
    found = []
    for arrange in (
        lambda grey: np.stack([grey] * 3, axis=-1),
        lambda grey: np.stack([grey] * 3, axis=1),
        lambda grey: grey,
    ):
        place = outlines.faces(tmp_path, arrange)
        found.append(pictures._faces(figures.Sheet(place)))
    (first, *rest), labels = zip(*((x, marks) for x, *marks in found))
    for parts in rest:
        for part, wanted in zip(parts, first, strict=True):
            np.testing.assert_allclose(part, wanted, atol=1e-6)
    assert sorted(np.concatenate(labels[0])) == sorted(np.load(place)["female"])
    for name in OF_FACES:
        as_kept(name, place)


@pytest.mark.slow
@pytest.mark.parametrize("name", [r.name for r in RECORDS if not r.data and r.name not in QUICK])
def test_every_figure_draws_in_both_languages(name, caplog):
    held_to(translated(name), caplog)


def test_a_place_is_one_of_those_that_a_figure_moves_through():
    n = len(figures.draw("padding-table").sheet.moved[1])
    with pytest.raises(InputError, match=f"place is {n}; it must be at least 0 and at most"):
        figures.draw("padding-table", place=n)
    with pytest.raises(InputError, match="the figure em-steps has nothing that mov"):
        figures.draw("em-steps", place=1)


def test_the_command_writes_a_picture_and_says_what_it_shows(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["figure", "em-steps"]) == 0
    said = capsys.readouterr().out
    record = figures.record("em-steps")
    assert said.startswith(f"{record.title['en']} (000-13)\n{record.caption['en']}\n")
    assert "the maximum is" in said
    assert said.endswith("em-steps.png\n")
    with Image.open("em-steps.png") as picture:
        assert np.ptp(np.asarray(picture.convert("L"))) > 200
    assert main(["figure", "em-steps", "--out", "a.svg", "--lang", "ko"]) == 0
    assert record.title["ko"] in capsys.readouterr().out
    assert Path("a.svg").read_text().lstrip().startswith("<?xml")


def test_the_list_is_by_lecture_and_topic_in_either_language(monkeypatch, capsys):
    assert main(["figure", "list", "--lecture", "003"]) == 0
    said = capsys.readouterr().out
    assert figures.lectures()["003"]["en"] in said
    assert "top-of-the-curve" in said
    assert "em-steps" not in said
    monkeypatch.setenv("LATENTIA_LANG", "ko")
    assert main(["figure", "list", "--topic", "인자분석"]) == 0
    said = capsys.readouterr().out
    assert figures.record("em-steps").title["ko"] not in said
    assert figures.record("factor-diagram").title["ko"] in said
    assert main(["figure", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in listed] == [record.name for record in RECORDS]
    monkeypatch.setenv("LATENTIA_LANG", "fr")
    assert main(["figure", "list"]) == 2
    assert "LATENTIA_LANG is 'fr', not en or ko" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("home", "name", "sentence"),
    [
        ("convolutions", "padding-table", "114 328 -26 470 158 / 53 266 -61 -30 344"),
        ("convolutions", "pooling-table", "max: 6 8 / 3 4"),
        ("distances", "moving-earth", "W₁ of the two distributions by their quantiles: 1.60"),
        ("factors", "parameters-counted", "307,720 covariances, 8,579 free parameters"),
    ],
)
def test_the_slides_own_numbers_come_out(home, name, sentence):
    found = drawn(name, "en")
    assert found.record.home == home
    assert any(sentence in each for each in found.numbers)


def test_figures_begin_the_laboratory_where_a_lesson_is():
    home = FOLDER.parents[1] / "pages" / "lab"
    lessons = json.loads((home / "lessons.json").read_text())
    begun = [record.lab for record in RECORDS if record.lab]
    assert len(begun) > 20
    for place in begun:
        lesson, step = map(int, re.fullmatch(r"lesson=(\d)\.(\d)", place).groups())
        assert lessons[lesson - 1]["steps"][step - 1]
