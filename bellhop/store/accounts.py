"""Provider accounts and the senders that go through them, as rows: seeded once, then led by the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.store.scopes import Scope
from bellhop.tables import provider_accounts, senders


@dataclass(frozen=True, slots=True)
class Seed:
    """An account with one sender, as the environment names them."""

    provider: str
    identity: str
    base_url: str
    credentials: Mapping[str, str] = field(repr=False)
    channel: str
    address: str
    previous: Mapping[str, str] = field(default_factory=dict, repr=False)
    name: str | None = None


async def ensure(tx: AsyncConnection, scope: Scope, seed: Seed) -> None:
    """Make the account and its sender where they are missing; existing rows stay as they are."""
    await tx.execute(
        upsert(provider_accounts)
        .values(
            scope_id=scope.id,
            provider=seed.provider,
            identity=seed.identity,
            base_url=seed.base_url,
            credentials=dict(seed.credentials),
            previous_credentials=dict(seed.previous),
        )
        .on_conflict_do_nothing()
    )
    account = (
        await tx.execute(
            select(provider_accounts.c.id).where(
                provider_accounts.c.scope_id == scope.id,
                provider_accounts.c.provider == seed.provider,
                provider_accounts.c.identity == seed.identity,
            )
        )
    ).scalar_one()
    await tx.execute(
        upsert(senders)
        .values(
            scope_id=scope.id,
            account_id=account,
            channel=seed.channel,
            address=seed.address,
            name=seed.name,
            is_default=True,
        )
        .on_conflict_do_nothing()
    )


async def channels(tx: AsyncConnection, scope: Scope) -> list[str]:
    """The channels a scope has a sender for."""
    found = await tx.execute(select(senders.c.channel).where(senders.c.scope_id == scope.id).distinct())
    return sorted(found.scalars())
