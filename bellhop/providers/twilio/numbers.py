"""Twilio's addresses: a number with the name of its channel before it, but for texts.

https://www.twilio.com/docs/messaging/channels
"""

from __future__ import annotations

from bellhop.domain.channels import Channel

CHANNELS: dict[Channel, str] = {Channel.SMS: "", Channel.WHATSAPP: "whatsapp:"}
"""The channels it carries for us, and what stands before an address on each."""


def address_of(channel: Channel, address: str) -> str:
    """As Twilio is to read it."""
    return CHANNELS[channel] + address


def bare(address: str) -> str:
    """As we write it."""
    return address.removeprefix(CHANNELS[channel_of(address)])


def channel_of(address: str) -> Channel:
    """The channel of an address that is Twilio's."""
    return next((channel for channel, prefix in CHANNELS.items() if prefix and address.startswith(prefix)), Channel.SMS)
