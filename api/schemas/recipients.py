"""Whom a message goes to, on the wire: one address, or the numbers of a group chat."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.schemas.fields import wrong
from bellhop.domain import addresses, groups
from bellhop.domain.addresses import BadAddress
from bellhop.domain.channels import CHANNELS, AddressKind, Channel, ChannelRules
from bellhop.domain.choosing import AUTO
from bellhop.domain.ids import Prefix, parse

MOST: int = max(rules.group or 0 for rules in CHANNELS.values())
_GROUPED = " or ".join(channel.value for channel, rules in CHANNELS.items() if rules.group)

Recipient = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=4096,
        validate_default=True,
        description="E.164 number, e-mail address, guest id (in_app), or for push a device token or a guest id: "
        "all of the guest's devices, of which one is enough. Left out or null only with `recipients`.",
    ),
]
Recipients = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=64)]] | None,
    Field(
        min_length=groups.FEWEST,
        max_length=MOST,
        description=f"Instead of `recipient`, for a group chat ({_GROUPED}): E.164 numbers, each once. It is one "
        "message, which all of them see, and see each other get. Where one of them has opted out it goes to nobody.",
    ),
]


def group(value: list[str] | None, channel: str | None) -> list[str] | None:
    """The numbers of a group, normalised. `channel`: the one asked for; None: it is none, which the caller hears."""
    if value is None or channel is None:
        return value
    if channel == AUTO or CHANNELS[Channel(channel)].group is None:
        raise wrong("recipients", f"expected `recipient`: on the channel {channel} a message goes to one guest")
    try:
        numbers = [addresses.normalised(AddressKind.PHONE, number) for number in value]
    except BadAddress as problem:
        raise wrong("recipients", str(problem)) from None
    if groups.twice(numbers):
        raise wrong("recipients", "expected each number once")
    return numbers


def one(value: str | None, grouped: bool, channel: str | None, rules: ChannelRules | None) -> str | None:
    """The recipient of a message that is to one guest, normalised; None where it is `grouped`."""
    if value is None:
        if grouped:
            return None
        raise wrong("missing", "expected a value: this field is needed")
    if grouped:
        raise wrong("recipient", "expected `recipient` or `recipients`, not both")
    if channel == AUTO and parse(Prefix.GUEST, value) is None:
        raise wrong("recipient", "expected the id of a guest: whose channel is chosen, is named by it")
    if rules is None:
        return value
    try:
        return addresses.recipient(Channel(str(channel)), value)
    except BadAddress as problem:
        raise wrong("recipient", str(problem)) from None
