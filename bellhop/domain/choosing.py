"""Which channel a message goes by, where its sender leaves that open: in what order they are tried, and what is said of
each. Pure; what is stored names channels and codes alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from bellhop.domain.channels import CHANNELS, AddressKind, Channel

AUTO: Final = "auto"
"""In place of a channel."""
OPEN: Final = tuple(channel for channel, rules in CHANNELS.items() if not rules.polled)
"""Those among which may be chosen: where the other side polls, only who writes to it knows that it does."""
DEFAULT_ORDER = (Channel.IN_APP, Channel.WHATSAPP, Channel.IMESSAGE, Channel.SMS, Channel.EMAIL, Channel.PUSH)
"""A property's order that has set none. Last what nobody learns the arrival of."""
UNSEEN = 300.0
"""Seconds that a guest's app has to show what was chosen to lie in it, before the next channel follows."""


class Because(StrEnum):
    """Why a channel was chosen: it is the first of the property's order that reaches the guest, and how; or the best
    one that it has for a text."""

    SIGNED_IN = "signed_in"
    WINDOW_OPEN = "window_open"
    APPROVED_TEMPLATE = "approved_template"
    REACHABLE = "reachable"
    BEST_SENDER = "best_sender"


class Unsuited(StrEnum):
    """Why a channel was not."""

    LATER = "later_in_order"
    NOT_IN_ORDER = "not_in_order"
    NO_ADDRESS = "no_address"
    NOT_SIGNED_IN = "not_signed_in"
    NO_DEVICE = "no_device"
    NO_SENDER = "no_sender"
    NO_SUBJECT = "no_subject"
    TEMPLATE = "template"
    FILES = "files"
    OPTED_OUT = "opted_out"
    BOUNCED = "bounced"
    WINDOW_CLOSED = "window_closed"


_BECAUSE = {
    Because.SIGNED_IN: "The guest is signed in to the property's app.",
    Because.WINDOW_OPEN: "The guest wrote on this channel in the last 24 hours, so it can be answered there.",
    Because.APPROVED_TEMPLATE: "The guest can be reached there, with an approved template.",
    Because.REACHABLE: "It is the first in the property's order by which the guest can be reached.",
    Because.BEST_SENDER: "The property has no sender on a better one.",
}
_ADDRESSES = {
    AddressKind.PHONE: "The guest's profile has no telephone number that messages can be sent to.",
    AddressKind.EMAIL: "The guest's profile has no e-mail address.",
}
SAID = {
    Unsuited.LATER: "It comes later in the property's order.",
    Unsuited.NOT_IN_ORDER: "It is not in the property's order.",
    Unsuited.NO_ADDRESS: "The guest has no address there.",
    Unsuited.NOT_SIGNED_IN: "The guest is not signed in to the property's app now.",
    Unsuited.NO_DEVICE: "The guest has no device that takes notifications.",
    Unsuited.NO_SENDER: "The property has no sender there that can carry the message.",
    Unsuited.NO_SUBJECT: "It needs a subject, and the message has none.",
    Unsuited.TEMPLATE: "The template cannot be shown there.",
    Unsuited.FILES: "It cannot carry the files of the message.",
    Unsuited.OPTED_OUT: "The guest wants no such messages there.",
    Unsuited.BOUNCED: "An earlier message to this address came back for good.",
    Unsuited.WINDOW_CLOSED: "The guest has not written there in the last 24 hours, and no approved template can carry "
    "the message.",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """A channel, and what is said of it and of the others."""

    channel: Channel
    because: Because
    others: Mapping[Channel, Unsuited]

    def stored(self) -> dict[str, Any]:
        """As a message's `details` keep it."""
        return {
            "channel": self.channel.value,
            "because": self.because.value,
            "not": {channel.value: why.value for channel, why in self.others.items()},
        }


def reason(channel: Channel, why: Unsuited) -> str:
    """Why a channel was not chosen, as a sentence."""
    kind = CHANNELS[channel].address
    return _ADDRESSES[kind] if why is Unsuited.NO_ADDRESS and kind in _ADDRESSES else SAID[why]


def shown(details: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What was chosen, as the API shows it, by a message's `details`; None: its sender chose."""
    kept = (details or {}).get("chosen")
    if kept is None:
        return None
    because = Because(kept["because"])
    others = [(Channel(channel), Unsuited(code)) for channel, code in kept["not"].items()]
    return {
        "channel": kept["channel"],
        "because": {"code": because.value, "reason": _BECAUSE[because]},
        "not": [
            {"channel": channel.value, "code": why.value, "reason": reason(channel, why)} for channel, why in others
        ],
    }


def order(setting: object) -> Sequence[Channel]:
    """A property's order, by its setting `channel_order`."""
    known = {channel.value: channel for channel in OPEN}
    named = [known[one] for one in setting if one in known] if isinstance(setting, list) else []
    return tuple(dict.fromkeys(named)) or DEFAULT_ORDER


def is_order(given: object) -> bool:
    """Whether that can be such a setting: channels, each once, at least one."""
    known = {channel.value for channel in OPEN}
    return isinstance(given, list) and 0 < len(given) == len({*map(str, given)} & known)
