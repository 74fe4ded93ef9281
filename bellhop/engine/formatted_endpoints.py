"""Endpoints that are sent another vendor's objects: those of the property, and those that single messages name.

What single messages name is one endpoint for each host: its addresses may differ from message to message, and a host
that does not answer keeps no other one waiting.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import TEXTS, Channel
from bellhop.domain.events import EventType
from bellhop.domain.paging import Listed, PageRequest
from bellhop.domain.rows.webhooks import EndpointFormat, EndpointRow
from bellhop.domain.scopes import Scope
from bellhop.engine import endpoints
from bellhop.engine.context import Engine
from bellhop.engine.errors import ForbiddenUrl, NotFound, TooManyEndpoints
from bellhop.store.webhooks import endpoints as stored
from bellhop.store.webhooks import formatted

STATUSES = (
    EventType.MESSAGE_SENT.value,
    EventType.MESSAGE_DELIVERED.value,
    EventType.MESSAGE_FAILED.value,
    EventType.MESSAGE_CANCELLED.value,
)
"""What changes the status of a text, as vendors without a word for reading know it."""
RECEIVED = (EventType.MESSAGE_RECEIVED.value,)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An endpoint as a vendor's client asks for it: of one type, which its `events` are."""

    url: str = field(repr=False)
    events: tuple[str, ...]
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubscription:
    """An endpoint that a vendor's client asks for, and is shown again as it asked. `asked`: what for, in that vendor's
    words."""

    url: str = field(repr=False)
    events: tuple[str, ...]
    channels: tuple[Channel, ...]
    secret: str = field(default="", repr=False)
    asked: Mapping[str, Any]


async def of_callback(engine: Engine, scope: Scope, url: str) -> UUID:
    """The endpoint of texts that name an address of this host. Raises ForbiddenUrl."""
    form = EndpointFormat.SENDBLUE_CALLBACK
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise ForbiddenUrl("The URL must not contain a user or password.")
    host = f"{parts.scheme}://{parts.netloc.lower()}"
    known = await engine.database.read(lambda tx: formatted.find_callback(tx, scope, form, host))
    if known is not None:
        return known
    await endpoints.check(engine, scope, url)
    most = engine.webhook.max_endpoints
    made = await engine.database.write(
        lambda tx: formatted.ensure_callback(tx, scope, form, host, STATUSES, TEXTS, most)
    )
    if made is None:
        raise ForbiddenUrl(f"expected one of the {most} hosts that were named before")
    return made


def type_of(row: EndpointRow) -> tuple[str, ...]:
    """The type of an endpoint, by its events."""
    return RECEIVED if RECEIVED[0] in row.events else STATUSES


async def listing(engine: Engine, scope: Scope, form: EndpointFormat) -> list[EndpointRow]:
    """Those of a format, the first made first."""
    return await engine.database.read(lambda tx: formatted.listing(tx, scope, form))


async def create(engine: Engine, scope: Scope, form: EndpointFormat, new: NewSubscription) -> EndpointRow:
    """One more, however many there are at its address. Raises ForbiddenUrl, TooManyEndpoints."""
    await endpoints.check(engine, scope, new.url)

    async def write(tx: AsyncConnection) -> EndpointRow:
        await stored.alone(tx, scope)
        if await stored.count(tx, scope) >= engine.webhook.max_endpoints:
            raise TooManyEndpoints(engine.webhook.max_endpoints)
        return await formatted.make(tx, scope, form, new.url, new.events, new.channels, new.secret, new.asked)

    return await engine.database.write(write)


async def get(engine: Engine, scope: Scope, form: EndpointFormat, endpoint_id: UUID) -> EndpointRow:
    """One of a format. Raises NotFound."""
    row = await endpoints.get(engine, scope, endpoint_id)
    if row.format is not form:
        raise NotFound
    return row


async def page(engine: Engine, scope: Scope, form: EndpointFormat, asked: PageRequest) -> Listed[EndpointRow]:
    """Those of a format, newest first."""
    return await engine.database.read(lambda tx: stored.listing(tx, scope, asked, form))


async def put(
    engine: Engine,
    scope: Scope,
    form: EndpointFormat,
    wanted: Sequence[Wanted],
    instead_of: Collection[tuple[str, ...]] = (),
) -> list[EndpointRow]:
    """Make those that are not there yet; of the others the secret is replaced. Of the types `instead_of` (each by its
    events) those go that are not wanted, and what they were still owed is abandoned. Returns all of them. Raises
    ForbiddenUrl, TooManyEndpoints."""
    there = {(row.url, type_of(row)) for row in await listing(engine, scope, form)}
    asked = {(one.url, one.events): one for one in wanted}
    for url in {url for url, _ in asked.keys() - there}:
        await endpoints.check(engine, scope, url)

    async def write(tx: AsyncConnection) -> set[UUID]:
        await stored.alone(tx, scope)
        known = {(row.url, type_of(row)): row for row in await formatted.listing(tx, scope, form)}
        gone = [row.id for key, row in known.items() if key[1] in instead_of and key not in asked]
        for endpoint_id in gone:
            await stored.remove(tx, scope, endpoint_id)
        for key, one in asked.items():
            if key in known:
                await formatted.change_secret(tx, known[key].id, one.secret)
            elif await stored.count(tx, scope) < engine.webhook.max_endpoints:
                await formatted.make(tx, scope, form, one.url, one.events, TEXTS, one.secret)
            else:
                raise TooManyEndpoints(engine.webhook.max_endpoints)
        return {*gone, *(known[key].id for key in asked.keys() & known.keys())}

    engine.dispatcher.wake_endpoints(await engine.database.write(write))
    return await listing(engine, scope, form)


async def remove(
    engine: Engine, scope: Scope, form: EndpointFormat, urls: Collection[str], events: tuple[str, ...]
) -> None:
    """Delete those of one type at these addresses. Raises NotFound where one is not there."""

    async def write(tx: AsyncConnection) -> set[UUID]:
        known = [row for row in await formatted.listing(tx, scope, form) if type_of(row) == events]
        gone = {row.id for row in known if row.url in urls}
        if len(gone) < len(set(urls)):
            raise NotFound
        for endpoint_id in sorted(gone):
            await stored.remove(tx, scope, endpoint_id)
        return gone

    engine.dispatcher.wake_endpoints(await engine.database.write(write))
