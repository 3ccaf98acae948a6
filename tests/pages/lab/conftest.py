"""The laboratory's own code in Node, on what a test gives it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from latentia.pages.lab.page import played


@pytest.fixture(scope="session")
def asked(tmp_path_factory):
    """Return a function that sends requests to the laboratory's code and returns its answers."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node")
    source = tmp_path_factory.mktemp("lab") / "played.js"
    source.write_text(played())
    words = [node, str(Path(__file__).with_name("play.js")), str(source)]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, env={**os.environ}) as process:

        def ask(*requests):
            process.stdin.write(json.dumps(requests) + "\n")
            process.stdin.flush()
            found = json.loads(process.stdout.readline())
            assert "error" not in found, found["error"]
            return found["answers"]

        yield ask
        process.stdin.close()
