"""Who the sandbox's messages are for: a guest with a name and several addresses, or an address nobody has named."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from bellhop.sandbox.guest_addresses import ROOM, bare, by_hand, spellings
from bellhop.sandbox.state import State
from bellhop.sandbox.store import Message

NEWEST = 5_000
"""Messages that the list of guests is made of."""
MOST_SHOWN = 200


class GuestRequest(BaseModel):
    """The body of `PUT /_sandbox/guests/{id}`: a guest's name and addresses (numbers, mailboxes, tokens of devices)."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100)]
    addresses: Annotated[list[Annotated[str, Field(min_length=1, max_length=4096)]], Field(max_length=20)]
    reads: bool = Field(default=True, description="whether they read messages by themselves, a moment after they came")
    app: str | None = Field(
        default=None,
        max_length=2000,
        pattern=r"^https?://",
        description="the address of their app's back end, whose POST /session signs them in: {url, token}",
    )


@dataclass(frozen=True, slots=True)
class Guest:
    """One guest. `key`: what the page's address names: the id of one that was named, or else an address."""

    key: str
    name: str
    addresses: tuple[str, ...]
    named: bool = False
    reads: bool = True
    app: str | None = None

    @property
    def body(self) -> str:
        """What `PUT /_sandbox/guests/{id}` takes to change this one, with the `id`, as JSON."""
        given = {"id": self.key, "name": self.name, "addresses": self.addresses, "reads": self.reads, "app": self.app}
        return json.dumps(given)


def address_of(message: Message) -> str:
    """The guest's side of a message."""
    return bare(message.sender if message.direction == "inbound" else message.recipient)


def named(state: State) -> dict[str, Guest]:
    """The guests that were given a name, by their keys."""
    return {
        key: Guest(key, one["name"], tuple(one["addresses"]), True, one.get("reads", True), one.get("app"))
        for key, one in state.store.kept(ROOM).items()
    }


def put(state: State, key: str, asked: GuestRequest) -> dict[str, Any]:
    """Name a guest, or change one. An address belongs to the guest who was given it last."""
    addresses = list(dict.fromkeys(bare(address) for address in asked.addresses))
    for other in named(state).values():
        left = [address for address in other.addresses if address not in addresses]
        if other.key != key and len(left) < len(other.addresses):
            _keep(state, replace(other, addresses=tuple(left)))
    _keep(state, Guest(key, asked.name, tuple(addresses), True, asked.reads, asked.app))
    state.by_hand = by_hand(state.store)
    return {"id": key, **asked.model_dump(), "addresses": addresses}


def _keep(state: State, guest: Guest) -> None:
    row = {"name": guest.name, "addresses": list(guest.addresses), "reads": guest.reads, "app": guest.app}
    state.store.keep(ROOM, guest.key, row)


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
