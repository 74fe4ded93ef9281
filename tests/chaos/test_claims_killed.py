"""A worker is killed while many messages wait in it: for an account that hangs, or for their time. Only the calls under
way are left unknown."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from bellhop.dev.stack import EmbeddedStack
from bellhop.store.settings import DeliverySettings
from tests.chaos.stack import Sent, visiting

WAITING = 36
TO = "+13055558701"


async def test_what_waited_for_a_slot_is_not_unknown(embedded: EmbeddedStack) -> None:
    # Half of all threads: nobody else wants one.
    slots = DeliverySettings(_env_file=None).threads // 2
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


async def test_what_waited_for_its_time_is_some_seconds_late(embedded: EmbeddedStack) -> None:
    async with visiting(embedded) as stack:
        await stack.clear_faults()
        due = datetime.now(UTC).timestamp() + 5.0
        ahead = (due - datetime.now(UTC).timestamp() for _ in range(WAITING))
        sent = await asyncio.gather(*(stack.send(ahead=seconds) for seconds in ahead))
        # Most of them wait in the worker by then.
        await asyncio.sleep(max(0.0, due - 0.3 - datetime.now(UTC).timestamp()))
        victims = stack.kill("worker-workflows")
        await stack.back(victims)
        async with asyncio.timeout(60):
            while len(taken := [one for one in await stack.accepted() if _of(one, sent)]) < WAITING:
                await asyncio.sleep(1.0)
        late = [datetime.fromisoformat(one["accepted_at"]).timestamp() - due for one in taken]
        assert len(taken) == len({one["content"] for one in taken}) == WAITING
        assert min(late) >= 0.0 and max(late) < 30.0, sorted(late)
        timelines = [await stack.timeline(one) for one in sent]
    assert not any("unknown" in entry for timeline in timelines for entry in timeline)


def _of(one: dict[str, Any], sent: list[Sent]) -> bool:
    return any(one["content"].strip() == message.content for message in sent)
