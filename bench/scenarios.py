"""One hotel in trouble, and how late its neighbours' messages go out: a crowd, a pause, an account that hangs."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from bellhop.dev.console import Console
from bellhop.dev.stack import EmbeddedStack
from bellhop.domain.channels import Channel
from bellhop.domain.ids import Prefix, parse
from bellhop.domain.scopes import Scope
from bellhop.store.access import keys
from bellhop.store.connections import make_engine
from bellhop.store.delivery import pending_wakes, sender_rows
from bellhop.store.delivery.sender_rows import SenderFields
from bellhop.store.settings import PostgresSettings
from bellhop.temporal.dispatcher import TemporalDispatcher
from bench import crowd, endpoints, processes
from bench.checks import Wrong, lateness
from bench.figures import Spread, percentile, spread
from bench.guests import BellhopSide, Sent
from bench.neighbours import Neighbour, copied, settle_in

HANGS = "+13055559002"
"""The sandbox's magic number that never answers."""
HANGING_DEVICE = "sandbox:hang"
"""Its magic token of a device."""
PATIENCE = 180.0
"""Seconds the last of a neighbour's messages may take to go out."""
TRIED, AT_ONCE = 32, 16
AIM = 2.0
"""Seconds: the neighbours' p99."""


@dataclass(frozen=True)
class Sizes:
    """How much trouble there is."""

    crowd: int = 1_000
    paused: int = 2_000
    resumed: int = 10_000
    hanging: int = 160
    endpoints: int = 150
    due: tuple[int, ...] = (500, 1_500, 5_000)
    """How many are due in the same instant, one crowd after the other; each is measured until its last is out."""
    seconds: float = 60.0
    """How long the neighbours go on sending, each time."""

    def times(self, factor: float) -> Sizes:
        """So many times as many messages."""
        more = {
            name: max(1, round(getattr(self, name) * factor))
            for name in ("crowd", "paused", "resumed", "hanging", "endpoints")
        }
        return replace(self, due=tuple(max(1, round(count * factor)) for count in self.due), **more)


WITH_THE_REST = Sizes(crowd=400, paused=300, resumed=2_000, hanging=160, due=(), seconds=15.0)
QUICK = Sizes(crowd=150, paused=60, resumed=300, hanging=60, endpoints=40, due=(), seconds=8.0)

LateBy = dict[str, Spread]
"""Whose messages, in which trouble → how late the provider got them."""


class Scenarios:
    """`async with`: one hotel to be in trouble and neighbours in both environments, on a stack that runs."""

    def __init__(self, stack: EmbeddedStack, client: Client, side: BellhopSide, console: Console, sizes: Sizes) -> None:
        self._stack = stack
        self._client = client
        self._side = side
        self._console = console
        self._sizes = sizes
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Scenarios:
        assert self._stack.prepared is not None
        dsn = PostgresSettings(_env_file=None, dsn=SecretStr(self._stack.postgres_dsn))
        self._engine: AsyncEngine = make_engine(dsn, "bench")
        self._open.push_async_callback(self._engine.dispose)
        property_id = parse(Prefix.PROPERTY, self._stack.prepared.property_id)
        assert property_id is not None
        async with self._engine.begin() as tx:
            like = await keys.scope_of(tx, property_id, "test")
        assert like is not None
        self._scope, self._hotel = await self._settle(like, "Hotel in trouble", "test")
        self._test_scope, self._test = await self._settle(like, "Neighbour", "test")
        _, self._live = await self._settle(like, "Live neighbour", "live")
        return self

    async def _settle(self, like: Scope, name: str, environment: str) -> tuple[Scope, Neighbour]:
        scope, key = await settle_in(self._engine, like, name, environment)
        return scope, await self._open.enter_async_context(Neighbour(self._stack.api_url, key, name))

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def run(self, names: Iterable[str]) -> LateBy:
        """Those scenarios, one after the other."""
        found: LateBy = {}
        for name in names:
            found |= await ALL[name](self)
        return found

    async def crowd(self) -> LateBy:
        """So many of one hotel's messages due at one moment, and from then on the neighbour's, one after another."""
        count = self._sizes.crowd
        with self._console.step(f"crowd: {count} of one hotel due in the same second"):
            due, crowded = await self._hand_in(count, spare=5 + self._sizes.seconds / 10)
            theirs: dict[str, list[Sent]] = {"normal": [], "urgent": []}
            for number in range(int(self._sizes.seconds)):
                word = ("normal", "urgent")[number % 2]
                at = due + timedelta(seconds=0.2 + 0.4 * number)
                theirs[word].append(await self._test.send(due=at, priority=word))
            if datetime.now(UTC) > due:
                raise Wrong("accepting took too long for the crowd to be due at once")
            # The crowd too: the next scenario is to have its own trouble only.
            book = await self._gone([*theirs["normal"], *theirs["urgent"], *crowded])
        return {f"crowd: neighbour's, {word}": spread(lateness(sent, book)) for word, sent in theirs.items()}

    async def due(self) -> LateBy:
        """Crowds of a property that has its webhooks delivered, each due in one instant, and a neighbour's urgent ones
        meanwhile: some accepted before, some as the crowd goes out."""
        found: LateBy = {}
        for count in self._sizes.due:
            with self._console.step(f"due: {count} in the same instant") as step:
                due, crowded = await self._schedule(count)
                urgent = [
                    await self._test.send(due=due + timedelta(seconds=0.4 * number), priority="urgent")
                    for number in range(1, 6)
                ]
                await asyncio.sleep((due - datetime.now(UTC)).total_seconds())
                before, moments = processes.now(self._side.pids), list[tuple[float, processes.Moment]]()
                looking = asyncio.create_task(self._look(moments))
                at_once = await self._test.keep_sending(4.0, 0.5, priority="urgent")
                book = await self._gone([*crowded, *urgent, *at_once])
                looking.cancel()
                late = lateness(crowded, book)
                over = due.timestamp() + max(late)
                after = next((moment for at, moment in moments if at >= over), moments[-1][1])
                spent = {name: 1000 * each / count for name, each in processes.between(before, after)[0].items()}
                for one in crowded:
                    if len(book[one.content]) > 1:
                        raise Wrong(f"{one.id} went out {len(book[one.content])} times")
                found[f"due: {count} at once"] = spread(late)
                neighbours = [*lateness(urgent, book), *(book[one.content][0] - one.at for one in at_once)]
                found[f"due: {count}, neighbour's urgent"] = spread(neighbours)
                # Their webhooks and workflows too: the next crowd is to have its own trouble only.
                tasks: Counter[str] = Counter()
                await crowd.saturate(count, 32, partial(self._follow, crowded, tasks))
                step.label += f": late by {percentile(late, 0.5):.1f} s (p50), {max(late):.1f} s (the last); "
                step.label += f"neighbour's urgent {max(neighbours):.1f} s; tasks {dict(tasks)}; CPU until the last, "
                step.label += f"ms each: {sum(spent.values()):.1f} ("
                step.label += ", ".join(f"{name} {each:.1f}" for name, each in spent.items()) + ")"
        return found

    async def _look(self, moments: list[tuple[float, processes.Moment]]) -> None:
        """At what each process has spent, four times a second."""
        while True:
            moments.append((time.time(), processes.now(self._side.pids)))
            await asyncio.sleep(0.25)

    async def _follow(self, sent: Sequence[Sent], tasks: Counter[str], number: int) -> None:
        """To its end; what Temporal did with its workflow is counted, as tasks that were begun and that timed out."""
        await self._side.follow(sent[number])
        history = await self._client.get_workflow_handle(sent[number].id).fetch_history()
        tasks.update(
            EventType.Name(event.event_type).removeprefix("EVENT_TYPE_WORKFLOW_TASK_").lower()
            for event in history.events
            if event.event_type
            in (EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED, EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT)
        )

    async def _schedule(self, count: int) -> tuple[datetime, list[Sent]]:
        """The same as `_hand_in` of the property with webhooks."""
        sent: list[Sent] = []

        async def one(_: int) -> None:
            sent.append(await self._side.accept(due=due))

        due = datetime.now(UTC) + timedelta(seconds=4.0)
        took = await crowd.saturate(TRIED, AT_ONCE, one)
        due = datetime.now(UTC) + timedelta(seconds=6.0 + 1.5 * count * took / TRIED)
        await crowd.saturate(count, AT_ONCE, one)
        if datetime.now(UTC) > due - timedelta(seconds=1.0):
            raise Wrong("accepting took too long for the crowd to be due at once")
        return due, sent[TRIED:]

    async def hanging(self) -> LateBy:
        """So many to a number that hangs, due at once; meanwhile a neighbour's SMS, the hotel's own mails, and live."""
        count, seconds = self._sizes.hanging, self._sizes.seconds
        with self._console.step(f"hanging: {count} to a number that never answers"):
            due, _ = await self._hand_in(count, spare=3.0, to=HANGS)
            await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
            watched = {
                "neighbour's SMS": self._test.keep_sending(seconds, 1.0),
                "its own e-mail": self._hotel.keep_sending(seconds, 1.0, "email"),
                "neighbour's e-mail": self._test.keep_sending(seconds, 1.0, "email"),
                "live SMS": self._live.keep_sending(seconds, 1.0),
            }
            sent = dict(zip(watched, await asyncio.gather(*watched.values()), strict=True))
            return await self._found("hanging", sent)

    async def endpoints(self) -> LateBy:
        """A neighbour with many endpoints, all of which get everything."""
        return await endpoints.one_property(
            self._engine,
            self._test_scope,
            self._test,
            self._sizes.endpoints,
            self._sizes.seconds,
            self._side.pids,
            self._console,
        )

    async def paced(self) -> LateBy:
        """A hotel with many due at once, from a sender that takes two a second."""
        count = self._sizes.crowd
        await self._rate(2.0)
        with self._console.step(f"paced: {count} due at a sender that takes two a second"):
            due, _ = await self._hand_in(count, spare=3.0)
            await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
            found = await self._found(
                "paced", {"neighbour's SMS": await self._test.keep_sending(self._sizes.seconds, 0.5)}
            )
            # What is left of it is nobody's trouble any more.
            await self._pause(paused=True)
            await self._rate(None)
        return found

    async def _rate(self, rate: float | None) -> None:
        async with self._engine.begin() as tx:
            for sender in await sender_rows.listing(tx, self._scope):
                if sender.channel is Channel.SMS:
                    await sender_rows.change(tx, self._scope, sender, SenderFields(rate=rate))

    async def hanging_push(self) -> LateBy:
        """The same with the other providers: half to a device that hangs, half to an iMessage's number."""
        count, seconds = self._sizes.hanging, self._sizes.seconds
        with self._console.step(f"hanging: {count} notifications and iMessages that are never answered"):
            due, _ = await self._hand_in(count // 2, spare=6.0, channel="push", to=HANGING_DEVICE)
            await self._hand_in(count // 2, spare=3.0, channel="imessage", to=HANGS)
            await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
            watched = {
                "neighbour's notifications": self._test.keep_sending(seconds, 1.0, "push"),
                "neighbour's iMessages": self._test.keep_sending(seconds, 1.0, "imessage"),
                "neighbour's SMS": self._test.keep_sending(seconds, 1.0),
                "its own SMS": self._hotel.keep_sending(seconds, 1.0),
                "live notifications": self._live.keep_sending(seconds, 1.0, "push"),
            }
            sent = dict(zip(watched, await asyncio.gather(*watched.values()), strict=True))
            return await self._found("hanging-push", sent)

    async def paused(self) -> LateBy:
        """A paused hotel with messages that are due, and then as it goes on with many more."""
        sizes, found = self._sizes, LateBy()
        await self._pause(paused=True)
        with self._console.step(f"paused: {sizes.paused} due of a hotel that is paused"):
            template = parse(Prefix.MESSAGE, (await self._hotel.send()).id)
            assert template is not None
            # So that the copies are as far as the one: it was asked for, and waits.
            await asyncio.sleep(3.0)
            starting = asyncio.create_task(self._start(await self._copies(template, sizes.paused)))
            found |= await self._found("paused", {"neighbour's SMS": await self._test.keep_sending(sizes.seconds, 0.5)})
            await starting
        with self._console.step(f"resumed: {sizes.resumed} of a hotel that goes on"):
            await self._copies(template, max(0, sizes.resumed - sizes.paused))
            await self._pause(paused=False)
            found |= await self._found(
                "resumed", {"neighbour's SMS": await self._test.keep_sending(sizes.seconds, 0.5)}
            )
            # What is left of it is nobody's trouble any more.
            await self._pause(paused=True)
        return found

    async def _hand_in(self, count: int, *, spare: float, **fields: Any) -> tuple[datetime, list[Sent]]:
        """So many of the hotel's messages, all due at the moment that is returned: `spare` seconds ahead or more."""
        sent: list[Sent] = []

        async def one(_: int) -> None:
            sent.append(await self._hotel.send(due=due, **fields))

        # For a year ahead: how long one takes here.
        due = datetime.now(UTC) + timedelta(days=365)
        took = await crowd.saturate(TRIED, AT_ONCE, one)
        due = datetime.now(UTC) + timedelta(seconds=spare + 1.5 * count * took / TRIED)
        await crowd.saturate(count, AT_ONCE, one)
        return due, sent[TRIED:]

    async def _pause(self, *, paused: bool) -> None:
        async with self._engine.begin() as tx:
            change = text("update scopes set paused_at = case when :paused then now() end where id = :scope")
            await tx.execute(change, {"paused": paused, "scope": self._scope.id})

    async def _copies(self, template: UUID, count: int) -> list[UUID]:
        """So many messages like this one, as if each had come through the API."""
        async with self._engine.begin() as tx:
            return await copied(tx, "messages", "id = :id", {}, count, id=template)

    async def _start(self, ids: Sequence[UUID]) -> None:
        """Their workflows, as the API starts them."""
        async with self._engine.begin() as tx:
            rows = await pending_wakes.message_rows(tx, ids)
        async with TemporalDispatcher(self._client, self._engine) as dispatcher:

            async def one(number: int) -> None:
                await dispatcher.start_message(rows[number], time.monotonic(), wake=False)

            await crowd.saturate(len(rows), 32, one)

    async def _found(self, name: str, sent: dict[str, list[Sent]]) -> LateBy:
        book = await self._gone([one for each in sent.values() for one in each])
        return {
            f"{name}: {whose}": spread([book[one.content][0] - one.at for one in each]) for whose, each in sent.items()
        }

    async def _gone(self, sent: Sequence[Sent]) -> dict[str, list[float]]:
        """What the provider has, once it has all of these. Raises Wrong when it never does."""
        end = time.monotonic() + PATIENCE
        while True:
            book = await self._side.provider_book()
            missing = [one for one in sent if one.content not in book]
            if not missing:
                return book
            if time.monotonic() > end:
                raise Wrong(f"{len(missing)} of a neighbour's messages have not gone out after {PATIENCE:.0f} s")
            await asyncio.sleep(1.0)


ALL: dict[str, Callable[[Scenarios], Awaitable[LateBy]]] = {
    "endpoints": Scenarios.endpoints,
    "due": Scenarios.due,
    "crowd": Scenarios.crowd,
    "hanging": Scenarios.hanging,
    "hanging-push": Scenarios.hanging_push,
    # It leaves its hotel paused.
    "paced": Scenarios.paced,
    "paused": Scenarios.paused,
}
"""In the order in which one leaves the least behind for the next."""
