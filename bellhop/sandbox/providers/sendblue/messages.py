"""Sendblue's message as its API shows it: checked, made, and rendered in the shapes of send, list and callback."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid4, uuid5

from bellhop.sandbox.providers.sendblue.accounts import SendblueAccount
from bellhop.sandbox.providers.sendblue.errors import Refused
from bellhop.sandbox.providers.sendblue.scenarios import REFUSALS
from bellhop.sandbox.scenarios import Step
from bellhop.sandbox.store import Message

LONGEST = 18_996
LARGEST = 25
"""Numbers of a group."""
STYLES = (
    "celebration", "shooting_star", "fireworks", "lasers", "love", "confetti", "balloons", "spotlight", "echo",
    "invisible", "gentle", "loud", "slam",
)  # fmt: skip
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")


def text_of(body: Mapping[str, Any], name: str) -> str:
    """A field that is some text, or nothing. Raises Refused on what is neither."""
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refused(400, 4000, f"{name} must be a string")
    return value


def numbers_of(body: Mapping[str, Any], earlier: Callable[[str], list[str] | None]) -> list[str]:
    """Whom a send to a group is for. `earlier`: the numbers of a group that there is, by its id. Raises Refused."""
    numbers, group_id = body.get("numbers"), text_of(body, "group_id")
    if not numbers and not group_id:
        raise Refused(400, 4000, "numbers or group_id is required")
    if not numbers:
        found = earlier(group_id)
        if found is None:
            raise Refused(400, 4000, "group_id is not known")
        return found
    if not isinstance(numbers, list) or not all(isinstance(one, str) and _NUMBER.fullmatch(one) for one in numbers):
        raise Refused(400, 4000, "numbers must be in E.164 format")
    if len(numbers) > LARGEST:
        raise Refused(400, 4000, f"numbers has more than {LARGEST}")
    return numbers


def group_id_of(account: SendblueAccount, line: str, numbers: Iterable[str]) -> str:
    """The same numbers are the same group."""
    return str(uuid5(NAMESPACE_OID, ",".join((account.id, line, *sorted(set(numbers))))))


def checked(body: Mapping[str, Any], account: SendblueAccount) -> tuple[str, str]:
    """Receiver and line of a send. Raises Refused as Sendblue would."""
    number, line = text_of(body, "number"), text_of(body, "from_number")
    if not _NUMBER.fullmatch(number):
        raise Refused(400, 4000, "number must be in E.164 format")
    if not line:
        if len(account.lines) != 1:
            raise Refused(400, 4000, "Missing required parameter: from_number")
        line = account.lines[0]
    if line not in account.lines:
        raise Refused(400, 4000, "from_number is not registered to your account")
    content = text_of(body, "content")
    if not content and not text_of(body, "media_url"):
        raise Refused(400, 4000, "content or media_url is required")
    if len(content) > LONGEST:
        raise Refused(400, 4000, f"content is longer than {LONGEST} characters")
    style = text_of(body, "send_style")
    if style and style not in STYLES:
        raise Refused(400, 4000, "send_style is not valid")
    return number, line


def compose(
    body: Mapping[str, Any], account: SendblueAccount, number: str, line: str, now: float, group: Iterable[str] = ()
) -> Message:
    """The message a send asks for. `group`: the numbers of the group that it is to, of which one is `number`."""
    grouped = {"group_id": group_id_of(account, line, group), "participants": [*group, line]} if group else {}
    return Message(
        provider="sendblue",
        id=str(uuid4()).upper(),
        account=account.id,
        recipient=number,
        sender=line,
        content=text_of(body, "content"),
        status="QUEUED",
        accepted_at=now,
        callback_url=text_of(body, "status_callback") or None,
        detail={
            "media_url": text_of(body, "media_url"),
            "send_style": text_of(body, "send_style"),
            "service": "iMessage",
            "was_downgraded": False,
            **grouped,
        },
    )


def _time(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def answered(message: Message, account: SendblueAccount) -> dict[str, Any]:
    """The answer to a send and to `GET /api/status`: the 13 fields of a MessageResponse."""
    return {
        "account_email": account.email,
        "content": message.content,
        "date_created": _time(message.accepted_at),
        "date_updated": _time(message.updated_at or message.accepted_at),
        "error_code": message.error_code,
        "error_message": None if message.error_code is None else why(message.error_code),
        "from_number": message.sender,
        "is_outbound": message.direction == "outbound",
        "media_url": message.detail.get("media_url", ""),
        "message_handle": message.id,
        "number": message.recipient,
        "send_style": message.detail.get("send_style") or None,
        # The schema of this answer has four words; the list has all of them.
        "status": message.status if message.status in ("SENT", "DELIVERED") else _SHORT.get(message.status, "QUEUED"),
    }


_SHORT = {"ERROR": "ERROR", "DECLINED": "ERROR"}


def why(code: int) -> str:
    """The words beside an error code."""
    words = {10001: "Failed to send message", 4002: "This number is blocked", 10002: "Status could not be resolved"}
    return words.get(code) or REFUSALS.get(code, ("", "Error"))[1]


def item(message: Message, account: SendblueAccount) -> dict[str, Any]:
    """The 25 fields of a list item, which a callback bears as well."""
    outbound = message.direction == "outbound"
    guest, line = (message.recipient, message.sender) if outbound else (message.sender, message.recipient)
    code = message.error_code
    return {
        "accountEmail": account.email,
        "content": message.content,
        "is_outbound": outbound,
        "status": message.status,
        "error_code": code,
        "error_message": None if code is None else why(code),
        "error_reason": None,
        "error_detail": None,
        "message_handle": message.id,
        # When it was handed over: it may be in the list before it went out.
        "date_sent": _time(message.accepted_at),
        "date_updated": _time(message.updated_at or message.accepted_at),
        "from_number": message.sender,
        "number": guest,
        "to_number": message.recipient,
        "was_downgraded": message.detail.get("was_downgraded", False),
        "plan": "dedicated",
        "media_url": message.detail.get("media_url", ""),
        "message_type": "group" if message.detail.get("group_id") else "message",
        "group_id": message.detail.get("group_id", ""),
        "participants": message.detail.get("participants") or [guest, line],
        "send_style": message.detail.get("send_style") or None,
        "opted_out": False,
        "sendblue_number": line,
        "service": message.detail.get("service", "iMessage"),
        "group_display_name": None,
    }


def callback(message: Message, step: Step, due: float, account: SendblueAccount) -> dict[str, Any]:
    """The body of the callback of a step."""
    reported = {"status": step.word, "error_code": step.code, "date_updated": _time(due), **dict(step.fields)}
    if step.code is not None:
        reported["error_message"] = why(step.code)
    return item(message, account) | reported
