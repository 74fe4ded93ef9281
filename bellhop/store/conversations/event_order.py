"""What has happened in a scope's conversations, in an order that every reader sees alike: by the transaction that wrote
it, then by its id.

Ids sort by when they were made, and what was made first may be committed last. Transactions are numbered as they first
write; one that is shown here is older than all that still run, so nothing comes to stand before it. That costs writers
nothing but a column, and a reader waits until whoever began to write earlier has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Integer, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.conversation_stream import Place
from bellhop.domain.scopes import Scope
from bellhop.store.compiled import CompiledStatement

_OLDEST = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_NEXT = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"


@dataclass(slots=True)
class EventRow:
    """An event, and the transaction that wrote it."""

    id: UUID
    xact: int
    scope_id: UUID
    property_id: UUID
    environment: str
    subject: str
    subject_id: UUID
    type: str
    created_at: datetime

    @property
    def place(self) -> Place:
        return Place(self.xact, self.id)

    @property
    def scope(self) -> Scope:
        return Scope(self.scope_id, self.property_id, self.environment)


_AFTER = CompiledStatement(
    text(
        f"""
        select event.*, scope.property_id, scope.environment
        from unnest(:scopes, :xacts, :ids) as wanted (scope_id, xact, id)
        join scopes scope on scope.id = wanted.scope_id
        cross join lateral (
          select id, xact, scope_id, subject, subject_id, type, created_at from events
          where scope_id = wanted.scope_id and (xact, id) > (wanted.xact, wanted.id) and xact < {_OLDEST}
          order by xact, id limit :most) event
        order by event.scope_id, event.xact, event.id
        """
    ).bindparams(
        bindparam("scopes", type_=ARRAY(Uuid)),
        bindparam("xacts", type_=ARRAY(BigInteger)),
        bindparam("ids", type_=ARRAY(Uuid)),
        bindparam("most", type_=Integer),
    ),
    row=EventRow,
)
_HORIZON = CompiledStatement(text(f"select {_OLDEST}"), value=int)
_FOREIGN = text(
    f"""
    update events set xact = null where id = any(array(
      select found.id from scopes cross join lateral (
        select id from events where scope_id = scopes.id and xact >= {_NEXT}) found))
    """
)


async def after(tx: AsyncConnection, wanted: Sequence[tuple[UUID, Place]], most: int) -> list[list[EventRow]]:
    """For each scope what comes after that place, in order, `most` at most. No scope is asked for twice."""
    rows = await _AFTER(
        tx,
        scopes=[scope_id for scope_id, _ in wanted],
        xacts=[place.xact for _, place in wanted],
        ids=[place.id for _, place in wanted],
        most=most,
    )
    by_scope: dict[UUID, list[EventRow]] = {}
    for row in rows:
        by_scope.setdefault(row.scope_id, []).append(row)
    return [by_scope.get(scope_id, []) for scope_id, _ in wanted]


async def horizon(tx: AsyncConnection) -> int:
    """The oldest transaction that still runs: everything before it is done."""
    return (await _HORIZON(tx))[0]


async def adopt(tx: AsyncConnection) -> None:
    """After a dump was restored: what another server's transactions wrote has no place among this one's, which has not
    come so far. Streams begin anew behind it."""
    await tx.execute(_FOREIGN)
