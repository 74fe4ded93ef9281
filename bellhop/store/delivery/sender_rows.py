"""The senders of a scope: made, looked at, changed and removed.

Whoever changes which senders there are, and which of them a channel uses, locks those of the channel first, by id.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import Channel
from bellhop.domain.routing import STANDBY
from bellhop.domain.rows.delivery import OwnSender
from bellhop.domain.scopes import Scope
from bellhop.store.compiled import CompiledStatement
from bellhop.store.rows import from_result
from bellhop.store.tables import provider_accounts, sender_paces, senders


@dataclass(slots=True)
class OwnAccount:
    """An account that a scope can send through."""

    id: UUID
    provider: str


class SenderFields(TypedDict, total=False):
    """What of a sender can be changed; what is left out stays."""

    name: str | None
    standby: bool
    default: bool
    """True: its channel uses it from now on."""
    rate: float | None
    """Calls a second; None: nothing of ours limits it."""


# Of messages that have yet to go out: those that ask for the sender, and with the last one of a channel all that go
# out there, now or at a later step.
_WAITING = CompiledStatement(
    text(
        """
        select message.id from messages message
        where message.scope_id = :scope and message.stage = 'queued' and message.direction = 'outbound'
          and message.erased_at is null
          and ((message.channel = :channel and (message.sender = :address or cast(:last as boolean)))
            or (cast(:last as boolean) and message.plan @> jsonb_build_array(jsonb_build_object('channel', :channel))))
        limit 1
        """
    ).bindparams(bindparam("scope", type_=Uuid), bindparam("channel", type_=Text), bindparam("address", type_=Text)),
    value=UUID,
)

_PACE = CompiledStatement(
    text(
        """
        insert into sender_paces (provider, identity, environment, channel, address)
        select provider, identity, :environment, :channel, :address from provider_accounts where id = :account
        on conflict (provider, identity, environment, channel, address) do update set provider = excluded.provider
        returning id
        """
    ).bindparams(
        bindparam("account", type_=Uuid),
        bindparam("environment", type_=Text),
        bindparam("channel", type_=Text),
        bindparam("address", type_=Text),
    ),
    value=UUID,
)


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
            senders.c.rate,
            senders.c.pace_id,
        )
        .join(provider_accounts, provider_accounts.c.id == senders.c.account_id)
        .where(senders.c.scope_id == scope.id)
        .order_by(senders.c.channel, senders.c.is_default.desc(), senders.c.id)
    )
    return from_result(OwnSender, found)


async def accounts_of(tx: AsyncConnection, scope: Scope) -> list[OwnAccount]:
    """The accounts a scope can send through, the newest first; those without credentials it no longer uses."""
    account = provider_accounts.c
    found = await tx.execute(
        select(account.id, account.provider)
        .where(account.scope_id == scope.id, account.credentials != {})
        .order_by(account.id.desc())
    )
    return from_result(OwnAccount, found)


async def lock(tx: AsyncConnection, scope: Scope, channel: Channel) -> list[UUID]:
    """Those of a channel, locked: nobody else changes which there are and which it uses."""
    mine = senders.c.scope_id == scope.id, senders.c.channel == channel.value
    return list(
        (await tx.execute(select(senders.c.id).where(*mine).order_by(senders.c.id).with_for_update())).scalars()
    )


async def make(tx: AsyncConnection, scope: Scope, account_id: UUID, channel: Channel, address: str) -> UUID | None:
    """A sender more. None: the scope has it on that channel."""
    made = await tx.execute(
        upsert(senders)
        .values(scope_id=scope.id, account_id=account_id, channel=channel.value, address=address)
        .on_conflict_do_nothing()
        .returning(senders.c.id)
    )
    sender_id: UUID | None = made.scalar_one_or_none()
    if sender_id is not None:
        await _accounts_changed(tx, [account_id])
    return sender_id


async def change(tx: AsyncConnection, scope: Scope, sender: OwnSender, fields: SenderFields) -> None:
    """Change what is given of a sender. The caller has locked those of its channel."""
    mine = senders.c.scope_id == scope.id, senders.c.channel == sender.channel.value
    if fields.get("default") and not sender.is_default:
        await tx.execute(update(senders).where(*mine, senders.c.is_default).values(is_default=False))
        await tx.execute(update(senders).where(*mine, senders.c.id == sender.id).values(is_default=True))
    if "name" in fields:
        await tx.execute(update(senders).where(*mine, senders.c.id == sender.id).values(name=fields["name"]))
    if "standby" in fields:
        set_to = func.jsonb_build_object(STANDBY, fields["standby"], type_=JSONB)
        await tx.execute(
            update(senders)
            .where(*mine, senders.c.id == sender.id)
            .values(capabilities=senders.c.capabilities.op("||")(set_to))
        )
    if "rate" in fields:
        await _set_rate(tx, scope, sender, fields["rate"])
    # What waits for a held account, or for a sender, looks whether it can go on by this one.
    await _accounts_changed(tx, [sender.account_id])


async def is_waited_for(tx: AsyncConnection, scope: Scope, sender: OwnSender, *, last: bool) -> bool:
    """Whether a message has yet to go out that no other sender can carry. `last`: its channel has no other."""
    return bool(await _WAITING(tx, scope=scope.id, channel=sender.channel.value, address=sender.address, last=last))


async def remove(tx: AsyncConnection, scope: Scope, sender: OwnSender) -> None:
    """Nothing goes out from it any more, and what guests write to it is no message of the scope's."""
    await tx.execute(delete(senders).where(senders.c.scope_id == scope.id, senders.c.id == sender.id))
    await _forget_pace(tx, sender.pace_id)


async def _set_rate(tx: AsyncConnection, scope: Scope, sender: OwnSender, rate: float | None) -> None:
    pace_id: UUID | None = None
    if rate is not None:
        (pace_id,) = await _PACE(
            tx,
            account=sender.account_id,
            environment=scope.environment,
            channel=sender.channel.value,
            address=sender.address,
        )
    await tx.execute(
        update(senders)
        .where(senders.c.scope_id == scope.id, senders.c.id == sender.id)
        .values(rate=rate, pace_id=pace_id)
    )
    if sender.pace_id != pace_id:
        await _forget_pace(tx, sender.pace_id)


async def _forget_pace(tx: AsyncConnection, pace_id: UUID | None) -> None:
    """Forget the pace of a sender that nobody has any more."""
    used = select(senders.c.id).where(senders.c.pace_id == pace_id).exists()
    await tx.execute(delete(sender_paces).where(sender_paces.c.id == pace_id, ~used))


async def _accounts_changed(tx: AsyncConnection, account_ids: list[UUID]) -> None:
    await tx.execute(
        update(provider_accounts).where(provider_accounts.c.id.in_(account_ids)).values(updated_at=func.now())
    )
