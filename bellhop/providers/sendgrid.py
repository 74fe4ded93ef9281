"""Twilio SendGrid: e-mail through the official SDK, and its signed Event Webhook."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from html import unescape
from typing import Any
from urllib.request import Request

from inscriptis import get_text
from python_http_client.client import Client
from python_http_client.exceptions import HTTPError, err_dict
from sendgrid import SendGridAPIClient
from sendgrid.helpers.eventwebhook import EventWebhook

from bellhop.failures import FailureCode
from bellhop.guarded_http import Answer, Call, Http, failure
from bellhop.messages import Channel
from bellhop.ports import (
    Account,
    CallbackRequest,
    Effect,
    Found,
    FoundKind,
    Outgoing,
    Receipt,
    SendKind,
    SendResult,
    Sought,
)
from bellhop.providers.reading import by_status, fingerprint, from_json, retry_after, uuid_of, words
from bellhop.statuses import Stage

ANSWERS: dict[int, tuple[SendKind, FailureCode]] = {
    # Only with SendGrid's own body, {"errors": [...]}: it says that it is not taking requests. There is no look-up that
    # every account may use (the Email Activity API is an add-on), so calling these unknown would fail messages that a
    # minute later go out. A 500 is not among them: something broke while the request was being worked on, perhaps
    # after it was taken; like a gateway's 5xx it is settled by the `processed` event or not at all.
    429: (SendKind.RETRY, FailureCode.LIMIT_REACHED),
    503: (SendKind.RETRY, FailureCode.PROVIDER_ERROR),
}
FIELDS: tuple[tuple[str, FailureCode], ...] = (
    # A 400 names the field it is about (docs.sendgrid.com/api-reference/mail-send/errors); the first match counts.
    (r"personalizations(\.\d+)?\.to(\.|$)", FailureCode.ADDRESS_INVALID),
    (r"(from|reply_to)(\.|$)", FailureCode.CONFIGURATION),
    (r"(content|subject|personalizations\.\d+\.subject)(\.|$)", FailureCode.CONTENT_REFUSED),
)


@dataclass(frozen=True, slots=True)
class Event:
    """What an event of the webhook says: a stage, why it failed, and an effect on the address."""

    stage: Stage | None
    code: FailureCode | None = None
    effect: Effect | None = None


_NOTHING = Event(None)
_DROPPED = Event(Stage.UNDELIVERED, FailureCode.REJECTED)

EVENTS: dict[str, Event] = {
    # docs.sendgrid.com/for-developers/tracking-events/event
    "processed": Event(Stage.SENT),
    "deferred": _NOTHING,  # SendGrid tries on for 72 hours, then says `bounce`, type blocked
    "delivered": Event(Stage.DELIVERED),
    "open": Event(Stage.READ),
    "open by a machine": _NOTHING,  # Apple's mail privacy opens everything (sg_machine_open)
    "click": Event(Stage.READ),
    "bounce": Event(Stage.UNDELIVERED, FailureCode.ADDRESS_INVALID, Effect.HARD_BOUNCE),
    "bounce, blocked": Event(Stage.UNDELIVERED, FailureCode.BLOCKED),  # this time: the address itself may be fine
    "dropped": _DROPPED,
    "spamreport": Event(None, effect=Effect.COMPLAINT),  # it had to arrive to be reported: no failure
    "unsubscribe": Event(None, effect=Effect.OPT_OUT),
    "group_unsubscribe": Event(None, effect=Effect.OPT_OUT),
    "group_resubscribe": Event(None, effect=Effect.OPT_IN),
}
REASONS: dict[str, Event] = {
    # Why SendGrid dropped a message after its 202; the account's own suppression lists are mirrored here.
    "bounced address": Event(Stage.UNDELIVERED, FailureCode.ADDRESS_INVALID, Effect.HARD_BOUNCE),
    "invalid": Event(Stage.UNDELIVERED, FailureCode.ADDRESS_INVALID, Effect.HARD_BOUNCE),
    "unsubscribed address": Event(Stage.UNDELIVERED, FailureCode.OPTED_OUT, Effect.OPT_OUT),
    "spam reporting address": Event(Stage.UNDELIVERED, FailureCode.OPTED_OUT, Effect.COMPLAINT),
    "spam content": Event(Stage.UNDELIVERED, FailureCode.CONTENT_REFUSED),
    "recipient list over package quota": Event(Stage.UNDELIVERED, FailureCode.LIMIT_REACHED),
    "invalid smtpapi header": _DROPPED,
}

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
FRESH = 25 * 3_600.0
"""Seconds a signature is believed: SendGrid tries again for 24 hours, and does not say whether it signs anew."""

_TAGS = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)


class SendGrid:
    """See `bellhop.ports.Provider`. `now`: seconds since the epoch, for the age of signatures."""

    name = "sendgrid"
    channels = frozenset({Channel.EMAIL})

    def __init__(self, http: Http | None = None, now: Callable[[], float] = time.time) -> None:
        # A connection for each call: without a look-up, one that closes under a request would cost a message.
        self._http = http or Http(keep=0.0)
        self._now = now

    def send(self, account: Account, outgoing: Outgoing) -> SendResult:
        """Hand the mail over. Our ids ride as custom arguments and come back with every event."""
        key = account.credentials.get("api_key")
        if not key:
            # The SDK would look for one in the environment: another account's.
            return SendResult(SendKind.ACCOUNT, code=FailureCode.CONFIGURATION, text="no API key")
        with Call(timeout=outgoing.timeout, deadline=outgoing.deadline) as call:
            try:
                sdk = SendGridAPIClient(key, host=account.base_url.rstrip("/"))
                sdk.client = _Client(self._http, host=sdk.host, request_headers=sdk._default_headers, version=3)
                sdk.send(mail(outgoing))
            except HTTPError as error:
                return read_answer(call.answer) if call.answer else failure(call, error)
            except Exception as error:  # noqa: BLE001  never raises: see the port
                return failure(call, error)
        return _accepted(call.answer)

    def look_up(self, account: Account, sought: Sought, timeout: float) -> Found:
        """SendGrid's Email Activity API is an add-on most accounts lack, and lags by minutes."""
        return Found(FoundKind.CANNOT_KNOW)

    def verify(self, account: Account, request: CallbackRequest) -> bool:
        """ECDSA over timestamp and raw body (docs.sendgrid.com/for-developers/tracking-events/
        getting-started-event-webhook-security-features)."""
        secrets = (account.credentials, account.previous_credentials)
        keys = [key for each in secrets if (key := each.get("webhook_public_key"))]
        matches = [self._signed(key, request) for key in keys]
        return any(matches)

    def _signed(self, key: str, request: CallbackRequest) -> bool:
        try:
            timestamp = request.headers[TIMESTAMP]
            if abs(self._now() - float(timestamp)) > FRESH:
                return False
            body, signature = request.body.decode(), request.headers[SIGNATURE]
            return bool(EventWebhook(_bare(key)).verify_signature(body, signature, timestamp))
        except Exception:  # noqa: BLE001  junk is not signed by SendGrid; the SDK raises on it
            return False

    def parse(self, request: CallbackRequest) -> Sequence[Receipt]:
        """`events`: a batch of events, of many messages and in any order."""
        events = from_json(request.body)
        if request.path != "events" or not isinstance(events, list):
            raise ValueError("not a batch of SendGrid's events")
        return [_receipt(event) for event in events if isinstance(event, dict)]

    def acknowledgement(self) -> tuple[int, str, str]:
        """Any 2xx."""
        return 200, "text/plain", "ok"


def mail(outgoing: Outgoing) -> dict[str, object]:
    """The body of /v3/mail/send. The ids stand in the personalization: the message-level field takes no object, and
    SendGrid keeps both as 'not PII', so nothing else may go in."""
    sender = {"email": outgoing.sender}
    if outgoing.sender_name:
        # Neither may stand in a name (docs.sendgrid.com/api-reference/mail-send/limitations).
        sender["name"] = re.sub(r"\s*[;,]\s*", " ", outgoing.sender_name).strip()
    content = [("text/plain", outgoing.text)]
    if outgoing.content_type == "text/html":
        # In this order, and always both: a mail of HTML alone looks like spam.
        content = [("text/plain", plain(outgoing.text)), ("text/html", outgoing.text)]
    ids = {"attempt_id": str(outgoing.attempt_id), "message_id": str(outgoing.message_id)}
    return {
        "personalizations": [{"to": [{"email": outgoing.to}], "custom_args": ids}],
        "from": sender,
        "subject": outgoing.subject or "",
        "content": [{"type": kind, "value": value} for kind, value in content if value.strip()],
    }


def plain(html: str) -> str:
    """The text of an HTML mail, laid out for reading; what the library can't take is stripped of its tags."""
    try:
        return str(get_text(html))
    except Exception:  # noqa: BLE001  a mail goes out even when its HTML is beyond repair
        return unescape(_TAGS.sub(" ", html))


class _Opened:
    """A guarded answer as the SDK expects one of urllib."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def getcode(self) -> int:
        return self._answer.status

    def read(self) -> bytes:
        return self._answer.body

    def info(self) -> Message:
        return _headers(self._answer)


class _Client(Client):  # type: ignore[misc]  # the SDK ships no types
    """The SDK's HTTP client, over guarded connections: urllib follows redirects and hides whether a request left."""

    def __init__(self, http: Http, **options: Any) -> None:
        super().__init__(**options)
        self._http = http

    def _build_client(self, name: str | None = None) -> _Client:
        return _Client(
            self._http,
            host=self.host,
            version=self._version,
            request_headers=self.request_headers,
            url_path=[*self._url_path, name] if name else self._url_path,
            append_slash=self.append_slash,
        )

    def _make_request(self, opener: object, request: Request, timeout: float | None = None) -> _Opened:
        body = request.data if isinstance(request.data, bytes) else None
        headers = dict(request.header_items())
        answer = self._http.request(request.get_method(), request.full_url, headers, body)
        if answer.status >= 300:
            raise err_dict.get(answer.status, HTTPError)(answer.status, "", answer.body, _headers(answer))
        return _Opened(answer)


def _headers(answer: Answer) -> Message:
    message = Message()
    for name, value in answer.headers.items():
        message[name] = value
    return message


def _accepted(answer: Answer | None) -> SendResult:
    if answer is None or answer.status != 202:
        # SendGrid answers 202 and nothing else (200 only to its own sandbox mode): a page of some proxy.
        return SendResult(SendKind.UNKNOWN, code=FailureCode.OUTCOME_UNKNOWN, text="not SendGrid's 202")
    return SendResult(SendKind.ACCEPTED, answer.headers.get("x-message-id"))


def read_answer(answer: Answer) -> SendResult:
    """What an answer other than 2xx means: `ANSWERS` if the body is SendGrid's, else its HTTP status."""
    try:
        body = from_json(answer.body)
    except ValueError:
        body = None
    errors = body.get("errors") if isinstance(body, dict) else None
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else None
    kind, code = by_status(answer.status)
    if first is not None:
        kind, code = ANSWERS.get(answer.status, (kind, code))
    field = first.get("field") if first else None
    if kind is SendKind.REFUSED and isinstance(field, str):
        code = next((why for pattern, why in FIELDS if re.match(pattern, field)), code)
    return SendResult(
        kind,
        code=code,
        provider_code=str(answer.status),
        text=words(first.get("message")) if first else None,
        retry_after=retry_after(answer) if kind is SendKind.RETRY else None,
    )


def _bare(key: str) -> str:
    """The base64 between PEM's lines, if somebody pasted those too."""
    return "".join(line for line in key.split() if not line.startswith("-") and line not in ("PUBLIC", "KEY-----"))


def _text(event: Mapping[str, object], name: str) -> str | None:
    value = event.get(name)
    return value if isinstance(value, str) and value else None


def _meaning(event: Mapping[str, object], word: str) -> tuple[Event, str | None]:
    """The row for an event, and SendGrid's code for a failure: an enhanced status (RFC 3463) or the reason's name."""
    status = _text(event, "status")
    code = status if status and re.fullmatch(r"\d\.\d{1,3}\.\d{1,3}", status) else None
    if word == "open" and event.get("sg_machine_open") is True:
        word = "open by a machine"
    if word == "bounce" and event.get("type") == "blocked":
        word = "bounce, blocked"
    if word == "dropped":
        given = (_text(event, "reason") or "").lower()
        # "Spam Content (if Spam Checker app is enabled)": what follows in brackets varies.
        reason = next((each for each in (given, given.split("(")[0].strip()) if each in REASONS), None)
        return REASONS.get(reason or "", _DROPPED), reason or code or "dropped"
    return EVENTS.get(word, _NOTHING), code


def _receipt(event: Mapping[str, object]) -> Receipt:
    word = _text(event, "event") or "unknown"
    meaning, code = _meaning(event, word)
    message = _text(event, "sg_message_id")
    failed = meaning.stage is Stage.UNDELIVERED
    return Receipt(
        dedupe_key=_text(event, "sg_event_id") or fingerprint(event),
        word=word,
        stage=meaning.stage,
        attempt_id=uuid_of(event.get("attempt_id")),
        # X-Message-Id with the filter's and the receiver's suffix; some asynchronous bounces have none.
        provider_id=re.split(r"\.(?:filter|recv)", message)[0] if message else None,
        payload=dict(event),
        code=meaning.code,
        provider_code=code if failed else None,
        occurred_at=_time(event.get("timestamp")),
        effect=meaning.effect,
        address=_text(event, "email") if meaning.effect else None,
    )


def _time(value: object) -> datetime | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
