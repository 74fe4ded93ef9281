"""Up to when the list of guests' messages of each account at a provider was read, and with which of our rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.credentials import CredentialCipher
from bellhop.domain.delivery_ports import Account
from bellhop.domain.provider_urls import Routes
from bellhop.domain.rows.delivery import AccountRow
from bellhop.domain.rows.inbound_lists import InboundListRow
from bellhop.domain.rows.missed_callbacks import MissedCallbacksRow
from bellhop.domain.scopes import Scope
from bellhop.store.compiled import seconds
from bellhop.store.delivery.accounts import account_of
from bellhop.store.rows import from_result
from bellhop.store.tables import inbound_lists, provider_accounts, receipts, scopes, senders

NEW = timedelta(hours=1)
"""Of an account that is asked for the first time: what guests wrote since it was made, and no longer ago than that."""


@dataclass(slots=True)
class ListedAccount:
    """Our rows for one account that call with the same credentials, and every address they send from."""

    accounts: list[Account]
    senders: list[str]


_NEW = text(
    """
    insert into inbound_lists (provider, identity, environment, received_until, asked_at)
    select account.provider, account.identity, scope.environment,
      greatest(min(account.created_at), now() - cast(:new as interval)), now()
    from provider_accounts account join scopes scope on scope.id = account.scope_id
    where account.credentials <> '{}' and not exists (
      select from inbound_lists known where known.provider = account.provider
        and known.identity = account.identity and known.environment = scope.environment)
    group by account.provider, account.identity, scope.environment
    on conflict do nothing
    """
)


async def claim(tx: AsyncConnection, age: float) -> list[InboundListRow]:
    """The accounts that are to be asked now, because nobody began to within `age` seconds; from now on somebody did.
    Those of which nothing is known yet have their turn next time."""
    await tx.execute(_NEW, {"new": NEW})
    there = (
        select(provider_accounts.c.id)
        .join(scopes, scopes.c.id == provider_accounts.c.scope_id)
        .join(senders, senders.c.account_id == provider_accounts.c.id)
        .where(_same_account(), provider_accounts.c.credentials != {})
    )
    due = await tx.execute(
        update(inbound_lists)
        .where(
            inbound_lists.c.asked_at < func.now() - seconds(age),
            inbound_lists.c.received_until.is_not(None),
            there.exists(),
        )
        .values(asked_at=func.now())
        .returning(*inbound_lists.c)
    )
    return from_result(InboundListRow, due)


async def claim_of(tx: AsyncConnection, scope: Scope) -> list[InboundListRow]:
    """The accounts of a scope, whenever they were asked; from now on somebody began to ask them."""
    await tx.execute(_NEW, {"new": NEW})
    own = (
        select(provider_accounts.c.id)
        .join(scopes, scopes.c.id == provider_accounts.c.scope_id)
        .where(_same_account(), provider_accounts.c.scope_id == scope.id, provider_accounts.c.credentials != {})
    )
    claimed = update(inbound_lists).where(own.exists()).values(asked_at=func.now()).returning(*inbound_lists.c)
    return from_result(InboundListRow, await tx.execute(claimed))


async def accounts(
    tx: AsyncConnection, cipher: CredentialCipher, routes: Routes, one: InboundListRow | MissedCallbacksRow
) -> list[ListedAccount]:
    """Our rows for an account, those with the same credentials together. None where it cannot be called from here.
    Raises CredentialsUnreadable."""
    found = await tx.execute(
        select(provider_accounts)
        .join(scopes, scopes.c.id == provider_accounts.c.scope_id)
        .where(
            provider_accounts.c.provider == one.provider,
            provider_accounts.c.identity == one.identity,
            scopes.c.environment == one.environment,
            provider_accounts.c.credentials != {},
        )
        .order_by(provider_accounts.c.id)
    )
    together: dict[tuple[str, frozenset[tuple[str, str]]], ListedAccount] = {}
    of_account: dict[UUID, ListedAccount] = {}
    for row in from_result(AccountRow, found):
        base_url = routes.base_url(one.environment, row.base_url)
        if base_url is None:
            continue
        account = account_of(cipher, row, base_url)
        key = (base_url, frozenset(account.credentials.items()))
        listed = together.setdefault(key, ListedAccount([], []))
        listed.accounts.append(account)
        of_account[account.id] = listed
    used = select(senders.c.account_id, senders.c.address).where(senders.c.account_id.in_(list(of_account)))
    for account_id, address in await tx.execute(used.distinct().order_by(senders.c.address)):
        addresses = of_account[account_id].senders
        addresses += [address] if address not in addresses else []
    return list(together.values())


async def unknown(tx: AsyncConnection, account_ids: Sequence[UUID], dedupe_keys: Sequence[str]) -> set[str]:
    """Those of the keys under which nothing came in yet."""
    # Many properties may have the account: who has it is compared here, not looked up for each key.
    known = await tx.execute(
        select(receipts.c.dedupe_key, receipts.c.account_id).where(receipts.c.dedupe_key.in_(dedupe_keys))
    )
    own = {*account_ids}
    return {*dedupe_keys} - {row.dedupe_key for row in known if row.account_id in own}


async def received_until(tx: AsyncConnection, one: InboundListRow, moment: datetime | None) -> None:
    """Everything that came in before `moment` is known; None: this provider offers no list of it."""
    moved = func.greatest(inbound_lists.c.received_until, moment) if moment is not None else None
    await tx.execute(
        update(inbound_lists)
        .where(
            inbound_lists.c.provider == one.provider,
            inbound_lists.c.identity == one.identity,
            inbound_lists.c.environment == one.environment,
        )
        .values(received_until=moved)
    )


def _same_account() -> ColumnElement[bool]:
    return and_(
        provider_accounts.c.provider == inbound_lists.c.provider,
        provider_accounts.c.identity == inbound_lists.c.identity,
        scopes.c.environment == inbound_lists.c.environment,
    )
