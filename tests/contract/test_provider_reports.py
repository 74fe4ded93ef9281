"""Providers asked where a message stands, and for their own list, against the sandbox and through its faults."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from bellhop.domain.channels import Channel
from bellhop.domain.content import HTML, Content
from bellhop.domain.delivery_ports import (
    Account,
    CallbackRequest,
    CannotList,
    Effect,
    Listed,
    LookupKind,
    LookupRequest,
    Outgoing,
    Provider,
    ProviderUnreachable,
    Receipt,
    Reported,
    SendKind,
)
from bellhop.domain.failures import FailureCode
from bellhop.domain.statuses import Stage
from bellhop.providers.lease import boottime
from bellhop.providers.sendgrid.adapter import SendGrid
from bellhop.providers.twilio.adapter import Twilio
from bellhop.sandbox.settings import Settings
from bellhop.sandbox.testing import Receiver, running
from tests.sandbox_accounts import sandbox_sendgrid, sandbox_twilio

QUICK = Settings(
    twilio_sent_after=0.02, twilio_delivered_after=0.05, twilio_retry_pause=0.02, sendgrid_processed_after=0.02,
    sendgrid_delivered_after=0.05, sendgrid_open_after=0.08, sendgrid_batch_window=0.02, sendgrid_email_activity=True,
)  # fmt: skip
DAY = timedelta(days=1)
TWILIO, SENDGRID = Twilio(), SendGrid(pause=lambda _: None)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver().open() as found:
        yield found


@pytest.fixture
def sandbox(receiver: Receiver) -> Iterator[str]:
    with running(settings=QUICK.model_copy(update={"sendgrid_event_url": f"{receiver.url}/events"})) as url:
        yield url


def twilio_account(url: str) -> Account:
    secrets = {"auth_token": sandbox_twilio.AUTH_TOKEN}
    return Account(UUID(int=1), "twilio", sandbox_twilio.ACCOUNT_SID, url, secrets)


def sendgrid_account(url: str, key: str = sandbox_sendgrid.API_KEY) -> Account:
    return Account(UUID(int=2), "sendgrid", "key", url, {"api_key": key})


def sms(receiver: Receiver, to: str = "+13055551234", text: str = "Your room is ready") -> Outgoing:
    attempt = uuid4()
    callback = f"{receiver.url}/v1/receipts/1/status?attempt={attempt}"
    return Outgoing(attempt, uuid4(), Channel.SMS, to, sandbox_twilio.FROM_NUMBER, None,
                    Content(text=text), callback, 8.0,
                    boottime() + 15)  # fmt: skip


def email(to: str = "jordan@guest.example") -> Outgoing:
    return Outgoing(uuid4(), uuid4(), Channel.EMAIL, to, sandbox_sendgrid.FROM_EMAIL, None,
                    Content(text="Hello", subject="Your stay", content_type=HTML), "",
                    8.0, boottime() + 15)  # fmt: skip


def call(url: str, path: str, method: str = "POST", **body: Any) -> Any:
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def fault(url: str, kind: str, **more: Any) -> None:
    call(url, "/_sandbox/faults", kind=kind, calls="lookup", **more)


def until(provider: Provider, account: Account, provider_id: str | None, attempt: UUID, *words: str) -> Reported:
    """The report, once it says one of `words`."""
    ends = time.monotonic() + 20
    while True:
        found = provider.report(account, provider_id, attempt, 5.0)
        if found.receipt is not None and found.receipt.word in words:
            return found
        assert time.monotonic() < ends, found
        time.sleep(0.02)


def accepted(provider: Provider, account: Account, outgoing: Outgoing) -> str:
    result = provider.send(account, outgoing)
    assert result.kind is SendKind.ACCEPTED and result.provider_id
    return result.provider_id


def private(receipt: Receipt, outgoing: Outgoing) -> None:
    said = json.dumps(receipt.payload)
    assert outgoing.to not in said and outgoing.content.text not in said


# --- Twilio: where a message stands ----------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["+13055551234", "+13055553003", "+13055553005", "+13055553001"])
def test_a_text_asked_about_and_reported_is_one_fact(sandbox: str, receiver: Receiver, to: str) -> None:
    account, outgoing = twilio_account(sandbox), sms(receiver, to)
    sid = accepted(TWILIO, account, outgoing)
    asked = until(TWILIO, account, sid, outgoing.attempt_id, "delivered", "undelivered", "failed").receipt
    assert asked is not None
    received = receiver.wait(
        lambda all_received: any(b"MessageStatus=" + asked.word.encode() in one.body and sid.encode() in one.body
                              for one in all_received)
    )  # fmt: skip
    body = next(one.body for one in received if sid.encode() in one.body and asked.word.encode() in one.body)
    query = {"attempt": str(outgoing.attempt_id)}
    (reported,) = TWILIO.parse(CallbackRequest("https://x/", "status", query, {}, body))
    assert isinstance(reported, Receipt)
    assert replace(asked, payload={}) == replace(reported, payload={})
    private(asked, outgoing)


@pytest.mark.parametrize(("to", "word", "stage"), [("+13055559031", "queued", None), ("+13055559032", "sent", "sent")])
def test_a_text_on_its_way(sandbox: str, receiver: Receiver, to: str, word: str, stage: str | None) -> None:
    account, outgoing = twilio_account(sandbox), sms(receiver, to)
    found = until(TWILIO, account, accepted(TWILIO, account, outgoing), outgoing.attempt_id, word)
    assert found.kind is LookupKind.FOUND and found.receipt is not None
    assert (found.receipt.stage, found.receipt.attempt_id) == (Stage(stage) if stage else None, outgoing.attempt_id)


def test_a_text_that_twilio_does_not_have(sandbox: str) -> None:
    account = twilio_account(sandbox)
    assert TWILIO.report(account, "SM" + "0" * 32, uuid4(), 5.0) == Reported(LookupKind.ABSENT)
    for wrong in (None, "", "SM1", "SM" + "0" * 31 + "/", "../../Accounts"):
        assert TWILIO.report(account, wrong, uuid4(), 5.0) == Reported(LookupKind.CANNOT_KNOW)


FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "rate_limit"},
    {"kind": "unavailable"},
    {"kind": "unavailable", "status": 500},
    {"kind": "unavailable", "status": 504, "body": "<html>gateway</html>"},
    {"kind": "hang"},
    {"kind": "reset"},
)


@pytest.mark.parametrize("of", FAULTS, ids=lambda row: "-".join(map(str, row.values())))
def test_a_question_without_an_answer(sandbox: str, receiver: Receiver, of: dict[str, Any]) -> None:
    twilio, sendgrid, mail = twilio_account(sandbox), sendgrid_account(sandbox), email()
    sid, text = accepted(TWILIO, twilio, one := sms(receiver)), one
    accepted(SENDGRID, sendgrid, mail)
    until(SENDGRID, sendgrid, None, mail.attempt_id, "delivered")
    fault(sandbox, **of, provider="twilio", to=text.to)
    assert TWILIO.report(twilio, sid, text.attempt_id, 1.0) == Reported(LookupKind.UNREACHABLE)
    assert TWILIO.report(twilio, sid, text.attempt_id, 5.0).kind is LookupKind.FOUND
    # An unknown message meets the fault too, so that a 404 is never read out of one.
    fault(sandbox, **of, provider="twilio")
    assert TWILIO.report(twilio, "SM" + "0" * 32, uuid4(), 1.0) == Reported(LookupKind.UNREACHABLE)
    lookup = LookupRequest(
        mail.attempt_id, mail.to, mail.sender, mail.content.text, datetime.now(UTC), frozenset(), Channel.SMS
    )
    for ask in (
        lambda: SENDGRID.report(sendgrid, None, mail.attempt_id, 1.0).kind,
        lambda: SENDGRID.look_up(sendgrid, lookup, 1.0).kind,
    ):
        fault(sandbox, **of, provider="sendgrid", to=mail.to)
        assert ask() is LookupKind.UNREACHABLE
        assert ask() is LookupKind.FOUND


def test_a_404_that_is_not_twilios_says_nothing(sandbox: str, receiver: Receiver) -> None:
    account = twilio_account(sandbox)
    sid = accepted(TWILIO, account, outgoing := sms(receiver))
    fault(sandbox, "error", status=404, body="<html>nginx</html>", provider="twilio")
    assert TWILIO.report(account, sid, outgoing.attempt_id, 5.0).kind is LookupKind.UNREACHABLE


# --- SendGrid: where a message stands --------------------------------------------------------------------------------

MAILBOXES: tuple[tuple[str, str, Stage | None, FailureCode | None, str | None, Effect | None], ...] = (
    ("jordan", "delivered", Stage.DELIVERED, None, None, None),
    ("bounce", "bounce", Stage.UNDELIVERED, FailureCode.ADDRESS_INVALID, "5.1.1", Effect.HARD_BOUNCE),
    ("latebounce", "bounce", Stage.UNDELIVERED, FailureCode.ADDRESS_INVALID, "5.2.2", Effect.HARD_BOUNCE),
    ("blocked", "bounce", Stage.UNDELIVERED, FailureCode.BLOCKED, "5.7.1", None),
    ("unsubscribed", "dropped", Stage.UNDELIVERED, FailureCode.OPTED_OUT, "unsubscribed address", Effect.UNSUBSCRIBE),
    ("spamcontent", "dropped", Stage.UNDELIVERED, FailureCode.CONTENT_REFUSED, "spam content", None),
    ("deferring", "deferred", None, None, None, None),
    ("spam", "delivered", Stage.DELIVERED, None, None, None),
    ("dropevents", "delivered", Stage.DELIVERED, None, None, None),
)


@pytest.mark.parametrize("row", MAILBOXES, ids=[row[0] for row in MAILBOXES])
def test_a_mail_asked_about(
    sandbox: str, row: tuple[str, str, Stage | None, FailureCode | None, str | None, Effect | None]
) -> None:
    name, word, *expected = row
    account, outgoing = sendgrid_account(sandbox), email(f"{name}@guest.example")
    message_id = accepted(SENDGRID, account, outgoing)
    found = until(SENDGRID, account, message_id, outgoing.attempt_id, word)
    assert found.kind is LookupKind.FOUND and found.receipt is not None
    receipt = found.receipt
    assert [receipt.stage, receipt.code, receipt.provider_code, receipt.effect] == expected
    assert (receipt.attempt_id, receipt.provider_id) == (outgoing.attempt_id, message_id)
    assert receipt.address == (outgoing.to if receipt.effect else None)
    assert receipt.occurred_at and abs((datetime.now(UTC) - receipt.occurred_at).total_seconds()) < 60
    again = SENDGRID.report(account, message_id, outgoing.attempt_id, 5.0).receipt
    assert again and replace(again, occurred_at=None) == replace(receipt, occurred_at=None), "not one and the same"
    private(receipt, outgoing)


def test_a_mail_that_is_only_processed(sandbox: str) -> None:
    call(sandbox, "/_sandbox/settings", "PUT", sendgrid_delivered_after=60, sendgrid_open_after=60)
    account, outgoing = sendgrid_account(sandbox), email()
    accepted(SENDGRID, account, outgoing)
    receipt = until(SENDGRID, account, None, outgoing.attempt_id, "processed").receipt
    assert receipt is not None and receipt.stage is Stage.SENT


def test_a_lag_proves_no_absence(sandbox: str) -> None:
    call(sandbox, "/_sandbox/settings", "PUT", sendgrid_activity_lag=60)
    account, outgoing = sendgrid_account(sandbox), email()
    accepted(SENDGRID, account, outgoing)
    lookup = LookupRequest(
        outgoing.attempt_id, outgoing.to, outgoing.sender, "", datetime.now(UTC), frozenset(), Channel.SMS
    )
    assert SENDGRID.look_up(account, lookup, 5.0).kind is LookupKind.CANNOT_KNOW
    assert SENDGRID.report(account, None, outgoing.attempt_id, 5.0) == Reported(LookupKind.ABSENT)
    call(sandbox, "/_sandbox/settings", "PUT", sendgrid_activity_lag=0)
    until(SENDGRID, account, None, outgoing.attempt_id, "delivered")


@pytest.mark.parametrize("lost", ["accept_then_reset", "accept_then_hang", "accept_then_error"])
def test_a_mail_whose_answer_was_lost_is_looked_up(sandbox: str, lost: str) -> None:
    account, outgoing = sendgrid_account(sandbox), email()
    call(sandbox, "/_sandbox/faults", kind=lost, provider="sendgrid")
    assert SENDGRID.send(account, replace(outgoing, timeout=1.0)).kind is SendKind.UNKNOWN
    accepted(SENDGRID, account, email())  # another one, which is not it
    until(SENDGRID, account, None, outgoing.attempt_id, "processed", "delivered")
    lookup = LookupRequest(
        outgoing.attempt_id, outgoing.to, outgoing.sender, "", datetime.now(UTC), frozenset(), Channel.SMS
    )
    found = SENDGRID.look_up(account, lookup, 5.0)
    (row,) = [each for each in call(sandbox, "/_sandbox/messages", "GET")["data"]
              if each["custom_args"]["attempt_id"] == str(outgoing.attempt_id)]  # fmt: skip
    assert (found.kind, found.provider_id) == (LookupKind.FOUND, row["id"])


def test_an_account_without_the_add_on_and_one_that_has_it_by_itself(sandbox: str) -> None:
    call(sandbox, "/_sandbox/settings", "PUT", sendgrid_email_activity=False)
    outgoing, since = email(), datetime.now(UTC) - DAY
    lookup = LookupRequest(outgoing.attempt_id, outgoing.to, outgoing.sender, "", since, frozenset(), Channel.SMS)
    for account in (sendgrid_account(sandbox), sendgrid_account(sandbox, "SG.no.such-key")):
        assert SENDGRID.look_up(account, lookup, 5.0).kind is LookupKind.CANNOT_KNOW
        assert SENDGRID.report(account, None, outgoing.attempt_id, 5.0) == Reported(LookupKind.CANNOT_KNOW, calls=0)
        with pytest.raises(CannotList):
            list(SENDGRID.listing(account, since, since + DAY, 5.0))
    made = call(sandbox, "/_sandbox/accounts", provider="sendgrid", email_activity=True)
    account = sendgrid_account(sandbox, made["api_key"])
    accepted(SENDGRID, account, outgoing)
    until(SENDGRID, account, None, outgoing.attempt_id, "delivered")


def test_without_credentials_nobody_is_asked(sandbox: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDGRID_API_KEY", sandbox_sendgrid.API_KEY)
    account = replace(sendgrid_account(sandbox), credentials={})
    assert SENDGRID.report(account, None, uuid4(), 5.0) == Reported(LookupKind.UNREACHABLE)
    with pytest.raises(ProviderUnreachable):
        next(SENDGRID.listing(account, datetime.now(UTC), datetime.now(UTC), 5.0))
    assert call(sandbox, "/_sandbox/requests", "GET")["data"] == []


# --- lists -----------------------------------------------------------------------------------------------------------


def listed(provider: Provider, account: Account, since: datetime, until_: datetime) -> dict[str, Listed]:
    rows = list(provider.listing(account, since, until_, 10.0))
    assert len({row.provider_id for row in rows}) == len(rows), "one twice"
    return {row.provider_id: row for row in rows}


def test_twilios_own_list(sandbox: str, receiver: Receiver) -> None:
    account = twilio_account(sandbox)
    since = datetime.now(UTC)
    ids = {accepted(TWILIO, account, sms(receiver, text=f"Room {n}")): f"Room {n}" for n in range(5)}
    queued = accepted(TWILIO, account, sms(receiver, "+13055559031", "waits"))
    call(sandbox, "/_sandbox/inbound", **{"from": "+13055551234", "body": "a guest's"})
    found = listed(TWILIO, account, since, since + DAY)
    assert {key: row.text for key, row in found.items()} == {**ids, queued: "waits"}
    row = found[queued]
    assert (row.word, row.stage, row.to, row.sender) == ("queued", None, "+13055559031", sandbox_twilio.FROM_NUMBER)
    assert row.accepted_at and abs((row.accepted_at - since).total_seconds()) < 30
    assert listed(TWILIO, account, since - DAY, since - timedelta(seconds=2)) == {}
    assert listed(TWILIO, account, since + timedelta(minutes=1), since + DAY) == {}


def test_twilios_list_over_several_pages(sandbox: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page is a call with a time of its own; a page that fails ends the list with an error, never quietly."""
    account, since = twilio_account(sandbox), datetime.now(UTC)
    ids = {accepted(TWILIO, account, sms(receiver)) for _ in range(5)}
    monkeypatch.setattr("bellhop.providers.twilio.adapter.PAGE", 2)
    assert set(listed(TWILIO, account, since, since + DAY)) == ids
    pages = [row for row in call(sandbox, "/_sandbox/requests", "GET")["data"] if row["method"] == "GET"]
    assert len(pages) == 3
    rows = TWILIO.listing(account, since, since + DAY, 5.0)
    assert next(rows).provider_id in ids
    fault(sandbox, "unavailable", provider="twilio")
    with pytest.raises(ProviderUnreachable):
        list(rows)


def test_sendgrids_own_list(sandbox: str) -> None:
    account = sendgrid_account(sandbox)
    since = datetime.now(UTC)
    sent = {accepted(SENDGRID, account, one): one for one in (email(), email("bounce@guest.example"))}
    for one in sent.values():
        until(SENDGRID, account, None, one.attempt_id, "delivered", "bounce")
    found = listed(SENDGRID, account, since, since + DAY)
    assert {key: row.to for key, row in found.items()} == {key: one.to for key, one in sent.items()}
    by_to = {row.to: row for row in found.values()}
    assert (by_to["jordan@guest.example"].word, by_to["jordan@guest.example"].stage) == ("delivered", Stage.DELIVERED)
    assert (by_to["bounce@guest.example"].word, by_to["bounce@guest.example"].stage) == (
        "not_delivered",
        Stage.UNDELIVERED,
    )
    row = by_to["jordan@guest.example"]
    assert row.accepted_at and abs((row.accepted_at - since).total_seconds()) < 30
    assert (row.text, row.sender) == (None, sandbox_sendgrid.FROM_EMAIL)
    # Its last event is after the span; it was accepted within.
    assert listed(SENDGRID, account, since - DAY, since - timedelta(seconds=2)) == {}
    with pytest.raises(CannotList, match="back that far"):
        listed(SENDGRID, account, since - timedelta(days=31), since)


def test_sendgrids_list_of_more_than_an_answer_holds(sandbox: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The span is halved until each part fits; a second that is too full is an error, not a list with holes."""
    account, since = sendgrid_account(sandbox), datetime.now(UTC)
    ids = set()
    for _ in range(3):
        ids.add(accepted(SENDGRID, account, one := email()))
        until(SENDGRID, account, None, one.attempt_id, "delivered")
        time.sleep(1.1)  # events are told in whole seconds
    monkeypatch.setattr("bellhop.providers.sendgrid.activity.MOST", 3)
    assert set(listed(SENDGRID, account, since, since + DAY)) == ids
    monkeypatch.setattr("bellhop.providers.sendgrid.activity.MOST", 1)
    with pytest.raises(CannotList, match="in a second"):
        listed(SENDGRID, account, since, since + DAY)


def test_sendgrids_list_waits_for_the_rate_limit_and_not_for_ever(sandbox: str) -> None:
    waited: list[float] = []
    provider, account, since = SendGrid(pause=waited.append), sendgrid_account(sandbox), datetime.now(UTC)
    accepted(SENDGRID, account, one := email())
    until(SENDGRID, account, None, one.attempt_id, "delivered")
    fault(sandbox, "rate_limit", retry_after=7, count=2, provider="sendgrid")
    assert len(listed(provider, account, since, since + DAY)) == 1
    assert waited == [7.0, 7.0]
    for pause, count in ((7, 6), (600, 1)):
        fault(sandbox, "rate_limit", retry_after=pause, count=count, provider="sendgrid")
        with pytest.raises(ProviderUnreachable):
            listed(provider, account, since, since + DAY)
    assert len(waited) == 8


@pytest.mark.parametrize(
    "of", [{"kind": "unavailable"}, {"kind": "hang"}, {"kind": "reset"}], ids=lambda of: of["kind"]
)
def test_a_list_that_does_not_come(sandbox: str, of: dict[str, Any]) -> None:
    for provider, account in ((TWILIO, twilio_account(sandbox)), (SENDGRID, sendgrid_account(sandbox))):
        fault(sandbox, **of, provider=provider.name)
        with pytest.raises(ProviderUnreachable):
            list(provider.listing(account, datetime.now(UTC) - DAY, datetime.now(UTC), 1.0))


def test_horizons() -> None:
    assert all(timedelta(days=3) < provider.horizon <= timedelta(days=7) for provider in (TWILIO, SENDGRID))
