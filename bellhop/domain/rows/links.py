"""Short links of messages, as the database has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(slots=True)
class LinkRow:
    """A short link. Its repr shows neither where it leads nor how it is reached."""

    id: UUID
    code: str = field(repr=False)
    url: str = field(repr=False)
    """The whole address, as it went out."""
    target: str = field(repr=False)
    created_at: datetime
    expires_at: datetime
    clicks: int
    """By people, as far as that can be told."""
    bot_clicks: int
    first_clicked_at: datetime | None
    """By people, as `last_clicked_at`."""
    last_clicked_at: datetime | None


@dataclass(slots=True)
class ClickRow:
    """One time that somebody followed a link."""

    id: UUID
    link_id: UUID
    clicked_at: datetime
    bot: bool
    """Whether it was a machine, as far as that can be told."""


@dataclass(slots=True)
class FollowedLink:
    """A link that somebody follows now, by the database's clock."""

    id: UUID
    message_id: UUID
    target: str = field(repr=False)
    expired: bool
    now: datetime
