"""What the window of a channel that has one leaves to be sent: when the guest last wrote, and what was approved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import DateTime, LargeBinary, Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import approved_templates
from bellhop.domain.addresses import spellings
from bellhop.domain.approved_templates import ApprovedText
from bellhop.domain.channels import CHANNELS, AddressKind, Channel
from bellhop.domain.policy import Window, window_open
from bellhop.domain.rows.messages import MessageRow
from bellhop.store.compiled import CompiledStatement
from bellhop.store.messages import content_templates

# Of an address's messages those of the window alone: row keys sort by time. `recipients`: null is any of the scope's.
_LAST = CompiledStatement(
    text(
        """
        select coalesce(sent_at, created_at) as at from messages
        where address_hash = any(:hashes) and id >= :oldest and scope_id = :scope and channel = :channel
          and direction = 'inbound' and (cast(:recipients as text[]) is null or recipient = any(:recipients))
        order by id desc limit 1
        """
    )
    .bindparams(
        bindparam("hashes", type_=ARRAY(LargeBinary)),
        bindparam("oldest", type_=Uuid),
        bindparam("scope", type_=Uuid),
        bindparam("channel", type_=Text),
        bindparam("recipients", type_=ARRAY(Text)),
    )
    .columns(at=DateTime(timezone=True)),
    value=datetime,
)


async def is_open(
    tx: AsyncConnection,
    scope_id: UUID,
    channel: Channel,
    hashes: Sequence[bytes],
    now: datetime,
    sender: str | None = None,
) -> bool:
    """Whether the guest of these address hashes has written lately to `sender` (None: to any address of the scope's on
    this channel), so that a free text may follow."""
    lasts = CHANNELS[channel].window
    if lasts is None:
        return True
    oldest = now - timedelta(seconds=lasts)
    # A Messaging Service is written to at one of its numbers, which is not known here.
    number = sender if sender is not None and sender.startswith("+") else None
    found = await _LAST(
        tx,
        hashes=list(hashes),
        oldest=UUID(int=int(oldest.timestamp() * 1000) << 80),
        scope=scope_id,
        channel=channel.value,
        recipients=spellings(AddressKind.PHONE, number) if number else None,
    )
    return window_open(found[0] if found else None, now, lasts)


async def left(tx: AsyncConnection, row: MessageRow, hashes: Sequence[bytes], sender: str | None) -> Window:
    """What may be sent of a message now. `hashes`: its address; `sender`: what it would go out from."""
    if await is_open(tx, row.scope_id, row.channel, hashes, row.now, sender):
        return Window.OPEN
    approved: ApprovedText | None = approved_templates.of_stored(row.body)
    if approved is not None and await content_templates.is_usable(tx, row.scope_id, approved):
        return Window.TEMPLATE
    return Window.CLOSED
