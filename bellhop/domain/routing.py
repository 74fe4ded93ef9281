"""Who carries a message: of a scope's senders on a channel, the first that can. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from bellhop.domain.accounts import OURS
from bellhop.domain.channels import CHANNELS, Channel
from bellhop.domain.content import HTML, Content
from bellhop.domain.delivery_ports import Provider
from bellhop.domain.devices import DeviceKind

Carried = Mapping[str, frozenset[Channel | DeviceKind]]
"""The channels each provider says it carries, by the provider's name, and of push the kinds of devices it reaches."""


def carried(providers: Mapping[str, Provider]) -> Carried:
    """What these providers say, and what Bellhop itself carries."""
    own = frozenset(channel for channel, rules in CHANNELS.items() if rules.in_record)
    said = {
        name: provider.channels | getattr(provider, "device_kinds", frozenset[DeviceKind]())
        for name, provider in providers.items()
    }
    return {**said, OURS: own}


class Candidate(Protocol):
    """A sender with what its account's provider is called."""

    @property
    def provider(self) -> str: ...

    @property
    def capabilities(self) -> Mapping[str, object]:
        """What this sender can (`{"html": false}`: no HTML, `{"media": false}`: no files); what it does not name, it
        can as all of its channel do."""

    @property
    def is_default(self) -> bool:
        """Whether its channel uses it."""


Sender = TypeVar("Sender", bound=Candidate)


def choose(
    senders: Iterable[Sender], carried: Carried, channel: Channel, content: Content, device: DeviceKind | None = None
) -> Sender | None:
    """The first of `senders`, which are those of one scope on `channel` in the order in which the scope wants them
    used, whose provider carries the channel (and reaches such a `device`) and which can send the content; None: nobody
    can."""
    needed = _needs(content)
    reached = {channel} if device is None else {channel, device}
    return next(
        (
            sender
            for sender in senders
            if reached <= carried.get(sender.provider, frozenset())
            and all(sender.capabilities.get(capability, True) for capability in needed)
        ),
        None,
    )


STANDBY = "standby"
"""The capability of a sender that takes over where the one before surely did not take a message."""


def candidates(
    senders: Iterable[Sender], carried: Carried, channel: Channel, content: Content, device: DeviceKind | None = None
) -> list[Sender]:
    """The one that `choose` names, and after it those that stand in for it and can carry the message as well: the one
    that the channel uses, where that is another, and those that stand by."""
    known = list(senders)
    first = choose(known, carried, channel, content, device)
    if first is None:
        return []
    if CHANNELS[channel].window is not None:
        # What may be said, and in which approved words, is of one sender and the guest: nobody stands in for it.
        return [first]
    standby = [one for one in known if one is not first and (one.is_default or one.capabilities.get(STANDBY))]
    return [first, *(one for one in standby if choose([one], carried, channel, content, device))]


def _needs(content: Content) -> tuple[str, ...]:
    """The capabilities without which content cannot be sent as it is."""
    needed = (("html", content.content_type == HTML), ("media", bool(content.media)))
    return tuple(capability for capability, is_so in needed if is_so)
