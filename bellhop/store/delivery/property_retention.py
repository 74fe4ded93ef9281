"""What a property keeps for fewer days than the installation does: its setting `retention`.

As in `retention.py` each function forgets at most `most` and returns how many it was. Of a message that is forgotten a
tombstone stays, as of one whose guest is erased. Nothing that is pending goes, nor what somebody may still report of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import any_, bindparam, delete, literal, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Integer, Text, Uuid

from bellhop.domain.channels import Channel
from bellhop.domain.retention import SETTLED_AFTER
from bellhop.domain.statuses import Stage
from bellhop.store.compiled import CompiledStatement
from bellhop.store.conversations import inbound_files, intents
from bellhop.store.guests import erasure
from bellhop.store.messages import assets
from bellhop.store.tables import inbox, receipts

_OVER = [stage.value for stage in Stage if stage is not Stage.QUEUED]

_DAYS = """
  select id as scope_id, now() - make_interval(days => (settings #>> '{{retention,{name}}}')::int) as before
  from scopes where settings #>> '{{retention,{name}}}' is not null
"""
# The smallest UUIDv7 of that moment: keys are in the order of time.
_KEY = "(lpad(to_hex(greatest(0, extract(epoch from kept.before) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid"

# Of each channel and stage the oldest, read off ix_messages_status: what was forgotten is in it no longer.
_SENT = CompiledStatement(
    text(
        f"""
        select old.id from ({_DAYS.format(name="messages_days")}) kept
        cross join unnest(:channels) asked (channel) cross join unnest(:stages) wanted (stage) cross join lateral (
          select message.id from messages message
          where message.scope_id = kept.scope_id and message.direction = 'outbound' and message.erased_at is null
            and message.channel = asked.channel and message.stage = wanted.stage and message.id < {_KEY}
            and greatest(message.due_at, message.sent_at) < least(kept.before, now() - :settled * interval '1 s')
            and message.wake_due_at is null and (message.remind_at is null or message.remind_at < now())
            and not exists (select from attempts open where open.message_id = message.id
              and open.state in ('in_flight', 'unknown'))
            and not exists (select from inbox lies where lies.message_id = message.id and lies.expires_at > now())
          order by message.id limit :most for update skip locked) old
        limit :most
        """
    ).bindparams(
        bindparam("channels", type_=ARRAY(Text)),
        bindparam("stages", type_=ARRAY(Text)),
        bindparam("most", type_=Integer),
    ),
    value=UUID,
)
_RECEIVED = CompiledStatement(
    text(
        f"""
        select old.id from ({_DAYS.format(name="messages_days")}) kept cross join lateral (
          select message.id from messages message
          where message.scope_id = kept.scope_id and message.direction = 'inbound' and message.erased_at is null
            and message.id < {_KEY} and message.wake_due_at is null
            and not exists (select from inbound_files file where file.message_id = message.id
              and file.next_at is not null)
            and not exists (select from inbox lies where lies.message_id = message.id and lies.expires_at > now())
          order by message.id limit :most for update skip locked) old
        limit :most
        """
    ).bindparams(bindparam("most", type_=Integer)),
    value=UUID,
)
# Guests' files only: what a property has uploaded for many messages has a time of its own.
_FILES = CompiledStatement(
    text(
        f"""
        select old.id from ({_DAYS.format(name="media_days")}) kept cross join lateral (
          select file.id from assets file
          where file.scope_id = kept.scope_id and file.id < {_KEY} and file.state = 'stored'
            and (file.guest_id is not null or file.message_id is not null)
            and not exists (select from media_links link join messages carries on carries.id = link.message_id
              where link.asset_id = file.id and carries.stage = 'queued')
          order by file.id limit :most for update skip locked) old
        limit :most
        """
    ).bindparams(bindparam("most", type_=Integer)),
    value=UUID,
)
_PAYLOADS = CompiledStatement(
    text(
        f"""
        select old.id from ({_DAYS.format(name="receipts_days")}) kept cross join lateral (
          select receipt.id from receipts receipt
          where receipt.scope_id = kept.scope_id and receipt.payload is not null and receipt.received_at < kept.before
          order by receipt.received_at limit :most for update skip locked) old
        limit :most
        """
    ).bindparams(bindparam("most", type_=Integer)),
    value=UUID,
)


async def sent_messages(tx: AsyncConnection, most: int) -> int:
    """Messages to guests that are over."""
    channels = [channel.value for channel in Channel]
    ids = await _SENT(tx, channels=channels, stages=_OVER, settled=SETTLED_AFTER, most=most)
    await _forget(tx, ids)
    return len(ids)


async def received_messages(tx: AsyncConnection, most: int) -> int:
    """Guests' messages."""
    ids = await _RECEIVED(tx, most=most)
    await _forget(tx, ids)
    return len(ids)


async def files_of_guests(tx: AsyncConnection, most: int) -> int:
    """Files of guests and of messages."""
    ids = await _FILES(tx, most=most)
    await assets.let_go(tx, ids)
    return len(ids)


async def payloads_of_properties(tx: AsyncConnection, most: int) -> int:
    """Receipts' raw payloads."""
    ids = await _PAYLOADS(tx, most=most)
    if ids:
        await tx.execute(update(receipts).where(receipts.c.id == _any(ids)).values(payload=None))
    return len(ids)


async def _forget(tx: AsyncConnection, ids: list[UUID]) -> None:
    """Leave a tombstone of messages, which are locked."""
    if not ids:
        return
    await erasure.bury(tx, ids)
    await erasure.empty_beside(tx, ids)
    await intents.erase(tx, ids)
    # What its provider keeps is deleted there: recovery sees to it.
    await inbound_files.erase(tx, ids)
    await assets.let_go_of(tx, ids)
    await tx.execute(delete(inbox).where(inbox.c.message_id == _any(ids)))


def _any(ids: Sequence[UUID]) -> Any:
    return any_(literal(list(ids), ARRAY(Uuid)))


EVERY = (sent_messages, received_messages, files_of_guests, payloads_of_properties)
