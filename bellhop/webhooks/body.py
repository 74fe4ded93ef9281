"""The body of a webhook as customers see it: rendered when it is sent, from the subject as it then is."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from bellhop.domain import serializers, signing
from bellhop.domain.conversation_object import conversation
from bellhop.domain.events import EventType
from bellhop.domain.formats import bird, sendblue
from bellhop.domain.ids import Prefix, render
from bellhop.domain.intent_object import intent
from bellhop.domain.rows.conversations import Conversation
from bellhop.domain.rows.guests import GuestRow
from bellhop.domain.rows.intents import IntentRow
from bellhop.domain.rows.messages import PublicMessage
from bellhop.domain.rows.texts import ChannelText, TextRow
from bellhop.domain.rows.webhooks import EndpointFormat, EndpointRow
from bellhop.domain.statuses import RANK, Stage
from bellhop.domain.webhook_ports import PendingDelivery

PREFIX: dict[str, Prefix] = {
    "message": Prefix.MESSAGE,
    "inbound": Prefix.INBOUND,
    "guest": Prefix.GUEST,
    "endpoint": Prefix.ENDPOINT,
    "conversation": Prefix.CONVERSATION,
    "intent": Prefix.INTENT,
}


def body(delivery: PendingDelivery) -> bytes:
    """The exact bytes that are signed and sent: `{id, type, property_id, created_at, data}`, or what the endpoint's
    format has instead."""
    match delivery.format:
        case EndpointFormat.NATIVE:
            content = serializers.event(
                delivery.event_id, delivery.type, delivery.property_id, delivery.created_at, data(delivery)
            )
        case EndpointFormat.BIRD:
            content = _bird(delivery)
        case EndpointFormat.SENDBLUE | EndpointFormat.SENDBLUE_CALLBACK:
            content = _sendblue(delivery)
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def headers(delivery: PendingDelivery, content: bytes, at: datetime) -> dict[str, str]:
    """What says that the body is ours, at a time."""
    match delivery.format:
        case EndpointFormat.NATIVE:
            return signing.headers(delivery.secrets, render(Prefix.EVENT, delivery.event_id), content, at)
        case EndpointFormat.SENDBLUE:
            return {"sb-signing-secret": delivery.secrets[0]} if delivery.secrets else {}
        case EndpointFormat.BIRD:
            named = {"messagebird-request-id": str(delivery.event_id)}
            signed = bird.signature(delivery.secrets[0], delivery.url, content, at) if delivery.secrets else {}
            return named | signed
        case EndpointFormat.SENDBLUE_CALLBACK:
            return {}  # its address is what only its owner knows


def _bird(delivery: PendingDelivery) -> dict[str, Any]:
    row, stage = delivery.row, _stage(delivery)
    if isinstance(row, ChannelText):
        payload = bird.message(row, stage, delivery.created_at)
    else:
        payload = bird.erased(delivery.subject_id, stage, delivery.created_at)
    return bird.event(payload, delivery.asked or {})


def _sendblue(delivery: PendingDelivery) -> dict[str, Any]:
    row, stage = delivery.row, _stage(delivery)
    if isinstance(row, TextRow):
        return sendblue.item(row, stage, delivery.created_at)
    return sendblue.erased(delivery.subject_id, stage, delivery.created_at)


def _stage(delivery: PendingDelivery) -> Stage | None:
    """The one that an event of a message to a guest is about."""
    return Stage(delivery.facts["stage"]) if "stage" in delivery.facts else None


def data(delivery: PendingDelivery) -> dict[str, Any]:
    """The object an event is about, as it was when the event was told; ids only when it is gone or erased."""
    row = delivery.row
    if row is None or delivery.type == EventType.GUEST_DELETED:
        return serializers.erased(PREFIX[delivery.subject], delivery.subject_id, delivery.property_id)
    if isinstance(row, GuestRow):
        return serializers.guest(row)
    if isinstance(row, IntentRow):
        return intent(row)
    if isinstance(row, Conversation):
        return conversation(row)
    if isinstance(row, EndpointRow):
        return serializers.disabled_endpoint(row, delivery.facts.get("reason"), delivery.created_at)
    return serializers.inbound(row) if delivery.subject == "inbound" else _message(delivery, row)


def _message(delivery: PendingDelivery, row: PublicMessage) -> dict[str, Any]:
    # An event names the stage it tells; its once-only mark is the public status, in which two ways to fail are one.
    stage = _stage(delivery)
    failure = delivery.facts if delivery.facts.get("code") else None
    shown = serializers.message(row, stage=stage, failure=failure)
    if stage is not None:
        if RANK[stage] < RANK[Stage.SENT]:
            shown["sent_at"] = None  # it was sent later, if at all
        elif shown["sent_at"] is None:
            shown["sent_at"] = serializers.timestamp(delivery.created_at)
    if "step" in delivery.facts:
        begins = delivery.facts if delivery.type == EventType.MESSAGE_FALLBACK else None
        shown["step"] = serializers.step(row, delivery.facts["step"], begins)
    return shown
