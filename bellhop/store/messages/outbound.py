"""Messages as callers see them: accept, read, list, cancel, reschedule, timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, any_, bindparam, case, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import content
from bellhop.domain.addresses import AddressBook
from bellhop.domain.categories import Category
from bellhop.domain.channels import CHANNELS, Channel, kind_of
from bellhop.domain.content import Content
from bellhop.domain.groups import Group
from bellhop.domain.ids import Prefix, render
from bellhop.domain.priorities import Priority
from bellhop.domain.routing import Carried
from bellhop.domain.rows.delivery import AttemptRow, AttemptState
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.scopes import Scope
from bellhop.domain.serializers import timestamp
from bellhop.domain.statuses import Stage
from bellhop.domain.steps import stored
from bellhop.store.compiled import CompiledStatement, seconds
from bellhop.store.messages import accepting, belonging, groups, progress, validity
from bellhop.store.messages.accepting import ChannelUnavailable as ChannelUnavailable
from bellhop.store.messages.accepting import NewStep as NewStep
from bellhop.store.messages.accepting import NoDevice as NoDevice
from bellhop.store.messages.accepting import UnknownSender as UnknownSender
from bellhop.store.messages.belonging import UnknownGuest as UnknownGuest
from bellhop.store.messages.belonging import UnknownStay as UnknownStay
from bellhop.store.tables import messages, scopes
from bellhop.store.webhooks import events
from bellhop.store.webhooks.events import NewEvent

_OUTBOUND = (
    select(*progress.message_columns)
    .join(scopes, scopes.c.id == messages.c.scope_id)
    .where(messages.c.direction == "outbound", messages.c.erased_at.is_(None))
)
_GET = CompiledStatement(
    _OUTBOUND.where(messages.c.scope_id == bindparam("scope"), messages.c.id == bindparam("message")),
    row=MessageRow,
)


@dataclass(slots=True)
class _StageOf:
    """`stage`: as callers see it."""

    id: UUID
    stage: Stage


_STAGES = CompiledStatement(
    select(
        messages.c.id,
        # As `PublicMessage.shown`.
        case(
            (or_(messages.c.stage != Stage.QUEUED.value, messages.c.sent_at.is_(None)), messages.c.stage),
            (messages.c.delivered_at.is_(None), Stage.SENT.value),
            else_=Stage.DELIVERED.value,
        ).label("stage"),
    ).where(messages.c.id == any_(bindparam("asked", type_=ARRAY(Uuid)))),
    row=_StageOf,
)


class TooLate(Exception):
    """The message would be of no use any more when it may go out."""


@dataclass(frozen=True, slots=True)
class Callback:
    """Who is told of one message: an endpoint of its scope, at an address of its own there."""

    endpoint_id: UUID
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message as a caller asks for it, checked and normalised."""

    channel: Channel
    recipient: str = field(repr=False)
    content: Content
    scheduled_at: datetime | None = None
    guest_id: UUID | None = None
    stay_id: UUID | None = None
    """The stay that it is about; None: the one that its guest's messages are about now, if there is any."""
    conversation_id: UUID | None = None
    """The conversation that it answers, of the same scope; None: the one with the stay, else with the guest."""
    metadata: dict[str, Any] = field(default_factory=dict, repr=False)
    category: Category = Category.TRANSACTIONAL
    reference: str | None = None
    tags: tuple[str, ...] = ()
    priority: Priority = Priority.NORMAL
    valid_until: datetime | None = None
    validity: int | None = None
    """Instead of `valid_until` the seconds after it is due; None with neither: as its property or category has it."""
    ignore_quiet_hours: bool = False
    ignore_frequency_cap: bool = False
    template: Mapping[str, Any] | None = None
    """Which template its text is of, as it is shown."""
    unapproved: str | None = None
    """Why it cannot go out as `content.approved` now, as a sentence."""
    resend_of: UUID | None = None
    """The failed message that it sends again."""
    sender: str | None = None
    """The sender's address that it is to go out from; None: the property's usual one."""
    fallback: tuple[NewStep, ...] = ()
    """What follows, in this order."""
    chosen: Mapping[str, Any] | None = None
    """Why it goes by this channel, where that was left open: see `choosing.Chosen`."""
    callback: Callback | None = None
    group: Group | None = None
    """Whom it goes to, where that is a group, which `recipient` names."""
    refused: bool = False
    """That it is refused as it comes in: nobody has to be able to carry it, and whom it names is no contact."""
    answers: Mapping[str, Any] | None = None
    """Which keyword of a guest's it answers by itself: see `keyword_answers.answering`."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of a change: the message (None: no such message here), whether it was done, and the endpoints that
    have events to deliver."""

    row: MessageRow | None
    done: bool
    endpoints: set[UUID] = field(default_factory=set)
    unknown: bool = False
    """Not done because nobody knows yet whether a provider has it."""


async def accept(
    tx: AsyncConnection, scope: Scope, new: NewMessage, book: AddressBook, carried: Carried, valid_for: float
) -> MessageRow:
    """Write a message, its first event and its contact point. `valid_for`: seconds after it is due that it expires,
    where its channel has no time of its own. Raises ChannelUnavailable, UnknownSender, UnknownGuest, UnknownStay,
    NoDevice or TooLate; the caller's transaction is to be rolled back then."""
    stay_id = await belonging.stay_of(tx, scope.id, new.guest_id, new.stay_id, new.conversation_id)
    taken = replace(new.content, media=()) if new.refused else new.content
    sender = await accepting.sender_for(tx, scope, new.channel, taken, carried, address=new.sender)
    texts = content.parts(new.channel, new.content.text)
    body, parts = content.body(texts, new.content.plain, new.content.approved), len(texts)
    to_guest = accepting.to_guest(new.channel, new.recipient)
    if CHANNELS[new.channel].any_part:
        said, whose = (new.channel, new.content, new.recipient), new.guest_id if to_guest else None
        goes_to = await accepting.targets(tx, scope, *said, whose, book, carried, new.sender)
        body, parts = {**(body or {}), "devices": [target.stored() for target in goes_to]}, len(goes_to)
    further = await accepting.with_devices(tx, scope, new.fallback, new.guest_id, book, carried)
    plan = accepting.plan_of(new.channel, further, valid_for, parts)
    address_hash = book.hash(kind_of(new.channel, new.recipient), new.recipient)
    write, joins = belonging.accepting_into(scope.id, new.channel, new.guest_id, stay_id, new.conversation_id)
    (row,) = await write(
        tx,
        **joins,
        **_contact(new, address_hash, known=not (to_guest or new.refused) and new.group is None),
        scope_id=scope.id,
        channel=new.channel.value,
        recipient=new.recipient,
        address_hash=address_hash,
        guest_ref=render(Prefix.GUEST, new.guest_id) if new.guest_id else None,
        guest_id=new.guest_id,
        subject=new.content.subject,
        content=new.content.text,
        content_type=new.content.content_type,
        metadata=new.metadata,
        category=new.category.value,
        reference=new.reference,
        tags=list(new.tags),
        scheduled_at=new.scheduled_at,
        ignore_quiet_hours=new.ignore_quiet_hours,
        ignore_frequency_cap=new.ignore_frequency_cap,
        **validity.given(scope, new.category, new.scheduled_at, new.valid_until, new.validity),
        valid_for=plan[0].valid_for,
        parts=parts,
        body=body,
        provider=sender.provider,
        details=_details(new),
        callback_id=new.callback.endpoint_id if new.callback else None,
        priority=new.priority.value,
        resend_of=new.resend_of,
        plan=stored(plan),
        sender=new.sender,
        stay_id=stay_id,
    )
    if new.valid_until is not None and new.valid_until <= row.due_at:
        raise TooLate
    if new.group is not None and not new.refused:
        await groups.write(tx, scope, row.id, new.group, book)
    for number, step in enumerate(further, start=1):
        await accepting.write_step(tx, scope, row, number, step, book, carried)
    return row


def _contact(new: NewMessage, address_hash: bytes, *, known: bool) -> dict[str, object]:
    """Whom it goes to, as what writes it remembers that. `known`: that it is an address."""
    return {
        "contact_kind": kind_of(new.channel, new.recipient).value if known else None,
        "contact": new.recipient,
        "contact_hash": address_hash,
        "contact_guest": new.guest_id,
    }


def _details(new: NewMessage) -> dict[str, Any] | None:
    url = new.callback.url if new.callback else None
    return accepting.details_of(new.content, new.template, new.chosen, url, new.answers, new.group)


async def get(tx: AsyncConnection, scope: Scope, message_id: UUID) -> MessageRow | None:
    """An outbound message of this scope; None when it is another's, erased, or was never there."""
    found = await _GET(tx, scope=scope.id, message=message_id)
    return found[0] if found else None


async def stages(tx: AsyncConnection, message_ids: list[UUID]) -> dict[UUID, Stage]:
    """The stage of each of these messages: one query for all who wait for an acceptance."""
    return {row.id: row.stage for row in await _STAGES(tx, asked=message_ids)}


_OUTCOME_UNKNOWN = frozenset({AttemptState.UNKNOWN, AttemptState.ABANDONED})


async def _waiting(tx: AsyncConnection, scope: Scope, message_id: UUID) -> tuple[MessageRow | None, bool, bool]:
    """The message under its lock, whether no provider has it or could still get it, and whether that is unknown."""
    if await get(tx, scope, message_id) is None:
        return None, False, False
    row = await progress.lock(tx, message_id)
    if row is None or row.erased_at is not None:
        return None, False, False
    return row, *_ours(row, await progress.attempts_of(tx, message_id))


def _ours(row: MessageRow, rows: Sequence[AttemptRow]) -> tuple[bool, bool]:
    """Whether no provider has the message or could still get it, and whether that is unknown."""
    queued = row.stage is Stage.QUEUED
    states = {attempt.state for attempt in rows}
    # One part that a provider took, even to fail with it, and the message is no longer ours to withdraw.
    return queued and states <= {AttemptState.NOT_SENT}, queued and bool(states & _OUTCOME_UNKNOWN)


async def cancel(tx: AsyncConnection, scope: Scope, message_id: UUID) -> Changed:
    """Withdraw a message that no provider has. Repeating it is harmless. After the commit: wake its workflow."""
    row, waiting, unknown = await _waiting(tx, scope, message_id)
    if row is None or row.stage is Stage.CANCELLED:
        return Changed(row, row is not None)
    if not waiting:
        return Changed(row, False, unknown=unknown)
    moved = await progress.advance(tx, row, decision=Stage.CANCELLED, wake=True)
    return Changed(moved.row, True, moved.endpoints)


async def cancel_locked(tx: AsyncConnection, row: MessageRow, rows: list[AttemptRow]) -> Changed:
    """The same for its own workflow, which asks: of a message that is locked, with its attempts."""
    waiting, unknown = _ours(row, rows)
    if not waiting:
        return Changed(row, False, unknown=unknown)
    moved = await progress.advance(tx, row, rows, decision=Stage.CANCELLED)
    return Changed(moved.row, True, moved.endpoints)


async def reschedule(
    tx: AsyncConnection, scope: Scope, message_id: UUID, at: datetime | None, valid_for: float
) -> Changed:
    """Move a message that still waits to another time (None: now). After the commit: wake its workflow. `valid_for`: as
    `accept` takes it. Raises TooLate."""
    row, waiting, unknown = await _waiting(tx, scope, message_id)
    if row is None or not waiting:
        return Changed(row, False, unknown=unknown)
    if row.validity is None and row.valid_until is not None and row.valid_until <= max(row.now, at or row.now):
        raise TooLate
    due = func.greatest(func.now(), literal(at)) if at else func.now()
    until: Any = row.valid_until if row.validity is None else due + seconds(row.validity)
    if (step := row.step_at(row.step)) is not None:
        expires: Any = func.least(due + seconds(step.valid_for), until)
    elif row.valid_until is not None:
        usual = CHANNELS[row.channel].valid_for
        expires = func.least(due + seconds(valid_for if usual is None else usual), until)
    elif row.expires_at:
        # As long after the new time as it was after the old one; `due_at` itself moves with holds and retries.
        expires = due + (row.expires_at - max(row.scheduled_at or row.created_at, row.created_at))
    else:
        expires = None
    (changed,) = await tx.execute(
        update(messages)
        .where(messages.c.id == message_id)
        .values(
            scheduled_at=at,
            due_at=due,
            held_account_id=None,
            waits_for=None,
            parked_at=None,
            pace_id=None,
            valid_until=until,
            expires_at=expires,
            updated_at=func.now(),
            wake_due_at=func.clock_timestamp(),
        )
        .returning(
            messages.c.scheduled_at,
            messages.c.due_at,
            messages.c.held_account_id,
            messages.c.waits_for,
            messages.c.parked_at,
            messages.c.valid_until,
            messages.c.expires_at,
            messages.c.updated_at,
            messages.c.wake_due_at,
        )
    )
    for name, value in changed._mapping.items():
        setattr(row, name, value)
    endpoints = await events.write(
        tx, scope.id, "message", message_id, [NewEvent("message.rescheduled", facts={"scheduled_at": timestamp(at)})]
    )
    return Changed(row, True, endpoints)


@dataclass(slots=True)
class _Key:
    id: UUID


_AGAIN = CompiledStatement(
    select(messages.c.id)
    .where(
        messages.c.resend_of == bindparam("message"),
        *(messages.c.stage != stage.value for stage in (Stage.GAVE_UP, Stage.UNDELIVERED, Stage.CANCELLED)),
    )
    .limit(1),
    row=_Key,
)


async def lock_failed(tx: AsyncConnection, scope: Scope, message_id: UUID) -> tuple[MessageRow | None, UUID | None]:
    """A message under its lock, to be sent again, and the message that already does so, unless that has failed as
    well. None: no such message here."""
    row = await get(tx, scope, message_id)
    # Guests are locked before messages, everywhere.
    if row is None or (row.guest_id is not None and not await belonging.GUEST(tx, scope=scope.id, guest=row.guest_id)):
        return None, None
    row = await progress.lock(tx, message_id)
    if row is None or row.erased_at is not None:
        return None, None
    again = await _AGAIN(tx, message=message_id)
    return row, again[0].id if again else None
