"""Public identifiers: a prefix that says what the thing is, and the row's UUIDv7 in 26 characters (TypeID).

The database makes the UUIDs (`uuidv7()`), so that ids sort by its clock; here they are only rendered and parsed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from typeid import TypeID
from typeid.codecs import base32
from typeid.errors import TypeIDException

CLOCK_SLACK = timedelta(hours=1)
"""How far the time inside an id may be from `created_at`, which is when the transaction began. Both are the database's
clock; this is room for a clock that was set back."""


def earliest_id(at: datetime) -> UUID:
    """The smallest UUIDv7 of that moment."""
    return UUID(int=max(0, int(at.timestamp() * 1000)) << 80)


def earlier(key: UUID, by: timedelta) -> UUID:
    """A UUIDv7 of so much earlier than another, or later where that is negative; its other bits are the same."""
    return UUID(int=min(2**128 - 1, max(0, key.int - (int(by.total_seconds() * 1000) << 80))))


class Prefix(StrEnum):
    """What an id names."""

    MESSAGE = "omsg"
    INBOUND = "imsg"
    GUEST = "gst"
    DEVICE = "dev"
    PROPERTY = "pty"
    ACCOUNT = "acc"
    SENDER = "snd"
    CONVERSATION = "cvs"
    NOTE = "nte"
    ENDPOINT = "whe"
    EVENT = "evt"
    DELIVERY = "whd"
    KEY = "key"
    SESSION = "gss"
    STAY = "sty"
    CONSENT = "cns"
    INTENT = "int"
    TEMPLATE = "tpl"
    ASSET = "ast"
    BROADCAST = "brd"
    RECIPIENT = "brr"
    REQUEST = "req"


def render(prefix: Prefix, key: UUID) -> str:
    """`omsg_01h…`: prefix, underscore, 26 characters."""
    return str(TypeID(prefix.value, base32.encode(key.bytes)))


def optional(prefix: Prefix, key: UUID | None) -> str | None:
    """The same of what may be absent."""
    return None if key is None else render(prefix, key)


def parse(prefix: Prefix, text: str) -> UUID | None:
    """The row key behind a public id; None when the text is not an id of that kind (answer 404, not 500)."""
    if not text.startswith(prefix.value + "_") or len(text) != len(prefix.value) + 27 or not text.isascii():
        return None
    try:
        return UUID(bytes=TypeID.from_string(text).uuid.bytes)
    except (TypeIDException, ValueError):
        return None


def message_workflow(message: UUID) -> str:
    """The id of the workflow of a message: the message's own public id."""
    return render(Prefix.MESSAGE, message)


def intents_workflow(message: UUID) -> str:
    """The id of the workflow that looks for intents in a guest's message."""
    return f"intents_{render(Prefix.INBOUND, message)}"


def inbound_files_workflow(message: UUID) -> str:
    """The id of the workflow that fetches the files of a guest's message, and has them deleted at the provider."""
    return f"files_{render(Prefix.INBOUND, message)}"


def release_workflow(scope: UUID, channel: str) -> str:
    """The id of the workflow that releases what a scope has parked on a channel."""
    return f"release_{scope}_{channel}"


def paced_release_workflow(pace: UUID) -> str:
    """The id of the workflow that releases what waits for its turn at a sender."""
    return f"paced_{pace}"


def broadcast_workflow(broadcast: UUID) -> str:
    """The id of the workflow of a broadcast: the broadcast's own public id."""
    return render(Prefix.BROADCAST, broadcast)


def endpoint_workflow(endpoint: UUID) -> str:
    """The id of the workflow that drains a webhook endpoint: the endpoint's own public id."""
    return render(Prefix.ENDPOINT, endpoint)
