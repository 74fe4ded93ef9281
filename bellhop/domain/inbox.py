"""What a guest's app is shown of a message in the guest's inbox. Pure."""

from __future__ import annotations

from typing import Any

from bellhop.domain.ids import Prefix, render
from bellhop.domain.rows.inbox import InboxRow, SessionRow
from bellhop.domain.serializers import timestamp
from bellhop.domain.statuses import ARRIVED, STATUS, Status

KIND = "inbox"
"""Of a stream that shows a guest's inbox."""


_FILE = ("url", "content_type", "filename", "size")


def entry(row: InboxRow) -> dict[str, Any]:
    """The InboxMessage object. Nothing of the property's own (metadata, tags, reference) is in it."""
    details = row.details or {}
    wished = details.get("options") or {}
    theirs = row.direction == "inbound"
    return {
        "id": render(Prefix.INBOUND if theirs else Prefix.MESSAGE, row.message_id),
        "from": "guest" if theirs else "property",
        "status": (STATUS[row.stage] if row.stage in ARRIVED else Status.SENT).value,
        "content": row.content,
        "content_type": row.content_type,
        "title": wished.get("title"),
        "data": wished.get("data") or {},
        "media": [{name: one[name] for name in _FILE} for one in details.get("media") or () if one.get("url")],
        "sent_at": timestamp(row.sent_at),
        "read_at": timestamp(row.read_at),
        "expires_at": timestamp(row.expires_at),
    }


def session(row: SessionRow, token: str | None = None) -> dict[str, Any]:
    """The GuestSession object. `token`: shown when it is minted, and never again."""
    shown: dict[str, Any] = {
        "id": render(Prefix.SESSION, row.id),
        "guest_id": render(Prefix.GUEST, row.guest_id),
        "created_at": timestamp(row.created_at),
        "expires_at": timestamp(row.expires_at),
        "revoked_at": timestamp(row.revoked_at),
    }
    return shown if token is None else {**shown, "token": token}
