"""Refuses requests that name a host which is not ours: a page somebody visits could otherwise have its own name lead to
this machine (DNS rebinding), and read what is here."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_LOCAL = "localhost"


class HostCheck:
    """Serves requests to an address, to `localhost`, and to the names in `allowed`."""

    def __init__(self, app: ASGIApp, allowed: Collection[str], setting: str) -> None:
        self._app = app
        self._allowed = {_name(one) for one in allowed} | {_LOCAL}
        self._setting = setting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
            if not self._ours(_name(host)):
                refused = PlainTextResponse(
                    f"This host name is not served here. Names beside localhost are listed in {self._setting}.\n", 421
                )
                await refused(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _ours(self, name: str) -> bool:
        if name in self._allowed or name.endswith("." + _LOCAL):
            return True
        try:
            # No name, so nobody's to point elsewhere.
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _name(host: str) -> str:
    """A Host header without its port, an IPv6 address without its brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() and ":" not in name else host).lower().removesuffix(".")
