"""Twilio's list, read for what guests have written: what a callback would have brought."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bellhop.domain.addresses import BadAddress, phone
from bellhop.domain.delivery_ports import Account, Inbound, ProviderUnreachable
from bellhop.domain.inbound_details import MOST_MEDIA, Media
from bellhop.providers.reading import clean
from bellhop.providers.twilio import callbacks, media
from bellhop.providers.twilio.numbers import CHANNELS, address_of
from bellhop.providers.twilio.settings import is_service

MOST_NUMBERS = 3
"""Numbers that are asked about one by one, on each channel; of more the account's whole list is read."""
LONGEST_LIST = 1_000
"""Pages."""

Page = Callable[[Any, dict[str, str]], tuple[Any, list[Any]]]
"""A page of the list after another (None: the first), filtered so. Raises ProviderUnreachable."""


def received(page: Page, senders: Collection[str], since: datetime) -> Iterator[Inbound]:
    """What guests have written to these senders since then."""
    numbers = {sender for sender in senders if _is_number(sender)}
    services = {sender for sender in senders if is_service(sender)}
    if not numbers and not services:
        return  # nobody can answer a name
    # The filter has the grain of a day.
    day = {"date_sent_after": since.astimezone(UTC).date().isoformat()}
    one_by_one = not services and len(numbers) <= MOST_NUMBERS
    ours = {address_of(channel, number) for number in numbers for channel in CHANNELS}
    for filters in [{"to": address, **day} for address in sorted(ours)] if one_by_one else [day]:
        for message in _since(page, filters, since):
            if message.direction == "inbound" and (message.to in ours or message.messaging_service_sid in services):
                yield _inbound(message)


def _since(page: Page, filters: dict[str, str], since: datetime) -> Iterator[Any]:
    """Newest first, by when they were sent or, which is the same for guests' messages, made."""
    since = since.replace(microsecond=0)  # Twilio's times are whole seconds
    before: Any = None
    for _ in range(LONGEST_LIST):
        before, messages = page(before, filters)
        for message in messages:
            if message.date_sent is not None and message.date_sent < since:
                return
            yield message
        if not before.next_page_url:
            return
    raise ProviderUnreachable("a list without an end")


def completed(page: list[Any], account: Account, inbound: Inbound) -> Inbound:
    """A message with its files: `page` is the first of its Media subresource."""
    files = tuple(
        Media(url, clean(one.content_type or ""), media.id_of(url))
        for one in page[:MOST_MEDIA]
        if (url := account.base_url.rstrip("/") + clean(str(one.uri)).removesuffix(".json"))
    )
    return replace(inbound, details=replace(inbound.details, media=files))


def _inbound(message: Any) -> Inbound:
    """As its callback would have said it."""
    fields = {
        "MessageSid": message.sid,
        "From": message.from_,
        "To": message.to,
        "Body": message.body,
        "NumMedia": message.num_media,
        "MessagingServiceSid": message.messaging_service_sid,
    }
    said = {name: clean(str(value)) for name, value in fields.items() if value}
    try:
        item = callbacks.inbound(said)
    except ValueError:
        raise ProviderUnreachable("a list that is not Twilio's") from None
    return replace(item, occurred_at=message.date_sent or message.date_created, payload={"listed": True, **said})


def _is_number(sender: str) -> bool:
    try:
        phone(sender)
    except BadAddress:
        return False
    return True
