"""Steps to devices and into inboxes: what surely cannot arrive is followed, and what lay unseen is taken back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bellhop.domain.answers import Answer, Next
from bellhop.domain.delivery_ports import Claim, SendKind, SendResult
from bellhop.domain.failures import FailureCode

from .engine import SMS, Engine, key
from .test_device_parts import DEAD, TAKEN, Devices
from .test_fallback import take
from .test_i3_order import Provider

MAIL = {"channel": "email", "recipient": "jordan@example.com", "subject": "Your suite", "content": "It is ready."}
REFUSED = SendResult(SendKind.REFUSED, code=FailureCode.BLOCKED)
OVER = "update messages set expires_at = now() where id = :id returning id"


async def guest_of(stack: Engine) -> str:
    answer = await stack.http.post("/v1/guests", json={"first_name": "Jordan", "last_name": "Mitchell"})
    return str(answer.json()["id"])


async def inbox(stack: Engine, token: dict[str, str]) -> list[Any]:
    shown: list[Any] = (await stack.http.get("/v1/inbox/messages", headers=token)).json()["data"]
    return shown


async def session(stack: Engine, guest: str) -> dict[str, str]:
    made = (await stack.http.post(f"/v1/guests/{guest}/sessions", json={})).json()
    return {"Authorization": f"Bearer {made['token']}"}


async def test_what_no_device_takes_goes_on_to_the_next_step(idle_stack: Engine) -> None:
    devices = await Devices(idle_stack).register("old:APA91b", "new:APA91b")
    await devices.send(fallback=[{**SMS, "content": "Your suite is ready."}])
    assert await devices.call(DEAD) == ("new:APA91b", Next.AGAIN)
    assert await devices.call(DEAD) == ("old:APA91b", Next.AGAIN)
    assert (await devices.call(TAKEN))[0] == SMS["recipient"]
    assert await devices.stands() == ("sent", None)


async def test_a_step_goes_to_each_device_that_the_guest_had_and_has_still(idle_stack: Engine) -> None:
    devices = await Devices(idle_stack).register("lost:APA91b", "old:APA91b", "new:APA91b")
    push = {"channel": "push", "recipient": devices.guest}
    sent = await idle_stack.send(
        {**SMS, "content": "Your suite is ready.", "guest_id": devices.guest, "fallback": [push, MAIL]}
    )
    devices.message = sent["id"]
    assert (await devices.call(REFUSED))[0] == SMS["recipient"]
    lost = devices.ids["lost:APA91b"]
    assert (await idle_stack.http.delete(f"/v1/guests/{devices.guest}/devices/{lost}")).status_code == 204
    # The one that the guest has no longer is left out first.
    assert await devices.call() == ("", Next.AGAIN)
    assert await devices.call(DEAD) == ("new:APA91b", Next.AGAIN)
    assert await devices.call(TAKEN) == ("old:APA91b", Next.CLOSE)
    assert await devices.stands() == ("sent", None)
    assert sorted(await devices.named()) == [("device.absent", lost), ("device.gone", devices.ids["new:APA91b"])]


async def test_a_step_to_devices_needs_some_and_those_of_the_messages_guest(idle_stack: Engine) -> None:
    guest, other = await guest_of(idle_stack), await guest_of(idle_stack)
    for recipient, kind in ((guest, "no_device"), (other, "unknown_guest"), (None, "no_device")):
        step = {"channel": "push", **({"recipient": recipient} if recipient else {})}
        body = {**SMS, "guest_id": guest, "fallback": [step]}
        (wrong,) = (await idle_stack.http.post("/v1/messaging/send", json=body)).json()["detail"]
        assert (wrong["loc"], wrong["type"]) == (["body", "fallback", 0, "recipient"], kind)


async def test_what_lies_unseen_in_an_inbox_beyond_its_time_is_taken_out_for_the_next_step(idle_stack: Engine) -> None:
    provider, guest = Provider(idle_stack), await guest_of(idle_stack)
    token = await session(idle_stack, guest)
    body = {"channel": "in_app", "recipient": guest, "content": "Dinner?", "fallback": [{**MAIL, "after": 600}]}
    sent = await idle_stack.send(body)
    laid = await provider.attempts.claim(key(sent["id"]), 1e12)
    assert isinstance(laid, Answer)
    assert laid.next is Next.TRACK
    assert 590 < laid.after <= 600
    (entry,) = await inbox(idle_stack, token)
    left = datetime.fromisoformat(entry["expires_at"]) - datetime.now(UTC)
    assert 580 < left.total_seconds() <= 600
    await idle_stack.rows(OVER, id=key(sent["id"]))
    asked = await provider.attempts.prepare_lookup(key(sent["id"]))
    assert isinstance(asked, Answer)
    assert (asked.next, asked.after) == (Next.AGAIN, 0.0)
    mail = await provider.attempts.claim(key(sent["id"]), 1e12)
    assert isinstance(mail, Claim)
    assert (mail.outgoing.to, await inbox(idle_stack, token)) == (MAIL["recipient"], [])
    assert (await idle_stack.get(sent["id"]))["status"] == "sent"
    await take(provider, mail)
    # The app showed it, and only now says so.
    said = await idle_stack.http.post(f"/v1/inbox/messages/{sent['id']}/delivered", headers=token)
    assert said.json() == {"id": sent["id"], "status": "delivered"}
    assert await idle_stack.events(sent["id"]) == [
        "message.sent", "message.fallback", "message.sent", "message.delivered",
    ]  # fmt: skip


async def test_what_the_app_has_shown_in_time_is_not_followed(idle_stack: Engine) -> None:
    provider, guest = Provider(idle_stack), await guest_of(idle_stack)
    token = await session(idle_stack, guest)
    body = {"channel": "in_app", "recipient": guest, "content": "Dinner?", "fallback": [{**MAIL, "after": 600}]}
    sent = await idle_stack.send(body)
    await provider.attempts.claim(key(sent["id"]), 1e12)
    said = await idle_stack.http.post(f"/v1/inbox/messages/{sent['id']}/delivered", headers=token)
    assert said.status_code == 200, said.text
    await idle_stack.rows(OVER, id=key(sent["id"]))
    answer = await provider.attempts.claim(key(sent["id"]), 1e12)
    assert isinstance(answer, Answer)
    assert answer.next is Next.TRACK
    assert len(await inbox(idle_stack, token)) == 1
    assert (await idle_stack.get(sent["id"]))["status"] == "delivered"


async def test_an_inbox_may_be_the_last_step(idle_stack: Engine) -> None:
    guest = await guest_of(idle_stack)
    devices = Devices(idle_stack)
    last = {"channel": "in_app", "content": "Look here"}
    sent = await idle_stack.send({**SMS, "content": "Your suite is ready.", "guest_id": guest, "fallback": [last]})
    devices.message = sent["id"]
    assert (await devices.call(REFUSED))[0] == SMS["recipient"]
    assert await devices.call() == ("", Next.TRACK)
    (entry,) = await inbox(idle_stack, await session(idle_stack, guest))
    assert (entry["content"], entry["status"]) == ("Look here", "sent")
    assert await devices.stands() == ("sent", None)
