"""The studio in a browser: by clicks from an empty folder to an exported model, and what breaks."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time

import pytest

pytest.importorskip("fastapi", reason="needs the extra studio")

from tests.children import environment

pytestmark = pytest.mark.slow
SLOW = 180_000
"""Milliseconds within which a training of seconds has ended, also on a busy machine."""


class Server:
    """A studio in a process of its own, which can be killed and started anew."""

    def __init__(self, runs):
        self.runs = runs
        self.start()

    def start(self):
        words = ["studio", "--no-browser", "--port", "0", "--runs", str(self.runs)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "latentia", *words],
            stdout=subprocess.PIPE,
            env=environment(),
            start_new_session=True,
        )
        line = self.process.stdout.readline().decode()
        self.address = re.search(r"http://\S+", line)[0]

    @property
    def home(self):
        return self.address.partition("/?")[0]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = Server(tmp_path_factory.mktemp("studio") / "runs")
    yield started
    # As Ctrl-C at a terminal does, also for a page that is being made.
    os.killpg(started.process.pid, signal.SIGINT)
    assert started.process.wait(30) == 0
    started.process.stdout.close()


@pytest.fixture
def opened(chromium, server):
    """Return a function that opens the studio; nothing outside may be asked, nothing go wrong."""
    contexts, wrong = [], []

    def open_at(width=1400, locale="en-US", dark=False, path="/"):
        scheme = "dark" if dark else "light"
        size = {"width": width, "height": 900}
        context = chromium.new_context(viewport=size, locale=locale, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", note)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda asked: None if own(asked.url) else wrong.append(asked.url))
        page.on("response", lambda got: wrong.append(got.url) if got.status >= 500 else None)
        page.goto(server.address)
        page.goto(server.home + path)
        return page

    def note(message):
        # Chromium tells each refusal, and a server that is gone; what failed is told below.
        if not message.text.startswith("Failed to load resource"):
            wrong.append(message.text)

    def own(url):
        return url.startswith((server.home, "data:", "blob:"))

    yield open_at
    for context in contexts:
        context.close()
    assert wrong == []


def home(page):
    return "/".join(page.url.split("/")[:3])


def train(page, name, epochs, data="digits"):
    page.goto(f"{home(page)}/models/vae?data={data}")
    page.fill("#f-n_epochs", str(epochs))
    page.fill("#f-run-name", name)
    page.click("#train button[type=submit]")
    page.wait_for_url(f"**/runs/{name}")


def test_from_an_empty_folder_to_a_model_that_is_taken_along(opened, tmp_path):
    page = opened()
    page.get_by_text("No runs yet").wait_for()
    page.click(".rail a[href='/models/vae']")
    page.frame_locator("iframe").locator("#bench").wait_for(timeout=SLOW)
    page.fill("#f-n_epochs", "0")
    page.click("#train button[type=submit]")
    page.get_by_text("n_epochs is 0; it must be at least 1").wait_for()
    page.fill("#f-n_epochs", "3")
    page.get_by_text("latentia train vae --data digits --n-epochs 3").wait_for()
    page.click("#train button[type=submit]")
    page.locator("#watched[data-state=done]").wait_for(timeout=SLOW)
    assert page.locator("#watched svg path.l").count() >= 2
    assert page.locator("#film").evaluate("image => image.naturalWidth") > 8
    page.get_by_text("Squared error").first.wait_for()
    frame = page.frame_locator("iframe")
    frame.locator("#bench").wait_for(timeout=SLOW)
    with page.expect_download(timeout=SLOW) as kept:
        page.click("a[href$='page.html']")
    kept.value.save_as(tmp_path / "page.html")
    assert "Variational autoencoder" in (tmp_path / "page.html").read_text()
    with page.expect_download(timeout=SLOW) as kept:
        page.click("a[href$='recipe.toml']")
    assert "n_epochs = 3" in kept.value.path().read_text()


def test_what_is_killed_goes_on(opened, server):
    page = opened()
    train(page, "long", 400)
    page.locator("#watched svg").first.wait_for(timeout=SLOW)
    holder = server.runs / "long" / "holder"
    trainer = int(holder.read_text())
    server.kill()
    page.get_by_text("does not answer any more").wait_for(timeout=60_000)
    os.kill(trainer, 0)
    lines = len((server.runs / "long" / "metrics.jsonl").read_text().splitlines())
    page.context.close()
    server.start()
    page = opened(path="/runs/long")
    page.locator("#watched[data-state=running]").wait_for()
    assert int(holder.read_text()) == trainer
    end = time.monotonic() + 60
    while time.monotonic() < end:
        now = len((server.runs / "long" / "metrics.jsonl").read_text().splitlines())
        if now > lines:
            break
        time.sleep(0.2)
    assert now > lines
    page.get_by_role("button", name="Stop", exact=True).click()
    page.locator("#watched[data-state=stopped]").wait_for(timeout=SLOW)
    before = (server.runs / "long" / "metrics.jsonl").read_bytes()
    page.get_by_role("button", name="Go on", exact=True).click()
    page.locator("#watched[data-state=running]").wait_for(timeout=SLOW)
    page.locator("progress").wait_for(timeout=SLOW)
    page.get_by_role("button", name="Stop", exact=True).click()
    page.locator("#watched[data-state=stopped]").wait_for(timeout=SLOW)
    assert (server.runs / "long" / "metrics.jsonl").read_bytes().startswith(before)


PAGES = [
    "/",
    "/models/vae",
    "/models/pix2pix",
    "/data",
    "/data/show?data=digits",
    "/compare",
    "/lab",
]


@pytest.mark.parametrize(("width", "dark"), [(375, False), (375, True), (1400, True)])
@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
def test_each_page_fits_its_width_in_its_language(opened, width, dark, locale):
    page = opened(width, locale, dark)
    for path in PAGES:
        page.goto(home(page) + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate("document.documentElement.lang") == locale[:2]
        assert "{" not in page.locator("main").evaluate("main => main.innerText")


def test_one_button_changes_the_language_and_one_the_size(opened):
    page = opened(path="/models/vae")
    small = page.locator("h1").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    page.get_by_role("button", name="한국어").click()
    assert page.locator("h1").inner_text() == "변분 오토인코더(VAE)"
    page.get_by_role("button", name="크게").click()
    large = page.locator("h1").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    assert large > 1.3 * small
    assert page.evaluate("document.documentElement.scrollWidth") <= 1400


def test_by_keys_alone(opened):
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/models/vae")
    page.focus("#f-n_epochs")
    page.keyboard.type("-1")
    page.keyboard.press("Enter")
    page.locator("[aria-invalid=true]").wait_for()


def test_a_second_tab_sees_the_same_and_a_stranger_nothing(opened, server, chromium):
    page = opened()
    second = page.context.new_page()
    second.goto(server.home)
    assert second.locator("h1").inner_text() == page.locator("h1").inner_text()
    context = chromium.new_context()
    stranger = context.new_page()
    assert stranger.goto(server.home).status == 403
    context.close()


def test_a_foreign_page_neither_reads_nor_changes_anything(opened, server, tmp_path):
    page = opened()
    foreign = tmp_path / "foreign.html"
    foreign.write_text(
        f'<form method="post" action="{server.home}/settings">'
        '<input name="language" value="ko"><button>go</button></form>'
    )
    other = page.context.new_page()
    other.goto(foreign.as_uri())
    with other.expect_navigation() as left:
        other.click("button")
    assert left.value.status == 403
    assert page.reload().ok
    assert page.evaluate("document.documentElement.lang") == "en"


@pytest.fixture(scope="session")
def axe(tmp_path_factory):
    """Return the script of axe-core, which finds what keeps people out; without npm none."""
    folder, npm = tmp_path_factory.mktemp("axe"), shutil.which("npm")
    if npm is None:
        pytest.skip("needs npm, and a registry that it reaches")
    got = subprocess.run(
        [npm, "pack", "axe-core"], cwd=folder, capture_output=True, env=environment()
    )
    if got.returncode:
        pytest.skip("axe-core is not to be had here")
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        return archive.extractfile("package/axe.min.js").read().decode()


def test_nothing_keeps_people_out(server, chromium, axe):
    # The studio's own policy would not let a foreign script look.
    context = chromium.new_context(bypass_csp=True, locale="ko-KR")
    page = context.new_page()
    page.goto(server.address)
    for path in (*PAGES, "/nowhere"):
        page.goto(server.home + path)
        page.evaluate("document.querySelectorAll('iframe').forEach(frame => frame.remove())")
        page.evaluate(axe)
        found = page.evaluate("axe.run()")
        assert len(found["passes"]) > 20
        wrong = [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found["violations"]]
        assert wrong == [], path
    context.close()
