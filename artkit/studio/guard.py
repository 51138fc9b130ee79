"""The guard: who may talk to the studio, and the headers that every answer carries."""

from __future__ import annotations

import hmac
import ipaddress
import re
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from artkit.studio.limits import Refusal
from artkit.studio.sending import refuse

COOKIE = "artkit_studio"
_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::\d{1,5})?")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True)
class Access:
    """Who may come in: by which names this machine is called, and with which token, if one is needed.

    Without a token only addresses of this machine itself will do as names. With one any address will, and the names in
    `names`: a page elsewhere that has its own name resolve to this machine (DNS rebinding) comes with that name.
    """

    token: str | None = None
    names: frozenset[str] = frozenset({"localhost"})

    def check_host(self, host: str | None) -> None:
        """Raise Refusal for a Host header that is not this machine's."""
        match = _HOST.fullmatch((host or "").lower())
        if match is None:
            raise Refusal(400, "The request names no host, or none that there can be.")
        name = match[1].strip("[]")
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            allowed = name in self.names
        else:
            allowed = address.is_loopback or self.token is not None
        if not allowed:
            raise Refusal(403, f"This studio is not called {name}: open the address that it printed.")

    def check_origin(self, headers: Headers) -> None:
        """Raise Refusal where a page of another origin sends something; programs that are no browser name none."""
        origin = headers.get("origin")
        own = (headers.get("host") or "").lower()
        if origin is not None and (urlsplit(origin).netloc.lower() or "null") != own:
            raise Refusal(403, "Another page's requests are not answered.")
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise Refusal(403, "Another page's requests are not answered.")

    def knows(self, given: str | None) -> bool:
        """Tell whether a token is the right one, in a time that says nothing about it."""
        return self.token is None or hmac.compare_digest((given or "").encode(), self.token.encode())


LOCAL = Access()
"""This machine alone."""


class Guard:
    """Lets requests through to `app` that may come in, and gives every answer the headers that keep a page safe."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app, self.access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            answer = self._admit(scope)
        except Refusal as refusal:
            answer = refuse(refusal.status, str(refusal))
        await (answer or self.app)(scope, receive, send_guarded)

    def _admit(self, scope: Scope) -> Response | None:
        """Return None for a request that may come in, or the answer that brings the token into a cookie."""
        headers = Headers(scope=scope)
        if len(headers.getlist("host")) > 1:
            raise Refusal(400, "The request names two hosts.")
        self.access.check_host(headers.get("host"))
        if scope["method"] not in ("GET", "HEAD"):
            self.access.check_origin(headers)
        if self.access.knows(_bearer(headers)) or self.access.knows(_cookie(headers)):
            return None
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        token = query.pop("token", None)
        if scope["method"] == "GET" and scope["path"] == "/" and self.access.knows(token):
            return _welcome(str(token), query)
        raise Refusal(401, "Open the address that `artkit studio` printed, with its token.")


def _welcome(token: str, query: dict[str, str]) -> Response:
    """Return the way to the page with the token in a cookie, out of the address and of scripts' reach."""
    answer = RedirectResponse("/" + (f"?{urlencode(query)}" if query else ""), 303)
    answer.set_cookie(COOKIE, token, httponly=True, samesite="strict")
    return answer


def _bearer(headers: Headers) -> str | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _cookie(headers: Headers) -> str | None:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return found.value if found else None
