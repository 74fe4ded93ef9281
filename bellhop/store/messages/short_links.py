"""Short links: written with their message, looked up by their code alone, and who followed them, in bounded number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    Boolean,
    DateTime,
    Integer,
    SmallInteger,
    Text,
    any_,
    bindparam,
    delete,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from bellhop.domain import short_links as rules
from bellhop.domain.rows.links import ClickRow, FollowedLink, LinkRow
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.scopes import LinkSettings, Scope
from bellhop.store.compiled import CompiledStatement
from bellhop.store.database import DrawnTwice
from bellhop.store.tables import link_clicks, scopes, short_links

MOST_KEPT = 50
"""Clicks of a link that are kept one by one; all are counted."""
SHOWN = 500
"""Clicks of a message that are shown one by one, the first."""


class CodeTaken(DrawnTwice):
    """One of the codes is another link's already: with new ones the message is accepted."""


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link of a message that is being accepted."""

    code: str = field(repr=False)
    url: str = field(repr=False)
    target: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Click:
    """One time that somebody followed a link."""

    link_id: UUID
    message_id: UUID
    at: datetime
    bot: bool


_WRITE = CompiledStatement(
    text(
        """
        insert into short_links (scope_id, message_id, position, code, url, target, expires_at)
        select :scope, :message, given.place - 1, given.code, given.url, given.target, :expires
        from unnest(:codes, :urls, :targets) with ordinality as given (code, url, target, place)
        order by given.code
        on conflict (code) do nothing
        """
    ).bindparams(
        bindparam("scope", type_=Uuid),
        bindparam("message", type_=Uuid),
        bindparam("expires", type_=DateTime(timezone=True)),
        bindparam("codes", type_=ARRAY(Text)),
        bindparam("urls", type_=ARRAY(Text)),
        bindparam("targets", type_=ARRAY(Text)),
    )
)
_FOLLOWED = CompiledStatement(
    select(
        short_links.c.id,
        short_links.c.message_id,
        short_links.c.target,
        (short_links.c.expires_at <= func.now()).label("expired"),
        func.now().label("now"),
    ).where(short_links.c.code == bindparam("code")),
    row=FollowedLink,
)
_OF_MESSAGE = CompiledStatement(
    select(*(short_links.c[each.name] for each in fields(LinkRow)))
    .where(short_links.c.message_id == bindparam("message"), short_links.c.scope_id == bindparam("scope"))
    .order_by(short_links.c.position),
    row=LinkRow,
)
_CLICKS = CompiledStatement(
    select(*(link_clicks.c[each.name] for each in fields(ClickRow)))
    .where(link_clicks.c.message_id == bindparam("message"), link_clicks.c.scope_id == bindparam("scope"))
    .order_by(link_clicks.c.id)
    .limit(SHOWN),
    row=ClickRow,
)
# Whatever came since the last time, in one statement: each link's row is locked in order, counted up once, and as many
# of its clicks are kept as there is room for. A link that is gone meanwhile takes nothing.
_COUNT = CompiledStatement(
    text(
        """
        with given as (
          select * from unnest(:links, :people, :bots, :firsts, :lasts) as each (id, people, bots, first, last)
        ), locked as (
          select id, scope_id, message_id, kept from short_links where id = any(:links) order by id for update
        ), counted as (
          update short_links link set clicks = link.clicks + given.people, bot_clicks = link.bot_clicks + given.bots,
            first_clicked_at = least(link.first_clicked_at, given.first),
            last_clicked_at = greatest(link.last_clicked_at, given.last),
            kept = least(:most, locked.kept + given.people + given.bots)
          from given join locked using (id) where link.id = locked.id
          returning link.id, link.scope_id, link.message_id, locked.kept as before
        )
        insert into link_clicks (scope_id, message_id, link_id, bot, clicked_at)
        select counted.scope_id, counted.message_id, counted.id, click.bot, click.at
        from counted join unnest(:of, :places, :machines, :times) as click (id, place, bot, at) using (id)
        where counted.before + click.place <= :most
        order by click.at
        """
    ).bindparams(
        bindparam("links", type_=ARRAY(Uuid)),
        bindparam("people", type_=ARRAY(Integer)),
        bindparam("bots", type_=ARRAY(Integer)),
        bindparam("firsts", type_=ARRAY(DateTime(timezone=True))),
        bindparam("lasts", type_=ARRAY(DateTime(timezone=True))),
        bindparam("most", type_=SmallInteger),
        bindparam("of", type_=ARRAY(Uuid)),
        bindparam("places", type_=ARRAY(Integer)),
        bindparam("machines", type_=ARRAY(Boolean)),
        bindparam("times", type_=ARRAY(DateTime(timezone=True))),
    )
)


async def settings(tx: AsyncConnection, scope: Scope) -> LinkSettings:
    """What the scope's settings say of links."""
    found = await tx.execute(select(scopes.c.settings[rules.SETTING]).where(scopes.c.id == scope.id))
    return rules.read(found.scalar_one_or_none())


async def write(tx: AsyncConnection, row: MessageRow, links: Sequence[NewLink], life: int) -> None:
    """The links of a message that was just accepted; they lead somewhere for `life` seconds after it is due. Raises
    CodeTaken: the whole transaction is to be rolled back then, and done anew (`Database.write` does)."""
    written = await _WRITE(
        tx,
        scope=row.scope_id,
        message=row.id,
        expires=row.due_at + timedelta(seconds=life),
        codes=[link.code for link in links],
        urls=[link.url for link in links],
        targets=[link.target for link in links],
    )
    if written < len(links):
        raise CodeTaken


async def followed(tx: AsyncConnection, code: str) -> FollowedLink | None:
    """Where a code leads, whosever it is; None: nowhere."""
    found = await _FOLLOWED(tx, code=code)
    return found[0] if found else None


async def of_message(tx: AsyncConnection, scope: Scope, message_id: UUID) -> list[LinkRow]:
    """The links of a message of this scope, in the order in which they stand in it."""
    return await _OF_MESSAGE(tx, message=message_id, scope=scope.id)


async def clicks(tx: AsyncConnection, scope: Scope, message_id: UUID) -> list[ClickRow]:
    """Who followed them, the first first."""
    return await _CLICKS(tx, message=message_id, scope=scope.id)


async def count(tx: AsyncConnection, made: Sequence[Click]) -> None:
    """Count these clicks, and keep the first of each link one by one."""
    of_link: dict[UUID, list[Click]] = {}
    for click in made:
        of_link.setdefault(click.link_id, []).append(click)
    people = {link: [click.at for click in each if not click.bot] for link, each in of_link.items()}
    kept = [(click, place) for each in of_link.values() for place, click in enumerate(each[:MOST_KEPT], start=1)]
    await _COUNT(
        tx,
        links=list(of_link),
        people=[len(people[link]) for link in of_link],
        bots=[len(each) - len(people[link]) for link, each in of_link.items()],
        firsts=[min(people[link], default=None) for link in of_link],
        lasts=[max(people[link], default=None) for link in of_link],
        most=MOST_KEPT,
        of=[click.link_id for click, _ in kept],
        places=[place for _, place in kept],
        machines=[click.bot for click, _ in kept],
        times=[click.at for click, _ in kept],
    )


async def forget(tx: AsyncConnection, ids: Sequence[UUID]) -> None:
    """Nothing of the links of these messages, which are locked, is kept: they lead nowhere from now on."""
    await tx.execute(delete(short_links).where(short_links.c.message_id == any_(literal(list(ids), ARRAY(Uuid)))))
