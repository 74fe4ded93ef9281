"""Idempotency-Key: the header, and the request in the form by which a repetition is known."""

from __future__ import annotations

import json

from pydantic import BaseModel

from api.problems import Invalid
from bellhop.engine.idempotency import IdempotencyKey

LONGEST = 255
REPLAYED = {"Idempotency-Replayed": "true"}


def read_key(given: str | None, body: BaseModel, about: str = "") -> IdempotencyKey | None:
    """The key in the header's value `given`; None when there is none. The draft's quoted form and a bare word are both
    accepted. `about`: what the request is about, where its body does not say it."""
    if given is None:
        return None
    key = given[1:-1] if len(given) >= 2 and given[0] == given[-1] == '"' else given
    if not 1 <= len(key) <= LONGEST or not key.isascii() or not key.isprintable():
        raise Invalid(
            ["header", "idempotency-key"], f"expected 1 to {LONGEST} printable ASCII characters", "idempotency_key"
        )
    canonical = json.dumps(body.model_dump(mode="json", exclude_unset=True), sort_keys=True, separators=(",", ":"))
    return IdempotencyKey(key, f"{about}{canonical}".encode())
