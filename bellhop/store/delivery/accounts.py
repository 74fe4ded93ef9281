"""Provider accounts and the senders that go through them, as rows: seeded once, then led by the rows, which an operator
changes by command."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.accounts import Seed
from bellhop.domain.scopes import Scope
from bellhop.store.tables import messages, provider_accounts, senders

_WELL: dict[str, Any] = {"health": "ok", "held_code": None, "held_since": None, "probe_at": None}


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


async def listing(tx: AsyncConnection, scope: Scope) -> list[dict[str, Any]]:
    """The accounts of a scope, oldest first, each with its senders and how many messages wait for it. No secrets."""
    account = provider_accounts.c
    waiting = (
        select(func.count())
        .where(messages.c.held_account_id == account.id, messages.c.stage == "queued")
        .scalar_subquery()
    )
    found = await tx.execute(
        select(
            account.id,
            account.provider,
            account.identity,
            account.health,
            account.held_code,
            account.held_since,
            (account.previous_credentials != {}).label("rotating"),
            waiting.label("waiting"),
        )
        .where(account.scope_id == scope.id)
        .order_by(account.id)
    )
    rows = [dict(row) for row in found.mappings()]
    for row in rows:
        row["senders"] = await _senders_of(tx, row["id"])
    return rows


async def _senders_of(tx: AsyncConnection, account_id: UUID) -> list[dict[str, Any]]:
    found = await tx.execute(
        select(senders.c.channel, senders.c.address, senders.c.name, senders.c.is_default)
        .where(senders.c.account_id == account_id)
        .order_by(senders.c.id)
    )
    return [dict(row) for row in found.mappings()]


async def put(tx: AsyncConnection, scope: Scope, seed: Seed) -> str:
    """Make the scope send through the account and sender of `seed`.

    Returns `made`; `rotated`: the same account, new credentials; `moved`: the channel goes through another account of
    the provider from now on; or `unchanged`. Credentials that `seed` leaves empty stay as they are. Those it replaces
    are kept as previous ones: callbacks may still be signed with them. All the provider's accounts here are well again,
    so that what they held goes out.
    """
    rows = await tx.execute(
        select(provider_accounts)
        .where(provider_accounts.c.scope_id == scope.id, provider_accounts.c.provider == seed.provider)
        .order_by(provider_accounts.c.updated_at.desc(), provider_accounts.c.id.desc())
        .with_for_update()
    )
    there = [dict(row) for row in rows.mappings()]
    same = next((row for row in there if row["identity"] == seed.identity), None)
    before = same or (there[0] if there else None)
    given = {name: value for name, value in seed.credentials.items() if value}
    credentials = {**(before["credentials"] if before else {}), **given}
    previous = {**(before["previous_credentials"] if before else {}), **seed.previous}
    if before is not None:
        previous |= {name: old for name, old in before["credentials"].items() if old and old != credentials[name]}
    values = {"base_url": seed.base_url, "credentials": credentials, "previous_credentials": previous}
    if same is None:
        made = await tx.execute(
            upsert(provider_accounts)
            .values(scope_id=scope.id, provider=seed.provider, identity=seed.identity, **values)
            .returning(provider_accounts.c.id)
        )
        account_id: UUID = made.scalar_one()
    else:
        account_id = same["id"]
        await tx.execute(
            update(provider_accounts)
            .where(provider_accounts.c.id == account_id)
            .values(**values, updated_at=func.now())
        )
    await _lead(tx, scope, seed, account_id)
    await mend(tx, scope, seed.provider)
    if same is None:
        return "made" if before is None else "moved"
    return "unchanged" if same["credentials"] == credentials else "rotated"


async def _lead(tx: AsyncConnection, scope: Scope, seed: Seed, account_id: UUID) -> None:
    """The sender of `seed` goes through that account, and is the one its channel uses. Others stay: guests may still
    answer to them."""
    await tx.execute(
        update(senders)
        .where(senders.c.scope_id == scope.id, senders.c.channel == seed.channel)
        .values(is_default=False)
    )
    leading = {"account_id": account_id, "is_default": True}
    new = upsert(senders).values(
        scope_id=scope.id, channel=seed.channel, address=seed.address, name=seed.name, **leading
    )
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["scope_id", "channel", "address"],
            set_={**leading, "name": func.coalesce(new.excluded.name, senders.c.name)},
        )
    )


async def mend(tx: AsyncConnection, scope: Scope, provider: str | None = None) -> int:
    """Take the scope's held accounts (or one provider's) to be well again; returns how many. Recovery then wakes what
    they held."""
    held = update(provider_accounts).where(provider_accounts.c.scope_id == scope.id, provider_accounts.c.health != "ok")
    if provider is not None:
        held = held.where(provider_accounts.c.provider == provider)
    return (await tx.execute(held.values(**_WELL, updated_at=func.now()))).rowcount


async def forget_previous(tx: AsyncConnection, scope: Scope) -> None:
    """Previous credentials are accepted no longer."""
    await tx.execute(
        update(provider_accounts)
        .where(provider_accounts.c.scope_id == scope.id)
        .values(previous_credentials={}, updated_at=func.now())
    )
