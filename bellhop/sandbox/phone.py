"""The page at `/phone`: the phone of a guest, with all that came to them over all channels, and their answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from bellhop.sandbox import guests
from bellhop.sandbox.page import javascript, rendered
from bellhop.sandbox.simulator import Simulator
from bellhop.sandbox.state import State
from bellhop.sandbox.store import Message

NEWEST = 200
"""Messages of one guest that are shown."""

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which the guest can answer: over a channel, from an address of theirs to one of the property's."""

    label: str
    provider: str
    sender: str
    to: str

    @property
    def value(self) -> str:
        """As the page hands it to `POST /_sandbox/inbound`."""
        return json.dumps({"provider": self.provider, "from": self.sender, "to": self.to})


@dataclass(frozen=True, slots=True)
class Shown:
    """One message on the phone."""

    message: Message
    simulator: Simulator
    channel: str
    tone: str
    way: Way | None
    """How it is answered; None: it cannot be."""
    buttons: list[tuple[str, str]]
    """Those that can be tapped: what each says, and what `POST /_sandbox/inbound` takes beside that, as JSON."""


def _way(simulator: Simulator, message: Message, channel: str) -> Way | None:
    if simulator.inbound_request is None:
        return None
    mine, theirs = message.recipient, message.sender or simulator.default_sender
    if message.direction == "inbound":
        mine, theirs = message.sender, message.recipient
    return Way(f"{channel} to {guests.bare(theirs)}", simulator.name, mine, theirs)


def _shown(state: State, message: Message) -> Shown:
    simulator = state.simulators[message.provider]
    channel = simulator.channel(message)
    tone = simulator.tones.get(message.status, "plain")
    way = _way(simulator, message, channel)
    given = message.detail.get("buttons") if way and message.direction == "outbound" else None
    buttons = [(str(one["title"]), json.dumps(simulator.pressed(one))) for one in given or ()]
    return Shown(message, simulator, channel, tone, way, buttons)


@router.get("/phone")
async def phone(request: Request, guest: str = "") -> HTMLResponse:
    """The guests, and the messages of one of them; its script asks for it again and changes only what has changed."""
    state = request.app.state.sandbox
    assert isinstance(state, State)
    known = [(one, _shown(state, last)) for one, last in guests.recent(state)]
    chosen = guests.find(state, guest[:4096]) if guest else None
    thread = [_shown(state, message) for message in guests.thread(state, chosen, NEWEST)] if chosen else []
    ways = list(dict.fromkeys(one.way for one in reversed(thread) if one.way is not None))
    context: dict[str, Any] = {"guests": known, "chosen": chosen, "thread": thread, "ways": ways, "newest": NEWEST}
    return rendered("phone.html", context)


@router.get("/_sandbox/phone.js")
async def script() -> Response:
    """The page's script."""
    return javascript("phone.js")
