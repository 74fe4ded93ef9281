"""What guests have written, as providers' own lists have it: the same as their callbacks would have brought."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from bellhop.domain.channels import Service
from bellhop.domain.delivery_ports import Account, CallbackRequest, CannotList, Inbound, ProviderUnreachable
from bellhop.domain.inbound_details import InboundDetails, Media
from bellhop.providers import providers
from bellhop.providers.twilio.adapter import Twilio
from bellhop.sandbox.settings import Settings
from bellhop.sandbox.testing import Receiver, running
from tests.contract.conformance import Server, answer
from tests.contract.test_provider_reports import DAY, call, fault, twilio_account
from tests.sandbox_accounts import sandbox_sendblue, sandbox_twilio

OURS, GUEST, SERVICE = sandbox_twilio.FROM_NUMBER, "+13055551234", "MG" + "1" * 32
TWILIO = Twilio()


@pytest.fixture
def sandbox() -> Iterator[str]:
    with running(settings=Settings()) as url:
        yield url


def say(sandbox: str, body: str, **more: Any) -> str:
    return str(call(sandbox, "/_sandbox/inbound", **{"from": GUEST, "body": body, **more})["sid"])


def received(account: Account, since: datetime, senders: Sequence[str] = (OURS,)) -> dict[str, Inbound]:
    found = list(TWILIO.received(account, senders, since, 10.0))
    assert len({one.provider_id for one in found}) == len(found), "one twice"
    return {one.provider_id: one for one in found}


def test_the_list_says_what_the_callback_says(sandbox: str) -> None:
    account, since = twilio_account(sandbox), datetime.now(UTC)
    with Receiver().open() as receiver:
        call(sandbox, "/_sandbox/settings", "PUT", twilio_inbound_url=f"{receiver.url}/inbound")
        sid = say(sandbox, "Two towels", fields={"MessagingServiceSid": SERVICE})
        (posted,) = receiver.received
    (callback,) = TWILIO.parse(CallbackRequest("https://x/inbound", "inbound", {}, {}, posted.body))
    one = received(account, since)[sid]
    assert isinstance(callback, Inbound)
    for same in ("dedupe_key", "provider_id", "channel", "sender", "recipient", "text", "service", "details"):
        assert getattr(one, same) == getattr(callback, same), same
    assert one.occurred_at and abs((one.occurred_at - since).total_seconds()) < 30
    assert one.occurred_at.tzinfo is not None
    assert GUEST in json.dumps(one.payload), "erasure finds it by the address"


def test_only_what_guests_wrote_to_these_senders_since_then(sandbox: str) -> None:
    account = twilio_account(sandbox)
    call(sandbox, "/_sandbox/accounts", provider="twilio", account_sid=account.identity, auth_token="t",
         numbers=[OURS, "+15005550001"])  # fmt: skip
    account = Account(account.id, "twilio", account.identity, sandbox, {"auth_token": "t"})
    say(sandbox, "before")
    time.sleep(1.1)  # Twilio's times are whole seconds
    since = datetime.now(UTC)
    mine = say(sandbox, "to us")
    other = say(sandbox, "to somebody else of the account", to="+15005550001")
    of_service = say(sandbox, "to a service", to="+15005550001", fields={"MessagingServiceSid": SERVICE})
    assert set(received(account, since)) == {mine}
    assert set(received(account, since, [OURS, "HOTEL", "+15005550001"])) == {mine, other, of_service}
    assert set(received(account, since, [SERVICE])) == {of_service}
    assert set(received(account, since, [OURS, *(f"+1500555{n:04}" for n in range(200, 210))])) == {mine}
    assert received(account, since, ["HOTEL"]) == {}
    assert received(account, since + DAY) == {}


def test_a_number_costs_a_call_on_each_channel_and_many_cost_no_more_than_one(sandbox: str) -> None:
    account, since = twilio_account(sandbox), datetime.now(UTC)
    for senders, calls in (["HOTEL"], 0), ([OURS], 2), ([f"+1500555{n:04}" for n in range(50)], 1):
        call(sandbox, "/_sandbox/requests", "DELETE")
        received(account, since, senders)
        assert len(call(sandbox, "/_sandbox/requests", "GET")["data"]) == calls


def test_pages_end_where_the_span_begins(sandbox: str, monkeypatch: pytest.MonkeyPatch) -> None:
    account = twilio_account(sandbox)
    for n in range(6):
        say(sandbox, f"before {n}")
    time.sleep(1.1)
    since = datetime.now(UTC)
    ids = {say(sandbox, f"since {n}") for n in range(5)}
    monkeypatch.setattr("bellhop.providers.twilio.adapter.PAGE", 2)
    call(sandbox, "/_sandbox/requests", "DELETE")
    assert set(received(account, since)) == ids
    assert len(call(sandbox, "/_sandbox/requests", "GET")["data"]) == 3 + 1, "and one for WhatsApp"
    rows = TWILIO.received(account, [OURS], since, 5.0)
    assert next(rows).provider_id in ids
    fault(sandbox, "unavailable", provider="twilio")
    with pytest.raises(ProviderUnreachable):
        list(rows)


def test_files_are_asked_for_by_themselves(sandbox: str) -> None:
    account, since = twilio_account(sandbox), datetime.now(UTC)
    sid = say(sandbox, "", media=["image/jpeg", "text/vcard"])
    one = received(account, since)[sid]
    assert (one.details.media_count, one.details.media) == (2, ())
    media = TWILIO.complete(account, one, 5.0).details.media
    assert [file.content_type for file in media] == ["image/jpeg", "text/vcard"]
    where = f"{sandbox}/2010-04-01/Accounts/{account.identity}/Messages/{sid}/Media/ME"
    assert all(file.url.startswith(where) and not file.url.endswith(".json") for file in media)
    fault(sandbox, "reset", provider="twilio")
    assert TWILIO.complete(account, one, 5.0) == one


@pytest.mark.parametrize("kind", ["unavailable", "hang", "reset", "rate_limit", "auth"])
def test_a_list_that_does_not_come(sandbox: str, kind: str) -> None:
    fault(sandbox, kind, provider="twilio")
    with pytest.raises(ProviderUnreachable):
        list(TWILIO.received(twilio_account(sandbox), [OURS], datetime.now(UTC), 1.0))


@pytest.mark.parametrize(
    "body", ["<html>", "{}", "[]", '{"messages": 1}', '{"messages": [{"direction": "inbound", "to": "+15005550006"}]}']
)
def test_a_list_that_is_not_twilios(body: str) -> None:
    with Server(answer(200, body)) as server, pytest.raises(ProviderUnreachable):
        list(TWILIO.received(twilio_account(server.url), [OURS], datetime.now(UTC) - timedelta(days=1), 2.0))


@pytest.mark.parametrize("name", ["sendgrid", "fcm"])
def test_who_keeps_no_list_says_so(name: str) -> None:
    account = Account(UUID(int=1), name, "x", "http://127.0.0.1:1", {})
    with pytest.raises(CannotList, match=r"\w"):
        list(providers()[name].received(account, ["x"], datetime.now(UTC), 1.0))


def test_sendblues_list_says_what_its_webhook_says(sandbox: str) -> None:
    provider = providers()["sendblue"]
    secrets = {"api_secret_key": sandbox_sendblue.SECRET_KEY, "signing_secret": sandbox_sendblue.SIGNING_SECRET}
    account = Account(UUID(int=3), "sendblue", sandbox_sendblue.KEY_ID, sandbox, secrets)
    line, since = sandbox_sendblue.FROM_NUMBER, datetime.now(UTC)
    picture = {"provider": "sendblue", "to": line, "media_url": "https://x/cat.jpg"}
    with Receiver().open() as receiver:
        call(sandbox, "/_sandbox/settings", "PUT", sendblue_inbound_url=f"{receiver.url}/inbound")
        ids = [say(sandbox, f"text {n}", **picture) for n in range(3)]
        posted = receiver.received[0]
    (callback,) = provider.parse(CallbackRequest("https://x/inbound", "inbound", {}, {}, posted.body))
    found = list(provider.received(account, [line], since - timedelta(seconds=5), 5.0))
    assert [one.provider_id for one in found] == ids
    assert isinstance(callback, Inbound)
    assert (found[0].dedupe_key, found[0].text) == (callback.dedupe_key, callback.text)
    assert (
        found[0].details
        == callback.details
        == InboundDetails(media=(Media("https://x/cat.jpg"),), service=Service.IMESSAGE, was_downgraded=False)
    )
    assert provider.complete(account, found[0], 1.0) == found[0]
    assert list(provider.received(account, ["+15005550999"], since, 5.0)) == []
    fault(sandbox, "unavailable", provider="sendblue")
    with pytest.raises(ProviderUnreachable):
        list(provider.received(account, [line], since, 1.0))


def test_without_credentials_nobody_is_asked(sandbox: str) -> None:
    account = replace(twilio_account(sandbox), credentials={})
    with pytest.raises(ProviderUnreachable):
        list(TWILIO.received(account, [OURS], datetime.now(UTC), 1.0))
    assert call(sandbox, "/_sandbox/requests", "GET")["data"] == []
