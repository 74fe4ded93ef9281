"""When recovery's schedules have their time: as a slot says, for what its scenario needs.

Each schedule is there and would come of itself, in hours: nine of them every few seconds in eight slots cost as much as
everything that is played.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError

from bellhop.domain.sweeps import SweepKind
from bellhop.temporal import contract

PAUSE = 3.0
"""Seconds between two sweeps of what a scenario needs: longer than BELLHOP_SWEEP_GRACE."""
ALWAYS = {SweepKind.PENDING, SweepKind.ENDPOINTS}
"""What a killed process leaves behind the most often."""
RARELY = 4
"""Every so many turns all kinds are looked for."""


def _schedule(slot: str, kind: SweepKind) -> str:
    return f"{contract.SWEEP_SCHEDULE}-{slot}-{kind.value}"


@asynccontextmanager
async def sweeping(temporal: Client, slot: str, kinds: Collection[SweepKind]) -> AsyncIterator[None]:
    """Say to the schedules of a slot, again and again, that their time has come, while it lasts."""
    task = asyncio.create_task(_sweep(temporal, slot, kinds))
    try:
        yield
    finally:
        task.cancel()


async def _sweep(temporal: Client, slot: str, kinds: Collection[SweepKind]) -> None:
    often = ALWAYS | set(kinds)
    for turn in itertools.count(1):
        await asyncio.sleep(PAUSE)
        for kind in SweepKind:
            if kind in often or turn % RARELY == 0:
                with suppress(RPCError):  # while the first process starts it may not be there yet
                    await temporal.get_schedule_handle(_schedule(slot, kind)).trigger(rpc_timeout=timedelta(seconds=5))


async def stop_sweeping(temporal: Client, slot: str) -> None:
    """Remove a slot's schedules."""
    for kind in SweepKind:
        with suppress(RPCError):
            await temporal.get_schedule_handle(_schedule(slot, kind)).delete()
