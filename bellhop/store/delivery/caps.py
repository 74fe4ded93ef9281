"""Frequency caps: how many messages of a category a guest has had, whichever way they went.

Whoever counts holds a lock of the guest, and one of the address, until what it decides is committed: the attempt, where
the message goes out. So of two that could each be the last one allowed, the second sees the first. They are taken after
the message's row, and before an account that is tried and a sender's pace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, LargeBinary, Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import policy_settings
from bellhop.domain.categories import Category
from bellhop.domain.policy_settings import Cap
from bellhop.domain.rows.messages import MessageRow
from bellhop.store.compiled import CompiledStatement

_LOCK = CompiledStatement(
    text("select pg_advisory_xact_lock(:key)").bindparams(bindparam("key", type_=BigInteger)),
)


def _had(guest: str, hashes: str, message: str) -> str:
    """SQL of how many messages count. What a provider took or may have taken does, but for what surely did not arrive.
    What went out long ago is told by the row alone."""
    return f"""
        select count(*) from (
          select from (
            select id from messages where scope_id = :scope and guest_id = {guest}
            union
            select id from messages where address_hash = any({hashes}) and scope_id = :scope
          ) theirs join messages message on message.id = theirs.id
          where message.id <> {message} and message.direction = 'outbound' and message.category = :category
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


_NONE = UUID(int=0)
_HAD = CompiledStatement(
    text(_had(":guest", ":hashes", ":message")).bindparams(
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
        guest=row.guest_id or _NONE,
        message=row.id,
        hashes=list(hashes),
        category=row.category.value,
        since=since,
        most=most,
    )
    return counted[0]


@dataclass(slots=True)
class _Had:
    place: int
    count: int


_HAD_OF_EACH = CompiledStatement(
    text(
        f"""
        select given.place::int as place, ({_had("given.guest", "array[given.hashed]", ":none")})::int as count
        from unnest(:guests, :hashes) with ordinality given (guest, hashed, place)
        """
    ).bindparams(
        bindparam("scope", type_=Uuid),
        bindparam("none", type_=Uuid),
        bindparam("guests", type_=ARRAY(Uuid)),
        bindparam("hashes", type_=ARRAY(LargeBinary)),
        bindparam("category", type_=Text),
        bindparam("since", type_=DateTime(timezone=True)),
    ),
    row=_Had,
)


async def used_up_by(
    tx: AsyncConnection,
    scope_id: UUID,
    category: Category,
    caps: Sequence[Cap],
    now: datetime,
    owners: Sequence[tuple[UUID | None, bytes]],
) -> set[int]:
    """Which of some guests and addresses (the hash, as it is now) have had as many of a category as one of the caps
    allows, by their places. Nobody is kept waiting: by the time they are written to it may be otherwise."""
    found: set[int] = set()
    for cap in caps if owners else ():
        had = await _HAD_OF_EACH(
            tx,
            scope=scope_id,
            none=_NONE,
            guests=[guest_id or _NONE for guest_id, _ in owners],
            hashes=[hashed for _, hashed in owners],
            category=category.value,
            since=now - cap.per,
            most=cap.most,
        )
        found |= {one.place - 1 for one in had if one.count >= cap.most}
    return found
