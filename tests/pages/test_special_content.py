"""What pages of translators, super-resolution and factor analyses hold."""

import base64
import io
import json
import re
from dataclasses import replace
from html import escape, unescape
from types import SimpleNamespace

import numpy as np
import pandas
import pytest
from PIL import Image

from latentia import PCA, CycleGAN, FactorAnalysis, ProbabilisticPCA, load, load_data
from latentia.data.dataset import Dataset
from latentia.errors import InputError
from latentia.evaluation.runs import data_of
from latentia.models.exported import Exported, Quantity
from latentia.models.translation.bicubic import Bicubic
from latentia.models.translation.palettes import MOST_COLOURS, drawn_in
from latentia.pages import examples, html
from latentia.pages.diagrams import diagram_of, standardized
from latentia.plots.factors import path_diagram
from latentia.plots.style import svg

HOSTILE = "</text><script>alert(1)</script>"


def data_of_images(x, **beside):
    given = {"y_train": None, "y_test": None, **beside}
    return Dataset(name="things", x_train=x, x_test=x, **given)


def pixels(sheet):
    raw = base64.b64decode(sheet["png"].split(",")[1])
    return np.asarray(Image.open(io.BytesIO(raw)))


def test_pens_have_the_colours_that_most_pixels_have():
    red, green, near = (1, 0, 0), (0, 1, 0), (0.97, 0.03, 0)
    row = [red] * 9 + [green] * 5 + [near] * 3
    images = np.tile(np.array(row, np.float32).T[None, :, None], (4, 1, 2, 1))
    found = examples.palette_of(images)
    assert found == {"ground": "#ff0000", "colours": ["#00ff00", "#ff0000"], "only": True}
    grey = np.where(np.arange(16).reshape(1, 4, 4) < 10, 1, 0).astype(np.uint8) * 255
    drawing = {"ground": "#ffffff", "colours": ["#000000", "#ffffff"], "only": True}
    assert examples.palette_of(grey) == drawing
    # A model remembers the colours of drawings for a page without them, and none of photographs.
    assert examples.palette_of(None, drawn_in(grey)) == drawing
    assert examples.palette_of(grey / 2, ["#ffffff", "#000000"]) == drawing
    assert drawn_in(images) == ["#ff0000", "#00ff00"]
    assert drawn_in(np.linspace(0, 1, 64).reshape(1, 8, 8)) == []
    # One colour alone cannot be drawn with.
    assert len(set(examples.palette_of(np.ones((2, 4, 4)))["colours"])) == 2
    assert examples.palette_of(None)["colours"] == ["#000000", "#ffffff"]
    many = np.random.default_rng(0).random((4, 3, 16, 16))
    assert len(examples.palette_of(many)["colours"]) == MOST_COLOURS


def test_examples_of_pairs_stand_beside_their_targets():
    x = np.arange(16).reshape(16, 1, 1) * np.ones((16, 4, 4)) / 255
    data = data_of_images(x, pair_train=1 - x, pair_test=1 - x)
    found = examples.translation_of(SimpleNamespace(), data, shown=True)
    given, targets = pixels(found["examples"][0]), pixels(found["targets"])
    assert found["examples"][1] is None
    # The last place of three by three is empty.
    sums = given.astype(int) + targets
    assert np.allclose(sums[:8], 255, atol=1)
    assert np.allclose(sums[8:, :8], 255, atol=1)
    assert found["examples"][0]["n"] == found["targets"]["n"] == examples.MOST_EXAMPLES
    assert examples.n_held(found) == 2 * examples.MOST_EXAMPLES
    hidden = examples.translation_of(SimpleNamespace(), data, shown=False)
    assert (hidden["examples"], hidden["targets"]) == ([None, None], None)
    assert examples.n_held(hidden) == 0
    # The colours tell nothing of any one image.
    assert hidden["palettes"] == found["palettes"]


def test_each_domain_has_its_own_examples_and_name():
    x, y = np.repeat([0.0, 1.0], 6)[:, None, None] * np.ones((12, 4, 4)), np.repeat([0, 1], 6)
    data = data_of_images(x, y_train=y, y_test=y, class_names=("dark", "bright"))
    found = examples.translation_of(SimpleNamespace(), data, shown=True)
    assert [pixels(sheet).max() for sheet in found["examples"]] == [0, 255]
    assert found["domains"] == ["dark", "bright"]
    assert [p["ground"] for p in found["palettes"]] == ["#000000", "#ffffff"]


def test_a_page_without_data_begins_with_the_pictures_beside_the_model(tmp_path):
    x, y = np.random.default_rng(0).random((8, 8, 8)), np.arange(8) % 2
    model = CycleGAN(width=4, n_blocks=1, n_epochs=1, random_state=0).fit(x, y)
    rows = np.random.default_rng(1).integers(0, 256, (2, 3, 8, 8), np.uint8)
    picture = np.concatenate([np.concatenate(list(row), axis=1) for row in rows])
    model.save(tmp_path / "model")
    functions = {f.name: f for f in model.exported()}
    bare = html.content(model, functions, None, tmp_path / "model", False)["translation"]
    assert (bare["examples"], bare["lent"]) == ([None, None], False)
    Image.fromarray(picture).save(tmp_path / "model" / "examples.png")
    lent = html.content(model, functions, None, tmp_path / "model", False)["translation"]
    assert lent["lent"]
    for sheet, row in zip(lent["examples"], rows, strict=True):
        shown = pixels(sheet).reshape(-1, 8, sheet["columns"], 8).swapaxes(1, 2).reshape(-1, 8, 8)
        np.testing.assert_array_equal(shown[: sheet["n"]], row)


@pytest.mark.parametrize(
    "shape", [(8, 24), (16, 20), (16, 24, 3)], ids=["one row", "a part", "colours"]
)
def test_pictures_beside_a_model_are_those_it_translates(shape, tmp_path):
    x, y = np.random.default_rng(0).random((8, 8, 8)), np.arange(8) % 2
    model = CycleGAN(width=4, n_blocks=1, n_epochs=1, random_state=0).fit(x, y)
    colours = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    Image.fromarray(colours).save(tmp_path / "examples.png")
    with pytest.raises(InputError, match="give a picture of 2 rows of images of 1 × 8 × 8"):
        examples.lent(tmp_path / "examples.png", model)


def test_a_translator_of_domains_keeps_their_names_without_the_data(tmp_path):
    x, y = np.random.default_rng(0).random((8, 8, 8)), np.arange(8) % 2
    data = data_of_images(x, y_train=y, y_test=y, class_names=("dark", "bright"))
    model = CycleGAN(width=4, n_blocks=1, n_epochs=1, random_state=0).fit(x, y)
    assert examples.translation_of(model, None, shown=False)["domains"] == []
    model.remember(data)
    model.palettes_ = [["#000000", "#ffffff"], []]
    model.save(tmp_path / "model")
    found = examples.translation_of(load(tmp_path / "model"), None, shown=False)
    assert found["domains"] == ["dark", "bright"]
    assert [p["ground"] for p in found["palettes"]] == ["#000000", "#ffffff"]
    assert [p["only"] for p in found["palettes"]] == [True, False]


def test_large_images_are_fewer():
    assert len(examples.few(np.zeros((20, 3, 16, 16)))) == examples.MOST_EXAMPLES
    assert len(examples.few(np.zeros((20, 3, 128, 128)))) == examples.MOST_PIXELS // (3 * 128**2)
    assert len(examples.few(np.zeros((20, 3, 512, 512)))) == 2


def test_small_examples_are_the_middles_of_sharp_ones():
    x = np.random.default_rng(0).random((3, 3, 150, 40)).astype(np.float32)
    model = Bicubic(scale=2).fit(x)
    found = examples.enlarging_of(model, model.exported()[0], data_of_images(x), shown=True)
    assert {k: found[k] for k in ("scale", "tile", "reach")} == {
        "scale": 2, "tile": examples.TILE, "reach": model.reach,
    }  # fmt: skip
    held = found["examples"]
    assert held["sides"] == [64, 20]
    sharp = x[:1, :, 11:139]
    tops = [
        np.moveaxis(pixels(held[k])[:h, :w], -1, 0) / 255
        for k, h, w in (("sharp", 128, 40), ("small", 64, 20))
    ]
    assert np.allclose(tops[0], sharp[0], atol=1.5 / 255)
    assert np.allclose(tops[1], model.inverse_transform(sharp)[0], atol=1.5 / 255)
    assert examples.n_held(found) == 3
    # A net that takes one size is given whole tiles of it.
    function = model.exported()[0]
    fixed = Exported(
        "upscale",
        function.call,
        function.verb,
        (replace(function.inputs[0], free=0),),
        function.outputs,
    )
    held = examples.enlarging_of(model, fixed, data_of_images(x), shown=False)
    assert (held["tile"], held["reach"], held["examples"], held["lent"]) == (75, 0, None, False)


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 32, 32), (32, 32)])
def test_without_data_two_photographs_stand_in(shape):
    model = Bicubic(scale=2).fit(np.random.default_rng(0).random((2, *shape), dtype=np.float32))
    held = examples.enlarging_of(model, model.exported()[0], None, shown=False)
    assert held["lent"]
    assert held["examples"]["sides"] == [64, 64]
    small, sharp = (pixels(held["examples"][kind]) for kind in ("small", "sharp"))
    # Side by side there are two.
    sharp, small = sharp[:128, :128], small[:64, :64]
    pillow = Image.fromarray(sharp).resize((64, 64), Image.Resampling.BICUBIC)
    assert sharp.std() > 30
    assert np.abs(small.astype(int) - np.asarray(pillow)).max() <= 2


def test_layouts_that_no_photograph_has_get_none():
    assert examples.photographs_of((4, 8, 8)) is None
    assert examples.photographs_of((8, 8, 3)) is None


def test_a_judge_of_what_is_enlarged_is_left_out_unless_asked_for():
    functions = [Exported(name, None, None, (), ()) for name in ("upscale", "critic")]
    assert [f.name for f in html.shown_of(functions, ())] == ["upscale"]
    assert [f.name for f in html.shown_of(functions, ("critic",))] == ["upscale", "critic"]
    games = [Exported(name, None, None, (), ()) for name in ("generate", "critic")]
    assert html.shown_of(games, ()) == games


def test_rows_are_test_rows_without_gaps():
    x = np.array([[1.23456789, 2], [np.nan, 3], [4, 5]])
    data = data_of_images(x)
    q = Quantity("x", "row", (2,), "")
    functions = {"encode": Exported("encode", None, None, (q,), ())}
    assert examples.rows_of(data, functions, True) == [[1.2346, 2.0], [4.0, 5.0]]
    assert examples.rows_of(data, functions, False) == []
    assert examples.rows_of(data, {}, True) == []


def rows(n=500):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(n, 2))
    weights = np.array([[0.9, 0.8, 0, 0.6], [0, 0.3, 0.9, -0.6]])
    return (z @ weights + 0.3 * rng.normal(size=(n, 4))) * [1, 50, 0.1, 3] + 7


def test_loadings_of_pca_are_correlations_of_columns_and_components():
    x = rows()
    model = PCA(n_components=2).fit(x)
    wanted = np.corrcoef(x.T, model.transform(x).T)[:4, 4:]
    loadings, phi = standardized(model, data_of_images(x))
    assert np.allclose(loadings, wanted, atol=2e-3)
    assert np.allclose(phi, np.eye(2))
    kept, _ = standardized(model, None)
    assert (np.abs(kept) <= 1 + 1e-9).all()


def test_loadings_of_densities_are_their_own():
    x, rng = rows(), np.random.default_rng(1)
    one = rng.normal(size=(300, 1)) * [1, 2, -1, 0.5, 1] + 0.8 * rng.normal(size=(300, 5))
    fitted = ProbabilisticPCA(n_components=2).fit(x), FactorAnalysis(n_components=1).fit(one)
    for model in fitted:
        loadings, _ = standardized(model, None)
        deviations = np.sqrt(np.diag(model.get_covariance()))
        assert np.allclose(loadings, model.loadings_ / deviations[:, None], atol=1e-3)
    digits = load_data("digits")
    assert standardized(PCA(n_components=2).fit(digits.x_train), digits) is None
    assert diagram_of(PCA(n_components=2).fit(digits.x_train), digits) == ""


def test_a_diagram_s_arrows_say_which_factor_they_are_of():
    loadings = np.array([[0.1, 0.9], [0.8, 0.0], [-0.7, 0.4]])
    drawn = svg(path_diagram(loadings, [HOSTILE, "b", "c"], letter="z"), "a finding")
    parts = re.findall('data-part="arrow-(\\d)-(\\d)"', drawn)
    # An arrow and its number.
    assert sorted(parts) == sorted(2 * [("1", "0"), ("0", "1"), ("0", "2"), ("1", "2")])
    assert "<script" not in drawn
    assert 'id="arrow' not in drawn
    assert ">z1</text>" in drawn
    assert ">F1</text>" in svg(path_diagram(loadings, ["a", "b", "c"]), "a finding")


@pytest.mark.parametrize("names", [["age", "<tall>", "heavy", "both", "quick", "apt"], None])
def test_a_diagram_says_what_each_factor_is_strongest_in(names):
    draw = np.random.default_rng(0)
    pattern = np.array([[0.4, 2, 1, 1, 0, 0.1], [0, 0.1, 0, 1, 3, 1]])
    X = draw.normal(size=(300, 2)) @ pattern
    X += draw.normal(size=X.shape)
    model = FactorAnalysis(n_components=2, rotation="varimax")
    model.fit(X if names is None else pandas.DataFrame(X, columns=names))
    known = names or [f"x{i}" for i in range(1, 7)]
    first, second = np.abs(model.standardized_loadings_).argmax(axis=0)
    assert {first, second} == {1, 4}
    drawn = diagram_of(model, None)
    said = unescape(re.findall('aria-label="([^"]*)"', drawn)[0])
    assert said == f"z1: {known[first]}; z2: {known[second]}"
    assert {escape(name, quote=False) for name in known} < {*re.findall(">([^<>]+)</text>", drawn)}


@pytest.mark.parametrize(
    ("spec", "there"), [("pairs:reversed", True), ("pairs", True), ("gone:reversed", False)]
)
def test_what_follows_a_colon_chooses_within_what_is_there(spec, there, tmp_path, monkeypatch):
    (tmp_path / "pairs").mkdir()
    place = str(tmp_path / spec)
    config = {"data": {"spec": place}}
    monkeypatch.setattr("latentia.evaluation.runs.read_config", lambda _: config)
    asked = []

    class Model:
        def load_data(self, given, *_):
            asked.append(given)
            raise InputError("enough")

    wanted = "enough" if there else f"was trained on {place}, which is not there"
    with pytest.raises(InputError, match=re.escape(wanted)):
        data_of(tmp_path, None, Model())
    assert asked == ([place] if there else [])


def test_the_page_says_how_many_images_it_holds():
    x = np.random.default_rng(0).random((8, 3, 16, 16)).astype(np.float32)
    data = data_of_images(x, licence="CC0")
    model = Bicubic(scale=2).fit(x)
    functions = {f.name: f for f in model.exported()}
    held = html.content(model, functions, data, None, False)
    facts = {row["label"]["en"]: row["text"]["en"] for row in held["facts"]}
    assert facts["Images inside"] == "8 test images"
    assert held["lead"]["en"].startswith("Open a small picture")
    assert "2 times" in held["lead"]["en"]
    hidden = html.content(model, functions, replace(data, licence=""), None, False)
    facts = {row["label"]["en"]: row["text"]["en"] for row in hidden["facts"]}
    assert facts["Images inside"].startswith("none")
    assert json.dumps(hidden["enlarging"]["examples"]) == "null"
