"""What a message says at each of its steps, and going on to the next one.

The caller holds the lock of the message's row. A message without further steps costs no query here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Float, SmallInteger, Uuid, bindparam, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import Channel
from bellhop.domain.failures import FailureCode
from bellhop.domain.policy import Reason
from bellhop.domain.rows.delivery import LIVE, AttemptRow, AttemptState
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.statuses import FAILED, Stage
from bellhop.domain.steps import Step, When
from bellhop.store.compiled import CompiledStatement
from bellhop.store.tables import message_steps


@dataclass(slots=True)
class StepRow:
    """What one step says, and to whom."""

    step: int
    channel: Channel
    recipient: str | None = field(repr=False)
    address_hash: bytes | None = field(repr=False)
    erased_hash: bytes | None = field(repr=False)
    subject: str | None = field(repr=False)
    content: str | None = field(repr=False)
    content_type: str
    body: dict[str, Any] | None = field(repr=False)
    details: dict[str, Any] | None = field(repr=False)
    provider: str | None


_COLUMNS = tuple(message_steps.c[each.name] for each in fields(StepRow))
_OF_MESSAGE = CompiledStatement(
    select(*_COLUMNS).where(message_steps.c.message_id == bindparam("message")).order_by(message_steps.c.step),
    row=StepRow,
)
_ONE = CompiledStatement(
    select(*_COLUMNS).where(
        message_steps.c.message_id == bindparam("message"), message_steps.c.step == bindparam("number")
    ),
    row=StepRow,
)
_WRITE = CompiledStatement(
    insert(message_steps),
    (
        "scope_id", "message_id", "step", "channel", "recipient", "address_hash", "subject", "content", "content_type",
        "body", "details", "provider",
    ),
)  # fmt: skip


@dataclass(slots=True)
class _Begun:
    """What going on to a step writes, as it was written."""

    step: int
    stage: Stage
    decision: Stage
    failure_code: str | None
    provider_code: str | None
    provider: str | None
    held_account_id: UUID | None
    waits_for: Reason | None
    parked_at: datetime | None
    tries: int
    due_at: datetime
    expires_at: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    remind_at: datetime | None
    wake_due_at: datetime | None
    updated_at: datetime


# As if the message had just come in. That a provider has had it once stays on record as `sent_at`.
_BEGIN = CompiledStatement(
    text(
        """
        update messages set
          step = :number, stage = 'queued', decision = 'queued', failure_code = null, provider_code = null,
          provider = (select provider from message_steps where message_id = :message and step = :number),
          held_account_id = null, waits_for = null, parked_at = null, pace_id = null, tries = 0,
          due_at = now(), expires_at = least(now() + make_interval(secs => :valid_for), valid_until),
          sent_at = case when :sent then coalesce(sent_at, now()) else sent_at end,
          delivered_at = case when :delivered then delivered_at end, remind_at = null,
          wake_due_at = case when :wake then clock_timestamp() else wake_due_at end, updated_at = now()
        where id = :message
        returning step, stage, decision, failure_code, provider_code, provider, held_account_id, waits_for, parked_at,
          tries, due_at, expires_at, sent_at, delivered_at, remind_at, wake_due_at, updated_at
        """
    ).bindparams(
        bindparam("number", type_=SmallInteger), bindparam("message", type_=Uuid), bindparam("valid_for", type_=Float)
    ),
    row=_Begun,
)


async def write(tx: AsyncConnection, row: MessageRow, step: StepRow) -> None:
    """Write what a step of a new message says."""
    await _WRITE(
        tx,
        scope_id=row.scope_id,
        message_id=row.id,
        step=step.step,
        channel=step.channel.value,
        recipient=step.recipient,
        address_hash=step.address_hash,
        subject=step.subject,
        content=step.content,
        content_type=step.content_type,
        body=step.body,
        details=step.details,
        provider=step.provider,
    )


async def of_message(tx: AsyncConnection, row: MessageRow) -> list[StepRow]:
    """What follows its first step."""
    return [] if row.plan is None else await _OF_MESSAGE(tx, message=row.id)


async def at(tx: AsyncConnection, row: MessageRow, number: int | None = None) -> MessageRow:
    """The message as it goes out at one of its steps (None: the one it is at): with that one's channel, address and
    text. At the first it is `row` itself."""
    if row.plan is None:
        return row
    number = row.step if number is None else number
    if number == 0:
        return row
    (said,) = await _ONE(tx, message=row.id, number=number)
    return replace(
        row,
        channel=said.channel,
        recipient=said.recipient,
        address_hash=said.address_hash,
        erased_hash=said.erased_hash,
        subject=said.subject,
        content=said.content,
        content_type=said.content_type,
        body=said.body,
        details=said.details,
        parts=row.parts_of(number),
        sender=None,
    )


def following(row: MessageRow, rows: Sequence[AttemptRow], code: str | None) -> Step | None:
    """The step that follows now that the one which `row` is at has failed; None: none does. `rows`: every attempt of
    the message, `code`: why it failed."""
    step = row.step_at(row.step + 1)
    if step is None or row.erased_at is not None or row.stage in FAILED:
        # What was said to have failed is not taken up again.
        return None
    # What may still arrive is not followed: neither of which nobody knows whether the provider has it, nor parts that
    # a provider has; of these a reminder may well remind.
    alive = LIVE if step.when is When.FAILED else LIVE - {AttemptState.ACCEPTED}
    if code == FailureCode.OUTCOME_UNKNOWN or any(attempt.state in alive for attempt in rows):
        return None
    return step if row.valid_until is None or row.valid_until > row.now else None


async def begin(
    tx: AsyncConnection, row: MessageRow, step: Step, *, sent: bool, wake: bool, delivered: bool = False
) -> None:
    """Go on to the next step, which is `step`: the message waits again, for that one. `sent`: a provider has had it;
    `delivered`: and it has arrived. Written to the row and to `row`."""
    (begun,) = await _BEGIN(
        tx,
        message=row.id,
        number=row.step + 1,
        valid_for=step.valid_for,
        sent=sent,
        delivered=delivered,
        wake=wake,
    )
    for each in fields(_Begun):
        setattr(row, each.name, getattr(begun, each.name))
