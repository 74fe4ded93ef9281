"""I4: a state change and its event are one transaction."""

from __future__ import annotations

import asyncio

from .engine import SMS, Engine


async def test_without_its_event_a_change_does_not_happen(stack: Engine) -> None:
    await _break_events(stack)
    sent = await stack.send({**SMS, "recipient": "+13055550201"})
    async with asyncio.timeout(10):
        while not await stack.accepted(to="+13055550201"):
            await asyncio.sleep(0.05)
    # The provider has it and says so; the record cannot tell it, and so does not claim it either.
    await asyncio.sleep(0.5)
    assert (await stack.get(sent["id"]))["status"] == "queued"
    assert await stack.events(sent["id"]) == []
    await _mend_events(stack)
    await stack.until(sent["id"], "sent", "delivered")
    assert "message.sent" in await stack.events(sent["id"])
    assert len(await stack.accepted(to="+13055550201")) == 1


async def _break_events(stack: Engine) -> None:
    async with stack.database.begin() as tx:
        await tx.exec_driver_sql("alter table events add constraint refused check (type <> 'message.sent')")


async def _mend_events(stack: Engine) -> None:
    async with stack.database.begin() as tx:
        await tx.exec_driver_sql("alter table events drop constraint refused")
