"""A model's page in a notebook's cell: its z is Python's, both ways, and it reaches no more."""

import base64
import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from latentia import PCA, VAE, ConditionalGAN, InputError, Pix2Pix, load_data
from latentia.pages import notebook

CELL = """async ([code, state]) => {
  const heard = {};
  const model = {
    get: (name) => state[name],
    set(name, value) { state[name] = value; (heard["change:" + name] || []).forEach((f) => f()); },
    on(event, f) { (heard[event] = heard[event] || []).push(f); },
    off(event, f) { heard[event] = (heard[event] || []).filter((g) => g !== f); },
    save_changes: () => window.toPython({ z: state.z, y: state.y }),
  };
  window.model = model;
  const { default: { render } } = await import("data:text/javascript;base64," + code);
  window.close = render({ model, el: document.getElementById("cell") });
}"""
SHOWN = ("page", "title", "height", "z", "y")
SMALL = {"n_epochs": 1, "batch_size": 64, "random_state": 0, "device": "cpu"}


@pytest.fixture(scope="module")
def digits():
    data, _ = load_data("digits").hold_out()
    return data


@pytest.fixture(scope="module")
def vae(digits):
    return VAE(n_components=3, hidden=(8,), **SMALL).fit(digits.x_train[:200])


@pytest.fixture(scope="module")
def played(vae, digits):
    """The widget of a VAE, made once."""
    pytest.importorskip("anywidget", reason="needs the package anywidget")
    return vae.play(digits, height=431)


def in_cell(widget, opened, tmp_path):
    """Return a page with a cell that shows the widget, wired to it as a notebook does, its frame.

    The page has taken z from Python once it is returned.
    """
    path = tmp_path / "notebook.html"
    path.write_text("<!doctype html><meta charset=utf-8><title>n</title><div id=cell></div>")
    page = opened(path, 1100)
    page.expose_function("toPython", lambda state: widget.set_state(state))
    code = base64.b64encode(widget._esm.encode()).decode()
    widget.z = [0.5, -0.25, 1.5]
    state = widget.get_state()
    page.evaluate(CELL, [code, {name: state[name] for name in SHOWN}])
    frame = page.query_selector("iframe").content_frame()
    # The page's policy lets no string be evaluated, by which playwright would wait.
    eventually(page, lambda: frame.evaluate("!!window.live && live.state.z[2] === 1.5"))
    return page, frame


def from_python(page, widget, name):
    page.evaluate("([n, v]) => model.set(n, v)", [name, widget.get_state()[name]])


def eventually(page, holds):
    """Wait until something holds, while the page's messages are heard."""
    for _ in range(500):
        if holds():
            return
        page.wait_for_timeout(20)
    raise AssertionError("it did not happen in ten seconds")


def later(page, frame):
    """Let all that was sent arrive, and be drawn."""
    page.evaluate("() => new Promise(f => setTimeout(f, 30))")
    frame.evaluate("() => new Promise(f => requestAnimationFrame(() => requestAnimationFrame(f)))")
    page.wait_for_timeout(100)


def z_of(frame):
    return frame.evaluate("[...live.state.z]")


def test_a_slider_moves_z_in_python_and_python_moves_the_page(played, vae, opened, tmp_path):
    page, frame = in_cell(played, opened, tmp_path)
    assert page.locator("iframe").bounding_box()["height"] == played.height == 431
    slider = frame.locator("#sliders input").first
    slider.evaluate("e => { e.value = e.max; e.dispatchEvent(new Event('input')) }")
    eventually(page, lambda: played.z == pytest.approx(z_of(frame)))
    assert played.z != [0.5, -0.25, 1.5]
    played.z = np.array([0.5, -1.0, 0.25])
    from_python(page, played, "z")
    eventually(page, lambda: z_of(frame) == [0.5, -1.0, 0.25])
    later(page, frame)
    assert played.z == [0.5, -1.0, 0.25]
    shown = np.array(frame.evaluate("[...live.state.made]"))
    assert np.allclose(shown, vae.inverse_transform([played.z]).ravel(), atol=1e-3)


@pytest.mark.slow
def test_the_class_beside_z_is_python_s_too(digits, opened, tmp_path):
    pytest.importorskip("anywidget", reason="needs the package anywidget")
    model = ConditionalGAN(n_components=3, width=4, **SMALL).fit(
        digits.x_train[:100], digits.y_train[:100]
    )
    widget = model.play()
    assert widget.y == [1.0, *[0.0] * 9]
    page, frame = in_cell(widget, opened, tmp_path)
    frame.locator("#given button").nth(4).click()
    eventually(page, lambda: np.argmax(widget.y) == 4)
    widget.y = np.eye(10)[7]
    from_python(page, widget, "y")
    pressed = frame.locator("#given button[aria-pressed=true]")
    eventually(page, lambda: pressed.inner_text() == "7")


def test_foreign_and_malformed_messages_move_nothing(played, opened, tmp_path):
    page, frame = in_cell(played, opened, tmp_path)
    page.evaluate("window.postMessage({latentia: {z: [9, 9, 9], y: null}}, '*')")
    for wrong in ([1, 2], ["a", 2, 3], None, [1, 2, None]):
        page.evaluate("z => frames[0].postMessage({latentia: {z}}, '*')", wrong)
    later(page, frame)
    assert played.z == z_of(frame) == [0.5, -0.25, 1.5]


def test_a_closed_cell_hears_nothing(played, opened, tmp_path):
    page, frame = in_cell(played, opened, tmp_path)
    page.evaluate("window.close()")
    played.z = [1.0, 1.0, 1.0]
    from_python(page, played, "z")
    later(page, frame)
    assert z_of(frame) == [0.5, -0.25, 1.5]


def test_the_frame_has_no_way_into_the_notebook(played, opened, tmp_path):
    page, frame = in_cell(played, opened, tmp_path)
    assert page.get_attribute("iframe", "sandbox") == "allow-scripts"
    reached = "() => { try { return String(parent.document.title); } catch (e) { return e.name; } }"
    assert frame.evaluate(reached) == "SecurityError"


def test_z_that_does_not_fit_is_refused(played, vae):
    before = list(played.z)
    for wrong, words in (([1, 2], "3 finite"), ("abc", "'abc'"), ([1, 2, float("nan")], "finite")):
        with pytest.raises(InputError, match=words):
            played.z = wrong
    assert played.z == before
    with pytest.raises(InputError, match="data is 'digits'"):
        vae.play("digits")
    with pytest.raises(InputError, match="height"):
        vae.play(height=0)


def test_without_anywidget_the_page_is_shown_and_z_says_what_is_missing(
    vae, opened, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    found = vae.play(height=500)
    assert "pip install 'latentia[notebook]'" in capsys.readouterr().err
    with pytest.raises(InputError, match=r"latentia\[notebook\]"):
        _ = found.z
    path = tmp_path / "output.html"
    path.write_text(f"<!doctype html><meta charset=utf-8><title>o</title>{found._repr_html_()}")
    page = opened(path, 900)
    frame = page.query_selector("iframe").content_frame()
    eventually(page, lambda: frame.evaluate("!!window.live && !!live.state.made"))
    assert page.locator("iframe").bounding_box()["height"] == 500


@pytest.mark.parametrize(
    ("licence", "asked", "shown"),
    [("CC0", False, True), ("", False, False), ("", True, True)],
)
def test_images_are_shown_only_of_data_with_a_licence_or_if_asked(
    licence, asked, shown, digits, monkeypatch
):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    model = PCA(n_components=2).fit(digits.x_train[:100])
    found = notebook.play(model, replace(digits, licence=licence), with_images=asked)
    page = json.loads(found.page.split('id="page">')[1].split("</script>")[0])
    assert bool(page["images"]) == shown


def test_where_nothing_is_decoded_there_is_no_z(images):
    pairs = Pix2Pix(width=4, **SMALL).fit(images, 1 - images)
    assert notebook.start_of(pairs, {}) == ([], None)
