"""What came with a guest's message beside its text: files, a button, a place, who they say they are.

Providers pass on what strangers sent: every value is cut or left out here, before it is stored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from bellhop.domain.channels import Service
from bellhop.domain.ids import Prefix, render
from bellhop.domain.inbound_files import SENTENCES, FileProblem, FileState, KeptFile

MOST_MEDIA = 10
"""Files of one message, as many as providers take (twilio.com/docs/messaging/guides/accepted-mime-types)."""
LONGEST_URL = 2_048
LONGEST_TEXT = 1_024
LONGEST_NAME = 255
LONGEST_ORIGINAL = 200_000


class MatchedBy(StrEnum):
    """What told which guest a message is of, where several have the address that it came from."""

    STAY = "stay"
    """Theirs is the stay that is under way or nearest."""
    WRITTEN_TO = "written_to"
    """They were written to last."""
    ANSWERED = "answered"
    """They answered a message of theirs: by its reply address, or naming its id."""
    MOVED = "moved"
    """Somebody moved it to them."""


@dataclass(frozen=True, slots=True)
class Media:
    """A file: still with the provider (`url`), or one whose bytes came with the message and are kept (`kept`)."""

    url: str = field(default="", repr=False)
    content_type: str | None = None
    """What its sender says it is."""
    provider_id: str | None = None
    """What the provider deletes it by; nothing personal is in it. None: it deletes none."""
    filename: str | None = field(default=None, repr=False)
    kept: Mapping[UUID, KeptFile] = field(default_factory=dict)
    """Our copy for each scope whose message it may be: see `engine.inbound_files.keep`."""
    problem: FileProblem | None = None
    """Why there is none."""

    def state_for(self, scope_id: UUID | None) -> FileState:
        """Where our copy is when a message of that scope is stored."""
        if scope_id is not None and scope_id in self.kept:
            return FileState.KEPT
        return FileState.PENDING if self.problem is None and _callable(self.url) else FileState.FAILED

    def stored(self, scope_id: UUID | None) -> dict[str, Any]:
        """As the details of a message of that scope keep it."""
        state = self.state_for(scope_id)
        if state is FileState.KEPT and scope_id is not None:
            return self.kept[scope_id].stored()
        said = {"content_type": _cut(self.content_type, LONGEST_NAME), "filename": _cut(self.filename, LONGEST_NAME)}
        why = {"problem": (self.problem or FileProblem.NO_ADDRESS).value} if state is FileState.FAILED else {}
        return {"state": state.value, **{name: value for name, value in said.items() if value}, **why}


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
class Group:
    """The group chat that a message was written in. `members`: how many; who they are is not kept with it."""

    id: str | None = None
    name: str | None = None
    members: int | None = None


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
    original: str | None = None
    """All of a mail's text, with what it quotes; None: nothing was left out."""
    automatic: bool = False
    """A program wrote it, not the guest: nobody answers it."""
    group: Group | None = None
    service: Service | None = None
    """By what it came, where the provider says so."""
    was_downgraded: bool | None = None

    def stored(self, matched_by: MatchedBy | None = None, scope_id: UUID | None = None) -> dict[str, Any] | None:
        """As a message of that scope keeps it, of bounded size; None when there is nothing. `matched_by`: what told
        whose message it is."""
        button, place, group = self.button, self.location, self.group
        kept = {
            "media": [one.stored(scope_id) for one in self.media[:MOST_MEDIA]],
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
            "group": {
                "id": _cut(group.id, LONGEST_NAME),
                "name": _cut(group.name, LONGEST_NAME),
                "members": min(group.members, 10_000) if group.members is not None else None,
            }
            if group
            else None,
            "service": self.service.value if self.service else None,
            "was_downgraded": self.was_downgraded,
            "matched_by": matched_by.value if matched_by else None,
            "original": _cut(self.original, LONGEST_ORIGINAL),
            "automatic": self.automatic or None,
        }
        return {name: value for name, value in kept.items() if value or value is False} or None


def shown(stored: dict[str, Any] | None) -> dict[str, Any]:
    """The fields of the public object, whatever there is."""
    kept = stored or {}
    return {
        "media": [_shown_file(one) for one in kept.get("media", [])],
        "media_count": kept.get("media_count", 0),
        "button": kept.get("button"),
        "location": kept.get("location"),
        "profile": kept.get("profile"),
        "replied_to": kept.get("replied_to"),
        "group": kept.get("group"),
        "service": kept.get("service"),
        "was_downgraded": kept.get("was_downgraded"),
        "matched_by": kept.get("matched_by"),
        "original": kept.get("original"),
        "automatic": kept.get("automatic", False),
    }


def _shown_file(kept: Mapping[str, Any]) -> dict[str, Any]:
    """One file. Versions before kept no copies: of theirs there is the provider's address alone."""
    problem = kept.get("problem")
    asset_id = kept.get("asset_id")
    return {
        "state": kept.get("state", "at_provider"),
        "url": kept.get("url"),
        "content_type": kept.get("content_type"),
        "filename": kept.get("filename"),
        "size": kept.get("size"),
        "asset_id": render(Prefix.ASSET, UUID(asset_id)) if asset_id else None,
        "problem": {"code": problem, "message": SENTENCES[FileProblem(problem)]} if problem else None,
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
