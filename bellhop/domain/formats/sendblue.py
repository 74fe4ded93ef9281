"""Sendblue's message (docs.sendblue.com/api/resources/messages): the 25 fields of a list item, which its webhooks bear
as well, and the 13 of the answer to a send."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from bellhop.domain import groups
from bellhop.domain.channels import CHANNELS, Channel, Service
from bellhop.domain.choosing import Unsuited
from bellhop.domain.failures import WORDS, FailureCode
from bellhop.domain.ids import Prefix, render
from bellhop.domain.rows.texts import TextRow
from bellhop.domain.serializers import timestamp
from bellhop.domain.statuses import FAILED, STATUS, Stage, Status

SERVICES = {Service.IMESSAGE: "iMessage", Service.RCS: "RCS", Service.SMS: "SMS"}
"""What it calls them."""
RECEIVED = "RECEIVED"
"""The status of a guest's own message."""
STATUSES = {
    Status.QUEUED: "QUEUED",
    Status.SENT: "SENT",
    Status.DELIVERED: "DELIVERED",
    Status.READ: "DELIVERED",  # it has no word for what was read
    Status.FAILED: "ERROR",
    Status.CANCELLED: "DECLINED",
}
"""The word of each status, in lists and webhooks."""
_SHORT = {"DECLINED": "ERROR", RECEIVED: "DELIVERED"}
"""Of the four words that the answer to a send has, the one that is said instead."""

BLOCKED, INTERNAL, NOT_SENT, UNRESOLVED, RATE = 4002, 5000, 10001, 10002, 4001
_ERRORS = {
    FailureCode.OPTED_OUT: BLOCKED,
    FailureCode.BLOCKED: BLOCKED,
    FailureCode.LIMIT_REACHED: RATE,
    FailureCode.PROVIDER_ERROR: INTERNAL,
    FailureCode.OUTCOME_UNKNOWN: UNRESOLVED,
}
"""The number of a failure; of every other one NOT_SENT."""


def account(property_id: UUID) -> str:
    """What its clients read as the e-mail address of the account: the property's id, at a domain that nobody can have
    (RFC 2606), since properties have no address of their own here. Its types know a text there, and no null."""
    return f"{render(Prefix.PROPERTY, property_id)}@bellhop.invalid"


def handle(row: TextRow) -> str:
    """What its clients call the message."""
    return str(row.id)


def item(row: TextRow, stage: Stage | None = None, at: datetime | None = None) -> dict[str, Any]:
    """The item of a list, 25 fields. `stage`, `at`: as an event says that it became, and when."""
    stage = stage or row.shown
    service = service_of(row)
    group = groups.of_stored(row.details)
    return {
        "accountEmail": account(row.property_id),
        "content": row.content or "",
        "date_sent": timestamp(row.sent_at or (None if row.is_outbound else row.created_at)),
        "date_updated": timestamp(at or row.updated_at),
        **error_of(row, stage),
        "from_number": row.line if row.is_outbound else row.sender,
        "group_display_name": None,
        "group_id": group.id if group else None,
        "is_outbound": row.is_outbound,
        "media_url": _media_url(row),
        "message_handle": handle(row),
        "message_type": "group" if group else "message",
        "number": None if group else row.number,
        "opted_out": row.opted_out,
        "participants": list(group.members) if group else [],
        "plan": None,
        "send_style": _style(row),
        "sendblue_number": row.line,
        "service": SERVICES[service] if service else None,
        "status": STATUSES[STATUS[stage]] if row.is_outbound else RECEIVED,
        "to_number": None if group else row.recipient,
        "was_downgraded": _downgraded(row),
    }


def response(row: TextRow) -> dict[str, Any]:
    """The answer to a send and to a question about its status, 13 fields."""
    shown = item(row)
    return {
        "account_email": shown["accountEmail"],
        "content": shown["content"],
        "date_created": timestamp(row.created_at),
        "date_updated": shown["date_updated"],
        "error_code": shown["error_code"],
        "error_message": shown["error_message"],
        "from_number": shown["from_number"],
        "is_outbound": shown["is_outbound"],
        "media_url": shown["media_url"],
        "message_handle": shown["message_handle"],
        "number": shown["number"],
        "send_style": shown["send_style"],
        "status": _SHORT.get(shown["status"], shown["status"]),
    }


def erased(message_id: UUID, stage: Stage | None, at: datetime) -> dict[str, Any]:
    """What is left of the item of a message whose guest was erased. `stage`: of one to a guest, what became of it."""
    return {
        "message_handle": str(message_id),
        "is_outbound": stage is not None,
        "status": RECEIVED if stage is None else STATUSES[STATUS[stage]],
        "date_updated": timestamp(at),
    }


def error_of(row: TextRow, stage: Stage) -> dict[str, Any]:
    """Why it failed, in four fields."""
    failure = FailureCode(row.failure_code) if stage in FAILED and row.failure_code else None
    return {
        "error_code": None if failure is None else _ERRORS.get(failure, NOT_SENT),
        "error_detail": None if failure is None else row.provider_code,
        "error_message": None if failure is None else WORDS[failure].sentence,
        "error_reason": None if failure is None else failure.value.upper(),
    }


def service_of(row: TextRow) -> Service | None:
    """By what it went; as long as nobody has said, by what its channel goes. None: its step is no text."""
    step = row.step_at(row.step)
    return row.service or CHANNELS[step.channel if step else row.channel].text


def _downgraded(row: TextRow) -> bool:
    """Whether it went by less than an iMessage because that was not to be had: at the guest, or at the property."""
    if not row.is_outbound:
        return False
    if CHANNELS[row.channel].text is Service.IMESSAGE:
        return service_of(row) not in (None, Service.IMESSAGE)
    without: dict[str, str] = ((row.details or {}).get("chosen") or {}).get("not", {})
    return without.get(Channel.IMESSAGE.value) == Unsuited.NO_SENDER.value


def _media_url(row: TextRow) -> str | None:
    files = (row.details or {}).get("media") or [{}]
    url = files[0].get("url") or files[0].get("source")
    return str(url) if url else None


def _style(row: TextRow) -> str | None:
    style = ((row.details or {}).get("options") or {}).get("send_style")
    return str(style) if style else None
