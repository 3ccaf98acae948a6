"""The command: what it refuses, and what it says when it cannot begin."""

import html
import socket
import sys

import pytest

from latentia.cli import main
from latentia.files import held_folder
from latentia.studio import server
from latentia.studio.aside import Aside
from latentia.studio.folder import RunsFolder
from latentia.studio.rendering import words
from tests.studio.conftest import as_browser


@pytest.mark.parametrize("port", ["x", "-1", "65536", "1e3", ""])
def test_a_port_is_a_number_of_this_machine(port, capsys):
    assert main(["studio", f"--port={port}"]) == 2
    assert "is not a whole number from 0 to 65535" in capsys.readouterr().err


def test_a_port_that_is_taken_is_said(tmp_path, capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        words = ["studio", "--port", str(other.getsockname()[1]), "--runs", str(tmp_path / "runs")]
        assert main([*words, "--no-browser"]) == 2
    assert "give another --port, or 0 for a free one" in capsys.readouterr().err


def test_a_folder_is_shown_by_one_studio(tmp_path, capsys):
    with held_folder(RunsFolder(tmp_path).own, lambda: ""):
        assert main(["studio", "--port", "0", "--runs", str(tmp_path), "--no-browser"]) == 2
    assert "another studio shows" in capsys.readouterr().err


def test_what_is_not_installed_is_said_with_the_command_for_it(monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "latentia.studio.server")
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["studio"]) == 2
    assert "pip install 'latentia[studio]'" in capsys.readouterr().err


def test_it_listens_to_this_machine_alone_under_a_new_key(tmp_path, monkeypatch, capsys):
    served = []

    class Server:
        def __init__(self, config):
            served.append(config)

        def run(self, sockets):
            served.extend(each.getsockname()[0] for each in sockets)
            raise KeyboardInterrupt

    monkeypatch.setattr(server.uvicorn, "Server", Server)
    opened = []
    monkeypatch.setattr(server, "load_libraries", lambda: None)
    for name in ("FORMS", "TABLES"):
        monkeypatch.setattr(server, name, Aside(1))
    monkeypatch.setattr(server.webbrowser, "open", opened.append)
    for _ in range(2):
        assert main(["studio", "--port", "0", "--runs", str(tmp_path), "--no-browser"]) == 0
    keys = [word for word in capsys.readouterr().out.split() if "token=" in word]
    assert len({key.partition("token=")[2] for key in keys}) == 2
    assert served[1::2] == ["127.0.0.1"] * 2
    assert opened == []


def test_a_failure_is_told_in_the_log_and_on_a_page(studio, caplog, monkeypatch):
    def broken(*_):
        raise RuntimeError("the floor gave way")

    monkeypatch.setattr("latentia.studio.data.choices", broken)
    answer = as_browser(studio.app).get("/data")
    assert answer.status_code == 500
    assert words()["status/500"]["en"] in html.unescape(answer.text)
    (record,) = [each for each in caplog.records if each.name.startswith("latentia")]
    assert record.getMessage() == "the studio failed at /data"
    assert "the floor gave way" in caplog.text
