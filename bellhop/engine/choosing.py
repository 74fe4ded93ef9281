"""The channel of a message whose sender leaves that open: the first of the property's order that reaches the guest, by
what they consent to, their addresses, devices and sessions, and what the channel can carry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import choosing, plain_text
from bellhop.domain.channels import CHANNELS, Channel, SubjectRule
from bellhop.domain.choosing import Because, Chosen, Unsuited
from bellhop.domain.consents import Effect
from bellhop.domain.content import HTML
from bellhop.domain.ids import Prefix, render
from bellhop.domain.routing import carried
from bellhop.domain.rows.guests import GuestRow
from bellhop.domain.scopes import Scope
from bellhop.domain.steps import MOST
from bellhop.engine import files, first_contacts, templates
from bellhop.engine.context import Engine
from bellhop.engine.errors import InvalidField, NoChannel, UnknownGuest
from bellhop.engine.fallback import FallbackStep, address_of
from bellhop.store.access import properties
from bellhop.store.delivery import windows
from bellhop.store.guests import consents, profiles
from bellhop.store.inbox import sessions
from bellhop.store.messages import accepting
from bellhop.store.messages.outbound import NewMessage

if TYPE_CHECKING:
    from bellhop.engine.messages import SendMessage

Compose = Callable[["SendMessage"], Awaitable[NewMessage]]
"""What a message says, whose channel is known. Raises InvalidField."""


@dataclass(frozen=True, slots=True)
class _Choosing:
    """What is known of a message, its guest and its property."""

    engine: Engine
    tx: AsyncConnection
    scope: Scope
    command: SendMessage
    guest: GuestRow
    at: datetime
    """When it is to go out."""
    compose: Compose

    async def suits(self, channel: Channel) -> Because | Unsuited:
        """Whether a channel is suited to it. What costs least is asked first."""
        rules = CHANNELS[channel]
        address = address_of(self.guest, rules.address)
        if address is None:
            return Unsuited.NO_ADDRESS
        if rules.in_record and not await sessions.signed_in(self.tx, self.scope, self.guest.id):
            return Unsuited.NOT_SIGNED_IN
        if rules.subject is SubjectRule.REQUIRED and not (self.command.subject or self.command.template):
            return Unsuited.NO_SUBJECT
        said = await self._said(channel, address)
        if isinstance(said, Unsuited):
            return said
        unreached = await self._unreached(said)
        if unreached is not None:
            return unreached
        hashes = self.engine.book.hashes(rules.address, address)
        kind, category = rules.address.value, self.command.category
        refused = await consents.refused(
            self.tx, self.scope.id, kind, hashes, category, channel=channel, sender=said.sender
        )
        if refused is not None:
            return Unsuited.BOUNCED if refused is Effect.HARD_BOUNCE else Unsuited.OPTED_OUT
        if rules.window is None:
            return Because.SIGNED_IN if rules.in_record else Because.REACHABLE
        if await windows.is_open(self.tx, self.scope.id, channel, hashes, self.at):
            return Because.WINDOW_OPEN
        first = await first_contacts.with_approved(self.tx, self.scope, said)
        return Because.APPROVED_TEMPLATE if first.unapproved is None else Unsuited.WINDOW_CLOSED

    async def _said(self, channel: Channel, address: str) -> NewMessage | Unsuited:
        try:
            said = await self.compose(as_sent(self.command, channel, address))
        except InvalidField as wrong:
            return Unsuited.NO_SUBJECT if wrong.kind == "subject_required" else Unsuited.TEMPLATE
        if not self.command.media:
            return said
        try:
            return await files.carried(self.engine, self.tx, self.scope, said, self.command.media)
        except InvalidField as wrong:
            if wrong.kind == "unknown_asset":
                raise
            return Unsuited.FILES

    async def _unreached(self, said: NewMessage) -> Unsuited | None:
        """Why nobody can carry it to the guest; None: somebody can."""
        able, channel = carried(self.engine.providers), said.channel
        try:
            await accepting.sender_for(self.tx, self.scope, channel, said.content, able, address=said.sender)
        except (accepting.ChannelUnavailable, accepting.UnknownSender):
            return Unsuited.NO_SENDER
        if CHANNELS[channel].any_part:
            book = self.engine.book
            try:
                await accepting.targets(
                    self.tx, self.scope, channel, said.content, said.recipient, self.guest.id, book, able, said.sender
                )
            except accepting.NoDevice:
                return Unsuited.NO_DEVICE
        return None


def as_sent(command: SendMessage, channel: Channel, address: str) -> SendMessage:
    """The same as it goes out by a channel: with as much of it as that has."""
    rules = CHANNELS[channel]
    text, content_type = command.content, command.content_type
    if content_type == HTML and not rules.html and text is not None:
        text, content_type = plain_text.of_html(text), None
    return replace(
        command,
        channel=channel,
        recipient=address,
        content=text,
        content_type=content_type,
        subject=None if rules.subject is SubjectRule.NONE else command.subject,
        options=command.options.among(rules.options),
        auto=None,
    )


async def choose(
    engine: Engine, tx: AsyncConnection, scope: Scope, command: SendMessage, guest_id: UUID, compose: Compose
) -> tuple[SendMessage, Chosen]:
    """The message as it goes out by the channel that suits it best, those that suit it as well as its fallback (unless
    the caller said what that is), and why. Raises NoChannel, UnknownGuest, InvalidField."""
    assert command.auto is not None, "its channel is left open"
    guest = await profiles.get(tx, scope, guest_id)
    if guest is None:
        raise UnknownGuest("recipient")
    if command.template is not None:
        # What is wrong with it on any channel is said as it is.
        await templates.used(tx, scope, command.template, guest_id)
    setting, now = await properties.channel_order(tx, scope)
    order = [one for one in choosing.order(setting) if not (command.auto.outside and CHANNELS[one].in_record)]
    at = max(now, command.scheduled_at or now)
    asked = _Choosing(engine, tx, scope, command, guest, at, compose)
    found = {channel: await asked.suits(channel) for channel in order}
    suited = {channel: why for channel, why in found.items() if isinstance(why, Because)}
    others = {channel: why for channel, why in found.items() if isinstance(why, Unsuited)}
    others |= {channel: Unsuited.NOT_IN_ORDER for channel in choosing.OPEN if channel not in order}
    if not suited:
        raise NoChannel([f"{channel.value}: {choosing.reason(channel, why)}" for channel, why in others.items()])
    first, *rest = suited
    chosen = Chosen(first, suited[first], {**dict.fromkeys(rest, Unsuited.LATER), **others})
    settled = as_sent(command, first, _address(guest, first))
    if command.auto.with_fallback:
        settled = replace(settled, fallback=_fallback(command, guest, first, rest[:MOST]))
    return settled, chosen


def _address(guest: GuestRow, channel: Channel) -> str:
    return address_of(guest, CHANNELS[channel].address) or render(Prefix.GUEST, guest.id)


def _fallback(command: SendMessage, guest: GuestRow, before: Channel, rest: list[Channel]) -> tuple[FallbackStep, ...]:
    made: list[FallbackStep] = []
    for channel in rest:
        rules = CHANNELS[channel]
        step = FallbackStep(
            channel=channel,
            recipient=_address(guest, channel),
            subject=None if rules.subject is SubjectRule.NONE else command.subject,
            options=command.options.among(rules.options),
            after=choosing.UNSEEN if CHANNELS[before].in_record else None,
        )
        made.append(step)
        before = channel
    return tuple(made)
