"""Start the studio: hold the folder of runs, listen on this machine alone, open the browser."""

from __future__ import annotations

import importlib
import os
import secrets
import socket
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import uvicorn

from latentia import MODELS
from latentia.errors import InputError
from latentia.files import held_folder
from latentia.studio.app import make
from latentia.studio.aside import FORMS, TABLES
from latentia.studio.folder import RunsFolder
from latentia.studio.live import ready
from latentia.studio.queue import Queue

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
    in_use = f"another studio shows {runs}: close it, or give another folder with --runs"
    with _listener(port) as listener, held_folder(folder.own, lambda: in_use):
        token = secrets.token_urlsafe(24)
        app = make(folder, listener.getsockname()[1], token)
        address = f"http://{HOST}:{listener.getsockname()[1]}/?token={token}"
        print(f"studio of the runs in {runs}: {address}", flush=True)
        print("Ctrl-C ends it; a training that goes on is not ended by that", flush=True)
        if browser:
            threading.Timer(0.5, webbrowser.open, (address,)).start()
        with _watched(app.state.studio.queue), suppress(KeyboardInterrupt):
            # Its own log would tell of each browser that goes away.
            config = uvicorn.Config(
                app, log_level="critical", server_header=False, timeout_graceful_shutdown=1
            )
            uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def _watched(queue: Queue) -> Iterator[None]:
    """Start what waits in the queue, one after the other, within a ``with`` block."""
    ended, trained = threading.Event(), partial(ready, queue.folder)
    watching = threading.Thread(target=queue.watch, args=(ended, trained), daemon=True)
    watching.start()
    threading.Thread(target=load_libraries, daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        for each in (FORMS, TABLES):
            each.end()
        watching.join()


def load_library() -> None:
    """Load what the first form that is checked would else wait for."""
    importlib.import_module(MODELS["VAE"])


def load_libraries() -> None:
    """Load the library here, and where forms are settled."""
    with suppress(InputError):
        FORMS.ask(load_library)
    load_library()


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
