"""Fetching from mirrors on this machine: resumed, verified, and clear when nothing answers."""

import gzip
import hashlib
import http.server
import threading

import pytest

from latentia.data.download import RemoteFile, fetch_all
from latentia.errors import InputError

CONTENT = b"idx" * 10_000
PACKED = gzip.compress(CONTENT)
FILE = RemoteFile("x.gz", hashlib.sha256(CONTENT).hexdigest())


class Server(http.server.ThreadingHTTPServer):
    """Serves PACKED under /good, rubbish under /bad; remembers the ranges asked for."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges = []


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = PACKED if self.path.startswith("/good") else b"rubbish"
        wanted = self.headers.get("Range")
        self.server.ranges.append(wanted)
        first = int(wanted.split("=")[1].rstrip("-")) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.end_headers()
        self.wfile.write(body[first:])

    def log_message(self, *words):
        pass


@pytest.fixture
def server():
    running = Server()
    thread = threading.Thread(target=running.serve_forever)
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


def test_what_is_there_is_not_fetched(server, tmp_path):
    (tmp_path / "x.gz").write_bytes(PACKED)
    fetch_all([FILE], [url(server, "good")], tmp_path)
    assert server.ranges == []


def test_offline_is_one_clear_sentence(tmp_path):
    with pytest.raises(InputError, match=r"could not be fetched.*check the network") as raised:
        fetch_all([FILE], ["http://127.0.0.1:9/a", "http://127.0.0.1:9/b"], tmp_path)
    assert "\n" not in str(raised.value)
