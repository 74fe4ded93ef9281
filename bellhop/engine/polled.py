"""Messages that lie in the conversation of a stay until the other side's platform polls them: written by either side,
polled, confirmed, looked at.

To the guest's side they are messages on the channel `inbox` like any other; from there they are a guest's messages on
that channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import policy_settings, windows
from bellhop.domain.accounts import OURS
from bellhop.domain.categories import Category
from bellhop.domain.channels import Channel
from bellhop.domain.conversations import Side
from bellhop.domain.delivery_ports import Account, Inbound, Receipt
from bellhop.domain.formats import booking
from bellhop.domain.ids import Prefix, render
from bellhop.domain.inbound_details import InboundDetails, Media
from bellhop.domain.inbound_files import KeptFile
from bellhop.domain.media import MediaUse
from bellhop.domain.paging import PageRequest
from bellhop.domain.rows.access import PropertyRow
from bellhop.domain.rows.conversations import Conversation, Entry
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.rows.polled import Attachment, Thread, Unconfirmed
from bellhop.domain.scopes import Scope
from bellhop.domain.statuses import Stage
from bellhop.engine import keyword_answers, messages
from bellhop.engine.assets import library_of
from bellhop.engine.context import Engine
from bellhop.engine.conversations import readable
from bellhop.engine.errors import ChannelUnavailable, EngineError, InvalidField, NotFound, OutsideWindow
from bellhop.engine.messages import Auto, SendMessage
from bellhop.engine.receipts import tell
from bellhop.media.kinds import named
from bellhop.store.access import properties
from bellhop.store.conversations import conversations, history, inbound, inbound_scopes, polled
from bellhop.store.delivery import receipts
from bellhop.store.delivery.receipts import Recorded
from bellhop.store.inbox import entries

PAGE = 100
"""Unconfirmed messages that are answered at once."""
SHOWN = 500
"""The newest messages of a conversation that are shown."""
_AT_ONCE = 25
"""Messages confirmed in one transaction, as many as it applies receipts to."""
_WENT_OUT = frozenset({Stage.SENT, Stage.DELIVERED, Stage.READ})
_NEVER = frozenset({Stage.CANCELLED, Stage.GAVE_UP, Stage.UNDELIVERED})


@dataclass(frozen=True, slots=True)
class Which:
    """A stay's conversation, by the one or the other or both."""

    conversation_id: UUID | None
    reservation: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """A conversation as one side sees it, the oldest message first."""

    thread: Thread
    talk: Conversation
    entries: list[Entry]


async def find(tx: AsyncConnection, scope: Scope, which: Which) -> Thread:
    """The stay that is meant: of several with that reservation, whatever their source, the newest. Raises NotFound, and
    InvalidField where the conversation is another stay's."""
    found = await polled.thread(tx, scope, which.reservation, which.conversation_id)
    if found is not None:
        return found
    if which.conversation_id is not None and which.reservation is not None:
        both = [
            await polled.thread(tx, scope, which.reservation, None),
            await polled.thread(tx, scope, None, which.conversation_id),
        ]
        if None not in both:
            raise InvalidField("conversation", "expected the conversation of that reservation", "conversation_mismatch")
    raise NotFound


def check_writing(thread: Thread, side: Side) -> None:
    """Raises OutsideWindow where that side may not write about the stay any more."""
    over = windows.end(thread.status, thread.departure, thread.ended_on)
    if not windows.may_write(side, over, thread.today, thread.answered):
        raise OutsideWindow(_TOO_LATE[side])


async def send(
    engine: Engine, scope: Scope, side: Side, which: Which, content: str, attachments: Sequence[UUID]
) -> UUID:
    """Write to the other side; the first message begins the conversation. Returns the message. Raises NotFound,
    OutsideWindow, InvalidField, ChannelUnavailable."""

    async def look(tx: AsyncConnection) -> tuple[Thread, list[Attachment], PropertyRow]:
        thread = await find(tx, scope, which)
        (hotel,) = await properties.of_scopes(tx, [scope])
        check_writing(thread, side)
        if not thread.guests:
            raise NotFound
        known = await polled.attachments(tx, scope, thread, side, attachments, unused=True) if attachments else {}
        if missing := [place for place, one in enumerate(attachments) if one not in known]:
            expected = "expected a picture that you uploaded to this conversation, and have not sent yet"
            raise InvalidField(f"attachments.{missing[0]}", expected, "unknown_attachment")
        return thread, [known[one] for one in attachments], hotel

    thread, files, hotel = await engine.database.read(look)
    if side is Side.GUEST:
        return await _from_guest(engine, scope, thread, content, files)
    guest_id = thread.guests[0]
    command = SendMessage(
        channel=Channel.INBOX,
        recipient=render(Prefix.GUEST, guest_id),
        content=content,
        guest_id=guest_id,
        stay_id=thread.stay_id,
        category=Category.CONVERSATIONAL,
        # Nothing rings: it lies there until it is asked for.
        ignore_quiet_hours=True,
        media=tuple(MediaUse(asset_id=one.id) for one in files),
    )
    if policy_settings.inbox_copies(hotel.settings):
        return await _with_copy(engine, scope, command, hotel.name)
    return (await messages.send(engine, scope, command)).made.id


async def _with_copy(engine: Engine, scope: Scope, command: SendMessage, hotel: str) -> UUID:
    """Accept a message to the guest, and one that says the same on the guest's own channel: both in one transaction, so
    that neither is there without the other, or twice. Whom no channel reaches gets the first alone. `hotel`: the
    property's name."""
    ready = messages.prepared(engine, command)

    async def work(tx: AsyncConnection) -> list[MessageRow]:
        row = await messages.accept(engine, tx, scope, ready)
        copy = replace(
            command,
            channel=Channel.IN_APP,
            auto=Auto(with_fallback=True, outside=True),
            subject=hotel,
            ignore_quiet_hours=False,
            metadata=booking.copied(row.id),
        )
        try:
            async with tx.begin_nested():
                return [row, await messages.accept(engine, tx, scope, messages.prepared(engine, copy))]
        except EngineError:
            return [row]

    accepted = await engine.database.write(work)
    for row in accepted:
        engine.dispatcher.accepted(row)
    return accepted[0].id


async def _from_guest(engine: Engine, scope: Scope, thread: Thread, content: str, files: Sequence[Attachment]) -> UUID:
    media = tuple(_media(engine, scope, one) for one in files)
    guest_id, key = thread.guests[0], str(uuid4())

    async def work(tx: AsyncConnection) -> tuple[UUID, Recorded]:
        sender = await inbound_scopes.sender_of(tx, scope.id, Channel.INBOX)
        if sender is None:
            raise ChannelUnavailable(Channel.INBOX.value)
        item = Inbound(
            dedupe_key=f"{guest_id}:{key}",
            channel=Channel.INBOX,
            sender=render(Prefix.GUEST, guest_id),
            recipient=sender.address,
            text=content,
            provider_id=key,
            payload={},
            details=InboundDetails(media=media, media_count=len(media)),
        )
        received = await inbound.receive_from(tx, guest_id, sender, OURS, item, engine.book, thread.stay_id)
        assert received is not None, "its key is new"
        message_id, left = received
        recorded = Recorded(endpoints=left.endpoints, texts=left.texts)
        recorded.accepted = await keyword_answers.accept(engine, tx, left.asked)
        return message_id, recorded

    try:
        message_id, recorded = await engine.database.write(work)
    except inbound.GuestErased:
        raise NotFound from None
    tell(engine, recorded)
    return message_id


def _media(engine: Engine, scope: Scope, file: Attachment) -> Media:
    name = named(file.filename, file.content_type)
    kept = KeptFile(file.id, library_of(engine).addresses.url(file.id, name), file.content_type, name, file.size)
    return Media(content_type=file.content_type, filename=name, kept={scope.id: kept})


async def latest(engine: Engine, scope: Scope, side: Side) -> list[Unconfirmed]:
    """What a side has not confirmed, the newest first: where more waits than `PAGE`, what came first."""
    found = await engine.database.read(lambda tx: polled.unconfirmed(tx, scope, side, PAGE))
    return found[::-1]


async def confirm(engine: Engine, scope: Scope, side: Side, message_ids: Sequence[UUID]) -> list[UUID]:
    """Say that a side has these messages. Returns those of which that is new; others are passed over. What the guest's
    side confirms is delivered."""
    asked = sorted(set(message_ids))
    done: set[UUID] = set()
    for start in range(0, len(asked), _AT_ONCE):
        some = asked[start : start + _AT_ONCE]

        async def work(tx: AsyncConnection, some: Sequence[UUID] = some) -> tuple[Recorded | None, list[UUID]]:
            # Receipts come before messages in the order of locks.
            recorded = await _delivered(engine, tx, scope, some) if side is Side.GUEST else None
            return recorded, await polled.confirm(tx, scope, side, some)

        recorded, confirmed = await engine.database.write(work)
        if recorded is not None:
            tell(engine, recorded)
        done.update(confirmed)
    return [one for one in dict.fromkeys(message_ids) if one in done]


async def _delivered(engine: Engine, tx: AsyncConnection, scope: Scope, message_ids: Sequence[UUID]) -> Recorded | None:
    """The same as receipts of the provider that we are here."""
    waiting = await polled.waiting(tx, scope, Side.GUEST, message_ids)
    laid_in = {one.message_id: one for one in await entries.reported(tx, scope, None, waiting)}
    if not laid_in:
        return None
    stage = Stage.DELIVERED
    items = [
        Receipt(
            dedupe_key=f"{one.attempt_id}:{stage.value}",
            word=stage.value,
            stage=stage,
            attempt_id=one.attempt_id,
            provider_id=None,
            payload={},
        )
        for one in laid_in.values()
    ]
    accounts = {one.account_id: Account(one.account_id, one.provider, one.identity, "", {}) for one in laid_in.values()}
    return await receipts.record(tx, list(accounts.values()), items, engine.book, engine.delivery.follow_at)


async def conversation(engine: Engine, scope: Scope, side: Side, which: Which) -> Shown:
    """A conversation with what was written in it on any channel, as that side may see it: the guest's what has gone
    out, the newest `SHOWN`. Raises NotFound, OutsideWindow, InvalidField."""

    async def work(tx: AsyncConnection) -> Shown:
        thread = await find(tx, scope, which)
        talk = None
        if thread.conversation_id is not None:
            talk = await conversations.get(tx, scope, thread.conversation_id)
        if talk is None:
            raise NotFound
        await readable(tx, scope, talk, side)
        listed = await history.history(tx, scope, talk.row.id, PageRequest(limit=SHOWN), oldest_first=False)
        return Shown(thread, talk, [row for row in reversed(listed.rows) if _seen(row, side)])

    return await engine.database.read(work)


def _seen(row: Entry, side: Side) -> bool:
    if row.content is None or booking.is_copy(row):
        return False
    if row.direction == "inbound":
        return True
    return row.stage in _WENT_OUT if side is Side.GUEST else row.stage not in _NEVER


_TOO_LATE = {
    Side.GUEST: f"Guests can write for {windows.GUEST_WRITES.days} days after the check-out: that is over.",
    Side.PROPERTY: f"A property can write for {windows.PROPERTY_WRITES.days} days after the check-out, or "
    f"{windows.PROPERTY_ANSWERS.days} days after the guest's last message: that is over.",
}
