"""What is said of an address after its guest was erased binds, and another guest's messages are not erased with it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from twilio.request_validator import RequestValidator

from bellhop.domain.channels import AddressKind
from bellhop.domain.consents import Effect
from bellhop.domain.delivery_ports import Claim, SendKind, SendResult
from bellhop.domain.failures import FailureCode
from bellhop.domain.ids import Prefix, parse
from bellhop.domain.routing import carried
from bellhop.providers import providers
from bellhop.providers.lease import boottime
from bellhop.settings import Settings
from bellhop.store.delivery.attempt_store import AttemptStore, Routes
from bellhop.store.guests import consents
from tests.sandbox_accounts import sandbox_sendgrid, sandbox_twilio, sendgrid_batch

from .conftest_api import EMAIL, JORDAN, SMS, Api, open_api

PHONE, MAIL = JORDAN["phone"], JORDAN["email"]


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def called(api: Api, message_id: str) -> UUID:
    """The attempt of a message that its provider has."""
    (row,) = await api.sql(
        "insert into attempts (scope_id, message_id, part, account_id, provider, state, sender, lease_until)"
        " select m.scope_id, m.id, 0, s.account_id, m.provider, 'accepted', s.address, now() from messages m"
        " join senders s on s.scope_id = m.scope_id and s.channel = m.channel where m.id = :id returning id",
        id=parse(Prefix.MESSAGE, message_id),
    )
    await api.sql(
        "update messages set stage = 'sent', sent_at = now() where id = :id", id=parse(Prefix.MESSAGE, message_id)
    )
    return UUID(str(row[0]))


async def refused(api: Api, kind: AddressKind, address: str) -> Effect | None:
    hashes = api.app.state.services.engine.book.hashes(kind, address)
    async with api.database.begin() as tx:
        return await consents.refused(tx, api.scope.id, kind.value, hashes)


async def erased(api: Api, guest_id: str) -> None:
    assert (await api.http.delete(f"/v1/guests/{guest_id}")).status_code == 204


async def mail_event(api: Api, attempt: UUID, word: str, **fields: Any) -> int:
    said = {"event": word, "sg_event_id": uuid4().hex, "timestamp": int(time.time()), "attempt_id": str(attempt)}
    body, headers = sendgrid_batch([{**said, **fields}])
    path = f"/v1/receipts/sendgrid/{sandbox_sendgrid.KEY_ID}/events"
    return (await api.http.post(path, content=body, headers=headers)).status_code


@pytest.mark.parametrize(
    ("word", "fields", "effect"),
    [
        ("spamreport", {}, Effect.COMPLAINT),
        ("unsubscribe", {}, Effect.UNSUBSCRIBE),
        ("bounce", {"type": "bounce", "status": "5.1.1"}, Effect.HARD_BOUNCE),
    ],
)
async def test_a_mail_of_an_erased_guest(api: Api, word: str, fields: dict[str, Any], effect: Effect) -> None:
    guest = await api.guest()
    message = (await api.http.post("/v1/messaging/send", json={**EMAIL, "guest_id": guest["id"]})).json()
    attempt = await called(api, message["id"])
    await erased(api, guest["id"])
    # As a report that names no address has it.
    assert await mail_event(api, attempt, word, **fields) == 200
    assert await refused(api, AddressKind.EMAIL, MAIL) is effect
    assert await api.sql("select 1 from receipts where payload is not null") == []


async def test_a_mail_that_an_older_version_erased(api: Api) -> None:
    guest = await api.guest()
    message = (await api.http.post("/v1/messaging/send", json={**EMAIL, "guest_id": guest["id"]})).json()
    attempt = await called(api, message["id"])
    await erased(api, guest["id"])
    await api.sql("update messages set erased_hash = null")
    assert await mail_event(api, attempt, "spamreport", email=MAIL.upper()) == 200
    assert await refused(api, AddressKind.EMAIL, MAIL) is Effect.COMPLAINT


async def test_a_text_that_is_refused_since_the_guest_said_stop(api: Api, settings: Settings) -> None:
    guest = await api.guest()
    message = (await api.send(guest_id=guest["id"])).json()
    attempt = await called(api, message["id"])
    await erased(api, guest["id"])
    path = f"/v1/receipts/twilio/{sandbox_twilio.ACCOUNT_SID}/status?attempt={attempt}"
    form = {"MessageSid": "SM" + uuid4().hex, "MessageStatus": "undelivered", "ErrorCode": "21610"}
    signature = RequestValidator(sandbox_twilio.AUTH_TOKEN).compute_signature(settings.bellhop.public_url + path, form)
    answer = await api.http.post(path, data=form, headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 200
    assert await refused(api, AddressKind.PHONE, PHONE) is Effect.PROVIDER_REFUSAL


async def test_a_call_under_way_while_its_guest_is_erased(api: Api, settings: Settings) -> None:
    guest = await api.guest()
    message = (await api.send(guest_id=guest["id"])).json()
    key = parse(Prefix.MESSAGE, message["id"])
    assert key is not None
    store = AttemptStore(
        api.database,
        settings.delivery,
        Routes("http://127.0.0.1:8", "http://127.0.0.1:9"),
        carried(providers()),
        settings.bellhop.credential_cipher(),
        api.app.state.services.engine.book,
        lambda _: None,
    )
    claim = await store.claim(key, boottime() + 15)
    assert isinstance(claim, Claim)
    await erased(api, guest["id"])
    answer = SendResult(SendKind.REFUSED, code=FailureCode.OPTED_OUT, provider_code="21610", text=f"{PHONE} said STOP")
    await store.record(claim, answer)
    assert await refused(api, AddressKind.PHONE, PHONE) is Effect.PROVIDER_REFUSAL
    assert await api.sql("select error_text from attempts where error_text is not null") == []


async def test_the_hash_is_all_that_is_left_and_of_what_was_sent_alone(api: Api) -> None:
    guest = await api.guest()
    await api.send(guest_id=guest["id"], scheduled_at="2030-01-01T09:00:00Z")
    await api.sql(
        "insert into messages (scope_id, direction, channel, recipient, sender, address_hash, guest_id, content, stage)"
        " select scope_id, 'inbound', 'sms', '+1', recipient, address_hash, guest_id, 'Hello', 'delivered'"
        " from messages"
    )
    await erased(api, guest["id"])
    rows = await api.sql("select direction, address_hash, erased_hash from messages order by id")
    expected = api.app.state.services.engine.book.hash(AddressKind.PHONE, PHONE)
    assert [tuple(row) for row in rows] == [("outbound", None, expected), ("inbound", None, None)]


async def test_a_message_that_names_another_guest_is_not_erased(api: Api) -> None:
    """Ben had the number, was written to there, and corrected it since; now it is Ann's, and she goes."""
    ben = await api.guest(first_name="Ben", email="ben@example.com")
    waiting = (await api.send(guest_id=ben["id"], scheduled_at="2030-01-01T09:00:00Z")).json()
    sent = (await api.send(guest_id=ben["id"], content="For Ben")).json()
    changed = await api.http.patch(f"/v1/guests/{ben['id']}", json={"phone": "+13055559876"})
    assert changed.status_code == 200
    ann = await api.guest(first_name="Ann", email="ann@example.com")
    anns = (await api.send(guest_id=ann["id"])).json()
    nobodys = (await api.send()).json()
    await erased(api, ann["id"])
    for message in (waiting, sent):
        shown = await api.http.get(f"/v1/messaging/{message['id']}")
        assert (shown.status_code, shown.json()["status"]) == (200, "queued"), shown.text
        assert (shown.json()["recipient"], shown.json()["content"]) == (SMS["recipient"], message["content"])
    for message in (anns, nobodys):
        assert (await api.http.get(f"/v1/messaging/{message['id']}")).status_code == 404
    await erased(api, ben["id"])
    assert await api.sql("select 1 from messages where erased_at is null") == []
