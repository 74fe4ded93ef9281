"""The link in a marketing mail: looked at, and taken."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.engine.context import Engine
from bellhop.engine.errors import NotFound, WrongSignature
from bellhop.store.guests import unsubscribing
from bellhop.store.guests.unsubscribing import Subscriber


@dataclass(frozen=True, slots=True)
class Offered:
    """What the page of a link says: whose offers they are, and the languages its guest may read, the best first."""

    property_name: str
    languages: tuple[str | None, ...]


async def look(engine: Engine, token: str) -> Offered:
    """Whose link it is. Nothing is changed. Raises WrongSignature on what is no token of ours, NotFound where its
    message is gone."""
    message_id, step = _read(engine, token)
    return _offered(await engine.database.read(lambda tx: unsubscribing.subscriber(tx, message_id, step)))


async def take(engine: Engine, token: str) -> Offered:
    """The guest wants no more marketing at the address that the mail went to. Repeating it changes nothing. Raises as
    `look` does."""
    message_id, step = _read(engine, token)

    async def write(tx: AsyncConnection) -> tuple[Subscriber | None, set[UUID]]:
        who = await unsubscribing.subscriber(tx, message_id, step)
        return who, await unsubscribing.unsubscribe(tx, who, message_id) if who else set()

    who, endpoints = await engine.database.write(write)
    engine.dispatcher.wake_endpoints(endpoints)
    return _offered(who)


def _read(engine: Engine, token: str) -> tuple[UUID, int]:
    read = engine.book.unsubscribe_tokens.read(token)
    if read is None:
        raise WrongSignature
    return read


def _offered(who: Subscriber | None) -> Offered:
    if who is None:
        raise NotFound
    return Offered(who.property_name, (who.language, who.property_language))
