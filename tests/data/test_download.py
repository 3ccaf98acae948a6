"""Fetching from mirrors on this machine: resumed, verified, and clear when nothing answers."""

import gzip
import hashlib
import http.server
import threading
from pathlib import Path

import pytest

from latentia.data.download import RemoteFile, cache_folder, fetch_all
from latentia.errors import InputError

CONTENT = b"idx" * 10_000
PACKED = gzip.compress(CONTENT)
FILE = RemoteFile("x.gz", hashlib.sha256(CONTENT).hexdigest())


CUT = 30


class Server(http.server.ThreadingHTTPServer):
    """Serves PACKED under /good, rubbish under /bad, half of PACKED under /torn; notes ranges.

    Under /whole it knows no ranges, under /done it says that nothing is left, under /gone that
    there is no such file, and under /cut it hangs up after a few bytes.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges = []


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        kind = self.path.split("/")[1]
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
    for kind in ("good", "bad", "torn"):
        with pytest.raises(InputError, match="could not be fetched"):
            fetch_all([other], [url(server, kind)], tmp_path)
        assert not list(tmp_path.iterdir())
    assert server.ranges == [None] * 3


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

    def silence(request, timeout=None):
        waits.append(timeout)
        raise TimeoutError("timed out")

    monkeypatch.setattr("urllib.request.urlopen", silence)
    with pytest.raises(InputError, match=r"timed out.*timed out"):
        fetch_all([FILE], ["http://one", "http://two"], tmp_path)
    assert len(waits) == 2
    assert all(0 < wait <= 60 for wait in waits)
