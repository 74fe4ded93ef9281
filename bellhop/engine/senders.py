"""Senders of a property: made, looked at, changed and removed."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import CHANNELS, Channel
from bellhop.domain.paging import Listed, PageRequest, Place
from bellhop.domain.rows.delivery import Backlog, OwnSender
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import InvalidField, NotFound, SenderExists, SenderInUse, TooManySenders
from bellhop.providers import PACKAGES
from bellhop.store.delivery import parked, sender_rows
from bellhop.store.delivery.sender_rows import OwnAccount
from bellhop.store.delivery.sender_rows import SenderFields as SenderFields

MOST = 100
"""Senders of one scope on one channel: each message that goes out looks at all of them."""

_PACKAGES = {package.name: package for package in PACKAGES}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSender:
    """A sender that is to be made. `account_id` None: the only account that carries the channel. `fields`: a rate
    that is left out is the usual one of its kind."""

    channel: Channel
    address: str
    account_id: UUID | None = None
    fields: SenderFields = field(default_factory=SenderFields)


async def listing(engine: Engine, scope: Scope, asked: PageRequest) -> Listed[OwnSender]:
    """The senders of a scope, in the order in which each channel uses them."""
    every = await engine.database.read(lambda tx: sender_rows.listing(tx, scope))
    after = asked.after
    there = (at + 1 for at, row in enumerate(every) if after and row.id == after.id)
    first = next(there, len(every)) if after else asked.offset
    listed = every[first : first + asked.limit]
    return Listed(listed, len(every), next=Place(listed[-1].id) if listed and every[first + asked.limit :] else None)


async def get(engine: Engine, scope: Scope, sender_id: UUID) -> OwnSender:
    """One of them. Raises NotFound."""
    return await engine.database.read(lambda tx: _own(tx, scope, sender_id))


async def create(engine: Engine, scope: Scope, new: NewSender) -> OwnSender:
    """A sender more; the first of its channel is the one that it uses. Raises InvalidField, SenderExists,
    TooManySenders."""

    async def work(tx: AsyncConnection) -> tuple[OwnSender, list[Backlog]]:
        account = _account(new, await sender_rows.accounts_of(tx, scope))
        try:
            address = _PACKAGES[account.provider].senders[new.channel](new.address)
        except ValueError as problem:
            raise InvalidField("address", str(problem), "sender_address") from None
        there = await sender_rows.lock(tx, scope, new.channel)
        if len(there) >= MOST:
            raise TooManySenders(MOST)
        made = await sender_rows.make(tx, scope, account.id, new.channel, address)
        if made is None:
            raise SenderExists
        fields = SenderFields(rate=_PACKAGES[account.provider].usual_rate(new.channel, address))
        fields |= new.fields
        fields["default"] = new.fields.get("default", False) or not there
        await sender_rows.change(tx, scope, await _own(tx, scope, made), fields)
        return await _own(tx, scope, made), await parked.backlogs(tx, scope.id)

    row, backlogs = await engine.database.write(work)
    engine.dispatcher.release(backlogs)
    return row


def _account(new: NewSender, known: list[OwnAccount]) -> OwnAccount:
    """The account it goes through."""
    able = [one for one in known if one.provider in _PACKAGES and new.channel in _PACKAGES[one.provider].senders]
    if new.account_id is None:
        if len(able) == 1:
            return able[0]
        if able:
            raise InvalidField(
                "account_id", f"expected one of the {len(able)} accounts that carry {new.channel}", "required"
            )
        raise InvalidField("channel", "expected a channel that an account of this property carries and whose senders "
                           "can be chosen", "channel_unavailable")  # fmt: skip
    for account in known:
        if account.id == new.account_id:
            if account not in able:
                raise InvalidField("channel", f"expected a channel on which {account.provider} has senders that can be "
                                   "chosen", "channel_unavailable")  # fmt: skip
            return account
    raise InvalidField(
        "account_id", "expected the id of an account of this property and environment", "unknown_account"
    )


async def change(engine: Engine, scope: Scope, sender_id: UUID, fields: SenderFields) -> OwnSender:
    """Change what is given of a sender. Raises NotFound, InvalidField."""
    if fields.get("default") is False:
        raise InvalidField("default", "expected true: a channel uses another sender once that one is set", "default")

    async def work(tx: AsyncConnection) -> tuple[OwnSender, list[Backlog]]:
        sender = await _own(tx, scope, sender_id)
        await sender_rows.lock(tx, scope, sender.channel)
        await sender_rows.change(tx, scope, await _own(tx, scope, sender_id), fields)
        return await _own(tx, scope, sender_id), await parked.backlogs(tx, scope.id)

    row, backlogs = await engine.database.write(work)
    engine.dispatcher.release(backlogs)
    return row


async def remove(engine: Engine, scope: Scope, sender_id: UUID) -> None:
    """Send nothing from it any more. Raises NotFound; SenderInUse where its channel uses it and has others, or where
    messages wait that no other can carry."""

    async def work(tx: AsyncConnection) -> None:
        sender = await _own(tx, scope, sender_id)
        if CHANNELS[sender.channel].in_record:
            raise SenderInUse("It is Bellhop's own, which every property has.")
        there = await sender_rows.lock(tx, scope, sender.channel)
        sender = await _own(tx, scope, sender_id)
        if sender.is_default and len(there) > 1:
            raise SenderInUse(f"Messages on {sender.channel} go out from it. Make another sender the default first.")
        if await sender_rows.is_waited_for(tx, scope, sender, last=len(there) == 1):
            raise SenderInUse(
                "Messages wait that no other sender can carry. Add another, let them go out, or cancel them first."
            )
        await sender_rows.remove(tx, scope, sender)

    await engine.database.write(work)


async def _own(tx: AsyncConnection, scope: Scope, sender_id: UUID) -> OwnSender:
    for row in await sender_rows.listing(tx, scope):
        if row.id == sender_id:
            return row
    raise NotFound
