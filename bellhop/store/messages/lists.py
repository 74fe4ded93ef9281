"""Lists of messages. The first page and any later one are read off an index, however many messages a scope has, and
however few of them are what is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Integer, Text, Uuid, and_, bindparam, case, column, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import statuses
from bellhop.domain.channels import Channel
from bellhop.domain.paging import COUNTED, Listed, PageRequest, Place
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.scopes import Scope
from bellhop.domain.statuses import Stage, Status
from bellhop.store import pages
from bellhop.store.compiled import CompiledStatement
from bellhop.store.messages import progress
from bellhop.store.rows import from_result
from bellhop.store.tables import messages, scopes

_OUTBOUND = (
    select(*progress.message_columns)
    .join(scopes, scopes.c.id == messages.c.scope_id)
    .where(messages.c.direction == "outbound", messages.c.erased_at.is_(None))
)
# Of each channel and stage the newest few, and of these the newest: as many looks into ix_messages_status as there are
# pairs, where a filter would read past everything that stands otherwise.
_OF_EACH = """
    from unnest(:channels) asked (channel) cross join unnest(:stages) wanted (stage) cross join lateral (
      (select id from messages
      where scope_id = :scope and direction = 'outbound' and erased_at is null
        and messages.channel = asked.channel and messages.stage = wanted.stage and messages.id < :before
        and (messages.sent_at is null or messages.stage <> 'queued')
      order by id desc limit :most)
      union all
      (select id from messages
      where wanted.stage = 'again' and scope_id = :scope and direction = 'outbound' and erased_at is null
        and messages.channel = asked.channel and messages.stage = 'queued' and messages.sent_at is not null
        and messages.delivered_at is null and messages.id < :before
      order by id desc limit :most)
      union all
      (select id from messages
      where wanted.stage = 'reminded' and scope_id = :scope and direction = 'outbound' and erased_at is null
        and messages.channel = asked.channel and messages.stage = 'queued' and messages.sent_at is not null
        and messages.delivered_at is not null and messages.id < :before
      order by id desc limit :most)
    ) newest
"""
AGAIN = "again"
"""Among stages: of what a provider once took, and whose next step waits. Such a message is shown as sent."""
REMINDED = "reminded"
"""The same of what has arrived, and whose reminder waits: it is shown as delivered."""
_GIVEN = (
    bindparam("channels", type_=ARRAY(Text)),
    bindparam("stages", type_=ARRAY(Text)),
    bindparam("scope", type_=Uuid),
    bindparam("before", type_=Uuid),
    bindparam("most", type_=Integer),
)
_NEWEST = (
    text(f"select newest.id {_OF_EACH} order by newest.id desc limit :taken offset :skipped")
    .bindparams(*_GIVEN, bindparam("taken", type_=Integer), bindparam("skipped", type_=Integer))
    .columns(column("id", Uuid))
    .subquery("listed")
)
_PAGE = CompiledStatement(
    select(*progress.message_columns)
    .join(scopes, scopes.c.id == messages.c.scope_id)
    .join(_NEWEST, _NEWEST.c.id == messages.c.id)
    .order_by(messages.c.id.desc()),
    row=MessageRow,
)
_COUNT = CompiledStatement(
    text(f"select count(*) from (select newest.id {_OF_EACH} limit :most) counted").bindparams(*_GIVEN), value=int
)


_AGAIN = and_(messages.c.stage == Stage.QUEUED.value, messages.c.sent_at.is_not(None))


def _place(row: MessageRow) -> Place:
    return Place(row.id)


async def listing(
    tx: AsyncConnection,
    scope: Scope,
    asked: PageRequest,
    *,
    guest_id: UUID | None = None,
    channel: Channel | None = None,
    status: Status | None = None,
) -> Listed[MessageRow]:
    """Outbound messages of this scope, newest first."""
    channels = [channel.value] if channel else [each.value for each in Channel]
    stages = [stage.value for stage in (statuses.stages_of(status) if status else Stage)]
    if status in (None, Status.SENT):
        stages.append(AGAIN)
    if status in (None, Status.DELIVERED):
        stages.append(REMINDED)
    if guest_id is not None:
        return await _of_guest(tx, scope, asked, guest_id, channels, stages)
    given = {"channels": channels, "stages": stages, "scope": scope.id}
    if channel is None and status is None:
        rows = await _of_all(tx, scope, asked)
    else:
        # What is skipped is read, too, of each pair.
        taken = asked.limit + 1
        most = asked.offset + taken
        rows = await _PAGE(tx, **given, before=pages.before(asked), most=most, taken=taken, skipped=asked.offset)

    async def counted() -> int:
        return (await _COUNT(tx, **given, before=pages.LAST, most=COUNTED + 1))[0]

    return await pages.page(rows, asked, _place, counted)


async def _of_all(tx: AsyncConnection, scope: Scope, asked: PageRequest) -> list[MessageRow]:
    """What is skipped is read once, not of each pair, and before anything is joined."""
    sent = select(messages.c.id).where(messages.c.direction == "outbound", messages.c.erased_at.is_(None))
    newest = pages.within(sent, messages.c.scope_id, scope.id, messages.c.id, pages.before(asked))
    listed = pages.taken(newest, asked).subquery("listed")
    found = await tx.execute(
        select(*progress.message_columns)
        .join(scopes, scopes.c.id == messages.c.scope_id)
        .join(listed, listed.c.id == messages.c.id)
        .order_by(messages.c.id.desc())
    )
    return from_result(MessageRow, found)


async def _of_guest(
    tx: AsyncConnection,
    scope: Scope,
    asked: PageRequest,
    guest_id: UUID,
    channels: Sequence[str],
    stages: Sequence[str],
) -> Listed[MessageRow]:
    """A guest has so few that their own index will do."""
    query = _OUTBOUND.where(
        messages.c.scope_id == scope.id,
        messages.c.guest_id == guest_id,
        messages.c.channel.in_(channels),
        case(
            (and_(_AGAIN, messages.c.delivered_at.is_(None)), AGAIN),
            (_AGAIN, REMINDED),
            else_=messages.c.stage,
        ).in_(stages),
    )
    found = await tx.execute(
        pages.taken(query.where(messages.c.id < pages.before(asked)).order_by(messages.c.id.desc()), asked)
    )
    return await pages.page(from_result(MessageRow, found), asked, _place, lambda: pages.count(tx, query))
