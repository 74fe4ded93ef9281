"""Bird's message: its fields, the nine statuses, failures, and what its clients gave, back as it was."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from bellhop.domain.channels import Channel
from bellhop.domain.events import OF_STAGE, EventType
from bellhop.domain.failures import FailureCode
from bellhop.domain.formats import bird
from bellhop.domain.rows.texts import ChannelText
from bellhop.domain.serializers import timestamp
from bellhop.domain.statuses import Stage
from tests.unit.test_serializers import AT, KEY, MESSAGE, OTHER

SENDER, GUEST = UUID(int=7), UUID(int=8)
ROW = ChannelText(
    **(asdict(MESSAGE) | {"guest_id": GUEST, "stage": Stage.QUEUED, "sent_at": None}), direction="outbound",
    address_hash=None, line="+15005550006", updated_at=AT + timedelta(seconds=5), sender_id=SENDER, now=AT,
)  # fmt: skip
INBOUND = replace(
    ROW, direction="inbound", sender="+13055551234", recipient="+15005550006", content="Thanks", stage=Stage.DELIVERED
)
ALWAYS = {"id", "channelId", "sender", "receiver", "status", "lastStatusAt", "createdAt", "updatedAt"}
TEMPLATE = {"projectId": str(OTHER), "version": "latest", "locale": "en", "parameters": []}


def with_media(*files: dict[str, Any], **changes: Any) -> ChannelText:
    return replace(ROW, details={"media": list(files)}, **changes)


PICTURE = {"url": "https://h.example/a.png", "content_type": "image/png", "filename": "a.png", "size": 3}
VIDEO = {"source": "https://v.example/b.mp4", "content_type": "video/mp4", "filename": ""}


def test_a_message_to_a_guest() -> None:
    assert bird.message(ROW) == {
        "id": str(KEY),
        "channelId": str(SENDER),
        "sender": {"connector": {"id": str(SENDER), "identifierValue": "+15005550006"}},
        "receiver": {
            "contacts": [{"id": str(GUEST), "identifierKey": "phonenumber", "identifierValue": "+13055551234"}]
        },
        "status": "accepted",
        "direction": "outgoing",
        "lastStatusAt": timestamp(AT),
        "createdAt": timestamp(AT),
        "updatedAt": timestamp(AT + timedelta(seconds=5)),
        "body": {"type": "text", "text": {"text": "Your suite is ready."}},
    }


@pytest.mark.parametrize("failure", [None, *FailureCode])
def test_each_status_is_one_that_its_event_may_be_told_in(failure: FailureCode | None) -> None:
    """So that whoever asks for one status gets the events that may have it, and no others."""
    for stage, kind in OF_STAGE.items():
        if stage is Stage.READ:
            continue
        status = bird.status_of(replace(ROW, failure_code=failure), stage)
        every = [one.value for one in (*OF_STAGE.values(), EventType.MESSAGE_RECEIVED) if one != "message.read"]
        listened_to = bird.events_of(every, [("channelId", str(SENDER)), ("status", status)])
        assert kind in listened_to and set(listened_to) <= {kind, "message.received"}
    assert bird.events_of(["message.received"], [("status", bird.status_of(INBOUND, Stage.DELIVERED))])
    assert bird.events_of(["message.sent"], []) == ("message.sent",)
    assert bird.events_of(["message.sent"], [("status", bird.SCHEDULED)]) == ()


def test_a_file_that_was_not_fetched_is_what_its_name_says() -> None:
    named = {"source": "https://h.example/pool.JPG?x=1", "content_type": "", "filename": ""}
    assert bird.body(with_media(PICTURE, named))["type"] == "image"
    assert bird.body(with_media(PICTURE, named | {"source": "https://h.example/pool"}))["type"] == "file"


def test_a_guests_own_message() -> None:
    shown = bird.message(INBOUND)
    assert (shown["status"], shown["direction"]) == ("delivered", "incoming")
    contact = {"id": str(GUEST), "identifierKey": "phonenumber", "identifierValue": "+13055551234"}
    assert shown["sender"] == {"contact": contact}
    assert shown["receiver"] == {"connector": {"id": str(SENDER), "identifierValue": "+15005550006"}}
    assert shown["body"] == {"type": "text", "text": {"text": "Thanks"}}
    assert bird.message(replace(INBOUND, guest_id=None))["sender"]["contact"].keys() == contact.keys() - {"id"}


@pytest.mark.parametrize(
    ("changes", "stage", "word"),
    [
        ({}, Stage.QUEUED, "accepted"),
        ({"tries": 1}, Stage.QUEUED, "processing"),
        ({"scheduled_at": AT + timedelta(hours=1)}, Stage.QUEUED, "scheduled"),
        ({"scheduled_at": AT - timedelta(hours=1)}, Stage.QUEUED, "accepted"),
        ({}, Stage.CANCELLED, "deleted"),
        ({"failure_code": "outcome_unknown"}, Stage.GAVE_UP, "sending_failed"),
        ({"failure_code": "expired"}, Stage.GAVE_UP, "sending_failed"),
        ({"failure_code": "frequency_cap"}, Stage.GAVE_UP, "rejected"),
        ({"failure_code": "opted_out"}, Stage.GAVE_UP, "rejected"),
        ({}, Stage.SENT, "sent"),
        ({"failure_code": "opted_out"}, Stage.UNDELIVERED, "delivery_failed"),
        ({}, Stage.DELIVERED, "delivered"),
        ({}, Stage.READ, "delivered"),
    ],
)
def test_each_of_the_nine_statuses(changes: dict[str, Any], stage: Stage, word: str) -> None:
    assert bird.message(replace(ROW, stage=stage, **changes))["status"] == word
    assert word in bird.STATUSES


def test_an_event_says_what_became_of_it_then() -> None:
    later = AT + timedelta(minutes=1)
    shown = bird.message(replace(ROW, stage=Stage.DELIVERED, sent_at=AT, delivered_at=later), Stage.SENT, AT)
    assert (shown["status"], shown["lastStatusAt"], shown["updatedAt"]) == ("sent", timestamp(AT), timestamp(AT))
    now = bird.message(replace(ROW, stage=Stage.DELIVERED, sent_at=AT, delivered_at=later))
    assert (now["status"], now["lastStatusAt"]) == ("delivered", timestamp(later))


@pytest.mark.parametrize("code", FailureCode)
def test_each_failure_has_a_number_and_says_who_said_it(code: FailureCode) -> None:
    row = replace(ROW, stage=Stage.GAVE_UP, failure_code=code.value, provider="twilio")
    shown = bird.message(row)
    assert shown["reason"] == code.value
    assert shown["failure"]["code"] in bird.DESCRIPTIONS
    assert shown["failure"]["source"] == {"code": code.value, "name": "bellhop"}
    said = bird.message(replace(row, stage=Stage.UNDELIVERED, provider_code="30003"))
    assert said["failure"]["source"] == {"code": "30003", "name": "twilio"}
    assert "failure" not in bird.message(replace(row, stage=Stage.SENT))


def test_a_file_that_a_channel_does_not_take_is_the_contracts_number() -> None:
    assert bird.message(replace(ROW, stage=Stage.GAVE_UP, failure_code="media_refused"))["failure"]["code"] == 12002


def test_pictures_and_files() -> None:
    assert bird.body(with_media(PICTURE, content="Look", subject="Pool")) == {
        "type": "image",
        "image": {"images": [{"mediaUrl": PICTURE["url"]}], "text": "Look", "metadata": {"subject": "Pool"}},
    }
    assert bird.body(with_media(VIDEO, PICTURE, content="")) == {
        "type": "file",
        "file": {
            "files": [
                {"mediaUrl": VIDEO["source"], "contentType": "video/mp4"},
                {"mediaUrl": PICTURE["url"], "contentType": "image/png", "filename": "a.png"},
            ]
        },
    }


def test_what_a_client_gave_comes_back_as_it_was() -> None:
    given = {
        "reference": "booking 7", "meta": {"campaign": {"name": "Spring"}}, "tags": ["vip"], "template": None,
        "shortLinks": {"domain": "h.example"}, "replyTo": {"id": "x", "type": "message"}, "capFrequency": True,
    }  # fmt: skip
    shown = bird.message(
        replace(ROW, metadata=bird.kept(given), scheduled_at=AT, resend_of=OTHER, provider_ids=["SM1"])
    )
    for name in ("reference", "meta", "tags", "shortLinks", "replyTo"):
        assert shown[name] == given[name]
    assert shown["scheduledFor"] == timestamp(AT)
    assert shown["origin"] == {"type": "message", "id": str(OTHER)}
    assert shown["parts"] == [{"platformReference": "SM1"}]
    assert "capFrequency" not in shown
    assert bird.kept({"tags": None}) == {}


def test_a_template_is_shown_instead_of_a_body() -> None:
    shown = bird.message(replace(ROW, metadata=bird.kept({"template": TEMPLATE})))
    assert shown["template"] == TEMPLATE
    assert "body" not in shown


@pytest.mark.parametrize("other", ["text", 7, ["tags"], {"tags": "vip", "meta": [], "template": "x", "reference": {}}])
def test_what_others_wrote_there_is_not_shown(other: Any) -> None:
    """`metadata` is the caller's: the native API takes anything there."""
    assert bird.message(replace(ROW, metadata={"bird": other})) == bird.message(ROW)


def test_a_group_and_a_mail_address() -> None:
    group = {"group": {"recipients": ["+13055551234", "+13055551235"]}}
    contacts = bird.message(replace(ROW, channel=Channel.IMESSAGE, details=group))["receiver"]["contacts"]
    assert [one["identifierValue"] for one in contacts] == group["group"]["recipients"]
    mail = replace(ROW, channel=Channel.EMAIL, recipient="a@h.example")
    assert bird.message(mail)["receiver"]["contacts"][0]["identifierKey"] == "emailaddress"


def test_without_a_sender_the_channel_has_a_name_all_the_same() -> None:
    bare = replace(ROW, sender_id=None, line=None)
    assert UUID(bird.message(bare)["channelId"]) == bare.channel_id
    assert bare.channel_id != replace(bare, channel=Channel.WHATSAPP).channel_id
    assert bird.message(bare).keys() >= ALWAYS


def test_of_an_erased_one_nothing_personal_is_left() -> None:
    shown = bird.erased(KEY, Stage.DELIVERED, AT)
    assert shown.keys() == {"id", "status", "direction", "lastStatusAt", "updatedAt"}
    assert (shown["status"], shown["direction"]) == ("delivered", "outgoing")
    assert bird.erased(KEY, None, AT)["direction"] == "incoming"


def test_a_webhook_is_signed_as_its_clients_check_it() -> None:
    """docs.bird.com, "Verifying a webhook subscription": time, address and the body's raw checksum, a line each."""
    body, url, key = b'{"service":"channels"}', "https://example.com/webhook", "KeV+/HGoIQrxuE5YPCRR6A=="
    headers = bird.signature(key, url, body, AT)
    stamp = headers["messagebird-request-timestamp"]
    assert int(stamp) == int(AT.timestamp())
    joined = f"{stamp}\n{url}\n".encode() + hashlib.sha256(body).digest()
    assert base64.b64decode(headers["messagebird-signature"]) == hmac.new(key.encode(), joined, hashlib.sha256).digest()


def test_a_webhook_names_its_subscription_and_bears_the_message() -> None:
    asked = bird.subscription("sms.outbound", [("channelId", str(SENDER))])
    shown = bird.message(ROW)
    assert bird.event(shown, asked) == {"service": "channels", "event": "sms.outbound", "payload": shown}


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ([], True),
        ([("channelId", str(SENDER))], True),
        ([("channelId", str(OTHER))], False),
        ([("status", "sent")], True),
        ([("status", "delivered")], False),
        ([("channelId", str(OTHER)), ("status", "sent")], False),
    ],
)
def test_all_filters_of_a_subscription_must_match(filters: list[tuple[str, str]], wanted: bool) -> None:
    assert bird.wanted(ROW, Stage.SENT, bird.subscription("sms.outbound", filters)) is wanted


def test_there_are_subscriptions_to_each_channel_of_texts_both_ways() -> None:
    assert {"sms.outbound", "sms.inbound"} < set(bird.EVENTS)
    assert bird.EVENTS["sms.inbound"] == (Channel.SMS, bird.INBOUND)
