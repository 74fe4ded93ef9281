"""Messages that wait for somebody, and not for their time: parked in the record, and released once that is over.

A parked message has `waits_for` (why) and `parked_at` (since when); it waits until it is released, or expires. Nobody
asks about it meanwhile: its workflow sleeps until it is woken. What is released is so by the state of the record
(`RELEASABLE`), never by an order, so that one which was killed, or came too early, is made up for by the next.

To pause a property, hold an account or take a sender away needs nothing from here: `claim` parks what comes due. To
resume, mend or set one: write it down (`updated_at` of the account, too), and after the commit hand the scope's
`backlogs` to `TemporalDispatcher.release`, or leave it to the next sweep.
"""

from __future__ import annotations

import random
from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Float, Integer, Text, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.answers import Answer, Next
from bellhop.domain.channels import Channel
from bellhop.domain.policy import Reason
from bellhop.domain.rows.delivery import Backlog
from bellhop.domain.rows.messages import MessageRow
from bellhop.store.compiled import CompiledStatement
from bellhop.store.delivery import pending_wakes
from bellhop.store.webhooks import events
from bellhop.store.webhooks.events import NewEvent

LONGEST = 30 * 86_400.0
"""Seconds a parked message sleeps at most, where it never expires."""
SPREAD = 60.0
"""Seconds by which what expires in the same instant is told apart, at most: they do not all come at once."""

# What is parked goes on when what it waits for is over. Whether another sender can carry it, only a claim can tell: so
# it is tried again when the scope's accounts have been changed since, give or take a transaction that was not yet
# committed; and when a worker has started since (`release_of_before`).
RELEASABLE = """
    scope.paused_at is null and (
      message.waits_for = 'paused'
      or (message.waits_for = 'account_held' and not exists (
        select from provider_accounts account where account.id = message.held_account_id and account.health = 'held'))
      or (message.waits_for = 'account_held' and exists (
        select from senders sender join provider_accounts account on account.id = sender.account_id
        where sender.scope_id = message.scope_id and sender.channel = message.channel
          and sender.capabilities @> '{"standby": true}' and account.health <> 'held'
          and account.updated_at > message.parked_at - interval '10 seconds'))
      or ((message.waits_for = 'no_sender' or (message.waits_for = 'account_held' and not exists (
          select from senders sender where sender.account_id = message.held_account_id
            and sender.channel = message.channel and sender.is_default)))
        and exists (
          select from provider_accounts account where account.scope_id = message.scope_id
            and account.updated_at > message.parked_at - interval '10 seconds'))
      or (message.waits_for = 'paced' and not exists (select from senders sender
        where sender.scope_id = message.scope_id and sender.pace_id = message.pace_id))
    )
"""

# Whatever takes a few of many does so as `= any(array(select …))`, which is worked out once and looked up by key: `in
# (select … limit …)` the planner may join with the whole table, and then lock more than that.

# What is urgent, then the oldest.
_FIRST = "array_position(array['urgent', 'normal', 'bulk'], message.priority), message.due_at, message.id"

_PARK = CompiledStatement(
    text(
        """
        update messages set waits_for = :reason, held_account_id = :account, pace_id = :pace,
          parked_at = case when waits_for = :reason then parked_at else now() end
        where id = :message
        """
    ).bindparams(bindparam("reason", type_=Text), bindparam("account", type_=Uuid), bindparam("pace", type_=Uuid))
)
_UNPARK = CompiledStatement(
    text("update messages set waits_for = null, parked_at = null, pace_id = null where id = :message")
)
_RELEASE = CompiledStatement(
    text(
        f"""
        update messages set waits_for = null, parked_at = null, held_account_id = null, pace_id = null,
          due_at = greatest(now(), scheduled_at), wake_due_at = clock_timestamp()
        where id = any(array(
          select message.id from messages message join scopes scope on scope.id = message.scope_id
          where message.scope_id = :scope and message.channel = :channel and message.waits_for is not null
            and {RELEASABLE}
          order by {_FIRST} limit :most for update of message skip locked
        ))
        returning id
        """
    ).bindparams(
        bindparam("scope", type_=Uuid),
        bindparam("most", type_=Integer),
    ),
    value=UUID,
)
_BACKLOGS = CompiledStatement(
    text(
        f"""
        select scope.id as scope_id, channel.name as channel
        from scopes scope cross join unnest(cast(:channels as text[])) as channel (name)
        where scope.paused_at is null and (cast(:scope as uuid) is null or scope.id = :scope) and exists (
          select from messages message
          where message.scope_id = scope.id and message.channel = channel.name and message.waits_for is not null
            and {RELEASABLE}
        )
        order by scope.id, channel.name
        """
    ).bindparams(bindparam("scope", type_=Uuid)),
    row=Backlog,
)
_RELEASE_OF_BEFORE = CompiledStatement(
    text(
        """
        update messages set waits_for = null, parked_at = null, wake_due_at = clock_timestamp()
        where id = any(array(
          select message.id from messages message
          where message.waits_for = 'no_sender' and message.parked_at < :started
          order by message.scope_id, message.channel, message.due_at, message.id
          limit :most for update of message skip locked
        ))
        returning id
        """
    ).bindparams(bindparam("started", type_=DateTime(timezone=True)), bindparam("most", type_=Integer)),
    value=UUID,
)
_PROBE = CompiledStatement(
    text(
        f"""
        update messages set wake_due_at = clock_timestamp()
        where id = any(array(
          select chosen.id from messages chosen where chosen.id = any(array(
            select (
              select message.id from messages message
              where message.held_account_id = account.id and message.waits_for = 'account_held'
              order by {_FIRST} limit 1
            )
            from provider_accounts account join scopes scope on scope.id = account.scope_id
            where account.health = 'held' and scope.paused_at is null
              and coalesce(account.probe_at, '-infinity') < now() - make_interval(secs => :late)
          ))
          order by chosen.id for update of chosen skip locked
        ))
        returning id
        """
    ).bindparams(bindparam("late", type_=Float)),
    value=UUID,
)


async def park(
    tx: AsyncConnection,
    row: MessageRow,
    reason: Reason,
    account_id: UUID | None = None,
    look: float | None = None,
    pace_id: UUID | None = None,
) -> Answer:
    """Let the locked message `row` wait until it is released, or expires. `account_id`: the account it waits for;
    `pace_id`: its sender's pace. `look`: seconds after which it asks again all the same; only whoever tries for the
    others does."""
    if reason is Reason.ACCOUNT_HELD:
        news = [NewEvent("message.held")] if row.held_account_id is None else []
    else:
        news = [NewEvent("message.waiting", facts={"for": reason.value})] if row.waits_for is not reason else []
    await events.write(tx, row.scope_id, "message", row.id, news)
    await _PARK(tx, message=row.id, reason=reason.value, account=account_id, pace=pace_id)
    left = (row.expires_at - row.now).total_seconds() if row.expires_at else LONGEST
    # Never before it expires, and at most a minute after: thousands may expire in the same instant.
    sleeps = min(LONGEST, left + random.uniform(0.0, min(SPREAD, left / 100)))
    after = max(0.0, sleeps if look is None else min(look, sleeps))
    return Answer(row.stage.value, Next.AGAIN, after, listed=reason.value)


async def unpark(tx: AsyncConnection, row: MessageRow) -> None:
    """The locked message `row` goes on: nothing stands against it any more."""
    if row.waits_for is not None or row.pace_id is not None:
        await _UNPARK(tx, message=row.id)


async def backlogs(tx: AsyncConnection, scope_id: UUID | None = None) -> list[Backlog]:
    """Where parked messages can go on: in that scope, or in all."""
    return await _BACKLOGS(tx, scope=scope_id, channels=[channel.value for channel in Channel])


async def release(tx: AsyncConnection, backlog: Backlog, most: int) -> list[MessageRow]:
    """Release the next of `backlog` that can go on, what is urgent and then the oldest first, at most `most`. After the
    commit: wake their workflows."""
    released = await _RELEASE(tx, scope=backlog.scope_id, channel=backlog.channel.value, most=most)
    return await pending_wakes.message_rows(tx, released) if released else []


async def release_of_before(tx: AsyncConnection, started: datetime, most: int) -> list[MessageRow]:
    """Release messages that found no sender before a worker started, at most `most`: it may have other settings, or
    know more providers. After the commit: wake their workflows."""
    released = await _RELEASE_OF_BEFORE(tx, started=started, most=most)
    return await pending_wakes.message_rows(tx, released) if released else []


async def probes(tx: AsyncConnection, late: float) -> list[MessageRow]:
    """One message of each held account that nobody has tried for `late` seconds more than it should take: whoever did
    so is over, or was killed. After the commit: wake their workflows; the claim decides who tries."""
    woken = await _PROBE(tx, late=late)
    return await pending_wakes.message_rows(tx, woken) if woken else []


_COUNT = CompiledStatement(
    text(
        """
        select count(*)::int from (
          select from messages where scope_id = :scope and channel = :channel and waits_for is not null limit :most
        ) waiting
        """
    ).bindparams(bindparam("most", type_=Integer)),
    value=int,
)


async def count(tx: AsyncConnection, scope_id: UUID, channel: Channel, most: int) -> int:
    """How many of a scope are parked on a channel; `most`: it is not counted further."""
    (found,) = await _COUNT(tx, scope=scope_id, channel=channel.value, most=most)
    return found
