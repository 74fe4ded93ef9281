"""Calls that were cut off are followed up as soon as their lease is over, beside Temporal: the task that would do it
was handed to the killed worker, and has its turn again behind all others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog

from bellhop.domain.answers import Answer, Next
from bellhop.domain.cut_off_ports import CallMarks, OpenCalls

log = structlog.get_logger()

EVERY = 2.0
"""Seconds between two looks, each of one query by its index."""
MOST = 64
"""Messages looked at in one look."""
AT_ONCE = 8
PATIENCE = 30.0
"""Seconds for all questions of one look: a provider that is slow to answer keeps no other waiting for longer."""
AGAIN = 10.0
"""Seconds before the same message is looked at again, unless it has its turn sooner."""
SOON = 60.0
"""Seconds: whoever has its turn within this time is asked about then, without being overdue first: an account that is
asked ten times a second would otherwise be so every ten seconds."""


Resolve = Callable[[UUID], Awaitable[Answer]]


async def keep_following_up(
    calls: OpenCalls, resolve: Resolve, marks: CallMarks | None = None, every: float = EVERY
) -> None:
    """Look for calls that nobody follows up, and have them resolved. Runs until cancelled. `resolve`: asks what became
    of a message's call, if it is time, and writes it down (`MessageActivities.resolve`). `marks`: says which calls of
    killed processes need no question."""
    tried: dict[UUID, float] = {}
    coming: dict[UUID, float] = {}
    while True:
        await asyncio.sleep(every)
        now = time.monotonic()
        tried = {one: at for one, at in tried.items() if at + AGAIN > now}
        try:
            await take_back(calls, marks)
            due = [one for one, at in coming.items() if at <= now]
            known = {*tried, *coming}
            coming = {one: at for one, at in coming.items() if at > now}
            due += [one for one in await calls.overdue(MOST + len(known)) if one not in known]
            tried |= dict.fromkeys(due, now)
            if due:
                await _follow_up(calls, resolve, due, coming)
        except Exception as error:  # noqa: BLE001  whatever it is, the next look may go well
            log.warning("calls that were cut off are not followed up yet", error=type(error).__name__)


async def take_back(calls: OpenCalls, marks: CallMarks | None) -> None:
    """Have made again what processes that are gone had surely not begun to write. Also before a process takes its first
    task: else one that was long in starting would ask what became of them."""
    if marks is None:
        return
    unwritten: list[UUID] = []
    try:
        with marks.left_behind() as unwritten:
            for attempt_id in unwritten:
                await calls.not_written(attempt_id)
    except Exception as error:  # noqa: BLE001  whatever it is, the next look may go well
        log.warning("calls that were not written are not made again yet", error=type(error).__name__)
        return
    if unwritten:
        log.info("calls were cut off before they were written; they are made again", calls=len(unwritten))


async def _follow_up(calls: OpenCalls, resolve: Resolve, due: list[UUID], coming: dict[UUID, float]) -> None:
    """`coming`: gets those that are to be asked about again soon, and when."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(message_id: UUID) -> bool:
        async with room:
            lapsed = await calls.lapse(message_id)
            answer = await resolve(message_id)
            if answer.next is Next.AGAIN:
                # It can go out again: that is for its workflow, in its turn.
                await calls.wake(message_id)
            elif answer.next is Next.SETTLE and answer.after <= SOON:
                coming[message_id] = time.monotonic() + answer.after
            return lapsed

    try:
        async with asyncio.timeout(PATIENCE):
            done = await asyncio.gather(*(one(each) for each in due), return_exceptions=True)
    except TimeoutError:
        return
    if cut_off := sum(each is True for each in done):
        log.info("calls were cut off; the providers are asked what became of them", calls=cut_off)
    for problem in done:
        if isinstance(problem, BaseException):
            raise problem
