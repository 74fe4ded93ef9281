"""Idempotency-Key: a request that is repeated makes nothing twice and is answered as at first."""

from __future__ import annotations

import json

from pydantic import BaseModel
from starlette.requests import Request

from api.dependencies import door
from api.errors import IdempotencyMismatch, Invalid
from bellhop.store.access import idempotency
from bellhop.store.access.idempotency import Earlier, Ticket

LONGEST = 255
REPLAYED = {"Idempotency-Replayed": "true"}


def ticket(request: Request, kind: str, body: BaseModel) -> Ticket | None:
    """The request's ticket; None when it bears no key. The draft's quoted form and a bare word are both accepted."""
    given = request.headers.get("idempotency-key")
    if given is None:
        return None
    key = given[1:-1] if len(given) >= 2 and given[0] == given[-1] == '"' else given
    if not 1 <= len(key) <= LONGEST or not key.isascii() or not key.isprintable():
        raise Invalid(
            ["header", "idempotency-key"], f"expected 1 to {LONGEST} printable ASCII characters", "idempotency_key"
        )
    canonical = json.dumps(body.model_dump(mode="json", exclude_unset=True), sort_keys=True, separators=(",", ":"))
    return idempotency.ticket(kind, key, canonical.encode(), door(request).book)


def same(earlier: Earlier, ticket: Ticket) -> Earlier:
    """The earlier request, if this is its repetition. Raises IdempotencyMismatch."""
    if earlier.fingerprint != ticket.fingerprint:
        raise IdempotencyMismatch
    return earlier
