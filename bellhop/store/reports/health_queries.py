"""What is stuck right now, as the database shows it: each function gives rows, [] when there is nothing to tell.

`after`: seconds something may last before it is told. Rows hold counts, seconds and ids, never a guest's data.
Everything pending is found by the partial indexes that recovery reads, so a large table costs nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import RowMapping, TextClause, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.ids import endpoint_workflow, message_workflow
from bellhop.domain.rows.reports import (
    HeldAccount,
    IdleEndpoint,
    LiveAccount,
    MessagesWithoutSender,
    PacedMessages,
    ParkedMessages,
    PausedScope,
    PendingErasures,
    StuckMessages,
    UnappliedReceipts,
    UndrainedDeliveries,
    UnknownOutcomes,
    UnmatchedTexts,
    UnreadList,
    WaitingQuestions,
)
from bellhop.store.delivery.parked import RELEASABLE
from bellhop.store.rows import from_result
from bellhop.store.tables import installation

T = TypeVar("T")

_PUBLIC_IDS = {"message": message_workflow, "endpoint": endpoint_workflow}

# Only what is near its time: of what is scheduled for later there may be a great deal. What is parked is told apart.
_QUEUED = """
    messages message join scopes scope on scope.id = message.scope_id
    where message.stage = 'queued' and message.direction = 'outbound' and message.waits_for is null
      and message.due_at < now() + interval '1 hour'
"""
_LATE = "greatest(message.scheduled_at, message.created_at) < now() - make_interval(secs => :after)"
_CALLED = """exists (select from attempts attempt where attempt.message_id = message.id
    and attempt.state in ('in_flight', 'unknown'))"""
_OLDEST = "(array_agg(message.id order by {0}))[1] as message, extract(epoch from now() - min({0}))::float8 as seconds"

_PAST_DUE = text(
    f"""
    select count(*) as count, {_OLDEST.format("message.due_at")} from {_QUEUED}
      and message.due_at < now() - make_interval(secs => :after) and scope.paused_at is null and not {_CALLED}
      and not exists (select from provider_accounts account
        where account.id = message.held_account_id and account.health = 'held')
    """
)
_NO_SENDER = text(
    f"""
    select count(*) as count, {_OLDEST.format("greatest(message.scheduled_at, message.created_at)")},
      property.slug as property, scope.environment, message.channel
    from (
      select message.* from {_QUEUED} and not exists (select from senders sender
        where sender.scope_id = message.scope_id and sender.channel = message.channel)
      union all
      select message.* from messages message where message.waits_for = 'no_sender'
    ) message join scopes scope on scope.id = message.scope_id
      join properties property on property.id = scope.property_id
    where {_LATE}
    group by property.slug, scope.environment, message.channel order by 4, 5, 6
    """
)
_RETRYING = text(
    f"""
    select count(*) as count, {_OLDEST.format("greatest(message.scheduled_at, message.created_at)")} from {_QUEUED}
      and message.tries > 0 and message.held_account_id is null and {_LATE} and not {_CALLED}
    """
)
_PENDING_NOTIFICATIONS = text(
    f"""
    select count(*) as count, {_OLDEST.format("message.wake_due_at")} from messages message
    where message.wake_due_at < now() - make_interval(secs => :after)
    """
)
_LAPSED = text(
    f"""
    select count(*) as count, {_OLDEST.format("attempt.lease_until")}
    from attempts attempt join messages message on message.id = attempt.message_id and message.stage = 'queued'
    where attempt.state = 'in_flight' and attempt.lease_until < now() - make_interval(secs => :after)
    """
)
_UNKNOWN = text(
    f"""
    select count(*) as count, {_OLDEST.format("attempt.created_at")}, attempt.provider
    from messages message join attempts attempt on attempt.message_id = message.id and attempt.state = 'unknown'
    where message.stage = 'queued' and message.direction = 'outbound' and message.waits_for is null
      and message.due_at < now() and attempt.created_at < now() - make_interval(secs => :after)
    group by attempt.provider order by attempt.provider
    """
)
_HELD = text(
    """
    select property.slug as property, scope.environment, account.provider, account.identity,
      coalesce(account.held_code, 'none') as code, extract(epoch from now() - account.held_since)::float8 as seconds,
      (select count(*) from messages message
       where message.held_account_id = account.id and message.stage = 'queued') as count
    from provider_accounts account join scopes scope on scope.id = account.scope_id
      join properties property on property.id = scope.property_id
    where account.health = 'held' and (coalesce(account.held_code, '') = 'operator') = :by_hand
    order by account.held_since
    """
)
_PAUSED = text(
    """
    select property.slug as property, scope.environment,
      extract(epoch from now() - scope.paused_at)::float8 as seconds,
      (select count(*) from messages message where message.scope_id = scope.id and message.waits_for is not null)
      + (select count(*) from messages message where message.scope_id = scope.id and message.stage = 'queued'
         and message.direction = 'outbound' and message.waits_for is null and message.due_at <= now()) as count
    from scopes scope join properties property on property.id = scope.property_id
    where scope.paused_at is not null order by scope.paused_at
    """
)
_PACED = text(
    f"""
    select count(*) as count, {_OLDEST.format("message.parked_at")}, property.slug as property, scope.environment,
      message.channel, sender.rate::text as rate
    from messages message join scopes scope on scope.id = message.scope_id
      join properties property on property.id = scope.property_id
      join senders sender on sender.scope_id = message.scope_id and sender.pace_id = message.pace_id
    where message.waits_for = 'paced' and message.parked_at < now() - make_interval(secs => :after)
    group by property.slug, scope.environment, message.channel, sender.rate order by 4, 5, 6
    """
)
_UNRELEASED = text(
    f"""
    select count(*) as count, extract(epoch from now() - min(message.parked_at))::float8 as seconds,
      property.slug as property, scope.environment
    from messages message join scopes scope on scope.id = message.scope_id
      join properties property on property.id = scope.property_id
    where message.waits_for is not null and {RELEASABLE}
    group by property.slug, scope.environment order by 3, 4
    """
)
_ENDPOINTS = """
    select property.slug as property, scope.environment, endpoint.id as endpoint,
      extract(epoch from now() - endpoint.{0})::float8 as seconds, coalesce(endpoint.disabled_reason, '') as reason,
      (select count(*) from pending_deliveries pending where pending.endpoint_id = endpoint.id) as count
    from endpoints endpoint join scopes scope on scope.id = endpoint.scope_id
      join properties property on property.id = scope.property_id
    where endpoint.deleted_at is null and {1}
      and endpoint.{0} < now() - make_interval(secs => :after) order by endpoint.{0}
"""
_FAILING = text(_ENDPOINTS.format("failing_since", "endpoint.is_active"))
_DISABLED = text(_ENDPOINTS.format("disabled_at", "not endpoint.is_active"))
_UNDRAINED = text(
    """
    select count(*) as count, count(distinct pending.endpoint_id) as endpoints,
      extract(epoch from now() - min(pending.next_at))::float8 as seconds
    from endpoints endpoint join pending_deliveries pending on pending.endpoint_id = endpoint.id
    where endpoint.is_active and endpoint.deleted_at is null
      and (endpoint.draining_until is null or endpoint.draining_until <= now())
      and pending.next_at < now() - make_interval(secs => :after)
    """
)
_HISTORIES = text(
    """
    select count(*) as count, extract(epoch from now() - min(created_at))::float8 as seconds from history_erasures
    where created_at < now() - make_interval(secs => :after)
    """
)
_UNAPPLIED = text(
    """
    select count(*) as count, extract(epoch from now() - min(received_at))::float8 as seconds from unapplied_receipts
    where received_at < now() - make_interval(secs => :after)
    """
)
_UNMATCHED = text(
    """
    select count(*) as count, account.provider, account.identity,
      extract(epoch from now() - max(receipt.received_at))::float8 as seconds
    from receipts receipt join provider_accounts account on account.id = receipt.account_id
    where receipt.word = 'inbound' and receipt.message_id is null and receipt.payload is not null
      and receipt.received_at > now() - interval '3 days'
    group by account.provider, account.identity order by account.provider, account.identity
    """
)


_UNREAD_LISTS = text(
    """
    select count(distinct scope.id) as count, list.provider, list.identity,
      extract(epoch from now() - list.received_until)::float8 as seconds
    from inbound_lists list
      join provider_accounts account on account.provider = list.provider and account.identity = list.identity
      join scopes scope on scope.id = account.scope_id and scope.environment = list.environment
      join senders sender on sender.account_id = account.id
    where list.environment = 'live' and list.received_until < now() - make_interval(secs => :after)
      and account.credentials <> '{}'
    group by list.provider, list.identity, list.received_until order by list.received_until
    """
)


_QUESTIONS = text(
    """
    select count(*) as count, provider, identity, environment,
      extract(epoch from now() - min(asked_from))::float8 as seconds
    from waiting_questions where comes_at > now() - interval '1 minute'
      and asked_from < now() - make_interval(secs => :after)
    group by provider, identity, environment order by min(asked_from)
    """
)


async def clock(tx: AsyncConnection) -> datetime:
    """The time by the database's clock, now."""
    at: datetime = (await tx.execute(select(func.clock_timestamp()))).scalar_one()
    return at


async def size(tx: AsyncConnection) -> int:
    """Bytes the database takes."""
    taken: int = (await tx.execute(text("select pg_database_size(current_database())"))).scalar_one()
    return taken


async def revision(tx: AsyncConnection) -> str | None:
    """The migration the database is at; None: it has no tables of ours."""
    there = (await tx.execute(text("select to_regclass('alembic_version')"))).scalar_one()
    if there is None:
        return None
    found: str | None = (await tx.execute(text("select version_num from alembic_version"))).scalar_one_or_none()
    return found


async def secret_check(tx: AsyncConnection) -> bytes | None:
    """The check value of the key this database was made with; None: of no key yet."""
    found = (await tx.execute(select(installation.c.secret_check))).scalar_one_or_none()
    return None if found is None else bytes(found)


async def past_due(tx: AsyncConnection, after: float) -> list[StuckMessages]:
    """Messages that should be on their way: no pause, no hold, no call of theirs under way or being settled."""
    return await _looked(tx, StuckMessages, _PAST_DUE, after)


async def without_sender(tx: AsyncConnection, after: float) -> list[MessagesWithoutSender]:
    """Messages on a channel on which their property has no sender any more."""
    return await _looked(tx, MessagesWithoutSender, _NO_SENDER, after)


async def retrying(tx: AsyncConnection, after: float) -> list[StuckMessages]:
    """Messages that a provider does not take, and that are tried again and again."""
    return await _looked(tx, StuckMessages, _RETRYING, after)


async def pending_notifications(tx: AsyncConnection, after: float) -> list[StuckMessages]:
    """Messages of which Temporal has not been told."""
    return await _looked(tx, StuckMessages, _PENDING_NOTIFICATIONS, after)


async def lapsed(tx: AsyncConnection, after: float) -> list[StuckMessages]:
    """Calls that have outlived their lease, and that nobody is settling."""
    return await _looked(tx, StuckMessages, _LAPSED, after)


async def unknown(tx: AsyncConnection, after: float) -> list[UnknownOutcomes]:
    """Calls whose outcome is not known, by provider."""
    return await _looked(tx, UnknownOutcomes, _UNKNOWN, after)


async def held(tx: AsyncConnection, _: float) -> list[HeldAccount]:
    """Provider accounts that are held because they are at fault."""
    return await _looked(tx, HeldAccount, _HELD.bindparams(by_hand=False))


async def held_by_operator(tx: AsyncConnection, _: float) -> list[HeldAccount]:
    """Provider accounts that somebody holds."""
    return await _looked(tx, HeldAccount, _HELD.bindparams(by_hand=True))


async def live_accounts(tx: AsyncConnection) -> list[LiveAccount]:
    """The provider accounts that live environments send through."""
    found = await tx.execute(
        text(
            "select property.slug as property, account.provider, account.identity, account.base_url"
            " from provider_accounts account join scopes scope on scope.id = account.scope_id"
            " join properties property on property.id = scope.property_id"
            " where scope.environment = 'live' and account.credentials <> '{}' order by account.id"
        )
    )
    return from_result(LiveAccount, found)


async def paused(tx: AsyncConnection, _: float) -> list[PausedScope]:
    """Scopes that send nothing, because somebody said so."""
    return await _looked(tx, PausedScope, _PAUSED)


async def paced(tx: AsyncConnection, after: float) -> list[PacedMessages]:
    """Messages that wait for their turn at a sender."""
    return await _looked(tx, PacedMessages, _PACED, after)


async def unreleased(tx: AsyncConnection, _: float) -> list[ParkedMessages]:
    """Parked messages that can go on: what they waited for is over."""
    return await _looked(tx, ParkedMessages, _UNRELEASED)


async def failing(tx: AsyncConnection, after: float) -> list[IdleEndpoint]:
    """Webhook endpoints that take nothing."""
    return await _looked(tx, IdleEndpoint, _FAILING, after)


async def disabled(tx: AsyncConnection, _: float) -> list[IdleEndpoint]:
    """Webhook endpoints that were switched off because they took nothing."""
    return await _looked(tx, IdleEndpoint, _DISABLED, 0.0)


async def undrained(tx: AsyncConnection, after: float) -> list[UndrainedDeliveries]:
    """Deliveries that are due and that nobody makes."""
    return await _looked(tx, UndrainedDeliveries, _UNDRAINED, after)


async def unmatched(tx: AsyncConnection, _: float) -> list[UnmatchedTexts]:
    """Guests' texts of the last days that are no property's, by account."""
    return await _looked(tx, UnmatchedTexts, _UNMATCHED)


async def unapplied_receipts(tx: AsyncConnection, after: float) -> list[UnappliedReceipts]:
    """Receipts that were stored and acknowledged, and that nobody has applied."""
    return await _looked(tx, UnappliedReceipts, _UNAPPLIED, after)


async def unread_lists(tx: AsyncConnection, after: float) -> list[UnreadList]:
    """Live accounts that could not be asked for guests' messages."""
    return await _looked(tx, UnreadList, _UNREAD_LISTS, after)


async def waiting_questions(tx: AsyncConnection, after: float) -> list[WaitingQuestions]:
    """Accounts at providers that are asked as often as they may be, with questions that wait for their turn."""
    return await _looked(tx, WaitingQuestions, _QUESTIONS, after)


async def histories(tx: AsyncConnection, after: float) -> list[PendingErasures]:
    """Histories of erased guests that Temporal still has."""
    return await _looked(tx, PendingErasures, _HISTORIES, after)


async def _looked(tx: AsyncConnection, kind: type[T], query: TextClause, after: float | None = None) -> list[T]:
    found = await tx.execute(query, {} if after is None else {"after": after})
    # An account is worth telling without messages, a count over everything is not.
    return [kind(**_with_public_ids(row)) for row in found.mappings() if row["count"] or "property" in row]


def _with_public_ids(row: RowMapping) -> dict[str, Any]:
    public = {name: render(row[name]) for name, render in _PUBLIC_IDS.items() if name in row}
    return {**row, **public}
