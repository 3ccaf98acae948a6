"""Who may ask the studio: the browser that has its key, at its own address, and in measured bites.

Any page that is open in a browser can send requests to a port of this machine. So each request must
name the studio's own address (against DNS rebinding) and bring the key, which is new at each start:
in the address that is opened first, and from then on in a cookie that no other site's page sends.
What changes something must come from a page of the studio (``Origin``). A body is counted as it
comes in, and refused at the limit.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from html import escape
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from latentia.data.limits import size

NAMES = ("127.0.0.1", "localhost")
SAFE = ("GET", "HEAD")
MOST_FORM = 2**20
"""Bytes of a form without files."""
UPLOADS = ("/data/upload", "/factor/upload")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # Without a referrer Chromium sends the studio's own forms with no origin.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
"""What each answer has that does not say otherwise."""
LOCKED = (
    "The studio opens at the address that 'latentia studio' printed when it started, with the key "
    "in it. If it was started anew since, open the new address.",
    "스튜디오는 'latentia studio'가 시작할 때 출력한 주소로 엽니다. 주소에 열쇠가 들어 있습니다. "
    "그 뒤에 다시 시작했다면 새 주소를 여세요.",
)
OTHER_ADDRESS = (
    "The studio answers at http://{0}:{1} only.",
    "스튜디오는 http://{0}:{1} 에서만 답합니다.",
)
OTHER_PAGE = (
    "This was sent by a page that is not the studio's, and is refused.",
    "스튜디오가 아닌 페이지가 보낸 요청이라 받지 않습니다.",
)
TOO_LARGE = "What was sent is larger than the {most} that the studio takes at once."


class Guard:
    """Refuses what is not asked by the studio's own pages; adds the headers that confine them."""

    def __init__(self, app: ASGIApp, port: int, token: str, most_upload: int) -> None:
        self.app, self.port, self.token, self.most_upload = app, port, token, most_upload
        self.cookie = f"latentia-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        heads = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        refusal = self.refused(scope, heads)
        if refusal is not None:
            return await refusal(scope, receive, _with_headers(send))
        most = self.most_upload if scope["path"] in UPLOADS else MOST_FORM
        await self.app(scope, _counted(receive, heads, most), _with_headers(send))
        return None

    def refused(self, scope: Scope, heads: Mapping[str, str]) -> Response | None:
        """Return the answer to a request that is not let in, or None."""
        hosts = [f"{name}:{self.port}" for name in NAMES]
        if heads.get("host") not in hosts:
            return _said(OTHER_ADDRESS, 421, NAMES[0], self.port)
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["method"] == "GET" and self.fits(given):
            answer = RedirectResponse("/", 303)
            answer.set_cookie(self.cookie, self.token, httponly=True, samesite="strict")
            return answer
        if not self.fits(_cookie(heads.get("cookie", ""), self.cookie)):
            return _said(LOCKED, 403)
        if scope["method"] not in SAFE and heads.get("origin") != f"http://{heads['host']}":
            return _said(OTHER_PAGE, 403)
        return None

    def fits(self, given: str) -> bool:
        """Return whether this is the key."""
        return hmac.compare_digest(given.encode(), self.token.encode())


def _cookie(header: str, name: str) -> str:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return "" if found is None else found.value


def _said(sentences: tuple[str, str], status: int, *values: object) -> Response:
    """Return a page of one sentence in both languages, for whom the studio knows nothing of."""
    english, korean = (escape(text.format(*values)) for text in sentences)
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Latentia studio</title>'
        f'<h1>Latentia studio</h1><p>{english}</p><p lang="ko">{korean}</p>'
    )
    return HTMLResponse(page, status)


def _counted(receive: Receive, heads: Mapping[str, str], most: int) -> Receive:
    """Return what hands a body on until it is too large; what says so itself is not read."""
    refusal = HTTPException(413, TOO_LARGE.format(most=size(most)))
    told, n_bytes = heads.get("content-length", "0"), 0

    async def counting() -> Message:
        nonlocal n_bytes
        if told.isdecimal() and int(told) > most:
            raise refusal
        message = await receive()
        n_bytes += len(message.get("body", b""))
        if n_bytes > most:
            raise refusal
        return message

    return counting


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = {k.decode("latin-1").lower() for k, _ in message["headers"]}
            more = [(k.encode(), v.encode()) for k, v in HEADERS.items() if k not in own]
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return sending
