"""Texts on phones: sent from the property's best line, listed both ways, looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from bellhop.domain import options
from bellhop.domain.channels import CHANNELS, TEXTS, AddressKind, Channel, Service
from bellhop.domain.choosing import Because, Chosen, Unsuited
from bellhop.domain.groups import Group
from bellhop.domain.media import MediaUse
from bellhop.domain.options import Options
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.rows.texts import TextRow
from bellhop.domain.scopes import Scope
from bellhop.engine import formatted_endpoints, messages
from bellhop.engine.context import Engine
from bellhop.engine.errors import ChannelUnavailable, ForbiddenUrl, InvalidField, NotFound
from bellhop.engine.idempotency import Once, Unkeyed
from bellhop.engine.messages import SendMessage
from bellhop.store.delivery import sender_rows
from bellhop.store.messages import groups, texts
from bellhop.store.messages.outbound import Callback
from bellhop.store.messages.texts import ListedTexts as ListedTexts
from bellhop.store.messages.texts import Number as Number
from bellhop.store.messages.texts import OrderedBy as OrderedBy
from bellhop.store.messages.texts import Span as Span
from bellhop.store.messages.texts import WhichTexts as WhichTexts


@dataclass(frozen=True, slots=True)
class SendText:
    """A text as a caller asks for it, its fields checked and normalised. `line`: the property's number that it goes out
    from; None: the only one. Of `options` it takes with it what its channel has."""

    number: str = field(repr=False)
    """Empty where it goes to a `group`."""
    content: str | None = field(default=None, repr=False)
    line: str | None = None
    options: Options = options.NONE
    media: tuple[MediaUse, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict, repr=False)
    callback_url: str | None = field(default=None, repr=False)
    """Where every change of its status is told."""
    group: Group | None = None
    """Whom it goes to, all in one chat."""


@dataclass(frozen=True, slots=True)
class Line:
    """A number of the property, and the channel it is on."""

    channel: Channel
    address: str


async def lines(engine: Engine, scope: Scope) -> list[Line]:
    """The property's numbers, those of the best channel first, in the order in which each channel uses them."""
    known = await engine.database.read(lambda tx: sender_rows.listing(tx, scope))
    return [Line(channel, one.address) for channel in TEXTS for one in known if one.channel is channel]


async def send(engine: Engine, scope: Scope, command: SendText, repeats: Unkeyed | None = None) -> Once[MessageRow]:
    """Accept a text: from the line that is named, else from the only one of the best channel for which the property has
    one, which the message then says (`chosen`). Raises InvalidField, ChannelUnavailable,
    IdempotencySubjectGone."""
    line, chosen = _line(command.line, await lines(engine, scope))
    if command.group is not None and CHANNELS[line.channel].group is None:
        expected = "expected a line for iMessage: on another one a message goes to one guest"
        raise InvalidField("from", expected, "recipients")
    callback = await _callback(engine, scope, command.callback_url) if command.callback_url else None
    sent = SendMessage(
        channel=line.channel,
        recipient=command.number,
        group=command.group,
        content=command.content,
        options=command.options.among(CHANNELS[line.channel].options),
        media=command.media,
        metadata=command.metadata,
        sender=line.address,
        callback=callback,
        chosen=chosen,
    )
    return await messages.send(engine, scope, sent, repeats)


async def group_called(engine: Engine, scope: Scope, group_id: str) -> Group:
    """The group of an earlier text to one, by what the provider calls it. Raises InvalidField."""
    found = await engine.database.read(lambda tx: groups.called(tx, scope, group_id))
    if found is None:
        raise InvalidField("group_id", "expected that of an earlier message to a group", "unknown_group")
    return found


async def _callback(engine: Engine, scope: Scope, url: str) -> Callback:
    try:
        return Callback(await formatted_endpoints.of_callback(engine, scope, url), url)
    except ForbiddenUrl as forbidden:
        raise InvalidField("callback_url", forbidden.expected, forbidden.kind) from None


def _line(asked: str | None, known: list[Line]) -> tuple[Line, Chosen | None]:
    """The line, and why its channel is not the best one. Raises InvalidField, ChannelUnavailable."""
    if not known:
        raise ChannelUnavailable(TEXTS[0].value)
    best = [one for one in known if one.channel is known[0].channel]
    if asked is None and len(best) > 1:
        raise InvalidField("from", f"expected one of the property's {len(best)} lines", "required")
    line = best[0] if asked is None else next((one for one in known if one.address == asked), None)
    if line is None:
        raise InvalidField("from", "expected one of the property's lines", "unknown_sender")
    there = {one.channel for one in known}
    without = {better: Unsuited.NO_SENDER for better in TEXTS[: TEXTS.index(line.channel)] if better not in there}
    return line, Chosen(line.channel, Because.BEST_SENDER, without) if without else None


async def get(engine: Engine, scope: Scope, message_id: UUID) -> TextRow:
    """One text, whichever way it went. Raises NotFound."""
    rows = await engine.database.read(lambda tx: texts.load(tx, scope.id, scope.property_id, [message_id]))
    if message_id not in rows:
        raise NotFound
    return rows[message_id]


def number(engine: Engine, written: str) -> Number:
    """A telephone number as a list may be asked for it."""
    return Number(written, engine.book.hashes(AddressKind.PHONE, written))


async def listing(engine: Engine, scope: Scope, which: WhichTexts) -> ListedTexts:
    """Texts both ways."""
    own = frozenset(one.address for one in await lines(engine, scope))
    return await engine.database.read(lambda tx: texts.listing(tx, scope, which, own))


async def service_of(engine: Engine, scope: Scope, written: str) -> Service | None:
    """By what texts reach a number: the only service there is, without a line on a better one; else what the last one
    that was sent went by. None: not known."""
    own = await lines(engine, scope)
    if own and CHANNELS[own[0].channel].service is None:
        return CHANNELS[own[0].channel].text
    hashes = number(engine, written).hashes
    return await engine.database.read(lambda tx: texts.last_service(tx, scope, hashes))
