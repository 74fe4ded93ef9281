"""What a call hands over beside a plain text (files, an approved template, how long it is of use), as tables.

Each provider's module in `providers/` has `HANDED`: for each of its channels one row for everything that the channel
table says it carries, with what the request has to say then, and what a look-up says of such a message.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl

from bellhop.domain.approved_templates import ApprovedText
from bellhop.domain.channels import CHANNELS, Channel
from bellhop.domain.content import Content
from bellhop.domain.delivery_ports import LookupKind
from bellhop.domain.groups import Group
from bellhop.domain.media import Media
from tests.contract.conformance import PRIVATE_TEXT


class What(Enum):
    """What is handed over. A table without a row for one that its channel carries fails its test."""

    TEXT = "a text"
    FILE = "a text with a file"
    FILE_ALONE = "a file without a text"
    GROUP = "a text to a group"
    TEMPLATE = "an approved template instead of the text"
    SOON_OVER = "a text that is of use for a minute and a half"
    OVER_AT_ONCE = "a text that is of use for a blink"
    LONG_OF_USE = "a text that is of use for longer than any provider keeps one"


def carried_by(channel: Channel) -> Iterator[What]:
    """What messages of a channel may hand over, by the channel table."""
    rules = CHANNELS[channel]
    yield from (What.TEXT, What.SOON_OVER, What.OVER_AT_ONCE, What.LONG_OF_USE)
    if rules.media is not None:
        yield What.FILE
        if rules.media.alone:
            yield What.FILE_ALONE
    if rules.group is not None:
        yield What.GROUP
    if rules.window is not None:
        yield What.TEMPLATE


BYTES = b"\xff\xd8\xff\xe0 the lobby \xff\xd9"
PICTURE = Media(
    url="https://hotel.example/m/t0ken/lobby.jpg",
    content_type="image/jpeg",
    filename="lobby.jpg",
    size=len(BYTES),
    read=lambda: BYTES,
)
TEMPLATE = ApprovedText("HX" + "0" * 31 + "2", {"1": "Mme Agnelli", "2": 'a "Grüße" 🏨'}, "Hi Mme Agnelli")
GROUP = Group(("+33612345678", "+33612345679", "+525512345678"))
_TEXT = Content(text=PRIVATE_TEXT, subject="Your stay")
_GIVEN: Mapping[What, Mapping[str, Any]] = {
    What.TEXT: {"content": _TEXT},
    What.FILE: {"content": replace(_TEXT, media=(PICTURE,))},
    What.FILE_ALONE: {"content": replace(_TEXT, text="", media=(PICTURE,))},
    What.GROUP: {"content": _TEXT, "group": GROUP},
    What.TEMPLATE: {"content": replace(_TEXT, text=TEMPLATE.text, approved=TEMPLATE)},
    What.SOON_OVER: {"content": _TEXT, "valid_for": 90.0},
    What.OVER_AT_ONCE: {"content": _TEXT, "valid_for": 0.2},
    What.LONG_OF_USE: {"content": _TEXT, "valid_for": 60 * 86_400.0},
}


@dataclass(frozen=True)
class Handed:
    """One row: what a request has to say at these places, `None` where it says nothing there."""

    channel: Channel
    what: What
    says: Mapping[str, Any]
    found: LookupKind = LookupKind.FOUND
    """What is said of it when its answer was lost and the provider has it."""
    other: Mapping[str, Any] = field(default_factory=dict)
    """Of the call, beside what `what` gives."""
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.channel.value}: {self.what.value}{f' ({self.detail})' if self.detail else ''}"

    @property
    def given(self) -> dict[str, Any]:
        """The fields of the call."""
        return {"channel": self.channel, **_GIVEN[self.what], **self.other}


@dataclass(frozen=True)
class Moment:
    """Equal to a time in whole Unix seconds that is so far from now, whichever way it is written."""

    seconds: float

    def __eq__(self, other: object) -> bool:
        return isinstance(other, int | str) and abs(int(other) - time.time() - self.seconds) < 15

    __hash__ = None  # type: ignore[assignment]


def said(request: bytes) -> dict[str, Any]:
    """A request's fields, whether they are JSON or a form, and `headers` by their lower-case names."""
    head, _, body = request.partition(b"\r\n\r\n")
    lines = [line.partition(":") for line in head.decode().split("\r\n")[1:]]
    headers = {name.strip().lower(): value.strip() for name, _, value in lines}
    if body.startswith(b"{"):
        return {**json.loads(body), "headers": headers}
    form: dict[str, Any] = {}
    for name, value in parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True):
        form[name] = [*form.get(name, []), value]
    return {**form, "headers": headers}


def at(fields: Any, place: str) -> Any:
    """What stands at a place such as `message/android/ttl` or `attachments/0/type`; None: nothing."""
    for step in place.split("/"):
        if isinstance(fields, list):
            fields = fields[int(step)] if len(fields) > int(step) else None
        else:
            fields = fields.get(step) if isinstance(fields, dict) else None
    return fields
