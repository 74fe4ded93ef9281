"""Messages: sent, cancelled, moved, looked at. Temporal is notified after each commit; recovery finds what was lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import options, unsubscribe
from bellhop.domain.categories import Category
from bellhop.domain.channels import CHANNELS, AddressKind, Channel, SubjectRule
from bellhop.domain.choosing import Chosen
from bellhop.domain.content import HTML, Content, written
from bellhop.domain.groups import Group
from bellhop.domain.ids import Prefix, parse
from bellhop.domain.media import MediaUse
from bellhop.domain.options import Options
from bellhop.domain.paging import Listed, PageRequest
from bellhop.domain.priorities import Priority
from bellhop.domain.routing import carried
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.scopes import Scope
from bellhop.domain.short_links import ShortLinks
from bellhop.domain.statuses import STATUS, Stage, Status
from bellhop.domain.templates import TemplateUse
from bellhop.engine import choosing, fallback, files, first_contacts, links, templates
from bellhop.engine.context import Engine
from bellhop.engine.errors import (
    ChannelUnavailable,
    InvalidField,
    NoDevice,
    NotFound,
    NotPending,
    OutcomeUnknown,
    UnknownGuest,
)
from bellhop.engine.fallback import FallbackStep
from bellhop.engine.idempotency import IdempotencyKey, Once, Unkeyed, once
from bellhop.store.messages import lists, media_links, outbound
from bellhop.store.messages import timeline as entries
from bellhop.store.messages.outbound import Callback, Changed, NewMessage

ACCEPTED = 201
"""What is recorded as the first answer to a send."""


@dataclass(frozen=True, slots=True)
class Auto:
    """That the channel of a message is left open."""

    with_fallback: bool
    """Whether the other channels that suit it follow where it cannot arrive."""
    outside: bool = False
    """Whether it leaves Bellhop: channels of our own are left aside."""


@dataclass(frozen=True, slots=True)
class SendMessage:
    """A message as a caller asks for it: its fields checked and normalised, each by itself. An `in_app` message goes
    to the guest whose rendered id (`gst_…`) is its `recipient`; so may a push notification, to all of their devices.
    `scheduled_at` None, or past: now."""

    channel: Channel
    recipient: str = field(repr=False)
    content: str | None = field(repr=False)
    """None: what `template` says."""
    subject: str | None = field(default=None, repr=False)
    scheduled_at: datetime | None = None
    guest_id: UUID | None = None
    stay_id: UUID | None = None
    """The stay that it is about; None: the one that its guest's messages are about now, if there is any."""
    conversation_id: UUID | None = None
    """The conversation that it answers, and `stay_id` the stay of that one: as the caller has read them."""
    metadata: dict[str, Any] = field(default_factory=dict, repr=False)
    content_type: str | None = None
    """How the content is written, if the caller says it: `text/plain`, or `text/html` where the channel shows it."""
    priority: Priority = Priority.NORMAL
    category: Category = Category.TRANSACTIONAL
    valid_until: datetime | None = None
    """Until when it is of use: it fails rather than go out later."""
    validity: int | None = None
    """Instead, for how many seconds after it is due. With neither: as its property or its category has it."""
    ignore_quiet_hours: bool = False
    """Whether it goes out whatever the hour is where its guest is."""
    ignore_frequency_cap: bool = False
    """Whether it goes out however many of its category its guest has had."""
    template: TemplateUse | None = field(default=None, repr=False)
    """What it says instead of `content`."""
    options: Options = options.NONE
    media: tuple[MediaUse, ...] = ()
    """The files that go with it."""
    sender: str | None = None
    """Which of the property's senders on the channel it goes out from, by its address; None: that of the conversation,
    else the usual one."""
    short_links: ShortLinks | None = None
    """Whether the links in what it says, and in its fallback, are made short; None: as its property has it."""
    link_tracking: bool | None = None
    """Whether tracking parameters are appended to them, of a campaign's message or a test; None: as its property has
    it."""
    fallback: tuple[FallbackStep, ...] = ()
    """What follows where it cannot arrive, at most `steps.MOST`."""
    auto: Auto | None = None
    """Whether its channel is chosen as it is accepted: then it is `in_app`, to the guest, until it is."""
    callback: Callback | None = None
    """Who is told of it alone."""
    group: Group | None = None
    """Whom it goes to instead of `recipient`, which is empty then."""
    chosen: Chosen | None = None
    """Why it goes by its channel, where that was chosen before."""
    reference: str | None = None
    """What its sender calls it."""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListMessages:
    """Which messages to list; None: any."""

    guest_id: UUID | None = None
    channel: Channel | None = None
    status: Status | None = None
    page: PageRequest = field(default_factory=PageRequest)


@dataclass(frozen=True, slots=True)
class Timeline:
    """What became of a message: its status now, and entries in the order of time."""

    status: Status
    entries: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message to accept, as far as it is known without the database."""

    command: SendMessage
    guest_id: UUID | None
    whole: NewMessage | None
    """What it says; None: that is of a template, or depends on its channel, which is to be chosen."""


async def send(
    engine: Engine, scope: Scope, command: SendMessage, key: IdempotencyKey | Unkeyed | None = None
) -> Once[MessageRow]:
    """Accept a message: once this returns it is not lost, and is sent once.

    Raises InvalidField, ChannelUnavailable, NoChannel, UnknownGuest, NoDevice, IdempotencyMismatch,
    IdempotencySubjectGone; nothing is written then.
    """
    ready = prepared(engine, command)

    async def make(tx: AsyncConnection) -> Once[MessageRow]:
        row = await accept(engine, tx, scope, ready)
        return Once(row, row.id, ACCEPTED)

    return await accepted_once(engine, scope, key, make)


async def accepted_once(
    engine: Engine,
    scope: Scope,
    key: IdempotencyKey | Unkeyed | None,
    make: Callable[[AsyncConnection], Awaitable[Once[MessageRow]]],
) -> Once[MessageRow]:
    """Have `make` accept a message, or find the one that the same key made before. Its workflow is started.

    Message, first event and idempotency record are one transaction, whose commit is the acceptance. Raises what `make`
    does, IdempotencyMismatch, IdempotencySubjectGone.
    """
    accepted = await engine.database.write(
        lambda tx: once(
            tx,
            engine.book,
            scope,
            "message",
            key,
            make=lambda: make(tx),
            find=lambda message_id: outbound.get(tx, scope, message_id),
        )
    )
    if not accepted.replayed:
        engine.dispatcher.accepted(accepted.made)
    return accepted


def prepared(engine: Engine, command: SendMessage) -> Prepared:
    """What `accept` takes. Raises UnknownGuest."""
    if command.group is not None:
        command = replace(command, recipient=engine.book.group(command.group.members))
    guest_id = _guest(command)
    whole = None if command.template or command.auto else _new(command, guest_id, _written(command))
    return Prepared(command, guest_id, whole)


async def accept(engine: Engine, tx: AsyncConnection, scope: Scope, ready: Prepared) -> MessageRow:
    """Write one message in a transaction of the caller's, who has it started after the commit. Raises InvalidField and
    its kin (see `send`): what it wrote is to be rolled back then."""
    command, guest_id = ready.command, ready.guest_id
    try:
        if command.auto is None:
            whole = ready.whole or await _of_template(tx, scope, command, guest_id)
            return await _accept(engine, tx, scope, command, whole)

        async def compose(settled: SendMessage) -> NewMessage:
            if settled.template is not None:
                return await _of_template(tx, scope, settled, guest_id)
            return _new(settled, guest_id, _written(settled))

        assert guest_id is not None, "it is addressed to a guest"
        settled, chosen = await choosing.choose(engine, tx, scope, command, guest_id, compose)
        return await _accept(engine, tx, scope, settled, replace(await compose(settled), chosen=chosen.stored()))
    except outbound.ChannelUnavailable as none:
        field_name = f"fallback.{none.step - 1}.channel" if none.step else "channel"
        raise ChannelUnavailable(none.channel.value, field_name) from None
    except outbound.UnknownSender:
        expected = "expected the address of a sender of this property on that channel"
        raise InvalidField("from", expected, "unknown_sender") from None
    except outbound.TooLate:
        expected = "expected a time to come, and later than `scheduled_at`"
        raise InvalidField("valid_until", expected, "valid_until_over") from None
    except outbound.NoDevice as none:
        raise NoDevice(f"fallback.{none.step - 1}.recipient" if none.step else "recipient") from None
    except outbound.UnknownStay:
        raise InvalidField("stay_id", "expected a stay of this property, and of the guest", "stay_unknown") from None
    except outbound.UnknownGuest:
        raise UnknownGuest("recipient" if _to_guest(command) else "guest_id") from None


async def _accept(
    engine: Engine, tx: AsyncConnection, scope: Scope, command: SendMessage, new: NewMessage
) -> MessageRow:
    if command.media:
        new = await files.carried(engine, tx, scope, new, command.media)
    if command.fallback:
        new = replace(new, fallback=await fallback.new_steps(tx, scope, new, command.fallback, command.template))
    windowed = CHANNELS[command.channel].window is not None
    if windowed:
        new = await first_contacts.with_approved(tx, scope, new)
    linked = await links.changed(engine, tx, scope, command, new)
    new = linked.new
    row = await outbound.accept(tx, scope, new, engine.book, carried(engine.providers), engine.delivery.valid_for)
    await linked.write(tx, row)
    if command.media:
        await media_links.write(tx, row, new.content.media)
    if windowed and not command.fallback:
        await first_contacts.check(tx, engine.book, row, new.unapproved)
    return row


def _to_guest(command: SendMessage) -> bool:
    """Whether its recipient is a guest, not an address of theirs."""
    rules = CHANNELS[command.channel]
    return rules.address is AddressKind.GUEST or (rules.any_part and parse(Prefix.GUEST, command.recipient) is not None)


def _guest(command: SendMessage) -> UUID | None:
    """The guest it belongs to. Raises UnknownGuest."""
    if not _to_guest(command):
        return command.guest_id
    addressed = parse(Prefix.GUEST, command.recipient)
    if addressed is None:
        raise UnknownGuest("recipient")
    if command.guest_id not in (None, addressed):
        raise UnknownGuest("guest_id", "expected the guest of `recipient`, or none")
    return addressed


def _written(command: SendMessage) -> Content:
    text = written(command.channel, command.content or "", command.subject, command.content_type)
    return replace(text, options=command.options)


async def _of_template(tx: AsyncConnection, scope: Scope, command: SendMessage, guest_id: UUID | None) -> NewMessage:
    """What a message says that names a template is fixed here, as any other text is. Raises InvalidField."""
    assert command.template is not None
    made = await templates.used(tx, scope, command.template, guest_id)
    rules = CHANNELS[command.channel]
    if made.content_type == HTML and not rules.html:
        raise InvalidField(
            "template.name", f"expected a template in plain text: {rules.name} shows no HTML", "template"
        )
    if unsubscribe.named_in(made.content) and (command.category is not Category.MARKETING or not rules.unsubscribes):
        expected = "expected marketing, on a channel that has it: the template names `unsubscribe_url`"
        raise InvalidField("category", expected, "category")
    subject = None if rules.subject is SubjectRule.NONE else command.subject or made.subject
    if subject is None and rules.subject is SubjectRule.REQUIRED:
        expected = f"expected a subject, here or in the template: {rules.name} needs one"
        raise InvalidField("subject", expected, "subject_required")
    text = replace(
        written(command.channel, made.content, subject, made.content_type),
        options=command.options,
        approved=made.approved,
    )
    return replace(_new(command, guest_id, text), template=made.source, unapproved=made.unapproved)


def _new(command: SendMessage, guest_id: UUID | None, content: Content) -> NewMessage:
    return NewMessage(
        channel=command.channel,
        recipient=command.recipient,
        content=content,
        scheduled_at=command.scheduled_at,
        guest_id=guest_id,
        stay_id=command.stay_id,
        conversation_id=command.conversation_id,
        metadata=command.metadata,
        reference=command.reference,
        tags=command.tags,
        priority=command.priority,
        category=command.category,
        valid_until=command.valid_until,
        validity=command.validity,
        ignore_quiet_hours=command.ignore_quiet_hours,
        ignore_frequency_cap=command.ignore_frequency_cap,
        sender=command.sender,
        chosen=command.chosen.stored() if command.chosen else None,
        callback=command.callback,
        group=command.group,
    )


async def get(engine: Engine, scope: Scope, message_id: UUID) -> MessageRow:
    """One outbound message. Raises NotFound."""
    row = await engine.database.read(lambda tx: outbound.get(tx, scope, message_id))
    if row is None:
        raise NotFound
    return row


async def listing(engine: Engine, scope: Scope, which: ListMessages) -> Listed[MessageRow]:
    """Outbound messages, newest first."""
    return await engine.database.read(
        lambda tx: lists.listing(
            tx, scope, which.page, guest_id=which.guest_id, channel=which.channel, status=which.status
        )
    )


async def stages(engine: Engine, message_ids: Sequence[UUID]) -> dict[UUID, Stage]:
    """The stage of each of these messages, whose ids the caller has just made."""
    return await engine.database.read(lambda tx: outbound.stages(tx, list(message_ids)))


async def timeline(engine: Engine, scope: Scope, message_id: UUID) -> Timeline:
    """What became of a message and why. Raises NotFound."""

    async def work(tx: AsyncConnection) -> Timeline:
        row = await outbound.get(tx, scope, message_id)
        if row is None:
            raise NotFound
        return Timeline(STATUS[row.shown], await entries.timeline(tx, scope, message_id) or [])

    return await engine.database.read(work)


async def cancel(engine: Engine, scope: Scope, message_id: UUID) -> MessageRow:
    """Withdraw a message that no provider has; repeating it changes nothing. Raises NotFound, NotPending,
    OutcomeUnknown."""
    return _changed(engine, await engine.database.write(lambda tx: outbound.cancel(tx, scope, message_id)))


async def reschedule(engine: Engine, scope: Scope, message_id: UUID, at: datetime | None) -> MessageRow:
    """Move a message that still waits to another time; None, or a time that is over: now. Raises NotFound, NotPending,
    OutcomeUnknown, InvalidField."""
    valid_for = engine.delivery.valid_for
    try:
        changed = await engine.database.write(lambda tx: outbound.reschedule(tx, scope, message_id, at, valid_for))
    except outbound.TooLate:
        expected = "expected a time before the message's `valid_until`"
        raise InvalidField("scheduled_at", expected, "valid_until_over") from None
    return _changed(engine, changed)


def _changed(engine: Engine, changed: Changed) -> MessageRow:
    if changed.row is None:
        raise NotFound
    if changed.unknown:
        raise OutcomeUnknown
    if not changed.done:
        raise NotPending(STATUS[changed.row.shown])
    engine.dispatcher.woken(changed.row)
    engine.dispatcher.wake_endpoints(changed.endpoints)
    return changed.row
