"""What is kept of a callback: what it said, which accounts had signed it, and when it came. As bytes: a line of JSON,
then the body."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from bellhop.domain.delivery_ports import CallbackRequest


@dataclass(frozen=True, slots=True)
class Entry:
    """A callback that was verified."""

    provider: str
    identity: str
    accounts: tuple[UUID, ...]
    """The rows whose credentials signed it."""
    arrived_at: datetime
    callback: CallbackRequest = field(repr=False)

    def packed(self) -> bytes:
        """As it is kept, before it is encrypted."""
        head = {
            "provider": self.provider,
            "identity": self.identity,
            "accounts": [str(account) for account in self.accounts],
            "arrived_at": self.arrived_at.isoformat(),
            "url": self.callback.url,
            "path": self.callback.path,
            "query": dict(self.callback.query),
            "headers": dict(self.callback.headers),
        }
        return json.dumps(head).encode() + b"\n" + self.callback.body


def unpacked(kept: bytes) -> Entry:
    """The callback of `Entry.packed`. Raises ValueError or KeyError where it is none."""
    line, _, body = kept.partition(b"\n")
    head = json.loads(line)
    return Entry(
        head["provider"],
        head["identity"],
        tuple(UUID(account) for account in head["accounts"]),
        datetime.fromisoformat(head["arrived_at"]),
        CallbackRequest(head["url"], head["path"], head["query"], head["headers"], body),
    )
