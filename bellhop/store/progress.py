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

from bellhop import statuses
from bellhop.events import OF_STAGE
from bellhop.failures import FailureCode
from bellhop.messages import REPORTS_READING, Channel
from bellhop.statuses import STATUS, Stage
from bellhop.store import events
from bellhop.store.events import NewEvent
from bellhop.store.hot import Hot, Row
from bellhop.tables import attempts, messages, scopes
from bellhop.wire import Answer, Next

LIVE = ("in_flight", "accepted", "unknown")

message_columns = (
    messages,
    scopes.c.property_id,
    scopes.c.environment,
    scopes.c.settings.label("scope_settings"),
    scopes.c.paused_at,
    func.now().label("now"),
)

_LOCK = Hot(
    select(*message_columns)
    .join(scopes, scopes.c.id == messages.c.scope_id)
    .where(messages.c.id == bindparam("message"))
    .with_for_update(of=messages)
)
_ATTEMPTS = Hot(select(attempts).where(attempts.c.message_id == bindparam("message")).order_by(attempts.c.id))
# One text for every change: what stays the same is written again as it was, which the lock allows.
_MOVE = Hot(
    text(
        """
        update messages set
          stage = :stage, decision = :decision, failure_code = :failure_code, provider_code = :provider_code,
          held_account_id = case when :freed then null else held_account_id end,
          sent_at = case when :sent then coalesce(sent_at, now()) else sent_at end,
          delivered_at = case when :delivered then now() else delivered_at end,
          read_at = case when :read then now() else read_at end,
          wake_due_at = case when :wake then now() else wake_due_at end,
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


def next_for(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Answer:
    """What the conductor does now that the message stands at `row['stage']`."""
    stage = Stage(row["stage"])
    status = STATUS[stage].value
    if statuses.closes(stage, reports_reading=Channel(row["channel"]) in REPORTS_READING):
        return Answer(status, Next.CLOSE)
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
    if after is None and decision is None and not freed and not wake:
        return Progress(row, next_for(row, rows))
    told = statuses.news(Stage(row["stage"]), after) if after else ()
    code, provider_code = row["failure_code"], row["provider_code"]
    if after in (Stage.GAVE_UP, Stage.UNDELIVERED):
        why, provider_code = failure or _failure_of(rows)
        code = why.value
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
    return Progress(row, next_for(row, rows), owed)


def _event(stage: Stage, row: Mapping[str, Any]) -> NewEvent:
    # The public status is the event's once-only mark: a message fails at most once, whichever way it did.
    facts: dict[str, object] = {"stage": stage.value}
    if stage in (Stage.GAVE_UP, Stage.UNDELIVERED):
        facts |= {"code": row["failure_code"], "provider_code": row["provider_code"]}
    return NewEvent(OF_STAGE[stage].value, STATUS[stage].value, facts)


def _failure_of(rows: Sequence[Mapping[str, Any]]) -> tuple[FailureCode, str | None]:
    for row in reversed(rows):
        if row["failure_code"]:
            return FailureCode(row["failure_code"]), row["provider_code"]
    return FailureCode.UNDELIVERED, None
