"""Temporal is away for a moment: notifications follow when it is back, without waiting for recovery."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from tests.integration.engine import SMS, Engine, key


class Away:
    """In front of the client's starts and signals: refuses them while `status` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.status: RPCStatusCode | None = RPCStatusCode.UNAVAILABLE
        self.refused = 0
        start = Client.start_workflow

        async def guarded(client: Client, *args: Any, **options: Any) -> Any:
            if self.status is not None:
                self.refused += 1
                raise RPCError("away", self.status, b"")
            return await start(client, *args, **options)

        # The API and the worker have clients of their own.
        monkeypatch.setattr(Client, "start_workflow", guarded)


@pytest.fixture
def away(stack: Engine, monkeypatch: pytest.MonkeyPatch) -> Away:
    return Away(monkeypatch)


async def pending_since(stack: Engine, message: str) -> object:
    (row,) = await stack.rows("select wake_due_at from messages where id = :id", id=key(message))
    return row["wake_due_at"]


async def test_what_it_could_not_be_notified_of_follows_when_it_is_back(stack: Engine, away: Away) -> None:
    sent = [(await stack.send({**SMS, "content": f"Number {number}"}))["id"] for number in range(8)]
    async with asyncio.timeout(20):
        while away.refused < 2:
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.5)
    assert away.refused < 30, "one looks whether it is back, the others wait"
    assert all([await pending_since(stack, message) for message in sent])
    away.status = None
    # Nobody sweeps here: no schedule, and the test does not.
    for message in sent:
        await stack.until(message, "delivered", seconds=60)
    async with asyncio.timeout(30):
        while any([await pending_since(stack, message) for message in sent]):
            await asyncio.sleep(0.05)


async def test_what_it_refuses_is_left_to_recovery_and_holds_nothing_up(stack: Engine, away: Away) -> None:
    """Unknown search attributes, say: the same answer a second later."""
    away.status = RPCStatusCode.INVALID_ARGUMENT
    refused = (await stack.send({**SMS, "content": "Refused"}))["id"]
    async with asyncio.timeout(20):
        while not away.refused:
            await asyncio.sleep(0.02)
    away.status = None
    fine = (await stack.send({**SMS, "content": "Fine"}))["id"]
    await stack.until(fine, "delivered")
    assert (await stack.get(refused))["status"] == "queued"
    assert await pending_since(stack, refused) is not None
    await stack.rows(
        "update messages set wake_due_at = now() - interval '1 hour' where wake_due_at is not null returning id"
    )
    await stack.sweep()
    await stack.until(refused, "delivered")
