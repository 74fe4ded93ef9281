"""Many at a time, but never more than so many: how both sides are driven to saturation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


async def saturate(count: int, at_once: int, one: Callable[[int], Awaitable[None]]) -> float:
    """Do `one(0)` … `one(count - 1)`, `at_once` of them at any time. Returns how long it took, seconds."""
    numbers = iter(range(count))

    async def take_turns() -> None:
        for number in numbers:
            await one(number)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(min(at_once, count)):
            group.create_task(take_turns())
    return time.perf_counter() - began


async def pace(count: int, a_second: float, one: Callable[[int], Awaitable[None]]) -> None:
    """Begin `one(0)` … `one(count - 1)` at an even pace, whether or not earlier ones have ended; wait for all."""
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / a_second - time.perf_counter()))
            group.create_task(_awaited(one(number)))


async def _awaited(work: Awaitable[None]) -> None:
    await work
