"""The sandbox's Email Activity, its Twilio day filters, and callbacks posted on demand, with the official SDKs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient
from sendgrid.helpers.eventwebhook import EventWebhook, EventWebhookHeader
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from bellhop.sandbox.providers.sendgrid import activity as sendgrid_activity
from bellhop.sandbox.providers.sendgrid.events import EVENT_FLAGS
from bellhop.sandbox.settings import Settings
from bellhop.sandbox.testing import ReceivedCall, Receiver, running
from tests.sandbox_accounts import sandbox_sendgrid, sandbox_twilio

HTTP = httpx2.Client(timeout=30)
QUICK = Settings(
    twilio_sent_after=0.02, twilio_delivered_after=0.06, sendgrid_processed_after=0.02, sendgrid_delivered_after=0.04,
    sendgrid_open_after=0.06, sendgrid_batch_window=0.01, sendgrid_email_activity=True,
)  # fmt: skip
GUEST = "+13055551234"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(settings=QUICK) as url:
        yield url


@pytest.fixture
def receiver(url: str) -> Iterator[Receiver]:
    with Receiver().open() as receiver:
        HTTP.delete(f"{url}/_sandbox/messages")
        HTTP.put(f"{url}/_sandbox/settings", json={"sendgrid_event_url": f"{receiver.url}/events?account=1"})
        yield receiver


@pytest.fixture
def mailer(url: str) -> SendGridAPIClient:
    return SendGridAPIClient(sandbox_sendgrid.API_KEY, host=url)


@pytest.fixture
def texter(url: str) -> Client:
    client = Client(sandbox_twilio.ACCOUNT_SID, sandbox_twilio.AUTH_TOKEN)
    client.api.base_url = url
    return client


def write(mailer: SendGridAPIClient, *to: str, **arguments: str) -> str:
    rows = [{"to": [{"email": one}], "custom_args": arguments} for one in to]
    answer = mailer.client.mail.send.post({
        "personalizations": rows, "from": {"email": sandbox_sendgrid.FROM_EMAIL}, "subject": "Your stay",
        "content": [{"type": "text/html", "value": "Hello"}],
    })  # fmt: skip
    return str(answer.headers["X-Message-Id"])


def search(mailer: SendGridAPIClient, query: str = "", limit: int = 100) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = mailer.client.messages.get(query_params={"query": query, "limit": limit}).to_dict[
        "messages"
    ]
    return found


def reported(mailer: SendGridAPIClient, query: str, enough: int) -> list[dict[str, Any]]:
    ends = time.monotonic() + 30
    while len(found := search(mailer, query)) < enough:
        assert time.monotonic() < ends, found
        time.sleep(0.02)
    return found


def refused(mailer: SendGridAPIClient, status: int, query: str, limit: int | str = 10) -> str:
    with pytest.raises(HTTPError) as caught:
        mailer.client.messages.get(query_params={"query": query, "limit": limit})
    assert caught.value.status_code == status
    return str(json.loads(caught.value.body)["errors"][0]["message"])


# --- Email Activity --------------------------------------------------------------------------------------------------


def test_queries(mailer: SendGridAPIClient, receiver: Receiver) -> None:
    first = write(mailer, "a@guest.example", "b@guest.example", stay="1")
    second = write(mailer, "bounce@guest.example", stay="2")
    reported(mailer, 'status="delivered"', 2)
    (bounced,) = reported(mailer, 'status="not_delivered"', 1)
    ids = {row["to_email"]: row["msg_id"] for row in search(mailer)}
    assert len(set(ids.values())) == 3, "each recipient's copy has an id of its own"
    moment = f"{datetime.now(UTC) + timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}"
    past = f"{datetime.now(UTC) - timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}"
    rows: tuple[tuple[str, set[str]], ...] = (
        ("", set(ids)),
        ("(unique_args['stay']=\"1\")", {"a@guest.example", "b@guest.example"}),
        ("unique_args['stay'] = \"3\"", set()),
        (f"msg_id LIKE '{first}%'", {"a@guest.example", "b@guest.example"}),
        (f'msg_id LIKE "{second}%"', {"bounce@guest.example"}),
        (f'msg_id="{bounced["msg_id"]}"', {"bounce@guest.example"}),
        ('to_email="a@guest.example" AND (unique_args[\'stay\']="1")', {"a@guest.example"}),
        ('status="delivered" AND to_email="bounce@guest.example"', set()),
        (f'last_event_time BETWEEN TIMESTAMP "{past}" AND TIMESTAMP "{moment}"', set(ids)),
        (f'(last_event_time BETWEEN TIMESTAMP "{past}" AND TIMESTAMP "{past}") AND subject="Your stay"', set()),
    )
    for query, expected in rows:
        assert {row["to_email"] for row in search(mailer, query)} == expected, query
    assert len(search(mailer, limit=2)) == 2
    assert bounced.keys() == {
        "from_email", "msg_id", "subject", "to_email", "status", "opens_count", "clicks_count", "last_event_time",
    }  # fmt: skip


@pytest.mark.parametrize(
    "query",
    ["nonsense", 'bad_field="x"', 'to_email="a', '(to_email="a"', 'to_email="a" OR status="b"', 'to_email="a" AND ',
     'last_event_time BETWEEN TIMESTAMP "soon" AND TIMESTAMP "later"', "unique_args['x') OR 1=1 --']=\"1\""],
)  # fmt: skip
def test_queries_that_are_none(mailer: SendGridAPIClient, receiver: Receiver, query: str) -> None:
    assert refused(mailer, 400, query).startswith("invalid syntax")


@pytest.mark.parametrize("limit", [0, 1001, "many"])
def test_limits(mailer: SendGridAPIClient, limit: int | str) -> None:
    assert "limit" in refused(mailer, 400, "", limit)


def test_a_message_with_its_events(mailer: SendGridAPIClient, receiver: Receiver) -> None:
    write(mailer, "blocked@guest.example", attempt_id="7")
    (row,) = reported(mailer, 'status="not_delivered"', 1)
    whole = mailer.client.messages._(row["msg_id"]).get().to_dict
    assert [event["event_name"] for event in whole["events"]] == ["processed", "bounced"]
    assert whole["events"][1]["bounce_type"] == "soft"
    assert whole["events"][1]["reason"].startswith("550 5.7.1")
    assert json.loads(whole["unique_args"]) == {"attempt_id": "7"}
    received = receiver.wait(lambda received: b'"bounce"' in b"".join(one.body for one in received))
    events = [event for one in received for event in json.loads(one.body)]
    assert {event["sg_message_id"] for event in events} == {row["msg_id"]}
    with pytest.raises(HTTPError) as caught:
        mailer.client.messages._(row["msg_id"] + "9").get()
    assert caught.value.status_code == 404


def test_every_event_has_a_name_there() -> None:
    assert sendgrid_activity.NAMES.keys() == set(EVENT_FLAGS.values())


def test_only_an_account_that_has_it_and_only_its_own(url: str, mailer: SendGridAPIClient, receiver: Receiver) -> None:
    made = HTTP.post(f"{url}/_sandbox/accounts", json={"provider": "sendgrid", "email_activity": False}).json()
    without = SendGridAPIClient(made["api_key"], host=url)
    write(without, "a@guest.example")
    write(mailer, "b@guest.example")
    reported(mailer, "", 1)
    assert refused(without, 403, "") == "access forbidden"
    assert [row["to_email"] for row in search(mailer)] == ["b@guest.example"]
    HTTP.post(f"{url}/_sandbox/accounts",
              json={"provider": "sendgrid", "api_key": made["api_key"], "email_activity": True})  # fmt: skip
    assert [row["to_email"] for row in reported(without, "", 1)] == ["a@guest.example"]


# --- Twilio's list ---------------------------------------------------------------------------------------------------


def test_the_day_filters_know_only_what_was_sent(texter: Client, receiver: Receiver) -> None:
    """GMT days, inclusive both ways; what waits in the queue has no day and stands in no filtered list."""
    sent = texter.messages.create(to="+13055559032", from_=sandbox_twilio.FROM_NUMBER, body="a").sid
    queued = texter.messages.create(to="+13055559031", from_=sandbox_twilio.FROM_NUMBER, body="b").sid
    ends = time.monotonic() + 30
    while texter.messages(sent).fetch().status != "sent":
        assert time.monotonic() < ends
        time.sleep(0.02)
    today = texter.messages(sent).fetch().date_sent
    assert today is not None
    day = timedelta(days=1)
    rows: tuple[tuple[dict[str, Any], set[str]], ...] = (
        ({}, {sent, queued}),
        ({"date_sent": today}, {sent}),
        ({"date_sent": today - day}, set()),
        ({"date_sent_after": today}, {sent}),
        ({"date_sent_after": today + day}, set()),
        ({"date_sent_before": today}, {sent}),
        ({"date_sent_before": today - day}, set()),
        ({"date_sent_after": today - day, "date_sent_before": today + day}, {sent}),
    )
    for filters, expected in rows:
        assert {one.sid for one in texter.messages.list(**filters)} == expected, filters


# --- callbacks on demand ---------------------------------------------------------------------------------------------


def post(url: str, **body: str) -> list[dict[str, Any]]:
    answer = HTTP.post(f"{url}/_sandbox/callbacks", json=body)
    assert answer.status_code == 201, answer.text
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


def text(texter: Client, receiver: Receiver) -> str:
    attempt = "01890a5d-ac96-774b-bcce-b302099a8057"
    callback = f"{receiver.url}/status?attempt={attempt}#rc=0"
    return str(
        texter.messages.create(to=GUEST, from_=sandbox_twilio.FROM_NUMBER, body="Hi", status_callback=callback).sid
    )


def genuine(receiver: Receiver, one: ReceivedCall) -> bool:
    form = dict(httpx2.QueryParams(one.body.decode()))
    signature = str(one.headers["X-Twilio-Signature"])
    return bool(RequestValidator(sandbox_twilio.AUTH_TOKEN).validate(receiver.url + one.path, form, signature))


def test_twilios_callbacks_on_demand(url: str, texter: Client, receiver: Receiver) -> None:
    assert HTTP.post(f"{url}/_sandbox/callbacks", json={"kind": "forged", "provider": "twilio"}).status_code == 409
    sid = text(texter, receiver)
    before = receiver.wait(lambda received: len(received) == 2)
    assert all(genuine(receiver, one) for one in before)
    (forged,) = post(url, kind="forged", provider="twilio", word="failed")
    last = receiver.received[-1]
    assert (forged["id"], forged["word"], forged["answer"]) == (sid, "failed", "204")
    assert b"MessageStatus=failed" in last.body and sid.encode() in last.body and not genuine(receiver, last)
    (unknown,) = post(url, kind="unknown", provider="twilio")
    last = receiver.received[-1]
    assert unknown["id"] != sid and unknown["id"].encode() in last.body and sid.encode() not in last.body
    assert genuine(receiver, last) and last.path != before[0].path and last.path.startswith("/status?attempt=")
    again = post(url, kind="again", provider="twilio", id=sid)
    assert [each["word"] for each in again] == ["delivered", "sent"]
    assert all(genuine(receiver, one) and one.path == before[0].path for one in receiver.received[-2:])
    receiver.answers = [403]
    assert post(url, kind="forged", provider="twilio")[0]["answer"] == "403"


def test_sendgrids_callbacks_on_demand(url: str, mailer: SendGridAPIClient, receiver: Receiver) -> None:
    message_id = write(mailer, "a@guest.example", attempt_id="7")
    receiver.wait(lambda received: b'"open"' in b"".join(one.body for one in received))
    known = {event["sg_event_id"] for one in receiver.received for event in json.loads(one.body)}

    def last() -> tuple[bool, dict[str, Any]]:
        one = receiver.received[-1]
        signature, timestamp = one.headers[EventWebhookHeader.SIGNATURE], one.headers[EventWebhookHeader.TIMESTAMP]
        genuine = EventWebhook(sandbox_sendgrid.WEBHOOK_PUBLIC_KEY)
        signed = genuine.verify_signature(one.body.decode(), signature, timestamp)
        return signed, json.loads(one.body)[0]

    (forged,) = post(url, kind="forged", provider="sendgrid", word="bounce")
    signed, event = last()
    assert (signed, event["event"], event["attempt_id"], forged["id"]) == (False, "bounce", "7", message_id)
    (unknown,) = post(url, kind="unknown", provider="sendgrid")
    signed, event = last()
    assert signed and event["attempt_id"] != "7" and unknown["id"] != message_id
    again = post(url, kind="again", provider="sendgrid", id=message_id)
    assert [each["word"] for each in again] == ["open", "delivered", "processed"]
    signed, event = last()
    assert signed and event["sg_event_id"] in known
