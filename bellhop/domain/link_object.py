"""The Link object: a short link of a message and who followed it, as the API shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bellhop.domain.rows.links import ClickRow, LinkRow
from bellhop.domain.serializers import timestamp


def link(row: LinkRow, clicks: Sequence[ClickRow]) -> dict[str, Any]:
    """The public object. `clicks`: those of the message, the first first."""
    return {
        "url": row.url,
        "target": row.target,
        "created_at": timestamp(row.created_at),
        "expires_at": timestamp(row.expires_at),
        "clicks": row.clicks,
        "bot_clicks": row.bot_clicks,
        "first_clicked_at": timestamp(row.first_clicked_at),
        "last_clicked_at": timestamp(row.last_clicked_at),
        "first_clicks": [{"at": timestamp(one.clicked_at), "bot": one.bot} for one in clicks if one.link_id == row.id],
    }
