"""Who is let in: the key, the address, the origin, and how much may be sent."""

import pytest

from latentia.studio.app import ROUTERS
from tests.studio.conftest import HOME, MOST, PORT, TOKEN, finished

COOKIE = f"latentia-{PORT}"
ADDRESSES = [(r.path, m) for router in ROUTERS for r in router.routes for m in sorted(r.methods)]


@pytest.mark.parametrize(("path", "method"), ADDRESSES, ids=lambda part: part)
def test_no_address_answers_without_the_key(studio, path, method):
    answer = studio.stranger.request(method, path, headers={"origin": HOME})
    assert answer.status_code == 403
    assert "latentia studio" in answer.text
    assert TOKEN not in answer.text


def test_the_key_in_the_address_becomes_a_cookie_that_no_other_site_sends(studio):
    answer = studio.stranger.get(f"/?token={TOKEN}")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=strict", f"{COOKIE}={TOKEN}"))
    assert studio.stranger.get("/").status_code == 200


@pytest.mark.parametrize("wrong", ["", "x", TOKEN[:-1], TOKEN + "x", "é", "\\0"])
def test_a_wrong_key_opens_nothing(studio, wrong):
    assert studio.stranger.get("/", params={"token": wrong}).status_code == 403
    headers = {"cookie": f"{COOKIE}={wrong}".encode()}
    assert studio.stranger.get("/", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", f"127.0.0.1:{PORT + 1}", ""]
)
def test_another_host_is_refused_even_with_the_key(studio, host):
    assert studio.own.get("/", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_both_names_of_this_machine_are_answered(studio, host):
    headers = {"host": f"{host}:{PORT}", "cookie": f"{COOKIE}={TOKEN}"}
    assert studio.stranger.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", f"http://127.0.0.1:{PORT + 1}", "https://x"]
)
def test_a_foreign_page_changes_nothing(studio, origin):
    headers = {"cookie": f"{COOKIE}={TOKEN}"} | ({} if origin is None else {"origin": origin})
    answer = studio.stranger.post("/settings", data={"language": "ko"}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_each_answer_confines_what_it_holds(studio):
    for path in ("/", "/nowhere", "/static/studio.js", "/models/vae"):
        heads = studio.own.get(path).headers
        policy = heads["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert heads["x-content-type-options"] == "nosniff"
        assert heads["cross-origin-resource-policy"] == "same-origin"


def body(n, piece=10_000):
    """Yield a form with a file of n bytes, in pieces, and count what was taken."""
    yield b"--b\r\nContent-Disposition: form-data; name=files; filename=a.csv\r\n\r\n"
    for _ in range(n // piece):
        body.taken += piece
        yield b"1" * piece
    yield b"\r\n--b--\r\n"


def sent(studio, n, **headers):
    body.taken = 0
    kind = {"content-type": "multipart/form-data; boundary=b"}
    return studio.own.post("/data/upload", content=body(n), headers=kind | headers)


def test_an_upload_is_refused_at_the_limit(studio):
    answer = sent(studio, MOST * 20)
    assert answer.status_code == 413
    assert "larger than" in answer.text
    assert list(studio.folder.uploads.iterdir()) == []
    assert sent(studio, MOST // 2).status_code == 303


def test_an_upload_that_says_it_is_too_large_is_not_read(studio):
    seen = []

    async def receive():
        seen.append(1)
        return {"type": "http.request", "body": b"x" * 1000, "more_body": True}

    heads = {"host": f"127.0.0.1:{PORT}", "origin": HOME, "cookie": f"{COOKIE}={TOKEN}"}
    heads |= {"content-length": str(10**9), "content-type": "multipart/form-data; boundary=b"}
    answers = []

    async def send(message):
        answers.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/data/upload", "raw_path": b"/data/upload",
        "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
        "headers": [(k.encode(), v.encode()) for k, v in heads.items()],
    }  # fmt: skip
    finished(studio.app(scope, receive, send))
    assert answers[0]["status"] == 413
    assert seen == []


def test_a_form_without_files_is_small(studio):
    answer = studio.own.post("/settings", data={"language": "ko" * 10**6})
    assert answer.status_code == 413
