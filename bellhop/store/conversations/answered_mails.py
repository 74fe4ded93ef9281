"""Which message a guest's mail answers, by an address or an id of ours that it bears."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.addresses import AddressBook
from bellhop.domain.channels import kind_of
from bellhop.domain.delivery_ports import Account, Inbound
from bellhop.domain.mail_addresses import MailToken, Named
from bellhop.store.compiled import CompiledStatement
from bellhop.store.conversations import inbound_scopes
from bellhop.store.conversations.inbound_scopes import Sharing


@dataclass(slots=True)
class _Message:
    scope_id: UUID
    account_id: UUID
    guest_id: UUID | None
    conversation_id: UUID | None
    sender: str | None


@dataclass(frozen=True, slots=True)
class Answered:
    """The message that a mail answers. `owner`: its scope, with the address that the message went out from."""

    named: Named
    owner: Sharing
    guest_id: UUID | None
    conversation_id: UUID | None


# Of a scope whose account signed: nobody reaches another property with an address of this one.
_MESSAGE = CompiledStatement(
    text(
        """
        select m.scope_id, account.id account_id, m.guest_id, m.conversation_id,
          (select sender from attempts where message_id = m.id and step = :step order by id desc limit 1) sender
        from messages m
        join provider_accounts account on account.scope_id = m.scope_id and account.id = any(:accounts)
        where m.id = :message and m.direction = 'outbound'
        order by account.id limit 1
        """
    ).bindparams(bindparam("accounts", type_=ARRAY(Uuid)), bindparam("message", type_=Uuid)),
    row=_Message,
)


async def answered(
    tx: AsyncConnection, verified: Sequence[Account], item: Inbound, book: AddressBook
) -> Answered | None:
    """What a mail answers: by the address it was written to, else by the ids that it names. None: nothing of ours, or
    of none of the properties whose account took it."""
    named = book.mail_addresses.first((item.recipient, *item.also_to, *item.references))
    if named is None:
        return None
    accounts = [account.id for account in verified]
    found = await _MESSAGE(tx, message=named.message_id, step=named.step, accounts=accounts)
    if not found:
        return None
    one = found[0]
    owner = Sharing(one.scope_id, one.account_id, one.sender or item.recipient)
    return Answered(named, owner, one.guest_id, one.conversation_id)


async def scopes_of(tx: AsyncConnection, verified: Sequence[Account], item: Inbound, book: AddressBook) -> list[UUID]:
    """The scopes whose message a mail will be; none, if it is here already or becomes no message."""
    if await inbound_scopes.is_stored(tx, verified, item):
        return []
    found = await answered(tx, verified, item, book)
    if found is not None:
        return [] if found.named.token is MailToken.UNSUBSCRIBE else [found.owner.scope_id]
    hashes = book.hashes(kind_of(item.channel, item.sender), item.sender)
    return [one.scope_id for one in await inbound_scopes.owners(tx, verified, item, hashes)]


def as_answer(item: Inbound, found: Answered | None, book: AddressBook) -> Inbound:
    """The same mail as written to the address that the property sends from; one that we sent ourselves, and that has
    come back, is automatic."""
    own = book.mail_addresses.read(item.provider_id)
    if own is not None and own.token is MailToken.MESSAGE:
        item = replace(item, automatic=True, details=replace(item.details, automatic=True))
    return item if found is None else replace(item, recipient=found.owner.address)
