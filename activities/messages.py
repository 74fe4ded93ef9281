"""`deliver`, `settle` and `withdraw`: make one provider call with the attempt store's leave, find out what became of
one, or see to it that none is made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from copy import copy
from functools import partial
from types import TracebackType
from typing import Self, TypeVar
from uuid import UUID

import structlog
from temporalio import activity

from activities.faults import redact_errors
from activities.run_up import RunUp
from activities.slots import CallSlots
from bellhop.domain.answers import Answer, Next, Withdrawal
from bellhop.domain.cut_off_ports import CallMarks
from bellhop.domain.delivery_ports import (
    Attempts,
    Busy,
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
from bellhop.domain.file_ports import FetchersBusy, FetchFiles, FileFetcher
from bellhop.domain.ids import Prefix, render
from bellhop.domain.slots import Carrier, Slot
from bellhop.temporal import contract

log = structlog.get_logger()

R = TypeVar("R")

RECORD_TRIES = 6
PATIENCE = 0.5
"""Seconds that a message waits here for a slot. After that others get its place in the worker, until it is its turn."""
AT_ONCE = 1.0
"""Seconds: for a turn that comes sooner no timer is worth while."""
FETCH_AGAIN = 3.0
"""Seconds after which a message asks again whose files found nobody to fetch them."""
QUIET = 2.0
BEAT = 1.5
"""Seconds: an activity that takes longer than QUIET says every BEAT that its process lives. Most take no such time, and
then it costs no call."""


class MessageActivities:
    """`boottime`: CLOCK_BOOTTIME in seconds. `lease`: how long an attempt may be in flight. `slots`: for messages, with
    the threads in which the providers' synchronous SDKs run; `questions`: the same for what is asked about them;
    `fetcher`: fetches the files of messages; `marks`: where it is seen which calls a killed process had not begun."""

    def __init__(
        self,
        attempts: Attempts,
        providers: Mapping[str, Provider],
        slots: CallSlots,
        questions: CallSlots,
        boottime: Callable[[], float],
        lease: float,
        look_up_timeout: float,
        fetcher: FileFetcher | None = None,
        marks: CallMarks | None = None,
    ) -> None:
        self._attempts = attempts
        self._providers = providers
        self._slots = slots
        self._questions = questions
        self._boottime = boottime
        self._lease = lease
        self._look_up_timeout = look_up_timeout
        self._fetcher = fetcher
        self._marks = marks
        self._turn: Callable[[str], AbstractAsyncContextManager[Callable[[], None]]] = lambda _: nullcontext(_nothing)

    def with_run_up(self, run_up: RunUp) -> MessageActivities:
        """The same, for messages that are asked for before their time: they wait for it there."""
        those = copy(self)
        those._turn = run_up.turn
        return those

    @activity.defn(name=contract.DELIVER)
    @redact_errors
    async def deliver(self, message_id: str) -> Answer:
        """Send what may go out now, part by part, and say what is next."""
        async with _alive(), self._turn(message_id) as calls, _Held(self._slots) as held:
            while True:
                decided = await _to_its_end(self._next_call(UUID(message_id), held, calls))
                if isinstance(decided, Answer):
                    return decided
                if isinstance(decided, FetchFiles) and (answer := await self._fetch(decided)) is not None:
                    return answer
                # Without an attempt, so that one who waits for a slot has nothing that a kill leaves unknown.
                if isinstance(decided, Busy) and not await held.wait(decided.carrier):
                    return await self._later(UUID(message_id), decided)

    @activity.defn(name=contract.SETTLE)
    @redact_errors
    async def settle(self, message_id: str) -> Answer:
        """Ask the provider what became of an attempt, or of a message without receipts; say what is next."""
        async with _alive():
            return await self.resolve(UUID(message_id))

    async def resolve(self, message_id: UUID) -> Answer:
        """The same, for whoever is no activity."""
        decided = await self._attempts.prepare_lookup(message_id)
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

    async def _later(self, message_id: UUID, busy: Busy) -> Answer:
        """Ask again when it is this one's turn, through the queue of its provider: it takes up no place here then."""
        turn = self._slots.turn(busy.carrier)
        through = f"{busy.carrier.provider}-{busy.carrier.environment}"
        if turn > AT_ONCE:
            await self._attempts.postpone(message_id, turn)
        elif activity.info().is_local:
            turn = 0.0
        return Answer(busy.status, Next.AGAIN, turn, through)

    async def _fetch(self, wanted: FetchFiles) -> Answer | None:
        """Fetch the files of a message, and say what is next where that failed; None: they are there."""
        if activity.info().is_local:
            # Somebody's server may take its time: not in the place where first attempts are made.
            return Answer(wanted.status, Next.AGAIN, 0.0, wanted.through)
        assert self._fetcher is not None, "workers have one"
        try:
            fetched = await self._fetcher.fetch(wanted)
        except FetchersBusy:
            await self._attempts.postpone(wanted.message_id, FETCH_AGAIN)
            return Answer(wanted.status, Next.AGAIN, FETCH_AGAIN, wanted.through)
        return await self._attempts.record_files(wanted, fetched)

    async def _next_call(
        self, message_id: UUID, held: _Held, calls: Callable[[], None]
    ) -> Answer | Busy | FetchFiles | None:
        """Claim the next part, call its provider and record what became of it; `calls` is called in between. None: look
        for another part."""
        # Before the row is written: the process's own deadline is never later than the attempt store's.
        deadline = self._boottime() + self._lease
        decided = await self._attempts.claim(message_id, deadline, held.take)
        if not isinstance(decided, Claim):
            return decided
        calls()
        answer = await self._record(decided, await self._send(decided, held.slot))
        return None if answer.next is Next.AGAIN and answer.after <= 0 else answer

    async def _send(self, claim: Claim, slot: Slot) -> SendResult:
        provider = self._providers[claim.account.provider]
        result = await self._slots.call(slot, partial(self._make, provider, claim))
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

    def _make(self, provider: Provider, claim: Claim) -> SendResult:
        """The call itself, in its thread."""
        with self._marks.of(claim.outgoing.attempt_id) if self._marks else nullcontext():
            return provider.send(claim.account, claim.outgoing)

    async def _look_up(self, lookup: Lookup) -> LookupResult:
        provider = self._providers[lookup.account.provider]
        ask = partial(provider.look_up, lookup.account, lookup.request, self._look_up_timeout)
        return await self._question(lookup.account.carrier, ask)

    async def _poll(self, polled: PolledAttempt) -> Reported:
        provider = self._providers[polled.account.provider]
        if polled.age > provider.horizon.total_seconds():
            # By now nothing more can change what it said.
            return Reported(LookupKind.CANNOT_KNOW)
        ask = partial(provider.report, polled.account, polled.provider_id, polled.attempt_id, self._look_up_timeout)
        return await self._question(polled.account.carrier, ask)

    async def _question(self, carrier: Carrier, ask: Callable[[], R]) -> R:
        """Ask a provider as soon as there is a slot: nothing is written before, and a kill loses nothing."""
        async with _Held(self._questions) as held:
            await held.wait(carrier, for_ever=True)
            return await self._questions.call(held.slot, ask)

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


class _Held:
    """The slot that one activity has, given back at its end. `async with`."""

    def __init__(self, slots: CallSlots) -> None:
        self._slots = slots
        self._slot: Slot | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop()

    @property
    def slot(self) -> Slot:
        """The one it has."""
        assert self._slot is not None, "it was taken before the attempt was written"
        return self._slot

    def take(self, carrier: Carrier) -> bool:
        """A slot of this account, if there is one: see `delivery_ports.TakeSlot`."""
        if self._slot is not None and self._slot.carrier == carrier:
            return True
        self._drop()
        self._slot = self._slots.take(carrier)
        return self._slot is not None

    async def wait(self, carrier: Carrier, *, for_ever: bool = False) -> bool:
        """Wait for one."""
        self._drop()
        self._slot = await self._slots.wait(carrier, None if for_ever else PATIENCE)
        return self._slot is not None

    def _drop(self) -> None:
        if self._slot is not None:
            self._slots.give_back(self._slot)
            self._slot = None


def _nothing() -> None:
    """What to do when a provider is called of a message that waited for no time."""


async def _to_its_end(call: Coroutine[None, None, R]) -> R:
    """A claim, its call and the record of the outcome, also where Temporal gives the activity up meanwhile because its
    task took too long: nobody would know what became of it. Not at the end of the process, which waits for no call."""
    making = asyncio.create_task(call)
    try:
        return await asyncio.shield(making)
    except asyncio.CancelledError:
        if activity.is_worker_shutdown():
            making.cancel()
        else:
            await asyncio.wait({making})
        raise


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
