"""Providers against the sandbox: what a call leaves unknown, a callback or a look-up settles."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID, uuid4

import pytest

from bellhop.domain.channels import Channel
from bellhop.domain.content import HTML, Content
from bellhop.domain.delivery_ports import (
    Account,
    CallbackRequest,
    Effect,
    LookupKind,
    LookupRequest,
    Outgoing,
    Receipt,
    SendKind,
    SendResult,
)
from bellhop.domain.failures import FailureCode
from bellhop.domain.media import Media
from bellhop.domain.statuses import Stage
from bellhop.providers.lease import boottime
from bellhop.providers.sendgrid.adapter import SendGrid
from bellhop.providers.twilio.adapter import Twilio
from bellhop.sandbox.settings import Settings
from bellhop.sandbox.testing import ReceivedCall, Receiver, running
from tests.sandbox_accounts import sandbox_sendgrid, sandbox_twilio

QUICK = Settings(
    twilio_sent_after=0.05, twilio_delivered_after=0.1, twilio_retry_pause=0.02, sendgrid_processed_after=0.02,
    sendgrid_delivered_after=0.1, sendgrid_open_after=0.2, sendgrid_batch_window=0.02,
)  # fmt: skip
GUEST, MAILBOX = "+13055551234", "jordan@guest.example"
TWILIO, SENDGRID = Twilio(), SendGrid()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver().open() as found:
        yield found


@pytest.fixture(scope="module")
def sandbox(receiver: Receiver) -> Iterator[str]:
    with running(settings=QUICK.model_copy(update={"sendgrid_event_url": f"{receiver.url}/events"})) as url:
        yield url


def twilio_account(url: str) -> Account:
    secrets = {"auth_token": sandbox_twilio.AUTH_TOKEN}
    return Account(UUID(int=1), "twilio", sandbox_twilio.ACCOUNT_SID, url, secrets)


def sendgrid_account(url: str) -> Account:
    secrets = {"api_key": sandbox_sendgrid.API_KEY, "webhook_public_key": sandbox_sendgrid.WEBHOOK_PUBLIC_KEY}
    return Account(UUID(int=2), "sendgrid", "key", url, secrets)


def sms(receiver: Receiver, to: str = GUEST, text: str = "Ihr Zimmer ist fertig 🏨") -> Outgoing:
    attempt = uuid4()
    callback = f"{receiver.url}/v1/callbacks/1/status?attempt={attempt}"
    return Outgoing(attempt, uuid4(), Channel.SMS, to, sandbox_twilio.FROM_NUMBER, None,
                    Content(text=text), callback,
                    8.0, boottime() + 15)  # fmt: skip


def email(to: str = MAILBOX) -> Outgoing:
    return Outgoing(uuid4(), uuid4(), Channel.EMAIL, to, sandbox_sendgrid.FROM_EMAIL, "Grand Hotel",
                    Content(text="<p>Hello</p>", content_type=HTML, subject="Your stay"), "", 8.0,
                    boottime() + 15)  # fmt: skip


def post(url: str, path: str, **body: Any) -> None:
    request = urllib.request.Request(url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.status < 300


def lookup(outgoing: Outgoing, since: datetime, *claimed: str) -> LookupRequest:
    return LookupRequest(
        outgoing.attempt_id,
        outgoing.to,
        outgoing.sender,
        outgoing.content.text,
        since,
        frozenset(claimed),
        outgoing.channel,
    )


def callback(receiver: Receiver, received: ReceivedCall, path: str) -> CallbackRequest:
    headers = {name.lower(): value for name, value in received.headers.items()}
    query = dict(parse_qsl(urlsplit(received.path).query))
    return CallbackRequest(receiver.url + received.path, path, query, headers, received.body)


def status_receipts(receiver: Receiver, account: Account, attempt: UUID, last: Stage) -> list[Receipt]:
    """The verified receipts of an attempt, once `last` is among them."""

    def mine(received: list[ReceivedCall]) -> list[Receipt]:
        requests = [callback(receiver, one, "status") for one in received if str(attempt) in one.path]
        assert all(TWILIO.verify(account, request) for request in requests)
        return [receipt for one in requests for receipt in TWILIO.parse(one) if isinstance(receipt, Receipt)]

    return mine(receiver.wait(lambda received: any(each.stage is last for each in mine(received))))


def event_receipts(receiver: Receiver, account: Account, attempt: UUID, last: str) -> list[Receipt]:
    def mine(received: list[ReceivedCall]) -> list[Receipt]:
        requests = [callback(receiver, one, "events") for one in received if one.path == "/events"]
        assert all(SENDGRID.verify(account, request) for request in requests)
        return [receipt for one in requests for receipt in SENDGRID.parse(one) if receipt.attempt_id == attempt]

    return mine(receiver.wait(lambda received: any(each.word == last for each in mine(received))))


# --- Twilio ----------------------------------------------------------------------------------------------------------


def test_a_text_is_accepted_sent_and_delivered(sandbox: str, receiver: Receiver) -> None:
    account, outgoing = twilio_account(sandbox), sms(receiver)
    result = TWILIO.send(account, outgoing)
    assert result.kind is SendKind.ACCEPTED
    receipts = status_receipts(receiver, account, outgoing.attempt_id, Stage.DELIVERED)
    assert {each.stage for each in receipts} >= {Stage.SENT, Stage.DELIVERED}
    assert {each.provider_id for each in receipts} == {result.provider_id}
    assert {each.attempt_id for each in receipts} == {outgoing.attempt_id}


@pytest.mark.parametrize("fault", ["accept_then_reset", "accept_then_hang", "accept_then_error", "accept_then_slow"])
def test_a_text_whose_answer_was_lost_is_found_again(sandbox: str, receiver: Receiver, fault: str) -> None:
    account, outgoing = twilio_account(sandbox), sms(receiver, text=f"lost by {fault}")
    since = datetime.now(UTC)
    post(sandbox, "/_sandbox/faults", kind=fault, provider="twilio")
    assert TWILIO.send(account, replace(outgoing, timeout=1.0)).kind is SendKind.UNKNOWN
    (delivered, *_) = status_receipts(receiver, account, outgoing.attempt_id, Stage.DELIVERED)
    found = TWILIO.look_up(account, lookup(outgoing, since), 5.0)
    assert (found.kind, found.provider_id) == (LookupKind.FOUND, delivered.provider_id)
    claimed = TWILIO.look_up(account, lookup(outgoing, since, str(found.provider_id)), 5.0)
    assert claimed.kind is LookupKind.ABSENT


@pytest.mark.parametrize("fault", ["hang", "reset"])
def test_a_text_that_was_not_accepted_is_absent(sandbox: str, receiver: Receiver, fault: str) -> None:
    account, outgoing = twilio_account(sandbox), sms(receiver, text=f"not accepted by {fault}")
    post(sandbox, "/_sandbox/faults", kind=fault, provider="twilio")
    assert TWILIO.send(account, replace(outgoing, timeout=1.0)).kind is SendKind.UNKNOWN
    assert TWILIO.look_up(account, lookup(outgoing, datetime.now(UTC)), 5.0).kind is LookupKind.ABSENT


FAULTS: tuple[tuple[dict[str, Any], SendKind, SendKind], ...] = (
    # the fault, then what it means from Twilio and from SendGrid
    ({"kind": "rate_limit", "retry_after": 4}, SendKind.RETRY, SendKind.RETRY),
    ({"kind": "unavailable"}, SendKind.UNKNOWN, SendKind.RETRY),
    ({"kind": "unavailable", "status": 500}, SendKind.UNKNOWN, SendKind.UNKNOWN),
    ({"kind": "unavailable", "status": 502}, SendKind.UNKNOWN, SendKind.UNKNOWN),
    ({"kind": "unavailable", "body": "<html>nginx</html>"}, SendKind.UNKNOWN, SendKind.UNKNOWN),
    ({"kind": "auth"}, SendKind.ACCOUNT, SendKind.ACCOUNT),
    ({"kind": "error"}, SendKind.REFUSED, SendKind.REFUSED),
)


@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_faults_of_the_provider(sandbox: str, receiver: Receiver, number: int) -> None:
    fault, of_twilio, of_sendgrid = FAULTS[number]
    post(sandbox, "/_sandbox/faults", **fault, provider="twilio")
    result = TWILIO.send(twilio_account(sandbox), sms(receiver))
    assert (result.kind, result.retry_after) == (of_twilio, fault.get("retry_after"))
    post(sandbox, "/_sandbox/faults", **fault, provider="sendgrid")
    result = SENDGRID.send(sendgrid_account(sandbox), email())
    assert (result.kind, result.retry_after) == (of_sendgrid, fault.get("retry_after"))


MAGIC: tuple[tuple[str, FailureCode], ...] = (
    ("+13055552211", FailureCode.ADDRESS_INVALID),
    ("+13055552408", FailureCode.CONFIGURATION),
    ("+13055552610", FailureCode.OPTED_OUT),
    ("+13055552614", FailureCode.ADDRESS_INVALID),
)


@pytest.mark.parametrize(("to", "code"), MAGIC)
def test_numbers_that_are_refused(sandbox: str, receiver: Receiver, to: str, code: FailureCode) -> None:
    result = TWILIO.send(twilio_account(sandbox), sms(receiver, to))
    assert (result.kind, result.code) == (SendKind.REFUSED, code)


def test_a_file_that_cannot_be_fetched_just_now_is_tried_again(sandbox: str, receiver: Receiver) -> None:
    """It lies at an address of ours: while the API is away, nobody can have it."""
    files = (Media(url="http://127.0.0.1:1/m/a.png", content_type="image/png", filename="a.png", size=9),)
    outgoing = replace(sms(receiver), content=Content(text="The pool", media=files))
    result = TWILIO.send(twilio_account(sandbox), outgoing)
    assert (result.kind, result.code) == (SendKind.RETRY, FailureCode.MEDIA_UNAVAILABLE)


def test_a_number_that_does_not_deliver(sandbox: str, receiver: Receiver) -> None:
    account, outgoing = twilio_account(sandbox), sms(receiver, "+13055553003")
    assert TWILIO.send(account, outgoing).kind is SendKind.ACCEPTED
    *_, last = status_receipts(receiver, account, outgoing.attempt_id, Stage.UNDELIVERED)
    assert (last.code, last.provider_code) == (FailureCode.UNREACHABLE, "30003")


@pytest.mark.parametrize("wrong", ["auth_token", "sender"])
def test_an_account_that_is_not_set_up(sandbox: str, receiver: Receiver, wrong: str) -> None:
    account, outgoing = twilio_account(sandbox), sms(receiver)
    result: SendResult
    if wrong == "auth_token":
        result = TWILIO.send(replace(account, credentials={"auth_token": "f" * 32}), outgoing)
        assert result.kind is SendKind.ACCOUNT
    else:
        result = TWILIO.send(account, replace(outgoing, sender="+15005550099"))
        assert result.kind is SendKind.REFUSED
    assert result.code is FailureCode.CONFIGURATION


# --- SendGrid --------------------------------------------------------------------------------------------------------


def test_a_mail_is_accepted_delivered_and_opened(sandbox: str, receiver: Receiver) -> None:
    account, outgoing = sendgrid_account(sandbox), email()
    result = SENDGRID.send(account, outgoing)
    assert result.kind is SendKind.ACCEPTED
    receipts = event_receipts(receiver, account, outgoing.attempt_id, "open")
    assert [each.stage for each in receipts] == [Stage.SENT, Stage.DELIVERED, Stage.READ]
    assert {each.provider_id for each in receipts} == {result.provider_id}
    assert {each.payload["message_id"] for each in receipts} == {str(outgoing.message_id)}


@pytest.mark.parametrize("fault", ["accept_then_reset", "accept_then_hang"])
def test_a_mail_whose_answer_was_lost_is_claimed_by_its_events(sandbox: str, receiver: Receiver, fault: str) -> None:
    account, outgoing = sendgrid_account(sandbox), email()
    post(sandbox, "/_sandbox/faults", kind=fault, provider="sendgrid")
    assert SENDGRID.send(account, replace(outgoing, timeout=1.0)).kind is SendKind.UNKNOWN
    (first, *_) = event_receipts(receiver, account, outgoing.attempt_id, "delivered")
    assert first.stage is Stage.SENT


MAILBOXES: tuple[tuple[str, str, Stage | None, FailureCode | None, Effect | None], ...] = (
    ("bounce", "bounce", Stage.UNDELIVERED, FailureCode.ADDRESS_INVALID, Effect.HARD_BOUNCE),
    ("blocked", "bounce", Stage.UNDELIVERED, FailureCode.BLOCKED, None),
    ("latebounce", "bounce", Stage.UNDELIVERED, FailureCode.ADDRESS_INVALID, Effect.HARD_BOUNCE),
    ("dropped", "dropped", Stage.UNDELIVERED, FailureCode.ADDRESS_INVALID, Effect.HARD_BOUNCE),
    ("invalid", "dropped", Stage.UNDELIVERED, FailureCode.ADDRESS_INVALID, Effect.HARD_BOUNCE),
    ("unsubscribed", "dropped", Stage.UNDELIVERED, FailureCode.OPTED_OUT, Effect.UNSUBSCRIBE),
    ("spamreporter", "dropped", Stage.UNDELIVERED, FailureCode.OPTED_OUT, Effect.COMPLAINT),
    ("spamcontent", "dropped", Stage.UNDELIVERED, FailureCode.CONTENT_REFUSED, None),
    ("spam", "spamreport", None, None, Effect.COMPLAINT),
    ("unsubscribe", "unsubscribe", None, None, Effect.UNSUBSCRIBE),
    ("deferring", "deferred", None, None, None),
    ("machineopen", "machine_open", None, None, None),
    ("click", "click", Stage.READ, None, None),
)


@pytest.mark.parametrize("row", MAILBOXES, ids=[row[0] for row in MAILBOXES])
def test_mailboxes(
    sandbox: str, receiver: Receiver, row: tuple[str, str, Stage | None, FailureCode | None, Effect | None]
) -> None:
    name, word, *expected = row
    account, outgoing = sendgrid_account(sandbox), email(f"{name}@guest.example")
    assert SENDGRID.send(account, outgoing).kind is SendKind.ACCEPTED
    receipts = event_receipts(receiver, account, outgoing.attempt_id, word)
    found = next(each for each in receipts if each.word == word)
    assert [found.stage, found.code, found.effect] == expected
    assert found.address == (outgoing.to if found.effect else None)


def test_a_port_that_refuses_for_a_while(sandbox: str, receiver: Receiver) -> None:
    post(sandbox, "/_sandbox/faults", kind="refuse", seconds=4.0)
    assert TWILIO.send(twilio_account(sandbox), sms(receiver)).kind is SendKind.RETRY
    assert SENDGRID.send(sendgrid_account(sandbox), email()).kind is SendKind.RETRY
    ends = time.monotonic() + 30
    while (result := TWILIO.send(twilio_account(sandbox), sms(receiver))).kind is not SendKind.ACCEPTED:
        assert result.kind is SendKind.RETRY, "a refused connection left a doubt"
        assert time.monotonic() < ends
        time.sleep(0.05)
