"""`deliver`, `settle` and `withdraw`: make one provider call with the attempt store's leave, find out what became of
one, or see to it that none is made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from uuid import UUID

import structlog
from temporalio import activity

from activities.faults import redact_errors
from bellhop.domain.answers import Answer, Next, Withdrawal
from bellhop.domain.delivery_ports import (
    Attempts,
    Claim,
    Lookup,
    LookupKind,
    LookupResult,
    PolledAttempt,
    Provider,
    Reported,
    SendResult,
    StatusPoll,
)
from bellhop.domain.ids import Prefix, render
from bellhop.temporal import contract

log = structlog.get_logger()

RECORD_TRIES = 6
QUIET = 2.0
BEAT = 1.5
"""Seconds: an activity that takes longer than QUIET says every BEAT that its process lives. Most take no such time, and
then it costs no call."""


class MessageActivities:
    """`boottime`: CLOCK_BOOTTIME in seconds. `lease`: how long an attempt may be in flight. `threads`: where the
    providers' synchronous SDKs run."""

    def __init__(
        self,
        attempts: Attempts,
        providers: Mapping[str, Provider],
        threads: Executor,
        boottime: Callable[[], float],
        lease: float,
        look_up_timeout: float,
    ) -> None:
        self._attempts = attempts
        self._providers = providers
        self._threads = threads
        self._boottime = boottime
        self._lease = lease
        self._look_up_timeout = look_up_timeout

    @activity.defn(name=contract.DELIVER)
    @redact_errors
    async def deliver(self, message_id: str) -> Answer:
        """Send what may go out now, part by part, and say what is next."""
        async with _alive():
            while True:
                # Before the row is written: the process's own deadline is never later than the attempt store's.
                deadline = self._boottime() + self._lease
                decided = await self._attempts.claim(UUID(message_id), deadline)
                if isinstance(decided, Answer):
                    return decided
                answer = await self._record(decided, await self._send(decided))
                if answer.next is not Next.AGAIN or answer.after > 0:
                    return answer

    @activity.defn(name=contract.SETTLE)
    @redact_errors
    async def settle(self, message_id: str) -> Answer:
        """Ask the provider what became of an attempt, or of a message without receipts; say what is next."""
        async with _alive():
            decided = await self._attempts.prepare_lookup(UUID(message_id))
            if isinstance(decided, Answer):
                return decided
            if isinstance(decided, StatusPoll):
                reports = await asyncio.gather(*(self._poll(polled) for polled in decided.polled))
                return await self._attempts.record_poll(decided, reports)
            return await self._attempts.record_lookup(decided, await self._look_up(decided))

    @activity.defn(name=contract.WITHDRAW)
    @redact_errors
    async def withdraw(self, message_id: str) -> Withdrawal:
        """Cancel the message, whose workflow somebody cancels, if it still can be, and say what is next."""
        return await self._attempts.withdraw(UUID(message_id))

    async def _send(self, claim: Claim) -> SendResult:
        provider = self._providers[claim.account.provider]
        result = await asyncio.get_running_loop().run_in_executor(
            self._threads, provider.send, claim.account, claim.outgoing
        )
        log.info(
            "provider called",
            message=render(Prefix.MESSAGE, claim.outgoing.message_id),
            attempt=str(claim.outgoing.attempt_id),
            provider=claim.account.provider,
            outcome=result.kind.value,
            code=result.code.value if result.code else None,
            provider_code=result.provider_code,
        )
        return result

    async def _look_up(self, lookup: Lookup) -> LookupResult:
        provider = self._providers[lookup.account.provider]
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, provider.look_up, lookup.account, lookup.request, self._look_up_timeout
        )

    async def _poll(self, polled: PolledAttempt) -> Reported:
        provider = self._providers[polled.account.provider]
        if polled.age > provider.horizon.total_seconds():
            # By now nothing more can change what it said.
            return Reported(LookupKind.CANNOT_KNOW)
        return await asyncio.get_running_loop().run_in_executor(
            self._threads,
            provider.report,
            polled.account,
            polled.provider_id,
            polled.attempt_id,
            self._look_up_timeout,
        )

    async def _record(self, claim: Claim, result: SendResult) -> Answer:
        """Write an outcome down, with retries: what is not recorded has to be found out again from the provider."""
        for tried in range(RECORD_TRIES):
            try:
                return await self._attempts.record(claim, result)
            except Exception as error:
                if tried == RECORD_TRIES - 1:
                    raise
                log.warning(
                    "outcome not recorded yet", attempt=str(claim.outgoing.attempt_id), error=type(error).__name__
                )
                await asyncio.sleep(min(5.0, 0.2 * 2**tried))
        raise AssertionError("unreachable")


@asynccontextmanager
async def _alive() -> AsyncIterator[None]:
    """While this lasts, tell Temporal now and then that this process lives: a killed one is noticed within seconds. Of
    a local activity the workflow task tells it already."""

    async def beat() -> None:
        await asyncio.sleep(QUIET)
        while True:
            activity.heartbeat()
            await asyncio.sleep(BEAT)

    beating = None if activity.info().is_local else asyncio.create_task(beat())
    try:
        yield
    finally:
        if beating is not None:
            beating.cancel()
