"""The figures of the ledger: what was accepted in a span, and where every single one of it stands.

One statement, so one snapshot: the figures of one answer fit each other whatever happens meanwhile. A span is read off
the ids, which sort by time (I9), so a day is found in the listing's own index however large the table has grown.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import DateTime, Text, Uuid

from bellhop.domain.channels import Channel
from bellhop.domain.ids import CLOCK_SLACK, earliest_id
from bellhop.domain.rows.reports import DeliveryFigures, FailureFigures, MessageFigures, SpanFigures
from bellhop.domain.scopes import Scope
from bellhop.domain.statuses import STATUS, Stage, Status

_OVER = "\n".join(
    f"when '{stage.value}' then '{status.value}'" for stage, status in STATUS.items() if status is not Status.QUEUED
)
_BY_CLASS = ",\n".join(
    f"count(*) filter (where class = '{name}') as {name}"
    for name in (
        *(status.value for status in Status if status is not Status.QUEUED),
        "unknown", "waiting", "held", "retrying", "due",
    )
)  # fmt: skip
_SPREAD = """
    count({0}) as count,
    percentile_disc(0.5) within group (order by {0}) as p50,
    percentile_disc(0.95) within group (order by {0}) as p95,
    percentile_disc(0.99) within group (order by {0}) as p99,
    max({0}) as worst
"""

# `due` is when it was to go out: as asked, or when it was moved to "now" (a late one only is looked up: the event says
# when). `due_at` is no measure of it, since holds and retries move that on.
_FIGURES = text(
    f"""
    with asked as materialized (
      select message.id, message.channel, message.stage, message.sent_at, message.held_account_id, message.tries,
        message.erased_at, coalesce(message.failure_code, 'undelivered') as failure_code,
        greatest(message.scheduled_at, message.created_at) as due,
        case when message.stage = '{Stage.QUEUED.value}' then (
          select min(attempt.created_at) from attempts attempt
          where attempt.message_id = message.id and attempt.state = 'unknown') end as unknown_since
      from messages message
      where message.scope_id = any(:scopes) and message.direction = 'outbound'
        and message.id >= :first and message.id < :last
        and message.created_at >= :since and message.created_at < :until
        and (cast(:channel as text) is null or message.channel = :channel)
    ), moved as materialized (
      select asked.*,
        case when (sent_at is not null or stage = '{Stage.QUEUED.value}')
            and coalesce(sent_at, statement_timestamp()) - due > interval '1 second'
          then greatest(due, (
            select max(event.created_at) from events event
            where event.subject_id = asked.id and event.type = 'message.rescheduled'))
          else due end as due_then
      from asked
    ), span as materialized (
      select channel, failure_code, unknown_since, erased_at,
        case stage
          {_OVER}
          else case
            when unknown_since is not null then 'unknown'
            when held_account_id is not null then 'held'
            when due_then > statement_timestamp() then 'waiting'
            when tries > 0 then 'retrying'
            else 'due' end
        end as class,
        extract(epoch from sent_at - due_then) as late,
        case when stage = '{Stage.QUEUED.value}' and due_then < statement_timestamp()
          then extract(epoch from statement_timestamp() - due_then) end
          as overdue
      from moved
    ), messages_of as (
      select channel, count(*) as accepted, {_BY_CLASS},
        count(erased_at) as erased, extract(epoch from statement_timestamp() - min(unknown_since)) as unknown_longest,
        count(overdue) as overdue, max(overdue) as overdue_worst, {_SPREAD.format("late")}
      from span group by grouping sets ((channel), ())
    ), failures_of as (
      select channel, failure_code, count(*) as count
      from span where class = '{Status.FAILED.value}' group by grouping sets ((channel, failure_code), (failure_code))
    ), webhooks_of as (
      select count(*) as owed,
        count(*) filter (where state = 'delivered') as delivered,
        count(*) filter (where state = 'pending') as pending,
        count(*) filter (where state = 'failed') as failed,
        count(*) filter (where state = 'abandoned') as abandoned,
        extract(epoch from statement_timestamp() - min(created_at) filter (where state = 'pending')) as pending_longest,
        {_SPREAD.format("late")}
      from (
        select delivery.state, delivery.created_at, case when delivery.state = 'delivered'
          then extract(epoch from delivery.delivered_at - delivery.created_at) end as late
        from deliveries delivery
        where delivery.scope_id = any(:scopes) and delivery.id >= :first and delivery.id < :last
          and delivery.created_at >= :since and delivery.created_at < :until
          and (cast(:channel as text) is null or exists (
            select from messages message where message.id = delivery.subject_id and message.channel = :channel))
      ) owed
    )
    select statement_timestamp() as now,
      (select jsonb_agg(to_jsonb(messages_of) order by channel) from messages_of) as messages,
      (select coalesce(jsonb_agg(to_jsonb(failures_of) order by count desc, failure_code), '[]') from failures_of)
        as failures,
      (select to_jsonb(webhooks_of) from webhooks_of) as webhooks
    """
).bindparams(
    bindparam("scopes", type_=ARRAY(Uuid)),
    bindparam("since", type_=DateTime(timezone=True)),
    bindparam("until", type_=DateTime(timezone=True)),
    bindparam("first", type_=Uuid),
    bindparam("last", type_=Uuid),
    bindparam("channel", type_=Text),
)


async def now(tx: AsyncConnection) -> datetime:
    """The time by the database's clock."""
    found: datetime = (await tx.execute(select(func.clock_timestamp()))).scalar_one()
    return found


async def figures(
    tx: AsyncConnection, scopes: Sequence[Scope], since: datetime, until: datetime, channel: Channel | None = None
) -> SpanFigures:
    """Outbound messages accepted from `since` until before `until`, and the webhook deliveries first owed then."""
    found = await tx.execute(
        _FIGURES,
        {
            "scopes": [scope.id for scope in scopes],
            "since": since,
            "until": until,
            "first": earliest_id(since - CLOCK_SLACK),
            "last": earliest_id(until + CLOCK_SLACK),
            "channel": channel.value if channel else None,
        },
    )
    row = found.one()
    return SpanFigures(
        row.now,
        [MessageFigures(**each) for each in row.messages],
        [FailureFigures(**each) for each in row.failures],
        DeliveryFigures(**row.webhooks),
    )
