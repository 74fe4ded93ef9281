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

from sqlalchemy import Column, Label, Uuid, bindparam, func, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import policy, statuses
from bellhop.domain.answers import Answer, Next
from bellhop.domain.events import OF_STAGE, EventType
from bellhop.domain.failures import FailureCode
from bellhop.domain.rows.delivery import AttemptRow, AttemptState, Backlog
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.statuses import PASSES, RANK, STATUS, Stage
from bellhop.domain.steps import Step
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
    sent_at: datetime | None
    delivered_at: datetime | None
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
          held_account_id = case when :freed then null else held_account_id end,
          waits_for = case when :freed then null else waits_for end,
          parked_at = case when :freed then null else parked_at end,
          sent_at = case when :anew then now() when :sent then coalesce(sent_at, now()) else sent_at end,
          delivered_at = case when :delivered then greatest(now(), sent_at)
            when :undelivered then null else delivered_at end,
          read_at = case when :read then greatest(now(), sent_at, delivered_at) else read_at end,
          wake_due_at = case when :wake then clock_timestamp() else wake_due_at end,
          updated_at = now()
        where id = :message
        returning stage, decision, failure_code, provider_code, held_account_id, waits_for, parked_at,
          sent_at, delivered_at, read_at, wake_due_at, updated_at
        """
    ),
    row=_Moved,
)
_MOVED = tuple(field.name for field in fields(_Moved))


@dataclass(slots=True)
class Progress:
    """What a change led to: the message as it now is, and the endpoints that have events to deliver."""

    row: MessageRow
    endpoints: set[UUID] = field(default_factory=set)
    backlogs: Sequence[Backlog] = ()
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


def part_stages(message: MessageRow, rows: Sequence[AttemptRow], step: int | None = None) -> list[Stage]:
    """What is known of each part of a message at one of its steps (None: the one it is at): the highest word of a
    provider on any of its attempts. `rows`: all there are."""
    step = message.step if step is None else step
    rules = message.rules_of(step)
    known = [Stage.QUEUED] * message.parts_of(step)
    for row in rows:
        if row.step != step or row.part >= len(known):
            continue
        said = row.stage or Stage.QUEUED
        if row.state is AttemptState.ACCEPTED:
            said = statuses.higher(said, Stage.SENT, rules)
        known[row.part] = statuses.higher(known[row.part], said, rules)
    if rules.any_part and step == 0:
        for part, target in enumerate(message_targets(message)):
            if target.get("gone"):
                # The guest has the device no longer, as was found before a call was made.
                known[part] = statuses.higher(known[part], Stage.GAVE_UP, rules)
    return known


def message_targets(message: MessageRow) -> list[dict[str, Any]]:
    """The devices that a message goes to, one for each part, as they were stored at acceptance; none where its
    recipient is all there is."""
    return list((message.body or {}).get("devices", ()))


def next_step(row: MessageRow, follow_at: Sequence[float]) -> Answer:
    """What the message's workflow does now that the message stands at `row.stage`. `follow_at`: the ages, in seconds,
    at which a provider is asked about a message that it took and of which no receipt tells the end."""
    stage = row.stage
    status = STATUS[stage].value
    if statuses.closes(stage, row.rules):
        return Answer(status, Next.CLOSE)
    if stage is Stage.SENT:
        if row.rules.in_record:
            return Answer(status, Next.TRACK)  # there is nobody to ask
        age = (row.now - row.sent_at).total_seconds() if row.sent_at else 0.0
        # Not the one that has just been kept, give or take what two clocks differ.
        asks = (at - age for at in _asks(row, follow_at) if at > age + SAME_TIME)
        return Answer(status, Next.TRACK, next(asks, 0.0))
    if stage is not Stage.QUEUED:
        return Answer(status, Next.TRACK)
    return Answer(status, Next.AGAIN)


def _asks(row: MessageRow, follow_at: Sequence[float]) -> Sequence[float]:
    """When a provider is asked, as `next_step` takes it: also once a step is over that another one is to follow."""
    step = row.step_at(row.step)
    if step is None or not step.limited or row.expires_at is None or row.sent_at is None:
        return follow_at
    over = (row.expires_at - row.sent_at).total_seconds()
    return sorted([*follow_at, *(over + later for later in OVER)])


def _earlier(row: MessageRow, rows: Sequence[AttemptRow]) -> list[Stage]:
    """Where the message stands at each step before the one it is at."""
    return [_of_step(row, rows, step) for step in range(row.step)]


def _of_step(row: MessageRow, rows: Sequence[AttemptRow], step: int) -> Stage:
    """The same of one step."""
    return statuses.of_message(Stage.QUEUED, part_stages(row, rows, step), row.rules_of(step))


def moves(row: MessageRow, rows: Sequence[AttemptRow], decision: Stage | None = None) -> Stage | None:
    """The stage to which a message moves by what is known of its attempts and our decision; None: it stays."""
    known = statuses.of_message(decision or row.decision, part_stages(row, rows), row.rules)
    if row.step and (earlier := statuses.of_steps(Stage.QUEUED, _earlier(row, rows))) in statuses.ARRIVED:
        known = statuses.of_steps(known, [earlier])
        # What one step has brought, no other one takes back.
        return known if RANK[known] > RANK[row.stage] else None
    after = statuses.higher(row.stage, known, row.rules)
    return None if after is row.stage else after


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
    after = moves(row, rows, decision)
    passed = _passed(row, rows, after)
    code, provider_code = row.failure_code, row.provider_code
    if after is Stage.GAVE_UP and failure:
        code, provider_code = failure[0].value, failure[1]
    elif (after or row.stage) is Stage.UNDELIVERED or after is Stage.GAVE_UP:
        # Also where it had failed before: the reason, too, is a function of the set of receipts.
        code, provider_code = _failure_of(row, rows)
    if after in steps.FAILED and (step := steps.following(row, rows, code)) is not None:
        return await _follow(tx, row, step, (code, provider_code), passed, wake=wake)
    same_reason = (code, provider_code) == (row.failure_code, row.provider_code)
    if after is None and decision is None and same_reason and not freed and not wake:
        return Progress(row)
    (changed,) = await _MOVE(
        tx,
        message=row.id,
        stage=(after or row.stage).value,
        decision=(decision or row.decision).value,
        failure_code=code,
        provider_code=provider_code,
        freed=freed or after is not None,
        sent=Stage.SENT in passed,
        anew=row.step > 0 and Stage.SENT in passed,
        delivered=Stage.DELIVERED in passed,
        undelivered=after is Stage.UNDELIVERED,
        read=Stage.READ in passed,
        wake=wake,
    )
    for name in _MOVED:
        setattr(row, name, getattr(changed, name))
    endpoints = await events.write(tx, row.scope_id, "message", row.id, [_event(stage, row, rows) for stage in passed])
    return Progress(row, endpoints)


def _passed(row: MessageRow, rows: Sequence[AttemptRow], after: Stage | None) -> tuple[Stage, ...]:
    """What is news of a message that moves to `after`."""
    if after is None:
        return ()
    passed = statuses.news(row.stage, after, row.rules)
    if row.step and after in statuses.ARRIVED:
        # It may be an earlier step's: that one was said to be sent before.
        passed = tuple(stage for stage in PASSES[after] if stage not in PASSES[row.stage])
        if all(stage is Stage.QUEUED for stage in part_stages(row, rows)):
            passed = tuple(stage for stage in passed if stage is not Stage.SENT)
    return passed


async def _follow(
    tx: AsyncConnection, row: MessageRow, step: Step, why: Reason, passed: Sequence[Stage], *, wake: bool
) -> Progress:
    """The step that the message is at has failed, and another one follows it instead."""
    news = [_event(stage, row) for stage in passed if stage not in steps.FAILED]
    await steps.begin(tx, row, step, sent=Stage.SENT in passed, wake=wake)
    facts: dict[str, object] = {"stage": row.shown.value, "step": row.step, "code": why[0], "provider_code": why[1]}
    news.append(NewEvent(EventType.MESSAGE_FALLBACK.value, f"fallback.{row.step}", facts))
    return Progress(row, await events.write(tx, row.scope_id, "message", row.id, news))


def _event(stage: Stage, row: MessageRow, rows: Sequence[AttemptRow] = ()) -> NewEvent:
    # The public status is the event's once-only mark, at each step: it fails at most once, whichever way it did.
    mark = STATUS[stage].value
    facts: dict[str, object] = {"stage": stage.value}
    if stage in (Stage.GAVE_UP, Stage.UNDELIVERED):
        facts |= {"code": row.failure_code, "provider_code": row.provider_code}
    if row.plan is not None:
        facts["step"] = row.step
        if stage in statuses.ARRIVED and (brought := _brought(row, rows, stage)) is not None:
            facts["step"] = brought
    return NewEvent(OF_STAGE[stage].value, f"{mark}.{row.step}" if row.step else mark, facts)


def _brought(row: MessageRow, rows: Sequence[AttemptRow], stage: Stage) -> int | None:
    """Which step it is of which that is known: the last one; None: none."""
    known = enumerate([*_earlier(row, rows), _of_step(row, rows, row.step)])
    return max((step for step, at in known if at in statuses.ARRIVED and RANK[at] >= RANK[stage]), default=None)


Reason = tuple[str | None, str | None]
"""A failure code and the provider's own."""


def says_less(reason: Reason) -> tuple[bool, str, str]:
    """What reasons are compared by: the least of them is shown. It depends on the reasons alone, so that the error of a
    message does not tell in which order its receipts came."""
    code, provider_code = reason
    return code in (None, FailureCode.UNDELIVERED.value), code or "", provider_code or ""


def _failure_of(row: MessageRow, rows: Sequence[AttemptRow]) -> Reason:
    """Why a message is undelivered, or none of its devices has it: of the parts that failed, the reason that says
    most."""
    stages = part_stages(row, rows)
    failed = [
        (attempt.failure_code, attempt.provider_code)
        for attempt in rows
        if attempt.step == row.step
        and attempt.stage in (Stage.UNDELIVERED, Stage.GAVE_UP)
        and attempt.stage is stages[attempt.part]
        and attempt.failure_code
    ]
    maybe = [reason for reason in failed if reason[0] == FailureCode.OUTCOME_UNKNOWN]
    if maybe or failed:
        # That the guest may have it comes before why others did not.
        return min(maybe or failed, key=says_less)
    gone = row.rules.any_part
    return (FailureCode.ADDRESS_INVALID if gone else FailureCode.UNDELIVERED).value, None
