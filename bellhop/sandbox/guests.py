"""Who the sandbox's messages are for: a guest with a name and several addresses, or an address that nobody has named.

An address stands for one guest in every channel: `whatsapp:+1305…` is the phone `+1305…`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from bellhop.sandbox.state import State
from bellhop.sandbox.store import Message

ROOM = "guests"
NEWEST = 5_000
"""Messages that the list of guests is made of."""
MOST_SHOWN = 200
_CHANNELS = ("whatsapp:", "rcs:")


class GuestRequest(BaseModel):
    """The body of `PUT /_sandbox/guests/{id}`: a guest's name and addresses (numbers, mailboxes, tokens of devices)."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100)]
    addresses: Annotated[list[Annotated[str, Field(min_length=1, max_length=4096)]], Field(max_length=20)]


@dataclass(frozen=True, slots=True)
class Guest:
    """One guest. `key`: what the page's address names: the id of one that was named, or else an address."""

    key: str
    name: str
    addresses: tuple[str, ...]


def bare(address: str) -> str:
    """The address without its channel."""
    return next((address.removeprefix(channel) for channel in _CHANNELS if address.startswith(channel)), address)


def spellings(addresses: Iterable[str]) -> list[str]:
    """Every way in which a message may write one of these addresses."""
    return [channel + address for address in addresses for channel in ("", *_CHANNELS)]


def address_of(message: Message) -> str:
    """The guest's side of a message."""
    return bare(message.sender if message.direction == "inbound" else message.recipient)


def named(state: State) -> dict[str, Guest]:
    """The guests that were given a name, by their keys."""
    return {key: Guest(key, one["name"], tuple(one["addresses"])) for key, one in state.store.kept(ROOM).items()}


def put(state: State, key: str, asked: GuestRequest) -> dict[str, Any]:
    """Name a guest, or change one. An address belongs to the guest who was given it last."""
    addresses = list(dict.fromkeys(bare(address) for address in asked.addresses))
    for other in named(state).values():
        left = [address for address in other.addresses if address not in addresses]
        if other.key != key and len(left) < len(other.addresses):
            state.store.keep(ROOM, other.key, {"name": other.name, "addresses": left})
    state.store.keep(ROOM, key, {"name": asked.name, "addresses": addresses})
    return {"id": key, "name": asked.name, "addresses": addresses}


def find(state: State, key: str) -> Guest:
    """The guest of this key, or of this address."""
    known = named(state)
    address = bare(key)
    return known.get(key) or next(
        (guest for guest in known.values() if address in guest.addresses), Guest(address, address, (address,))
    )


def recent(state: State) -> list[tuple[Guest, Message]]:
    """Guests with the last message of each, the newest first."""
    owners = {address: guest for guest in named(state).values() for address in guest.addresses}
    found: dict[str, tuple[Guest, Message]] = {}
    for message in state.store.last_of_each(NEWEST):
        if message.provider not in state.simulators:
            continue
        address = address_of(message)
        guest = owners.get(address) or Guest(address, address, (address,))
        found.setdefault(guest.key, (guest, message))
        if len(found) == MOST_SHOWN:
            break
    return list(found.values())


def thread(state: State, guest: Guest, limit: int) -> list[Message]:
    """A guest's newest messages over all channels, oldest first."""
    found = state.store.thread(spellings(guest.addresses), limit)
    return [message for message in reversed(found) if message.provider in state.simulators]
