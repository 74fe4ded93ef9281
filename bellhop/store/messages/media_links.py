"""Which message carries which file, and for how long whoever knows the address gets it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import any_, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text, Uuid

from bellhop.domain.media import Media
from bellhop.domain.rows.media import AssetRow, ServedFile
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.scopes import Scope
from bellhop.store.messages.assets import COLUMNS
from bellhop.store.rows import first_of, from_result
from bellhop.store.tables import assets, media_links, messages

AFTER = timedelta(days=1)
"""How long after a message is over its files may be asked for."""


async def prepared(
    tx: AsyncConnection, scope: Scope, asset_ids: Sequence[UUID | None]
) -> list[tuple[UUID, AssetRow | None]]:
    """For each file of a message that is about to be accepted the id of its link, and the file, if it is one of this
    scope's that is there; it stays until the transaction ends."""
    links = await tx.execute(select(func.uuidv7()).select_from(func.generate_series(1, len(asset_ids))))
    known: dict[UUID, AssetRow] = {}
    wanted = [asset_id for asset_id in asset_ids if asset_id is not None]
    if wanted:
        mine = select(*COLUMNS).where(
            assets.c.scope_id == scope.id,
            assets.c.state == "stored",
            assets.c.id == any_(literal(wanted, ARRAY(Uuid))),
        )
        found = await tx.execute(mine.order_by(assets.c.id).with_for_update(key_share=True))
        known = {row.id: row for row in from_result(AssetRow, found)}
    pairs = zip(links.scalars(), asset_ids, strict=True)
    return [(link, known.get(asset_id) if asset_id else None) for link, asset_id in pairs]


async def write(tx: AsyncConnection, row: MessageRow, media: Sequence[Media]) -> None:
    """That a message carries these files. Those that are here stay as long as it needs them."""
    await tx.execute(
        insert(media_links).values(
            [
                {
                    "id": one.link,
                    "scope_id": row.scope_id,
                    "message_id": row.id,
                    "position": place,
                    "asset_id": one.asset_id,
                    "filename": one.filename if one.asset_id else None,
                }
                for place, one in enumerate(media)
            ]
        )
    )
    here = [one.asset_id for one in media if one.asset_id]
    if here and row.expires_at is not None:
        await tx.execute(
            update(assets)
            .where(assets.c.id == any_(literal(here, ARRAY(Uuid))))
            .values(expires_at=func.greatest(assets.c.expires_at, row.expires_at + AFTER))
        )


async def served(tx: AsyncConnection, link: UUID) -> ServedFile | None:
    """The file of a message that is not over, or was not a day ago; of a guest's message as long as it is kept."""
    over = func.greatest(messages.c.expires_at, messages.c.sent_at, messages.c.due_at) + AFTER
    found = await tx.execute(
        select(media_links.c.asset_id, assets.c.content_type, assets.c.size, assets.c.sha256, media_links.c.filename)
        .join(assets, assets.c.id == media_links.c.asset_id)
        .join(messages, messages.c.id == media_links.c.message_id)
        .where(
            media_links.c.id == link,
            assets.c.state == "stored",
            messages.c.erased_at.is_(None),
            or_(messages.c.direction == "inbound", over > func.now()),
        )
    )
    return first_of(ServedFile, found)


async def missing(tx: AsyncConnection, asset_ids: Sequence[UUID]) -> bool:
    """Whether one of these files is there no more."""
    there = select(func.count()).where(
        assets.c.id == any_(literal(list(asset_ids), ARRAY(Uuid))), assets.c.state == "stored"
    )
    return int((await tx.execute(there)).scalar_one()) < len(set(asset_ids))


async def fetched(tx: AsyncConnection, message_id: UUID, position: int, asset_id: UUID, filename: str) -> UUID:
    """A file of a message has been fetched: it is that one, and called so. Returns the id of its link."""
    done = await tx.execute(
        update(media_links)
        .where(media_links.c.message_id == message_id, media_links.c.position == position)
        .values(asset_id=asset_id, filename=filename)
        .returning(media_links.c.id)
    )
    return UUID(str(done.scalar_one()))


async def keep(tx: AsyncConnection, message_id: UUID, media: Sequence[Media]) -> None:
    """The files of a message as they are now."""
    stored = literal([one.stored() for one in media], JSONB)
    await tx.execute(
        update(messages)
        .where(messages.c.id == message_id)
        .values(details=func.jsonb_set(messages.c.details, literal(["media"], ARRAY(Text)), stored))
    )
