"""A push notification to a guest goes to each of their devices, and one that has it is enough."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bellhop.domain.answers import Next
from bellhop.domain.delivery_ports import Claim, Lookup, LookupKind, LookupResult, SendKind, SendResult
from bellhop.domain.devices import DeviceVerdict
from bellhop.domain.failures import FailureCode
from bellhop.domain.routing import carried
from bellhop.providers import providers
from bellhop.store.delivery.attempt_store import AttemptStore, Routes

from .engine import Engine, key

TAKEN = SendResult(SendKind.ACCEPTED, "projects/p/messages/1")
DEAD = SendResult(SendKind.REFUSED, code=FailureCode.ADDRESS_INVALID, device=DeviceVerdict.GONE)
LATER = SendResult(SendKind.RETRY, code=FailureCode.LIMIT_REACHED, retry_after=600.0)
NO_ANSWER = SendResult(SendKind.UNKNOWN, code=FailureCode.OUTCOME_UNKNOWN)
AT_FAULT = SendResult(SendKind.ACCOUNT, code=FailureCode.CONFIGURATION)


class Devices:
    """A guest with devices, and the calls that one message to them takes, each made by hand."""

    def __init__(self, stack: Engine) -> None:
        self.stack = stack
        self.store = AttemptStore(
            stack.database,
            stack.settings.delivery,
            Routes("http://127.0.0.1:8", "http://127.0.0.1:9"),
            carried(providers()),
            stack.settings.bellhop.credential_cipher(),
            stack.book,
            lambda _: None,
        )
        self.guest = ""
        self.ids: dict[str, str] = {}
        self.message = ""

    async def register(self, *tokens: str) -> Devices:
        answer = await self.stack.http.post("/v1/guests", json={"first_name": "Jordan", "last_name": "Mitchell"})
        self.guest = answer.json()["id"]
        for token in tokens:
            body = {"platform": "android", "kind": "fcm_token", "token": token}
            made = await self.stack.http.post(f"/v1/guests/{self.guest}/devices", json=body)
            self.ids[token] = made.json()["id"]
        return self

    async def send(self, **fields: Any) -> None:
        body = {"channel": "push", "recipient": self.guest, "content": "Your suite is ready."}
        self.message = (await self.stack.send(body | fields))["id"]

    async def call(self, result: SendResult | None = None) -> tuple[str, Next | None]:
        """The token that the next call goes to, and what its workflow does after it ended so; '' without a call."""
        claim = await self.store.claim(key(self.message), 1e12)
        if not isinstance(claim, Claim):
            return "", getattr(claim, "next", None)
        assert claim.outgoing.content.text == "Your suite is ready."
        if result is None:
            return claim.outgoing.to, None
        if result.provider_id:
            result = replace(result, provider_id=f"{result.provider_id}{claim.outgoing.attempt_id}")
        return claim.outgoing.to, (await self.store.record(claim, result)).next

    async def stands(self) -> tuple[str, str | None]:
        shown = await self.stack.get(self.message)
        return shown["status"], shown["metadata"].get("error", {}).get("code")

    async def named(self) -> list[tuple[str, str]]:
        """What the timeline says of devices."""
        answer = await self.stack.http.get(f"/v1/messaging/{self.message}/timeline")
        return [(one["what"], one["device"]) for one in answer.json()["data"] if one["what"].startswith("device.")]


@pytest.fixture
async def two(idle_stack: Engine) -> Devices:
    """Of a guest with two devices, the newer of which comes first."""
    made = await Devices(idle_stack).register("old:APA91b", "new:APA91b")
    await made.send()
    return made


async def test_each_device_gets_it_once(two: Devices) -> None:
    (row,) = await two.stack.rows("select parts, body from messages where id = :id", id=key(two.message))
    assert row["parts"] == 2
    assert [one["device"] for one in row["body"]["devices"]] == [two.ids["new:APA91b"], two.ids["old:APA91b"]]
    # Registered afterwards: the devices were fixed when it was accepted.
    await two.stack.http.post(
        f"/v1/guests/{two.guest}/devices", json={"platform": "web", "kind": "fcm_token", "token": "late:APA91b"}
    )
    assert await two.call(TAKEN) == ("new:APA91b", Next.AGAIN)
    assert await two.stands() == ("queued", None)
    assert await two.call(TAKEN) == ("old:APA91b", Next.CLOSE)
    assert await two.stands() == ("sent", None)
    assert await two.call() == ("", Next.CLOSE)
    assert await two.stack.events(two.message) == ["message.sent"]


async def test_a_dead_device_fails_nothing_while_another_has_it(two: Devices) -> None:
    assert await two.call(DEAD) == ("new:APA91b", Next.AGAIN)
    assert await two.call(TAKEN) == ("old:APA91b", Next.CLOSE)
    assert await two.stands() == ("sent", None)
    assert await two.named() == [("device.gone", two.ids["new:APA91b"])]


async def test_it_fails_when_every_device_has_refused_it(two: Devices) -> None:
    await two.call(DEAD)
    assert await two.call(DEAD) == ("old:APA91b", Next.CLOSE)
    assert await two.stands() == ("failed", "address_invalid")
    answer = await two.stack.http.post(f"/v1/messaging/{two.message}/resend", json={"reason": "once more"})
    assert (answer.status_code, answer.json()["detail"][0]["type"]) == (422, "no_device")


async def test_a_device_that_has_to_wait_keeps_no_other_waiting(two: Devices) -> None:
    assert await two.call(LATER) == ("new:APA91b", Next.AGAIN)
    assert await two.call(TAKEN) == ("old:APA91b", Next.AGAIN)
    assert await two.call() == ("", Next.AGAIN), "not before the ten minutes are over"
    await two.stack.rows("update attempts set ask_at = now() where ask_at is not null returning id")
    assert await two.call(TAKEN) == ("new:APA91b", Next.CLOSE)


async def test_a_lost_answer_is_settled_by_itself_and_the_other_device_does_not_wait(two: Devices) -> None:
    assert await two.call(NO_ANSWER) == ("new:APA91b", Next.AGAIN)
    assert await two.call(DEAD) == ("old:APA91b", Next.AGAIN)
    assert await two.call() == ("", Next.SETTLE)
    states = {row["state"] for row in await two.stack.attempts(two.message)}
    assert states == {"unknown", "not_sent"}


async def test_of_a_call_whose_process_died_nobody_knows_and_the_address_is_not_to_blame(two: Devices) -> None:
    assert (await two.call())[0] == "new:APA91b"
    assert (await two.call(DEAD))[0] == "old:APA91b"
    over = "update attempts set lease_until = now() - interval '1 hour' where state = 'in_flight' returning id"
    assert await two.stack.rows(over)
    assert await two.call() == ("", Next.SETTLE)
    for _ in two.stack.settings.delivery.settle_pauses:
        assert await two.stack.rows("update attempts set ask_at = now() where state = 'unknown' returning id")
        asked = await two.store.prepare_lookup(key(two.message))
        assert isinstance(asked, Lookup)
        await two.store.record_lookup(asked, LookupResult(LookupKind.CANNOT_KNOW))
    assert await two.stands() == ("failed", "outcome_unknown")


async def test_an_account_at_fault_does_not_keep_what_another_device_has(two: Devices) -> None:
    assert (await two.call(TAKEN))[0] == "new:APA91b"
    assert await two.call(AT_FAULT) == ("old:APA91b", Next.AGAIN)
    assert await two.call() == ("", Next.CLOSE)
    assert await two.stands() == ("sent", None)


async def test_an_account_at_fault_holds_what_no_device_has(two: Devices) -> None:
    await two.call(AT_FAULT)
    token, after = await two.call()
    assert (token, await two.stands()) == ("", ("queued", None))
    assert after is not Next.CLOSE


async def test_a_device_that_signed_out_or_is_another_guests_gets_nothing(two: Devices) -> None:
    path = f"/v1/guests/{two.guest}/devices/{two.ids['new:APA91b']}"
    assert (await two.stack.http.delete(path)).status_code == 204
    other = await Devices(two.stack).register("old:APA91b")
    assert other.guest != two.guest
    assert await two.call() == ("", Next.CLOSE)
    assert await two.stands() == ("failed", "address_invalid")
    assert sorted(await two.named()) == sorted(("device.absent", device) for device in two.ids.values())
    assert await two.stack.attempts(two.message) == []


async def test_it_can_be_cancelled_until_a_device_may_have_it(two: Devices) -> None:
    await two.call(DEAD)
    answer = await two.stack.http.post(f"/v1/messaging/{two.message}/cancel")
    assert answer.status_code in (200, 204), answer.text
    assert await two.stands() == ("cancelled", None)


async def test_what_is_left_when_it_expires_was_enough(two: Devices) -> None:
    await two.call(TAKEN)
    await two.stack.rows("update messages set expires_at = now() where id = :id returning id", id=key(two.message))
    assert await two.call() == ("", Next.CLOSE)
    assert await two.stands() == ("sent", None)


@pytest.mark.parametrize("suppressed", [False, True])
async def test_a_guest_without_a_device_is_told_at_once(idle_stack: Engine, suppressed: bool) -> None:
    guest = await Devices(idle_stack).register(*(["only:APA91b"] if suppressed else []))
    await idle_stack.rows("update devices set suppressed_at = now() returning id")
    body = {"channel": "push", "recipient": guest.guest, "content": "Your suite is ready."}
    answer = await idle_stack.http.post("/v1/messaging/send", json=body)
    assert answer.status_code == 422, answer.text
    assert [(one["loc"], one["type"]) for one in answer.json()["detail"]] == [(["body", "recipient"], "no_device")]
    assert await idle_stack.rows("select id from messages") == []
    unknown = {**body, "recipient": "gst_01kaj3p0m5e6s7t8v9w0x1y2z3"}
    answer = await idle_stack.http.post("/v1/messaging/send", json=unknown)
    assert answer.json()["detail"][0]["type"] == "unknown_guest"


async def test_a_device_that_no_sender_reaches_is_left_out(idle_stack: Engine) -> None:
    guest = await Devices(idle_stack).register("only:APA91b")
    iphone = {"platform": "ios", "kind": "apns", "token": "00fc13adff785122b4ad28809a342098"}
    await idle_stack.rows("delete from senders where channel = 'push' and address not like 'sandbox-%' returning id")
    assert (await idle_stack.http.post(f"/v1/guests/{guest.guest}/devices", json=iphone)).status_code == 201
    await guest.send()
    (row,) = await idle_stack.rows("select parts from messages where id = :id", id=key(guest.message))
    assert row["parts"] == 1


async def test_through_the_real_provider(stack: Engine) -> None:
    guest = await Devices(stack).register("sandbox:unregistered", "a:APA91b", "b:APA91b")
    await guest.send()
    await stack.until(guest.message, "sent")
    assert await guest.named() == [("device.gone", guest.ids["sandbox:unregistered"])]
    recipients = {one["to"] for one in await stack.accepted()}
    assert {"a:APA91b", "b:APA91b"} <= recipients
    erased = await stack.http.delete(f"/v1/guests/{guest.guest}")
    assert erased.status_code == 204
    (row,) = await stack.rows("select body, recipient, content from messages where id = :id", id=key(guest.message))
    assert list(row.values()) == [None, None, None]


async def token_of(two: Devices, result: SendResult) -> str:
    """The receipt token that went out with a call that ended so."""
    claim = await two.store.claim(key(two.message), 1e12)
    assert isinstance(claim, Claim) and claim.outgoing.receipt_token
    if result.provider_id:
        result = replace(result, provider_id=f"{result.provider_id}{claim.outgoing.attempt_id}")
    await two.store.record(claim, result)
    return claim.outgoing.receipt_token


async def test_an_app_reports_in_any_order_and_once(two: Devices) -> None:
    token, other = await token_of(two, TAKEN), await token_of(two, TAKEN)
    for said in (f"{token}/read", f"{token}/delivered", f"{token}/read", f"{other}/delivered"):
        answer = await two.stack.http.post(f"/v1/push/receipts/{said}", headers={"Authorization": ""})
        assert answer.status_code == 204, answer.text
        assert await two.stands() == ("read", None)
    assert await two.stack.events(two.message) == ["message.sent", "message.delivered", "message.read"]
    assert len(await two.stack.rows("select word from receipts")) == 3


async def test_a_device_that_has_shown_it_is_enough(two: Devices) -> None:
    token = await token_of(two, NO_ANSWER)
    assert (await two.stack.http.post(f"/v1/push/receipts/{token}/delivered")).status_code == 204
    assert await two.stands() == ("delivered", None)
    assert await two.call() == ("", Next.CLOSE), "the other device gets none any more"


async def test_a_token_that_is_none_reports_nothing(two: Devices) -> None:
    token = await token_of(two, TAKEN)
    for said, status in ((f"{token[:-4]}AAAA/read", 403), ("x/read", 403), (f"{token}/eaten", 404)):
        assert (await two.stack.http.post(f"/v1/push/receipts/{said}")).status_code == status
    answers = [(await two.stack.http.post("/v1/push/receipts/x/read")).status_code for _ in range(70)]
    assert answers[0] == 403 and answers[-1] == 429
    assert await two.stack.rows("select word from receipts") == []
