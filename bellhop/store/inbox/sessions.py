"""Guests' sessions: minted for their property, found by the hash of their token, prolonged and revoked."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Uuid,
    any_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import session_tokens
from bellhop.domain.live import Word
from bellhop.domain.rows.inbox import OpenSession, SessionRow
from bellhop.domain.scopes import Scope
from bellhop.store import notifications
from bellhop.store.compiled import seconds
from bellhop.store.guests import profiles
from bellhop.store.rows import first_of, from_row
from bellhop.store.tables import guest_sessions

MOST = 100
"""Sessions a guest has at a time: each device has one, and mints another within the hour."""

_COLUMNS = [guest_sessions.c[name] for name in ("id", "guest_id", "created_at", "expires_at", "revoked_at")]
_GOOD = guest_sessions.c.revoked_at.is_(None), guest_sessions.c.expires_at > func.now()


class TooManySessions(Exception):
    """The guest has as many sessions as a guest may have."""


_FIND = text(
    """
    select session.id, session.guest_id, session.scope_id, scope.property_id, scope.environment,
      extract(epoch from session.expires_at - now())::float8 as "left",
      scope.settings -> 'in_app' -> 'allowed_origins' as origins
    from guest_sessions session join scopes scope on scope.id = session.scope_id
    where session.token_hash = :hash and session.revoked_at is null and session.expires_at > now()
    """
)


async def mint(tx: AsyncConnection, scope: Scope, guest_id: UUID, lasts: float) -> tuple[SessionRow, str] | None:
    """A new session of a guest of this scope, for so many seconds: (row, token); the token is stored nowhere. None: no
    such guest here. Raises TooManySessions."""
    # Locked, so that the guest is not erased meanwhile, and the count is right.
    if await profiles.get_locked(tx, scope, guest_id) is None:
        return None
    mine = select(func.count()).where(guest_sessions.c.guest_id == guest_id, *_GOOD)
    if (await tx.execute(mine)).scalar_one() >= MOST:
        raise TooManySessions
    session_id: UUID = (await tx.execute(select(func.uuidv7(type_=Uuid)))).scalar_one()
    minted = session_tokens.mint(scope.environment, session_id)
    made = await tx.execute(
        insert(guest_sessions)
        .values(
            id=session_id,
            scope_id=scope.id,
            guest_id=guest_id,
            token_hash=minted.hash,
            expires_at=func.now() + seconds(lasts),
        )
        .returning(*_COLUMNS)
    )
    return from_row(SessionRow, made.one()), minted.raw


_SIGNED_IN = (
    select(guest_sessions.c.id)
    .where(guest_sessions.c.scope_id == bindparam("scope"), guest_sessions.c.guest_id == bindparam("guest"), *_GOOD)
    .limit(1)
)


async def signed_in(tx: AsyncConnection, scope: Scope, guest_id: UUID) -> bool:
    """Whether a guest has a session that is good now."""
    found = await tx.execute(_SIGNED_IN, {"scope": scope.id, "guest": guest_id})
    return found.first() is not None


async def find(tx: AsyncConnection, token_hash: bytes) -> OpenSession | None:
    """The session that a token opens; None where there is none, or it is over."""
    row = (await tx.execute(_FIND, {"hash": token_hash})).one_or_none()
    if row is None:
        return None
    origins = row.origins if isinstance(row.origins, list) else []
    scope = Scope(row.scope_id, row.property_id, row.environment)
    return OpenSession(row.id, scope, row.guest_id, row.left, tuple(str(origin) for origin in origins))


async def good(tx: AsyncConnection, ids: Collection[UUID]) -> set[UUID]:
    """Those of these sessions that are not over."""
    asked = guest_sessions.c.id == any_(literal(list(ids), ARRAY(Uuid)))
    return set((await tx.execute(select(guest_sessions.c.id).where(asked, *_GOOD))).scalars())


async def renew(tx: AsyncConnection, scope: Scope, guest_id: UUID, session_id: UUID, lasts: float) -> SessionRow | None:
    """Let a session that is not over last so many seconds from now; None: no such session here."""
    renewed = await tx.execute(
        update(guest_sessions)
        .where(_is(scope, guest_id, session_id), *_GOOD)
        .values(expires_at=func.now() + seconds(lasts))
        .returning(*_COLUMNS)
    )
    return first_of(SessionRow, renewed)


async def revoke(tx: AsyncConnection, scope: Scope, guest_id: UUID, session_id: UUID) -> bytes | None:
    """Close a session for good, with its open streams. Returns its token's hash (for caches); None: no such session
    here."""
    closed = await tx.execute(
        update(guest_sessions)
        .where(_is(scope, guest_id, session_id))
        .values(revoked_at=func.coalesce(guest_sessions.c.revoked_at, func.now()))
        .returning(guest_sessions.c.token_hash)
    )
    found: bytes | None = closed.scalar_one_or_none()
    if found is not None:
        await notifications.notify(tx, Word.ENDED, session_id)
    return found


async def revoke_all(tx: AsyncConnection, scope: Scope, guest_id: UUID) -> list[bytes] | None:
    """The same with every session of a guest; None: no such guest here."""
    if await profiles.get_locked(tx, scope, guest_id) is None:
        return None
    closed = await tx.execute(
        update(guest_sessions)
        .where(guest_sessions.c.guest_id == guest_id, guest_sessions.c.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(guest_sessions.c.token_hash)
    )
    await notifications.notify(tx, Word.ENDED, guest_id)
    return list(closed.scalars())


async def over(tx: AsyncConnection, most: int) -> int:
    """Forget sessions that are over, `most` at most; returns how many those were."""
    old = (
        select(guest_sessions.c.id)
        .where(guest_sessions.c.expires_at <= func.now())
        .order_by(guest_sessions.c.expires_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    few = any_(func.array(old.scalar_subquery(), type_=ARRAY(Uuid)))
    return (await tx.execute(delete(guest_sessions).where(guest_sessions.c.id == few))).rowcount


def _is(scope: Scope, guest_id: UUID, session_id: UUID) -> ColumnElement[bool]:
    column = guest_sessions.c
    return (column.id == session_id) & (column.guest_id == guest_id) & (column.scope_id == scope.id)
