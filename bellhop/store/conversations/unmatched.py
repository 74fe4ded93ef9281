"""Guests' texts that are no property's: kept as receipts, until somebody says whose they are, or forgets them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.rows.unmatched import UnmatchedText
from bellhop.domain.scopes import Scope
from bellhop.store.rows import first_of, from_result
from bellhop.store.tables import provider_accounts, receipts, scopes


def _unmatched() -> Select[Any]:
    return (
        select(
            receipts.c.id,
            receipts.c.provider,
            provider_accounts.c.identity,
            scopes.c.environment,
            receipts.c.payload,
            receipts.c.occurred_at,
            receipts.c.received_at,
        )
        .join(provider_accounts, provider_accounts.c.id == receipts.c.account_id)
        .join(scopes, scopes.c.id == provider_accounts.c.scope_id)
        .where(receipts.c.word == "inbound", receipts.c.message_id.is_(None), receipts.c.payload.is_not(None))
    )


async def listing(tx: AsyncConnection, limit: int) -> list[UnmatchedText]:
    """The newest of them."""
    return from_result(
        UnmatchedText, await tx.execute(_unmatched().order_by(receipts.c.received_at.desc()).limit(limit))
    )


async def locked(tx: AsyncConnection, receipt_id: UUID) -> UnmatchedText | None:
    """One of them, until this transaction ends; None: there is none of that id."""
    found = await tx.execute(_unmatched().where(receipts.c.id == receipt_id).with_for_update(of=receipts))
    return first_of(UnmatchedText, found)


async def account_of(tx: AsyncConnection, scope: Scope, one: UnmatchedText) -> UUID | None:
    """A scope's own row of the account that a text came to; None: it sends through another."""
    own = select(provider_accounts.c.id).where(
        provider_accounts.c.scope_id == scope.id,
        provider_accounts.c.provider == one.provider,
        provider_accounts.c.identity == one.identity,
    )
    found: UUID | None = await tx.scalar(own.order_by(provider_accounts.c.id).limit(1))
    return found


async def discard(tx: AsyncConnection, receipt_id: UUID) -> None:
    """Forget what it said; that it came stays known, so that it does not come again."""
    nothing: Mapping[str, Any] = {"payload": None}
    await tx.execute(update(receipts).where(receipts.c.id == receipt_id).values(nothing))
