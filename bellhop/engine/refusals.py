"""Messages that are taken in and refused at once: they say so as any message that failed does."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.content import Content
from bellhop.domain.failures import FailureCode
from bellhop.domain.media import Media
from bellhop.domain.routing import carried
from bellhop.domain.scopes import Scope
from bellhop.domain.statuses import Stage
from bellhop.engine.context import Engine
from bellhop.engine.messages import SendMessage
from bellhop.store.messages import outbound, progress
from bellhop.store.messages.outbound import NewMessage
from bellhop.store.messages.progress import Progress


async def accept(
    engine: Engine, tx: AsyncConnection, scope: Scope, command: SendMessage, code: FailureCode
) -> Progress:
    """Write a message with what it was to say and the failure that it has from the beginning. A template of it is not
    looked at. After the commit its workflow is woken (`Progress.row`), as are endpoints."""
    files = [
        Media(url="", content_type=use.content_type or "", filename=use.filename or "", size=0, source=use.url)
        for use in command.media
        if use.url is not None
    ]
    new = NewMessage(
        channel=command.channel,
        recipient=command.recipient,
        content=replace(Content(text=command.content or "", subject=command.subject), media=tuple(files)),
        scheduled_at=command.scheduled_at,
        guest_id=command.guest_id,
        metadata=command.metadata,
        category=command.category,
        reference=command.reference,
        tags=command.tags,
        sender=command.sender,
        refused=True,
    )
    row = await outbound.accept(tx, scope, new, engine.book, carried(engine.providers), engine.delivery.valid_for)
    return await progress.advance(tx, row, [], decision=Stage.GAVE_UP, failure=(code, None))
