"""That somebody followed a link, as a message's timeline shows it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.scopes import Scope
from bellhop.domain.short_links import count
from bellhop.store.messages import short_links

_SAID = {
    False: "the guest opened a link of the message",
    True: "a machine opened a link of the message, a preview or a scanner of mails, which says nothing of the guest",
}


async def of_message(tx: AsyncConnection, scope: Scope, row: MessageRow) -> list[dict[str, Any]]:
    """One entry for each click that is kept. A message without short links costs no query here."""
    if not count(row.details):
        return []
    links = {link.id: link for link in await short_links.of_message(tx, scope, row.id)}
    return [
        {
            "at": click.clicked_at,
            "what": "link.clicked",
            "detail": _SAID[click.bot],
            "url": links[click.link_id].url,
            "target": links[click.link_id].target,
            "bot": click.bot,
        }
        for click in await short_links.clicks(tx, scope, row.id)
        if click.link_id in links
    ]
