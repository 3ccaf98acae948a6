"""Pages of translators, super-resolution, language models and factor analyses, used by hand."""

import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from latentia import (
    Bicubic,
    CycleGAN,
    FactorAnalysis,
    LSTMLanguageModel,
    Pix2Pix,
    RNNLanguageModel,
    SRResNet,
)  # fmt: skip
from latentia.data.dataset import Dataset
from latentia.models.language.base import pick
from latentia.pages import examples, html
from latentia.training.train import evaluating

HOSTILE = "</script><img src=x onerror=alert(1)>{{7*7}}"
SMALL = {"n_epochs": 1, "batch_size": 8, "random_state": 0, "device": "cpu"}
TEXT = (
    "the cat sat on the mat, and the dog ran.\nthen the cat ran, and the dog sat on the mat.\n" * 20
)
CANVAS = """(id) => { const c = document.getElementById(id), copy = c.cloneNode();
    const context = copy.getContext("2d");
    context.drawImage(c, 0, 0);
    const { data } = context.getImageData(0, 0, c.width, c.height);
    return { sides: [c.height, c.width], data: [...data] } }"""


def pictures(n, shape=(3, 16, 16), seed=0):
    """Return smooth pictures, so that bicubic interpolation and nets have something to keep."""
    draws = np.random.default_rng(seed).random((n, shape[0], shape[1] // 4, shape[2] // 4))
    return draws.repeat(4, axis=2).repeat(4, axis=3).astype(np.float32)


def data_of(x, name="things", **beside):
    given = {"y_train": None, "y_test": None, "licence": "CC0", **beside}
    return Dataset(name=name, x_train=x, x_test=x[:4], **given)


def page_of(model, data, folder, only=()):
    return model, data, html.write(model, folder / "page.html", only, data=data)[0].path


@pytest.fixture(scope="module")
def pix2pix(tmp_path_factory):
    x, y = pictures(8), pictures(8, seed=1)
    data = data_of(x, pair_train=y, pair_test=y[:4])
    return page_of(Pix2Pix(width=4, **SMALL).fit(x, y), data, tmp_path_factory.mktemp("pix2pix"))


@pytest.fixture(scope="module")
def cyclegan(tmp_path_factory):
    x, y = pictures(24, (1, 16, 16)), np.arange(24) % 2
    data = data_of(x, y_train=y, y_test=y[:4], class_names=(HOSTILE, "glad"))
    model = CycleGAN(width=2, n_blocks=1, n_halvings=1, **SMALL).fit(x, y)
    both = ("translate", "translate_back")
    return page_of(model, data, tmp_path_factory.mktemp("cyclegan"), both)


@pytest.fixture(scope="module")
def srresnet(tmp_path_factory):
    x = pictures(8, (3, 32, 32))
    model = SRResNet(scale=2, width=4, n_blocks=1, patch=16, **SMALL).fit(x)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(examples, "TILE", 16)
        return page_of(model, data_of(x), tmp_path_factory.mktemp("srresnet"))


@pytest.fixture(scope="module")
def lstm(tmp_path_factory):
    sizes = {"n_units": 12, "n_embedding": 6, "window": 16, "n_layers": 2}
    model = LSTMLanguageModel(**sizes, **SMALL | {"n_epochs": 3}).fit(TEXT)
    return page_of(model, None, tmp_path_factory.mktemp("lstm"))


@pytest.fixture(scope="module")
def factors(tmp_path_factory):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(300, 2))
    weights = np.array([[0.9, 0.8, 0.7, 0, 0, 0], [0, 0, 0, 0.9, -0.8, 0.7]])
    rows = (z @ weights + 0.4 * rng.normal(size=(300, 6))) * [1, 10, 2, 5, 1, 3] + 4
    model = FactorAnalysis(n_components=2, rotation="varimax").fit(rows)
    data = data_of(rows, columns=(HOSTILE, "b", "c", "d", "e", "f"))
    model.remember(data)
    return page_of(model, data, tmp_path_factory.mktemp("factors"))


def ready(page):
    page.wait_for_function("() => window.live")
    return page


def settled(page):
    page.evaluate("() => new Promise(f => requestAnimationFrame(() => requestAnimationFrame(f)))")


def painted(page, name):
    """Return a canvas as (C, H, W) in [0, 1]."""
    found = page.evaluate(CANVAS, name)
    pixels = np.array(found["data"], np.float32).reshape(*found["sides"], 4)[..., :3] / 255
    return np.moveaxis(pixels, -1, 0)


def same(seen, wanted, away=0.5 / 255 + 6e-4):
    wanted = np.broadcast_to(np.clip(wanted, 0, 1), seen.shape)
    assert np.abs(seen - wanted).max() <= away


def translated(page, since=None):
    """Wait for a translation, another one than ``since``, and return it with its input."""
    page.wait_for_function(
        """since => live.state.translated && live.state.translated.n !== since
            && !live.state.translating.busy()""",
        arg=since,
    )
    settled(page)
    found = page.evaluate(
        "(({ n, name, x, shape }) => ({ n, name, x: [...x], shape }))(live.state.translated)"
    )
    return found["n"], found["name"], np.array(found["x"], np.float32)


def png(image):
    """Return a (C, H, W) image in [0, 1] as a file that a page is given."""
    stream = io.BytesIO()
    Image.fromarray((np.moveaxis(image, 0, -1) * 255 + 0.5).astype(np.uint8)).save(stream, "PNG")
    return {"name": "small.png", "mimeType": "image/png", "buffer": stream.getvalue()}


def test_a_test_image_is_translated_beside_what_it_should_become(pix2pix, opened):
    model, data, path = pix2pix
    page = ready(opened(path, 1400, fragment="#lang=en"))
    n, name, x = translated(page)
    assert name == "translate"
    assert np.allclose(x.reshape(3, 16, 16), data.x_test[0], atol=1 / 255)
    same(painted(page, "translated"), model.transform(x.reshape(1, 3, 16, 16))[0])
    page.locator("#given-examples .tile").nth(2).click()
    _, _, x = translated(page, n)
    assert np.allclose(x.reshape(3, 16, 16), data.x_test[2], atol=1 / 255)
    same(painted(page, "target"), data.pair_test[2], 2 / 255)
    judge = {f.name: f for f in model.exported()}["critic"].verb
    made = model.transform(x.reshape(1, 3, 16, 16))
    share = 100 * judge(x.reshape(1, 3, 16, 16), made).mean()
    told = page.locator("#judged output").inner_text()
    assert abs(float(told.removesuffix(" %")) - share) <= 1
    page.wait_for_function("() => location.hash.includes('example=3')")


def test_a_stroke_changes_what_is_translated(pix2pix, opened):
    model, _, path = pix2pix
    page = ready(opened(path, 1400, fragment="#lang=en"))
    _n, _, before = translated(page)
    assert page.locator("#undo").is_disabled()
    pad = page.locator("#sketch")
    box = pad.bounding_box()
    page.locator("#palette .swatch").nth(1).click()
    colour = page.evaluate("PAGE.translation.palettes[0].colours[1]")
    page.locator("#pen").evaluate("e => { e.value = 20; e.dispatchEvent(new Event('input')) }")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 3 * box["width"] / 4, box["y"] + box["height"] / 2, steps=3)
    page.mouse.up()
    page.wait_for_function(
        "() => live.state.translated.strokes === 1 && !live.state.translating.busy()"
    )
    _, _, x = translated(page)
    drawn = x.reshape(3, 16, 16)
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    assert np.abs(drawn[:, 8, 8] - wanted).max() < 0.02
    assert np.allclose(drawn[:, 0], before.reshape(3, 16, 16)[:, 0], atol=1e-6)
    same(painted(page, "translated"), model.transform(x.reshape(1, 3, 16, 16))[0])
    assert not page.locator("#target-figure").is_visible()
    page.locator("#undo").click()
    page.wait_for_function(
        "() => live.state.translated.strokes === 0 && !live.state.translating.busy()"
    )
    _, _, back = translated(page)
    assert np.array_equal(back, before)
    # By key too: the space bar lowers the pen.
    pad.press("Space")
    pad.press("ArrowRight")
    page.wait_for_function("() => live.state.translated.strokes === 1")
    # An empty pad is no picture, and nothing is shown for it.
    page.locator("#blank").click()
    page.wait_for_function("() => live.state.translated === null")
    settled(page)
    assert not painted(page, "translated").any()
    assert "Nothing translated yet" in page.locator("#translate-heard").inner_text()


@pytest.fixture(scope="module")
def sketches(tmp_path_factory):
    x = (pictures(8, (1, 16, 16)) > 0.8).astype(np.float32)[:, 0]
    model = Pix2Pix(width=2, n_halvings=2, **SMALL).fit(x, 1 - x)
    model.remember(data_of(x, pair_train=1 - x, pair_test=1 - x[:4]))
    return page_of(model, None, tmp_path_factory.mktemp("sketches"))


def test_a_sketch_is_drawn_in_lines_as_sharp_as_those_that_were_learnt_from(sketches, opened):
    model, _, path = sketches
    page = ready(opened(path, 1400, fragment="#lang=en"))
    assert page.locator("#pen").input_value() == "1"
    pad = page.locator("#sketch")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.6 * box["height"], steps=7)
    page.mouse.up()
    _, _, x = translated(page)
    drawn = x.reshape(16, 16)
    assert {*np.unique(drawn)} == {0, 1}
    # Black is the ground; the line goes on without a gap, one pixel thin.
    columns = np.flatnonzero(drawn.any(axis=0))
    assert np.array_equal(columns, np.arange(columns[0], columns[-1] + 1))
    assert len(columns) > 11
    assert (drawn.sum(axis=0)[columns] <= 2).all()
    assert drawn.sum() < 1.3 * len(columns)
    same(painted(page, "translated"), model.transform(x.reshape(1, 16, 16))[0])


def test_a_photograph_keeps_its_shape_where_the_model_takes_any(pix2pix, opened):
    model, _, path = pix2pix
    page = ready(opened(path, 1400, fragment="#lang=en"))
    n, *_ = translated(page)
    page.locator("#photo").set_input_files(png(pictures(1, (3, 32, 64))[0]))
    _, _, x = translated(page, n)
    x = x.reshape(3, 16, 32)
    assert np.allclose(x, pictures(1, (3, 32, 64))[0, :, ::2, ::2], atol=0.05)
    function = model.exported()[0]
    with torch.no_grad(), evaluating(model.nets()):
        wanted = function.call(torch.from_numpy(x[None].copy()))
    same(painted(page, "translated"), wanted.numpy()[0])
    page.locator("#photo").set_input_files(
        {"name": HOSTILE, "mimeType": "image/png", "buffer": b"no picture"}
    )
    page.wait_for_function(
        "() => document.getElementById('translate-heard').textContent.includes('PNG')"
    )
    assert HOSTILE in page.locator("#translate-heard").inner_text()


@pytest.mark.slow
def test_both_ways_and_the_way_back(cyclegan, opened):
    model, data, path = cyclegan
    page = ready(opened(path, 1400, fragment="#lang=en"))
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    n, name, x = translated(page)
    assert name == "translate"
    first = data.x_test[data.y_test == 0][0]
    assert np.allclose(x.reshape(1, 16, 16), first, atol=1 / 255)
    there = model.transform(x.reshape(1, 1, 16, 16))
    same(painted(page, "translated"), there[0])
    same(painted(page, "returned"), model.inverse_transform(there)[0], 2 / 255)
    assert HOSTILE in page.locator("#way-0").inner_text()
    assert page.locator("img").count() == 0
    page.locator("#way-1").click()
    page.wait_for_function("() => live.state.translated.name === 'translate_back'")
    _, _, x = translated(page, n)
    assert np.allclose(x.reshape(1, 16, 16), data.x_test[data.y_test == 1][0], atol=1 / 255)
    same(painted(page, "translated"), model.inverse_transform(x.reshape(1, 1, 16, 16))[0])
    page.wait_for_function("() => location.hash.includes('way=1')")


def test_a_small_picture_is_enlarged_in_the_library_s_tiles(srresnet, opened):
    model, _, path = srresnet
    page = ready(opened(path, 1400, fragment="#lang=en"))
    page.wait_for_function("() => live.state.enlarging.shown.made")
    small = pictures(1, (3, 28, 40), seed=3)
    page.locator("#small").set_input_files(png(small[0]))
    page.wait_for_function(
        "() => live.state.enlarging.view.size.W === 40 && live.state.enlarging.shown.made"
    )
    settled(page)
    small = np.round(small * 255) / np.float32(255)
    assert page.evaluate("PAGE.enlarging") | {"examples": None} == {
        "scale": 2, "tile": 16, "reach": model.reach, "examples": None, "lent": False,
    }  # fmt: skip
    same(painted(page, "after"), model.transform(small, tile=16)[0])
    same(painted(page, "before"), Bicubic(scale=2).fit(small).transform(small)[0])
    assert "40 × 28 pixels became 80 × 56" in page.locator("#upscale-heard").inner_text()
    page.locator("#befores button").first.click()
    same(painted(page, "before"), small[0])
    with page.expect_download() as found:
        page.locator("#save").click()
    assert found.value.suggested_filename == "small-2x.png"
    saved = np.moveaxis(np.asarray(Image.open(found.value.path()))[..., :3], -1, 0) / 255
    same(saved, model.transform(small, tile=16)[0])


def test_the_divider_moves_by_key_and_by_hand(srresnet, opened):
    _, data, path = srresnet
    page = ready(opened(path, 1400, fragment="#lang=en&divider=0.3"))
    divider = page.locator("#divider")
    assert divider.get_attribute("aria-valuenow") == "30"
    clip = "getComputedStyle(document.getElementById('after')).clipPath"
    assert "30%" in page.evaluate(clip)
    divider.press("ArrowRight")
    divider.press("PageUp")
    assert divider.get_attribute("aria-valuenow") == "42"
    assert "42%" in page.evaluate(clip)
    divider.press("End")
    assert divider.get_attribute("aria-valuenow") == "100"
    box = page.locator("#stage").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 20)
    page.mouse.up()
    assert divider.get_attribute("aria-valuenow") == "25"
    page.wait_for_function("() => location.hash.includes('divider=0.25')")
    # Of test images the sharp ones are known.
    page.wait_for_function("() => live.state.enlarging.shown.made")
    page.locator("#befores button").last.click()
    same(painted(page, "before"), data.x_test[0], 2 / 255)


def test_what_is_cancelled_stays_bicubic(srresnet, opened):
    _, _, path = srresnet
    page = ready(opened(path, 1400, fragment="#lang=en"))
    page.wait_for_function("() => live.state.enlarging.shown.made")
    page.evaluate("() => { runAside = () => new Promise(() => {}) }")
    small = pictures(1, (3, 28, 40), seed=3)
    page.locator("#small").set_input_files(png(small[0]))
    page.locator("#stop").click()
    assert "Cancelled" in page.locator("#upscale-heard").inner_text()
    assert not page.locator("#progress").is_visible()
    same(painted(page, "after"), painted(page, "before"))


def uniforms(seed, n):
    """Return mulberry32's numbers, by hand in whole numbers."""
    found, a, whole = [], seed, 2**32
    for _ in range(n):
        a = (a + 0x6D2B79F5) % whole
        t = (a ^ (a >> 15)) * (a | 1) % whole
        t ^= (t + (t ^ (t >> 7)) * (t | 61)) % whole
        found.append((t ^ (t >> 14)) % whole / whole)
    return found


class Given:
    """Random numbers that are given, as `pick` draws them."""

    def __init__(self, values):
        self.values = iter(values)

    def random_sample(self, shape):
        return np.full(shape, next(self.values))


def written(model, prompt, n, temperature, seed):
    """Return the text that the library writes with given numbers, symbol by symbol."""
    draw, ids = Given(uniforms(seed, n)), list(model.encode(prompt))
    log_p, state = model.begin(1)
    for i in ids:
        log_p, state = model.advance(state, np.array([i]))
    for _ in range(n):
        ids.append(int(pick(log_p, temperature, draw)[0]))
        log_p, state = model.advance(state, np.array(ids[-1:]))
    return model.decode(ids)


@pytest.mark.parametrize(
    ("temperature", "seed"),
    [
        pytest.param(0, 0, marks=pytest.mark.slow),
        pytest.param(1, 5, marks=pytest.mark.slow),
        (0.5, 2**32 - 1),
    ],
)
def test_the_page_writes_what_the_library_writes(lstm, opened, temperature, seed):
    model, _, path = lstm
    fragment = f"#lang=en&text=the cat&temperature={temperature}&seed={seed}"
    page = ready(opened(path, 1400, fragment=fragment))
    for _ in range(24):
        page.locator("#one").click()
    assert page.locator("#text").input_value() == written(model, "the cat", 24, temperature, seed)


def test_bars_and_nats_are_the_model_s(lstm, opened):
    model, _, path = lstm
    page = ready(opened(path, 1400, fragment="#lang=en"))
    box, text = page.locator("#text"), "the dog sat on the cat"
    box.fill(text)
    log_p, state = model.begin(1)
    for i in model.encode(text):
        log_p, state = model.advance(state, np.array([i]))
    order = np.argsort(-log_p[0], kind="stable")[:8]
    keys = page.locator("#next .key").all_inner_texts()
    assert keys == [{" ": "␣", "\n": "↵"}.get(s, s) for s in np.array(model.symbols_)[order]]
    shares = [float(t.removesuffix(" %")) for t in page.locator("#next output").all_inner_texts()]
    assert np.allclose(shares, 100 * np.exp(log_p[0, order]), atol=0.6)
    nats = float(re.search(r"costs ([\d.]+) nats", page.locator("#told").inner_text())[1])
    assert nats == pytest.approx(-model.score(text), abs=2e-3)
    # What is changed in the middle is read anew from there, and a pressed bar adds its symbol.
    changed = "the rat" + text[7:]
    box.fill(changed)
    told = page.locator("#told").inner_text()
    assert float(re.search(r"costs ([\d.]+) nats", told)[1]) == pytest.approx(
        -model.score(changed), abs=2e-3
    )
    assert f"over {len(changed)} characters" in told
    page.locator("#next .key").nth(1).click()
    assert len(box.input_value()) == len(changed) + 1
    marks = page.locator("#surprises span")
    page.wait_for_function(
        "n => document.querySelectorAll('#surprises span').length === n", arg=len(changed) + 1
    )
    probability = float(
        re.search(r"probability ([\d.e−-]+)", marks.nth(5).get_attribute("title"))[1]
    )
    assert probability == pytest.approx(np.exp(model.score_samples(changed)[5]), rel=0.1)


def test_what_the_model_does_not_know_is_told(lstm, opened):
    model, _, path = lstm
    page = ready(opened(path, 1400, fragment="#lang=en"))
    page.locator("#text").fill("the ☃ cat")
    assert (
        f"☃, none of its {len(model.symbols_)} symbols"
        in page.locator("#language-heard").inner_text()
    )
    assert "over 8 characters" in page.locator("#told").inner_text()


def test_writing_on_goes_on_and_stops(lstm, opened):
    _, _, path = lstm
    page = ready(opened(path, 1400, fragment="#lang=en&text=the&seed=3"))
    button = page.locator("#write")
    button.click()
    page.wait_for_function("() => document.getElementById('text').value.length > 8")
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    text = page.locator("#text").input_value()
    page.wait_for_timeout(100)
    assert page.locator("#text").input_value() == text
    page.locator("#again").click()
    assert page.locator("#text").input_value() == "the"
    button.click()
    page.wait_for_function("n => document.getElementById('text').value.length >= n", arg=len(text))
    button.click()
    assert page.locator("#text").input_value().startswith(text)


def test_a_model_of_words_writes_words(tmp_path, opened):
    words = ["a", "cat", "sat", "on", "a", "mat", "and", "a", "dog", "sat", "on", "a", "cat"] * 12
    model = RNNLanguageModel(n_units=6, n_embedding=4, window=8, **SMALL).fit(words)
    path = html.write(model, tmp_path / "words.html")[0].path
    page = ready(opened(path, 1400, fragment="#lang=en&text=a cat&temperature=0"))
    page.locator("#one").click()
    wanted = model.sample(length=1, prompt=["a", "cat"], temperature=0)[0]
    assert page.locator("#text").input_value() == " ".join(wanted)
    assert "over 3 words" in page.locator("#told").inner_text()


def test_arrows_of_the_factor_that_is_moved_light_up(factors, opened):
    model, _, path = factors
    page = ready(opened(path, 1400, fragment="#lang=en"))
    page.wait_for_function("() => live.state.made")
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    assert page.locator("img").count() == 0
    assert HOSTILE[:20] in page.locator("#paths").text_content()
    parts = page.evaluate(
        "[...$('paths').querySelectorAll('[data-part]')].map(e => e.dataset.part)"
    )
    drawn = {tuple(map(int, part.split("-")[1:])) for part in parts}
    large = np.argwhere(np.abs(model.standardized_loadings_) >= 0.3)
    assert drawn == {(j, i) for i, j in large.tolist()}
    for slider in range(2):
        factor = page.evaluate(f"SCENE.sliders[{slider}].index")
        page.locator("#sliders input").nth(slider).press("ArrowRight")
        settled(page)
        lit = page.evaluate(
            "[...document.querySelectorAll('#paths .lit')].map(e => e.dataset.part)"
        )
        assert {int(part.split("-")[1]) for part in lit} == {factor}


def test_a_test_row_is_encoded(factors, opened):
    model, data, path = factors
    page = ready(opened(path, 1400, fragment="#lang=en"))
    for i in range(2):
        page.locator("#pick-row").click()
        settled(page)
        assert np.allclose(
            page.evaluate("[...live.state.z]"), model.transform(data.x_test)[i], atol=1e-3
        )


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("pix2pix", marks=pytest.mark.slow),
        pytest.param("cyclegan", marks=pytest.mark.slow),
        *("srresnet", "lstm", "factors"),
    ],
)
def test_special_pages_fit_a_phone_and_speak_korean(name, request, opened):
    _, _, path = request.getfixturevalue(name)
    page = ready(opened(path, 375, dark=True, fragment="#lang=ko"))
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    left = page.evaluate(
        """() => [...document.querySelectorAll("[data-t], [data-a]")].filter(e =>
            !/[가-힣]/.test(e.dataset.t ? e.textContent : e.getAttribute("aria-label"))
            ).map(e => e.outerHTML)"""
    )
    assert left == []
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, input, textarea, [tabindex='0']")].filter(
            e => e.offsetParent && (e.tabIndex < 0
            || !(e.textContent.trim() || e.getAttribute("aria-label")
            || e.getAttribute("aria-labelledby") || e.labels?.length))
            ).map(e => e.outerHTML)"""
    )
    assert unnamed == []
