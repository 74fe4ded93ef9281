"""More requests than the machine can serve: those let in are served, the others are told at once, and it passes."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import text
from twilio.request_validator import RequestValidator

from api import admission
from api.admission import Admission, Overloaded, Slot
from tests.sandbox_accounts import sandbox_twilio

from .engine import SMS, Engine


async def test_first_come_first_served_and_nobody_waits_for_ever() -> None:
    line = Admission(slots=1, patience=30.0)
    first = Slot(line)
    first.release()
    await first.take()
    second = asyncio.create_task(line.enter())
    await asyncio.sleep(0.05)
    third = asyncio.create_task(line.enter())
    await asyncio.sleep(0.05)
    first.release()
    first.release()
    await second
    assert not third.done()
    line.leave()
    await third
    line._patience = 0.2
    with pytest.raises(Overloaded):
        await line.enter()


async def test_a_flood_is_served_or_refused_at_once_and_nothing_is_half_done(idle_stack: Engine) -> None:
    """The lock of a guest's row keeps those who are let in from being done."""
    guest = await idle_stack.http.post("/v1/guests", json={"first_name": "Jo", "last_name": "M"})
    body = {**SMS, "guest_id": guest.json()["id"]}
    limits = httpx2.Limits(max_connections=200)
    headers = {**idle_stack.http.headers, "Prefer": "respond-async"}
    url = str(idle_stack.http.base_url)
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=30, limits=limits) as crowd:
        async with idle_stack.database.begin() as tx:
            await tx.execute(text("select from guests for update"))
            asked = [asyncio.create_task(crowd.post("/v1/messaging/send", json=body)) for _ in range(60)]
            await asyncio.sleep(1.0)
            # Whatever the load, a monitor is answered.
            assert (await crowd.get("/healthz")).status_code == 200
            # Told while the lock is still held.
            async with asyncio.timeout(10):
                while sum(one.done() for one in asked) < 60 - 2 * admission.SLOTS:
                    await asyncio.sleep(0.05)
        answers = await asyncio.gather(*asked)
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) == {201, 503}, statuses
    for answer in answers:
        if answer.status_code == 503:
            assert answer.json()["code"] in ("overloaded", "database_unavailable")
            assert int(answer.headers["Retry-After"]) >= 1
    assert "overloaded" in {answer.json().get("code") for answer in answers}
    (row,) = await idle_stack.rows("select count(*) as there from messages")
    assert row["there"] == statuses[201], "refused is not done"
    assert (await idle_stack.http.post("/v1/messaging/send", json=body, headers=headers)).status_code == 201


async def _status_callback(stack: Engine, http: httpx2.AsyncClient) -> httpx2.Response:
    """A callback that Twilio's sandbox account has signed, about a message that nobody knows."""
    path = f"/v1/receipts/twilio/{sandbox_twilio.ACCOUNT_SID}/status"
    form = {"MessageSid": "SM" + uuid4().hex, "MessageStatus": "sent"}
    url = stack.settings.bellhop.public_url + path
    signature = RequestValidator(sandbox_twilio.AUTH_TOKEN).compute_signature(url, form)
    return await http.post(path, data=form, headers={"X-Twilio-Signature": signature})


async def test_neither_callers_nor_callbacks_are_refused_for_the_others(idle_stack: Engine) -> None:
    """More of the one than there are slots and connections, all held up by a lock: the others are served at once."""
    stack = idle_stack
    guest = (await stack.http.post("/v1/guests", json={"first_name": "Jo", "last_name": "M"})).json()
    headers = {**stack.http.headers, "Prefer": "respond-async"}
    url, limits = str(stack.http.base_url), httpx2.Limits(max_connections=200)
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=30, limits=limits) as crowd:

        def send(**more: str) -> asyncio.Task[httpx2.Response]:
            return asyncio.create_task(crowd.post("/v1/messaging/send", json={**SMS, **more}))

        def call() -> asyncio.Task[httpx2.Response]:
            return asyncio.create_task(_status_callback(stack, crowd))

        assert (await call()).status_code == 200
        for lock, flood, other, well in (
            ("select from guests for update", lambda: send(guest_id=guest["id"]), call, 200),
            ("lock table receipts", call, send, 201),
        ):
            async with stack.database.begin() as tx:
                await tx.execute(text(lock))
                many = [flood() for _ in range(admission.SLOTS + 16)]
                await asyncio.sleep(0.5)
                began = time.monotonic()
                answers = await asyncio.gather(*(other() for _ in range(5)))
                assert time.monotonic() - began < 1.5, "before anybody is refused for the lock"
                assert {answer.status_code for answer in answers} == {well}
            await asyncio.gather(*many)
    (row,) = await stack.rows("select count(*) as there from receipts")
    assert row["there"] >= 6, "recorded, and not only kept"


async def test_a_queue_has_an_end() -> None:
    line = Admission(slots=1, patience=30.0, waiting=1)
    await line.enter()
    second = asyncio.create_task(line.enter())
    await asyncio.sleep(0.05)
    with pytest.raises(Overloaded):
        await line.enter()
    line.leave()
    await second
    third = asyncio.create_task(line.enter())
    await asyncio.sleep(0.05)
    assert not third.done(), "there is room in the queue again"
    line.leave()
    await third


async def test_a_slow_sender_keeps_nobody_waiting(idle_stack: Engine) -> None:
    """More of them than slots: their bodies never end."""
    host, port = str(idle_stack.http.base_url).removeprefix("http://").strip("/").split(":")
    slow = []
    for _ in range(admission.SLOTS + 4):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /v1/messaging/send HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        await writer.drain()
        slow.append((reader, writer))
    answer = await asyncio.wait_for(idle_stack.http.get("/v1/messaging", params={"limit": 1}), 5)
    assert answer.status_code == 200
    for _, writer in slow:
        writer.close()


async def test_who_waits_for_a_provider_takes_no_slot(idle_stack: Engine) -> None:
    """Nobody works here: each send waits out its time. If it kept its slot, others would be refused theirs."""
    idle_stack.settings.bellhop.accept_wait = 6.0

    async def send(number: int) -> httpx2.Response:
        return await idle_stack.http.post("/v1/messaging/send", json={**SMS, "content": f"{number}"})

    waiting = [asyncio.create_task(send(number)) for number in range(admission.SLOTS)]
    async with asyncio.timeout(20):
        while len(await idle_stack.rows("select from messages")) < admission.SLOTS:
            await asyncio.sleep(0.05)
    answers = await asyncio.gather(*waiting, *(send(number) for number in range(admission.SLOTS, 40)))
    assert {answer.status_code for answer in answers} == {201}
