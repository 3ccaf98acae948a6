"""The laboratory's own code in Node, on what a test gives it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from latentia.pages.lab.page import played


@pytest.fixture(scope="session")
def asked():
    """Return a function that sends requests to the laboratory's code and returns its answers."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node")

    def ask(*requests):
        words = json.dumps({"source": played(), "requests": requests})
        script = Path(__file__).with_name("play.js")
        done = subprocess.run(
            [node, script], input=words, capture_output=True, text=True, env={**os.environ}
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask
