"""Which properties send from the same address of the same account at a provider."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import Channel
from bellhop.store.compiled import CompiledStatement
from bellhop.store.tables import provider_accounts, scopes, senders

_own, _own_scope = provider_accounts.alias("own"), scopes.alias("own_scope")
_SHARING = CompiledStatement(
    select(senders.c.scope_id)
    .join(provider_accounts, provider_accounts.c.id == senders.c.account_id)
    .join(scopes, scopes.c.id == senders.c.scope_id)
    .join(
        _own,
        (_own.c.provider == provider_accounts.c.provider) & (_own.c.identity == provider_accounts.c.identity),
    )
    .join(_own_scope, (_own_scope.c.id == _own.c.scope_id) & (_own_scope.c.environment == scopes.c.environment))
    .where(
        _own.c.id == bindparam("account"),
        senders.c.address == bindparam("sender"),
        senders.c.channel == bindparam("channel"),
    ),
    value=UUID,
)


async def sharing(tx: AsyncConnection, account_id: UUID, channel: Channel, sender: str) -> set[UUID]:
    """The scopes that send from `sender` through the same account as our row `account_id` is of, in its environment:
    whom it binds when the provider says that an address wants nothing from there."""
    return set(await _SHARING(tx, account=account_id, channel=channel.value, sender=sender))
