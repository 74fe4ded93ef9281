"""A provider account as somebody names it, before it is a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bellhop.domain.channels import CHANNELS

OURS: Final = "in_app"
"""The provider that is Bellhop itself: it carries the channels whose messages stay in the record."""


@dataclass(frozen=True, slots=True)
class Seed:
    """An account with one sender. `credentials` and `previous` are secret: its repr shows none of them."""

    provider: str
    identity: str
    """The provider's public name for the account; it stands in callback addresses."""
    base_url: str
    credentials: Mapping[str, str] = field(repr=False)
    channel: str
    address: str
    previous: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Credentials of before, still accepted on callbacks."""
    name: str | None = None


OWN: Final = tuple(
    Seed(provider=OURS, identity="bellhop", base_url="", credentials={}, channel=channel.value, address="inbox")
    for channel, rules in CHANNELS.items()
    if rules.in_record
)
"""What every property has from the beginning: there is nothing to sign up for."""
