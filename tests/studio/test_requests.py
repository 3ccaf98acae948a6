"""Whatever is asked: no error of the server, nothing outside the folder, and a sentence."""

import os
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from latentia.data import names
from latentia.errors import InputError
from latentia.studio import data, exports, live
from latentia.studio.app import ROUTERS
from tests.studio.conftest import written_run

ROUTES = [(r.path, m) for router in ROUTERS for r in router.routes for m in sorted(r.methods)]
TRICKS = [
    "..", "../..", "../../etc/passwd", "%2e%2e%2f", "..%2f..%2fetc%2fpasswd", "/etc/passwd",
    "\\..\\x", "uploads/../..", "uploads/..", "uploads/.", "uploads/", "uploads", ".studio", "a/b",
    "C:\\x", "~", "", " ", ".", "NUL", "\x00", "a\x00b", "é", "가", "x" * 300, "-1", "1e999", "nan",
    "--run", "none", "vae", "vae-1", "digits", "pca-mnist", "zoo:pca-mnist", "hf://x/y",
    "curves.png", "recipe.toml", "epoch_0001.png", "studio.js", "{0}", "{{7*7}}", "<script>",
    "%00", "%ff", "true", "3", "28",
]  # fmt: skip
WORDS = st.one_of(st.sampled_from(TRICKS), st.text(max_size=20))
NAMES = (
    "data", "run", "run-name", "n_epochs", "n_components", "hidden", "image_size", "frame", "zoo",
    "language", "size", "back", "more_epochs", "files", "token", "variables", "n_factors",
)  # fmt: skip
FIELDS = st.sampled_from(NAMES)
FORMS = st.dictionaries(FIELDS, WORDS, max_size=5)
HEADS = st.dictionaries(
    st.sampled_from(["last-event-id", "accept-language", "content-type", "range", "cookie"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30),
    max_size=2,
)


def contents(folder):
    """Return the files below a folder, with their sizes."""
    return {p: p.stat().st_size for p in Path(folder).rglob("*") if p.is_file()}


@pytest.fixture
def world(studio, tmp_path, monkeypatch):
    """Return a studio whose commands are noted and not called, in a world that is watched."""
    written_run(studio.runs)
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    upload = studio.folder.uploads / "mine"
    upload.mkdir()
    (upload / "rows.csv").write_text("a,b\n1,2\n")

    def called(*words):
        places = [w for w in words if os.sep in w]
        inside = all(Path(w).resolve().is_relative_to(studio.runs.resolve()) for w in places)
        known = words[0] in ("data", "export") and (inside or words[2] in names())
        assert known, words
        raise InputError("not called here")

    for module in (data, exports, live):
        monkeypatch.setattr(module, "called", called)
    return studio, tmp_path


def ask(studio, route, words, query, form, heads, raw):
    path, method = route
    for name, word in zip(("{command}", "{name}", "{what}", "{file}"), words, strict=True):
        path = path.replace(name, quote(word, safe="/%\\"))
    heads = {k: v.encode("latin-1") for k, v in heads.items()}
    more = {"content": raw} if raw is not None else {"data": form}
    more = more if method == "POST" else {}
    for job in studio.queue.jobs():
        # The events of what waits have no end.
        studio.queue.stop(job.name)
    return studio.own.request(method, path, params=query, headers=heads, **more)


def hold(world, *asked):
    studio, tmp_path = world
    outside = {p: n for p, n in contents(tmp_path).items() if studio.runs not in p.parents}
    answer = ask(studio, *asked)
    now = {p: n for p, n in contents(tmp_path).items() if studio.runs not in p.parents}
    assert now == outside
    assert answer.status_code < 500
    assert "Traceback" not in answer.text
    assert "root:x:0" not in answer.text
    assert answer.headers["content-security-policy"]


REQUESTS = given(
    route=st.sampled_from(ROUTES),
    words=st.lists(WORDS, min_size=4, max_size=4),
    query=FORMS,
    form=FORMS,
    heads=HEADS,
    raw=st.one_of(st.none(), st.binary(max_size=60)),
)
CALM = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=12, deadline=None, suppress_health_check=CALM)
@REQUESTS
def test_any_request_is_answered_in_a_sentence(world, route, words, query, form, heads, raw):
    hold(world, route, words, query, form, heads, raw)


@pytest.mark.slow
@settings(max_examples=2000, deadline=None, suppress_health_check=CALM)
@REQUESTS
def test_any_of_2000_requests_is_answered_in_a_sentence(
    world, route, words, query, form, heads, raw
):
    hold(world, route, words, query, form, heads, raw)


USUAL = [
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "uploads/../..",
    "\x00",
    "",
    "vae-1",
    "<script>",
]


@pytest.mark.parametrize(
    "trick",
    [pytest.param(t, marks=[] if t in USUAL else pytest.mark.slow) for t in TRICKS],
)
def test_each_trick_as_each_part_of_an_address(world, trick):
    for route in ROUTES:
        hold(world, route, [trick] * 4, {"data": trick, "run": trick}, {"data": trick}, {}, None)


@pytest.mark.parametrize(
    "name",
    [
        "../../x.csv",
        "/etc/x.csv",
        "..\\..\\x.csv",
        "a/../../x.csv",
        "....//x.csv",
        "~/x.csv",
        "x\x00.csv",
    ],
)
def test_an_uploaded_file_lands_in_its_own_folder(world, name):
    studio, tmp_path = world
    before = contents(tmp_path)
    answer = studio.own.post("/data/upload", files={"files": (name, b"a,b\n1,2\n")})
    assert answer.status_code in (303, 400)
    new = contents(tmp_path).keys() - before.keys()
    assert all(studio.folder.uploads in path.parents for path in new)
    assert len(new) == (answer.status_code == 303)


def test_a_link_in_the_folder_of_uploads_leads_nowhere(world):
    studio, tmp_path = world
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "secret.csv").write_text("a\n1\n")
    (studio.folder.uploads / "link").symlink_to(tmp_path / "other")
    assert studio.own.get("/data/show?data=uploads/link").status_code == 400


def test_nothing_half_sent_is_left(world, monkeypatch):
    studio, _ = world
    monkeypatch.setattr(
        data.shutil,
        "copyfileobj",
        lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")),
    )
    before = list(studio.folder.uploads.iterdir())
    answer = studio.own.post("/data/upload", files={"files": ("x.csv", b"a\n1\n")})
    assert answer.status_code == 400
    assert "No space left" in answer.text
    assert list(studio.folder.uploads.iterdir()) == before
