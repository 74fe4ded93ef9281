"""Bird's keys: `Authorization: AccessKey …`, or `Bearer …`."""

from __future__ import annotations

from starlette.requests import Request


def read_key(request: Request) -> str | None:
    """The key that a request bears, if any."""
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if kind.lower() in ("accesskey", "bearer") else None
