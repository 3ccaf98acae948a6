"""The studio's application: its pages, each subject in a file of its own, behind the guard."""

from __future__ import annotations

import logging
from typing import cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from latentia.errors import InputError
from latentia.files import told
from latentia.studio import (
    comparing,
    data,
    exports,
    first_pictures,
    home,
    live,
    models,
    runs,
    tables,
)
from latentia.studio.folder import RunsFolder
from latentia.studio.guard import Guard
from latentia.studio.queue import Queue
from latentia.studio.rendering import Studio, reader_of, sentence

log = logging.getLogger(__name__)
ROUTERS = (
    home.router,
    models.router,
    data.router,
    first_pictures.router,
    runs.router,
    exports.router,
    comparing.router,
    live.router,
    tables.router,
)
"""A new subject adds its file here, and its line to `latentia.studio.map.TOOLS`."""
MOST_UPLOAD = 2 * 10**9
"""Bytes of one upload."""


def make(folder: RunsFolder, port: int, token: str, most_upload: int = MOST_UPLOAD) -> FastAPI:
    """Return the application for a folder of runs, at a port, for who has the token."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.studio = Studio(folder, Queue(folder), most_upload)
    for router in ROUTERS:
        app.include_router(router)
    app.add_exception_handler(InputError, _refused)
    app.add_exception_handler(OSError, _refused)
    app.add_exception_handler(HTTPException, _not_there)
    app.add_exception_handler(RequestValidationError, _misread)
    app.add_exception_handler(Exception, _failed)
    app.add_middleware(Guard, port=port, token=token, most_upload=most_upload)
    return app


def _refused(request: Request, error: Exception) -> Response:
    return sentence(request, told(error) if isinstance(error, OSError) else str(error), 400)


def _not_there(request: Request, error: Exception) -> Response:
    found = cast(HTTPException, error)
    status = found.status_code
    known = reader_of(request).say(f"status/{status}") if status in (404, 405) else ""
    return sentence(request, known or str(found.detail), status)


def _misread(request: Request, error: Exception) -> Response:
    return sentence(request, reader_of(request).say("status/400"), 400)


def _failed(request: Request, error: Exception) -> Response:
    log.error("the studio failed at %s", request.url.path, exc_info=error)
    return sentence(request, reader_of(request).say("status/500"), 500)
