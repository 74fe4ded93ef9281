"""Conversations with an address that nobody was known by, taken over when its guest becomes known: what was written
before, and is written from then on, is one conversation, and the guest's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import AddressKind, Channel
from bellhop.store.compiled import CompiledStatement
from bellhop.store.conversations import changes, inbound_guests, joining


@dataclass(slots=True)
class _Nameless:
    """A conversation with an address that some guest has by now."""

    id: UUID
    kind: str
    hashed: bytes
    channel: str | None


_NAMELESS = CompiledStatement(
    text(
        """
        select distinct talk.id, point.kind, point.address_hash as hashed, talk.channel
        from contact_points mine
        join contact_points point on point.scope_id = mine.scope_id and point.kind = mine.kind
          and point.address_hash = mine.address_hash and point.guest_id is null
        join conversations talk on talk.contact_point_id = point.id
        where mine.scope_id = :scope and mine.guest_id = any(:guests)
        order by talk.id
        """
    ).bindparams(bindparam("scope", type_=Uuid), bindparam("guests", type_=ARRAY(Uuid))),
    row=_Nameless,
)
# Whoever is being erased just now takes over nothing, and is not waited for: their stay may be locked already.
_HOLD = CompiledStatement(
    text("select id from guests where id = :guest and scope_id = :scope for key share skip locked").bindparams(
        bindparam("guest", type_=Uuid), bindparam("scope", type_=Uuid)
    ),
    value=UUID,
)
_LOCK_MESSAGES = CompiledStatement(
    text(
        """
        with locked as (select id from messages where conversation_id = :talk order by id for update)
        select count(*) as many from locked
        """
    ).bindparams(bindparam("talk", type_=Uuid)),
    value=int,
)
_THERE = CompiledStatement(
    text(
        """
        select id from conversations
        where id = :talk or (about_id = coalesce(cast(:of_stay as uuid), :of_guest) and family = :family)
        order by id for update
        """
    ).bindparams(
        bindparam("talk", type_=Uuid),
        bindparam("of_stay", type_=Uuid),
        bindparam("of_guest", type_=Uuid),
        bindparam("family", type_=Text),
    ),
    value=UUID,
)
_BECOMES = CompiledStatement(
    text(
        """
        update conversations set stay_id = :of_stay, guest_id = :of_guest, contact_point_id = null, family = :family,
          updated_at = now()
        where id = :talk
        """
    ).bindparams(
        bindparam("talk", type_=Uuid),
        bindparam("of_stay", type_=Uuid),
        bindparam("of_guest", type_=Uuid),
        bindparam("family", type_=Text),
    )
)
_UNREAD = (
    "exists (select from messages where conversation_id = {0}.id and direction = 'inbound'"
    " and ({0}.read_id is null or messages.id > {0}.read_id))"
)
# Where the guest's place is taken, everything goes there, and nothing that is unread counts as read.
_JOINS = CompiledStatement(
    text(
        f"""
        with gone as (delete from conversations where id = :talk returning *),
          noted as (update conversation_notes set conversation_id = :into where conversation_id = :talk)
        update conversations there set
          channel = case when gone.place > there.place then gone.channel else there.channel end,
          place = greatest(there.place, gone.place),
          inbound_place = greatest(there.inbound_place, gone.inbound_place),
          last_message_at = greatest(there.last_message_at, gone.last_message_at),
          read_id = case
            when not {_UNREAD.format("gone")} and not {_UNREAD.format("there")}
              then greatest(there.read_id, gone.read_id)
            when not {_UNREAD.format("gone")} then there.read_id
            when not {_UNREAD.format("there")} then gone.read_id
            when there.read_id is not null and gone.read_id is not null then least(there.read_id, gone.read_id) end,
          closed_at = case when gone.closed_at is not null then there.closed_at end,
          snoozed_until = case when gone.snoozed_until is not null then there.snoozed_until end,
          tags = array(select distinct unnest(there.tags || gone.tags) order by 1),
          assigned_to = coalesce(there.assigned_to, gone.assigned_to), updated_at = now()
        from gone where there.id = :into
        """
    ).bindparams(bindparam("talk", type_=Uuid), bindparam("into", type_=Uuid))
)
_MESSAGES = CompiledStatement(
    text(
        """
        update messages set conversation_id = :into, guest_id = coalesce(guest_id, :guest),
          stay_id = coalesce(stay_id, cast(:of_stay as uuid)), updated_at = now()
        where conversation_id = :talk
        """
    ).bindparams(
        bindparam("talk", type_=Uuid),
        bindparam("into", type_=Uuid),
        bindparam("guest", type_=Uuid),
        bindparam("of_stay", type_=Uuid),
    )
)
_INTENTS = CompiledStatement(
    text(
        """
        update intents set conversation_id = :into, guest_id = coalesce(guest_id, :guest), updated_at = now()
        where conversation_id = :talk
        """
    ).bindparams(bindparam("talk", type_=Uuid), bindparam("into", type_=Uuid), bindparam("guest", type_=Uuid))
)
_THEIRS = CompiledStatement(
    text(
        """
        update contact_points set last_inbound_at = coalesce(last_inbound_at, now())
        where scope_id = :scope and kind = :kind and address_hash = :hashed and guest_id = :guest
        """
    ).bindparams(
        bindparam("scope", type_=Uuid),
        bindparam("kind", type_=Text),
        bindparam("guest", type_=Uuid),
    )
)


async def take_over(tx: AsyncConnection, scope_id: UUID, guest_ids: Sequence[UUID]) -> set[UUID]:
    """Make conversations with addresses that nobody was known by those of these guests, where it can be said now whose
    they are: with the stay or the guest that their next message would belong to. Returns the endpoints that have events
    to deliver."""
    endpoints: set[UUID] = set()
    for talk in await _NAMELESS(tx, scope=scope_id, guests=list(guest_ids)) if guest_ids else ():
        who = await inbound_guests.sender(tx, scope_id, AddressKind(talk.kind), [talk.hashed])
        if who.guest_id is not None and who.guest_id in guest_ids and talk.channel is not None:
            endpoints |= await _taken(tx, scope_id, talk, who.guest_id, Channel(talk.channel))
    return endpoints


async def _taken(tx: AsyncConnection, scope_id: UUID, talk: _Nameless, guest_id: UUID, channel: Channel) -> set[UUID]:
    if not await _HOLD(tx, guest=guest_id, scope=scope_id):
        return set()
    stay_id = await joining.nearest_stay(tx, scope_id, guest_id)
    place = joining.place_of(scope_id, channel, guest_id, stay_id)
    of = {name: place[name] for name in ("of_stay", "of_guest", "family")}
    # As in the order of locks: messages, by id, then conversations, by id.
    await _LOCK_MESSAGES(tx, talk=talk.id)
    found = await _THERE(tx, talk=talk.id, **of)
    if talk.id not in found:
        return set()
    into = next((one for one in found if one != talk.id), talk.id)
    if into == talk.id:
        await _BECOMES(tx, talk=talk.id, **of)
    else:
        await _JOINS(tx, talk=talk.id, into=into)
    await _MESSAGES(tx, talk=talk.id, into=into, guest=guest_id, of_stay=stay_id)
    await _INTENTS(tx, talk=talk.id, into=into, guest=guest_id)
    await _THEIRS(tx, scope=scope_id, kind=talk.kind, hashed=talk.hashed, guest=guest_id)
    return await changes.write_event(tx, scope_id, into, ["participants"])
