"""Where a message stands: recomputed from its attempts and our decision, and written with its events, in the caller's
transaction.

The one place that changes a message's stage. The caller holds the message row's lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Float, Label, Uuid, bindparam, func, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import policy, statuses
from bellhop.domain.answers import Answer, Next
from bellhop.domain.channels import ChannelRules, Service
from bellhop.domain.events import OF_STAGE, EventType
from bellhop.domain.failures import FailureCode
from bellhop.domain.rows.delivery import AttemptRow, Backlog, PacedBacklog
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.standing import News, Reason, standing, why
from bellhop.domain.standing import message_targets as message_targets
from bellhop.domain.standing import moves as moves
from bellhop.domain.standing import part_stages as part_stages
from bellhop.domain.statuses import ARRIVED, FAILED, STATUS, Stage
from bellhop.domain.steps import Step, When
from bellhop.store.compiled import CompiledStatement
from bellhop.store.messages import steps
from bellhop.store.tables import attempts, messages, scopes
from bellhop.store.webhooks import events
from bellhop.store.webhooks.events import NewEvent

OVER = (5.0, 60.0, 600.0, 3_600.0)
"""Seconds after its end at which a provider is asked what became of a step that another one is to follow."""
SAME_TIME = 0.2
"""Seconds: what the clock of Temporal's timer and that of the database may differ."""

message_columns = (
    *messages.c,
    scopes.c.property_id,
    scopes.c.environment,
    scopes.c.settings.label("scope_settings"),
    scopes.c.paused_at,
    func.now().label("now"),
)


def _of_its_scope(column: Column[Any], name: str) -> Label[Any]:
    # As text: SQLAlchemy correlates nothing with what an insert returns, and would read every message instead.
    return select(column).where(scopes.c.id == literal_column("messages.scope_id", Uuid)).scalar_subquery().label(name)


columns_of_written = (
    *messages.c,
    _of_its_scope(scopes.c.property_id, "property_id"),
    _of_its_scope(scopes.c.environment, "environment"),
    _of_its_scope(scopes.c.settings, "scope_settings"),
    _of_its_scope(scopes.c.paused_at, "paused_at"),
    func.now().label("now"),
)
"""The same for what an insert or an update returns, which joins nothing."""

_LOCK = CompiledStatement(
    select(*message_columns)
    .join(scopes, scopes.c.id == messages.c.scope_id)
    .where(messages.c.id == bindparam("message"))
    .with_for_update(of=messages),
    row=MessageRow,
)
_ATTEMPTS = CompiledStatement(
    select(attempts).where(attempts.c.message_id == bindparam("message")).order_by(attempts.c.id),
    row=AttemptRow,
)


@dataclass(slots=True)
class _Moved:
    """What moving a message writes, as it was written."""

    stage: Stage
    decision: Stage
    failure_code: str | None
    provider_code: str | None
    held_account_id: UUID | None
    waits_for: policy.Reason | None
    parked_at: datetime | None
    service: Service | None
    sent_at: datetime | None
    delivered_at: datetime | None
    remind_at: datetime | None
    read_at: datetime | None
    wake_due_at: datetime | None
    updated_at: datetime


# One text for every change: what stays the same is written again as it was, which the lock allows. Whoever began first
# may have got the lock last, so what is to follow the order of the changes is not `now()` alone. A mail that a server
# took and sent back was not delivered, whichever of the two came to be known first.
_MOVE = CompiledStatement(
    text(
        """
        update messages set
          stage = :stage, decision = :decision, failure_code = :failure_code, provider_code = :provider_code,
          service = :service,
          held_account_id = case when :freed then null else held_account_id end,
          waits_for = case when :freed then null else waits_for end,
          parked_at = case when :freed then null else parked_at end,
          pace_id = case when :freed then null else pace_id end,
          sent_at = case when :anew then now() when :sent then coalesce(sent_at, now()) else sent_at end,
          delivered_at = case when :delivered then greatest(now(), sent_at)
            when :undelivered then null else delivered_at end,
          remind_at = coalesce(remind_at, now() + make_interval(secs => :remind_after)),
          read_at = case when :read then greatest(now(), sent_at, delivered_at) else read_at end,
          wake_due_at = case when :wake then clock_timestamp() else wake_due_at end,
          updated_at = now()
        where id = :message
        returning stage, decision, failure_code, provider_code, held_account_id, waits_for, parked_at, service,
          sent_at, delivered_at, remind_at, read_at, wake_due_at, updated_at
        """
    ).bindparams(bindparam("remind_after", type_=Float)),
    row=_Moved,
)
_MOVED = tuple(field.name for field in fields(_Moved))


@dataclass(slots=True)
class Progress:
    """What a change led to: the message as it now is, and the endpoints that have events to deliver."""

    row: MessageRow
    endpoints: set[UUID] = field(default_factory=set)
    backlogs: Sequence[Backlog | PacedBacklog] = ()
    """Where parked messages can go on by it."""
    answer: Answer | None = None
    """What its workflow does next; None: what follows from where it stands (`next_step`)."""


async def lock(tx: AsyncConnection, message_id: UUID) -> MessageRow | None:
    """The message under its row lock, with its scope's property, environment and settings, and the time `now`."""
    found = await _LOCK(tx, message=message_id)
    return found[0] if found else None


async def attempts_of(tx: AsyncConnection, message_id: UUID) -> list[AttemptRow]:
    """Every attempt of a message, oldest first."""
    return await _ATTEMPTS(tx, message=message_id)


def next_step(row: MessageRow, follow_at: Sequence[float]) -> Answer:
    """What the message's workflow does now that the message stands at `row.stage`. `follow_at`: the ages, in seconds,
    at which a provider is asked about a message that it took and of which no receipt tells the end."""
    stage = row.stage
    goes_on = row.goes_on_in
    if stage is Stage.QUEUED or goes_on == 0:
        return Answer(STATUS[stage].value, Next.AGAIN)
    if stage is not Stage.SENT or statuses.closes(stage, row.rules):
        return next_of_arrived(stage, row.rules, goes_on)
    if row.rules.in_record:
        return Answer(STATUS[stage].value, Next.TRACK, goes_on or 0.0)  # there is nobody to ask
    age = (row.now - row.sent_at).total_seconds() if row.sent_at else 0.0
    return next_of_sent(age, _asks(row, follow_at), follow_at[0], goes_on)


def next_of_arrived(stage: Stage, rules: ChannelRules, goes_on: float | None = None) -> Answer:
    """The same of a message that is over or has arrived, and is followed, if at all, until it is read. `goes_on`: its
    `goes_on_in`."""
    status = STATUS[stage].value
    if statuses.closes(stage, rules):
        return Answer(status, Next.CLOSE) if goes_on is None else Answer(status, Next.TRACK, goes_on, listed=status)
    return Answer(status, Next.TRACK, goes_on or 0.0, listed=status)  # for days


def next_of_sent(age: float, asks_at: Sequence[float], silent_at: float, goes_on: float | None = None) -> Answer:
    """The same of a message that went out `age` seconds ago. `asks_at`: the ages at which its provider is asked about
    it; `silent_at`: the first of them that is usual."""
    status = STATUS[Stage.SENT].value
    # Not the one that has just been kept, give or take what two clocks differ.
    asks = [at - age for at in asks_at if at > age + SAME_TIME]
    after = min([*asks[:1], *([goes_on] if goes_on else [])], default=0.0)
    return Answer(status, Next.TRACK, after, listed=status if age + SAME_TIME >= silent_at else None)


def _asks(row: MessageRow, follow_at: Sequence[float]) -> Sequence[float]:
    """When a provider is asked, as `next_step` takes it: also once a step is over that another one is to follow."""
    step = row.step_at(row.step)
    if step is None or not step.limited or row.expires_at is None or row.sent_at is None:
        return follow_at
    over = (row.expires_at - row.sent_at).total_seconds()
    return sorted([*follow_at, *(over + later for later in OVER)])


async def advance(
    tx: AsyncConnection,
    row: MessageRow,
    rows: Sequence[AttemptRow] | None = None,
    *,
    decision: Stage | None = None,
    failure: tuple[FailureCode, str | None] | None = None,
    freed: bool = False,
    wake: bool = False,
) -> Progress:
    """Recompute the stage of the locked message `row` and write it with its events, to the database and to `row`.

    `rows`: its attempts as they now are, where the caller has them. `decision`: our own (gave_up or cancelled), kept
    beside what providers say. `failure`: (code, provider's code) to record when the message stands failed after this.
    `freed`: nothing holds it any more. `wake`: its workflow is to be notified.
    """
    if rows is None:
        rows = await attempts_of(tx, row.id)
    stands = standing(row, rows, decision)
    after, passed = stands.after, {one.stage for one in stands.news}
    code, provider_code = why(row, rows, stands, failure)
    if after in FAILED and (step := steps.following(row, rows, code)) is not None:
        return await _follow(tx, row, step, (code, provider_code), stands.news, wake=wake)
    service = Service.of(one.service for one in rows if one.step == row.step)
    same = (code, provider_code, service) == (row.failure_code, row.provider_code, row.service)
    if after is None and decision is None and same and not (passed or freed or wake):
        return Progress(row)
    (changed,) = await _MOVE(
        tx,
        message=row.id,
        stage=(after or row.stage).value,
        decision=(decision or row.decision).value,
        failure_code=code,
        provider_code=provider_code,
        service=service,
        freed=freed or after is not None,
        sent=Stage.SENT in passed,
        anew=row.step > 0 and Stage.SENT in passed and not row.reminds_of,
        delivered=Stage.DELIVERED in passed,
        undelivered=after is Stage.UNDELIVERED or (row.delivered_at is not None and stands.seen not in ARRIVED),
        remind_after=_remind_after(row, after),
        read=Stage.READ in passed,
        wake=wake,
    )
    for name in _MOVED:
        setattr(row, name, getattr(changed, name))
    written = [_event(one, row) for one in stands.news]
    if stands.reminder_failed:
        facts: dict[str, object] = {"step": row.step, "code": code, "provider_code": provider_code}
        written.append(NewEvent("message.reminder_failed", f"reminder_failed.{row.step}", facts))
    return Progress(row, await events.write(tx, row.scope_id, "message", row.id, written))


def _remind_after(row: MessageRow, after: Stage | None) -> float | None:
    """Seconds after which a reminder follows what has just gone out; None: none does, or its time is known."""
    if row.plan is None or row.remind_at is not None or after not in (Stage.SENT, Stage.DELIVERED):
        return None
    step = row.step_at(row.step + 1)
    return step.after if step is not None and step.when is When.NOT_READ else None


async def remind(tx: AsyncConnection, row: MessageRow) -> set[UUID]:
    """Go on to the next step of a message, a reminder whose time has come (`reminds_in` is 0). Written to the database
    and to `row`. Returns the endpoints that have events to deliver."""
    step = row.step_at(row.step + 1)
    assert step is not None, "it is planned"
    await steps.begin(tx, row, step, sent=True, delivered=row.stage is Stage.DELIVERED, wake=False)
    facts: dict[str, object] = {"stage": row.shown.value, "step": row.step, "because": When.NOT_READ.value}
    begun = NewEvent(EventType.MESSAGE_FALLBACK.value, f"fallback.{row.step}", facts)
    return await events.write(tx, row.scope_id, "message", row.id, [begun])


async def _follow(
    tx: AsyncConnection, row: MessageRow, step: Step, reason: Reason, passed: Sequence[News], *, wake: bool
) -> Progress:
    """The step that the message is at has failed, and another one follows it instead."""
    news = [_event(one, row) for one in passed if one.stage not in FAILED]
    await steps.begin(tx, row, step, sent=any(one.stage is Stage.SENT for one in passed), wake=wake)
    facts: dict[str, object] = {"stage": row.shown.value, "step": row.step}
    facts |= {"code": reason[0], "provider_code": reason[1]}
    news.append(NewEvent(EventType.MESSAGE_FALLBACK.value, f"fallback.{row.step}", facts))
    return Progress(row, await events.write(tx, row.scope_id, "message", row.id, news))


def _event(one: News, row: MessageRow) -> NewEvent:
    # The public status is the event's once-only mark, at each step: it fails at most once, whichever way it did.
    mark = STATUS[one.stage].value
    facts: dict[str, object] = {"stage": one.stage.value}
    if one.stage in FAILED:
        facts |= {"code": row.failure_code, "provider_code": row.provider_code}
    if row.plan is not None:
        facts["step"] = one.step
    return NewEvent(OF_STAGE[one.stage].value, f"{mark}.{one.mark}" if one.mark else mark, facts)
