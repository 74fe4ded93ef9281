"""Where a message stands: recomputed from its attempts and our decision, and told, in the caller's transaction.

The one place that changes a message's stage. The caller holds the message row's lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import statuses
from bellhop.domain.answers import Answer, Next
from bellhop.domain.channels import CHANNELS, Channel
from bellhop.domain.events import OF_STAGE
from bellhop.domain.failures import FailureCode
from bellhop.domain.statuses import STATUS, Stage
from bellhop.settings import DeliverySettings
from bellhop.store.compiled import CompiledStatement, Row
from bellhop.store.delivery import attempt_rows
from bellhop.store.tables import attempts, messages, scopes
from bellhop.store.webhooks import events
from bellhop.store.webhooks.events import NewEvent

LIVE = attempt_rows.LIVE
FOLLOW_AT: tuple[float, ...] = tuple(DeliverySettings.model_fields["follow_at"].default)
SAME_TIME = 0.2
"""Seconds: what the clock of Temporal's timer and that of the database may differ."""

message_columns = (
    messages,
    scopes.c.property_id,
    scopes.c.environment,
    scopes.c.settings.label("scope_settings"),
    scopes.c.paused_at,
    func.now().label("now"),
)

_LOCK = CompiledStatement(
    select(*message_columns)
    .join(scopes, scopes.c.id == messages.c.scope_id)
    .where(messages.c.id == bindparam("message"))
    .with_for_update(of=messages)
)
_ATTEMPTS = CompiledStatement(
    select(attempts).where(attempts.c.message_id == bindparam("message")).order_by(attempts.c.id)
)
# One text for every change: what stays the same is written again as it was, which the lock allows. Whoever began first
# may have got the lock last, so what is to follow the order of the changes is not `now()` alone.
_MOVE = CompiledStatement(
    text(
        """
        update messages set
          stage = :stage, decision = :decision, failure_code = :failure_code, provider_code = :provider_code,
          held_account_id = case when :freed then null else held_account_id end,
          sent_at = case when :sent then coalesce(sent_at, now()) else sent_at end,
          delivered_at = case when :delivered then greatest(now(), sent_at) else delivered_at end,
          read_at = case when :read then greatest(now(), sent_at, delivered_at) else read_at end,
          wake_due_at = case when :wake then clock_timestamp() else wake_due_at end,
          updated_at = now()
        where id = :message
        returning stage, decision, failure_code, provider_code, held_account_id,
          sent_at, delivered_at, read_at, wake_due_at, updated_at
        """
    )
)


@dataclass(slots=True)
class Progress:
    """What a change led to: the message as it now is, what its conductor does next, who is owed an event."""

    row: Row
    answer: Answer
    endpoints: set[UUID] = field(default_factory=set)


async def lock(tx: AsyncConnection, message_id: UUID) -> Row | None:
    """The message under its row lock, with its scope's property, environment and settings, and the time `now`."""
    found = await _LOCK(tx, message=message_id)
    return found[0] if found else None


async def attempts_of(tx: AsyncConnection, message_id: UUID) -> list[Row]:
    """Every attempt of a message, oldest first."""
    return await _ATTEMPTS(tx, message=message_id)


def part_stages(count: int, rows: Sequence[Mapping[str, Any]]) -> list[Stage]:
    """What is known of each part: the highest word of a provider on any of its attempts."""
    known = [Stage.QUEUED] * count
    for row in rows:
        if row["part"] >= count:
            continue
        said = Stage(row["stage"]) if row["stage"] else Stage.QUEUED
        if row["state"] == "accepted":
            said = statuses.higher(said, Stage.SENT)
        known[row["part"]] = statuses.higher(known[row["part"]], said)
    return known


def next_for(row: Mapping[str, Any], follow_at: Sequence[float] = FOLLOW_AT) -> Answer:
    """What the conductor does now that the message stands at `row['stage']`. `follow_at`: the ages, in seconds, at
    which a provider is asked about a message that it took and of which no receipt tells the end."""
    stage = Stage(row["stage"])
    status = STATUS[stage].value
    if statuses.closes(stage, CHANNELS[Channel(row["channel"])]):
        return Answer(status, Next.CLOSE)
    if stage is Stage.SENT:
        age = (row["now"] - row["sent_at"]).total_seconds() if row["sent_at"] else 0.0
        # Not the one that has just been kept, give or take what two clocks differ.
        return Answer(status, Next.TRACK, next((at - age for at in follow_at if at > age + SAME_TIME), 0.0))
    if stage is not Stage.QUEUED:
        return Answer(status, Next.TRACK)
    return Answer(status, Next.AGAIN)


def moves(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], decision: Stage | None = None) -> Stage | None:
    """The stage to which a message moves by what is known of its attempts and our decision; None: it stays."""
    before = Stage(row["stage"])
    known = statuses.of_message(decision or Stage(row["decision"]), part_stages(row["parts"], rows))
    after = statuses.higher(before, known)
    return None if after is before else after


async def advance(
    tx: AsyncConnection,
    row: Row,
    rows: Sequence[Mapping[str, Any]] | None = None,
    *,
    decision: Stage | None = None,
    failure: tuple[FailureCode, str | None] | None = None,
    freed: bool = False,
    wake: bool = False,
) -> Progress:
    """Recompute the stage of the locked message `row`, write it with its events, and say what is next.

    `rows`: its attempts as they now are, where the caller has them. `decision`: our own (gave_up or cancelled), kept
    beside what providers say. `failure`: (code, provider's code) to record when the message stands failed after this.
    `freed`: no account holds it any more. `wake`: its conductor is owed a word.
    """
    if rows is None:
        rows = await attempts_of(tx, row["id"])
    after = moves(row, rows, decision)
    code, provider_code = row["failure_code"], row["provider_code"]
    if after is Stage.GAVE_UP and failure:
        code, provider_code = failure[0].value, failure[1]
    elif (after or row["stage"]) == Stage.UNDELIVERED.value:
        # Also where it had failed before: the reason, too, is a function of the set of receipts.
        code, provider_code = _failure_of(row, rows)
    same_reason = (code, provider_code) == (row["failure_code"], row["provider_code"])
    if after is None and decision is None and same_reason and not freed and not wake:
        return Progress(row, next_for(row))
    told = statuses.news(Stage(row["stage"]), after) if after else ()
    (changed,) = await _MOVE(
        tx,
        message=row["id"],
        stage=after.value if after else row["stage"],
        decision=decision.value if decision else row["decision"],
        failure_code=code,
        provider_code=provider_code,
        freed=freed or after is not None,
        sent=Stage.SENT in told,
        delivered=Stage.DELIVERED in told,
        read=Stage.READ in told,
        wake=wake,
    )
    row = {**row, **changed}
    owed = await events.write(tx, row["scope_id"], "message", row["id"], [_event(stage, row) for stage in told])
    return Progress(row, next_for(row), owed)


def _event(stage: Stage, row: Mapping[str, Any]) -> NewEvent:
    # The public status is the event's once-only mark: a message fails at most once, whichever way it did.
    facts: dict[str, object] = {"stage": stage.value}
    if stage in (Stage.GAVE_UP, Stage.UNDELIVERED):
        facts |= {"code": row["failure_code"], "provider_code": row["provider_code"]}
    return NewEvent(OF_STAGE[stage].value, STATUS[stage].value, facts)


Reason = tuple[str | None, str | None]
"""A failure code and the provider's own."""


def says_less(reason: Reason) -> tuple[bool, str, str]:
    """What reasons are compared by: the least of them is told. It depends on the reasons alone, so that the error of a
    message does not tell in which order its receipts came."""
    code, provider_code = reason
    return code in (None, FailureCode.UNDELIVERED.value), code or "", provider_code or ""


def _failure_of(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Reason:
    """Why a message is undelivered: of its parts that are, the reason that says most."""
    stages = part_stages(row["parts"], rows)
    failed = [
        (attempt["failure_code"], attempt["provider_code"])
        for attempt in rows
        if attempt["stage"] == Stage.UNDELIVERED.value == stages[attempt["part"]] and attempt["failure_code"]
    ]
    return min(failed, key=says_less, default=(FailureCode.UNDELIVERED.value, None))
