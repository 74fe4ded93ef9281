"""Templates that a channel's owner has approved beforehand: WhatsApp's, which alone reach a guest who has not written
lately. Pure.

Ours names the approved one and says which of its parameters goes into which of the other's variables. What WhatsApp
refuses in a value is refused or flattened before a call, and so is a variable without a value: Twilio would print the
sample that the template was approved with, and tell nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

MOST_VARIABLES = 100
LONGEST_NAME = 16
LONGEST_VALUE = 1_600
"""Characters (twilio.com/docs/content/using-variables-with-content-api)."""
LONGEST_TEXT = 1_024
"""Characters of the whole text, values included (twilio.com/docs/api/errors/63021)."""
_ODD_SPACES = re.compile(r"[\n\r\t]| {5,}")
"""What Meta refuses in a value."""


class ApprovalStatus(StrEnum):
    """Where the approval of a template stands, in Twilio's words, and ours for one that is not there."""

    UNSUBMITTED = "unsubmitted"
    RECEIVED = "received"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    PAUSED = "paused"
    DISABLED = "disabled"
    MISSING = "missing"
    """The account has no such template."""
    UNKNOWN = "unknown"
    """A word that this version does not know."""


@dataclass(frozen=True, slots=True)
class Approval:
    """What a provider says of an approved template."""

    status: ApprovalStatus
    variables: tuple[str, ...] = ()
    """The names of its variables, in order."""
    category: str | None = None
    rejection_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Mapped:
    """What one of our templates says of the approved one: its id, and the parameter that goes into each variable (a
    name, or a path such as `room.kind`)."""

    content_sid: str
    variables: Mapping[str, str]

    def problem(self, approval: Approval | None) -> str | None:
        """Why it cannot be used, as a sentence; None: it can."""
        if approval is None:
            return "its approval is not known yet"
        if approval.status is not ApprovalStatus.APPROVED:
            return f"it is {approval.status.value}, not approved"
        if {*self.variables} != {*approval.variables}:
            there = ", ".join(approval.variables) or "none"
            return f"its variables are {there}, and those named here are {', '.join(self.variables) or 'none'}"
        return None


@dataclass(frozen=True, slots=True)
class ApprovedText:
    """An approved template with its values: what goes out of a message where its text may not. Its repr shows none."""

    content_sid: str
    variables: Mapping[str, str] = field(repr=False)
    text: str = field(repr=False)
    """What the guest reads then."""

    def stored(self) -> dict[str, Any]:
        """As a message keeps it."""
        return {"content_sid": self.content_sid, "variables": dict(self.variables), "text": self.text}


def of_stored(stored: Mapping[str, Any] | None) -> ApprovedText | None:
    """What a message's `body` keeps, if it keeps one."""
    kept = (stored or {}).get("approved")
    return ApprovedText(kept["content_sid"], kept["variables"], kept["text"]) if kept else None


def flat(value: str) -> str:
    """A value without what Meta refuses in one."""
    return " ".join(value.split()) if _ODD_SPACES.search(value) else value


def refused(values: Sequence[str], text: str) -> str | None:
    """Why an approved template cannot carry these values, which make that text; None: it can."""
    if any(_ODD_SPACES.search(value) for value in values):
        return "WhatsApp takes no line break, tab or more than four spaces in a row in it"
    if any(not value or len(value) > LONGEST_VALUE for value in values):
        return f"WhatsApp takes no value without text or of more than {LONGEST_VALUE:,} characters"
    if len(text) > LONGEST_TEXT:
        return f"WhatsApp takes at most {LONGEST_TEXT:,} characters in all"
    return None


def state_of(row: Mapping[str, Any] | None) -> tuple[Approval, datetime] | None:
    """What is stored of an approval, and when it was asked for."""
    if row is None or row.get("status") is None:
        return None
    approval = Approval(
        ApprovalStatus(row["status"]), tuple(row["variables"]), row.get("category"), row.get("rejection_reason")
    )
    return approval, datetime.fromisoformat(row["checked_at"])


@runtime_checkable
class ApprovalSource(Protocol):
    """A provider at which templates are approved."""

    def approval(self, account: Any, content_sid: str, timeout: float) -> Approval:
        """What it says of one of the account's. MISSING where it has none of that id. Raises ProviderUnreachable."""
