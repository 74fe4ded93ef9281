"""Pictures of conversations that are polled: uploaded by either side before they are sent, handed out to both."""

from __future__ import annotations

from typing import BinaryIO
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import windows
from bellhop.domain.conversations import Side
from bellhop.domain.rows.polled import Attachment
from bellhop.domain.scopes import Scope
from bellhop.engine import assets, polled
from bellhop.engine.assets import UploadAsset, library_of
from bellhop.engine.context import Engine
from bellhop.engine.conversations import OVER
from bellhop.engine.errors import NotFound, OutsideWindow
from bellhop.engine.polled import Which
from bellhop.store.conversations import polled as stored


async def upload(
    engine: Engine, scope: Scope, side: Side, conversation_id: UUID, file: BinaryIO, filename: str, content_type: str
) -> UUID:
    """Keep a picture for a message of this side in that conversation. Raises NotFound, OutsideWindow, InvalidField,
    QuotaReached."""
    thread = await engine.database.read(lambda tx: polled.find(tx, scope, Which(conversation_id, None)))
    polled.check_writing(thread, side)
    if not thread.guests:
        raise NotFound
    command = UploadAsset(file, filename, content_type, guest_id=thread.guests[0], received=side is Side.GUEST)
    return (await assets.upload(engine, scope, command)).id


async def get(engine: Engine, scope: Scope, side: Side, conversation_id: UUID, attachment_id: UUID) -> Attachment:
    """A picture that this side may see in that conversation. Raises NotFound, OutsideWindow."""

    async def work(tx: AsyncConnection) -> Attachment:
        thread = await polled.find(tx, scope, Which(conversation_id, None))
        over = windows.end(thread.status, thread.departure, thread.ended_on)
        if not windows.may_read(side, over, thread.today):
            raise OutsideWindow(OVER[side])
        found = await stored.attachments(tx, scope, thread, side, [attachment_id])
        if attachment_id not in found:
            raise NotFound
        return found[attachment_id]

    return await engine.database.read(work)


async def read(engine: Engine, scope: Scope, side: Side, conversation_id: UUID, attachment_id: UUID) -> bytes:
    """The same with all of its bytes. Raises NotFound, OutsideWindow."""
    found = await get(engine, scope, side, conversation_id, attachment_id)
    library = library_of(engine)
    try:
        file = await library.open(str(found.id))
    except FileNotFoundError:
        raise NotFound from None
    return b"".join([chunk async for chunk in library.chunks(file)])
