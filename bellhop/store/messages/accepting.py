"""What accepting a message takes beside its row: who could carry it, and what is fixed of its further steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import content, routing
from bellhop.domain.addresses import AddressBook
from bellhop.domain.channels import CHANNELS, Channel, kind_of
from bellhop.domain.content import Content
from bellhop.domain.devices import Target
from bellhop.domain.groups import Group
from bellhop.domain.ids import Prefix, parse
from bellhop.domain.routing import Carried
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.scopes import Scope
from bellhop.domain.steps import Step, When, plan
from bellhop.store.compiled import CompiledStatement
from bellhop.store.guests import consents, devices
from bellhop.store.messages import steps
from bellhop.store.messages.steps import StepRow
from bellhop.store.tables import provider_accounts, senders


@dataclass(slots=True)
class CarryingSender:
    """A sender that could carry a message."""

    provider: str
    address: str
    capabilities: dict[str, object]
    is_default: bool


_SENDERS = CompiledStatement(
    select(provider_accounts.c.provider, senders.c.address, senders.c.capabilities, senders.c.is_default)
    .join(senders, senders.c.account_id == provider_accounts.c.id)
    .where(senders.c.scope_id == bindparam("scope"), senders.c.channel == bindparam("channel"))
    .order_by(senders.c.is_default.desc(), senders.c.id),
    row=CarryingSender,
)


class UnknownSender(Exception):
    """No sender of this property on the channel has that address."""


class ChannelUnavailable(Exception):
    """No sender of this property can carry messages on that channel. `step`: at which step of the message."""

    def __init__(self, channel: Channel, step: int = 0) -> None:
        super().__init__()
        self.channel, self.step = channel, step


class NoDevice(Exception):
    """The guest has no device that a sender of this property can reach. `step`: at which step of the message."""

    def __init__(self, step: int = 0) -> None:
        super().__init__()
        self.step = step


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStep:
    """What follows where a message cannot arrive, checked and normalised."""

    channel: Channel
    recipient: str = field(repr=False)
    content: Content
    when: When
    after: float | None = None
    template: Mapping[str, Any] | None = None
    goes_to: tuple[Target, ...] = ()
    """Of push the devices: filled in as it is accepted."""

    @property
    def parts(self) -> int:
        """Provider calls that it takes."""
        return len(self.goes_to) or len(content.parts(self.channel, self.content.text))


def to_guest(channel: Channel, recipient: str) -> bool:
    """Whether it goes to all of a guest's devices."""
    return CHANNELS[channel].any_part and parse(Prefix.GUEST, recipient) is not None


def plan_of(channel: Channel, further: Sequence[NewStep], valid_for: float, parts: int) -> tuple[Step, ...]:
    """The steps of a new message, of which the first takes so many `parts`. `valid_for`: as `outbound.accept` takes
    it."""

    def step(channel: Channel, parts: int, when: When | None = None, after: float | None = None) -> Step:
        usual = CHANNELS[channel].valid_for
        return Step(
            channel=channel,
            parts=parts,
            valid_for=valid_for if usual is None else usual,
            when=when,
            after=after,
        )

    later = [step(one.channel, one.parts, one.when, one.after) for one in further]
    return plan([step(channel, parts), *later])


async def targets(
    tx: AsyncConnection,
    scope: Scope,
    channel: Channel,
    said: Content,
    recipient: str,
    guest_id: UUID | None,
    book: AddressBook,
    carried: Carried,
    address: str | None = None,
    step: int = 0,
) -> list[Target]:
    """The devices that a message goes to, of those that one of the senders (None: of all; else those at `address`)
    reaches: all of `guest_id`, or (None) the one whose token `recipient` is. Raises NoDevice."""
    known = await _SENDERS(tx, scope=scope.id, channel=channel.value)
    if address is not None:
        known = [one for one in known if one.address == address]
    found = await devices.targets(tx, scope.id, recipient, guest_id, book)
    reached = [target for target in found if routing.choose(known, carried, channel, said, target.kind) is not None]
    if not reached:
        raise NoDevice(step)
    return reached


async def with_devices(
    tx: AsyncConnection,
    scope: Scope,
    further: Sequence[NewStep],
    guest_id: UUID | None,
    book: AddressBook,
    carried: Carried,
) -> tuple[NewStep, ...]:
    """The same steps, those that go to devices with them. Raises NoDevice."""
    made: list[NewStep] = []
    for number, step in enumerate(further, start=1):
        if CHANNELS[step.channel].any_part:
            whose = guest_id if to_guest(step.channel, step.recipient) else None
            found = await targets(
                tx, scope, step.channel, step.content, step.recipient, whose, book, carried, step=number
            )
            step = replace(step, goes_to=tuple(found))
        made.append(step)
    return tuple(made)


async def sender_for(
    tx: AsyncConnection,
    scope: Scope,
    channel: Channel,
    said: Content,
    carried: Carried,
    step: int = 0,
    address: str | None = None,
) -> CarryingSender:
    """Who could carry it, of all or from that address. Raises ChannelUnavailable, UnknownSender."""
    known = await _SENDERS(tx, scope=scope.id, channel=channel.value)
    if address is not None and not (known := [one for one in known if one.address == address]):
        raise UnknownSender
    sender = routing.choose(known, carried, channel, said)
    if sender is None:
        raise ChannelUnavailable(channel, step)
    return sender


def details_of(
    said: Content,
    template: Mapping[str, Any] | None,
    chosen: Mapping[str, Any] | None = None,
    callback: str | None = None,
    answers: Mapping[str, Any] | None = None,
    group: Group | None = None,
) -> dict[str, Any] | None:
    """What is kept beside the text: only what there is."""
    options = said.options.stored()
    kept = {
        "template": dict(template) if template else None,
        "options": options or None,
        "chosen": dict(chosen) if chosen else None,
        "answers": dict(answers) if answers else None,
        "group": group.stored() if group else None,
        "media": [one.stored() for one in said.media] or None,
        "links": dict(said.links) if said.links else None,
        "callback": callback,
    }
    return {name: value for name, value in kept.items() if value is not None} or None


async def write_step(
    tx: AsyncConnection, scope: Scope, row: MessageRow, number: int, new: NewStep, book: AddressBook, carried: Carried
) -> None:
    """What a further step says is fixed as well. Raises ChannelUnavailable."""
    sender = await sender_for(tx, scope, new.channel, new.content, carried, number)
    kind = kind_of(new.channel, new.recipient)
    hashed = book.hash(kind, new.recipient)
    texts = content.parts(new.channel, new.content.text)
    body = content.body(texts, new.content.plain, new.content.approved)
    if new.goes_to:
        body = {**(body or {}), "devices": [target.stored() for target in new.goes_to]}
    said = StepRow(
        step=number,
        channel=new.channel,
        recipient=new.recipient,
        address_hash=hashed,
        erased_hash=None,
        subject=new.content.subject,
        content=new.content.text,
        content_type=new.content.content_type,
        body=body,
        details=details_of(new.content, new.template),
        provider=sender.provider,
    )
    await steps.write(tx, row, said)
    if to_guest(new.channel, new.recipient):
        return
    await consents.remember_contact(tx, scope.id, kind.value, new.recipient, hashed, [row.guest_id])
