"""Bird's message (docs.bird.com, Channels API): what a send is answered with, lists and webhooks bear.

What its clients gave and no column has lies in the message's `metadata` below the key `bird` (KEPT), in Bird's own
words, as `kept` puts it there and `message` reads it:

    reference     text
    meta          object
    tags          list of texts, in lower case
    shortLinks    {"enabled": bool, "domain": text}: shown where no link was made short
    replyTo       {"id": text, "type": "message"}
    template      {"projectId", "version", "locale", "parameters"}: shown instead of a body
    body          object: the body as it was given, where the text of the message alone does not say it
    refused       text: what was expected, of one that was refused after it had been taken in
    batchId       text: the batch that it is of
    notification, capFrequency, enableLinkTracking: kept as given, not shown

`metadata` is the caller's: any other API may have written something else there, so what has not this form is not shown.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from mimetypes import guess_type
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from bellhop.domain import groups, short_links
from bellhop.domain.channels import TEXTS, AddressKind, Channel, kind_of
from bellhop.domain.events import EventType
from bellhop.domain.failures import WORDS, FailureCode
from bellhop.domain.rows.texts import ChannelText
from bellhop.domain.serializers import timestamp
from bellhop.domain.statuses import FAILED, Stage

KEPT = "bird"
"""The key of `metadata` below which its own things lie."""
SERVICE = "channels"
"""What its subscriptions are of."""
OUTBOUND, INBOUND = "outbound", "inbound"
EVENTS: Mapping[str, tuple[Channel, str]] = {
    f"{channel.value}.{way}": (channel, way) for channel in TEXTS for way in (OUTBOUND, INBOUND)
}
"""What there are subscriptions to: the channel of the messages, and which way these go."""
FILTERS = ("channelId", "status")
OUTGOING, INCOMING = "outgoing", "incoming"
ACCEPTED, PROCESSING, SCHEDULED, SENT, DELIVERED = "accepted", "processing", "scheduled", "sent", "delivered"
REJECTED, SENDING_FAILED, DELIVERY_FAILED, DELETED = "rejected", "sending_failed", "delivery_failed", "deleted"
STATUSES = (
    ACCEPTED, REJECTED, PROCESSING, SCHEDULED, SENT, SENDING_FAILED, DELIVERED, DELIVERY_FAILED, DELETED
)  # fmt: skip
"""The nine words, in the order of its description."""

_OF_STAGE = {
    Stage.CANCELLED: DELETED,
    Stage.GAVE_UP: SENDING_FAILED,  # it never reached the platform
    Stage.SENT: SENT,
    Stage.UNDELIVERED: DELIVERY_FAILED,  # the platform took it, the recipient did not get it
    Stage.DELIVERED: DELIVERED,
    Stage.READ: DELIVERED,  # reading is an interaction there
}
_OF_TYPE: Mapping[str, tuple[str, ...]] = {
    EventType.MESSAGE_SENT: (SENT,),
    EventType.MESSAGE_DELIVERED: (DELIVERED,),
    EventType.MESSAGE_FAILED: (REJECTED, SENDING_FAILED, DELIVERY_FAILED),
    EventType.MESSAGE_CANCELLED: (DELETED,),
    EventType.MESSAGE_RECEIVED: (DELIVERED,),
}
"""The words that each event of ours may be told in."""
REJECTING = frozenset(
    {
        FailureCode.OPTED_OUT,
        FailureCode.BOUNCED,
        FailureCode.FREQUENCY_CAP,
        FailureCode.WHATSAPP_TEMPLATE_REQUIRED,
        FailureCode.MEDIA_REFUSED,
        FailureCode.MEDIA_UNAVAILABLE,
        FailureCode.INVALID,
    }
)
"""Why we gave it up ourselves, by what was found out after it was accepted, or by policy."""

CHANNEL, INPUT, DEPENDENCY, TYPE, DESTINATION, CUSTOMER, PLATFORM = 11001, 11002, 12001, 12002, 12003, 14001, 15001
_FAILURES = {
    FailureCode.OPTED_OUT: CUSTOMER,
    FailureCode.BOUNCED: CUSTOMER,
    FailureCode.FREQUENCY_CAP: CUSTOMER,
    FailureCode.QUIET_HOURS: CUSTOMER,
    FailureCode.EXPIRED: CUSTOMER,
    FailureCode.ADDRESS_INVALID: DESTINATION,
    FailureCode.WHATSAPP_TEMPLATE_REQUIRED: INPUT,
    FailureCode.TEMPLATE_REFUSED: INPUT,
    FailureCode.MEDIA_UNAVAILABLE: INPUT,
    FailureCode.CONTENT_REFUSED: INPUT,
    FailureCode.MEDIA_REFUSED: TYPE,
    FailureCode.INVALID: INPUT,
    FailureCode.CONFIGURATION: CHANNEL,
    FailureCode.PROVIDER_ERROR: DEPENDENCY,
    FailureCode.OUTCOME_UNKNOWN: DEPENDENCY,
}
"""The number of a failure; of every other one PLATFORM."""
DESCRIPTIONS = {
    CHANNEL: "Invalid channel configuration",
    INPUT: "Invalid input",
    DEPENDENCY: "Dependency error",
    TYPE: "Unsupported media type",
    DESTINATION: "Unsupported destination",
    CUSTOMER: "Not allowed for this recipient at this time",
    PLATFORM: "The platform did not deliver the message",
}
"""Of each number."""

KEYS = {AddressKind.PHONE: "phonenumber", AddressKind.EMAIL: "emailaddress"}
"""The `identifierKey` of each sort of address."""

_NAMES = {
    "recipient": "receiver.contacts.0",
    "guest_id": "receiver.contacts.0.id",
    "scheduled_at": "scheduledFor",
    "capped": "capFrequency",
    "sender": "sender.connector",
    "from": "sender.connector",
    "template.name": "template.projectId",
    "content": "body",
    "media": "body",
    "short_links.domain": "shortLinks.domain",
}


def kept(given: Mapping[str, Any]) -> dict[str, Any]:
    """The `metadata` of a message whose client gave this beside what our model has: see the module. What is None is
    left out; nothing given: empty."""
    own = {name: value for name, value in given.items() if value is not None}
    return {KEPT: own} if own else {}


def refused(metadata: Mapping[str, Any], said: str) -> dict[str, Any]:
    """The same of a message that was refused after it had been taken in. `said`: what was expected."""
    own = metadata.get(KEPT)
    return {**metadata, KEPT: {**(own if isinstance(own, Mapping) else {}), "refused": said}}


def of_batch(metadata: Mapping[str, Any], batch_id: UUID) -> dict[str, Any]:
    """The same of a message that was sent in a batch."""
    own = metadata.get(KEPT)
    return {**metadata, KEPT: {**(own if isinstance(own, Mapping) else {}), "batchId": str(batch_id)}}


def named(field: str) -> str:
    """What it calls a field that the engine calls so."""
    return _NAMES.get(field, field)


def message(row: ChannelText, stage: Stage | None = None, at: datetime | None = None) -> dict[str, Any]:
    """The Message object. `stage`, `at`: as an event says that it became, and when; without them as it is now. What is
    not known is left out."""
    stage = stage or row.shown
    outgoing = row.is_outbound
    changed = timestamp(at or _changed(row, stage))
    template = _own(row, "template", dict)
    optional = {
        "meta": _own(row, "meta", dict),
        "reference": _own(row, "reference", str),
        "parts": [{"platformReference": one} for one in row.provider_ids],
        "origin": {"type": "message", "id": str(row.resend_of)} if row.resend_of else None,
        "replyTo": _own(row, "replyTo", dict),
        "tags": _own(row, "tags", list),
        "shortLinks": _short_links(row),
        "scheduledFor": timestamp(row.scheduled_at) if outgoing else None,
        "template": template,
        "body": None if template else body(row),
    }
    if outgoing:
        optional |= _failure(row, stage)
    return {
        "id": str(row.id),
        "channelId": str(row.channel_id),
        "sender": connector(row) if outgoing else {"contact": _contact(row, row.sender)},
        "receiver": {"contacts": _contacts(row)} if outgoing else connector(row),
        "status": status_of(row, stage),
        "direction": OUTGOING if outgoing else INCOMING,
        "lastStatusAt": changed,
        "createdAt": timestamp(row.created_at),
        "updatedAt": timestamp(at or row.updated_at),
        **{name: value for name, value in optional.items() if value},
    }


def erased(message_id: UUID, stage: Stage | None, at: datetime) -> dict[str, Any]:
    """What is left of it once its guest was erased. `stage`: of one to a guest, what became of it."""
    said = timestamp(at)
    return {
        "id": str(message_id),
        "status": DELIVERED if stage is None else _OF_STAGE.get(stage, ACCEPTED),
        "direction": INCOMING if stage is None else OUTGOING,
        "lastStatusAt": said,
        "updatedAt": said,
    }


def event(payload: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """What its webhooks bear. `asked`: the subscription, as `subscription` makes it."""
    return {"service": SERVICE, "event": asked.get("event"), "payload": payload}


def subscription(word: str, filters: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """A subscription as its endpoint keeps it. `word`: one of EVENTS. `filters`: of FILTERS, all of them must match."""
    return {"event": word, "filters": [{"key": key, "value": value} for key, value in filters]}


def events_of(types: Sequence[str], filters: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Those of our event types that can be what a subscription with these filters asks for. What only the message
    tells, `wanted` looks at."""
    asked = dict(filters).get("status")
    return tuple(types) if asked is None else tuple(one for one in types if asked in _OF_TYPE[one])


def wanted(row: ChannelText, stage: Stage | None, asked: Mapping[str, Any]) -> bool:
    """Whether what an event says of a message is what a subscription asks for."""
    filters = {one["key"]: one["value"] for one in asked.get("filters", ())}
    of_channel = filters.get("channelId") in (None, str(row.channel_id))
    return of_channel and filters.get("status") in (None, status_of(row, stage or row.shown))


def signature(secret: str, url: str, body: bytes, at: datetime) -> dict[str, str]:
    """The headers of a webhook that is posted at a time: base64 of the HMAC-SHA256, keyed with the secret as it is, of
    the time, the address and the body's SHA-256 (raw), a line each."""
    stamp = str(int(at.timestamp()))
    signed = b"\n".join([stamp.encode(), url.encode(), hashlib.sha256(body).digest()])
    made = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return {"messagebird-signature": base64.b64encode(made).decode(), "messagebird-request-timestamp": stamp}


def status_of(row: ChannelText, stage: Stage) -> str:
    """One of the nine words. `stage`: where it is shown. A guest's own message is delivered."""
    if not row.is_outbound:
        return DELIVERED
    if stage is Stage.GAVE_UP and row.failure_code and FailureCode(row.failure_code) in REJECTING:
        return REJECTED
    if stage is not Stage.QUEUED:
        return _OF_STAGE[stage]
    if row.tries or row.provider_ids:
        return PROCESSING
    waits = row.scheduled_at is not None and row.now is not None and row.scheduled_at > row.now
    return SCHEDULED if waits else ACCEPTED


def body(row: ChannelText) -> dict[str, Any]:
    """What it says: a text, an image with up to ten of them, or a file where one of them is none."""
    given = _own(row, "body", dict)
    if given is not None and given.get("type") in ("text", "image", "file"):
        return dict(given)
    text = row.content or ""
    files = [one for one in (row.details or {}).get("media", []) if isinstance(one, Mapping)]
    subject = {"subject": row.subject} if row.subject else None
    said = {"text": text, "metadata": subject}
    said = {name: value for name, value in said.items() if value}
    if not files:
        return {"type": "text", "text": {"text": text, **said}}
    if all(_kind(one).startswith("image/") for one in files):
        return {"type": "image", "image": {"images": [{"mediaUrl": _url(one)} for one in files], **said}}
    return {"type": "file", "file": {"files": [_file(one) for one in files], **said}}


def connector(row: ChannelText) -> dict[str, Any]:
    """The property's side: the sender, which is the channel."""
    return {"connector": {"id": str(row.channel_id), "identifierValue": row.line or ""}}


def _contacts(row: ChannelText) -> list[dict[str, Any]]:
    group = groups.of_stored(row.details)
    if group is None:
        return [_contact(row, row.recipient)]
    return [{"identifierKey": KEYS[AddressKind.PHONE], "identifierValue": number} for number in group.members]


def _contact(row: ChannelText, address: str | None) -> dict[str, Any]:
    key = KEYS.get(kind_of(row.channel, address))
    named = {"id": str(row.guest_id) if row.guest_id else None, "identifierKey": key, "identifierValue": address}
    return {name: value for name, value in named.items() if value}


def _failure(row: ChannelText, stage: Stage) -> dict[str, Any]:
    if stage not in FAILED or not row.failure_code:
        return {}
    failure = FailureCode(row.failure_code)
    number = _FAILURES.get(failure, PLATFORM)
    # Who said it: the provider in its own word, else we.
    source = (row.provider_code, row.provider) if row.provider_code else (failure.value, "bellhop")
    return {
        "reason": failure.value,
        "details": _own(row, "refused", str) or WORDS[failure].sentence,
        "failure": {
            "code": number,
            "description": DESCRIPTIONS[number],
            "source": {"code": source[0], "name": source[1] or ""},
        },
    }


def _changed(row: ChannelText, stage: Stage) -> datetime:
    """When it came to where it is shown."""
    if not row.is_outbound or stage is Stage.QUEUED:
        return row.created_at
    known = {Stage.SENT: row.sent_at, Stage.DELIVERED: row.delivered_at, Stage.READ: row.delivered_at}
    return known.get(stage) or row.updated_at


def _short_links(row: ChannelText) -> dict[str, Any] | None:
    """Where they are, if its links were made short, whoever sent it; else what was asked for."""
    made = short_links.shown(row.details)["short_links"]
    return {"enabled": True, "domain": made["domain"]} if made else _own(row, "shortLinks", dict)


def _own(row: ChannelText, name: str, kind: type) -> Any:
    """Of what was kept what has the form in which it is shown."""
    own = (row.metadata or {}).get(KEPT)
    value = own.get(name) if isinstance(own, Mapping) else None
    return value if isinstance(value, kind) else None


def _url(file: Mapping[str, Any]) -> str:
    return str(file.get("url") or file.get("source") or "")


def _kind(file: Mapping[str, Any]) -> str:
    """What it is; of one that was not fetched yet, by its name."""
    return str(file.get("content_type") or guess_type(urlsplit(_url(file)).path)[0] or "")


def _file(file: Mapping[str, Any]) -> dict[str, Any]:
    said = {"contentType": file.get("content_type"), "filename": file.get("filename")}
    return {"mediaUrl": _url(file), **{name: value for name, value in said.items() if value}}
