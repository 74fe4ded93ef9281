"""Frequency caps: how many messages of a category a guest has had, whichever way they went.

Whoever counts holds a lock of the guest, and one of the address, until what it decides is committed: the attempt, where
the message goes out. So of two that could each be the last one allowed, the second sees the first. They are taken after
the message's row, and before an account that is tried and a sender's pace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, LargeBinary, Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import policy_settings
from bellhop.domain.rows.messages import MessageRow
from bellhop.store.compiled import CompiledStatement

_LOCK = CompiledStatement(
    text("select pg_advisory_xact_lock(:key)").bindparams(bindparam("key", type_=BigInteger)),
)
# What a provider took or may have taken counts, but for what surely did not arrive. What went out long ago is told by
# the row alone.
_HAD = CompiledStatement(
    text(
        """
        select count(*) from (
          select from (
            select id from messages where scope_id = :scope and guest_id = :guest
            union
            select id from messages where address_hash = any(:hashes) and scope_id = :scope
          ) theirs join messages message on message.id = theirs.id
          where message.id <> :message and message.direction = 'outbound' and message.category = :category
            and case when message.sent_at is not null
              then message.sent_at > :since and message.stage <> 'undelivered'
              else exists (
                select from attempts attempt where attempt.message_id = message.id
                  and attempt.state in ('in_flight', 'accepted', 'unknown', 'abandoned')
                  and attempt.created_at > :since)
              end
          limit :most
        ) counted
        """
    ).bindparams(
        *(bindparam(name, type_=Uuid) for name in ("scope", "guest", "message")),
        bindparam("hashes", type_=ARRAY(LargeBinary)),
        bindparam("category", type_=Text),
        bindparam("since", type_=DateTime(timezone=True)),
    ),
    value=int,
)


def _key(what: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(b"frequency cap\0" + what, digest_size=8).digest(), signed=True)


async def used_up(tx: AsyncConnection, row: MessageRow, hashes: Sequence[bytes]) -> bool:
    """Whether the guest of the locked message `row` has had as many of its category as one of its property's caps
    allows. `hashes`: under which its address may be stored, the first of them its own."""
    owners = [hashes[0], *([row.guest_id.bytes] if row.guest_id else [])]
    for key in sorted(_key(row.scope_id.bytes + owner) for owner in owners):
        await _LOCK(tx, key=key)
    for cap in policy_settings.caps(row.scope_settings, row.category):
        # A statement of its own: it sees what was committed while this one waited.
        if await had(tx, row, hashes, row.now - cap.per, cap.most) >= cap.most:
            return True
    return False


async def had(tx: AsyncConnection, row: MessageRow, hashes: Sequence[bytes], since: datetime, most: int) -> int:
    """How many others of its category the guest of a message has had since then; `most`: it is not counted further."""
    counted = await _HAD(
        tx,
        scope=row.scope_id,
        guest=row.guest_id or UUID(int=0),
        message=row.id,
        hashes=list(hashes),
        category=row.category.value,
        since=since,
        most=most,
    )
    return counted[0]
