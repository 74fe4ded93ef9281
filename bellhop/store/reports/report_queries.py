"""The figures of the ledger: what was accepted in a span, and where every single one of it stands.

One statement, so one snapshot: the figures of one answer fit each other whatever happens meanwhile. A span is read off
the ids, which sort by time (I9), so a day is found in the listing's own index however large the table has grown. What
is read is counted as it comes, in cells of one kind and one millisecond of lateness: a month of everybody's messages is
never sorted, and no percentile is off by more than half of that.
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
from bellhop.domain.rows.reports import DeliveryFigures, FailureFigures, LinkFigures, MessageFigures, SpanFigures
from bellhop.domain.scopes import Scope
from bellhop.domain.statuses import STATUS, Stage, Status

_OVER = "\n".join(
    f"when '{stage.value}' then '{status.value}'" for stage, status in STATUS.items() if status is not Status.QUEUED
)
_BY_CLASS = ",\n".join(
    f"coalesce(sum(n) filter (where class = '{name}'), 0)::bigint as {name}"
    for name in (
        *(status.value for status in Status if status is not Status.QUEUED),
        "unknown", "waiting", "held", "retrying", "due",
    )
)  # fmt: skip
_BY_STATE = ",\n".join(
    f"coalesce(sum(n) filter (where state = '{name}'), 0)::bigint as {name}"
    for name in ("delivered", "pending", "failed", "abandoned")
)
_SPREAD = """
    coalesce(max(total), 0)::bigint as count,
    min(late) filter (where up_to >= 0.5 * total) / 1000.0 as p50,
    min(late) filter (where up_to >= 0.95 * total) / 1000.0 as p95,
    min(late) filter (where up_to >= 0.99 * total) / 1000.0 as p99,
    max(late) / 1000.0 as worst
"""
"""Of latenesses in ms: `up_to` of `total` were no later than this."""

# `due` is when it was to go out: as asked, or when it was moved to "now" (a late one only is looked up: the event says
# when). `due_at` is no measure of it, since holds and retries move that on.
_FIGURES = text(
    f"""
    with cells as materialized (
      select channel, class, case when class = '{Status.FAILED.value}' then failure_code end as failure_code, late,
        count(*) as n, count(erased_at) as erased, min(unknown_since) as unknown_since,
        count(overdue) as overdue, max(overdue) as overdue_worst
      from (
        select message.channel, coalesce(message.failure_code, 'undelivered') as failure_code, message.erased_at,
          asked.unknown_since,
          case message.stage
            {_OVER}
            else case
              when asked.unknown_since is not null then 'unknown'
              -- What a provider once took is shown so while its next step waits.
              when message.delivered_at is not null then '{Status.DELIVERED.value}'
              when message.sent_at is not null then '{Status.SENT.value}'
              when message.held_account_id is not null then 'held'
              when moved.due > statement_timestamp() then 'waiting'
              when message.tries > 0 then 'retrying'
              else 'due' end
          end as class,
          round(date_part('epoch', message.sent_at - moved.due) * 1000)::bigint as late,
          case when message.stage = '{Stage.QUEUED.value}' and message.sent_at is null
              and moved.due < statement_timestamp()
            then date_part('epoch', statement_timestamp() - moved.due) end as overdue
        from messages message
        -- `offset 0`: worked out once for each message, however often it is named.
        cross join lateral (
          select greatest(message.scheduled_at, message.created_at) as due,
            case when message.stage = '{Stage.QUEUED.value}' then (
              select min(attempt.created_at) from attempts attempt
              where attempt.message_id = message.id and attempt.state = 'unknown') end as unknown_since
          offset 0
        ) asked
        cross join lateral (
          select case when (message.sent_at is not null or message.stage = '{Stage.QUEUED.value}')
              and coalesce(message.sent_at, statement_timestamp()) - asked.due > interval '1 second'
            then greatest(asked.due, (
              select max(event.created_at) from events event
              where event.subject_id = message.id and event.type = 'message.rescheduled'))
            else asked.due end as due
          offset 0
        ) moved
        where message.scope_id = any(:scopes) and message.direction = 'outbound'
          and message.id >= :first and message.id < :last
          and message.created_at >= :since and message.created_at < :until
          and (cast(:channel as text) is null or message.channel = :channel)
        offset 0
      ) span
      group by 1, 2, 3, 4
    ), spreads as (
      select channel, {_SPREAD}
      from (
        select channel, late, sum(n) over (partition by channel order by late) as up_to,
          sum(n) over (partition by channel) as total
        from (
          select channel, late, sum(n) as n from cells where late is not null
          group by grouping sets ((channel, late), (late))
        ) counted
      ) ranked
      group by channel
    ), messages_of as (
      select figures.*, coalesce(spreads.count, 0) as count, spreads.p50, spreads.p95, spreads.p99, spreads.worst
      from (
        select channel, coalesce(sum(n), 0)::bigint as accepted, {_BY_CLASS},
          coalesce(sum(erased), 0)::bigint as erased,
          extract(epoch from statement_timestamp() - min(unknown_since)) as unknown_longest,
          coalesce(sum(overdue), 0)::bigint as overdue, max(overdue_worst) as overdue_worst
        from cells group by grouping sets ((channel), ())
      ) figures
      left join spreads on spreads.channel is not distinct from figures.channel
    ), failures_of as (
      select channel, failure_code, sum(n)::bigint as count
      from cells where class = '{Status.FAILED.value}' group by grouping sets ((channel, failure_code), (failure_code))
    ), owed as materialized (
      select state, late, count(*) as n, min(created_at) filter (where state = 'pending') as pending_since
      from (
        select delivery.state, delivery.created_at, case when delivery.state = 'delivered'
          then round(date_part('epoch', delivery.delivered_at - delivery.created_at) * 1000)::bigint end as late
        from endpoints endpoint join deliveries delivery on delivery.endpoint_id = endpoint.id
        where endpoint.scope_id = any(:scopes) and delivery.event_id >= :first and delivery.event_id < :last
          and delivery.created_at >= :since and delivery.created_at < :until
          and (cast(:channel as text) is null or exists (
            select from messages message where message.id = delivery.subject_id and message.channel = :channel))
      ) each
      group by 1, 2
    ), webhooks_of as (
      select figures.*, spread.*
      from (
        select coalesce(sum(n), 0)::bigint as owed,
          {_BY_STATE},
          extract(epoch from statement_timestamp() - min(pending_since)) as pending_longest
        from owed
      ) figures
      cross join (
        select {_SPREAD}
        from (
          select late, sum(n) over (order by late) as up_to, sum(n) over () as total
          from owed where late is not null
        ) ranked
      ) spread
    ), links_of as (
      select count(*) as made, count(*) filter (where link.clicks > 0) as followed,
        coalesce(sum(link.clicks), 0)::bigint as clicks, coalesce(sum(link.bot_clicks), 0)::bigint as bot_clicks
      from short_links link
      where link.scope_id = any(:scopes) and link.id >= :first and link.id < :last
        and link.created_at >= :since and link.created_at < :until
        and (cast(:channel as text) is null or exists (
          select from messages message where message.id = link.message_id and message.channel = :channel))
    )
    select statement_timestamp() as now, (select to_jsonb(links_of) from links_of) as links,
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
        LinkFigures(**row.links),
    )
