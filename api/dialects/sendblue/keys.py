"""Sendblue's two headers, which together are one of Bellhop's keys: its id (`key_…`) and its secret (`sk_…`)."""

from __future__ import annotations

from starlette.requests import Request

from bellhop.domain.keys import names


def read_key(request: Request) -> str | None:
    """The key that the pair is; None where one is missing, or the id is another key's."""
    key_id, secret = request.headers.get("sb-api-key-id"), request.headers.get("sb-api-secret-key")
    return secret if key_id and secret and names(key_id, secret) else None
