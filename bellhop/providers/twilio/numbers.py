"""Twilio's addresses: a number with the name of its channel before it, but for texts.

https://www.twilio.com/docs/messaging/channels
"""

from __future__ import annotations

from bellhop.domain.channels import Channel, Service

CHANNELS: dict[Channel, str] = {Channel.SMS: "", Channel.WHATSAPP: "whatsapp:"}
"""The channels it carries for us, and what stands before an address on each."""

RCS = "rcs:"
"""Before an address where a Messaging Service with an RCS sender chose RCS for a text: still a message of `sms`."""


def address_of(channel: Channel, address: str) -> str:
    """As Twilio is to read it."""
    return CHANNELS[channel] + address


def bare(address: str) -> str:
    """As we write it."""
    return address.removeprefix(CHANNELS[channel_of(address)]).removeprefix(RCS)


def service_of(sender: str | None, *, chosen: bool) -> Service | None:
    """By what a message went, as the sender that Twilio names says. `chosen`: by a Messaging Service, which may have
    senders of both kinds; else it is what it was sent as, and nothing is to be said."""
    if not sender or channel_of(sender) is not Channel.SMS:
        return None
    if sender.startswith(RCS):
        return Service.RCS
    return Service.SMS if chosen else None


def channel_of(address: str) -> Channel:
    """The channel of an address that is Twilio's."""
    return next((channel for channel, prefix in CHANNELS.items() if prefix and address.startswith(prefix)), Channel.SMS)
