"""What reconciliation compares a provider's own list with: our attempts, and whose ids the list shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text, Uuid

from bellhop.domain.ids import CLOCK_SLACK, earliest_id
from bellhop.domain.rows.reports import ListedAccount, ReconciledAttempt
from bellhop.domain.scopes import Scope
from bellhop.store.rows import from_result
from bellhop.store.tables import attempts, messages, provider_accounts, senders

_BLANKS = " \n\r\t"

_SHOWN = (
    attempts.c.id,
    attempts.c.scope_id,
    attempts.c.message_id,
    attempts.c.part,
    attempts.c.account_id,
    attempts.c.provider,
    attempts.c.state,
    attempts.c.stage,
    attempts.c.provider_id,
    attempts.c.sender,
    attempts.c.created_at,
)

# The accounts are named so that (account, provider's id) can be looked up. A list may show what another account of the
# same provider sent (a key replaced by a newer one), or another property through the same account.
_KNOWN = (
    select(*_SHOWN)
    .where(
        attempts.c.account_id.in_(
            select(provider_accounts.c.id).where(provider_accounts.c.provider == bindparam("provider"))
        ),
        attempts.c.provider_id == text("any(:provider_ids)").bindparams(bindparam("provider_ids", type_=ARRAY(Text))),
    )
    .union(
        select(*_SHOWN).where(
            attempts.c.provider == bindparam("provider"),
            attempts.c.id == text("any(:attempt_ids)").bindparams(bindparam("attempt_ids", type_=ARRAY(Uuid))),
        )
    )
)


async def accounts_of(tx: AsyncConnection, scope: Scope) -> list[ListedAccount]:
    """The provider accounts of a scope, with their credentials."""
    found = await tx.execute(
        select(provider_accounts).where(provider_accounts.c.scope_id == scope.id).order_by(provider_accounts.c.id)
    )
    accounts = []
    for row in found.all():
        own = await tx.execute(
            select(senders.c.address, senders.c.is_default).where(
                senders.c.scope_id == scope.id, senders.c.account_id == row.id
            )
        )
        there = own.all()
        addresses, leads = [sender.address for sender in there], any(sender.is_default for sender in there)
        accounts.append(
            ListedAccount(row.id, row.provider, row.identity, row.base_url, row.credentials, addresses, leads)
        )
    return accounts


async def attempts_of(tx: AsyncConnection, scope: Scope, since: datetime, until: datetime) -> list[ReconciledAttempt]:
    """The attempts of a scope that began in a span, oldest first."""
    found = await tx.execute(
        select(*_SHOWN)
        .where(
            attempts.c.scope_id == scope.id,
            attempts.c.id >= earliest_id(since - CLOCK_SLACK),
            attempts.c.id < earliest_id(until + CLOCK_SLACK),
            attempts.c.created_at >= since,
            attempts.c.created_at < until,
        )
        .order_by(attempts.c.id)
    )
    return from_result(ReconciledAttempt, found)


async def known(
    tx: AsyncConnection, provider: str, provider_ids: Sequence[str], attempt_ids: Sequence[UUID]
) -> list[ReconciledAttempt]:
    """Attempts of this installation, whoever's they are, to which these ids belong."""
    found = await tx.execute(
        _KNOWN, {"provider": provider, "provider_ids": list(provider_ids), "attempt_ids": list(attempt_ids)}
    )
    return from_result(ReconciledAttempt, found)


async def alike(
    tx: AsyncConnection, scope: Scope, provider: str, to: str, said: str | None, at: datetime, within: timedelta
) -> list[ReconciledAttempt]:
    """Attempts of a scope that carried that very text (None: any) to that address at about that time, oldest first."""
    query = (
        select(*_SHOWN)
        .join(messages, messages.c.id == attempts.c.message_id)
        .where(
            attempts.c.scope_id == scope.id,
            attempts.c.provider == provider,
            attempts.c.id >= earliest_id(at - within - CLOCK_SLACK),
            attempts.c.id < earliest_id(at + within + CLOCK_SLACK),
            attempts.c.created_at.between(at - within, at + within),
            func.lower(messages.c.recipient) == to.lower(),
        )
        .order_by(attempts.c.id)
    )
    if said is not None:
        query = query.where(func.btrim(attempts.c.body, _BLANKS) == said.strip(_BLANKS))
    found = await tx.execute(query)
    return from_result(ReconciledAttempt, found)
