"""A zoo of one small model, a cache of its own, and a server on this machine that hands it out."""

import http.server
import threading
from functools import partial

import pytest

from latentia import PCA, load_data
from latentia.evaluation.runs import fit_in_run
from latentia.pages.zoo import Told, add


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run of PCA on the digits, as `latentia train` leaves it but for its report."""
    folder = tmp_path_factory.mktemp("run") / "pca-digits"
    fit_in_run(PCA(n_components=12), load_data("digits"), folder, measured=False)
    return folder


@pytest.fixture(scope="session")
def made(run, tmp_path_factory):
    """A zoo's folder, as nobody may change it."""
    folder = tmp_path_factory.mktemp("zoo")
    add(run, "tiny-pca", folder, Told(cpu_minutes=0.01, note="Twelve rings and bars."))
    return folder


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """Without a zoo of Latentia's own, and with an empty cache."""
    monkeypatch.setattr("latentia.models.zoo.CHECKOUT", tmp_path / "nowhere")
    monkeypatch.setattr("latentia.models.zoo.SHIPPED", tmp_path / "installed")
    monkeypatch.setenv("LATENTIA_DATA", str(tmp_path / "cache"))
    monkeypatch.delenv("LATENTIA_ZOO", raising=False)
    return tmp_path


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of a folder, from where they are asked for; the first of some are torn."""

    def do_GET(self):
        name, wanted = self.path.split("/")[-1], self.headers.get("Range")
        self.server.asked.append((name, wanted))
        body = self.server.changed.get(name)
        if body is None:
            try:
                body = (self.server.folder / self.path.lstrip("/")).read_bytes()
            except OSError:
                self.send_error(404)
                return
        first = int(wanted.split("=")[1].rstrip("-")) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(body) - first))
        self.end_headers()
        torn = name in self.server.torn and not wanted
        self.wfile.write(body[first : len(body) // 2 if torn else None])
        self.close_connection = True

    def log_message(self, *words):
        pass


@pytest.fixture
def server(made):
    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler))
    serving.folder, serving.asked, serving.changed, serving.torn = made, [], {}, set()
    serving.url = f"http://127.0.0.1:{serving.server_address[1]}"
    threading.Thread(target=serving.serve_forever, args=(0.01,), daemon=True).start()
    yield serving
    serving.shutdown()
    serving.server_close()
