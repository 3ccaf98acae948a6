"""A trained model's page in a browser: it is the model, it keeps to itself, and hands move it."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from latentia import PCA, VAE, ConditionalGAN, DenoisingAutoencoder, load_data
from latentia.models.base import LatentModel
from latentia.pages import html
from tests.conftest import small_models

HOSTILE = "</script><img src=x onerror=alert(1)>{{7*7}}"
PICTURE = """(id) => {
    const { width, height } = $(id);
    const copy = make("canvas", { width, height });
    const context = copy.getContext("2d", { willReadFrequently: true });
    context.drawImage($(id), 0, 0);
    return [...context.getImageData(0, 0, width, height).data].filter((_, i) => i % 4 === 0) }"""
MODELS = {k: m for k, m in small_models().items() if isinstance(m, LatentModel)}
SMALL = {"n_epochs": 2, "batch_size": 64, "random_state": 0, "device": "cpu"}


@pytest.fixture(scope="module")
def digits():
    data, _ = load_data("digits").hold_out()
    return data


def fitted(model, data):
    model.fit(data.x_train[:300], data.y_train[:300])
    model.remember(data)
    return model


@pytest.fixture(scope="module")
def vae(digits, tmp_path_factory):
    model = fitted(VAE(n_components=3, hidden=(8,), **SMALL), digits)
    path = tmp_path_factory.mktemp("vae") / "vae.html"
    return model, html.write(model, path, data=digits)[0].path


@pytest.fixture(scope="module")
def cgan(digits, tmp_path_factory):
    model = fitted(ConditionalGAN(n_components=3, width=4, **SMALL), digits)
    path = tmp_path_factory.mktemp("cgan") / "cgan.html"
    return model, html.write(model, path, data=digits)[0].path


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """The page of a table whose columns, classes and name are hostile, of a hostile class."""
    draws = np.random.default_rng(0).normal(size=(60, 4)) * [1, 10, 0.1, 5] + [0, 3, -1, 7]
    y = np.arange(60) % 3
    draws[:, 0] += 4 * y
    data = replace(
        load_data("digits"), x_train=draws, y_train=y, x_test=draws, y_test=y, name=HOSTILE,
        class_names=(HOSTILE, "b", "c"), columns=(HOSTILE, "u", "v", "w"), licence="", origin="",
    )  # fmt: skip
    kind = type(f"PCA{HOSTILE}", (PCA,), {})
    model = kind(n_components=3).fit(data.x_train)
    model.remember(data)
    path = tmp_path_factory.mktemp("table") / "table.html"
    return model, html.write(model, path, data=data)[0].path


def until(page, expression):
    """Wait for an expression; the page's policy forbids Playwright's own way, which is eval."""
    for _ in range(200):
        if page.evaluate(f"Boolean({expression})"):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"in ten seconds it was never true that {expression}")


def ready(page):
    until(page, "window.live && live.state.made")
    return page


def settled(page):
    page.evaluate("() => new Promise(f => requestAnimationFrame(() => requestAnimationFrame(f)))")


def code(page):
    return np.array([page.evaluate("[...live.state.z]")])


def same_picture(page, name, image):
    # A class's own picture is drawn a moment after the large one.
    until(page, f"$('{name}').width * $('{name}').height === {image.size}")
    seen = np.array(page.evaluate(PICTURE, name)) / 255
    assert np.abs(seen - np.clip(image, 0, 1).ravel()).max() <= 1 / 255 + 5e-4


def test_the_canvas_is_what_the_model_decodes(vae, opened):
    model, path = vae
    page = ready(opened(path, 1400, fragment="#lang=en"))
    before = page.evaluate(PICTURE, "picture")
    slider = page.locator("#sliders input").first
    slider.evaluate("e => { e.value = e.max; e.dispatchEvent(new Event('input')) }")
    settled(page)
    assert page.evaluate(PICTURE, "picture") != before
    same_picture(page, "picture", model.inverse_transform(code(page)))
    found = page.evaluate("live.measured")
    assert 0 <= found["here"] <= 1e-3
    first = page.evaluate("SCENE.sliders[0]")
    assert code(page)[0, first["index"]] == pytest.approx(first["high"], abs=1e-4)


def test_dragging_the_map_moves_along_its_plane_alone(vae, opened):
    model, path = vae
    page = ready(opened(path, 1400))
    plane = page.evaluate("SCENE.plane")
    project, move = np.array(plane["project"]), np.array(plane["move"])
    before = code(page)
    box = page.locator("#map").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    settled(page)
    moved = code(page) - before
    # In the middle of the map is the mean of the codes; nothing else has changed.
    assert np.allclose((code(page) - page.evaluate("SCENE.centre")) @ project.T, 0, atol=0.02)
    assert np.allclose(moved - (moved @ project.T) @ move, 0, atol=1e-3)
    page.locator("#map").press("ArrowRight")
    settled(page)
    assert ((code(page) - before - moved) @ project.T)[0, 0] > 0
    same_picture(page, "picture", model.inverse_transform(code(page)))


def test_a_drawing_is_encoded_and_rebuilt(vae, opened):
    model, path = vae
    page = ready(opened(path, 1400, fragment="#lang=en"))
    page.locator("#pad").scroll_into_view_if_needed()
    box = page.locator("#pad").bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 30)
    page.mouse.down()
    for x, y in ((90, 40), (60, 100), (30, 120)):
        page.mouse.move(box["x"] + x, box["y"] + y)
    page.mouse.up()
    until(page, "live.state.input")
    settled(page)
    drawn = np.array([page.evaluate("[...live.state.input]")], np.float32).reshape(1, 8, 8)
    assert drawn.max() > 0.5
    same_picture(page, "read", drawn)
    assert np.allclose(code(page), model.transform(drawn), atol=5e-3)
    same_picture(page, "rebuilt", model.reconstruct(drawn))
    # The box of what is drawn is that of the data: all eight pixels.
    ink = np.argwhere(drawn[0] > 0.2)
    assert max(np.ptp(ink, axis=0)) + 1 >= 7
    assert "nearest codes" in page.locator("#heard").inner_text()
    page.locator('[data-language="ko"]').click()
    assert "부호화했습니다" in page.locator("#heard").inner_text()


def test_a_file_s_picture_is_cut_inverted_and_read(vae, opened, tmp_path):
    from PIL import Image

    model, path = vae
    page = ready(opened(path, 1400, fragment="#lang=en"))
    # Ink on paper, off the middle: what the data have is light on dark, and as large as the image.
    paper = np.full((80, 120), 250, np.uint8)
    paper[20:50, 50:56] = 10
    Image.fromarray(paper).save(tmp_path / "note.png")
    page.set_input_files("#file", tmp_path / "note.png")
    until(page, "live.state.input")
    settled(page)
    read = np.array([page.evaluate("[...live.state.input]")], np.float32).reshape(1, 8, 8)
    ink = np.argwhere(read[0] > 0.4)
    assert np.ptp(ink[:, 0]) >= 6
    assert np.ptp(ink[:, 1]) <= 2
    assert abs(ink[:, 1].mean() - 3.5) <= 1
    assert np.allclose(code(page), model.transform(read), atol=5e-3)
    assert "inverted" in page.locator("#heard").inner_text()
    (tmp_path / "no.png").write_text("no picture")
    page.set_input_files("#file", tmp_path / "no.png")
    until(page, "$('heard').textContent.includes('no.png could not be read')")


def test_a_test_image_is_read_as_it_is(vae, digits, opened):
    model, path = vae
    page = ready(opened(path, 1400))
    page.locator("#examples .tile").nth(1).click()
    settled(page)
    from latentia.models.inputs import spread

    image = spread(digits.x_test, 12)[1:2]
    assert np.allclose(code(page), model.transform(image), atol=1e-2)
    seen = spread(digits.x_train, page.evaluate("PAGE.images.seen.n"))
    until(page, "!document.getElementById('near').hidden")
    page.wait_for_timeout(300)
    shown = np.array(page.evaluate(PICTURE, "near-picture")) / 255
    made = model.inverse_transform(code(page))
    nearest = seen[np.square(seen - made).sum(axis=(1, 2)).argmin()]
    assert np.abs(shown - nearest.ravel()).max() < 2 / 255


def test_both_languages_name_everything(vae, opened):
    page = ready(opened(vae[1], 1400, fragment="#lang=en"))
    korean = page.locator('[data-language="ko"]')
    english = page.inner_text("main")
    assert not re.search("[가-힣]", english)
    korean.click()
    assert page.evaluate("document.documentElement.lang") == "ko"
    assert korean.get_attribute("aria-pressed") == "true"
    assert "변분 오토인코더" in page.title()
    left = page.evaluate(
        """() => [...document.querySelectorAll("[data-t], [data-a]")].filter(e =>
            !/[가-힣]/.test(e.dataset.t ? e.textContent : e.getAttribute("aria-label"))
            ).map(e => e.outerHTML)"""
    )
    assert left == []
    settled(page)
    until(page, "location.hash.includes('lang=ko')")


def test_the_address_brings_a_view_back(vae, opened):
    model, path = vae
    given = "#z=0.5,-1,0.25&a=1,1,1&b=-1,0,1&lang=ko"
    page = ready(opened(path, 1400, fragment=given))
    settled(page)
    assert np.allclose(code(page), [[0.5, -1, 0.25]])
    assert page.evaluate("live.state.pins.map(p => [...p])") == [[1, 1, 1], [-1, 0, 1]]
    assert page.evaluate("document.documentElement.lang") == "ko"
    same_picture(page, "picture", model.inverse_transform([[0.5, -1, 0.25]]))
    page.wait_for_timeout(300)
    assert page.evaluate("location.hash") == given
    page.evaluate("location.hash = '#z=1,2&lang=en'")
    until(page, "document.documentElement.lang === 'en'")
    # An address that is none of this model's changes nothing.
    assert np.allclose(code(page), [[0.5, -1, 0.25]])


def test_a_phone_keeps_the_picture_in_sight(vae, opened):
    page = ready(opened(vae[1], 375))
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    page.locator("#attributes input").last.scroll_into_view_if_needed()
    settled(page)
    box = page.locator("#picture").bounding_box()
    assert box["y"] >= 0
    assert box["width"] >= 100


def test_the_dark_reaches_the_map(vae, opened):
    corner = "$('map').getContext('2d').getImageData(1, 1, 1, 1).data[0]"
    light, dark = (
        ready(opened(vae[1], 1400, dark=dark)).evaluate(corner) for dark in (False, True)
    )
    assert light > 200 > 60 > dark


def test_everything_is_within_reach_of_the_keys(vae, opened):
    page = ready(opened(vae[1], 1400))
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, input, canvas[tabindex]")].filter(e =>
            e.offsetParent && (e.tabIndex < 0
            || !(e.textContent.trim() || e.getAttribute("aria-label")
                || e.getAttribute("aria-labelledby")
                || [...(e.labels || [])].some(label => label.control === e)))
            ).map(e => e.outerHTML)"""
    )
    assert unnamed == []
    pad = page.locator("#pad")
    pad.press("Space")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown"):
        pad.press(key)
    until(page, "live.state.input")


def test_a_class_is_chosen_and_the_judge_speaks(cgan, opened):
    model, path = cgan
    page = ready(opened(path, 1400, fragment="#lang=en"))
    page.locator("#given .btn").nth(7).click()
    settled(page)
    same_picture(page, "picture", model.inverse_transform(code(page), y=[7]))
    # Each class shows what the same z makes in it.
    for i in range(10):
        same_picture(page, f"class-{i}", model.inverse_transform(code(page), y=[i]))
    told = page.locator("#opinion output").inner_text()
    judge = {f.name: f for f in model.exported()}["critic"].verb
    image = model.inverse_transform(code(page), y=[7]).astype(np.float32)
    verdict = judge(image, np.eye(10, dtype=np.float32)[[7]])[0, 0]
    assert abs(float(told.removesuffix(" %")) - 100 * verdict) <= 1
    assert page.locator("#reals figure").count() == 12
    # Sliders are directions of length 1, as nothing fixes coordinates.
    axis = np.array(page.evaluate("SCENE.sliders[0].axis"))
    before = code(page)
    page.locator("#sliders input").first.press("ArrowRight")
    settled(page)
    moved = (code(page) - before)[0]
    assert np.allclose(moved, (moved @ axis) * axis, atol=1e-3)
    assert moved @ axis > 0


def test_hostile_names_are_only_text(table, opened):
    model, path = table
    page = ready(opened(path, 1400, fragment="#lang=en"))
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    assert page.locator("img").count() == 0
    assert HOSTILE in page.inner_text("h1")
    assert HOSTILE in page.title()
    assert page.locator(".column span").first.inner_text() == HOSTILE
    assert page.locator("#attributes .field span").first.inner_text() == HOSTILE
    shown = [float(t.replace("−", "-")) for t in page.locator(".column output").all_inner_texts()]
    wanted = model.inverse_transform(code(page))[0]
    assert np.allclose(shown, wanted, atol=0.01 * np.ptp(model.column_ranges_[:, :2], axis=1).max())
    page.locator("#values input").first.fill("word")
    page.locator("#values").evaluate("e => e.requestSubmit()")
    assert f"{HOSTILE} is no number." == page.locator("#heard").inner_text()
    row = [5, 3, -1, 7]
    for box, value in zip(page.locator("#values input").all(), row, strict=True):
        box.fill(str(value))
    page.locator("#values").evaluate("e => e.requestSubmit()")
    assert np.allclose(code(page), model.transform([row]), atol=1e-2)


def test_the_policy_allows_nothing_but_the_page_s_own_script(vae, chromium, tmp_path):
    text = vae[1].read_text()
    policy = re.search('http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none';")
    assert "unsafe-inline" not in policy.split("script-src ")[1]
    # What came in all the same is not run, nor asked for.
    foreign = "<script>window.foreign = 1</script><img src=x onerror='window.foreign = 2'>"
    broken = tmp_path / "broken.html"
    broken.write_text(text.replace("<main", foreign + "<main"))
    page, asked = chromium.new_page(), []
    page.on("requestfinished", lambda request: asked.append(request.url))
    page.goto(broken.as_uri())
    assert ready(page).evaluate("typeof window.foreign") == "undefined"
    assert [url for url in asked if not url.startswith("data:")] == [broken.as_uri()]
    page.close()


def test_blocks_of_json_hold_no_tag(table):
    pattern = '<script type="application/json" id="\\w+">(.*?)</script>'
    blocks = re.findall(pattern, table[1].read_text(), re.S)
    assert len(blocks) == 2
    for block in blocks:
        assert "<" not in block
        json.loads(block)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("kind", ["images", "table"])
def test_the_page_of_every_model_that_decodes_is_the_model(name, kind, digits, opened, tmp_path):
    model, data = MODELS[name], digits
    if kind == "table":
        if name in ("DCGAN", "ConditionalGAN", "WGAN", "WGANGP"):
            pytest.skip("learns images")
        rows = digits.x_train.reshape(-1, 64)
        rows = rows[:, np.argsort(-rows.std(axis=0))[:10]] * 10 + np.arange(10)
        names = tuple("abcdefghij")
        data = replace(digits, x_train=rows, x_test=rows[:90], y_test=digits.y_train[:90],
                       columns=names)  # fmt: skip
    y = (data.y_train[:100],) if model.takes_labels else ()
    model.fit(data.x_train[:100], *y)
    path = html.write(model, tmp_path / "page.html", data=data)[0].path
    page = ready(opened(path, 375, fragment="#lang=ko"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert page.evaluate("live.measured.here") < 2e-3
    page.locator("#again").click()
    page.locator("#sliders input").first.press("ArrowRight")
    settled(page)
    given = (np.array([page.evaluate("[...live.state.y]")]),) if model.takes_labels else ()
    labels = tuple(model.classes_[part.argmax(axis=1)] for part in given)
    wanted = model.inverse_transform(code(page).astype(np.float32), *labels)
    made = np.array(page.evaluate("[...live.state.made]")).reshape(wanted.shape)
    assert np.abs(made - wanted).max() <= 2e-3 * max(1, np.abs(wanted).max())


@pytest.mark.parametrize("noise", ["gaussian", "masking", "salt_and_pepper"])
def test_noise_is_added_to_what_a_denoising_model_reads(noise, digits, tmp_path, opened):
    """As the library adds it, at the level of the training or another; the pad stays clean."""
    options = {"architecture": "mlp", "hidden": (8,), "n_epochs": 1, "device": "cpu"}
    model = DenoisingAutoencoder(
        n_components=2, noise=noise, noise_factor=0.25, random_state=0, **options
    ).fit(digits.x_train)
    model.remember(digits)
    page = ready(opened(html.write(model, tmp_path / "page.html", data=digits)[0].path, 1300))
    page.click("#example")
    clean = digits.x_test[:1].reshape(64)

    def read(level):
        page.evaluate(f"() => {{ $('noise').value = {level}; $('noise').oninput(); }}")
        found = page.evaluate("[[...live.state.input], [...live.state.z], [...live.state.made]]")
        x, z, made = (np.array(part) for part in found)
        wanted = model.transform(x.reshape(1, 8, 8).astype(np.float32))
        assert np.allclose(z, wanted, atol=2e-3)
        assert np.allclose(made, model.inverse_transform(wanted).ravel(), atol=2e-3)
        return x - clean

    assert page.text_content("#noise-value") == "0.25"
    inside = (clean > 0.3) & (clean < 0.7)
    told, twice, none = read(0.25), read(0.5), read(0)
    assert np.abs(none).max() < 1 / 255
    if noise == "gaussian":
        # The same draw at another level, where it is not clipped.
        kept = inside & (np.abs(twice) < 0.29)
        assert np.allclose(2 * told[kept], twice[kept], atol=0.02)
        assert 0.1 < told[inside].std() < 0.5
    else:
        extremes = {"masking": [0], "salt_and_pepper": [0, 1]}[noise]
        changed = np.abs(told) > 1 / 255
        assert np.isin((clean + told)[changed], extremes).all()
        # What is spoilt at a level is so at a higher one.
        assert (np.abs(twice) > 1 / 255)[changed & inside].all()
        assert 0.05 < changed.sum() / (clean > 0.02).sum() < 0.6
