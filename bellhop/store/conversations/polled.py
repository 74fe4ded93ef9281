"""What lies in the conversations of stays until the other side polls it: found, confirmed, and the pictures of it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Boolean, Integer, Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import MOST_ATTACHED
from bellhop.domain.conversations import Side
from bellhop.domain.rows.polled import Attachment, Thread, Unconfirmed
from bellhop.domain.scopes import Scope
from bellhop.domain.windows import READS
from bellhop.store.compiled import CompiledStatement

_ENDED = "(stays.ended_at at time zone properties.timezone)::date"
_TODAY = "(now() at time zone properties.timezone)::date"
_OVER = f"""
    case when stays.status in ('cancelled', 'no_show') and stays.ended_at is not null then {_ENDED}
      else coalesce(stays.departure, {_ENDED}) end
"""
"""As `windows.end`."""
_WAITS = """
    message.scope_id = :scope and message.direction = :direction and message.channel = 'inbox'
    and message.confirmed_at is null and message.erased_at is null
    and message.stage in ('sent', 'delivered', 'read')
"""
_FROM = {Side.PROPERTY: "inbound", Side.GUEST: "outbound"}
"""What each side is told of: what the other one wrote."""

_THREAD = CompiledStatement(
    text(
        f"""
        select stays.id as stay_id, stays.reservation, talk.id as conversation_id,
          array(select guest_id from stay_guests where stay_id = stays.id order by position) as guests,
          stays.status, stays.departure, {_ENDED} as ended_on, {_TODAY} as today,
          (select (message.created_at at time zone properties.timezone)::date from messages message
           where message.conversation_id = talk.id and message.direction = 'inbound'
           order by message.id desc limit 1) as answered
        from stays join scopes on scopes.id = stays.scope_id join properties on properties.id = scopes.property_id
          left join conversations talk on talk.stay_id = stays.id
        where stays.scope_id = :scope
          and (cast(:reservation as text) is null or stays.reservation = :reservation)
          and (cast(:conversation as uuid) is null or talk.id = :conversation)
        order by stays.id desc limit 1
        """
    ).bindparams(
        bindparam("scope", type_=Uuid),
        bindparam("reservation", type_=Text),
        bindparam("conversation", type_=Uuid),
    ),
    row=Thread,
)
_UNCONFIRMED = CompiledStatement(
    text(
        f"""
        select message.id, message.direction, message.content, message.details, message.conversation_id,
          stays.reservation, message.guest_id,
          nullif(trim(concat_ws(' ', guests.first_name, guests.last_name)), '') as name,
          coalesce(message.sent_at, message.created_at) as at
        from messages message join conversations talk on talk.id = message.conversation_id
          join stays on stays.id = talk.stay_id join scopes on scopes.id = message.scope_id
          join properties on properties.id = scopes.property_id
          left join guests on guests.id = message.guest_id
        where {_WAITS} and coalesce({_TODAY} <= {_OVER} + :days, true)
        order by message.id limit :most
        """
    ).bindparams(
        bindparam("scope", type_=Uuid),
        bindparam("direction", type_=Text),
        bindparam("days", type_=Integer),
        bindparam("most", type_=Integer),
    ),
    row=Unconfirmed,
)
_WAITING = CompiledStatement(
    text(f"select message.id from messages message where {_WAITS} and message.id = any(:messages)").bindparams(
        bindparam("scope", type_=Uuid), bindparam("direction", type_=Text), bindparam("messages", type_=ARRAY(Uuid))
    ),
    value=UUID,
)
_CONFIRM = CompiledStatement(
    text(
        f"""
        update messages set confirmed_at = now() where id in (
          select message.id from messages message where {_WAITS} and message.id = any(:messages)
          order by message.id for update)
        returning id
        """
    ).bindparams(
        bindparam("scope", type_=Uuid), bindparam("direction", type_=Text), bindparam("messages", type_=ARRAY(Uuid))
    ),
    value=UUID,
)
# One that a message of the conversation carries; or that its uploader's side has uploaded for a guest of the stay, and
# no message carries yet.
_ATTACHMENT = CompiledStatement(
    text(
        """
        select asset.id, asset.content_type, asset.size, asset.filename from assets asset
        where asset.scope_id = :scope and asset.id = any(:attachments) and asset.state = 'stored'
          and asset.content_type in ('image/jpeg', 'image/png') and asset.size <= :largest
          and (
            (not :unused and exists (
              select from media_links link join messages message on message.id = link.message_id
              where link.asset_id = asset.id and message.conversation_id = :conversation
                and message.scope_id = :scope and message.erased_at is null
                and (message.direction = :own or message.stage in ('sent', 'delivered', 'read'))))
            or (asset.received = :received and asset.guest_id = any(:guests)
              and not exists (select from media_links link where link.asset_id = asset.id)))
        order by asset.id
        """
    ).bindparams(
        bindparam("scope", type_=Uuid),
        bindparam("attachments", type_=ARRAY(Uuid)),
        bindparam("unused", type_=Boolean),
        bindparam("conversation", type_=Uuid),
        bindparam("own", type_=Text),
        bindparam("received", type_=Boolean),
        bindparam("guests", type_=ARRAY(Uuid)),
        bindparam("largest", value=MOST_ATTACHED),
    ),
    row=Attachment,
)


async def thread(
    tx: AsyncConnection, scope: Scope, reservation: str | None, conversation_id: UUID | None
) -> Thread | None:
    """The newest stay of this scope with that reservation, and that conversation, where they are given."""
    found = await _THREAD(tx, scope=scope.id, reservation=reservation, conversation=conversation_id)
    return found[0] if found else None


async def unconfirmed(tx: AsyncConnection, scope: Scope, side: Side, most: int) -> list[Unconfirmed]:
    """Of what a side has not confirmed and may still look at, what was written first, so that nothing newer hides it:
    `most` at most, the oldest first."""
    return await _UNCONFIRMED(tx, scope=scope.id, direction=_FROM[side], days=READS[side].days, most=most)


async def waiting(tx: AsyncConnection, scope: Scope, side: Side, message_ids: Sequence[UUID]) -> list[UUID]:
    """Those of these messages that a side has not confirmed."""
    return await _WAITING(tx, scope=scope.id, direction=_FROM[side], messages=list(message_ids))


async def confirm(tx: AsyncConnection, scope: Scope, side: Side, message_ids: Sequence[UUID]) -> list[UUID]:
    """Write down that a side has these messages. Returns those of them of which that is new."""
    return await _CONFIRM(tx, scope=scope.id, direction=_FROM[side], messages=list(message_ids))


async def attachments(
    tx: AsyncConnection, scope: Scope, thread: Thread, side: Side, ids: Sequence[UUID], *, unused: bool = False
) -> dict[UUID, Attachment]:
    """Those of these pictures that a side may see in a conversation, or (`unused`) may send in it."""
    found = await _ATTACHMENT(
        tx,
        scope=scope.id,
        attachments=list(ids),
        unused=unused,
        conversation=thread.conversation_id,
        own="outbound" if side is Side.PROPERTY else "inbound",
        received=side is Side.GUEST,
        guests=thread.guests,
    )
    return {one.id: one for one in found}
