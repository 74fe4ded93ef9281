"""API keys as rows: found by their hash, minted, listed and revoked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, any_, func, insert, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from bellhop.domain import keys, short_links
from bellhop.domain.conversations import Side
from bellhop.domain.live import Word
from bellhop.domain.paging import Listed, PageRequest, Place
from bellhop.domain.rows.access import KeyRow
from bellhop.domain.scopes import Scope
from bellhop.store import notifications, pages
from bellhop.store.rows import from_result, from_row
from bellhop.store.tables import api_keys, scopes

_COLUMNS = [api_keys.c[each.name] for each in fields(KeyRow) if each.name not in ("property_id", "environment")]


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that opens something now."""

    id: UUID
    hash: bytes
    rights: frozenset[str]
    scopes: tuple[Scope, ...]
    rate_limit: int | None
    expires_at: datetime | None = None
    side: Side = Side.PROPERTY
    scope_limits: tuple[int | None, ...] = ()
    """Requests a minute of all keys of each of `scopes` together; None: the usual limit."""


_FIND = text(
    """
    select key.id, key.secret_hash, key.rights, key.rate_limit, key.expires_at, key.side,
      scope.id as scope_id, scope.property_id, scope.environment, scope.rate_limit as scope_limit,
      scope.settings -> 'short_links' as links
    from api_keys key join scopes scope on scope.id = any(key.scope_ids)
    where key.secret_hash = :hash and key.revoked_at is null and (key.expires_at is null or key.expires_at > now())
    order by scope.id
    """
)


async def find(tx: AsyncConnection, secret_hash: bytes) -> KnownKey | None:
    """The key behind a hash; None when there is none, or it was revoked, or its time is over."""
    rows = (await tx.execute(_FIND, {"hash": secret_hash})).all()
    if not rows:
        return None
    first = rows[0]
    return KnownKey(
        id=first.id,
        hash=first.secret_hash,
        rights=frozenset(first.rights),
        scopes=tuple(
            Scope(row.scope_id, row.property_id, row.environment, short_links.read(row.links)) for row in rows
        ),
        rate_limit=first.rate_limit,
        expires_at=first.expires_at,
        side=Side(first.side),
        scope_limits=tuple(row.scope_limit for row in rows),
    )


async def create(
    tx: AsyncConnection,
    scope: Scope,
    name: str,
    rights: Sequence[str],
    *,
    rate_limit: int | None = None,
    expires_at: datetime | None = None,
    side: Side = Side.PROPERTY,
) -> tuple[KeyRow, str]:
    """Mint a key for one scope. Returns (row, raw key); the raw key is stored nowhere."""
    key_id: UUID = (await tx.execute(select(func.uuidv7(type_=Uuid)))).scalar_one()
    minted = keys.mint(scope.environment, key_id)
    row = await tx.execute(
        insert(api_keys)
        .values(
            id=key_id,
            scope_ids=[scope.id],
            name=name,
            secret_hash=minted.hash,
            last4=minted.last4,
            rights=list(rights),
            rate_limit=rate_limit,
            expires_at=expires_at,
            side=side.value,
        )
        .returning(*_columns(scope))
    )
    return from_row(KeyRow, row.one()), minted.raw


async def listing(tx: AsyncConnection, scope: Scope, asked: PageRequest) -> Listed[KeyRow]:
    """The keys that open this scope and nothing else, newest first."""
    mine = api_keys.c.scope_ids == literal([scope.id], ARRAY(Uuid))
    query = select(*_columns(scope)).where(mine)
    newest = query.where(api_keys.c.id < pages.before(asked)).order_by(api_keys.c.id.desc())
    rows = from_result(KeyRow, await tx.execute(pages.taken(newest, asked)))
    return await pages.page(rows, asked, lambda row: Place(row.id), lambda: pages.count(tx, query))


def _columns(scope: Scope) -> list[ColumnElement[Any]]:
    """What a KeyRow of a key that opens this scope is made of."""
    return [
        *_COLUMNS,
        literal(scope.property_id, Uuid).label("property_id"),
        literal(scope.environment).label("environment"),
    ]


async def revoke(tx: AsyncConnection, scope: Scope, key_id: UUID) -> bytes | None:
    """Close a key of this scope for good, with its open streams. Returns its hash (for caches); None when the scope
    has no such key."""
    row = await tx.execute(
        update(api_keys)
        .where(api_keys.c.id == key_id, api_keys.c.scope_ids == literal([scope.id], ARRAY(Uuid)))
        .values(revoked_at=func.coalesce(api_keys.c.revoked_at, func.now()))
        .returning(api_keys.c.secret_hash)
    )
    found: bytes | None = row.scalar_one_or_none()
    if found is not None:
        await notifications.notify(tx, Word.ENDED, key_id)
    return found


async def good(tx: AsyncConnection, ids: Collection[UUID]) -> set[UUID]:
    """Those of these keys that open something now."""
    asked = api_keys.c.id == any_(literal(list(ids), ARRAY(Uuid)))
    lasting = or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > func.now())
    return set(
        (await tx.execute(select(api_keys.c.id).where(asked, api_keys.c.revoked_at.is_(None), lasting))).scalars()
    )


async def scope_of(tx: AsyncConnection, property_id: UUID, environment: str) -> Scope | None:
    """The scope of a property and an environment."""
    row = (
        await tx.execute(
            select(scopes.c.id).where(scopes.c.property_id == property_id, scopes.c.environment == environment)
        )
    ).scalar_one_or_none()
    return None if row is None else Scope(row, property_id, environment)


async def home(tx: AsyncConnection, key_id: UUID) -> Scope | None:
    """The first scope a key opens; None when there is no such key."""
    row = (
        await tx.execute(
            select(scopes.c.id, scopes.c.property_id, scopes.c.environment)
            .join(api_keys, api_keys.c.scope_ids[1] == scopes.c.id)
            .where(api_keys.c.id == key_id)
        )
    ).one_or_none()
    return None if row is None else Scope(row.id, row.property_id, row.environment)
