"""API keys: minted, listed without their secrets, revoked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from bellhop.domain.conversations import Side
from bellhop.domain.paging import Listed, PageRequest
from bellhop.domain.rows.access import KeyRow
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import InvalidField, NotFound, OtherEnvironment
from bellhop.store.access import keys


async def mint(
    engine: Engine,
    scope: Scope,
    name: str,
    rights: Sequence[str],
    environment: str | None = None,
    *,
    rate_limit: int | None = None,
    expires_at: datetime | None = None,
    latest: datetime | None = None,
    side: Side = Side.PROPERTY,
) -> tuple[KeyRow, str]:
    """A new key for this scope, and its secret, which is kept nowhere. `rights` are written once each; `rate_limit`:
    requests a minute, None: as many as every key. `expires_at`: from then on it opens nothing; None: at `latest`, when
    the key that asks expires, or never. `side`: for whom its software speaks. Raises
    OtherEnvironment when the caller asks for a key of another environment than the scope's, InvalidField for a time
    that is over or later than `latest`."""
    if environment not in (None, scope.environment):
        raise OtherEnvironment(scope.environment)
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise InvalidField("expires_at", "expected a time to come", "datetime_past")
    if latest is not None and expires_at is not None and expires_at > latest:
        raise InvalidField("expires_at", "expected a time no later than the key that asks has", "outlives_its_minter")
    once_each = list(dict.fromkeys(rights))
    until = expires_at or latest
    return await engine.database.write(
        lambda tx: keys.create(tx, scope, name, once_each, rate_limit=rate_limit, expires_at=until, side=side)
    )


async def listing(engine: Engine, scope: Scope, asked: PageRequest) -> Listed[KeyRow]:
    """Keys that open this scope alone, revoked ones too, newest first, and how many there are in all."""
    return await engine.database.read(lambda tx: keys.listing(tx, scope, asked))


async def home(engine: Engine, key_id: UUID) -> Scope | None:
    """The scope that a key was made for; None: there is no such key."""
    return await engine.database.read(lambda tx: keys.home(tx, key_id))


async def revoke(engine: Engine, scope: Scope, key_id: UUID) -> bytes:
    """Close a key for good. Returns its hash: caches of keys forget it. Raises NotFound."""
    revoked = await engine.database.write(lambda tx: keys.revoke(tx, scope, key_id))
    if revoked is None:
        raise NotFound
    return revoked
