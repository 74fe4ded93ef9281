"""Files of a scope: their rows. The bytes lie elsewhere, under the row's key.

A row is written before the bytes are, and goes after they have gone: no file is ever without a row, whenever a process
dies. Quotas count what is being stored as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, any_, delete, exists, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from bellhop.domain.rows.media import AssetRow
from bellhop.domain.scopes import Scope
from bellhop.store.compiled import seconds
from bellhop.store.rows import first_of, from_row
from bellhop.store.tables import assets, guests, media_links

STORING = timedelta(hours=1)
"""Longer than any upload: what is still being stored then belonged to a process that is gone."""

UNCLAIMED = timedelta(days=1)
"""How long a file that came with a guest's message waits to become that message's own."""

COLUMNS = (
    assets.c.id,
    assets.c.content_type,
    assets.c.size,
    assets.c.sha256,
    assets.c.filename,
    assets.c.guest_id,
    assets.c.created_at,
    assets.c.expires_at,
)
_GONE = {"state": "gone", "filename": None, "guest_id": None}


class QuotaReached(Exception):
    """The scope keeps as much as it may."""


class UnknownGuest(Exception):
    """The guest named does not exist in this scope."""


@dataclass(frozen=True, slots=True)
class NewAsset:
    """A file that is about to be stored. `keep_for`: seconds from now."""

    content_type: str
    size: int
    sha256: bytes
    filename: str | None = field(repr=False)
    keep_for: float
    guest_id: UUID | None = None
    message_id: UUID | None = None
    received: bool = False
    """A guest sent it: what guests send has as much room again, so that they fill nobody else's."""


async def reserve(tx: AsyncConnection, scope_id: UUID, new: NewAsset, most: int) -> AssetRow:
    """The row of a file whose bytes are about to be written. `most`: bytes the scope may keep in all. Raises
    QuotaReached, UnknownGuest."""
    # One at a time in a scope: two at once would both see room for themselves.
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"assets {scope_id}", 0))))
    if new.guest_id is not None:
        known = select(guests.c.id).where(guests.c.id == new.guest_id, guests.c.scope_id == scope_id)
        if await tx.scalar(known.with_for_update(read=True, key_share=True)) is None:
            raise UnknownGuest
    held = select(func.coalesce(func.sum(assets.c.size), 0)).where(
        assets.c.scope_id == scope_id, assets.c.received.is_(new.received), _there()
    )
    if int((await tx.execute(held)).scalar_one()) + new.size > most:
        raise QuotaReached
    made = await tx.execute(
        insert(assets)
        .values(
            scope_id=scope_id,
            content_type=new.content_type,
            size=new.size,
            sha256=new.sha256,
            filename=new.filename,
            guest_id=new.guest_id,
            message_id=new.message_id,
            received=new.received,
            expires_at=func.now() + seconds(new.keep_for),
        )
        .returning(*COLUMNS)
    )
    return from_row(AssetRow, made.one())


async def stored(tx: AsyncConnection, asset_id: UUID) -> bool:
    """Its bytes are there. False: it went meanwhile."""
    done = await tx.execute(
        update(assets).where(assets.c.id == asset_id, assets.c.state == "storing").values(state="stored")
    )
    return done.rowcount == 1


async def get(tx: AsyncConnection, scope: Scope, asset_id: UUID) -> AssetRow | None:
    """A file of this scope."""
    mine = and_(assets.c.scope_id == scope.id, assets.c.id == asset_id, assets.c.state == "stored")
    return first_of(AssetRow, await tx.execute(select(*COLUMNS).where(mine)))


async def forget(tx: AsyncConnection, scope: Scope, asset_id: UUID) -> bool:
    """Let a file of this scope go."""
    mine = and_(assets.c.scope_id == scope.id, assets.c.id == asset_id, assets.c.state == "stored")
    return (await tx.execute(update(assets).where(mine).values(**_GONE))).rowcount == 1


async def abandon(tx: AsyncConnection, asset_id: UUID) -> None:
    """Its bytes could not be written."""
    await tx.execute(update(assets).where(assets.c.id == asset_id).values(**_GONE))


async def erase(tx: AsyncConnection, scope: Scope, guest_id: UUID, message_ids: Sequence[UUID]) -> list[str]:
    """Let everything go that is a guest's: what was uploaded as theirs, what was fetched for a message to them, and
    what no message to anybody else carries. Returns the keys of the files."""
    doomed: list[ColumnElement[bool]] = [assets.c.guest_id == guest_id]
    ids = any_(literal(list(message_ids), ARRAY(Uuid)))
    if message_ids:
        others, theirs = media_links.alias(), media_links.alias()
        carried = exists().where(theirs.c.asset_id == assets.c.id, theirs.c.message_id == ids)
        by_others = exists().where(others.c.asset_id == assets.c.id, ~(others.c.message_id == ids))
        doomed += [assets.c.message_id == ids, and_(carried, ~by_others)]
    gone = await tx.execute(
        update(assets)
        .where(assets.c.scope_id == scope.id, _there(), or_(*doomed))
        .values(**_GONE)
        .returning(assets.c.id)
    )
    keys = [str(key) for key in gone.scalars()]
    if message_ids:
        await tx.execute(delete(media_links).where(media_links.c.message_id == ids))
    return keys


async def let_go(tx: AsyncConnection, asset_ids: Sequence[UUID]) -> None:
    """Let these files go."""
    if asset_ids:
        ids = any_(literal(list(asset_ids), ARRAY(Uuid)))
        await tx.execute(update(assets).where(assets.c.id == ids, _there()).values(**_GONE))


async def let_go_of(tx: AsyncConnection, message_ids: Sequence[UUID]) -> None:
    """Let go what was fetched for these messages, and forget what they carried: other files have their own time."""
    ids = any_(literal(list(message_ids), ARRAY(Uuid)))
    await tx.execute(update(assets).where(assets.c.message_id == ids, _there()).values(**_GONE))
    await tx.execute(delete(media_links).where(media_links.c.message_id == ids))


async def expire(tx: AsyncConnection, most: int) -> int:
    """Let go what has been kept for its time, and what was never wholly stored. At most `most`; returns how many."""
    over = or_(
        assets.c.expires_at < func.now(),
        and_(assets.c.state == "storing", assets.c.created_at < func.now() - STORING),
        and_(assets.c.received, assets.c.message_id.is_(None), assets.c.created_at < func.now() - UNCLAIMED),
    )
    old = select(assets.c.id).where(_there(), over).limit(most).with_for_update(skip_locked=True)
    found = any_(func.array(old.scalar_subquery(), type_=ARRAY(Uuid)))
    return (await tx.execute(update(assets).where(assets.c.id == found).values(**_GONE))).rowcount


async def gone(tx: AsyncConnection, most: int) -> list[str]:
    """Keys of files that are to be removed."""
    found = await tx.execute(select(assets.c.id).where(assets.c.state == "gone").order_by(assets.c.id).limit(most))
    return [str(key) for key in found.scalars()]


async def removed(tx: AsyncConnection, keys: Sequence[str]) -> None:
    """These files are there no more."""
    ids: Any = any_(literal([UUID(key) for key in keys], ARRAY(Uuid)))
    await tx.execute(delete(media_links).where(media_links.c.asset_id == ids))
    await tx.execute(delete(assets).where(assets.c.id == ids, assets.c.state == "gone"))


def _there() -> ColumnElement[bool]:
    return assets.c.state != "gone"


async def abandon_of(tx: AsyncConnection, message_id: UUID) -> None:
    """Whatever was fetched for a message is needed no more."""
    await tx.execute(update(assets).where(assets.c.message_id == message_id, _there()).values(**_GONE))
