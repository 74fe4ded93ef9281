"""The page at `/phone`: the phone of a guest, with all that came to them over all channels, and their answers."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from bellhop.sandbox import guests
from bellhop.sandbox.app_inbox import TONES, AppAway, AppInbox
from bellhop.sandbox.guest_addresses import bare
from bellhop.sandbox.page import javascript, rendered
from bellhop.sandbox.simulator import Simulator
from bellhop.sandbox.state import State
from bellhop.sandbox.store import Message

NEWEST = 200
"""Messages of one guest that are shown."""

PLACE = {"Latitude": "25.7907", "Longitude": "-80.1300", "Label": "The beach"}
"""What Twilio's webhook says of the place that a guest sends on WhatsApp."""

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which the guest can answer: over a channel, from an address of theirs to one of the property's, or in
    the property's app. `value`: as the page hands it to `POST /_sandbox/inbound`, or to `/_sandbox/write`."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class File:
    """A file that came with a message."""

    url: str
    kind: str

    @property
    def name(self) -> str:
        return unquote(urlsplit(self.url).path.rpartition("/")[2]) or self.kind


@dataclass(frozen=True, slots=True)
class Shown:
    """One message on the phone."""

    message: Message
    channel: str
    tone: str
    as_mail: bool
    media: list[File]
    way: Way | None = None
    """How it is answered; None: it cannot be."""
    buttons: tuple[tuple[str, str], ...] = ()
    """Those that can be tapped: what each says, and what `POST /_sandbox/inbound` takes beside that, as JSON."""
    read: str | None = None
    """What `POST /_sandbox/read` takes; None: nobody hears of reading it."""
    unsubscribe: str | None = None
    """What `POST /_sandbox/unsubscribe` takes; None: it names no address for that."""

    @property
    def key(self) -> str:
        """What the page knows it by."""
        return f"m{self.message.seq}" if self.message.seq else self.message.id


def _way(simulator: Simulator, message: Message, channel: str) -> Way | None:
    if simulator.inbound_request is None:
        return None
    if message.direction == "inbound":
        theirs = bare(message.recipient)
        return Way(f"{channel} to {theirs}", _inbound(simulator, message.sender, message.recipient))
    theirs = bare(message.sender or simulator.default_sender)
    return Way(f"{channel} to {theirs}", _inbound(simulator, message.recipient, simulator.answers_to(message)))


def _inbound(simulator: Simulator, mine: str, theirs: str) -> str:
    return json.dumps({"provider": simulator.name, "from": mine, "to": theirs})


def _way_of_app(guest: guests.Guest) -> Way:
    return Way("In the app", json.dumps({"guest": guest.key}))


def _shown(state: State, message: Message, awaited: Collection[int] = ()) -> Shown:
    """`awaited`: the messages (`seq`) that are read by themselves in a moment."""
    simulator = state.simulators[message.provider]
    channel = simulator.channel(message)
    tone = simulator.tones.get(message.status, "plain")
    way = _way(simulator, message, channel)
    given = message.detail.get("buttons") if way and message.direction == "outbound" else None
    this = json.dumps({"provider": message.provider, "id": message.id})
    return Shown(
        message,
        channel,
        tone,
        simulator.shown_as == "mail",
        _files(simulator.media(message)),
        way,
        tuple((str(one["title"]), json.dumps(simulator.pressed(one))) for one in given or ()),
        this if simulator.readable(message) and message.seq not in awaited else None,
        this if message.direction == "outbound" and simulator.unsubscribe_url(message) else None,
    )


def _awaited(state: State, messages: list[Message]) -> set[int]:
    """Those of these messages that are read by themselves in a moment."""
    steps = state.store.steps_of([message.seq for message in messages])
    words = {name: simulator.read_word for name, simulator in state.simulators.items()}
    pending = (step for some in steps.values() for step in some if step.state == "owed" and step.applies)
    return {step.message for step in pending if step.word == words[step.provider]}


def _files(found: list[tuple[str, str]]) -> list[File]:
    """Those that a page may show: the address of a file is the sender's to choose."""
    return [File(url, kind) for url, kind in found if re.match(r"https?://|/_sandbox/(files|sent)/", url)]


async def _in_app(state: State, guest: guests.Guest) -> tuple[list[Shown], str | None]:
    """What lies in the guest's app, and why nothing can be seen of it."""
    if guest.app is None:
        return [], None
    try:
        found = await AppInbox(state, guest.app).messages()
    except AppAway as away:
        return [], str(away)
    return [_of_app(guest, message) for message in found], None


def _of_app(guest: guests.Guest, message: Message) -> Shown:
    files = _files(list(zip(message.detail["media"], message.detail["media_types"], strict=True)))
    unread = message.direction == "outbound" and message.status != "read"
    read = json.dumps({"guest": guest.key, "id": message.id}) if unread else None
    tone, way = TONES.get(message.status, "plain"), _way_of_app(guest)
    return Shown(message, "In the app", tone, message.html is not None, files, way, read=read)


@router.get("/phone")
async def phone(request: Request, guest: str = "") -> HTMLResponse:
    """The guests, and the messages of one of them; its script asks for it again and changes only what has changed."""
    state = request.app.state.sandbox
    assert isinstance(state, State)
    known = [(one, _shown(state, last)) for one, last in guests.recent(state)]
    chosen = guests.find(state, guest[:4096]) if guest else None
    thread: list[Shown] = []
    away = None
    if chosen:
        in_app, away = await _in_app(state, chosen)
        found = guests.thread(state, chosen, NEWEST)
        awaited = _awaited(state, found)
        thread = [*in_app, *(_shown(state, message, awaited) for message in found)]
        thread.sort(key=lambda one: one.message.accepted_at)
    # Each mail has a reply address of its own: of those to one place the last.
    by_label = {one.way.label: one.way for one in thread if one.way is not None}
    ways = list(reversed(by_label.values()))
    if chosen and chosen.app and not away and _way_of_app(chosen) not in ways:
        ways.append(_way_of_app(chosen))
    context: dict[str, Any] = {"guests": known, "chosen": chosen, "thread": thread, "ways": ways, "away": away}
    context["place"] = json.dumps({"fields": PLACE})
    return rendered("phone.html", context)


@router.get("/_sandbox/phone.js")
async def script() -> Response:
    """The page's script."""
    return javascript("phone.js")
