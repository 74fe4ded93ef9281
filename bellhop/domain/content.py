"""What a message says, as one value: it is fixed at acceptance and handed unchanged to whoever carries it."""

from __future__ import annotations

from dataclasses import dataclass, field

PLAIN = "text/plain"
HTML = "text/html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What the guest is to read. Its repr shows none of it."""

    text: str = field(repr=False)
    content_type: str = PLAIN
    """How `text` is written: `text/plain` or `text/html`."""
    subject: str | None = field(default=None, repr=False)
