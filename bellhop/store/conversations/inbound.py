"""A guest's message to the property: stored, attached to its guest, and its STOP or START written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.addresses import AddressBook, email_key
from bellhop.domain.channels import CHANNELS, AddressKind
from bellhop.domain.consent_keywords import consent_keyword
from bellhop.domain.consents import Effect
from bellhop.domain.delivery_ports import Account, Inbound
from bellhop.domain.events import EventType
from bellhop.domain.statuses import Stage
from bellhop.store.guests import consents, profiles
from bellhop.store.tables import contact_points, conversations, guests, messages, receipts, senders
from bellhop.store.webhooks import events
from bellhop.store.webhooks.events import NewEvent


@dataclass(frozen=True, slots=True)
class _Address:
    """The address a guest wrote from, in the scope they wrote to."""

    scope_id: UUID
    kind: AddressKind
    text: str = field(repr=False)
    hashed: bytes


async def receive(
    tx: AsyncConnection, verified: Sequence[Account], item: Inbound, book: AddressBook
) -> set[UUID] | None:
    """Store one inbound message once. Returns the endpoints owed an event; None when it was here before.

    The scope is that of the sender row the guest wrote to; unknown senders keep only the receipt.
    """
    sender = (
        await tx.execute(
            select(senders.c.scope_id, senders.c.account_id)
            .where(
                senders.c.account_id.in_([account.id for account in verified]),
                senders.c.channel == item.channel.value,
                senders.c.address == item.recipient,
            )
            .order_by(senders.c.id)
        )
    ).first()
    scope_id, account_id = (None, verified[0].id) if sender is None else (sender.scope_id, sender.account_id)
    receipt = await _record_receipt(tx, scope_id, account_id, verified[0].provider, item)
    if receipt is None:
        return None
    if scope_id is None:
        return set()
    kind = CHANNELS[item.channel].address
    address = _Address(scope_id, kind, item.sender, book.hash(kind, item.sender))
    guest_id = await _guest_seen(tx, address)
    conversation_id = await _conversation(tx, address, guest_id)
    message_id = await _store(tx, address, item, verified[0].provider, guest_id, conversation_id)
    await tx.execute(update(receipts).where(receipts.c.id == receipt).values(message_id=message_id))
    await _apply_keyword(tx, address, item, message_id)
    received = NewEvent(EventType.MESSAGE_RECEIVED.value, "received", {"channel": item.channel.value})
    return await events.write(tx, scope_id, "inbound", message_id, [received])


async def _record_receipt(
    tx: AsyncConnection, scope_id: UUID | None, account_id: UUID, provider: str, item: Inbound
) -> UUID | None:
    """The row key of the callback's receipt; None when it was here before."""
    recorded: UUID | None = (
        await tx.execute(
            upsert(receipts)
            .values(
                scope_id=scope_id,
                account_id=account_id,
                provider=provider,
                dedupe_key=item.dedupe_key,
                word="inbound",
                provider_id=item.provider_id,
                payload=dict(item.payload),
            )
            .on_conflict_do_nothing(index_elements=["account_id", "dedupe_key"])
            .returning(receipts.c.id)
        )
    ).scalar_one_or_none()
    return recorded


async def _guest_seen(tx: AsyncConnection, address: _Address) -> UUID | None:
    """The guest who wrote, whose `last_seen_at` is now; None when nobody known has that address."""
    guest_id = await _guest(tx, address)
    if guest_id is None:
        return None
    # None: erased while we looked. What they write is kept and obeyed all the same, above all a STOP.
    return guest_id if await profiles.seen(tx, guest_id) else None


async def _store(
    tx: AsyncConnection,
    address: _Address,
    item: Inbound,
    provider: str,
    guest_id: UUID | None,
    conversation_id: UUID,
) -> UUID:
    message_id: UUID = (
        await tx.execute(
            insert(messages)
            .values(
                scope_id=address.scope_id,
                direction="inbound",
                channel=item.channel.value,
                recipient=item.recipient,
                sender=item.sender,
                address_hash=address.hashed,
                guest_id=guest_id,
                conversation_id=conversation_id,
                content=item.text,
                stage=Stage.DELIVERED.value,
                provider=provider,
                due_at=func.now(),
            )
            .returning(messages.c.id)
        )
    ).scalar_one()
    return message_id


async def _guest(tx: AsyncConnection, address: _Address) -> UUID | None:
    """Whom an address belongs to. Families share phones: of several, the one we last wrote to there; else nobody."""
    known = set(
        (
            await tx.execute(
                select(contact_points.c.guest_id).where(
                    contact_points.c.scope_id == address.scope_id,
                    contact_points.c.kind == address.kind.value,
                    contact_points.c.address_hash == address.hashed,
                    contact_points.c.guest_id.is_not(None),
                )
            )
        ).scalars()
    )
    column: Any = guests.c.email_key if address.kind is AddressKind.EMAIL else guests.c.phone
    known |= set(
        (
            await tx.execute(
                select(guests.c.id).where(
                    guests.c.scope_id == address.scope_id,
                    column == (email_key(address.text) if address.kind is AddressKind.EMAIL else address.text),
                )
            )
        ).scalars()
    )
    if len(known) <= 1:
        return next(iter(known), None)
    last: UUID | None = (
        await tx.execute(
            select(messages.c.guest_id)
            .where(
                messages.c.scope_id == address.scope_id,
                messages.c.address_hash == address.hashed,
                messages.c.direction == "outbound",
                messages.c.guest_id.in_(known),
            )
            .order_by(messages.c.id.desc())
            .limit(1)
        )
    ).scalar_one_or_none()
    return last


async def _conversation(tx: AsyncConnection, address: _Address, guest_id: UUID | None) -> UUID:
    """The conversation with a contact (one per contact while no stay is known)."""
    await consents.remember_contact(tx, address.scope_id, address.kind.value, address.text, address.hashed, [guest_id])
    contact = (
        await tx.execute(
            update(contact_points)
            .where(
                contact_points.c.scope_id == address.scope_id,
                contact_points.c.kind == address.kind.value,
                contact_points.c.address_hash == address.hashed,
                contact_points.c.guest_id.is_not_distinct_from(guest_id),
            )
            .values(last_inbound_at=func.now())
            .returning(contact_points.c.id)
        )
    ).scalar_one()
    there: UUID | None = (
        await tx.execute(
            update(conversations)
            .where(conversations.c.contact_point_id == contact, conversations.c.stay_id.is_(None))
            .values(last_message_at=func.now())
            .returning(conversations.c.id)
        )
    ).scalar_one_or_none()
    if there is not None:
        return there
    made: UUID = (
        await tx.execute(
            insert(conversations)
            .values(scope_id=address.scope_id, contact_point_id=contact, guest_id=guest_id, last_message_at=func.now())
            .returning(conversations.c.id)
        )
    ).scalar_one()
    return made


async def _apply_keyword(tx: AsyncConnection, address: _Address, item: Inbound, message_id: UUID) -> None:
    """STOP and START are written down at once. START also where nothing was stopped: a STOP said before may be late."""
    effect = item.effect or consent_keyword(item.text)
    if effect not in (Effect.OPT_OUT, Effect.OPT_IN):
        return
    await consents.write(
        tx,
        address.scope_id,
        address.kind.value,
        address.hashed,
        effect,
        "guest",
        message_id,
        occurred_at=item.occurred_at,
    )
