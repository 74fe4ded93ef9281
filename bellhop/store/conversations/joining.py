"""The conversation that a message belongs to: the one with its stay, else with its guest, which it begins if there is
none yet.

A message to a guest joins in the statement that accepts it (`JOINED`), so that it takes no round trip more. The
conversation's row is locked from there on. Lock order: guests, conversations, contact points.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Boolean, Text, Uuid, bindparam, column, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import CHANNELS, Channel
from bellhop.domain.conversations import OF_A_STAY
from bellhop.store.compiled import CompiledStatement
from bellhop.store.conversations.nearest_stays import NEAREST


@dataclass(slots=True)
class GuestAndStay:
    """A guest, locked against being erased, and the stay that is meant."""

    guest_id: UUID
    stay_id: UUID | None


GUEST_AND_STAY = CompiledStatement(
    text(
        f"""
        with guest as (
          select id from guests where id = :guest and scope_id = :scope for key share)
        select guest.id as guest_id, ({NEAREST}) as stay_id from guest
        """
    ).bindparams(bindparam("guest", type_=Uuid), bindparam("scope", type_=Uuid)),
    row=GuestAndStay,
)
_STAY = CompiledStatement(text(NEAREST).bindparams(bindparam("scope", type_=Uuid)), value=UUID)
_NAMED = CompiledStatement(
    text(
        """
        select id from stays
        where id = :stay and scope_id = :scope and (cast(:guest as uuid) is null or exists (
          select from stay_guests where stay_id = :stay and guest_id = :guest))
        for key share
        """
    ).bindparams(bindparam("guest", type_=Uuid)),
    value=UUID,
)
# Its place by its own reading of the clock, under the row's lock: whoever has waited for it comes after what it waited
# for.
_BEGIN = """
    insert into conversations
      (scope_id, stay_id, guest_id, contact_point_id, family, channel, last_message_at, inbound_place)
    values (:in_scope, :of_stay, :of_guest, :of_contact, :family, :by_channel, now(),
      case when :answer then uuidv7() end)
    on conflict (about_id, family) do update set place = uuidv7(), last_message_at = now(), channel = :by_channel
"""
_TYPES = (
    bindparam("in_scope", type_=Uuid),
    bindparam("of_stay", type_=Uuid),
    bindparam("of_guest", type_=Uuid),
    bindparam("of_contact", type_=Uuid),
    bindparam("family", type_=Text),
    bindparam("by_channel", type_=Text),
    bindparam("answer", type_=Boolean),
)
_KEY = column("id", Uuid)

JOINED = text(f"{_BEGIN} returning id").bindparams(*_TYPES).columns(_KEY).cte("joined")
"""For the statement that accepts a message to a guest, with the parameters of `place_of`: the conversation's key."""
_CONTINUE = "update conversations set place = uuidv7(), last_message_at = now(), channel = :by_channel"
_NAMED_TYPES = (
    bindparam("conversation", type_=Uuid),
    bindparam("in_scope", type_=Uuid),
    bindparam("by_channel", type_=Text),
)
CONTINUED = (
    text(f"{_CONTINUE} where id = :conversation and scope_id = :in_scope returning id")
    .bindparams(*_NAMED_TYPES)
    .columns(_KEY)
    .cte("joined")
)
"""The same of a conversation that is named."""


@dataclass(slots=True)
class Joined:
    """The conversation of a guest's message, and whether that has opened it again."""

    id: UUID
    stay_id: UUID | None
    reopened: bool


_OPEN = """
    inbound_place = case when :answer then uuidv7() else conversations.inbound_place end,
    closed_at = case when not :answer then conversations.closed_at end,
    snoozed_until = case when not :answer then conversations.snoozed_until end
"""
_JOINED = """
    id, conversations.stay_id,
    :answer and coalesce(old.closed_at is not null or old.snoozed_until > now(), false) as reopened
"""
_ANSWERED = CompiledStatement(text(f"{_BEGIN}, {_OPEN} returning {_JOINED}").bindparams(*_TYPES), row=Joined)
_ANSWERED_NAMED = CompiledStatement(
    text(f"{_CONTINUE}, {_OPEN} where id = :conversation and scope_id = :in_scope returning {_JOINED}").bindparams(
        *_NAMED_TYPES, bindparam("answer", type_=Boolean)
    ),
    row=Joined,
)


def place_of(
    scope_id: UUID, channel: Channel, guest_id: UUID | None, stay_id: UUID | None, contact_id: UUID | None = None
) -> dict[str, object]:
    """What `JOINED` takes of a message: one of a stay, else of a guest, else of an address that nobody is known by."""
    return {
        "in_scope": scope_id,
        "of_stay": stay_id,
        "of_guest": None if stay_id else guest_id,
        "of_contact": None if stay_id or guest_id else contact_id,
        "family": OF_A_STAY if stay_id else CHANNELS[channel].family.value,
        "by_channel": channel.value,
        "answer": False,
    }


async def named_stay(tx: AsyncConnection, scope_id: UUID, stay_id: UUID, guest_id: UUID | None) -> bool:
    """Whether the scope has that stay, and the guest, if one is given, is a guest of it. It stays until the commit."""
    return bool(await _NAMED(tx, stay=stay_id, scope=scope_id, guest=guest_id))


async def nearest_stay(tx: AsyncConnection, scope_id: UUID, guest_id: UUID) -> UUID | None:
    """The stay that a guest's message is about."""
    found = await _STAY(tx, scope=scope_id, guest=guest_id)
    return found[0] if found else None


async def answered(
    tx: AsyncConnection,
    scope_id: UUID,
    channel: Channel,
    guest_id: UUID | None,
    stay_id: UUID | None,
    contact_id: UUID | None = None,
    *,
    opens: bool = True,
) -> Joined:
    """The conversation that a guest's message joins: open, unread and the first in the list from now on. `opens`: false
    of what no guest wrote, which opens nothing and is nothing to be read."""
    place = place_of(scope_id, channel, guest_id, stay_id, contact_id)
    (joined,) = await _ANSWERED(tx, **(place | {"answer": opens}))
    return joined


async def continued(
    tx: AsyncConnection, scope_id: UUID, channel: Channel, conversation_id: UUID, *, opens: bool = True
) -> Joined | None:
    """The same of a conversation that is named; None: there is no such in this scope any more."""
    found = await _ANSWERED_NAMED(
        tx, conversation=conversation_id, in_scope=scope_id, by_channel=channel.value, answer=opens
    )
    return found[0] if found else None
