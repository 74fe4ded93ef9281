"""A guest's addresses, which stand for one guest in every channel: `whatsapp:+1305…` is the phone `+1305…`."""

from __future__ import annotations

from collections.abc import Iterable

from bellhop.sandbox.store import Store

ROOM = "guests"
"""Where the store keeps the guests that were given a name."""
_CHANNELS = ("whatsapp:", "rcs:")


def bare(address: str) -> str:
    """The address without its channel."""
    return next((address.removeprefix(channel) for channel in _CHANNELS if address.startswith(channel)), address)


def spellings(addresses: Iterable[str]) -> list[str]:
    """Every way in which a message may write one of these addresses."""
    return [channel + address for address in addresses for channel in ("", *_CHANNELS)]


def by_hand(store: Store) -> frozenset[str]:
    """The addresses of guests whose messages are read only when somebody says so."""
    guests = store.kept(ROOM).values()
    return frozenset(address for one in guests if not one.get("reads", True) for address in one["addresses"])
