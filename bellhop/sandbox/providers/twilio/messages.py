"""A Twilio message: from the form of a create call to what is stored, and from what is stored to Twilio's JSON."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import phonenumbers

from bellhop.sandbox import segments
from bellhop.sandbox.providers.twilio import scenarios, whatsapp
from bellhop.sandbox.providers.twilio.accounts import TwilioAccount
from bellhop.sandbox.providers.twilio.callbacks import TOKEN
from bellhop.sandbox.providers.twilio.errors import DELIVERY_ERRORS, Refused
from bellhop.sandbox.scenarios import Step
from bellhop.sandbox.store import Message

API_VERSION = "2010-04-01"
MOST_MEDIA = 10
_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
_CONTENT = re.compile(r"HX[0-9a-fA-F]{32}")
_HOST = re.compile(r"[A-Za-z0-9.\-\[\]:]+")

Form = Mapping[str, list[str]]


@lru_cache(maxsize=65_536)
def _is_number(text: str) -> bool:
    if not re.fullmatch(r"\+[1-9]\d{6,14}", text):
        return False
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(text))
    except phonenumbers.NumberParseException:
        return False


def _channel(address: str) -> tuple[str, str]:
    channel, colon, number = address.partition(":")
    return (channel, number) if colon else ("sms", address)


def one(form: Form, name: str) -> str:
    """A field's only value, or nothing."""
    return form.get(name, [""])[0].strip()


def checked(form: Form, account: TwilioAccount) -> tuple[str, str, str]:
    """To, From (empty with a messaging service) and Body of a create call. Raises Refused as Twilio would."""
    to, sender, service = one(form, "To"), one(form, "From"), one(form, "MessagingServiceSid")
    body = form.get("Body", [""])[0]
    if not to:
        raise Refused(21604)
    shows_none = to.startswith(whatsapp.PREFIX) and whatsapp.is_user_id(_channel(to)[1])
    if not shows_none and not _is_number(_channel(to)[1]):
        raise Refused(21211, to)
    if not sender and not service:
        raise Refused(21603)
    if service and not _SERVICE.fullmatch(service):
        raise Refused(20001, "MessagingServiceSid")
    if not (body or form.get("MediaUrl") or _CONTENT.fullmatch(one(form, "ContentSid"))):
        raise Refused(21602)
    if len(form.get("MediaUrl", [])) > MOST_MEDIA:
        raise Refused(21623)
    if len(body.encode("utf-16-le", "surrogatepass")) // 2 > 1600:  # an emoji counts as two
        raise Refused(21617)
    _check_sender(sender, to, account)
    callback = one(form, "StatusCallback")
    if callback:
        _check_callback(callback)
    if "ValidityPeriod" in form:
        _validity(form)
    return to, sender, body


def _check_sender(sender: str, to: str, account: TwilioAccount) -> None:
    if not sender:
        return
    channel, number = _channel(sender)
    if channel != _channel(to)[0]:
        raise Refused(21910)
    if sender == to:
        raise Refused(21266, to)
    if not _is_number(number) and not number.isalnum():
        raise Refused(21212, sender)
    if number not in account.numbers:
        raise Refused(63007 if sender.startswith(whatsapp.PREFIX) else 21606, sender)


def _validity(form: Form) -> int | None:
    """Seconds the message may wait in the queue; None: the usual ten hours."""
    given = one(form, "ValidityPeriod")
    if "ValidityPeriod" in form and not (given.isdecimal() and 1 <= int(given[:9]) <= 36_000):
        raise Refused(20001, "ValidityPeriod")
    return int(given) if given else None


def _check_callback(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not _HOST.fullmatch(parts.hostname):
        raise Refused(21609, url)


def compose(form: Form, account: TwilioAccount, to: str, sender: str, body: str, now: float) -> Message:
    """The message a create call asks for."""
    service, media = one(form, "MessagingServiceSid"), form.get("MediaUrl", [])
    scheduled = service and one(form, "ScheduleType") == "fixed" and one(form, "SendAt")
    return Message(
        provider="twilio",
        id=("MM" if media else "SM") + secrets.token_hex(16),
        account=account.sid,
        recipient=to,
        sender=sender,
        content=body,
        status="scheduled" if scheduled else "accepted" if service else "queued",
        accepted_at=now,
        callback_url=one(form, "StatusCallback") or None,
        parts=segments.count(body),
        detail={
            "service": service or None,
            "media": media,
            "content_sid": one(form, "ContentSid") or None,
            "validity": _validity(form),
            "send_at": _moment(one(form, "SendAt")) if scheduled else None,
        },
    )


def _moment(text: str) -> float:
    try:
        return datetime.fromisoformat(text).astimezone(UTC).timestamp()
    except ValueError:
        raise Refused(20001, "SendAt") from None


def usual_steps(message: Message) -> tuple[Step, ...]:
    """What happens to a message whose recipient is not magic."""
    if ":" in message.recipient:
        return scenarios.CHAT
    return scenarios.SMS if message.sender else scenarios.SMS_BY_SERVICE


def callback(message: Message, step: Step, account: TwilioAccount) -> dict[str, Any]:
    """The fields of the status callback of a step."""
    fields = {
        "AccountSid": message.account,
        "From": message.sender or account.numbers[0],
        "To": message.recipient,
        "MessageSid": message.id,
        "SmsSid": message.id,
        "MessageStatus": step.word,
        "SmsStatus": step.word,
        "ApiVersion": API_VERSION,
        TOKEN: str(uuid4()),
    }
    if message.detail["service"]:
        fields["MessagingServiceSid"] = message.detail["service"]
        fields |= dict(step.fields)  # by which of its senders
    if message.recipient.startswith(whatsapp.PREFIX):
        fields |= {"ChannelPrefix": "whatsapp", "ChannelToAddress": message.recipient.removeprefix(whatsapp.PREFIX)}
        fields |= {"EventType": "READ"} if step.word == "read" else {}
    if step.code is not None:
        fields["ErrorCode"] = str(step.code)
        fields["ErrorMessage"] = DELIVERY_ERRORS[step.code]
    return fields


def _rfc2822(moment: float | None) -> str | None:
    return None if moment is None else format_datetime(datetime.fromtimestamp(int(moment), UTC))


def rendered(message: Message) -> dict[str, Any]:
    """Twilio's Message resource."""
    uri = f"/{API_VERSION}/Accounts/{message.account}/Messages/{message.id}"
    service = message.detail.get("service")
    parts = 0 if service and not message.sent_at else message.parts
    price = None if message.sent_at is None else f"{-0.0079 * parts:.5f}"
    return {
        "body": message.content,
        "num_segments": str(parts),
        "direction": "inbound" if message.direction == "inbound" else "outbound-api",
        "from": message.sender or None,
        "to": message.recipient,
        "date_updated": _rfc2822(message.updated_at or message.accepted_at),
        "price": price,
        "error_message": None if message.error_code is None else DELIVERY_ERRORS[message.error_code],
        "uri": f"{uri}.json",
        "account_sid": message.account,
        "num_media": str(len(message.detail.get("media", []))),
        "status": message.status,
        "messaging_service_sid": service,
        "sid": message.id,
        "date_sent": _rfc2822(message.sent_at),
        "date_created": _rfc2822(message.accepted_at),
        "error_code": message.error_code,
        "price_unit": "USD",
        "api_version": API_VERSION,
        "subresource_uris": {"media": f"{uri}/Media.json"},
    }


def rendered_media(message: Message) -> list[dict[str, Any]]:
    """Twilio's Media resources of a message."""
    types = message.detail.get("media_types", [])
    at = _rfc2822(message.accepted_at)
    found = []
    for url, kind in zip(message.detail.get("media", []), types, strict=False):
        sid = str(url).rpartition("/")[2]
        if sid in message.detail.get("deleted", []):
            continue
        found.append(
            {
                "sid": sid,
                "account_sid": message.account,
                "parent_sid": message.id,
                "content_type": kind,
                "date_created": at,
                "date_updated": at,
                "uri": f"/{API_VERSION}/Accounts/{message.account}/Messages/{message.id}/Media/{sid}.json",
            }
        )
    return found
