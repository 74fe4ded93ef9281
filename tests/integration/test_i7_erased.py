"""I7: erased is erased: no row, log line or history keeps the guest's data; a tombstone of ids and times stays."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.service import RPCError, RPCStatusCode

from bellhop.sandbox.testing import Receiver

from .engine import EMAIL, SMS, Engine, key
from .traces import in_files, in_tables, in_temporal

MARK = "Quetzal"
NUMBER = "+13055550501"
MAIL = "quetzal@example.com"
WITH_IT = {
    "ProfileName": MARK, "WaId": NUMBER.removeprefix("+"), "NumMedia": "1", "MediaContentType0": "image/png",
    "MediaUrl0": f"https://api.twilio.com/{MARK}", "Label": MARK, "Latitude": "25.7", "Longitude": "-80.1",
    "ButtonText": MARK, "ButtonPayload": MARK,
}  # fmt: skip
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
TRACES = (MARK, MARK.lower(), NUMBER, NUMBER.removeprefix("+"), MAIL)


async def everywhere(stack: Engine, guest: str) -> list[str]:
    """Write the guest's data into every field that the API has for it. Returns the messages that are over."""

    async def post(path: str, body: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        answer = await stack.http.post(path, json=body, **more)
        assert answer.status_code in (200, 201), (path, answer.text)
        return dict(answer.json())

    device = {"platform": "android", "kind": "fcm_token", "token": f"{MARK}-token-{'x' * 40}", "app_version": MARK,
              "locale": "en-US"}  # fmt: skip
    await post(f"/v1/guests/{guest}/devices", device)
    session = await post(f"/v1/guests/{guest}/sessions", {})
    stay = {"source": MARK, "reservation": MARK, "guests": [guest], "room": MARK, "details": {"note": MARK}}
    await post("/v1/stays", stay)
    for channel in ("email", "sms"):
        said = {"channel": channel, "action": "opt_in", "purpose": "marketing", "source": MARK.lower(), "reason": MARK}
        await post(f"/v1/guests/{guest}/consents", said)
    await post("/v1/consents", {"channel": "sms", "address": NUMBER, "action": "opt_in", "reason": MARK})
    await post("/v1/templates", {"name": "greeting", "locale": "en", "content": "Hi {{ name }}"})
    file = await post("/v1/assets", files={"file": (f"{MARK}.png", PIXEL)}, data={"guest_id": guest})
    asset = file["id"]
    say = {"guest_id": guest, "metadata": {MARK: MARK}}
    texts = [
        {"channel": "sms", "recipient": NUMBER, "template": {"name": "greeting", "parameters": {"name": MARK}}, **say},
        {"channel": "email", "recipient": MAIL, "subject": MARK, "content": f"<p>{MARK}</p>", "media": [
            {"asset_id": asset, "filename": f"{MARK}.png"}], "options": {"reply_to": MAIL}, **say},
        {"channel": "sms", "recipient": "+13055552211", "content": f"https://hotel.example/{MARK}", **say,
         "short_links": {}, "fallback": [
            {"channel": "email", "recipient": MAIL, "subject": MARK, "content": MARK}]},
        {"channel": "push", "recipient": guest, "content": MARK, "options": {"title": MARK, "data": {"n": MARK}}},
        {"channel": "in_app", "recipient": guest, "content": MARK},
        {"channel": "auto", "recipient": guest, "content": MARK, "subject": MARK},
    ]  # fmt: skip
    sent = [await stack.send(body) for body in texts]
    for message in sent:
        await stack.until(message["id"], "sent", "delivered", "read", "failed")
    text = {"channel": "sms", "content": "Wine tasting on Friday."}
    for to in ({"recipients": [NUMBER]}, {"guests": [guest]}, {"filter": {}}):
        broadcast = await post("/v1/broadcasts", {"name": "Wine", "message": text, "to": to})
        await post(f"/v1/broadcasts/{broadcast['id']}/start", {"at": "2030-01-01T09:00:00Z"} if "filter" in to else {})
    wrote = {"key": "guest-0001", "content": f"{MARK} needs two more towels"}
    await post("/v1/inbox/messages", wrote, headers={"Authorization": f"Bearer {session['token']}"})
    return [message["id"] for message in sent]


async def only_ids_from_now_on(stack: Engine, customer: Receiver) -> None:
    """What is posted to the customer from now on carries ids only."""
    before = len(customer.received)
    customer.answers.clear()
    await stack.rows("update deliveries set next_at = now() where state = 'pending' returning id")
    await asyncio.to_thread(customer.wait, lambda all_: any(b"guest.deleted" in one.body for one in all_), 30)
    for received in customer.received[before:]:
        body = json.loads(received.body)
        assert not any(trace in received.body.decode() for trace in TRACES), body


async def test_erased_is_erased(stack: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    began = datetime.now(UTC) - timedelta(seconds=5)
    with Receiver().open() as customer:
        hook = await stack.http.post("/v1/webhooks", json={"url": f"{customer.url}/hook"})
        assert hook.status_code == 201
        made = await stack.http.post(
            "/v1/guests",
            json={
                "first_name": MARK,
                "last_name": "Doe",
                "email": MAIL,
                "phone": NUMBER,
                "preferences": {"pet": MARK}, "metadata": {"note": MARK}, "external_id": MARK,
            },
        )  # fmt: skip
        guest = made.json()["id"]
        others = await everywhere(stack, guest)
        linked = {**SMS, "recipient": NUMBER, "content": f"Dear {MARK}", "guest_id": guest, "metadata": {"n": MARK}}
        sent = [
            await stack.send(linked, **{"Idempotency-Key": "one"}),
            await stack.send({**EMAIL, "recipient": MAIL, "subject": MARK, "content": f"Dear {MARK}"}),
        ]
        for message in sent:
            await stack.until(message["id"], "delivered", "read")
        text = {"from": NUMBER, "body": f"I am {MARK}", "fields": WITH_IT}
        assert (await stack.sandbox.post("/_sandbox/inbound", json=text)).json()["status"] < 300
        help_ = {"from": f"whatsapp:{NUMBER}", "to": "whatsapp:+15005550006", "body": "Hilfe"}
        assert (await stack.sandbox.post("/_sandbox/inbound", json=help_)).json()["status"] < 300
        assert await stack.rows("select id from messages where details #>> '{profile,name}' = :mark", mark=MARK)
        folders = [stack.settings.media.dir, stack.settings.spool.dir]
        assert len(await in_tables(stack, TRACES)) > 30, "it was everywhere"
        pending = await stack.send({**linked, "scheduled_at": "2030-01-01T00:00:00Z"})
        # The customer's server is down while the guest is erased: what is still pending for it carries ids only.
        customer.answers[:] = [500] * 50
        failing = await stack.send({**linked, "recipient": "+13055552211"})
        await stack.until(failing["id"], "failed")
        await asyncio.to_thread(customer.wait, lambda all_: any(failing["id"].encode() in one.body for one in all_))

        answer = await stack.http.delete(f"/v1/guests/{guest}")
        assert answer.status_code == 204
        for path in (f"/v1/guests/{guest}", f"/v1/messaging/{pending['id']}", f"/v1/messaging/{sent[0]['id']}"):
            assert (await stack.http.get(path)).status_code == 404
        assert (await stack.http.get("/v1/messaging")).json()["total"] == 0

        assert await in_tables(stack, TRACES) == []
        assert in_files(folders, TRACES) == []
        assert not [path for path in stack.settings.media.dir.rglob("*") if path.is_file()], "its own files"
        tombs = await stack.rows("select id, stage, erased_at from messages where direction = 'outbound'")
        assert {row["id"] for row in tombs} >= {key(one) for one in (*(one["id"] for one in (*sent, pending)), *others)}
        assert all(row["erased_at"] for row in tombs)
        assert {row["stage"] for row in tombs if row["id"] == key(pending["id"])} == {"cancelled"}

        await only_ids_from_now_on(stack, customer)
        await histories_gone(stack, [*(one["id"] for one in (*sent, pending, failing)), *others])
        assert await in_temporal(stack, began, TRACES) == []
        assert await in_tables(stack, TRACES) == [], "nor has anything come back"
    printed = "".join(capfd.readouterr())
    for trace in TRACES:
        assert trace not in printed, trace


async def histories_gone(stack: Engine, ids: list[str]) -> None:
    """Recovery deletes them: each by the first sweep after its last wake was told."""
    async with asyncio.timeout(20):
        while await stack.sweep() or await stack.rows("select * from history_erasures"):
            await asyncio.sleep(0.1)
        for message_id in ids:
            while True:
                try:
                    await stack.client.get_workflow_handle(message_id).describe()
                except RPCError as error:
                    if error.status is RPCStatusCode.NOT_FOUND:
                        break
                    raise
                await asyncio.sleep(0.3)


async def test_an_address_another_guest_has_keeps_that_guests_messages(stack: Engine) -> None:
    """Families share phones: what was written to the number without naming a guest stays while somebody has it."""
    guests = []
    for name in ("Ann", "Ben"):
        body = {"first_name": name, "last_name": "Doe", "phone": "+13055550502"}
        guests.append((await stack.http.post("/v1/guests", json=body)).json()["id"])
    unnamed = await stack.send({**SMS, "recipient": "+13055550502"})
    anns = await stack.send({**SMS, "recipient": "+13055550502", "guest_id": guests[0]})
    bens = await stack.send({**SMS, "recipient": "+13055550502", "guest_id": guests[1]})
    for message in (unnamed, anns, bens):
        await stack.until(message["id"], "delivered")
    assert (await stack.http.delete(f"/v1/guests/{guests[0]}")).status_code == 204
    assert (await stack.http.get(f"/v1/messaging/{anns['id']}")).status_code == 404
    for message in (unnamed, bens):
        assert (await stack.http.get(f"/v1/messaging/{message['id']}")).status_code == 200
    assert (await stack.http.delete(f"/v1/guests/{guests[1]}")).status_code == 204
    assert (await stack.http.get(f"/v1/messaging/{unnamed['id']}")).status_code == 404


async def test_an_opt_out_survives_erasure(stack: Engine) -> None:
    number = "+13055550503"
    body = {"first_name": "Ann", "last_name": "Doe", "phone": number}
    guest = (await stack.http.post("/v1/guests", json=body)).json()["id"]
    await stack.sandbox.post("/_sandbox/inbound", json={"from": number, "body": "STOP"})
    assert (await stack.http.delete(f"/v1/guests/{guest}")).status_code == 204
    sent = await stack.send({**SMS, "recipient": number})
    failed = await stack.until(sent["id"], "failed")
    assert failed["metadata"]["error"]["code"] == "opted_out"
