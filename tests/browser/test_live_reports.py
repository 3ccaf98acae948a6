"""Reports with models that run in them, though the reports themselves have no script."""

import re

import numpy as np
import pytest

from latentia import PCA, InputError, compare, load, load_data
from latentia.cli import main
from latentia.pages import live
from tests.browser.test_play import eventually

POLICY = re.compile(r'http-equiv="Content-Security-Policy" content="([^"]*)"')


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A comparison of two models that a page can run."""
    out = tmp_path_factory.mktemp("compared") / "c"
    return compare(
        "digits", ("PCA", "LinearAutoencoder"), out, n_epochs=1, live=True, progress=False
    )


def framed(page, place):
    """Open the model in a section, and return its frame."""
    section = page.locator("section.model").nth(place)
    section.locator("details.live > summary").click()
    frame = section.locator("iframe").element_handle().content_frame()
    eventually(page, lambda: frame.evaluate("!!window.live && !!live.state.made"))
    return section, frame


def test_each_model_runs_in_its_section(report, opened):
    page = opened(report, 1400)
    folder = report.parent
    for place, name in enumerate(("PCA", "LinearAutoencoder")):
        section, frame = framed(page, place)
        assert section.get_attribute("data-name") == name
        slider = frame.locator("#sliders input").first
        slider.evaluate("e => { e.value = e.max; e.dispatchEvent(new Event('input')) }")
        frame.evaluate(
            "() => new Promise(f => requestAnimationFrame(() => requestAnimationFrame(f)))"
        )
        z, made = frame.evaluate("[[...live.state.z], [...live.state.made]]")
        assert np.allclose(made, load(folder / name).inverse_transform([z]).ravel(), atol=2e-3)
        frame.wait_for_timeout(250)
        assert frame.evaluate("location.href") == "about:srcdoc"


def test_models_open_when_they_are_asked_for(report, opened):
    page = opened(report, 1400)
    page.wait_for_timeout(500)
    frames = [frame for frame in page.frames if frame != page.main_frame]
    assert [frame.evaluate("!!state.model") for frame in frames] == [False, False]
    framed(page, 1)
    assert [frame.evaluate("!!state.model") for frame in frames] == [False, True]


def test_the_report_s_policy_lets_that_one_script_run_and_nothing_else(report, opened):
    text = report.read_text()
    policy = POLICY.search(text)[1]
    hashes = re.findall(r"'sha256-[^']+'", policy)
    assert policy == (
        "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; "
        f"script-src {hashes[0]} 'wasm-unsafe-eval'"
    )
    assert len(hashes) == 1
    assert "<script" not in text
    page = opened(report, 1400)
    _, frame = framed(page, 0)
    reached = "() => { try { return !!parent.document } catch (e) { return e.name } }"
    assert frame.evaluate(reached) == "SecurityError"
    assert page.get_attribute("iframe >> nth=0", "sandbox") == "allow-scripts"


def test_without_live_the_report_is_as_it_was(tmp_path):
    path = compare("digits", ("PCA",), tmp_path / "c", progress=False)
    text = path.read_text()
    assert "<iframe" not in text
    assert POLICY.search(text)[1] == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_the_command_embeds_models_and_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["compare", "--data", "digits", "--models", "pca", "--live", "--out", "c"]) == 0
    text = (tmp_path / "c/report.html").read_text()
    assert text.count("<iframe") == 1
    assert "latentia compare --data digits --models PCA --random-state 0 --live" in text


@pytest.mark.parametrize("words", [["--live"], pytest.param([], marks=pytest.mark.slow)])
def test_a_run_s_report_and_that_of_a_resumed_run(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    short = ("--n-epochs", "1", "--hidden", "8")
    assert main(["train", "autoencoder", "--data", "digits", *short, "--run", "r", *words]) == 0
    assert (tmp_path / "r/report.html").read_text().count("<iframe") == len(words)
    other = [] if words else ["--live"]
    assert main(["resume", "r", *other]) == 0
    assert (tmp_path / "r/report.html").read_text().count("<iframe") == len(other)


@pytest.mark.slow
def test_a_model_too_large_is_left_out_and_the_report_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(live, "MOST_BYTES", 50_000)
    text = compare("digits", ("PCA",), tmp_path / "c", live=True, progress=False).read_text()
    assert "<iframe" not in text
    found = re.search(
        r"the live model: left out, since its page takes (\S+) MB, and a report", text
    )
    assert 0.05 < float(found[1]) < 1.5
    assert f"latentia export {tmp_path / 'c' / 'PCA'} --out model.html" in text


def test_live_is_yes_or_no(tmp_path):
    with pytest.raises(InputError, match="live"):
        compare("digits", ("PCA",), tmp_path / "c", live="yes")


@pytest.mark.slow
def test_the_limit_is_that_of_the_page(monkeypatch):
    data, _ = load_data("digits").hold_out()
    model = PCA(n_components=2).fit(data.x_train)
    n = len(live.live_page(model, data, None).encode())
    monkeypatch.setattr(live, "MOST_BYTES", n)
    assert len(live.live_page(model, data, None).encode()) == n
    monkeypatch.setattr(live, "MOST_BYTES", n - 1)
    with pytest.raises(InputError, match="MB"):
        live.live_page(model, data, None)
