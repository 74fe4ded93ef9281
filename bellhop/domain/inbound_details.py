"""What came with a guest's message beside its text: files, a button, a place, who they say they are.

Providers pass on what strangers sent: every value is cut or left out here, before it is stored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

MOST_MEDIA = 10
"""Files of one message, as many as providers take (twilio.com/docs/messaging/guides/accepted-mime-types)."""
LONGEST_URL = 2_048
LONGEST_TEXT = 1_024
LONGEST_NAME = 255


class MatchedBy(StrEnum):
    """What told which guest a message is of, where several have the address that it came from."""

    STAY = "stay"
    """Theirs is the stay that is under way or nearest."""
    WRITTEN_TO = "written_to"
    """They were written to last."""


@dataclass(frozen=True, slots=True)
class Media:
    """A file, still with the provider."""

    url: str
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Button:
    """A button or a row of a list that the guest chose. `payload`: what whoever made it wants to hear, not shown to
    the guest."""

    text: str | None = None
    payload: str | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """A place in degrees, with its address and name where the guest's app gave them."""

    latitude: float
    longitude: float
    address: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class InboundDetails:
    """All of it as the provider said it. `media_count`: how many files it speaks of. `profile_name`, `profile_id`: the
    guest's own on that channel. `replied_to`: the provider's id of the message that the guest answered."""

    media: tuple[Media, ...] = ()
    media_count: int = 0
    button: Button | None = None
    location: Location | None = None
    profile_name: str | None = None
    profile_id: str | None = None
    replied_to: str | None = None

    def stored(self, matched_by: MatchedBy | None = None) -> dict[str, Any] | None:
        """As it is kept, of bounded size; None when there is nothing. `matched_by`: what told whose message it is."""
        button, place = self.button, self.location
        kept = {
            "media": [
                {"url": one.url, "content_type": _cut(one.content_type, LONGEST_NAME)}
                for one in self.media[:MOST_MEDIA]
                if _callable(one.url)
            ],
            "media_count": min(max(self.media_count, len(self.media)), 1_000),
            "button": _some(text=_cut(button.text, LONGEST_TEXT), payload=_cut(button.payload, LONGEST_TEXT))
            if button
            else None,
            "location": {
                "latitude": place.latitude,
                "longitude": place.longitude,
                "address": _cut(place.address, LONGEST_TEXT),
                "label": _cut(place.label, LONGEST_TEXT),
            }
            if place and _on_earth(place)
            else None,
            "profile": _some(name=_cut(self.profile_name, LONGEST_NAME), id=_cut(self.profile_id, LONGEST_NAME)),
            "replied_to": _cut(self.replied_to, LONGEST_NAME),
            "matched_by": matched_by.value if matched_by else None,
        }
        return {name: value for name, value in kept.items() if value} or None


def shown(stored: dict[str, Any] | None) -> dict[str, Any]:
    """The fields of the public object, whatever there is."""
    kept = stored or {}
    return {
        "media": kept.get("media", []),
        "media_count": kept.get("media_count", 0),
        "button": kept.get("button"),
        "location": kept.get("location"),
        "profile": kept.get("profile"),
        "replied_to": kept.get("replied_to"),
        "matched_by": kept.get("matched_by"),
    }


def _some(**values: str | None) -> dict[str, str | None] | None:
    return values if any(values.values()) else None


def _cut(text: str | None, longest: int) -> str | None:
    return text[:longest] if text else None


def _callable(url: str) -> bool:
    """An address that a program may call: whoever shows it as a link must not run it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return len(url) <= LONGEST_URL and parts.scheme in ("http", "https") and bool(parts.hostname)


def _on_earth(place: Location) -> bool:
    known = math.isfinite(place.latitude) and math.isfinite(place.longitude)
    return known and abs(place.latitude) <= 90 and abs(place.longitude) <= 180
