"""A model's page in a notebook's cell: its z is Python's, both ways, and it reaches nothing else."""

import base64
import json

import numpy as np
import pytest

from latentia import PCA, VAE, ConditionalGAN, InputError, load_data
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
SMALL = {"n_epochs": 1, "batch_size": 64, "random_state": 0, "device": "cpu"}


@pytest.fixture(scope="module")
def digits():
    data, _ = load_data("digits").hold_out()
    return data


@pytest.fixture(scope="module")
def vae(digits):
    return VAE(n_components=3, hidden=(8,), **SMALL).fit(digits.x_train[:200])


def in_cell(widget, opened, tmp_path):
    """Return a page with a cell that shows the widget, wired to it as a notebook does, its frame."""
    path = tmp_path / "notebook.html"
    path.write_text("<!doctype html><meta charset=utf-8><title>n</title><div id=cell></div>")
    page = opened(path, 1100)
    page.expose_function("toPython", lambda state: widget.set_state(state))
    code = base64.b64encode(widget._esm.encode()).decode()
    page.evaluate(CELL, [code, {k: widget.get_state()[k] for k in ("page", "title", "height", "z", "y")}])
    frame = page.query_selector("iframe").content_frame()
    frame.wait_for_function("window.live && live.state.made")
    page.wait_for_timeout(100)
    return page, frame


def from_python(page, widget, name):
    page.evaluate("([n, v]) => model.set(n, v)", [name, widget.get_state()[name]])
    page.wait_for_timeout(80)


def widget_of(model, *args, **kwargs):
    pytest.importorskip("anywidget", reason="needs the package anywidget")
    return model.play(*args, **kwargs)


def test_a_slider_moves_z_in_python_and_python_moves_the_page(vae, digits, opened, tmp_path):
    widget = widget_of(vae, digits, height=431)
    page, frame = in_cell(widget, opened, tmp_path)
    assert widget.height == 431
    assert page.locator("iframe").bounding_box()["height"] == 431
    assert frame.evaluate("[...live.state.z]") == pytest.approx(widget.z, abs=1e-6)
    before = list(widget.z)
    slider = frame.locator("#sliders input").first
    slider.evaluate("e => { e.value = e.max; e.dispatchEvent(new Event('input')) }")
    page.wait_for_timeout(250)
    assert widget.z != before
    assert widget.z == pytest.approx(frame.evaluate("[...live.state.z]"))
    widget.z = np.array([0.5, -1.0, 0.25])
    from_python(page, widget, "z")
    assert widget.z == [0.5, -1.0, 0.25]
    assert frame.evaluate("[...live.state.z]") == [0.5, -1.0, 0.25]
    shown = np.array(frame.evaluate("[...live.state.made]"))
    assert np.allclose(shown, vae.inverse_transform([widget.z]).ravel(), atol=1e-3)


def test_the_class_beside_z_is_python_s_too(digits, opened, tmp_path):
    model = ConditionalGAN(n_components=3, width=4, **SMALL).fit(
        digits.x_train[:100], digits.y_train[:100]
    )
    widget = widget_of(model)
    assert widget.y == [1.0, *[0.0] * 9]
    page, frame = in_cell(widget, opened, tmp_path)
    frame.locator("#given button").nth(4).click()
    page.wait_for_timeout(250)
    assert np.argmax(widget.y) == 4
    widget.y = np.eye(10)[7]
    from_python(page, widget, "y")
    assert frame.locator("#given button[aria-pressed=true]").inner_text() == "7"


def test_a_closed_cell_hears_nothing_and_a_foreign_message_moves_nothing(vae, opened, tmp_path):
    widget = widget_of(vae)
    page, frame = in_cell(widget, opened, tmp_path)
    z = list(widget.z)
    page.evaluate("window.postMessage({latentia: {z: [9, 9, 9], y: null}}, '*')")
    page.wait_for_timeout(150)
    assert widget.z == z
    for wrong in ([1, 2], ["a", 2, 3], None, [1, 2, None]):
        page.evaluate(
            "z => document.querySelector('iframe').contentWindow.postMessage({latentia: {z}}, '*')", wrong
        )
    page.wait_for_timeout(100)
    assert frame.evaluate("[...live.state.z]") == pytest.approx(z, abs=1e-6)
    page.evaluate("window.close()")
    widget.z = [1.0, 1.0, 1.0]
    from_python(page, widget, "z")
    assert frame.evaluate("[...live.state.z]") == pytest.approx(z, abs=1e-6)


def test_the_frame_has_no_way_into_the_notebook(vae, opened, tmp_path):
    page, frame = in_cell(widget_of(vae), opened, tmp_path)
    assert page.get_attribute("iframe", "sandbox") == "allow-scripts"
    reached = "() => { try { return String(parent.document.title); } catch (e) { return e.name; } }"
    assert frame.evaluate(reached) == "SecurityError"


def test_z_that_does_not_fit_is_refused(vae):
    widget = widget_of(vae)
    before = list(widget.z)
    for wrong, words in (([1, 2], "3 finite"), ("abc", "'abc'"), ([1, 2, float("nan")], "finite")):
        with pytest.raises(InputError, match=words):
            widget.z = wrong
    assert widget.z == before
    with pytest.raises(InputError, match="data is 'digits'"):
        vae.play("digits")
    with pytest.raises(InputError, match="height"):
        vae.play(height=0)


def test_without_anywidget_the_page_is_shown_and_z_says_what_is_missing(
    vae, opened, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(__import__("sys").modules, "anywidget", None)
    found = vae.play(height=500)
    assert "pip install 'latentia[notebook]'" in capsys.readouterr().err
    with pytest.raises(InputError, match=r"latentia\[notebook\]"):
        _ = found.z
    path = tmp_path / "output.html"
    path.write_text(f"<!doctype html><meta charset=utf-8><title>o</title>{found._repr_html_()}")
    page = opened(path, 900)
    frame = page.query_selector("iframe").content_frame()
    frame.wait_for_function("window.live && live.state.made")
    assert page.locator("iframe").bounding_box()["height"] == 500


def test_images_are_shown_only_of_data_with_a_licence_or_if_asked(vae, digits):
    from dataclasses import replace

    own = replace(digits, licence="", origin="")
    pages = [notebook.play(vae, d, with_images=w) for d, w in ((digits, False), (own, False), (own, True))]
    held = [json.loads(p.page.split('id="page">')[1].split("</script>")[0])["images"] for p in pages]
    assert [bool(images) for images in held] == [True, False, True]


def test_a_model_that_decodes_nothing_has_no_z(opened, tmp_path):
    model = PCA(n_components=2).fit(np.random.default_rng(0).normal(size=(30, 4)))
    assert len(widget_of(model).z) == 2
