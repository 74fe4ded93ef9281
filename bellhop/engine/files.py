"""The files of a message: fixed when it is accepted, as its text is, and handed to whoever knows their address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import BinaryIO
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import CHANNELS
from bellhop.domain.media import Media, MediaUse
from bellhop.domain.rows.media import AssetRow, ServedFile
from bellhop.domain.scopes import Scope
from bellhop.engine.assets import library_of
from bellhop.engine.context import Engine
from bellhop.engine.errors import InvalidField, NotFound
from bellhop.media.kinds import named
from bellhop.store.messages import media_links
from bellhop.store.messages.outbound import NewMessage


async def carried(
    engine: Engine, tx: AsyncConnection, scope: Scope, new: NewMessage, uses: Sequence[MediaUse]
) -> NewMessage:
    """The message with its files: those that are here, checked against its channel, and those that are yet to be
    fetched. Raises InvalidField."""
    channel = CHANNELS[new.channel]
    rules = channel.media
    if rules is None or len(uses) > rules.count:
        most = rules.count if rules else 0
        raise InvalidField("media", f"expected at most {most} files: {channel.name} carries no more", "media_count")
    found = await media_links.prepared(tx, scope, [use.asset_id for use in uses])
    made: list[Media] = []
    for place, (use, (link, row)) in enumerate(zip(uses, found, strict=True)):
        if use.asset_id is None:
            said = use.content_type or "", use.filename or ""
            made.append(Media(url="", content_type=said[0], filename=said[1], size=0, source=use.url, link=link))
            continue
        if row is None:
            expected = "expected the id of a file of this property"
            raise InvalidField(f"media.{place}.asset_id", expected, "unknown_asset")
        if objection := rules.objection(channel.name, row.content_type, row.size):
            raise InvalidField(f"media.{place}.asset_id", objection, "media_type_or_size")
        made.append(_of_asset(engine, link, row, use.filename))
    if objection := rules.too_much(channel.name, (one.size for one in made)):
        raise InvalidField("media", objection, "media_size")
    return replace(new, content=replace(new.content, media=tuple(made)))


def _of_asset(engine: Engine, link: UUID, row: AssetRow, filename: str | None) -> Media:
    name = named(filename or row.filename, row.content_type)
    return Media(
        url=library_of(engine).addresses.url(link, name),
        content_type=row.content_type,
        filename=name,
        size=row.size,
        asset_id=row.id,
        link=link,
    )


async def served(engine: Engine, token: str, name: str) -> tuple[ServedFile, BinaryIO]:
    """A file of a message, open, for whoever knows its address. Raises NotFound. Nothing is asked of the database for
    an address that was never ours."""
    library = library_of(engine)
    link = library.addresses.link(token)
    if link is None:
        raise NotFound
    row = await engine.database.read(lambda tx: media_links.served(tx, link))
    if row is None or row.filename != name:
        raise NotFound
    try:
        return row, await library.open(row.key)
    except FileNotFoundError:
        raise NotFound from None
