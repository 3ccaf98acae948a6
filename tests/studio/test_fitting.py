"""Which models are offered for which data, and what is said of those that do not learn them."""

import html
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from latentia.data import describe
from latentia.errors import InputError
from latentia.studio.fitting import Known, known_by_names, known_of_set, known_when_read
from latentia.studio.forms import form_of
from latentia.studio.map import PLACES
from latentia.studio.settling import settled_by

DRAW = np.random.default_rng(0)
TEXTS = {"n-gram", "rnn", "lstm"}
CLASSED = {"conditional-vae", "conditional-gan", "conditional-wgan-gp"}
OF_PAIRS, OF_PHOTOGRAPHS = {"pix2pix"}, {"srresnet", "srgan", "bicubic"}
UNPAIRED = OF_PAIRS | {"cyclegan"}
ANY = {*PLACES} - TEXTS - UNPAIRED - OF_PHOTOGRAPHS
"""Models that learn from pictures, most of them also from rows."""


def pictures(folder, *names, sides=(24, 16)):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(DRAW.integers(0, 256, (*sides[::-1], 3), np.uint8)).save(path)
    return folder


def rows(file, *heads, label=""):
    lines = [",".join(map(str, DRAW.normal(size=len(heads)))) for _ in range(60)]
    ends = [f",{'ab'[i % 2]}" if label else "" for i in range(60)]
    head = ",".join((*heads, *([label] if label else [])))
    file.parent.mkdir(parents=True)
    file.write_text("\n".join([head, *(line + end for line, end in zip(lines, ends))]) + "\n")
    return file


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """Return a folder or file of each kind of data, and the models that learn from it."""
    made = tmp_path_factory.mktemp("kinds")
    plain = [f"{i}.png" for i in range(12)]
    two = [f"{kind}/{i}.png" for kind in "ab" for i in range(20)]
    three = [f"{kind}/{i}.png" for kind in "abc" for i in range(12)]
    text = made / "text" / "verse.txt"
    text.parent.mkdir()
    text.write_text("the quick brown fox jumps over the lazy dog. " * 99)
    return {
        "plain": (pictures(made / "plain", *plain), ANY - CLASSED),
        "two": (pictures(made / "two", *two), ANY | UNPAIRED),
        "three": (pictures(made / "three", *three), ANY),
        "beside": (pictures(made / "beside", *plain, sides=(64, 32)), ANY - CLASSED | OF_PAIRS),
        "large": (
            pictures(made / "large", *plain, sides=(120, 100)),
            ANY - CLASSED | OF_PHOTOGRAPHS,
        ),
        "rows": (rows(made / "rows" / "x.csv", *"abcdefg"), ANY - CLASSED - {"dcgan"}),
        "classed": (rows(made / "classed" / "x.csv", *"abcd", label="label"), ANY - {"dcgan"}),
        "text": (text, TEXTS),
    }


KINDS = ("plain", "two", "three", "beside", "large", "rows", "classed", "text")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_offered_of_data_that_were_read_is_what_learns_from_them(kinds, kind, capsys):
    from latentia.cli import main
    from latentia.studio.data import described

    place, learning = kinds[kind]
    main(["data", "describe", str(place)])
    known = known_when_read(dict(described(capsys.readouterr().out)))
    assert {each for each in PLACES if known.suits(PLACES[each])} == learning
    offered = {each.command for group in known.groups() for each in group.places}
    assert offered == learning


@pytest.mark.parametrize("kind", KINDS)
def test_each_model_that_is_not_offered_refuses_the_data_and_each_that_is_takes_them(kinds, kind):
    place, learning = kinds[kind]
    for command, model in PLACES.items():
        # Any picture has two halves, and a table is a text too.
        if (command in OF_PAIRS or command in TEXTS) and command not in learning:
            continue
        try:
            settled_by(form_of(model.name, {}), str(place), None)
            refused = ""
        except InputError as error:
            refused = str(error)
        assert bool(refused) == (command not in learning), (command, refused)


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        (("a/1.png", "a/2.JPG", "notes.txt"), "pictures"),
        (("answers.csv",), "table"),
        (("verse.md",), "text"),
        (("images.npz",), None),
        (("pets.zip",), None),
        ((), None),
    ],
)
def test_names_of_files_tell_what_an_upload_is(tmp_path, files, kind):
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert known_by_names(tmp_path) == Known(kind)


def test_named_data_tell_their_kind():
    assert known_of_set(describe("digits")) == Known("pictures", 10, (8, 8))
    assert known_of_set(describe("ring")) == Known("table", 8)
    assert known_when_read({"sample": "8 × 8", "classes": "0, 1"}) == Known("pictures", 2, (8, 8))
    matrix = {"what": "a correlation matrix of 6 variables, and no rows"}
    assert known_when_read(matrix) == Known("matrix")
    assert known_when_read(matrix).groups() == []


def test_a_model_is_not_offered_data_that_it_does_not_learn(studio):
    page = studio.own.get("/models/dcgan").text
    assert 'value="digits"' in page
    assert 'value="ring"' not in page
    asked = studio.own.get("/models/dcgan?data=ring").text
    assert 'value="ring" checked' in asked


def test_a_training_that_would_refuse_its_data_is_not_begun(studio):
    answer = studio.own.post("/models/dcgan/train", data={"data": "ring", "n_epochs": "1"})
    assert answer.status_code == 422
    said = "DCGAN learns images; the data are a table of shape (n, 2)"
    assert said in html.unescape(answer.text)
    assert studio.queue.jobs() == []


def test_settings_that_do_not_go_with_the_data_are_refused_before_training(studio):
    given = {"data": "ring", "architecture": "convolutional"}
    answer = studio.own.post("/models/vae/train", data=given)
    assert answer.status_code == 422
    assert studio.queue.jobs() == []


def test_what_a_place_needs_is_known(kinds):
    every = Known()
    assert all(every.suits(place) for place in PLACES.values())
    assert not Known("text").suits(SimpleNamespace(needs="pictures"))
