"""Whose a new message is: its guest, the stay it is about, and the conversation it joins as it is written."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import CTE, Float, LargeBinary, Text, Uuid, bindparam, column, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import Channel
from bellhop.domain.rows.messages import MessageRow
from bellhop.store.compiled import CompiledStatement, seconds
from bellhop.store.conversations import joining
from bellhop.store.messages import progress, validity
from bellhop.store.tables import Personal, guests, messages

Accept = CompiledStatement[list[MessageRow]]

GUEST = CompiledStatement(
    select(guests.c.id)
    .where(guests.c.id == bindparam("guest"), guests.c.scope_id == bindparam("scope"))
    .with_for_update(read=True, key_share=True),
    value=UUID,
)


class UnknownGuest(Exception):
    """The guest named does not exist in this scope."""


class UnknownStay(Exception):
    """The stay named does not exist in this scope, or is not the guest's."""


_KEY = column("id", Uuid)
# Its first event, and the address it goes to, are written with it.
_FRESH = select(func.uuidv7(type_=Uuid).label("id")).cte("fresh")
_QUEUED = (
    text(
        """
        insert into events (scope_id, subject, subject_id, type, stage)
        select :of_scope, 'message', fresh.id, 'message.queued', 'queued' from fresh returning id
        """
    )
    .bindparams(bindparam("of_scope", type_=Uuid))
    .columns(_KEY)
    .cte("queued")
)
_CONTACT = (
    text(
        """
        insert into contact_points (scope_id, kind, address, address_hash, guest_id)
        select :of_scope, :contact_kind, :contact, :contact_hash, :contact_guest where :contact_kind is not null
        on conflict do nothing returning id
        """
    )
    .bindparams(
        bindparam("of_scope", type_=Uuid),
        bindparam("contact_kind", type_=Text),
        bindparam("contact", type_=Personal),
        bindparam("contact_hash", type_=LargeBinary),
        bindparam("contact_guest", type_=Uuid),
    )
    .columns(_KEY)
    .cte("contact")
)


def _accepting(joined: CTE | None) -> Accept:
    """What writes a message, its first event and, where `contact_kind` is one, its contact point. `joined`: the
    conversation that it belongs to; None: to none."""
    conversation = {} if joined is None else {"conversation_id": select(joined.c.id).scalar_subquery()}
    return CompiledStatement(
        insert(messages)
        .values(
            id=select(_FRESH.c.id).scalar_subquery(),
            due_at=validity.DUE,
            validity=validity.VALIDITY,
            valid_until=validity.UNTIL,
            # Of a null and a time `least` gives the time.
            expires_at=func.least(validity.DUE + seconds(bindparam("valid_for", type_=Float)), validity.UNTIL),
            wake_due_at=func.now(),
            **conversation,
        )
        .add_cte(_FRESH, _QUEUED, _CONTACT)
        .returning(*progress.columns_of_written),
        (
            "scope_id", "channel", "recipient", "address_hash", "guest_ref", "guest_id", "subject", "content",
            "content_type", "metadata", "category", "reference", "tags", "scheduled_at", "parts", "body",
            "provider", "priority", "details", "resend_of", "plan", "sender", "stay_id", "callback_id",
            "ignore_quiet_hours", "ignore_frequency_cap",
        ),
        row=MessageRow,
    )  # fmt: skip


_ALONE, _JOINED, _CONTINUED = _accepting(None), _accepting(joining.JOINED), _accepting(joining.CONTINUED)


async def stay_of(
    tx: AsyncConnection, scope_id: UUID, guest_id: UUID | None, stay_id: UUID | None, conversation_id: UUID | None
) -> UUID | None:
    """The stay that a message is about: the one that is named, else the one that its guest's messages are about now.
    The guest is locked before the message, as everywhere, so that nobody erases them meanwhile. What answers a
    conversation is about the stay that this is about, which its caller has read. Raises UnknownGuest, UnknownStay."""
    if guest_id is not None and stay_id is None and conversation_id is None:
        found = await joining.GUEST_AND_STAY(tx, scope=scope_id, guest=guest_id)
        if not found:
            raise UnknownGuest
        return found[0].stay_id
    if guest_id is not None and not await GUEST(tx, scope=scope_id, guest=guest_id):
        raise UnknownGuest
    named = stay_id if conversation_id is None else None
    if named is not None and not await joining.named_stay(tx, scope_id, named, guest_id):
        raise UnknownStay
    return stay_id


def accepting_into(
    scope_id: UUID, channel: Channel, guest_id: UUID | None, stay_id: UUID | None, conversation_id: UUID | None
) -> tuple[Accept, dict[str, object]]:
    """What writes a message, and the parameters of its conversation. What names neither guest nor stay has none, which
    costs nothing."""
    if conversation_id is not None:
        return _CONTINUED, {"conversation": conversation_id, "in_scope": scope_id, "by_channel": channel.value}
    if guest_id is None and stay_id is None:
        return _ALONE, {}
    return _JOINED, joining.place_of(scope_id, channel, guest_id, stay_id)
