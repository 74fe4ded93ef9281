"""Replies in a conversation: where they go is found in what was written last, and sent like any other message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import addresses, groups
from bellhop.domain.addresses import BadAddress
from bellhop.domain.categories import Category
from bellhop.domain.channels import CHANNELS, AddressKind, Channel, SubjectRule, kind_of
from bellhop.domain.ids import Prefix, render
from bellhop.domain.media import MediaUse
from bellhop.domain.rows.conversations import Conversation, Entry
from bellhop.domain.rows.guests import GuestRow
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.scopes import Scope
from bellhop.domain.short_links import ShortLinks
from bellhop.domain.templates import TemplateUse
from bellhop.engine import messages
from bellhop.engine.context import Engine
from bellhop.engine.conversations import readable
from bellhop.engine.errors import InvalidField, NotFound
from bellhop.engine.idempotency import IdempotencyKey, Once
from bellhop.engine.messages import SendMessage
from bellhop.store.conversations import conversations, history
from bellhop.store.guests import profiles


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply as a caller asks for it."""

    content: str | None = field(repr=False)
    """None: what `template` says, or the files alone."""
    channel: Channel | None = None
    """None: that which the guest used last."""
    subject: str | None = field(default=None, repr=False)
    """None, where there has to be one: that of the last message that has one."""
    template: TemplateUse | None = field(default=None, repr=False)
    media: tuple[MediaUse, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict, repr=False)
    short_links: ShortLinks | None = None
    link_tracking: bool | None = None
    """As `SendMessage` has them."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What a conversation says of where a reply can go."""

    talk: Conversation
    wrote: Sequence[Entry]
    """What the guest wrote last, the newest first."""
    recent: Sequence[Entry]
    """What was written last, both ways."""
    guest: GuestRow | None


async def reply(
    engine: Engine, scope: Scope, conversation_id: UUID, asked: Reply, key: IdempotencyKey | None = None
) -> Once[MessageRow]:
    """Send a reply: to the guest who wrote last, else to the first who takes part; on the channel they used last, or on
    the one that is named, by its rules. Raises NotFound, OutsideWindow, and what `messages.send` does."""
    known = await engine.database.read(lambda tx: _known(tx, scope, conversation_id))
    command = _command(known, asked)
    return await messages.send(engine, scope, command, key)


async def _known(tx: AsyncConnection, scope: Scope, conversation_id: UUID) -> _Known:
    talk = await conversations.get(tx, scope, conversation_id)
    if talk is None:
        raise NotFound
    await readable(tx, scope, talk)
    wrote = await history.wrote(tx, scope, conversation_id)
    recent = await history.recent(tx, scope, conversation_id)
    guest_id = next((one.guest_id for one in wrote if one.guest_id), next(iter(talk.row.guests), None))
    guest = await profiles.get(tx, scope, guest_id) if guest_id is not None else None
    return _Known(talk, wrote, recent, guest)


def _command(known: _Known, asked: Reply) -> SendMessage:
    channel = asked.channel or next((one.channel for one in (*known.wrote, *known.recent)), None)
    recipient = _address(known, channel) if channel is not None else None
    if channel is None or recipient is None:
        named = f" for {channel.value}" if channel else ""
        raise InvalidField(
            "channel", f"expected a channel on which the guest has an address; none is known{named}", "no_address"
        )
    _check_media(asked, channel)
    return SendMessage(
        channel=channel,
        recipient=recipient,
        content=asked.content if asked.content is not None or asked.template is not None else "",
        subject=_subject(known, asked, channel),
        guest_id=known.guest.id if known.guest else None,
        stay_id=known.talk.row.stay_id,
        conversation_id=known.talk.row.id,
        metadata=asked.metadata,
        category=Category.CONVERSATIONAL,
        template=asked.template,
        media=asked.media,
        short_links=asked.short_links,
        link_tracking=asked.link_tracking,
    )


def _address(known: _Known, channel: Channel) -> str | None:
    """Where the guest is reached on a channel: where they wrote from, else where they were written to in this
    conversation, else by what their profile says. Of a stay with several guests that of the one who wrote last."""
    rules, guest = CHANNELS[channel], known.guest
    if rules.address is AddressKind.GUEST or rules.any_part:
        return render(Prefix.GUEST, guest.id) if guest else None

    def theirs(entry: Entry) -> bool:
        return guest is None or entry.guest_id == guest.id

    there = [(one.channel, one.sender) for one in known.wrote if theirs(one)]
    # Not to a group, whose name with us is no address.
    wrote_to = [one for one in known.recent if one.direction == "outbound" and groups.of_stored(one.details) is None]
    there += [(one.channel, one.recipient) for one in wrote_to if theirs(one)]
    same = [address for used, address in there if used is channel and address]
    # A number is one on every channel that has numbers.
    like = [address for used, address in there if address and kind_of(used, address) is rules.address]
    profile = {AddressKind.PHONE: guest.phone, AddressKind.EMAIL: guest.email} if guest else {}
    return next(iter((*same, *like)), None) or _good(channel, profile.get(rules.address))


def _good(channel: Channel, address: str | None) -> str | None:
    """An address of a profile, where it is one that can be written to."""
    if address is None:
        return None
    try:
        return addresses.recipient(channel, address)
    except BadAddress:
        return None


def _subject(known: _Known, asked: Reply, channel: Channel) -> str | None:
    rules = CHANNELS[channel]
    if rules.subject is SubjectRule.NONE:
        if asked.subject is not None:
            raise InvalidField("subject", f"expected no subject: {rules.name} has none", "subject_unexpected")
        return None
    if asked.subject is not None or rules.subject is SubjectRule.OPTIONAL or asked.template is not None:
        return asked.subject
    last = next((one.subject for one in known.recent if one.subject), None)
    if last is None:
        raise InvalidField("subject", f"expected a subject: {rules.name} needs one", "subject_required")
    return last if last[:3].casefold() == "re:" else f"Re: {last}"[:998]


def _check_media(asked: Reply, channel: Channel) -> None:
    rules = CHANNELS[channel]
    if not asked.media:
        if asked.content is None and asked.template is None:
            raise InvalidField("content", "expected some text", "content")
        return
    if rules.media is None:
        raise InvalidField("media", f"expected no files: {rules.name} carries none", "media_unexpected")
    if len(asked.media) > rules.media.count:
        raise InvalidField("media", f"expected at most {rules.media.count} on {rules.name}", "media_count")
    if asked.content is None and asked.template is None and not rules.media.alone:
        raise InvalidField("content", f"expected some text: {rules.name} does not go with files alone", "content")
