"""Broadcasts: one message to a list or a filter of guests. Made, looked at beforehand, started, paused, cancelled."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import addresses
from bellhop.domain.addresses import BadAddress
from bellhop.domain.broadcasts import (
    FROM,
    MOST_RECIPIENTS,
    BroadcastState,
    GuestFilter,
    Outcome,
    Unsent,
    filter_of,
)
from bellhop.domain.channels import CHANNELS, AddressKind, kind_of
from bellhop.domain.ids import Prefix, render
from bellhop.domain.paging import Listed, PageRequest
from bellhop.domain.rows.broadcasts import BroadcastRow, ListedRecipient, RecipientRow
from bellhop.domain.rows.guests import GuestRow
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import BroadcastOver, InvalidField, NotFound
from bellhop.engine.fallback import address_of
from bellhop.engine.messages import SendMessage
from bellhop.store.broadcasts import recipients, record
from bellhop.store.broadcasts.record import NewBroadcast
from bellhop.store.database import BULK_TIMEOUT

_COMMAND: TypeAdapter[SendMessage] = TypeAdapter(SendMessage)
TOGETHER = 1_000
"""Recipients written in one statement."""


@dataclass(frozen=True, slots=True)
class CreateBroadcast:
    """A broadcast as a caller asks for it. One of `guests`, `to` and `filter` says whom it goes to.

    `message`: what each gets, without a recipient. `shown`: the same as its caller wrote it. `to`: addresses as its
    channel takes them, not checked yet. `pace`: messages a second; None: as the property has it.
    """

    name: str
    message: SendMessage
    shown: Mapping[str, Any] = field(repr=False)
    guests: Sequence[UUID] | None = None
    to: Sequence[str] | None = field(default=None, repr=False)
    filter: GuestFilter | None = field(default=None, repr=False)
    pace: float | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a broadcast is: its recipients by where they stand, those who get nothing by why, messages by status."""

    pending: int
    accepted: int
    refused: Mapping[str, int]
    messages: Mapping[str, int]

    @property
    def recipients(self) -> int:
        """How many there are in all, as far as they are known."""
        return self.pending + self.accepted + sum(self.refused.values())


async def create(engine: Engine, scope: Scope, command: CreateBroadcast) -> BroadcastRow:
    """Make a draft. Whom a list names is written down with it, each once; a filter is gone through when it starts.
    Raises InvalidField."""
    if command.to is not None and (command.message.auto is not None or _kind(command.message) is AddressKind.GUEST):
        raise InvalidField("to.recipients", "expected `guests` or a `filter`: this channel goes to guests", "to")
    known, left_out = await _checked(engine, command)
    new = NewBroadcast(
        name=command.name,
        message={"shown": dict(command.shown), "asked": _COMMAND.dump_python(command.message, mode="json")},
        filter=None if command.filter is None else command.filter.stored(),
        pace=command.pace,
    )

    async def write(tx: AsyncConnection) -> BroadcastRow:
        broadcast_id = await record.create(tx, scope, new)
        named = list(dict.fromkeys(command.guests or ()))
        added = 0
        for first in range(0, len(named), TOGETHER):
            added += await recipients.add_guests(tx, scope, broadcast_id, named[first : first + TOGETHER])
        if known:
            await recipients.add_addresses(tx, scope, broadcast_id, known)
        counts = Counter(left_out)
        counts[Unsent.UNKNOWN_GUEST.value] += len(named) - added
        counts[Unsent.DUPLICATE.value] += len(command.guests or ()) - len(named)
        await record.leave_out(tx, broadcast_id, {why: count for why, count in counts.items() if count})
        made = await record.get(tx, scope, broadcast_id)
        assert made is not None, "it was just written"
        return made

    return await engine.database.write(write, timeout=BULK_TIMEOUT)


def _kind(message: SendMessage) -> AddressKind:
    return CHANNELS[message.channel].address


async def _checked(engine: Engine, command: CreateBroadcast) -> tuple[dict[bytes, str], Counter[str]]:
    """The addresses of a list by their hashes, and how many of it are none, or come twice."""
    known: dict[bytes, str] = {}
    left_out: Counter[str] = Counter()
    for place, given in enumerate(command.to or ()):
        try:
            address = addresses.normalised(_kind(command.message), given)
        except BadAddress:
            left_out[Unsent.INVALID_ADDRESS.value] += 1
            continue
        hashed = engine.book.hash(kind_of(command.message.channel, address), address)
        left_out[Unsent.DUPLICATE.value] += hashed in known
        known.setdefault(hashed, address)
        if place % TOGETHER == 0:
            await asyncio.sleep(0)
    return known, left_out


def message_of(row: BroadcastRow) -> SendMessage:
    """What each recipient of a broadcast gets, without a recipient."""
    return _COMMAND.validate_python(row.message["asked"])


def addressed(message: SendMessage, to: RecipientRow, guests: Mapping[UUID, GuestRow]) -> SendMessage | Unsent:
    """The message to one recipient, or why they get none. `guests`: as they are now."""
    if to.guest_id is None:
        return Unsent.NO_ADDRESS if to.recipient is None else replace(message, recipient=to.recipient)
    guest = guests.get(to.guest_id)
    if guest is None or not guest.is_active:
        return Unsent.UNKNOWN_GUEST
    if message.auto is not None:
        return replace(message, recipient=render(Prefix.GUEST, guest.id))
    address = address_of(guest, _kind(message))
    if address is None:
        written = guest.phone is not None and _kind(message) is AddressKind.PHONE
        return Unsent.INVALID_ADDRESS if written else Unsent.NO_ADDRESS
    return replace(message, recipient=address, guest_id=guest.id)


def hash_of(engine: Engine, message: SendMessage) -> bytes | None:
    """The hash of the address that a message goes to; None: it goes to a guest, whatever their addresses."""
    kind = kind_of(message.channel, message.recipient)
    if message.auto is not None or kind in (AddressKind.GUEST, AddressKind.DEVICE):
        return None
    return engine.book.hash(kind, message.recipient)


async def get(engine: Engine, scope: Scope, broadcast_id: UUID) -> tuple[BroadcastRow, Progress]:
    """One broadcast and how far it is. Raises NotFound."""

    async def read(tx: AsyncConnection) -> tuple[BroadcastRow, Progress]:
        row = await record.get(tx, scope, broadcast_id)
        if row is None:
            raise NotFound
        by_state, by_stage = await recipients.counts(tx, broadcast_id)
        refused = {word.partition(":")[2]: count for word, count in by_state.items() if word.startswith("refused")}
        for why, count in row.left_out.items():
            refused[why] = refused.get(why, 0) + count
        return row, Progress(by_state.get("pending", 0), by_state.get("accepted", 0), refused, by_stage)

    return await engine.database.read(read)


async def listing(
    engine: Engine, scope: Scope, asked: PageRequest, state: BroadcastState | None
) -> Listed[BroadcastRow]:
    """Broadcasts, newest first."""
    return await engine.database.read(lambda tx: record.listing(tx, scope, asked, state))


async def list_recipients(
    engine: Engine, scope: Scope, broadcast_id: UUID, asked: PageRequest, outcome: Outcome | None
) -> Listed[ListedRecipient]:
    """Whom a broadcast goes to and what became of each, the last that was written down first. Raises NotFound."""

    async def read(tx: AsyncConnection) -> Listed[ListedRecipient]:
        row = await record.get(tx, scope, broadcast_id)
        if row is None:
            raise NotFound
        return await recipients.listing(tx, row, asked, outcome)

    return await engine.database.read(read)


async def start(engine: Engine, scope: Scope, broadcast_id: UUID, at: datetime | None) -> BroadcastRow:
    """Have it begin by itself, at that time or (None, or a time that is over) now. Raises NotFound, BroadcastOver,
    InvalidField."""

    async def check(tx: AsyncConnection, row: BroadcastRow) -> None:
        if row.filter is None:
            return
        found = await recipients.count_meant(tx, scope, filter_of(row.filter), MOST_RECIPIENTS + 1)
        if found > MOST_RECIPIENTS:
            expected = f"expected a filter that means at most {MOST_RECIPIENTS:,} guests"
            raise InvalidField("to.filter", expected, "too_many_recipients")

    async def work(tx: AsyncConnection) -> BroadcastRow:
        row = await _movable(tx, scope, broadcast_id, BroadcastState.SCHEDULED)
        await check(tx, row)
        await record.move(tx, row, BroadcastState.SCHEDULED, at=at)
        return await _moved(tx, scope, broadcast_id)

    return await _woken(engine, await engine.database.write(work, timeout=BULK_TIMEOUT))


async def pause(engine: Engine, scope: Scope, broadcast_id: UUID) -> BroadcastRow:
    """Give it to nobody else until it goes on. Raises NotFound, BroadcastOver."""
    return await _change(engine, scope, broadcast_id, BroadcastState.PAUSED)


async def resume(engine: Engine, scope: Scope, broadcast_id: UUID) -> BroadcastRow:
    """Go on with one that was paused; with one that had not begun, at its time. Raises NotFound, BroadcastOver."""
    return await _change(engine, scope, broadcast_id, BroadcastState.RUNNING)


async def cancel(engine: Engine, scope: Scope, broadcast_id: UUID) -> BroadcastRow:
    """Give it to nobody else, and withdraw what still waits. Raises NotFound, BroadcastOver."""
    return await _change(engine, scope, broadcast_id, BroadcastState.CANCELLED)


async def _change(engine: Engine, scope: Scope, broadcast_id: UUID, state: BroadcastState) -> BroadcastRow:
    async def work(tx: AsyncConnection) -> BroadcastRow:
        row = await _movable(tx, scope, broadcast_id, state)
        if row.state is state:
            return row
        waits = state is BroadcastState.RUNNING and row.started_at is None
        to = BroadcastState.SCHEDULED if waits else state
        await record.move(tx, row, to, at=row.scheduled_at if waits else None, due=state is not BroadcastState.PAUSED)
        return await _moved(tx, scope, broadcast_id)

    return await _woken(engine, await engine.database.write(work))


async def _movable(tx: AsyncConnection, scope: Scope, broadcast_id: UUID, state: BroadcastState) -> BroadcastRow:
    row = await record.lock(tx, broadcast_id, scope)
    if row is None:
        raise NotFound
    if row.state is not state and row.state not in FROM[state]:
        raise BroadcastOver(row.state.value)
    return row


async def _moved(tx: AsyncConnection, scope: Scope, broadcast_id: UUID) -> BroadcastRow:
    moved = await record.get(tx, scope, broadcast_id)
    assert moved is not None, "it is locked"
    return moved


async def _woken(engine: Engine, row: BroadcastRow) -> BroadcastRow:
    if row.due_at is not None:
        engine.dispatcher.go_on_with(row.id, row.scope_id)
    return row
