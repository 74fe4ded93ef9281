"""The property's lines: its senders on the channels of a phone's own texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import CHANNELS, TEXTS, Channel
from bellhop.domain.paging import Listed, PageRequest, Place
from bellhop.domain.rows.delivery import OwnSender
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import NotFound
from bellhop.store.delivery import sender_rows


@dataclass(frozen=True, slots=True)
class WhichLines:
    """Which lines to list; None: any. `ids`: those of these ids."""

    channels: Sequence[Channel] | None = None
    ids: Sequence[UUID] | None = None
    backwards: bool = False
    page: PageRequest = field(default_factory=PageRequest)


def carries_files(line: OwnSender) -> bool:
    """Whether a message from it may have files."""
    return CHANNELS[line.channel].media is not None and bool(line.capabilities.get("media", True))


async def of_scope(tx: AsyncConnection, scope: Scope) -> list[OwnSender]:
    """All of them, those of the best channel first, in the order in which each channel uses them."""
    known = await sender_rows.listing(tx, scope)
    return [one for channel in TEXTS for one in known if one.channel is channel]


async def beside(tx: AsyncConnection, scope: Scope, line_id: UUID) -> tuple[OwnSender, list[OwnSender]]:
    """One, and all on its channel. Raises NotFound."""
    known = await of_scope(tx, scope)
    line = next((one for one in known if one.id == line_id), None)
    if line is None:
        raise NotFound
    return line, [one for one in known if one.channel is line.channel]


async def get(engine: Engine, scope: Scope, line_id: UUID) -> OwnSender:
    """One of them. Raises NotFound."""
    return (await engine.database.read(lambda tx: beside(tx, scope, line_id)))[0]


async def listing(engine: Engine, scope: Scope, which: WhichLines) -> Listed[OwnSender]:
    """Some of them, in the order of `of_scope`."""
    every = await engine.database.read(lambda tx: of_scope(tx, scope))
    known = [
        one
        for one in every
        if (which.channels is None or one.channel in which.channels) and (which.ids is None or one.id in which.ids)
    ]
    if which.backwards:
        known.reverse()
    after, limit = which.page.after, which.page.limit
    first = next((at + 1 for at, one in enumerate(known) if after and one.id == after.id), len(known) if after else 0)
    listed = known[first : first + limit]
    following = Place(listed[-1].id) if listed and known[first + limit :] else None
    return Listed(listed, len(known), next=following)
