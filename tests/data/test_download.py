"""Fetching from mirrors on this machine: resumed, verified, and clear when nothing answers."""

import contextlib
import gzip
import hashlib
import http.server
import itertools
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from latentia.data.download import RemoteFile, cache_folder, fetch_all
from latentia.errors import InputError

CONTENT = b"idx" * 10_000
PACKED = gzip.compress(CONTENT)
FILE = RemoteFile("x.gz", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))


CUT = 30


class Server(http.server.ThreadingHTTPServer):
    """Serves PACKED under /good, rubbish under /bad, half of PACKED under /torn; notes ranges.

    Under /whole it knows no ranges, under /done it says that nothing is left, under /gone that
    there is no such file, and under /cut it hangs up after a few bytes.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges = []


def drip(handler, start=b"HTTP/1.1 200 OK\r\n\r\n"):
    """Send a byte at a time until the other side hangs up."""
    handler.wfile.write(start)
    while True:
        time.sleep(0.003)
        handler.wfile.write(b"x")


def endless(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        handler.wfile.write(PACKED)


BROKEN = {
    "status": lambda handler: handler.wfile.write(b"HTTP/1.1 two hundred\r\n\r\n"),
    "no-http": lambda handler: handler.wfile.write(b"\0\xff\r\n" * 9),
    "nothing": lambda handler: None,
    "length": lambda handler: handler.wfile.write(
        b"HTTP/1.1 200 OK\r\nContent-Length: -7\r\n\r\n" + PACKED[:40]
    ),
    "short": lambda handler: handler.wfile.write(
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + PACKED
    ),
    "chunks": lambda handler: handler.wfile.write(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + PACKED
    ),
    "cut-chunk": lambda handler: handler.wfile.write(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc"
    ),
    "loop": lambda handler: handler.wfile.write(
        f"HTTP/1.1 302 Found\r\nLocation: {handler.path}\r\n\r\n".encode()
    ),
    "away": lambda handler: handler.wfile.write(
        b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n"
    ),
    "twice-zipped": lambda handler: handler.wfile.write(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(PACKED)
    ),
    "endless": endless,
    "drip": drip,
    "drip-head": lambda handler: drip(handler, b"HTTP/1.1 200 OK\r\nX: "),
    "drip-status": lambda handler: drip(handler, b"HTTP/1.1 200 "),
}
"""What is wrong with the answers of a mirror."""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        kind = self.path.split("/")[1]
        if kind in BROKEN:
            self.server.ranges.append(self.headers.get("Range"))
            with contextlib.suppress(OSError):
                BROKEN[kind](self)
            self.close_connection = True
            return
        body = {"bad": b"rubbish", "torn": PACKED[: len(PACKED) // 2]}.get(kind, PACKED)
        wanted = self.headers.get("Range")
        self.server.ranges.append(wanted)
        if kind in ("done", "gone"):
            self.send_error(416 if kind == "done" else 404)
            return
        first = int(wanted.split("=")[1].rstrip("-")) if wanted and kind != "whole" else 0
        self.send_response(206 if wanted and kind != "whole" else 200)
        self.send_header("Content-Length", str(len(body) - first))
        self.end_headers()
        self.wfile.write(body[first : first + CUT if kind == "cut" else None])

    def log_message(self, *words):
        pass


@pytest.fixture
def server():
    running = Server()
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def url(server, kind):
    return f"http://127.0.0.1:{server.server_port}/{kind}"


def test_a_wrong_checksum_goes_on_to_the_next_mirror(server, tmp_path):
    fetch_all([FILE], [url(server, "bad"), url(server, "good")], tmp_path)
    assert (tmp_path / "x.gz").read_bytes() == PACKED
    assert not list(tmp_path.glob("*.part"))


def test_a_partial_file_is_continued(server, tmp_path):
    (tmp_path / "x.gz.part").write_bytes(PACKED[:20])
    fetch_all([FILE], [url(server, "good")], tmp_path)
    assert server.ranges == ["bytes=20-"]
    assert (tmp_path / "x.gz").read_bytes() == PACKED


def test_a_server_that_knows_no_ranges_starts_the_file_anew(server, tmp_path):
    (tmp_path / "x.gz.part").write_bytes(PACKED[:20])
    fetch_all([FILE], [url(server, "whole")], tmp_path)
    assert server.ranges == ["bytes=20-"]
    assert (tmp_path / "x.gz").read_bytes() == PACKED


def test_a_whole_part_is_taken_as_the_file(server, tmp_path):
    (tmp_path / "x.gz.part").write_bytes(PACKED)
    fetch_all([FILE], [url(server, "done")], tmp_path)
    assert server.ranges == [f"bytes={len(PACKED)}-"]
    assert (tmp_path / "x.gz").read_bytes() == PACKED


def test_a_mirror_without_the_file_is_passed_over_and_keeps_the_part(server, tmp_path):
    (tmp_path / "x.gz.part").write_bytes(PACKED[:20])
    with pytest.raises(InputError, match="404"):
        fetch_all([FILE], [url(server, "gone")], tmp_path)
    fetch_all([FILE], [url(server, "gone"), url(server, "good")], tmp_path)
    assert server.ranges == ["bytes=20-"] * 3
    assert (tmp_path / "x.gz").read_bytes() == PACKED


def test_a_connection_that_ends_early_is_gone_on_from(server, tmp_path):
    with pytest.raises(InputError, match="could not be fetched"):
        fetch_all([FILE], [url(server, "cut")], tmp_path)
    assert (tmp_path / "x.gz.part").read_bytes() == PACKED[:CUT]
    fetch_all([FILE], [url(server, "good")], tmp_path)
    assert server.ranges == [None, f"bytes={CUT}-"]
    assert (tmp_path / "x.gz").read_bytes() == PACKED


def test_a_wrong_file_leaves_nothing_to_go_on_from(server, tmp_path):
    other = RemoteFile("x.gz", hashlib.sha256(b"other").hexdigest())
    for kind in ("good", "bad"):
        with pytest.raises(InputError, match="could not be fetched"):
            fetch_all([other], [url(server, kind)], tmp_path)
        assert not list(tmp_path.iterdir())
    assert server.ranges == [None] * 2


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_mirror_is_left_for_the_next(server, tmp_path, monkeypatch, kind):
    # A clock on which fifteen seconds pass from one packet to the next.
    clock = SimpleNamespace(monotonic=itertools.count(0, 15).__next__)
    monkeypatch.setattr("latentia.data.download.time", clock)
    monkeypatch.setattr("latentia.data.download.LEAST_BYTES", 40)
    with pytest.raises(InputError, match=r"x.gz could not be fetched \(http.*check the") as raised:
        fetch_all([FILE], [url(server, kind)], tmp_path)
    assert "\n" not in str(raised.value)
    fetch_all([FILE], [url(server, kind), url(server, "good")], tmp_path)
    assert (tmp_path / "x.gz").read_bytes() == PACKED
    assert [path.name for path in tmp_path.iterdir()] == ["x.gz"]


def test_what_ends_early_without_an_error_is_gone_on_from(server, tmp_path):
    half = len(PACKED) // 2
    with pytest.raises(InputError, match="it ends early, after"):
        fetch_all([FILE], [url(server, "torn")], tmp_path)
    assert (tmp_path / "x.gz.part").read_bytes() == PACKED[:half]
    fetch_all([FILE], [url(server, "torn"), url(server, "good")], tmp_path)
    assert server.ranges == [None, f"bytes={half}-", f"bytes={half}-"]
    assert (tmp_path / "x.gz").read_bytes() == PACKED


def test_the_part_of_a_mirror_that_packs_otherwise_is_begun_anew(server, tmp_path):
    (tmp_path / "x.gz.part").write_bytes(gzip.compress(CONTENT, 1)[:40])
    fetch_all([FILE], [url(server, "good")], tmp_path)
    assert server.ranges == ["bytes=40-", None]
    assert (tmp_path / "x.gz").read_bytes() == PACKED


def test_what_unpacks_to_more_than_the_file_is_left(server, tmp_path):
    small = RemoteFile("x.gz", FILE.sha256, n_bytes=len(CONTENT) // 2)
    with pytest.raises(InputError, match=r"it unpacks to more than 15,\d+ bytes"):
        fetch_all([small], [url(server, "good")], tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_download_of_unknown_size_has_the_limit_of_all_files(server, tmp_path, monkeypatch):
    monkeypatch.setenv("LATENTIA_MAX_BYTES", "50")
    whole = RemoteFile("x.gz", FILE.sha256)
    with pytest.raises(InputError, match=r"more than (the )?50 bytes"):
        fetch_all([whole], [url(server, "good")], tmp_path)


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"LATENTIA_DATA": "{0}/named", "XDG_CACHE_HOME": "{0}/cache"}, "named"),
        ({"XDG_CACHE_HOME": "{0}/cache", "LOCALAPPDATA": "{0}/local"}, "cache/latentia"),
        ({"LOCALAPPDATA": "{0}/local"}, "local/latentia"),
        ({}, ".cache/latentia"),
    ],
)
def test_where_the_cache_is(monkeypatch, tmp_path, variables, place):
    for name in ("LATENTIA_DATA", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(tmp_path))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert cache_folder() == tmp_path / place


def test_what_is_there_is_not_fetched(server, tmp_path):
    (tmp_path / "x.gz").write_bytes(PACKED)
    fetch_all([FILE], [url(server, "good")], tmp_path)
    assert server.ranges == []


def test_offline_is_one_clear_sentence(tmp_path):
    with pytest.raises(InputError, match=r"could not be fetched.*check the network") as raised:
        fetch_all([FILE], ["http://127.0.0.1:9/a", "http://127.0.0.1:9/b"], tmp_path)
    assert "\n" not in str(raised.value)


def test_no_mirror_is_waited_for_without_end(tmp_path, monkeypatch):
    waits = []

    def silence(opener, request, data=None, timeout=None):
        waits.append(timeout)
        raise TimeoutError("timed out")

    monkeypatch.setattr("urllib.request.OpenerDirector.open", silence)
    with pytest.raises(InputError, match=r"timed out.*timed out"):
        fetch_all([FILE], ["http://one", "http://two"], tmp_path)
    assert len(waits) == 2
    assert all(0 < wait <= 60 for wait in waits)
