"""Faults: every kind walked with the official SDKs, over real connections."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import requests
from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import Mail
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from bellhop.sandbox import faults, scenarios
from bellhop.sandbox.settings import Settings
from bellhop.sandbox.testing import ReceivedCall, Receiver, running
from tests.sandbox_accounts import sandbox_sendgrid, sandbox_twilio

GUEST = "+13055551234"
HTTP = httpx2.Client()  # one for all: making one reads every certificate there is
QUICK = Settings(
    twilio_sent_after=0.03,
    twilio_delivered_after=0.15,
    twilio_retry_pause=0.02,
    sendgrid_processed_after=0.01,
    sendgrid_delivered_after=0.02,
    sendgrid_open_after=0.03,
    sendgrid_batch_window=0.01,
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(settings=QUICK) as url:
        yield url


@pytest.fixture
def sandbox(url: str) -> str:
    HTTP.delete(f"{url}/_sandbox/messages")
    HTTP.delete(f"{url}/_sandbox/faults")
    HTTP.delete(f"{url}/_sandbox/requests")
    return url


@pytest.fixture
def client(sandbox: str) -> Client:
    client = Client(sandbox_twilio.ACCOUNT_SID, sandbox_twilio.AUTH_TOKEN, http_client=TwilioHttpClient(timeout=10))
    client.api.base_url = sandbox
    return client


@pytest.fixture
def mailer(sandbox: str) -> SendGridAPIClient:
    mailer = SendGridAPIClient(sandbox_sendgrid.API_KEY, host=sandbox)
    mailer.client.timeout = 10
    return mailer


def _text(client: Client, to: str = GUEST, **more: Any) -> Any:
    return client.messages.create(to=to, from_=sandbox_twilio.FROM_NUMBER, body="Hi", **more)


def _write(mailer: SendGridAPIClient) -> Any:
    return mailer.send(Mail(sandbox_sendgrid.FROM_EMAIL, "jordan@example.com", "Hi", html_content="Hi"))


def _fault(sandbox: str, kind: str, **more: Any) -> None:
    HTTP.post(f"{sandbox}/_sandbox/faults", json={"kind": kind, **more}).raise_for_status()


def _accepted(sandbox: str) -> int:
    return int(HTTP.get(f"{sandbox}/_sandbox/messages").json()["total"])


def _until_accepted(sandbox: str, count: int) -> None:
    """A client that lost its patience does not know how far the sandbox has come."""
    ends = time.monotonic() + 20
    while _accepted(sandbox) < count:
        assert time.monotonic() < ends
        time.sleep(0.02)
    assert _accepted(sandbox) == count


def _statuses(received: list[ReceivedCall]) -> list[str]:
    return [parse_qs(one.body.decode())["MessageStatus"][0] for one in received]


# kind, its details, what the Twilio SDK then meets, how many messages were accepted
CALLS: list[tuple[str, dict[str, Any], type[Exception] | int, int]] = [
    ("slow", {"delay": 0.1}, 201, 1),
    ("slow", {"delay": 3.0}, requests.ReadTimeout, 1),
    ("rate_limit", {"retry_after": 2}, 429, 0),
    ("auth", {}, 401, 0),
    ("error", {"code": 21612}, 400, 0),
    ("unavailable", {}, 503, 0),
    ("unavailable", {"status": 502, "body": "<html>Bad gateway</html>"}, 502, 0),
    ("hang", {}, requests.ReadTimeout, 0),
    ("reset", {}, requests.ConnectionError, 0),
    ("accept_then_slow", {"delay": 0.1}, 201, 1),
    ("accept_then_error", {}, 500, 1),
    ("accept_then_hang", {}, requests.ReadTimeout, 1),
    ("accept_then_reset", {}, requests.ConnectionError, 1),
]


@pytest.mark.parametrize(("kind", "details", "met", "accepted"), CALLS)
def test_every_kind_of_call(
    client: Client, sandbox: str, kind: str, details: dict[str, Any], met: type[Exception] | int, accepted: int
) -> None:
    _fault(sandbox, kind, provider="twilio", **details)
    if met == 201:
        assert _text(client).status == "queued"
    elif isinstance(met, int):
        with pytest.raises(TwilioRestException) as refused:
            _text(client)
        assert refused.value.status == met
    else:
        if met is requests.ReadTimeout:
            client.http_client.timeout = 1.0
        with pytest.raises(met):
            _text(client)
        client.http_client.timeout = 10
    _until_accepted(sandbox, accepted)
    call = HTTP.get(f"{sandbox}/_sandbox/requests").json()["data"][0]
    assert call["fault"] == kind
    assert _text(client).status == "queued"  # used up


def test_every_kind_is_walked() -> None:
    assert {row[0] for row in CALLS} == faults.CALL_KINDS.keys()
    assert faults.KINDS.keys() == faults.CALL_KINDS.keys() | scenarios.CALLBACK_KINDS.keys() | {"refuse"}


def test_a_reset_is_a_tcp_reset(sandbox: str) -> None:
    _fault(sandbox, "reset")
    body = b"To=%2B13055551234"
    address = urlsplit(sandbox)
    with socket.create_connection((address.hostname, address.port), 2) as raw:
        token = httpx2.BasicAuth(sandbox_twilio.ACCOUNT_SID, sandbox_twilio.AUTH_TOKEN)._auth_header
        raw.sendall(
            f"POST /2010-04-01/Accounts/{sandbox_twilio.ACCOUNT_SID}/Messages.json HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: {token}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        with pytest.raises(ConnectionResetError):
            raw.recv(1)


def test_sendgrid_meets_the_same_faults(mailer: SendGridAPIClient, sandbox: str) -> None:
    for kind, status in (("rate_limit", 429), ("auth", 401), ("unavailable", 503), ("accept_then_error", 500)):
        _fault(sandbox, kind, retry_after=3 if status == 429 else None)
        with pytest.raises(HTTPError) as refused:
            _write(mailer)
        assert refused.value.status_code == status
        if status == 429:
            assert refused.value.headers["Retry-After"] == "3"
            assert int(refused.value.headers["X-RateLimit-Reset"]) > time.time()
    assert _accepted(sandbox) == 1
    mailer.client.timeout = 1.0
    for kind in ("reset", "hang", "accept_then_reset", "accept_then_hang"):
        _fault(sandbox, kind)
        with pytest.raises(OSError):
            _write(mailer)
    _until_accepted(sandbox, 3)
    mailer.client.timeout = 10
    assert _write(mailer).status_code == 202


def test_retry_after_is_answered(client: Client, sandbox: str) -> None:
    _fault(sandbox, "rate_limit", retry_after=2)
    answer = HTTP.post(
        f"{sandbox}/2010-04-01/Accounts/{client.username}/Messages.json",
        data={"To": GUEST},
        auth=(client.username, client.password),
    )
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()["code"]) == (429, "2", 20429)


def test_a_fault_can_be_of_one_recipient_provider_and_count(
    client: Client, mailer: SendGridAPIClient, sandbox: str
) -> None:
    _fault(sandbox, "unavailable", to=GUEST, count=2)
    assert _text(client, "+13055551235").status == "queued"
    assert _write(mailer).status_code == 202
    for _ in range(2):
        with pytest.raises(TwilioRestException):
            _text(client)
    assert _text(client).status == "queued"
    assert HTTP.get(f"{sandbox}/_sandbox/faults").json()["data"] == []


def test_a_fault_can_last_for_a_time(client: Client, sandbox: str) -> None:
    _fault(sandbox, "unavailable", seconds=3)
    for _ in range(3):
        with pytest.raises(TwilioRestException):
            _text(client)
    time.sleep(3)
    assert _text(client).status == "queued"


def test_look_ups_can_fail_too(client: Client, sandbox: str) -> None:
    _fault(sandbox, "unavailable", calls="lookup")
    assert _text(client).status == "queued"
    with pytest.raises(TwilioException):
        client.messages.list(to=GUEST)
    assert len(client.messages.list(to=GUEST)) == 1


def test_what_is_wrong_is_refused_rather_than_accepted(client: Client, sandbox: str) -> None:
    _fault(sandbox, "accept_then_reset")
    with pytest.raises(TwilioRestException) as refused:
        _text(client, "+1305")
    assert refused.value.code == 21211
    assert _accepted(sandbox) == 0


CALLBACKS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("callback_repeat", {"times": 2}, ["delivered", "delivered", "sent", "sent"]),
    ("callback_reorder", {}, ["delivered", "sent"]),
    ("callback_delay", {"delay": 0.3}, ["sent", "delivered"]),
]


@pytest.mark.parametrize(("kind", "details", "statuses"), CALLBACKS)
def test_callbacks_are_disturbed(
    client: Client, sandbox: str, kind: str, details: dict[str, Any], statuses: list[str]
) -> None:
    _fault(sandbox, kind, **details)
    with Receiver().open() as receiver:
        started = time.time()
        message = _text(client, status_callback=receiver.url)
        received = receiver.wait(lambda received: len(received) == len(statuses))
        assert sorted(_statuses(received)) == sorted(statuses)
        if kind != "callback_repeat":
            # As they were posted: on a busy machine two posts so close to one another may overtake each other.
            [row] = HTTP.get(f"{sandbox}/_sandbox/messages").json()["data"]
            assert [step["word"] for step in row["steps"] if step["callback"]] == statuses
        assert client.messages(message.sid).fetch().status == "delivered"
        if kind == "callback_delay":
            assert received[0].at - started >= 0.3


def test_dropped_callbacks_never_come_and_the_next_ones_do(client: Client, sandbox: str) -> None:
    _fault(sandbox, "callback_drop")
    with Receiver().open() as receiver:
        dropped = _text(client, status_callback=f"{receiver.url}/dropped")
        _text(client, status_callback=f"{receiver.url}/reported")
        received = receiver.wait(lambda received: len(received) == 2)
        assert {one.path for one in received} == {"/reported"}
        assert client.messages(dropped.sid).fetch().status == "delivered"


def test_refuse_closes_the_port_for_a_while(client: Client, sandbox: str) -> None:
    address = urlsplit(sandbox)
    assert address.hostname
    with httpx2.Client(base_url=sandbox) as kept:
        kept.get("/_sandbox/health")
        started = time.time()
        _fault(sandbox, "refuse", seconds=3)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address.hostname, address.port or 0), 1).close()
        with pytest.raises(httpx2.TransportError):
            kept.get("/_sandbox/health")
        with pytest.raises(requests.ConnectionError):
            _text(client)
        while time.time() < started + 20:
            try:
                socket.create_connection((address.hostname, address.port or 0), 1).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.02)
    assert time.time() - started >= 3
    assert _text(client).status == "queued"


def test_unknown_kinds_are_refused_with_the_known_ones(sandbox: str) -> None:
    answer = HTTP.post(f"{sandbox}/_sandbox/faults", json={"kind": "explode"})
    assert answer.status_code == 422
    assert answer.json()["kinds"].keys() == faults.KINDS.keys()
    assert HTTP.post(f"{sandbox}/_sandbox/faults", json={"kind": "slow", "wat": 1}).status_code == 422


def test_the_book_of_calls_has_no_credentials(client: Client, sandbox: str) -> None:
    _fault(sandbox, "auth")
    with pytest.raises(TwilioRestException):
        _text(client)
    answer = HTTP.get(f"{sandbox}/_sandbox/requests")
    call = answer.json()["data"][0]
    assert (call["method"], call["status"], call["provider"]) == ("POST", 401, "twilio")
    assert sandbox_twilio.AUTH_TOKEN not in answer.text
