"""A worker is killed while many messages wait for an account that hangs: only the calls under way are left unknown."""

from __future__ import annotations

import asyncio

from bellhop.dev.stack import EmbeddedStack
from bellhop.store.settings import DeliverySettings
from tests.chaos.stack import visiting

WAITING = 36
TO = "+13055558701"


async def test_what_waited_for_a_slot_is_not_unknown(embedded: EmbeddedStack) -> None:
    slots = DeliverySettings(_env_file=None).threads // 3
    async with visiting(embedded) as stack:
        await stack.clear_faults()
        await stack.fault("hang", to=TO, count=200)
        sent = await asyncio.gather(*(stack.send(to=TO) for _ in range(WAITING)))
        await stack.calls_under_way(slots)
        victims = stack.kill("worker-workflows", "worker-activities")
        await stack.clear_faults()
        await stack.back(victims)
        async with asyncio.timeout(120):
            # Seldom: the key's own limit is a thousand requests a minute.
            while {(await stack.get(one))["status"] for one in sent} != {"delivered"}:
                await asyncio.sleep(3.0)
        timelines = [await stack.timeline(one) for one in sent]
        accepted = [one["content"].strip() for one in await stack.accepted()]
        assert all(accepted.count(one.content) == 1 for one in sent)
    unknown = sum(1 for timeline in timelines if any("unknown" in entry for entry in timeline))
    assert 0 < unknown <= slots < WAITING
