"""Going on with a broadcast: a step at a time, each one transaction. Whoever is killed between two of them has lost
nothing, and whoever comes after goes on from the record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import short_links
from bellhop.domain.broadcasts import MOST_RECIPIENTS, BroadcastState, RecipientState, Unsent, filter_of, pace_of
from bellhop.domain.rows.broadcasts import BroadcastRow, RecipientRow
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.scopes import Scope
from bellhop.engine import batches
from bellhop.engine.batches import Outcome
from bellhop.engine.broadcasts import addressed, hash_of, message_of
from bellhop.engine.context import Engine
from bellhop.engine.errors import EngineError, InvalidField
from bellhop.engine.messages import Prepared, SendMessage, prepared
from bellhop.store.broadcasts import recipients, record
from bellhop.store.broadcasts.recipients import Done
from bellhop.store.database import BULK_TIMEOUT
from bellhop.store.delivery import parked
from bellhop.store.messages import outbound

PAGE = 500
"""Guests of a filter that are written down in one transaction."""
SPAN = 2.0
"""Seconds' worth of messages that one transaction accepts, at most `batches.TOGETHER` of them."""
IN_LINE = 200
"""So many of the property's messages may be parked on its channel: for a sender's pace, or because nobody can send.
Then a broadcast waits, so that what is sent meanwhile has few in front of it."""
WAIT = 5.0
"""Seconds after which it looks whether there is room."""
LOOKS_EVERY = 86_400.0
"""Seconds after which it looks whether its time has come, at most."""
FIRST = UUID(int=0)
AT_FAULT = frozenset({"channel_unavailable", "unknown_template", "unknown_sender", "unknown_asset"})
"""What is wrong with the broadcast or its property, not with a recipient: it is paused, and nobody is refused."""


@dataclass(slots=True)
class _Step:
    """What a step leaves to do after its commit: `wait`, seconds until the next one (None: there is none until
    somebody changes something), and whose workflows are to be started or woken."""

    wait: float | None
    accepted: list[MessageRow] = field(default_factory=list)
    woken: list[MessageRow] = field(default_factory=list)
    endpoints: set[UUID] = field(default_factory=set)


class BroadcastFeeder:
    """activities.broadcasts.Feeder over the engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def feed(self, broadcast_id: UUID) -> float | None:
        """One step. Returns the seconds until the next; None: there is nothing to do until it is woken."""

        async def work(tx: AsyncConnection) -> _Step:
            row = await record.lock(tx, broadcast_id)
            if row is None:
                return _Step(None)
            step = await self._step(tx, row)
            await record.due_in(tx, row, step.wait)
            return step

        step = await self._engine.database.write(work, timeout=BULK_TIMEOUT)
        self._engine.dispatcher.accepted(*step.accepted)
        for row in step.woken:
            self._engine.dispatcher.woken(row)
        self._engine.dispatcher.wake_endpoints(step.endpoints)
        return step.wait

    async def _step(self, tx: AsyncConnection, row: BroadcastRow) -> _Step:
        if row.state is BroadcastState.CANCELLED:
            return await self._withdraw(tx, row)
        if row.state is BroadcastState.SCHEDULED:
            left = (row.scheduled_at - row.now).total_seconds() if row.scheduled_at else 0.0
            if left > 0:
                return _Step(min(left, LOOKS_EVERY))
            await record.move(tx, row, BroadcastState.RUNNING)
            return _Step(0.0)
        if row.state is not BroadcastState.RUNNING:
            return _Step(None)
        if row.resolved_at is None:
            return await self._resolve(tx, row)
        message = message_of(row)
        if row.paused_at is not None or await parked.count(tx, row.scope_id, message.channel, IN_LINE) >= IN_LINE:
            return _Step(WAIT)
        return await self._accept(tx, row, message)

    async def _resolve(self, tx: AsyncConnection, row: BroadcastRow) -> _Step:
        """Write down the next guests of the filter."""
        assert row.filter is not None, "what has none is resolved"
        scope = _scope(row)
        found = await recipients.meant(tx, scope, filter_of(row.filter), row.resolved_to, PAGE)
        known = sum((await recipients.counts(tx, row.id))[0].values())
        found = found[: max(0, MOST_RECIPIENTS - known)]
        await recipients.add_guests(tx, scope, row.id, found)
        await record.resolved(tx, row, found[-1] if found else None, all_of_them=len(found) < PAGE)
        return _Step(0.0)

    async def _accept(self, tx: AsyncConnection, row: BroadcastRow, message: SendMessage) -> _Step:
        """Give the next recipients their messages."""
        pace = pace_of(row.pace, row.scope_settings)
        most = max(1, min(batches.TOGETHER, round(pace * SPAN)))
        following = await recipients.following(tx, row, most)
        if not following:
            await record.move(tx, row, BroadcastState.FINISHED, due=False)
            return _Step(None)
        ready, hashed, done = await self._ready(tx, row, message, following)
        outcomes = dict(
            zip(ready, await batches.accept_all(self._engine, tx, _scope(row), list(ready.values())), strict=True)
        )
        if problem := next((kind for one in outcomes.values() if (kind := _kind(one)) in AT_FAULT), None):
            # Nobody is refused for it. What was accepted beside it stays so.
            outcomes = {key: one for key, one in outcomes.items() if _kind(one) not in AT_FAULT}
            await record.move(tx, row, BroadcastState.PAUSED, due=False, problem=problem)
        done += [
            Done(key, message_id=one.id, hashed=hashed.get(key))
            if isinstance(one, MessageRow)
            else Done(key, reason=_kind(one) or "refused")
            for key, one in outcomes.items()
        ]
        await recipients.write(tx, done)
        accepted = [one for one in outcomes.values() if isinstance(one, MessageRow)]
        return _Step(None if problem else len(accepted) / pace, accepted)

    async def _ready(
        self, tx: AsyncConnection, row: BroadcastRow, message: SendMessage, following: Sequence[RecipientRow]
    ) -> tuple[dict[UUID, Prepared | EngineError], dict[UUID, bytes], list[Done]]:
        """The messages of those who get one, by recipient; the hashes of their addresses; and who gets none."""
        guests = await recipients.guests_of(tx, _scope(row), [one.guest_id for one in following if one.guest_id])
        ready: dict[UUID, Prepared | EngineError] = {}
        hashed: dict[UUID, bytes] = {}
        done: list[Done] = []
        for one in following:
            command = addressed(message, one, guests)
            if isinstance(command, Unsent):
                done.append(Done(one.id, reason=command.value))
                continue
            if (of_address := hash_of(self._engine, command)) is not None:
                if of_address in hashed.values():
                    done.append(Done(one.id, reason=Unsent.DUPLICATE.value))
                    continue
                hashed[one.id] = of_address
            try:
                ready[one.id] = prepared(self._engine, command)
            except EngineError as refused:
                ready[one.id] = refused
        taken = await recipients.taken(tx, row, list(hashed.values()), [one.id for one in following])
        for key in [key for key, its in hashed.items() if its in taken]:
            del ready[key], hashed[key]
            done.append(Done(key, reason=Unsent.DUPLICATE.value))
        return ready, hashed, done

    async def _withdraw(self, tx: AsyncConnection, row: BroadcastRow) -> _Step:
        """Cancel the next messages that still wait."""
        page = await recipients.of_state(tx, row, RecipientState.ACCEPTED, row.withdrawn_to or FIRST, batches.TOGETHER)
        if not page:
            return _Step(None)
        step = _Step(0.0)
        for key in sorted(one.message_id for one in page if one.message_id):
            changed = await outbound.cancel(tx, _scope(row), key)
            step.endpoints |= changed.endpoints
            if changed.done and changed.row is not None:
                step.woken.append(changed.row)
        await record.withdrawn(tx, row, page[-1].id)
        return step


def _scope(row: BroadcastRow) -> Scope:
    # With what it says of links: else each message would read that.
    links = short_links.read(row.scope_settings.get(short_links.SETTING))
    return Scope(id=row.scope_id, property_id=row.property_id, environment=row.environment, links=links)


def _kind(outcome: Outcome) -> str | None:
    return outcome.kind if isinstance(outcome, InvalidField) else None
