"""A guest's message moved to another guest: families share phones, and who wrote may be known better afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import LargeBinary, Text, Uuid, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.addresses import AddressBook
from bellhop.domain.channels import CHANNELS, Channel, kind_of
from bellhop.domain.inbound_details import MatchedBy
from bellhop.domain.live import Word
from bellhop.domain.scopes import Scope
from bellhop.store import notifications
from bellhop.store.compiled import CompiledStatement
from bellhop.store.conversations import joining
from bellhop.store.guests import consents
from bellhop.store.tables import guests, messages
from bellhop.store.webhooks import events
from bellhop.store.webhooks.events import NewEvent

MOVED = "message.moved"
"""An event of timelines and streams."""


class UnknownGuest(Exception):
    """The guest named does not exist in this scope."""


class WriterKnown(Exception):
    """It came in a guest's own session: there is no doubt who wrote it."""


@dataclass(slots=True)
class _Written:
    """A guest's message, as far as it is moved."""

    id: UUID
    channel: Channel
    sender: str | None = field(repr=False)
    guest_id: UUID | None


_FIND = select(messages.c.id, messages.c.channel, messages.c.sender, messages.c.guest_id).where(
    messages.c.id == bindparam("message", type_=Uuid),
    messages.c.scope_id == bindparam("scope", type_=Uuid),
    messages.c.direction == "inbound",
    messages.c.erased_at.is_(None),
)
_THERE = CompiledStatement(_FIND, row=_Written)
_LOCK = CompiledStatement(_FIND.with_for_update(), row=_Written)
_GUEST = CompiledStatement(
    select(guests.c.id)
    .where(guests.c.id == bindparam("guest", type_=Uuid), guests.c.scope_id == bindparam("scope", type_=Uuid))
    .with_for_update(read=True, key_share=True),
    value=UUID,
)
_MOVE = CompiledStatement(
    text(
        """
        update messages set guest_id = :guest, conversation_id = :conversation, stay_id = :stay, updated_at = now(),
          details = coalesce(details, '{}') || jsonb_build_object('matched_by', cast(:matched_by as text))
        where id = :message
        """
    ).bindparams(
        bindparam("guest", type_=Uuid),
        bindparam("conversation", type_=Uuid),
        bindparam("stay", type_=Uuid),
        bindparam("matched_by", type_=Text),
        bindparam("message", type_=Uuid),
    )
)
_INTENTS = CompiledStatement(
    text(
        "update intents set guest_id = :guest, conversation_id = :conversation, updated_at = now()"
        " where message_id = :message"
    ).bindparams(
        bindparam("guest", type_=Uuid), bindparam("conversation", type_=Uuid), bindparam("message", type_=Uuid)
    )
)
_WROTE = CompiledStatement(
    text(
        """
        update contact_points set last_inbound_at = coalesce(last_inbound_at, now())
        where scope_id = :scope and kind = :kind and address_hash = :hash and guest_id = :guest
        """
    ).bindparams(
        bindparam("scope", type_=Uuid),
        bindparam("kind", type_=Text),
        bindparam("hash", type_=LargeBinary),
        bindparam("guest", type_=Uuid),
    )
)


async def move(tx: AsyncConnection, scope: Scope, message_id: UUID, guest_id: UUID, book: AddressBook) -> bool | None:
    """Make a guest's message that of another guest, with its intents, in that one's conversation. The address counts as
    theirs too from now on: what they write from it may be either's, and who is erased takes nothing of the other's
    along. False: it was theirs already; None: no such message here. Raises UnknownGuest, WriterKnown."""
    there = await _THERE(tx, message=message_id, scope=scope.id)
    if not there:
        return None
    if CHANNELS[there[0].channel].in_record:
        raise WriterKnown
    # Locked before the message, as everywhere, so that nobody erases them meanwhile.
    if not await _GUEST(tx, guest=guest_id, scope=scope.id):
        raise UnknownGuest
    found = await _LOCK(tx, message=message_id, scope=scope.id)
    if not found:
        return None
    row = found[0]
    if row.guest_id == guest_id:
        return False
    stay_id = await joining.nearest_stay(tx, scope.id, guest_id)
    joined = await joining.answered(tx, scope.id, row.channel, guest_id, stay_id)
    await _MOVE(
        tx,
        guest=guest_id,
        conversation=joined.id,
        stay=stay_id,
        matched_by=MatchedBy.MOVED.value,
        message=message_id,
    )
    await _INTENTS(tx, guest=guest_id, conversation=joined.id, message=message_id)
    if row.sender is not None:
        kind = kind_of(row.channel, row.sender).value
        hashed = book.hash(kind_of(row.channel, row.sender), row.sender)
        await consents.remember_contact(tx, scope.id, kind, row.sender, hashed, [guest_id])
        await _WROTE(tx, scope=scope.id, kind=kind, hash=hashed, guest=guest_id)
    await events.write(tx, scope.id, "inbound", message_id, [NewEvent(MOVED)])
    await notifications.notify(tx, Word.NEWS, scope.id)
    return True
