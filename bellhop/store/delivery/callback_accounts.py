"""The rows of accounts as callbacks are verified with them, and their versions, which triggers write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Integer, Text, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.rows.delivery import AccountRow
from bellhop.store.compiled import CompiledStatement
from bellhop.store.tables import account_versions, attempts, provider_accounts

_VERSION = CompiledStatement(
    select(account_versions.c.version).where(
        account_versions.c.provider == bindparam("name"), account_versions.c.identity == bindparam("account")
    ),
    value=int,
)
_OF_CALLBACKS = CompiledStatement(
    select(provider_accounts)
    .where(provider_accounts.c.provider == bindparam("name"), provider_accounts.c.identity == bindparam("account"))
    .order_by(provider_accounts.c.id),
    row=AccountRow,
)
_OF_CALLBACKS_EACH = CompiledStatement(
    text(
        """
        select account.* from unnest(:names, :accounts) as given (provider, identity)
        join provider_accounts account using (provider, identity)
        order by account.id limit :most
        """
    ).bindparams(
        bindparam("names", type_=ARRAY(Text)),
        bindparam("accounts", type_=ARRAY(Text)),
        bindparam("most", type_=Integer),
    ),
    row=AccountRow,
)


@dataclass(slots=True)
class AccountVersion:
    """The version of an account at a provider: of what its callbacks are verified with."""

    provider: str
    identity: str
    version: int


_VERSIONS = CompiledStatement(
    select(account_versions).order_by(account_versions.c.version).limit(bindparam("most", type_=Integer)),
    row=AccountVersion,
)


_OF_ATTEMPT = CompiledStatement(
    select(provider_accounts)
    .join(attempts, attempts.c.account_id == provider_accounts.c.id)
    .where(attempts.c.id == bindparam("attempt")),
    row=AccountRow,
)


async def of_attempt(tx: AsyncConnection, attempt_id: UUID) -> AccountRow | None:
    """The account through which a call was made."""
    found = await _OF_ATTEMPT(tx, attempt=attempt_id)
    return found[0] if found else None


async def version(tx: AsyncConnection, provider: str, identity: str) -> int | None:
    """What changes with every change to what callbacks of that account are verified with, whichever of its rows was
    changed; None: nobody ever had such an account."""
    found = await _VERSION(tx, name=provider, account=identity)
    return found[0] if found else None


async def versions(tx: AsyncConnection, most: int) -> list[AccountVersion]:
    """Those of all accounts, what was changed longest ago first, `most` of them."""
    return await _VERSIONS(tx, most=most)


async def of_callbacks(tx: AsyncConnection, provider: str, identity: str) -> list[AccountRow]:
    """The rows that stand for one account at a provider (several properties may share it), to verify callbacks."""
    return await _OF_CALLBACKS(tx, name=provider, account=identity)


async def of_callbacks_each(tx: AsyncConnection, each: Sequence[tuple[str, str]], most: int) -> list[AccountRow]:
    """Those of several accounts, by provider and identity: the oldest rows, `most` of them."""
    names, identities = [provider for provider, _ in each], [identity for _, identity in each]
    return await _OF_CALLBACKS_EACH(tx, names=names, accounts=identities, most=most)
