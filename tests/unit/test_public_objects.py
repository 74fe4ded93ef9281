"""Each public object is rendered as its response schema documents it: the same fields in the same order, of its types.

Answers are rendered from rows without pydantic, which would cost more than the rest of it; here the two are compared.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from api.schemas import assets, consents, conversations, guests, inbound, keys, messages, stays, webhooks
from api.schemas.fields import Page
from bellhop.domain import conversation_object, public_consents, serializers
from bellhop.domain.categories import Category
from bellhop.domain.channels import Channel
from bellhop.domain.conversations import ConversationStatus, Side
from bellhop.domain.events import EventType
from bellhop.domain.failures import FailureCode
from bellhop.domain.inbound_details import Button, InboundDetails, Location, Media
from bellhop.domain.priorities import Priority
from bellhop.domain.rows.access import KeyRow, PropertyRow
from bellhop.domain.rows.conversations import Conversation, ConversationRow, Entry, NoteRow, Participant
from bellhop.domain.rows.guests import ConsentRow, GuestRow
from bellhop.domain.rows.media import AssetRow
from bellhop.domain.rows.messages import PublicMessage
from bellhop.domain.rows.stays import StayRow
from bellhop.domain.rows.webhooks import DeliveryRow, DeliveryState, EndpointRow
from bellhop.domain.statuses import Stage
from bellhop.domain.stays import StayStatus
from bellhop.domain.webhook_ports import PendingDelivery
from bellhop.webhooks.body import body

KEY = UUID("0190a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b")
PROPERTY = UUID("0190a3b4-c5d6-7e8f-9a0b-000000000001")
AT = datetime(2026, 3, 15, 10, 0, 0, 123456, tzinfo=UTC)

MESSAGE = PublicMessage(
    id=KEY, property_id=PROPERTY, channel=Channel.EMAIL, recipient="jordan@example.com", sender=None,
    guest_ref=serializers.erased(serializers.Prefix.GUEST, KEY, PROPERTY)["id"], guest_id=KEY, conversation_id=None,
    stay_id=None,
    subject="Your suite", content="It is ready.", metadata={"booking": "GSR-1842"}, details=None,
    scheduled_at=AT, stage=Stage.SENT, failure_code=None, provider_code=None, sent_at=AT, created_at=AT,
    delivered_at=None,
    priority=Priority.NORMAL, category=Category.MARKETING, valid_until=None, validity=600,
    ignore_quiet_hours=True, ignore_frequency_cap=False, resend_of=KEY, service=None,
    step=0, plan=None,
)  # fmt: skip
WITH_FILES = replace(
    MESSAGE,
    details={"media": [
        {"url": "https://x/a.png", "content_type": "image/png", "filename": "a.png", "size": 7, "asset_id": str(KEY)},
        {"source": "https://x/b.png", "content_type": "", "filename": ""},
    ]},
)  # fmt: skip
ASSET = AssetRow(KEY, "image/png", 7, b"7", "a.png", KEY, AT, AT)
SPARSE = replace(
    MESSAGE, guest_ref=None, guest_id=None, subject=None, metadata={}, scheduled_at=None, sent_at=None, resend_of=None
)
ENTRY = Entry(**{each.name: getattr(MESSAGE, each.name) for each in fields(MESSAGE)}, direction="outbound")
TALK = Conversation(
    ConversationRow(
        id=KEY, scope_id=PROPERTY, property_id=PROPERTY, stay_id=KEY, guest_id=None, contact_point_id=None,
        guests=[KEY], family="stay", channel=Channel.SMS, place=KEY, status=ConversationStatus.SNOOZED,
        snoozed_until=AT, closed_at=None, assigned_to="front-desk", tags=["vip"], unread=2, read_id=KEY, read_at=AT,
        seen_id=None, seen_at=None, last_id=KEY, last_message_at=AT, created_at=AT, updated_at=AT,
    ),
    [Participant(KEY, "Jordan Mitchell")],
    ENTRY,
)  # fmt: skip
INBOUND = replace(MESSAGE, sender="jordan@example.com", recipient="desk@example.com", conversation_id=KEY)
DETAILED = replace(
    INBOUND,
    details=InboundDetails(
        media=(Media("https://api.twilio.com/2010-04-01/Accounts/AC0/Messages/MM0/Media/ME0", "image/jpeg"),),
        button=Button("Late check-out", "late"), location=Location(25.77, -80.19, "1 Ocean Drive", "The beach"),
        profile_name="Jordan", profile_id="13055551234", replied_to="SM0",
    ).stored(),
)  # fmt: skip
GUEST = GuestRow(
    id=KEY, scope_id=KEY, property_id=PROPERTY, first_name="Jordan", last_name="Mitchell", email="j@example.com",
    phone="+13055551234", language="en", timezone="America/New_York", preferences={"floor": 3}, metadata={},
    external_id="PMS-88213", is_active=True, is_provisional=False, first_seen_at=AT, last_seen_at=AT, created_at=AT,
    updated_at=AT,
)  # fmt: skip
ENDPOINT = EndpointRow(
    id=KEY, scope_id=KEY, property_id=PROPERTY, url="https://example.com/hook", secret="whsec_x",
    events=["message.sent", "guest.created"], description=None, is_active=True, disabled_reason=None, disabled_at=None,
    created_at=AT, updated_at=AT,
)  # fmt: skip
DELIVERY = DeliveryRow(
    id=KEY, scope_id=KEY, endpoint_id=KEY, event_id=KEY, event_type="message.sent", subject_id=KEY,
    state=DeliveryState.PENDING, attempts=0, next_at=AT, last_attempt_at=None, last_status=None, last_error=None,
    delivered_at=None, created_at=AT,
)  # fmt: skip
DONE = replace(
    DELIVERY, state=DeliveryState.DELIVERED, attempts=1, last_attempt_at=AT, last_status=200, delivered_at=AT
)
API_KEY = KeyRow(
    id=KEY, property_id=PROPERTY, environment="test", name="front desk", last4="x7Qd", rights=["messaging:read", "*"],
    side=Side.PROPERTY, rate_limit=None, created_at=AT, last_used_at=None, expires_at=None, revoked_at=None,
)  # fmt: skip
HOTEL = PropertyRow(
    id=PROPERTY, name="Grand Sunset", slug="grand-sunset", type="hotel", timezone="UTC", currency=None, country=None,
    settings={}, is_active=True, created_at=AT, updated_at=AT,
)  # fmt: skip
PENDING = PendingDelivery(
    id=KEY, event_id=KEY, type=EventType.MESSAGE_SENT.value, subject="message", subject_id=KEY, stage="sent",
    facts={"stage": "sent"}, created_at=AT, property_id=PROPERTY, row=MESSAGE, url=ENDPOINT.url, secrets=("whsec_x",),
    attempts=0, claimed_at=AT, token=AT,
)  # fmt: skip

SAID = ConsentRow(
    id=KEY, scope_id=PROPERTY, kind="email", address_hash=b"", purpose="group:7", action="opt_out",
    channel="email", sender="stay@example.com",
    cause="group_unsubscribe", source="sendgrid group_unsubscribe", evidence_id=KEY, actor=None, reason=None,
    occurred_at=AT, created_at=AT,
)  # fmt: skip
SET = replace(
    SAID,
    purpose="all",
    channel="",
    sender="",
    action="opt_in",
    cause="operator_opt_in",
    actor="cli:ann",
    reason="She asked.",
)

STAY = StayRow(
    id=KEY, scope_id=PROPERTY, property_id=PROPERTY, source="pms", reservation="R1", status=StayStatus.BOOKED,
    arrival=date(2027, 3, 15), departure=date(2027, 3, 19), room="412", details={"rate": 1}, guests=[KEY],
    ended_at=None, created_at=AT, updated_at=AT,
)  # fmt: skip

SHOWN: dict[str, tuple[dict[str, Any], type[BaseModel]]] = {
    "message": (serializers.message(MESSAGE), messages.OutboundMessage),
    "message with little": (serializers.message(SPARSE), messages.OutboundMessage),
    "accepted message": (
        serializers.accepted(replace(MESSAGE, channel=Channel.SMS, content="a" * 141)),
        messages.AcceptedMessage,
    ),
    "message with files": (serializers.message(WITH_FILES), messages.OutboundMessage),
    "asset": (serializers.asset(ASSET), assets.Asset),
    "inbound": (serializers.inbound(INBOUND), inbound.InboundMessage),
    "inbound of nobody known": (
        serializers.inbound(replace(INBOUND, guest_id=None, conversation_id=None)),
        inbound.InboundMessage,
    ),
    "inbound with a file, a button and a place": (serializers.inbound(DETAILED), inbound.InboundMessage),
    "conversation": (conversation_object.conversation(TALK), conversations.Conversation),
    "message of a conversation": (conversation_object.entry(ENTRY), conversations.SentEntry),
    "answer of a conversation": (
        conversation_object.entry(replace(ENTRY, sender="+1", direction="inbound")),
        conversations.ReceivedEntry,
    ),
    "note": (conversation_object.note(NoteRow(KEY, KEY, "Ana", KEY, "Garden side", AT)), conversations.Note),
    "stay": (serializers.stay(STAY), stays.Stay),
    "stay with little": (
        serializers.stay(replace(STAY, arrival=None, departure=None, room=None, guests=[])),
        stays.Stay,
    ),
    "guest": (serializers.guest(GUEST), guests.Guest),
    "guest with little": (
        serializers.guest(replace(GUEST, email=None, phone=None, external_id=None)),
        guests.Guest,
    ),
    "consent": (public_consents.consent(SAID, "jordan@example.com", in_force=True), consents.Consent),
    "consent, set": (public_consents.consent(SET, "jordan@example.com", in_force=False), consents.Consent),
    "consent of an older version": (
        public_consents.consent(replace(SAID, cause="unstated"), "jordan@example.com", in_force=True),
        consents.Consent,
    ),
    "endpoint": (serializers.endpoint(ENDPOINT, secret=True), webhooks.Endpoint),
    "endpoint, disabled": (
        serializers.endpoint(replace(ENDPOINT, is_active=False, disabled_reason="gone", disabled_at=AT)),
        webhooks.Endpoint,
    ),
    "delivery": (serializers.delivery(DELIVERY), webhooks.Delivery),
    "delivery, done": (serializers.delivery(DONE), webhooks.Delivery),
    "key": (serializers.api_key(API_KEY), keys.Key),
    "key, revoked": (serializers.api_key(replace(API_KEY, rate_limit=5, revoked_at=AT)), keys.Key),
    "minted key": (serializers.minted_key(API_KEY, "sk_test_x"), keys.MintedKey),
    "property": (serializers.property_(HOTEL), keys.Property),
    "event": (json.loads(body(PENDING)), webhooks.Event),
}


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_rendered_is_what_is_documented(name: str) -> None:
    shown, schema = SHOWN[name]
    assert list(shown) == [field.alias or name for name, field in schema.model_fields.items()]
    known = schema.model_validate_json(json.dumps(shown))
    assert known.model_extra == {}


@pytest.mark.parametrize("name", SHOWN)
def test_the_documented_example_has_the_same_form(name: str) -> None:
    shown, schema = SHOWN[name]
    extra = schema.model_config.get("json_schema_extra")
    for example in extra["examples"] if isinstance(extra, dict) else []:
        assert list(example) == list(shown)
        schema.model_validate_json(json.dumps(example))


@pytest.mark.parametrize("code", FailureCode)
def test_a_failure_is_as_documented(code: FailureCode) -> None:
    shown = serializers.message(replace(MESSAGE, stage=Stage.GAVE_UP, failure_code=code.value))["metadata"]["error"]
    assert list(shown) == list(messages.FailureReason.model_fields)
    messages.FailureReason.model_validate_json(json.dumps(shown))


def test_what_is_told_of_a_disabled_endpoint_is_part_of_what_its_owner_sees() -> None:
    shown = serializers.disabled_endpoint(ENDPOINT, "failing", AT)
    owner = serializers.endpoint(replace(ENDPOINT, is_active=False, disabled_reason="failing", disabled_at=AT))
    assert shown.items() <= owner.items()
    assert "secret" not in shown


def test_every_documented_object_is_compared() -> None:
    """A new response schema of these modules needs its place above."""
    documented = {
        kind
        for module in (assets, consents, conversations, guests, inbound, keys, messages, stays, webhooks)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, messages.Shown) and kind.__module__ == module.__name__
    }
    elsewhere = {
        consents.AllowedFrom,
        consents.ConsentPage,
        consents.GuestAddress,
        consents.GuestConsentPage,
        inbound.InboundMedia,
        inbound.InboundMediaProblem,
        inbound.InboundGroup,
        inbound.InboundTimeline,
        messages.Warned,
        inbound.InboundButton,
        inbound.InboundLocation,
        inbound.InboundProfile,
        Page[consents.Consent],
        conversations.EntryPage,
        conversations.Participant,
        conversations.ReadMark,
        conversations.ReadMarks,
        Page[conversations.Entry],
        messages.FailureReason,
        webhooks.Replay,
    }
    assert documented == {schema for _, schema in SHOWN.values()} | elsewhere
