"""Start the studio: hold the folder of runs, listen on this machine alone, open the browser."""

from __future__ import annotations

import importlib
import os
import secrets
import socket
import threading
import webbrowser
from contextlib import suppress
from pathlib import Path

import uvicorn

from latentia import MODELS
from latentia.errors import InputError
from latentia.files import held_folder
from latentia.studio.app import make
from latentia.studio.folder import RunsFolder

HOST = "127.0.0.1"


def serve(runs: Path, port: int, browser: bool) -> None:
    """Serve the studio until it is told to end.

    Parameters
    ----------
    runs
        The folder of runs; made if it is not there.
    port
        Of this machine; 0 takes a free one.
    browser
        Open it in the browser.

    Raises
    ------
    InputError
        If the port is taken, or another studio shows the folder.
    """
    folder = RunsFolder(runs.absolute())
    listener = _listener(port)
    port, token = listener.getsockname()[1], secrets.token_urlsafe(24)
    with held_folder(folder.own, lambda: f"another studio shows {runs}: close it, or give --runs"):
        app = make(folder, port, token)
        ended = threading.Event()
        address = f"http://{HOST}:{port}/?token={token}"
        print(f"studio of the runs in {runs}: {address}", flush=True)
        print("Ctrl-C ends it; a training that goes on is not ended by that", flush=True)
        queue = app.state.studio.queue
        watching = threading.Thread(target=queue.watch, args=(ended,), daemon=True)
        watching.start()
        threading.Thread(target=load_library, daemon=True).start()
        if browser:
            threading.Timer(0.5, webbrowser.open, (address,)).start()
        config = uvicorn.Config(
            app, log_level="critical", server_header=False, timeout_graceful_shutdown=1
        )
        try:
            with suppress(KeyboardInterrupt):
                uvicorn.Server(config).run(sockets=[listener])
        finally:
            ended.set()
            watching.join()


def load_library() -> None:
    """Load what the first form that is checked would else wait for."""
    importlib.import_module(MODELS["VAE"])


def _listener(port: int) -> socket.socket:
    """Return a socket that listens to this machine alone."""
    found = socket.socket()
    if os.name == "posix":
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((HOST, port))
        # Who opens the address at once waits for the answer.
        found.listen()
    except OSError as error:
        found.close()
        raise InputError(
            f"port {port} cannot be had ({error.strerror}): give another --port, or 0 for a free "
            "one"
        ) from None
    return found
