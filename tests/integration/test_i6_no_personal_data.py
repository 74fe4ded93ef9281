"""I6: Temporal holds ids, enums and times only, whatever goes well or wrong."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.service import RPCError

from bellhop.domain.ids import Prefix, render

from .engine import EMAIL, SMS, Engine

MARK = "Zanzibar"
NUMBER = "+13055550401"
MAIL = "zanzibar@example.com"
SECRETS = (MARK, "zanzibar", NUMBER, "3055550401", "3055552211", MAIL)


async def everything(stack: Engine) -> AsyncIterator[tuple[str, str]]:
    """Every workflow of this test: its id, and all Temporal keeps of it, with the payloads decoded."""
    async for found in stack.client.list_workflows():
        handle = stack.client.get_workflow_handle(found.id, run_id=found.run_id)
        kept = [str(await handle.describe()), str(found.raw_info)]
        history = (await handle.fetch_history()).to_json()
        kept += [history, _decoded(json.loads(history))]
        yield found.id, "\n".join(kept)


def _decoded(part: Any) -> str:
    if isinstance(part, dict):
        own = base64.b64decode(part["data"]).decode("utf-8", "replace") if isinstance(part.get("data"), str) else ""
        return own + "\n" + "\n".join(_decoded(value) for value in part.values())
    if isinstance(part, list):
        return "\n".join(_decoded(value) for value in part)
    return str(part)


async def test_no_history_holds_a_guests_data(stack: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    guest = await stack.http.post(
        "/v1/guests", json={"first_name": MARK, "last_name": MARK, "email": MAIL, "phone": NUMBER}
    )
    person = guest.json()["id"]
    sms = {**SMS, "recipient": NUMBER, "content": f"Dear {MARK}", "guest_id": person, "metadata": {"note": MARK}}
    mail = {**EMAIL, "recipient": MAIL, "subject": MARK, "content": f"<p>{MARK}</p>", "guest_id": person}
    ends: list[tuple[str, tuple[str, ...]]] = []
    for body in (sms, mail):
        ends.append(((await stack.send(body))["id"], ("delivered", "read")))
    # Refused with a text that quotes the number, lost and looked up, retried, cancelled, moved.
    ends.append(((await stack.send({**sms, "recipient": "+13055552211"}))["id"], ("failed",)))
    text = {"channel": "sms", "content": MARK}
    broadcast = {"name": MARK, "message": text, "to": {"guests": [person]}}
    made = (await stack.http.post("/v1/broadcasts", json=broadcast)).json()["id"]
    assert (await stack.http.post(f"/v1/broadcasts/{made}/start", json={})).status_code == 200
    async with asyncio.timeout(30):
        while (await stack.http.get(f"/v1/broadcasts/{made}")).json()["state"] != "finished":
            await asyncio.sleep(0.1)
    (sent,) = await stack.rows("select message_id from broadcast_recipients where message_id is not null")
    ends.append((render(Prefix.MESSAGE, sent["message_id"]), ("delivered",)))
    for message_id, statuses in ends:
        await stack.until(message_id, *statuses)
    await stack.fault("callback_drop", provider="twilio", count=1, to=NUMBER)
    await stack.fault("accept_then_reset", provider="twilio", to=NUMBER)
    await stack.fault("rate_limit", provider="sendgrid", count=2, retry_after=0)
    ends.append(((await stack.send(sms))["id"], ("sent", "delivered")))
    ends.append(((await stack.send(mail))["id"], ("delivered", "read")))
    later = (await stack.send({**sms, "scheduled_at": "2030-01-01T00:00:00Z"}))["id"]
    await stack.http.patch(f"/v1/messaging/{later}", json={"scheduled_at": "2030-02-01T00:00:00Z"})
    await stack.http.post(f"/v1/messaging/{later}/cancel")
    ends.append((later, ("cancelled",)))
    for message_id, statuses in ends[3:]:
        await stack.until(message_id, *statuses)
    ids = {made} | {message_id for message_id, _ in ends}
    async with asyncio.timeout(60):
        # The visibility store follows a little later.
        while not ids <= {found.id async for found in stack.client.list_workflows()}:
            await asyncio.sleep(0.3)
    async for workflow_id, kept in everything(stack):
        for secret in SECRETS:
            assert secret not in kept, f"{workflow_id} holds {secret}"
    printed = "".join(capfd.readouterr())
    for secret in SECRETS:
        assert secret not in printed, f"the log holds {secret}"


async def test_what_fails_tells_temporal_its_kind_and_no_more(stack: Engine) -> None:
    """An activity that breaks on a guest's data does not carry it into the history."""
    async with stack.database.begin() as tx:
        await tx.exec_driver_sql("alter table attempts add constraint refused check (body !~ 'Zanzibar')")
    sent = await stack.send({**SMS, "recipient": NUMBER, "content": f"Dear {MARK}"})
    async with asyncio.timeout(15):
        while True:
            described = await _pending(stack, sent["id"])
            if described and described[0].last_failure.message:
                break
            await asyncio.sleep(0.1)
    text = str(described)
    assert re.search("IntegrityError", text)
    for secret in SECRETS:
        assert secret not in text
    async with stack.database.begin() as tx:
        await tx.exec_driver_sql("alter table attempts drop constraint refused")
    await stack.until(sent["id"], "sent", "delivered")


async def _pending(stack: Engine, message_id: str) -> Any:
    try:
        described = await stack.client.get_workflow_handle(message_id).describe()
    except RPCError:
        return []  # its workflow is still being started
    return described.raw_description.pending_activities
