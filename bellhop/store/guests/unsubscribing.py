"""Who is unsubscribed by the link in a mail: read of the message that it went out with."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import unsubscribe as unsubscribe_link
from bellhop.domain.addresses import AddressBook
from bellhop.domain.categories import Category
from bellhop.domain.channels import CHANNELS, Channel
from bellhop.domain.consents import MARKETING, Effect, binding
from bellhop.domain.content import Content
from bellhop.domain.provider_urls import Routes
from bellhop.domain.rows.messages import MessageRow
from bellhop.store.compiled import CompiledStatement
from bellhop.store.guests import consent_events, consents, profiles
from bellhop.store.tables import guests, scopes

SOURCE = "one-click"


@dataclass(slots=True)
class Subscriber:
    """The address that a mail went to, and what its page says. `language`: its guest's."""

    scope_id: UUID
    channel: Channel
    hashed: bytes | None = field(repr=False)
    """None: erased by a version that kept none."""
    guest_id: UUID | None
    property_name: str
    language: str | None
    property_language: str | None


_OF_MESSAGE = CompiledStatement(
    text(
        """
        select m.scope_id, coalesce(s.channel, m.channel) channel,
          case when s.message_id is null then coalesce(m.address_hash, m.erased_hash)
            else coalesce(s.address_hash, s.erased_hash) end hashed,
          m.guest_id, p.name property_name, g.language, c.settings ->> 'language' property_language
        from messages m
        join scopes c on c.id = m.scope_id
        join properties p on p.id = c.property_id
        left join message_steps s on s.message_id = m.id and s.step = :step
        left join guests g on g.id = m.guest_id
        where m.id = :message and m.direction = 'outbound' and (s.message_id is not null or :step = 0)
        """
    ),
    row=Subscriber,
)


@dataclass(slots=True)
class _Languages:
    language: str | None
    property_language: str | None


_LANGUAGES = CompiledStatement(
    select(
        select(guests.c.language).where(guests.c.id == bindparam("guest")).scalar_subquery().label("language"),
        scopes.c.settings["language"].astext.label("property_language"),
    ).where(scopes.c.id == bindparam("scope")),
    row=_Languages,
)


async def with_link(
    tx: AsyncConnection, row: MessageRow, said: Content, book: AddressBook, routes: Routes
) -> tuple[Content, str | None]:
    """What a message says, with the link of marketing in its guest's language, else the property's, and the link; any
    other message as it is."""
    if row.category is not Category.MARKETING or not CHANNELS[row.channel].unsubscribes:
        return said, None
    url = routes.unsubscribe(book.unsubscribe_tokens.make(row.id, row.step))
    (known,) = await _LANGUAGES(tx, scope=row.scope_id, guest=row.guest_id)
    return unsubscribe_link.with_link(said, url, known.language, known.property_language), url


async def subscriber(tx: AsyncConnection, message_id: UUID, step: int) -> Subscriber | None:
    """Whom the link of a message, at one of its steps, is about; None: there is no such message any more."""
    found = await _OF_MESSAGE(tx, message=message_id, step=step)
    return found[0] if found else None


async def unsubscribe(tx: AsyncConnection, who: Subscriber, message_id: UUID) -> set[UUID]:
    """Write down that an address wants no more marketing, unless it is written down. Returns the endpoints that have
    events to deliver."""
    if who.hashed is None:
        return set()
    kind = CHANNELS[who.channel].address.value
    known = await consent_events.guests_of(tx, who.scope_id, kind, who.hashed)
    # Guests come before all else in the order of locks.
    seen = [guest for guest in known if await profiles.seen(tx, guest)]
    said = await consents.last_said(tx, who.scope_id, kind, [who.hashed])
    if any(fact.purpose == MARKETING for fact in binding(said, Category.MARKETING)):
        return set()
    await consents.write(tx, who.scope_id, kind, who.hashed, Effect.OPT_OUT, SOURCE, message_id, purpose=MARKETING)
    return await consent_events.tell(tx, who.scope_id, seen)
