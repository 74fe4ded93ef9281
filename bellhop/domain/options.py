"""What a message can ask for beside its text, each on the channels whose table row names it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any


class SendStyle(StrEnum):
    """How an iMessage appears on the guest's screen (docs.sendblue.com/api/resources/messages)."""

    CELEBRATION = "celebration"
    SHOOTING_STAR = "shooting_star"
    FIREWORKS = "fireworks"
    LASERS = "lasers"
    LOVE = "love"
    CONFETTI = "confetti"
    BALLOONS = "balloons"
    SPOTLIGHT = "spotlight"
    ECHO = "echo"
    INVISIBLE = "invisible"
    GENTLE = "gentle"
    LOUD = "loud"
    SLAM = "slam"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for; None: nothing. Its repr shows nothing personal."""

    send_style: SendStyle | None = None
    reply_to: str | None = field(default=None, repr=False)
    """The address that answers go to."""
    title: str | None = field(default=None, repr=False)
    """The line above a notification's text."""
    data: Mapping[str, str] | None = field(default=None, repr=False)
    """What the property's app is given with a notification."""

    def stored(self) -> dict[str, Any]:
        """Only what was asked for, as a message's `details` keep it and the API shows it."""
        given: dict[str, Any] = {
            "send_style": self.send_style.value if self.send_style else None,
            "reply_to": self.reply_to,
            "title": self.title,
            "data": dict(self.data) if self.data is not None else None,
        }
        return {name: value for name, value in given.items() if value is not None}

    def among(self, names: Collection[str]) -> Options:
        """Only those of these names."""
        return Options(**{each.name: getattr(self, each.name) for each in fields(self) if each.name in names})


NONE = Options()


def of_stored(stored: Mapping[str, Any] | None) -> Options:
    """Those of a message whose `details` keep these."""
    if not stored:
        return NONE
    style = stored.get("send_style")
    return Options(
        send_style=SendStyle(style) if style else None,
        reply_to=stored.get("reply_to"),
        title=stored.get("title"),
        data=stored.get("data"),
    )
