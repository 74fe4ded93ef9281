"""SendGrid's Email Activity API: what it is asked, and what its answers say, in the words of the Event Webhook.

twilio.com/docs/sendgrid/api-reference/email-activity and
twilio.com/docs/sendgrid/for-developers/sending-email/getting-started-email-activity-api
- It is an add-on that most accounts lack, and a key needs a permission of its own: 403, 401, 404 or 400 say so.
- It answers six requests a minute ("the current limit is 6 requests per minute"), then 429.
- It lags by minutes, so what it does not show may be there all the same.
- Its list has no pages: at most 1,000 messages an answer, without times but that of each message's last event.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from bellhop.domain.delivery_ports import CannotList, Listed, ProviderUnreachable
from bellhop.domain.statuses import Stage
from bellhop.providers.lease_http import Answer
from bellhop.providers.reading import from_json, retry_after

PER_MINUTE = 6
MOST = 1_000
"""Messages in one answer, at most."""
NOT_OFFERED = frozenset({400, 401, 403, 404})

STATUSES: dict[str, Stage] = {
    # The summary in the list; why something was not delivered, or is being tried again, only the message's events say.
    "processed": Stage.SENT,
    "delivered": Stage.DELIVERED,
    "not_delivered": Stage.UNDELIVERED,
}
WORDS: dict[str, Mapping[str, object]] = {
    # An event's name there → the event as the webhook tells it.
    "delivered": {"event": "delivered"},
    "bounced": {"event": "bounce", "type": "bounce"},
    "bounced, soft": {"event": "bounce", "type": "blocked"},
    "blocked": {"event": "bounce", "type": "blocked"},
    "dropped": {"event": "dropped"},
    "deferred": {"event": "deferred"},
    "processed": {"event": "processed"},
}
FINAL = ("bounced", "blocked", "dropped", "delivered")
"""The names that end a message, the stronger first: a server that took a mail may send it back."""

_MESSAGE_ID = re.compile(r"[A-Za-z0-9._-]{1,200}")
_EPOCH = re.compile(r"-([0-9A-F]{8})-\d+\.\d+$")
_ENHANCED = re.compile(r"\b[45]\.\d{1,3}\.\d{1,3}\b")


class Throttled(ProviderUnreachable):
    """Six requests a minute are all there are."""

    def __init__(self, pause: float | None) -> None:
        super().__init__("too many requests")
        self.pause = pause


def of_attempt(attempt_id: UUID) -> str:
    """The query for the one message that carries this attempt's id. Custom arguments are called `unique_args` there."""
    return f"(unique_args['attempt_id']=\"{attempt_id}\")"


def of_span(since: datetime, until: datetime) -> str:
    """The query for messages whose last event lies in [since, until], whole seconds both."""
    first, last = (
        moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z" for moment in (since, until)
    )
    return f'last_event_time BETWEEN TIMESTAMP "{first}" AND TIMESTAMP "{last}"'


def read(answer: Answer | None) -> dict[str, Any]:
    """The object in an answer. Raises CannotList where the account may not ask, ProviderUnreachable for the rest."""
    if answer is None:
        raise ProviderUnreachable("no answer")
    if answer.status in NOT_OFFERED:
        raise CannotList(f"HTTP {answer.status}: the Email Activity API is not among this account's, or its key's")
    if answer.status == 429:
        raise Throttled(retry_after(answer))
    try:
        body = from_json(answer.body) if answer.status == 200 else None
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ProviderUnreachable(f"HTTP {answer.status}")
    return body


def messages(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The messages of a list, each with an id that can be asked for. Raises ProviderUnreachable."""
    found = body.get("messages")
    if not isinstance(found, list):
        raise ProviderUnreachable("not a list of messages")
    return [one for one in found if isinstance(one, dict) and _MESSAGE_ID.fullmatch(str(one.get("msg_id")))]


def provider_id(message_id: str) -> str:
    """The X-Message-Id of the answer to mail/send: the id without the filter's and the receiver's suffix."""
    return re.split(r"\.(?:filter|recv)", message_id)[0]


def event(message: Mapping[str, Any], detail: Mapping[str, Any]) -> dict[str, object]:
    """The webhook event that says where a message stands. Without texts: a reason may quote the guest's address, so
    only its code is kept, and of a dropped message the reason's name."""
    events = detail.get("events")
    each = [one for one in events if isinstance(one, dict)] if isinstance(events, list) else []
    by_name = {str(one.get("event_name")): one for one in sorted(each, key=lambda one: str(one.get("processed")))}
    name = next((name for name in FINAL if name in by_name), None)
    if name is None:
        status = str(message.get("status"))
        # Not delivered, and no end among its events: it is being tried again.
        name = "deferred" if status == "not_delivered" else status
    last = by_name.get(name, {})
    reason = str(last.get("reason") or "")
    code = _ENHANCED.search(reason)
    word = "bounced, soft" if name == "bounced" and last.get("bounce_type") == "soft" else name
    return {
        **WORDS.get(word, {"event": word}),
        **({"status": code.group()} if code else {}),
        **({"reason": reason} if name == "dropped" else {}),
        "sg_message_id": str(message["msg_id"]),
        # Without its events, a message shows when the last of them was: at the latest then.
        "timestamp": seconds(last.get("processed")) or seconds(message.get("last_event_time")),
    }


def seconds(value: object) -> float | None:
    """The epoch of an ISO 8601 time."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() if moment else None
    except (ValueError, OverflowError):
        return None


def listed(message: Mapping[str, Any]) -> Listed:
    """A message of the list. The list has no time of acceptance; SendGrid's ids have it, in hexadecimal seconds."""
    message_id = str(message["msg_id"])
    epoch = _EPOCH.search(message_id)
    word = str(message.get("status"))
    return Listed(
        provider_id=provider_id(message_id),
        to=str(message.get("to_email") or ""),
        sender=str(message.get("from_email") or ""),
        text=None,
        word=word,
        stage=STATUSES.get(word),
        accepted_at=datetime.fromtimestamp(int(epoch.group(1), 16), UTC) if epoch else None,
    )
