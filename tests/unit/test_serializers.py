"""The public objects: exactly the fields of the contract, in its order, whatever the row holds."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bellhop.domain import serializers
from bellhop.domain.categories import Category
from bellhop.domain.channels import Channel
from bellhop.domain.failures import FailureCode
from bellhop.domain.ids import Prefix, render
from bellhop.domain.priorities import Priority
from bellhop.domain.rows.guests import GuestRow
from bellhop.domain.rows.messages import PublicMessage
from bellhop.domain.statuses import STATUS, Stage

KEY = UUID("0190a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b")
OTHER = UUID("0190a3b4-c5d6-7e8f-9a0b-000000000001")
AT = datetime(2026, 3, 15, 10, 0, 0, tzinfo=UTC)

MESSAGE = PublicMessage(
    id=KEY, property_id=OTHER, channel=Channel.SMS, recipient="+13055551234", sender=None, guest_ref=None,
    guest_id=None, conversation_id=None, stay_id=None, subject=None, content="Your suite is ready.",
    metadata={}, details=None,
    scheduled_at=None, stage=Stage.SENT, failure_code=None, provider_code=None, sent_at=AT, created_at=AT,
    delivered_at=None,
    priority=Priority.NORMAL, category=Category.TRANSACTIONAL, valid_until=None, validity=None, resend_of=None,
    ignore_quiet_hours=False, ignore_frequency_cap=False,
    service=None,
    step=0, plan=None,
)  # fmt: skip
GUEST = GuestRow(
    id=KEY, scope_id=OTHER, property_id=OTHER, first_name="Jordan", last_name="Mitchell", email=None, phone=None,
    language="en", timezone=None, preferences={}, metadata={"vip": True}, external_id=None, is_active=True,
    is_provisional=False, first_seen_at=AT, last_seen_at=AT, created_at=AT, updated_at=AT,
)  # fmt: skip
INBOUND = replace(
    MESSAGE, stage=Stage.DELIVERED, sender="+13055551234", recipient="+15005550006", content="Thanks", sent_at=None
)

WIDTH = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def test_a_message() -> None:
    assert json.dumps(serializers.message(MESSAGE)) == json.dumps(
        {
            "id": render(Prefix.MESSAGE, KEY),
            "property_id": render(Prefix.PROPERTY, OTHER),
            "guest_id": None,
            "channel": "sms",
            "status": "sent",
            "recipient": "+13055551234",
            "subject": None,
            "content": "Your suite is ready.",
            "scheduled_at": None,
            "sent_at": "2026-03-15T10:00:00.000000Z",
            "created_at": "2026-03-15T10:00:00.000000Z",
            "metadata": {},
            "priority": "normal",
            "category": "transactional",
            "valid_until": None,
            "validity": None,
            "ignore_quiet_hours": False,
            "ignore_frequency_cap": False,
            "segments": 1,
            "encoding": "GSM-7",
            "template": None,
            "options": None,
            "short_links": None,
            "link_tracking": False,
            "media": [],
            "resend_of": None,
            "from": None,
            "fallback": [],
            "service": None,
            "was_downgraded": None,
            "chosen": None,
            "conversation_id": None,
            "stay_id": None,
            "recipients": None,
            "group_id": None,
        }
    )


def test_a_guest() -> None:
    shown = serializers.guest(GUEST)
    assert list(shown) == [
        "id", "property_id", "first_name", "last_name", "email", "phone", "language", "timezone", "preferences",
        "metadata", "external_id", "is_active", "is_provisional", "first_seen_at", "last_seen_at", "created_at",
        "updated_at",
    ]  # fmt: skip
    assert shown["id"].startswith("gst_")
    assert shown["metadata"] == {"vip": True}
    assert shown["email"] is None


def test_an_inbound_message() -> None:
    shown = serializers.inbound(INBOUND)
    assert list(shown) == [
        "id", "property_id", "guest_id", "conversation_id", "stay_id", "channel", "sender", "recipient", "subject",
        "content", "media", "media_count", "button", "location", "profile", "replied_to", "group", "service",
        "was_downgraded", "matched_by", "original", "automatic", "sent_at", "created_at",
    ]  # fmt: skip
    assert shown["id"].startswith("imsg_")
    assert shown["guest_id"] is None
    known = serializers.inbound(replace(INBOUND, guest_id=KEY, conversation_id=OTHER))
    assert known["guest_id"] == render(Prefix.GUEST, KEY)
    assert known["conversation_id"] == render(Prefix.CONVERSATION, OTHER)


def test_of_an_erased_subject_ids_are_left() -> None:
    assert serializers.erased(Prefix.GUEST, KEY, OTHER) == {
        "id": render(Prefix.GUEST, KEY),
        "property_id": render(Prefix.PROPERTY, OTHER),
    }


@pytest.mark.parametrize("stage", Stage)
def test_its_status_is_that_of_its_stage(stage: Stage) -> None:
    row = replace(MESSAGE, stage=stage, failure_code="unreachable", provider_code="30003", sent_at=None)
    shown = serializers.message(row)
    assert shown["status"] == STATUS[stage].value
    assert ("error" in shown["metadata"]) is (shown["status"] == "failed")


@pytest.mark.parametrize("code", FailureCode)
def test_a_failure_says_why_beside_the_callers_own_metadata(code: FailureCode) -> None:
    row = replace(MESSAGE, stage=Stage.GAVE_UP, failure_code=code.value, metadata={"room": "7"})
    metadata = serializers.message(row)["metadata"]
    assert metadata["room"] == "7"
    assert metadata["error"]["code"] == code.value
    assert row.metadata == {"room": "7"}, "the row itself stays as it is"


def test_an_event_shows_the_message_as_it_was_then() -> None:
    row = replace(MESSAGE, stage=Stage.DELIVERED, failure_code="unreachable", provider_code="30003")
    shown = serializers.message(row, stage=Stage.UNDELIVERED, failure={"code": "blocked", "provider_code": "30004"})
    assert shown["status"] == "failed"
    assert shown["metadata"]["error"]["provider_code"] == "30004"
    assert "error" not in serializers.message(row)["metadata"]
    assert serializers.message(row, stage=Stage.SENT)["status"] == "sent"


def test_no_metadata_is_an_empty_object() -> None:
    assert serializers.message(replace(MESSAGE, metadata=None))["metadata"] == {}


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9998, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_times_have_one_width_in_utc(at: datetime, offset: int) -> None:
    moment = at.replace(tzinfo=UTC)
    shown = serializers.timestamp(moment.astimezone(timezone(timedelta(minutes=offset))))
    assert shown == serializers.timestamp(moment)
    assert shown is not None
    assert WIDTH.fullmatch(shown)
    assert datetime.fromisoformat(shown) == moment


@given(st.datetimes(), st.datetimes())
@example(datetime(999, 12, 31), datetime(1970, 1, 1))
def test_text_order_is_time_order(one: datetime, other: datetime) -> None:
    texts = [str(serializers.timestamp(at.replace(tzinfo=UTC))) for at in (one, other)]
    assert (texts[0] < texts[1]) is (one < other)


def test_no_time_is_null() -> None:
    assert serializers.timestamp(None) is None
