"""Messages of one of the property's lines: sent from it, listed both ways, looked at, withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.categories import Category
from bellhop.domain.channels import TEXTS
from bellhop.domain.failures import FailureCode
from bellhop.domain.media import MediaUse
from bellhop.domain.paging import Listed
from bellhop.domain.rows.delivery import OwnSender
from bellhop.domain.rows.texts import ChannelText
from bellhop.domain.scopes import Scope
from bellhop.domain.short_links import ShortLinks
from bellhop.domain.templates import TemplateUse
from bellhop.engine import contacts, lines, messages, refusals
from bellhop.engine.contacts import Contact, ToContact
from bellhop.engine.context import Engine
from bellhop.engine.errors import InvalidField, NotFound
from bellhop.engine.idempotency import IdempotencyKey
from bellhop.engine.messages import SendMessage
from bellhop.store.messages import channel_texts, line_texts, short_links, templates
from bellhop.store.messages.line_texts import Interaction as Interaction
from bellhop.store.messages.line_texts import WhichOfLine as WhichOfLine
from bellhop.store.messages.texts import Span as Span

FURTHEST = timedelta(days=35)
"""How far ahead a message of a line may be scheduled."""
CLICKED = "clicked"
UNCARRIED = "media_unexpected"
"""The kind of what is wrong with files where the line carries none."""


@dataclass(frozen=True, slots=True)
class Project:
    """A template as other vendors' clients name it: the property's setting `template_projects` has the name of ours,
    else it is the id of any of its versions."""

    id: UUID
    version: UUID | None
    """None: the one in use."""
    locale: str | None
    parameters: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendFromLine:
    """A message as a caller asks for it, its fields checked each by itself."""

    to: ToContact
    sender: str | None = None
    sender_id: UUID | None = None
    """The line's own address and id, where the caller says them."""
    content: str | None = field(default=None, repr=False)
    media: tuple[MediaUse, ...] = ()
    project: Project | None = None
    """What it says instead of `content`."""
    scheduled_at: datetime | None = None
    validity: int | None = None
    category: Category = Category.TRANSACTIONAL
    ignore_quiet_hours: bool = False
    capped: bool = False
    """Whether the property's frequency caps are asked; of marketing only."""
    short_links: ShortLinks | None = None
    link_tracking: bool | None = None
    """As `SendMessage` has them."""
    reference: str | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict, repr=False)


async def send(
    engine: Engine, scope: Scope, line_id: UUID, command: SendFromLine, key: IdempotencyKey | None = None
) -> ChannelText:
    """Accept a message from a line. One with files that the line does not carry is taken in and fails at once.

    Raises NotFound, InvalidField, IdempotencyMismatch, IdempotencySubjectGone; nothing is written then but the guest,
    where the number was nobody's.
    """
    line = await lines.get(engine, scope, line_id)
    (contact,) = await contacts.resolved(engine, scope, [command.to])
    if isinstance(contact, InvalidField):
        raise contact
    asked = as_asked(line, command, contact)
    try:
        settled = await engine.database.read(lambda tx: settled_on(tx, scope, line, command, asked))
    except InvalidField as problem:
        if problem.kind != UNCARRIED:
            raise
        code = FailureCode.MEDIA_REFUSED
        refused = await engine.database.write(lambda tx: refusals.accept(engine, tx, scope, asked, code))
        engine.dispatcher.woken(refused.row)
        engine.dispatcher.wake_endpoints(refused.endpoints)
        return await get(engine, scope, line_id, refused.row.id)
    done = await messages.send(engine, scope, settled, key)
    return await get(engine, scope, line_id, done.made.id)


def as_asked(line: OwnSender, command: SendFromLine, contact: Contact | None) -> SendMessage:
    """The same in the form of every message, but for its template. `contact`: whom it goes to; None: nobody such."""
    return SendMessage(
        channel=line.channel,
        recipient=contact.number if contact else command.to.named,
        guest_id=contact.guest_id if contact else None,
        content=command.content,
        media=command.media,
        scheduled_at=command.scheduled_at,
        validity=command.validity,
        category=command.category,
        ignore_quiet_hours=command.ignore_quiet_hours,
        ignore_frequency_cap=not command.capped,
        short_links=command.short_links,
        link_tracking=command.link_tracking,
        reference=command.reference,
        tags=command.tags,
        metadata=command.metadata,
        sender=line.address,
    )


async def settled_on(
    tx: AsyncConnection, scope: Scope, line: OwnSender, command: SendFromLine, asked: SendMessage
) -> SendMessage:
    """`asked`, which is `as_asked` of the same, with its template. Raises InvalidField; of the kind UNCARRIED where the
    line carries no files."""
    if command.sender is not None and command.sender != line.address:
        raise InvalidField("sender", f"expected {line.address}, the channel's own, or none", "unknown_sender")
    if command.sender_id not in (None, line.id, line.account_id):
        raise InvalidField("sender", "expected the channel's own id, or none", "unknown_sender")
    if command.capped and command.category is not Category.MARKETING:
        raise InvalidField("capped", "expected it of marketing only", "cap_frequency")
    if command.scheduled_at is not None and command.scheduled_at > await line_texts.now(tx) + FURTHEST:
        raise InvalidField("scheduled_at", f"expected a time within {FURTHEST.days} days", "scheduled_too_far")
    if command.media and not lines.carries_files(line):
        raise InvalidField("media", "expected no files: this channel carries none", UNCARRIED)
    if command.project is None:
        return asked
    return replace(asked, template=await _template(tx, scope, command.project))


async def _template(tx: AsyncConnection, scope: Scope, project: Project) -> TemplateUse:
    name = await templates.of_project(tx, scope, project.id)
    if name is None:
        expected = "expected one of the property's setting `template_projects`, or the id of a template"
        raise InvalidField("template.name", expected, "unknown_template")
    return TemplateUse(name, project.locale, project.parameters, project.version)


async def get(engine: Engine, scope: Scope, line_id: UUID, message_id: UUID) -> ChannelText:
    """One message of a line, whichever way it went. Raises NotFound."""
    rows = await engine.database.read(lambda tx: channel_texts.load(tx, scope, [message_id]))
    row = rows.get(message_id)
    if row is None or row.channel not in TEXTS or row.sender_id != line_id:
        raise NotFound
    return row


async def listing(engine: Engine, scope: Scope, line_id: UUID, which: WhichOfLine) -> Listed[ChannelText]:
    """Messages of a line, both ways: at most a page, which may be a short one and yet not the last. Raises NotFound."""

    async def work(tx: AsyncConnection) -> Listed[ChannelText]:
        line, known = await lines.beside(tx, scope, line_id)
        return await line_texts.listing(tx, scope, line, known, which)

    return await engine.database.read(work)


async def interactions(engine: Engine, scope: Scope, line_id: UUID, message_id: UUID) -> Sequence[Interaction]:
    """What a guest did with a message to them, the first first: opened it, or followed a link of it. Raises
    NotFound."""
    await get(engine, scope, line_id, message_id)

    async def work(tx: AsyncConnection) -> list[Interaction]:
        opened = await line_texts.interactions(tx, scope, message_id)
        # What machines follow the guest did not.
        clicks = [one for one in await short_links.clicks(tx, scope, message_id) if not one.bot]
        return [*opened, *(Interaction(one.id, CLICKED, one.clicked_at) for one in clicks)]

    return sorted(await engine.database.read(work), key=lambda one: (one.at, one.id))


async def cancel(engine: Engine, scope: Scope, line_id: UUID, message_id: UUID) -> ChannelText:
    """Withdraw a message that no provider has; repeating it changes nothing. Raises NotFound, NotPending,
    OutcomeUnknown."""
    await get(engine, scope, line_id, message_id)
    await messages.cancel(engine, scope, message_id)
    return await get(engine, scope, line_id, message_id)
