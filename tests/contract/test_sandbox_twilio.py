"""The sandbox's Twilio, driven by Twilio's own SDK: resources, errors, callbacks, inbound texts and opt-outs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from bellhop.sandbox import segments
from bellhop.sandbox.providers.twilio import overrides
from bellhop.sandbox.settings import Settings
from bellhop.sandbox.testing import ReceivedCall, Receiver, running
from tests.sandbox_accounts import sandbox_twilio

GUEST = "+13055551234"
OURS = sandbox_twilio.FROM_NUMBER
HTTP = httpx2.Client()  # one for all: making one reads every certificate there is
ORDER = ("queued", "sent", "delivered", "read")
QUICK = Settings(twilio_sent_after=0.05, twilio_delivered_after=0.15, twilio_read_after=0.25, twilio_retry_pause=0.02)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running(settings=QUICK) as url:
        yield url


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().open() as receiver:
        yield receiver


@pytest.fixture
def client(sandbox: str) -> Client:
    HTTP.delete(f"{sandbox}/_sandbox/messages")
    HTTP.delete(f"{sandbox}/_sandbox/opt-outs")
    return _client(sandbox, sandbox_twilio.AUTH_TOKEN)


def _client(sandbox: str, token: str) -> Client:
    client = Client(sandbox_twilio.ACCOUNT_SID, token, http_client=TwilioHttpClient(timeout=5))
    client.api.base_url = sandbox
    return client


def _fields(received: ReceivedCall) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(received.body.decode(), keep_blank_values=True).items()}


def _in_order(received: list[ReceivedCall]) -> list[ReceivedCall]:
    return sorted(received, key=lambda one: ORDER.index(_fields(one)["MessageStatus"]))


def _posted(sandbox: str, sid: str) -> list[str]:
    """As they were posted: on a busy machine two so close to one another may overtake each other."""
    rows = HTTP.get(f"{sandbox}/_sandbox/messages").json()["data"]
    return [step["word"] for row in rows if row["id"] == sid for step in row["steps"] if step["callback"]]


def test_create_answers_the_whole_resource(client: Client, sandbox: str) -> None:
    answer = HTTP.post(
        f"{sandbox}/2010-04-01/Accounts/{client.username}/Messages.json",
        data={"To": GUEST, "From": OURS, "Body": "Hello"},
        auth=(client.username, client.password),
    )
    message = answer.json()
    assert answer.status_code == 201
    assert re.fullmatch("SM[0-9a-f]{32}", message["sid"])
    assert datetime.strptime(message["date_created"], "%a, %d %b %Y %H:%M:%S +0000")
    expected = {
        "account_sid": sandbox_twilio.ACCOUNT_SID,
        "api_version": "2010-04-01",
        "body": "Hello",
        "date_sent": None,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": OURS,
        "to": GUEST,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "status": "queued",
    }
    assert expected.items() <= message.items()
    assert message.keys() - expected.keys() == {"date_created", "date_updated", "sid", "uri", "subresource_uris"}


def test_callbacks_are_signed_without_the_fragment_and_tell_sent_then_delivered(
    client: Client, sandbox: str, receiver: Receiver
) -> None:
    url = f"{receiver.url}/status/omsg_1?part=0&empty="
    message = client.messages.create(to=GUEST, from_=OURS, body="Hi", status_callback=f"{url}#rc=5&rp=all")
    received = _in_order(receiver.wait(lambda received: len(received) == 2))
    assert _posted(sandbox, message.sid) == ["sent", "delivered"]
    validator = RequestValidator(sandbox_twilio.AUTH_TOKEN)
    for one, status in zip(received, ("sent", "delivered"), strict=True):
        fields = _fields(one)
        assert one.path == "/status/omsg_1?part=0&empty="
        assert validator.validate(url, fields, one.headers["X-Twilio-Signature"])
        assert not validator.validate(url, {**fields, "To": "+1"}, one.headers["X-Twilio-Signature"])
        assert fields == {
            "MessageSid": message.sid,
            "SmsSid": message.sid,
            "MessageStatus": status,
            "SmsStatus": status,
            "AccountSid": sandbox_twilio.ACCOUNT_SID,
            "From": OURS,
            "To": GUEST,
            "ApiVersion": "2010-04-01",
        }
    assert received[0].headers["I-Twilio-Idempotency-Token"] != received[1].headers["I-Twilio-Idempotency-Token"]
    fetched = client.messages(message.sid).fetch()
    assert (fetched.status, fetched.error_code, fetched.num_segments) == ("delivered", None, "1")
    assert fetched.date_sent is not None


def test_a_callback_that_fails_is_retried_with_the_same_token(client: Client, receiver: Receiver) -> None:
    receiver.answers = [500, 404]
    client.messages.create(to=GUEST, from_=OURS, body="Hi", status_callback=f"{receiver.url}/#rc=5&rp=all")
    received = receiver.wait(lambda received: len(received) == 4)
    assert len({one.headers["I-Twilio-Idempotency-Token"] for one in received}) == 2


def test_without_overrides_an_error_is_not_retried(client: Client, sandbox: str, receiver: Receiver) -> None:
    receiver.answers = [500]
    message = client.messages.create(to=GUEST, from_=OURS, body="Hi", status_callback=receiver.url)
    receiver.wait(lambda received: sorted(_fields(one)["MessageStatus"] for one in received) == ["delivered", "sent"])
    assert _posted(sandbox, message.sid) == ["sent", "delivered"]


REFUSED: list[tuple[dict[str, Any], int]] = [
    ({"to": "+1305"}, 21211),
    ({"to": "05551234"}, 21211),
    ({"to": ""}, 21604),
    ({"body": ""}, 21602),
    ({"body": "x" * 1601}, 21617),
    ({"from_": "+15005550007"}, 21606),
    ({"from_": "nobody!"}, 21212),
    ({"from_": ""}, 21603),
    ({"to": OURS}, 21266),
    ({"to": f"whatsapp:{GUEST}"}, 21910),
    ({"status_callback": "http://my_host/x"}, 21609),
    ({"messaging_service_sid": "MGnot"}, 20001),
]


@pytest.mark.parametrize(("changed", "code"), REFUSED)
def test_what_is_wrong_is_refused_with_twilios_code(client: Client, changed: dict[str, Any], code: int) -> None:
    with pytest.raises(TwilioRestException) as refused:
        client.messages.create(**{"to": GUEST, "from_": OURS, "body": "Hi", **changed})
    assert (refused.value.status, refused.value.code) == (400, code)
    assert client.messages.list() == []


def test_wrong_credentials_are_20003(sandbox: str) -> None:
    with pytest.raises(TwilioRestException) as refused:
        _client(sandbox, "wrong").messages.create(to=GUEST, from_=OURS, body="Hi")
    assert (refused.value.status, refused.value.code) == (401, 20003)


def test_an_unknown_message_is_20404(client: Client) -> None:
    with pytest.raises(TwilioRestException) as missing:
        client.messages("SM" + "0" * 32).fetch()
    assert (missing.value.status, missing.value.code) == (404, 20404)


def test_list_pages_newest_first_and_filters(client: Client, receiver: Receiver) -> None:
    sids = [client.messages.create(to=GUEST, from_=OURS, body=str(n)).sid for n in range(5)]
    other = client.messages.create(to="+13055551235", from_=OURS, body="other", status_callback=receiver.url)
    assert [m.sid for m in client.messages.list(to=GUEST, page_size=2)] == sids[::-1]
    assert [m.sid for m in client.messages.list(page_size=2, limit=3)] == [other.sid, *sids[:2:-1]]
    assert client.messages.list(from_="+15005550009") == []
    receiver.wait(lambda received: len(received) == 2)
    now = datetime.now(UTC)
    assert len(client.messages.list(date_sent=now)) == 6
    assert len(client.messages.list(date_sent_after=now - timedelta(days=2), date_sent_before=now)) == 6
    assert client.messages.list(date_sent_before=now - timedelta(days=2)) == []


def test_the_list_can_lag(client: Client, sandbox: str) -> None:
    HTTP.put(f"{sandbox}/_sandbox/settings", json={"twilio_list_lag": 60})
    client.messages.create(to=GUEST, from_=OURS, body="Hi")
    assert client.messages.list(to=GUEST) == []
    HTTP.put(f"{sandbox}/_sandbox/settings", json={"twilio_list_lag": 0})
    assert len(client.messages.list(to=GUEST)) == 1


def test_redact_and_delete_once_complete(client: Client, receiver: Receiver) -> None:
    waiting = client.messages.create(to="+13055559031", from_=OURS, body="stays queued")
    with pytest.raises(TwilioRestException) as early:
        client.messages(waiting.sid).delete()
    assert early.value.code == 20009
    message = client.messages.create(to=GUEST, from_=OURS, body="secret", status_callback=receiver.url)
    receiver.wait(lambda received: len(received) == 2)
    assert client.messages(message.sid).update(body="").body == ""
    assert client.messages(message.sid).delete()
    with pytest.raises(TwilioRestException):
        client.messages(message.sid).fetch()
    with pytest.raises(TwilioRestException):
        client.messages(message.sid).delete()


def test_a_scheduled_message_waits_and_can_be_cancelled(client: Client) -> None:
    service = "MG" + "a" * 32
    message = client.messages.create(
        to=GUEST,
        messaging_service_sid=service,
        body="Later",
        schedule_type="fixed",
        send_at=datetime.now(UTC) + timedelta(hours=1),
    )
    assert (message.status, message.from_, message.num_segments) == ("scheduled", None, "0")
    assert client.messages(message.sid).update(status="canceled").status == "canceled"
    with pytest.raises(TwilioRestException) as late:
        client.messages(message.sid).update(status="canceled")
    assert late.value.code == 30409


def test_a_service_accepts_queues_and_picks_the_sender(client: Client, sandbox: str, receiver: Receiver) -> None:
    service = "MG" + "a" * 32
    message = client.messages.create(to=GUEST, messaging_service_sid=service, body="Hi", status_callback=receiver.url)
    assert message.status == "accepted"
    received = [_fields(one) for one in _in_order(receiver.wait(lambda received: len(received) == 3))]
    assert [one["MessageStatus"] for one in received] == ["queued", "sent", "delivered"]
    assert _posted(sandbox, message.sid) == ["queued", "sent", "delivered"]
    assert {one["MessagingServiceSid"] for one in received} == {service}
    assert client.messages(message.sid).fetch().from_ == OURS


def test_chat_addresses_end_read(client: Client, sandbox: str, receiver: Receiver) -> None:
    wrote = {"from": f"whatsapp:{GUEST}", "to": f"whatsapp:{OURS}", "body": "Hi"}
    HTTP.put(f"{sandbox}/_sandbox/settings", json={"twilio_inbound_url": ""})
    assert HTTP.post(f"{sandbox}/_sandbox/inbound", json=wrote).status_code == 200
    message = client.messages.create(
        to=f"whatsapp:{GUEST}", from_=f"whatsapp:{OURS}", body="Hi", status_callback=receiver.url
    )
    receiver.wait(
        lambda received: sorted(_fields(one)["MessageStatus"] for one in received) == ["delivered", "read", "sent"]
    )
    assert _posted(sandbox, message.sid) == ["sent", "delivered", "read"]


def test_an_inbound_text_is_posted_signed_and_answered(client: Client, sandbox: str, receiver: Receiver) -> None:
    url = f"{receiver.url}/inbound"
    HTTP.put(f"{sandbox}/_sandbox/settings", json={"twilio_inbound_url": url})
    receiver.reply = b"<Response/>"
    answer = HTTP.post(f"{sandbox}/_sandbox/inbound", json={"from": GUEST, "body": "More towels, please"}).json()
    assert (answer["status"], answer["body"], answer["opt_out"]) == (200, "<Response/>", None)
    [received] = receiver.received
    fields = _fields(received)
    assert RequestValidator(sandbox_twilio.AUTH_TOKEN).validate(url, fields, received.headers["X-Twilio-Signature"])
    assert (fields["From"], fields["To"], fields["Body"]) == (GUEST, OURS, "More towels, please")
    assert fields["MessageSid"] == answer["sid"] == client.messages.list(to=OURS)[0].sid
    receiver.answers = [403]
    assert HTTP.post(f"{sandbox}/_sandbox/inbound", json={"from": GUEST, "body": "x"}).json()["status"] == 403


def _texted(sandbox: str, receiver: Receiver, overrides: str = "", fallback: str | None = None) -> Any:
    """What became of a guest's text that is posted with these overrides, and to that path when this fails."""
    urls = {
        "twilio_inbound_url": f"{receiver.url}/inbound?q=1{overrides}",
        "twilio_inbound_fallback_url": f"{receiver.url}{fallback}" if fallback else "",
    }
    HTTP.put(f"{sandbox}/_sandbox/settings", json=urls)
    return HTTP.post(f"{sandbox}/_sandbox/inbound", json={"from": GUEST, "body": "Hello"}).json()


def test_an_inbound_text_is_posted_once_unless_its_address_says_otherwise(
    client: Client, sandbox: str, receiver: Receiver
) -> None:
    receiver.answers = [503] * 9
    once = _texted(sandbox, receiver)
    assert (once["status"], once["tries"], once["fallback_tries"]) == (503, 1, 0)
    receiver.answers = [503, 404]
    more = _texted(sandbox, receiver, "#rc=5&rp=all")
    assert (more["status"], more["tries"]) == (204, 3)
    assert len({one.headers["I-Twilio-Idempotency-Token"] for one in receiver.received[1:]}) == 1
    receiver.answers = [404, 503]
    assert _texted(sandbox, receiver, "#rc=5&rp=5xx")["tries"] == 1


def test_all_tries_together_have_the_total_time(client: Client, sandbox: str, receiver: Receiver) -> None:
    HTTP.put(f"{sandbox}/_sandbox/settings", json={"twilio_retry_pause": 0.2})
    try:
        receiver.answers = [503] * 9
        assert _texted(sandbox, receiver, "#rc=5&rp=all&tt=700")["tries"] == 3  # at 0, 0.2 and 0.6 s
    finally:
        HTTP.put(f"{sandbox}/_sandbox/settings", json={"twilio_retry_pause": 0.02})


def test_what_fails_at_the_first_address_goes_to_the_fallback_one(
    client: Client, sandbox: str, receiver: Receiver
) -> None:
    receiver.answers = [503, 503, 500]
    found = _texted(sandbox, receiver, "#rc=1&rp=5xx", "/second?q=2#rc=1&rp=5xx")
    assert (found["status"], found["tries"], found["fallback_tries"]) == (204, 2, 2)
    first, *_, last = receiver.received
    assert (first.path, last.path) == ("/inbound?q=1", "/second?q=2")
    fields = _fields(last)
    assert fields.pop("ErrorUrl") == f"{receiver.url}/inbound?q=1"
    assert fields.pop("ErrorCode") == "11200"
    assert fields == _fields(first)
    validator, signature = RequestValidator(sandbox_twilio.AUTH_TOKEN), last.headers["X-Twilio-Signature"]
    assert validator.validate(f"{receiver.url}/second?q=2", _fields(last), signature)
    HTTP.put(f"{sandbox}/_sandbox/settings", json={"twilio_inbound_url": "http://127.0.0.1:9/"})
    HTTP.post(f"{sandbox}/_sandbox/inbound", json={"from": GUEST, "body": "Hello"})
    assert _fields(receiver.received[-1])["ErrorCode"] == "11205"


@pytest.mark.parametrize("word", ["STOP", " stop\n", "Unsubscribe", "REVOKE"])
def test_stop_opts_out_and_start_lifts_it(client: Client, sandbox: str, word: str) -> None:
    def says(body: str) -> Any:
        return HTTP.post(f"{sandbox}/_sandbox/inbound", json={"from": GUEST, "body": body}).json()["opt_out"]

    def send() -> Any:
        return client.messages.create(to=GUEST, from_=OURS, body="Hi")

    assert says("Stop please") is None
    send()
    assert says(word) is True
    with pytest.raises(TwilioRestException) as refused:
        send()
    assert (refused.value.status, refused.value.code) == (400, 21610)
    assert says("start") is False
    send()


def test_a_rotated_token_takes_effect_at_once(sandbox: str, receiver: Receiver) -> None:
    made = HTTP.post(f"{sandbox}/_sandbox/accounts", json={"provider": "twilio", "numbers": ["+13055550001"]}).json()
    HTTP.post(
        f"{sandbox}/_sandbox/accounts",
        json={"provider": "twilio", "account_sid": made["account_sid"], "auth_token": "fresh"},
    )
    client = Client(made["account_sid"], "fresh", http_client=TwilioHttpClient(timeout=5))
    client.api.base_url = sandbox
    client.messages.create(to=GUEST, from_="+13055550001", body="Hi", status_callback=receiver.url)
    received = receiver.wait(bool)[0]
    assert RequestValidator("fresh").validate(receiver.url, _fields(received), received.headers["X-Twilio-Signature"])


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ç", 1),
        ("ç" * 71, 2),
        ("🔑" * 35, 1),
        ("🔑" * 36, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("a" * 306, 2),
        ("a" * 307, 3),
    ],
)
def test_segments(text: str, count: int) -> None:
    assert segments.count(text) == count


@pytest.mark.parametrize(
    ("url", "bare", "retries", "outcomes"),
    [
        ("http://h/p?q=1", "http://h/p?q=1", 1, {"ct"}),
        ("http://h/p#rc=5&rp=all", "http://h/p", 5, {"ct", "rt", "4xx", "5xx"}),
        ("http://h/p#rc=2&rp=5xx,rt", "http://h/p", 2, {"5xx", "rt"}),
        ("http://h/p#rc=99&rp=never", "http://h/p", 5, {"ct"}),
        ("http://h/p#rc=0", "http://h/p", 0, set()),
    ],
)
def test_connection_overrides(url: str, bare: str, retries: int, outcomes: set[str]) -> None:
    called, how = overrides.split(url)
    assert (called, how.retries) == (bare, retries)
    assert {outcome for outcome in ("ct", "rt", "4xx", "5xx") if how.retry(outcome, 0)} == outcomes
    assert not how.retry("ct", retries)
