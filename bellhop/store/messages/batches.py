"""Batches of messages: what they lock before anything is written, and the outcomes that a repetition is told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, any_, bindparam, insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.scopes import Scope
from bellhop.store.access.idempotency import KEPT_HOURS
from bellhop.store.compiled import CompiledStatement
from bellhop.store.conversations.nearest_stays import nearest_of
from bellhop.store.messages import progress
from bellhop.store.tables import message_batches, messages, scopes


@dataclass(slots=True)
class _About:
    guest_id: UUID
    stay_id: UUID | None


_IDS = ARRAY(Uuid)
_GUESTS = CompiledStatement(
    text(
        """
        select id from guests where scope_id = :scope and id = any(:guests) order by id for key share
        """
    ).bindparams(bindparam("guests", type_=_IDS)),
    value=UUID,
)
_ABOUT = CompiledStatement(
    text(
        f"""
        select guests.id as guest_id, ({nearest_of("guests.id")}) as stay_id
        from guests where scope_id = :scope and id = any(:guests)
        """
    ).bindparams(bindparam("guests", type_=_IDS), bindparam("scope", type_=Uuid)),
    row=_About,
)
_CONVERSATIONS = CompiledStatement(
    text(
        """
        select id from conversations where id = any(array(
          select id from conversations where scope_id = :scope and (about_id = any(:abouts) or id = any(:named))))
        order by id for update
        """
    ).bindparams(bindparam("abouts", type_=_IDS), bindparam("named", type_=_IDS)),
    value=UUID,
)
_MESSAGES = CompiledStatement(
    select(*progress.message_columns)
    .join(scopes, scopes.c.id == messages.c.scope_id)
    .where(
        messages.c.scope_id == bindparam("scope"),
        messages.c.id == any_(bindparam("asked", type_=_IDS)),
        messages.c.direction == "outbound",
        messages.c.erased_at.is_(None),
    ),
    row=MessageRow,
)
_OLD = text(
    f"""
    delete from message_batches where ctid = any(array(
      select ctid from message_batches where created_at < now() - interval '{KEPT_HOURS} hours'
      order by created_at limit :most for update skip locked))
    """
)


async def lock(
    tx: AsyncConnection,
    scope: Scope,
    guests: Collection[UUID],
    stays: Collection[UUID],
    conversations: Collection[UUID],
) -> Mapping[UUID, UUID]:
    """Lock what messages to these will lock, in the one order of locks: the guests, then the conversations that there
    are. Returns what messages to each guest are about that name no stay: a stay of theirs, or the guest."""
    if not (guests or stays or conversations):
        return {}
    known = await _GUESTS(tx, scope=scope.id, guests=list(guests)) if guests else []
    about = await _ABOUT(tx, scope=scope.id, guests=known) if known else []
    abouts = {one.guest_id: one.stay_id or one.guest_id for one in about}
    # A message that names its stay may be about another one than its guest's nearest.
    await _CONVERSATIONS(tx, scope=scope.id, abouts=list({*abouts.values(), *stays}), named=list(conversations))
    return abouts


async def write(tx: AsyncConnection, scope: Scope, outcomes: Sequence[Mapping[str, Any]]) -> UUID:
    """Keep the outcomes of a batch, for as long as its Idempotency-Key is kept."""
    made = insert(message_batches).values(scope_id=scope.id, outcomes=list(outcomes)).returning(message_batches.c.id)
    batch_id: UUID = (await tx.execute(made)).scalar_one()
    return batch_id


async def read(tx: AsyncConnection, scope: Scope, batch_id: UUID) -> list[dict[str, Any]] | None:
    """The outcomes of a batch; None: it is kept no longer."""
    found: list[dict[str, Any]] | None = (
        await tx.execute(
            select(message_batches.c.outcomes).where(
                message_batches.c.scope_id == scope.id, message_batches.c.id == batch_id
            )
        )
    ).scalar()
    return found


async def messages_of(tx: AsyncConnection, scope: Scope, message_ids: Sequence[UUID]) -> dict[UUID, MessageRow]:
    """These messages, but for those that were erased."""
    return {row.id: row for row in await _MESSAGES(tx, scope=scope.id, asked=list(message_ids))}


async def old(tx: AsyncConnection, most: int) -> int:
    """Outcomes whose Idempotency-Key is forgotten."""
    return (await tx.execute(_OLD, {"most": most})).rowcount
