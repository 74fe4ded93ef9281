"""Where a message stands: recomputed from its attempts and our decision, and told, in the caller's transaction.

The one place that changes a message's stage. The caller holds the message row's lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop import statuses
from bellhop.events import OF_STAGE
from bellhop.failures import FailureCode
from bellhop.messages import REPORTS_READING, Channel
from bellhop.statuses import STATUS, Stage
from bellhop.store import events
from bellhop.store.events import NewEvent
from bellhop.tables import attempts, messages, scopes
from bellhop.wire import Answer, Next

Row = dict[str, Any]

LIVE = ("in_flight", "accepted", "unknown")

message_columns = (
    messages,
    scopes.c.property_id,
    scopes.c.environment,
    scopes.c.settings.label("scope_settings"),
    scopes.c.paused_at,
    func.now().label("now"),
)

_LOCK = select(*message_columns).join(scopes, scopes.c.id == messages.c.scope_id).with_for_update(of=messages)


@dataclass(slots=True)
class Progress:
    """What a change led to: the message as it now is, what its conductor does next, who is owed an event."""

    row: Row
    answer: Answer
    endpoints: set[UUID] = field(default_factory=set)


async def lock(tx: AsyncConnection, message_id: UUID) -> Row | None:
    """The message under its row lock, with its scope's property, environment and settings, and the time `now`."""
    found = (await tx.execute(_LOCK.where(messages.c.id == message_id))).mappings().one_or_none()
    return None if found is None else dict(found)


async def attempts_of(tx: AsyncConnection, message_id: UUID) -> list[Row]:
    """Every attempt of a message, oldest first."""
    found = await tx.execute(select(attempts).where(attempts.c.message_id == message_id).order_by(attempts.c.id))
    return [dict(row) for row in found.mappings()]


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


async def advance(
    tx: AsyncConnection,
    row: Row,
    *,
    decision: Stage | None = None,
    failure: tuple[FailureCode, str | None] | None = None,
    also: Mapping[str, Any] | None = None,
) -> Progress:
    """Recompute the stage of the locked message `row`, write it with its events, and say what is next.

    `decision`: our own (gave_up or cancelled), kept beside what providers say. `failure`: (code, provider's code) to
    record when the message stands failed after this. `also`: further columns to set in the same statement.
    """
    rows = await attempts_of(tx, row["id"])
    before = Stage(row["stage"])
    decided = decision or Stage(row["decision"])
    after = statuses.higher(before, statuses.of_message(decided, part_stages(row["parts"], rows)))
    values: dict[str, Any] = dict(also or {})
    if decision is not None:
        values["decision"] = decision.value
    told = statuses.news(before, after)
    if after is not before:
        values["stage"] = after.value
        values["held_account_id"] = None
        if after in (Stage.GAVE_UP, Stage.UNDELIVERED):
            code, provider_code = failure or _failure_of(rows)
            values.update(failure_code=code.value, provider_code=provider_code)
        if Stage.SENT in told:
            values["sent_at"] = func.coalesce(messages.c.sent_at, func.now())
        if Stage.DELIVERED in told:
            values["delivered_at"] = func.now()
        if Stage.READ in told:
            values["read_at"] = func.now()
    if values:
        changed = await tx.execute(
            update(messages)
            .where(messages.c.id == row["id"])
            .values(**values, updated_at=func.now())
            .returning(messages)
        )
        row = {**row, **changed.mappings().one()}
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
