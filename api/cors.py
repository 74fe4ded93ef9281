"""Pages of other origins that read guests' inboxes: what their browsers are told.

A browser asks beforehand, without the token, so before anybody knows which property it is about: it is told that such a
request may be made. Whether this origin may is for the request itself, which bears the token: see `guest_auth`. Nothing
here relies on cookies, so a page without a token gets nothing.
"""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import Scope

from api.security_headers import Header

PATHS = "/v1/inbox/"
"""What pages of other origins may ask for."""
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Last-Event-ID",
    "Access-Control-Max-Age": "7200",
}
_READABLE = b"Retry-After, X-Request-Id"


def origin_of(scope: Scope) -> str | None:
    """The origin of the page that asks, if one does."""
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"), None)


def preflight(scope: Scope, path: str) -> Response | None:
    """The answer to a browser that asks beforehand; None: it is no such question."""
    asks = any(name == b"access-control-request-method" for name, _ in scope["headers"])
    if scope["method"] != "OPTIONS" or not path.startswith(PATHS) or not asks or origin_of(scope) is None:
        return None
    return Response(status_code=204, headers=_PREFLIGHT)


def added(scope: Scope, path: str) -> list[Header]:
    """What an answer says to a page of another origin."""
    if not path.startswith(PATHS):
        return []
    headers: list[Header] = [(b"vary", b"Origin")]
    origin = origin_of(scope)
    if origin is not None and "bellhop.origin_refused" not in scope:
        headers += [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", _READABLE),
        ]
    return headers
