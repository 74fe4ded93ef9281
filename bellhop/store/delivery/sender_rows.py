"""The senders of a scope: looked at, and set to stand by."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import Channel
from bellhop.domain.routing import STANDBY
from bellhop.domain.scopes import Scope
from bellhop.store.rows import from_result
from bellhop.store.tables import provider_accounts, senders


@dataclass(slots=True)
class OwnSender:
    """A sender, and the account it goes through."""

    id: UUID
    account_id: UUID
    provider: str
    channel: Channel
    address: str
    name: str | None
    capabilities: dict[str, object]
    is_default: bool


async def listing(tx: AsyncConnection, scope: Scope) -> list[OwnSender]:
    """The senders of a scope, in the order in which each channel uses them."""
    found = await tx.execute(
        select(
            senders.c.id,
            senders.c.account_id,
            provider_accounts.c.provider,
            senders.c.channel,
            senders.c.address,
            senders.c.name,
            senders.c.capabilities,
            senders.c.is_default,
        )
        .join(provider_accounts, provider_accounts.c.id == senders.c.account_id)
        .where(senders.c.scope_id == scope.id)
        .order_by(senders.c.channel, senders.c.is_default.desc(), senders.c.id)
    )
    return from_result(OwnSender, found)


async def stand_by(tx: AsyncConnection, scope: Scope, sender_id: UUID, standby: bool) -> bool:
    """Whether a sender takes over where the one before did not take a message. False: the scope has no such sender."""
    set_to = func.jsonb_build_object(STANDBY, standby, type_=JSONB)
    changed = await tx.execute(
        update(senders)
        .where(senders.c.id == sender_id, senders.c.scope_id == scope.id)
        .values(capabilities=senders.c.capabilities.op("||")(set_to))
        .returning(senders.c.account_id)
    )
    account_id = changed.scalar_one_or_none()
    if account_id is None:
        return False
    # What waits for a held account looks whether it can go on by another.
    await tx.execute(
        update(provider_accounts).where(provider_accounts.c.id == account_id).values(updated_at=func.now())
    )
    return True
